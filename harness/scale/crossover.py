"""Where along an axis one backend overtakes another.

The ratio of two step times, formed within rounds, is followed from size to size on straight lines between
the logarithms of ratio and size.  A crossover lies between two sizes at which opposite backends are faster,
by the same rule as in a run.  Its interval reaches from where the nearer end of the ratio's interval meets 1
to where the further one does; that the line is straight between sizes is not part of it.
"""

from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np

from harness import timing
from harness.scale.outcome import Crossover, Interval, Pair
from tasks.spec import Array


def pair(
    axis: str,
    threads: int,
    backends: tuple[str, str],
    ratios: Mapping[int, Interval],
    again: Mapping[int, Interval],
) -> Pair:
    """Follow the ratio first/second along the sizes; `again` is that of the reference to itself."""
    first, second = backends
    sizes = sorted(ratios)
    said = {size: timing.verdict(ratios[size], again[size], timing.ROUNDS) for size in sizes}
    faster = {size: first if word == "faster" else second for size, word in said.items() if word in _DECIDED}
    decided = [size for size in sizes if size in faster]
    crossovers = [
        Crossover(faster[right], faster[left], _where(sizes, ratios, left, right))
        for left, right in pairwise(decided)
        if faster[left] != faster[right]
    ]
    is_one = len(set(faster.values())) == 1
    return Pair(
        axis=axis,
        threads=threads,
        backends=[first, second],
        sizes=sizes,
        undecided=[size for size in sizes if size not in faster],
        faster=faster[decided[0]] if is_one else None,
        crossovers=crossovers,
    )


_DECIDED = ("faster", "slower")


def _where(sizes: Sequence[int], ratios: Mapping[int, Interval], left: int, right: int) -> Interval:
    """Low, middle and high of the size at which the ratio is 1, somewhere between two sizes."""
    between = [size for size in sizes if left <= size <= right]
    x = np.log(between)  # (K,)
    bounds = np.log([ratios[size] for size in between]).T  # (3, K) low, middle and high of the ratio
    zeros = [_zeros(x, y) for y in bounds]
    ends = [zero for found in zeros for zero in (found[0], found[-1])]
    return [float(np.exp(value)) for value in (min(ends), zeros[1][0], max(ends))]


def _zeros(x: Array, y: Array) -> list[float]:
    """Where straight lines between the points x (K,), y (K,) meet 0; the ends differ in sign."""
    return [
        float(a - p * (b - a) / (q - p))
        for (a, b), (p, q) in zip(pairwise(x), pairwise(y), strict=True)
        if (p < 0) != (q < 0)
    ]
