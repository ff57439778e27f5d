"""Faults of the learning rate over time."""

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import final

import numpy as np

from backends.base import Arrays, Program
from harness.faults.base import Around, Fault, epoch_steps, is_network
from harness.faults.by_hand import UPDATE, in_update, second_step
from harness.faults.update import Change, Falling, Here, factor, update
from tasks.spec import Array, Constant, CosineDecay, Plateau, Rows, StepDecay, Task, WarmUp

Factor = Callable[[Task, int], float]  # by what the rate is multiplied after so many updates


def _rate(by: Callable[[Here], float]) -> Change:
    """A learning rate that is multiplied by something more."""

    def change(here: Here) -> Array:
        here.rate *= by(here)
        return update(here)

    return change


def _fifth_step(_task: Task, _desired: Arrays) -> int:
    return 5


# ---------------------------------------------------------------------------------- a schedule


def rate_change(task: Task, desired: Arrays) -> int | None:
    """After how many updates the task's learning rate is another for the first time; None if never."""
    if isinstance(task.schedule, Plateau):
        rates = desired["state/learning_rate"]
        changed = np.flatnonzero(rates != rates[0])
        return int(desired["observed_steps"][changed[0]]) - 1 if len(changed) else None
    return _first(task, desired, lambda _task, _t: factor(task.schedule, 0))


def _first(task: Task, desired: Arrays, wrong: Factor) -> int | None:
    """The first update of the run whose rate is another with the wrong factors."""
    steps = range(len(desired["loss"]))
    return next((t for t in steps if wrong(task, t) != factor(task.schedule, t)), None)


def _has_schedule(task: Task) -> bool:
    return not isinstance(task.schedule, Constant)


def _has_formula(task: Task) -> bool:
    return not isinstance(task.schedule, Constant | Plateau)


def _of(kind: type) -> Callable[[Task], bool]:
    return lambda task: isinstance(task.schedule, kind)


def _factor(id_: str, words: str, wrong: Factor, applies: Callable[[Task], bool] = _has_formula) -> Fault:
    """A schedule by another formula."""

    def change(here: Here) -> Array:
        here.rate = here.learning_rate * wrong(here.task, here.t - 1)
        return update(here)

    def equivalent(task: Task, desired: Arrays) -> str | None:
        if _first(task, desired, wrong) is not None:
            return None
        return "in none of this run's steps is the rate another"

    return in_update(
        id_,
        words,
        change,
        UPDATE,
        applies,
        onset=lambda task, desired: _first(task, desired, wrong) or 0,
        equivalent=equivalent,
    )


def _ignored(here: Here) -> Array:
    here.rate = here.rule.learning_rate
    return update(here)


def _ignored_from(task: Task, desired: Arrays) -> int:
    if _has_formula(task):
        return _first(task, desired, lambda _task, _t: 1.0) or 0
    return rate_change(task, desired) or 0


def _never_changes(task: Task, desired: Arrays) -> str | None:
    """Only of a plateau: of the others, some factor is not 1."""
    if _has_formula(task):
        is_one = _first(task, desired, lambda _task, _t: 1.0) is None
    else:
        is_one = rate_change(task, desired) is None
    return "the learning rate never changes in this run" if is_one else None


def _late(task: Task, t: int) -> float:
    return factor(task.schedule, max(0, t - 1))


def _early(task: Task, t: int) -> float:
    return factor(task.schedule, t + 1)


def _per_epoch(task: Task, t: int) -> float:
    return factor(task.schedule, t // epoch_steps(task))


def _from_zero(task: Task, t: int) -> float:
    assert isinstance(task.schedule, WarmUp)
    return min(1.0, t / task.schedule.steps)


def _without_floor(task: Task, t: int) -> float:
    rule = task.schedule
    assert isinstance(rule, CosineDecay)
    return (factor(rule, t) - rule.floor) / (1 - rule.floor)


def _periodic(task: Task, t: int) -> float:
    """PyTorch's cosine rises again after its last step."""
    rule = task.schedule
    assert isinstance(rule, CosineDecay)
    if t <= rule.steps:
        return factor(rule, t)
    return rule.floor + (1 - rule.floor) * 0.5 * (1 + math.cos(math.pi * t / rule.steps))


def _smooth(task: Task, t: int) -> float:
    """Keras's ExponentialDecay without staircase."""
    rule = task.schedule
    assert isinstance(rule, StepDecay)
    return rule.by ** (t / rule.every)


# --------------------------------------------------------------------------------- a plateau


def _patient(id_: str, words: str, more: int) -> Fault:
    """A plateau that waits for another number of epochs."""

    def wrong(task: Task) -> Task:
        assert isinstance(task.schedule, Plateau)
        return replace(task, schedule=replace(task.schedule, patience=task.schedule.patience + more))

    def onset(task: Task, desired: Arrays) -> int | None:
        rules = [Falling(t.schedule, 1.0) for t in (task, wrong(task)) if isinstance(t.schedule, Plateau)]
        for epoch, loss in enumerate(desired["epoch_loss"][:-1], 1):
            for rule in rules:
                rule.end_epoch(loss)
            if rules[0].learning_rate != rules[1].learning_rate:
                return epoch * epoch_steps(task)
        return None

    return Fault(
        id_,
        words,
        lambda make, task: make(wrong(task)),
        UPDATE,
        lambda task: isinstance(task.schedule, Plateau) and task.schedule.patience + more >= 0,
        onset=lambda task, desired: onset(task, desired) or 0,
        equivalent=lambda task, desired: _no_other_epoch if onset(task, desired) is None else None,
        of_task=wrong,
    )


THRESHOLD = 1e-4  # of ReduceLROnPlateau in PyTorch, relative to the lowest loss


@final
class _Threshold(Around):
    """A plateau that takes for lower only what is lower by a threshold."""

    def __init__(self, inner: Program) -> None:
        self.inner, self.lowest = inner, np.inf

    def run(self, batches: Sequence[Rows]) -> Array:
        return self.inner.run(batches)

    def gradient(self, rows: Rows) -> tuple[float, Arrays]:
        return self.inner.gradient(rows)

    def observe(self) -> Arrays:
        return self.inner.observe()

    def restore(self, observed: Arrays) -> None:
        self.inner.restore(observed)

    def end_epoch(self, loss: float) -> None:
        if loss < self.lowest * (1 - THRESHOLD):
            self.lowest = loss
        self.inner.end_epoch(max(loss, self.lowest))


def _first_small_gain(task: Task, desired: Arrays) -> int | None:
    """After how many steps the rate first depends on the threshold; None where it never does."""
    assert isinstance(task.schedule, Plateau)
    rule, wrong, lowest = Falling(task.schedule, 1.0), Falling(task.schedule, 1.0), np.inf
    for epoch, loss in enumerate(desired["epoch_loss"][:-1], 1):
        lowest = loss if loss < lowest * (1 - THRESHOLD) else lowest
        rule.end_epoch(loss)
        wrong.end_epoch(max(loss, lowest))
        if rule.learning_rate != wrong.learning_rate:
            return epoch * epoch_steps(task)
    return None


_no_other_epoch = "in this run, the rate falls after the same epochs"


FAULTS = (
    in_update(
        "rate-drops",
        "the learning rate halves after five steps",
        _rate(lambda h: 0.5 if h.t > 5 else 1.0),
        UPDATE,
        onset=_fifth_step,
    ),
    in_update(
        "rate-warms-up",
        "the learning rate grows over the first five steps",
        _rate(lambda h: min(1.0, h.t / 5)),
        UPDATE,
    ),
    in_update(
        "rate-decays",
        "the learning rate decays by 1/(1 + 0.01·t)",
        _rate(lambda h: 1 / (1 + 0.01 * (h.t - 1))),
        UPDATE,
        onset=second_step,
    ),
    in_update(
        "schedule-ignored",
        "the learning rate stays as it is at first",
        _ignored,
        UPDATE,
        _has_schedule,
        onset=_ignored_from,
        equivalent=_never_changes,
    ),
    _factor("schedule-late", "the schedule is one step late", _late),
    _factor("schedule-early", "the schedule is one step early", _early),
    _factor(
        "schedule-per-epoch",
        "the schedule goes on by one in each epoch, not in each step",
        _per_epoch,
        lambda task: _has_formula(task) and is_network(task),
    ),
    _factor("warm-up-from-zero", "the learning rate grows from zero", _from_zero, _of(WarmUp)),
    _factor(
        "cosine-without-floor", "the cosine falls to zero, not to its floor", _without_floor, _of(CosineDecay)
    ),
    _factor("cosine-periodic", "the cosine rises again after its last step", _periodic, _of(CosineDecay)),
    _factor("step-decay-smooth", "the decay goes on in every step, not in stairs", _smooth, _of(StepDecay)),
    _patient(
        "plateau-impatient", "the rate falls one epoch too early: after patience epochs, not after more", -1
    ),
    _patient("plateau-patient", "the rate falls one epoch too late", 1),
    Fault(
        "plateau-threshold",
        "a loss counts as lower only by 1e-4 of the lowest, as PyTorch has it by default",
        lambda make, task: _Threshold(make(task)),
        UPDATE,
        lambda task: isinstance(task.schedule, Plateau),
        onset=lambda task, desired: _first_small_gain(task, desired) or 0,
        equivalent=lambda task, desired: (
            _no_other_epoch if _first_small_gain(task, desired) is None else None
        ),
    ),
)
