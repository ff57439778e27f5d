"""Statistics and words that several formats show, computed from the stored numbers when they are read."""

import math
import re
import statistics
from collections.abc import Iterator, Sequence
from typing import get_args

from harness import parity
from harness.result import TRACED, Cell, Result, Status, Timing

STATUSES: tuple[Status, ...] = get_args(Status)  # in the order in which reports list them
NO_REASON = "no reason was given"
FEW = 4  # lists of more tasks than this are shortened where they are complete
ANSI = re.compile("\x1b\\[[0-9;]*[A-Za-z]")
UNPRINTABLE = re.compile("[^\t\n\x20-\x7e\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def table(result: Result) -> dict[str, dict[str, Cell]]:
    """The cells by row and backend, rows in the run's order.

    A row is a task; where the run has several dtypes, devices or thread counts, a task at one of each.
    """
    axes = ("dtype", "device", "threads")
    varying = [axis for axis in axes if len({getattr(cell, axis) for cell in result.cells}) > 1]
    rows: dict[str, dict[str, Cell]] = {}
    for cell in result.cells:
        placement = [f"{axis} {getattr(cell, axis)}" for axis in varying]
        rows.setdefault(", ".join([cell.task, *placement]), {})[cell.backend] = cell
    return rows


def backends(result: Result) -> list[str]:
    """The run's backends, in its order."""
    return list(dict.fromkeys(cell.backend for cell in result.cells))


def is_reference(cell: Cell, result: Result) -> bool:
    """Whether the others are compared with this cell: the reference's backend, at float64 on the CPU."""
    return (cell.backend, cell.dtype, cell.device) == (result.reference, "float64", "cpu")


def worst(cell: Cell) -> tuple[float, str] | None:
    """The largest relative difference of any quantity, and that quantity; inf where one side is not finite.

    None where nothing was compared.
    """
    if cell.parity is None or not cell.parity.quantities:
        return None
    quantities = cell.parity.quantities.items()
    return max((math.inf if found.max_rel is None else found.max_rel, name) for name, found in quantities)


def number(value: float) -> str:
    """A difference in two digits: "4.1e-14", "0", "not comparable"."""
    return f"{value:.2g}" if math.isfinite(value) else "not comparable"


def word(cell: Cell, result: Result) -> str:
    """What the matrix shows of a cell: its status and worst difference, or that it is the reference."""
    if is_reference(cell, result) and cell.status == "agreed":
        return "reference"
    found = worst(cell) if cell.status in TRACED else None  # one that broke later has no verdict to support
    return cell.status if found is None else f"{cell.status} {number(found[0])}"


def name(cell: Cell) -> str:
    """A cell in words."""
    return f"{cell.task} × {cell.backend}"


def divergences(result: Result) -> list[tuple[Cell, str]]:
    """Every cell that diverged, with where, what and by how much."""
    return [(cell, divergence(cell)) for cell in result.cells if cell.status == "diverged"]


def divergence(cell: Cell) -> str:
    """Where a cell first diverged, in words."""
    first = cell.parity.first_divergence if cell.parity else None
    return plain(cell.reason or (parity.describe(first) if first else NO_REASON))


def reasons(result: Result) -> dict[tuple[str, str], list[Cell]]:
    """Why cells neither agreed nor diverged: each (status, reason) with the cells it concerns.

    ("not observed", why) likewise, for the quantities that a framework does not show.
    """
    found: dict[tuple[str, str], list[Cell]] = {}
    for cell in result.cells:
        if cell.status not in ("agreed", "diverged"):
            found.setdefault((cell.status, plain(cell.reason or NO_REASON)), []).append(cell)
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


def step_times(timing: Timing) -> list[float]:
    """Seconds per step of each block; a block without steps or time is no measurement."""
    steps = timing.steps_per_block
    return [seconds / steps for seconds in timing.blocks_s if seconds and steps]


def step_time(cell: Cell) -> str | None:
    """The median step time, as "24.7 µs"; None where none was measured."""
    times = step_times(cell.timing) if cell.timing else []
    return f"{digits(statistics.median(times) * 1e6)} µs" if times else None


def ratio(cell: Cell) -> str:
    """The ratio to the reference's time and its interval, as "6.55× 6.30–6.81", or nothing."""
    if cell.timing is None or cell.timing.ratio_to_reference is None:
        return ""
    low, middle, high = cell.timing.ratio_to_reference
    return f"{digits(middle)}× {digits(low)}–{digits(high)}"


def timing_words(cell: Cell, result: Result) -> list[str]:
    """Step time; ratio and interval; whether they allow no verdict or show no difference."""
    if cell.timing is None:
        return []
    words = [step_time(cell) or "no time"]
    if ratio(cell):
        words.append(f"A/A {ratio(cell)}" if is_reference(cell, result) else ratio(cell))
    return words + [said for said in ("no verdict", "no difference") if said in cell.timing.verdict]


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


def _remarks(timing: Timing) -> Iterator[str]:
    if timing.verdict.startswith("indicative"):
        yield "indicative only: too few rounds"
    if "no verdict" in timing.verdict:
        yield timing.verdict[timing.verdict.index("no verdict") :]
    if not timing.steady:
        yield "not steady"
    if any(timing.disturbed):
        yield "some rounds disturbed by other work on the machine"
