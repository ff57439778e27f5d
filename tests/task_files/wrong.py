"""One short task per fault of `columns/wrong_observations.py`."""

import numpy as np

from tasks import draw
from tasks.spec import Adam, Batches, Momentum, Network, Quadratic, Stopping, Task

QUADRATIC = (
    "sound",
    "loss-is-nan",
    "loss-too-short",
    "loss-too-long",
    "loss-has-two-axes",
    "loss-is-float32",
    "loss-is-none",
    "gradient-is-nan",
    "gradient-is-missing",
    "gradient-is-float32",
    "gradient-has-another-name",
    "parameter-is-nan",
    "parameter-is-inf",
    "parameter-is-nan-at-the-end",
    "parameter-is-missing",
    "parameter-is-missing-at-the-end",
    "parameter-is-missing-at-the-start",
    "parameter-is-a-column",
    "parameter-is-empty",
    "parameter-is-float32",
    "parameter-is-whole",
    "parameter-is-complex",
    "parameter-is-text",
    "parameter-is-an-object",
    "parameter-is-reversed",
    "parameter-is-one-too-many",
    "state-is-missing",
    "state-is-float32",
    "state-is-nan",
    "state-has-the-other-sign",
)
NETWORK = (
    "sound-network",
    "scores-are-a-column",
    "scores-are-nan",
    "scores-are-too-few",
    "scores-are-classes",
)


def _quadratic(name: str) -> Task:
    return Task(
        name=name,
        shows="What a harness does with a wrong observation.",
        model=Quadratic(hessian=np.diag([1.0, 3.0]), minimum=np.array([0.5, -1.0])),
        start={"w": np.array([2.0, 1.0])},
        optimizer=Momentum(0.1),
        stopping=Stopping(max_epochs=20),
        tags=("wrong",),
    )


def _network(name: str) -> Task:
    return Task(
        name=name,
        shows="What a harness does with wrong scores.",
        model=Network((3,)),
        data=draw.split(*draw.moons(20, noise=0.1, seed=1), test=0.25, seed=1),
        start=draw.glorot((2, 3, 1), seed=1),
        optimizer=Adam(0.05),
        batches=Batches(5, draw.Shuffled(seed=1)),
        stopping=Stopping(max_epochs=3),
        tags=("wrong",),
    )


TASKS = [*map(_quadratic, QUADRATIC), *map(_network, NETWORK)]
