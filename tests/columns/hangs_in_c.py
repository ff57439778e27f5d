"""Hangs in C in one task, holding the GIL: no Python code can run any more, nor a signal handler."""

import ctypes

from backends import numpy
from backends.numpy import Network, Optimizer, Perceptron, setup  # noqa: F401


class Function(numpy.Function):
    def __init__(self, task, at):
        super().__init__(task, at)
        self.unlucky = task.name == "quadratic-momentum"

    def run(self, batches):
        if self.unlucky:
            ctypes.PyDLL(None).sleep(1000)
        return super().run(batches)
