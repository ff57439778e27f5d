"""Right in all but one thing: its momentum looks ahead, as Nesterov's does."""

from dataclasses import replace

from backends import numpy
from backends.numpy import Perceptron, setup  # noqa: F401
from tasks import spec


class Optimizer(numpy.Optimizer):
    def __init__(self, task, parameters):
        if isinstance(task.optimizer, spec.Momentum):
            task = replace(task, optimizer=replace(task.optimizer, nesterov=True))
        super().__init__(task, parameters)


class Function(numpy.Function):
    def __init__(self, task, at):
        super().__init__(task, at)
        self.optimizer = Optimizer(task, self.parameters)


class Network(numpy.Network):
    def __init__(self, task, at):
        super().__init__(task, at)
        self.optimizer = Optimizer(task, self.parameters)
