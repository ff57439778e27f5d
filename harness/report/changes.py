"""Two runs side by side: environment first, then verdicts that changed, then timings."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import msgspec
import numpy as np
from rich.console import Console

from harness import timing
from harness.result import BROKEN, Cell, Lane, Result
from tasks.spec import Array

NAMED = 3  # of so many tasks that two runs do not share the names are told
FEW = 6  # rounds: those of a quick run


def nothing_shared(a: Result, b: Result) -> str | None:
    """Why two runs cannot be compared, where no task ran on the same backend, dtype and device in both."""
    if _cells(a).keys() & _cells(b).keys():
        return None
    return f"the two runs have no cell in common: {_tasks(a)} in the one, {_tasks(b)} in the other"


def _tasks(run: Result) -> str:
    names = list(dict.fromkeys(cell.task for cell in run.cells))
    more = [f"{len(names) - NAMED} more"] if len(names) > NAMED else []
    return ", ".join([*names[:NAMED], *more]) or "nothing"


def print_changes(a: Result, b: Result, console: Console) -> int:
    """Print what differs from run a to run b; 1 if a cell is worse in b, else 0.

    What diverged or broke is worst; what cannot be told is worse than all that is left.  Slower is not
    worse: of many times that did not change, one in twenty may seem to have.
    """
    for title, lines in (
        ("Environment", list(_environment(a, b))),
        ("Verdicts", list(_verdicts(a, b))),
        ("Step times", list(_timings(a, b))),
    ):
        console.print(f"{title}: {'' if lines else 'no change'}", style="bold")
        for line in lines:
            console.print(f"    {line}", markup=False, soft_wrap=True)
    before, after = _cells(a), _cells(b)
    return int(any(_rank(cell) > _rank(before.get(key)) for key, cell in after.items()))


def _rank(cell: Cell | None) -> int:
    """How bad a cell is; one that was not run is not bad."""
    if cell is None:
        return 0
    return 2 if cell.status in ("diverged", *BROKEN) else int(cell.status == "inconclusive")


def _environment(a: Result, b: Result) -> Iterator[str]:
    before, after = (msgspec.to_builtins(run.environment) for run in (a, b))
    before |= before.pop("versions")
    after |= after.pop("versions")
    for name in dict.fromkeys([*before, *after]):
        if name != "workers" and before.get(name) != after.get(name):
            yield f"{name}: {before.get(name, 'absent')} → {after.get(name, 'absent')}"


def _cells(run: Result) -> dict[tuple[str, ...], Cell]:
    """By what makes a cell the same in two runs; most have the threads that each run was asked for."""
    usual = run.environment.threads
    return {
        (c.task, c.backend, c.dtype, c.device, "" if c.threads == usual else f"{c.threads} threads"): c
        for c in run.cells
    }


def _verdicts(a: Result, b: Result) -> Iterator[str]:
    before, after = _cells(a), _cells(b)
    for key in dict.fromkeys([*before, *after]):
        statuses = [cells[key].status if key in cells else "not in this run" for cells in (before, after)]
        if statuses[0] != statuses[1]:
            reason = after[key].reason if key in after else None
            why = f": {reason}" if reason else ""
            yield f"{key[0]} × {key[1]} ({key[2]}): {statuses[0]} → {statuses[1]}{why}"


def _timings(a: Result, b: Result) -> Iterator[str]:
    """Lanes whose time changed relative to the reference's, and what can be said of the others."""
    changes = judged(a, b)
    for (task, backend, *_, lane), change in changes.items():
        if change.word in ("slower", "faster"):
            few = "indicative: " if change.rounds < FEW else ""
            yield f"{task} × {backend}, {lane}: {few}{change.word} by {_percent(change.factor)}"
    said = Counter(change.word for change in changes.values())
    if said:
        yield (
            f"of {said.total()} compared: {said['slower']} slower, {said['faster']} faster, "
            f"{said['no difference']} with no difference seen, {said['noisy']} too noisy to tell"
        )


@dataclass(frozen=True)
class Change:
    """Of a lane's time relative to the reference's, from one run to another."""

    factor: list[float]  # low, middle, high
    word: str  # see timing.changed
    rounds: int  # of the run that has fewer


def judged(a: Result, b: Result) -> dict[tuple[str, ...], Change]:
    """What can be said of each lane that was timed in both runs, by cell and lane."""
    before, after = _logs(a), _logs(b)
    found = {}
    for key in before:
        rounds = min(len(before[key]), len(after.get(key, [])))
        if rounds > 1:  # one alone tells nothing of the noise
            factor = timing.change(before[key], after[key])
            found[key] = Change(factor, timing.changed(factor), rounds)
    return found


def _logs(run: Result) -> dict[tuple[str, ...], Array]:
    """By cell and lane, the logarithms of its times relative to the reference's of the same round."""
    lanes = {
        (*key, name): lane
        for key, cell in _cells(run).items()
        if cell.timing
        for name, lane in cell.timing.lanes.items()
    }
    references = {key[0]: lane for key, lane in lanes.items() if lane.blocks_again_s}
    return {
        key: timing.log_ratios(_step_s(lane), _step_s(references[key[0]]), lane.disturbed)
        for key, lane in lanes.items()
        if key[0] in references and not lane.blocks_again_s
    }


def _step_s(lane: Lane) -> Array:
    """Time of one step in each round; the reference's is the mean of its two blocks."""
    blocks = [lane.blocks_s, lane.blocks_again_s or lane.blocks_s]
    return np.exp(np.log(blocks).mean(axis=0)) / lane.steps_per_block


def _percent(change: list[float]) -> str:
    """A change with its interval: "5.1 % (3.9–6.3 %)", least first, of more or of less time."""
    low, middle, high = (100 * abs(factor - 1) for factor in change)
    return f"{middle:.1f} % ({min(low, high):.1f}–{max(low, high):.1f} %)"
