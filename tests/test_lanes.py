"""The ways to drive a program, and what their first epochs come to."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal

import tasks
from backends.base import NotObserved, Placement, Program
from backends.numpy import Function, Network, Perceptron
from harness import lanes, trace
from tasks import sweep
from tasks.spec import Task, TaskError

AT = Placement()
SHORT_BATCHES = tasks.TASKS["moons-mini-batch"]  # five batches an epoch, the last one short


def program(task: Task) -> Program:
    kinds = {"Function": Function, "Network": Network, "Perceptron": Perceptron}
    return kinds[task.model.program](task, AT)


class Listening(Program):
    """Notes what it is asked for; the loss of a step is its number."""

    def __init__(self) -> None:
        self.calls: list[int] = []
        self.told: list[float] = []

    def run(self, batches):
        done = sum(self.calls)
        self.calls.append(len(batches))
        return np.arange(done, done + len(batches), dtype=float)

    def fit(self, epochs):
        return np.full(epochs, 7.0)

    def end_epoch(self, loss):
        self.told.append(loss)

    def observe(self):
        return {"param/w": np.ones(2)}

    def gradient(self, rows):
        raise NotObserved(f"of {len(rows)} rows")

    def restore(self, observed):
        pass

    def predict(self, x):
        return x

    def wait(self):
        pass


@pytest.mark.parametrize(
    ("lane", "calls"),
    [("step", [1] * 10), ("run", [10]), ("run-4", [4, 4, 2]), ("run-100", [10])],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_lane_asks_for_so_many_steps_a_call(lane, calls):
    listening = Listening()
    losses = lanes.driver(lane, listening, SHORT_BATCHES, epochs=2)()
    assert listening.calls == calls
    assert_array_equal(losses, np.arange(10.0))


def test_fit_is_asked_for_epochs():
    listening = Listening()
    assert_array_equal(lanes.driver("fit", listening, SHORT_BATCHES, epochs=3)(), [7.0] * 3)
    assert listening.calls == []


def test_there_is_no_other_lane():
    with pytest.raises(ValueError, match="sideways"):
        lanes.driver("sideways", Listening(), SHORT_BATCHES, epochs=1)


@pytest.mark.parametrize(
    ("name", "epochs"),
    [("quadratic-gd", 10), ("moons-full-batch", 10), ("moons-mini-batch", 2), ("moons-stochastic", 2)],
)
def test_lane_is_proved_on_ten_steps_and_two_epochs_at_least(name, epochs):
    task = tasks.TASKS[name]
    assert lanes.proved_on(task) == epochs
    assert lanes.steps(task, epochs) >= 10


@pytest.mark.parametrize("lane", ["step", "run", "run-3"])
@pytest.mark.parametrize(
    "name", ["quadratic-momentum", "perceptron-and", "moons-mini-batch", "moons-noisy-well-fit"]
)
def test_outcome_is_what_the_trace_of_a_run_holds(name, lane):
    task = tasks.TASKS[name]
    found = lanes.outcome(lane, program(task), task)
    recorded, _ = trace.record(program(task), task)
    epochs = lanes.proved_on(task)
    assert found["loss"] == pytest.approx(recorded["epoch_loss"][:epochs], rel=1e-14)
    observed = recorded["observed_steps"].tolist()
    if (steps := lanes.steps(task, epochs)) in observed:
        for quantity in (quantity for quantity in found if quantity.startswith(("param", "state"))):
            assert_array_equal(found[quantity][0], recorded[quantity][observed.index(steps)])


def test_plateau_hears_of_every_epoch():
    task = next(task for task in tasks.TASKS.values() if type(task.schedule).__name__ == "Plateau")
    listening = Listening()
    found = lanes.outcome("run", listening, task)
    assert listening.told == found["loss"].tolist()
    assert len(listening.told) == lanes.proved_on(task)


@pytest.mark.parametrize("name", ["quadratic-adam", "moons-noisy-well-fit"])
def test_spreads_are_some_roundings_wide(name):
    task = tasks.TASKS[name]
    desired = lanes.outcome("step", program(task), task)
    found = lanes.spreads(program, task, desired, "float64")
    for quantity in ("loss", "param/w" if name.startswith("quadratic") else "param/w1"):
        size = np.abs(desired[quantity]).max()
        assert 0 < found[f"spread/{quantity}"].max() < 1e-12 * size


# ------------------------------------------------------------------------------- tasks of any size


@pytest.mark.parametrize("name", ["network-4x4-batch200-rows1000", "network-10-batch7-rows20", "bowl-3"])
def test_task_of_any_size_is_found_by_its_name(name):
    task = tasks.unlisted(name)
    assert task is not None and task.name == name
    assert name not in tasks.TASKS


def test_task_of_any_size_has_that_size():
    task = sweep.network((5, 3), batch=7, rows=20)
    assert {name: array.shape for name, array in task.start.items()} == {
        "w1": (2, 5), "b1": (5,), "w2": (5, 3), "b2": (3,), "w3": (3, 1), "b3": (1,),
    }  # fmt: skip
    assert [len(rows) for rows in next(task.epochs())] == [7, 7, 6]
    assert sweep.bowl(4).start["w"].shape == (4,)


@pytest.mark.parametrize(
    "name", ["network-4-batch30-rows20", "network-0-batch2-rows20", "network-4-batch0-rows20", "bowl-0"]
)
def test_size_that_cannot_be_is_refused(name):
    with pytest.raises(TaskError, match="expected"):
        tasks.unlisted(name)
