"""Differences step by step as a table: a row for each task, backend, step and quantity.

task, backend, dtype, device, threads   the cell
quantity       "loss", "param/w1", "grad/b1", "state/velocity/w1", "predict_test" …
single_step    whether from the reference's own state, or else in the free-running training
step           after how many steps; of a loss, how many were taken before it
difference     the largest |actual - desired| of any element; inf where one is not finite
relative       the same, divided by the largest value that the reference's quantity has had by then
tolerance      the largest relative difference that agrees there
actual, desired   of a quantity that is one number, both sides; else NaN
"""

import csv
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from backends.base import Arrays
from harness import parity, trace
from harness.parity import Series
from harness.plan import UsageError
from harness.result import Cell, Result
from tasks.spec import Array

COLUMNS = (
    "task", "backend", "dtype", "device", "threads", "quantity", "single_step", "step", "difference",
    "relative", "tolerance", "actual", "desired",
)  # fmt: skip
FORMATS = (".csv", ".parquet")

Columns = dict[str, Array]


def check(path: Path) -> None:
    """Raise `UsageError` for a file that could not be written: better at once than after a run."""
    if path.suffix not in FORMATS:
        raise UsageError(f"--export {path} ends in {path.suffix!r}, expected .csv or .parquet")
    if path.suffix == ".parquet":
        _parquet()


def export(result: Result, folder: Path, path: Path) -> None:
    """Write all rows of a run into a .csv or .parquet file, cell by cell.

    Raises `OSError` when a trace cannot be read or the file cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    write = _write_csv if path.suffix == ".csv" else _write_parquet
    write(tables(result, folder), path)


def tables(result: Result, folder: Path) -> Iterator[Columns]:
    """The rows of each cell that was compared, as columns."""
    references = {cell.task: cell for cell in result.cells if _is_reference(cell, result)}
    by_task = sorted(
        result.cells, key=lambda cell: list(references).index(cell.task) if cell.task in references else 0
    )
    loaded, desired = "", dict[str, Array]()
    for cell in by_task:
        reference = references.get(cell.task)
        if not (cell.trace and cell.parity and reference and reference.trace):
            continue
        if loaded != reference.trace:
            loaded, desired = reference.trace, trace.load(folder / reference.trace)
        yield of_cell(cell, trace.load(folder / cell.trace), desired)


def _is_reference(cell: Cell, result: Result) -> bool:
    place = (cell.backend, cell.dtype, cell.device, cell.threads)
    return place == (result.reference, "float64", "cpu", result.environment.threads)


def of_cell(cell: Cell, actual: Arrays, desired: Arrays) -> Columns:
    """The rows of one cell, from its trace and the reference's."""
    series = parity.differences(actual, desired, cell.dtype)
    lengths = [len(one.steps) for one in series]
    rows = sum(lengths)
    return {
        **{name: np.full(rows, getattr(cell, name)) for name in COLUMNS[:5]},
        "quantity": np.repeat([one.name.removeprefix(parity.LOCAL) for one in series], lengths),
        "single_step": np.repeat([one.name.startswith(parity.LOCAL) for one in series], lengths),
        "step": _joined([one.steps for one in series]).astype(np.int64),
        "difference": _joined([one.distance for one in series]),
        "relative": _joined([one.rel() for one in series]),
        "tolerance": _joined([one.tolerance / one.scale for one in series]),
        "actual": _joined([_values(one, actual) for one in series]),
        "desired": _joined([_values(one, desired) for one in series]),
    }


def _joined(parts: list[Array]) -> Array:
    return np.concatenate([*parts, np.zeros(0)])


def _values(series: Series, arrays: Arrays) -> Array:
    """The quantity itself at those steps, where it is one number; else NaN."""
    values = arrays[series.name]
    if values.ndim != 1 or parity.kind_of(series.name) == "predict":
        return np.full(len(series.steps), np.nan)
    steps = parity.steps_of(series.name, arrays)
    found = dict(zip(steps.tolist(), values.tolist(), strict=True))
    return np.array([found[step] for step in series.steps.tolist()])


def _write_csv(tables: Iterator[Columns], path: Path) -> None:
    text = io.StringIO()
    rows = csv.writer(text)
    rows.writerow(COLUMNS)
    for table in tables:
        rows.writerows(zip(*(table[name].tolist() for name in COLUMNS), strict=True))
    trace.write(path, text.getvalue().encode())


def _write_parquet(tables: Iterator[Columns], path: Path) -> None:
    pyarrow, parquet = _parquet()
    parts = [pyarrow.table(table) for table in tables]
    buffer = io.BytesIO()
    parquet.write_table(pyarrow.concat_tables(parts) if parts else pyarrow.table({}), buffer)
    trace.write(path, buffer.getvalue())


def _parquet() -> tuple[Any, Any]:
    """The library that writes it, which few need and none has to install."""
    try:
        import pyarrow as pa
        from pyarrow import parquet
    except ModuleNotFoundError:
        raise UsageError(
            "--export *.parquet needs pyarrow: pip install pyarrow; .csv needs nothing"
        ) from None
    return pa, parquet
