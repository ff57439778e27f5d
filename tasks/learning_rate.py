"""A learning rate too small, right, too large, and so large that the numbers overflow."""

import numpy as np

from tasks.build import network
from tasks.moons import SMALL
from tasks.quadratic import SQUARE
from tasks.spec import GradientDescent, Network, SquaredError, Stopping, Task

TAGS = ("learning-rate",)


def _square(kind: str, shows: str, rate: float, steps: int, tags: tuple[str, ...] = TAGS) -> Task:
    return Task(
        name=f"rate-{kind}",
        shows=shows,
        model=SQUARE,
        start={"w": np.array([5.0])},
        optimizer=GradientDescent(rate),
        stopping=Stopping(steps),
        tags=tags,
    )


def _moons(
    kind: str,
    shows: str,
    rate: float,
    model: Network = Network((10,), "tanh"),  # noqa: B008  frozen
    epochs: int = 20,
) -> Task:
    rule = GradientDescent(rate)
    return network(f"rate-moons-{kind}", shows, SMALL, model, tags=TAGS, epochs=epochs, optimizer=rule)


TASKS = (
    _square("too-small", "On w², each step takes 0.2 % off: after 50 steps w has hardly moved.", 0.001, 50),
    _square("right", "Each step leaves 0.4 of w: the minimum is reached.", 0.3, 50),
    _square("too-large", "Each step overshoots to -1.2 w: the loss grows without end.", 1.1, 50),
    _square(
        "diverges",
        "Each step overshoots to -99 w, until the loss is larger than any number: training ends there.",
        50.0,
        100,
        (*TAGS, "default"),
    ),
    _moons("too-small", "On moons, the loss has hardly begun to fall.", 0.001),
    _moons("right", "The loss falls.", 0.5),
    _moons("too-large", "The loss jumps up and down.", 20.0),
    _moons(
        "diverges",
        "A squared error grows with the output, and with it the gradient: it overflows in a few steps.",
        10.0,
        Network((10, 10), "leaky_relu", loss=SquaredError()),
        epochs=200,
    ),
)
