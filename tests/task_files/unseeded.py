"""Draws its start anew in every process: not the same task for the harness and its workers."""

import numpy as np

from tasks.spec import GradientDescent, Quadratic, Stopping, Task

TASKS = [
    Task(
        name="unseeded",
        shows="That a task must be the same everywhere.",
        model=Quadratic(hessian=np.eye(2), minimum=np.zeros(2)),
        start={"w": np.random.default_rng().normal(size=2)},
        optimizer=GradientDescent(0.1),
        stopping=Stopping(max_epochs=3),
        tags=("unseeded",),
    )
]
