"""Static pictures of the charts: what a reader without scripts sees, and everyone until a chart is drawn.

They show the same series in the same colours, with two labels on each axis; exact numbers are in the
table and, with scripts, under the pointer.  Vega's own SVG of a chart takes some 70 kB, these take one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from markupsafe import Markup, escape

from tasks.spec import Array

WIDTH, HEIGHT = 560, 240
LEFT, RIGHT, TOP, BOTTOM = 64, 552, 8, 214  # of the frame
POINTS = 60  # of a curve
ROW = 18  # height of a bar's or an interval's row
NAME = 190  # width of the names beside rows

TRANSFORMS = {
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
    chosen = np.unique(np.linspace(0, len(up) - 1, min(len(up), POINTS)).astype(int)) if len(up) else []
    commands, pen = [], "M"
    for i in chosen:
        if not (
            np.isfinite(right[i])
            and np.isfinite(up[i])
            and -0.02 <= up[i] <= 1.02
            and -0.02 <= right[i] <= 1.02
        ):
            pen = "M"
            continue
        commands.append(f"{pen}{LEFT + right[i] * (RIGHT - LEFT):.0f} {BOTTOM - up[i] * (BOTTOM - TOP):.0f}")
        pen = "L"
    return "".join(commands)


def _frame(x: Axis, y: Axis) -> Markup:
    return Markup(
        '<path class="frame" d="M{l} {t}V{b}H{r}"/>'
        '<text x="{in_}" y="{t2}" text-anchor="end">{high}</text><text x="{in_}" y="{b}" text-anchor="end">{low}</text>'
        '<text x="{l}" y="{under}">{left}</text><text x="{r}" y="{under}" text-anchor="end">{right}</text>'
        '<text x="{m}" y="{under}" text-anchor="middle">{x_title}</text>'
        '<text x="{l2}" y="{t2}">{y_title}</text>'
    ).format(
        l=LEFT, r=RIGHT, t=TOP, b=BOTTOM, in_=LEFT - 6, t2=TOP + 12, under=BOTTOM + 18, m=(LEFT + RIGHT) // 2, l2=LEFT + 6,
        high=_short(y.high), low=_short(y.low), left=_short(x.low), right=_short(x.high), x_title=x.title, y_title=y.title,
    )  # fmt: skip


def rows(
    title: str, names: Sequence[str], marks: Sequence[Sequence[tuple[float, float, float, str]]], x: Axis
) -> Markup:
    """A row per name with marks (low, middle, high, colour): intervals with a dot; a bar where middle is NaN."""
    parts: list[Markup] = []
    for number, (name, found) in enumerate(zip(names, marks, strict=True)):
        y = TOP + number * ROW + ROW // 2
        parts.append(
            Markup('<text x="{}" y="{}" text-anchor="end">{}</text>').format(NAME - 8, y + 4, name[:28])
        )
        for low, middle, high, colour in found:
            left, right = (NAME + p * (RIGHT - NAME) for p in x.places(np.array([low, high])))
            width = 8 if np.isnan(middle) else 2
            line = '<path d="M{:.0f} {}H{:.0f}" stroke="{}" stroke-width="{}"/>'
            parts.append(Markup(line).format(left, y, right, colour, width))
            if not np.isnan(middle):
                at = NAME + float(x.places(np.array([middle]))[0]) * (RIGHT - NAME)
                parts.append(Markup('<circle cx="{:.0f}" cy="{}" r="3" fill="{}"/>').format(at, y, colour))
    bottom = TOP + len(names) * ROW + 14
    parts.append(
        Markup('<text x="{}" y="{}">{}</text><text x="{}" y="{}" text-anchor="end">{}</text>').format(
            NAME, bottom, f"{_short(x.low)}  {x.title}", RIGHT, bottom, _short(x.high)
        )
    )
    return _svg(title, bottom + 8, parts)


def _svg(title: str, height: int, parts: Sequence[Markup]) -> Markup:
    head = Markup('<svg class="picture" viewBox="0 0 {} {}" role="img" aria-label="{}">').format(
        WIDTH, height, title
    )
    return head + Markup("").join(parts) + Markup("</svg>")


def _short(value: float) -> str:
    return str(escape(f"{value:.3g}"))
