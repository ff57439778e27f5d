"""Right in all but one thing: it learns at half the rate."""

from dataclasses import replace

from backends import numpy
from backends.numpy import Optimizer, Perceptron, setup  # noqa: F401


def halved(task):
    rate = task.optimizer.learning_rate / 2
    return replace(task, optimizer=replace(task.optimizer, learning_rate=rate))


class Function(numpy.Function):
    def __init__(self, task, at):
        super().__init__(halved(task), at)


class Network(numpy.Network):
    def __init__(self, task, at):
        super().__init__(halved(task), at)
