"""A run in a notebook, and its differences as a table."""

import csv
import sys
from pathlib import Path

import msgspec
import numpy as np
import pandas as pd
import pytest
from command import Ran, ran_here, refused
from pyarrow import parquet

import harness
from harness import folder, steps
from harness.loaded import Run
from harness.plan import UsageError
from harness.report import figures
from harness.result import Lane, Timing


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Ran:
    """A known difference, a gap of scikit-learn, and cells that agree; exported."""
    home = tmp_path_factory.mktemp("loaded")
    tasks = ("-t", "small-rmsprop-inside", "-t", "small-squared", "-b", "sklearn", "-b", "torch")
    return ran_here(home, {"run": (*tasks, "--no-timing", "--export", home / "steps.csv")})["run"]


@pytest.fixture(scope="module")
def run(ran: Ran) -> Run:
    return harness.load(ran.folder)


def test_cells_are_found_by_name_and_by_what_they_came_to(run: Run) -> None:
    assert len(run) == len(run.cells) == 6
    assert run.tasks == ["small-rmsprop-inside", "small-squared"]
    assert run.backends == ["numpy", "sklearn", "torch"]
    assert run["small-squared", "torch"].status == "agreed"
    (known,) = run.where(status="known difference")
    assert (known.task, known.backend) == ("small-rmsprop-inside", "torch")
    assert "known difference" in repr(known)
    assert {"status", "parity", "trace"} <= set(dir(known))


def test_name_that_is_not_there_is_told_with_those_that_are(run: Run) -> None:
    with pytest.raises(KeyError, match="xor × torch is not in this run; it has small-rmsprop-inside"):
        run["xor", "torch"]


def test_what_cells_do_not_have_is_refused(run: Run) -> None:
    with pytest.raises(TypeError, match="a cell has no field 'stat'; it has task, backend"):
        run.where(stat="agreed")
    with pytest.raises(KeyError, match="keras is not in this run; it has numpy, sklearn, torch"):
        run.by_step("small-squared", "keras")


def test_trace_of_a_cell_is_what_it_recorded(run: Run) -> None:
    cell = run["small-squared", "torch"]
    assert cell.trace["loss"].shape == (cell.steps,)
    with pytest.raises(LookupError, match="small-rmsprop-inside × sklearn has no trace: unsupported"):
        _ = run["small-rmsprop-inside", "sklearn"].trace


def test_table_has_a_row_per_cell(run: Run) -> None:
    table = run.table()
    assert isinstance(table, pd.DataFrame)
    assert list(table.task + " " + table.backend) == [f"{cell.task} {cell.backend}" for cell in run]
    agreed = table[(table.task == "small-squared") & (table.backend == "torch")].iloc[0]
    assert (agreed.status, agreed.worst) == ("agreed", figures.worst(run["small-squared", "torch"].cell)[0])
    assert pd.isna(agreed.ratio_to_reference)  # not timed


def test_without_pandas_a_table_is_a_dict_of_columns(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pandas", None)
    table = run.table()
    assert isinstance(table, dict)
    assert table["backend"] == [cell.backend for cell in run]


def test_timings_have_a_row_per_block(run: Run, tmp_path: Path) -> None:
    lane = Lane(50, [0.1, 0.2], [], [0.1, 0.1], [False, True], True, [0.9, 1.0, 1.1], "no verdict", 0.0)
    timing = Timing(1.0, 1.0, 1.0, 1.0, 1.0, 0.5, {"run": lane}, {}, 1.0, 1.0, 1.0)
    cells = [msgspec.structs.replace(cell, timing=timing) for cell in run.result.cells[:1]]
    folder.store(tmp_path, msgspec.structs.replace(run.result, cells=cells))
    timed = harness.load(tmp_path)
    table = timed.timings()
    assert list(table.wall_s) == [0.1, 0.2]
    assert list(table["round"]) == [1, 2]
    assert list(table.disturbed) == [False, True]
    np.testing.assert_allclose(table.step_s, [0.002, 0.004])
    np.testing.assert_allclose(timed.table().step_s, 0.003)


def test_notebook_shows_the_matrix_escaped(run: Run) -> None:
    shown = run._repr_html_()
    assert shown.count("<tr>") == 1 + 2
    assert "known difference" in shown
    assert "PyTorch" in shown
    assert "<th>small-squared</th>" in shown


def test_folder_that_is_no_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"it has no run\.json"):
        harness.load(tmp_path)


# ------------------------------------------------------------------------------------------ steps


def test_steps_agree_with_the_verdict(run: Run) -> None:
    """The worst row of a kind is the difference that run.json has."""
    for cell in run.where(backend="torch"):
        table = cell.by_step()
        assert set(table.backend) == {"torch"}
        kinds = table.quantity.str.split("/").str[0].str.split("_").str[0]
        for name, found in (("quantities", False), ("single_steps", True)):
            for kind, difference in getattr(cell.parity, name).items():
                rows = table[(kinds == kind) & (table.single_step == found)]
                assert rows.relative.max() == pytest.approx(difference.max_rel, rel=1e-12)


def test_steps_tell_the_loss_itself(run: Run) -> None:
    table = run["small-squared", "torch"].by_step()
    loss = table[(table.quantity == "loss") & ~table.single_step]
    np.testing.assert_array_equal(loss.actual, run["small-squared", "torch"].trace["loss"])
    np.testing.assert_array_equal(loss.desired, run["small-squared", "numpy"].trace["loss"])
    np.testing.assert_array_equal(loss.step, np.arange(len(loss)))


def test_export_has_the_rows_of_all_cells(ran: Ran, run: Run, tmp_path: Path) -> None:
    with (ran.folder.parent / "steps.csv").open() as file:
        rows = list(csv.DictReader(file))
    table = run.by_step()
    assert tuple(rows[0]) == steps.COLUMNS
    assert len(rows) == len(table)
    assert [float(row["relative"]) for row in rows] == list(table.relative)  # to the last digit
    steps.export(run.result, run.folder, tmp_path / "steps.parquet")
    read = parquet.read_table(tmp_path / "steps.parquet").to_pandas()
    pd.testing.assert_frame_equal(read, table, check_dtype=False)


def test_export_of_another_format_is_refused_before_anything_runs() -> None:
    assert refused("run", "--export", "steps.xlsx") == (
        "--export steps.xlsx ends in '.xlsx', expected .csv or .parquet"
    )


def test_parquet_without_its_library_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    assert "pip install pyarrow" in refused("run", "--export", "steps.parquet")
