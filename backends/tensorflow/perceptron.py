"""The perceptron and its variants."""

from collections.abc import Sequence
from typing import final

import numpy as np
import tensorflow as tf

from backends.base import Arrays, Placement, Program, named, pick
from tasks import spec
from tasks.spec import Array, Rows, Task

from .arrays import ROWS, Flat, in_graph, loop
from .optimizer import Optimizer


@final
class Perceptron(Program):
    """The tape on (ŷ - y)·z, whose gradient is the perceptron's update with ŷ a constant."""

    def __init__(self, task: Task, at: Placement) -> None:
        assert isinstance(task.model, spec.Perceptron) and task.data is not None
        self.variant = task.model.variant
        self.x = tf.constant(task.data.x_train, at.dtype)  # (N, D)
        self.y = tf.constant(task.data.y_train, at.dtype)  # (N,)
        self.parameters = Flat(task.shapes, at.dtype)  # w (D,), b (1,)
        self.parameters.fill(dict(task.start))
        self.optimizer = Optimizer(task, self.parameters)
        self.chosen = Flat(task.shapes, at.dtype)  # what an averaged or pocket perceptron predicts with
        self.fewest = tf.Variable(np.inf, dtype=at.dtype)  # mistakes of the pocket's parameters
        if self.variant == "pocket":
            self._pocket()
        self.steps = loop(self._step, at)
        self.loss_and_gradients = in_graph(self._loss_and_gradients, [ROWS], at)

    def run(self, batches: Sequence[Rows]) -> Array:
        """One row at a time; the loss is 1 for a mistake."""
        return self.steps(batches)

    def _step(self, rows: tf.Tensor) -> tf.Tensor:
        loss, gradients = self._loss_and_gradients(rows)
        self.optimizer.step(gradients)
        match self.variant:
            case "averaged":
                self._average()
            case "pocket":
                self._pocket()
        return loss

    def _average(self) -> None:
        """Mean of the parameters after each step."""
        w, mean = self.parameters.vector, self.chosen.vector
        mean.assign_add((w - mean) / tf.cast(self.optimizer.steps, w.dtype))  # (P,)

    def _pocket(self) -> None:
        """Keep the parameters if no earlier ones made as few mistakes."""
        wrong = _score(self.parameters, self.x) != self.y  # (N,)
        mistakes = tf.reduce_sum(tf.cast(wrong, self.x.dtype))
        is_better = mistakes < self.fewest
        self.chosen.vector.assign(tf.where(is_better, self.parameters.vector, self.chosen.vector))
        self.fewest.assign(tf.minimum(self.fewest, mistakes))

    def gradient(self, rows: Rows) -> tuple[float, Arrays]:
        """Mean over the rows."""
        loss, gradients = self.loss_and_gradients(tf.constant(rows))
        return float(loss), self.parameters.named(gradients)

    def _loss_and_gradients(self, rows: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        x, y = tf.gather(self.x, rows), tf.gather(self.y, rows)  # (N, D), (N,)
        with tf.GradientTape() as tape:
            z = _logit(self.parameters, x)  # (N,)
            error = tf.stop_gradient(tf.cast(z >= 0, z.dtype)) - y  # (N,) ŷ - y: -1, 0 or 1
            criterion = tf.reduce_mean(error * z)
        return tf.reduce_mean(tf.abs(error)), tape.gradient(criterion, self.parameters.vector)

    def observe(self) -> Arrays:
        observed = named("param", self.parameters.copies()) | self.optimizer.observe()
        match self.variant:
            case "averaged":
                observed |= named("state/average", self.chosen.copies())
                observed["state/step"] = self.optimizer.steps.numpy()
            case "pocket":
                observed |= named("state/pocket", self.chosen.copies())
                observed["state/pocket_mistakes"] = self.fewest.numpy()
        return observed

    def restore(self, observed: Arrays) -> None:
        self.parameters.fill(pick("param", observed))
        self.optimizer.restore(observed)
        match self.variant:
            case "averaged":
                self.chosen.fill(pick("state/average", observed))
            case "pocket":
                self.chosen.fill(pick("state/pocket", observed))
                self.fewest.assign(observed["state/pocket_mistakes"])

    def predict(self, x: Array) -> Array:
        """ŷ = 1 where z >= 0."""
        parameters = self.parameters if self.variant == "plain" else self.chosen
        return _score(parameters, tf.constant(x, self.x.dtype)).numpy()

    def wait(self) -> None:
        """`run` returns NumPy arrays, so its graph has finished."""


def _logit(parameters: Flat, x: tf.Tensor) -> tf.Tensor:
    """Return z (N,) of rows x (N, D)."""
    parts = parameters.parts()
    return tf.linalg.matvec(x, parts["w"]) + parts["b"]


def _score(parameters: Flat, x: tf.Tensor) -> tf.Tensor:
    """ŷ (N,) of rows x (N, D)."""
    return tf.cast(_logit(parameters, x) >= 0, x.dtype)
