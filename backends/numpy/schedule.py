"""How the learning rate changes, written out."""

import math
from typing import final

import numpy as np

from tasks import spec
from tasks.spec import Task


@final
class Schedule:
    """The learning rate of each update."""

    def __init__(self, task: Task) -> None:
        self.rule = task.schedule
        self.learning_rate = task.optimizer.learning_rate
        self.best, self.epochs_without = np.inf, 0  # of a plateau

    def rate(self, step: int) -> float:
        """The rate of the update that `step` others came before."""
        match self.rule:
            case spec.Constant() | spec.Plateau():
                return self.learning_rate  # of a plateau: the rate so far
            case spec.StepDecay(every, by):
                return self.learning_rate * by ** (step // every)
            case spec.ExponentialDecay(by):
                return self.learning_rate * by**step
            case spec.CosineDecay(steps, floor):
                falling = 0.5 * (1 + math.cos(math.pi * min(step, steps) / steps))  # from 1 to 0
                return self.learning_rate * (floor + (1 - floor) * falling)
            case spec.WarmUp(steps):
                return self.learning_rate * min(1, (step + 1) / steps)

    def end_epoch(self, loss: float) -> None:
        """A plateau lowers the rate after more than `patience` epochs without a new lowest loss."""
        assert isinstance(self.rule, spec.Plateau)
        self.epochs_without = 0 if loss < self.best else self.epochs_without + 1
        self.best = min(self.best, loss)
        if self.epochs_without > self.rule.patience:
            self.learning_rate *= self.rule.by
            self.epochs_without = 0

    def resume(self, learning_rate: float) -> None:
        """Go on from a plateau's rate."""
        self.learning_rate = learning_rate
