"""Activations, and what a stack of them does to gradients."""

from collections.abc import Mapping

from tasks import draw
from tasks.build import network
from tasks.moons import SMALL
from tasks.spec import Array, GradientDescent, Network, Task

DEEP = (4,) * 10
SIZES = (2, *DEEP, 1)


def _with(activation: str, shows: str, *tags: str) -> Task:
    """From one start, Glorot's, whatever the activation."""
    return network(
        f"activation-{activation.replace('_', '-')}",
        shows,
        SMALL,
        Network((10,), activation),
        tags=("activation", *tags),
        epochs=60,
        optimizer=GradientDescent(0.5),
    )


def _deep(kind: str, shows: str, activation: str, start: Mapping[str, Array], *tags: str) -> Task:
    return network(
        f"deep-{kind}",
        shows,
        SMALL,
        Network(DEEP, activation),
        tags=("gradient-flow", *tags),
        epochs=10,
        optimizer=GradientDescent(0.01),
        start=start,
    )


TASKS = (
    _with("step", "The derivative of a step is 0: the first layer never learns."),
    _with("logistic", "1/(1 + e⁻ᶻ), whose derivative is at most ¼."),
    _with("tanh", "Like logistic, but odd, and with a derivative of up to 1."),
    _with("relu", "max(0, z): a unit that is off does not learn."),
    _with("leaky_relu", "A little slope below 0: every unit learns a little."),
    _with("elu", "Below 0 it bends towards -1."),
    _with("gelu", "z·Φ(z): relu with a soft corner.", "default"),
    _deep(
        "logistic",
        "Ten narrow logistic layers: every one takes at least three quarters of the gradient.",
        "logistic",
        draw.glorot(SIZES, seed=2),
        "default",
    ),
    _deep("tanh", "Ten tanh layers from Glorot's start keep more of it.", "tanh", draw.glorot(SIZES, seed=2)),
    _deep("relu", "Ten relu layers from He's start.", "relu", draw.he(SIZES, seed=2)),
    _deep(
        "exploding",
        "The same from a start three times as wide: the gradient grows from layer to layer.",
        "relu",
        draw.he(SIZES, seed=2, gain=3.0),
    ),
)
