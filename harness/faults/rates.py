"""Faults of the learning rate over time."""

from collections.abc import Callable
from dataclasses import replace

from backends.base import Arrays
from harness.faults.by_hand import UPDATE, Change, Here, in_update, second_step, update
from tasks.spec import Array, Task


def _rate(factor: Callable[[Here], float]) -> Change:
    """A learning rate that is not constant."""

    def change(here: Here) -> Array:
        rate = here.rule.learning_rate * factor(here)
        here.rule = replace(here.rule, learning_rate=rate)
        return update(here)

    return change


def _fifth_step(_task: Task, _desired: Arrays) -> int:
    return 5


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
)
