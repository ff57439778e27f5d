"""Damage the files of a finished run, and see whether going on with it or reading it notices."""

import json
import shutil
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from backends import COLUMNS, REFERENCE
from backends.base import Placement
from harness import folder, plan
from harness.plan import UsageError
from harness.result import Cell
from harness.run import Options, Run
from harness.selftest.outcome import Outcome
from tasks import small

TASKS = {task.name: task for task in small.TASKS if task.name in ("small-gd", "small-adam")}
HARNESS = "harness"  # what is tested here, in place of a backend
SPOILED, OTHER = "small-adam.numpy.float64", "small-gd.numpy.float64"  # cells


@dataclass(frozen=True)
class Spoil:
    """One thing that can happen to the files of a run."""

    id: str
    words: str
    apply: Callable[[Path], object]
    cell: str | None = SPOILED  # must be computed again; None: the run must be refused


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def _flip(path: Path) -> None:
    """One bit in the middle."""
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def _edit(path: Path, change: Callable[[dict[str, Any]], object]) -> None:
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))


def _cell(run: Path, name: str = SPOILED) -> Path:
    return run / "cells" / f"{name}.json"


def _trace(run: Path, name: str = SPOILED) -> Path:
    return run / "traces" / f"{name}.npz"


SPOILS = (
    Spoil("run-cut", "run.json ends in the middle", lambda run: _cut(run / "run.json"), cell=None),
    Spoil(
        "run-schema",
        "run.json has another schema",
        lambda run: _edit(run / "run.json", lambda found: found.update(schema="other/1")),
        cell=None,
    ),
    Spoil(
        "run-duplicate-cell",
        "run.json has a cell twice",
        lambda run: _edit(run / "run.json", lambda found: found["cells"].append(found["cells"][0])),
        cell=None,
    ),
    Spoil("cell-cut", "a cell's file ends in the middle", lambda run: _cut(_cell(run))),
    Spoil("cell-missing", "a cell's file is missing", lambda run: _cell(run).unlink()),
    Spoil(
        "cell-stale",
        "a cell is of an earlier version of the column",
        lambda run: _edit(_cell(run), lambda found: found.update(identity="0" * 16)),
    ),
    Spoil(
        "cell-swapped",
        "a cell's file holds another cell",
        lambda run: shutil.copy(_cell(run, OTHER), _cell(run)),
    ),
    Spoil("trace-file-cut", "a trace's file ends in the middle", lambda run: _cut(_trace(run))),
    Spoil("trace-file-missing", "a trace's file is missing", lambda run: _trace(run).unlink()),
    Spoil("trace-file-bit", "a bit of a trace's file is flipped", lambda run: _flip(_trace(run))),
    Spoil(
        "trace-file-stale",
        "a trace's file is that of another run",
        lambda run: shutil.copy(_trace(run, OTHER), _trace(run)),
    ),
)


class _Computed:
    """Notes which cells a run computes."""

    def __init__(self) -> None:
        self.cells: list[str] = []

    def start(self, phase: str, total: int, workers: Mapping[str, int] | None = None) -> None:
        """Nothing to note."""

    def working(self, what: str, worker: str = "") -> None:
        """Nothing to note."""

    def finished(self, cell: Cell, worker: str = "") -> None:  # noqa: ARG002  of whichever worker
        """Note it."""
        self.cells.append(f"{cell.task}.{cell.backend}.{cell.dtype}")

    def timed(self, task: str) -> None:
        """Nothing to note."""


def spoiled(tell: Callable[[str], None]) -> list[Outcome]:
    """What became of each kind of damage."""
    outcomes = []
    with tempfile.TemporaryDirectory(prefix="samestep-") as name:
        whole = Path(name) / "whole"
        _run(whole, resume=False)
        for spoil in SPOILS:
            copy = Path(name) / spoil.id
            shutil.copytree(whole, copy)
            spoil.apply(copy)
            outcomes.append(_outcome(spoil, copy))
            tell(f"{outcomes[-1].found:<10}  {spoil.id}")
    return outcomes


def _outcome(spoil: Spoil, run: Path) -> Outcome:
    computed: list[str] = []
    details = None
    try:
        folder.load(run)
        computed = _run(run, resume=True)
    except UsageError as error:
        details = str(error)
    noticed = details is not None if spoil.cell is None else computed == [spoil.cell]
    return Outcome(
        spoil.id,
        spoil.words,
        "files of a run",
        HARNESS,
        found="found" if noticed else "missed",
        localised=noticed,
        details=details or f"computed again: {', '.join(computed) or 'nothing'}",
    )


def _run(out: Path, *, resume: bool) -> list[str]:
    """Run two small tasks on the reference; which cells were computed."""
    watcher = _Computed()
    options = Options(out=out, command=[], rounds=0, resume=resume)
    Run(plan.spots(TASKS, [COLUMNS[REFERENCE]], Placement()), options, watcher).execute()
    return watcher.cells
