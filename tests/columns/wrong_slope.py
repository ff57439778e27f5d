"""Wrong in a way of its own: the derivative of every activation is 1 - h."""

from backends import numpy
from backends.numpy import Function, Optimizer, Perceptron, setup  # noqa: F401


class Network(numpy.Network):
    def __init__(self, task, at):
        super().__init__(task, at)
        self.derive = lambda _z, h, delta: delta * (1 - h)
