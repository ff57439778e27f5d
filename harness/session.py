"""The parent's end of a worker: start it, ask, and when it breaks, end it and start another."""

import contextlib
import json
import os
import select
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TypeVar

import msgspec

from backends import Column
from backends.base import Placement
from harness import protocol
from harness.environment import worker_environment
from harness.result import Status

GRACE_S = 3.0  # between asking a process group to end and killing it
POLL_S = 1.0  # how often a silent worker is looked at
LONGEST_LINE = 1_000_000  # bytes; no reply comes near, since arrays travel in files
LOG_LINES, LOG_BYTES = 30, 50_000  # how much of a log a cell tells

T = TypeVar("T")
R = TypeVar("R")
Answer = TypeVar("Answer", bound=protocol.Reply)


class Broken(Exception):
    """A request without a result: what the cell says instead."""

    def __init__(self, status: Status, reason: str, details: str | None = None) -> None:
        super().__init__(reason)
        self.status, self.reason, self.details = status, reason, details


@dataclass(frozen=True)
class Limits:
    """How long to wait, in seconds."""

    start_s: float = 120.0
    request_s: float = 120.0


class Session:
    """One backend's worker through a whole run, in a process group and environment of its own."""

    def __init__(
        self,
        column: Column,
        at: Placement,
        folder: Path,
        limits: Limits,
        python: str,
        tasks_from: Path | None,
    ) -> None:
        self.column, self.at, self.limits = column, at, limits
        self.python, self.tasks_from = python, tasks_from
        self.log = folder / "logs" / f"{column.name}.{at.name}.log"
        self.cache = folder / "logs" / f"{column.name}.{at.name}.cache"
        self.process: subprocess.Popen[bytes] | None = None
        self.stopped = False
        self.asking = threading.Lock()  # one question at a time: other columns have the reference replayed
        self.starting = threading.Lock()  # no worker slips through between `start` and `stop`
        self.ready: protocol.Ready | None = None
        self.no_start: Broken | None = None  # it will not start: asking again would only wait again
        self.about: dict[str, str] = {}  # versions and threads, as the worker reported them

    def start(self) -> None:
        """Start the process without waiting for it.  Raises `Broken` when that is not possible."""
        self.began = time.perf_counter()
        self.ready = None
        self.buffer = b""
        with self.starting:
            if self.stopped:
                raise Broken("failed", "the run was stopped")
            try:
                self._spawn()
            except OSError as error:
                raise Broken("failed", f"the worker could not be started: {error}") from error

    def _spawn(self) -> None:
        child_requests, self.requests = os.pipe()
        self.replies, child_replies = os.pipe()
        child_lifeline, self.lifeline = os.pipe()
        child_ends = {"requests": child_requests, "replies": child_replies, "lifeline": child_lifeline}
        options = {
            **child_ends,
            "placement": asdict(self.at),
            "tasks_from": str(self.tasks_from) if self.tasks_from else None,
        }
        # -P: the folder that the user is in may hold a tasks.py or a torch.py.
        command = [self.python, "-P", "-m", "harness.worker", self.column.spelling, json.dumps(options)]
        try:
            with self.log.open("ab") as log:
                self.process = subprocess.Popen(
                    command,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    env=worker_environment(self.at.threads, self.cache),
                    pass_fds=tuple(child_ends.values()),
                    start_new_session=True,
                )
        except OSError:
            self._close()
            raise
        finally:
            for end in child_ends.values():
                os.close(end)

    def keep_to(self, cores: Iterable[int]) -> None:
        """Let the worker's threads, and those that they start, run on these cores only."""
        if self.process is None:  # it broke
            return
        for thread in Path(f"/proc/{self.process.pid}/task").glob("*"):
            with contextlib.suppress(ProcessLookupError):  # it has just ended
                os.sched_setaffinity(int(thread.name), cores)

    def ask(self, request: protocol.Request, expected: type[Answer]) -> Answer:
        """The worker's answer; starts or restarts the worker if need be.

        Raises `Broken` with the status that the cell gets.
        """
        with self.asking:
            self._await_ready()
            with contextlib.suppress(BrokenPipeError):  # it died while idle: reading tells how
                os.write(self.requests, protocol.encode(request) + b"\n")
            return self._answer(self.limits.request_s, "the request", expected)

    def get_ready(self) -> None:
        """Start or restart the worker if need be, and wait until it can be asked.  Raises `Broken`."""
        with self.asking:
            self._await_ready()

    def _await_ready(self) -> None:
        if self.no_start:
            raise self.no_start
        if self.process is None:
            self.start()
        if self.ready:
            return
        try:
            ready = self._answer(self.limits.start_s, "starting", protocol.Ready)
        except Broken as broken:
            self.no_start = broken
            raise
        self.start_s = max(0.0, time.perf_counter() - self.began - ready.import_s)
        self.ready = ready
        self.about = ready.about

    def _answer(self, limit_s: float, what: str, expected: type[Answer]) -> Answer:
        line = self._read_line(time.monotonic() + limit_s)
        if line is None:
            self._dump_stack()
            self.end()
            raise Broken("timed out", f"{what} took longer than {limit_s:g} s", self._log_tail())
        if not line.endswith(b"\n") and len(line) < LONGEST_LINE:
            raise Broken("crashed", self._last_words(), self._log_tail())
        try:
            reply = protocol.decode_reply(line)
        except msgspec.MsgspecError as error:
            raise self._garbled(f"sent a line that is no reply ({error})", line) from None
        if isinstance(reply, protocol.Failure):
            raise Broken(reply.status, reply.reason, reply.details)
        if not isinstance(reply, expected):
            raise self._garbled(f"sent a reply to another question, expected {expected.__name__}", line)
        return reply

    def _garbled(self, what: str, line: bytes) -> Broken:
        """A worker out of step cannot be talked to any longer."""
        self.end()
        return Broken("failed", f"{what}: {line[:80]!r}", self._log_tail())

    def _read_line(self, deadline: float) -> bytes | None:
        """One line; None when the deadline passes first.

        It lacks its end when the worker is gone, or when it is longer than any reply.
        """
        assert self.process is not None
        while b"\n" not in self.buffer and len(self.buffer) < LONGEST_LINE:
            left = deadline - time.monotonic()
            if left <= 0:
                return None
            if not select.select([self.replies], [], [], min(left, POLL_S))[0]:
                if self.process.poll() is None:
                    continue
                break  # gone, though a process that it left behind holds the pipe open
            chunk = os.read(self.replies, 65536)
            if not chunk:
                break
            self.buffer += chunk
        line, end, self.buffer = self.buffer.partition(b"\n")
        return line + end

    def _dump_stack(self) -> None:
        """Have faulthandler write into the log where every thread is."""
        assert self.process is not None
        with contextlib.suppress(ProcessLookupError):
            self.process.send_signal(signal.SIGUSR1)
        time.sleep(0.3)

    def _last_words(self) -> str:
        """How the process ended."""
        assert self.process is not None
        code = self.process.wait(GRACE_S) if self._ended(GRACE_S) else None
        self.end()
        if code is None:
            return "the worker closed its pipe without ending"
        if code < 0:
            return f"the worker was ended by {signal.Signals(-code).name}"
        return f"the worker ended with exit code {code}"

    def _ended(self, within_s: float) -> bool:
        assert self.process is not None
        try:
            self.process.wait(within_s)
        except subprocess.TimeoutExpired:
            return False
        return True

    def _log_tail(self) -> str:
        with self.log.open("rb") as log:
            log.seek(max(0, self.log.stat().st_size - LOG_BYTES))
            lines = log.read().decode(errors="replace").splitlines()
        return "\n".join(lines[-LOG_LINES:])

    def stop(self) -> None:
        """Kill the worker and start no other; for another thread than the one that waits for an answer."""
        with self.starting:
            self.stopped = True
            if self.process is not None:
                _signal(self.process, signal.SIGKILL)

    def end(self) -> None:
        """End the whole process group: ask, wait, kill."""
        if self.process is None:
            return
        for sign in (signal.SIGTERM, signal.SIGKILL):  # both, for what the worker itself may leave behind
            _signal(self.process, sign)
            self._ended(GRACE_S)
        self._close()
        self.process = None
        self.ready = None

    def _close(self) -> None:
        for end in (self.requests, self.replies, self.lifeline):
            os.close(end)


def _signal(leader: subprocess.Popen[bytes], sign: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(leader.pid, sign)


@contextlib.contextmanager
def opened(columns: Iterable[Column], limits: Limits) -> Iterator[tuple[Path, list[Session]]]:
    """A worker for each column, in float64 on one thread, and a folder of theirs; both end with the block."""
    with tempfile.TemporaryDirectory(prefix="samestep-") as name, contextlib.ExitStack() as stack:
        folder = Path(name)
        (folder / "logs").mkdir()
        sessions = [Session(column, Placement(), folder, limits, sys.executable, None) for column in columns]
        for session in sessions:
            stack.callback(session.end)
        yield folder, sessions


def together(work: Callable[[T], R], items: Sequence[T], stop: Callable[[], None], at_once: int) -> list[R]:
    """The results of some work on each item, in threads; on Ctrl-C, `stop` must make them come to an end."""
    with ThreadPoolExecutor(max(1, at_once)) as pool:
        futures = [pool.submit(work, item) for item in items]
        try:
            wait(futures)
        except KeyboardInterrupt:
            stop()
            raise
    return [future.result() for future in futures]


def stop_all(sessions: Iterable[Session]) -> None:
    """Make whoever waits for these workers come to an end at once."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # once is enough: nothing may disturb the end
    for session in sessions:
        session.stop()
