"""A task of a user's own, as the README shows one."""

import numpy as np

from tasks.spec import Adam, Quadratic, Stopping, Task

TASKS = [
    Task(
        name="mine-saddle",
        shows="How Adam turns a corner.",
        model=Quadratic(hessian=np.array([[3.0, 1.0], [1.0, 2.0]]), minimum=np.array([1.0, -1.0])),
        start={"w": np.array([4.0, 4.0])},
        optimizer=Adam(0.1),
        stopping=Stopping(max_epochs=30),
        tags=("mine",),
    )
]
