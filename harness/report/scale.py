"""A sweep over sizes, as tables in a terminal, as scale.json and as a page."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
from rich import box
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from harness import trace
from harness.report import charts, figures, page, verdict
from harness.report.charts import Chart, Palette
from harness.result import BROKEN, encode
from harness.scale.conduct import step_times
from harness.scale.line import COSTS, MISS
from harness.scale.outcome import Axis, Crossover, Fit, Gap, Pair, Peak, Place, Point, Scale
from harness.timing import ROUNDS

LOG_LINES = 5
UNITS = {"s": 1.0, "ms": 1e-3, "µs": 1e-6, "ns": 1e-9, "ps": 1e-12}
HEADS = {
    "step": "a step",
    "call": "a call",
    "layer": "a layer",
    "activation": "an activation",
    "flop": "a FLOP",
}
KINDS = {"network": "networks", "bowl": "quadratics"}
METHOD = (
    "FLOPs are those of the matrix products of a step: 2·batch·in·out for a layer forward, the same for its "
    "weights' gradient, and the same for the delta of every layer but the first; of a quadratic 2·D². "
    "Biases, activations, the loss and the optimizer's update are left out."
)
LINE = (
    "The step time of a network is taken for a sum: so much a step, a layer, an output of a hidden unit "
    "(activation) and a FLOP, which alone would come to so many GFLOP/s; of a quadratic so much a step, a "
    "call and a FLOP. Least squares of relative differences, no cost below zero; 95 % intervals by "
    "resampling rounds. How far the points are off is told by the median and the worst of them; a line that "
    f"is more than {MISS:.0%} off is called no fit."
)


def write(found: Scale, out: Path) -> list[str]:
    """Write scale.json and report.html; what could not be written."""
    files: dict[str, Callable[[], bytes]] = {
        "scale.json": partial(encode, found),
        "report.html": partial(html, found),
    }
    problems = []
    for name, content in files.items():
        try:
            trace.write(out / name, content())
        except OSError as error:
            problems.append(f"{out / name} could not be written: {error.strerror or error}")
    return problems


def html(found: Scale) -> bytes:
    """The page: charts with their tables, costs, crossovers, and what was not timed."""
    parts = {count: _part(found, count) for count in found.threads}
    drawn = [chart for part in parts.values() for _, axis_charts in part["axes"] for chart in axis_charts]
    text = (
        page.templates()
        .get_template("scale.html")
        .render(
            found=found,
            sentence=sentence(found),
            parts=parts,
            peaks=[_peak(peak) for peak in found.peaks],
            gaps=_reasons(found),
            method=METHOD,
            line=LINE,
            remarks=_remarks(found),
            threads=_threads,
            packed=page.packed(drawn),
        )
    )
    return text.encode()


def _part(found: Scale, threads: int) -> dict[str, Any]:
    """What the page shows of one number of threads."""
    axes = {axis.name: _charts(found, axis, threads) for axis in found.axes}
    return {
        "axes": [(axis, axes[axis.name]) for axis in found.axes if axes[axis.name]],
        "fits": [(KINDS[kind], *_fit_table(found, kind, threads)) for kind in KINDS],
        "crossovers": {axis.name: list(_crossovers(found, axis, threads)) for axis in found.axes},
    }


# ------------------------------------------------------------------------------------ terminal


def print_scale(found: Scale, console: Console, out: Path) -> None:
    """Print times, costs and crossovers at each number of threads; then reasons, and a sentence."""
    for threads in found.threads:
        for axis in found.axes:
            _print_axis(found, axis, threads, console)
        for kind, title in KINDS.items():
            head, rows = _fit_table(found, kind, threads)
            if rows:
                _print_table(f"What a step costs, {title}, {_threads(threads)}", head, rows, console)
                console.print()
    console.print(Text(f"{METHOD}\n{LINE}"))
    console.print()
    for peak in found.peaks:
        console.print(Text(_peak(peak)))
    for remark in _remarks(found):
        console.print(Text(remark))
    for reason, cells, log in _reasons(found):
        console.print(Text.assemble((reason, "bold"), f" ({cells})"))
        if log:
            console.print(Text(log, style="dim"))
    console.print(Text(sentence(found), style="bold"))
    console.print(Text(f"Report: {out / 'report.html'}"), soft_wrap=True)


def _print_axis(found: Scale, axis: Axis, threads: int, console: Console) -> None:
    head, rows = _axis_table(found, axis, threads)
    if rows:
        what = "Step time · GFLOP/s" if _has_speed(found, axis) else "Step time"
        title = f"{what} by {axis.unit}: {axis.kept}, {_threads(threads)}"
        _print_table(title, head, rows, console)
    for words in _crossovers(found, axis, threads):
        console.print(Padding(Text(words), (0, 0, 0, 2)))
    console.print()


def _print_table(title: str, head: Sequence[str], rows: Sequence[Sequence[str]], console: Console) -> None:
    console.print(Text(title, style="bold"))
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, padding=(0, 0))
    for name in head:
        table.add_column(name, justify="right")
    for row in rows:
        table.add_row(*map(Text, row))
    console.print(table)


# --------------------------------------------------------------------------------------- words


def sentence(found: Scale) -> str:
    """How many cells there were, and which were not timed."""
    total = sum(found.statuses.values())
    timed = total - sum(gap.lane is None for gap in found.gaps)
    bad = ", ".join(
        f"{count} {status}" for status, count in found.statuses.items() if status in ("diverged", *BROKEN)
    )
    return f"{timed} of {total} cells compared and timed{f'; {bad}' if bad else ''}."


def _remarks(found: Scale) -> list[str]:
    """What to know before believing the times."""
    noisy = {point.task for point in found.points if any(point.disturbed)}
    remarks = [f"Indicative only: {found.rounds} rounds."] if found.rounds < ROUNDS else []
    remarks += [f"Other processes disturbed some rounds of {len(noisy)} of {len(found.work)} tasks."] * bool(
        noisy
    )
    return remarks


def _threads(count: int) -> str:
    return f"{count} thread{'' if count == 1 else 's'}"


def _framework(backend: str) -> str:
    return verdict.TITLES.get(backend, backend)


def _peak(peak: Peak) -> str:
    best, before, after = map(figures.digits, (peak.gflops, peak.before, peak.after))
    return (
        f"Peak on {_threads(peak.threads)}, NumPy's product of two float64 matrices of {peak.size} × "
        f"{peak.size}: {best} GFLOP/s (before the sweep {before}, after it {after})."
    )


def _reasons(found: Scale) -> list[tuple[str, str, str]]:
    """Why something was not timed, each reason once, with what it concerns and the last of a log."""
    grouped: dict[str, list[Gap]] = {}
    for gap in found.gaps:
        why = figures.plain(gap.reason or figures.NO_REASON)
        grouped.setdefault(why if gap.lane else f"{gap.status}: {why}", []).append(gap)
    return [
        (why, ", ".join(dict.fromkeys(map(_gap_name, gaps))), _log(gaps[0])) for why, gaps in grouped.items()
    ]


def _gap_name(gap: Gap) -> str:
    lane = f" in {gap.lane}" if gap.lane else ""
    more = "" if gap.threads == 1 else f", {_threads(gap.threads)}"
    return f"{gap.task} × {gap.backend}{lane}{more}"


def _log(gap: Gap) -> str:
    return "\n".join(figures.plain(gap.details or "").strip().splitlines()[-LOG_LINES:])


def _crossovers(found: Scale, axis: Axis, threads: int) -> Iterator[str]:
    """Who overtakes whom along an axis; then who is faster throughout, and of whom it cannot be told."""
    pairs = [pair for pair in found.pairs if (pair.axis, pair.threads) == (axis.name, threads)]
    yield from (_crossing(one, axis) for pair in pairs for one in pair.crossovers)
    if not all(pair.crossovers for pair in pairs):
        other = "No other" if any(pair.crossovers for pair in pairs) else "No"
        yield f"{other} crossover from {axis.places[0].size} to {axis.places[-1].size} {axis.unit}."
    slower: dict[str, list[str]] = {}
    for pair in pairs:
        if pair.faster and _is_told(pair):
            slower.setdefault(pair.faster, []).append(_slower(pair, axis))
    yield from (f"{_framework(name)} is faster than {', '.join(others)}." for name, others in slower.items())
    yield from (_not_told(pair, axis) for pair in pairs if not pair.crossovers and not _is_told(pair))


def _crossing(one: Crossover, axis: Axis) -> str:
    low, middle, high = (_rounded(size, 2) for size in one.size)
    return (
        f"{_framework(one.overtaking)} overtakes {_framework(one.overtaken)} at {middle} {axis.unit} "
        f"({low}–{high})."
    )


def _is_told(pair: Pair) -> bool:
    """Whether it is decided at half of the sizes at least which of two is faster."""
    return 2 * len(pair.undecided) <= len(pair.sizes)


def _slower(pair: Pair, axis: Axis) -> str:
    """The slower of two, and where that cannot be said."""
    (name,) = [_framework(name) for name in pair.backends if name != pair.faster]
    return f"{name} (not told at {axis.name} {_sizes(pair.undecided)})" if pair.undecided else name


def _not_told(pair: Pair, axis: Axis) -> str:
    names = " and ".join(map(_framework, pair.backends))
    if not pair.faster:
        return f"{names} cannot be told apart at any size."
    told = [size for size in pair.sizes if size not in pair.undecided]
    return (
        f"{names} can only be told apart at {axis.name} {_sizes(told)}: {_framework(pair.faster)} is faster."
    )


def _sizes(sizes: Sequence[int]) -> str:
    return ", ".join(map(str, sizes))


def _rounded(value: float, digits: int) -> str:
    return f"{float(f'{value:.{digits}g}'):g}"


def seconds(value: float) -> str:
    """Three digits and a unit, down to picoseconds."""
    unit = next((unit for unit, size in UNITS.items() if value >= size), "ps")
    return f"{figures.digits(value / UNITS[unit])} {unit}" if value else "0"


# -------------------------------------------------------------------------------------- tables


def _measured(found: Scale, place: Place, threads: int) -> dict[str, Point]:
    """The points at this place, by backend."""
    return {
        point.backend: point
        for point in found.points
        if (point.task, point.lane, point.threads) == (place.task, place.lane, threads)
    }


def _time(point: Point) -> float:
    """Median seconds per step."""
    return float(np.median(step_times(point)))


def _speed(point: Point, found: Scale) -> float:
    """GFLOP/s."""
    return found.work[point.task].flops / _time(point) / 1e9


def _backends(found: Scale) -> list[str]:
    timed = {point.backend for point in found.points}
    return [backend for backend in found.backends if backend in timed]


def _has_speed(found: Scale, axis: Axis) -> bool:
    """Whether products of matrices are what is done: a quadratic's waits for memory."""
    return all(found.work[place.task].layers for place in axis.places)


def _axis_table(found: Scale, axis: Axis, threads: int) -> tuple[list[str], list[list[str]]]:
    """A row per size, a column per backend."""
    rows = []
    for place in axis.places:
        points = _measured(found, place, threads)
        cells = [_words(points[backend], found) if backend in points else "–" for backend in _backends(found)]
        if points:
            rows.append([str(place.size), _flops(found.work[place.task].flops), *cells])
    return [axis.name, "FLOPs", *_backends(found)], rows


def _flops(count: int) -> str:
    """As "5.09M"."""
    unit, size = next(((unit, size) for unit, size in (("M", 1e6), ("k", 1e3)) if count >= size), ("", 1))
    return f"{count / size:.3g}{unit}"


def _words(point: Point, found: Scale) -> str:
    """Step time, and of a network GFLOP/s."""
    time, speed = seconds(_time(point)), _speed(point, found)
    return f"{time} · {_digits(speed)}" if found.work[point.task].layers else time


def _digits(speed: float) -> str:
    return f"{speed:.0f}" if speed >= 1 else f"{speed:.1g}"


def _fit_table(found: Scale, kind: str, threads: int) -> tuple[list[str], list[list[str]]]:
    """A row per backend: each cost with its interval, and how far the line is off."""
    fits = [fit for fit in found.fits if (fit.kind, fit.threads) == (kind, threads)]
    head = ["backend", *(HEADS[cost] for cost in COSTS[kind]), "GFLOP/s", "off", "worst"]
    return head, [_fit_row(fit) for fit in fits]


def _fit_row(fit: Fit) -> list[str]:
    worst = f"{fit.worst_miss:.0%}{'' if fit.is_good else ' does not fit'}"
    costs = [_cost(interval) for interval in fit.costs_s.values()]
    return [fit.backend, *costs, _slope(fit), f"{fit.median_miss:.0%}", worst]


def _slope(fit: Fit) -> str:
    """What a backend would come to in GFLOP/s if a step cost nothing but its FLOPs."""
    cost = fit.costs_s["flop"][1]
    return _digits(1e-9 / cost) if cost else "–"


def _cost(interval: list[float]) -> str:
    """The middle, and the interval in the same unit."""
    low, middle, high = interval
    unit = next((unit for unit, size in UNITS.items() if middle >= size), None)
    if unit is None:
        return f"0 (0–{seconds(high)})" if high else "0"
    ends = (_rounded(value / UNITS[unit], 3) for value in (low, high))
    return f"{seconds(middle)} ({'–'.join(ends)})"


# -------------------------------------------------------------------------------------- charts


def _charts(found: Scale, axis: Axis, threads: int) -> list[Chart]:
    """Step time, and of networks how near to the machine's peak, by size."""
    palette, name = Palette(found.backends), f"{axis.name}-{threads}"
    times = _series(found, axis, threads, lambda point: 1e6 * _time(point))
    if not times:
        return []
    title = f"Step time by {axis.unit}"
    drawn = [charts.growth(f"time-{name}", title, times, palette, x_title=axis.unit, y_title="µs a step")]
    if _has_speed(found, axis):
        speeds = _series(found, axis, threads, partial(_speed, found=found))
        title = f"GFLOP/s by {axis.unit}"
        peak = {
            f"peak of {_threads(threads)}": peak.gflops for peak in found.peaks if peak.threads == threads
        }
        drawn += [
            charts.growth(
                f"speed-{name}", title, speeds, palette, x_title=axis.unit, y_title="GFLOP/s", levels=peak
            )
        ]
    return drawn


def _series(
    found: Scale, axis: Axis, threads: int, value: Callable[[Point], float]
) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Sizes, and there this value, by backend."""
    measured = {place.size: _measured(found, place, threads) for place in axis.places}
    labels = dict.fromkeys(chain.from_iterable(measured.values()))
    of = {
        label: {size: value(points[label]) for size, points in measured.items() if label in points}
        for label in labels
    }
    return {label: (np.array(list(values)), np.array(list(values.values()))) for label, values in of.items()}
