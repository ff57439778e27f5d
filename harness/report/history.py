"""The trend of many runs, in a terminal and as a page."""

import os
import textwrap
from collections.abc import Callable, Iterator, Sequence
from itertools import chain
from pathlib import Path
from urllib.parse import quote

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from harness import trace
from harness.changes import Setting
from harness.history import Drift, Entry, History
from harness.report import figures, page, trends
from harness.report.changes import are, counted, framework, names, percent
from harness.report.charts import Chart, Palette

WIDE = 150  # from so many columns on, all is one table
NAMED = 5  # so many settings are named
ARROWS = {"slower": " ↑", "faster": " ↓"}
# Under which head an end is counted in the tables; charts have all of them.
HEADS = {
    "agreed": "agreed",
    "known difference": "known",
    "inconclusive": "cannot tell",
    "diverged": "diverged",
    "broken": "broken",
}
METHOD = (
    "A ratio is the median over the tasks of a backend's step time in `run` to the reference's, with the "
    "medians of its interval's ends; an arrow marks what became slower (↑) or faster (↓) since the run "
    "before, by the test of `compare`, and below them from the first run to the last."
)

WORDS = ("started", "folder", "changed since the run before")  # the heads of what is no number

Column = tuple[str, Callable[[Entry], str]]


# ------------------------------------------------------------------------------------- terminal


def print_history(found: History, console: Console) -> None:
    """Print a row per run, in as many tables as fit beside each other; then remarks and a sentence."""
    parts = _parts(found)
    for columns in [[*chain.from_iterable(parts)]] if console.width >= WIDE else parts:
        _print_table(columns, found, console)
        console.print()
    for remark in [*remarks(found), *([METHOD] if _timed(found) else [])]:
        console.print(
            Text(
                "\n".join(
                    textwrap.wrap(figures.plain(remark), max(console.width, 40), break_on_hyphens=False)
                )
            )
        )
    console.print(Text(sentence(found), style="bold"))


def _print_table(columns: Sequence[Column], found: History, console: Console) -> None:
    has_trend = any(_trend_of(found, name) for name, _ in columns)
    gap = int(console.width >= WIDE)  # beside the column that there is anyway
    table = Table(box=box.SIMPLE, show_edge=False, padding=(0, gap, 0, 0), show_footer=has_trend)
    for name, _ in [NUMBER, *columns]:
        table.add_column(
            name if name in WORDS else name.replace(" ", "\n"),
            footer=_trend_of(found, name),
            justify="left" if name in WORDS else "right",
            no_wrap=name not in ("folder", WORDS[-1]),
            overflow="fold",
        )
    for entry in found.entries:
        table.add_row(*(Text(figures.plain(value(entry))) for _, value in [NUMBER, *columns]))
    console.print(table)


def _trend_of(found: History, name: str) -> str:
    """What stands below a backend's ratios: by how much they changed from the first run to the last."""
    drift = found.drifts.get(name)
    return f"{100 * (drift.factor[1] - 1):+.1f} %{ARROWS.get(drift.word, '')}" if drift else ""


# --------------------------------------------------------------------------------------- tables


NUMBER: Column = ("#", lambda entry: str(entry.number))


def _parts(found: History) -> list[list[Column]]:
    """What the tables have beside the run's number: verdicts, times, what changed."""
    verdicts: list[Column] = [
        ("started", lambda entry: _short(entry.started)),
        ("cells", lambda entry: str(entry.cells)),
        *((head, _count_of(end)) for end, head in HEADS.items()),
        ("not explained", lambda entry: str(entry.not_explained)),
        ("worst", lambda entry: figures.number(max(entry.worst.values())) if entry.worst else "–"),
    ]
    times: list[Column] = [(backend, _ratio_of(backend)) for backend in _timed(found)]
    changed: list[Column] = [
        ("folder", lambda entry: entry.folder),
        (WORDS[-1], lambda entry: _settings(entry.changed)),
    ]
    return [part for part in (verdicts, times, changed) if part]


def _count_of(end: str) -> Callable[[Entry], str]:
    return lambda entry: str(entry.ends[end])


def _ratio_of(backend: str) -> Callable[[Entry], str]:
    return lambda entry: _ratio(entry, backend)


def _ratio(entry: Entry, backend: str) -> str:
    """As "1.52 ↑"."""
    if backend not in entry.ratios:
        return "–"
    drift = entry.drifts.get(backend)
    return f"{figures.digits(entry.ratios[backend][1])}{ARROWS.get(drift.word, '') if drift else ''}"


def _settings(settings: Sequence[Setting]) -> str:
    words = [f"{s.name} {s.before or 'absent'} → {s.after or 'absent'}" for s in settings]
    more = [f"{len(words) - NAMED} more"] if len(words) > NAMED else []
    return ", ".join([*words[:NAMED], *more])


def _short(started: str) -> str:
    """To the minute: "2026-12-01 04:35"."""
    return started[:16].replace("T", " ")


def _timed(found: History) -> list[str]:
    return [backend for backend in found.backends if any(backend in e.ratios for e in found.entries)]


# ---------------------------------------------------------------------------------------- words


def sentence(found: History) -> str:
    """How many runs there are, and what came of them from the first to the last."""
    first, last = found.entries[0], found.entries[-1]
    on = counted(len(found.tasks), "task")
    if len(found.entries) == 1:
        return f"One run, of {_short(first.started)}, with {on}: {_ends(last)}."
    opening = (
        f"{len(found.entries)} runs from {_short(first.started)} to {_short(last.started)}, compared on "
        f"the {on} that all have"
    )
    agreed = [f"{entry.ends['agreed']} of {entry.cells}" for entry in (first, last)]
    moved = f"{agreed[0]} cells agreed in the first, {agreed[1]} in the last"
    parts = [*_bad(last), moved, *_drift_words(found)]
    return f"{opening}: {'; '.join(parts)}."


def _ends(entry: Entry) -> str:
    said = [f"{count} {end}" for end, count in entry.ends.items() if count and end != "agreed"]
    return ", ".join([f"{entry.ends['agreed']} of {counted(entry.cells, 'cell')} agreed", *said])


def _bad(last: Entry) -> list[str]:
    bad = [f"{last.ends[end]} {end}" for end in ("diverged", "broken") if last.ends[end]]
    return [f"{' and '.join(bad)} in the last"] if bad else ["nothing diverged in the last"]


def _drift_words(found: History) -> Iterator[str]:
    """Backends that became slower or faster, the slowest first; or that none did."""
    drifts = sorted(found.drifts.items(), key=lambda item: -item[1].factor[1])
    moved = [(backend, drift) for backend, drift in drifts if drift.word in ARROWS]
    for backend, drift in moved:
        yield f"{framework(backend)} became {drift_words(drift)} since the first"
    if drifts and not moved:
        yield "no backend is seen to have become slower or faster"


def drift_words(drift: Drift) -> str:
    """As "slower by 5.1 % (2.8–7.5 %)"."""
    if drift.word not in ARROWS:
        return "too noisy to tell" if drift.word == "noisy" else "no difference seen"
    return f"{drift.word} by {percent(drift.factor)}"


def remarks(found: History) -> list[str]:
    """What to know before reading the tables."""
    said = list(found.remarks)
    if found.left_out:
        said.append(
            f"Not every run has the same tasks: compared are the {len(found.tasks)} that all have; left out "
            f"{are(found.left_out)} {names(found.left_out)}."
        )
    if len({frozenset(entry.backends) for entry in found.entries}) > 1:
        said.append("Not every run has the same backends: counts are of what each has.")
    return said


# ----------------------------------------------------------------------------------------- page


def write(found: History, file: Path, directory: Path) -> None:
    """Write the page, with links to the reports of the runs that have one.

    Raises `OSError` when it cannot be written.
    """
    links = {}
    for entry in found.entries:
        report = directory / entry.folder / "report.html"
        if report.is_file():
            links[entry.number] = quote(os.path.relpath(report, file.parent))
    trace.write(file, html(found, links))


def html(found: History, links: dict[int, str] | None = None) -> bytes:
    """The page: the sentence, the table of runs, and a chart of each trend."""
    template = page.templates().get_template("history.html")
    columns = [*chain.from_iterable(_parts(found))]
    verdicts, times = _verdict_charts(found), _time_charts(found)
    text = template.render(
        sentence=sentence(found),
        remarks=remarks(found),
        head=[name for name, _ in columns],
        entries=[(entry, [value(entry) for _, value in columns]) for entry in found.entries],
        links=links or {},
        verdicts=verdicts,
        times=times,
        tasks=found.tasks,
        method=METHOD.replace("`", "").replace(", and below them from the first run to the last", ""),
        packed=page.packed([*verdicts, *times]),
    )
    return text.encode()


def _worst_words(first: Entry, last: Entry) -> str:
    """The worst of the first and of the last run, with the backend."""
    said = []
    for name, entry in (("first", first), ("last", last)):
        if entry.worst:
            backend = max(entry.worst, key=entry.worst.__getitem__)
            said.append(f"in the {name} run {figures.number(entry.worst[backend])}, on {framework(backend)}")
    return f"At worst {'; '.join(said)}. What is 0 is drawn at {trends.FLOOR:.0e}."


def _trend(found: History) -> str:
    said = [
        f"{framework(name)} {drift_words(drift)} ({counted(drift.tasks, 'task')})"
        for name, drift in found.drifts.items()
    ]
    return f"From the first run to the last: {'; '.join(said)}." if said else "Too few runs for a trend."


def _verdict_charts(found: History) -> list[Chart]:
    first, last = found.entries[0], found.entries[-1]
    ends = {entry.number: {end: float(count) for end, count in entry.ends.items()} for entry in found.entries}
    said = f"From {_ends(first)}, to {_ends(last)}."
    drawn = [trends.stacked("verdicts-by-run", "How cells ended", ends, "cells", said)]
    worst = {
        backend: {e.number: (e.worst[backend],) * 3 for e in found.entries if backend in e.worst}
        for backend in found.backends
        if any(backend in e.worst for e in found.entries)
    }
    if worst:
        drawn.append(
            trends.lines(
                "worst-by-run",
                "Worst relative difference of the cells that agreed",
                worst,
                [entry.number for entry in found.entries],
                Palette(found.backends),
                y_title="relative difference",
                said=_worst_words(first, last),
                floor=trends.FLOOR,
            )
        )
    return drawn


def _time_charts(found: History) -> list[Chart]:
    seconds = {entry.number: {"seconds": entry.seconds} for entry in found.entries}
    first, last = found.entries[0], found.entries[-1]
    said = f"{first.seconds:.0f} s in the first run, {last.seconds:.0f} s in the last, with all their tasks."
    drawn = [trends.stacked("seconds-by-run", "Seconds that a run took", seconds, "seconds", said)]
    ratios = {
        backend: {
            e.number: (e.ratios[backend][0], e.ratios[backend][1], e.ratios[backend][2])
            for e in found.entries
            if backend in e.ratios
        }
        for backend in _timed(found)
    }
    if ratios:
        chart = trends.lines(
            "ratios-by-run",
            "Step time in run relative to the reference's: median over tasks",
            ratios,
            [entry.number for entry in found.entries],
            Palette(found.backends),
            y_title="step time ÷ reference's",
            said=_trend(found),
        )
        drawn.insert(0, chart)
    return drawn
