"""Two tasks: one with a trace of 300 kB, and after it one with a trace of a few."""

import numpy as np

from tasks.spec import Momentum, Quadratic, Stopping, Task


def _valley(name: str, coordinates: int, steps: int) -> Task:
    return Task(
        name=name,
        shows="How much room a trace takes.",
        model=Quadratic(hessian=np.diag(np.linspace(1, 2, coordinates)), minimum=np.zeros(coordinates)),
        start={"w": np.ones(coordinates)},
        optimizer=Momentum(0.1),
        stopping=Stopping(max_epochs=steps),
        tags=("sizes",),
    )


TASKS = (_valley("large", coordinates=40, steps=300), _valley("small", coordinates=2, steps=10))
