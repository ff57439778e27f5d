"""A task in words and formulas, and its code in every column."""

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.syntax import Syntax
from rich.table import Table
from rich.text import Text

import backends
from harness import source
from harness.formulas import describe
from harness.report import lines
from tasks.spec import Constant, Network, Task


def print_task(task: Task, columns: Sequence[str], console: Console) -> None:
    """Print the task, then its optimizer and model as each of the columns writes them.

    Raises `LookupError` when there is no such column, or it lacks the class.
    """
    console.print(Text(task.name, style="bold"))
    lines.put(Text(task.shows), console)
    console.print()
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(style="bold", no_wrap=True)
    table.add_column()
    for part, found in describe(task).items():
        table.add_row(Text(part), Text("\n".join(found)))
    lines.put(table, console)
    for name in columns:
        _print_column(backends.find(name), task, console)


def _print_column(column: backends.Column, task: Task, console: Console) -> None:
    console.print()
    console.print(Text(column.name, style="bold"))
    if limit := column.limit(task):
        sometimes = "" if limit.everywhere else " on some tasks"
        lines.put(Text(f"{limit.status}{sometimes}: {limit.reason}"), console)
    changing = () if isinstance(task.schedule, Constant) else ("Schedule",)
    for name in (*changing, "Optimizer", task.model.program):
        code, file, line = source.definition(column.files, name)
        _print_code(f"{_place(file)}:{line}", code, console)
        if rest := source.beside(file, name):
            _print_code(f"{_place(file)}, beside it", rest, console)
    for file in column.files:
        if isinstance(task.model, Network) and file.name == "loss.py":
            _print_code(f"{_place(file)}: losses and activations", source.beside(file, ""), console)


def _print_code(title: str, code: str, console: Console) -> None:
    console.print()
    console.print(Text(title, style="underline"))
    highlighted = Syntax("", "python", theme="ansi_dark", background_color="default").highlight(code)
    console.print(highlighted, soft_wrap=True)  # long lines are neither cut nor padded


def _place(file: Path) -> Path:
    """Where a file is: of ours, from the repository's root."""
    root = backends.HERE.parent
    return file.relative_to(root) if file.is_relative_to(root) else file
