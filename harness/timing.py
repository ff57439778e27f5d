"""Time backends side by side: blocks in rounds, ratios within a round, the reference measured twice.

In each round every backend runs one block, in seeded random order, the reference two.  Whatever
slows the machine for a while slows a whole round and cancels in its ratios.  The ratio of the
reference to itself (A/A) shows what the machine's noise alone can look like.
"""

import math
import random
from collections.abc import Callable, Mapping

import numpy as np
from scipy.special import ndtri, stdtrit

from harness.protocol import Measured

ROUNDS = 10  # for a verdict; fewer are indicative
QUICK_ROUNDS = 3
BLOCK_S = 0.02  # least duration of a block
REPEATS = 2  # how many disturbed rounds are made up for
LEAST_BAND = 0.02  # no difference smaller than this is called one
AGAIN = "again"  # the reference's second block of a round
TRIM = 0.2  # of the rounds, on either side: a burst of other work on the host spoils one or two

# A block computes all the time.  On a quiet machine it is off the processor for less than 2 % of it, and
# for 20 to 45 % beside one busy process.  Switches would not tell: TensorFlow's threads make 46 in 20 ms by
# themselves, and a busy process no more than six.
OFF_PROCESSOR = 0.05

# Between two runs of the same code the mean of a ratio differs by more than its rounds show, since the
# neighbours on the host change from one second to the next.  The deviation of one run's mean, as measured
# between runs of scikit-learn on a machine of two cores; PyTorch's comes to as much again, and more.
BETWEEN_RUNS = 0.0075
CHANGE_LEVEL = 0.99  # of an interval between runs, which judges dozens of lanes at a time
NOISY = 0.05  # an interval that reaches further from its middle hides what matters

Rounds = list[dict[str, Measured]]


def rounds(
    ask: Mapping[str, Callable[[], Measured]], count: int, seed: int, device: str = "cpu"
) -> tuple[Rounds, dict[str, list[bool]]]:
    """Measure `count` rounds, and up to REPEATS more for such with a disturbed block; all are kept.

    `ask` maps each backend, and AGAIN, to a function that runs one block.  Returns the rounds, and of each
    name whether its blocks were disturbed.
    """
    rng = random.Random(seed)  # noqa: S311  an order, not a secret
    found: Rounds = []
    disturbed: dict[str, list[bool]] = {name: [] for name in ask}
    while len(found) < count + min(REPEATS, sum(map(any, zip(*disturbed.values(), strict=True)))):
        order = list(ask)
        rng.shuffle(order)
        found.append({name: ask[name]() for name in order})
        for name, block in found[-1].items():
            disturbed[name].append(is_disturbed(block, device))
    return found, disturbed


def is_disturbed(block: Measured, device: str = "cpu") -> bool:
    """Whether the host or another process had the processor for a while that was this block's.

    Where a device computes, the processor may well rest.
    """
    off_s = block.wall_s - block.cpu_s if device == "cpu" else 0.0
    return block.stolen_s > 0 or off_s > OFF_PROCESSOR * block.wall_s


def spoiled(disturbed: Mapping[str, list[bool]], *names: str) -> list[bool]:
    """Of each round, whether a block was disturbed that takes part in the ratio of these names."""
    return [any(blocks) for blocks in zip(*(disturbed[name] for name in names), strict=True)]


def log_ratios(step_s: np.ndarray, reference_s: np.ndarray, spoiled: list[bool]) -> np.ndarray:
    """log(step time / reference step time) per round; of quiet rounds only, if there are at least three."""
    quiet = ~np.array(spoiled)
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
    return _ratio(mean, half)


def change(before: np.ndarray, after: np.ndarray) -> list[float]:
    """By which factor a ratio changed between two runs, [low, middle, high], from its logarithms per round.

    By Welch's t on trimmed means (Yuen 1974), and BETWEEN_RUNS for either run, at CHANGE_LEVEL.
    """
    from scipy.stats import ttest_ind  # here: half a second, which a run need not wait for

    low, high = ttest_ind(after, before, equal_var=False, trim=TRIM).confidence_interval(CHANGE_LEVEL)
    between = float(ndtri((1 + CHANGE_LEVEL) / 2)) * math.sqrt(2) * BETWEEN_RUNS
    return _ratio(float(low + high) / 2, math.hypot((high - low) / 2, between))


def _ratio(log: float, half: float) -> list[float]:
    """An interval of a ratio, from the middle and half the width of its logarithm's."""
    return [math.exp(log - half), math.exp(log), math.exp(log + half)]


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


def changed(change: list[float]) -> str:
    """What a change's interval allows to say."""
    low, middle, high = change
    if low > 1 and middle > 1 + LEAST_BAND:
        return "slower"
    if high < 1 and middle < 1 - LEAST_BAND:
        return "faster"
    return "noisy" if high / middle > 1 + NOISY else "no difference"


def steady(blocks_s: list[float]) -> bool:
    """Whether blocks look like a steady state: no slow start, and halves whose means are within 10 %."""
    values = np.array(blocks_s)
    if len(values) < 4:
        return True  # too few to tell
    low, high = np.percentile(values[1:], [25, 75])
    first_half, second_half = (half.mean() for half in np.array_split(values, 2))
    return bool(values[0] <= high + 1.5 * (high - low) and abs(first_half / second_half - 1) <= 0.1)
