"""The parent's end of a worker: start it, ask, and when it breaks, end it and start another."""

import contextlib
import json
import os
import select
import signal
import subprocess
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import msgspec

from backends import Column
from backends.base import Placement
from harness import protocol
from harness.environment import worker_environment
from harness.result import Status

GRACE_S = 3.0  # between asking a process group to end and killing it
LOG_LINES = 30


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
        self.log = folder / "logs" / f"{column.name}.{at.dtype}.log"
        self.cache = folder / "logs" / f"{column.name}.cache"
        self.process: subprocess.Popen[bytes] | None = None
        self.ready: protocol.Ready | None = None
        self.no_start: Broken | None = None  # it will not start: asking again would only wait again
        self.about: dict[str, str] = {}  # versions and threads, as the worker reported them

    def start(self) -> None:
        """Start the process without waiting for it."""
        self.began = time.perf_counter()
        self.ready = None
        child_requests, self.requests = os.pipe()
        self.replies, child_replies = os.pipe()
        options = {
            "requests": child_requests,
            "replies": child_replies,
            "placement": asdict(self.at),
            "tasks_from": str(self.tasks_from) if self.tasks_from else None,
        }
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [self.python, "-m", "harness.worker", self.column.spelling, json.dumps(options)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=worker_environment(self.at.threads, self.cache),
                pass_fds=(child_requests, child_replies),
                start_new_session=True,
            )
        os.close(child_requests)
        os.close(child_replies)
        self.buffer = b""

    def ask(self, request: protocol.Request) -> protocol.Reply:
        """The worker's answer; starts or restarts the worker if need be.

        Raises `Broken` with the status that the cell gets.
        """
        self._await_ready()
        with contextlib.suppress(BrokenPipeError):  # it died while idle: reading tells how
            os.write(self.requests, protocol.encode(request) + b"\n")
        return self._answer(self.limits.request_s, "the request")

    def _await_ready(self) -> None:
        if self.no_start:
            raise self.no_start
        if self.process is None:
            self.start()
        if self.ready:
            return
        try:
            ready = self._answer(self.limits.start_s, "starting")
        except Broken as broken:
            self.no_start = broken
            raise
        assert isinstance(ready, protocol.Ready)
        self.start_s = max(0.0, time.perf_counter() - self.began - ready.import_s)
        self.ready = ready
        self.about = ready.about

    def _answer(self, limit_s: float, what: str) -> protocol.Reply:
        line = self._read_line(time.monotonic() + limit_s)
        if line is None:
            self._dump_stack()
            self.end()
            raise Broken("timed out", f"{what} took longer than {limit_s:g} s", self._log_tail())
        if not line.endswith(b"\n"):
            raise Broken("crashed", self._last_words(), self._log_tail())
        try:
            reply = protocol.decode_reply(line)
        except msgspec.MsgspecError as error:
            self.end()
            raise Broken(
                "failed", f"sent a line that is no reply ({error}): {line[:80]!r}", self._log_tail()
            ) from None
        if isinstance(reply, protocol.Failure):
            raise Broken(_status(reply.status), reply.reason, reply.details)
        return reply

    def _read_line(self, deadline: float) -> bytes | None:
        """One line; None when the deadline passes first; a line without its end when the worker is gone."""
        while b"\n" not in self.buffer:
            ready, _, _ = select.select([self.replies], [], [], max(0.0, deadline - time.monotonic()))
            if not ready:
                return None
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
        lines = self.log.read_text(errors="replace").splitlines()
        return "\n".join(lines[-LOG_LINES:])

    def end(self) -> None:
        """End the whole process group: ask, wait, kill."""
        if self.process is None:
            return
        for sign in (signal.SIGTERM, signal.SIGKILL):
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.process.pid, sign)
            if self._ended(GRACE_S):
                break
        os.close(self.requests)
        os.close(self.replies)
        self.process = None
        self.ready = None


def _status(name: str) -> Status:
    return msgspec.convert(name, Status)
