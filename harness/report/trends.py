"""Charts of two runs and of many: factors between two, and what changed from run to run.

Each is another look at a chart of `charts`, from which it has what the page expects of every chart.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from harness.changes import Time
from harness.report import charts
from harness.report.charts import ALONE, COLOURS, ONLY, Chart, Palette, Ratio, Spec

FLOOR = 1e-17  # where a logarithmic axis has its zero: below every difference of float64
TALL = 300
RUN: Spec = {
    "field": "run",
    "type": "ordinal",
    "title": "run",
    "axis": {"labelAngle": 0, "labelOverlap": True},
}
Interval = tuple[float, float, float]  # low, middle, high


def factors(
    name: str,
    title: str,
    rows: Mapping[str, Sequence[Time]],
    table: list[list[str]],
    palette: Palette,
    *,
    band: float,
    notes: list[str],
) -> Chart:
    """Factors with their intervals by row; the band around 1 is where nothing is called a change.

    The table may have more than is drawn; its last column says what is made of each.
    """
    reference = palette.labels[0]
    ratios = [Ratio(row, reference, 1 - band, 1.0, 1 + band, is_reference=True) for row in rows]
    ratios += [
        Ratio(row, time.backend, time.factor[0], time.factor[1], time.factor[2], is_reference=False)
        for row, times in rows.items()
        for time in times
    ]
    chart = charts.forest(name, title, ratios, palette, of="after ÷ before")
    slower, faster = (sum(row[-1] == word for row in table) for word in ("slower", "faster"))
    said = f"{slower} of {len(table)} became slower, {faster} faster."
    head = ["task", "backend", "low", "middle", "high", "said"]
    return replace(chart, head=head, rows=table, caption=said, notes=notes)


def stacked(name: str, title: str, parts: Mapping[int, Mapping[str, float]], unit: str, said: str) -> Chart:
    """A column for each run, of the same parts, which have the colours in their order."""
    chart = charts.bars(name, title, {str(run): sizes for run, sizes in parts.items()}, unit)
    names = list(next(iter(parts.values())))
    values = [
        {"run": run, "part": part, "size": size, "order": i}
        for run, sizes in parts.items()
        for i, (part, size) in enumerate(sizes.items())
        if size
    ]
    colour: Spec = {"value": COLOURS[2]}
    if len(names) > 1:
        scale = {"domain": names, "range": COLOURS[: len(names)]}
        colour = {"field": "part", "type": "nominal", "title": None, "scale": scale, "legend": {"columns": 3}}
    size = {"field": "size", "type": "quantitative", "title": unit}
    spec = _redrawn(
        chart,
        data={"values": values},
        mark={"type": "bar", "width": {"band": 0.7}},
        encoding={
            "x": RUN,
            "y": size,
            "color": colour,
            "order": {"field": "order", "type": "quantitative"},
            "tooltip": [{"field": "run", "type": "ordinal"}, {"field": "part", "type": "nominal"}, size],
        },
    )
    return replace(chart, spec=spec, head=["run", *chart.head[1:]], caption=said)


def lines(
    name: str,
    title: str,
    series: Mapping[str, Mapping[int, Interval]],
    runs: Sequence[int],
    palette: Palette,
    *,
    y_title: str,
    said: str,
    floor: float = 0.0,
) -> Chart:
    """A line for each backend over the runs that have it, with an interval where it is not a point.

    What is less than `floor` is drawn there.
    """
    middles = {
        label: (np.array(list(of)), np.array([max(middle, floor) for _, middle, _ in of.values()]))
        for label, of in series.items()
    }
    chart = charts.curves(name, title, middles, palette, x_title="run", y_title=y_title)
    values = [
        {"label": label, "run": run, "low": max(low, floor), "y": max(y, floor), "high": max(high, floor)}
        for label, found in series.items()
        for run, (low, y, high) in found.items()
    ]
    y_axis = {
        "field": "y",
        "type": "quantitative",
        "title": f"{y_title} (log scale)",
        "scale": {"type": "log", "nice": False, "padding": 12},
        "axis": {"format": "~g" if not floor else ".0e"},
    }
    looks = palette.marks(list(series))
    x = RUN | {"scale": {"domain": list(runs)}}
    side_by_side = {"field": "label", "type": "nominal", "sort": list(series)}
    place = {"x": x, "xOffset": side_by_side, "color": looks["color"], "opacity": ALONE}
    ends = {"y": y_axis | {"field": "low"}, "y2": {"field": "high"}}
    told = [{"field": field, "type": "nominal"} for field in ("label", "run", "low", "y", "high")]
    spec = _redrawn(
        chart,
        data={"values": values},
        layer=[
            {"mark": {"type": "rule", "strokeWidth": 2}, "encoding": place | ends},
            {"mark": {"type": "line", "strokeWidth": 2}, "encoding": place | {"y": y_axis}},
            {
                "params": [ONLY],
                "mark": {"type": "point", "filled": True, "size": 60},
                "encoding": place | {"y": y_axis, "shape": looks["shape"], "tooltip": told},
            },
        ],
    )
    rows = [[str(run), *(_words(of.get(run)) for of in series.values())] for run in runs]
    return replace(chart, spec=spec, head=["run", *series], rows=rows, caption=said)


def _words(found: Interval | None) -> str:
    if found is None:
        return "–"
    low, middle, high = (f"{value:.3g}" for value in found)
    return middle if low == high else f"{middle} ({low}–{high})"


def _redrawn(chart: Chart, **parts: Any) -> Spec:
    """Other marks in the same frame."""
    drawing = ("data", "transform", "mark", "encoding", "layer", "height")
    frame = {key: value for key, value in chart.spec.items() if key not in drawing}
    return {**frame, "height": TALL, **parts}
