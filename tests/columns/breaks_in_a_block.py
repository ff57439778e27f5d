"""Agrees everywhere, and raises in the second timed block of one task: in the middle of the rounds."""

from backends import numpy
from backends.numpy import Network, Optimizer, Perceptron, setup  # noqa: F401


class Function(numpy.Function):
    def __init__(self, task, at):
        super().__init__(task, at)
        self.unlucky = task.name == "quadratic-momentum"
        self.is_timed = False
        self.blocks = 0

    def run(self, batches):
        self.is_timed |= len(batches) > 1
        return super().run(batches)

    def restore(self, observed):  # before every block, and before every single step
        self.blocks += self.is_timed
        if self.unlucky and self.blocks == 2:
            raise RuntimeError("out of steam")
        super().restore(observed)
