"""Says of itself that it cannot express one task."""

from backends import numpy
from backends.base import Unsupported
from backends.numpy import Network, Optimizer, Perceptron, setup  # noqa: F401


class Function(numpy.Function):
    def __init__(self, task, at):
        if task.name == "quadratic-momentum":
            raise Unsupported("this framework has no momentum")
        super().__init__(task, at)
