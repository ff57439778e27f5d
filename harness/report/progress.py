"""What a run is doing: a live view on a terminal, a line for each finished cell elsewhere."""

import math
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from harness.report import figures, verdict
from harness.report.lines import cut
from harness.report.terminal import STYLES
from harness.result import Cell

PER_SECOND = 4  # so often the live view is drawn anew
BAR = 20  # columns
SPARE = 4  # lines of the terminal that workers leave free


def line(cell: Cell) -> str:
    """A finished cell on one line: status, name, worst difference or reason."""
    found = figures.worst(cell)
    remark = figures.plain(cell.reason or "") if found is None else figures.number(found[0])
    return f"{cell.status:<16}  {figures.name(cell):<46}  {remark}".rstrip()


def clock(seconds: float) -> str:
    """Minutes and seconds: "1:05"."""
    return f"{int(seconds) // 60}:{int(seconds) % 60:02}"


@dataclass
class _Work:
    """What one worker, or all of them together, has to do."""

    total: int | None
    what: str = "waiting"
    done: int = 0
    since: float | None = None  # the pace is measured from here
    before: int = 0  # what was done by then
    last: float = 0.0  # when something was finished

    def count(self, now: float) -> None:
        """One more is done.  The first of a worker tells no pace: it had to start for it."""
        self.done += 1
        self.last = now
        if self.since is None:
            self.since, self.before = now, self.done

    def left_s(self, now: float) -> float:
        """Seconds until all is done, if it goes on as so far; nan where nobody knows."""
        if self.total is None:
            return math.nan
        if self.done >= self.total:
            return 0.0
        if self.since is None or self.done == self.before:
            return math.nan
        pace = (self.last - self.since) / (self.done - self.before)
        return max(0.0, (self.total - self.done) * pace - (now - self.last))


class Progress:
    """A context manager; its methods may be called from several threads."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._changing = threading.Lock()
        self._phase = ""
        self._all = _Work(None)
        self._workers: dict[str, _Work] = {}
        self._statuses: Counter[str] = Counter()
        self._lines_stay = False
        self._live = Live(
            get_renderable=self._view,
            console=console,
            refresh_per_second=PER_SECOND,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
        )

    def __enter__(self) -> Self:
        self._began = time.monotonic()
        if self._console.is_interactive:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._live.stop()
        if self._lines_stay:  # what follows is another part
            self._console.print()

    def start(self, phase: str, total: int | None, workers: Mapping[str, int] | None = None) -> None:
        """Begin a phase of `total` things to finish; it takes the place of the one before.

        So many of them are each worker's, where these work by themselves.
        """
        with self._changing:
            self._phase = phase
            self._all = _Work(total, what="", since=time.monotonic())
            self._workers = {name: _Work(count) for name, count in (workers or {}).items()}

    def working(self, what: str, worker: str = "") -> None:
        """Say what runs now, on a worker or on all."""
        with self._changing:
            self._workers.get(worker, self._all).what = what

    def finished(self, cell: Cell, worker: str = "") -> None:
        """Count a finished cell, and print it; where there is a live view, only if it is news."""
        with self._changing:
            self._statuses[cell.status] += 1
            self._count(worker)
        if not self._live.is_started:
            self._print(Text(line(cell)))
        elif figures.is_bad(cell):
            self._print(_news(cell), soft_wrap=False)

    def timed(self, task: str) -> None:
        """Count a task that has been timed, and print it where there is no live view."""
        with self._changing:
            self._count()
        if not self._live.is_started:
            self._print(Text(f"{'timed':<16}  {task}"))

    def counted(self, what: str) -> None:
        """Count something that is done, without a line of its own."""
        with self._changing:
            self._all.what = what
            self._count()

    def _count(self, worker: str = "") -> None:
        now = time.monotonic()
        self._all.count(now)
        if worker in self._workers:
            self._workers[worker].count(now)

    def _print(self, line: Text, *, soft_wrap: bool = True) -> None:
        self._lines_stay = True
        self._console.print(line, soft_wrap=soft_wrap)

    def _view(self) -> RenderableType:
        """As many lines throughout a phase, each no longer than the terminal is wide."""
        with self._changing:
            return Group(*self._lines(time.monotonic()))

    def _lines(self, now: float) -> Iterator[RenderableType]:
        if self._phase:
            yield self._bar(now)
        if self._workers or self._statuses:
            yield self._counts()
        shown = list(self._workers.items())[: max(1, self._console.height - SPARE)]
        width = max((len(name) for name, _ in shown), default=0)
        for name, work in shown:
            done = f"{work.done}/{work.total}"
            yield cut((f"  {name:<{width}}  {done:>7}  ", "dim"), work.what)
        if len(shown) < len(self._workers):
            yield cut((f"  and {len(self._workers) - len(shown)} more", "dim"))

    def _bar(self, now: float) -> Table:
        total, done = self._all.total, self._all.done
        table = Table.grid(padding=(0, 2, 0, 0))
        for _ in range(4):
            table.add_column(no_wrap=True)
        table.add_column(no_wrap=True, overflow="ellipsis")
        times = [clock(now - self._began), *self._left(now)]
        table.add_row(
            Text(self._phase, style="bold"),
            ProgressBar(total, done, width=BAR),
            Text(f"{done}/{total}" if total is not None else f"{done or ''}"),
            Text(", ".join(times)),
            Text(self._all.what),
        )
        return table

    def _left(self, now: float) -> list[str]:
        """The phase is as long as the worker that takes longest."""
        left = [work.left_s(now) for work in self._workers.values()] or [self._all.left_s(now)]
        is_known = max(left) > 0 and not any(map(math.isnan, left))
        return [f"about {clock(math.ceil(max(left)))} left"] if is_known else []

    def _counts(self) -> Text:
        """What came of the cells so far, the worst first."""
        found = [status for status in figures.SEVERITY if self._statuses[status]]
        parts = [
            (verdict.counted(self._statuses[status], status), STYLES.get(status, "")) for status in found
        ]
        return cut("  ", *(piece for part in parts for piece in (part, "  ")))


def _news(cell: Cell) -> Text:
    """The line of a cell that is no good news, with all that is known of why."""
    why = figures.divergence(cell) if cell.reason else ""
    return Text.assemble(
        (f"{cell.status:<16}", STYLES.get(cell.status, "bold")), f"  {figures.name(cell)}: {why}".rstrip(": ")
    )
