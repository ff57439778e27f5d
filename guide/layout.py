"""Layout: how kernels and images lie in memory."""

from guide import given
from guide.card import Card

dense_kernel = Card(
    id="dense-kernel",
    title="Dense layer: the kernel is transposed",
    wrong=(
        "A kernel is (in, out) everywhere but in PyTorch, where it is (out, in). Between layers of the same "
        "width nothing fails: the network computes with the transposed kernel."
    ),
    conventions={
        "numpy sklearn tensorflow keras": "y = x·W + b,  W: (in, out)",
        "torch": "y = x·Wᵀ + b,  W: (out, in)",
    },
    given=given.dense,
    differs=0.1,
    issues=("keras-team/keras#13830",),
    faults=("start-transposed",),
)


@dense_kernel.numpy
def _(x, w, b):
    return x @ w + b


@dense_kernel.numpy.like("torch")
def _(x, w, b):
    """Transpose the kernel."""
    return x @ w.T + b


@dense_kernel.sklearn
def _(x, w, b):
    from sklearn.neural_network import MLPRegressor

    model = MLPRegressor(hidden_layer_sizes=(), max_iter=1).partial_fit(x, x)
    model.coefs_, model.intercepts_ = [w], [b]
    return model.predict(x)


@dense_kernel.sklearn.like("torch")
def _(x, w, b):
    """Transpose the kernel."""
    from sklearn.neural_network import MLPRegressor

    model = MLPRegressor(hidden_layer_sizes=(), max_iter=1).partial_fit(x, x)
    model.coefs_, model.intercepts_ = [w.T], [b]
    return model.predict(x)


@dense_kernel.tensorflow
def _(x, w, b):
    import tensorflow as tf

    return tf.matmul(x, w) + b


@dense_kernel.tensorflow.like("torch")
def _(x, w, b):
    """Transpose the kernel, or let the product do it."""
    import tensorflow as tf

    return tf.matmul(x, w, transpose_b=True) + b


@dense_kernel.keras
def _(x, w, b):
    import keras

    layer = keras.layers.Dense(6)
    layer.build(x.shape)
    layer.set_weights([w, b])
    return layer(x)


@dense_kernel.keras.like("torch")
def _(x, w, b):
    """Transpose the kernel."""
    import keras

    layer = keras.layers.Dense(6)
    layer.build(x.shape)
    layer.set_weights([w.T, b])
    return layer(x)


@dense_kernel.torch
def _(x, w, b):
    import torch

    layer = torch.nn.Linear(6, 6)
    layer.load_state_dict({"weight": torch.tensor(w), "bias": torch.tensor(b)})
    return layer(torch.tensor(x)).detach()


@dense_kernel.torch.like("keras")
def _(x, w, b):
    """Transpose the kernel."""
    import torch

    layer = torch.nn.Linear(6, 6)
    layer.load_state_dict({"weight": torch.tensor(w.T), "bias": torch.tensor(b)})
    return layer(torch.tensor(x)).detach()
