"""Static pictures of the charts: what a reader without scripts sees, and everyone until a chart is drawn.

They show the same series in the same colours, with two labels on each axis and a key of the colours; exact
numbers are in the table and, with scripts, under the pointer.  Vega's own SVG of a chart takes some 70 kB,
these take one.  They are as wide as a phone, so that their words can be read there.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from markupsafe import Markup

from harness.report.verdict import TITLES
from tasks.spec import Array

WIDTH, HEIGHT = 380, 220
LEFT, RIGHT, TOP, BOTTOM = 64, 372, 20, 196  # of the frame
POINTS = 60  # of a curve
NAME, ROW = 16, 8  # heights of a row's name, and of each of its marks
PLAIN = (1e-3, 1e6)  # numbers of a size between these are written out

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
    drawn: dict[str, list[str]] = {}  # what coincides is drawn once
    for label, (right, up) in series.items():
        if path := _path(x.places(right), y.places(up)):
            drawn.setdefault(path, []).append(label)
    for path, (label, *_) in drawn.items():
        colour, width = looks[label]
        parts.append(Markup('<path d="{}" stroke="{}" stroke-width="{}"/>').format(path, colour, width))
    key = [(_names(labels), looks[labels[0]][0]) for labels in drawn.values()]
    return _svg(title, HEIGHT, parts) + _key(key)


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
    under, beside = BOTTOM + 16, LEFT - 6
    return Markup("").join(
        [
            Markup('<path class="frame" d="M{} {}V{}H{}"/>').format(LEFT, TOP, BOTTOM, RIGHT),
            _text(0, TOP - 8, y.title),
            _text(beside, TOP + 10, _short(y.high), "end"),
            _text(beside, BOTTOM, _short(y.low), "end"),
            *_ends(x, LEFT, under),
        ]
    )


def _ends(x: Axis, left: int, y: int) -> list[Markup]:
    """Both ends of a level axis, and what it is."""
    ends = [_text(left, y, _short(x.low)), _text(RIGHT, y, _short(x.high), "end")]
    return [*ends, _text((left + RIGHT) // 2, y, x.title, "middle")]


def _text(x: int, y: int, words: str, anchor: str = "start") -> Markup:
    return Markup('<text x="{}" y="{}" text-anchor="{}">{}</text>').format(x, y, anchor, words)


Mark = tuple[float, float, float, str]  # low, middle, high, colour


def rows(
    title: str,
    names: Sequence[str],
    marks: Sequence[Sequence[Mark]],
    x: Axis,
    key: Sequence[tuple[str, str]] = (),
) -> Markup:
    """Under each name its marks: intervals with dots below each other; parts of a bar, if middle is NaN.

    The key tells in words what has which colour.
    """
    parts: list[Markup] = []
    y = 0
    for name, found in zip(names, marks, strict=True):
        parts.append(_text(0, y + 12, name))
        y += NAME
        for mark in found:
            parts.append(_row_mark(mark, y + ROW // 2, x))
            y += 0 if np.isnan(mark[1]) else ROW
        y += ROW
    parts += _ends(x, 0, y + 12)
    return _svg(title, y + 18, parts) + _key(key)


def _row_mark(mark: Mark, y: int, x: Axis) -> Markup:
    *ends, colour = mark
    low, middle, high = x.places(np.array(ends)) * RIGHT
    is_bar = np.isnan(middle)
    line = Markup('<path d="M{:.0f} {}H{:.0f}" stroke="{}" stroke-width="{}"/>')
    drawn = line.format(low, y, high, colour, 8 if is_bar else 2)
    dot = Markup('<circle cx="{:.0f}" cy="{}" r="3" fill="{}"/>')
    return drawn if is_bar else drawn + dot.format(middle, y, colour)


def _svg(title: str, height: int, parts: Sequence[Markup]) -> Markup:
    head = '<svg class="picture" viewBox="0 0 {} {}" role="img" aria-label="{}">'
    return Markup(head).format(WIDTH, height, title) + Markup("").join(parts) + Markup("</svg>")  # noqa: S704


def _key(colours: Sequence[tuple[str, str]]) -> Markup:
    """What has which colour, below the picture, where words wrap."""
    item = Markup('<li><i style="background:{}"></i>{}</li>')
    items = Markup("").join(item.format(colour, words) for words, colour in colours)
    return Markup('<ul class="key">{}</ul>').format(items) if items else Markup("")


def _names(labels: Sequence[str]) -> str:
    return ", ".join(TITLES.get(label, label) for label in labels)


def _short(value: float) -> str:
    """So few characters that they fit beside the frame."""
    size = abs(value)
    if size == 0 or PLAIN[0] <= size < PLAIN[1]:
        return f"{value:,.0f}" if size >= 100 else f"{value:.3g}"
    return f"{value:.1e}"
