"""Conduct a run: workers side by side for parity, in turn for timing; every finished cell on disk at once."""

import datetime as dt
import shutil
import sys
import threading
import time
import traceback
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Protocol

import msgspec

from backends import REFERENCE
from backends.base import Arrays, Placement
from backends.limits import Limit
from harness import environment, findings, folder, hint, parity, protocol, timing, trace
from harness.lanes import LANES
from harness.metrics import metrics
from harness.plan import Spot, UsageError, fingerprint
from harness.race import BrokenAt, Race
from harness.result import SCHEMA, TIMED, Cause, Cell, Concept, Parity, Result, Status
from harness.session import Broken, Limits, Session, stop_all, together

Key = tuple[str, Placement]  # a column's name, and where it computes: one worker each


class Watcher(Protocol):
    """Who is told how far a run is."""

    def start(self, phase: str, total: int, workers: Mapping[str, int] | None = None) -> None:
        """A phase of so many pieces begins; so many are each worker's, where these work by themselves."""

    def working(self, what: str, worker: str = "") -> None:
        """This is being computed now, by a worker or by all."""

    def finished(self, cell: Cell, worker: str = "") -> None:
        """A cell has been compared, or broke."""

    def timed(self, task: str) -> None:
        """All backends have been timed on a task."""


@dataclass(frozen=True)
class Options:
    """How to run, beside what."""

    out: Path
    command: list[str]
    rounds: int = timing.ROUNDS  # 0: no timing
    timed: Collection[str] | None = None  # names of the tasks to time; None: all
    lanes: Sequence[str] = LANES  # in which to time them; "run" in any case
    resume: bool = False
    limits: Limits = field(default_factory=Limits)
    pythons: Mapping[str, str] = field(default_factory=dict)  # backend to interpreter
    tasks_from: Path | None = None


class Run:
    """One run, from its spots to its result."""

    def __init__(self, spots: list[Spot], options: Options, watcher: Watcher) -> None:
        self.spots, self.options, self.watcher = spots, options, watcher
        self.out = options.out
        self.started = dt.datetime.now(dt.UTC)
        self.began = time.perf_counter()
        self.phases: dict[str, float] = {}
        self.spent = dict.fromkeys(("starting", "steps", "recording", "comparing"), 0.0)
        self.cells: dict[Spot, Cell] = {}
        self.groups: dict[str, list[list[str]]] = {}
        self.concepts: list[Concept] = []
        self.dtype = spots[-1].at.dtype  # what is judged; the reference is float64 in any case
        self.threads = next(spot.at.threads for spot in spots if spot.is_reference)  # of most cells
        self.comparing = threading.Lock()  # one comparison at a time holds traces in memory
        self.adding = threading.Lock()
        self.stopping = threading.Event()
        self.references = {spot.task.name: threading.Event() for spot in spots}
        self.identities: dict[Spot, str] = {}
        self.sessions: dict[Key, Session] = {}
        for spot in spots:
            python = options.pythons.get(spot.column.name, sys.executable)
            self.identities[spot] = spot.identity(python)
            key = (spot.column.name, spot.at)
            if key not in self.sessions:
                self.sessions[key] = Session(
                    spot.column, spot.at, self.out, options.limits, python, options.tasks_from
                )

    def execute(self) -> Result:
        """Fill all cells; write and return the result.

        Raises `UsageError` when the folder is not ours to write.  `KeyboardInterrupt` passes through
        when all workers have ended and what was finished is on disk.
        """
        folder.prepare(self.out, resume=self.options.resume)
        known = folder.finished(self.out) if self.options.resume else {}
        self._check_nothing_is_left_out(known)
        for spot in self.spots:
            if cell := known.get(self.identities[spot]):
                self.cells[spot] = cell
                self.references[spot.task.name].set() if spot.is_reference else None
        try:
            folder.store(self.out, self.result(complete=False))
        except OSError as error:
            raise UsageError(f"--out {self.out} cannot be written: {error.strerror}") from error
        complete = False
        try:
            self._phase("parity", self._parity)
            ready = [session.ready for session in self.sessions.values() if session.ready]
            self.spent["starting"] = sum(worker.cpu_s for worker in ready)
            self._groups()
            self._concepts()
            if self.options.rounds:
                self._phase("timing", self._timing)
            complete = True
        except KeyboardInterrupt:
            self._stop()
            raise
        finally:
            self._end()
            with suppress(OSError):  # a full disk: the command line says so when it writes the report
                folder.store(self.out, self.result(complete=complete))
        return self.result(complete=True)

    def _check_nothing_is_left_out(self, known: Mapping[str, Cell]) -> None:
        """A resumed run must have all the cells of the one before, or its report would lose them."""
        planned = {(spot.task.name, spot.column.name, spot.at.dtype, spot.at.threads) for spot in self.spots}
        names = [
            f"{cell.task} × {cell.backend} ({cell.dtype})"
            for cell in known.values()
            if (cell.task, cell.backend, cell.dtype, cell.threads) not in planned
        ]
        if names:
            raise UsageError(
                f"--resume: {self.out} also holds {names[0]}{' and others' if len(names) > 1 else ''}: "
                "resume with the same tasks, backends and dtype, or choose another --out"
            )

    def result(self, *, complete: bool) -> Result:
        """What is known so far."""
        at = self.spots[-1].at
        frameworks = {name for spot in self.spots for name in spot.column.frameworks()}
        about = {session.column.name: session.about for session in self.sessions.values() if session.about}
        return Result(
            schema=SCHEMA,
            started=self.started.isoformat(timespec="seconds"),
            seconds=time.perf_counter() - self.began,
            complete=complete,
            command=self.options.command,
            reference=REFERENCE,
            environment=environment.describe(
                self.threads, at.device, environment.versions(sorted(frameworks)), about
            ),
            phases_s=self.phases,
            cells=[self.cells[spot] for spot in self.spots if spot in self.cells],
            groups=self.groups,
            concepts=self.concepts,
            spent_s=self.spent,
        )

    def _phase(self, name: str, work: Callable[[], None]) -> None:
        began = time.perf_counter()
        try:
            work()
        finally:
            self.phases[name] = time.perf_counter() - began

    def _stop(self) -> None:
        """Make the threads of a comparison come to their end at once."""
        self.stopping.set()
        stop_all(self.sessions.values())
        for event in self.references.values():
            event.set()

    def _end(self) -> None:
        for session in self.sessions.values():
            session.end()
            shutil.rmtree(session.cache, ignore_errors=True)

    def _session(self, spot: Spot) -> Session:
        return self.sessions[spot.column.name, spot.at]

    def _cell(self, spot: Spot, **found: Any) -> Cell:
        return Cell(
            task=spot.task.name,
            backend=spot.column.name,
            identity=self.identities[spot],
            **asdict(spot.at),
            **found,
        )

    # ------------------------------------------------------------------------------------ parity

    def _parity(self) -> None:
        """All workers start at once and go through their cells, each in its own thread."""
        todo: dict[Key, list[Spot]] = {}
        for spot in self.spots:
            if spot not in self.cells:
                todo.setdefault((spot.column.name, spot.at), []).append(spot)
        workers = {spots[0].worker: len(spots) for spots in todo.values()}
        self.watcher.start("comparing", sum(workers.values()), workers)
        together(self._column, list(todo.values()), self._stop, at_once=len(todo))

    def _column(self, spots: list[Spot]) -> None:
        for spot in spots:
            try:
                cell = self._compare(spot)
                if self.stopping.is_set():
                    return
                self._keep(spot, cell)
            finally:  # whatever happens, nobody waits for ever
                if spot.is_reference:
                    self.references[spot.task.name].set()
        self.watcher.working("done", spots[0].worker)

    def _keep(self, spot: Spot, cell: Cell, *, say: bool = True) -> None:
        """Put a finished cell on disk; a cell that cannot be stored has failed."""
        try:
            folder.keep(self.out, spot.name, cell)
        except OSError as error:
            reason = f"cells/{spot.name}.json could not be written: {error.strerror}"
            cell = self._cell(spot, status="failed", reason=reason)
        self.cells[spot] = cell
        if say:
            self.watcher.finished(cell, spot.worker)

    def _compare(self, spot: Spot) -> Cell:
        """Record a trace and compare it with the reference's."""
        limit = spot.column.limit(spot.task, spot.at.dtype)
        if limit and limit.status == "unsupported":
            return self._cell(spot, status="unsupported", reason=limit.reason)
        file = Path("traces") / f"{spot.name}.npz"
        again = self.out / "traces" / f"{spot.name}.again.npz"
        try:
            if spot.is_reference:
                recorded = self._record(spot, self.out / file, spread_in=self.dtype)
                self._record(spot, again)
            desired = again if spot.is_reference else self._reference_trace(spot)
            if not spot.is_reference:
                recorded = self._record(spot, self.out / file, states=str(desired.resolve()))
            with self.comparing:
                began = time.thread_time()
                actual = trace.load(self.out / file)
                found, looks = _judged(spot, actual, trace.load(desired), recorded)
                self.spent["comparing"] += time.thread_time() - began
            causes = []
            if found.first_divergence and not spot.is_reference:
                causes = self._causes(spot, self.out / file, recorded, limit)
            return self._compared(
                spot, file, actual, found, causes, parity.verdict(found, limit, causes, looks)
            )
        except Broken as broken:
            return self._cell(spot, status=broken.status, reason=broken.reason, details=broken.details)
        except Exception as error:  # noqa: BLE001  whatever a damaged trace may raise: only this cell has failed
            reason = f"trace {file}: {type(error).__name__}: {error}"
            return self._cell(spot, status="failed", reason=reason, details=traceback.format_exc())
        finally:
            again.unlink(missing_ok=True)

    def _causes(
        self, spot: Spot, actual: Path, recorded: protocol.Recorded, limit: Limit | None
    ) -> list[Cause]:
        """Have the reference computed with the faults of the catalogue; none if that takes too long."""
        request = protocol.Explain(
            task=spot.task.name,
            fingerprint=fingerprint(spot.task),
            actual=str(actual.resolve()),
            desired=str(self._reference_trace(spot).resolve()),
            dtype=spot.at.dtype,
            not_observed=recorded.not_observed,
            first=limit.cause if limit else None,
        )
        with suppress(Broken):
            return self._session(self._reference(spot)).ask(request, protocol.Explained).causes
        return []

    def _compared(
        self,
        spot: Spot,
        file: Path,
        actual: Arrays,
        found: Parity,
        causes: list[Cause],
        verdict: tuple[Status, str | None],
    ) -> Cell:
        status, reason = verdict
        return self._cell(
            spot,
            status=status,
            reason=reason,
            causes=causes,
            steps=len(actual["loss"]),
            epochs=len(actual["epoch_loss"]),
            metrics=metrics(spot.task, actual),
            parity=found,
            trace=str(file),
            trace_digest=folder.digest(self.out / file),
        )

    def _record(self, spot: Spot, path: Path, **how: str | None) -> protocol.Recorded:
        session = self._session(spot)
        if not session.ready:
            self.watcher.working("starting", spot.worker)
            session.get_ready()
        self.watcher.working(spot.task.name, spot.worker)
        request = protocol.Record(spot.task.name, fingerprint(spot.task), str(path.resolve()), **how)
        recorded = session.ask(request, protocol.Recorded)
        with self.adding:
            self.spent["steps"] += recorded.steps_cpu_s
            self.spent["recording"] += recorded.cpu_s - recorded.steps_cpu_s
        return recorded

    def _reference(self, spot: Spot) -> Spot:
        """The cell that this one is compared with."""
        return next(other for other in self.spots if other.is_reference and other.task is spot.task)

    def _reference_trace(self, spot: Spot) -> Path:
        """Wait for the reference's trace.  Raises `Broken` when there is none to compare with."""
        if not self.references[spot.task.name].is_set():
            self.watcher.working(f"waiting for {REFERENCE}'s {spot.task.name}", spot.worker)
            self.references[spot.task.name].wait()
        cell = self.cells.get(self._reference(spot))
        if cell is None or cell.trace is None:
            raise Broken("failed", f"nothing to compare with: the reference, {REFERENCE}, has no trace")
        return self.out / cell.trace

    def _groups(self) -> None:
        """Of each task on which something diverged: who agrees with whom."""
        for reference in (spot for spot in self.spots if spot.is_reference):
            row = {
                spot.column.name: cell
                for spot in self.spots
                if spot.task is reference.task and spot.at.dtype == self.dtype
                if spot.at.threads == self.threads
                if (cell := self.cells.get(spot)) and cell.trace
            }
            if any(cell.status == "diverged" for cell in row.values()):
                with suppress(Exception):  # whatever a damaged trace may raise: its cell has said so
                    traces = {name: trace.load(self.out / str(cell.trace)) for name, cell in row.items()}
                    spreads = trace.spreads(trace.load(self._reference_trace(reference)))
                    groups = parity.groups(traces, spreads, self.dtype)
                    # In one group where all that differs is that something is not shown at all.
                    self.groups |= {reference.task.name: groups} if len(groups) > 1 else {}

    def _concepts(self) -> None:
        """What the reference's traces say of each concept."""
        runs = {}
        for spot in self.spots:
            cell = self.cells.get(spot)
            if spot.is_reference and cell and cell.status == "agreed" and cell.trace:
                runs[spot.task.name] = findings.Run(spot.task, trace.load(self.out / cell.trace))
        self.concepts = findings.concepts(runs)

    # ------------------------------------------------------------------------------------ timing

    def _timing(self) -> None:
        """Task by task, with all its workers taking turns."""
        rows: dict[str, list[Spot]] = {}
        timed = self.options.timed
        for spot in self.spots:
            if self.cells[spot].status in TIMED and (timed is None or spot.task.name in timed):
                rows.setdefault(spot.task.name, []).append(spot)
        todo = [row for row in rows.values() if not all(map(self._is_timed, row))]
        self.watcher.start("timing", len(todo))
        for number, row in enumerate(todo):
            self.watcher.working(row[0].task.name)
            self._time_row(row, seed=number)
            self.watcher.timed(row[0].task.name)

    def _is_timed(self, spot: Spot) -> bool:
        """Whether an earlier run has measured at least as many rounds as are asked for."""
        found = self.cells[spot].timing
        return (
            found is not None
            and all(len(lane.blocks_s) >= self.options.rounds for lane in found.lanes.values())
            and {*self.options.lanes} <= {*found.lanes, *found.no_lane}
        )

    def _time_row(self, row: list[Spot], seed: int) -> None:
        """Time one task.  A backend that breaks leaves the row, which starts again without it."""
        row = sorted(row, key=lambda spot: not spot.is_reference)  # stable: the reference first
        if not row or not row[0].is_reference:
            return
        race = Race(
            {spot: self._session(spot) for spot in row},
            list(dict.fromkeys(["run", *self.options.lanes])),
            self.options.rounds,
            self.out / "traces",
            self._stop,
        )
        try:
            found = race.run(seed)
        except BrokenAt as at:
            if not self.stopping.is_set():
                self._break(at.spot, at.broken)
                self._time_row([spot for spot in row if spot != at.spot], seed)
            return
        for spot, times in found.items():
            self._keep(spot, msgspec.structs.replace(self.cells[spot], timing=times), say=False)

    def _break(self, spot: Spot, broken: Broken) -> None:
        """A backend that agreed, and broke while it was timed, is broken."""
        cell = msgspec.structs.replace(
            self.cells[spot],
            status=broken.status,
            reason=f"while timing: {broken.reason}",
            details=broken.details,
        )
        self._keep(spot, cell)


def _judged(
    spot: Spot, actual: Arrays, desired: Arrays, recorded: protocol.Recorded
) -> tuple[Parity, str | None]:
    """How a trace compares with the reference's, and what it looks like where it first differs."""
    found = parity.compare(
        actual, desired, spot.at.dtype, not_observed=recorded.not_observed, replay=spot.is_reference
    )
    first = found.first_divergence
    return found, hint.hint(first, actual, desired, spot.at.dtype) if first else None
