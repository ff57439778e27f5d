"""Recording: the stopping rule, the schedule of observations, and what a trace holds."""

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_contract import RULES, network

import backends.numpy as reference
from backends.base import Placement
from harness import trace
from harness.trace import Stopper, grid, is_observed, load, record, save
from tasks import TASKS
from tasks.spec import Stopping

LOSSES = st.lists(st.sampled_from([0.5, 0.6, 0.7, 0.69995, 0.8, float("nan")]), min_size=1, max_size=60)


def epochs_by_the_book(losses: list[float], rule: Stopping) -> int:
    """scikit-learn's rule, told over the whole list: after how many epochs training ends."""
    best, bad = np.inf, 0
    for epoch, loss in enumerate(losses, 1):
        if rule.tolerance is not None:
            bad = 0 if loss <= best - rule.tolerance else bad + 1
            best = min(best, loss)
        if epoch >= rule.max_epochs or bad > rule.patience:
            return epoch
    return len(losses)


@given(
    losses=LOSSES, patience=st.integers(0, 5), tolerance=st.none() | st.just(1e-4), most=st.integers(1, 60)
)
def test_stopper_follows_the_rule_and_never_promises_too_much(
    losses: list[float], patience: int, tolerance: float | None, most: int
) -> None:
    rule = Stopping(most, tolerance, patience)
    stopper = Stopper(rule)
    taken = 0
    stopped = False
    while not stopped and taken < len(losses):
        certain = stopper.certain()
        assert certain >= 1
        for ahead in range(min(certain, len(losses) - taken)):
            assert not stopped, f"stopped after {ahead} of {certain} epochs that were certain"
            stopped = stopper.is_last(losses[taken])
            taken += 1
    assert taken == epochs_by_the_book(losses, rule)


def test_schedule_is_dense_first_and_then_geometric() -> None:
    task = TASKS["moons-overfit"]
    steps = [step for step in range(3000) if is_observed(task, step)]
    assert steps[:11] == list(range(11))
    ratios = [later / earlier for earlier, later in pairwise(steps[10:])]
    assert all(1.3 < ratio < 1.7 for ratio in ratios)
    assert len(steps) < 30


@pytest.mark.parametrize("ahead", [1, 3, 100])
def test_how_far_ahead_batches_are_drawn_changes_nothing(ahead: int, monkeypatch: pytest.MonkeyPatch) -> None:
    task = network(RULES["adam"])
    desired, _ = record(reference.Network(task, Placement()), task)
    monkeypatch.setattr(trace, "AHEAD", ahead)
    actual, _ = record(reference.Network(task, Placement()), task)
    assert list(actual) == list(desired)
    for name, array in desired.items():
        np.testing.assert_array_equal(actual[name], array)


def test_epoch_loss_is_weighted_by_the_rows_of_each_batch() -> None:
    task = network(RULES["gd"])
    found, _ = record(reference.Network(task, Placement()), task)
    losses = found["loss"].reshape(5, 4)  # 30 rows in batches of 8, 8, 8 and 6
    np.testing.assert_allclose(found["epoch_loss"], losses @ [8 / 30, 8 / 30, 8 / 30, 6 / 30], rtol=1e-15)


def test_saved_trace_loads_as_it_was(tmp_path: Path) -> None:
    task = TASKS["perceptron-and"]
    found, _ = record(reference.Perceptron(task, Placement()), task)
    save(tmp_path / "trace.npz", found)
    loaded = load(tmp_path / "trace.npz")
    assert list(loaded) == list(found)
    for name, array in found.items():
        np.testing.assert_array_equal(loaded[name], array)
        assert loaded[name].dtype == array.dtype
    assert [path.name for path in tmp_path.iterdir()] == ["trace.npz"]


def test_failed_write_leaves_nothing_behind(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No such file"):
        save(tmp_path / "absent" / "trace.npz", {"loss": np.zeros(1)})
    assert list(tmp_path.iterdir()) == []


def test_grid_covers_the_data() -> None:
    task = TASKS["moons-overfit"]
    assert task.data is not None
    points = grid(task)
    assert points.shape == (trace.GRID**2, 2)
    assert np.all(points.min(axis=0) < task.data.x_train.min(axis=0))
    assert np.all(points.max(axis=0) > task.data.x_train.max(axis=0))
