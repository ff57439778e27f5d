"""The report on a terminal: readable at 80 columns, and as plain text."""

import shlex
import textwrap
from collections.abc import Iterable, Sized
from itertools import chain
from pathlib import Path

from rich import box
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from harness.report import figures, verdict
from harness.result import BROKEN, Cell, Result

STYLES = {
    "agreed": "green",
    "diverged": "bold red",
    "known difference": "yellow",
    "inconclusive": "cyan",
    "failed": "bold magenta",
    "timed out": "bold magenta",
    "crashed": "bold magenta",
}  # beside the words, never instead of them
TASKS = 24  # of more, a row is a concept
NARROW = 110  # below so many columns, names of tasks take two lines
LOG_LINES = 5


def print_result(result: Result, console: Console, folder: Path) -> None:
    """Print matrix, findings, timing and reasons; at the end verdict, report and command.

    In a run of many tasks a row is a concept: its tasks are in the report.
    """
    is_long = bool(result.concepts) and len(figures.matrix(result)) > TASKS
    if is_long:
        _print_concepts(result, console)
    elif result.cells:
        _print_matrix(result, console)
    if headroom := figures.least_headroom(result):
        console.print(Text(f"least headroom {headroom}"))
    _print_overflows(result, console)
    _print_divergences(result, console)
    _print_inconclusive(result, console)
    if any(cell.timing for cell in result.cells):
        times = _print_concept_times if is_long else _print_times
        times(result, console)
        _print_remarks(result, console)
    _print_reasons(result, console)
    _print_not_explained(result, console)
    console.print(Text(verdict.sentence(result), style="bold"))
    page = next(folder.glob("*.html"), folder)
    console.print(Text(f"Report: {page}"), soft_wrap=True)
    console.print(Text(f"Again:  {shlex.join(result.command)}"), soft_wrap=True)


def _table(row: str, backends: Iterable[str]) -> Table:
    table = Table(box=box.SIMPLE_HEAD)
    table.show_edge, table.padding = False, (0, 0)  # leaves room for five backends in 80 columns
    table.add_column(row, no_wrap=True)
    for backend in backends:
        table.add_column(backend)
    return table


def _row_name(name: str, console: Console) -> str:
    return "\n".join(textwrap.wrap(name, 24)) if console.width < NARROW else name


def _print_matrix(result: Result, console: Console) -> None:
    console.print(Text(figures.matrix_title(result), style="bold"))
    table = _table("task", figures.backends(result))
    for name, cells in figures.matrix(result).items():
        row = (cells.get(backend) for backend in figures.backends(result))
        table.add_row(_row_name(name, console), *(_word(cell, result) for cell in row))
    console.print(table)


def _print_concepts(result: Result, console: Console) -> None:
    """Without the reference's own column where there is nothing to say of it."""
    found = figures.concepts(result)
    is_silent = all(
        figures.tally(_of(result.reference, cells), result) == ["reference"] for cells in found.values()
    )
    shown = [b for b in figures.backends(result) if not (is_silent and b == result.reference)]
    title = f"{figures.matrix_title(result)}; how many cells of each concept"
    console.print(Text(title, style="bold"))
    table = _table("concept", shown)
    for name, cells in found.items():
        table.add_row(_row_name(name, console), *(_tally(_of(backend, cells), result) for backend in shown))
    console.print(table)


def _of(backend: str, cells: Iterable[Cell]) -> list[Cell]:
    return [cell for cell in cells if cell.backend == backend]


def _tally(cells: list[Cell], result: Result) -> Text:
    style = STYLES.get(figures.worst_status(cells), "") if cells else ""
    return Text("\n".join(figures.tally(cells, result)), style=style)


def _word(cell: Cell | None, result: Result) -> Text:
    if cell is None:
        return Text("")
    return Text(figures.word(cell, result), style=STYLES.get(cell.status, ""))


def _print_overflows(result: Result, console: Console) -> None:
    """What some rates do is a result like any other."""
    found = figures.overflows(result)
    if found:
        parts = (f"{_shortened(tasks)} after {steps} steps" for steps, tasks in sorted(found.items()))
        console.print(Text(f"loss no longer finite, which ends the training: {'; '.join(parts)}"))


def _shortened(names: list[str]) -> str:
    more = [f"{len(names) - figures.MANY} more"] if len(names) > figures.MANY else []
    return ", ".join([*names[: figures.MANY], *more])


def _print_divergences(result: Result, console: Console) -> None:
    """Cell by cell; then who is the odd one out."""
    found = list(chain.from_iterable(figures.divergences(result).values()))
    if found:
        _print_heading("First divergences", console)
    for cell in found[: figures.MANY]:
        console.print(Text(figures.name(cell), style=STYLES["diverged"]))
        words = Text(figures.divergence(cell))
        words.highlight_regex(r"cause: [^(]+|cause not known", "bold")
        _print_indented(words, console)
        _print_cards([cell], console)
    _print_rest(found, console)
    for sentence, tasks in figures.odd_ones_out(result).items():
        console.print(Text(sentence, style="bold"))
        _print_indented(Text(_shortened(tasks)), console)


def _print_rest(found: Sized, console: Console) -> None:
    if len(found) > figures.MANY:
        console.print(Text(f"and {len(found) - figures.MANY} more, which the report lists"))


def _print_inconclusive(result: Result, console: Console) -> None:
    found = figures.inconclusive(result)
    if found:
        _print_heading("Inconclusive", console)
        console.print(Text(figures.DOUBT))
    for task, words in list(found.items())[: figures.MANY]:
        _print_indented(Text.assemble((task, STYLES["inconclusive"]), f": {words}"), console)
    _print_rest(found, console)


def _print_times(result: Result, console: Console) -> None:
    for lane in figures.lanes(result):
        title = f"Median step time in `{lane}`; ratio to {result.reference}'s `run`, 95 % interval"
        _print_heading(f"{title} (A/A: to itself)" if lane == "run" else title, console)
        table = _table("task", figures.backends(result))
        for name, cells in figures.table(result).items():
            row = [cells.get(backend) for backend in figures.backends(result)]
            if any(figures.lane_of(cell, lane) for cell in row):
                table.add_row(_row_name(name, console), *(_time(cell, result, lane) for cell in row))
        console.print(table)


def _print_concept_times(result: Result, console: Console) -> None:
    title = f"Step time as a ratio to {result.reference}'s: median over the tasks, lowest–highest"
    shown = [backend for backend in figures.backends(result) if backend != result.reference]
    _print_heading(title, console)
    table = _table("concept", shown)
    for name, cells in figures.concepts(result).items():
        row = [figures.ratios(_of(backend, cells)) for backend in shown]
        if any(row):
            table.add_row(_row_name(name, console), *row)
    console.print(table)


def _print_remarks(result: Result, console: Console) -> None:
    for remark, concerned in figures.timing_remarks(result).items():
        console.print(Text(f"{remark} ({figures.briefly(concerned, result)})"))


def _time(cell: Cell | None, result: Result, lane: str) -> Text:
    return Text("\n".join(figures.timing_words(cell, result, lane)) if cell else "")


def _print_reasons(result: Result, console: Console) -> None:
    grouped = figures.reasons(result)
    if grouped:
        _print_heading("Reasons", console)
    for (status, reason), cells in grouped.items():
        console.print(Text.assemble((status, STYLES.get(status, "bold")), f": {reason}"))
        _print_indented(Text(figures.briefly(cells, result)), console)
        _print_cards(cells, console)
        if status in BROKEN and cells[0].details:
            last = figures.log(cells[0]).splitlines()[-LOG_LINES:]
            _print_indented(Text("\n".join(last), style="dim"), console)
    console.print()


def _print_cards(cells: Iterable[Cell], console: Console) -> None:
    """What the guide has on the causes of some cells."""
    if found := figures.all_cards(cells):
        _print_indented(Text(f"samestep guide {' '.join(found)}", style="dim"), console)


def _print_not_explained(result: Result, console: Console) -> None:
    found = figures.not_explained(result)
    if found:
        gaps = _shortened([figures.gap(cell) for cell in found])
        console.print(
            Text(f"Not explained, {len(found)} of {len(result.cells)} cells: {gaps}", style="bold red")
        )


def _print_heading(heading: str, console: Console) -> None:
    console.print()
    console.print(Text(heading, style="bold"))


def _print_indented(text: Text, console: Console) -> None:
    console.print(Padding(text, (0, 0, 0, 4)))
