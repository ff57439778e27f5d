"""Damage to a trace on its way from the column to the comparison."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from backends.base import Arrays
from tasks.spec import Array


@dataclass(frozen=True)
class Damage:
    """One thing that can happen to a recorded trace."""

    id: str
    words: str
    apply: Callable[[Arrays], Arrays]
    shows: tuple[str, ...]  # how the names of the quantities begin in which it is seen first
    step: int = 0  # after how many steps that is


STEPS = 9  # of the runs whose traces are damaged
CUT = 4


def _change(name: str, change: Callable[[Array], Array]) -> Callable[[Arrays], Arrays]:
    return lambda trace: trace | {name: change(trace[name])}


def _first_parameter(change: Callable[[Array], Array]) -> Callable[[Arrays], Arrays]:
    def apply(trace: Arrays) -> Arrays:
        name = next(name for name in trace if name.startswith("param/"))
        return trace | {name: change(trace[name])}

    return apply


def _without(prefix: str) -> Callable[[Arrays], Arrays]:
    return lambda trace: {name: array for name, array in trace.items() if not name.startswith(prefix)}


def _with(row: int, value: float) -> Callable[[Array], Array]:
    """One element of one row set to a value."""

    def change(array: Array) -> Array:
        found = array.copy()
        found[(row, *([0] * (array.ndim - 1)))] = value
        return found

    return change


def _next_number(array: Array) -> Array:
    """One element of the fifth row off by a relative 1e-10."""
    found = array.copy()
    at = (4, *([0] * (array.ndim - 1)))
    found[at] = found[at] * (1 + 1e-10) + 1e-300
    return found


def _cut_off(trace: Arrays) -> Arrays:
    """The training ends too early; the single steps are all there."""
    steps = CUT
    kept = int(np.sum(trace["observed_steps"] <= steps))
    is_seen = ("param/", "state/", "grad", "observed_steps")
    return {
        name: array[:steps] if name == "loss" else array[:kept] if name.startswith(is_seen) else array
        for name, array in trace.items()
    }


def _rows_shuffled(array: Array) -> Array:
    return np.random.default_rng(0).permutation(array)


DAMAGES = (
    Damage("trace-empty", "there is nothing in the trace", lambda _trace: {}, ("",)),
    Damage("trace-cut", "the training ends too early", _cut_off, ("loss",), step=CUT),
    Damage(
        "trace-diverged",
        "the training is said to have diverged after its last step",
        lambda trace: trace | {"diverged": np.array([len(trace["loss"])])},
        ("loss",),
        step=STEPS,
    ),
    Damage("trace-no-steps", "the observed steps are missing", _without("observed_steps"), ("",)),
    Damage("trace-no-loss", "the losses are missing", _without("loss"), ("loss",)),
    Damage("trace-no-parameters", "the parameters are missing", _without("param/"), ("param",)),
    Damage("trace-no-single-steps", "the single steps are missing", _without("local/"), ("",)),
    Damage(
        "trace-extra",
        "there is a quantity too many",
        lambda trace: trace | {"state/extra/w": trace["loss"]},
        ("state/extra",),
    ),
    Damage(
        "trace-dtype",
        "the parameters are float32",
        _first_parameter(lambda a: a.astype(np.float32)),
        ("param",),
    ),
    Damage(
        "trace-shape",
        "the parameters are flattened",
        _first_parameter(lambda a: a.reshape(len(a), -1, 1, 1)),
        ("param",),
    ),
    Damage("trace-nan", "a parameter is NaN", _first_parameter(_with(2, np.nan)), ("param",), step=2),
    Damage("trace-inf", "a loss is inf", _change("loss", _with(3, np.inf)), ("loss",), step=3),
    Damage(
        "trace-rows-shuffled",
        "the observed steps are shuffled",
        _first_parameter(_rows_shuffled),
        ("param",),
    ),
    Damage(
        "trace-late",
        "everything observed is one step late",
        _first_parameter(lambda a: np.roll(a, 1, axis=0)),
        ("param",),
    ),
    Damage(
        "trace-loss-late",
        "the losses are one step late",
        _change("loss", lambda a: np.roll(a, 1)),
        ("loss",),
    ),
    Damage("trace-zero", "the parameters are all zero", _first_parameter(np.zeros_like), ("param",)),
    Damage("trace-off", "one parameter is off by 1e-10", _first_parameter(_next_number), ("param",), step=4),
)
