"""What frameworks draw by themselves beside what the reference draws: a table, and what it comes to."""

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import groupby

import numpy as np
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from harness.equivalence import LEVEL
from harness.report import figures
from harness.result import BROKEN
from harness.sampling import Comparison, Row

STYLES = {"different": "bold red", "cannot tell": "yellow", "equivalent": "green"}  # the worst first
MARKS = {"different": "✗", "cannot tell": "?", "equivalent": ""}
LEGEND = (
    "Each number: how far the 90 % interval of the difference from {reference}'s mean reaches, in % of the "
    "margin, in the layer where it reaches furthest. Below 100 is equivalent; ✗ different, ? cannot tell, "
    "– not compared."
)
FAR = 1000  # % of the margin, from where the number itself says nothing
ABREAST = 5  # so many backends fit into 80 columns
LOG_LINES = 5


def print_comparison(found: Comparison, console: Console) -> None:
    """Print the table, what is different, what its rows mean, why there are gaps, and a sentence."""
    backends = list(dict.fromkeys(row.backend for row in found.rows))
    for first in range(0, len(backends), ABREAST):
        console.print(_table(found, backends[first : first + ABREAST]))
        console.print()
    console.print(Text(LEGEND.format(reference=found.reference)))
    console.print()
    if any(row.word == "different" for row in found.rows):
        _print_different(found, console)
        console.print()
    for about, whats in _meanings(found).items():
        console.print(Text.assemble((_together(whats), "bold"), f": {about}"))
    console.print()
    _print_reasons(found, console)
    console.print(Text(sentence(found), style="bold"), soft_wrap=True)


def sentence(found: Comparison) -> str:
    """How many comparisons ended how, and which did not end well."""
    counts: Counter[str] = Counter(row.word for row in found.rows)
    compared = sum(counts[word] for word in STYLES)
    parts = [f"{counts['equivalent']} of {compared} means are {found.reference}'s to within the margin"]
    parts += [f"of {counts['cannot tell']} nothing can be told"] if counts["cannot tell"] else []
    for word in ("different", *BROKEN):
        names = dict.fromkeys(f"{row.what} × {row.backend}" for row in found.rows if row.word == word)
        parts += [f"{word}: {', '.join(names)}"] if names else []
    return f"{'; '.join(parts)} ({found.seeds} seeds each, two one-sided tests at {LEVEL:.0%})."


def _table(found: Comparison, backends: Sequence[str]) -> Table:
    """A row per statistic, a column per backend."""
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, padding=0)
    table.add_column("what", no_wrap=True)
    for title in (f"{found.reference}'s mean", "margin"):
        table.add_column(title, justify="right", no_wrap=True)
    for backend in backends:
        table.add_column(backend, justify="right", min_width=len("✗>999"), overflow="fold")
    for group, whats in groupby(found.about, _group):
        table.add_row(Text(group, style="bold"))
        for what in whats:
            rows = [[row for row in found.rows if (row.what, row.backend) == (what, b)] for b in backends]
            table.add_row(f"  {what.removeprefix(f'{group}: ')}", *_reference(rows), *map(_cell, rows))
    return table


def _reference(rows: list[list[Row]]) -> list[str]:
    """The reference's mean, of the first layer and the last, and the margin."""
    compared = next((some for some in rows if some and some[0].margin is not None), None)
    if compared is None:
        return ["", ""]
    means = [f"{compared[layer].reference_mean:.3f}" for layer in (0, -1)]
    return ["…".join(dict.fromkeys(means)), f"{compared[0].margin:g}"]


def _cell(rows: list[Row]) -> Text:
    """The worst word of any layer, and the furthest reach."""
    reaches = [_reach(row) for row in rows if row.margin is not None]
    if not reaches:
        return Text("–")
    word = next(word for word in STYLES if any(row.word == word for row in rows))
    return Text(MARKS[word] + _percent(float(np.max(reaches))), STYLES[word])  # NaN if one is


def _percent(reach: float) -> str:
    if np.isnan(reach):
        return ""
    return f">{FAR - 1}" if reach >= FAR else f"{reach:.0f}"


def _reach(row: Row) -> float:
    """In % of the margin, how far from 0 the further end of the interval is."""
    assert row.low is not None and row.high is not None and row.margin is not None
    return 100 * max(abs(row.low), abs(row.high)) / row.margin


def _print_different(found: Comparison, console: Console) -> None:
    """All numbers of what is different; of several layers, those of the one that reaches furthest."""
    different = [row for row in found.rows if row.word == "different"]
    furthest = {(row.what, row.backend): row for row in sorted(different, key=_reach)}
    for row in different:
        if row is furthest[row.what, row.backend]:
            line = Text.assemble(("different", STYLES["different"]), f": {_in_full(row, found.reference)}")
            console.print(line)


def _in_full(row: Row, reference: str) -> str:
    """All numbers of a row."""
    layer = f" in layer {row.layer}" if row.layer else ""
    return (
        f"{row.what}{layer} × {row.backend}: {row.mean:.4g}, {reference}'s {row.reference_mean:.4g}, "
        f"difference {row.difference:+.4g} ({row.low:+.4g}…{row.high:+.4g}), margin {row.margin:g}"
    )


def _meanings(found: Comparison) -> dict[str, list[str]]:
    """Each text once, and the statistics that it is about."""
    meanings: dict[str, list[str]] = {}
    for what, about in found.about.items():
        meanings.setdefault(about, []).append(what)
    return meanings


def _together(whats: Iterable[str]) -> str:
    """Of "glorot: deviation" and "he: deviation": "deviation (glorot, he)"."""
    groups, _, names = zip(*(what.partition(": ") for what in whats), strict=True)
    return f"{', '.join(dict.fromkeys(names))} ({', '.join(dict.fromkeys(groups))})"


def _print_reasons(found: Comparison, console: Console) -> None:
    """Why something was not compared, each reason once; of a worker that broke, its last words."""
    reasons: dict[tuple[str, str], list[Row]] = {}
    for row in found.rows:
        if row.reason:
            reasons.setdefault((row.word, row.reason), []).append(row)
    for (word, reason), rows in reasons.items():
        console.print(Text.assemble((word, "bold"), f": {figures.plain(reason)} ({_groups(rows)})"))
        if word in BROKEN and rows[0].details:
            last = figures.plain(rows[0].details).strip().splitlines()[-LOG_LINES:]
            console.print(Text("\n".join(last), style="dim"))


def _groups(rows: Iterable[Row]) -> str:
    return ", ".join(dict.fromkeys(f"{_group(row.what)} × {row.backend}" for row in rows))


def _group(what: str) -> str:
    """Of "glorot: deviation" the first part."""
    return what.partition(": ")[0]
