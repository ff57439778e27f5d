"""Charts of two runs: factors between them.

Each is another look at a chart of `charts`, from which it has what the page expects of every chart.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from harness.changes import Time
from harness.report import charts
from harness.report.charts import Chart, Palette, Ratio


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
    chart = charts.forest(name, title, ratios, palette)
    spec = _retitled(chart.spec, "step time ÷ reference's (log scale)", "after ÷ before (log scale)")
    slower, faster = (sum(row[-1] == word for row in table) for word in ("slower", "faster"))
    said = f"{slower} of {len(table)} became slower, {faster} faster."
    head = ["task", "backend", "low", "middle", "high", "said"]
    return replace(chart, spec=spec, head=head, rows=table, caption=said, notes=notes)


def _retitled(part: Any, old: str, new: str) -> Any:
    """A spec in which an axis has another title."""
    if isinstance(part, dict):
        return {
            key: new if (key, value) == ("title", old) else _retitled(value, old, new)
            for key, value in part.items()
        }
    return [_retitled(value, old, new) for value in part] if isinstance(part, list) else part
