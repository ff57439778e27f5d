"""What training does to the reference, computed by hand: rates, schedules, constraints, stopping, starts."""

import sys
from dataclasses import replace
from functools import cache
from itertools import islice

import numpy as np
import pytest
from scipy import optimize
from sklearn.metrics import log_loss
from test_precision import build, network

from backends.numpy import Schedule
from harness.trace import record
from tasks import TASKS
from tasks.quadratic import SQUARE
from tasks.spec import (
    Constant,
    CosineDecay,
    ExponentialDecay,
    GradientDescent,
    Plateau,
    Rosenbrock,
    StepDecay,
    Stopping,
    WarmUp,
)

EPS = np.finfo(float).eps


@cache
def trace(name):
    with np.errstate(over="ignore", invalid="ignore"):  # as in a run: some of them diverge
        return record(build(TASKS[name]), TASKS[name])[0]


# ----------------------------------------------------------------------------------- learning rate


@pytest.mark.parametrize("kind", ["too-small", "right", "too-large", "diverges"])
def test_descent_of_a_square_takes_off_the_same_share_in_every_step(kind):
    """w = 5·(1 - 2·rate)ᵗ, in which each step rounds by an eps or two."""
    shrink = 1 - 2 * TASKS[f"rate-{kind}"].optimizer.learning_rate
    w = trace(f"rate-{kind}")["param/w"][:, 0]
    t = np.arange(len(w))
    np.testing.assert_allclose(w, 5.0 * shrink**t, rtol=4 * len(t) * EPS)


def test_descent_ends_before_the_first_loss_that_is_larger_than_any_number():
    """At a rate of 50, w = 5·(-99)ᵗ: whole numbers, so Python has every loss exactly."""
    largest = int(sys.float_info.max)
    losses = [(5 * 99**t) ** 2 for t in range(100)]
    finite = sum(loss <= largest for loss in losses)
    assert 0 < finite < TASKS["rate-diverges"].stopping.max_epochs
    assert trace("rate-diverges")["diverged"] == [finite]
    assert len(trace("rate-diverges")["loss"]) == finite
    np.testing.assert_allclose(
        trace("rate-diverges")["loss"], [float(loss) for loss in losses[:finite]], rtol=8 * finite * EPS
    )


def test_learning_rates_do_what_their_names_say():
    start = 25.0
    last = {kind: trace(f"rate-{kind}")["loss"][-1] for kind in ("too-small", "right", "too-large")}
    assert 0.8 * start < last["too-small"] < start and last["right"] < 1e-30 and last["too-large"] > 1e6
    right, small, large = (
        trace(f"rate-moons-{kind}")["epoch_loss"] for kind in ("right", "too-small", "too-large")
    )
    assert right[-1] < 0.7 * right[0] and small[-1] > 0.95 * small[0]
    assert np.all(np.diff(right) < 0) and np.any(np.diff(large) > 0)
    assert "diverged" in trace("rate-moons-diverges") and "diverged" not in trace("rate-moons-too-large")


# --------------------------------------------------------------------------------------- schedules

# The factors of the first updates.
FACTORS = {
    Constant(): [1, 1, 1, 1, 1, 1, 1, 1],
    StepDecay(every=3, by=0.5): [1, 1, 1, 0.5, 0.5, 0.5, 0.25, 0.25],
    ExponentialDecay(by=0.5): [1, 0.5, 0.25, 0.125, 0.0625, 0.03125, 0.015625, 0.0078125],
    CosineDecay(steps=4, floor=0.2): [1, 0.6 + 0.4 * 2**-0.5, 0.6, 0.6 - 0.4 * 2**-0.5, 0.2, 0.2, 0.2, 0.2],
    WarmUp(steps=4): [0.25, 0.5, 0.75, 1, 1, 1, 1, 1],
}


@pytest.mark.parametrize("schedule", FACTORS, ids=lambda schedule: type(schedule).__name__)
def test_scheduled_descent_of_a_square_is_a_product(schedule):
    """w = 5·Π (1 - 2·rateₜ)."""
    rule = GradientDescent(0.2)
    task = replace(TASKS["rate-right"], optimizer=rule, schedule=schedule, stopping=Stopping(8))
    assert task.model is SQUARE
    found, _ = record(build(task), task)
    rates = 0.2 * np.array(FACTORS[schedule])
    desired = 5 * np.cumprod([1, *(1 - 2 * rates)])
    np.testing.assert_allclose(found["param/w"][:, 0], desired, rtol=32 * EPS)


def test_plateau_by_hand():
    """Lowered after more than `patience` epochs that are not below the lowest, be they below the last."""
    task = replace(network(rule=GradientDescent(0.8)), schedule=Plateau(by=0.5, patience=1))
    schedule = Schedule(task)
    rate_after = {3.0: 0.8, 2.0: 0.8, 2.5: 0.8, 2.2: 0.4, 2.1: 0.4, 2.05: 0.2, 2.3: 0.2, 1.0: 0.2, 1.5: 0.2}
    for loss, rate in rate_after.items():
        schedule.end_epoch(loss)
        assert schedule.rate(0) == rate, loss


def test_schedules_of_the_table_are_those_of_their_sentences():
    rates = {}
    for kind in ("step", "exponential", "cosine", "warm-up"):
        task = TASKS[f"schedule-{kind}"]
        assert task.optimizer == GradientDescent(1.0)
        steps = 30 * len(next(task.epochs()))
        rates[kind] = [Schedule(task).rate(step) for step in range(steps)]
    assert [rates["step"][i] for i in (0, 49, 50, 99, 100, 149)] == [1, 1, 0.5, 0.5, 0.25, 0.25]
    np.testing.assert_allclose(np.diff(np.log(rates["exponential"])), np.log(0.98), rtol=1e-12)
    assert (
        rates["cosine"][0] == 1
        and rates["cosine"][75] == pytest.approx(0.505)
        and np.all(np.diff(rates["cosine"]) < 0)
    )
    assert 0.01 < rates["cosine"][-1] < 0.0102
    assert np.all(np.diff(rates["warm-up"][:25]) > 0) and set(rates["warm-up"][24:]) == {1.0}


# ------------------------------------------------------------------------------- Rosenbrock's valley


def test_rosenbrock_is_scipy_s():
    points = np.random.default_rng(4).normal(scale=2, size=(50, 2))
    program = build(TASKS["rosenbrock-gd"])
    desired = np.array([optimize.rosen(point) for point in points])
    np.testing.assert_allclose(program.predict(points), desired, rtol=16 * EPS)
    np.testing.assert_allclose(Rosenbrock().values(points), desired, rtol=16 * EPS)
    flatter = 0.07 * desired + 0.93 * (1 - points[:, 0]) ** 2
    np.testing.assert_allclose(Rosenbrock(7.0).values(points), flatter, rtol=16 * EPS)
    for point, value in zip(points, desired, strict=True):
        program.restore({"param/w": point})
        loss, gradients = program.gradient(np.zeros(0, int))
        assert loss == pytest.approx(value, rel=16 * EPS)
        slope = optimize.rosen_der(point)
        np.testing.assert_allclose(gradients["w"], slope, rtol=0, atol=32 * EPS * np.abs(slope).max())


def test_rosenbrock_s_minimum_is_where_scipy_finds_it():
    model = Rosenbrock(7.0)
    found = optimize.minimize(
        lambda w: model.values(w[None])[0],
        [-1.2, 1.0],
        method="Nelder-Mead",
        options={"xatol": 1e-9, "fatol": 1e-18},
    )
    np.testing.assert_allclose(found.x, model.minimum, atol=1e-7)
    assert model.values(model.minimum[None]) == 0


# ------------------------------------------------------------------------------- max-norm, dropout


def test_max_norm_scales_back_what_is_above_and_leaves_the_rest():
    """Beside the same step without it; of the 4 + 1 units, some come to lie above 0.9."""
    free, bounded = (network(hidden=(4,), rule=GradientDescent(0.1), max_norm=c) for c in (None, 0.9))
    programs = [build(task) for task in (free, bounded)]
    for program in programs:
        program.run(next(free.epochs())[:1])
    loose, tight = (program.observe() for program in programs)
    was_above = []
    for name in ("w1", "w2"):
        kernel, found = loose[f"param/{name}"], tight[f"param/{name}"]
        norms = np.linalg.norm(kernel, axis=0)
        is_above = norms > 0.9
        was_above += is_above.tolist()
        np.testing.assert_array_equal(found[:, ~is_above], kernel[:, ~is_above])
        desired = 0.9 * kernel[:, is_above] / norms[is_above]
        np.testing.assert_allclose(found[:, is_above], desired, rtol=4 * EPS)
    assert 0 < sum(was_above) < len(was_above)
    np.testing.assert_array_equal(loose["param/b1"], tight["param/b1"])


def test_max_norm_of_the_table_holds_at_every_observed_step_and_is_reached():
    found = trace("overfit-max-norm")
    for name in ("w1", "w2"):
        norms = np.linalg.norm(found[f"param/{name}"][1:], axis=1)  # (K, out)
        assert norms.max() == pytest.approx(1, abs=4 * EPS)


def test_network_that_drops_nothing_is_one_without_dropout():
    """What is kept is divided by 1 - p, which larger kernels of the next layer undo."""
    plain = network(hidden=(4, 3))
    dropping = network(hidden=(4, 3), dropout=0.25, kept=np.ones((5, 7)))
    dropping = replace(
        dropping,
        start={name: array * (0.75 if name in ("w2", "w3") else 1) for name, array in plain.start.items()},
        model=replace(dropping.model, l2=0.0),
    )
    plain = replace(plain, model=replace(plain.model, l2=0.0))
    (loss, gradients), (desired, slopes) = (build(task).gradient(np.arange(5)) for task in (dropping, plain))
    assert loss == pytest.approx(desired, rel=4 * EPS)
    for name, slope in slopes.items():
        scale = 0.75 if name in ("w2", "w3") else 1
        np.testing.assert_allclose(gradients[name] * scale, slope, rtol=0, atol=16 * EPS)


def test_network_that_drops_a_unit_in_all_rows_is_one_without_it():
    kept = np.ones((5, 4))
    kept[:, 2] = 0
    dropping = network(hidden=(4,), dropout=0.5, kept=kept, l2=0.0)
    rest = [0, 1, 3]
    start = {name: array[..., rest] for name, array in dropping.start.items() if name in ("w1", "b1")}
    start |= {"w2": 2 * dropping.start["w2"][rest], "b2": dropping.start["b2"]}
    smaller = replace(network(hidden=(3,), l2=0.0), start=start)
    (loss, gradients), (desired, slopes) = (
        build(task).gradient(np.arange(5)) for task in (dropping, smaller)
    )
    assert loss == pytest.approx(desired, rel=4 * EPS)
    np.testing.assert_allclose(gradients["w1"][:, rest], slopes["w1"], rtol=0, atol=8 * EPS)
    assert np.all(gradients["w1"][:, 2] == 0) and gradients["b1"][2] == 0 and gradients["w2"][2] == 0


def test_nothing_is_dropped_in_predictions():
    dropping = network(hidden=(4,), dropout=0.5, kept=np.zeros((5, 4)))
    plain = network(hidden=(4,))
    x = dropping.data.x_train
    np.testing.assert_array_equal(build(dropping).predict(x), build(plain).predict(x))


# ---------------------------------------------------------------------------------- early stopping


def test_early_stopping_by_hand():
    """Over when 41 epochs in a row were not as good as the best, whose parameters are the last."""
    task, found = TASKS["overfit-early-stopping"], trace("overfit-early-stopping")
    losses, best, since = found["validation_loss"], np.inf, 0
    for epoch, loss in enumerate(losses, 1):  # noqa: B007
        since = 0 if loss <= best else since + 1
        best = min(best, loss)
        if since > task.stopping.patience:
            break
    assert epoch == len(losses) < task.stopping.max_epochs
    best_epoch = int(found["best_epoch"][0])
    assert losses[best_epoch - 1] == losses.min() and best_epoch == len(losses) - 41


def test_early_stopping_ends_with_the_parameters_of_the_best_epoch():
    task, found = TASKS["overfit-early-stopping"], trace("overfit-early-stopping")
    best_epoch = int(found["best_epoch"][0])
    program, losses = build(task), []
    for batches in islice(task.epochs(), best_epoch):
        program.run(batches)
        p = program.predict(task.data.x_validation)
        losses.append(log_loss(task.data.y_validation, p))
    np.testing.assert_allclose(found["validation_loss"][:best_epoch], losses, rtol=16 * EPS)
    np.testing.assert_array_equal(found["predict_train"], program.predict(task.data.x_train))
    np.testing.assert_array_equal(found["predict_test"], program.predict(task.data.x_test))


# ------------------------------------------------------------------------------------------ starts


def test_from_zeros_nothing_but_the_last_bias_ever_learns():
    """Which goes towards the log of the odds of class 1, the best that a constant can do."""
    found, y = trace("start-zeros"), TASKS["start-zeros"].data.y_train
    for name in ("w1", "b1", "w2", "b2", "w3"):
        np.testing.assert_array_equal(found[f"param/{name}"], 0)
    odds = np.log(y.mean() / (1 - y.mean()))
    assert found["param/b3"][-1, 0] == pytest.approx(odds, rel=0.05)


def test_equal_units_stay_equal_and_a_little_difference_grows():
    equal = {"w1": np.full((2, 3), 0.4), "b1": np.zeros(3), "w2": np.full((3, 1), 0.7), "b2": np.zeros(1)}
    task = replace(network(hidden=(3,)), start=equal, stopping=Stopping(20))
    other = replace(task, start=equal | {"b1": np.array([0.0, 1e-6, 0.0])})
    kernel, apart = (record(build(each), each)[0]["param/w1"][-1] for each in (task, other))
    np.testing.assert_array_equal(kernel[:, 1], kernel[:, 0])
    np.testing.assert_array_equal(kernel[:, 2], kernel[:, 0])
    assert np.abs(kernel - 0.4).max() > 0.1  # they learn, but alike
    assert np.abs(apart[:, 1] - apart[:, 0]).max() > 1e-8 and np.all(apart[:, 2] == apart[:, 0])


# --------------------------------------------------------------------------------------- perceptron


def path(task):
    """w and b after 0, 1, … steps, by Rosenblatt's rule, and whether each step was a mistake."""
    w, b = task.start["w"].copy(), task.start["b"][0]
    steps, mistakes = [(w, b)], []
    for rows in (rows for batches in islice(task.epochs(), task.stopping.max_epochs) for rows in batches):
        x, y = task.data.x_train[rows[0]], task.data.y_train[rows[0]]
        error = y - (1.0 if x @ w + b >= 0 else 0.0)
        w, b = w + task.optimizer.learning_rate * error * x, b + task.optimizer.learning_rate * error
        steps.append((w, b))
        mistakes.append(abs(error))
    return steps, mistakes


@pytest.mark.parametrize("name", [name for name in TASKS if name.startswith("perceptron")])
def test_perceptron_by_hand(name):
    """Averaged over the parameters after each step; in the pocket the earliest with the fewest mistakes."""
    task, found = TASKS[name], trace(name)
    steps, mistakes = path(task)
    np.testing.assert_array_equal(found["loss"], mistakes)
    w, b = steps[-1]
    np.testing.assert_allclose(found["param/w"][-1], w, rtol=0, atol=1e-13)
    data = task.data
    if task.model.variant == "averaged":
        w, b = (np.mean([step[i] for step in steps[1:]], axis=0) for i in (0, 1))
        np.testing.assert_allclose(found["state/average/w"][-1], w, rtol=0, atol=1e-13)
    if task.model.variant == "pocket":
        wrong = [np.sum((data.x_train @ w + b >= 0) != data.y_train) for w, b in steps]
        w, b = steps[int(np.argmin(wrong))]
        assert found["state/pocket_mistakes"][-1] == min(wrong)
        np.testing.assert_allclose(found["state/pocket/w"][-1], w, rtol=0, atol=1e-13)
    np.testing.assert_array_equal(found["predict_train"], data.x_train @ w + b >= 0)


def test_perceptron_learns_what_a_line_separates_and_never_xor():
    for name in ("and", "or", "nand", "separable"):
        assert trace(f"perceptron-{name}")["mistakes"][-1] == 0
    assert trace("perceptron-xor")["mistakes"].min() > 0
