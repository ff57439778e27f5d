"""A benchmark as a table: in the terminal, and in Markdown; and what changed since an earlier one."""

from collections.abc import Iterator

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from harness.bench.against import SAME, Change, changes
from harness.bench.measures import Bench, Measure
from harness.report import figures

STYLES = {"met": "green", "missed": "bold red", "open": "yellow"}
TITLES = ("what", "measured", "95 % interval", "target", "")
WORSE = "slower"
FEWEST = 3  # values whose interval says anything


def print_bench(bench: Bench, console: Console) -> None:
    """Print the table, what could not be measured, and where it was measured."""
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, padding=(0, 1, 0, 0))
    for title in TITLES:
        table.add_column(title, justify="right" if title in TITLES[1:4] else "left")
    for group, measures in _groups(bench):
        table.add_row(Text(group, style="bold"))
        for measure in measures:
            what, *numbers, verdict = _row(measure)
            table.add_row(f"  {what}", *numbers, Text(verdict, STYLES.get(measure.verdict, "")))
    console.print(table)
    console.print()
    for line in [*(f"not measured: {problem}" for problem in bench.problems), _where(bench)]:
        console.print(Text(line), soft_wrap=True)


def markdown(bench: Bench) -> str:
    """The same table in Markdown."""
    lines = [_line(TITLES), _line(["---", *["---:"] * 3, "---"])]
    for group, measures in _groups(bench):
        lines.append(_line([f"**{group}**", *[""] * 4]))
        lines += [_line(_row(measure)) for measure in measures]
    return "\n".join([*lines, "", _where(bench), ""])


def _line(cells: list[str] | tuple[str, ...]) -> str:
    return f"| {' | '.join(cells)} |"


def _groups(bench: Bench) -> Iterator[tuple[str, list[Measure]]]:
    for group in dict.fromkeys(measure.group for measure in bench.measures):
        yield group, [measure for measure in bench.measures if measure.group == group]


def _row(measure: Measure) -> list[str]:
    """What, its middle, its interval, its target, and whether that is met."""
    low, middle, high = map(figures.digits, measure.interval)
    what = f"{measure.what} ÷ {measure.beside}" if measure.beside else measure.what
    interval = f"{low}–{high}" if len(measure.values) >= FEWEST else ""
    sign = "≤" if measure.better == "less" else "≥"
    target = "" if measure.target is None else f"{sign} {measure.target:.4g}"
    return [what, f"{middle} {measure.unit}", interval, target, measure.verdict]


def _where(bench: Bench) -> str:
    few = ", few rounds: indicative" if bench.quick else ""
    return f"{_machine(bench)}; {bench.started[:10]}{few}."


def _machine(bench: Bench) -> str:
    at = bench.environment
    versions = ", ".join(f"{name} {version}" for name, version in at.versions.items())
    return f"{at.processor}, {at.cores} cores, one thread, float64, Python {at.python}, {versions}"


def print_changes(before: Bench, after: Bench, console: Console) -> int:
    """Print which ratios became slower or faster; 1 if any became slower, else 0."""
    found = changes(before, after)
    console.print(Text(f"Against the benchmark of {before.started}:", style="bold"))
    if _machine(before) != _machine(after):
        console.print(Text(f"measured on {_machine(before)}"), soft_wrap=True)
    for change in found:
        if change.word != SAME:
            style = "bold red" if change.word == WORSE else "green"
            console.print(Text.assemble((change.word, style), f"  {_in_words(change)}"), soft_wrap=True)
    alike = sum(change.word == SAME for change in found)
    console.print(f"no difference seen: {alike} of {len(found)} ratios")
    return int(any(change.word == WORSE for change in found))


def _in_words(change: Change) -> str:
    low, middle, high = map(figures.digits, change.ratio)
    then, now = (figures.digits(one.interval[1]) for one in (change.before, change.after))
    return (
        f"{change.after.group}, {change.after.what}: {then} → {now} {change.after.unit}, "
        f"by a factor of {middle} ({low}–{high})"
    )
