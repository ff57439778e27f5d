"""Optimizers on quadratics, where every step can be checked by hand and the minimum is known."""

import numpy as np

from tasks.spec import Adam, GradientDescent, Momentum, Optimizer, Quadratic, RMSprop, Stopping, Task

SQUARE = Quadratic(hessian=np.array([[2.0]]), minimum=np.array([0.0]))  # f(w) = w²
VALLEY = Quadratic(hessian=np.diag([1.0, 100.0]), minimum=np.array([1.0, -1.0]))  # condition number 100


def _square(name: str, shows: str, start: float, optimizer: Optimizer, steps: int) -> Task:
    return Task(
        name=f"quadratic-{name}",
        shows=shows,
        model=SQUARE,
        start={"w": np.array([start])},
        optimizer=optimizer,
        stopping=Stopping(max_epochs=steps),
        tags=("quadratic", "optimizer"),
    )


def _valley(name: str, shows: str, optimizer: Optimizer) -> Task:
    return Task(
        name=f"quadratic-ill-conditioned-{name}",
        shows=shows,
        model=VALLEY,
        start={"w": np.array([-1.5, 1.0])},
        optimizer=optimizer,
        stopping=Stopping(max_epochs=150),
        tags=("quadratic", "optimizer", "ill-conditioned"),
    )


TASKS = (
    _square(
        "gd",
        "Gradient descent on w² shrinks w by the same factor, 0.8, in every step.",
        start=10.0,
        optimizer=GradientDescent(learning_rate=0.1),
        steps=20,
    ),
    _square(
        "momentum",
        "Momentum on w² overshoots the minimum and swings back.",
        start=5.0,
        optimizer=Momentum(learning_rate=0.1, momentum=0.9),
        steps=50,
    ),
    _square(
        "rmsprop",
        "RMSprop on w², ε added to the root: √s + ε.",
        start=5.0,
        optimizer=RMSprop(learning_rate=0.1, rho=0.9, epsilon=1e-8, epsilon_inside_root=False),
        steps=50,
    ),
    _square(
        "rmsprop-eps-inside",
        "RMSprop on w², ε under the root: √(s + ε). The path differs in the ninth digit.",
        start=5.0,
        optimizer=RMSprop(learning_rate=0.1, rho=0.9, epsilon=1e-8, epsilon_inside_root=True),
        steps=50,
    ),
    _square(
        "adam",
        "Adam on w², with ε added after the bias correction, as in algorithm 1 of the paper.",
        start=5.0,
        optimizer=Adam(learning_rate=0.1, epsilon=1e-8, epsilon_hat=False),
        steps=50,
    ),
    _valley(
        "gd",
        "With curvatures 1 and 100, gradient descent is slow along one axis to stay stable on the other.",
        GradientDescent(learning_rate=0.018),
    ),
    _valley(
        "momentum",
        "Momentum crosses the same valley much faster at the same learning rate.",
        Momentum(learning_rate=0.018, momentum=0.8),
    ),
    _valley(
        "rmsprop",
        "RMSprop divides each axis by its own gradient. ε is so small here that its place cannot matter.",
        RMSprop(learning_rate=0.05, rho=0.9, epsilon=1e-30),
    ),
    _valley(
        "adam",
        "Adam scales each axis and averages the gradient.",
        Adam(learning_rate=0.1),
    ),
)
