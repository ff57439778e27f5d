"""The default tasks on every backend, through the real command line, judged from the files of the run."""

import json
from copy import deepcopy
from pathlib import Path

import jsonschema
import msgspec
import numpy as np
import pytest
from command import here
from conftest import ROOT, RealRun
from test_oracles import EXAMPLES, GOLDEN

from backends import COLUMNS, Limit
from harness import folder, result
from harness.trace import is_observed, load
from tasks import TASKS
from tasks.spec import Function

SCHEMA = json.loads((ROOT / "harness" / "run.schema.json").read_text())
DEFAULT = [name for name, task in TASKS.items() if "default" in task.tags]
CELLS = [pytest.param(task, backend, id=f"{task}-{backend}") for task in DEFAULT for backend in COLUMNS]


def cell(run: RealRun, task: str, backend: str) -> dict:
    (found,) = (c for c in run.result["cells"] if (c["task"], c["backend"]) == (task, backend))
    return found


def test_run_ends_well_and_says_where_the_report_is(whole_run: RealRun) -> None:
    assert whole_run.exit_code == 0, whole_run.output
    assert f"Report: {whole_run.folder / 'report.html'}" in whole_run.output.replace("\n", "")


def test_run_json_follows_the_schema_in_the_repository(whole_run: RealRun) -> None:
    jsonschema.validate(whole_run.result, SCHEMA, cls=jsonschema.Draft202012Validator)
    assert folder.load(whole_run.folder).complete


def test_schema_in_the_repository_is_that_of_the_code() -> None:
    assert json.loads(msgspec.json.encode(result.json_schema())) == SCHEMA


def test_schema_refuses_an_unknown_status(whole_run: RealRun) -> None:
    run = deepcopy(whole_run.result)
    run["cells"][0]["status"] = "fine"
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(run, SCHEMA, cls=jsonschema.Draft202012Validator)


@pytest.mark.parametrize("name", ["report.html", "summary.md", "junit.xml"])
def test_report_is_there(whole_run: RealRun, name: str) -> None:
    assert (whole_run.folder / name).stat().st_size > 1000


@pytest.mark.parametrize(("task", "backend"), CELLS)
def test_agrees_with_the_reference_or_differs_as_declared(
    whole_run: RealRun, task: str, backend: str
) -> None:
    found = cell(whole_run, task, backend)
    declared = COLUMNS[backend].limit(TASKS[task])
    if declared and not declared.everywhere:
        declared = None  # none of these tasks is one on which it shows
    # A known difference that stops differing ends as "agreed", and fails here until its declaration goes.
    assert found["status"] == (declared.status if declared else "agreed"), found["reason"]
    if declared:
        assert declared.reason in found["reason"]


@pytest.mark.parametrize(("task", "backend"), CELLS)
def test_every_quantity_was_compared_or_is_declared_hidden(
    whole_run: RealRun, task: str, backend: str
) -> None:
    found = cell(whole_run, task, backend)
    if found["status"] == "unsupported":
        assert found["trace"] is None
        return
    desired = {"loss", "grad", "param"}
    desired |= {"state"} if TASKS[task].optimizer.slots or TASKS[task].counts_steps else set()
    desired |= {"predict"} if TASKS[task].data else set()
    hidden = {entry.split(":")[0] for entry in found["parity"]["not_observed"]}
    assert set(found["parity"]["quantities"]) | hidden == desired
    assert not set(found["parity"]["quantities"]) & hidden
    assert found["parity"]["steps_compared"] == found["steps"]


@pytest.mark.parametrize(("task", "backend"), [p for p in CELLS if p.values[0] in EXAMPLES])
def test_gives_the_stored_results(whole_run: RealRun, task: str, backend: str) -> None:
    """The golden values, held against each column's own trace, and not by way of the reference."""
    found = cell(whole_run, task, backend)
    if found["status"] != "agreed":
        assert found["reason"]
        return
    trace, key = load(whole_run.folder / found["trace"]), EXAMPLES[task]
    compared = 0
    for stored, name, last in (
        ("loss_curve", "epoch_loss", False),
        ("mistakes", "mistakes", False),
        ("trajectory", "param/w", False),
        *((p, f"param/{p}", True) for p in ("w", "b", "w1", "b1", "w2", "b2", "w3", "b3")),
    ):
        if f"{key}/{stored}" in GOLDEN.files:
            actual = trace[name][-1] if last else trace[name]
            desired = GOLDEN[f"{key}/{stored}"]
            np.testing.assert_allclose(actual.ravel(), desired.ravel(), rtol=1e-12, atol=1e-12, err_msg=name)
            compared += 1
    assert compared


@pytest.mark.parametrize("backend", COLUMNS)
def test_xor_is_learned(whole_run: RealRun, backend: str) -> None:
    assert cell(whole_run, "xor-learns", backend)["metrics"]["train_accuracy"] == 1.0


@pytest.mark.parametrize("backend", COLUMNS)
def test_first_common_network_does_not_learn_xor(whole_run: RealRun, backend: str) -> None:
    found = cell(whole_run, "xor", backend)
    assert (found["epochs"], found["metrics"]["train_accuracy"]) == (207, 0.5)


@pytest.mark.parametrize("backend", COLUMNS)
def test_large_network_on_moons_does_best_on_the_test_rows(whole_run: RealRun, backend: str) -> None:
    names = ("moons-overfit", "moons-good-fit", "moons-underfit")
    found = [cell(whole_run, name, backend) for name in names]
    assert [c["epochs"] for c in found] == [387, 564, 769]
    accuracies = [c["metrics"]["test_accuracy"] for c in found]
    assert accuracies == pytest.approx([0.950, 0.833, 0.867], abs=5e-4)
    assert [sum(map(sum, c["metrics"]["confusion_test"])) for c in found] == [60, 60, 60]


@pytest.mark.parametrize("backend", COLUMNS)
def test_too_large_a_rate_diverges_after_the_same_step_everywhere(whole_run: RealRun, backend: str) -> None:
    found = cell(whole_run, "rate-diverges", backend)
    assert found["metrics"]["diverged_after"] == found["steps"] == 77
    assert found["status"] == "agreed"


@pytest.mark.parametrize("backend", COLUMNS)
def test_watched_network_ends_with_its_best_epoch(whole_run: RealRun, backend: str) -> None:
    found = cell(whole_run, "overfit-early-stopping", backend)
    rule = TASKS["overfit-early-stopping"].stopping
    assert found["epochs"] == found["metrics"]["best_epoch"] + rule.patience + 1 < rule.max_epochs
    trace = load(whole_run.folder / found["trace"])
    assert np.argmin(trace["validation_loss"]) == found["metrics"]["best_epoch"] - 1


@pytest.mark.parametrize("backend", COLUMNS)
def test_several_classes_and_regressions_have_their_own_measures(whole_run: RealRun, backend: str) -> None:
    iris, diabetes = (cell(whole_run, task, backend)["metrics"] for task in ("iris", "diabetes"))
    assert np.shape(iris["confusion_test"]) == (3, 3)
    assert np.trace(iris["confusion_test"]) / np.sum(iris["confusion_test"]) == iris["test_accuracy"] > 0.9
    assert (diabetes["train_accuracy"], diabetes["confusion_test"]) == (None, None)
    assert 0.2 < diabetes["test_r2"] < 1


@pytest.mark.parametrize("task", DEFAULT)
def test_trace_is_observed_on_schedule(whole_run: RealRun, task: str) -> None:
    trace = load(whole_run.folder / cell(whole_run, task, "torch")["trace"])
    steps = trace["observed_steps"]
    last = len(trace["loss"])
    until = last if "diverged" in trace else last + 1  # the loss at the last parameters is not finite
    assert steps.tolist() == [s for s in range(until) if is_observed(TASKS[task], s) or s == last]
    for name in TASKS[task].shapes:
        assert len(trace[f"param/{name}"]) == len(steps)
    if isinstance(TASKS[task].model, Function):
        assert steps.tolist() == list(range(until))


def test_every_cell_has_a_file_of_its_own(whole_run: RealRun) -> None:
    files = {path.stem for path in (whole_run.folder / "cells").iterdir()}
    assert files == {f"{task}.{backend}.float64" for task in DEFAULT for backend in COLUMNS}


def test_traces_hold_no_pickles(whole_run: RealRun) -> None:
    for path in Path(whole_run.folder / "traces").glob("xor*.npz"):
        assert all(array.dtype != object for array in load(path).values())


@pytest.mark.parametrize(
    ("task", "backend", "declared"),
    [
        ("small-confident", name, limit)
        for name, column in COLUMNS.items()
        for limit in column.limits
        if not limit.everywhere
    ],
    ids=lambda value: value if isinstance(value, str) else value.cause,
)
def test_difference_declared_for_some_tasks_only_shows_on_one(
    task: str, backend: str, declared: Limit, tmp_path: Path
) -> None:
    """It would end as "agreed" if it stopped differing, and fail here until its declaration goes."""
    done = here("run", "--no-timing", "-t", task, "-b", backend, "--out", tmp_path / "run")
    assert done.returncode == 0
    found = json.loads((tmp_path / "run" / "run.json").read_text())["cells"][-1]
    assert found["status"] == "known difference"
    assert declared.reason in found["reason"]
