"""The table of tasks × backends before anything has run: what each column declares."""

import textwrap
from collections.abc import Collection, Iterable, Mapping, Sequence

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from backends import Column
from harness.plan import DEFAULT
from harness.report import lines
from tasks.spec import Task

WORDS = {"unsupported": "no", "known difference": "yes"}
NAME = 39  # columns for the name of a task, which leaves room for five backends in 80


def print_table(
    tasks: Collection[Task], columns: Sequence[Column], titles: Mapping[str, str], console: Console
) -> None:
    """Print a word per cell under a heading per group; below, what is declared, each reason once.

    `titles` are those of the concepts by their tags, in the order in which they are printed.
    """
    reasons: dict[str, int] = {}
    words = {task.name: [_word(task, column, reasons) for column in columns] for task in tasks}
    heads = [column.name for column in columns]
    widths = [max(map(len, column)) for column in zip(heads, *words.values(), strict=True)]
    room = console.width - sum(widths) - len(widths)
    widths = [max(NAME, min(room - 2, max(map(len, words), default=0))) + 2, *widths]
    lines.put(_table(["  task", *heads], widths), console)
    for group, members in _groups(tasks, titles).items():
        lines.put(Text(_heading(group, titles), style="bold"), console)
        table = _table([""] * len(widths), widths)
        for task in members:
            name = "\n  ".join(textwrap.wrap(task.name, widths[0] - 2))
            table.add_row(f"{'*' if DEFAULT in task.tags else ' '} {name}", *words[task.name])
        lines.put(table, console)
    lines.put(
        "\n* runs where no task is asked for; run --all runs every one. A number is that of a remark:",
        console,
    )
    for reason, number in reasons.items():
        lines.put(Text(f"\n{number}: {reason}"), console)


def _table(heads: Sequence[str], widths: Sequence[int]) -> Table:
    """One of several below each other; only the first has heads."""
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, padding=(0, 0), show_header=any(heads))
    for head, width in zip(heads, widths, strict=True):
        table.add_column(head, width=width, no_wrap=True)
    return table


def _groups(tasks: Iterable[Task], titles: Mapping[str, str]) -> dict[str, list[Task]]:
    """Each task once, under the first of its tags that is a concept's, or else the first of all."""
    groups: dict[str, list[Task]] = {}
    for task in tasks:
        tags = [tag for tag in task.tags if tag != DEFAULT]
        concepts = [tag for tag in tags if tag in titles]
        groups.setdefault(next(iter([*concepts, *tags]), ""), []).append(task)
    return groups


def _heading(group: str, titles: Mapping[str, str]) -> str:
    """What a group is about, and what -t takes for it."""
    return f"{titles[group]}, tag:{group}" if group in titles else f"tag:{group}" if group else "no tag"


def _name(task: Task) -> str:
    """With a mark if it runs by default."""
    return f"{'*' if DEFAULT in task.tags else ' '} {task.name}"


def _word(task: Task, column: Column, reasons: dict[str, int]) -> str:
    """Whether the column can run the task, and the number of what it declares of it."""
    limit = column.limit(task)
    if limit is None or not limit.everywhere:
        return "yes"
    number = reasons.setdefault(f"{limit.status}: {limit.reason}", len(reasons) + 1)
    return f"{WORDS[limit.status]} {number}"
