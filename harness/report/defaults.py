"""Defaults of two frameworks side by side: a table for each thing, and what it comes to."""

from collections.abc import Iterable

from rich import box
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from harness.guide.defaults import Default, Defaults, Row, Thing

MARK = "≠"
NONE = "–"
LEGEND = f"{MARK} the defaults differ · {NONE} no such parameter"
INDENT = (0, 0, 0, 2)


def print_defaults(found: Defaults, console: Console) -> None:
    """Print each thing, and a sentence on all."""
    for thing in found.things:
        _print_thing(thing, found, console)
        console.print()
    console.print(Text(LEGEND))
    console.print(Text(sentence(found), style="bold"))


def sentence(found: Defaults) -> str:
    """How many things there are, and how many of their defaults differ."""
    rows = [row for thing in found.things for row in thing.rows if row.source and row.port]
    differ = [row for row in rows if row.differs]
    touched = sum(any(row.differs for row in thing.rows) for thing in found.things)
    unread = sum(bool(thing.problems) for thing in found.things)
    told = (
        f"{_counted(len(found.things), 'thing')} in {found.source} and {found.port}: of "
        f"{_counted(len(rows), 'default')} that both have {len(differ)} differ, in "
        f"{_counted(touched, 'thing')}"
    )
    return f"{told}; {_counted(unread, 'thing')} could not be read." if unread else f"{told}."


def _counted(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _print_thing(thing: Thing, found: Defaults, console: Console) -> None:
    console.print(Text.assemble((thing.name, "bold"), f": {thing.source}, {thing.port}"))
    if thing.rows:
        console.print(Padding(_table(thing.rows, found), INDENT, expand=False))
    lines = [
        *(
            f"{row.parameter} ({framework}): {text}"
            for row in thing.rows
            for framework, text in row.remarks.items()
        ),
        *_only(found.source, thing.only_source),
        *_only(found.port, thing.only_port),
        *thing.problems,
    ]
    if not (thing.rows or lines):
        lines.append("nothing to set")
    if cards := list(dict.fromkeys(card for row in thing.rows for card in row.cards)):
        lines.append(f"cards: {', '.join(cards)}")
    for line in lines:
        console.print(Padding(Text(line), INDENT))


def _only(framework: str, defaults: dict[str, str]) -> list[str]:
    """What the other framework has nothing of, in one line."""
    told = ", ".join(f"{name}={value}" for name, value in defaults.items())
    return [f"only {framework}: {told}"] if told else []


def _table(rows: Iterable[Row], found: Defaults) -> Table:
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column("", no_wrap=True, min_width=1)
    table.add_column("parameter", no_wrap=True)
    for framework in (found.source, found.port):
        table.add_column(framework, overflow="fold")
    for row in rows:
        style = "bold yellow" if row.differs else ""
        table.add_row(
            Text(MARK if row.differs else "", style),
            Text(row.parameter, style),
            _cell(row.source, row.parameter),
            _cell(row.port, row.parameter),
        )
    return table


def _cell(default: Default | None, parameter: str) -> Text:
    """The default; where the parameter has another name, as one would write the argument."""
    if default is None:
        return Text(NONE)
    return Text(default.value if default.name == parameter else f"{default.name}={default.value}")
