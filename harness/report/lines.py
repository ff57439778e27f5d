"""Printing on a terminal: no blanks at the ends of lines, and what fits."""

from rich.console import Console, RenderableType
from rich.measure import Measurement
from rich.text import Text

ENDLESS = 10_000  # columns: no table is as wide


def put(what: RenderableType, console: Console) -> None:
    """Print without the blanks with which rich fills up tables and wrapped lines."""
    for line in console.render_lines(what, pad=False):
        text = Text.assemble(*((piece.text, piece.style or "") for piece in line))
        text.rstrip()
        console.print(text, soft_wrap=True)


def cut(*parts: str | tuple[str, str]) -> Text:
    """Text that is cut off at the edge of the terminal, in place of a second line."""
    return Text.assemble(*parts, no_wrap=True, overflow="ellipsis")


def width(what: RenderableType, console: Console) -> int:
    """How many columns it takes where nothing has to be wrapped."""
    return Measurement.get(console, console.options.update(max_width=ENDLESS), what).maximum


def fits(what: RenderableType, console: Console) -> bool:
    """Whether it does not have to be wrapped."""
    return width(what, console) <= console.width
