"""The small tasks recorded by the NumPy column in this process, right and wrong."""

from functools import cache

import numpy as np

import backends.numpy as reference
from backends.base import Placement
from harness import parity, trace
from harness.spread import spread
from tasks import small

SMALL = {task.name.removeprefix("small-"): task for task in small.TASKS}


def build(task):
    """The program of the NumPy column."""
    return getattr(reference, task.model.program)(task, Placement())


@cache
def desired(task):
    """The reference's trace of a small task with the spread of its shadows, read-only."""
    found, _ = trace.record(build(task), task)
    found |= spread(build, task, found, "float64")
    for array in found.values():
        array.flags.writeable = False
    return found


def recorded(program, task):
    """The trace of any program of a small task, as a worker records it."""
    with np.errstate(all="ignore"):
        found, _ = trace.record(program, task, trace.states(desired(task)))
    return found


def faulty(fault, task):
    """The trace of a small task with a fault."""
    return recorded(fault.inject(build, task), task)


def first_divergence(actual, task, expected=None):
    """Where a trace leaves the reference's, or another that is expected; None if it agrees to rounding."""
    spreads = {name: array for name, array in desired(task).items() if name.startswith("spread/")}
    return parity.compare(actual, (expected or desired(task)) | spreads, "float64").first_divergence
