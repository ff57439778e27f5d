"""Two runs side by side: environment first, then verdicts that changed, then timings."""

from collections.abc import Iterator
from statistics import median

import msgspec
from rich.console import Console

from harness.report import figures
from harness.result import BROKEN, Cell, Result

WORSE = ("diverged", *BROKEN)
NOTABLE = 0.1  # changes of a median step time below this share are left out


def print_changes(a: Result, b: Result, console: Console) -> int:
    """Print what differs from run a to run b; 1 if a cell diverges or breaks in b only, else 0."""
    for title, lines in (
        ("Environment", list(_environment(a, b))),
        ("Verdicts", list(_verdicts(a, b))),
        ("Median step times", list(_timings(a, b))),
    ):
        console.print(f"{title}: {'' if lines else 'no change'}", style="bold")
        for line in lines:
            console.print(f"    {line}", markup=False, soft_wrap=True)
    before, after = _cells(a), _cells(b)
    worse = [key for key, cell in after.items() if cell.status in WORSE]
    return int(any(key not in before or before[key].status not in WORSE for key in worse))


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
    before, after = _cells(a), _cells(b)
    for key in before:
        earlier, later = before[key].timing, after[key].timing if key in after else None
        if earlier is None or later is None:
            continue
        old, new = (median(figures.step_times(timing)) * 1e6 for timing in (earlier, later))
        if abs(new / old - 1) >= NOTABLE:
            yield f"{key[0]} × {key[1]}: {figures.digits(old)} → {figures.digits(new)} µs, {new / old:.2f} ×"
