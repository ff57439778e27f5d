"""Shadows: moved by an ulp and no more; near in a tame task, far in a wild one, gone where one stops."""

import math
from dataclasses import replace
from itertools import chain, islice

import numpy as np
import pytest
from test_contract import CASES, network

import backends.numpy as reference
from backends.base import Placement
from harness import tolerance, trace
from harness.parity import kind_of
from harness.spread import Ulps, _Shadow, spread
from harness.trace import record
from tasks.spec import (
    BinaryCrossEntropy,
    GradientDescent,
    Hinge,
    Perceptron,
    Quadratic,
    Rosenbrock,
    SquaredError,
    Stopping,
    Task,
)

EPS = {dtype: float(np.finfo(dtype).eps) for dtype in ("float64", "float32")}


def build(task):
    return getattr(reference, task.model.program)(task, Placement())


def trace_of(task):
    found, _ = record(build(task), task)
    return found


def spread_of(task, dtype="float64"):
    return spread(build, task, trace_of(task), dtype)


def shadows_of(task, dtype="float64"):
    """The tasks that shadows are built from."""
    seen = []

    def building(shadow):
        seen.append(shadow)
        return build(shadow)

    spread(building, task, trace_of(task), dtype)
    return seen


def numbers(task):
    """Every array of a task that a shadow moves."""
    found = dict(task.start)
    if task.data is not None:
        found["x"] = task.data.x_train
        found |= {} if task.data.weights is None else {"weights": task.data.weights}
    if isinstance(task.model, Quadratic):
        found |= {"hessian": task.model.hessian, "minimum": task.model.minimum}
    if isinstance(task.model, Rosenbrock):
        found["steepness"] = np.array(task.model.steepness)
    return found


def is_count(name, array):
    """Whether a part of the state is a whole number, which no rounding moves."""
    return array.dtype.kind != "f" or name == "state/pocket_mistakes"


def wild():
    """It starts in the minimum of a steep axis, on which every step makes a distance half as large again."""
    return Task(
        name="wild",
        shows="",
        model=Quadratic(np.diag([1.0, 100.0]), minimum=np.array([1.0, -1.0])),
        start={"w": np.array([-1.5, -1.0])},
        optimizer=GradientDescent(0.025),
        stopping=Stopping(40),
    )


NETWORK, QUADRATIC = CASES["network-adam"], CASES["quadratic-momentum"]
PERCEPTRON = replace(
    NETWORK,
    model=Perceptron(),
    start={"w": np.array([0.3, -0.2]), "b": np.array([0.1])},
    optimizer=GradientDescent(0.1),
    batches=replace(NETWORK.batches, size=1),
)
WEIGHTED = replace(NETWORK, data=replace(NETWORK.data, weights=np.linspace(0.5, 2, NETWORK.rows)))
KINDS = {
    "network": NETWORK,
    "weighted": WEIGHTED,
    "quadratic": QUADRATIC,
    "rosenbrock": replace(QUADRATIC, model=Rosenbrock(), optimizer=GradientDescent(1e-4)),
    "perceptron": PERCEPTRON,
    "averaged": replace(PERCEPTRON, model=Perceptron("averaged")),
    "pocket": replace(PERCEPTRON, model=Perceptron("pocket")),
}


@pytest.mark.parametrize("dtype", EPS)
@pytest.mark.parametrize("name", KINDS)
def test_shadow_is_the_task_with_every_number_moved_by_an_eps(name, dtype):
    task = KINDS[name]
    shadows = shadows_of(task, dtype)
    assert len(shadows) == tolerance.SINGLE_STEP_SHADOWS
    moves = []
    for shadow in shadows:
        assert {shadow.optimizer, shadow.stopping} == {task.optimizer, task.stopping}
        assert shadow.batches is task.batches
        signs, curvatures = [], []
        for key, array in numbers(task).items():
            moved = numbers(shadow)[key]
            by = (moved - array) / (EPS[dtype] * np.where(array == 0, 1, array))
            if key == "hessian":  # moved along each of two axes, so that it stays positive definite
                assert set((by / 2).round()[array != 0].ravel()) <= {-1, 0, 1}
                np.testing.assert_array_equal(moved, moved.T)
                curvatures = (by / 2).round().ravel().tolist()
                continue
            np.testing.assert_allclose(by, np.where(array == 0, 0, np.sign(by)), atol=0.6)
            signs += np.sign(by)[array != 0].tolist()
        assert set(signs) <= {-1, 1}
        moves.append((*signs, *curvatures))
    assert {-1, 1} <= {sign for signs in moves for sign in signs}
    different = min(len(shadows), 2 ** len(moves[0]))
    assert len(set(moves)) > 0.7 * different  # of the few numbers of a function, some move alike


@pytest.mark.parametrize(("loss", "scale"), [(BinaryCrossEntropy(), 1), (Hinge(), 1), (SquaredError(), 8)])
def test_targets_are_moved_by_an_eps_of_themselves_but_of_1_at_least(loss, scale):
    task = replace(NETWORK, model=replace(NETWORK.model, loss=loss))
    if isinstance(loss, SquaredError):
        task = replace(task, data=replace(task.data, y_train=scale * (1 + task.data.y_train)))
    still, shadow = build(task), build(task)
    _Shadow(shadow, Ulps("float64", seed=0))
    moves = (shadow.y - still.y) / (EPS["float64"] * np.maximum(1, np.abs(still.y)))
    np.testing.assert_allclose(np.abs(moves), 1, atol=0.6)
    assert set(np.sign(moves).ravel()) == {-1, 1}


def test_test_rows_and_the_model_stay():
    for shadow in shadows_of(NETWORK):
        assert shadow.model == NETWORK.model
        for part in ("x_test", "y_test", "y_train"):
            np.testing.assert_array_equal(getattr(shadow.data, part), getattr(NETWORK.data, part))


def moved_by(array, before):
    """In eps of each number that is not 0."""
    is_moved = before != 0
    return ((array - before)[is_moved] / (before[is_moved] * EPS["float64"])).tolist()


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("steps", [1, 9])
def test_shadow_drifts_by_an_ulp_a_step_as_a_random_walk_does(name, steps):
    task = KINDS[name]
    moves = []
    for seed in range(5):
        inner = build(task)
        shadow = _Shadow(inner, Ulps("float64", seed))
        before, restore = {}, inner.restore

        def restoring(observed, before=before, observe=inner.observe, restore=restore):
            before |= observe()
            restore(observed)

        inner.restore = restoring
        losses = shadow.run(list(islice(chain.from_iterable(task.epochs()), steps)))
        assert losses.shape == (steps,)
        for key, array in shadow.observe().items():
            if is_count(key, array):
                assert array == before[key]
            else:
                moves += moved_by(array, before[key])
    np.testing.assert_allclose(np.abs(moves), math.sqrt(steps), atol=0.6)
    assert set(np.sign(moves)) == {-1, 1}


def test_hidden_units_of_a_shadow_are_moved():
    z = np.linspace(0.1, 1, 60).reshape(12, 5)
    still, shadow = build(NETWORK), build(NETWORK)
    _Shadow(shadow, Ulps("float64", seed=0))
    moves = moved_by(shadow.activate(z.copy(), None), still.activate(z.copy(), None))
    np.testing.assert_allclose(np.abs(moves), 1, atol=0.6)
    assert set(np.sign(moves)) == {-1, 1}


def elsewhere(states):
    """Other states to take single steps from."""
    return {name: array if is_count(name, array) else 1.5 * array for name, array in states.items()}


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("is_given", [False, True], ids=["own states", "given states"])
def test_spread_is_the_largest_distance_of_any_shadow(name, is_given, monkeypatch):
    """Of few in the whole run, of more in single steps, from states moved anew for each."""
    task = KINDS[name]
    start = trace.states(trace_of(task))
    given = elsewhere(start) if is_given else None
    desired, _ = record(build(task), task, given)
    runs, local, starts = [], [], []
    single_steps = trace.single_steps

    def recording(*arguments):
        runs.append(record(*arguments))
        return runs[-1]

    def stepping(program, shadow, states):
        starts.append(states)
        local.append(single_steps(program, shadow, states))
        return local[-1]

    monkeypatch.setattr(trace, "record", recording)
    monkeypatch.setattr(trace, "single_steps", stepping)
    found = spread(build, task, desired, "float64", given)
    assert (len(runs), len(local)) == (tolerance.SHADOWS, tolerance.SINGLE_STEP_SHADOWS)
    compared = [key for key in desired if kind_of(key)]
    assert set(found) == {*(f"spread/{key}" for key in compared), "spread/steps"}
    assert found["spread/steps"].tolist() == [len(desired["loss"])] * 2
    for key in compared:
        shadows = local if key.startswith("local/") else [run for run, _ in runs]
        apart = np.abs([shadow[key] - desired[key] for shadow in shadows])  # (shadows, K, …)
        rows = 1 if key.startswith("predict_") else len(desired[key])
        largest = apart.reshape(len(shadows), rows, -1).max(axis=(0, 2))
        assert found[f"spread/{key}"].dtype == np.float64
        np.testing.assert_array_equal(found[f"spread/{key}"], largest, err_msg=key)
    for states in starts:
        for key, array in (given or start).items():
            if is_count(key, array):
                np.testing.assert_array_equal(states[key], array)
            else:
                np.testing.assert_allclose(np.abs(moved_by(states[key], array)), 1, atol=0.6)


@pytest.mark.parametrize("name", ["network", "quadratic"])
def test_in_a_tame_task_shadows_stay_within_some_ulp(name):
    task = KINDS[name]
    desired, found = trace_of(task), spread_of(task)
    for key in (key for key in desired if kind_of(key)):
        apart = found[f"spread/{key}"]
        scale = np.max(np.abs(desired[key]))
        assert np.all(apart <= 100 * EPS["float64"] * scale), key
    moved = [key for key in desired if key.startswith(("param", "local/param"))]
    assert all(found[f"spread/{key}"].max() > 0 for key in moved)


def test_a_count_is_not_moved():
    found = spread_of(NETWORK)
    assert not found["spread/state/step"].any()
    assert not found["spread/local/state/step"].any()
    assert found["spread/local/state/first_moment/w1"].all()  # moved in the start too, where the state is 0


def test_in_a_wild_task_shadows_leave_as_fast_as_the_task_drives_them():
    desired, found = trace_of(wild()), spread_of(wild())
    apart = found["spread/param/w"]
    np.testing.assert_allclose(apart[11:] / apart[10:-1], 1.5, rtol=0.02)
    assert apart[-1] > 1e6 * apart[0]
    local = found["spread/local/param/w"]  # a step from the reference's state has no time to grow
    assert np.all(local <= 10 * EPS["float64"] * np.max(np.abs(desired["param/w"])))
    assert np.all(local > 0)


@pytest.mark.parametrize("task", [wild(), QUADRATIC, NETWORK], ids=["wild", "quadratic", "network"])
def test_in_float32_shadows_are_as_much_farther_as_its_eps_is_larger(task):
    double, single = spread_of(task), spread_of(task, "float32")
    for key in (key for key in double if kind_of(key.removeprefix("spread/")) == "param"):
        ratio = single[key].max() / double[key].max()
        assert ratio == pytest.approx(2**29, rel=0.8), key  # in float64, rounding too moves them


def test_the_same_each_time():
    once, again = spread_of(NETWORK), spread_of(NETWORK)
    for name, array in once.items():
        np.testing.assert_array_equal(again[name], array, strict=True)


def ending(margin):
    """A network whose stopping rule an eps of float32 decides: it ends after 18 steps or after 19.

    The reference itself ends sooner with a margin above 1, later with one below.
    """
    task = network(GradientDescent(0.05))
    task = replace(task, batches=replace(task.batches, size=task.rows), stopping=Stopping(40))
    losses = trace_of(task)["epoch_loss"]  # one step an epoch
    return replace(task, stopping=Stopping(40, tolerance=margin * (losses[16] - losses[17]), patience=0))


@pytest.mark.parametrize(("margin", "steps"), [(1 - 1e-9, 19), (1 + 1e-9, 18)], ids=["later", "sooner"])
def test_where_a_shadow_stops_elsewhere_the_spread_is_infinite(margin, steps, monkeypatch):
    monkeypatch.setattr(tolerance, "SHADOWS", 12)  # of so many, some stop sooner and some later
    task = ending(margin)
    desired, found = trace_of(task), spread_of(task, "float32")
    assert len(desired["loss"]) == steps
    assert found["spread/steps"].tolist() == [18, 19]
    assert desired["observed_steps"][-2:].tolist() == [15, steps]
    for key in desired:
        if not kind_of(key):
            continue
        far = np.isinf(found[f"spread/{key}"])
        if key.startswith("local/"):  # from the reference's states, whatever became of the shadow
            assert not far.any(), key
        elif key == "loss":  # of step 19, there is none
            assert np.flatnonzero(far).tolist() == ([18] if steps == 19 else []), key
        else:  # the end is another step's
            assert np.flatnonzero(far).tolist() == [len(far) - 1], key


def test_where_no_shadow_stops_elsewhere_nothing_is_infinite():
    found = spread_of(ending(1.01), "float32")
    assert found["spread/steps"].tolist() == [18, 18]
    assert all(np.isfinite(array).all() for array in found.values())
