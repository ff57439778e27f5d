"""Right in everything, but it waits in a phase while a file `wait.parity` or `wait.timing` lies beside it.

A file `waiting` says that it does.
"""

import time
from pathlib import Path

from backends import numpy
from backends.numpy import Network, Optimizer, Perceptron, setup  # noqa: F401

HERE = Path(__file__).parent


class Function(numpy.Function):
    def __init__(self, task, at):
        super().__init__(task, at)
        self.unlucky = task.name == "quadratic-momentum"

    def run(self, batches):
        phase = "timing" if len(batches) > 1 else "parity"
        while self.unlucky and (HERE / f"wait.{phase}").exists():
            (HERE / "waiting").touch()
            time.sleep(0.02)
        return super().run(batches)
