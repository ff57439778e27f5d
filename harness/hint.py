"""What a difference of unknown cause looks like, measured on the arrays where it begins.

This names no cause.  Whatever is said holds for each element to the tolerance there; nothing is said of
differences so small that they would look like anything.
"""

from collections.abc import Iterator

import numpy as np

from backends.base import Arrays
from harness import parity, tolerance
from harness.distance import distances, largest_so_far, scale
from harness.result import Divergence
from tasks.spec import Array

PLAIN = 1e3  # a difference, or a number whose multiple is looked for, must be so many times the tolerance
MOST = 1e6  # no larger factor is looked for


def hint(first: Divergence, actual: Arrays, desired: Arrays, dtype: str) -> str | None:
    """How the two arrays of a first divergence are related, as a clause; None where that is not plain."""
    name = (parity.LOCAL if first.single_step else "") + first.quantity
    ours, theirs = (_row(name, side, first.step) for side in (actual, desired))
    if ours is None or theirs is None or not (np.isfinite(ours).all() and np.isfinite(theirs).all()):
        return None
    allowed = _allowed(name, desired, first, dtype)
    if _same(ours, theirs, PLAIN * allowed):
        return None
    return next(_relations(name, first.step, desired, ours, theirs, allowed), None)


def _relations(
    name: str, step: int, desired: Arrays, ours: Array, theirs: Array, allowed: float
) -> Iterator[str]:
    """All that is found, the most telling first."""
    for when, other in (("before", step - 1), ("after", step + 1)):
        there = _row(name, desired, other)
        if there is not None and _same(ours, there, allowed):
            yield f"it is the reference's of the step {when}"
    if ours.shape == theirs.shape and np.abs(theirs).max() > PLAIN * allowed:
        yield from _multiples(ours, theirs, allowed)
    yield from _orders(ours, theirs, allowed)


def _row(name: str, trace: Arrays, step: int) -> Array | None:
    """An array as it was after so many steps; None where it was not observed then."""
    if name not in trace:
        return None
    rows, at = parity.rows_of(name, trace), np.flatnonzero(parity.steps_of(name, trace) == step)
    return rows[at[0]].astype(float) if len(at) and at[0] < len(rows) else None


def _allowed(name: str, desired: Arrays, first: Divergence, dtype: str) -> float:
    """The tolerance there; where two shapes differ it has none but that of rounding."""
    rows = parity.rows_of(name, desired)
    so_far = largest_so_far(distances(rows, rows)[1])
    at = np.flatnonzero(parity.steps_of(name, desired) == first.step)[0]
    return float(max(first.tolerance * scale(so_far)[at], tolerance.rounding(so_far, dtype)[at]))


def _same(ours: Array, theirs: Array, allowed: float) -> bool:
    return ours.shape == theirs.shape and bool(np.all(np.abs(ours - theirs) <= allowed))


def _multiples(ours: Array, theirs: Array, allowed: float) -> Iterator[str]:
    """Nothing, a whole multiple or a part; any other factor only where numbers of several sizes share it."""
    each = "every element" if ours.size > 1 else "it"
    size = np.abs(theirs)
    largest = np.unravel_index(int(np.argmax(size)), size.shape)
    factor = float(ours[largest] / theirs[largest])

    def fits(factor: float) -> bool:
        return _same(ours, factor * theirs, allowed * max(1.0, abs(factor)))

    if ours.size > 1 and fits(0.0):
        yield "every element is 0"
    if not 1 / MOST < abs(factor) < MOST:
        return
    whole, part = round(factor), round(1 / factor)
    if whole == -1 and fits(-1.0):
        yield f"{each} is minus the reference's"
    if abs(whole) > 1 and fits(whole):
        yield f"{each} is {whole} × the reference's"
    if abs(part) > 1 and fits(1 / part):
        yield f"{each} is 1/{part} of the reference's"
    if np.ptp(size[size > PLAIN * allowed]) > PLAIN * allowed:
        shortest = (f"{factor:.{digits}g}" for digits in range(1, 17))
        yield from (f"every element is {text} × the reference's" for text in shortest if fits(float(text)))


def _orders(ours: Array, theirs: Array, allowed: float) -> Iterator[str]:
    """The same numbers elsewhere."""
    if ours.shape != theirs.shape and _same(ours.ravel(), theirs.ravel(), allowed):
        yield "it is the reference's in another shape"
    if ours.ndim == 2 and _same(ours, theirs.T, allowed):
        yield "it is the reference's, transposed"
    if ours.ndim == 2 and _same(_sorted(ours), _sorted(theirs), allowed):
        yield "its rows are the reference's in another order"
    if ours.ndim == 2 and _same(_sorted(ours.T), _sorted(theirs.T), allowed):
        yield "its columns are the reference's in another order"
    if _same(np.sort(ours, axis=None), np.sort(theirs, axis=None), allowed):
        yield "its elements are the reference's in another order"


def _sorted(rows: Array) -> Array:
    """The rows by their first elements."""
    return rows[np.argsort(rows[:, 0])]
