"""Statistics and words that several formats show, computed from the stored numbers when they are read."""

import math
import re
import statistics
from collections.abc import Iterable, Iterator, Sequence
from typing import get_args

import guide
from harness import parity
from harness.result import BROKEN, TRACED, Cell, Difference, Lane, Metrics, Result, Status, Timing
from tasks import TASKS, small

STATUSES: tuple[Status, ...] = get_args(Status)  # in the order in which reports list them
NO_REASON = "no reason was given"
DOUBT = (
    "These agree as far as can be told; but from the step that is named, rounding alone may grow so far that "
    "a mistake would not show."
)
# Of several cells, what shows first.
SEVERITY: tuple[str, ...] = (
    "crashed", "timed out", "failed", "diverged", "inconclusive", "known difference", "agreed", "missing",
    "unsupported",
)  # fmt: skip
OTHERS = "other tasks"  # heading of those that belong to no concept
FEW = 4  # lists of more tasks than this are shortened where they are complete
MANY = 12  # lists of more are cut off
UNSTEADY = " not steady"
SIZES = re.compile(r" \(differs by [^()]*\)$")  # see parity.verdict
ANSI = re.compile("\x1b\\[[0-9;]*[A-Za-z]")
UNPRINTABLE = re.compile("[^\t\n\x20-\x7e\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def table(result: Result) -> dict[str, dict[str, Cell]]:
    """All cells by row and backend, rows in the run's order.

    A row is a task; where the run has several dtypes, devices or thread counts, a task at one of each.
    """
    return _rows(result.cells)


def matrix(result: Result) -> dict[str, dict[str, Cell]]:
    """The cells as `table` has them, but no row with only the reference where a task has another."""
    others = {(cell.task, *_place(cell)) for cell in result.cells if not is_reference(cell, result)}
    tasks = {task for task, *_ in others}

    def is_alone(cell: Cell) -> bool:
        return cell.task in tasks and (cell.task, *_place(cell)) not in others

    return _rows([cell for cell in result.cells if cell.status != "agreed" or not is_alone(cell)])


def matrix_title(result: Result) -> str:
    """What the numbers of the matrix are, and in which precision where that is not the reference's."""
    places = {placed(cell) for cell in result.cells} - {""}
    own = " (float64, cpu)" if places else ""
    return f"Compared with {result.reference}{own}: worst relative difference{''.join(sorted(places))}"


def _rows(cells: Sequence[Cell]) -> dict[str, dict[str, Cell]]:
    axes = ("dtype", "device", "threads")
    varying = [axis for axis in axes if len({getattr(cell, axis) for cell in cells}) > 1]
    rows: dict[str, dict[str, Cell]] = {}
    for cell in cells:
        placement = [f"{axis} {getattr(cell, axis)}" for axis in varying]
        rows.setdefault(", ".join([cell.task, *placement]), {})[cell.backend] = cell
    return rows


def backends(result: Result) -> list[str]:
    """The run's backends, in its order."""
    return list(dict.fromkeys(cell.backend for cell in result.cells))


def is_reference(cell: Cell, result: Result) -> bool:
    """Whether the others are compared with this cell: the reference's backend, at float64 on the CPU."""
    placement = (cell.dtype, cell.device, cell.threads)
    return cell.backend == result.reference and placement == ("float64", "cpu", result.environment.threads)


def differences(cell: Cell) -> dict[str, Difference]:
    """Of every kind of quantity that was compared: "param" in training, "param in a single step"."""
    if cell.parity is None:
        return {}
    alone = {f"{kind} in a single step": found for kind, found in cell.parity.single_steps.items()}
    return cell.parity.quantities | alone


def worst(cell: Cell) -> tuple[float, str] | None:
    """The largest relative difference of any quantity, and that quantity; inf where one side is not finite.

    None where nothing was compared.
    """
    sizes = {
        name: math.inf if found.max_rel is None else found.max_rel
        for name, found in differences(cell).items()
    }
    return max(((size, name) for name, size in sizes.items()), key=lambda found: found[0], default=None)


def least_headroom(result: Result) -> str | None:
    """The least of any cell that agreed, and where; None where nothing differed."""
    found = [
        (difference.headroom, cell, " ".join([difference.quantity, *kind.split()[1:]]), difference.step)
        for cell in result.cells
        if cell.status == "agreed"
        for kind, difference in differences(cell).items()
        if difference.headroom is not None
    ]
    if not found:
        return None
    headroom, cell, quantity, step = min(found, key=lambda one: one[0])
    return f"{digits(headroom)}: {name(cell)}, {quantity} at step {step}"


def number(value: float | None) -> str:
    """A difference in two digits: "4.1e-14", "0", "not comparable"."""
    return f"{value:.2g}" if value is not None and math.isfinite(value) else "not comparable"


def tolerance(difference: Difference) -> str:
    """The largest difference that agrees where the most of it is used."""
    return "any" if difference.tolerance is None else number(difference.tolerance)


def word(cell: Cell, result: Result) -> str:
    """What the matrix shows of a cell: its status and worst difference, or that it is the reference."""
    if is_reference(cell, result) and cell.status == "agreed":
        return "reference"
    found = worst(cell) if cell.status in TRACED else None  # one that broke later has no verdict to support
    return cell.status if found is None else f"{cell.status} {number(found[0])}"


def short_word(cell: Cell, result: Result) -> str:
    """The same where room is scarce: of a cell that agreed, the difference alone."""
    return word(cell, result).removeprefix("agreed ")


def name(cell: Cell) -> str:
    """A cell in words: "xor × torch", or "xor × torch (float32)"."""
    return f"{cell.task} × {cell.backend}{placed(cell)}"


def placed(cell: Cell) -> str:
    """In which precision and where, if it is not in float64 on the CPU: " (float32, cuda)"."""
    unusual = [word for word in _place(cell) if word not in {"float64", "cpu"}]
    return f" ({', '.join(unusual)})" if unusual else ""


def _place(cell: Cell) -> tuple[str, str]:
    return cell.dtype, cell.device


def concepts(result: Result) -> dict[str, list[Cell]]:
    """The cells of each concept by its title, and of the tasks that belong to none."""
    found = {
        concept.title: [cell for cell in result.cells if cell.task in concept.tasks]
        for concept in result.concepts
    }
    known = {task for concept in result.concepts for task in concept.tasks}
    found[OTHERS] = [cell for cell in result.cells if cell.task not in known]
    return {title: cells for title, cells in found.items() if cells}


def tally(cells: Sequence[Cell], result: Result) -> list[str]:
    """How many of one backend's cells came to each end, what is worst first, with their worst difference."""
    judged = [cell for cell in cells if not (is_reference(cell, result) and cell.status == "agreed")]
    if not judged:
        return ["reference"] if cells else []
    open_ = sum(not is_explained(cell) for cell in judged)
    words = [f"{open_} not explained"] if open_ else []
    for status in SEVERITY:
        alike = [cell for cell in judged if cell.status == status]
        sizes = [found[0] for cell in alike if status in TRACED and (found := worst(cell))]
        if alike:
            words.append(" ".join([f"{len(alike)} {status}", *([number(max(sizes))] if sizes else [])]))
    return words


def short_tally(cells: Sequence[Cell], result: Result) -> list[str]:
    """The same where room is scarce: "1e-15" where all agreed, "3/4 1e-15" where three of four did.

    What did not agree must be declared then; where anything is worse, all is told.
    """
    told = tally(cells, result)
    agreed = [cell for cell in cells if cell.status == "agreed" and not is_reference(cell, result)]
    if not agreed or any(map(is_bad, cells)):
        return told
    size = next(words for words in told if " agreed" in words).rpartition(" ")[2]
    return [size if len(agreed) == len(cells) else f"{len(agreed)}/{len(cells)} {size}"]


def is_bad(cell: Cell) -> bool:
    """Whether there is something to look at: it diverged, broke, cannot be told or lacks a reason."""
    return cell.status in ("diverged", "inconclusive") or not is_explained(cell)


def worst_status(cells: Sequence[Cell]) -> str:
    """The most severe status of some cells."""
    return min((cell.status for cell in cells), key=SEVERITY.index)


def is_explained(cell: Cell) -> bool:
    """Whether it agreed, or is told why it could not; else there is something to find out."""
    if cell.status == "diverged":
        return bool(cell.causes)
    return cell.status == "agreed" or (cell.status not in BROKEN and bool(cell.reason))


def not_explained(result: Result) -> list[Cell]:
    """The cells whose difference or failure nobody knows the cause of."""
    return [cell for cell in result.cells if not is_explained(cell)]


def news(result: Result) -> dict[str, dict[tuple[str, str], list[Cell]]]:
    """What diverged or has no verdict, the worst first: by heading, then by status and what is said of it."""
    gaps = sorted(
        not_explained(result), key=lambda cell: (cell.status != "diverged", SEVERITY.index(cell.status))
    )
    traced = [cell for cells in divergences(result).values() for cell in cells if is_explained(cell)]
    found: dict[str, dict[tuple[str, str], list[Cell]]] = {}
    for heading, cells in (("Not explained", gaps), ("Diverged with a known cause", traced)):
        for cell in cells:
            alike = found.setdefault(f"{heading}, {len(cells)} of {len(result.cells)} cells", {})
            alike.setdefault((cell.status, _said(cell)), []).append(cell)
    return found


def _said(cell: Cell) -> str:
    """What cells may have in common: a cause or a reason; a divergence without a cause is each one's own."""
    if cell.status != "diverged":
        return plain(cell.reason or NO_REASON)
    return f"cause: {cause(cell)}" if cell.causes else divergence(cell)


def declared(result: Result) -> dict[tuple[str, str], list[Cell]]:
    """`reasons` without those that are news."""
    return {
        (status, why): cells
        for (status, why), cells in reasons(result).items()
        if status == "not observed" or all(map(is_explained, cells))
    }


def who(cells: Sequence[Cell]) -> str:
    """Cells in a few words: "xor × torch", "3 tasks × torch" or "5 cells"."""
    backends = {cell.backend for cell in cells}
    if len(cells) == 1:
        return name(cells[0])
    return f"{len(cells)} tasks × {backends.pop()}" if len(backends) == 1 else f"{len(cells)} cells"


def gap(cell: Cell) -> str:
    """Such a cell in words."""
    return f"{name(cell)}: {cell.status}{', cause not known' if cell.status == 'diverged' else ''}"


def outcome(metrics: Metrics) -> dict[str, str]:
    """What training came to, in words: {"loss": "0.69 → 0.12", "R²": "0.93 on the training rows"}."""
    lost = [f"{value:.4g}" for value in (metrics.first_loss, metrics.loss) if value is not None]
    found = {"loss": " → ".join(lost) or "not finite from the start"}
    if metrics.diverged_after is not None:
        found["end"] = f"loss no longer finite after {_counted(metrics.diverged_after, 'step')}"
    if metrics.best_epoch is not None:
        found["best epoch"] = f"{metrics.best_epoch}, whose parameters the training ends with"
    for measure, train, test in (
        ("accuracy", metrics.train_accuracy, metrics.test_accuracy),
        ("R²", metrics.train_r2, metrics.test_r2),
    ):
        on = {"training": train, "test": test}
        words = [f"{value:.4g} on the {rows} rows" for rows, value in on.items() if value is not None]
        found |= {measure: ", ".join(words)} if words else {}
    return found


def overflows(result: Result) -> dict[int, list[str]]:
    """The tasks on which the reference's loss became infinite, by the number of steps after which."""
    found: dict[int, list[str]] = {}
    for cell in result.cells:
        if is_reference(cell, result) and cell.metrics and cell.metrics.diverged_after is not None:
            found.setdefault(cell.metrics.diverged_after, []).append(cell.task)
    return found


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"


def divergences(result: Result) -> dict[str, list[Cell]]:
    """The cells that diverged, by task."""
    found: dict[str, list[Cell]] = {}
    for cell in result.cells:
        if cell.status == "diverged":
            found.setdefault(cell.task, []).append(cell)
    return found


def inconclusive(result: Result) -> dict[str, str]:
    """By task, on which backends it cannot be told, and from which step: "keras and torch from step 5"."""
    found: dict[str, dict[int | None, list[str]]] = {}
    for cell in result.cells:
        if cell.status == "inconclusive" and cell.parity:
            found.setdefault(cell.task, {}).setdefault(cell.parity.first_undecided, []).append(cell.backend)
    return {
        task: "; ".join(f"{_listed(backends)} from step {step}" for step, backends in steps.items())
        for task, steps in found.items()
    }


def divergence(cell: Cell) -> str:
    """Where a cell first diverged and why, in words."""
    first = cell.parity.first_divergence if cell.parity else None
    return plain(cell.reason or (parity.describe(first) if first else NO_REASON))


def cause(cell: Cell) -> str:
    """What a divergence comes from, as far as it is proved."""
    words = " or ".join(found.words for found in cell.causes) or "not known"
    return f"{words} (this task cannot tell them apart)" if len(cell.causes) > 1 else words


def cards(cell: Cell) -> list[str]:
    """The cards of the guide about its causes, which may be those of a known difference."""
    known = (task for task in (*TASKS.values(), *small.TASKS) if task.name == cell.task)  # no user's own
    optimizer = next((type(task.optimizer).__name__ for task in known), "")
    found = (card.id for cause in cell.causes for card in guide.explaining(cause.id, optimizer))
    return list(dict.fromkeys(found))


def all_cards(cells: Iterable[Cell]) -> list[str]:
    """Those of several cells, each once."""
    return list(dict.fromkeys(name for cell in cells for name in cards(cell)))


def odd_one_out(task: str, result: Result) -> str | None:
    """Who agrees with whom on a task on which something diverged, and who stands against the majority.

    The reference may be the odd one out like any other.  None where nothing diverged, and of two backends:
    neither is the odd one.
    """
    groups = result.groups.get(task, [])
    if sum(map(len, groups)) < 3:
        return None
    first, *others = groups
    rest = [backend for group in others for backend in group]
    if len(first) == 1:
        return f"{_listed([*first, *rest])} differ from each other: there is no majority"
    agreeing = [f"{_listed(group)} agree with each other" for group in (first, *others) if len(group) > 1]
    if len(first) <= len(rest):
        return f"{'; '.join(agreeing)}: there is no majority"
    if result.reference in rest:  # last, because of its comma
        rest.remove(result.reference)
        rest.append(f"{result.reference}, the reference")
    if rest:
        is_odd = "the odd one out is" if len(rest) == 1 else "the odd ones out are"
        agreeing.append(f"{is_odd} {_listed(rest)}")
    return "; ".join(agreeing)


def odd_ones_out(result: Result) -> dict[str, list[str]]:
    """Each such sentence once, with the tasks that it is true of."""
    found: dict[str, list[str]] = {}
    for task in result.groups:
        if words := odd_one_out(task, result):
            found.setdefault(words, []).append(task)
    return found


def _listed(names: Sequence[str]) -> str:
    """Names as a person lists them: "numpy, sklearn and torch"."""
    *most, last = names
    return f"{', '.join(most)} and {last}" if most else last


def reasons(result: Result) -> dict[tuple[str, str], list[Cell]]:
    """Why cells have no verdict, or one by declaration: each (status, reason) with the cells it concerns.

    ("not observed", why) likewise, for the quantities that a framework does not show.  The size of a
    known difference is each cell's own, and is left out.
    """
    found: dict[tuple[str, str], list[Cell]] = {}
    for cell in result.cells:
        if cell.status not in ("agreed", "diverged", "inconclusive"):
            reason = SIZES.sub("", plain(cell.reason or NO_REASON))
            found.setdefault((cell.status, reason), []).append(cell)
        for why in cell.parity.not_observed if cell.parity else ():
            found.setdefault(("not observed", why), []).append(cell)
    order = [*STATUSES, "not observed"]
    return dict(sorted(found.items(), key=lambda item: order.index(item[0][0])))


def briefly(cells: Sequence[Cell], result: Result) -> str:
    """Cells by backend, a long list of all that it has as a word: "sklearn: xor; keras: every task"."""
    all_tasks = _tasks(result.cells)
    run_tasks = _tasks([cell for cell in result.cells if cell.status in TRACED])
    parts = []
    for backend, tasks in _tasks(cells).items():
        words = ", ".join(tasks)
        if len(tasks) > MANY:
            words = f"{', '.join(list(tasks)[:FEW])} and {len(tasks) - FEW} more"
        if len(tasks) > FEW and tasks == all_tasks[backend]:
            words = "every task"
        elif len(tasks) > FEW and tasks == run_tasks.get(backend):
            words = "every task that it ran"
        parts.append(f"{backend}: {words}")
    return "; ".join(parts)


def _tasks(cells: Sequence[Cell]) -> dict[str, dict[str, None]]:
    """The tasks of these cells by backend, each once, both in the run's order."""
    tasks: dict[str, dict[str, None]] = {}
    for cell in cells:
        tasks.setdefault(cell.backend, {})[cell.task] = None
    return tasks


def log(cell: Cell) -> str:
    """Traceback or last lines of the log of a cell, as plain text."""
    return plain(cell.details or "").strip()


def plain(text: str) -> str:
    """Text without what only a terminal understands, and without what XML cannot hold; logs have both."""
    return UNPRINTABLE.sub("", ANSI.sub("", text))


def lanes(result: Result) -> list[str]:
    """The lanes in which anything was timed, `run` first."""
    found = {lane for cell in result.cells if cell.timing for lane in cell.timing.lanes}
    return sorted(found, key=lambda lane: (lane != "run", lane != "step", lane != "fit", lane))


def lane_of(cell: Cell | None, lane: str) -> Lane | None:
    """A cell's times in this lane, if there are any."""
    return cell.timing.lanes.get(lane) if cell and cell.timing else None


BLOCKS = ("lane and round", "steps", "wall time", "processor time", "reference again", "disturbed")


def blocks(cell: Cell) -> list[list[str]]:
    """Every timed block as it was measured, in seconds: a row for each lane and round."""
    lanes = cell.timing.lanes if cell.timing else {}
    return [
        [
            f"{name} {i + 1}",
            str(lane.steps_per_block),
            f"{wall:.6f}",
            f"{lane.cpu_s[i]:.6f}" if i < len(lane.cpu_s) else "",
            f"{lane.blocks_again_s[i]:.6f}" if i < len(lane.blocks_again_s) else "",
            "yes" if i < len(lane.disturbed) and lane.disturbed[i] else "",
        ]
        for name, lane in lanes.items()
        for i, wall in enumerate(lane.blocks_s)
    ]


def step_times(lane: Lane) -> list[float]:
    """Seconds per step of each block; a block without steps or time is no measurement."""
    steps = lane.steps_per_block
    return [seconds / steps for seconds in lane.blocks_s if seconds and steps]


def step_time(cell: Cell, lane: str = "run") -> str | None:
    """The median step time, as "24.7 µs"; None where none was measured."""
    found = lane_of(cell, lane)
    times = step_times(found) if found else []
    return f"{digits(statistics.median(times) * 1e6)} µs" if times else None


def ratio(cell: Cell, lane: str = "run") -> str:
    """The ratio to the time of the reference's `run` and its interval, as "6.55× 6.30–6.81", or nothing."""
    found = lane_of(cell, lane)
    if found is None:
        return ""
    low, middle, high = found.ratio_to_reference
    return f"{digits(middle)}× {digits(low)}–{digits(high)}"


def ratios(cells: Sequence[Cell], name: str = "run") -> str:
    """Of several tasks, the median ratio to the reference's time, lowest and highest: "6.55× 0.980–120"."""
    found = [lane.ratio_to_reference[1] for cell in cells if (lane := lane_of(cell, name))]
    if not found:
        return ""
    middle, low, high = (digits(value) for value in (statistics.median(found), min(found), max(found)))
    return f"{middle}× {low}–{high}" if len(found) > 1 else f"{middle}×"


def timing_words(cell: Cell, result: Result, lane: str = "run") -> list[str]:
    """Step time; ratio and interval; whether they allow no verdict or show no difference."""
    found = lane_of(cell, lane)
    if found is None:
        return []
    words = [step_time(cell, lane) or "no time"]
    is_again = lane == "run" and is_reference(cell, result)
    words.append(f"A/A {ratio(cell)}" if is_again else ratio(cell, lane))
    return words + [said for said in ("no verdict", "no difference") if said in found.verdict]


def digits(value: float) -> str:
    """Three digits or all before the point: "0.980", "24.7", "8444"."""
    return f"{value:.0f}" if value >= 100 else f"{value:#.3g}"


def timing_remarks(result: Result) -> dict[str, list[Cell]]:
    """What to know before believing the times, each remark with the cells it concerns."""
    remarks: dict[str, list[Cell]] = {}
    for cell in result.cells:
        for remark in _remarks(cell.timing) if cell.timing else ():
            remarks.setdefault(remark, []).append(cell)
    return remarks


def doubts(result: Result) -> str:
    """Those remarks in short, without the lanes that there are not: "not steady: run 3, fit 1 of 10"."""
    timed = sum(cell.timing is not None for cell in result.cells)
    remarks = {remark: len(cells) for remark, cells in timing_remarks(result).items()}
    unsteady = {words.removesuffix(UNSTEADY): count for words, count in remarks.items() if UNSTEADY in words}
    found = [
        remark if count == timed else f"{remark} ({count} of {timed})"
        for remark, count in remarks.items()
        if UNSTEADY not in remark and (remark.startswith("no verdict") or not remark.startswith("no "))
    ]
    if unsteady:
        found.append(f"not steady: {', '.join(f'{k} {n}' for k, n in unsteady.items())} of {timed}")
    return "; ".join(found)


def _remarks(timing: Timing) -> Iterator[str]:
    verdicts = [lane.verdict for lane in timing.lanes.values()]
    if any(said.startswith("indicative") for said in verdicts):
        yield "indicative only: too few rounds"
    for said in verdicts:
        if "no verdict" in said:
            yield said[said.index("no verdict") :]
            break  # it is the same reference
    for name, lane in timing.lanes.items():
        if not lane.steady:
            yield f"{name}{UNSTEADY}"
    if any(any(lane.disturbed) for lane in timing.lanes.values()):
        yield "some rounds disturbed by other work on the machine"
    for name, why in timing.no_lane.items():
        yield f"no {name}: {why}"
