"""The perceptron and its variants."""

from collections.abc import Sequence
from typing import final

import keras
import numpy as np
import tensorflow as tf
from keras import layers, ops

from backends.base import Arrays, Placement, Program, named, pick
from tasks import spec
from tasks.spec import Array, Rows, Task

from .arrays import ROWS, fill, in_graph, loop, to_numpy
from .optimizer import Optimizer


@final
class Perceptron(Program):
    """`Dense` and SGD on (ŷ - y)·z, whose gradient is the perceptron's update with ŷ a constant."""

    def __init__(self, task: Task, at: Placement) -> None:
        assert isinstance(task.model, spec.Perceptron) and task.data is not None
        self.variant = task.model.variant
        self.x = tf.constant(task.data.x_train, at.dtype)  # (N, D)
        self.y = tf.constant(task.data.y_train, at.dtype)  # (N,)
        self.shapes = task.shapes  # w (D,), b (1,)
        self.dense = layers.Dense(1)
        self.chosen = layers.Dense(1, kernel_initializer="zeros")  # averaged and pocket predict with this one
        self.dense.build((None, task.data.features))
        self.chosen.build((None, task.data.features))
        fill(self.dense.weights, dict(task.start), self.shapes)
        self.optimizer = Optimizer(task, self.dense.weights)
        self.fewest = keras.Variable(np.inf, dtype=at.dtype)  # mistakes of the pocket's parameters
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
        steps = ops.cast(self.optimizer.native.iterations, self.x.dtype)
        for w, mean in zip(self.dense.weights, self.chosen.weights, strict=True):
            mean.assign_add((w - mean) / steps)

    def _pocket(self) -> None:
        """Keep the parameters if no earlier ones made as few mistakes."""
        wrong = _score(self.dense, self.x) != self.y  # (N,)
        mistakes = ops.sum(ops.cast(wrong, self.x.dtype))
        is_better = mistakes < self.fewest
        for w, kept in zip(self.dense.weights, self.chosen.weights, strict=True):
            kept.assign(ops.where(is_better, w, kept))
        self.fewest.assign(ops.minimum(self.fewest, mistakes))

    def gradient(self, rows: Rows) -> tuple[float, Arrays]:
        """Mean over the rows."""
        loss, gradients = self.loss_and_gradients(tf.constant(rows))
        return float(loss), to_numpy(gradients, self.shapes)

    def _loss_and_gradients(self, rows: tf.Tensor) -> tuple[tf.Tensor, list[tf.Tensor]]:
        x, y = tf.gather(self.x, rows), tf.gather(self.y, rows)  # (N, D), (N,)
        with tf.GradientTape() as tape:
            z = self.dense(x)[:, 0]  # (N,)
            error = tf.stop_gradient(tf.cast(z >= 0, z.dtype)) - y  # (N,) ŷ - y: -1, 0 or 1
            criterion = tf.reduce_mean(error * z)
        return tf.reduce_mean(tf.abs(error)), tape.gradient(criterion, self.dense.trainable_weights)

    def observe(self) -> Arrays:
        observed = named("param", to_numpy(self.dense.weights, self.shapes)) | self.optimizer.observe()
        match self.variant:
            case "averaged":
                observed |= named("state/average", to_numpy(self.chosen.weights, self.shapes))
                observed["state/step"] = ops.convert_to_numpy(self.optimizer.native.iterations)
            case "pocket":
                observed |= named("state/pocket", to_numpy(self.chosen.weights, self.shapes))
                observed["state/pocket_mistakes"] = ops.convert_to_numpy(self.fewest)
        return observed

    def restore(self, observed: Arrays) -> None:
        fill(self.dense.weights, pick("param", observed), self.shapes)
        self.optimizer.restore(observed)
        match self.variant:
            case "averaged":
                fill(self.chosen.weights, pick("state/average", observed), self.shapes)
            case "pocket":
                fill(self.chosen.weights, pick("state/pocket", observed), self.shapes)
                self.fewest.assign(observed["state/pocket_mistakes"])

    def predict(self, x: Array) -> Array:
        """ŷ = 1 where z >= 0."""
        dense = self.dense if self.variant == "plain" else self.chosen
        return ops.convert_to_numpy(_score(dense, tf.constant(x, self.x.dtype)))

    def wait(self) -> None:
        """`run` returns NumPy arrays, so its graph has finished."""


def _score(dense: layers.Dense, x: tf.Tensor) -> tf.Tensor:
    """ŷ (N,) of rows x (N, D)."""
    return ops.cast(dense(x)[:, 0] >= 0, x.dtype)
