"""Agrees everywhere, and raises in the second timed block of one task: in the middle of the rounds."""

from backends import numpy
from backends.numpy import Network, Optimizer, Perceptron, setup  # noqa: F401


class Quadratic(numpy.Quadratic):
    def __init__(self, task, at):
        super().__init__(task, at)
        self.unlucky = task.name == "quadratic-momentum"
        self.blocks = 0

    def restore(self, observed):  # before every block
        self.blocks += 1
        if self.unlucky and self.blocks == 2:
            raise RuntimeError("out of steam")
        super().restore(observed)
