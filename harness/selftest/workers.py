"""One worker for each backend, and one that serves as the reference, in a folder that goes with them."""

import contextlib
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Self, TypeVar

from backends import COLUMNS, REFERENCE, Column
from backends.base import Placement
from harness import parity, protocol, trace
from harness.plan import fingerprint
from harness.result import Cause, Parity
from harness.session import Broken, Limits, Session, stop_all, together
from tasks.spec import Task

DTYPE = "float64"
LIMITS = Limits(request_s=600)

R = TypeVar("R")


class Workers:
    """Asks the workers as a run does.  A context manager: it ends them."""

    def __init__(self, columns: Sequence[Column]) -> None:
        self.columns = columns
        self.stack = contextlib.ExitStack()

    def __enter__(self) -> Self:
        self.folder = Path(self.stack.enter_context(tempfile.TemporaryDirectory(prefix="samestep-")))
        (self.folder / "logs").mkdir()
        self.sessions = {column.name: self._session(column) for column in self.columns}
        self.reference = self.sessions.get(REFERENCE) or self._session(COLUMNS[REFERENCE])
        return self

    def __exit__(self, kind: type[BaseException] | None, *_exception: object) -> None:
        if kind is KeyboardInterrupt:
            self._stop()
        self.stack.close()

    def _session(self, column: Column) -> Session:
        session = Session(column, Placement(DTYPE), self.folder, LIMITS, sys.executable, None)
        self.stack.callback(session.end)
        return session

    def check(self, backend: str, task: Task, desired: Path) -> None:
        """See that a backend is right without a fault: where it is wrong anyway, no fault can be shown.

        Raises `Broken`.
        """
        try:
            actual, hidden = self.record(backend, task, desired)
        except Broken as broken:
            raise Broken(broken.status, f"{backend}: {broken.reason}") from broken
        if first := self.compare(actual, desired, hidden).first_divergence:
            wrong = parity.describe(first)
            raise Broken("failed", f"{backend} is wrong on {task.name} without any fault: {wrong}")

    def desired(self, task: Task) -> Path:
        """The reference's trace, with the spread of its shadows, made once.  Raises `Broken`."""
        path = self.folder / f"{task.name}.npz"
        if not path.exists():
            self._record(self.reference, task, path, spread_in=DTYPE)
        return path

    def record(
        self, backend: str, task: Task, desired: Path, fault: str | None = None
    ) -> tuple[Path, dict[str, str]]:
        """A backend's trace, with a fault or without, and what it does not show.  Raises `Broken`."""
        path = self.folder / f"{task.name}.{backend}.actual.npz"
        recorded = self._record(self.sessions[backend], task, path, states=str(desired), fault=fault)
        return path, recorded.not_observed

    def compare(self, actual: Path, desired: Path, not_observed: dict[str, str]) -> Parity:
        """How a stored trace compares with the reference's."""
        return parity.compare(trace.load(actual), trace.load(desired), DTYPE, not_observed=not_observed)

    def causes(
        self, task: Task, actual: Path, desired: Path, not_observed: dict[str, str], first: str | None = None
    ) -> list[Cause]:
        """What the reference names as causes.  Raises `Broken`."""
        request = protocol.Explain(
            task.name, fingerprint(task), str(actual), str(desired), DTYPE, not_observed, first
        )
        return self.reference.ask(request, protocol.Explained).causes

    def _record(self, session: Session, task: Task, path: Path, **how: str | None) -> protocol.Recorded:
        request = protocol.Record(task.name, fingerprint(task), str(path), **how)
        return session.ask(request, protocol.Recorded)

    def side_by_side(self, work: Callable[[str], R]) -> list[R]:
        """The results of some work for each backend, by its name; Ctrl-C ends the workers."""
        return together(work, list(self.sessions), self._stop, at_once=len(self.sessions))

    def _stop(self) -> None:
        stop_all((self.reference, *self.sessions.values()))
