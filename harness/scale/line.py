"""A backend's step time as a sum of costs that cannot be negative.

    network    step + layer·layers + activation·activations + flop·FLOPs
    bowl       step + call/steps a call + flop·FLOPs

Every layer is some calls of the framework's, and every hidden unit's output is read and written several
times, which is why they cost by themselves: FLOPs alone miss points by up to a third, these by a tenth.  A
cost per parameter, for the optimizer's update, was tried beside them, and hardly a point fits better.

Least squares of relative differences, so that a small network counts as much as a large one.  Intervals are
a bootstrap over rounds: they tell how far noise within a point carries a cost.  How far the points are off
the line itself is told by the misses.
"""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import nnls

from harness.scale.outcome import Work
from tasks.spec import Array

COSTS = {
    "network": ("step", "layer", "activation", "flop"),
    "bowl": ("step", "call", "flop"),
}
MISS = 0.25  # a line that is further off any of its points does not fit
DRAWS = 1000
SEED = 0


@dataclass(frozen=True)
class Line:
    """Costs (C, 3), low, middle and high; how far each point's time is off, relative to it (K,)."""

    costs: Array
    misses: Array

    @property
    def is_good(self) -> bool:
        """Whether no point is missed by more than a line may miss one."""
        return bool(np.max(np.abs(self.misses)) <= MISS)


def amounts(kind: str, work: Work, calls_per_step: float) -> list[float]:
    """How much of each cost one step has to pay."""
    known = {
        "step": 1,
        "call": calls_per_step,
        "layer": work.layers,
        "activation": work.activations,
        "flop": work.flops,
    }
    return [known[cost] for cost in COSTS[kind]]


def fit(amounts: Array, rounds_s: list[Array], draws: int = DRAWS) -> Line | None:
    """The line through points with these amounts (K, C), each with its step time in every round (R,).

    None where the points are too few, or too much alike, to tell the costs apart.
    """
    points, costs = amounts.shape
    if points <= costs or np.linalg.matrix_rank(amounts / np.max(amounts, axis=0)) < costs:
        return None
    times = np.array([np.median(rounds) for rounds in rounds_s])  # (K,)
    middle = _solve(amounts, times)  # (C,)
    rng = np.random.default_rng(SEED)
    resampled = np.array([_medians(rounds, draws, rng) for rounds in rounds_s])  # (K, draws)
    drawn = np.array([_solve(amounts, column) for column in resampled.T])  # (draws, C)
    low, high = np.percentile(drawn, [2.5, 97.5], axis=0)  # (C,)
    ordered = np.column_stack([np.minimum(low, middle), middle, np.maximum(high, middle)])
    return Line(ordered, amounts @ middle / times - 1)


def _solve(amounts: Array, times: Array) -> Array:
    """The costs (C,), none negative, with the least squares of relative misses."""
    relative = amounts / times[:, None]  # (K, C)
    size = np.linalg.norm(relative, axis=0)  # (C,) of a column each, which differ by ten powers of ten
    found, _ = nnls(relative / size, np.ones(len(times)))
    return found / size


def _medians(rounds: Array, draws: int, rng: np.random.Generator) -> Array:
    """Medians of as many rounds drawn with replacement, (draws,)."""
    chosen = rng.integers(len(rounds), size=(draws, len(rounds)))
    return np.median(rounds[chosen], axis=1)
