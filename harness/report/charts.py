"""The page's charts: thinned, rounded data in Vega-Lite specs, each with a caption, a picture and a table.

A spec is JSON: an encoding says which field of the data an axis or a look shows, a layer is one kind of
mark.  See https://vega.github.io/vega-lite/docs/spec.html.

A series is a pair of arrays x (K,), y (K,) under its label, which is a backend's name.  A label has
the same colour, dash, width and marker in every chart.  Series often coincide to the last bit: later
ones are drawn thinner and on top, so that each stays visible as a rim around the next.

The page sets three parameters of a chart: `shown`, the labels to show, null for all; `marked`, an x at
which a line stands, below 0 for none; `upto`, the last step of a path.  A click on the legend leaves one
label alone.
"""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from markupsafe import Markup

from harness.report import captions, pictures
from harness.report.pictures import Axis
from harness.report.verdict import TITLES
from tasks.spec import Array, Function, Quadratic

SCHEMA = "https://vega.github.io/schema/vega-lite/v6.json"
HEIGHT = 300  # of a chart that says nothing else
POINTS = 300  # of a curve in a chart: its extremes every 4 pixels
ROWS = 12  # of a table behind a chart
LABELS = 8  # of an axis that spans many powers of ten
HUGE = 1e300  # numbers that a chart's axis cannot round up
WILD = 1e3  # times the median: so far from most numbers that these could not be seen
FAR = 4  # times the value at the start: a path that leads there has left the picture
MARKED = 60  # curves of up to so many points get a dot at each

# Okabe and Ito's colours, which colour-blind readers can tell apart, with grey for their black: it shows
# on a light and on a dark page.
COLOURS = ("#767676", "#D55E00", "#0072B2", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
DASHES = ([1, 0], [24, 3], [15, 4], [8, 4], [3, 3], [1, 3], [15, 3, 3, 3])
WIDTHS = (6, 4.75, 3.5, 2.5, 1.5, 1.25, 1.25)
SHAPES = ("circle", "square", "diamond", "triangle-up", "cross", "triangle-down", "stroke")

# Points are joined in the order in which they are stored.
IN_ORDER = {"window": [{"op": "row_number", "as": "row_number"}]}
# Labels are backends, which are written as their people write them.
TITLED = f"{json.dumps(TITLES)}[datum.label] || datum.label"
SHOWN = {"filter": "!isValid(shown) || indexof(shown, datum.label) >= 0"}

Series = Mapping[str, tuple[Array, Array]]
Spec = dict[str, Any]  # Vega-Lite, or a part of it


@dataclass(frozen=True)
class Chart:
    """One figure: a Vega-Lite spec, the table of its numbers, and what must be said in words."""

    name: str  # its id in the page
    title: str
    spec: Spec
    head: list[str]
    rows: list[list[str]]
    caption: str  # what it shows, in a sentence
    picture: Markup  # without scripts
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Link:
    """What a chart has to do with the steps of a row: where one is chosen in a chart, others mark it."""

    row: str
    steps: float  # that one unit of x stands for
    picks: bool = False  # a click chooses a step


@dataclass(frozen=True)
class Ratio:
    """A step time over the reference's: mean and interval."""

    task: str
    label: str
    low: float
    middle: float
    high: float
    is_reference: bool


class Palette:
    """The looks of every label of a run, in the order of the report's columns."""

    def __init__(self, labels: Sequence[str]) -> None:
        self.labels = list(labels)

    def lines(self, shown: Sequence[str]) -> Spec:
        """Colour, dash and width of the labels shown in one chart."""
        legend = {"symbolType": "stroke", "symbolSize": 900}
        return {
            "color": self._look(shown, COLOURS, **legend),
            "strokeDash": self._look(shown, DASHES, **legend),
            "strokeWidth": self._look(shown, WIDTHS, **legend, sort=list(shown)),
        }

    def pens(self) -> dict[str, tuple[str, float]]:
        """Colour and width of every label, for a picture."""
        places = {label: i % len(COLOURS) for i, label in enumerate(self.labels)}
        return {label: (COLOURS[i], WIDTHS[i]) for label, i in places.items()}

    def marks(self, shown: Sequence[str]) -> Spec:
        """Colour and marker of the labels shown in one chart."""
        return {"color": self._look(shown, COLOURS), "shape": self._look(shown, SHAPES)}

    def _look(self, shown: Sequence[str], looks: Sequence[Any], sort: Any = None, **legend: Any) -> Spec:
        chosen = [looks[self.labels.index(label) % len(looks)] for label in shown]
        scale = {"type": "ordinal", "domain": list(shown), "range": chosen}
        order = {"sort": sort} if sort else {}
        return _word("label", title=None, scale=scale, legend={**legend, "labelExpr": TITLED}, **order)


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
    name: str,
    title: str,
    series: Series,
    palette: Palette,
    *,
    x_title: str,
    y_title: str,
    link: Link | None = None,
) -> Chart:
    """Lines over each other; y is on the scale on which most of them can be seen."""
    kind, scale, axis = _scaled(np.concatenate([y[np.isfinite(y)] for _, y in series.values()]))
    x = _number("x", title=x_title)
    y = _number("y", title=f"{y_title}{kind}", scale=scale, axis=axis)
    spec = _spec(title, link=link, layer=[_lines(series, palette, x, y), *_mark(x, link, series)])
    picture = _picture(title, series, palette, x, y)
    caption = captions.curves(series, x_title, y_title)
    return Chart(name, title, spec, *_table(series, x_title), caption, picture, notes=_not_finite(series))


def _picture(title: str, series: Series, palette: Palette, x: Spec, y: Spec) -> Markup:
    """The same curves on axes that reach as far as they do, or as the chart's."""
    right, up = (np.concatenate([found[i] for found in series.values()]) for i in (0, 1))
    return pictures.lines(title, series, _axis(x, right), _axis(y, up), palette.pens())


def _axis(encoding: Spec, values: Array) -> Axis:
    scale = encoding.get("scale", {})
    kind = scale.get("type", "linear")
    if "domain" in scale:
        low, high = scale["domain"]
        return Axis(encoding["title"], low, high, kind)
    return pictures.axis(encoding["title"], values, kind)


def _scaled(values: Array) -> tuple[str, Spec, Spec]:
    """Logarithmic where all are positive and span a factor of 10; on both sides of 0 where some are huge."""
    largest = float(np.abs(values).max(initial=0.0))
    is_nice = largest < HUGE  # else the next round number would be infinite
    if values.size and values.min() > 0 and values.max() >= 10 * values.min():
        return " (log scale)", {"type": "log", "nice": is_nice}, {"format": "~g"}
    if values.size and largest >= WILD * max(1.0, float(np.median(np.abs(values)))):
        powers = 10.0 ** np.linspace(0, np.floor(np.log10(largest)), 4).round()[1:]
        axis = {"values": [*-powers, 0, *powers], "format": "~g"}
        return " (log scale on both sides of 0)", {"type": "symlog", "nice": False}, axis
    return "", {"zero": False}, {}


def fit(name: str, title: str, points: tuple[Array, Array], series: Series, palette: Palette) -> Chart:
    """Rows with one feature (N,) and their targets (N,), and what each backend predicts for them."""
    x = _number("x", title="feature", scale={"zero": False})
    y = _number("y", title="target", scale={"zero": False})
    rows = [{"x": _short(right), "y": _short(up)} for right, up in zip(*points, strict=True)]
    marks = {
        "data": {"values": rows},
        "mark": {"type": "point", "color": COLOURS[0], "opacity": 0.6},
        "encoding": {"x": x, "y": y},
    }
    spec = _spec(title, layer=[marks, _lines(series, palette, x, y)])
    head, table = _table({"target": points, **series}, "feature")
    caption = captions.fit(series)
    return Chart(
        name, title, spec, head, table, caption, _picture(title, series, palette, x, y), _not_finite(series)
    )


def differences(
    name: str,
    title: str,
    series: Series,
    palette: Palette,
    *,
    tolerances: tuple[Array, Array, Array],
    eps: float,
    reference: str = "the reference",
    link: Link | None = None,
) -> Chart:
    """Relative differences by step, on a logarithmic axis that has a place for zero.

    `tolerances` are steps (K,) and there the lowest and the highest of any parameter, drawn as a band.
    """
    floor = eps / 8
    shown = {label: (x, np.maximum(y, floor)) for label, (x, y) in series.items()}  # NaN stays NaN
    steps, low, high = tolerances
    sizes = np.concatenate([[eps], low, high, *(y for _, y in shown.values())])
    top = 4 * float(np.max(sizes[np.isfinite(sizes)]))
    x = _number("x", title="step (square-root scale)", scale={"type": "sqrt"}, axis={"labelOverlap": True})
    y = _number(
        "y",
        title="largest difference of a parameter, relative",
        scale={"type": "log", "domain": [floor / 2, top], "nice": False},
        axis={"format": ".0e", "values": _powers(floor / 2, top)},
    )
    lines = [{"y": _short(eps), "what": "eps"}, {"y": _short(floor), "what": "0 or < ⅛ eps"}]
    rules = {
        "data": {"values": lines},
        "mark": {"type": "rule", "strokeDash": [2, 2], "color": COLOURS[0]},
        "encoding": {"y": y},
    }
    names = {
        "data": {"values": [*lines, {"y": _short(min(high[-1], top)), "what": "tolerance"}]},
        "mark": {"type": "text", "align": "left", "dx": 4},
        "encoding": {"x": {"value": "width"}, "y": y, "text": _word("what")},
    }
    band = _band(steps, low, np.minimum(high, top), x, y)
    drawn = _lines(shown, palette, x, y, dotted=True, picks=bool(link and link.picks))
    spec = _spec(title, link=link, layer=[band, rules, names, drawn, *_mark(x, link, series)])
    head, table = _table({**series, "lowest tolerance": (steps, low), "highest": (steps, high)}, "step")
    caption = captions.differences(series, (steps, high), eps, reference)
    return Chart(
        name, title, spec, head, table, caption, _picture(title, shown, palette, x, y), _not_finite(series)
    )


def _powers(low: float, high: float) -> list[float]:
    """Few powers of ten between two numbers, equally far apart."""
    first, last = math.ceil(math.log10(low)), math.floor(math.log10(high))
    stride = math.ceil((last - first + 1) / LABELS)
    return [float(f"1e{power}") for power in range(first, last + 1, stride)]


def _band(steps: Array, low: Array, high: Array, x: Spec, y: Spec) -> Spec:
    """What is inside is within some tolerances and out of others; a line, where they are the same."""
    kept = thin(high)
    bounds = {"x": _values(steps[kept]), "low": _values(low[kept]), "y": _values(high[kept])}
    line = {"color": COLOURS[0], "strokeWidth": 1.5}
    return {
        "data": {"values": [bounds]},
        "transform": [{"flatten": list(bounds)}],
        "mark": {"type": "area", "color": COLOURS[0], "opacity": 0.4, "line": line, "clip": True},
        "encoding": {"x": x, "y": y, "y2": {"field": "low"}},
    }


def trajectories(
    name: str, title: str, paths: Mapping[str, Array], palette: Palette, model: Function
) -> Chart:
    """Paths w (K, 2) over the function's level lines; the window is that of the first path.

    Where that path leads far away, the window has what is not much higher than its start.
    """
    first = next(iter(paths.values()))
    highest = float(model.values(first[:1])[0])
    with np.errstate(over="ignore", invalid="ignore"):
        near = model.values(first) <= FAR * highest  # (K,) False where it is not finite
    corners = np.vstack([first[near], model.minimum])
    margin = 0.08 * np.ptp(corners, axis=0) + 1e-12
    low, high = corners.min(axis=0) - margin, corners.max(axis=0) + margin
    x, y = (
        _number(field, title=f"w[{i}]", scale={"domain": [_short(low[i]), _short(high[i])], "nice": False})
        for i, field in enumerate("xy")
    )
    ellipses = {
        "data": {"values": _level_lines(model, highest)},
        "transform": [{"flatten": ["x", "y"]}, IN_ORDER],
        "mark": {"type": "line", "color": COLOURS[0], "opacity": 0.5, "strokeWidth": 1, "clip": True},
        "encoding": {"x": x, "y": y, "detail": _number("level"), "order": _number("row_number")},
    }
    series = {label: (w[:, 0], w[:, 1]) for label, w in paths.items()}
    last = max(map(len, paths.values())) - 1
    lines = _lines(series, palette, x, y, dotted=True, by_step=True)
    slider = {"input": "range", "min": 0, "max": last, "step": 1, "name": "up to step "}
    head = ["step", *(f"{_title(label)}: w" for label in paths)]
    rows = [
        [str(step), *(", ".join(map(text, w[step])) if step < len(w) else "" for w in paths.values())]
        for step in _chosen(max(map(len, paths.values())))
    ]
    outside = [label for label, w in paths.items() if not ((w >= low) & (w <= high)).all()]
    notes = [f"{_title(label)}: part of the path is outside the picture or not finite." for label in outside]
    spec = _spec(title, layer=[ellipses, lines], params=[{"name": "upto", "value": last, "bind": slider}])
    caption = captions.paths(paths, model.minimum)
    return Chart(name, title, spec, head, rows, caption, _picture(title, series, palette, x, y), notes)


def forest(
    name: str, title: str, ratios: Sequence[Ratio], palette: Palette, *, of: str = "× reference"
) -> Chart:
    """Ratios `of` something, with their intervals by task; the reference's to itself is a band behind."""
    tasks = list(dict.fromkeys(ratio.task for ratio in ratios))
    shown = {ratio.label for ratio in ratios if not ratio.is_reference}
    labels = [label for label in palette.labels if label in shown]
    values = [{key: _short(v) if isinstance(v, float) else v for key, v in asdict(r).items()} for r in ratios]
    scale = {"type": "log", "nice": False, "padding": 20}
    x = _number("low", title=f"{of} (log scale)", scale=scale)
    x2, middle = {"field": "high"}, _number("middle")
    y = _word("task", title=None, sort=tasks, axis={"grid": True})
    looks = palette.marks(labels)
    own = {"y": y, "yOffset": _word("label", sort=labels), "color": looks["color"]}
    band = {
        "transform": [{"filter": "datum.is_reference"}],
        "mark": {"type": "bar", "opacity": 0.25, "color": COLOURS[0]},
        "encoding": {"x": x, "x2": x2, "y": y},
    }
    one = {
        "data": {"values": [{"low": 1}]},
        "mark": {"type": "rule", "color": COLOURS[0]},
        "encoding": {"x": x},
    }
    fields = ("task", "label", "low", "middle", "high")
    told = [_word(f, title="backend" if f == "label" else f) for f in fields]
    intervals = {
        "transform": [{"filter": "!datum.is_reference"}, SHOWN],
        "mark": {"type": "rule", "strokeWidth": 2},
        "encoding": {**own, "x": x, "x2": x2, "tooltip": told, "opacity": ALONE},
    }
    points = {
        "transform": [{"filter": "!datum.is_reference"}, SHOWN],
        "params": [ONLY],
        "mark": {"type": "point", "filled": True, "size": 60},
        "encoding": {**own, "x": middle, "shape": looks["shape"], "tooltip": told, "opacity": ALONE},
    }
    height = 13 * len(tasks) * (len(labels) or 1)
    bands = [band] if any(ratio.is_reference for ratio in ratios) else []
    spec = _spec(title, data={"values": values}, layer=[*bands, one, intervals, points], height=height)
    head = ["task", "backend", "low", "middle", "high"]
    table = [[r.task, _title(r.label), text(r.low), text(r.middle), text(r.high)] for r in ratios]
    pens, reach = palette.pens(), np.array([[r.low, r.high] for r in ratios])
    marks = [
        [(r.low, r.middle, r.high, pens[r.label][0]) for r in ratios if r.task == task] for task in tasks
    ]
    key = [(_title(label), pens[label][0]) for label in palette.labels if label in shown]
    across = pictures.axis(f"{of} (log scale)", reach.ravel(), "log")
    picture = pictures.rows(title, tasks, marks, across, key)
    caption = captions.ratios([(r.label, r.middle) for r in ratios if not r.is_reference])
    return Chart(name, title, spec, head, table, caption, picture)


def growth(
    name: str,
    title: str,
    series: Series,
    palette: Palette,
    *,
    x_title: str,
    y_title: str,
    levels: Mapping[str, float] | None = None,
) -> Chart:
    """Sizes and what they come to, both on a logarithmic axis; `levels` are drawn across, by their names."""
    scale = {"type": "log", "nice": False, "padding": 12}
    every = sorted({float(value) for x, _ in series.values() for value in x})
    x = _number("x", title=f"{x_title} (log scale)", scale=scale, axis={"values": every, "format": "~s"})
    y = _number("y", title=f"{y_title} (log scale)", scale=scale, axis={"format": "~g"})
    values = [
        {"label": label, "x": _short(right), "y": _short(up)}
        for label, points in series.items()
        for right, up in zip(*points, strict=True)
    ]
    looks = palette.marks(list(series))
    own = {"x": x, "y": y, "color": looks["color"], "opacity": ALONE}
    told = [_word("label", title="backend"), _number("x", title=x_title), _number("y", title=y_title)]
    layer = [
        {"transform": [SHOWN], "mark": {"type": "line", "strokeWidth": 2}, "encoding": own},
        {
            "transform": [SHOWN],
            "params": [ONLY],
            "mark": {"type": "point", "filled": True, "size": 70},
            "encoding": {**own, "shape": looks["shape"], "tooltip": told},
        },
    ]
    if levels:
        layer = [*_across(levels, y), *layer]
    spec = _spec(title, data={"values": values}, layer=layer, height=320)
    caption = captions.growth(series, x_title)
    return Chart(name, title, spec, *_table(series, x_title), caption, _picture(title, series, palette, x, y))


def _across(levels: Mapping[str, float], y: Spec) -> list[Spec]:
    """A line across the chart at each level, with its name above."""
    data = {"values": [{"y": _short(value), "what": what} for what, value in levels.items()]}
    return [
        {
            "data": data,
            "mark": {"type": "rule", "strokeDash": [6, 3], "color": COLOURS[0]},
            "encoding": {"y": y},
        },
        {
            "data": data,
            "mark": {"type": "text", "align": "left", "baseline": "bottom", "dx": 4, "dy": -2},
            "encoding": {"x": {"value": 0}, "y": y, "text": _word("what")},
        },
    ]


def bars(name: str, title: str, parts: Mapping[str, Mapping[str, float]], unit: str) -> Chart:
    """One stacked bar per label; `parts` maps each label to its parts and their sizes."""
    values = [
        {"label": label, "part": part, "size": _short(size), "order": i}
        for label, sizes in parts.items()
        for i, (part, size) in enumerate(sizes.items())
    ]
    names = list(next(iter(parts.values()), {}))
    colour = _word("part", title=None, scale={"domain": names, "range": COLOURS[: len(names)]})
    spec = _spec(
        title,
        data={"values": values},
        mark={"type": "bar", "height": 16},
        encoding={
            "x": _number("size", title=unit),
            "y": _word("label", title=None, sort=list(parts), axis={"labelExpr": TITLED}),
            "color": colour if len(names) > 1 else {"value": COLOURS[2]},
            "order": _number("order"),
            "tooltip": [_word("label", title="backend"), _word("part"), _number("size", title=unit)],
        },
        height=26 * len(parts),
    )
    head = ["backend", *(f"{part} ({unit})" for part in names)]
    rows = [[_title(label), *(text(size) for size in sizes.values())] for label, sizes in parts.items()]
    ends = [np.cumsum([0.0, *sizes.values()]) for sizes in parts.values()]
    marks = [
        [(float(ends_[i]), np.nan, float(ends_[i + 1]), COLOURS[i]) for i in range(len(ends_) - 1)]
        for ends_ in ends
    ]
    longest = max((float(found[-1]) for found in ends), default=1.0)
    key = list(zip(names, COLOURS, strict=False)) if len(names) > 1 else []
    shown = list(map(_title, parts))
    picture = pictures.rows(title, shown, marks, Axis(unit, 0.0, longest), key)
    return Chart(name, title, spec, head, rows, captions.bars(parts, unit), picture)


def text(value: float | None) -> str:
    """A number for people, with 5 significant digits; None is a value that was not finite."""
    return "not finite" if value is None or not np.isfinite(value) else f"{value:.5g}"


# A click on the legend leaves one label; what is not chosen fades.
ONLY = {"name": "only", "select": {"type": "point", "fields": ["label"]}, "bind": "legend"}
ALONE = {"condition": {"param": "only", "value": 1}, "value": 0.06}
CHOSEN = {"name": "chosen", "select": {"type": "point", "nearest": True, "on": "click", "encodings": ["x"]}}


def _lines(
    series: Series,
    palette: Palette,
    x: Spec,
    y: Spec,
    *,
    dotted: bool = False,
    by_step: bool = False,
    picks: bool = False,
) -> Spec:
    """A line per series in the order of its points, with dots where they are few or `dotted`.

    Over each point lies one that cannot be seen, which tells its numbers and can be clicked on.  With
    `by_step`, a point knows its step, and those after the parameter `upto` are left out.
    """
    values: list[Spec] = []
    for label, (xs, ys) in series.items():
        kept = thin(ys)
        points = {"x": _values(xs[kept]), "y": _values(ys[kept])} | (
            {"step": kept.tolist()} if by_step else {}
        )
        if values and points.items() <= values[-1].items():  # neighbours that look the same are stored once
            values[-1]["label"].append(label)
        else:
            values.append({"label": [label], **points})
    dots = dotted or max((len(xs) for xs, _ in series.values()), default=0) <= MARKED
    point = {"filled": True, "size": 25} if dots else False
    told = [_word("label", title="backend"), _number("x", title=x["title"]), _number("y", title=y["title"])]
    place = {"x": x, "y": y}
    line = {
        "params": [ONLY],
        "mark": {"type": "line", "clip": True, "strokeJoin": "round", "point": point},
        "encoding": {
            **place,
            "order": _number("row_number"),
            **palette.lines(list(series)),
            "opacity": ALONE,
        },
    }
    hover = {
        "params": [CHOSEN] if picks else [],
        "mark": {"type": "point", "size": 120, "opacity": 0, "clip": True},
        "encoding": {**place, "tooltip": [*told, _number("step")] if by_step else told},
    }
    fields = ["x", "y", "step"] if by_step else ["x", "y"]
    cut = [{"filter": "datum.step <= upto"}] if by_step else []
    return {
        "data": {"values": values},
        "transform": [{"flatten": ["label"]}, SHOWN, {"flatten": fields}, *cut, IN_ORDER],
        "layer": [line, hover],
    }


def _mark(x: Spec, link: Link | None, series: Series) -> list[Spec]:
    """A line at the parameter `marked`, which the page sets where a step is chosen; until then, not seen."""
    if link is None:
        return []
    first = min((float(xs[0]) for xs, _ in series.values() if len(xs)), default=0.0)
    look = {"opacity": {"expr": "marked >= 0 ? 1 : 0"}}
    words = {"value": {"expr": f"'step ' + round(marked * {link.steps})"}}
    rule = {
        "mark": {"type": "rule", "strokeWidth": 1.5, "strokeDash": [4, 2], **look},
        "encoding": {"x": x},
    }
    name = {
        "mark": {"type": "text", "align": "left", "baseline": "top", "dx": 4, **look},
        "encoding": {"x": x, "y": {"value": 0}, "text": words},
    }
    here = {"calculate": f"marked >= 0 ? marked : {first}", "as": "x"}
    return [{"data": {"values": [{}]}, "transform": [here], "layer": [rule, name]}]


def _level_lines(model: Function, highest: float) -> list[Spec]:
    """Closed lines on which f is constant, from a value down by factors of 4."""
    angle = np.linspace(0, 2 * np.pi, 73 if isinstance(model, Quadratic) else 361)  # others are bent
    circle = np.column_stack([np.cos(angle), np.sin(angle)])  # (points, 2)
    lines = []
    for level in highest / 4.0 ** np.arange(8):
        w = _from_circle(model, np.sqrt(level) * circle)
        lines.append({"level": _short(level), "x": _values(w[:, 0]), "y": _values(w[:, 1])})
    return lines


def _from_circle(model: Function, points: Array) -> Array:
    """The w (N, 2) at which f is the squared length of each of the points (N, 2)."""
    if isinstance(model, Quadratic):
        root = np.linalg.cholesky(model.hessian)  # H = L·Lᵀ, so f = ½·‖Lᵀ(w - m)‖²
        return model.minimum + np.sqrt(2) * np.linalg.solve(root.T, points.T).T
    first = 1 - points[:, 0]  # (1 - w₁)² is the one square, steepness·(w₂ - w₁²)² the other
    with np.errstate(divide="ignore", invalid="ignore"):  # no lines are closed where it is not steep at all
        return np.column_stack([first, first**2 + points[:, 1] / np.sqrt(model.steepness)])


def _values(array: Array) -> list[Any]:
    """Whole numbers as they are, others shortened."""
    return array.tolist() if array.dtype.kind == "i" else list(map(_short, array))


def _short(value: float) -> float | None:
    """5 significant digits keep the page small; JSON has no NaN and no inf."""
    return float(f"{value:.5g}") if np.isfinite(value) else None


def _chosen(count: int) -> list[int]:
    """Positions of at most ROWS of `count` rows, both ends included."""
    return [int(i) for i in np.linspace(0, count - 1, min(count, ROWS)).round()]


def _table(series: Series, x_title: str) -> tuple[list[str], list[list[str]]]:
    """Head and rows of the table behind a chart of series, thinned to ROWS rows."""
    every = sorted({value for x, _ in series.values() for value in x.tolist()})
    values = [dict(zip(x.tolist(), y.tolist(), strict=True)) for x, y in series.values()]
    chosen = [every[i] for i in _chosen(len(every))]
    rows = [[f"{x:g}", *(text(column[x]) if x in column else "" for column in values)] for x in chosen]
    return [x_title, *map(_title, series)], rows


def _not_finite(series: Series) -> list[str]:
    notes = []
    for label, (x, y) in series.items():
        broken = np.flatnonzero(~np.isfinite(y))
        if broken.size:
            count = f"{broken.size} of {len(y)} values are not finite"
            notes.append(f"{_title(label)}: {count}, the first at {x[broken[0]]:g}.")
    return notes


def _title(label: str) -> str:
    """A backend as its people write it."""
    return TITLES.get(label, label)


def _number(field: str, **more: Any) -> Spec:
    """A field of numbers, as an axis or a look shows it."""
    return {"field": field, "type": "quantitative", **more}


def _word(field: str, **more: Any) -> Spec:
    """A field of names, likewise."""
    return {"field": field, "type": "nominal", **more}


def _spec(
    description: str,
    *,
    height: int = HEIGHT,
    link: Link | None = None,
    params: Sequence[Spec] = (),
    **parts: Any,
) -> Spec:
    """The whole chart, which fills its container's width."""
    settable = [
        {"name": "shown", "value": None},
        *([{"name": "marked", "value": -1}] if link else []),
        *params,
    ]
    meta = {"usermeta": asdict(link)} if link else {}
    look = {"$schema": SCHEMA, "description": description, "width": "container", "height": height}
    return {**look, "params": settable, **meta, **parts}
