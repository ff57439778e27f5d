"""The table of tasks × backends before anything has run: what each column declares."""

from collections.abc import Iterable, Sequence

from rich import box
from rich.console import Console
from rich.table import Table

from backends import Column
from tasks.spec import Task

WORDS = {"unsupported": "no", "known difference": "differs"}


def print_table(tasks: Iterable[Task], columns: Sequence[Column], console: Console) -> None:
    """Print a word per cell, and below it every reason once."""
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, padding=(0, 1, 0, 0))
    table.add_column("task", no_wrap=True)
    for column in columns:
        table.add_column(column.name, min_width=len(column.name))
    reasons: dict[str, list[str]] = {}
    for task in tasks:
        words = []
        for column in columns:
            limit = column.limit(task)
            shows = limit is not None and limit.everywhere
            words.append(WORDS[limit.status] if limit and shows else "yes")
            if limit and shows:
                reasons.setdefault(f"{WORDS[limit.status]}: {limit.status}: {limit.reason}", []).append(
                    f"{task.name} × {column.name}"
                )
        table.add_row(task.name, *words)
    console.print(table)
    for reason, cells in reasons.items():
        console.print(f"\n{reason}\n    {', '.join(cells)}")
