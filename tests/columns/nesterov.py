"""Right in all but one thing: its momentum looks ahead, as Nesterov's does."""

from dataclasses import replace

from backends import numpy
from backends.numpy import Perceptron, setup  # noqa: F401
from tasks import spec


class Optimizer(numpy.Optimizer):
<<<<<<< HEAD
    def __init__(self, task, parameters):
        if isinstance(task.optimizer, spec.Momentum):
            task = replace(task, optimizer=replace(task.optimizer, nesterov=True))
        super().__init__(task, parameters)
=======
    def step(self, gradients):
        super().step(gradients)
        rule = self.task.optimizer
        if isinstance(rule, spec.Momentum):
            v = self.slots["velocity"].vector
            ahead = rule.momentum * v - rule.learning_rate * gradients.vector
            self.parameters.vector += ahead - v  # in place of v
>>>>>>> faults


class Function(numpy.Function):
    def __init__(self, task, at):
        super().__init__(task, at)
        self.optimizer = Optimizer(task, self.parameters)


class Network(numpy.Network):
    def __init__(self, task, at):
        super().__init__(task, at)
        self.optimizer = Optimizer(task, self.parameters)
