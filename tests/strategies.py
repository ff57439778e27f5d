"""Tasks drawn by hypothesis, which shrinks a failing one to the smallest that still fails."""

from hypothesis import strategies as st

from tasks.arbitrary import arbitrary


class Drawn:
    """A `Chooser` that asks hypothesis."""

    def __init__(self, draw):
        self.draw = draw

    def whole(self, low, high):
        return self.draw(st.integers(low, high))

    def number(self, low, high):
        return self.draw(st.floats(low, high))

    def one_of(self, options):
        return self.draw(st.sampled_from(options))


@st.composite
def arbitrary_tasks(draw):
    """Any task of `tasks.arbitrary`, named 'arbitrary'."""
    return arbitrary("arbitrary", Drawn(draw))
