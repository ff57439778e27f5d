"""What differs from one run to another, as data; what is worst comes first."""

from collections.abc import Iterator
from typing import Any, Literal

import msgspec
import numpy as np
from msgspec import Struct

from harness import timing
from harness.report import figures
from harness.result import BROKEN, Cell, Count, Lane, Result, Status
from tasks.spec import Array

NAMED = 3  # of so many tasks that two runs do not share the names are told
FEW = 6  # rounds: those of a quick run
GROWN = 10  # times the worst difference of before: more than another machine's rounding does

SCHEMA: Literal["samestep.changes/1"] = "samestep.changes/1"
Direction = Literal["worse", "better", "other"]
ORDER: tuple[Direction, ...] = ("worse", "other", "better")
Key = tuple[str, str, str, str, int | None]  # task, backend, dtype, device, threads: as `Place`


class Run(Struct, frozen=True):
    """One of the two."""

    started: str
    seconds: float
    complete: bool
    backends: list[str]  # the reference first


class Setting(Struct, frozen=True):
    """A part of the environment; None where it is absent."""

    name: str
    before: str | None
    after: str | None


class Place(Struct, frozen=True, kw_only=True):
    """What makes a cell the same in two runs."""

    task: str
    backend: str
    dtype: str
    device: str
    threads: Count | None  # None: as many as each run was asked for


class Verdict(Place, frozen=True, kw_only=True):
    """A cell that ended otherwise, or for another cause; None where a run does not have it."""

    before: Status | None
    after: Status | None
    direction: Direction
    reason: str | None  # of what is now
    causes: list[str]  # likewise, in words
    causes_before: list[str]


class Accuracy(Place, frozen=True, kw_only=True):
    """A cell that ended as before, but is much further from the reference; None: not comparable any more."""

    before: float
    after: float | None
    quantity: str  # the worst one now


class Time(Place, frozen=True, kw_only=True):
    """Of a lane's time relative to the reference's."""

    lane: str
    factor: list[float]  # low, middle, high
    word: str  # see timing.changed
    rounds: Count  # of the run that has fewer


class Changes(Struct, frozen=True):
    """All that differs from run a to run b, and every time that was compared."""

    schema: Literal["samestep.changes/1"]
    a: Run
    b: Run
    environment: list[Setting]
    verdicts: list[Verdict]
    accuracy: list[Accuracy]
    times: list[Time]

    def exit_code(self) -> int:
        """1 if a cell is worse in b, else 0.

        What diverged or broke is worst; what cannot be told is worse than all that is left.  Slower is not
        worse: of many times that did not change, one in a hundred may seem to have.
        """
        return int(any(verdict.direction == "worse" for verdict in self.verdicts))


def nothing_shared(a: Result, b: Result) -> str | None:
    """Why two runs cannot be compared, where no task ran on the same backend, dtype and device in both."""
    if _cells(a).keys() & _cells(b).keys():
        return None
    return f"the two runs have no cell in common: {_tasks(a)} in the one, {_tasks(b)} in the other"


def _tasks(run: Result) -> str:
    names = list(dict.fromkeys(cell.task for cell in run.cells))
    more = [f"{len(names) - NAMED} more"] if len(names) > NAMED else []
    return ", ".join([*names[:NAMED], *more]) or "nothing"


def find(a: Result, b: Result) -> Changes:
    """What differs from run a to run b."""
    verdicts = sorted(_verdicts(a, b), key=lambda v: (ORDER.index(v.direction), -_badness(v.after)))
    accuracy = sorted(_accuracy(a, b), key=lambda one: -_growth(one))
    return Changes(
        SCHEMA, _run(a), _run(b), environment(a, b), verdicts, accuracy, sorted(times(a, b), key=_time_order)
    )


def _run(run: Result) -> Run:
    return Run(
        run.started,
        run.seconds,
        run.complete,
        list(dict.fromkeys([run.reference, *figures.backends(run)])),
    )


def _time_order(time: Time) -> tuple[int, float]:
    """Slower, then faster, first what changed most for certain; then the others."""
    low, middle, high = time.factor
    if time.word == "slower":
        return 0, -low
    return (1, high) if time.word == "faster" else (2, -middle)


# ------------------------------------------------------------------------- environment, verdicts


def environment(a: Result, b: Result) -> list[Setting]:
    """What differs in machine, placement and versions."""
    before, after = (msgspec.to_builtins(run.environment) for run in (a, b))
    before |= before.pop("versions")
    after |= after.pop("versions")
    return [
        Setting(name, *(None if one.get(name) is None else str(one[name]) for one in (before, after)))
        for name in dict.fromkeys([*before, *after])
        if name != "workers" and before.get(name) != after.get(name)
    ]


def _cells(run: Result) -> dict[Key, Cell]:
    """By what makes a cell the same in two runs; most have the threads that each run was asked for."""
    usual = run.environment.threads
    return {
        (c.task, c.backend, c.dtype, c.device, None if c.threads == usual else c.threads): c
        for c in run.cells
    }


def _place(key: Key) -> dict[str, Any]:
    return dict(zip(Place.__struct_fields__, key, strict=True))


def _verdicts(a: Result, b: Result) -> Iterator[Verdict]:
    before, after = _cells(a), _cells(b)
    for key in dict.fromkeys([*before, *after]):
        old, new = before.get(key), after.get(key)
        if _end(old) != _end(new):
            yield Verdict(
                **_place(key),
                before=old.status if old else None,
                after=new.status if new else None,
                direction=_direction(old, new),
                reason=new.reason if new else None,
                causes=_causes(new),
                causes_before=_causes(old),
            )


def _end(cell: Cell | None) -> tuple[str, list[str]] | None:
    return (cell.status, _causes(cell)) if cell else None


def _causes(cell: Cell | None) -> list[str]:
    return [cause.words for cause in cell.causes] if cell else []


def _direction(old: Cell | None, new: Cell | None) -> Direction:
    was, is_ = _badness(old.status if old else None), _badness(new.status if new else None)
    if is_ > was:
        return "worse"
    return "better" if new and is_ < was else "other"


def _badness(status: Status | None) -> int:
    """How bad an end is; a cell that was not run is not bad."""
    return 2 if status in ("diverged", *BROKEN) else int(status == "inconclusive")


# ------------------------------------------------------------------------------------- accuracy


def _accuracy(a: Result, b: Result) -> Iterator[Accuracy]:
    """Cells whose verdict is the same, and not that they diverged, but whose worst difference has grown."""
    before, after = _cells(a), _cells(b)
    for key in before.keys() & after.keys():
        old, new = before[key], after[key]
        was, is_ = figures.worst(old), figures.worst(new)
        if _end(old) != _end(new) or _badness(new.status) == 2 or was is None or is_ is None:
            continue
        least = float(np.finfo(new.dtype).eps)  # from 0 to one rounding is no growth
        if is_[0] > GROWN * max(was[0], least):
            size = is_[0] if np.isfinite(is_[0]) else None
            yield Accuracy(**_place(key), before=was[0], after=size, quantity=is_[1])


def _growth(one: Accuracy) -> float:
    if one.after is None:
        return float("inf")
    return one.after / max(one.before, float(np.finfo(one.dtype).eps))


# ---------------------------------------------------------------------------------------- times


def times(a: Result, b: Result, lane: str | None = None) -> list[Time]:
    """What can be said of each lane, or of this one, that was timed in both runs."""
    before, after = _logs(a), _logs(b)
    found = []
    for key, name in before:
        rounds = min(len(before[key, name]), len(after.get((key, name), [])))
        if rounds > 1 and lane in (None, name):  # one round alone tells nothing of the noise
            factor = timing.change(before[key, name], after[key, name])
            word = timing.changed(factor)
            found.append(Time(**_place(key), lane=name, factor=factor, word=word, rounds=rounds))
    return found


def _logs(run: Result) -> dict[tuple[Key, str], Array]:
    """By cell and lane, the logarithms of its times relative to the reference's of the same round."""
    lanes = {
        (key, name): lane
        for key, cell in _cells(run).items()
        if cell.timing
        for name, lane in cell.timing.lanes.items()
    }
    references = {key[0]: lane for (key, _), lane in lanes.items() if lane.blocks_again_s}
    return {
        (key, name): timing.log_ratios(_step_s(lane), _step_s(references[key[0]]), lane.disturbed)
        for (key, name), lane in lanes.items()
        if key[0] in references and not lane.blocks_again_s
    }


def _step_s(lane: Lane) -> Array:
    """Time of one step in each round; the reference's is the mean of its two blocks."""
    blocks = [lane.blocks_s, lane.blocks_again_s or lane.blocks_s]
    return np.exp(np.log(blocks).mean(axis=0)) / lane.steps_per_block
