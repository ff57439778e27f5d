"""Optimizers in Rosenbrock's valley: steep walls, a flat and curved floor."""

import numpy as np

from tasks.spec import (
    Adagrad,
    Adam,
    GradientDescent,
    Momentum,
    Nadam,
    Optimizer,
    RMSprop,
    Rosenbrock,
    Stopping,
    Task,
)


def _descent(name: str, shows: str, optimizer: Optimizer, *tags: str) -> Task:
    return Task(
        name=f"rosenbrock-{name}",
        shows=shows,
        model=Rosenbrock(),
        start={"w": np.array([-1.2, 1.0])},  # as in the paper
        optimizer=optimizer,
        stopping=Stopping(max_epochs=200),
        tags=("rosenbrock", "optimizer", *tags),
    )


TASKS = (
    _descent("gd", "Gradient descent must be slow to stay stable between the walls.", GradientDescent(0.001)),
    _descent("momentum", "Momentum gathers speed along the floor.", Momentum(0.001, momentum=0.9)),
    _descent("nesterov", "Nesterov's momentum.", Momentum(0.001, momentum=0.9, nesterov=True)),
    _descent("rmsprop", "RMSprop with √s + ε.", RMSprop(0.01, rho=0.99, epsilon=1e-8)),
    _descent(
        "rmsprop-eps-inside",
        "RMSprop with √(s + ε).",
        RMSprop(0.01, rho=0.99, epsilon=1e-8, epsilon_inside_root=True),
    ),
    _descent("adagrad", "Adagrad.", Adagrad(0.5, epsilon=1e-30)),
    _descent("adam", "Adam.", Adam(0.05)),
    _descent("adamw", "Adam with decoupled weight decay.", Adam(0.05, weight_decay=0.01)),
    _descent("amsgrad", "AMSGrad.", Adam(0.05, amsgrad=True)),
    _descent("nadam", "Nadam.", Nadam(0.05)),
)
