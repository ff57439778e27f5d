"""The estimators for each loss: an activation of the last layer comes with each, so z is never seen."""

from itertools import chain

import numpy as np
from sklearn.neural_network import MLPClassifier, MLPRegressor

from tasks.spec import Array, Network, SquaredError


def estimator(model: Network, features: int, dtype: str) -> MLPClassifier | MLPRegressor:
    """Parameters are allocated, with values that do not matter."""
    options = {"hidden_layer_sizes": model.hidden, "activation": model.activation, "alpha": model.l2}
    row, y = np.zeros((1, features), dtype), np.zeros(1, dtype)  # nothing to learn from
    if isinstance(model.loss, SquaredError):
        return MLPRegressor(**options, batch_size=1).partial_fit(row, y)
    assert model.loss.classes is not None
    # Two classes make one logistic unit, more of them softmax.
    return MLPClassifier(**options, batch_size=1).partial_fit(row, y, classes=np.arange(model.loss.classes))


def targets(native: MLPClassifier | MLPRegressor, y: Array) -> Array:
    """What `_backprop` takes for the class numbers, or the numbers, y (N,): (N, C)."""
    if isinstance(native, MLPRegressor):
        return y[:, None]  # (N, 1)
    return native._label_binarizer.transform(y).astype(y.dtype)  # (N, 1), or one-hot (N, C)


def loss_and_gradients(
    native: MLPClassifier | MLPRegressor, x: Array, y: Array, weights: Array | None = None
) -> tuple[float, list[Array]]:
    """Loss with penalty, and gradients of w1, b1, w2, b2, … on the rows x (N, D), y (N, C)."""
    layers = len(native.coefs_)
    activations = [x, *[None] * layers]  # filled by the forward pass
    kernels, biases = [None] * layers, [None] * layers  # filled by the backward pass
    loss, kernels, biases = native._backprop(x, y, weights, activations, [None] * layers, kernels, biases)
    return loss, list(chain.from_iterable(zip(kernels, biases, strict=True)))


def scores(native: MLPClassifier | MLPRegressor, x: Array) -> Array:
    """What is predicted: probabilities, or numbers, (N,) or (N, C)."""
    if isinstance(native, MLPRegressor):
        return native.predict(x)  # (N,)
    probabilities = native.predict_proba(x)  # (N, C), two columns of the logistic unit
    return probabilities[:, 1] if native.n_outputs_ == 1 else probabilities
