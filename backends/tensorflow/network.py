"""Forward, penalty and constraint of a fully connected network, and the tape."""

from collections.abc import Sequence
from typing import final

import numpy as np
import tensorflow as tf

from backends.base import Arrays, Placement, Program, named, pick
from tasks import spec
from tasks.spec import Array, Rows, Task

from .arrays import ROWS, Flat, in_graph, loop
from .loss import ACTIVATIONS, losses, scores, targets
from .optimizer import Optimizer


@final
class Network(Program):
    """Matrix products on variables, the losses of `tf.nn` or written out, and the tape."""

    def __init__(self, task: Task, at: Placement) -> None:
        assert isinstance(task.model, spec.Network) and task.data is not None
        self.model = task.model
        self.x = tf.constant(task.data.x_train, at.dtype)  # (N, D)
        self.y = targets(task.model.loss, task.data.y_train, at.dtype)  # (N, C)
        self.weights = None if task.data.weights is None else tf.constant(task.data.weights, at.dtype)  # (N,)
        self.kept = _kept(task, at.dtype)
        self.activate = ACTIVATIONS[task.model.activation]
        self.parameters = Flat(task.shapes, at.dtype)
        self.parameters.fill(dict(task.start))
        self.optimizer = Optimizer(task, self.parameters)
        self.steps = loop(self._step, at)
        self.loss_and_gradients = in_graph(self._loss_and_gradients, [ROWS], at)

    def run(self, batches: Sequence[Rows]) -> Array:
        return self.steps(batches)

    def _step(self, rows: tf.Tensor) -> tf.Tensor:
        loss, gradients = self._loss_and_gradients(rows)
        self.optimizer.step(gradients)
        if self.model.max_norm is not None:
            self._constrain(self.model.max_norm)
        return loss

    def _constrain(self, largest: float) -> None:
        """Scale the incoming weights of each unit back to a norm of at most `largest`."""
        parts = []
        for w, b in self._layers():
            norms = tf.sqrt(tf.reduce_sum(w * w, axis=0))  # (out,)
            scaled = w * (largest / tf.maximum(norms, largest))  # (in, out)
            parts += [tf.reshape(scaled, [-1]), b]
        self.parameters.vector.assign(tf.concat(parts, axis=0))  # (P,)

    def gradient(self, rows: Rows) -> tuple[float, Arrays]:
        loss, gradients = self.loss_and_gradients(tf.constant(rows))
        return float(loss), self.parameters.named(gradients)

    def _loss_and_gradients(self, rows: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        x, y = tf.gather(self.x, rows), tf.gather(self.y, rows)  # (N, D), (N, C)
        kept = [tf.gather(k, rows) for k in self.kept]  # (N, H) of each hidden layer, or nothing
        with tf.GradientTape() as tape:
            layers = self._layers()
            each = losses(self.model.loss, self._forward(layers, x, kept), y)  # (N,)
            if self.weights is None:
                loss = tf.reduce_mean(each)
            else:
                weights = tf.gather(self.weights, rows)  # (N,)
                loss = tf.reduce_sum(weights / tf.reduce_sum(weights) * each)
            if self.model.l2 or self.model.l1:
                loss += self._penalty(layers) / tf.cast(tf.size(rows), x.dtype)
        return loss, tape.gradient(loss, self.parameters.vector)

    def _layers(self) -> "list[_Layer]":
        parts = list(self.parameters.parts().values())
        return list(zip(parts[0::2], parts[1::2], strict=True))

    def _penalty(self, layers: "list[_Layer]") -> tf.Tensor:
        """Penalty of a batch of one row; divided by this batch's rows, so a short batch is penalised more."""
        penalty = tf.zeros((), self.x.dtype)
        for w, _ in layers:
            if self.model.l2:
                penalty += self.model.l2 * tf.nn.l2_loss(w)  # ½·Σ w²
            if self.model.l1:
                penalty += self.model.l1 * tf.reduce_sum(tf.abs(w))
        return penalty

    def _forward(self, layers: "list[_Layer]", x: tf.Tensor, kept: list[tf.Tensor]) -> tf.Tensor:
        """The outputs."""
        for i, (w, b) in enumerate(layers[:-1]):
            x = self.activate(x @ w + b)  # (N, H)
            if kept:
                x *= kept[i]
        w, b = layers[-1]
        return x @ w + b  # (N, C)

    def observe(self) -> Arrays:
        return named("param", self.parameters.copies()) | self.optimizer.observe()

    def restore(self, observed: Arrays) -> None:
        self.parameters.fill(pick("param", observed))
        self.optimizer.restore(observed)

    def predict(self, x: Array) -> Array:
        """Every unit is kept: dropout is for training alone."""
        z = self._forward(self._layers(), tf.constant(x, self.x.dtype), [])  # (N, C)
        return scores(self.model.loss, z).numpy()

    def end_epoch(self, loss: float) -> None:
        self.optimizer.schedule.end_epoch(loss)

    def wait(self) -> None:
        """`run` returns NumPy arrays, so its graph has finished."""


_Layer = tuple[tf.Tensor, tf.Tensor]  # w (in, out), b (out,)


def _kept(task: Task, dtype: str) -> list[tf.Tensor]:
    """By what each hidden layer is multiplied in training, (N, H): 0, or 1/(1 - dropout); or nothing."""
    assert isinstance(task.model, spec.Network) and task.data is not None
    if task.data.kept is None:
        return []
    scaled = task.data.kept / (1 - task.model.dropout)  # (N, units)
    parts = np.split(scaled, np.cumsum(task.model.hidden)[:-1], axis=1)
    return [tf.constant(part, dtype) for part in parts]
