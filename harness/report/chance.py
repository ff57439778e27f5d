"""What frameworks draw by themselves beside what the reference draws: a table, and what it comes to."""

import math
from collections.abc import Iterable
from itertools import groupby
from operator import attrgetter

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from harness.equivalence import LEVEL
from harness.report import figures
from harness.result import BROKEN
from harness.sampling import EVERYTHING, Comparison, Row

STYLES = {"equivalent": "green", "different": "bold red", "cannot tell": "yellow"}
LOG_LINES = 5


def print_comparison(found: Comparison, console: Console) -> None:
    """Print the table, what its rows mean, the reasons for gaps in it, and a sentence."""
    console.print(_table(found))
    console.print()
    for what, about in found.about.items():
        console.print(Text.assemble((what, "bold"), f": {about}"))
    console.print()
    _print_reasons(found, console)
    console.print(Text(sentence(found), style="bold"), soft_wrap=True)


def sentence(found: Comparison) -> str:
    """How many comparisons ended how, and which did not end well."""
    compared = [row for row in found.rows if row.what != EVERYTHING and row.word in STYLES]
    equal = sum(row.word == "equivalent" for row in compared)
    parts = [f"{equal} of {len(compared)} means are {found.reference}'s to within the margin"]
    for word in ("different", "cannot tell", *BROKEN):
        names = _names(row for row in found.rows if row.word == word)
        parts += [f"{word}: {names}"] if names else []
    return f"{'; '.join(parts)} ({found.seeds} seeds each, two one-sided tests at {LEVEL:.0%})."


def _print_reasons(found: Comparison, console: Console) -> None:
    """Why something was not compared, each reason once; of a worker that broke, its last words."""
    reasons: dict[tuple[str, str], list[Row]] = {}
    for row in found.rows:
        if row.reason:
            reasons.setdefault((row.word, row.reason), []).append(row)
    for (word, reason), rows in reasons.items():
        console.print(Text.assemble((word, "bold"), f": {figures.plain(reason)} ({_names(rows)})"))
        if word in BROKEN and rows[0].details:
            last = figures.plain(rows[0].details).strip().splitlines()[-LOG_LINES:]
            console.print(Text("\n".join(last), style="dim"))


def _names(rows: Iterable[Row]) -> str:
    return ", ".join(f"{row.what} × {row.backend}" for row in rows)


def _table(found: Comparison) -> Table:
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, padding=(0, 1, 0, 0))
    table.add_column("what", min_width=16)
    table.add_column("backend", no_wrap=True)
    table.add_column("mean", justify="right", no_wrap=True)
    table.add_column(f"{found.reference}'s", justify="right", no_wrap=True)
    table.add_column("difference (90 % interval)", justify="right", min_width=19)
    table.add_column("margin", justify="right", no_wrap=True)
    table.add_column("verdict", no_wrap=True, min_width=len("cannot tell"))
    for what, rows in groupby(found.rows, attrgetter("what")):
        for number, row in enumerate(rows):
            word = Text(row.word, STYLES.get(row.word, ""))
            table.add_row(Text("" if number else what), row.backend, *_numbers(row), word)
    return table


def _numbers(row: Row) -> list[str]:
    """Mean, the reference's, their difference and the margin, to a hundredth of the margin."""
    if row.margin is None:
        return [""] * 4
    digits = 2 - math.floor(math.log10(row.margin))
    return [
        f"{row.mean:.{digits}f}",
        f"{row.reference_mean:.{digits}f}",
        f"{row.difference:+.{digits}f} ({row.low:+.{digits}f}…{row.high:+.{digits}f})",
        f"±{row.margin:g}",
    ]
