"""Tasks drawn by hypothesis, which shrinks a failing one to the smallest that still fails."""

import math

from hypothesis import strategies as st

from tasks.arbitrary import arbitrary


class Drawn:
    """A `Chooser` that asks hypothesis."""

    def __init__(self, draw):
        self.draw = draw

    def whole(self, low, high):
        return self.draw(st.integers(low, high))

    def number(self, low, high):
        """Of three digits; its logarithm is drawn, which shrinks to a power of ten where there is one."""
        exact = 10 ** self.draw(st.floats(math.log10(low), math.log10(high)))
        return min(max(low, float(f"{exact:.3g}")), high)

    def one_of(self, options):
        return self.draw(st.sampled_from(options))


@st.composite
def arbitrary_tasks(draw):
    """Any task of `tasks.arbitrary`, named 'arbitrary'."""
    return arbitrary("arbitrary", Drawn(draw))
