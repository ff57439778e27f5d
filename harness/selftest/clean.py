"""Compare random tasks without a fault: whatever is found there is a false alarm."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count, islice
from pathlib import Path

import numpy as np

from backends import Column
from harness import parity
from harness.result import Status
from harness.selftest.outcome import Clean
from harness.selftest.workers import Workers
from harness.session import Broken
from tasks import arbitrary
from tasks.spec import Task


@dataclass(frozen=True)
class _Judged:
    """One random task on one backend."""

    where: str
    status: Status
    reason: str | None = None
    headroom: float = np.inf


def clean(workers: Workers, runs: int, tell: Callable[[str], None]) -> Clean:
    """Run random tasks on every backend but the reference, until there are so many runs.

    A backend that declares to differ must differ for the reason that it declares.
    """
    others = [column for column in workers.columns if workers.sessions[column.name] is not workers.reference]
    pairs = list(islice(_pairs(others), runs))
    desired = {task.name: workers.desired(task) for task in {task.name: task for task, _ in pairs}.values()}

    def judge(backend: str) -> list[_Judged]:
        found = []
        for task, column in pairs:
            if column.name == backend:
                found.append(_judge(workers, task, column, desired[task.name]))
                tell(f"{found[-1].status:<16}  {found[-1].where}")
        return found

    return _summary([one for found in workers.side_by_side(judge) for one in found])


def _pairs(columns: list[Column]) -> Iterator[tuple[Task, Column]]:
    """Random tasks, each with every backend that can express it."""
    for seed in count():
        task = arbitrary.random(seed)
        for column in columns:
            limit = column.limit(task)
            if limit is None or limit.status != "unsupported":
                yield task, column


def _judge(workers: Workers, task: Task, column: Column, desired: Path) -> _Judged:
    where = f"{task.name} × {column.name}"
    limit = column.limit(task)
    try:
        actual, hidden = workers.record(column.name, task, desired)
        found = workers.compare(actual, desired, hidden)
        causes = []
        if found.first_divergence:
            causes = workers.causes(task, actual, desired, hidden, limit.cause if limit else None)
    except Broken as broken:
        return _Judged(where, broken.status, broken.reason)
    status, reason = parity.verdict(found, limit, causes)
    return _Judged(where, status, reason, parity.headroom(found))


def _summary(judged: list[_Judged]) -> Clean:
    statuses = [one.status for one in judged]
    quiet = ("agreed", "known difference", "inconclusive")
    agreed = [one for one in judged if one.status == "agreed"]
    tightest = min(agreed, key=lambda one: one.headroom, default=None)
    return Clean(
        runs=len(judged),
        agreed=len(agreed),
        as_declared=statuses.count("known difference"),
        inconclusive=statuses.count("inconclusive"),
        alarms=[f"{one.where} {one.status}: {one.reason}" for one in judged if one.status not in quiet],
        least_headroom=tightest.headroom if tightest else None,
        tightest=tightest.where if tightest else None,
    )
