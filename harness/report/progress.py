"""What a run is doing: a bar with the time left on a terminal, plain lines elsewhere."""

from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar

from harness.report import figures
from harness.result import Cell


def line(cell: Cell) -> str:
    """A finished cell on one line: status, name, worst difference or reason."""
    found = figures.worst(cell)
    remark = figures.plain(cell.reason or "") if found is None else figures.number(found[0])
    return f"{cell.status:<16}  {figures.name(cell):<46}  {remark}".rstrip()


class Progress:
    """A context manager; its methods may be called from several threads."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._bar = Bar(
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=20),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            TextColumn("{task.fields[working]}", markup=False),
            console=console,
            transient=True,
            disable=not console.is_interactive,
        )

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._bar.stop()

    def start(self, phase: str, total: int | None) -> None:
        """Begin a phase of `total` things to finish; it takes the place of the one before."""
        for earlier in self._bar.task_ids:
            self._bar.remove_task(earlier)
        self._task = self._bar.add_task(phase, total=total, working="")

    def working(self, what: str) -> None:
        """Say what runs now."""
        self._bar.update(self._task, working=what)

    def finished(self, cell: Cell) -> None:
        """Print a finished cell, and count it."""
        self._advance(line(cell))

    def timed(self, task: str) -> None:
        """Print that a task has been timed, and count it."""
        self._advance(f"{'timed':<16}  {task}")

    def counted(self, what: str) -> None:
        """Count something that is done, without a line of its own."""
        self._bar.update(self._task, working=what)
        self._bar.advance(self._task)

    def _advance(self, line: str) -> None:
        self._console.print(line, markup=False, highlight=False, soft_wrap=True)
        self._bar.advance(self._task)
