"""Many runs in order of time, on the tasks that all of them have, as data."""

import statistics
from collections import Counter
from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase
from pathlib import Path

import msgspec
from msgspec import Struct

import tasks
from harness import changes, folder, plan, timing
from harness.changes import Setting
from harness.plan import UsageError
from harness.report import figures
from harness.result import BROKEN, Cell, Count, Result, Status
from tasks import small

DEPTHS = ("run.json", "*/run.json", "*/*/run.json")
LANE = "run"  # whose times are followed
# What an end is counted as.
COUNTED: dict[Status, str] = {
    "unsupported": "not run",
    "missing": "not run",
    **dict.fromkeys(BROKEN, "broken"),
}
ENDS = ("not run", "diverged", "known difference", "agreed", "inconclusive", "broken")


class Drift(Struct, frozen=True):
    """By which factor a backend's times changed: the median over tasks, of its interval's ends too."""

    factor: list[float]  # low, middle, high
    word: str  # see timing.changed
    tasks: Count


class Entry(Struct, frozen=True, kw_only=True):
    """One run, of which only the shared tasks count."""

    number: Count
    folder: str
    started: str
    seconds: float  # of all of its tasks
    changed: list[Setting]  # of the environment, since the run before
    backends: list[str]
    cells: Count  # without the reference's own that agree with themselves
    ends: dict[str, Count]  # by ENDS
    not_explained: Count
    worst: dict[str, float]  # worst difference of what agreed, by backend
    ratios: dict[str, list[float]]  # step time to the reference's, by backend: medians over tasks
    drifts: dict[str, Drift]  # since the run before that timed the backend


class History(Struct, frozen=True):
    """All runs that could be read."""

    entries: list[Entry]
    tasks: list[str]  # those that all have
    left_out: list[str]  # those that only some have
    backends: list[str]
    drifts: dict[str, Drift]  # by backend, from the first run that timed it to the last
    remarks: list[str]  # what is not in it, and why


def find(path: Path) -> tuple[dict[str, Result], list[str]]:
    """The runs in a folder or one level below by their folders, in order of time; why others are left out.

    Raises `UsageError` where there is none.
    """
    if not path.is_dir():
        raise UsageError(f"{path} is not a folder")
    runs: dict[str, Result] = {}
    remarks = []
    for file in sorted(file for depth in DEPTHS for file in path.glob(depth)):
        name = str(file.parent.relative_to(path))
        try:
            run = folder.load(file.parent)
        except UsageError as error:
            remarks.append(f"Left out: {error}.")
            continue
        if why := _no_use(run, runs):
            remarks.append(f"Left out: {name}, {why}.")
        else:
            runs[name] = run
    if not runs:
        why = " ".join(remarks) or "no run.json is in it, in a folder of it or one below."
        raise UsageError(f"{path} has no run that can be read: {why}")
    return dict(sorted(runs.items(), key=lambda item: item[1].started)), remarks


def _no_use(run: Result, others: dict[str, Result]) -> str | None:
    """Why a run that can be read is left out."""
    if not run.complete:
        return "which is unfinished"
    if not run.cells:
        return "which has no cells"
    return next((f"which is a copy of {name}" for name, other in others.items() if other == run), None)


def follow(runs: dict[str, Result], remarks: Sequence[str], patterns: Sequence[str] = ()) -> History:
    """The history of these runs, in their order, on the tasks that match any pattern and that all have.

    With patterns, a run that has no such task is left out.  Raises `UsageError` where nothing is shared.
    """
    remarks = list(remarks)
    every = list(dict.fromkeys(cell.task for run in runs.values() for cell in run.cells))
    chosen = _chosen(every, patterns)
    of = {name: {cell.task for cell in run.cells} & chosen for name, run in runs.items()}
    remarks += [f"Left out: {name}, which has no such task." for name, found in of.items() if not found]
    kept = {name: run for name, run in runs.items() if of[name]}
    shared = set.intersection(*(of[name] for name in kept))
    if not shared:
        raise UsageError(
            f"no task is in all of these {len(kept)} runs: {', '.join(kept)}; -t leaves out runs without it"
        )
    cut = {name: _only(run, shared) for name, run in kept.items()}
    timed = _timed_throughout(cut.values())
    return History(
        [_entry(number, name, cut, timed) for number, name in enumerate(cut, 1)],
        [task for task in every if task in shared],
        [task for task in every if task in chosen - shared],
        list(dict.fromkeys(b for run in cut.values() for b in figures.backends(run))),
        _drifts_throughout(list(cut.values())),
        remarks,
    )


def _chosen(names: Sequence[str], patterns: Sequence[str]) -> set[str]:
    """The tasks that match any pattern, a name or a tag; all, where there is none."""
    found: set[str] = set()
    for pattern in patterns:
        matched = {name for name in names if _matches(name, pattern)}
        if not matched:
            raise UsageError(
                f"no task of these runs matches {pattern!r}; {plan.suggestion(pattern, list(names))}"
            )
        found |= matched
    return found if patterns else set(names)


def _matches(name: str, pattern: str) -> bool:
    if not pattern.startswith("tag:"):
        return fnmatchcase(name, pattern)
    known = tasks.TASKS | {task.name: task for task in small.TASKS}
    return name in known and pattern.removeprefix("tag:") in known[name].tags


def _only(run: Result, shared: set[str]) -> Result:
    return msgspec.structs.replace(run, cells=[cell for cell in run.cells if cell.task in shared])


def _entry(number: int, name: str, runs: dict[str, Result], timed: dict[str, set[str]]) -> Entry:
    before, run = list(runs.values())[: number - 1], runs[name]
    judged = [cell for cell in run.cells if cell.status != "agreed" or not figures.is_reference(cell, run)]
    ends = Counter(COUNTED.get(cell.status, cell.status) for cell in judged)
    return Entry(
        number=number,
        folder=name,
        started=run.started,
        seconds=run.seconds,
        changed=changes.environment(before[-1], run) if before else [],
        backends=figures.backends(run),
        cells=len(judged),
        ends={end: ends[end] for end in ENDS},
        not_explained=len(figures.not_explained(run)),
        worst=_worst(judged),
        ratios=_ratios(run, timed),
        drifts=_drifts_since(before, run),
    )


def _worst(judged: Sequence[Cell]) -> dict[str, float]:
    """The worst difference of each backend's cells that agreed."""
    found: dict[str, float] = {}
    for cell in judged:
        if cell.status == "agreed" and (worst := figures.worst(cell)):
            found[cell.backend] = max(worst[0], found.get(cell.backend, 0.0))
    return found


# ---------------------------------------------------------------------------------------- times


def _times(run: Result) -> dict[tuple[str, str], list[float]]:
    """Ratio and interval by backend and task, at the threads that the run was asked for."""
    usual = run.environment.threads
    return {
        (cell.backend, cell.task): lane.ratio_to_reference
        for cell in run.cells
        if cell.backend != run.reference and cell.threads == usual and (lane := figures.lane_of(cell, LANE))
    }


def _timed_throughout(runs: Iterable[Result]) -> dict[str, set[str]]:
    """By backend, the tasks that every run timed that timed it: else a median would tell of the tasks."""
    found: dict[str, set[str]] = {}
    for run in runs:
        of: dict[str, set[str]] = {}
        for backend, task in _times(run):
            of.setdefault(backend, set()).add(task)
        for backend, names in of.items():
            found[backend] = found.get(backend, names) & names
    return found


def _ratios(run: Result, timed: dict[str, set[str]]) -> dict[str, list[float]]:
    by_backend: dict[str, list[list[float]]] = {}
    for (backend, task), ratio in _times(run).items():
        if task in timed[backend]:
            by_backend.setdefault(backend, []).append(ratio)
    return {backend: _median(ratios) for backend, ratios in by_backend.items()}


def _median(intervals: Sequence[Sequence[float]]) -> list[float]:
    """The median of each: low, middle, high."""
    return [statistics.median(ends) for ends in zip(*intervals, strict=True)]


def _timed(run: Result) -> set[str]:
    return {backend for backend, _ in _times(run)}


def _drifts_since(before: Sequence[Result], run: Result) -> dict[str, Drift]:
    """Of each backend, since the last run that timed it."""
    found: dict[str, Drift] = {}
    wanted = _timed(run)
    for earlier in reversed(before):
        if here := _timed(earlier) & wanted:
            found |= {name: drift for name, drift in _drifts(earlier, run).items() if name in here}
            wanted -= here
    return found


def _drifts_throughout(runs: Sequence[Result]) -> dict[str, Drift]:
    """Of each backend, from the first run that timed it to the last."""
    pairs: dict[tuple[int, int], set[str]] = {}
    for backend in sorted({backend for run in runs for backend in _timed(run)}):
        places = [i for i, run in enumerate(runs) if backend in _timed(run)]
        pairs.setdefault((places[0], places[-1]), set()).add(backend)
    return {
        backend: drift
        for (first, last), names in pairs.items()
        if first != last
        for backend, drift in _drifts(runs[first], runs[last]).items()
        if backend in names
    }


def _drifts(a: Result, b: Result) -> dict[str, Drift]:
    by_backend: dict[str, list[list[float]]] = {}
    for time in changes.times(a, b, lane=LANE):
        if time.threads is None:
            by_backend.setdefault(time.backend, []).append(time.factor)
    factors = {backend: _median(found) for backend, found in by_backend.items()}
    return {
        backend: Drift(factor, timing.changed(factor), len(by_backend[backend]))
        for backend, factor in factors.items()
    }
