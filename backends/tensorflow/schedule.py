"""How the learning rate changes, written out."""

import math
from typing import final

import numpy as np
import tensorflow as tf

from tasks import spec
from tasks.spec import Task


@final
class Schedule:
    """The learning rate of each update, in float64."""

    def __init__(self, task: Task) -> None:
        self.rule = task.schedule
        # A variable, because a plateau changes it between runs of the graph.
        self.learning_rate = tf.Variable(task.optimizer.learning_rate, dtype=tf.float64)
        self.best, self.epochs_without = np.inf, 0  # of a plateau

    def rate(self, step: tf.Tensor) -> tf.Tensor:
        """The rate of the update that `step` others came before."""
        # Recipe (python-float-cast): factors are float64 tensors. tf.cast(0.9, tf.float64) goes through
        # float32, and gives 0.8999999761581421.
        match self.rule:
            case spec.StepDecay(every, by):
                factor = tf.constant(by, tf.float64) ** tf.cast(step // every, tf.float64)
            case spec.ExponentialDecay(by):
                factor = tf.constant(by, tf.float64) ** tf.cast(step, tf.float64)
            case spec.CosineDecay(steps, floor):
                share = tf.cast(tf.minimum(step, steps), tf.float64) / steps
                factor = floor + (1 - floor) * 0.5 * (1 + tf.cos(math.pi * share))
            case spec.WarmUp(steps):
                factor = tf.cast(tf.minimum(step + 1, steps), tf.float64) / steps
            case _:  # constant, or a plateau's rate so far
                return self.learning_rate.read_value()
        return self.learning_rate * factor

    def end_epoch(self, loss: float) -> None:
        """A plateau lowers the rate after more than `patience` epochs without a new lowest loss."""
        assert isinstance(self.rule, spec.Plateau)
        self.epochs_without = 0 if loss < self.best else self.epochs_without + 1
        self.best = min(self.best, loss)
        if self.epochs_without > self.rule.patience:
            self.learning_rate.assign(self.learning_rate * self.rule.by)
            self.epochs_without = 0

    def resume(self, learning_rate: float) -> None:
        """Go on from a plateau's rate."""
        self.learning_rate.assign(learning_rate)
