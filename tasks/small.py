"""Small tasks into which the faults of the catalogue are put: every part that can be wrong, in few steps.

Each has at most ten steps, so that every step is observed, and where there is data, short last batches,
square kernels and a penalty.  They are no rows of the table; `-t small-adam` runs one.
"""

import numpy as np

from tasks import draw
from tasks.spec import (
    Adam,
    Batches,
    Dataset,
    GradientDescent,
    Momentum,
    Network,
    Optimizer,
    Perceptron,
    Quadratic,
    RMSprop,
    Stopping,
    Task,
)

DATA = draw.split(*draw.moons(26, noise=0.2, seed=11), test=0.25, seed=11)  # 19 rows for training
VALLEY = Quadratic(hessian=np.array([[3.0, 1.0], [1.0, 20.0]]), minimum=np.array([0.5, -0.25]))


def _network(name: str, activation: str, optimizer: Optimizer, l2: float = 0.1, gain: float = 1.0) -> Task:
    """Two hidden layers of three units; three batches an epoch: 8, 8 and 3 rows."""
    start = draw.glorot((2, 3, 3, 1), seed=11)
    return Task(
        name=f"small-{name}",
        shows="A network into which faults are put.",
        model=Network((3, 3), activation, l2=l2),
        data=DATA,
        start={key: gain * array for key, array in start.items()},
        optimizer=optimizer,
        batches=Batches(8, draw.Shuffled(seed=11)),
        stopping=Stopping(max_epochs=3),
        tags=("small",),
    )


def _quadratic(name: str, optimizer: Optimizer) -> Task:
    return Task(
        name=f"small-quadratic-{name}",
        shows="A quadratic into which faults are put.",
        model=VALLEY,
        start={"w": np.array([-1.5, 1.0])},
        optimizer=optimizer,
        stopping=Stopping(max_epochs=10),
        tags=("small",),
    )


def _perceptron() -> Task:
    """Rows with decimals, so that no row lies on the boundary but for rounding."""
    rng = np.random.default_rng(11)
    x = rng.normal(size=(8, 2))
    return Task(
        name="small-perceptron",
        shows="A perceptron into which faults are put.",
        model=Perceptron(),
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
    _quadratic("gd", GradientDescent(0.05)),
    _quadratic("momentum", Momentum(0.02, momentum=0.8)),
    _quadratic("rmsprop", RMSprop(0.05, epsilon=1e-40)),
    _quadratic("adam", Adam(0.1)),
    _perceptron(),
)
