"""Losses, activations and scores; the tape differentiates them."""

import math

import tensorflow as tf

from tasks import spec
from tasks.spec import LEAKY_SLOPE, Array


def targets(loss: spec.Loss, y: Array, dtype: str) -> tf.Tensor:
    """What the network is to give for the class numbers, or the numbers, y (N,): (N, C)."""
    match loss:
        case spec.BinaryCrossEntropy(smoothing):
            return tf.constant((1 - smoothing) * y + smoothing / 2, dtype)[:, None]  # (N, 1)
        case spec.CategoricalCrossEntropy(classes, smoothing):
            one_hot = tf.one_hot(y.astype(int), classes, dtype=dtype)  # (N, C)
            return (1 - smoothing) * one_hot + smoothing / classes
        case spec.Hinge():
            return tf.constant(2 * y - 1, dtype)[:, None]  # (N, 1) -1 or 1
        case _:
            return tf.constant(y, dtype)[:, None]  # (N, 1)


def losses(loss: spec.Loss, z: tf.Tensor, y: tf.Tensor) -> tf.Tensor:  # noqa: PLR0911  one per loss
    """The loss of each row (N,), for outputs z (N, C) and targets y (N, C)."""
    match loss:
        case spec.BinaryCrossEntropy():
            return tf.nn.sigmoid_cross_entropy_with_logits(labels=y, logits=z)[:, 0]
        case spec.CategoricalCrossEntropy():
            return tf.nn.softmax_cross_entropy_with_logits(labels=y, logits=z)
        case spec.Hinge():  # relu, whose derivative at the kink is 0; that of tf.maximum would be 1
            return tf.nn.relu(1 - y * z)[:, 0]
        case spec.SquaredError():
            return 0.5 * (z - y)[:, 0] ** 2
        case spec.AbsoluteError():
            return tf.abs(z - y)[:, 0]
        case spec.Huber(delta):
            size = tf.abs(z - y)  # (N, 1)
            return tf.where(size <= delta, 0.5 * size**2, delta * (size - 0.5 * delta))[:, 0]
        case spec.LogCosh():
            size = tf.abs(z - y)  # (N, 1)
            return (size + tf.nn.softplus(-2 * size) - math.log(2))[:, 0]


def scores(loss: spec.Loss, z: tf.Tensor) -> tf.Tensor:
    """What is predicted: probabilities, or z itself, (N,) or (N, C)."""
    match loss:
        case spec.BinaryCrossEntropy():
            return tf.sigmoid(z)[:, 0]
        case spec.CategoricalCrossEntropy():
            return tf.nn.softmax(z)
        case _:
            return z[:, 0]


def _leaky_relu(z: tf.Tensor) -> tf.Tensor:
    """Recipe (leaky-relu-float64): `tf.nn.leaky_relu` keeps its slope in float32."""
    return tf.where(z > 0, z, LEAKY_SLOPE * z)


def _gelu(z: tf.Tensor) -> tf.Tensor:
    """Recipe (gelu-float64): `tf.nn.gelu` rounds its √2 to float32."""
    return 0.5 * z * (1 + tf.math.erf(z / math.sqrt(2)))  # z·Φ(z)


def _step(z: tf.Tensor) -> tf.Tensor:
    """No gradient flows through a cast."""
    return tf.cast(z >= 0, z.dtype)


ACTIVATIONS = {
    "relu": tf.nn.relu,
    "tanh": tf.tanh,
    "logistic": tf.sigmoid,
    "leaky_relu": _leaky_relu,
    "elu": tf.nn.elu,
    "gelu": _gelu,
    "step": _step,
}
