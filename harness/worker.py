"""The child process: load one column, drive its programs, answer over a private pipe.

Started as `python -m harness.worker COLUMN OPTIONS`.  Standard output and error go to the log, so a
framework that prints disturbs nothing.
"""

import faulthandler
import fcntl
import gc
import json
import math
import os
import select
import signal
import sys
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from itertools import chain, islice
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, TypeVar

import numpy as np

import backends
import tasks
from backends.base import Placement, Program, Unsupported
from harness import chance, faults, lanes, protocol, spread, trace
from harness.plan import fingerprint
from tasks.spec import Array, Task

if TYPE_CHECKING:
    from harness.explain import Explainer

MARGIN = 1.05  # on the duration of a block: it is to be at least what is asked for
MOST_STEPS = 2**20  # of a block: ends the search for a program that takes no time at all
T = TypeVar("T")
R = TypeVar("R")

FORGET_PEAK = "5"  # what /proc/self/clear_refs takes for it: see proc(5)


def main() -> None:
    """Serve until the parent closes its end of the pipe."""
    options = json.loads(sys.argv[2])
    requests, replies = os.fdopen(options["requests"], "rb"), os.fdopen(options["replies"], "wb", buffering=0)
    _end_with_parent(options["lifeline"])
    faulthandler.register(signal.SIGUSR1, all_threads=True)  # how the parent asks where a hung worker is
    table = tasks.TASKS | (tasks.load(Path(options["tasks_from"])) if options["tasks_from"] else {})
    at = Placement(**options["placement"])
    column = backends.find(sys.argv[1])
    started = _start(column, at)
    if isinstance(started, protocol.Failure):
        replies.write(protocol.encode(started) + b"\n")
        return
    module, ready = started
    gc.collect()
    gc.freeze()  # what the import made is never searched again: collections become short
    replies.write(protocol.encode(ready) + b"\n")
    worker = _Worker(column.name, module, at, table)
    for line in requests:
        replies.write(protocol.encode(worker.answer(protocol.decode_request(line))) + b"\n")


def _end_with_parent(lifeline: int) -> None:
    """Let the kernel end this process group when the parent is gone, even where it hangs in C.

    The parent never writes to this pipe.  When it ends, however it ends, its side closes, and that
    raises SIGIO here, whose default action is to end the process.
    """
    fcntl.fcntl(lifeline, fcntl.F_SETOWN, -os.getpgrp())
    fcntl.fcntl(lifeline, fcntl.F_SETFL, os.O_ASYNC)
    if select.select([lifeline], [], [], 0)[0]:  # it was gone before that: no signal will come
        sys.exit()


def _start(column: backends.Column, at: Placement) -> tuple[ModuleType, protocol.Ready] | protocol.Failure:
    began = time.perf_counter()
    try:
        module, about = _set_up(column, at)
    except ModuleNotFoundError as error:
        # Missing is only the framework itself; anything else that does not import is a failure.
        if error.name in column.frameworks():
            packages = " ".join(column.packages) or error.name
            return protocol.Failure("missing", f"{error.name} is not installed: pip install {packages}")
        return _failure(error)
    except Unsupported as error:
        return protocol.Failure("unsupported", str(error))
    except _NoColumn as error:
        return protocol.Failure("failed", str(error))
    except Exception as error:  # noqa: BLE001  whatever a framework's import may raise
        return _failure(error)
    about |= _linear_algebra() | {"threads of the process": str(len(list(Path("/proc/self/task").iterdir())))}
    return module, protocol.Ready(
        time.perf_counter() - began, time.process_time(), _memory_mb("VmRSS"), about
    )


class _NoColumn(Exception):
    """A file that lacks what every column has."""


def _set_up(column: backends.Column, at: Placement) -> tuple[ModuleType, dict[str, str]]:
    module = column.load()
    if not hasattr(module, "setup"):
        raise _NoColumn(f"{column.path} defines no setup(at); backends/base.py lists what a column has")
    about = module.setup(at)
    if not isinstance(about, dict):
        expected = "expected what it runs on, as {'torch': '2.13.0'}"
        raise _NoColumn(f"{column.path}: setup returned {about!r:.80}, {expected}")
    return module, about


def _linear_algebra() -> dict[str, str]:
    """The BLAS and OpenMP libraries in this process with their numbers of threads."""
    from threadpoolctl import threadpool_info  # here: it must look after the framework was imported

    return {
        f"{pool['internal_api']} {pool.get('version') or ''}".strip(): f"{pool['num_threads']} thread(s)"
        for pool in threadpool_info()
    }


def _failure(error: Exception) -> protocol.Failure:
    return protocol.Failure("failed", f"{type(error).__name__}: {error}", traceback.format_exc())


@dataclass
class _Worker:
    name: str
    module: ModuleType
    at: Placement
    table: dict[str, Task]
    timed: "_Timed | None" = None
    explainers: "dict[tuple[str, str], Explainer]" = field(default_factory=dict)  # the last one: it is large

    def answer(self, request: protocol.Request) -> protocol.Reply:
        try:
            return self._answer(request)
        except Unsupported as error:
            return protocol.Failure("unsupported", str(error))
        except Exception as error:  # noqa: BLE001  one cell's failure must not end the worker
            return _failure(error)

    def _answer(self, request: protocol.Request) -> protocol.Reply:  # noqa: C901, PLR0911  one per request
        match request:
            case protocol.Record():
                self.timed = None
                gc.collect()  # graphs of earlier programs: some MB each, in cycles
                return self._record(request)
            case protocol.Explain():
                return self._explain(request)
            case protocol.Prepare():
                self.timed = None  # frees the last one first
                self.timed = _Timed(self._build, self._task(request))
                return self.timed.prepared
            case protocol.Prove():
                assert self.timed is not None
                return self.timed.prove(request)
            case protocol.WarmUp(lane, block_s):
                assert self.timed is not None
                return self.timed.warm_up(lane, block_s)
            case protocol.Block(lane):
                assert self.timed is not None
                return self.timed.block(lane)
            case protocol.Weigh():
                assert self.timed is not None
                return self.timed.weigh()
            case protocol.Sample(seeds):
                return protocol.Sampled(*chance.sample(self.module, self.at, seeds))
            case protocol.Attempt():
                return self._attempt(request)
            case protocol.Inspect(names):
                from harness.guide.inspected import inspected  # here: only the guide asks

                return protocol.Inspected(*inspected(names))

    def _task(self, request: protocol.Record | protocol.Explain | protocol.Prepare) -> Task:
        task = self.table.get(request.task) or tasks.unlisted(request.task)
        assert task is not None
        if fingerprint(task) != request.fingerprint:
            raise RuntimeError(
                f"task {task.name!r} is not what the harness read: "
                "its file draws without a seed, or changed during the run"
            )
        return task

    def _build(self, task: Task) -> Program:
        kind = task.model.program
        if not hasattr(self.module, kind):
            raise Unsupported(f"the column has no class {kind}")
        program: Program = getattr(self.module, kind)(task, self.at)
        return program

    def _record(self, request: protocol.Record) -> protocol.Reply:
        task = self._task(request)
        fault = faults.find(request.fault or "")
        if request.fault and fault is None and request.fault not in faults.DAMAGES:
            raise ValueError(f"no fault is named {request.fault!r}")
        build = partial(fault.inject, self._build) if fault else self._build
        began = time.process_time()
        with np.errstate(all="ignore"):  # overflow is a result, compared like any other
            states = trace.states(trace.load(Path(request.states))) if request.states else None
            clock = _Clock()
            program = clock(build)(task)
            program.run = clock(program.run)  # type: ignore[method-assign, assignment]  # tells steps from recording
            arrays, not_observed = trace.record(program, task, states)
            if request.spread_in:
                arrays |= spread.spread(build, task, arrays, request.spread_in)
        if request.fault in faults.DAMAGES:
            arrays = faults.DAMAGES[request.fault].apply(arrays)
        try:
            trace.save(Path(request.trace), arrays)
        except OSError as error:  # a full disk
            return protocol.Failure("failed", f"trace {request.trace} could not be written: {error.strerror}")
        return protocol.Recorded(not_observed, time.process_time() - began, clock.cpu_s)

    def _attempt(self, request: protocol.Attempt) -> protocol.Attempted:
        from guide import CARDS  # here: only the guide asks
        from harness.guide.attempt import attempt

        began = time.process_time()
        results, raised = attempt(CARDS[request.card], self.name)
        trace.save(Path(request.results), results)
        return protocol.Attempted(raised, time.process_time() - began)

    def _explain(self, request: protocol.Explain) -> protocol.Explained:
        from harness.explain import Explainer  # here: few runs diverge

        key = (request.desired, request.fingerprint)
        if key not in self.explainers:
            desired = trace.load(Path(request.desired))
            self.explainers = {key: Explainer(self._build, self._task(request), desired, request.dtype)}
        actual = trace.load(Path(request.actual))
        causes = self.explainers[key].causes(actual, request.not_observed, request.first)
        return protocol.Explained(causes)


class _Clock:
    """Adds up the processor time spent inside the functions that it is put around."""

    def __init__(self) -> None:
        self.cpu_s = 0.0

    def __call__(self, work: Callable[[T], R]) -> Callable[[T], R]:
        def timed(what: T) -> R:
            began = time.process_time()
            try:
                return work(what)
            finally:
                self.cpu_s += time.process_time() - began

        return timed


class _Timed:
    """A program in steady state, and blocks of steps in each lane, which all start where the task starts."""

    def __init__(self, build: Callable[[Task], Program], task: Task) -> None:
        clock = time.perf_counter
        self.build, self.task = build, task
        self.blocks: dict[str, Callable[[], Array]] = {}
        self.pieces: dict[str, Callable[[], Array]] = {}  # a few steps of each lane, which warm the caches
        batches = chain.from_iterable(task.epochs())
        began = clock()
        self.program: Program = build(task)
        self.program.wait()
        built = clock()
        self.start = self.program.observe()  # what every block begins with
        begun = clock()
        self._run(partial(self.program.run, [next(batches)]))
        first = clock()
        self._run(partial(self.program.run, [next(batches)]))
        second = clock()
        self.prepared = protocol.Prepared(built - began, first - begun, second - first, _memory_mb("VmRSS"))

    def _run(self, work: Callable[[], Array]) -> None:
        work()
        self.program.wait()

    def _restart(self) -> None:
        self.program.restore(self.start)
        self.program.wait()

    def prove(self, request: protocol.Prove) -> protocol.Proved:
        """Raises `Unsupported` where the framework has no such lane for this task."""
        self._restart()
        with np.errstate(all="ignore"):  # overflow is a result, compared like any other
            found = lanes.outcome(request.lane, self.program, self.task)
            if request.spread_in:
                found |= lanes.spreads(self.build, self.task, found, request.spread_in)
        trace.save(Path(request.outcome), found)
        return protocol.Proved()

    def warm_up(self, lane: str, block_s: float) -> protocol.Warm:
        """In growing pieces, until one takes a block's time."""
        each = lanes.steps(self.task, 1)
        most = max(1, MOST_STEPS // each)
        epochs, fastest = max(1, 8 // each), math.inf
        self.pieces[lane] = lanes.driver(lane, self.program, self.task, epochs)
        while True:
            self.blocks[lane] = lanes.driver(lane, self.program, self.task, epochs)
            fastest = min(fastest, self.block(lane).wall_s / epochs)
            enough = min(most, math.ceil(MARGIN * block_s / fastest))
            if enough <= epochs:
                return protocol.Warm(lanes.steps(self.task, epochs))
            epochs = min(enough, 8 * epochs)

    def block(self, lane: str) -> protocol.Measured:
        self._restart()
        self._run(self.pieces[lane])  # or the block would depend on whose turn on this core came before
        self._restart()
        gc.disable()
        stolen = _stolen_s()
        cpu, wall = time.process_time(), time.perf_counter()
        self._run(self.blocks[lane])
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        gc.enable()
        return protocol.Measured(wall, cpu, _stolen_s() - stolen)

    def weigh(self) -> protocol.Weighed:
        """In a pass of its own: to watch the memory is not free."""
        self._restart()
        with suppress(OSError):  # where it cannot be forgotten, the peak is the process's so far
            Path("/proc/self/clear_refs").write_text(FORGET_PEAK)
        for block in islice(self.blocks.values(), 1):  # none, where no lane is timed
            self._run(block)
        return protocol.Weighed(_memory_mb("VmHWM"))


def _memory_mb(field: str) -> float:
    """Memory in use (VmRSS), or the most so far (VmHWM); getrusage's would count the parent's."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(f"{field}:"):
            return int(line.split()[1]) / 1024
    return 0.0  # a kernel that does not tell


def _stolen_s() -> float:
    """Seconds that the host has taken from this machine's cores since it started."""
    try:
        ticks = int(Path("/proc/stat").read_text().split("\n", 1)[0].split()[8])
    except (OSError, IndexError):  # not Linux
        return 0.0
    return ticks / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    main()
