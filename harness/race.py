"""Time one task: all its backends, each in every lane that it has, taking turns in rounds."""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TypeVar

import numpy as np

from backends.base import Arrays
from harness import parity, protocol, timing, trace
from harness.plan import Spot, fingerprint
from harness.result import Lane, Timing
from harness.session import Answer, Broken, Session, together
from tasks.spec import Array

T = TypeVar("T")
R = TypeVar("R")


class BrokenAt(Exception):
    """Which backend broke, and how."""

    def __init__(self, spot: Spot, broken: Broken) -> None:
        super().__init__(str(broken))
        self.spot, self.broken = spot, broken


@dataclass
class _Runner:
    """One backend's part in a race."""

    spot: Spot
    session: Session
    prepared: protocol.Prepared
    agrees_to: dict[str, float] = field(default_factory=dict)  # lanes that are proved, and how closely
    no_lane: dict[str, str] = field(default_factory=dict)  # the others, and why
    steps: dict[str, int] = field(default_factory=dict)  # of a block, by lane

    def ask(self, request: protocol.Request, expected: type[Answer]) -> Answer:
        try:
            return self.session.ask(request, expected)
        except Broken as broken:
            raise BrokenAt(self.spot, broken) from broken

    def warm_up(self) -> None:
        for lane in self.agrees_to:
            self.steps[lane] = self.ask(protocol.WarmUp(lane, timing.BLOCK_S), protocol.Warm).steps_per_block


@dataclass
class Race:
    """One task on the workers of its cells, the reference's first."""

    sessions: Mapping[Spot, Session]
    lanes: Sequence[str]  # "run" among them: ratios are to the reference's
    rounds: int
    folder: Path  # where workers leave what a lane comes to
    stop: Callable[[], None]  # makes them come to an end, on Ctrl-C

    def run(self, seed: int) -> dict[Spot, Timing]:
        """The times of each cell.  Raises `BrokenAt` when a backend breaks."""
        reference, *_ = runners = self._each(self._prepare, list(self.sessions))
        spread_in = runners[-1].spot.at.dtype  # what is judged; the reference is float64 in any case
        spreads = trace.spreads(self._outcome(reference, "step", spread_in))
        self._each(partial(self._prove, spreads=spreads), runners)
        with self._on_the_same_cores():
            times = self._times(runners, seed)
        weighed = [runner.ask(protocol.Weigh(), protocol.Weighed) for runner in runners]
        return {
            runner.spot: _timing(runner, times, weight.peak_rss_mb)
            for runner, weight in zip(runners, weighed, strict=True)
        }

    def _times(self, runners: list[_Runner], seed: int) -> "_Times":
        load = os.getloadavg()[0]
        for runner in runners:  # by turns: on a core beside a busy one, nobody learns its speed
            runner.warm_up()
        blocks = {
            _key(runner, lane): partial(runner.ask, protocol.Block(lane), protocol.Measured)
            for runner in runners
            for lane in runner.steps
        }
        blocks[timing.AGAIN] = blocks[_key(runners[0], "run")]
        found, disturbed = timing.rounds(blocks, self.rounds, seed, runners[-1].spot.at.device)
        return _Times(found, disturbed, runners[0], self.rounds, load)

    @contextmanager
    def _on_the_same_cores(self) -> Iterator[None]:
        """As many cores as threads, the same for all workers.

        On a virtual machine, each core is for seconds up to twice as slow as another while the host works
        beside it.  Ratios are free of that only where both blocks ran on the same core.
        """
        cores = sorted(os.sched_getaffinity(0))
        for spot, session in self.sessions.items():
            session.keep_to(cores[-spot.at.threads :])
        try:
            yield
        finally:
            for session in self.sessions.values():
                session.keep_to(cores)

    def _each(self, work: Callable[[T], R], items: list[T]) -> list[R]:
        """As many cold starts at a time as there are cores: each is a process of its own on few threads."""
        threads = max(spot.at.threads for spot in self.sessions)
        return together(work, items, self.stop, at_once=(os.cpu_count() or 1) // threads)

    def _prepare(self, spot: Spot) -> _Runner:
        request = protocol.Prepare(spot.task.name, fingerprint(spot.task))
        session = self.sessions[spot]
        try:
            return _Runner(spot, session, session.ask(request, protocol.Prepared))
        except Broken as broken:
            raise BrokenAt(spot, broken) from broken

    def _prove(self, runner: _Runner, spreads: Arrays) -> None:
        """Which lanes come to what single steps come to, and why others are not timed."""
        desired = self._outcome(runner, "step") | spreads
        for lane in self.lanes:
            try:
                actual = self._outcome(runner, lane)
            except BrokenAt as at:
                if at.broken.status not in ("unsupported", "failed"):
                    raise  # the worker is gone
                runner.no_lane[lane] = str(at.broken)
                continue
            found = parity.compare(actual, desired, runner.spot.at.dtype)
            if found.first_divergence:
                runner.no_lane[lane] = (
                    f"not timed: its first epochs differ from single steps by {parity.worst(found):.1e}"
                )
            else:
                runner.agrees_to[lane] = parity.worst(found)

    def _outcome(self, runner: _Runner, lane: str, spread_in: str | None = None) -> Arrays:
        """What the task's first epochs come to in this lane."""
        file = (self.folder / f"{runner.spot.name}.{lane}.npz").resolve()
        try:
            runner.ask(protocol.Prove(lane, str(file), spread_in), protocol.Proved)
            return trace.load(file)
        finally:
            file.unlink(missing_ok=True)


class _Times:
    """The rounds of a race, seen from the reference."""

    def __init__(
        self,
        found: timing.Rounds,
        disturbed: dict[str, list[bool]],
        reference: _Runner,
        rounds: int,
        load: float,
    ) -> None:
        self.found, self.disturbed, self.rounds, self.load = found, disturbed, rounds, load
        self.reference = _key(reference, "run")
        self.step_s = self._blocks_s(self.reference) / reference.steps["run"]
        self.again_s = self._blocks_s(timing.AGAIN) / reference.steps["run"]
        spoiled = timing.spoiled(disturbed, self.reference, timing.AGAIN)
        self.again = timing.interval(timing.log_ratios(self.again_s, self.step_s, spoiled))

    def _blocks_s(self, key: str) -> Array:
        return np.array([blocks[key].wall_s for blocks in self.found])

    def lane(self, key: str, steps: int, agrees_to: float) -> Lane:
        """The times of one backend in one lane."""
        is_reference = key == self.reference
        blocks_s = self._blocks_s(key)
        both = np.sqrt(self.step_s * self.again_s)
        spoiled = timing.spoiled(self.disturbed, key, self.reference, timing.AGAIN)
        ratio = timing.interval(timing.log_ratios(blocks_s / steps, both, spoiled))
        return Lane(
            steps_per_block=steps,
            blocks_s=blocks_s.tolist(),
            blocks_again_s=self._blocks_s(timing.AGAIN).tolist() if is_reference else [],
            cpu_s=[blocks[key].cpu_s for blocks in self.found],
            disturbed=spoiled,
            steady=timing.steady(blocks_s.tolist()),
            ratio_to_reference=self.again if is_reference else ratio,
            verdict="reference" if is_reference else timing.verdict(ratio, self.again, self.rounds),
            agrees_to=agrees_to,
        )


def _key(runner: _Runner, lane: str) -> str:
    return f"{runner.spot.name} {lane}"


def _timing(runner: _Runner, times: _Times, peak_rss_mb: float) -> Timing:
    session, prepared = runner.session, runner.prepared
    assert session.ready is not None
    return Timing(
        start_s=session.start_s,
        import_s=session.ready.import_s,
        build_s=prepared.build_s,
        first_step_s=prepared.first_step_s,
        second_step_s=prepared.second_step_s,
        load=times.load,
        lanes={
            lane: times.lane(_key(runner, lane), steps, runner.agrees_to[lane])
            for lane, steps in runner.steps.items()
        },
        no_lane=runner.no_lane,
        import_rss_mb=session.ready.rss_mb,
        built_rss_mb=prepared.built_rss_mb,
        peak_rss_mb=peak_rss_mb,
    )
