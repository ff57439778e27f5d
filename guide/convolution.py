"""Convolution, pooling and resizing: padding, alignment, order of numbers."""

import numpy as np

from backends.base import Arrays
from guide.card import Card

NO_CONVOLUTION = {"sklearn": "scikit-learn has no convolution"}
NO_POOLING = {"sklearn": "scikit-learn has no pooling"}
NO_RESIZING = {"sklearn": "scikit-learn has no resizing of images"}


def images() -> Arrays:
    """Images of even size, channels last, `x` (2, 8, 8, 3), and a kernel `w` (3, 3, 3, 4), HWIO."""
    rng = np.random.default_rng(11)
    return {"x": rng.standard_normal((2, 8, 8, 3)), "w": rng.standard_normal((3, 3, 3, 4))}


conv_same_stride = Card(
    id="conv-same-stride",
    title="Convolution: padding 'same' with stride 2",
    wrong=(
        "'same' pads as little as the size of the output asks for: with a kernel of 3, stride 2 and an even "
        "image that is one row in all, and it goes below. PyTorch refuses 'same' with strides; padding=1, "
        "which is usual instead, pads on both sides, so that every window lies one pixel off. Sizes agree. "
        "With odd images, or without strides, the two are the same, so a test on 7×7 passes and 224×224 "
        "fails."
    ),
    conventions={
        "numpy tensorflow keras": "pads p = max((⌈n/s⌉-1)·s + k - n, 0) in all: ⌊p/2⌋ before, the rest after",
        "torch": "pads ⌊k/2⌋ on each side",
    },
    given=images,
    differs=0.5,
    absent=NO_CONVOLUTION,
    defaults=("Conv2D.strides", "Conv2D.padding"),
    issues=(
        "pytorch/pytorch#3867",
        "pytorch/pytorch#67551",
        "taehoonlee/tensornets#25",
        "keras-team/keras#16363",
    ),
)


@conv_same_stride.numpy
def _(x, w):
    p = max((4 - 1) * 2 + 3 - 8, 0)
    padded = np.pad(x, [(0, 0), (p // 2, p - p // 2), (p // 2, p - p // 2), (0, 0)])
    windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), axis=(1, 2))[:, ::2, ::2]
    return np.einsum("nhwcij,ijco->nhwo", windows, w)


@conv_same_stride.numpy.like("torch")
def _(x, w):
    """Pad by ⌊k/2⌋ on all sides."""
    padded = np.pad(x, [(0, 0), (1, 1), (1, 1), (0, 0)])
    windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), axis=(1, 2))[:, ::2, ::2][:, :4, :4]
    return np.einsum("nhwcij,ijco->nhwo", windows, w)


@conv_same_stride.tensorflow
def _(x, w):
    import tensorflow as tf

    return tf.nn.conv2d(x, w, strides=2, padding="SAME")


@conv_same_stride.tensorflow.like("torch")
def _(x, w):
    """Give the padding in numbers: padding=[[0, 0], [1, 1], [1, 1], [0, 0]]."""
    import tensorflow as tf

    return tf.nn.conv2d(x, w, strides=2, padding=[[0, 0], [1, 1], [1, 1], [0, 0]])


@conv_same_stride.keras
def _(x, w):
    import keras

    layer = keras.layers.Conv2D(4, 3, strides=2, padding="same", use_bias=False)
    layer.build(x.shape)
    layer.set_weights([w])
    return layer(x)


@conv_same_stride.keras.like("torch")
def _(x, w):
    """Put ZeroPadding2D(1) before, and convolve without padding."""
    import keras

    layer = keras.layers.Conv2D(4, 3, strides=2, use_bias=False)
    layer.build(x.shape)
    layer.set_weights([w])
    return layer(keras.layers.ZeroPadding2D(1)(x))


@conv_same_stride.torch
def _(x, w):
    import torch

    layer = torch.nn.Conv2d(3, 4, 3, stride=2, padding=1, bias=False)
    layer.load_state_dict({"weight": torch.tensor(w.transpose(3, 2, 0, 1))})
    y = layer(torch.tensor(x).permute(0, 3, 1, 2))
    return y.permute(0, 2, 3, 1).detach()


@conv_same_stride.torch.like("keras")
def _(x, w):
    """Pad below and on the right with F.pad, and convolve without padding."""
    import torch

    layer = torch.nn.Conv2d(3, 4, 3, stride=2, bias=False)
    layer.load_state_dict({"weight": torch.tensor(w.transpose(3, 2, 0, 1))})
    p = max((4 - 1) * 2 + 3 - 8, 0)
    x = torch.tensor(x).permute(0, 3, 1, 2)
    y = layer(torch.nn.functional.pad(x, (p // 2, p - p // 2, p // 2, p - p // 2)))
    return y.permute(0, 2, 3, 1).detach()


def small_images() -> Arrays:
    """Images `x`, channels last, (2, 5, 5, 3), and a kernel for them transposed, `w` (3, 3, 4, 3)."""
    rng = np.random.default_rng(12)
    return {"x": rng.standard_normal((2, 5, 5, 3)), "w": rng.standard_normal((3, 3, 4, 3))}


conv_transpose_same = Card(
    id="conv-transpose-same",
    title="Transposed convolution: padding 'same' and output_padding",
    wrong=(
        "To double an image, 'same' cuts the last row and column off the full result. PyTorch's usual "
        "padding=1, output_padding=1 cuts the first ones off. Both have the right size, shifted by a pixel, "
        "which in a decoder looks like a blur and is put down to training."
    ),
    conventions={
        "numpy tensorflow keras": "y = full[⌊(k-s)/2⌋:][:s·n]",
        "torch": "y = full[padding:][:s·n]",
    },
    given=small_images,
    differs=0.4,
    absent=NO_CONVOLUTION,
    defaults=("Conv2DTranspose.padding", "Conv2DTranspose.output_padding"),
    issues=("keras-team/keras#15666", "keras-team/keras#22876", "tensorflow/tensorflow#50168"),
)


@conv_transpose_same.numpy
def _(x, w):
    full = np.zeros((2, 11, 11, 4))
    for h, v in np.ndindex(5, 5):
        full[:, 2 * h : 2 * h + 3, 2 * v : 2 * v + 3] += np.einsum("nc,ijoc->nijo", x[:, h, v], w)
    return full[:, :10, :10]


@conv_transpose_same.numpy.like("torch")
def _(x, w):
    """Cut off the first row and column of the full result."""
    full = np.zeros((2, 11, 11, 4))
    for h, v in np.ndindex(5, 5):
        full[:, 2 * h : 2 * h + 3, 2 * v : 2 * v + 3] += np.einsum("nc,ijoc->nijo", x[:, h, v], w)
    return full[:, 1:, 1:]


@conv_transpose_same.tensorflow
def _(x, w):
    import tensorflow as tf

    return tf.nn.conv2d_transpose(x, w, (2, 10, 10, 4), strides=2, padding="SAME")


@conv_transpose_same.tensorflow.like("torch")
def _(x, w):
    """Use padding "valid", and cut off the first row and column."""
    import tensorflow as tf

    full = tf.nn.conv2d_transpose(x, w, (2, 11, 11, 4), strides=2, padding="VALID")
    return full[:, 1:, 1:]


@conv_transpose_same.keras
def _(x, w):
    import keras

    layer = keras.layers.Conv2DTranspose(4, 3, strides=2, padding="same", use_bias=False)
    layer.build(x.shape)
    layer.set_weights([w])
    return layer(x)


@conv_transpose_same.keras.like("torch")
def _(x, w):
    """Use padding "valid", and cut off the first row and column."""
    import keras

    layer = keras.layers.Conv2DTranspose(4, 3, strides=2, use_bias=False)
    layer.build(x.shape)
    layer.set_weights([w])
    return layer(x)[:, 1:, 1:]


@conv_transpose_same.torch
def _(x, w):
    import torch

    layer = torch.nn.ConvTranspose2d(3, 4, 3, stride=2, padding=1, output_padding=1, bias=False)
    layer.load_state_dict({"weight": torch.tensor(w.transpose(3, 2, 0, 1))})
    y = layer(torch.tensor(x).permute(0, 3, 1, 2))
    return y.permute(0, 2, 3, 1).detach()


@conv_transpose_same.torch.like("keras")
def _(x, w):
    """Leave out padding and output_padding, and cut off the last row and column."""
    import torch

    layer = torch.nn.ConvTranspose2d(3, 4, 3, stride=2, bias=False)
    layer.load_state_dict({"weight": torch.tensor(w.transpose(3, 2, 0, 1))})
    full = layer(torch.tensor(x).permute(0, 3, 1, 2))
    return full.permute(0, 2, 3, 1).detach()[:, :10, :10]


def odd_images() -> Arrays:
    """Images of odd size, channels last, all below zero, `x` (2, 7, 7, 3)."""
    return {"x": -np.random.default_rng(13).uniform(1.0, 2.0, (2, 7, 7, 3))}


avg_pool_padding = Card(
    id="avg-pool-padding",
    title="Average pooling: does padding count?",
    wrong=(
        "In PyTorch the zeros of the padding count as pixels, so averages at the border are too small. Keras "
        "and TensorFlow divide by the pixels that are there. Only the border differs, which grows with "
        "depth: in the last maps of a network most pixels are border."
    ),
    conventions={
        "numpy tensorflow keras": "Σ window / pixels of the image in the window",
        "torch": "Σ window / k²",
    },
    given=odd_images,
    differs=0.2,
    absent=NO_POOLING,
    defaults=("AvgPool2d.count_include_pad",),
    issues=("apache/tvm#1144", "sail-sg/poolformer#27"),
)


@avg_pool_padding.numpy
def _(x):
    padded = np.pad(x, [(0, 0), (1, 1), (1, 1), (0, 0)], constant_values=np.nan)
    windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), axis=(1, 2))[:, ::2, ::2]
    return np.nanmean(windows, axis=(4, 5))


@avg_pool_padding.numpy.like("torch")
def _(x):
    """Pad with zeros, and take the mean of all."""
    padded = np.pad(x, [(0, 0), (1, 1), (1, 1), (0, 0)])
    windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), axis=(1, 2))[:, ::2, ::2]
    return np.mean(windows, axis=(4, 5))


@avg_pool_padding.tensorflow
def _(x):
    import tensorflow as tf

    return tf.nn.avg_pool2d(x, 3, strides=2, padding="SAME")


@avg_pool_padding.tensorflow.like("torch")
def _(x):
    """Pad with tf.pad first, and pool with padding "VALID"."""
    import tensorflow as tf

    x = tf.pad(x, [[0, 0], [1, 1], [1, 1], [0, 0]])
    return tf.nn.avg_pool2d(x, 3, strides=2, padding="VALID")


@avg_pool_padding.keras
def _(x):
    import keras

    return keras.layers.AveragePooling2D(3, strides=2, padding="same")(x)


@avg_pool_padding.keras.like("torch")
def _(x):
    """Put ZeroPadding2D before, and pool with padding "valid"."""
    import keras

    x = keras.layers.ZeroPadding2D(1)(x)
    return keras.layers.AveragePooling2D(3, strides=2)(x)


@avg_pool_padding.torch
def _(x):
    import torch

    layer = torch.nn.AvgPool2d(3, stride=2, padding=1)
    return layer(torch.tensor(x).permute(0, 3, 1, 2)).permute(0, 2, 3, 1)


@avg_pool_padding.torch.like("keras")
def _(x):
    """Pass count_include_pad=False."""
    import torch

    layer = torch.nn.AvgPool2d(3, stride=2, padding=1, count_include_pad=False)
    return layer(torch.tensor(x).permute(0, 3, 1, 2)).permute(0, 2, 3, 1)


max_pool_padding = Card(
    id="max-pool-padding",
    title="Max pooling: padding 'same' with stride 2",
    wrong=(
        "All pad with -∞, so that padding never wins; but on an even image 'same' pads one row below, and "
        "PyTorch's padding=1 pads on both sides, which moves every window. Padding by hand with F.pad fills "
        "in zeros, and they do win wherever all pixels are negative. Behind a ReLU that does not show."
    ),
    conventions={
        "numpy tensorflow keras": "pads p = max((⌈n/s⌉-1)·s + k - n, 0) in all: ⌊p/2⌋ before, the rest after",
        "torch": "pads ⌊k/2⌋ on each side",
    },
    given=images,
    differs=0.3,
    absent=NO_POOLING,
    issues=("taehoonlee/tensornets#25",),
)


@max_pool_padding.numpy
def _(x):
    padded = np.pad(x, [(0, 0), (0, 1), (0, 1), (0, 0)], constant_values=-np.inf)
    windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), axis=(1, 2))[:, ::2, ::2]
    return np.max(windows, axis=(4, 5))


@max_pool_padding.numpy.like("torch")
def _(x):
    """Pad by one on all sides."""
    padded = np.pad(x, [(0, 0), (1, 1), (1, 1), (0, 0)], constant_values=-np.inf)
    windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), axis=(1, 2))[:, ::2, ::2]
    return np.max(windows, axis=(4, 5))


@max_pool_padding.tensorflow
def _(x):
    import tensorflow as tf

    return tf.nn.max_pool2d(tf.constant(x), 3, strides=2, padding="SAME")


@max_pool_padding.tensorflow.like("torch")
def _(x):
    """Pad all sides with -∞ first, and pool with padding "VALID"."""
    import tensorflow as tf

    x = tf.pad(x, [[0, 0], [1, 1], [1, 1], [0, 0]], constant_values=-np.inf)
    return tf.nn.max_pool2d(x, 3, strides=2, padding="VALID")


@max_pool_padding.keras
def _(x):
    import keras

    return keras.layers.MaxPooling2D(3, strides=2, padding="same")(x)


@max_pool_padding.keras.like("torch")
def _(x):
    """Pad all sides with -∞ by keras.ops.pad first, and pool with padding "valid"."""
    import keras

    x = keras.ops.pad(x, [[0, 0], [1, 1], [1, 1], [0, 0]], constant_values=-np.inf)
    return keras.layers.MaxPooling2D(3, strides=2)(x)


@max_pool_padding.torch
def _(x):
    import torch

    layer = torch.nn.MaxPool2d(3, stride=2, padding=1)
    return layer(torch.tensor(x).permute(0, 3, 1, 2)).permute(0, 2, 3, 1)


@max_pool_padding.torch.like("keras")
def _(x):
    """Pad below and on the right with F.pad(…, value=-inf), and pool without padding."""
    import torch

    x = torch.nn.functional.pad(torch.tensor(x).permute(0, 3, 1, 2), (0, 1, 0, 1), value=-np.inf)
    return torch.nn.MaxPool2d(3, stride=2)(x).permute(0, 2, 3, 1)


def wide_images() -> Arrays:
    """As many images as each is wide, channels last, `x` (4, 3, 4, 2)."""
    return {"x": np.random.default_rng(14).standard_normal((4, 3, 4, 2))}


global_pool_axes = Card(
    id="global-pool-axes",
    title="Global pooling: are the axes kept?",
    wrong=(
        "Keras's global pooling drops the axes of the image, PyTorch's AdaptiveAvgPool2d(1) keeps them with "
        "length one. A dense layer that follows raises an error. Combined with the image again, as attention "
        "over channels does, the dropped axes are aligned with the wrong ones: where there are as many "
        "images as columns, each pixel quietly gets the mean of another image."
    ),
    conventions={
        "numpy tensorflow keras": "mean: (n, c), so x[n, h, w, c] - mean[w, c]",
        "torch": "mean: (n, c, 1, 1), so x[n, h, w, c] - mean[n, c]",
    },
    given=wide_images,
    differs=0.1,
    absent=NO_POOLING,
    defaults=("GlobalAveragePooling2D.keepdims",),
)


@global_pool_axes.numpy
def _(x):
    return x - x.mean((1, 2))


@global_pool_axes.numpy.like("torch")
def _(x):
    """Pass keepdims=True to the mean."""
    return x - x.mean((1, 2), keepdims=True)


@global_pool_axes.tensorflow
def _(x):
    import tensorflow as tf

    return x - tf.reduce_mean(x, (1, 2))


@global_pool_axes.tensorflow.like("torch")
def _(x):
    """Pass keepdims=True to tf.reduce_mean."""
    import tensorflow as tf

    return x - tf.reduce_mean(x, (1, 2), keepdims=True)


@global_pool_axes.keras
def _(x):
    import keras

    return x - keras.layers.GlobalAveragePooling2D()(x)


@global_pool_axes.keras.like("torch")
def _(x):
    """Pass keepdims=True to GlobalAveragePooling2D."""
    import keras

    return x - keras.layers.GlobalAveragePooling2D(keepdims=True)(x)


@global_pool_axes.torch
def _(x):
    import torch

    x = torch.tensor(x).permute(0, 3, 1, 2)
    return (x - torch.nn.AdaptiveAvgPool2d(1)(x)).permute(0, 2, 3, 1)


@global_pool_axes.torch.like("keras")
def _(x):
    """Flatten the pooled output, and put the channels last before the two are combined."""
    import torch

    x = torch.tensor(x)
    return x - torch.nn.AdaptiveAvgPool2d(1)(x.permute(0, 3, 1, 2)).flatten(1)


def signal() -> Arrays:
    """A signal `x` (9,) and kernels for it of three and four steps, `w` (3,) and `v` (4,)."""
    rng = np.random.default_rng(15)
    return {"x": rng.standard_normal(9), "w": rng.standard_normal(3), "v": rng.standard_normal(4)}


conv_flip = Card(
    id="conv-flip",
    title="Convolution in layers is cross-correlation: the kernel is not flipped",
    wrong=(
        "What layers call a convolution slides the kernel as it is. NumPy's convolve, SciPy's and the one of "
        "mathematics turn it round first. For a network that learns its kernels this makes no difference; it "
        "does for kernels that are given, such as a derivative (which changes its sign) or a wavelet, and it "
        "does not show with symmetric ones."
    ),
    conventions={
        "numpy": "y[t] = Σ x[t + k-1 - i]·w[i]",
        "tensorflow keras torch": "y[t] = Σ x[t + i]·w[i]",
    },
    given=signal,
    differs=0.6,
    absent=NO_CONVOLUTION,
)


@conv_flip.numpy
def _(x, w):
    return np.convolve(x, w, mode="valid")


@conv_flip.numpy.like("keras")
def _(x, w):
    """Use np.correlate, or reverse the kernel."""
    return np.correlate(x, w, mode="valid")


@conv_flip.tensorflow
def _(x, w):
    import tensorflow as tf

    return tf.nn.conv1d(x.reshape(1, 9, 1), w.reshape(3, 1, 1), stride=1, padding="VALID")[0, :, 0]


@conv_flip.tensorflow.like("numpy")
def _(x, w):
    """Reverse the kernel along its steps."""
    import tensorflow as tf

    w = w[::-1].reshape(3, 1, 1)
    return tf.nn.conv1d(x.reshape(1, 9, 1), w, stride=1, padding="VALID")[0, :, 0]


@conv_flip.keras
def _(x, w):
    import keras

    layer = keras.layers.Conv1D(1, 3, use_bias=False)
    layer.build((None, 9, 1))
    layer.set_weights([w.reshape(3, 1, 1)])
    return layer(x.reshape(1, 9, 1))[0, :, 0]


@conv_flip.keras.like("numpy")
def _(x, w):
    """Reverse the kernel along its steps."""
    import keras

    layer = keras.layers.Conv1D(1, 3, use_bias=False)
    layer.build((None, 9, 1))
    layer.set_weights([w[::-1].reshape(3, 1, 1)])
    return layer(x.reshape(1, 9, 1))[0, :, 0]


@conv_flip.torch
def _(x, w):
    import torch

    layer = torch.nn.Conv1d(1, 1, 3, bias=False)
    layer.load_state_dict({"weight": torch.tensor(w.reshape(1, 1, 3))})
    return layer(torch.tensor(x.reshape(1, 1, 9))).detach()[0, 0]


@conv_flip.torch.like("numpy")
def _(x, w):
    """Reverse the kernel along its steps."""
    import torch

    layer = torch.nn.Conv1d(1, 1, 3, bias=False)
    layer.load_state_dict({"weight": torch.tensor(w[::-1].reshape(1, 1, 3).copy())})
    return layer(torch.tensor(x.reshape(1, 1, 9))).detach()[0, 0]


conv_same_even = Card(
    id="conv-same-even",
    title="Padding 'same' with an even kernel",
    wrong=(
        "An even kernel has no middle. Frameworks put the pixel of padding that is left over after the "
        "signal; NumPy's mode 'same' puts it before. The result is shifted by one step. Odd kernels do not "
        "show it."
    ),
    conventions={
        "numpy": "pads k/2 before, k/2 - 1 after",
        "tensorflow keras torch": "pads k/2 - 1 before, k/2 after",
    },
    given=signal,
    differs=0.8,
    absent=NO_CONVOLUTION,
)


@conv_same_even.numpy
def _(x, v):
    return np.correlate(x, v, mode="same")


@conv_same_even.numpy.like("keras")
def _(x, v):
    """Pad k/2 - 1 before and k/2 after, and use mode="valid"."""
    return np.correlate(np.pad(x, (1, 2)), v, mode="valid")


@conv_same_even.tensorflow
def _(x, v):
    import tensorflow as tf

    return tf.nn.conv1d(x.reshape(1, 9, 1), v.reshape(4, 1, 1), stride=1, padding="SAME")[0, :, 0]


@conv_same_even.tensorflow.like("numpy")
def _(x, v):
    """Pad k/2 before and k/2 - 1 after with tf.pad, and use padding "VALID"."""
    import tensorflow as tf

    x = tf.pad(x, [[2, 1]])[tf.newaxis, :, tf.newaxis]
    return tf.nn.conv1d(x, v.reshape(4, 1, 1), stride=1, padding="VALID")[0, :, 0]


@conv_same_even.keras
def _(x, v):
    import keras

    layer = keras.layers.Conv1D(1, 4, padding="same", use_bias=False)
    layer.build((None, 9, 1))
    layer.set_weights([v.reshape(4, 1, 1)])
    return layer(x.reshape(1, 9, 1))[0, :, 0]


@conv_same_even.keras.like("numpy")
def _(x, v):
    """Put ZeroPadding1D((k/2, k/2 - 1)) before, and use padding "valid"."""
    import keras

    layer = keras.layers.Conv1D(1, 4, use_bias=False)
    layer.build((None, 12, 1))
    layer.set_weights([v.reshape(4, 1, 1)])
    return layer(keras.layers.ZeroPadding1D((2, 1))(x.reshape(1, 9, 1)))[0, :, 0]


@conv_same_even.torch
def _(x, v):
    import torch

    layer = torch.nn.Conv1d(1, 1, 4, padding="same", bias=False)
    layer.load_state_dict({"weight": torch.tensor(v.reshape(1, 1, 4))})
    return layer(torch.tensor(x.reshape(1, 1, 9))).detach()[0, 0]


@conv_same_even.torch.like("numpy")
def _(x, v):
    """Pad k/2 before and k/2 - 1 after with F.pad, and leave out padding."""
    import torch

    layer = torch.nn.Conv1d(1, 1, 4, bias=False)
    layer.load_state_dict({"weight": torch.tensor(v.reshape(1, 1, 4))})
    x = torch.nn.functional.pad(torch.tensor(x.reshape(1, 1, 9)), (2, 1))
    return layer(x).detach()[0, 0]


conv_causal = Card(
    id="conv-causal",
    title="Conv1D: padding 'causal'",
    wrong=(
        "Keras's padding='causal' puts all padding before the first step, so that nothing depends on what "
        "comes later. PyTorch and TensorFlow have no such mode. 'same', the only one that keeps the length, "
        "looks into the future: a model of sequences then scores far too well in training and fails when it "
        "has to predict."
    ),
    conventions={
        "numpy keras": "y[t] = Σ x[t + i - (k-1)]·w[i]",
        "tensorflow torch": "y[t] = Σ x[t + i - ⌊(k-1)/2⌋]·w[i]",
    },
    given=signal,
    differs=0.4,
    absent=NO_CONVOLUTION,
    issues=("pytorch/pytorch#1333",),
)


@conv_causal.numpy
def _(x, w):
    return np.correlate(np.pad(x, (2, 0)), w, mode="valid")


@conv_causal.numpy.like("torch")
def _(x, w):
    """Pad on both sides, not before the first step only."""
    return np.correlate(np.pad(x, (1, 1)), w, mode="valid")


@conv_causal.tensorflow
def _(x, w):
    import tensorflow as tf

    return tf.nn.conv1d(x.reshape(1, 9, 1), w.reshape(3, 1, 1), stride=1, padding="SAME")[0, :, 0]


@conv_causal.tensorflow.like("keras")
def _(x, w):
    """Pad k - 1 steps before the first with tf.pad, and use padding "VALID"."""
    import tensorflow as tf

    x = tf.pad(x, [[2, 0]])[tf.newaxis, :, tf.newaxis]
    return tf.nn.conv1d(x, w.reshape(3, 1, 1), stride=1, padding="VALID")[0, :, 0]


@conv_causal.keras
def _(x, w):
    import keras

    layer = keras.layers.Conv1D(1, 3, padding="causal", use_bias=False)
    layer.build((None, 9, 1))
    layer.set_weights([w.reshape(3, 1, 1)])
    return layer(x.reshape(1, 9, 1))[0, :, 0]


@conv_causal.keras.like("torch")
def _(x, w):
    """Pass padding="same", if the future is to be seen."""
    import keras

    layer = keras.layers.Conv1D(1, 3, padding="same", use_bias=False)
    layer.build((None, 9, 1))
    layer.set_weights([w.reshape(3, 1, 1)])
    return layer(x.reshape(1, 9, 1))[0, :, 0]


@conv_causal.torch
def _(x, w):
    import torch

    layer = torch.nn.Conv1d(1, 1, 3, padding="same", bias=False)
    layer.load_state_dict({"weight": torch.tensor(w.reshape(1, 1, 3))})
    return layer(torch.tensor(x.reshape(1, 1, 9))).detach()[0, 0]


@conv_causal.torch.like("keras")
def _(x, w):
    """Pad k - 1 steps before the first with F.pad, and leave out padding."""
    import torch

    layer = torch.nn.Conv1d(1, 1, 3, bias=False)
    layer.load_state_dict({"weight": torch.tensor(w.reshape(1, 1, 3))})
    x = torch.nn.functional.pad(torch.tensor(x.reshape(1, 1, 9)), (2, 0))
    return layer(x).detach()[0, 0]


def picture() -> Arrays:
    """A picture `x` (4, 4), and four widths of padding `p` (4,)."""
    return {"x": np.random.default_rng(16).standard_normal((4, 4)), "p": np.array([1, 2, 2, 1])}


pad_order = Card(
    id="pad-order",
    title="Padding by hand: F.pad begins with the last axis",
    wrong=(
        "NumPy, TensorFlow and Keras take pairs of widths from the first axis on, PyTorch's F.pad a flat "
        "list from the last axis backwards: left, right, top, bottom. With equal widths on all sides it "
        "makes no difference; with the uneven ones that 'same' needs, rows are padded where columns were "
        "meant."
    ),
    conventions={
        "numpy tensorflow keras": "top, bottom, left, right = p",
        "torch": "left, right, top, bottom = p",
    },
    given=picture,
    differs=0.5,
    absent={"sklearn": "scikit-learn has no padding of images"},
)


@pad_order.numpy
def _(x, p):
    return np.pad(x, p.reshape(2, 2))


@pad_order.numpy.like("torch")
def _(x, p):
    """Take the pairs of widths in reverse order, the first axis first."""
    return np.pad(x, p.reshape(2, 2)[::-1])


@pad_order.tensorflow
def _(x, p):
    import tensorflow as tf

    return tf.pad(x, p.reshape(2, 2))


@pad_order.tensorflow.like("torch")
def _(x, p):
    """Take the pairs of widths in reverse order, the first axis first."""
    import tensorflow as tf

    return tf.pad(x, p.reshape(2, 2)[::-1])


@pad_order.keras
def _(x, p):
    import keras

    return keras.layers.ZeroPadding2D(p.reshape(2, 2).tolist())(x.reshape(1, 4, 4, 1))[0, :, :, 0]


@pad_order.keras.like("torch")
def _(x, p):
    """Take the pairs of widths in reverse order, rows before columns."""
    import keras

    return keras.layers.ZeroPadding2D(p.reshape(2, 2)[::-1].tolist())(x.reshape(1, 4, 4, 1))[0, :, :, 0]


@pad_order.torch
def _(x, p):
    import torch

    return torch.nn.functional.pad(torch.tensor(x), p.tolist())


@pad_order.torch.like("keras")
def _(x, p):
    """Give F.pad the pairs in reverse order, the last axis first."""
    import torch

    return torch.nn.functional.pad(torch.tensor(x), p.reshape(2, 2)[::-1].ravel().tolist())


def deep_images() -> Arrays:
    """Images of many channels, channels last, `x` (2, 4, 4, 8)."""
    return {"x": np.random.default_rng(17).standard_normal((2, 4, 4, 8))}


depth_to_space = Card(
    id="depth-to-space",
    title="Pixel shuffle and depth_to_space: order of channels",
    wrong=(
        "Both spread r² channels over a block of pixels. TensorFlow and Keras take the channels of one pixel "
        "together, PyTorch the pixels of one channel, as the paper on sub-pixel convolution does. With one "
        "channel out they agree; with three, colours are mixed in a checkerboard. A network trained with "
        "either works, only its weights cannot be carried over as they are."
    ),
    conventions={
        "numpy tensorflow keras": "y[r·h + i, r·w + j, c] = x[h, w, (i·r + j)·C + c]",
        "torch": "y[r·h + i, r·w + j, c] = x[h, w, c·r² + i·r + j]",
    },
    given=deep_images,
    differs=0.8,
    absent={"sklearn": "scikit-learn has nothing of the kind"},
    issues=("tensorflow/tensorflow#53291", "onnx/onnx#2163", "microsoft/onnxscript#2891"),
)


@depth_to_space.numpy
def _(x):
    return x.reshape(2, 4, 4, 2, 2, 2).transpose(0, 1, 3, 2, 4, 5).reshape(2, 8, 8, 2)


@depth_to_space.numpy.like("torch")
def _(x):
    """Take the channel as the first part of the index, not the last."""
    return x.reshape(2, 4, 4, 2, 2, 2).transpose(0, 1, 4, 2, 5, 3).reshape(2, 8, 8, 2)


@depth_to_space.tensorflow
def _(x):
    import tensorflow as tf

    return tf.nn.depth_to_space(x, 2)


@depth_to_space.tensorflow.like("torch")
def _(x):
    """Permute the channels from c·r² + i to i·C + c first, or those that the convolution before makes."""
    import tensorflow as tf

    order = np.arange(8).reshape(2, 4).T.ravel()  # c·r² + i to i·C + c
    return tf.nn.depth_to_space(tf.gather(x, order, axis=-1), 2)


@depth_to_space.keras
def _(x):
    import keras

    return keras.ops.depth_to_space(x, 2)


@depth_to_space.keras.like("torch")
def _(x):
    """Permute the channels from c·r² + i to i·C + c first, or those that the convolution before makes."""
    import keras

    order = np.arange(8).reshape(2, 4).T.ravel()
    return keras.ops.depth_to_space(keras.ops.take(x, order, axis=-1), 2)


@depth_to_space.torch
def _(x):
    import torch

    return torch.nn.PixelShuffle(2)(torch.tensor(x).permute(0, 3, 1, 2)).permute(0, 2, 3, 1)


@depth_to_space.torch.like("keras")
def _(x):
    """Permute the channels from i·C + c to c·r² + i first, or those that the convolution before makes."""
    import torch

    order = np.arange(8).reshape(4, 2).T.ravel()
    x = torch.tensor(x[..., order])
    return torch.nn.PixelShuffle(2)(x.permute(0, 3, 1, 2)).permute(0, 2, 3, 1)


def tiles() -> Arrays:
    """Images, channels last, `x` (2, 4, 4, 3), that fall into four patches of 2×2 each."""
    return {"x": np.random.default_rng(18).standard_normal((2, 4, 4, 3))}


patches_order = Card(
    id="patches-order",
    title="Patches of an image: order of the numbers in a patch",
    wrong=(
        "A patch of TensorFlow and Keras is a row of pixels, each with its channels. PyTorch's unfold puts "
        "the channels first, each with its pixels. The linear layer that embeds patches in a vision "
        "transformer has the same shape for both, and its kernel has to be permuted. With one channel it "
        "does not show."
    ),
    conventions={
        "numpy tensorflow keras": "patch[(i·k + j)·C + c] = x[i, j, c]",
        "torch": "patch[c·k² + i·k + j] = x[i, j, c]",
    },
    given=tiles,
    differs=0.5,
    absent={
        "sklearn": "scikit-learn's extract_patches_2d takes patches of one image, at random or overlapping"
    },
    issues=("pytorch/executorch#20708",),
)


@patches_order.numpy
def _(x):
    return x.reshape(2, 2, 2, 2, 2, 3).transpose(0, 1, 3, 2, 4, 5).reshape(2, 4, 12)


@patches_order.numpy.like("torch")
def _(x):
    """Within each patch, put the channels before the pixels."""
    return x.reshape(2, 2, 2, 2, 2, 3).transpose(0, 1, 3, 5, 2, 4).reshape(2, 4, 12)


@patches_order.tensorflow
def _(x):
    import tensorflow as tf

    k, one = (1, 2, 2, 1), (1, 1, 1, 1)
    patches = tf.image.extract_patches(x, sizes=k, strides=k, rates=one, padding="VALID")
    return tf.reshape(patches, (2, 4, 12))


@patches_order.tensorflow.like("torch")
def _(x):
    """Within each patch, put the channels before the pixels."""
    import tensorflow as tf

    k, one = (1, 2, 2, 1), (1, 1, 1, 1)
    patches = tf.image.extract_patches(x, sizes=k, strides=k, rates=one, padding="VALID")
    return tf.reshape(tf.transpose(tf.reshape(patches, (2, 4, 4, 3)), (0, 1, 3, 2)), (2, 4, 12))


@patches_order.keras
def _(x):
    import keras

    patches = keras.ops.image.extract_patches(x, 2)
    return keras.ops.reshape(patches, (2, 4, 12))


@patches_order.keras.like("torch")
def _(x):
    """Within each patch, put the channels before the pixels."""
    import keras

    patches = keras.ops.reshape(keras.ops.image.extract_patches(x, 2), (2, 4, 4, 3))
    return keras.ops.reshape(keras.ops.transpose(patches, (0, 1, 3, 2)), (2, 4, 12))


@patches_order.torch
def _(x):
    import torch

    patches = torch.nn.functional.unfold(torch.tensor(x).permute(0, 3, 1, 2), 2, stride=2)
    return patches.permute(0, 2, 1)


@patches_order.torch.like("keras")
def _(x):
    """Within each patch, put the pixels before the channels."""
    import torch

    patches = torch.nn.functional.unfold(torch.tensor(x).permute(0, 3, 1, 2), 2, stride=2)
    return patches.reshape(2, 3, 4, 4).permute(0, 3, 2, 1).reshape(2, 4, 12)


def thumbnail() -> Arrays:
    """An image of five by five pixels, channels last, `x` (1, 5, 5, 2), to be drawn with eight by eight."""
    return {"x": np.random.default_rng(19).standard_normal((1, 5, 5, 2))}


resize_nearest = Card(
    id="resize-nearest",
    title="Resizing, nearest neighbour: which pixel is nearest",
    wrong=(
        "PyTorch's 'nearest' measures from the corner of a pixel, TensorFlow and Keras from its middle. By "
        "whole factors upwards, as UpSampling2D does it, there is no difference. Downwards, or by a "
        "fraction, another pixel is picked, and masks and feature pyramids are shifted by up to a pixel."
    ),
    conventions={
        "numpy tensorflow keras": "y[i] = x[⌊(i + ½)·n/m⌋]",
        "torch": "y[i] = x[⌊i·n/m⌋]",
    },
    given=thumbnail,
    differs=0.6,
    absent=NO_RESIZING,
    issues=("pytorch/pytorch#34808", "pytorch/pytorch#62237"),
)


@resize_nearest.numpy
def _(x):
    i = np.floor((np.arange(8) + 0.5) * 5 / 8).astype(int)
    return x[:, i][:, :, i]


@resize_nearest.numpy.like("torch")
def _(x):
    """Take the pixel ⌊i·n/m⌋, without the half."""
    i = np.floor(np.arange(8) * 5 / 8).astype(int)
    return x[:, i][:, :, i]


@resize_nearest.tensorflow
def _(x):
    import tensorflow as tf

    return tf.image.resize(x, (8, 8), method="nearest")


@resize_nearest.tensorflow.like("torch")
def _(x):
    """Use tf.compat.v1.image.resize_nearest_neighbor."""
    import tensorflow as tf

    return tf.compat.v1.image.resize_nearest_neighbor(x, (8, 8))


@resize_nearest.keras
def _(x):
    import keras

    return keras.ops.image.resize(x, (8, 8), interpolation="nearest")


@resize_nearest.keras.like("torch")
def _(x):
    """Take the pixels ⌊i·n/m⌋ along both axes with keras.ops.take."""
    import keras

    i = np.floor(np.arange(8) * 5 / 8).astype(int)
    return keras.ops.take(keras.ops.take(x, i, axis=1), i, axis=2)


@resize_nearest.torch
def _(x):
    import torch

    x = torch.tensor(x).permute(0, 3, 1, 2)
    return torch.nn.functional.interpolate(x, (8, 8), mode="nearest").permute(0, 2, 3, 1)


@resize_nearest.torch.like("keras")
def _(x):
    """Pass mode="nearest-exact"."""
    import torch

    x = torch.tensor(x).permute(0, 3, 1, 2)
    return torch.nn.functional.interpolate(x, (8, 8), mode="nearest-exact").permute(0, 2, 3, 1)


resize_bilinear = Card(
    id="resize-bilinear",
    title="Resizing, bilinear: TensorFlow 1 against all others",
    wrong=(
        "Keras, PyTorch and tf.image.resize agree: coordinates are measured between the middles of pixels. "
        "Networks from TensorFlow 1 (the function is still there, under compat.v1) were trained with "
        "coordinates measured from the first pixel's corner, which moves an enlarged picture by up to half a "
        "pixel of the small one, towards the upper left. align_corners is a third way, and no cure."
    ),
    conventions={
        "numpy keras torch": "y[i] = x at (i + ½)·n/m - ½",
        "tensorflow": "y[i] = x at i·n/m",
    },
    given=thumbnail,
    differs=0.2,
    absent=NO_RESIZING,
    issues=("tensorflow/tensorflow#6720",),
    dtype="float32",
)


@resize_bilinear.numpy
def _(x):
    at = np.clip((np.arange(8) + 0.5) * 5 / 8 - 0.5, 0, 4)
    share = np.maximum(1 - np.abs(at[:, np.newaxis] - np.arange(5)), 0)
    return np.einsum("ih,jw,nhwc->nijc", share, share, x)


@resize_bilinear.numpy.like("tensorflow")
def _(x):
    """Take coordinates i·n/m, without the halves."""
    at = np.clip(np.arange(8) * 5 / 8, 0, 4)
    share = np.maximum(1 - np.abs(at[:, np.newaxis] - np.arange(5)), 0)
    return np.einsum("ih,jw,nhwc->nijc", share, share, x)


@resize_bilinear.tensorflow
def _(x):
    import tensorflow as tf

    return tf.compat.v1.image.resize_bilinear(x, (8, 8))


@resize_bilinear.tensorflow.like("keras")
def _(x):
    """Use tf.image.resize in place of tf.compat.v1.image.resize_bilinear."""
    import tensorflow as tf

    return tf.image.resize(x, (8, 8), method="bilinear")


@resize_bilinear.keras
def _(x):
    import keras

    return keras.ops.image.resize(x, (8, 8), interpolation="bilinear")


@resize_bilinear.keras.like("tensorflow")
def _(x):
    """Weigh the pixels by hand, at coordinates i·n/m."""
    import keras

    at = np.clip(np.arange(8) * 5 / 8, 0, 4)
    share = np.maximum(1 - np.abs(at[:, np.newaxis] - np.arange(5)), 0)
    return keras.ops.einsum("ih,jw,nhwc->nijc", share, share, x)


@resize_bilinear.torch
def _(x):
    import torch

    x = torch.tensor(x).permute(0, 3, 1, 2)
    return torch.nn.functional.interpolate(x, (8, 8), mode="bilinear").permute(0, 2, 3, 1)


@resize_bilinear.torch.like("tensorflow")
def _(x):
    """Weigh the pixels by hand, at coordinates i·n/m."""
    import torch

    at = np.clip(np.arange(8) * 5 / 8, 0, 4)
    share = torch.tensor(np.maximum(1 - np.abs(at[:, np.newaxis] - np.arange(5)), 0))
    return torch.einsum("ih,jw,nhwc->nijc", share, share, torch.tensor(x))


resize_bicubic = Card(
    id="resize-bicubic",
    title="Resizing, bicubic: two cubics",
    wrong=(
        "The cubic has a free parameter a. TensorFlow, Keras and Pillow take one, PyTorch and OpenCV the "
        "other, which is sharper and overshoots more. At the border PyTorch repeats the last pixel, "
        "TensorFlow leaves out what is not there. Pictures look alike, so that it shows in numbers alone: "
        "features, PSNR, labels on the edge."
    ),
    conventions={
        "numpy tensorflow keras": "a = -½; pixels outside have no weight",
        "torch": "a = -¾; pixels outside are those of the border",
    },
    given=thumbnail,
    differs=0.04,
    absent=NO_RESIZING,
    issues=("pytorch/pytorch#9849", "qobilidop/srcnn#13"),
    dtype="float32",
)


@resize_bicubic.numpy
def _(x):
    at = (np.arange(8) + 0.5) * 5 / 8 - 0.5
    d = np.abs(at[:, np.newaxis] - np.arange(5))
    near, far = 1.5 * d**3 - 2.5 * d**2 + 1, -0.5 * (d**3 - 5 * d**2 + 8 * d - 4)
    share = np.where(d < 1, near, np.where(d < 2, far, 0))
    share /= share.sum(axis=1, keepdims=True)
    return np.einsum("ih,jw,nhwc->nijc", share, share, x)


@resize_bicubic.numpy.like("torch")
def _(x):
    """Take the cubic of a = -¾, and repeat the pixels of the border."""
    at = (np.arange(8) + 0.5) * 5 / 8 - 0.5
    d = np.abs(at[:, np.newaxis] - np.arange(-2, 7))
    near, far = 1.25 * d**3 - 2.25 * d**2 + 1, -0.75 * (d**3 - 5 * d**2 + 8 * d - 4)
    share = np.where(d < 1, near, np.where(d < 2, far, 0))
    x = np.pad(x, [(0, 0), (2, 2), (2, 2), (0, 0)], mode="edge")
    return np.einsum("ih,jw,nhwc->nijc", share, share, x)


@resize_bicubic.tensorflow
def _(x):
    import tensorflow as tf

    return tf.image.resize(x, (8, 8), method="bicubic")


@resize_bicubic.tensorflow.like("torch")
def _(x):
    """Weigh by the cubic of a = -¾, and repeat the pixels of the border."""
    import tensorflow as tf

    at = (np.arange(8) + 0.5) * 5 / 8 - 0.5
    d = np.abs(at[:, np.newaxis] - np.arange(-2, 7))
    near, far = 1.25 * d**3 - 2.25 * d**2 + 1, -0.75 * (d**3 - 5 * d**2 + 8 * d - 4)
    share = np.where(d < 1, near, np.where(d < 2, far, 0))
    i = np.clip(np.arange(-2, 7), 0, 4)
    x = tf.gather(tf.gather(x, i, axis=1), i, axis=2)
    return tf.einsum("ih,jw,nhwc->nijc", share, share, x)


@resize_bicubic.keras
def _(x):
    import keras

    return keras.ops.image.resize(x, (8, 8), interpolation="bicubic")


@resize_bicubic.keras.like("torch")
def _(x):
    """Weigh by the cubic of a = -¾, and repeat the pixels of the border."""
    import keras

    at = (np.arange(8) + 0.5) * 5 / 8 - 0.5
    d = np.abs(at[:, np.newaxis] - np.arange(-2, 7))
    near, far = 1.25 * d**3 - 2.25 * d**2 + 1, -0.75 * (d**3 - 5 * d**2 + 8 * d - 4)
    share = np.where(d < 1, near, np.where(d < 2, far, 0))
    i = np.clip(np.arange(-2, 7), 0, 4)
    x = keras.ops.take(keras.ops.take(x, i, axis=1), i, axis=2)
    return keras.ops.einsum("ih,jw,nhwc->nijc", share, share, x)


@resize_bicubic.torch
def _(x):
    import torch

    x = torch.tensor(x).permute(0, 3, 1, 2)
    return torch.nn.functional.interpolate(x, (8, 8), mode="bicubic").permute(0, 2, 3, 1)


@resize_bicubic.torch.like("keras")
def _(x):
    """Pass antialias=True, which takes the other cubic; when shrinking it smooths, too."""
    import torch

    x = torch.tensor(x).permute(0, 3, 1, 2)
    y = torch.nn.functional.interpolate(x, (8, 8), mode="bicubic", antialias=True)
    return y.permute(0, 2, 3, 1)


max_pool_float64 = Card(
    id="max-pool-float64",
    title="Max pooling of a NumPy array in TensorFlow: rounded to float32",
    wrong=(
        "tf.nn.max_pool2d turns a NumPy array into a tensor of float32, whatever the array's dtype, and says "
        "nothing; tf.nn.avg_pool2d and tf.nn.conv2d keep float64. Tensors keep their dtype, so it happens at "
        "the input of a network alone, and shows in comparisons at double precision."
    ),
    conventions={
        "numpy keras torch": "maximum in the dtype of x",
        "tensorflow": "maximum of x, rounded to float32",
    },
    given=images,
    differs=1e-08,
    absent=NO_POOLING,
)


@max_pool_float64.numpy
def _(x):
    return x.reshape(2, 4, 2, 4, 2, 3).max(axis=(2, 4))


@max_pool_float64.numpy.like("tensorflow")
def _(x):
    """Round the input to float32."""
    return x.astype(np.float32).reshape(2, 4, 2, 4, 2, 3).max(axis=(2, 4))


@max_pool_float64.tensorflow
def _(x):
    import tensorflow as tf

    return tf.nn.max_pool2d(x, 2, strides=2, padding="VALID")


@max_pool_float64.tensorflow.like("torch")
def _(x):
    """Make a tensor of the array first: tf.constant(x)."""
    import tensorflow as tf

    return tf.nn.max_pool2d(tf.constant(x), 2, strides=2, padding="VALID")


@max_pool_float64.keras
def _(x):
    import keras

    return keras.layers.MaxPooling2D(2)(x)


@max_pool_float64.keras.like("tensorflow")
def _(x):
    """Round the input to float32."""
    import keras

    return keras.layers.MaxPooling2D(2)(x.astype(np.float32))


@max_pool_float64.torch
def _(x):
    import torch

    return torch.nn.MaxPool2d(2)(torch.tensor(x).permute(0, 3, 1, 2)).permute(0, 2, 3, 1)


@max_pool_float64.torch.like("tensorflow")
def _(x):
    """Round the input to float32."""
    import torch

    return torch.nn.MaxPool2d(2)(torch.tensor(x).float().permute(0, 3, 1, 2)).permute(0, 2, 3, 1)


pool_strides = Card(
    id="pool-strides",
    title="Pooling: the default stride and the last pixels are the same",
    wrong=(
        "Nothing to port: without a stride, windows lie side by side, and rows that no longer fill a window "
        "are dropped, in Keras and in PyTorch. (TensorFlow wants a stride. 'same' keeps the rest in a window "
        "of its own, as PyTorch's ceil_mode does.)"
    ),
    conventions={
        "numpy tensorflow keras torch": "stride = size of the window; ⌊n/k⌋ windows",
    },
    given=images,
    absent=NO_POOLING,
    defaults=("MaxPooling2D.strides", "MaxPooling2D.padding", "MaxPool2d.ceil_mode"),
)


@pool_strides.numpy
def _(x):
    return x[:, :6, :6].reshape(2, 2, 3, 2, 3, 3).max(axis=(2, 4))


@pool_strides.tensorflow
def _(x):
    import tensorflow as tf

    return tf.nn.max_pool2d(tf.constant(x), 3, strides=3, padding="VALID")


@pool_strides.keras
def _(x):
    import keras

    return keras.layers.MaxPooling2D(3)(x)


@pool_strides.torch
def _(x):
    import torch

    return torch.nn.MaxPool2d(3)(torch.tensor(x).permute(0, 3, 1, 2)).permute(0, 2, 3, 1)


conv_dilation = Card(
    id="conv-dilation",
    title="Dilated convolution: nothing to port but the kernel's layout",
    wrong=(
        "Nothing to port but the layout of the kernel: dilation means the same everywhere, and so does "
        "padding 'same' with it, as long as the stride is one."
    ),
    conventions={
        "numpy tensorflow keras torch": "y[h, w] = Σ x[h + d·(i-1), w + d·(j-1)]·W[i, j]",
    },
    given=images,
    absent=NO_CONVOLUTION,
    defaults=("Conv2D.dilation_rate",),
)


@conv_dilation.numpy
def _(x, w):
    padded = np.pad(x, [(0, 0), (2, 2), (2, 2), (0, 0)])
    windows = np.lib.stride_tricks.sliding_window_view(padded, (5, 5), axis=(1, 2))[..., ::2, ::2]
    return np.einsum("nhwcij,ijco->nhwo", windows, w)


@conv_dilation.tensorflow
def _(x, w):
    import tensorflow as tf

    return tf.nn.conv2d(x, w, strides=1, padding="SAME", dilations=2)


@conv_dilation.keras
def _(x, w):
    import keras

    layer = keras.layers.Conv2D(4, 3, padding="same", dilation_rate=2, use_bias=False)
    layer.build(x.shape)
    layer.set_weights([w])
    return layer(x)


@conv_dilation.torch
def _(x, w):
    import torch

    layer = torch.nn.Conv2d(3, 4, 3, padding="same", dilation=2, bias=False)
    layer.load_state_dict({"weight": torch.tensor(w.transpose(3, 2, 0, 1))})
    y = layer(torch.tensor(x).permute(0, 3, 1, 2))
    return y.permute(0, 2, 3, 1).detach()


def grouped() -> Arrays:
    """Images `x` (2, 5, 5, 4), and the kernel of a convolution in two groups, `w` (3, 3, 2, 6)."""
    rng = np.random.default_rng(20)
    return {"x": rng.standard_normal((2, 5, 5, 4)), "w": rng.standard_normal((3, 3, 2, 6))}


conv_groups = Card(
    id="conv-groups",
    title="Grouped convolution: the order of the groups is the same",
    wrong=(
        "Nothing to port but the layout of the kernel: the first channels in make the first channels out, "
        "and the kernel holds the channels of one group on its axis in. TensorFlow has no argument for it; "
        "it counts the groups from the shapes."
    ),
    conventions={
        "numpy tensorflow keras torch": "y[…, g·O + o] = Σ x[…, g·C + c]·W[i, j, c, g·O + o]",
    },
    given=grouped,
    absent=NO_CONVOLUTION,
    defaults=("Conv2D.groups",),
)


@conv_groups.numpy
def _(x, w):
    windows = np.lib.stride_tricks.sliding_window_view(x, (3, 3), axis=(1, 2))
    first = np.einsum("nhwcij,ijco->nhwo", windows[:, :, :, :2], w[..., :3])
    second = np.einsum("nhwcij,ijco->nhwo", windows[:, :, :, 2:], w[..., 3:])
    return np.concatenate([first, second], axis=-1)


@conv_groups.tensorflow
def _(x, w):
    import tensorflow as tf

    return tf.nn.conv2d(x, w, strides=1, padding="VALID")


@conv_groups.keras
def _(x, w):
    import keras

    layer = keras.layers.Conv2D(6, 3, groups=2, use_bias=False)
    layer.build(x.shape)
    layer.set_weights([w])
    return layer(x)


@conv_groups.torch
def _(x, w):
    import torch

    layer = torch.nn.Conv2d(4, 6, 3, groups=2, bias=False)
    layer.load_state_dict({"weight": torch.tensor(w.transpose(3, 2, 0, 1))})
    y = layer(torch.tensor(x).permute(0, 3, 1, 2))
    return y.permute(0, 2, 3, 1).detach()


def separable() -> Arrays:
    """Images `x` (2, 5, 5, 3), a kernel `w` (3, 3, 3, 2), one of 1×1 `v` (1, 1, 6, 4), a bias `b` (4,)."""
    rng = np.random.default_rng(21)
    return {
        "x": rng.standard_normal((2, 5, 5, 3)),
        "w": rng.standard_normal((3, 3, 3, 2)),
        "v": rng.standard_normal((1, 1, 6, 4)),
        "b": rng.standard_normal(4),
    }


separable_conv = Card(
    id="separable-conv",
    title="Separable convolution: from one layer to two",
    wrong=(
        "PyTorch has no such layer. Two in a row do the same: one in as many groups as channels, then one of "
        "1×1. Both kernels change their layout, the first as a depthwise one, and only the second has a "
        "bias. There is neither a bias nor an activation in between."
    ),
    conventions={
        "numpy tensorflow keras torch": "y[…, o] = Σ (Σ x[…, c]·W[i, j, c, m])·V[c·M + m, o] + b[o]",
    },
    given=separable,
    absent=NO_CONVOLUTION,
    defaults=("SeparableConv2D.depth_multiplier", "SeparableConv2D.use_bias"),
)


@separable_conv.numpy
def _(x, w, v, b):
    windows = np.lib.stride_tricks.sliding_window_view(x, (3, 3), axis=(1, 2))
    inner = np.einsum("nhwcij,ijcm->nhwcm", windows, w).reshape(2, 3, 3, 6)
    return inner @ v[0, 0] + b


@separable_conv.tensorflow
def _(x, w, v, b):
    import tensorflow as tf

    return tf.nn.separable_conv2d(x, w, v, strides=(1, 1, 1, 1), padding="VALID") + b


@separable_conv.keras
def _(x, w, v, b):
    import keras

    layer = keras.layers.SeparableConv2D(4, 3, depth_multiplier=2)
    layer.build(x.shape)
    layer.set_weights([w, v, b])
    return layer(x)


@separable_conv.torch
def _(x, w, v, b):
    import torch

    depthwise = torch.nn.Conv2d(3, 6, 3, groups=3, bias=False)
    pointwise = torch.nn.Conv2d(6, 4, 1)
    w = w.transpose(2, 3, 0, 1).reshape(6, 1, 3, 3)
    depthwise.load_state_dict({"weight": torch.tensor(w)})
    pointwise.load_state_dict({"weight": torch.tensor(v.transpose(3, 2, 0, 1)), "bias": torch.tensor(b)})
    y = pointwise(depthwise(torch.tensor(x).permute(0, 3, 1, 2)))
    return y.permute(0, 2, 3, 1).detach()
