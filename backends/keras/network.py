"""A fully connected network of Keras's layers."""

from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from typing import final

import keras
import numpy as np
import tensorflow as tf
from keras import constraints, layers, ops, regularizers

from backends.base import Arrays, Placement, Program, Unsupported, named, pick
from tasks import spec
from tasks.spec import Array, Rows, Task

from .arrays import ROWS, exact, fill, flat, in_graph, loop, parts, to_numpy
from .loss import ACTIVATIONS, criterion, scores, targets
from .optimizer import Optimizer


@final
class Network(Program):
    """A model of `Dense` layers with Keras's loss, an `L1L2` regularizer and a `MaxNorm` constraint."""

    def __init__(self, task: Task, at: Placement) -> None:
        assert isinstance(task.model, spec.Network) and task.data is not None
        self.task, self.spec, self.shapes = task, task.model, task.shapes
        self.x = tf.constant(task.data.x_train, at.dtype)  # (N, D)
        self.y = targets(task.model.loss, task.data.y_train, at.dtype)  # (N, C)
        self.weights = None if task.data.weights is None else tf.constant(task.data.weights, at.dtype)  # (N,)
        self.kept = _kept(task, at.dtype)
        self.model = _model(task.model, task.data.features)
        self.criterion = criterion(task.model.loss)
        self.vector = flat(task.start, at.dtype)  # (P,); the layers' own variables stand idle
        if task.model.max_norm is not None:
            self.vector.constraint = self._constrained
        self.optimizer = Optimizer(task, [self.vector])
        self.steps = loop(self._step, at)
        self.loss_and_gradients = in_graph(self._loss_and_gradients, [ROWS], at)

    def run(self, batches: Sequence[Rows]) -> Array:
        return self.steps(batches)

    def _step(self, rows: tf.Tensor) -> tf.Tensor:
        loss, gradients = self._loss_and_gradients(rows)
        self.optimizer.step(gradients)
        return loss

    def _constrained(self, vector: keras.Variable) -> tf.Tensor:
        """The parameters (P,) after the constraint that each of the layers' variables has."""
        arrays = zip(self.model.trainable_variables, parts(vector.value, self.shapes), strict=True)
        found = [v.constraint(array) if v.constraint else array for v, array in arrays]
        return ops.concatenate([ops.reshape(array, [-1]) for array in found])

    def fit(self, epochs: int) -> Array:
        """`Model.fit` on a model of its own, from the parameters at hand and an optimizer that is new."""
        _check_fit(self.task)
        model, optimizer = self._compiled()
        fill(model.trainable_variables, to_numpy([self.vector], self.shapes), self.shapes)
        optimizer.restore(self.optimizer.observe())
        batches = _Batches(self.task, ops.convert_to_numpy(self.x), ops.convert_to_numpy(self.y))
        told = model.fit(batches, epochs=epochs, shuffle=False, verbose=0)
        fill([self.vector], to_numpy(model.trainable_variables, self.shapes), self.shapes)
        self.optimizer.restore(optimizer.observe())
        return np.array(told.history["loss"])

    @cache  # noqa: B019  a program lives as long as its model
    def _compiled(self) -> tuple[keras.Model, Optimizer]:
        assert self.task.data is not None and self.task.batches is not None
        # Recipe (alpha-rows): Keras divides its penalty by nothing, the task by the rows of a batch.
        size = self.task.batches.size
        model = _model(replace(self.spec, l1=self.spec.l1 / size, l2=self.spec.l2 / size), self.x.shape[1])
        optimizer = Optimizer(self.task, model.trainable_variables)
        model.compile(optimizer.native, lambda y, z: self.criterion(y, z, None), jit_compile=False)
        return model, optimizer

    def gradient(self, rows: Rows) -> tuple[float, Arrays]:
        loss, gradients = self.loss_and_gradients(tf.constant(rows))
        return float(loss), to_numpy(gradients, self.shapes)

    def _loss_and_gradients(self, rows: tf.Tensor) -> tuple[tf.Tensor, list[tf.Tensor]]:
        x, y = tf.gather(self.x, rows), tf.gather(self.y, rows)  # (N, D), (N, C)
        kept = [tf.gather(k, rows) for k in self.kept]  # (N, H) of each hidden layer, or nothing
        weights = None if self.weights is None else tf.gather(self.weights, rows)  # (N,)
        with tf.GradientTape() as tape:
            z, penalties = self._forward([x, *kept])  # (N, C)
            loss = self.criterion(y, z, weights)
            # Recipe (alpha-rows): the task divides its penalty by the rows of this batch, Keras by nothing.
            loss += sum(penalties) / tf.cast(tf.size(rows), x.dtype)
        return loss, [tape.gradient(loss, self.vector.value)]

    def _forward(self, inputs: list[tf.Tensor]) -> tuple[tf.Tensor, list[tf.Tensor]]:
        """Outputs and penalties of the model, its variables replaced by the parts of the vector."""
        arrays = parts(self.vector.value, self.shapes)
        z, _, penalties = self.model.stateless_call(arrays, [], inputs, return_losses=True)
        return z, penalties

    def observe(self) -> Arrays:
        return named("param", to_numpy([self.vector], self.shapes)) | self.optimizer.observe()

    def restore(self, observed: Arrays) -> None:
        fill([self.vector], pick("param", observed), self.shapes)
        self.optimizer.restore(observed)

    def predict(self, x: Array) -> Array:
        """Every unit is kept: dropout is for training alone."""
        kept = [tf.ones((len(x), k.shape[1]), k.dtype) for k in self.kept]  # (N, H)
        z, _ = self._forward([tf.constant(x, self.x.dtype), *kept])  # (N, C)
        return ops.convert_to_numpy(scores(self.spec.loss, z))

    def end_epoch(self, loss: float) -> None:
        self.optimizer.schedule.end_epoch(loss)

    def wait(self) -> None:
        """`run` returns NumPy arrays, so its graph has finished."""


def _check_fit(task: Task) -> None:
    """Raise `Unsupported` for what `Model.fit` cannot be told."""
    assert isinstance(task.model, spec.Network) and task.data is not None and task.batches is not None
    adam = task.optimizer if isinstance(task.optimizer, spec.Adam) else None
    if adam and not adam.epsilon_hat:
        raise Unsupported("Model.fit keeps one ε for all steps, so that Adam has its ε̂ form only")
    if not isinstance(task.schedule, spec.Constant):
        raise Unsupported("Model.fit was only taught a constant learning rate here")
    if task.data.weights is not None or task.data.kept is not None:
        raise Unsupported("Model.fit was taught neither weights of rows nor a locked dropout here")
    if (task.model.l1 or task.model.l2) and task.rows % task.batches.size:
        raise Unsupported("Model.fit divides no penalty by the rows of a batch, and the last one is short")


class _Batches(keras.utils.PyDataset):  # type: ignore[misc]
    """The task's own batches, epoch by epoch: the order of Keras's shuffle cannot be chosen."""

    def __init__(self, task: Task, x: Array, y: Array) -> None:
        super().__init__()
        self.x, self.y, self.epochs = x, y, task.epochs()  # (N, D), (N, C)
        self.batches = next(task.epochs())  # before the first epoch Keras looks at what batches are like

    def __len__(self) -> int:
        return len(self.batches)

    def __getitem__(self, index: int) -> tuple[Array, Array]:
        rows = self.batches[index]
        return self.x[rows], self.y[rows]

    def on_epoch_begin(self) -> None:
        self.batches = next(self.epochs)


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
        # Recipe (regularizer-float32): set afterwards, because L1L2 makes Python floats of what it is given.
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
