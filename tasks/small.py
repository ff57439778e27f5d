"""Small tasks into which the faults of the catalogue are put: every part that can be wrong, in few steps.

Each has at most ten steps, so that every step is observed, and where there is data, short last batches,
square kernels and a penalty.  They are no rows of the table; `-t small-adam` runs one.
"""

from dataclasses import replace
from typing import Any

import numpy as np

from tasks import draw
from tasks.spec import (
    AbsoluteError,
    Adagrad,
    Adam,
    Batches,
    BinaryCrossEntropy,
    CategoricalCrossEntropy,
    CosineDecay,
    Dataset,
    ExponentialDecay,
    Function,
    GradientDescent,
    Hinge,
    Huber,
    LogCosh,
    Momentum,
    Nadam,
    Network,
    Optimizer,
    Perceptron,
    Plateau,
    Quadratic,
    RMSprop,
    Rosenbrock,
    SquaredError,
    StepDecay,
    Stopping,
    Task,
    WarmUp,
)

DATA = draw.split(*draw.moons(26, noise=0.2, seed=11), test=0.25, seed=11)  # 19 rows for training
VALLEY = Quadratic(hessian=np.array([[3.0, 1.0], [1.0, 20.0]]), minimum=np.array([0.5, -0.25]))


def _rows(**more: np.ndarray) -> Dataset:
    """The same rows with other targets, or with weights."""
    return replace(DATA, **more)


def _regression(outlier: float = 0.0) -> Dataset:
    """A smooth function of the two features; one row may be far off."""

    def values(x: np.ndarray) -> np.ndarray:
        return x[:, 0] * x[:, 1] - 0.5 * x[:, 0] + 0.2

    y = values(DATA.x_train)
    y[2] += outlier  # of the first batch
    assert DATA.x_test is not None
    return _rows(y_train=y, y_test=values(DATA.x_test))


def _three_classes() -> Dataset:
    """A class for each third of the first feature, and rows that do not count alike."""

    def classes(x: np.ndarray) -> np.ndarray:
        return np.digitize(x[:, 0], [0.0, 1.0]).astype(float)

    assert DATA.x_test is not None
    weights = np.linspace(0.25, 2.0, DATA.rows)
    return _rows(y_train=classes(DATA.x_train), y_test=classes(DATA.x_test), weights=weights)


def _dropped() -> Dataset:
    """A mask of six units, of which each row keeps about two thirds."""
    return _rows(kept=(np.random.default_rng(11).random((DATA.rows, 6)) < 0.7).astype(float))


def _network(
    name: str,
    activation: str,
    optimizer: Optimizer,
    *,
    data: Dataset = DATA,
    gain: float = 1.0,
    l2: float = 0.1,
    batch: int = 8,
    epochs: int = 3,
    **more: Any,
) -> Task:
    """Two hidden layers of three units; three batches an epoch: 8, 8 and 3 rows."""
    schedule = {"schedule": more.pop("schedule")} if "schedule" in more else {}
    model = Network((3, 3), activation, l2=l2, **more)
    start = draw.glorot((2, 3, 3, model.loss.outputs), seed=11)
    return Task(
        name=f"small-{name}",
        shows="A network into which faults are put.",
        model=model,
        data=data,
        start={key: gain * array for key, array in start.items()},
        optimizer=optimizer,
        batches=Batches(batch, draw.Shuffled(seed=11)),
        stopping=Stopping(max_epochs=epochs),
        tags=("small",),
        **schedule,
    )


def _function(name: str, optimizer: Optimizer, model: Function = VALLEY) -> Task:
    return Task(
        name=f"small-{name}",
        shows="A function into which faults are put.",
        model=model,
        start={"w": np.array([-1.5, 1.0])},
        optimizer=optimizer,
        stopping=Stopping(max_epochs=10),
        tags=("small",),
    )


def _perceptron(variant: str = "plain") -> Task:
    """Rows with decimals, so that no row lies on the boundary but for rounding."""
    rng = np.random.default_rng(11)
    x = rng.normal(size=(8, 2))
    return Task(
        name="small-perceptron" if variant == "plain" else f"small-{variant}",
        shows="A perceptron into which faults are put.",
        model=Perceptron(variant),
        data=Dataset(x_train=x, y_train=(x @ [1.0, -2.0] > 0.3).astype(float)),
        start={"w": np.array([-0.7, 0.4]), "b": np.array([0.2])},
        optimizer=GradientDescent(0.1),
        batches=Batches(1, draw.InOrder()),
        stopping=Stopping(max_epochs=1),
        tags=("small",),
    )


TASKS = (
    _network("gd", "logistic", GradientDescent(0.5)),
    _network("momentum", "tanh", Momentum(0.1, momentum=0.8)),
    _network("rmsprop-outside", "tanh", RMSprop(0.01, epsilon=1e-4)),
    _network("rmsprop-inside", "relu", RMSprop(0.01, epsilon=1e-4, epsilon_inside_root=True)),
    _network("adam", "relu", Adam(0.01, epsilon=1e-4)),
    _network("adam-hat", "tanh", Adam(0.01, epsilon=1e-4, epsilon_hat=True)),
    _network("adam-unpenalised", "logistic", Adam(0.01), l2=0.0),
    _network("confident", "tanh", GradientDescent(0.01), gain=15.0),  # saturated units, certain predictions
    _function("quadratic-gd", GradientDescent(0.05)),
    _function("quadratic-momentum", Momentum(0.02, momentum=0.8)),
    _function("quadratic-rmsprop", RMSprop(0.05, epsilon=1e-40)),
    _function("quadratic-adam", Adam(0.1)),
    _perceptron(),
    # One of each other part.
    _network(
        "classes",
        "tanh",
        Momentum(0.2, momentum=0.8),
        data=_three_classes(),
        loss=CategoricalCrossEntropy(3, smoothing=0.1),
        schedule=CosineDecay(steps=6, floor=0.05),
    ),
    _network(
        "squared",
        "leaky_relu",
        Momentum(0.1, momentum=0.8, nesterov=True),
        data=_regression(),
        loss=SquaredError(),
        schedule=StepDecay(every=2, by=0.7),
    ),
    _network(
        "absolute",
        "elu",
        Adagrad(0.1, epsilon=1e-3),
        data=_regression(),
        loss=AbsoluteError(),
        schedule=WarmUp(steps=5),
    ),
    _network(
        "huber",
        "tanh",
        Adam(0.02, epsilon=1e-4, weight_decay=0.1),
        data=_regression(),
        loss=Huber(delta=0.4),
        schedule=ExponentialDecay(by=0.9),
    ),
    _network("log-cosh", "gelu", GradientDescent(0.1), data=_regression(outlier=1500.0), loss=LogCosh()),
    _network(
        "hinge", "relu", Adam(0.05, beta_2=0.8, amsgrad=True), data=_dropped(), loss=Hinge(), dropout=0.3
    ),
    _network(
        "constrained",
        "logistic",
        GradientDescent(0.5),
        loss=BinaryCrossEntropy(smoothing=0.05),
        l1=0.2,
        max_norm=0.9,
    ),
    _network(
        "plateau",
        "tanh",
        Momentum(2.0, momentum=0.8),
        l2=1.4,
        batch=19,
        epochs=10,
        schedule=Plateau(by=0.5, patience=1),
    ),
    _network(  # every epoch is better than the last, but hardly
        "plateau-slow",
        "tanh",
        GradientDescent(1e-4),
        batch=19,
        epochs=6,
        schedule=Plateau(by=0.5, patience=1),
    ),
    _function("quadratic-amsgrad", Adam(0.3, beta_2=0.8, amsgrad=True)),
    _function("quadratic-nadam", Nadam(0.1)),
    _function("rosenbrock", Momentum(5e-4, momentum=0.8, nesterov=True), Rosenbrock()),
    _perceptron("averaged"),
    _perceptron("pocket"),
)
