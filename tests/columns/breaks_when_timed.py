"""Agrees everywhere, and dies where one task runs many steps at once: while it is timed."""

import ctypes

from backends import numpy
from backends.numpy import Network, Optimizer, Perceptron, setup  # noqa: F401


class Function(numpy.Function):
    def __init__(self, task, at):
        super().__init__(task, at)
        self.unlucky = task.name == "quadratic-momentum"

    def run(self, batches):
        if self.unlucky and len(batches) > 1:
            ctypes.string_at(0)
        return super().run(batches)
