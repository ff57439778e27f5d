"""Static pictures of the charts: what a reader without scripts sees, and everyone until a chart is drawn.

They show the same series in the same colours, with two labels on each axis; exact numbers are in the
table and, with scripts, under the pointer.  Vega's own SVG of a chart takes some 70 kB, these take one.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from markupsafe import Markup

from tasks.spec import Array

WIDTH, HEIGHT = 560, 240
LEFT, RIGHT, TOP, BOTTOM = 64, 552, 8, 214  # of the frame
POINTS = 60  # of a curve
ROW = 18  # height of a bar's or an interval's row
NAME, LONGEST = 190, 28  # width of the names beside rows, and characters of one

TRANSFORMS: dict[str, Callable[[Array], Array]] = {
    "linear": lambda values: values,
    "log": np.log,
    "sqrt": np.sqrt,
    "symlog": lambda values: np.sign(values) * np.log1p(np.abs(values)),
}


@dataclass(frozen=True)
class Axis:
    """From where to where an axis reaches, and how it is scaled: "linear", "log", "sqrt" or "symlog"."""

    title: str
    low: float
    high: float
    kind: str = "linear"

    def places(self, values: Array) -> Array:
        """Where values lie between low, 0, and high, 1; outside of both where they are outside."""
        with np.errstate(all="ignore"):
            low, high, found = (TRANSFORMS[self.kind](np.asarray(v)) for v in (self.low, self.high, values))
            return np.where(high > low, (found - low) / np.where(high > low, high - low, 1.0), 0.5)


def axis(title: str, values: Array, kind: str) -> Axis:
    """An axis that reaches as far as these values."""
    finite = values[np.isfinite(values)]
    if kind == "log":
        finite = finite[finite > 0]
    low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 1.0)
    return Axis(title, low, high, kind)


def lines(
    title: str,
    series: Mapping[str, tuple[Array, Array]],
    x: Axis,
    y: Axis,
    looks: Mapping[str, tuple[str, float]],
) -> Markup:
    """Curves (K,), (K,) over each other, each in its colour and width."""
    parts = [_frame(x, y)]
    drawn: set[str] = set()
    for label, (right, up) in series.items():
        path = _path(x.places(right), y.places(up))
        if path and path not in drawn:  # what coincides is drawn once
            drawn.add(path)
            colour, width = looks[label]
            parts.append(Markup('<path d="{}" stroke="{}" stroke-width="{}"/>').format(path, colour, width))
    return _svg(title, HEIGHT, parts)


def _path(right: Array, up: Array) -> str:
    """Points as an SVG path in whole units, thinned; a gap where one is not finite or outside."""
    chosen = np.unique(np.linspace(0, len(up) - 1, min(len(up), POINTS)).astype(int))
    with np.errstate(invalid="ignore"):
        inside = (np.abs(right - 0.5) <= 0.52) & (np.abs(up - 0.5) <= 0.52)  # (K,) False where not finite
    commands, pen = [], "M"
    for i in chosen:
        if inside[i]:
            commands.append(
                f"{pen}{LEFT + right[i] * (RIGHT - LEFT):.0f} {BOTTOM - up[i] * (BOTTOM - TOP):.0f}"
            )
        pen = "L" if inside[i] else "M"
    return "".join(commands)


def _frame(x: Axis, y: Axis) -> Markup:
    """Two sides of the frame, both ends of each axis, and what they are."""
    under, beside = BOTTOM + 18, LEFT - 6
    return Markup("").join(
        [
            Markup('<path class="frame" d="M{} {}V{}H{}"/>').format(LEFT, TOP, BOTTOM, RIGHT),
            _text(beside, TOP + 12, _short(y.high), "end"),
            _text(beside, BOTTOM, _short(y.low), "end"),
            _text(LEFT + 6, TOP + 12, y.title),
            _text(LEFT, under, _short(x.low)),
            _text((LEFT + RIGHT) // 2, under, x.title, "middle"),
            _text(RIGHT, under, _short(x.high), "end"),
        ]
    )


def _text(x: int, y: int, words: str, anchor: str = "start") -> Markup:
    return Markup('<text x="{}" y="{}" text-anchor="{}">{}</text>').format(x, y, anchor, words)


def rows(
    title: str, names: Sequence[str], marks: Sequence[Sequence[tuple[float, float, float, str]]], x: Axis
) -> Markup:
    """A row per name with marks (low, middle, high, colour): intervals with a dot; a bar if middle is NaN."""
    parts: list[Markup] = []
    for number, (name, found) in enumerate(zip(names, marks, strict=True)):
        y = TOP + number * ROW + ROW // 2
        parts.append(_text(NAME - 8, y + 4, name[:LONGEST], "end"))
        parts += [_row_mark(mark, y, x) for mark in found]
    bottom = TOP + len(names) * ROW + 14
    parts += [_text(NAME, bottom, f"{_short(x.low)}  {x.title}"), _text(RIGHT, bottom, _short(x.high), "end")]
    return _svg(title, bottom + 8, parts)


def _row_mark(mark: tuple[float, float, float, str], y: int, x: Axis) -> Markup:
    *ends, colour = mark
    low, middle, high = NAME + x.places(np.array(ends)) * (RIGHT - NAME)
    is_bar = np.isnan(middle)
    line = Markup('<path d="M{:.0f} {}H{:.0f}" stroke="{}" stroke-width="{}"/>')
    drawn = line.format(low, y, high, colour, 8 if is_bar else 2)
    dot = Markup('<circle cx="{:.0f}" cy="{}" r="3" fill="{}"/>')
    return drawn if is_bar else drawn + dot.format(middle, y, colour)


def _svg(title: str, height: int, parts: Sequence[Markup]) -> Markup:
    head = '<svg class="picture" viewBox="0 0 {} {}" role="img" aria-label="{}">'
    return Markup(head).format(WIDTH, height, title) + Markup("").join(parts) + Markup("</svg>")  # noqa: S704


def _short(value: float) -> str:
    return f"{value:.3g}"
