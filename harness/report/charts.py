"""The page's charts: thinned, rounded data in Vega-Lite specs, each with the table of its numbers.

A series is a pair of arrays x (K,), y (K,) under its label, which is a backend's name.  A label has
the same colour, dash, width and marker in every chart.  Series often coincide to the last bit: later
ones are drawn thinner and on top, so that each stays visible as a rim around the next.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import altair as alt
import numpy as np

from tasks.spec import Array, Quadratic

POINTS = 300  # of a curve in a chart: its extremes every 4 pixels
ROWS = 12  # of a table behind a chart
MARKED = 60  # curves of up to so many points get a dot at each

# Okabe and Ito's colours, which colour-blind readers can tell apart, with grey for their black: it shows on both
# a light and a dark page.
COLOURS = ("#767676", "#D55E00", "#0072B2", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
DASHES = ([1, 0], [24, 3], [15, 4], [8, 4], [3, 3], [1, 3], [15, 3, 3, 3])
WIDTHS = (6, 4.75, 3.5, 2.5, 1.5, 1.25, 1.25)
SHAPES = ("circle", "square", "diamond", "triangle-up", "cross", "triangle-down", "stroke")

Series = Mapping[str, tuple[Array, Array]]


@dataclass(frozen=True)
class Chart:
    """One figure: a Vega-Lite spec, the table of its numbers, and what must be said in words."""

    name: str  # its id in the page
    title: str
    spec: dict[str, Any]
    head: list[str]
    rows: list[list[str]]
    notes: list[str] = field(default_factory=list)


class Palette:
    """The looks of every label of a run, in the order of the report's columns."""

    def __init__(self, labels: Sequence[str]) -> None:
        self.labels = list(labels)

    def encodings(self, shown: Sequence[str], *, lines: bool) -> dict[str, Any]:
        """Colour and either dash and width or marker, for the labels shown in one chart."""

        def scale(looks: Sequence[Any]) -> alt.Scale:
            return alt.Scale(domain=list(shown), range=[looks[self.labels.index(x) % len(looks)] for x in shown])

        if not lines:
            return {
                "color": alt.Color("label:N", title=None, scale=scale(COLOURS)),
                "shape": alt.Shape("label:N", title=None, scale=scale(SHAPES)),
            }
        legend = alt.Legend(symbolType="stroke", symbolSize=900)
        return {
            "color": alt.Color("label:N", title=None, scale=scale(COLOURS), legend=legend),
            "strokeDash": alt.StrokeDash("label:N", title=None, scale=scale(DASHES), legend=legend),
            "strokeWidth": alt.StrokeWidth("label:N", title=None, scale=scale(WIDTHS), legend=legend, sort=list(shown)),
        }


def thin(y: Array, points: int = POINTS) -> Array:
    """Positions of at most `points` of the values y (K,): both ends, and the extremes of equal stretches.

    The first value that is not finite is kept too, so that a curve ends where it broke.
    """
    if len(y) <= points:
        return np.arange(len(y))
    kept = {0, len(y) - 1}
    if (broken := np.flatnonzero(~np.isfinite(y))).size:
        kept.add(int(broken[0]))
    for stretch in np.array_split(np.arange(len(y)), (points - 3) // 2):
        finite = stretch[np.isfinite(y[stretch])]
        if finite.size:
            kept |= {int(finite[np.argmin(y[finite])]), int(finite[np.argmax(y[finite])])}
    return np.array(sorted(kept))


def curves(
    name: str, title: str, series: Series, palette: Palette, *, x_title: str, y_title: str, step: bool = False
) -> Chart:
    """Lines over each other; y is logarithmic where all values are positive and span a factor of 10."""
    finite = np.concatenate([y[np.isfinite(y)] for _, y in series.values()] or [np.zeros(0)])
    is_log = finite.size > 0 and finite.min() > 0 and finite.max() >= 10 * finite.min()
    scale = alt.Scale(type="log") if is_log else alt.Scale(zero=False)
    x = alt.X("x:Q", title=x_title)
    y = alt.Y("y:Q", title=f"{y_title} (log scale)" if is_log else y_title, scale=scale)
    chart = _lines(series, palette, x, y, thinned=thin)
    return Chart(name, title, _spec(chart, title), *_table(series, x_title), notes=_not_finite(series))


def differences(
    name: str, title: str, series: Series, palette: Palette, *, tolerances: Sequence[float], ulp: float
) -> Chart:
    """Relative difference from the reference by step, on a logarithmic axis that has a place for zero.

    `ulp` is the dtype's spacing at the reference's largest value, relative to that value.
    """
    floor = ulp / 8
    shown = {label: (x, np.maximum(y, floor)) for label, (x, y) in series.items()}  # NaN stays NaN
    lines = {f"tolerance {t:.1e}": t for t in tolerances}
    lines |= {"1 ulp": ulp, "0 or < ⅛ ulp": floor}
    top = max([*lines.values(), *(float(np.max(y[np.isfinite(y)], initial=0)) for _, y in shown.values())])
    scale = alt.Scale(type="log", domain=[floor / 2, top * 4], nice=False)
    x = alt.X("x:Q", title="step (square-root scale)", scale=alt.Scale(type="sqrt"), axis=alt.Axis(labelOverlap=True))
    y = alt.Y("y:Q", title="largest difference of a parameter, relative", scale=scale, axis=alt.Axis(format=".0e"))
    limits = alt.Chart(alt.InlineData(values=[{"y": _short(v), "what": what} for what, v in lines.items()]))
    rules = limits.mark_rule(strokeDash=[2, 2], color=COLOURS[0]).encode(y=y)
    names = limits.mark_text(align="left", dx=4, color=COLOURS[0], fontSize=11).encode(
        x=alt.value("width"), y=y, text="what:N"
    )
    chart = alt.layer(rules, names, _lines(shown, palette, x, y, thinned=thin, marked=True))
    same = [label for label, (_, y) in series.items() if not np.any(y)]
    notes = [f"{label}: identical to the last bit at every observed step." for label in same]
    return Chart(name, title, _spec(chart, title), *_table(series, "step"), notes=notes + _not_finite(series))


def trajectories(name: str, title: str, paths: Mapping[str, Array], palette: Palette, model: Quadratic) -> Chart:
    """Paths w (K, 2) over the quadratic's level lines; the window is that of the first path."""
    first = next(iter(paths.values()))
    corners = np.vstack([first[np.isfinite(first).all(axis=1)], model.minimum])
    margin = 0.08 * np.ptp(corners, axis=0) + 1e-12
    low, high = corners.min(axis=0) - margin, corners.max(axis=0) + margin
    axes = [
        axis(f"{letter}:Q", title=f"w[{i}]", scale=alt.Scale(domain=[_short(low[i]), _short(high[i])], nice=False))
        for i, (axis, letter) in enumerate(((alt.X, "x"), (alt.Y, "y")))
    ]
    levels = alt.Chart(alt.InlineData(values=_level_lines(model, first[0])))
    contours = levels.transform_flatten(["x", "y"], as_=["x", "y"]).transform_window(row_number="row_number()")
    ellipses = contours.mark_line(color=COLOURS[0], opacity=0.5, strokeWidth=1, clip=True).encode(
        x=axes[0], y=axes[1], detail="level:Q", order="row_number:Q"
    )
    series = {label: (w[:, 0], w[:, 1]) for label, w in paths.items()}
    lines = _lines(series, palette, axes[0], axes[1], marked=True)
    head = ["step", *(f"{label}: w" for label in paths)]
    rows = [
        [str(step), *(", ".join(map(text, w[step])) if step < len(w) else "" for w in paths.values())]
        for step in _chosen(max(map(len, paths.values())))
    ]
    outside = [label for label, w in paths.items() if not ((w >= low) & (w <= high)).all()]
    notes = [f"{label}: part of the path is outside the picture or not finite." for label in outside]
    return Chart(name, title, _spec(alt.layer(ellipses, lines), title), head, rows, notes)


def forest(name: str, title: str, rows: Sequence[Mapping[str, Any]], palette: Palette) -> Chart:
    """Ratios with intervals by task; the reference's own interval is a band behind each task.

    Every row has task, label, low, middle, high and is_reference.
    """
    # Enough decades of ratio appear together that a linear axis would hide one side of 1.
    scale = alt.Scale(type="log", nice=False, padding=20)
    x = alt.X("low:Q", title="step time / reference's step time (log scale)", scale=scale)
    tasks = list(dict.fromkeys(row["task"] for row in rows))
    y = alt.Y("task:N", title=None, sort=tasks, axis=alt.Axis(labelLimit=400, grid=True))
    labels = [label for label in palette.labels if any(row["label"] == label for row in rows)]
    values = [{key: _short(v) if isinstance(v, float) else v for key, v in row.items()} for row in rows]
    chart = alt.Chart(alt.InlineData(values=values))
    band = chart.transform_filter("datum.is_reference").mark_bar(opacity=0.25, color=COLOURS[0])
    others = chart.transform_filter("!datum.is_reference")
    offset = alt.YOffset("label:N", sort=labels)
    looks = palette.encodings([label for label in labels if any(_is_other(row, label) for row in rows)], lines=False)
    plot = alt.layer(
        band.encode(x=x, x2="high:Q", y=y),
        alt.Chart(alt.InlineData(values=[{"low": 1}])).mark_rule(color=COLOURS[0]).encode(x=x),
        others.mark_rule(strokeWidth=2).encode(x=x, x2="high:Q", y=y, yOffset=offset, color=looks["color"]),
        others.mark_point(filled=True, size=60, opacity=1).encode(x=alt.X("middle:Q"), y=y, yOffset=offset, **looks),
    )
    head = ["task", "backend", "low", "middle", "high"]
    table = [[row["task"], row["label"], *(text(row[key]) for key in head[2:])] for row in rows]
    return Chart(name, title, _spec(plot.properties(height=13 * len(tasks) * len(labels)), title), head, table)


def bars(name: str, title: str, parts: Mapping[str, Mapping[str, float]], unit: str) -> Chart:
    """One stacked bar per label; `parts` maps each label to its parts and their sizes."""
    values = [
        {"label": label, "part": part, "size": _short(size), "order": i}
        for label, sizes in parts.items()
        for i, (part, size) in enumerate(sizes.items())
    ]
    names = list(next(iter(parts.values()), {}))
    colour = alt.Color("part:N", title=None, scale=alt.Scale(domain=names, range=COLOURS[: len(names)]))
    chart = alt.Chart(alt.InlineData(values=values)).mark_bar(height=16)
    plot = chart.encode(
        x=alt.X("size:Q", title=unit),
        y=alt.Y("label:N", title=None, sort=list(parts)),
        color=colour if len(names) > 1 else alt.value(COLOURS[2]),
        order="order:Q",
    )
    head = ["backend", *(f"{part} ({unit})" for part in names)]
    rows = [[label, *(text(size) for size in sizes.values())] for label, sizes in parts.items()]
    return Chart(name, title, _spec(plot.properties(height=26 * len(parts)), title), head, rows)


def text(value: float | None) -> str:
    """A number for people, with 5 significant digits; None is a value that was not finite."""
    return "not finite" if value is None or not np.isfinite(value) else f"{value:.5g}"


def _is_other(row: Mapping[str, Any], label: str) -> bool:
    return row["label"] == label and not row["is_reference"]


def _lines(
    series: Series,
    palette: Palette,
    x: alt.X,
    y: alt.Y,
    *,
    thinned: Callable[[Array], Array] = lambda y: np.arange(len(y)),
    marked: bool = False,
) -> alt.Chart:
    """A line per series in the order of their points, with dots where the points are few."""
    values = []
    for label, (xs, ys) in series.items():
        kept = thinned(ys)
        values.append({"label": label, "x": _values(xs[kept]), "y": _values(ys[kept])})
    points = alt.Chart(alt.InlineData(values=values)).transform_flatten(["x", "y"], as_=["x", "y"])
    dots = marked or max((len(xs) for xs, _ in series.values()), default=0) <= MARKED
    lines = points.transform_window(row_number="row_number()").mark_line(
        clip=True, strokeJoin="round", point=alt.OverlayMarkDef(filled=True, size=25) if dots else False
    )
    return lines.encode(x=x, y=y, order="row_number:Q", **palette.encodings(list(series), lines=True))


def _level_lines(model: Quadratic, start: Array) -> list[dict[str, Any]]:
    """Ellipses on which f is constant, from the start's value down by factors of 4."""
    angle = np.linspace(0, 2 * np.pi, 73)
    circle = np.column_stack([np.cos(angle), np.sin(angle)])  # (73, 2)
    root = np.linalg.cholesky(model.hessian)  # H = L·Lᵀ, so Lᵀ(w - m) runs on a circle of radius √(2f)
    distance = start - model.minimum
    highest = 0.5 * distance @ model.hessian @ distance
    lines = []
    for level in highest / 4.0 ** np.arange(8):
        w = model.minimum + np.sqrt(2 * level) * np.linalg.solve(root.T, circle.T).T  # (73, 2)
        lines.append({"level": _short(level), "x": _values(w[:, 0]), "y": _values(w[:, 1])})
    return lines


def _values(array: Array) -> list[Any]:
    """Whole numbers as they are, others shortened."""
    return array.tolist() if array.dtype.kind == "i" else list(map(_short, array))


def _short(value: float) -> float | None:
    """5 significant digits keep the page small; JSON has no NaN and no inf."""
    return float(f"{value:.5g}") if np.isfinite(value) else None


def _chosen(count: int) -> list[int]:
    """Positions of at most ROWS of `count` rows, both ends included."""
    return np.unique(np.linspace(0, count - 1, min(count, ROWS)).round().astype(int)).tolist()


def _table(series: Series, x_title: str) -> tuple[list[str], list[list[str]]]:
    """Head and rows of the table behind a chart of series, thinned to ROWS rows."""
    every = sorted({value for x, _ in series.values() for value in x.tolist()})
    values = [dict(zip(x.tolist(), y.tolist(), strict=True)) for x, y in series.values()]
    rows = []
    for x in (every[i] for i in _chosen(len(every))):
        rows.append([f"{x:g}", *(text(column[x]) if x in column else "" for column in values)])
    return [x_title, *series], rows


def _not_finite(series: Series) -> list[str]:
    notes = []
    for label, (x, y) in series.items():
        broken = np.flatnonzero(~np.isfinite(y))
        if broken.size:
            notes.append(f"{label}: {broken.size} of {len(y)} values are not finite, the first at {x[broken[0]]:g}.")
    return notes


def _spec(chart: alt.LayerChart | alt.Chart, description: str) -> dict[str, Any]:
    """The chart as JSON that fills its container; Altair checks it against Vega-Lite's schema."""
    return chart.properties(width="container", description=description).to_dict()
