"""Optimizers on quadratics, where every step can be checked by hand and the minimum is known."""

import numpy as np

from tasks.spec import (
    Adagrad,
    Adam,
    GradientDescent,
    Momentum,
    Nadam,
    Optimizer,
    Quadratic,
    RMSprop,
    Stopping,
    Task,
)

SQUARE = Quadratic(hessian=np.array([[2.0]]), minimum=np.array([0.0]))  # f(w) = w²
VALLEY = Quadratic(hessian=np.diag([1.0, 100.0]), minimum=np.array([1.0, -1.0]))  # condition number 100


CHAPTER = ("chapter", "default")


def _square(name: str, shows: str, start: float, optimizer: Optimizer, steps: int) -> Task:
    return Task(
        name=f"quadratic-{name}",
        shows=shows,
        model=SQUARE,
        start={"w": np.array([start])},
        optimizer=optimizer,
        stopping=Stopping(max_epochs=steps),
        tags=("quadratic", *CHAPTER),
    )


def _valley(name: str, shows: str, optimizer: Optimizer, *tags: str) -> Task:
    return Task(
        name=f"quadratic-ill-conditioned-{name}",
        shows=shows,
        model=VALLEY,
        start={"w": np.array([-1.5, 1.0])},
        optimizer=optimizer,
        stopping=Stopping(max_epochs=150),
        tags=("quadratic", "optimizer", *tags),
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
        *CHAPTER,
    ),
    _valley(
        "momentum",
        "Momentum crosses the same valley much faster at the same learning rate.",
        Momentum(learning_rate=0.018, momentum=0.8),
        *CHAPTER,
    ),
    _valley(
        "rmsprop",
        "RMSprop divides each axis by its own gradient. ε is so small here that its place cannot matter.",
        RMSprop(learning_rate=0.05, rho=0.9, epsilon=1e-30),
        *CHAPTER,
    ),
    _valley(
        "adam",
        "Adam scales each axis and averages the gradient.",
        Adam(learning_rate=0.1),
        *CHAPTER,
    ),
    _valley(
        "nesterov",
        "Nesterov's momentum looks ahead and swings less, but is stable only to a lower rate: 1.38/100.",
        Momentum(learning_rate=0.012, momentum=0.8, nesterov=True),
    ),
    _valley(
        "rmsprop-eps-outside",
        "RMSprop with √s + ε.",
        RMSprop(learning_rate=0.015, rho=0.9, epsilon=1e-8),
    ),
    _valley(
        "rmsprop-eps-inside",
        "RMSprop with √(s + ε).",
        RMSprop(learning_rate=0.015, rho=0.9, epsilon=1e-8, epsilon_inside_root=True),
    ),
    _valley(
        "adagrad",
        "Adagrad divides by all gradients so far: its steps only become shorter.",
        Adagrad(learning_rate=0.5, epsilon=1e-30),
    ),
    _valley(
        "adamw",
        "Adam with decoupled weight decay, which pulls past the minimum towards 0.",
        Adam(learning_rate=0.1, weight_decay=0.01),
    ),
    _valley(
        "amsgrad", "Adam that never forgets its largest gradient.", Adam(learning_rate=0.1, amsgrad=True)
    ),
    _valley("nadam", "Adam with Nesterov's look ahead.", Nadam(learning_rate=0.1)),
)
