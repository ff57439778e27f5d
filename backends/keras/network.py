"""A fully connected network of Keras's layers."""

from collections.abc import Sequence
from typing import final

import keras
import numpy as np
import tensorflow as tf
from keras import constraints, layers, ops, regularizers

from backends.base import Arrays, Placement, Program, named, pick
from tasks import spec
from tasks.spec import Array, Rows, Task

from .arrays import ROWS, exact, fill, in_graph, to_numpy
from .loss import ACTIVATIONS, criterion, scores, targets
from .optimizer import Optimizer


@final
class Network(Program):
    """A model of `Dense` layers with Keras's loss, an `L1L2` regularizer and a `MaxNorm` constraint."""

    def __init__(self, task: Task, at: Placement) -> None:
        assert isinstance(task.model, spec.Network) and task.data is not None
        self.spec = task.model
        self.x = tf.constant(task.data.x_train, at.dtype)  # (N, D)
        self.y = targets(task.model.loss, task.data.y_train, at.dtype)  # (N, C)
        self.weights = None if task.data.weights is None else tf.constant(task.data.weights, at.dtype)  # (N,)
        self.kept = _kept(task, at.dtype)
        self.model = _model(task.model, task.data.features)
        self.criterion = criterion(task.model.loss)
        self.parameters = dict(zip(task.shapes, self.model.trainable_variables, strict=True))
        fill(self.parameters, dict(task.start))
        self.optimizer = Optimizer(task, self.parameters)
        self.steps = in_graph(self._step, at.dtype)

    def run(self, batches: Sequence[Rows]) -> Array:
        return self.steps(batches)

    def _step(self, rows: tf.Tensor) -> tf.Tensor:
        loss, gradients = self._loss_and_gradients(rows)
        self.optimizer.step(gradients)
        return loss

    def gradient(self, rows: Rows) -> tuple[float, Arrays]:
        loss, gradients = self._loss_and_gradients(tf.constant(rows))
        return float(loss), to_numpy(dict(zip(self.parameters, gradients, strict=True)))

    @tf.function(input_signature=ROWS, autograph=False)
    def _loss_and_gradients(self, rows: tf.Tensor) -> tuple[tf.Tensor, list[tf.Tensor]]:
        x, y = tf.gather(self.x, rows), tf.gather(self.y, rows)  # (N, D), (N, C)
        kept = [tf.gather(k, rows) for k in self.kept]  # (N, H) of each hidden layer, or nothing
        weights = None if self.weights is None else tf.gather(self.weights, rows)  # (N,)
        with tf.GradientTape() as tape:
            loss = self.criterion(y, self.model([x, *kept], training=True), weights)
            # Recipe: the task divides its penalty by the rows of this batch, Keras by nothing.
            loss += sum(self.model.losses) / tf.cast(tf.size(rows), x.dtype)
        sources = [variable.value for variable in self.parameters.values()]
        # Zeros where the loss does not depend on a parameter: below a step.
        return loss, tape.gradient(loss, sources, unconnected_gradients=tf.UnconnectedGradients.ZERO)

    def observe(self) -> Arrays:
        return named("param", to_numpy(self.parameters)) | self.optimizer.observe()

    def restore(self, observed: Arrays) -> None:
        fill(self.parameters, pick("param", observed))
        self.optimizer.restore(observed)

    def predict(self, x: Array) -> Array:
        """Every unit is kept: dropout is for training alone."""
        kept = [tf.ones((len(x), k.shape[1]), k.dtype) for k in self.kept]  # (N, H)
        z = self.model([tf.constant(x, self.x.dtype), *kept])  # (N, C)
        return ops.convert_to_numpy(scores(self.spec.loss, z))

    def end_epoch(self, loss: float) -> None:
        self.optimizer.schedule.end_epoch(loss)

    def wait(self) -> None:
        """`run` returns NumPy arrays, so its graph has finished."""


def _model(model: spec.Network, features: int) -> keras.Model:
    """From x (N, D), and with dropout what each hidden layer keeps, (N, H), to outputs (N, C)."""
    activation = ACTIVATIONS[model.activation]
    inputs = [keras.Input((features,))]
    h = inputs[0]
    for units in model.hidden:
        h = _dense(model, units, activation)(h)  # (N, H)
        if model.dropout:
            inputs.append(keras.Input((units,)))
            h = layers.Multiply()([h, inputs[-1]])
    return keras.Model(inputs, _dense(model, model.loss.outputs, None)(h))


def _dense(model: spec.Network, units: int, activation: object) -> layers.Dense:
    penalty = None
    if model.l1 or model.l2:
        penalty = regularizers.L1L2()
        # Recipe: set afterwards, because L1L2 makes Python floats of what it is given.
        penalty.l1, penalty.l2 = exact(model.l1), exact(0.5 * model.l2)  # Keras's l2·Σ w² has no ½
    constraint = None if model.max_norm is None else constraints.MaxNorm(model.max_norm)
    return layers.Dense(units, activation, kernel_regularizer=penalty, kernel_constraint=constraint)


def _kept(task: Task, dtype: str) -> list[tf.Tensor]:
    """By what each hidden layer is multiplied in training, (N, H): 0, or 1/(1 - dropout); or nothing."""
    assert isinstance(task.model, spec.Network) and task.data is not None
    if task.data.kept is None:
        return []
    scaled = task.data.kept / (1 - task.model.dropout)  # (N, units)
    parts = np.split(scaled, np.cumsum(task.model.hidden)[:-1], axis=1)
    return [tf.constant(part, dtype) for part in parts]
