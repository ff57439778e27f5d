"""How far two recorded arrays are apart, row by row, in constant memory.

The loop goes over pieces that fit into the processor's cache: each number of a trace is read from
memory once, and no temporary array is as long as the trace.
"""

import numpy as np

from tasks.spec import Array

PIECE = 2**14  # numbers: 128 kB of float64


def distances(actual: Array, desired: Array) -> tuple[Array, Array]:
    """For each row of two arrays (K, …): the largest |actual - desired|, and the largest |desired|.

    Where a number is not finite, the distance is inf: NaN and inf never agree, not even with themselves.
    """
    rows = len(desired)
    distance, size = np.zeros(rows), np.zeros(rows)
    if not desired.size:
        return distance, size
    actual, desired = actual.reshape(rows, -1), desired.reshape(rows, -1)
    width = desired.shape[1]
    height = max(1, PIECE // width)
    room = np.empty((height, min(width, PIECE)))
    with np.errstate(invalid="ignore", over="ignore"):
        for top in range(0, rows, height):
            here = slice(top, top + height)
            for left in range(0, width, PIECE):
                a, d = actual[here, left : left + PIECE], desired[here, left : left + PIECE]
                difference = np.subtract(a, d, out=room[: d.shape[0], : d.shape[1]], dtype=np.float64)
                np.maximum(distance[here], _largest(difference), out=distance[here])  # a NaN stays one
                np.maximum(size[here], _largest(d), out=size[here])
    distance[~np.isfinite(distance)] = np.inf
    return distance, size


def _largest(values: Array) -> Array:
    """The largest magnitude of each row, by long reductions: each has its price, however short it is."""
    if values.shape[0] > values.shape[1]:
        return np.abs(values.T, order="C").max(axis=0)
    return np.maximum(np.abs(values.max(axis=1)), np.abs(values.min(axis=1)))  # faster than a copy


def largest_so_far(size: Array) -> Array:
    """The largest finite magnitude of each row and those before it, (K,), from the sizes of rows (K,)."""
    return np.maximum.accumulate(np.where(np.isfinite(size), size, 0.0))


def scale(so_far: Array) -> Array:
    """What differences are relative to, (K,): the largest so far, or of all while it is 0, or else 1."""
    return np.where(so_far > 0, so_far, so_far.max(initial=0.0) or 1.0)


def farthest(actual: Array, desired: Array) -> tuple[int, ...]:
    """The index of the element of one row that differs most; NaN and inf first."""
    with np.errstate(invalid="ignore"):
        distance = np.abs(np.subtract(actual, desired, dtype=np.float64))
    distance = np.where(np.isfinite(distance), distance, np.inf)
    return tuple(int(i) for i in np.unravel_index(int(np.argmax(distance)), distance.shape))
