"""What became slower or faster between two benchmarks: of ratios, since in them the machine's speed cancels.

The rounds of two sessions are independent samples, so Welch's t-test on the logarithms of their ratios
judges them.  The level is divided by the number of comparisons (Bonferroni): of two benchmarks of the same
code, 19 of 20 pairs show no difference at all, as far as rounds can tell.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from harness.bench.measures import RATIOS, Bench, Measure

SAME: Literal["no difference seen"] = "no difference seen"
LEVEL = 0.05  # of all comparisons together
# Two processes of the same code differ by some per cent for their whole life, by where their memory lies.
LEAST_BAND = 0.05


@dataclass(frozen=True)
class Change:
    """One measure in both: after ÷ before, with its interval."""

    before: Measure
    after: Measure
    ratio: list[float]  # low, middle, high
    word: Literal["slower", "faster", "no difference seen"]


def changes(before: Bench, after: Bench) -> list[Change]:
    """Every ratio that both have measured in rounds, in the order of the later one."""
    known = {measure.key: measure for measure in before.measures if _is_judged(measure)}
    pairs = [(known[m.key], m) for m in after.measures if _is_judged(m) and m.key in known]
    return [_change(old, new, LEVEL / len(pairs)) for old, new in pairs]


def _is_judged(measure: Measure) -> bool:
    return measure.unit in RATIOS and len(measure.values) > 1


def _change(before: Measure, after: Measure, level: float) -> Change:
    ratio = welch(before.values, after.values, level)
    return Change(before, after, ratio, _word(ratio, after))


def welch(before: list[float], after: list[float], level: float) -> list[float]:
    """The ratio of two geometric means, after ÷ before: low, middle, high of its interval at this level."""
    from scipy import stats  # here: it takes half a second to import

    a, b = np.log(before), np.log(after)
    found = stats.ttest_ind(b, a, equal_var=False).confidence_interval(1 - level)
    return [float(np.exp(log)) for log in (found.low, b.mean() - a.mean(), found.high)]


def _word(ratio: list[float], measure: Measure) -> Literal["slower", "faster", "no difference seen"]:
    low, _, high = ratio
    if low > 1 + LEAST_BAND:
        return "slower" if measure.better == "less" else "faster"
    if high < 1 - LEAST_BAND:
        return "faster" if measure.better == "less" else "slower"
    return SAME
