"""How the learning rate changes: `keras.optimizers.schedules` and `ReduceLROnPlateau`."""

from types import SimpleNamespace
from typing import final

import numpy as np
import tensorflow as tf
from keras import callbacks
from keras.optimizers import schedules

from tasks import spec
from tasks.spec import Task


@final
class Schedule:
    """Keras's schedules, whose `native` one an optimizer takes as its learning rate, and its callback.

    `model` is what the callback knows of a model: the optimizer whose learning rate it lowers.  There is
    only the rate until an optimizer takes its place.
    """

    def __init__(self, task: Task) -> None:
        self.rule = task.schedule
        learning_rate = float(task.optimizer.learning_rate)
        self.native = _native(task.schedule, learning_rate)
        self.model = SimpleNamespace(optimizer=SimpleNamespace(learning_rate=learning_rate))
        if isinstance(self.rule, spec.Plateau):
            # Recipe (plateau-patience): Keras lowers the rate after `patience` such epochs, the task after
            # more than that; and what counts as lower is any difference, not 1e-4.
            self.plateau = callbacks.ReduceLROnPlateau(
                "loss", self.rule.by, self.rule.patience + 1, mode="min", min_delta=0
            )
            self.plateau.set_model(self.model)

    def rate(self, step: tf.Tensor) -> tf.Tensor:
        """The rate of the update that `step` others came before."""
        if isinstance(self.native, schedules.LearningRateSchedule):
            return self.native(step)
        return self.model.optimizer.learning_rate  # constant, or a plateau's rate so far

    def end_epoch(self, loss: float) -> None:
        """A plateau lowers the rate after more than `patience` epochs without a new lowest loss."""
        # Recipe: an np.float64, or Keras compares in the dtype of its layers.
        self.plateau.on_epoch_end(0, {"loss": np.float64(loss)})

    def resume(self, learning_rate: float) -> None:
        """Go on from a plateau's rate."""
        self.model.optimizer.learning_rate = learning_rate


def _native(rule: spec.Schedule, learning_rate: float) -> schedules.LearningRateSchedule | float:
    """Recipe (schedule-float32): numbers are np.float64, or Keras computes its schedules in float32."""
    rate = np.float64(learning_rate)
    match rule:
        case spec.StepDecay(every, by):
            return schedules.ExponentialDecay(rate, every, np.float64(by), staircase=True)
        case spec.ExponentialDecay(by):
            return schedules.ExponentialDecay(rate, 1, np.float64(by))
        case spec.CosineDecay(steps, floor):
            return schedules.CosineDecay(rate, steps, np.float64(floor))
        case spec.WarmUp(steps):  # a "decay" that rises, in equal steps from rate/steps to rate
            return schedules.PolynomialDecay(rate / steps, steps - 1, rate)
        case _:  # constant, or a plateau's first rate
            return learning_rate
