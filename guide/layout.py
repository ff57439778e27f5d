"""Layout: how kernels and images lie in memory."""

import numpy as np

from backends.base import Arrays
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
    differs=0.4,
    issues=("keras-team/keras#13830",),
    faults=("start-transposed", "shown-transposed"),
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
    """Transpose the kernel, or pass transpose_b=True to tf.matmul."""
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


def images() -> Arrays:
    """Two square images `x`, channels last, (2, 5, 5, 3), and a kernel `w` (3, 3, 3, 3)."""
    rng = np.random.default_rng(3)
    return {"x": rng.standard_normal((2, 5, 5, 3)), "w": rng.standard_normal((3, 3, 3, 3))}


conv_kernel = Card(
    id="conv-kernel",
    title="Convolution: HWIO and OIHW kernels",
    wrong=(
        "Keras and TensorFlow keep a kernel as height, width, channels in, channels out; PyTorch begins with "
        "the channels out. Most kernels then raise an error about shapes. One with as many channels, in and "
        "out, as it is high and wide fits, and computes something else. So does one that was reshaped to the "
        "other shape."
    ),
    conventions={
        "numpy tensorflow keras": "y[h, w, o] = Σ x[h+i, w+j, c]·W[i, j, c, o]",
        "torch": "y[h, w, o] = Σ x[h+i, w+j, c]·W[o, c, i, j]",
    },
    given=images,
    differs=0.5,
    absent={"sklearn": "scikit-learn has no convolution"},
    issues=("microsoft/MMdnn#250",),
)


@conv_kernel.numpy
def _(x, w):
    windows = np.lib.stride_tricks.sliding_window_view(x, (3, 3), axis=(1, 2))
    return np.einsum("nhwcij,ijco->nhwo", windows, w)


@conv_kernel.numpy.like("torch")
def _(x, w):
    """Read the kernel's axes in the order O, I, H, W."""
    windows = np.lib.stride_tricks.sliding_window_view(x, (3, 3), axis=(1, 2))
    return np.einsum("nhwcij,ocij->nhwo", windows, w)


@conv_kernel.tensorflow
def _(x, w):
    import tensorflow as tf

    return tf.nn.conv2d(x, w, strides=1, padding="VALID")


@conv_kernel.tensorflow.like("torch")
def _(x, w):
    """Transpose the kernel by (2, 3, 1, 0)."""
    import tensorflow as tf

    return tf.nn.conv2d(x, w.transpose(2, 3, 1, 0), strides=1, padding="VALID")


@conv_kernel.keras
def _(x, w):
    import keras

    layer = keras.layers.Conv2D(3, 3, use_bias=False)
    layer.build(x.shape)
    layer.set_weights([w])
    return layer(x)


@conv_kernel.keras.like("torch")
def _(x, w):
    """Transpose the kernel by (2, 3, 1, 0)."""
    import keras

    layer = keras.layers.Conv2D(3, 3, use_bias=False)
    layer.build(x.shape)
    layer.set_weights([w.transpose(2, 3, 1, 0)])
    return layer(x)


@conv_kernel.torch
def _(x, w):
    import torch

    layer = torch.nn.Conv2d(3, 3, 3, bias=False)
    layer.load_state_dict({"weight": torch.tensor(w)})
    y = layer(torch.tensor(x).permute(0, 3, 1, 2))
    return y.permute(0, 2, 3, 1).detach()


@conv_kernel.torch.like("keras")
def _(x, w):
    """Transpose the kernel by (3, 2, 0, 1)."""
    import torch

    layer = torch.nn.Conv2d(3, 3, 3, bias=False)
    layer.load_state_dict({"weight": torch.tensor(w.transpose(3, 2, 0, 1))})
    y = layer(torch.tensor(x).permute(0, 3, 1, 2))
    return y.permute(0, 2, 3, 1).detach()


def cubes() -> Arrays:
    """Images `x` as high and wide as they have channels, (2, 4, 4, 4), and a kernel, `w` (3, 3, 4, 4)."""
    rng = np.random.default_rng(4)
    return {"x": rng.standard_normal((2, 4, 4, 4)), "w": rng.standard_normal((3, 3, 4, 4))}


image_axes = Card(
    id="image-axes",
    title="Images: NHWC and NCHW",
    wrong=(
        "Keras and TensorFlow take images with the channels last, PyTorch with the channels first, right "
        "behind the batch. Sizes usually betray a mistake. Feature maps deep in a network may have as many "
        "channels as pixels per side, and then height is convolved as if it were colour."
    ),
    conventions={
        "numpy tensorflow keras": "x[n, h, w, c]",
        "torch": "x[n, c, h, w]",
    },
    given=cubes,
    differs=0.5,
    absent={"sklearn": "scikit-learn has no convolution"},
    issues=("gmalivenko/pytorch2keras#34",),
)


@image_axes.numpy
def _(x, w):
    padded = np.pad(x, [(0, 0), (1, 1), (1, 1), (0, 0)])
    windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), axis=(1, 2))
    return np.einsum("nhwcij,ijco->nhwo", windows, w)


@image_axes.numpy.like("torch")
def _(x, w):
    """Slide along the last two axes, and sum over the second."""
    padded = np.pad(x, [(0, 0), (0, 0), (1, 1), (1, 1)])
    windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), axis=(2, 3))
    return np.einsum("nchwij,ijco->nohw", windows, w)


@image_axes.tensorflow
def _(x, w):
    import tensorflow as tf

    return tf.nn.conv2d(x, w, strides=1, padding="SAME")


@image_axes.tensorflow.like("torch")
def _(x, w):
    """Transpose images to NHWC and back: in float64, a CPU has no convolution of NCHW."""
    import tensorflow as tf

    y = tf.nn.conv2d(x.transpose(0, 2, 3, 1), w, strides=1, padding="SAME")
    return tf.transpose(y, (0, 3, 1, 2))


@image_axes.keras
def _(x, w):
    import keras

    layer = keras.layers.Conv2D(4, 3, padding="same", use_bias=False)
    layer.build(x.shape)
    layer.set_weights([w])
    return layer(x)


@image_axes.keras.like("torch")
def _(x, w):
    """Transpose to NHWC and back, or on a GPU, or in float32, pass data_format="channels_first"."""
    import keras

    layer = keras.layers.Conv2D(4, 3, padding="same", use_bias=False)
    layer.build((None, 4, 4, 4))
    layer.set_weights([w])
    y = layer(x.transpose(0, 2, 3, 1))
    return keras.ops.transpose(y, (0, 3, 1, 2))


@image_axes.torch
def _(x, w):
    import torch

    layer = torch.nn.Conv2d(4, 4, 3, padding="same", bias=False)
    layer.load_state_dict({"weight": torch.tensor(w.transpose(3, 2, 0, 1))})
    return layer(torch.tensor(x)).detach()


@image_axes.torch.like("keras")
def _(x, w):
    """Transpose images to NCHW and back."""
    import torch

    layer = torch.nn.Conv2d(4, 4, 3, padding="same", bias=False)
    layer.load_state_dict({"weight": torch.tensor(w.transpose(3, 2, 0, 1))})
    y = layer(torch.tensor(x).permute(0, 3, 1, 2))
    return y.permute(0, 2, 3, 1).detach()


def maps() -> Arrays:
    """Feature maps `x`, channels last, (2, 4, 4, 3), and the kernel of a dense layer behind, `w` (48, 5)."""
    rng = np.random.default_rng(5)
    return {"x": rng.standard_normal((2, 4, 4, 3)), "w": rng.standard_normal((48, 5))}


flatten_order = Card(
    id="flatten-order",
    title="Flatten before a dense layer: order of rows and channels",
    wrong=(
        "Flattening keeps the order in memory: row, column, channel in Keras, and channel, row, column in "
        "PyTorch. The dense layer that follows has the right number of inputs either way, so nothing fails, "
        "and transposing its kernel alone does not help: its inputs have to be put in the other order. It "
        "does not show behind global pooling, where one pixel is left."
    ),
    conventions={
        "numpy tensorflow keras": "W's input (h·width + w)·channels + c is x[h, w, c]",
        "torch": "W's input (c·height + h)·width + w is x[h, w, c]",
    },
    given=maps,
    differs=0.5,
    absent={"sklearn": "scikit-learn has no layer of images to flatten"},
    issues=(
        "gzuidhof/nn-transfer#11",
        "gzuidhof/nn-transfer#16",
        "gzuidhof/nn-transfer#17",
        "microsoft/MMdnn#250",
    ),
)


@flatten_order.numpy
def _(x, w):
    return x.reshape(2, -1) @ w


@flatten_order.numpy.like("torch")
def _(x, w):
    """Put the channels first, then flatten."""
    return x.transpose(0, 3, 1, 2).reshape(2, -1) @ w


@flatten_order.tensorflow
def _(x, w):
    import tensorflow as tf

    return tf.reshape(x, (2, -1)) @ w


@flatten_order.tensorflow.like("torch")
def _(x, w):
    """Permute the kernel's inputs from (c, h, w) to (h, w, c)."""
    import tensorflow as tf

    w = w.reshape(3, 4, 4, 5).transpose(1, 2, 0, 3).reshape(48, 5)
    return tf.reshape(x, (2, -1)) @ w


@flatten_order.keras
def _(x, w):
    import keras

    layer = keras.layers.Dense(5, use_bias=False)
    layer.build((None, 48))
    layer.set_weights([w])
    return layer(keras.layers.Flatten()(x))


@flatten_order.keras.like("torch")
def _(x, w):
    """Permute the kernel's inputs from (c, h, w) to (h, w, c)."""
    import keras

    layer = keras.layers.Dense(5, use_bias=False)
    layer.build((None, 48))
    layer.set_weights([w.reshape(3, 4, 4, 5).transpose(1, 2, 0, 3).reshape(48, 5)])
    return layer(keras.layers.Flatten()(x))


@flatten_order.torch
def _(x, w):
    import torch

    layer = torch.nn.Linear(48, 5, bias=False)
    layer.load_state_dict({"weight": torch.tensor(w.T)})
    return layer(torch.nn.Flatten()(torch.tensor(x).permute(0, 3, 1, 2))).detach()


@flatten_order.torch.like("keras")
def _(x, w):
    """Permute the kernel's inputs from (h, w, c) to (c, h, w)."""
    import torch

    layer = torch.nn.Linear(48, 5, bias=False)
    w = w.reshape(4, 4, 3, 5).transpose(2, 0, 1, 3).reshape(48, 5)
    layer.load_state_dict({"weight": torch.tensor(w.T)})
    return layer(torch.nn.Flatten()(torch.tensor(x).permute(0, 3, 1, 2))).detach()


def flat_kernel() -> Arrays:
    """Rows `x` (5, 6), and the kernel of a layer of four units as one row of numbers, `w` (24,)."""
    rng = np.random.default_rng(6)
    return {"x": rng.standard_normal((5, 6)), "w": rng.standard_normal(24)}


kernel_from_vector = Card(
    id="kernel-from-vector",
    title="Kernel from a flat vector: reshaped, not transposed",
    wrong=(
        "The same numbers in a row fill a kernel input by input where it is (in, out), and unit by unit "
        "where it is (out, in). Vectors of parameters come from files, from optimizers such as L-BFGS, from "
        "`parameters_to_vector`. Reshaping to the other shape runs and scrambles the kernel; only a "
        "transpose moves it, and only a kernel of one unit stays whole."
    ),
    conventions={
        "numpy sklearn tensorflow keras": "W = w reshaped to (in, out)",
        "torch": "Wᵀ = w reshaped to (out, in)",
    },
    given=flat_kernel,
    differs=0.2,
    faults=("start-column-order", "start-reshaped"),
)


@kernel_from_vector.numpy
def _(x, w):
    return x @ w.reshape(6, 4)


@kernel_from_vector.numpy.like("torch")
def _(x, w):
    """Reshape to (out, in) and transpose, which is to fill (in, out) by columns."""
    return x @ w.reshape((6, 4), order="F")


@kernel_from_vector.sklearn
def _(x, w):
    from sklearn.neural_network import MLPRegressor

    model = MLPRegressor(hidden_layer_sizes=(), max_iter=1).partial_fit(x, x[:, :4])
    model.coefs_, model.intercepts_ = [w.reshape(6, 4)], [np.zeros(4)]
    return model.predict(x)


@kernel_from_vector.sklearn.like("torch")
def _(x, w):
    """Reshape to (out, in) and transpose."""
    from sklearn.neural_network import MLPRegressor

    model = MLPRegressor(hidden_layer_sizes=(), max_iter=1).partial_fit(x, x[:, :4])
    model.coefs_, model.intercepts_ = [w.reshape(4, 6).T], [np.zeros(4)]
    return model.predict(x)


@kernel_from_vector.tensorflow
def _(x, w):
    import tensorflow as tf

    return x @ tf.reshape(w, (6, 4))


@kernel_from_vector.tensorflow.like("torch")
def _(x, w):
    """Reshape to (out, in) and transpose."""
    import tensorflow as tf

    return x @ tf.transpose(tf.reshape(w, (4, 6)))


@kernel_from_vector.keras
def _(x, w):
    import keras

    layer = keras.layers.Dense(4, use_bias=False)
    layer.build((None, 6))
    layer.kernel.assign(w.reshape(6, 4))
    return layer(x)


@kernel_from_vector.keras.like("torch")
def _(x, w):
    """Reshape to (out, in) and transpose."""
    import keras

    layer = keras.layers.Dense(4, use_bias=False)
    layer.build((None, 6))
    layer.kernel.assign(w.reshape(4, 6).T)
    return layer(x)


@kernel_from_vector.torch
def _(x, w):
    import torch

    layer = torch.nn.Linear(6, 4, bias=False)
    torch.nn.utils.vector_to_parameters(torch.tensor(w), layer.parameters())
    return layer(torch.tensor(x)).detach()


@kernel_from_vector.torch.like("keras")
def _(x, w):
    """Reshape to (in, out) and transpose before the vector is taken apart."""
    import torch

    layer = torch.nn.Linear(6, 4, bias=False)
    w = w.reshape(6, 4).T.ravel()
    torch.nn.utils.vector_to_parameters(torch.tensor(w), layer.parameters())
    return layer(torch.tensor(x)).detach()


conv_transpose_kernel = Card(
    id="conv-transpose-kernel",
    title="Transposed convolution: channels out come before channels in",
    wrong=(
        "A transposed convolution keeps the kernel of the convolution that it is the gradient of, so that in "
        "and out change places: (H, W, out, in) in Keras and TensorFlow, (in, out, H, W) in PyTorch. Axes "
        "are permuted as for a plain convolution. What goes wrong is to swap in and out once more, which no "
        "shape betrays where both are equal."
    ),
    conventions={
        "numpy tensorflow keras": "y[2h+i, 2w+j, o] += x[h, w, c]·W[i, j, o, c]",
        "torch": "y[2h+i, 2w+j, o] += x[h, w, c]·W[c, o, i, j]",
    },
    given=images,
    differs=0.5,
    absent={"sklearn": "scikit-learn has no convolution"},
)


@conv_transpose_kernel.numpy
def _(x, w):
    y = np.zeros((2, 11, 11, 3))
    for h, v in np.ndindex(5, 5):
        y[:, 2 * h : 2 * h + 3, 2 * v : 2 * v + 3] += np.einsum("nc,ijoc->nijo", x[:, h, v], w)
    return y


@conv_transpose_kernel.numpy.like("torch")
def _(x, w):
    """Read the kernel's axes in the order I, O, H, W."""
    y = np.zeros((2, 11, 11, 3))
    for h, v in np.ndindex(5, 5):
        y[:, 2 * h : 2 * h + 3, 2 * v : 2 * v + 3] += np.einsum("nc,coij->nijo", x[:, h, v], w)
    return y


@conv_transpose_kernel.tensorflow
def _(x, w):
    import tensorflow as tf

    return tf.nn.conv2d_transpose(x, w, (2, 11, 11, 3), strides=2, padding="VALID")


@conv_transpose_kernel.tensorflow.like("torch")
def _(x, w):
    """Transpose the kernel by (2, 3, 1, 0)."""
    import tensorflow as tf

    w = w.transpose(2, 3, 1, 0)
    return tf.nn.conv2d_transpose(x, w, (2, 11, 11, 3), strides=2, padding="VALID")


@conv_transpose_kernel.keras
def _(x, w):
    import keras

    layer = keras.layers.Conv2DTranspose(3, 3, strides=2, use_bias=False)
    layer.build(x.shape)
    layer.set_weights([w])
    return layer(x)


@conv_transpose_kernel.keras.like("torch")
def _(x, w):
    """Transpose the kernel by (2, 3, 1, 0)."""
    import keras

    layer = keras.layers.Conv2DTranspose(3, 3, strides=2, use_bias=False)
    layer.build(x.shape)
    layer.set_weights([w.transpose(2, 3, 1, 0)])
    return layer(x)


@conv_transpose_kernel.torch
def _(x, w):
    import torch

    layer = torch.nn.ConvTranspose2d(3, 3, 3, stride=2, bias=False)
    layer.load_state_dict({"weight": torch.tensor(w)})
    y = layer(torch.tensor(x).permute(0, 3, 1, 2))
    return y.permute(0, 2, 3, 1).detach()


@conv_transpose_kernel.torch.like("keras")
def _(x, w):
    """Transpose the kernel by (3, 2, 0, 1)."""
    import torch

    layer = torch.nn.ConvTranspose2d(3, 3, 3, stride=2, bias=False)
    layer.load_state_dict({"weight": torch.tensor(w.transpose(3, 2, 0, 1))})
    y = layer(torch.tensor(x).permute(0, 3, 1, 2))
    return y.permute(0, 2, 3, 1).detach()


def flat_depthwise() -> Arrays:
    """Images `x` (2, 5, 5, 3), and a depthwise kernel, 3×3, two filters a channel, in a row, `w` (54,)."""
    rng = np.random.default_rng(7)
    return {"x": rng.standard_normal((2, 5, 5, 3)), "w": rng.standard_normal(54)}


depthwise_kernel = Card(
    id="depthwise-kernel",
    title="Depthwise convolution: a layer, or a convolution in groups",
    wrong=(
        "Keras has a layer for it, with a kernel (H, W, channels, multiplier). PyTorch has a convolution in "
        "as many groups as there are channels, with a kernel (channels·multiplier, 1, H, W). No shapes of "
        "the two are alike, so one is tempted to reshape the numbers until they fit, which scrambles them. "
        "The channels out come in the same order."
    ),
    conventions={
        "numpy tensorflow keras": "y[…, c·M + m] = Σ x[…, c]·W[i, j, c, m]",
        "torch": "y[…, c·M + m] = Σ x[…, c]·W[c·M + m, 0, i, j]",
    },
    given=flat_depthwise,
    differs=0.9,
    absent={"sklearn": "scikit-learn has no convolution"},
)


@depthwise_kernel.numpy
def _(x, w):
    windows = np.lib.stride_tricks.sliding_window_view(x, (3, 3), axis=(1, 2))
    return np.einsum("nhwcij,ijcm->nhwcm", windows, w.reshape(3, 3, 3, 2)).reshape(2, 3, 3, 6)


@depthwise_kernel.numpy.like("torch")
def _(x, w):
    """Read the kernel's axes in the order C, M, H, W."""
    windows = np.lib.stride_tricks.sliding_window_view(x, (3, 3), axis=(1, 2))
    return np.einsum("nhwcij,cmij->nhwcm", windows, w.reshape(3, 2, 3, 3)).reshape(2, 3, 3, 6)


@depthwise_kernel.tensorflow
def _(x, w):
    import tensorflow as tf

    w = w.reshape(3, 3, 3, 2)
    return tf.nn.depthwise_conv2d(x, w, strides=(1, 1, 1, 1), padding="VALID")


@depthwise_kernel.tensorflow.like("torch")
def _(x, w):
    """Reshape the kernel to (C, M, H, W), and transpose by (2, 3, 0, 1)."""
    import tensorflow as tf

    w = w.reshape(3, 2, 3, 3).transpose(2, 3, 0, 1)
    return tf.nn.depthwise_conv2d(x, w, strides=(1, 1, 1, 1), padding="VALID")


@depthwise_kernel.keras
def _(x, w):
    import keras

    layer = keras.layers.DepthwiseConv2D(3, depth_multiplier=2, use_bias=False)
    layer.build(x.shape)
    layer.set_weights([w.reshape(3, 3, 3, 2)])
    return layer(x)


@depthwise_kernel.keras.like("torch")
def _(x, w):
    """Reshape the kernel to (C, M, H, W), and transpose by (2, 3, 0, 1)."""
    import keras

    layer = keras.layers.DepthwiseConv2D(3, depth_multiplier=2, use_bias=False)
    layer.build(x.shape)
    layer.set_weights([w.reshape(3, 2, 3, 3).transpose(2, 3, 0, 1)])
    return layer(x)


@depthwise_kernel.torch
def _(x, w):
    import torch

    layer = torch.nn.Conv2d(3, 6, 3, groups=3, bias=False)
    layer.load_state_dict({"weight": torch.tensor(w.reshape(6, 1, 3, 3))})
    y = layer(torch.tensor(x).permute(0, 3, 1, 2))
    return y.permute(0, 2, 3, 1).detach()


@depthwise_kernel.torch.like("keras")
def _(x, w):
    """Transpose the kernel by (2, 3, 0, 1), then reshape to (C·M, 1, H, W)."""
    import torch

    layer = torch.nn.Conv2d(3, 6, 3, groups=3, bias=False)
    w = w.reshape(3, 3, 3, 2).transpose(2, 3, 0, 1).reshape(6, 1, 3, 3)
    layer.load_state_dict({"weight": torch.tensor(w)})
    y = layer(torch.tensor(x).permute(0, 3, 1, 2))
    return y.permute(0, 2, 3, 1).detach()


def series() -> Arrays:
    """Two series `x` of seven steps and three channels, (2, 7, 3), and a kernel `w` (3, 3, 3)."""
    rng = np.random.default_rng(8)
    return {"x": rng.standard_normal((2, 7, 3)), "w": rng.standard_normal((3, 3, 3))}


conv1d_kernel = Card(
    id="conv1d-kernel",
    title="Conv1D: kernels (steps, in, out) and (out, in, steps)",
    wrong=(
        "A kernel is (steps, in, out) in Keras and TensorFlow, (out, in, steps) in PyTorch, and the series "
        "themselves are (batch, steps, channels) and (batch, channels, steps). With as many channels, in "
        "and out, as steps in the kernel nothing fails."
    ),
    conventions={
        "numpy tensorflow keras": "y[t, o] = Σ x[t+i, c]·W[i, c, o]",
        "torch": "y[t, o] = Σ x[t+i, c]·W[o, c, i]",
    },
    given=series,
    differs=0.3,
    absent={"sklearn": "scikit-learn has no convolution"},
)


@conv1d_kernel.numpy
def _(x, w):
    windows = np.lib.stride_tricks.sliding_window_view(x, 3, axis=1)
    return np.einsum("ntci,ico->nto", windows, w)


@conv1d_kernel.numpy.like("torch")
def _(x, w):
    """Read the kernel's axes in the order out, in, steps."""
    windows = np.lib.stride_tricks.sliding_window_view(x, 3, axis=1)
    return np.einsum("ntci,oci->nto", windows, w)


@conv1d_kernel.tensorflow
def _(x, w):
    import tensorflow as tf

    return tf.nn.conv1d(x, w, stride=1, padding="VALID")


@conv1d_kernel.tensorflow.like("torch")
def _(x, w):
    """Transpose the kernel by (2, 1, 0)."""
    import tensorflow as tf

    return tf.nn.conv1d(x, w.transpose(2, 1, 0), stride=1, padding="VALID")


@conv1d_kernel.keras
def _(x, w):
    import keras

    layer = keras.layers.Conv1D(3, 3, use_bias=False)
    layer.build(x.shape)
    layer.set_weights([w])
    return layer(x)


@conv1d_kernel.keras.like("torch")
def _(x, w):
    """Transpose the kernel by (2, 1, 0)."""
    import keras

    layer = keras.layers.Conv1D(3, 3, use_bias=False)
    layer.build(x.shape)
    layer.set_weights([w.transpose(2, 1, 0)])
    return layer(x)


@conv1d_kernel.torch
def _(x, w):
    import torch

    layer = torch.nn.Conv1d(3, 3, 3, bias=False)
    layer.load_state_dict({"weight": torch.tensor(w)})
    return layer(torch.tensor(x).permute(0, 2, 1)).permute(0, 2, 1).detach()


@conv1d_kernel.torch.like("keras")
def _(x, w):
    """Transpose the kernel by (2, 1, 0)."""
    import torch

    layer = torch.nn.Conv1d(3, 3, 3, bias=False)
    layer.load_state_dict({"weight": torch.tensor(w.transpose(2, 1, 0))})
    return layer(torch.tensor(x).permute(0, 2, 1)).permute(0, 2, 1).detach()


def normal_four() -> Arrays:
    """Rows `x` (5, 6), and four positive arrays of a batch norm in a row, `p` (4, 6)."""
    rng = np.random.default_rng(9)
    return {"x": rng.standard_normal((5, 6)), "p": rng.uniform(0.5, 2.0, (4, 6))}


batch_norm_arrays = Card(
    id="batch-norm-arrays",
    title="Batch norm: order of γ, β, mean and variance",
    wrong=(
        "Four arrays of one shape, in three orders: γ first among a layer's weights in Keras, mean and "
        "variance first as arguments of functions, and there TensorFlow takes β before γ where PyTorch takes "
        "it after. Copied by position, all of them fit. (In PyTorch's state_dict the order is that of Keras, "
        "with a counter of batches as the fifth.)"
    ),
    conventions={
        "numpy keras": "γ, β, μ, σ² = p",
        "tensorflow": "μ, σ², β, γ = p",
        "torch": "μ, σ², γ, β = p",
    },
    given=normal_four,
    differs=0.2,
    absent={"sklearn": "scikit-learn has no batch norm"},
)


@batch_norm_arrays.numpy
def _(x, p):
    gamma, beta, mean, variance = p
    return (x - mean) / np.sqrt(variance + 1e-3) * gamma + beta


@batch_norm_arrays.numpy.like("tensorflow")
def _(x, p):
    """Take the arrays as μ, σ², β, γ."""
    mean, variance, beta, gamma = p
    return (x - mean) / np.sqrt(variance + 1e-3) * gamma + beta


@batch_norm_arrays.numpy.like("torch")
def _(x, p):
    """Take the arrays as μ, σ², γ, β."""
    mean, variance, gamma, beta = p
    return (x - mean) / np.sqrt(variance + 1e-3) * gamma + beta


@batch_norm_arrays.tensorflow
def _(x, p):
    import tensorflow as tf

    mean, variance, beta, gamma = p
    return tf.nn.batch_normalization(x, mean, variance, beta, gamma, variance_epsilon=1e-3)


@batch_norm_arrays.tensorflow.like("keras")
def _(x, p):
    """Pass the four arrays by name, not by position."""
    import tensorflow as tf

    gamma, beta, mean, variance = p
    return tf.nn.batch_normalization(x, mean, variance, offset=beta, scale=gamma, variance_epsilon=1e-3)


@batch_norm_arrays.tensorflow.like("torch")
def _(x, p):
    """Pass the four arrays by name, not by position."""
    import tensorflow as tf

    mean, variance, gamma, beta = p
    return tf.nn.batch_normalization(x, mean, variance, offset=beta, scale=gamma, variance_epsilon=1e-3)


@batch_norm_arrays.keras
def _(x, p):
    import keras

    layer = keras.layers.BatchNormalization(epsilon=1e-3)
    layer.build(x.shape)
    layer.set_weights(list(p))
    return layer(x)


@batch_norm_arrays.keras.like("tensorflow")
def _(x, p):
    """Put the arrays in the order γ, β, μ, σ²."""
    import keras

    layer = keras.layers.BatchNormalization(epsilon=1e-3)
    layer.build(x.shape)
    mean, variance, beta, gamma = p
    layer.set_weights([gamma, beta, mean, variance])
    return layer(x)


@batch_norm_arrays.keras.like("torch")
def _(x, p):
    """Put the arrays in the order γ, β, μ, σ²."""
    import keras

    layer = keras.layers.BatchNormalization(epsilon=1e-3)
    layer.build(x.shape)
    mean, variance, gamma, beta = p
    layer.set_weights([gamma, beta, mean, variance])
    return layer(x)


@batch_norm_arrays.torch
def _(x, p):
    import torch

    mean, variance, gamma, beta = torch.tensor(p)
    return torch.nn.functional.batch_norm(torch.tensor(x), mean, variance, gamma, beta, eps=1e-3)


@batch_norm_arrays.torch.like("keras")
def _(x, p):
    """Pass the four arrays by name, not by position."""
    import torch

    gamma, beta, mean, variance = torch.tensor(p)
    return torch.nn.functional.batch_norm(torch.tensor(x), mean, variance, weight=gamma, bias=beta, eps=1e-3)


@batch_norm_arrays.torch.like("tensorflow")
def _(x, p):
    """Pass the four arrays by name, not by position."""
    import torch

    mean, variance, beta, gamma = torch.tensor(p)
    return torch.nn.functional.batch_norm(torch.tensor(x), mean, variance, weight=gamma, bias=beta, eps=1e-3)


injected_arrays = Card(
    id="injected-arrays",
    title="Initial weights from an array: does training change the array?",
    wrong=(
        "`torch.from_numpy` shares memory with the array, and scikit-learn updates the very arrays that were "
        "put into `coefs_`. Both optimizers work in place, so that one set of initial weights that two "
        "models are to start from is trained by the first, and the second starts elsewhere. `torch.tensor`, "
        "`load_state_dict`, Keras and TensorFlow copy."
    ),
    conventions={
        "numpy sklearn torch": "after a step, w is the trained kernel",
        "tensorflow keras": "after a step, w is still the initial kernel",
    },
    given=given.dense,
    differs=0.1,
    issues=("mrdbourke/pytorch-deep-learning#83",),
)


@injected_arrays.numpy
def _(x, w, b):
    kernel = w
    kernel -= 0.1 * x.T @ (x @ kernel + b) / 5
    return w


@injected_arrays.numpy.like("keras")
def _(x, w, b):
    """Copy the array before training."""
    kernel = w.copy()
    kernel -= 0.1 * x.T @ (x @ kernel + b) / 5
    return w


@injected_arrays.sklearn
def _(x, w, b):
    from sklearn.neural_network import MLPRegressor

    model = MLPRegressor(
        hidden_layer_sizes=(), solver="sgd", learning_rate_init=0.1, momentum=0, alpha=0, max_iter=1
    ).partial_fit(x, 0 * x)
    model.coefs_, model.intercepts_ = [w], [b]
    model.partial_fit(x, 0 * x)
    return w


@injected_arrays.sklearn.like("keras")
def _(x, w, b):
    """Copy the arrays before they are handed over."""
    from sklearn.neural_network import MLPRegressor

    model = MLPRegressor(
        hidden_layer_sizes=(), solver="sgd", learning_rate_init=0.1, momentum=0, alpha=0, max_iter=1
    ).partial_fit(x, 0 * x)
    model.coefs_, model.intercepts_ = [w.copy()], [b.copy()]
    model.partial_fit(x, 0 * x)
    return w


@injected_arrays.tensorflow
def _(x, w, b):
    import tensorflow as tf

    kernel = tf.Variable(w)
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum((x @ kernel + b) ** 2) / 10
    optimizer = tf.compat.v1.train.GradientDescentOptimizer(np.float64(0.1))
    optimizer.apply_gradients([(tape.gradient(loss, kernel), kernel)])
    return w


@injected_arrays.tensorflow.like("torch")
def _(x, w, b):
    """Write the kernel back into the array after each step."""
    import tensorflow as tf

    kernel = tf.Variable(w)
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum((x @ kernel + b) ** 2) / 10
    optimizer = tf.compat.v1.train.GradientDescentOptimizer(np.float64(0.1))
    optimizer.apply_gradients([(tape.gradient(loss, kernel), kernel)])
    w[...] = kernel.numpy()
    return w


@injected_arrays.keras
def _(x, w, b):
    import keras
    import tensorflow as tf

    kernel = keras.Variable(w)
    with tf.GradientTape() as tape:
        loss = keras.ops.sum((keras.ops.matmul(x, kernel) + b) ** 2) / 10
    optimizer = keras.optimizers.SGD(0.1)
    optimizer.apply([tape.gradient(loss, kernel.value)], [kernel])
    return w


@injected_arrays.keras.like("torch")
def _(x, w, b):
    """Write the kernel back into the array after each step."""
    import keras
    import tensorflow as tf

    kernel = keras.Variable(w)
    with tf.GradientTape() as tape:
        loss = keras.ops.sum((keras.ops.matmul(x, kernel) + b) ** 2) / 10
    optimizer = keras.optimizers.SGD(0.1)
    optimizer.apply([tape.gradient(loss, kernel.value)], [kernel])
    w[...] = kernel.numpy()
    return w


@injected_arrays.torch
def _(x, w, b):
    import torch

    kernel = torch.from_numpy(w).requires_grad_()
    loss = ((torch.tensor(x) @ kernel + torch.tensor(b)) ** 2).sum() / 10
    loss.backward()
    torch.optim.SGD([kernel], lr=0.1).step()
    return w


@injected_arrays.torch.like("keras")
def _(x, w, b):
    """Copy the array with torch.tensor, not torch.from_numpy."""
    import torch

    kernel = torch.tensor(w).requires_grad_()
    loss = ((torch.tensor(x) @ kernel + torch.tensor(b)) ** 2).sum() / 10
    loss.backward()
    torch.optim.SGD([kernel], lr=0.1).step()
    return w


snapshots = Card(
    id="weight-snapshots",
    title="Snapshot of the weights: a copy, or the weights themselves?",
    wrong=(
        "`get_weights()` copies. `state_dict()`, `.detach().numpy()` and `coefs_` are the parameters "
        "themselves, which training goes on to change. A best model kept that way is in the end the last "
        "one, and a difference before and after a step is zero."
    ),
    conventions={
        "numpy sklearn torch": "after a step, the snapshot is the trained kernel",
        "tensorflow keras": "after a step, the snapshot is still the initial kernel",
    },
    given=given.dense,
    differs=0.1,
    issues=("pytorch/pytorch#83104",),
)


@snapshots.numpy
def _(x, w, b):
    before = w
    w -= 0.1 * x.T @ (x @ w + b) / 5
    return before


@snapshots.numpy.like("keras")
def _(x, w, b):
    """Copy the array: before = w.copy()."""
    before = w.copy()
    w -= 0.1 * x.T @ (x @ w + b) / 5
    return before


@snapshots.sklearn
def _(x, w, b):
    from sklearn.neural_network import MLPRegressor

    model = MLPRegressor(
        hidden_layer_sizes=(), solver="sgd", learning_rate_init=0.1, momentum=0, alpha=0, max_iter=1
    ).partial_fit(x, 0 * x)
    model.coefs_, model.intercepts_ = [w], [b]
    before = model.coefs_
    model.partial_fit(x, 0 * x)
    return before[0]


@snapshots.sklearn.like("keras")
def _(x, w, b):
    """Copy each array of coefs_, not only the list."""
    from sklearn.neural_network import MLPRegressor

    model = MLPRegressor(
        hidden_layer_sizes=(), solver="sgd", learning_rate_init=0.1, momentum=0, alpha=0, max_iter=1
    ).partial_fit(x, 0 * x)
    model.coefs_, model.intercepts_ = [w], [b]
    before = [kernel.copy() for kernel in model.coefs_]
    model.partial_fit(x, 0 * x)
    return before[0]


@snapshots.tensorflow
def _(x, w, b):
    import tensorflow as tf

    kernel = tf.Variable(w)
    before = kernel.numpy()
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum((x @ kernel + b) ** 2) / 10
    optimizer = tf.compat.v1.train.GradientDescentOptimizer(np.float64(0.1))
    optimizer.apply_gradients([(tape.gradient(loss, kernel), kernel)])
    return before


@snapshots.tensorflow.like("torch")
def _(x, w, b):
    """Read the variable when its values are used, not before."""
    import tensorflow as tf

    kernel = tf.Variable(w)
    before = kernel
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum((x @ kernel + b) ** 2) / 10
    optimizer = tf.compat.v1.train.GradientDescentOptimizer(np.float64(0.1))
    optimizer.apply_gradients([(tape.gradient(loss, kernel), kernel)])
    return before


@snapshots.keras
def _(x, w, b):
    import keras
    import tensorflow as tf

    layer = keras.layers.Dense(6)
    layer.build(x.shape)
    layer.set_weights([w, b])
    before = layer.get_weights()
    with tf.GradientTape() as tape:
        loss = keras.ops.sum(layer(x) ** 2) / 10
    gradients = tape.gradient(loss, [v.value for v in layer.trainable_variables])
    keras.optimizers.SGD(0.1).apply(gradients, layer.trainable_variables)
    return before[0]


@snapshots.keras.like("torch")
def _(x, w, b):
    """Keep the variables, and read them when their values are used."""
    import keras
    import tensorflow as tf

    layer = keras.layers.Dense(6)
    layer.build(x.shape)
    layer.set_weights([w, b])
    before = layer.weights
    with tf.GradientTape() as tape:
        loss = keras.ops.sum(layer(x) ** 2) / 10
    gradients = tape.gradient(loss, [v.value for v in layer.trainable_variables])
    keras.optimizers.SGD(0.1).apply(gradients, layer.trainable_variables)
    return before[0].numpy()


@snapshots.torch
def _(x, w, b):
    import torch

    layer = torch.nn.Linear(6, 6)
    layer.load_state_dict({"weight": torch.tensor(w.T), "bias": torch.tensor(b)})
    before = layer.state_dict()
    loss = (layer(torch.tensor(x)) ** 2).sum() / 10
    loss.backward()
    torch.optim.SGD(layer.parameters(), lr=0.1).step()
    return before["weight"].T


@snapshots.torch.like("keras")
def _(x, w, b):
    """Take copy.deepcopy of the state_dict."""
    import copy

    import torch

    layer = torch.nn.Linear(6, 6)
    layer.load_state_dict({"weight": torch.tensor(w.T), "bias": torch.tensor(b)})
    before = copy.deepcopy(layer.state_dict())
    loss = (layer(torch.tensor(x)) ** 2).sum() / 10
    loss.backward()
    torch.optim.SGD(layer.parameters(), lr=0.1).step()
    return before["weight"].T
