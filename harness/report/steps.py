"""Differences and tolerances of the parameters step by step, from traces: what the page draws.

`prefix` is "" for the whole training, and "local/" for single steps from the reference's own states.
Both are relative to the largest value that a parameter has had by then, as in the comparison.
"""

import numpy as np

from backends.base import Arrays
from harness import tolerance
from harness.distance import distances, largest_so_far, scale
from tasks.spec import Array


def difference(actual: Arrays, desired: Arrays, prefix: str) -> tuple[Array, Array]:
    """Steps (K,) that both observed; there, the largest relative difference of any parameter (K,).

    It is inf where something is not finite, and NaN where shapes do not fit.
    """
    ours, theirs = _steps(desired if prefix else actual, prefix), _steps(desired, prefix)
    shared, here, there = np.intersect1d(ours, theirs, return_indices=True)
    worst = np.zeros(len(shared))
    for name in _parameters(desired, prefix):
        if name not in actual or actual[name].shape != (len(ours), *desired[name].shape[1:]):
            worst[:] = np.nan
            continue
        distance, _ = distances(actual[name][here], desired[name][there])
        worst = np.maximum(worst, distance / _scale(desired[name])[there])
    return shared, worst


def tolerances(desired: Arrays, dtype: str, prefix: str) -> tuple[Array, Array, Array]:
    """The reference's steps (K,); there, the lowest and the highest tolerance of any parameter, each (K,)."""
    found = []
    for name in _parameters(desired, prefix):
        size = _scale(desired[name])
        found.append(tolerance.tolerance(size, desired[f"spread/{name}"], dtype) / size)
    return _steps(desired, prefix), np.min(found, axis=0), np.max(found, axis=0)


def _parameters(arrays: Arrays, prefix: str) -> list[str]:
    return [name for name in arrays if name.startswith(f"{prefix}param/")]


def _steps(arrays: Arrays, prefix: str) -> Array:
    """After how many steps each row was taken: a single step leads one further."""
    return arrays["observed_steps"] + (1 if prefix else 0)


def _scale(desired: Array) -> Array:
    """What differences from the reference's rows are relative to, (K,)."""
    return scale(largest_so_far(distances(desired, desired)[1]))
