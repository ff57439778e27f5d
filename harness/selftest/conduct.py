"""Conduct a self-test."""

import time
from collections.abc import Sequence
from typing import Protocol

from backends import Column
from harness.selftest.clean import clean
from harness.selftest.files import SPOILS, spoiled
from harness.selftest.inject import injected, plan
from harness.selftest.outcome import SCHEMA, Clean, Outcome, Power, Selftest
from harness.selftest.power import power
from harness.selftest.workers import Workers
from tasks import small


class Watcher(Protocol):
    """Who is told how far it is."""

    def start(self, phase: str, total: int | None) -> None:
        """A phase of so many pieces begins; None: nobody knows how many."""

    def counted(self, what: str) -> None:
        """This is done."""


def conduct(
    columns: Sequence[Column], watcher: Watcher, *, quick: bool, clean_runs: int | None, with_power: bool
) -> Selftest:
    """Show every fault; or, in place of that, run without any, or look for the smallest.

    Raises `Broken` when a worker does not do what is right.
    """
    began = time.perf_counter()
    outcomes: list[Outcome] = []
    found: Clean | None = None
    powers: list[Power] = []
    with Workers(columns) as workers:
        first = small.TASKS[0]
        desired = workers.desired(first)
        workers.side_by_side(lambda backend: workers.check(backend, first, desired))
        if clean_runs:
            watcher.start("clean runs", clean_runs)
            found = clean(workers, clean_runs, watcher.counted)
        if with_power:
            watcher.start("power", None)
            powers = power(workers, columns[0].name, watcher.counted)
        if not clean_runs and not with_power:
            planned = plan(workers, quick=quick)
            faults = sum(len(faults) for work in planned.values() for faults in work.values())
            watcher.start("faults", faults + len(SPOILS))
            outcomes = injected(workers, planned, watcher.counted) + spoiled(watcher.counted)
    return Selftest(SCHEMA, time.perf_counter() - began, outcomes, found, powers)
