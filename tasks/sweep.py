"""Tasks of any size, found by their name: for measuring how cost grows, not for learning anything.

    network-100x100-batch200-rows1000    moons, relu, Adam in its ε̂ form, rows in order
    bowl-10                              a quadratic in so many dimensions, Adam likewise

They are no rows of the table; `-t network-4x4-batch200-rows1000` runs one.
The loops of benchmarks/bare/ are written for such networks alone.
"""

import re

import numpy as np

from tasks import draw
from tasks.spec import Adam, Batches, Constant, Dataset, Network, Quadratic, Stopping, Task

ADAM = Adam(0.001, epsilon_hat=True)  # the form that every framework's own trainer has
EPOCHS = 3  # enough for a proof
PLAIN = "a bare loop is written for whole batches in order, relu, two classes and Adam in its ε̂ form"


def network(hidden: tuple[int, ...], batch: int, rows: int) -> Task:
    """A network with these hidden layers on so many rows of moons, without a test set."""
    x, y = draw.moons(rows, noise=0.3, seed=42)
    return Task(
        name=f"network-{'x'.join(map(str, hidden))}-batch{batch}-rows{rows}",
        shows=f"{' + '.join(map(str, hidden))} units, {batch} of {rows} rows a step: how long a step takes.",
        model=Network(hidden, activation="relu"),
        data=Dataset(x, y),
        start=draw.he((2, *hidden, 1), seed=0),
        optimizer=ADAM,
        batches=Batches(batch, draw.InOrder()),
        stopping=Stopping(EPOCHS),
        tags=("sweep",),
    )


def bowl(dimensions: int) -> Task:
    """A quadratic whose curvature grows evenly from 1 to 10, with its minimum at ones."""
    return Task(
        name=f"bowl-{dimensions}",
        shows=f"A quadratic in {dimensions} dimensions: how long a step takes without data.",
        model=Quadratic(np.diag(np.linspace(1, 10, dimensions)), np.ones(dimensions)),
        start=draw.zeros(w=(dimensions,)),
        optimizer=ADAM,
        stopping=Stopping(10 * EPOCHS),
        tags=("sweep",),
    )


def find(name: str) -> Task | None:
    """The task of this name, or None where it is none of these.

    Raises `TaskError` for sizes that cannot be, such as a batch of more than all rows.
    """
    if found := re.fullmatch(r"network-(\d+(?:x\d+)*)-batch(\d+)-rows(\d+)", name):
        hidden, batch, rows = found.groups()
        return network(tuple(map(int, hidden.split("x"))), int(batch), int(rows))
    if found := re.fullmatch(r"bowl-(\d+)", name):
        return bowl(int(found[1]))
    return None


def is_plain(task: Task) -> bool:
    """Whether a loop written by hand for the networks of this file computes the same as this task."""
    return (
        isinstance(task.model, Network)
        and task.model == Network(task.model.hidden, activation="relu")
        and task.optimizer == ADAM
        and task.schedule == Constant()
        and task.data is not None
        and task.data.weights is None
        and task.batches is not None
        and task.batches.order == draw.InOrder()
        and task.rows % task.batches.size == 0
    )
