"""Whether two samples have the same mean, to within a margin: two one-sided tests (TOST).

A test for a difference cannot show that there is none: it finds none in too few numbers, and in
enough numbers it finds the most trifling.  Here the burden is turned round.  Two means are called
equivalent when the numbers rule out that they are further apart than the margin, on either side.

Source: Schuirmann, "A comparison of the two one-sided tests procedure and the power approach for
assessing the equivalence of average bioavailability" (1987); the tests are t-tests for unequal variances:
Welch, "The generalization of 'Student's' problem when several different population variances are
involved" (1947).
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.stats import t

from tasks.spec import Array

LEVEL = 0.05  # of each one-sided test, and so the most often that means a margin apart are called equivalent

Word = Literal["equivalent", "different", "cannot tell"]


@dataclass(frozen=True)
class Equivalence:
    """A difference of two means with its 90 % interval; NaN where they have none."""

    difference: float
    low: float
    high: float
    margin: float

    @property
    def word(self) -> Word:
        """What the interval allows to say.

        Both one-sided tests reject exactly when the interval lies inside the margin: "equivalent".
        "Different" if it lies wholly outside; across an edge of the margin, nothing can be told.
        """
        if -self.margin < self.low and self.high < self.margin:
            return "equivalent"
        return "different" if self.low > self.margin or self.high < -self.margin else "cannot tell"


def compare(actual: Array, desired: Array, margin: float) -> Equivalence:
    """The difference between the means of two samples (n,), (m,), and how sure it is.

    Where a value is not finite, or a sample has fewer than two, there is no interval and so nothing
    can be told.  Where neither sample varies, the interval is a point.
    """
    if any(len(sample) < 2 or not np.isfinite(sample).all() for sample in (actual, desired)):
        return Equivalence(np.nan, np.nan, np.nan, margin)
    difference = float(actual.mean() - desired.mean())
    half = _half_width(
        actual.var(ddof=1) / len(actual), desired.var(ddof=1) / len(desired), len(actual), len(desired)
    )
    return Equivalence(difference, difference - half, difference + half, margin)


def _half_width(a: float, b: float, n: int, m: int) -> float:
    """Of the interval, from the variances a, b of the two means and the sizes n, m of the samples."""
    if a + b == 0:
        return 0.0
    share = a / (a + b)
    freedom = 1 / (share**2 / (n - 1) + (1 - share) ** 2 / (m - 1))  # Welch's degrees of freedom
    return float(t.ppf(1 - LEVEL, freedom) * np.sqrt(a + b))
