"""Takes no step at all: wrong everywhere."""

import numpy as np

from backends import numpy
from backends.numpy import Network, Optimizer, Perceptron, setup  # noqa: F401


class Function(numpy.Function):
    def run(self, batches):
        return np.zeros(len(batches))
