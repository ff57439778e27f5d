"""The smallest change of each hyper-parameter that is found on each task of the table."""

from collections.abc import Callable
from pathlib import Path

from harness.faults.numbers import hyper_parameters
from harness.selftest.outcome import Power
from harness.selftest.workers import Workers
from tasks import TASKS
from tasks.spec import Task

FINEST, COARSEST = -16, -1  # powers of ten of the relative changes that are tried


def power(workers: Workers, backend: str, tell: Callable[[str], None]) -> list[Power]:
    """For each task and hyper-parameter, found by halving: whoever finds a change finds a larger one."""
    found = []
    for task in TASKS.values():
        desired = workers.desired(task)
        for name, value in hyper_parameters(task).items():
            if value:
                found.append(Power(task.name, name, _smallest(workers, backend, task, desired, name)))
                tell(f"{found[-1].change or 'none':<10}  {name} of {task.name}")
    return found


def _smallest(workers: Workers, backend: str, task: Task, desired: Path, name: str) -> float | None:
    low, high = FINEST, COARSEST + 1  # the answer is in low … high, where high stands for none
    while low < high:
        middle = (low + high) // 2
        actual, hidden = workers.record(backend, task, desired, f"changed:{name}:1e{middle}")
        if workers.compare(actual, desired, hidden).first_divergence:
            high = middle
        else:
            low = middle + 1
    return None if high > COARSEST else 10.0**high
