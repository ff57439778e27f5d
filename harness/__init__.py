"""Run every task on every backend, compare step by step, time fairly, report.

In a notebook: `harness.load("reports/latest")`.
"""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from harness.loaded import Run


def load(path: str | Path) -> "Run":
    """A finished run from its folder; see harness/loaded.py.

    Raises `harness.plan.UsageError`, a sentence, for a folder that is not a run's.
    """
    from harness.loaded import Run  # here: the command line must not wait for it

    return Run(path)
