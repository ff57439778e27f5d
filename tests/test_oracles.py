"""Truth from outside the columns: scikit-learn's `fit`, stored results, closed forms, finite differences."""

import warnings
from dataclasses import replace
from itertools import chain, islice
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from sklearn.datasets import make_moons
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import SGDClassifier, SGDRegressor
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier, MLPRegressor
from test_contract import CASES, network

import backends.numpy as reference
from backends.base import NotObserved, Placement, Program, Unsupported
from harness.trace import record
from tasks import TASKS, draw
from tasks.spec import (
    Adam,
    Batches,
    BinaryCrossEntropy,
    CategoricalCrossEntropy,
    Constant,
    Dataset,
    GradientDescent,
    Loss,
    Momentum,
    Network,
    Optimizer,
    Perceptron,
    Plateau,
    Quadratic,
    Schedule,
    SquaredError,
    Stopping,
    Task,
)

GOLDEN = np.load(Path(__file__).parent / "golden" / "seed_examples.npz")
EXAMPLES = {
    "perceptron-and": "S1-perceptron-and",
    "quadratic-gd": "S3-quadratic-gd",
    "quadratic-momentum": "S4-quadratic-momentum",
    "quadratic-rmsprop": "S5-quadratic-rmsprop",
    "quadratic-rmsprop-eps-inside": "S5-quadratic-rmsprop-eps-inside",
    "quadratic-adam": "S6f-quadratic-adam",
    "xor": "S2-xor",
    "xor-adam": "S6-xor-adam",
    "moons-overfit": "S7-overfit",
    "moons-good-fit": "S7-good",
    "moons-underfit": "S7-underfit",
    "moons-noisy-underfit": "S8-underfit",
    "moons-noisy-well-fit": "S8-well-fit",
}
CLASSIFIERS = [name for name in EXAMPLES if name.startswith(("xor", "moons"))]
TOLERANCE = 1e-13  # of values near 1; the replay reaches 1e-14


def build(column: ModuleType, task: Task) -> Program:
    return getattr(column, task.model.program)(task, Placement())


@pytest.fixture(scope="module")
def traces() -> dict[str, dict[str, np.ndarray]]:
    """The reference's trace of every example."""
    return {name: record(build(reference, TASKS[name]), TASKS[name])[0] for name in EXAMPLES}


# ------------------------------------------------------------------------------- stored results


@pytest.mark.parametrize("name", EXAMPLES)
def test_reference_gives_the_stored_results(name: str, traces: dict) -> None:
    key, trace = EXAMPLES[name], traces[name]
    stored = {array.split("/")[1]: GOLDEN[array] for array in GOLDEN.files if array.split("/")[0] == key}
    compared = 0
    for array, desired in stored.items():
        if array == "trajectory":
            actual = trace["param/w"].ravel()
        elif array in ("loss_curve", "mistakes"):
            actual = trace[{"loss_curve": "epoch_loss", "mistakes": "mistakes"}[array]]
        elif f"param/{array}" in trace:
            actual = trace[f"param/{array}"][-1]
        elif array in ("proba_train", "proba_test") and array.replace("proba", "predict") in trace:
            actual = trace[array.replace("proba", "predict")]
        else:
            continue
        np.testing.assert_allclose(actual, desired, rtol=0, atol=TOLERANCE, err_msg=array)
        compared += 1
    assert compared >= 1


# ------------------------------------------------------------------------------ scikit-learn's fit


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_reference_replays_scikit_learns_fit(name: str, traces: dict) -> None:
    task, trace = TASKS[name], traces[name]
    assert isinstance(task.model, Network) and isinstance(task.optimizer, Adam) and task.data is not None
    fitted = MLPClassifier(
        hidden_layer_sizes=task.model.hidden,
        activation="relu",
        solver="adam",
        max_iter=task.stopping.max_epochs,
        learning_rate_init=task.optimizer.learning_rate,
        random_state=42,
    )
    with warnings.catch_warnings(action="ignore", category=ConvergenceWarning):
        fitted.fit(task.data.x_train, task.data.y_train)
    assert len(trace["epoch_loss"]) == fitted.n_iter_
    np.testing.assert_allclose(trace["epoch_loss"], fitted.loss_curve_, rtol=0, atol=TOLERANCE)
    for i, (w, b) in enumerate(zip(fitted.coefs_, fitted.intercepts_, strict=True), 1):
        np.testing.assert_allclose(trace[f"param/w{i}"][-1], w, rtol=0, atol=TOLERANCE)
        np.testing.assert_allclose(trace[f"param/b{i}"][-1], b, rtol=0, atol=TOLERANCE)


def fit_task(rule: Optimizer, schedule: Schedule = Constant(), loss: Loss | None = None) -> Task:  # noqa: B008
    """Rows in order, from the start that scikit-learn draws for seed 5."""
    model = Network((4,), "tanh", loss=loss or BinaryCrossEntropy())
    x, y = draw.moons(30, noise=0.2, seed=5)
    if isinstance(model.loss, CategoricalCrossEntropy):
        y = y + (x[:, 0] > 1)  # three classes
    if isinstance(model.loss, SquaredError):
        y = x[:, 0] * x[:, 1]
    return Task(
        name="fit",
        shows="",
        model=model,
        data=Dataset(x, y, weights=0.5 + x[:, 0] ** 2),
        start=draw.scikit_learn_start((2, 4, model.loss.outputs), seed=5, activation="tanh"),
        optimizer=rule,
        schedule=schedule,
        batches=Batches(8, draw.InOrder()),
        stopping=Stopping(max_epochs=40),
    )


FITS = {
    "weights": (fit_task(GradientDescent(0.1)), {"momentum": 0.0, "nesterovs_momentum": False}),
    "nesterov": (fit_task(Momentum(0.1, 0.8, nesterov=True)), {"momentum": 0.8}),
    "classes": (
        fit_task(Momentum(0.1, 0.8), loss=CategoricalCrossEntropy(3)),
        {"momentum": 0.8, "nesterovs_momentum": False},
    ),
    "regression": (fit_task(Adam(0.01, epsilon_hat=True), loss=SquaredError()), {"solver": "adam"}),
    "plateau": (
        fit_task(Momentum(2.0, 0.9), Plateau(0.2, 3)),
        {"momentum": 0.9, "nesterovs_momentum": False, "learning_rate": "adaptive", "n_iter_no_change": 3},
    ),
}


@pytest.mark.parametrize("name", FITS)
def test_reference_replays_scikit_learns_fit_with(name: str) -> None:
    task, options = FITS[name]
    kind = MLPRegressor if isinstance(task.model.loss, SquaredError) else MLPClassifier
    options = {"solver": "sgd", "alpha": 0.0, "tol": 0.0, "n_iter_no_change": 1000} | options
    fitted = kind(
        hidden_layer_sizes=(4,),
        activation="tanh",
        learning_rate_init=task.optimizer.learning_rate,
        batch_size=8,
        shuffle=False,
        max_iter=40,
        random_state=5,
        **options,
    )
    with warnings.catch_warnings(action="ignore", category=ConvergenceWarning):
        fitted.fit(task.data.x_train, task.data.y_train, sample_weight=task.data.weights)
    trace, _ = record(build(reference, task), task)
    np.testing.assert_allclose(trace["epoch_loss"], fitted.loss_curve_, rtol=0, atol=TOLERANCE)
    for i, (w, b) in enumerate(zip(fitted.coefs_, fitted.intercepts_, strict=True), 1):
        np.testing.assert_allclose(trace[f"param/w{i}"][-1], w, rtol=0, atol=TOLERANCE)
        np.testing.assert_allclose(trace[f"param/b{i}"][-1], b, rtol=0, atol=TOLERANCE)
    if name == "plateau":
        assert trace["state/learning_rate"][-1] == pytest.approx(fitted._optimizer.learning_rate, rel=1e-14)
        assert fitted._optimizer.learning_rate < 0.1 * task.optimizer.learning_rate


def test_reference_averages_the_perceptron_as_scikit_learns_fit_does() -> None:
    """From a start where no row comes to lie on the boundary, of which scikit-learn thinks otherwise."""
    x, y = draw.moons(30, noise=0.2, seed=5)
    task = replace(
        TASKS["perceptron-and"],
        model=Perceptron("averaged"),
        data=Dataset(x, y),
        start={"w": np.array([0.3, -0.2]), "b": np.array([0.1])},
        stopping=Stopping(max_epochs=10),
    )
    fitted = SGDClassifier(
        loss="perceptron",
        learning_rate="constant",
        eta0=task.optimizer.learning_rate,
        average=True,
        penalty=None,
        shuffle=False,
        tol=None,
        max_iter=10,
    )
    fitted.fit(x, y, coef_init=task.start["w"].copy(), intercept_init=task.start["b"].copy())
    trace, _ = record(build(reference, task), task)
    assert trace["mistakes"].min() >= 1
    np.testing.assert_allclose(trace["state/average/w"][-1], fitted.coef_[0], rtol=0, atol=TOLERANCE)
    np.testing.assert_allclose(trace["state/average/b"][-1], fitted.intercept_, rtol=0, atol=TOLERANCE)


def test_sgd_regressor_takes_the_steps_of_quadratic_gd(traces: dict) -> None:
    """½·(√2·w)² = w², so one row x = √2, y = 0 makes SGDRegressor descend w²."""
    fitted = SGDRegressor(
        penalty=None,
        fit_intercept=False,
        learning_rate="constant",
        eta0=0.1,
        shuffle=False,
        max_iter=20,
        tol=None,
    )
    fitted.fit(np.array([[np.sqrt(2)]]), np.array([0.0]), coef_init=np.array([10.0]))
    assert fitted.coef_[0] == pytest.approx(traces["quadratic-gd"]["param/w"][-1, 0], rel=1e-14)


def test_moons_are_scikit_learns() -> None:
    x, y = draw.moons(201, noise=0.3, seed=7)
    desired_x, desired_y = make_moons(201, noise=0.3, random_state=7)
    np.testing.assert_array_equal(x, desired_x)
    np.testing.assert_array_equal(y, desired_y)


def test_split_is_scikit_learns() -> None:
    x, y = draw.moons(51, noise=0.3, seed=7)
    found = draw.split(x, y, test=0.3, seed=9)
    desired = train_test_split(x, y, test_size=0.3, random_state=9)
    for actual, array in zip(
        (found.x_train, found.x_test, found.y_train, found.y_test), desired, strict=True
    ):
        np.testing.assert_array_equal(actual, array)


@pytest.mark.parametrize("activation", ["relu", "logistic"])
def test_start_is_scikit_learns(activation: str) -> None:
    x, y = draw.moons(20, noise=0.1, seed=1)
    fitted = MLPClassifier((3, 4), activation, learning_rate_init=1e-300, max_iter=1, random_state=11)
    with warnings.catch_warnings(action="ignore", category=ConvergenceWarning):
        fitted.fit(x, y)
    start = draw.scikit_learn_start((2, 3, 4, 1), seed=11, activation=activation)
    for i, (w, b) in enumerate(zip(fitted.coefs_, fitted.intercepts_, strict=True), 1):
        np.testing.assert_array_equal(start[f"w{i}"], w)
        np.testing.assert_array_equal(start[f"b{i}"], b)


# ---------------------------------------------------------------------------------- closed forms


def steps(column: ModuleType, task: Task, count: int) -> np.ndarray:
    """w after 0, 1, … count steps, (count + 1, D)."""
    program = build(column, task)
    path = [program.observe()["param/w"]]
    for rows in islice(chain.from_iterable(task.epochs()), count):
        program.run([rows])
        path.append(program.observe()["param/w"])
    return np.array(path)


@pytest.mark.parametrize(
    "name", [name for name in TASKS if name.startswith("quadratic") and name.endswith("gd")]
)
def test_gradient_descent_follows_its_closed_form(column: ModuleType, name: str) -> None:
    """w_t = m + (I - rate·H)ᵗ (w_0 - m)."""
    task = TASKS[name]
    assert isinstance(task.model, Quadratic) and isinstance(task.optimizer, GradientDescent)
    shrink = np.eye(len(task.model.minimum)) - task.optimizer.learning_rate * task.model.hessian
    distance = task.start["w"] - task.model.minimum
    powers = (np.linalg.matrix_power(shrink, t) for t in range(21))
    desired = [task.model.minimum + power @ distance for power in powers]
    np.testing.assert_allclose(steps(column, task, 20), desired, rtol=0, atol=1e-13)


@pytest.mark.parametrize(
    "name", [name for name in TASKS if name.startswith("quadratic") and "momentum" in name]
)
def test_momentum_follows_its_closed_form(column: ModuleType, name: str) -> None:
    """(v, w - m) goes through one matrix per step: v' = μ·v - rate·H·d, d' = d + v'."""
    task = TASKS[name]
    assert isinstance(task.model, Quadratic) and isinstance(task.optimizer, Momentum)
    rate, momentum = task.optimizer.learning_rate, task.optimizer.momentum
    eye, hessian = np.eye(len(task.model.minimum)), task.model.hessian
    matrix = np.block([[momentum * eye, -rate * hessian], [momentum * eye, eye - rate * hessian]])
    state = np.concatenate([np.zeros(len(eye)), task.start["w"] - task.model.minimum])
    desired = [
        task.model.minimum + (np.linalg.matrix_power(matrix, t) @ state)[len(eye) :] for t in range(31)
    ]
    np.testing.assert_allclose(steps(column, task, 30), desired, rtol=0, atol=1e-13)


@pytest.mark.parametrize("name", [name for name in TASKS if name.startswith("quadratic")])
def test_gradient_vanishes_at_the_known_minimum_only(column: ModuleType, name: str) -> None:
    task = TASKS[name]
    assert isinstance(task.model, Quadratic)
    try:
        program = build(column, task)
    except Unsupported:
        pytest.skip("the column declares that it cannot express this optimizer")
    _, at_start = program.gradient(np.zeros(0, int))
    assert np.any(at_start["w"] != 0)
    program.restore(program.observe() | {"param/w": task.model.minimum})
    loss, at_minimum = program.gradient(np.zeros(0, int))
    assert abs(loss) < 1e-28
    np.testing.assert_allclose(at_minimum["w"], 0, atol=1e-13)


@pytest.mark.parametrize("rule", ["gd", "momentum", "rmsprop", "adam"])
def test_ill_conditioned_runs_come_near_the_closed_form_minimum(rule: str) -> None:
    task = TASKS[f"quadratic-ill-conditioned-{rule}"]
    assert isinstance(task.model, Quadratic)
    eigenvalues = np.linalg.eigvalsh(task.model.hessian)
    assert eigenvalues[-1] / eigenvalues[0] == pytest.approx(100)
    path = steps(reference, task, task.stopping.max_epochs)
    distances = np.linalg.norm(path - task.model.minimum, axis=1)
    assert distances[-1] < 0.07 * distances[0]


# ----------------------------------------------------------------------------- finite differences


@pytest.mark.parametrize("name", [name for name, task in CASES.items() if isinstance(task.model, Network)])
def test_reference_gradient_is_the_central_difference(name: str) -> None:
    """Of every element; a kink within 1e-6 of a row would spoil it, and with this seed none is."""
    task = CASES[name]
    program = build(reference, task)
    rng = np.random.default_rng(7)
    state = program.observe()
    state |= {f"param/{w}": rng.normal(size=shape) for w, shape in task.shapes.items()}
    rows = rng.permutation(task.rows)[:12]
    program.restore(state)
    _, gradients = program.gradient(rows)
    for w, shape in task.shapes.items():
        for element in np.ndindex(shape):
            losses = []
            for step in (1e-6, -1e-6):
                moved = state[f"param/{w}"].copy()
                moved[element] += step
                program.restore(state | {f"param/{w}": moved})
                losses.append(program.gradient(rows)[0])
            slope = (losses[0] - losses[1]) / 2e-6
            assert gradients[w][element] == pytest.approx(slope, rel=2e-5, abs=1e-8), (w, element)


def test_every_column_s_gradient_is_the_central_difference(column: ModuleType) -> None:
    """On smooth units, along a random direction."""
    task = network(GradientDescent(0.1), "tanh")
    program = build(column, task)
    rng = np.random.default_rng(2)
    state = {f"param/{name}": rng.normal(size=shape) for name, shape in task.shapes.items()}
    direction = {name: rng.normal(size=array.shape) for name, array in state.items()}
    program.restore(state)
    rows = np.arange(task.rows)
    _, gradients = program.gradient(rows)
    slope = sum(float(np.vdot(gradients[name.removeprefix("param/")], d)) for name, d in direction.items())
    losses = []
    for sign in (1, -1):
        program.restore({name: array + sign * 1e-6 * direction[name] for name, array in state.items()})
        losses.append(program.gradient(rows)[0])
    assert slope == pytest.approx((losses[0] - losses[1]) / 2e-6, rel=1e-7)


def test_perceptron_gradient_is_minus_its_update(column: ModuleType) -> None:
    task = TASKS["perceptron-and"]
    program = build(column, task)
    assert isinstance(task.optimizer, GradientDescent)
    for rows in islice(chain.from_iterable(task.epochs()), 10):
        before = program.observe()
        try:
            _, gradients = program.gradient(rows)
        except NotObserved:
            pytest.skip("the column declares that it does not show this gradient")
        program.run([rows])
        for name, gradient in gradients.items():
            moved = program.observe()[f"param/{name}"] - before[f"param/{name}"]
            np.testing.assert_allclose(moved, -task.optimizer.learning_rate * gradient, atol=1e-15)
