"""The reference with a trainer of its own, which is right, except that it cannot do everything."""

from backends import numpy
from backends.base import Unsupported
from backends.numpy import Network, Optimizer, Perceptron, setup  # noqa: F401
from tasks.spec import GradientDescent


class Function(numpy.Function):
    def __init__(self, task, at):
        super().__init__(task, at)
        self.task = task

    def fit(self, epochs):
        if not isinstance(self.task.optimizer, GradientDescent):
            raise Unsupported("it was only taught gradient descent")
        return self.run([[]] * epochs)
