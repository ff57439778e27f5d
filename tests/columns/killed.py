"""Is killed in one task, as by a system short of memory."""

import os
import signal

from backends import numpy
from backends.numpy import Network, Optimizer, Perceptron, setup  # noqa: F401


class Function(numpy.Function):
    def __init__(self, task, at):
        super().__init__(task, at)
        self.unlucky = task.name == "quadratic-momentum"

    def run(self, batches):
        if self.unlucky:
            os.kill(os.getpid(), signal.SIGKILL)
        return super().run(batches)
