"""Recording: the stopping rule, the schedule of observations, and what a trace holds."""

from dataclasses import replace
from itertools import chain, islice, pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_contract import CASES, network

import backends.numpy as reference
from backends.base import NotObserved, Placement
from harness import trace
from harness.trace import Stopper, grid, is_observed, load, record, save, single_steps, states
from tasks import TASKS
from tasks.spec import Adam, GradientDescent, Stopping

NETWORK = CASES["network-adam"]  # 20 steps, four in an epoch


def build(task):
    return getattr(reference, task.model.program)(task, Placement())


LOSSES = st.lists(st.sampled_from([0.25, 0.5, 0.7, 0.69995, 0.75, float("nan")]), min_size=1, max_size=60)


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
    losses=LOSSES,
    patience=st.integers(0, 5),
    tolerance=st.sampled_from([None, 1e-4, 0.25]),
    most=st.integers(1, 60),
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


@pytest.mark.parametrize(
    ("rule", "losses", "epochs"),
    [
        (Stopping(3), [1, 1, 1], 3),
        (Stopping(9, tolerance=0.25, patience=0), [1, 0.75, 0.5, 0.375], 4),  # by 0.25 is an improvement
        (Stopping(9, tolerance=0.25, patience=1), [1, 1, 1], 3),
        (Stopping(9, tolerance=0.25, patience=1), [1, 1, 0.5, 0.5, 0.5], 5),  # it counts anew
        (Stopping(9, tolerance=0.0, patience=1), [1, 2, 1.5], 3),  # no better than the best
    ],
)
def test_stopper_by_hand(rule, losses, epochs) -> None:
    stopper = Stopper(rule)
    assert stopper.certain() == (rule.max_epochs if rule.tolerance is None else rule.patience + 1)
    ends = [stopper.is_last(loss) for loss in losses]
    assert ends.index(True) + 1 == len(losses) == epochs


def test_what_is_certain_shrinks_with_every_epoch_that_does_not_improve() -> None:
    stopper = Stopper(Stopping(9, tolerance=0.25, patience=3))
    certain = [stopper.certain()]
    for loss in (1, 1, 1, 0.5, 0.5):
        stopper.is_last(loss)
        certain.append(stopper.certain())
    assert certain == [4, 4, 3, 2, 4, 3]


def test_schedule_is_dense_first_and_then_geometric() -> None:
    task = TASKS["moons-overfit"]
    steps = [step for step in range(3000) if is_observed(task, step)]
    assert steps[:11] == list(range(11))
    ratios = [later / earlier for earlier, later in pairwise(steps[10:])]
    assert all(1.3 < ratio < 1.7 for ratio in ratios)
    assert len(steps) < 30


def test_quadratic_is_observed_at_every_step() -> None:
    found, _ = record(build(TASKS["quadratic-adam"]), TASKS["quadratic-adam"])
    assert found["observed_steps"].tolist() == list(range(51))


def test_what_a_trace_holds() -> None:
    """As harness/trace.py lists it."""
    found, hidden = record(build(NETWORK), NETWORK)
    names = ("w1", "b1", "w2", "b2", "w3", "b3")
    moments = [f"state/{slot}_moment/{name}" for slot in ("first", "second") for name in names]
    after = [*(f"param/{name}" for name in names), *moments, "state/step"]
    gradients = [f"grad/{name}" for name in names]
    predictions = ["predict_train", "predict_test", "predict_grid"]
    local = [f"local/{name}" for name in ("observed_steps", *gradients, "loss", *after)]
    assert hidden == {}
    assert list(found) == [
        *("loss", "epoch_loss", "observed_steps", *after, "grad_loss", *gradients, *predictions, *local)
    ]
    assert found["observed_steps"].tolist() == found["local/observed_steps"].tolist() == [*range(11), 15, 20]
    assert (len(found["loss"]), len(found["epoch_loss"])) == (20, 5)
    assert [len(found[name]) for name in predictions] == [30, 10, trace.GRID**2]
    for name in (*after, *gradients):
        shape = NETWORK.shapes.get(name.rpartition("/")[2], ())
        assert found[name].shape == found[f"local/{name}"].shape == (13, *shape)
    assert found["grad_loss"].shape == found["local/loss"].shape == (13,)


def test_perceptron_counts_its_mistakes() -> None:
    task = TASKS["perceptron-and"]
    found, _ = record(build(task), task)
    np.testing.assert_array_equal(found["mistakes"], found["loss"].reshape(-1, 4).sum(axis=1))
    assert found["mistakes"][:4].tolist() == [2, 3, 3, 0]


def test_observed_are_all_rows_at_the_parameters_of_that_step() -> None:
    found, _ = record(build(NETWORK), NETWORK)
    program = build(NETWORK)
    program.run(list(islice(chain.from_iterable(NETWORK.epochs()), 15)))
    loss, gradients = program.gradient(np.arange(NETWORK.rows))
    assert found["grad_loss"][11] == loss
    np.testing.assert_array_equal(found["grad/w1"][11], gradients["w1"])
    for name, array in program.observe().items():
        np.testing.assert_array_equal(found[name][11], array)


# ------------------------------------------------------------------------------------ single steps


@pytest.mark.parametrize("task", [NETWORK, CASES["quadratic-momentum"], TASKS["perceptron-and"]])
def test_single_steps_from_a_run_s_own_states_are_its_steps(task) -> None:
    found, _ = record(build(task), task)
    steps = found["observed_steps"].tolist()
    for row, step in enumerate(steps[:-1]):
        assert found["local/loss"][row] == found["loss"][step]
        if step + 1 in steps:
            for name in (name for name in found if name.startswith(("param/", "state/"))):
                np.testing.assert_array_equal(found[f"local/{name}"][row], found[name][steps.index(step + 1)])


def test_single_steps_see_the_gradient_on_the_batch_that_comes_then() -> None:
    found, _ = record(build(NETWORK), NETWORK)
    upcoming = list(islice(chain.from_iterable(NETWORK.epochs()), 21))
    program = build(NETWORK)
    for row, step in enumerate(found["observed_steps"]):
        program.restore({name: found[name][row] for name in found if name.startswith(("param/", "state/"))})
        loss, gradients = program.gradient(upcoming[step])
        assert found["local/loss"][row] == loss
        for name, gradient in gradients.items():
            np.testing.assert_array_equal(found[f"local/grad/{name}"][row], gradient)


def test_single_steps_start_from_the_states_given() -> None:
    other = network(Adam(0.02, epsilon=1e-6, epsilon_hat=True))
    given = states(record(build(other), other)[0])
    assert list(given) == ["observed_steps", *build(other).observe()]
    own, _ = record(build(NETWORK), NETWORK)
    found, _ = record(build(NETWORK), NETWORK, given)
    alone = single_steps(build(NETWORK), NETWORK, given)
    for name, array in found.items():
        np.testing.assert_array_equal(array, alone.get(name, own[name]))
    assert np.any(found["local/param/w1"][1:] != own["local/param/w1"][1:])


def test_gradients_that_a_framework_does_not_show_are_said_to_be_hidden() -> None:
    def gradient(_rows):
        raise NotObserved("no gradients here")

    program = build(NETWORK)
    program.gradient = gradient
    found, hidden = record(program, NETWORK)
    shown, _ = record(build(NETWORK), NETWORK)
    assert hidden == {"grad": "no gradients here"}
    assert set(shown) - set(found) == {name for name in shown if "grad" in name}
    for name, array in found.items():
        np.testing.assert_array_equal(array, shown[name])


# ----------------------------------------------------------------------------------------- divergence


def overflowing(after):
    """A program whose losses are NaN after so many steps."""
    program = build(NETWORK)
    run, taken = program.run, 0

    def overflow(batches):
        nonlocal taken
        losses = run(batches)
        losses[max(0, after - taken) :] = np.nan
        taken += len(batches)
        return losses

    program.run = overflow
    return program


@pytest.mark.parametrize("after", [0, 1, 3, 4, 10, 12, 15, 19])
def test_a_loss_that_is_not_finite_ends_the_training(after) -> None:
    """Within an epoch or at its end, within a piece of a run or at its beginning."""
    whole, _ = record(build(NETWORK), NETWORK)
    found, _ = record(overflowing(after), NETWORK)
    assert set(whole) - set(found) == {"predict_train", "predict_test", "predict_grid"}
    assert set(found) - set(whole) == {"diverged"}
    assert found["diverged"].tolist() == [after]
    np.testing.assert_array_equal(found["loss"], whole["loss"][:after])
    assert found["observed_steps"].tolist() == [step for step in [*range(11), 15] if step <= after]
    for name in (name for name in found if name.startswith(("param/", "state/", "grad"))):
        np.testing.assert_array_equal(found[name], whole[name][: len(found["observed_steps"])])
    full, begun = divmod(after, 4)
    np.testing.assert_array_equal(found["epoch_loss"][:full], whole["epoch_loss"][:full])
    assert len(found["epoch_loss"]) == full + (begun > 0)
    if begun:  # of the steps that there were: all of 8 rows
        np.testing.assert_allclose(
            found["epoch_loss"][-1], whole["loss"][4 * full : after].mean(), rtol=1e-15
        )


def test_after_the_last_step_nothing_can_diverge() -> None:
    assert "diverged" not in record(overflowing(20), NETWORK)[0]


def test_single_steps_are_those_of_the_states_given_wherever_the_run_ended() -> None:
    whole, _ = record(build(NETWORK), NETWORK)
    found, _ = record(overflowing(3), NETWORK, states(whole))
    np.testing.assert_array_equal(found["local/param/w1"], whole["local/param/w1"])
    alone, _ = record(overflowing(3), NETWORK)
    np.testing.assert_array_equal(alone["local/param/w1"], whole["local/param/w1"][:4])


def test_training_that_really_diverges_ends_where_its_loss_overflows() -> None:
    task = replace(CASES["quadratic-momentum"], optimizer=GradientDescent(1e50))
    with np.errstate(all="ignore"):
        found, _ = record(build(task), task)
        program = build(task)
        losses = program.run([task.epochs()] * 20)
    after = int(np.argmin(np.isfinite(losses)))
    assert 1 < after < 10
    assert found["diverged"].tolist() == [after]
    np.testing.assert_array_equal(found["loss"], losses[:after])
    # At the parameters of the last step the loss of all rows is the one that overflowed.
    assert found["observed_steps"].tolist() == list(range(after))
    assert all(np.isfinite(array).all() for name, array in found.items() if not name.startswith("local/"))


@pytest.mark.parametrize("name", ["w1", "b3"])
def test_rows_from_the_first_that_is_not_finite_on_are_left_out_where_training_diverged(name) -> None:
    def overflow(program):
        gradient = program.gradient

        def wrong(rows):
            loss, gradients = gradient(rows)
            if len(rows) == 30 and program.observe()["state/step"] == 6:
                gradients[name].flat[-1] = np.inf
            return loss, gradients

        program.gradient = wrong
        return program

    found, _ = record(overflow(overflowing(12)), NETWORK)
    assert found["observed_steps"].tolist() == list(range(6))
    assert len(found["param/w2"]) == len(found["grad_loss"]) == len(found["local/loss"]) == 6
    kept, _ = record(overflow(build(NETWORK)), NETWORK)  # a comparison is to see it
    assert len(kept["observed_steps"]) == 13
    assert np.isinf(kept[f"grad/{name}"][6].flat[-1])


# --------------------------------------------------------------------------------- watching validation


WATCHED = replace(
    NETWORK,
    data=replace(NETWORK.data, x_validation=NETWORK.data.x_test, y_validation=np.ones(10)),
    stopping=Stopping(9, tolerance=0.0, patience=1, on_validation=True),
)


def watching(losses):
    """A program whose validation losses are these; it says to which states it went back."""
    program = build(WATCHED)
    predict, restore, said, restored = program.predict, program.restore, iter(losses), []
    program.predict = lambda x: (
        np.full(10, np.exp(-next(said))) if x is WATCHED.data.x_validation else predict(x)
    )
    program.restore = lambda observed: restored.append(observed) or restore(observed)
    return program, restored


def after_epochs(epochs):
    """The program after so many epochs."""
    program = build(WATCHED)
    program.run(list(islice(chain.from_iterable(WATCHED.epochs()), 4 * epochs)))
    return program


@pytest.mark.parametrize(
    ("losses", "best"),
    [
        ([3, 2, 4, 5], 2),
        ([1, 2, 3], 1),
        ([9, 8, 7, 6, 5, 4, 3, 2, 1], 9),
        ([3, 4, 2, 4, 1, 2, 1.5], 5),
        ([3, 3, 3, 3, 3, 3, 3, 3, 3], 1),  # as low is an improvement for the rule, and not a lower loss
        ([3, np.nan, 2, np.nan, 4], 3),
    ],
)
def test_watched_training_stops_by_its_rule_and_goes_back_to_the_best_epoch(losses, best) -> None:
    program, restored = watching(losses)
    found, _ = record(program, WATCHED)
    assert found["best_epoch"].tolist() == [best]
    np.testing.assert_allclose(found["validation_loss"], losses, rtol=1e-15)
    assert len(found["loss"]) == 4 * len(losses)
    end, ended = after_epochs(best), after_epochs(len(losses))
    assert list(restored[0]) == list(end.observe())
    for name, array in end.observe().items():  # what it went back to, and what it had come to
        np.testing.assert_array_equal(restored[0][name], array)
        np.testing.assert_array_equal(found[name][-1], ended.observe()[name])
    np.testing.assert_array_equal(found["predict_train"], end.predict(WATCHED.data.x_train))


def test_watched_losses_are_those_of_the_validation_rows_after_each_epoch() -> None:
    found, _ = record(build(WATCHED), WATCHED)
    for epoch, loss in enumerate(found["validation_loss"], 1):
        right = after_epochs(epoch).predict(WATCHED.data.x_validation)  # every row is of class 1
        assert loss == pytest.approx(-np.mean(np.log(right)), rel=1e-15)
    assert found["best_epoch"] == 1 + np.argmin(found["validation_loss"])


def test_watched_training_that_diverges_goes_back_and_predicts_nothing() -> None:
    program, restored = watching([3, 2, 4])
    run, lengths = program.run, []
    program.run = lambda batches: (
        lengths.append(len(batches)) or np.where(sum(lengths) > 10, np.nan, run(batches))
    )
    found, _ = record(program, WATCHED)
    assert found["diverged"].tolist() == [10]
    assert (found["validation_loss"].tolist(), found["best_epoch"].tolist()) == (
        [pytest.approx(3), pytest.approx(2)],
        [2],
    )
    assert restored[0]["state/step"] == 8
    assert not any(name.startswith("predict") for name in found)


def test_watched_training_that_diverges_at_once_has_no_best_epoch() -> None:
    program, _ = watching([])
    program.run = lambda batches: np.full(len(batches), np.nan)
    found, _ = record(program, WATCHED)
    assert (len(found["validation_loss"]), found["best_epoch"].tolist()) == (0, [0])


# ------------------------------------------------------------------------------------------- a plateau


def test_a_plateau_hears_the_loss_of_each_epoch_before_the_next_one() -> None:
    task = CASES["network-plateau"]
    program, told = build(task), []
    run, end_epoch = program.run, program.end_epoch
    program.run = lambda batches: told.append(len(batches)) or run(batches)
    program.end_epoch = lambda loss: told.append(loss) or end_epoch(loss)
    found, _ = record(program, task)
    losses = found["epoch_loss"].tolist()
    pieces = [[1] * 4, [1] * 4, [1, 1, 2], [3, 1], [4]]  # four batches in an epoch
    heard = [word for piece, loss in zip(pieces, losses, strict=True) for word in (*piece, loss)]
    assert told == heard + [1] * len(found["observed_steps"])  # and single steps have no epochs


def test_what_hears_no_epochs_is_not_told_of_them() -> None:
    program = build(NETWORK)
    program.end_epoch = None
    record(program, NETWORK)


# --------------------------------------------------------------------------- what no trace can hold


def test_a_column_that_returns_too_few_losses_is_told_so() -> None:
    program = build(NETWORK)
    run = program.run
    program.run = lambda batches: run(batches)[:4]
    with pytest.raises(ValueError, match=r"^run returned losses of shape \(4,\), expected \(5,\)$"):
        record(program, NETWORK)


@pytest.mark.parametrize(("value", "dtype"), [(1j, "complex128"), (True, "bool"), ("1", "<U1")])
def test_a_column_that_shows_no_real_numbers_is_told_so(value, dtype) -> None:
    program = build(NETWORK)
    observe = program.observe
    program.observe = lambda: observe() | {"state/odd": np.array(value)}
    with pytest.raises(ValueError, match=f"^state/odd has dtype {dtype}, expected real numbers$"):
        record(program, NETWORK)


@pytest.mark.parametrize(
    ("method", "odd", "name"),
    [
        ("run", lambda losses, _: losses == 0, "loss"),
        ("predict", lambda scores, _: scores == 0, "predict_train"),
        (
            "gradient",
            lambda found, rows: (0.0, {"w1": found[1]["w1"] == 0}) if len(rows) < 30 else found,
            "grad/w1",
        ),
    ],
)
def test_what_holds_no_real_numbers_is_named(method, odd, name) -> None:
    program = build(NETWORK)
    usual = getattr(program, method)
    setattr(program, method, lambda given: odd(usual(given), given))
    with pytest.raises(ValueError, match=f"^{name} has dtype bool, expected real numbers$"):
        record(program, NETWORK)


def test_a_slot_that_is_shown_now_and_then_is_told_of() -> None:
    program = build(NETWORK)
    observe = program.observe
    program.observe = lambda: observe() | ({"state/shy": np.zeros(1)} if observe()["state/step"] % 2 else {})
    with pytest.raises(ValueError, match=r"^state/shy was shown at 6 of 13 observed steps$"):
        record(program, NETWORK)


# ------------------------------------------------------------------------------------------ the rest


@pytest.mark.parametrize("ahead", [1, 3, 100])
def test_how_far_ahead_batches_are_drawn_changes_nothing(ahead: int, monkeypatch: pytest.MonkeyPatch) -> None:
    desired, _ = record(build(NETWORK), NETWORK)
    monkeypatch.setattr(trace, "AHEAD", ahead)
    actual, _ = record(build(NETWORK), NETWORK)
    assert list(actual) == list(desired)
    for name, array in desired.items():
        np.testing.assert_array_equal(actual[name], array)


def test_epoch_loss_is_weighted_by_the_rows_of_each_batch() -> None:
    task = network(GradientDescent(0.1))
    found, _ = record(reference.Network(task, Placement()), task)
    losses = found["loss"].reshape(5, 4)  # 30 rows in batches of 8, 8, 8 and 6
    np.testing.assert_allclose(found["epoch_loss"], losses @ [8 / 30, 8 / 30, 8 / 30, 6 / 30], rtol=1e-15)
    task = replace(task, batches=replace(task.batches, size=29))
    found, _ = record(build(task), task)
    losses = found["loss"].reshape(5, 2)
    np.testing.assert_allclose(found["epoch_loss"], losses @ [29 / 30, 1 / 30], rtol=1e-15)


def test_steps_between_observations_are_run_at_once() -> None:
    program, lengths = build(NETWORK), []
    run = program.run
    program.run = lambda batches: lengths.append(len(batches)) or run(batches)
    record(program, NETWORK)
    assert lengths == [1] * 10 + [5, 5] + [1] * 13  # the last are single steps


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


def test_nothing_is_unpickled(tmp_path: Path) -> None:
    np.savez(tmp_path / "trace.npz", loss=np.array([{}]))
    with pytest.raises(ValueError, match="OBJECT"):
        load(tmp_path / "trace.npz")


def test_grid_covers_the_data() -> None:
    task = TASKS["moons-overfit"]
    assert task.data is not None
    points = grid(task)
    assert points.shape == (trace.GRID**2, 2)
    assert len(np.unique(points, axis=0)) == trace.GRID**2
    assert points[0, 1] == points[1, 1]
    assert points[0, 0] < points[1, 0]  # the first coordinate runs fastest
    np.testing.assert_allclose(points.min(axis=0), task.data.x_train.min(axis=0) - 0.5)
    np.testing.assert_allclose(points.max(axis=0), task.data.x_train.max(axis=0) + 0.5)
