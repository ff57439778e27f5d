"""report.html: one file that opens from disk, with all that a run found."""

import base64
import gzip
import json
import math
import os
import re
import shlex
import statistics
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from importlib import metadata
from itertools import chain
from pathlib import Path
from typing import Any

import jinja2
import numpy as np
from markupsafe import Markup

import guide
import tasks as table
from backends.base import Arrays
from harness import formulas, parity, trace
from harness.plan import DEFAULT
from harness.report import charts, figures, listing, regions, steps, verdict
from harness.report.charts import Chart, Link, Palette, Ratio
from harness.result import Cell, Result, Timing
from tasks.spec import Array, Constant, Function, Network, Task

DRAWN = 40  # of more tasks, only the default ones and the user's own get charts, which keeps the page small

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
    fits: list[Chart] = field(default_factory=list)
    trajectories: list[Chart] = field(default_factory=list)
    boundary: regions.Regions | None = None
    meaning: dict[str, list[str]] = field(default_factory=dict)  # the task in formulas

    is_drawn: bool = True

    @property
    def charts(self) -> list[Chart]:
        """All that are drawn of it."""
        return [*self.losses, *self.differences, *self.mistakes, *self.fits, *self.trajectories]

    @property
    def worst(self) -> float:
        """Its largest relative difference, by which rows can be put in order."""
        found = [figures.worst(cell) for cell in self.compared.values()]
        return max((min(size[0], sys.float_info.max) for size in found if size), default=0.0)

    @property
    def time(self) -> float:
        """Its slowest step time, relative to the reference's."""
        lanes = [figures.lane_of(cell, "run") for cell in self.cells.values()]
        return max(
            (lane.ratio_to_reference[1] for lane in lanes if lane and lane.ratio_to_reference), default=0.0
        )

    @property
    def trained(self) -> Cell | None:
        """The cell whose results stand for the row's: the reference's, or the first."""
        return next((cell for cell in self.cells.values() if cell.metrics), None)

    @property
    def is_timed(self) -> bool:
        return any(cell.timing for cell in self.cells.values())

    @property
    def has_confusion(self) -> bool:
        return any(cell.metrics and cell.metrics.confusion_test for cell in self.cells.values())


def write(result: Result, folder: Path, tasks: Mapping[str, Task]) -> Path:
    """Write report.html into the run's folder, from the result and the folder's traces.

    What needs the task itself is left out for a task that is not in `tasks`.
    Raises `OSError` when a trace cannot be read or the page cannot be written.
    """
    backends = figures.backends(result)
    palette = Palette(backends)
    drawn = _drawn(result)
    rows = [
        _row(name, cells, result, folder, tasks, palette, is_drawn=next(iter(cells.values())).task in drawn)
        for name, cells in figures.table(result).items()
    ]
    timing, cold = list(_timing_charts(result, palette, drawn)), _cold(result, backends)
    html = (
        templates()
        .get_template("page.html")
        .render(
            result=result,
            backends=backends,
            rows=rows,
            groups=_groups(rows, result),
            framework=_framework,
            icons=ICONS,
            figures=figures,
            guide=guide.CARDS,
            describe=parity.describe,
            apart=_apart,
            verdict=verdict.sentence(result),
            statuses=[name for name in figures.STATUSES if any(cell.status == name for cell in result.cells)],
            timing=timing,
            cold=cold,
            listings=_listings(rows, tasks, backends),
            again=shlex.join(result.command),
            command=partial(_command, run=result.command),
            packed=packed([*chain.from_iterable(row.charts for row in rows), *timing, *cold]),
        )
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
    *,
    is_drawn: bool,
) -> Row:
    """Draw a row from its traces, which are forgotten afterwards."""
    compared = {
        backend: cell
        for backend, cell in cells.items()
        if cell.parity and not (figures.is_reference(cell, result) and cell.status == "agreed")
    }
    row = Row(name, _slug(name), next(iter(cells.values())).task, cells, compared, is_drawn=is_drawn)
    task = tasks.get(row.task)
    if task:
        row.shows, row.meaning = task.shows, formulas.describe(task)
    stored = {backend: folder / cell.trace for backend, cell in cells.items() if cell.trace}
    traces = {backend: trace.load(path) for backend, path in stored.items()} if is_drawn else {}
    if traces:
        row.losses = list(_losses(row, traces, palette))
        row.differences = list(_differences(row, traces, result, folder, palette))
        row.mistakes = list(_mistakes(row, traces, palette))
        row.trajectories = list(_trajectories(row, traces, task, palette))
        row.fits = list(_fits(row, traces, task, palette))
    if task and (grids := _grids(traces, task)):
        row.boundary = regions.regions(grids, task)
    return row


def _drawn(result: Result) -> set[str]:
    """The tasks that get charts: all of a few, of many the default ones and the user's own."""
    names = {cell.task for cell in result.cells}
    if len(names) <= DRAWN:
        return names
    return {name for name in names if name not in table.TASKS or DEFAULT in table.TASKS[name].tags}


def _groups(rows: Sequence[Row], result: Result) -> dict[str, list[Row]]:
    """Each row once, under the title of the first concept that its task belongs to."""
    found: dict[str, list[Row]] = {}
    for row in rows:
        titles = (concept.title for concept in result.concepts if row.task in concept.tasks)
        found.setdefault(next(titles, figures.OTHERS), []).append(row)
    return found


def _grids(traces: Mapping[str, Arrays], task: Task) -> dict[str, Array]:
    """The scores on the plane, of backends that show them as the task has them: (P,), or (P, C)."""
    outputs = task.model.loss.outputs if isinstance(task.model, Network) else 1
    shape = (trace.GRID**2, outputs)[: 1 if outputs == 1 else 2]
    return {
        backend: arrays["predict_grid"]
        for backend, arrays in traces.items()
        if "predict_grid" in arrays and arrays["predict_grid"].shape == shape
    }


def _losses(row: Row, traces: Mapping[str, Arrays], palette: Palette) -> Iterator[Chart]:
    """By epoch, by step where an epoch has several, and on the rows that are watched."""
    several = any(len(arrays["loss"]) > len(arrays["epoch_loss"]) for arrays in traces.values())
    for kind, title, of in (
        ("loss", "Loss by epoch", "epoch_loss"),
        ("steps", "Loss by step", "loss" if several else ""),
        ("validation", "Loss on the validation rows by epoch", "validation_loss"),
    ):
        series = _series(traces, of)
        x_title = "step" if of == "loss" else "epoch"
        if series:
            link = Link(row.slug, 1.0 if of == "loss" else _steps_per_epoch(traces))
            name = f"{kind}-{row.slug}"
            yield charts.curves(name, title, series, palette, x_title=x_title, y_title="loss", link=link)


def _steps_per_epoch(traces: Mapping[str, Arrays]) -> float:
    """Of the longest run: all have the same batches."""
    longest = max(traces.values(), key=lambda arrays: len(arrays["loss"]))
    return max(1.0, len(longest["loss"]) / max(1, len(longest["epoch_loss"])))


def _series(traces: Mapping[str, Arrays], name: str) -> dict[str, tuple[Array, Array]]:
    """What the backends recorded under this name, over 1, 2, 3 and so on; nothing of those without any."""
    found = {backend: arrays[name] for backend, arrays in traces.items() if name in arrays}
    return {backend: (np.arange(1, len(y) + 1), y) for backend, y in found.items() if len(y)}


def _differences(
    row: Row, traces: Mapping[str, Arrays], result: Result, folder: Path, palette: Palette
) -> Iterator[Chart]:
    """Of the parameters, by step.  The reference may be in another row: that of its own dtype."""
    found = [cell for cell in result.cells if cell.task == row.task and figures.is_reference(cell, result)]
    others = {backend: arrays for backend, arrays in traces.items() if row.cells[backend] not in found}
    if not (others and found and found[0].trace):
        return
    desired = trace.load(folder / found[0].trace)
    if not len(desired["observed_steps"]):  # it diverged at once
        return
    dtype = next(iter(row.cells.values())).dtype
    reference = _framework(result.reference)
    for name, title, prefix in (
        ("difference", f"Difference from {reference} by step", ""),
        ("single", f"Difference of single steps from {reference}'s own states", parity.LOCAL),
    ):
        series = {backend: steps.difference(arrays, desired, prefix) for backend, arrays in others.items()}
        tolerances = steps.tolerances(desired, dtype, prefix)
        yield charts.differences(
            f"{name}-{row.slug}",
            title,
            series,
            palette,
            tolerances=tolerances,
            eps=float(np.finfo(dtype).eps),
            reference=reference,
            link=Link(row.slug, 1.0, picks=True),
        )


def _mistakes(row: Row, traces: Mapping[str, Arrays], palette: Palette) -> Iterator[Chart]:
    if series := _series(traces, "mistakes"):
        title = "Mistakes by epoch"
        yield charts.curves(
            f"mistakes-{row.slug}", title, series, palette, x_title="epoch", y_title="mistakes"
        )


def _trajectories(
    row: Row, traces: Mapping[str, Arrays], task: Task | None, palette: Palette
) -> Iterator[Chart]:
    """The w of a function: over its level lines where there are two coordinates, else by step."""
    if not task or not isinstance(task.model, Function):
        return
    name, size = f"trajectory-{row.slug}", task.model.dimensions
    paths = {
        backend: arrays["param/w"]
        for backend, arrays in traces.items()
        if "param/w" in arrays and arrays["param/w"].shape[1:] == (size,) and len(arrays["param/w"])
    }
    if paths and size == 2:
        yield charts.trajectories(name, "Path of w over the level lines", paths, palette, task.model)
    elif paths and size == 1:
        series = {backend: (traces[backend]["observed_steps"], w[:, 0]) for backend, w in paths.items()}
        yield charts.curves(name, "w by step", series, palette, x_title="step", y_title="w")


def _fits(row: Row, traces: Mapping[str, Arrays], task: Task | None, palette: Palette) -> Iterator[Chart]:
    """What a regression makes of its one feature."""
    is_regression = task and isinstance(task.model, Network) and task.model.loss.classes is None
    if not task or not task.data or not is_regression or task.data.features != 1:
        return
    x, order = task.data.x_train[:, 0], np.argsort(task.data.x_train[:, 0])
    series = {
        backend: (x[order], arrays["predict_train"][order])
        for backend, arrays in traces.items()
        if "predict_train" in arrays and arrays["predict_train"].shape == x.shape
    }
    if series:
        title = "Training rows, and what is predicted for them"
        yield charts.fit(f"fit-{row.slug}", title, (x, task.data.y_train), series, palette)


def _timing_charts(result: Result, palette: Palette, drawn: set[str]) -> Iterator[Chart]:
    for lane in figures.lanes(result):
        ratios = []
        for cell in result.cells:
            if cell.task in drawn and (found := figures.lane_of(cell, lane)):
                is_again = lane == "run" and figures.is_reference(cell, result)
                low, middle, high = found.ratio_to_reference
                ratios.append(Ratio(cell.task, cell.backend, low, middle, high, is_again))
        if ratios:
            title = f"Step time in {lane} relative to the run of {_framework(result.reference)}"
            yield charts.forest(f"ratios-{lane}", title, ratios, palette)


def _cold(result: Result, backends: Sequence[str]) -> list[Chart]:
    """What a backend costs before its steps are steady: medians over its cells."""
    timings = {
        b: [cell.timing for cell in result.cells if cell.backend == b and cell.timing] for b in backends
    }
    timed = {backend: found for backend, found in timings.items() if found}
    if not timed:
        return []
    phases = {backend: _phases(found) for backend, found in timed.items()}
    memory = {backend: _memory(found) for backend, found in timed.items()}
    return [
        charts.bars("cold", "Before the first result: median over the tasks", phases, "seconds"),
        charts.bars("memory", "Memory of the worker's process: median over the tasks", memory, "MB"),
    ]


def _memory(timings: Sequence[Timing]) -> dict[str, float]:
    """What comes on top of what was there before."""
    return {
        "importing": statistics.median(t.import_rss_mb for t in timings),
        "building, two steps": statistics.median(max(0.0, t.built_rss_mb - t.import_rss_mb) for t in timings),
        "a block": statistics.median(max(0.0, t.peak_rss_mb - t.built_rss_mb) for t in timings),
    }


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
    """Schedules and optimizers, each kind of model, and losses, with the tasks that use them."""
    known = {row.task: tasks[row.task] for row in rows if row.task in tasks}
    users: dict[str, list[str]] = {"Optimizer": [row.task for row in rows]}
    for name, task in known.items():
        users.setdefault(task.model.program, []).append(name)
    scheduled = [name for name, task in known.items() if not isinstance(task.schedule, Constant)]
    users |= {"Schedule": scheduled} if scheduled else {}
    listings = [
        _listing(name, names, listing.side_by_side(name, backends), backends) for name, names in users.items()
    ]
    if "Network" in users:
        files = listing.files("loss.py", backends)
        listings.append(_listing("Losses and activations", users["Network"], files, backends))
    return listings


def _listing(
    name: str, users: Sequence[str], members: Mapping[str, Mapping[str, Markup]], backends: Sequence[str]
) -> dict[str, Any]:
    columns = [backend for backend in backends if any(backend in member for member in members.values())]
    return {"name": name, "tasks": users, "members": members, "columns": columns}


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


def _apart(value: float | None, other: float | None) -> str:
    """A number with as many digits as tell it from another, and two more."""
    if value is None or other is None or not (np.isfinite(value) and np.isfinite(other)):
        return charts.text(value)
    gap, size = abs(value - other), max(abs(value), abs(other))
    digits = 2 + math.ceil(math.log10(size / gap)) if gap else 5
    return f"{value:.{min(17, max(5, digits))}g}"


def _slug(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")


def packed(drawn: Iterable[Chart]) -> str:
    """The charts' specs and the scripts that draw them, for page.js: JSON, gzip, base64."""
    content = {"library": vega(), "charts": {chart.name: chart.spec for chart in drawn}}
    plain = json.dumps(content, allow_nan=False, ensure_ascii=False, separators=(",", ":"))
    return base64.b64encode(gzip.compress(plain.encode(), mtime=0)).decode()


def vega() -> str:
    """Vega, Vega-Lite and Vega-Embed as one script, kept for the next page: it takes a second to make."""
    kept = _user_cache() / "samestep" / f"vega-{metadata.version('vl-convert-python')}.js"
    try:
        bundle = kept.read_text(encoding="utf-8")
    except OSError:
        bundle = _bundle()
        with suppress(OSError):  # no place to keep it
            kept.parent.mkdir(parents=True, exist_ok=True)
            trace.write(kept, bundle.encode())
    return bundle


def _bundle() -> str:
    import vl_convert  # here: once per version and user

    bundle: str = vl_convert.javascript_bundle("window.vegaEmbed = vegaEmbed")
    return bundle


def _user_cache() -> Path:
    """Where programs keep what can be made again; a folder that cannot be, where there is no home."""
    return Path(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"))  # noqa: PTH111  never raises


def templates() -> jinja2.Environment:
    """Everything that a template shows is escaped, JSON included."""
    found = jinja2.Environment(
        loader=jinja2.PackageLoader("harness.report", "."),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    found.filters |= {"duration": _duration, "text": charts.text, "slug": _slug}
    return found


def _duration(seconds: float) -> str:
    for unit, size in (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6)):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds / 1e-9:.3g} ns"
