"""Two runs side by side: environment first, then verdicts that changed, then timings."""

from collections.abc import Iterator

import msgspec
from rich.console import Console

from harness.report import figures
from harness.result import BROKEN, Cell, Result

NAMED = 3  # of so many tasks that two runs do not share the names are told


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

    What diverged or broke is worst; what cannot be told is worse than all that is left.
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
    return {(cell.task, cell.backend, cell.dtype, cell.device): cell for cell in run.cells}


def _verdicts(a: Result, b: Result) -> Iterator[str]:
    before, after = _cells(a), _cells(b)
    for key in dict.fromkeys([*before, *after]):
        statuses = [cells[key].status if key in cells else "not in this run" for cells in (before, after)]
        if statuses[0] != statuses[1]:
            reason = after[key].reason if key in after else None
            why = f": {reason}" if reason else ""
            yield f"{key[0]} × {key[1]} ({key[2]}): {statuses[0]} → {statuses[1]}{why}"


def _timings(a: Result, b: Result) -> Iterator[str]:
    """Ratios to the reference whose intervals do not overlap: the machine's own speed cancels in them."""
    before, after = _cells(a), _cells(b)
    for key in before:
        old, new = (_ratio(cells.get(key)) for cells in (before, after))
        if old and new and key[1] != b.reference and (old[2] < new[0] or new[2] < old[0]):
            yield f"{key[0]} × {key[1]}: {_interval(old)} → {_interval(new)} × {b.reference}'s step time"


def _ratio(cell: Cell | None) -> list[float] | None:
    lane = figures.lane_of(cell, "run")
    return lane.ratio_to_reference if lane else None


def _interval(ratio: list[float]) -> str:
    low, middle, high = map(figures.digits, ratio)
    return f"{middle} ({low}–{high})"
