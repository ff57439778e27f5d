"""A run in a notebook or a script: `harness.load("reports/latest")`.

run = harness.load("reports/latest")
run                                   # the matrix
run["xor", "torch"].status            # a cell, with all that run.json has of it
run["xor", "torch"].trace["loss"]     # what it recorded, NumPy arrays
run.where(status="diverged")          # some cells
run.table()                           # a row per cell …
run.steps("xor")                      # … per step and quantity …
run.timings()                         # … per timed block
"""

import html
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from backends.base import Arrays
from harness import folder, steps, trace
from harness.report import figures, verdict
from harness.result import Cell, Result
from tasks.spec import Array

LONGEST = 12  # of more names, an error lists so many


@dataclass(frozen=True)
class LoadedCell:
    """One task on one backend: the fields of its `harness.result.Cell`, and its trace."""

    cell: Cell
    run: "Run"

    def __getattr__(self, name: str) -> Any:
        return getattr(self.cell, name)

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *self.cell.__struct_fields__]

    @property
    def trace(self) -> Arrays:
        """What was recorded, by name; see harness/trace.py.  Raises `LookupError` where there is none."""
        if not self.cell.trace:
            raise LookupError(f"{figures.name(self.cell)} has no trace: {self.cell.status}")
        return trace.load(self.run.folder / self.cell.trace)

    def by_step(self) -> Any:
        """Differences, a row per step and quantity; see `Run.by_step`."""
        return self.run.by_step(self.cell.task, self.cell.backend)

    def __repr__(self) -> str:
        return f"<{figures.name(self.cell)}: {figures.word(self.cell, self.run.result)}>"


class Run:
    """A finished run, read from its folder; traces are loaded when they are looked at."""

    def __init__(self, path: str | Path) -> None:
        """Raises `harness.plan.UsageError`, a sentence, for a folder that is not a run's."""
        self.folder = Path(path)
        self.result: Result = folder.load(self.folder)

    @cached_property
    def cells(self) -> list[LoadedCell]:
        """All of them, in the run's order."""
        return [LoadedCell(cell, self) for cell in self.result.cells]

    @property
    def tasks(self) -> list[str]:
        """The names of the run's tasks."""
        return list(dict.fromkeys(cell.task for cell in self.result.cells))

    @property
    def backends(self) -> list[str]:
        """The names of its backends."""
        return figures.backends(self.result)

    def where(self, **fields: object) -> list[LoadedCell]:
        """The cells with these values: `where(backend="keras", status="known difference")`.

        Raises `TypeError` for a field that cells do not have.
        """
        for name in fields:
            if name not in Cell.__struct_fields__:
                raise TypeError(f"a cell has no field {name!r}; it has {', '.join(Cell.__struct_fields__)}")
        return [
            one for one in self.cells if all(getattr(one, name) == value for name, value in fields.items())
        ]

    def __getitem__(self, key: tuple[str, str]) -> LoadedCell:
        """The cell of a task and a backend; the first, where the run has several placements."""
        task, backend = key
        found = self.where(task=task, backend=backend)
        if not found:
            raise KeyError(
                f"{task} × {backend} is not in this run; it has {_some(self.tasks)} on {_some(self.backends)}"
            )
        return found[0]

    def __iter__(self) -> Iterator[LoadedCell]:
        return iter(self.cells)

    def __len__(self) -> int:
        return len(self.cells)

    def table(self) -> Any:
        """A row per cell: a pandas DataFrame if pandas is installed, else a dict of lists."""
        rows = [_row(cell) for cell in self.result.cells]
        return _frame({name: [row[name] for row in rows] for name in _row(None)})

    def by_step(self, task: str | None = None, backend: str | None = None) -> Any:
        """Differences, a row per task, backend, step and quantity, of all or some; see harness/steps.py.

        Raises `KeyError` for a task or backend that the run does not have.
        """
        for name, known in ((task, self.tasks), (backend, self.backends)):
            if name is not None and name not in known:
                raise KeyError(f"{name} is not in this run; it has {_some(known)}")
        chosen = [
            cell
            for cell in self.result.cells
            if (task in (None, cell.task))
            and (backend in (None, cell.backend) or cell.backend == self.result.reference)
        ]
        found = [
            table
            for table in steps.tables(_only(self.result, chosen), self.folder)
            if backend is None or (table["backend"] == backend).all()
        ]
        return _frame(
            {name: np.concatenate([t[name] for t in found]) if found else [] for name in steps.COLUMNS}
        )

    def timings(self) -> Any:
        """A row per timed block: seconds of wall and processor time, and of one step."""
        rows = [
            (cell.task, cell.backend, name, number, wall, cpu, wall / lane.steps_per_block, disturbed)
            for cell in self.result.cells
            if cell.timing
            for name, lane in cell.timing.lanes.items()
            for number, (wall, cpu, disturbed) in enumerate(
                zip(lane.blocks_s, lane.cpu_s, lane.disturbed, strict=False), 1
            )
        ]
        names = ("task", "backend", "lane", "round", "wall_s", "cpu_s", "step_s", "disturbed")
        return _frame({name: [row[i] for row in rows] for i, name in enumerate(names)})

    def __repr__(self) -> str:
        return f"<run of {self.result.started}: {verdict.sentence(self.result)}>"

    def _repr_html_(self) -> str:
        """The matrix, as a notebook shows it."""
        named = [html.escape(verdict.TITLES.get(name, name)) for name in self.backends]
        rows = [
            [f"<th>{html.escape(task)}</th>", *(self._shown(cells.get(name)) for name in self.backends)]
            for task, cells in figures.matrix(self.result).items()
        ]
        head = "".join(f"<th>{name}</th>" for name in ["task", *named])
        body = "".join(f"<tr>{''.join(row)}</tr>" for row in rows)
        said = html.escape(verdict.sentence(self.result))
        return f"<p><b>{said}</b></p><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"

    def _shown(self, cell: Cell | None) -> str:
        if cell is None:
            return "<td>not run</td>"
        reason = f' title="{html.escape(cell.reason)}"' if cell.reason else ""
        return f"<td{reason}>{html.escape(figures.word(cell, self.result))}</td>"


def _only(result: Result, cells: Sequence[Cell]) -> Result:
    return msgspec.structs.replace(result, cells=list(cells))


def _row(cell: Cell | None) -> dict[str, Any]:
    """What a table of cells shows of one; with None, only the names."""
    worst = figures.worst(cell) if cell else None
    metrics, lane = (cell.metrics, figures.lane_of(cell, "run")) if cell else (None, None)
    fields = ("task", "backend", "dtype", "device", "threads", "status", "reason", "steps", "epochs")
    return {
        **{name: getattr(cell, name, None) for name in fields},
        "worst": worst[0] if worst else None,
        "worst_quantity": worst[1] if worst else None,
        "loss": metrics.loss if metrics else None,
        "train_accuracy": metrics.train_accuracy if metrics else None,
        "test_accuracy": metrics.test_accuracy if metrics else None,
        "step_s": float(np.median(lane.blocks_s)) / lane.steps_per_block if lane else None,
        "ratio_to_reference": lane.ratio_to_reference[1] if lane and lane.ratio_to_reference else None,
    }


def _frame(columns: Mapping[str, Sequence[Any] | Array]) -> Any:
    """A pandas DataFrame, or the columns as they are."""
    try:
        import pandas as pd  # here: whoever has it wants it, and nobody needs it
    except ModuleNotFoundError:
        return dict(columns)
    return pd.DataFrame(columns)


def _some(names: Sequence[str]) -> str:
    more = [f"{len(names) - LONGEST} more"] if len(names) > LONGEST else []
    return ", ".join([*names[:LONGEST], *more])
