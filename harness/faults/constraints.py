"""Faults in the constraint on the norms of kernels."""

from collections.abc import Callable

import numpy as np

from harness.faults.base import Fault
from harness.faults.by_hand import ByHand
from harness.faults.update import Here, max_norm, scaled_back
from tasks.spec import Array, Network, Task

KERAS_EPSILON = 1e-7


def _is_constrained(task: Task) -> bool:
    return isinstance(task.model, Network) and task.model.max_norm is not None


def _largest(here: Here) -> float:
    assert isinstance(here.task.model, Network) and here.task.model.max_norm is not None
    return here.task.model.max_norm


def _first(here: Here, w: Array) -> Array:
    """The parameters before the update are scaled back, and what comes of them is not."""
    return max_norm(here, here.w) + (w - here.w)


def _exactly(here: Here, w: Array) -> Array:
    """Every unit is scaled, up too."""
    norms = np.sqrt(np.bincount(here.at.column, np.where(here.is_bias, 1.0, w**2)))[here.at.column]
    return np.where(here.is_bias, w, w * _largest(here) / norms)


def _with_epsilon(here: Here, w: Array) -> Array:
    """As `keras.constraints.MaxNorm`, which divides by the norm + 1e-7."""
    norms = np.sqrt(np.bincount(here.at.column, np.where(here.is_bias, 0.0, w**2)))[here.at.column]
    return np.where(here.is_bias, w, w * np.minimum(norms, _largest(here)) / (norms + KERAS_EPSILON))


def _constraint(id_: str, words: str, constrain: Callable[[Here, Array], Array]) -> Fault:
    return Fault(
        id_,
        words,
        lambda make, task: ByHand(make, task, constrain=constrain),
        ("param",),
        _is_constrained,
    )


FAULTS = (
    _constraint("max-norm-ignored", "the norms of the kernels are not limited", lambda _here, w: w),
    _constraint(
        "max-norm-of-rows",
        "the norm of a unit's outgoing weights is limited, not of its incoming ones",
        lambda h, w: scaled_back(h, w, _largest(h), h.at.row),
    ),
    _constraint(
        "max-norm-of-kernels",
        "the norm of a whole kernel is limited, not of each unit",
        lambda h, w: scaled_back(h, w, _largest(h), h.at.layer),
    ),
    _constraint("max-norm-first", "the norms are limited before the update, not after it", _first),
    _constraint("max-norm-exactly", "every unit gets the largest norm, smaller ones too", _exactly),
    _constraint(
        "max-norm-epsilon", "the norms are limited as Keras does, with 1e-7 in the divisor", _with_epsilon
    ),
)
