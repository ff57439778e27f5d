"""report.html: one file that opens from disk, with all that a run found."""

import re
import shlex
import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, partial
from pathlib import Path
from typing import Any

import jinja2
import numpy as np
import vl_convert
from altair.utils.schemapi import debug_mode
from markupsafe import Markup

from backends.base import Arrays
from harness import formulas, parity, trace
from harness.report import charts, figures, listing, regions, steps, verdict
from harness.report.charts import Chart, Palette, Ratio
from harness.result import Cell, Result, Timing
from tasks.spec import Array, Quadratic, Task

# A sign beside the word, so that a status is seen at a glance without colour.
ICONS = {
    "agreed": "✓",
    "diverged": "✗",
    "known difference": "≈",
    "inconclusive": "?",
    "unsupported": "–",
    "missing": "○",
    "failed": "!",
    "timed out": "◷",
    "crashed": "✸",
}


@dataclass
class Row:
    """One row of the matrix with its pictures: a task, at one placement."""

    name: str
    slug: str  # for the ids of the page
    task: str
    cells: dict[str, Cell]  # by backend
    compared: dict[str, Cell]  # those with differences to show: not the reference, which is itself
    shows: str = ""
    losses: list[Chart] = field(default_factory=list)
    differences: list[Chart] = field(default_factory=list)
    mistakes: list[Chart] = field(default_factory=list)
    trajectories: list[Chart] = field(default_factory=list)
    boundary: regions.Regions | None = None
    meaning: dict[str, list[str]] = field(default_factory=dict)  # the task in formulas

    @property
    def is_timed(self) -> bool:
        return any(cell.timing for cell in self.cells.values())

    @property
    def has_confusion(self) -> bool:
        return any(cell.metrics and cell.metrics.confusion_test for cell in self.cells.values())


@debug_mode(False)  # tests hold every chart against Vega-Lite's schema: here it would take a second
def write(result: Result, folder: Path, tasks: Mapping[str, Task]) -> Path:
    """Write report.html into the run's folder, from the result and the folder's traces.

    What needs the task itself is left out for a task that is not in `tasks`.
    Raises `OSError` when a trace cannot be read or the page cannot be written.
    """
    backends = figures.backends(result)
    palette = Palette(backends)
    rows = [
        _row(name, cells, result, folder, tasks, palette) for name, cells in figures.table(result).items()
    ]
    template = _templates().get_template("page.html")
    html = template.render(
        result=result,
        backends=backends,
        rows=rows,
        framework=_framework,
        icons=ICONS,
        figures=figures,
        describe=parity.describe,
        verdict=verdict.sentence(result),
        timing=_timing_charts(result, palette),
        cold=_cold(result, backends),
        listings=_listings(rows, tasks, backends),
        command=partial(_command, run=result.command),
        script=_vega(),
    )
    path = folder / "report.html"
    trace.write(path, html.encode())
    return path


def _row(
    name: str,
    cells: dict[str, Cell],
    result: Result,
    folder: Path,
    tasks: Mapping[str, Task],
    palette: Palette,
) -> Row:
    """Draw a row from its traces, which are forgotten afterwards."""
    compared = {
        backend: cell
        for backend, cell in cells.items()
        if cell.parity and not (figures.is_reference(cell, result) and cell.status == "agreed")
    }
    row = Row(name, _slug(name), next(iter(cells.values())).task, cells, compared)
    task = tasks.get(row.task)
    if task:
        row.shows, row.meaning = task.shows, formulas.describe(task)
    traces = {backend: trace.load(folder / cell.trace) for backend, cell in cells.items() if cell.trace}
    if traces:
        row.losses = list(_losses(row, traces, palette))
        row.differences = list(_differences(row, traces, result, folder, palette))
        row.mistakes = list(_mistakes(row, traces, palette))
        row.trajectories = list(_trajectories(row, traces, task, palette))
    grids = {backend: arrays["predict_grid"] for backend, arrays in traces.items() if _has_grid(arrays)}
    if grids and task:
        row.boundary = regions.regions(grids, task)
    return row


def _has_grid(arrays: Arrays) -> bool:
    return "predict_grid" in arrays and arrays["predict_grid"].shape == (trace.GRID**2,)


def _losses(row: Row, traces: Mapping[str, Arrays], palette: Palette) -> Iterator[Chart]:
    """By epoch, and by step where an epoch has several."""
    series = {backend: _numbered(arrays["epoch_loss"]) for backend, arrays in traces.items()}
    yield charts.curves(f"loss-{row.slug}", "Loss by epoch", series, palette, x_title="epoch", y_title="loss")
    if any(len(arrays["loss"]) > len(arrays["epoch_loss"]) for arrays in traces.values()):
        series = {backend: _numbered(arrays["loss"]) for backend, arrays in traces.items()}
        yield charts.curves(
            f"steps-{row.slug}", "Loss by step", series, palette, x_title="step", y_title="loss"
        )


def _differences(
    row: Row, traces: Mapping[str, Arrays], result: Result, folder: Path, palette: Palette
) -> Iterator[Chart]:
    """Of the parameters, by step.  The reference may be in another row: that of its own dtype."""
    found = [cell for cell in result.cells if cell.task == row.task and figures.is_reference(cell, result)]
    others = {backend: arrays for backend, arrays in traces.items() if row.cells[backend] not in found}
    if not (others and found and found[0].trace):
        return
    desired = trace.load(folder / found[0].trace)
    dtype = next(iter(row.cells.values())).dtype
    reference = _framework(result.reference)
    for name, title, prefix in (
        ("difference", f"Difference from {reference} by step", ""),
        ("single", f"Difference of single steps from {reference}'s own states", parity.LOCAL),
    ):
        series = {backend: steps.difference(arrays, desired, prefix) for backend, arrays in others.items()}
        tolerances = steps.tolerances(desired, dtype, prefix)
        eps = float(np.finfo(dtype).eps)
        yield charts.differences(f"{name}-{row.slug}", title, series, palette, tolerances=tolerances, eps=eps)


def _mistakes(row: Row, traces: Mapping[str, Arrays], palette: Palette) -> Iterator[Chart]:
    series = {
        backend: _numbered(arrays["mistakes"]) for backend, arrays in traces.items() if "mistakes" in arrays
    }
    if series:
        title = "Mistakes by epoch"
        yield charts.curves(
            f"mistakes-{row.slug}", title, series, palette, x_title="epoch", y_title="mistakes"
        )


def _trajectories(
    row: Row, traces: Mapping[str, Arrays], task: Task | None, palette: Palette
) -> Iterator[Chart]:
    """A quadratic's w: over its level lines where there are two coordinates, else by step."""
    if not task or not isinstance(task.model, Quadratic):
        return
    name, size = f"trajectory-{row.slug}", len(task.model.minimum)
    paths = {
        backend: arrays["param/w"]
        for backend, arrays in traces.items()
        if "param/w" in arrays and arrays["param/w"].shape[1:] == (size,)
    }
    if paths and size == 2:
        yield charts.trajectories(name, "Path of w over the level lines", paths, palette, task.model)
    elif paths and size == 1:
        series = {backend: (traces[backend]["observed_steps"], w[:, 0]) for backend, w in paths.items()}
        yield charts.curves(name, "w by step", series, palette, x_title="step", y_title="w")


def _numbered(y: Array) -> tuple[Array, Array]:
    """A series over 1, 2, 3 and so on."""
    return np.arange(1, len(y) + 1), y


def _timing_charts(result: Result, palette: Palette) -> list[Chart]:
    ratios = []
    for cell in result.cells:
        if cell.timing and cell.timing.ratio_to_reference:
            low, middle, high = cell.timing.ratio_to_reference
            is_reference = figures.is_reference(cell, result)
            ratios.append(Ratio(cell.task, cell.backend, low, middle, high, is_reference))
    return [charts.forest("ratios", "Step time relative to the reference", ratios, palette)] if ratios else []


def _cold(result: Result, backends: Sequence[str]) -> list[Chart]:
    """What a backend costs before its steps are steady: medians over its cells."""
    timings = {
        b: [cell.timing for cell in result.cells if cell.backend == b and cell.timing] for b in backends
    }
    timed = {backend: found for backend, found in timings.items() if found}
    if not timed:
        return []
    phases = {backend: _phases(found) for backend, found in timed.items()}
    memory = {backend: {"peak": max(t.peak_rss_mb for t in found)} for backend, found in timed.items()}
    return [
        charts.bars("cold", "Before the first result: median over the tasks", phases, "seconds"),
        charts.bars("memory", "Highest memory of the worker's process", memory, "MB"),
    ]


def _phases(timings: Sequence[Timing]) -> dict[str, float]:
    return {
        "start": statistics.median(t.start_s for t in timings),
        "import": statistics.median(t.import_s for t in timings),
        "build": statistics.median(t.build_s for t in timings),
        "first step": statistics.median(t.first_step_s for t in timings),
    }


def _listings(
    rows: Sequence[Row], tasks: Mapping[str, Task], backends: Sequence[str]
) -> list[dict[str, Any]]:
    """The optimizers, then each kind of model, with the tasks that use it."""
    users: dict[str, list[str]] = {"Optimizer": [row.task for row in rows]}
    for row in rows:
        if row.task in tasks:
            users.setdefault(type(tasks[row.task].model).__name__, []).append(row.task)
    listings = []
    for name, names in users.items():
        members = listing.side_by_side(name, backends)
        columns = [backend for backend in backends if any(backend in member for member in members.values())]
        listings.append({"name": name, "tasks": names, "members": members, "columns": columns})
    return listings


def _framework(backend: str) -> str:
    """How its people write it."""
    return verdict.TITLES.get(backend, backend)


def _command(cell: Cell, run: Sequence[str]) -> str:
    """What runs this cell again; the whole run's command tells the files of the user's own."""
    files = [word for word in run if word.endswith(f"{cell.backend}.py")]
    words = ["python", "-m", "harness", "run", "-t", cell.task, "-b", *(files or [cell.backend])]
    if "--tasks-from" in run:
        words += run[(at := run.index("--tasks-from")) : at + 2]
    for option, usual in (("dtype", "float64"), ("device", "cpu"), ("threads", 1)):
        if (value := getattr(cell, option)) != usual:
            words += [f"--{option}", str(value)]
    return shlex.join(words)


def _slug(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")


@cache
def _vega() -> Markup:
    """Vega, Vega-Lite and Vega-Embed as one script, which takes a second to make."""
    bundle = vl_convert.javascript_bundle("window.vegaEmbed = vegaEmbed")
    safe = bundle.replace("</script", r"<\/script")  # which would end the element
    return Markup(safe)  # noqa: S704  our own scripts, from a package


def _templates() -> jinja2.Environment:
    """Everything that a template shows is escaped, JSON included."""
    found = jinja2.Environment(
        loader=jinja2.PackageLoader("harness.report", "."),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    found.policies["json.dumps_kwargs"] = {
        "separators": (",", ":"),
        "allow_nan": False,
        "ensure_ascii": False,
    }
    found.filters |= {"duration": _duration, "text": charts.text, "slug": _slug}
    return found


def _duration(seconds: float) -> str:
    for unit, size in (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6)):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds / 1e-9:.3g} ns"
