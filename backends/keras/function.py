"""Functions to descend, without data."""

from collections.abc import Callable, Sequence
from typing import final

import tensorflow as tf
from keras import ops

from backends.base import Arrays, Placement, Program, named, pick
from tasks import spec
from tasks.spec import Array, Rows, Task

from .arrays import ROWS, fill, flat, in_graph, loop, to_numpy
from .optimizer import Optimizer


@final
class Function(Program):
    """f(w) of a `keras.Variable`."""

    def __init__(self, task: Task, at: Placement) -> None:
        self.dtype, self.shapes = at.dtype, task.shapes
        match task.model:
            case spec.Quadratic() as model:
                self.function = _quadratic(model, at.dtype)
            case spec.Rosenbrock() as model:
                self.function = _rosenbrock(model)
        self.parameters = [flat(task.start, at.dtype)]  # w (D,)
        self.optimizer = Optimizer(task, self.parameters)
        self.steps = loop(self._step, at)
        self.loss_and_gradients = in_graph(self._loss_and_gradients, [ROWS], at)

    def run(self, batches: Sequence[Rows]) -> Array:
        """One step per batch; there is no data, so the batches are empty."""
        return self.steps(batches)

    def _step(self, rows: tf.Tensor) -> tf.Tensor:
        loss, gradients = self._loss_and_gradients(rows)
        self.optimizer.step(gradients)
        return loss

    def gradient(self, rows: Rows) -> tuple[float, Arrays]:
        """f(w) and its gradient."""
        loss, gradients = self.loss_and_gradients(tf.constant(rows))
        return float(loss), to_numpy(gradients, self.shapes)

    def _loss_and_gradients(self, rows: tf.Tensor) -> tuple[tf.Tensor, list[tf.Tensor]]:
        w = self.parameters[0].value
        with tf.GradientTape() as tape:
            loss = self.function(w)
        return loss, tape.gradient(loss, [w])

    def observe(self) -> Arrays:
        return named("param", to_numpy(self.parameters, self.shapes)) | self.optimizer.observe()

    def restore(self, observed: Arrays) -> None:
        fill(self.parameters, pick("param", observed), self.shapes)
        self.optimizer.restore(observed)

    def predict(self, x: Array) -> Array:
        """Evaluate f at the points x (N, D)."""
        return ops.convert_to_numpy(self.function(tf.constant(x, self.dtype)))

    def wait(self) -> None:
        """`run` returns NumPy arrays, so its graph has finished."""


def _quadratic(model: spec.Quadratic, dtype: str) -> Callable[[tf.Tensor], tf.Tensor]:
    """f(w) = ½·(w - m)ᵀ H (w - m)."""
    hessian = tf.constant(model.hessian, dtype)  # (D, D)
    minimum = tf.constant(model.minimum, dtype)  # (D,)

    def value(w: tf.Tensor) -> tf.Tensor:
        distance = w - minimum  # (…, D)
        return 0.5 * ops.sum(distance * ops.matmul(distance, hessian), axis=-1)  # (…)

    return value


def _rosenbrock(model: spec.Rosenbrock) -> Callable[[tf.Tensor], tf.Tensor]:
    """f(w) = (1 - w₁)² + steepness·(w₂ - w₁²)²."""

    def value(w: tf.Tensor) -> tf.Tensor:
        first, second = ops.unstack(w, axis=-1)  # (…) each
        return ops.square(1 - first) + model.steepness * ops.square(second - ops.square(first))  # (…)

    return value
