"""Agrees everywhere, and raises in the second timed block of one task: in the middle of the rounds."""

from backends import numpy
from backends.numpy import Network, Optimizer, Perceptron, setup  # noqa: F401


class Function(numpy.Function):
    def __init__(self, task, at):
        super().__init__(task, at)
        self.unlucky = task.name == "quadratic-momentum"
        self.lengths = []

    def run(self, batches):
        self.lengths.append(len(batches))
        # As long as never before: still warming up.  As long as the last piece of that: a block.
        if self.unlucky and len(batches) > 20 and self.lengths.count(len(batches)) == 3:
            raise RuntimeError("out of steam")
        return super().run(batches)
