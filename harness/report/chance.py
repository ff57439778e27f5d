"""What frameworks draw by themselves beside what the reference draws: a table, and what it comes to."""

import math
from collections.abc import Iterable, Sequence
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
DIFFERENCE = "difference (90 % interval)"
INTERVAL = len("(-0.00000…+0.00000)")  # stands below its difference where there is no room beside it


def print_comparison(found: Comparison, console: Console) -> None:
    """Print the table, what its rows mean, the reasons for gaps in it, and a sentence."""
    _print_rows(found, console)
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


def _print_rows(found: Comparison, console: Console) -> None:
    """One header, and below it each statistic, its name on a line of its own: so 80 columns are enough."""
    header = ["backend", "mean", f"{found.reference}'s", DIFFERENCE, "margin", "verdict"]
    lines = [header, *(_line(row) for row in found.rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    room = console.width - sum(widths) + widths[3] - len(widths) + 1
    widths[3] = min(widths[3], max(room, INTERVAL))
    console.print(_table(header, widths, show_header=True))
    for what, rows in groupby(found.rows, attrgetter("what")):
        console.print(Text(what, "bold"))
        table = _table(header, widths, show_header=False)
        for row in rows:
            *most, word = _line(row)
            table.add_row(*most, Text(word, STYLES.get(word, "")))
        console.print(table)


def _table(header: Sequence[str], widths: Sequence[int], *, show_header: bool) -> Table:
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, show_header=show_header)
    table.padding = (0, 0)  # the box has a space between columns
    for name, width in zip(header, widths, strict=True):
        table.add_column(name, width=width, justify="left" if name in {"backend", "verdict"} else "right")
    return table


def _line(row: Row) -> list[str]:
    return [row.backend, *_numbers(row), row.word]


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
