"""Right step by step, but of several steps at once it forgets the last one; its trainer is wrong too."""

import numpy as np

from backends import numpy
from backends.numpy import Network, Optimizer, Perceptron, setup  # noqa: F401


class Function(numpy.Function):
    def run(self, batches):
        losses = super().run(batches[:-1] or batches)
        return np.append(losses, losses[-1]) if len(batches) > 1 else losses

    def fit(self, epochs):
        return np.zeros(epochs)
