"""Losses and activations, each with its derivative."""

from functools import cache

import numpy as np
from scipy.special import erf

from tasks import spec
from tasks.spec import LEAKY_SLOPE, Array


def targets(loss: spec.Loss, y: Array) -> Array:
    """What the network is to give for the class numbers, or the numbers, y (N,): (N, C)."""
    match loss:
        case spec.BinaryCrossEntropy(smoothing):
            return ((1 - smoothing) * y + smoothing / 2)[:, None]  # (N, 1)
        case spec.CategoricalCrossEntropy(classes, smoothing):
            one_hot = np.eye(classes, dtype=y.dtype)[y.astype(int)]  # (N, C)
            return (1 - smoothing) * one_hot + smoothing / classes
        case spec.Hinge():
            return (2 * y - 1)[:, None]  # (N, 1) -1 or 1
        case _:
            return y[:, None]  # (N, 1)


def losses(loss: spec.Loss, z: Array, y: Array) -> Array:
    """The loss of each row (N,), for outputs z (N, C) and targets y (N, C)."""
    match loss:
        case spec.BinaryCrossEntropy():
            found = np.maximum(z, 0) - z * y + np.log1p(np.exp(-np.abs(z)))  # -y·log p - (1-y)·log(1-p)
        case spec.CategoricalCrossEntropy():
            shifted = z - z.max(axis=1, keepdims=True)  # (N, C) e^shifted cannot overflow
            total = np.exp(shifted).sum(axis=1, keepdims=True)  # (N, 1)
            found = y * (np.log(total) - shifted)  # (N, C) -y·log p
        case spec.Hinge():
            found = np.maximum(1 - y * z, 0)
        case spec.SquaredError():
            found = 0.5 * (z - y) ** 2
        case spec.AbsoluteError():
            found = np.abs(z - y)
        case spec.Huber(limit):
            size = np.abs(z - y)  # (N, 1)
            found = np.where(size <= limit, 0.5 * size**2, limit * (size - 0.5 * limit))
        case spec.LogCosh():
            size = np.abs(z - y)  # (N, 1)
            found = size + np.log1p(np.exp(-2 * size)) - np.log(2)  # log cosh, and cannot overflow
    return found.sum(axis=1)


def delta(loss: spec.Loss, z: Array, y: Array) -> Array:
    """The derivative of each row's loss by its outputs z (N, C), (N, C)."""
    match loss:
        case spec.BinaryCrossEntropy():
            slope = logistic(z) - y  # p - y
        case spec.CategoricalCrossEntropy():
            slope = _softmax(z) - y  # p - y
        case spec.Hinge():
            slope = -y * (y * z < 1)
        case spec.SquaredError():
            slope = z - y
        case spec.AbsoluteError():
            slope = np.sign(z - y)
        case spec.Huber(limit):
            slope = np.clip(z - y, -limit, limit)
        case spec.LogCosh():
            slope = np.tanh(z - y)
    return slope


def scores(loss: spec.Loss, z: Array) -> Array:
    """What is predicted: probabilities, or z itself, (N,) or (N, C)."""
    match loss:
        case spec.BinaryCrossEntropy():
            return logistic(z)[:, 0]
        case spec.CategoricalCrossEntropy():
            return _softmax(z)
        case _:
            return z[:, 0]


def _softmax(z: Array) -> Array:
    powers = np.exp(z - z.max(axis=1, keepdims=True))  # (N, C) cannot overflow
    return powers / powers.sum(axis=1, keepdims=True)


# ----------------------------------------------------------------------------------- activations
# Each takes z (N, H) and where to put its values h; its derivative multiplies delta (N, H), in place.


def logistic(z: Array, out: Array | None = None) -> Array:
    """1/(1 + e^-z), which below 0 is e^z/(1 + e^z): so nothing overflows."""
    return np.divide(np.exp(np.minimum(z, 0)), 1 + np.exp(-np.abs(z)), out=out)


def _logistic_backward(_z: Array, h: Array, delta: Array) -> Array:
    return np.multiply(delta, h * (1 - h), out=delta)


def _relu(z: Array, out: Array | None) -> Array:
    return np.maximum(z, _zeros(z.shape, z.dtype), out=out)


@cache
def _zeros(shape: tuple[int, ...], dtype: np.dtype) -> Array:
    """Fast: `np.maximum` has vector instructions for two arrays, and none for an array and a number."""
    return np.zeros(shape, dtype)


def _relu_backward(z: Array, _h: Array, delta: Array) -> Array:
    return np.multiply(delta, z > 0, out=delta)  # relu'(0) = 0


def _tanh(z: Array, out: Array | None) -> Array:
    return np.tanh(z, out=out)


def _tanh_backward(_z: Array, h: Array, delta: Array) -> Array:
    return np.multiply(delta, 1 - h * h, out=delta)


def _leaky_relu(z: Array, out: Array | None) -> Array:
    return np.multiply(z, _leaky_slope(z), out=out)


def _leaky_relu_backward(z: Array, _h: Array, delta: Array) -> Array:
    return np.multiply(delta, _leaky_slope(z), out=delta)


def _leaky_slope(z: Array) -> Array:
    return np.where(z > 0, z.dtype.type(1), z.dtype.type(LEAKY_SLOPE))


def _elu(z: Array, out: Array | None) -> Array:
    return np.add(np.maximum(z, 0), np.expm1(np.minimum(z, 0)), out=out)  # z, or e^z - 1 below 0


def _elu_backward(z: Array, _h: Array, delta: Array) -> Array:
    return np.multiply(delta, np.exp(np.minimum(z, 0)), out=delta)  # 1, or e^z below 0


def _gelu(z: Array, out: Array | None) -> Array:
    return np.multiply(z, _normal(z), out=out)  # z·Φ(z)


def _gelu_backward(z: Array, _h: Array, delta: Array) -> Array:
    density = np.exp(-0.5 * z * z) / np.sqrt(2 * np.pi)  # φ(z)
    return np.multiply(delta, _normal(z) + z * density.astype(z.dtype), out=delta)


def _normal(z: Array) -> Array:
    """Φ, the distribution function of the normal distribution."""
    return 0.5 * (1 + erf(z / np.sqrt(z.dtype.type(2))))


def _step(z: Array, out: Array | None) -> Array:
    return np.heaviside(z, 1.0, out=out)


def _step_backward(_z: Array, _h: Array, delta: Array) -> Array:
    return np.multiply(delta, 0, out=delta)


ACTIVATIONS = {
    "relu": (_relu, _relu_backward),
    "tanh": (_tanh, _tanh_backward),
    "logistic": (logistic, _logistic_backward),
    "leaky_relu": (_leaky_relu, _leaky_relu_backward),
    "elu": (_elu, _elu_backward),
    "gelu": (_gelu, _gelu_backward),
    "step": (_step, _step_backward),
}
