"""Rosenblatt's perceptron: a rule of one line, what it learns, and what it cannot."""

import numpy as np

from tasks import draw
from tasks.spec import Array, Batches, Dataset, GradientDescent, Perceptron, Stopping, Task

SEPARATOR = np.array([0.8, -0.6])  # a unit vector: the distance of a row from the line is x·separator


def _separable(rows: int, margin: float, seed: int) -> tuple[Array, Array]:
    """Rows in a square, none nearer than `margin` to a line through the middle; their classes."""
    x = np.random.default_rng(seed).uniform(-1, 1, (4 * rows, 2))
    x = x[np.abs(x @ SEPARATOR) > margin][:rows]
    return x, (x @ SEPARATOR > 0).astype(float)


def _noisy(seed: int) -> Dataset:
    """Rows of which every sixth has the other class; the test rows have the right one."""
    x, y = _separable(200, 0.02, seed)
    flipped = y[:80].copy()
    flipped[::6] = 1 - flipped[::6]
    return Dataset(x_train=x[:80], y_train=flipped, x_test=x[80:], y_test=y[80:])


def _perceptron(
    name: str,
    shows: str,
    data: Dataset,
    *tags: str,
    variant: str = "plain",
    epochs: int = 20,
    rate: float = 1.0,
    bias: float = 0.0,
) -> Task:
    return Task(
        name=f"perceptron-{name}",
        shows=shows,
        model=Perceptron(variant),
        data=data,
        start={"w": np.zeros(data.features), "b": np.array([bias])},
        optimizer=GradientDescent(learning_rate=rate),
        batches=Batches(1, draw.InOrder()),
        stopping=Stopping(max_epochs=epochs),
        tags=("perceptron", *tags),
    )


NOISY = _noisy(seed=4)
HALF = -0.5  # with whole numbers no row ever lies on the boundary, where columns may differ
TASKS = (
    _perceptron(
        "and",
        "A perceptron learns AND: two, three and three mistakes in the first epochs, then none.",
        draw.logic(0, 0, 0, 1),
        "chapter",
        "default",
        epochs=100,
        rate=0.1,
    ),
    _perceptron("or", "A perceptron learns OR.", draw.logic(0, 1, 1, 1), bias=HALF),
    _perceptron("nand", "A perceptron learns NAND.", draw.logic(1, 1, 1, 0), bias=HALF),
    _perceptron(
        "xor",
        "No line separates XOR: the mistakes never end.",
        draw.logic(0, 1, 1, 0),
        "default",
        epochs=100,
        bias=HALF,
    ),
    _perceptron(
        "separable",
        "Rows that a line separates with a margin: the mistakes end, and their number has a bound.",
        Dataset(*_separable(80, 0.05, seed=4)),
        "perceptron-bound",
        "default",
    ),
    _perceptron(
        "noisy",
        "Every sixth row has the wrong class: the last parameters are a matter of luck.",
        NOISY,
        epochs=10,
    ),
    _perceptron(
        "averaged",
        "The same, predicting with the mean of all parameters.",
        NOISY,
        variant="averaged",
        epochs=10,
    ),
    _perceptron(
        "pocket",
        "The same, predicting with the parameters that made the fewest mistakes.",
        NOISY,
        variant="pocket",
        epochs=10,
    ),
)
