"""The report on a terminal: the worst news first; readable at 80 columns, and as plain text."""

import shlex
import textwrap
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from harness.report import figures, lines, verdict
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
TIMES = 6  # rows of times; of more, a row is a lane
WHOLE = 3  # so much news is told in full, of the rest a line each
LOG_LINES = 5
BESIDE = 24  # lines that a run of many tasks takes beside its matrix
NAME = 24  # columns that the name of a task or concept has at least
SHORT = " of what agreed, and of how many"  # of the numbers alone, in a concept's row

Rows = Mapping[str, Mapping[str, list[Cell]]]  # by the name of a task or concept, and by backend
Words = Callable[[Sequence[Cell], Result], list[str]]
Said = str | Text


def print_result(result: Result, console: Console, folder: Path) -> None:
    """Print news, matrix, times and what was declared; at the end verdict, report and command.

    In a run of many tasks a row is a concept: its tasks are in the report.
    """
    _print_news(result, console)
    _print_inconclusive(result, console)
    if result.cells:
        _print_matrix(result, console)
    if any(cell.timing for cell in result.cells):
        _print_times(result, console)
    _print_declared(result, console)
    lines.put(Text(verdict.sentence(result), style="bold"), console)
    page = next(folder.glob("*.html"), folder)
    console.print(Text(f"Report: {page}"), soft_wrap=True)
    console.print(Text(f"Again:  {shlex.join(result.command)}"), soft_wrap=True)


# --------------------------------------------------------------------------------------- news


def _print_news(result: Result, console: Console) -> None:
    """What is not explained, then what is; then who is the odd one out."""
    for heading, found in figures.news(result).items():
        is_open = heading.startswith("Not explained")
        lines.put(Text(heading, style="bold red" if is_open else "bold"), console)
        for number, ((status, said), cells) in enumerate(found.items()):
            if number < WHOLE:
                _print_whole(status, said, cells, result, console)
            elif number < figures.MANY:
                _print_line(status, said, cells, result, console)
        _print_rest(len(found), console)
        console.print()
    for sentence, tasks in figures.odd_ones_out(result).items():
        lines.put(Text(sentence, style="bold"), console)
        _print_indented(Text(_shortened(tasks)), console)
        console.print()


def _print_whole(status: str, said: str, cells: list[Cell], result: Result, console: Console) -> None:
    """Who, what exactly, and the end of the log of one that broke."""
    first = cells[0]
    names = Text.assemble((status, STYLES.get(status, "bold")), f": {_names(cells, result)}")
    lines.put(names, console)
    words = Text(said)
    if status == "diverged":
        of = "" if len(cells) == 1 else f"{figures.name(first)}: "
        words = Text(f"{of}{figures.divergence(first)}")
    words.highlight_regex(r"cause: [^(]+|cause not known", "bold")
    _print_indented(words, console)
    _print_cards(cells, console)
    if status in BROKEN and first.details:
        for line in figures.log(first).splitlines()[-LOG_LINES:]:
            _print_indented(lines.cut((line, "dim")), console)


def _print_line(status: str, said: str, cells: list[Cell], result: Result, console: Console) -> None:
    """Who and what on one line: by name where there is room."""
    ways = [
        lines.cut((status, STYLES.get(status, "bold")), f": {names}: {said}")
        for names in (_names(cells, result), figures.who(cells))
    ]
    lines.put(next((way for way in ways if lines.fits(way, console)), ways[-1]), console)


def _names(cells: list[Cell], result: Result) -> str:
    return figures.name(cells[0]) if len(cells) == 1 else figures.briefly(cells, result)


def _print_cards(cells: Iterable[Cell], console: Console) -> None:
    """What the guide has on the causes of some cells."""
    if found := figures.all_cards(cells):
        console.print(Text(f"    samestep guide {' '.join(found)}", style="dim"), soft_wrap=True)


def _print_rest(count: int, console: Console) -> None:
    if count > figures.MANY:
        lines.put(f"and {count - figures.MANY} more, which the report lists", console)


def _print_inconclusive(result: Result, console: Console) -> None:
    found = figures.inconclusive(result)
    if not found:
        return
    lines.put(Text("Inconclusive", style="bold"), console)
    lines.put(Text(figures.DOUBT), console)
    for task, words in list(found.items())[: figures.MANY]:
        _print_indented(lines.cut((task, STYLES["inconclusive"]), f": {words}"), console)
    _print_rest(len(found), console)
    console.print()


def _shortened(names: list[str]) -> str:
    more = [f"{len(names) - figures.MANY} more"] if len(names) > figures.MANY else []
    return ", ".join([*names[: figures.MANY], *more])


def _print_indented(text: Text, console: Console) -> None:
    lines.put(Padding(text, (0, 0, 0, 4)), console)


# ------------------------------------------------------------------------------------- matrix


def _print_matrix(result: Result, console: Console) -> None:
    """A row per task, of many per concept, as wide as it may be; and what goes with it."""
    is_long = _is_long(result)
    title = figures.matrix_title(result)
    words: Words
    short: Words
    if is_long:
        rows, words, short = _folded(_concepts(result), console), figures.tally, figures.short_tally
        titles = [f"{title}; how many cells of each concept", f"{title}{SHORT}"]
    else:
        rows, words, short = _tasks(result), _word, _short_word
        titles = [title, f"{title} of what agreed"]
    heads = ["concept" if is_long else "task", *_shown(rows, result)]
    table = _table(heads, _lines(rows, heads, result, words, ", "), gap=2)
    if too_wide := not lines.fits(table, console):
        cells = _lines(rows, heads, result, short, "\n")
        bare = _table(["", *heads[1:]], [["", *row[1:]] for row in cells], gap=1)
        left = max(NAME, console.width - lines.width(bare, console))
        for row in cells:
            row[0] = _fitted(str(row[0]), left, is_task=not is_long)
        table = _table(heads, cells, gap=1)
    lines.put(Text(titles[too_wide], style="bold"), console)
    lines.put(table, console)
    if headroom := figures.least_headroom(result):
        lines.put(lines.cut(f"least headroom {headroom}"), console)
    _print_overflows(result, console)
    console.print()


def _is_long(result: Result) -> bool:
    return bool(result.concepts) and len(figures.matrix(result)) > TASKS


def _tasks(result: Result) -> Rows:
    return {
        name: {backend: [cell] for backend, cell in cells.items()}
        for name, cells in figures.matrix(result).items()
    }


def _concepts(result: Result) -> Rows:
    backends = figures.backends(result)
    return {
        name: {backend: [cell for cell in cells if cell.backend == backend] for backend in backends}
        for name, cells in figures.concepts(result).items()
    }


def _folded(rows: Rows, console: Console) -> Rows:
    """On a terminal with too few lines, those that agreed everywhere as one row, after the others."""
    alike = [
        name
        for name, row in rows.items()
        if {cell.status for cells in row.values() for cell in cells} == {"agreed"}
    ]
    if not console.is_terminal or console.height >= len(rows) + BESIDE or len(alike) < 2:
        return rows
    together: dict[str, dict[int, Cell]] = {}  # a task may belong to several
    for name in alike:
        for backend, cells in rows[name].items():
            together.setdefault(backend, {}).update((id(cell), cell) for cell in cells)
    rest = {name: row for name, row in rows.items() if name not in alike}
    return rest | {f"{len(alike)} more concepts": {b: list(cells.values()) for b, cells in together.items()}}


def _word(cells: Sequence[Cell], result: Result) -> list[str]:
    return [figures.word(cell, result) for cell in cells]


def _short_word(cells: Sequence[Cell], result: Result) -> list[str]:
    return [figures.short_word(cell, result) for cell in cells]


def _shown(rows: Rows, result: Result) -> list[str]:
    """The backends, without the reference where there is nothing to say of it."""
    own = [cell for row in rows.values() for cell in row.get(result.reference, [])]
    others = [backend for backend in figures.backends(result) if backend != result.reference]
    is_silent = others and figures.tally(own, result) in ([], ["reference"])
    return others if is_silent else figures.backends(result)


def _lines(rows: Rows, heads: list[str], result: Result, words: Words, between: str) -> list[list[Said]]:
    return [
        [name, *(_styled(cells.get(backend, []), result, words, between) for backend in heads[1:])]
        for name, cells in rows.items()
    ]


def _styled(cells: list[Cell], result: Result, words: Words, between: str) -> Text:
    style = STYLES.get(figures.worst_status(cells), "") if cells else ""
    return Text(between.join(words(cells, result)), style=style)


def _fitted(name: str, width: int, *, is_task: bool) -> str:
    """The name of a task on two lines, so that it can be copied; that of a concept is cut."""
    if is_task:
        return "\n".join(textwrap.wrap(name, width))
    return name if len(name) <= width else f"{name[: width - 1]}…"


def _table(heads: Iterable[str], rows: Iterable[Iterable[Said]], *, gap: int) -> Table:
    """Without lines, which take room; where a terminal can, the heads are underlined."""
    first, *others = heads
    table = Table(box=None, padding=(0, gap, 0, 0), pad_edge=False, header_style="bold underline")
    table.add_column(Text(first), no_wrap=True)
    for head in others:
        table.add_column(Text(head))
    for row in rows:
        table.add_row(*row)
    return table


def _print_overflows(result: Result, console: Console) -> None:
    """What some rates do is a result like any other."""
    found = figures.overflows(result)
    if found:
        parts = (f"{_shortened(tasks)} after {steps} steps" for steps, tasks in sorted(found.items()))
        lines.put(Text(f"loss no longer finite, which ends the training: {'; '.join(parts)}"), console)


# -------------------------------------------------------------------------------------- times


def _print_times(result: Result, console: Console) -> None:
    """Of few tasks every time, as exactly as there is room; of many the median of each lane."""
    rows = {
        name: cells
        for name, cells in figures.table(result).items()
        if any(cell.timing for cell in cells.values())
    }
    lanes = figures.lanes(result)
    is_short = len(lanes) * len(rows) <= TIMES and not _is_long(result)
    few = partial(_few_times, rows, result, lanes if is_short else lanes[:1])
    ways = list(few() if len(rows) <= TIMES else _many_times(len(rows), result))
    title, table = next((way for way in ways if lines.fits(way[1], console)), ways[-1])
    lines.put(Text(title, style="bold"), console)
    lines.put(table, console)
    if doubts := figures.doubts(result):
        lines.put(Text(doubts), console)
    console.print()


def _few_times(
    rows: Mapping[str, Mapping[str, Cell]], result: Result, lanes: list[str]
) -> Iterator[tuple[str, Table]]:
    """The same in less and less room."""
    backends = figures.backends(result)
    own = f"Step time of {result.reference}, of others as a ratio to its `run`"
    for title, words, gap in (
        (f"Step time and ratio to {result.reference}'s `run`, 95 % interval (A/A: to itself)", _time, 2),
        (f"{own}, 95 % interval", _ratio, 2),
        (f"{own} (~ not told from noise)", _short_ratio, 1),
    ):
        found = [
            [name, lane, *(words(cells.get(backend), result, lane) for backend in backends)]
            for name, cells in rows.items()
            for lane in lanes
            if any(figures.lane_of(cell, lane) for cell in cells.values())
        ]
        yield title, _table(["task", "lane", *backends], found, gap=gap)


def _time(cell: Cell | None, result: Result, lane: str) -> str:
    """Time, ratio, interval and whether they tell anything; or that there is no such lane."""
    if cell is None or cell.timing is None:
        return ""
    return " ".join(figures.timing_words(cell, result, lane)) or "none"


def _ratio(cell: Cell | None, result: Result, lane: str) -> str:
    """Of the reference the time, of the others the rest."""
    if cell is None or figures.lane_of(cell, lane) is None:
        return _time(cell, result, lane)
    time, *rest = figures.timing_words(cell, result, lane)
    return time if figures.is_reference(cell, result) else " ".join(rest)


def _short_ratio(cell: Cell | None, result: Result, lane: str) -> str:
    """The same without the interval, and with a mark for a ratio that tells nothing."""
    words = _ratio(cell, result, lane)
    if "×" not in words:
        return words
    ratio = words.partition(" ")[0]
    return f"~{ratio}" if " no " in words else ratio


def _many_times(count: int, result: Result) -> Iterator[tuple[str, Table]]:
    title = f"Time per step as a ratio to {result.reference}'s `run`: median of {count} tasks, lowest–highest"
    others = [backend for backend in figures.backends(result) if backend != result.reference]
    cells = {backend: [cell for cell in result.cells if cell.backend == backend] for backend in others}
    rows = [
        [lane, *(figures.ratios(cells[backend], lane) for backend in others)]
        for lane in figures.lanes(result)
    ]
    yield title, _table(["lane", *others], rows, gap=2)


# ----------------------------------------------------------------------------------- declared


def _print_declared(result: Result, console: Console) -> None:
    """A line for each reason why cells did not agree; of many, one for all that is unsupported."""
    found = figures.declared(result)
    if not found:
        return
    title = "Declared; more in the report"
    for card in figures.all_cards([cell for cells in found.values() for cell in cells]):
        more = f"{title} {card}" if "guide" in title else f"{title} and by: samestep guide {card}"
        title = more if len(more) <= console.width else title  # the report has all
    lines.put(Text(title, style="bold"), console)
    brief = ("unsupported", "not observed") if len(found) > figures.FEW else ()
    for (status, why), cells in found.items():
        if status == "missing":  # with a command
            console.print(Text(f"missing: {why}"), soft_wrap=True)
        elif status not in brief:
            _print_line(status, why, cells, result, console)
    for status in brief:
        cells = [cell for (kind, _), alike in found.items() if kind == status for cell in alike]
        if cells:
            lines.put(lines.cut(f"{status}, {len(cells)} cells: {figures.briefly(cells, result)}"), console)
    console.print()
