"""Time backends side by side: blocks in rounds, ratios within a round, the reference measured twice.

In each round every backend runs one block, in seeded random order, the reference two.  Whatever
slows the machine for a while slows a whole round and cancels in its ratios.  The ratio of the
reference to itself (A/A) shows what the machine's noise alone can look like.
"""

import random
from collections.abc import Callable, Mapping

import numpy as np
from scipy.special import stdtrit

from harness.protocol import Measured

ROUNDS = 10  # for a verdict; fewer are indicative
QUICK_ROUNDS = 3
BLOCK_S = 0.02  # least duration of a block
REPEATS = 2  # how many disturbed rounds are made up for
LEAST_BAND = 0.02  # no difference smaller than this is called one
AGAIN = "again"  # the reference's second block of a round

# A round is disturbed when the host took processor time away during one of its blocks, or the
# kernel interrupted one for other processes more often than a quiet machine does in 20 ms.
STOLEN_S = 0.0
SWITCHES = 20

Rounds = list[dict[str, Measured]]


def rounds(ask: Mapping[str, Callable[[], Measured]], count: int, seed: int) -> tuple[Rounds, list[bool]]:
    """Measure `count` rounds, and up to REPEATS more for disturbed ones; nothing is thrown away.

    `ask` maps each backend, and AGAIN, to a function that runs one block.  Returns the rounds and
    for each whether it was disturbed.
    """
    rng = random.Random(seed)  # noqa: S311  an order, not a secret
    found: Rounds = []
    disturbed: list[bool] = []
    while len(found) < count + min(REPEATS, sum(disturbed)):
        order = list(ask)
        rng.shuffle(order)
        blocks = {name: ask[name]() for name in order}
        found.append(blocks)
        disturbed.append(any(b.stolen_s > STOLEN_S or b.switches > SWITCHES for b in blocks.values()))
    return found, disturbed


def log_ratios(step_s: np.ndarray, reference_s: np.ndarray, disturbed: list[bool]) -> np.ndarray:
    """log(step time / reference step time) per round; of quiet rounds only, if there are at least three."""
    quiet = ~np.array(disturbed)
    chosen = quiet if quiet.sum() >= 3 else np.ones_like(quiet)
    return np.log(step_s / reference_s)[chosen]


def interval(logs: np.ndarray) -> list[float]:
    """Geometric mean of ratios with its 95 % interval, [low, middle, high], from their logarithms per round.

    By Student's t on the logarithms: over ten rounds a percentile bootstrap would cover the true
    ratio in 89 % of cases only.
    """
    mean, rounds = float(np.mean(logs)), len(logs)
    half = 0.0
    if rounds > 1:
        half = float(stdtrit(rounds - 1, 0.975) * np.std(logs, ddof=1) / np.sqrt(rounds))
    return [float(np.exp(mean - half)), float(np.exp(mean)), float(np.exp(mean + half))]


def verdict(ratio: list[float], again: list[float], count: int) -> str:
    """What a ratio's interval allows to say, given the interval of the reference against itself."""
    band = max(LEAST_BAND, again[2] - 1, 1 - again[0])
    if again[0] > 1 + LEAST_BAND or again[2] < 1 - LEAST_BAND:
        said = "no verdict: noisy machine, the reference differs from itself"
    elif ratio[0] > 1 + band:
        said = "slower"
    elif ratio[2] < 1 - band:
        said = "faster"
    else:
        said = "no difference seen"
    return said if count >= ROUNDS else f"indicative: {said}"


def steady(blocks_s: list[float]) -> bool:
    """Whether blocks look like a steady state: no slow start, and halves whose means are within 10 %."""
    values = np.array(blocks_s)
    if len(values) < 4:
        return True  # too few to tell
    low, high = np.percentile(values[1:], [25, 75])
    first_half, second_half = (half.mean() for half in np.array_split(values, 2))
    return bool(values[0] <= high + 1.5 * (high - low) and abs(first_half / second_half - 1) <= 0.1)
