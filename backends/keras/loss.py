"""Keras's losses and activations, and the lines that make them agree."""

import math
from collections.abc import Callable

import tensorflow as tf
from keras import losses, ops, utils

from tasks import spec
from tasks.spec import LEAKY_SLOPE, Array

# Of targets y (N, C), outputs z (N, C) and weights (N,) or None: the mean over the rows.
Criterion = Callable[[tf.Tensor, tf.Tensor, tf.Tensor | None], tf.Tensor]

_MEAN = "mean_with_sample_weight"  # Σ v·loss/Σ v; Keras's default is Σ v·loss/N


def targets(loss: spec.Loss, y: Array, dtype: str) -> tf.Tensor:
    """What Keras wants to be given for the class numbers, or the numbers, y (N,): (N, C)."""
    match loss:
        case spec.CategoricalCrossEntropy(classes):
            return tf.constant(utils.to_categorical(y, classes), dtype)  # (N, C) one-hot
        case spec.Hinge():
            return tf.constant(2 * y - 1, dtype)[:, None]  # (N, 1) -1 or 1
        case _:
            return tf.constant(y, dtype)[:, None]  # (N, 1)


def criterion(loss: spec.Loss) -> Criterion:  # noqa: PLR0911  one per loss
    """Keras's loss."""
    match loss:
        # From logits: on probabilities Keras clips at its ε.
        case spec.BinaryCrossEntropy(smoothing):
            return losses.BinaryCrossentropy(from_logits=True, label_smoothing=smoothing, reduction=_MEAN)
        case spec.CategoricalCrossEntropy(_, smoothing):
            return losses.CategoricalCrossentropy(
                from_logits=True, label_smoothing=smoothing, reduction=_MEAN
            )
        case spec.Hinge():
            return _hinge()
        case spec.SquaredError():
            return _half_squared_error()
        case spec.AbsoluteError():
            return losses.MeanAbsoluteError(reduction=_MEAN)
        case spec.Huber(delta):
            return losses.Huber(delta, reduction=_MEAN)
        case spec.LogCosh():
            return _log_cosh()


def _hinge() -> Criterion:
    """Recipe: at the kink Keras's derivative is -y, the task's 0; so no gradient passes there."""
    native = losses.Hinge(reduction=_MEAN)
    return lambda y, z, weights: native(y, ops.where(y * z == 1, ops.stop_gradient(z), z), weights)


def _half_squared_error() -> Criterion:
    """Recipe (squared-error): Keras's loss is (z - y)², the task's half of it."""
    native = losses.MeanSquaredError(reduction=_MEAN)
    return lambda y, z, weights: 0.5 * native(y, z, weights)


def _log_cosh() -> Criterion:
    """Recipe (log-cosh): Keras rounds its log 2 to float32, which shows at 0, where the loss is 0."""
    native = losses.LogCosh(reduction=_MEAN)

    def log_cosh(y: tf.Tensor, z: tf.Tensor, weights: tf.Tensor | None) -> tf.Tensor:
        origin = ops.zeros((1, 1), z.dtype)
        return native(y, z, weights) - native(origin, origin)

    return log_cosh


def scores(loss: spec.Loss, z: tf.Tensor) -> tf.Tensor:
    """What is predicted: probabilities, or z itself, (N,) or (N, C)."""
    match loss:
        case spec.BinaryCrossEntropy():
            return ops.sigmoid(z)[:, 0]
        case spec.CategoricalCrossEntropy():
            return ops.softmax(z)
        case _:
            return z[:, 0]


def _leaky_relu(z: tf.Tensor) -> tf.Tensor:
    """Recipe (leaky-relu-float64): `activations.leaky_relu` keeps its slope in float32."""
    return ops.where(z > 0, z, LEAKY_SLOPE * z)


def _gelu(z: tf.Tensor) -> tf.Tensor:
    """Recipe (gelu-float64): `activations.gelu` rounds its √2 to float32."""
    return 0.5 * z * (1 + ops.erf(z / math.sqrt(2)))  # z·Φ(z)


def _step(z: tf.Tensor) -> tf.Tensor:
    """No gradient flows through a cast."""
    return ops.cast(z >= 0, z.dtype)


ACTIVATIONS = {
    "relu": "relu",
    "tanh": "tanh",
    "logistic": "sigmoid",
    "leaky_relu": _leaky_relu,
    "elu": "elu",
    "gelu": _gelu,
    "step": _step,
}
