"""Normalisation layers, in training and in evaluation."""

import numpy as np

from backends.base import Arrays
from guide.card import Card

NO_BATCH_NORM = {"sklearn": "scikit-learn has no batch norm"}


def batches() -> Arrays:
    """A hundred batches of eight rows each, of a mean that drifts, `x` (100, 8, 4)."""
    rng = np.random.default_rng(31)
    drift = np.linspace(0.5, 2.0, 100)[:, np.newaxis, np.newaxis]
    return {"x": drift * (1.0 + rng.standard_normal((100, 8, 4)))}


batch_norm_momentum = Card(
    id="batch-norm-momentum",
    title="Batch norm: which way momentum runs",
    wrong=(
        "Keras's momentum is the weight of what was there before; PyTorch's, like the factor of TensorFlow's "
        "fused kernel, is the weight of the new batch. Carried over as it is, the running statistics are "
        "those of the last batch or two. Training does not show it, since it uses the statistics of each "
        "batch; evaluation does, and is noisy and too poor."
    ),
    conventions={
        "numpy keras": "μ = m·μ + (1 - m)·mean(x)",
        "tensorflow torch": "μ = (1 - m)·μ + m·mean(x)",
    },
    given=batches,
    differs=0.4,
    absent=NO_BATCH_NORM,
    defaults=("BatchNormalization.momentum",),
    issues=(
        "pytorch/examples#289",
        "ludwig-ai/ludwig#2100",
        "lukemelas/EfficientNet-PyTorch#3",
        "kazuto1011/deeplab-pytorch#79",
    ),
    dtype="float32",
)


@batch_norm_momentum.numpy
def _(x):
    running = np.zeros(4)
    for batch in x:
        running = 0.9 * running + 0.1 * batch.mean(axis=0)
        yield running


@batch_norm_momentum.numpy.like("torch")
def _(x):
    """Swap the two weights: use 1 - momentum."""
    running = np.zeros(4)
    for batch in x:
        running = 0.1 * running + 0.9 * batch.mean(axis=0)
        yield running


@batch_norm_momentum.tensorflow
def _(x):
    import tensorflow as tf

    running, variance = tf.zeros(4), tf.ones(4)
    for batch in x.astype(np.float32).reshape(100, 8, 1, 1, 4):  # the kernel knows no float64
        _, running, variance = tf.compat.v1.nn.fused_batch_norm(
            batch, tf.ones(4), tf.zeros(4), running, variance, exponential_avg_factor=0.9
        )
        yield running


@batch_norm_momentum.tensorflow.like("keras")
def _(x):
    """Pass exponential_avg_factor=1 - m, where m is Keras's momentum."""
    import tensorflow as tf

    running, variance = tf.zeros(4), tf.ones(4)
    for batch in x.astype(np.float32).reshape(100, 8, 1, 1, 4):
        _, running, variance = tf.compat.v1.nn.fused_batch_norm(
            batch, tf.ones(4), tf.zeros(4), running, variance, exponential_avg_factor=0.1
        )
        yield running


@batch_norm_momentum.keras
def _(x):
    import keras

    layer = keras.layers.BatchNormalization(momentum=0.9)
    for batch in x:
        layer(batch, training=True)
        yield layer.moving_mean.numpy()


@batch_norm_momentum.keras.like("torch")
def _(x):
    """Pass momentum=1 - m, where m is PyTorch's momentum (or TensorFlow's factor)."""
    import keras

    layer = keras.layers.BatchNormalization(momentum=0.1)
    for batch in x:
        layer(batch, training=True)
        yield layer.moving_mean.numpy()


@batch_norm_momentum.torch
def _(x):
    import torch

    layer = torch.nn.BatchNorm1d(4, momentum=0.9)
    for batch in torch.tensor(x):
        layer(batch)
        yield layer.state_dict()["running_mean"].numpy()


@batch_norm_momentum.torch.like("keras")
def _(x):
    """Pass momentum=1 - m, where m is Keras's momentum."""
    import torch

    layer = torch.nn.BatchNorm1d(4, momentum=0.1)
    for batch in torch.tensor(x):
        layer(batch)
        yield layer.state_dict()["running_mean"].numpy()


def faint() -> Arrays:
    """Rows of small numbers, `x` (8, 6), of a variance like that of activations in a narrow layer."""
    return {"x": 0.05 * np.random.default_rng(32).standard_normal((8, 6))}


batch_norm_epsilon = Card(
    id="batch-norm-epsilon",
    title="Batch norm: default ε",
    wrong=(
        "Keras and TensorFlow add far more to the variance than PyTorch does. On activations of a variance "
        "near one that is invisible, on small ones it is a factor in front of a whole channel. A network "
        "that is ported without its ε is slightly off in every layer, which adds up with depth."
    ),
    conventions={
        "numpy tensorflow keras": "(x - μ) / √(σ² + 1e-3)",
        "torch": "(x - μ) / √(σ² + 1e-5)",
    },
    given=faint,
    differs=0.1,
    absent=NO_BATCH_NORM,
    defaults=("BatchNormalization.epsilon",),
    issues=("qqwweee/keras-yolo3#451", "r9y9/tacotron_pytorch#19"),
    dtype="float32",
)


@batch_norm_epsilon.numpy
def _(x):
    return (x - x.mean(axis=0)) / np.sqrt(x.var(axis=0) + 1e-3)


@batch_norm_epsilon.numpy.like("torch")
def _(x):
    """Add 1e-5 to the variance, not 1e-3."""
    return (x - x.mean(axis=0)) / np.sqrt(x.var(axis=0) + 1e-5)


@batch_norm_epsilon.tensorflow
def _(x):
    import tensorflow as tf

    x = x.astype(np.float32).reshape(8, 1, 1, 6)  # the kernel knows no float64
    y, _, _ = tf.compat.v1.nn.fused_batch_norm(x, tf.ones(6), tf.zeros(6))
    return y[:, 0, 0]


@batch_norm_epsilon.tensorflow.like("torch")
def _(x):
    """Pass epsilon=1e-5."""
    import tensorflow as tf

    x = x.astype(np.float32).reshape(8, 1, 1, 6)
    y, _, _ = tf.compat.v1.nn.fused_batch_norm(x, tf.ones(6), tf.zeros(6), epsilon=1e-5)
    return y[:, 0, 0]


@batch_norm_epsilon.keras
def _(x):
    import keras

    return keras.layers.BatchNormalization()(x, training=True)


@batch_norm_epsilon.keras.like("torch")
def _(x):
    """Pass epsilon=1e-5."""
    import keras

    return keras.layers.BatchNormalization(epsilon=1e-5)(x, training=True)


@batch_norm_epsilon.torch
def _(x):
    import torch

    return torch.nn.BatchNorm1d(6)(torch.tensor(x)).detach()


@batch_norm_epsilon.torch.like("keras")
def _(x):
    """Pass eps=1e-3."""
    import torch

    return torch.nn.BatchNorm1d(6, eps=1e-3)(torch.tensor(x)).detach()


batch_norm_variance = Card(
    id="batch-norm-variance",
    title="Batch norm: is the running variance biased?",
    wrong=(
        "All normalise a batch by its biased variance. For evaluation PyTorch and TensorFlow's fused kernel "
        "keep the unbiased one, n/(n-1) times as large, and Keras 3 the biased one. The difference fades "
        "with the rows times the pixels of a batch: none to speak of in a convolution, plain to see in a "
        "dense layer with small batches."
    ),
    conventions={
        "numpy keras": "σ² = 0.9·σ² + 0.1·Σ(x - x̄)²/n",
        "tensorflow torch": "σ² = 0.9·σ² + 0.1·Σ(x - x̄)²/(n - 1)",
    },
    given=batches,
    differs=0.06,
    absent=NO_BATCH_NORM,
    issues=(
        "keras-team/keras#8982",
        "tensorflow/tensorflow#55545",
        "pytorch/pytorch#106366",
        "pytorch/pytorch#60528",
        "rwth-i6/returnn#1539",
    ),
    dtype="float32",
)


@batch_norm_variance.numpy
def _(x):
    running = np.ones(4)
    for batch in x:
        running = 0.9 * running + 0.1 * batch.var(axis=0)
        yield running


@batch_norm_variance.numpy.like("torch")
def _(x):
    """Pass ddof=1 for the running variance."""
    running = np.ones(4)
    for batch in x:
        running = 0.9 * running + 0.1 * batch.var(axis=0, ddof=1)
        yield running


@batch_norm_variance.tensorflow
def _(x):
    import tensorflow as tf

    mean, running = tf.zeros(4), tf.ones(4)
    for batch in x.astype(np.float32).reshape(100, 8, 1, 1, 4):  # the kernel knows no float64
        _, mean, running = tf.compat.v1.nn.fused_batch_norm(
            batch, tf.ones(4), tf.zeros(4), mean, running, exponential_avg_factor=0.1
        )
        yield running


@batch_norm_variance.tensorflow.like("keras")
def _(x):
    """Take the variance from tf.nn.moments, which is biased."""
    import tensorflow as tf

    running = tf.ones(4, tf.float64)
    for batch in x:
        _, variance = tf.nn.moments(batch, 0)
        running = 0.9 * running + 0.1 * variance
        yield running


@batch_norm_variance.keras
def _(x):
    import keras

    layer = keras.layers.BatchNormalization(momentum=0.9)
    for batch in x:
        layer(batch, training=True)
        yield layer.moving_variance.numpy()


@batch_norm_variance.keras.like("torch")
def _(x):
    """After each step, add to moving_variance 1/(n-1) of what the batch has contributed."""
    import keras

    layer = keras.layers.BatchNormalization(momentum=0.9)
    layer.build(x[0].shape)
    for batch in x:
        before = layer.moving_variance.numpy()
        layer(batch, training=True)
        after = layer.moving_variance.numpy()
        layer.moving_variance.assign(after + (after - 0.9 * before) / 7)
        yield layer.moving_variance.numpy()


@batch_norm_variance.torch
def _(x):
    import torch

    layer = torch.nn.BatchNorm1d(4, momentum=0.1)
    for batch in torch.tensor(x):
        layer(batch)
        yield layer.state_dict()["running_var"].numpy()


@batch_norm_variance.torch.like("keras")
def _(x):
    """After each step, subtract from running_var 1/n of what the batch has contributed."""
    import torch

    layer = torch.nn.BatchNorm1d(4, momentum=0.1)
    running = layer.state_dict()["running_var"]
    for batch in torch.tensor(x):
        before = running.clone()
        layer(batch)
        running -= (running - 0.9 * before) / 8
        yield running.numpy()


def shifted() -> Arrays:
    """Rows of a mean far from zero, `x` (8, 6)."""
    return {"x": 3.0 + np.random.default_rng(33).standard_normal((8, 6))}


batch_norm_frozen = Card(
    id="batch-norm-frozen",
    title="Batch norm: what freezing a layer does",
    wrong=(
        "A frozen layer in Keras, trainable=False, normalises by its running statistics even in training. In "
        "PyTorch requires_grad=False stops the gradients of γ and β alone: batches are still normalised by "
        "their own statistics, and the running ones keep moving, so that fine-tuning ruins them. Putting the "
        "layer into eval() helps only until the next model.train()."
    ),
    conventions={
        "numpy keras": "frozen: (x - running mean) / √(running variance + ε)",
        "torch": "frozen: (x - mean of the batch) / √(variance of the batch + ε)",
    },
    given=shifted,
    differs=0.4,
    absent=NO_BATCH_NORM | {"tensorflow": "TensorFlow has no layers to freeze below Keras"},
    issues=("pytorch/pytorch#86590", "chemprop/chemprop#952", "isht7/pytorch-deeplab-resnet#39"),
)


@batch_norm_frozen.numpy
def _(x):
    mean, variance = np.zeros(6), np.ones(6)
    return (x - mean) / np.sqrt(variance + 1e-3)


@batch_norm_frozen.numpy.like("torch")
def _(x):
    """Use the mean and variance of the batch."""
    return (x - x.mean(axis=0)) / np.sqrt(x.var(axis=0) + 1e-3)


@batch_norm_frozen.keras
def _(x):
    import keras

    layer = keras.layers.BatchNormalization(epsilon=1e-3)
    layer.trainable = False
    return layer(x, training=True)


@batch_norm_frozen.keras.like("torch")
def _(x):
    """Set trainable=False on gamma and beta, not on the layer."""
    import keras

    layer = keras.layers.BatchNormalization(epsilon=1e-3)
    layer.build(x.shape)
    layer.gamma.trainable = layer.beta.trainable = False
    return layer(x, training=True)


@batch_norm_frozen.torch
def _(x):
    import torch

    layer = torch.nn.BatchNorm1d(6, eps=1e-3)
    layer.requires_grad_(False)
    return layer.train()(torch.tensor(x))


@batch_norm_frozen.torch.like("keras")
def _(x):
    """Call eval() on the layer after each model.train()."""
    import torch

    layer = torch.nn.BatchNorm1d(6, eps=1e-3)
    layer.requires_grad_(False)
    return layer.train().eval()(torch.tensor(x))


def square_maps() -> Arrays:
    """Series as long as they have channels, `x` (4, 5, 5), each channel of another mean and size."""
    rng = np.random.default_rng(34)
    return {"x": np.arange(5) + rng.standard_normal((4, 5, 5)) * np.arange(1, 6)}


batch_norm_axis = Card(
    id="batch-norm-axis",
    title="Batch norm: which axis holds the channels",
    wrong=(
        "Keras normalises each channel of the last axis, PyTorch each of the second. For rows that is the "
        "same axis. For series and images that were not transposed on the way, each step or row is "
        "normalised instead of each channel, and only a check of sizes can tell."
    ),
    conventions={
        "numpy tensorflow keras": "statistics of x[:, :, c]",
        "torch": "statistics of x[:, c, :]",
    },
    given=square_maps,
    differs=0.2,
    absent=NO_BATCH_NORM,
    defaults=("BatchNormalization.axis",),
)


@batch_norm_axis.numpy
def _(x):
    return (x - x.mean(axis=(0, 1))) / np.sqrt(x.var(axis=(0, 1)) + 1e-3)


@batch_norm_axis.numpy.like("torch")
def _(x):
    """Average over the first and the last axis."""
    mean, variance = x.mean(axis=(0, 2), keepdims=True), x.var(axis=(0, 2), keepdims=True)
    return (x - mean) / np.sqrt(variance + 1e-3)


@batch_norm_axis.tensorflow
def _(x):
    import tensorflow as tf

    mean, variance = tf.nn.moments(x, (0, 1))
    return tf.nn.batch_normalization(x, mean, variance, offset=None, scale=None, variance_epsilon=1e-3)


@batch_norm_axis.tensorflow.like("torch")
def _(x):
    """Average over the first and the last axis, and keep both."""
    import tensorflow as tf

    mean, variance = tf.nn.moments(x, (0, 2), keepdims=True)
    return tf.nn.batch_normalization(x, mean, variance, offset=None, scale=None, variance_epsilon=1e-3)


@batch_norm_axis.keras
def _(x):
    import keras

    return keras.layers.BatchNormalization(epsilon=1e-3)(x, training=True)


@batch_norm_axis.keras.like("torch")
def _(x):
    """Pass axis=1 to BatchNormalization."""
    import keras

    return keras.layers.BatchNormalization(axis=1, epsilon=1e-3)(x, training=True)


@batch_norm_axis.torch
def _(x):
    import torch

    return torch.nn.BatchNorm1d(5, eps=1e-3)(torch.tensor(x)).detach()


@batch_norm_axis.torch.like("keras")
def _(x):
    """Permute the channels to the second axis, and back."""
    import torch

    layer = torch.nn.BatchNorm1d(5, eps=1e-3)
    return layer(torch.tensor(x).permute(0, 2, 1)).permute(0, 2, 1).detach()


NO_LAYER_NORM = {
    "sklearn": "scikit-learn has no layers of normalisation",
    "tensorflow": "TensorFlow has none below Keras",
}

layer_norm_epsilon = Card(
    id="layer-norm-epsilon",
    title="Layer norm: default ε",
    wrong=(
        "Keras's ε is far larger than PyTorch's; published transformers use others again. It shows where a "
        "row varies little: with small embeddings, and behind layers initialised near zero, the output is "
        "too small by a factor. On rows of a variance near one a test sees nothing."
    ),
    conventions={
        "numpy keras": "(x - μ) / √(σ² + 1e-3)",
        "torch": "(x - μ) / √(σ² + 1e-5)",
    },
    given=faint,
    differs=0.1,
    absent=NO_LAYER_NORM,
    defaults=("LayerNormalization.epsilon",),
    issues=("keras-team/keras-hub#642", "keras-team/keras-hub#728", "huggingface/transformers#532"),
)


@layer_norm_epsilon.numpy
def _(x):
    mean, variance = x.mean(axis=-1, keepdims=True), x.var(axis=-1, keepdims=True)
    return (x - mean) / np.sqrt(variance + 1e-3)


@layer_norm_epsilon.numpy.like("torch")
def _(x):
    """Add 1e-5 to the variance, not 1e-3."""
    mean, variance = x.mean(axis=-1, keepdims=True), x.var(axis=-1, keepdims=True)
    return (x - mean) / np.sqrt(variance + 1e-5)


@layer_norm_epsilon.keras
def _(x):
    import keras

    return keras.layers.LayerNormalization()(x)


@layer_norm_epsilon.keras.like("torch")
def _(x):
    """Pass epsilon=1e-5."""
    import keras

    return keras.layers.LayerNormalization(epsilon=1e-5)(x)


@layer_norm_epsilon.torch
def _(x):
    import torch

    return torch.nn.LayerNorm(6)(torch.tensor(x)).detach()


@layer_norm_epsilon.torch.like("keras")
def _(x):
    """Pass eps=1e-3."""
    import torch

    return torch.nn.LayerNorm(6, eps=1e-3)(torch.tensor(x)).detach()


def uneven_images() -> Arrays:
    """Images, channels last, `x` (2, 4, 4, 6), each channel of another mean and size."""
    rng = np.random.default_rng(35)
    return {"x": np.arange(6) + rng.standard_normal((2, 4, 4, 6)) * np.arange(1, 7)}


layer_norm_axes = Card(
    id="layer-norm-axes",
    title="Layer norm of images: over channels or over everything",
    wrong=(
        "Keras's layer normalises the last axis, so that each pixel of an image gets a mean of its own. "
        "PyTorch's wants the sizes of the trailing axes, and its documentation passes all but the first for "
        "images: one mean for the whole. On sequences, with the features last, both do the same."
    ),
    conventions={
        "numpy keras": "statistics of x[n, h, w, :]",
        "torch": "statistics of x[n, :, :, :]",
    },
    given=uneven_images,
    differs=0.2,
    absent=NO_LAYER_NORM,
    defaults=("LayerNormalization.axis",),
    issues=("pytorch/pytorch#71465", "facebookresearch/ConvNeXt#112", "keras-team/keras#18231"),
)


@layer_norm_axes.numpy
def _(x):
    mean, variance = x.mean(axis=-1, keepdims=True), x.var(axis=-1, keepdims=True)
    return (x - mean) / np.sqrt(variance + 1e-5)


@layer_norm_axes.numpy.like("torch")
def _(x):
    """Average over all axes but the first."""
    mean, variance = x.mean(axis=(1, 2, 3), keepdims=True), x.var(axis=(1, 2, 3), keepdims=True)
    return (x - mean) / np.sqrt(variance + 1e-5)


@layer_norm_axes.keras
def _(x):
    import keras

    return keras.layers.LayerNormalization(epsilon=1e-5)(x)


@layer_norm_axes.keras.like("torch")
def _(x):
    """Pass all axes but the first: axis=(1, 2, 3)."""
    import keras

    return keras.layers.LayerNormalization(axis=(1, 2, 3), epsilon=1e-5)(x)


@layer_norm_axes.torch
def _(x):
    import torch

    layer = torch.nn.LayerNorm((6, 4, 4), eps=1e-5)
    return layer(torch.tensor(x).permute(0, 3, 1, 2)).permute(0, 2, 3, 1).detach()


@layer_norm_axes.torch.like("keras")
def _(x):
    """Put the channels last, and pass only their number to LayerNorm."""
    import torch

    layer = torch.nn.LayerNorm(6, eps=1e-5)
    return layer(torch.tensor(x)).detach()


def faint_images() -> Arrays:
    """Images of small numbers, channels last, `x` (2, 4, 4, 6)."""
    return {"x": 0.05 * np.random.default_rng(36).standard_normal((2, 4, 4, 6))}


group_norm_epsilon = Card(
    id="group-norm-epsilon",
    title="Group norm: default ε and number of groups",
    wrong=(
        "ε differs as in layer norm, and shows where a group varies little. Groups are made of neighbouring "
        "channels in both; Keras has a number of groups by default, PyTorch wants it. Keras takes the "
        "channels last, PyTorch second."
    ),
    conventions={
        "numpy keras": "(x - μ) / √(σ² + 1e-3) in each group",
        "torch": "(x - μ) / √(σ² + 1e-5) in each group",
    },
    given=faint_images,
    differs=0.08,
    absent=NO_LAYER_NORM,
    defaults=("GroupNormalization.epsilon", "GroupNormalization.groups"),
)


@group_norm_epsilon.numpy
def _(x):
    g = x.reshape(2, 4, 4, 3, 2)
    mean, variance = g.mean(axis=(1, 2, 4), keepdims=True), g.var(axis=(1, 2, 4), keepdims=True)
    return ((g - mean) / np.sqrt(variance + 1e-3)).reshape(x.shape)


@group_norm_epsilon.numpy.like("torch")
def _(x):
    """Add 1e-5 to the variance, not 1e-3."""
    g = x.reshape(2, 4, 4, 3, 2)
    mean, variance = g.mean(axis=(1, 2, 4), keepdims=True), g.var(axis=(1, 2, 4), keepdims=True)
    return ((g - mean) / np.sqrt(variance + 1e-5)).reshape(x.shape)


@group_norm_epsilon.keras
def _(x):
    import keras

    return keras.layers.GroupNormalization(3)(x)


@group_norm_epsilon.keras.like("torch")
def _(x):
    """Pass epsilon=1e-5."""
    import keras

    return keras.layers.GroupNormalization(3, epsilon=1e-5)(x)


@group_norm_epsilon.torch
def _(x):
    import torch

    layer = torch.nn.GroupNorm(3, 6)
    return layer(torch.tensor(x).permute(0, 3, 1, 2)).permute(0, 2, 3, 1).detach()


@group_norm_epsilon.torch.like("keras")
def _(x):
    """Pass eps=1e-3."""
    import torch

    layer = torch.nn.GroupNorm(3, 6, eps=1e-3)
    return layer(torch.tensor(x).permute(0, 3, 1, 2)).permute(0, 2, 3, 1).detach()


instance_norm = Card(
    id="instance-norm",
    title="Instance norm: a group norm with as many groups as channels",
    wrong=(
        "Keras has no instance norm, and its group norm with groups=-1 is one: but with γ and β, which "
        "PyTorch's InstanceNorm has only with affine=True, and with another ε. The first shows when training "
        "starts, the second on images of little contrast."
    ),
    conventions={
        "numpy torch": "(x - μ) / √(σ² + 1e-5) in each channel of each image",
        "keras": "(x - μ) / √(σ² + 1e-3) in each channel of each image",
    },
    given=faint_images,
    differs=0.1,
    absent=NO_LAYER_NORM,
    defaults=("GroupNormalization.epsilon", "InstanceNorm2d.affine", "InstanceNorm2d.track_running_stats"),
    issues=("keras-team/keras#19050", "pytorch/pytorch#8895"),
)


@instance_norm.numpy
def _(x):
    mean, variance = x.mean(axis=(1, 2), keepdims=True), x.var(axis=(1, 2), keepdims=True)
    return (x - mean) / np.sqrt(variance + 1e-5)


@instance_norm.numpy.like("keras")
def _(x):
    """Add 1e-3 to the variance, not 1e-5."""
    mean, variance = x.mean(axis=(1, 2), keepdims=True), x.var(axis=(1, 2), keepdims=True)
    return (x - mean) / np.sqrt(variance + 1e-3)


@instance_norm.keras
def _(x):
    import keras

    return keras.layers.GroupNormalization(groups=-1)(x)


@instance_norm.keras.like("torch")
def _(x):
    """Pass epsilon=1e-5, center=False and scale=False."""
    import keras

    return keras.layers.GroupNormalization(groups=-1, epsilon=1e-5, center=False, scale=False)(x)


@instance_norm.torch
def _(x):
    import torch

    layer = torch.nn.InstanceNorm2d(6)
    return layer(torch.tensor(x).permute(0, 3, 1, 2)).permute(0, 2, 3, 1)


@instance_norm.torch.like("keras")
def _(x):
    """Pass eps=1e-3 and affine=True."""
    import torch

    layer = torch.nn.InstanceNorm2d(6, eps=1e-3, affine=True)
    return layer(torch.tensor(x).permute(0, 3, 1, 2)).permute(0, 2, 3, 1).detach()


def fainter() -> Arrays:
    """Rows of very small numbers, `x` (8, 6)."""
    return {"x": 1e-3 * np.random.default_rng(37).standard_normal((8, 6))}


rms_norm_epsilon = Card(
    id="rms-norm-epsilon",
    title="RMS norm: default ε",
    wrong=(
        "Keras has a fixed ε. PyTorch's default is none, and stands for the machine epsilon of the dtype it "
        "computes in: the same model has another ε in float64 than in float32. It shows where a row is close "
        "to zero, as embeddings are at the start."
    ),
    conventions={
        "numpy keras": "x / √(mean(x²) + 1e-6)",
        "torch": "x / √(mean(x²) + eps of the dtype)",
    },
    given=fainter,
    differs=0.2,
    absent=NO_LAYER_NORM,
    defaults=("RMSNormalization.epsilon",),
    issues=("pytorch/pytorch#155527", "pytorch/pytorch#173039", "goodfire-ai/spd#625"),
)


@rms_norm_epsilon.numpy
def _(x):
    return x / np.sqrt(np.mean(x**2, axis=-1, keepdims=True) + 1e-6)


@rms_norm_epsilon.numpy.like("torch")
def _(x):
    """Use the machine epsilon of the dtype."""
    return x / np.sqrt(np.mean(x**2, axis=-1, keepdims=True) + np.finfo(x.dtype).eps)


@rms_norm_epsilon.keras
def _(x):
    import keras

    return keras.layers.RMSNormalization()(x)


@rms_norm_epsilon.keras.like("torch")
def _(x):
    """Pass epsilon=np.finfo(dtype).eps, of the dtype that PyTorch computed in."""
    import keras

    return keras.layers.RMSNormalization(epsilon=np.finfo(np.float64).eps)(x)


@rms_norm_epsilon.torch
def _(x):
    import torch

    return torch.nn.RMSNorm(6)(torch.tensor(x)).detach()


@rms_norm_epsilon.torch.like("keras")
def _(x):
    """Pass eps=1e-6."""
    import torch

    return torch.nn.RMSNorm(6, eps=1e-6)(torch.tensor(x)).detach()


def tokens() -> Arrays:
    """Sequences as long as they have features, `x` (3, 4, 4)."""
    return {"x": np.random.default_rng(38).standard_normal((3, 4, 4))}


unit_norm_axis = Card(
    id="unit-norm-axis",
    title="Dividing by the L2 norm: default axis",
    wrong=(
        "Keras normalises the last axis, F.normalize the second, and tf.math.l2_normalize, where no axis is "
        "given, the array as a whole. For a matrix the first two are the same. For sequences of embeddings "
        "PyTorch divides by a norm over the time steps, so that cosine similarities come out wrong and still "
        "lie between -1 and 1."
    ),
    conventions={
        "numpy keras": "x / ‖x[n, t, :]‖",
        "torch": "x / ‖x[n, :, d]‖",
        "tensorflow": "x / ‖x‖",
    },
    given=tokens,
    differs=0.1,
    absent={"sklearn": "scikit-learn's normalize takes matrices alone, by rows"},
    defaults=("UnitNormalization.axis",),
)


@unit_norm_axis.numpy
def _(x):
    return x / np.linalg.norm(x, axis=-1, keepdims=True)


@unit_norm_axis.numpy.like("torch")
def _(x):
    """Pass axis=1."""
    return x / np.linalg.norm(x, axis=1, keepdims=True)


@unit_norm_axis.numpy.like("tensorflow")
def _(x):
    """Leave out the axis."""
    return x / np.linalg.norm(x)


@unit_norm_axis.tensorflow
def _(x):
    import tensorflow as tf

    return tf.math.l2_normalize(x)


@unit_norm_axis.tensorflow.like("keras")
def _(x):
    """Pass axis=-1."""
    import tensorflow as tf

    return tf.math.l2_normalize(x, axis=-1)


@unit_norm_axis.tensorflow.like("torch")
def _(x):
    """Pass axis=1."""
    import tensorflow as tf

    return tf.math.l2_normalize(x, axis=1)


@unit_norm_axis.keras
def _(x):
    import keras

    return keras.layers.UnitNormalization()(x)


@unit_norm_axis.keras.like("torch")
def _(x):
    """Pass axis=1."""
    import keras

    return keras.layers.UnitNormalization(axis=1)(x)


@unit_norm_axis.keras.like("tensorflow")
def _(x):
    """Pass all axes, the first included: axis=(0, 1, 2)."""
    import keras

    return keras.layers.UnitNormalization(axis=(0, 1, 2))(x)


@unit_norm_axis.torch
def _(x):
    import torch

    return torch.nn.functional.normalize(torch.tensor(x))


@unit_norm_axis.torch.like("keras")
def _(x):
    """Pass dim=-1."""
    import torch

    return torch.nn.functional.normalize(torch.tensor(x), dim=-1)


@unit_norm_axis.torch.like("tensorflow")
def _(x):
    """Flatten the array before F.normalize with dim=0, and reshape it back."""
    import torch

    return torch.nn.functional.normalize(torch.tensor(x).flatten(), dim=0).reshape(x.shape)


def short_rows() -> Arrays:
    """Three rows `x` (3, 2), of the norms 5e-4, 5e-8 and 5e-14."""
    return {"x": np.array([[3e-4, 4e-4], [3e-8, 4e-8], [3e-14, 4e-14]])}


unit_norm_epsilon = Card(
    id="unit-norm-epsilon",
    title="Dividing by the L2 norm: short vectors",
    wrong=(
        "Keras and PyTorch bound the norm by ε from below; TensorFlow bounds the squared norm by it, so that "
        "the bound of the norm is √ε, which is far larger. Scikit-learn divides by whatever is not zero to "
        "rounding. Vectors below the bound stay short: gradients, differences, embeddings of padding."
    ),
    conventions={
        "numpy keras torch": "x / max(‖x‖, ε)",
        "tensorflow": "x / √max(‖x‖², ε)",
        "sklearn": "x / ‖x‖, where ‖x‖ ≥ 10·eps",
    },
    given=short_rows,
    differs=0.4,
    issues=("tensorflow/tensorflow#56796", "apple/axlearn#21", "keras-team/keras#20196"),
)


@unit_norm_epsilon.numpy
def _(x):
    return x / np.maximum(np.linalg.norm(x, axis=1, keepdims=True), 1e-12)


@unit_norm_epsilon.numpy.like("tensorflow")
def _(x):
    """Bound the squared norm."""
    return x / np.sqrt(np.maximum(np.sum(x**2, axis=1, keepdims=True), 1e-12))


@unit_norm_epsilon.numpy.like("sklearn")
def _(x):
    """Divide by the norm unless it is zero to rounding."""
    norm = np.linalg.norm(x, axis=1, keepdims=True)
    return x / np.where(norm < 10 * np.finfo(x.dtype).eps, 1, norm)


@unit_norm_epsilon.sklearn
def _(x):
    from sklearn.preprocessing import normalize

    return normalize(x)


@unit_norm_epsilon.sklearn.like("keras")
def _(x):
    """Multiply rows that are shorter than ε by their norm over ε."""
    from sklearn.preprocessing import normalize

    return normalize(x) * np.minimum(np.linalg.norm(x, axis=1, keepdims=True) / 1e-12, 1)


@unit_norm_epsilon.sklearn.like("tensorflow")
def _(x):
    """Multiply rows that are shorter than √ε by their norm over √ε."""
    from sklearn.preprocessing import normalize

    return normalize(x) * np.minimum(np.linalg.norm(x, axis=1, keepdims=True) / 1e-6, 1)


@unit_norm_epsilon.tensorflow
def _(x):
    import tensorflow as tf

    return tf.math.l2_normalize(x, axis=1)


@unit_norm_epsilon.tensorflow.like("torch")
def _(x):
    """Pass the square of PyTorch's ε: epsilon=1e-24."""
    import tensorflow as tf

    return tf.math.l2_normalize(x, axis=1, epsilon=1e-24)


@unit_norm_epsilon.tensorflow.like("sklearn")
def _(x):
    """Pass next to no ε: epsilon=1e-300."""
    import tensorflow as tf

    return tf.math.l2_normalize(x, axis=1, epsilon=1e-300)


@unit_norm_epsilon.keras
def _(x):
    import keras

    return keras.layers.UnitNormalization()(x)


@unit_norm_epsilon.keras.like("tensorflow")
def _(x):
    """Use keras.ops.normalize with the root of TensorFlow's ε: epsilon=1e-6."""
    import keras

    return keras.ops.normalize(x, epsilon=1e-6)


@unit_norm_epsilon.keras.like("sklearn")
def _(x):
    """Use keras.ops.normalize with next to no ε: epsilon=1e-300."""
    import keras

    return keras.ops.normalize(x, epsilon=1e-300)


@unit_norm_epsilon.torch
def _(x):
    import torch

    return torch.nn.functional.normalize(torch.tensor(x))


@unit_norm_epsilon.torch.like("tensorflow")
def _(x):
    """Pass the root of TensorFlow's ε: eps=1e-6."""
    import torch

    return torch.nn.functional.normalize(torch.tensor(x), eps=1e-6)


@unit_norm_epsilon.torch.like("sklearn")
def _(x):
    """Pass next to no ε: eps=1e-300."""
    import torch

    return torch.nn.functional.normalize(torch.tensor(x), eps=1e-300)


def many_channels() -> Arrays:
    """Images, channels last, `x` (2, 3, 3, 7)."""
    return {"x": np.random.default_rng(39).standard_normal((2, 3, 3, 7))}


local_response_norm = Card(
    id="local-response-norm",
    title="Local response normalisation: is α divided by the size?",
    wrong=(
        "TensorFlow, like the paper on AlexNet, multiplies α by the sum over the neighbouring channels; "
        "PyTorch, like Caffe, by their mean. The size is a radius in TensorFlow and a number of channels in "
        "PyTorch. With the small α of the paper it does not show at once; with a large one the activations "
        "are of another size."
    ),
    conventions={
        "numpy tensorflow": "x / (k + α·Σ x²)^β",
        "torch": "x / (k + α/n·Σ x²)^β",
    },
    given=many_channels,
    differs=0.2,
    absent={
        "sklearn": "scikit-learn has no layers of normalisation",
        "keras": "Keras has no local response normalisation",
    },
    defaults=("LocalResponseNorm.alpha", "LocalResponseNorm.beta", "LocalResponseNorm.k"),
    issues=("BVLC/caffe#1453", "ethereon/caffe-tensorflow#173", "heuritech/convnets-keras#6"),
    dtype="float32",
)


@local_response_norm.numpy
def _(x):
    padded = np.pad(x**2, [(0, 0), (0, 0), (0, 0), (2, 2)])
    around = np.lib.stride_tricks.sliding_window_view(padded, 5, axis=3).sum(axis=-1)
    return x / (1 + 0.5 * around) ** 0.75


@local_response_norm.numpy.like("torch")
def _(x):
    """Divide α by the number of channels in the window."""
    padded = np.pad(x**2, [(0, 0), (0, 0), (0, 0), (2, 2)])
    around = np.lib.stride_tricks.sliding_window_view(padded, 5, axis=3).sum(axis=-1)
    return x / (1 + 0.5 / 5 * around) ** 0.75


@local_response_norm.tensorflow
def _(x):
    import tensorflow as tf

    return tf.nn.local_response_normalization(x, depth_radius=2, bias=1.0, alpha=0.5, beta=0.75)


@local_response_norm.tensorflow.like("torch")
def _(x):
    """Divide alpha by PyTorch's size; depth_radius is half of what size is above one."""
    import tensorflow as tf

    return tf.nn.local_response_normalization(x, depth_radius=2, bias=1.0, alpha=0.5 / 5, beta=0.75)


@local_response_norm.torch
def _(x):
    import torch

    layer = torch.nn.LocalResponseNorm(5, alpha=0.5, beta=0.75, k=1.0)
    return layer(torch.tensor(x).permute(0, 3, 1, 2)).permute(0, 2, 3, 1)


@local_response_norm.torch.like("tensorflow")
def _(x):
    """Multiply alpha by the size of the window (twice depth_radius, and one)."""
    import torch

    layer = torch.nn.LocalResponseNorm(5, alpha=0.5 * 5, beta=0.75, k=1.0)
    return layer(torch.tensor(x).permute(0, 3, 1, 2)).permute(0, 2, 3, 1)


def few_rows() -> Arrays:
    """Ten rows of three features, of different means and sizes, `x` (10, 3)."""
    rng = np.random.default_rng(40)
    return {"x": np.array([1.0, -2.0, 3.0]) + rng.standard_normal((10, 3)) * np.array([1.0, 5.0, 0.2])}


standardise = Card(
    id="standardise",
    title="Standard deviation, variance, standardised features: n or n - 1",
    wrong=(
        "torch.std and torch.var divide by n - 1; StandardScaler, Keras's Normalization, NumPy and "
        "TensorFlow divide by n. With thousands of rows it does not matter; with a few dozen, or per image, "
        "features are scaled by another number, and a single row becomes NaN. PyTorch's own batch "
        "normalisation divides by n where it normalises, so the two disagree inside PyTorch."
    ),
    conventions={
        "numpy sklearn tensorflow keras": "(x - x̄) / √(Σ(x - x̄)²/n)",
        "torch": "(x - x̄) / √(Σ(x - x̄)²/(n - 1))",
    },
    given=few_rows,
    differs=0.02,
    issues=("pytorch/pytorch#50010", "pytorch/pytorch#1082", "tensorflow/tensorflow#43324"),
    defaults=("std.correction",),
    faults=("features-standardised",),
)


@standardise.numpy
def _(x):
    return (x - x.mean(axis=0)) / x.std(axis=0)


@standardise.numpy.like("torch")
def _(x):
    """Pass ddof=1 to std."""
    return (x - x.mean(axis=0)) / x.std(axis=0, ddof=1)


@standardise.sklearn
def _(x):
    from sklearn.preprocessing import StandardScaler

    return StandardScaler().fit_transform(x)


@standardise.sklearn.like("torch")
def _(x):
    """Multiply the fitted scale_ by √(n/(n-1))."""
    from sklearn.preprocessing import StandardScaler

    scaler = StandardScaler().fit(x)
    scaler.scale_ *= np.sqrt(10 / 9)
    return scaler.transform(x)


@standardise.tensorflow
def _(x):
    import tensorflow as tf

    return (x - tf.reduce_mean(x, 0)) / tf.math.reduce_std(x, 0)


@standardise.tensorflow.like("torch")
def _(x):
    """Multiply reduce_std by √(n/(n-1))."""
    import tensorflow as tf

    return (x - tf.reduce_mean(x, 0)) / (tf.math.reduce_std(x, 0) * np.sqrt(10 / 9))


@standardise.keras
def _(x):
    import keras

    layer = keras.layers.Normalization()
    layer.adapt(x)
    return layer(x)


@standardise.keras.like("torch")
def _(x):
    """Pass mean and variance to Normalization, the variance with ddof=1."""
    import keras

    layer = keras.layers.Normalization(mean=x.mean(axis=0), variance=x.var(axis=0, ddof=1))
    return layer(x)


@standardise.torch
def _(x):
    import torch

    x = torch.tensor(x)
    return (x - x.mean(dim=0)) / x.std(dim=0)


@standardise.torch.like("keras")
def _(x):
    """Pass correction=0 to std."""
    import torch

    x = torch.tensor(x)
    return (x - x.mean(dim=0)) / x.std(dim=0, correction=0)


def constant_column() -> Arrays:
    """Rows `x` (4, 2), whose second feature is constant, and `new` ones (2, 2), in which it is not."""
    x = np.array([[1.0, 2.0], [2.0, 2.0], [4.0, 2.0], [5.0, 2.0]])
    return {"x": x, "new": np.array([[3.0, 2.5], [6.0, 1.5]])}


constant_feature = Card(
    id="constant-feature",
    title="Standardising a feature that was constant",
    wrong=(
        "A feature that does not vary in the training data has no deviation to divide by. Scikit-learn "
        "divides by one, Keras by a small ε, and the formula as it stands by zero. Training shows nothing "
        "but zeros, or NaN. The first new row that differs there is passed on as it is, or millions of times "
        "as large, or infinite."
    ),
    conventions={
        "numpy tensorflow torch": "(x - μ) / σ",
        "sklearn": "(x - μ) / (σ, or 1 where σ is 0)",
        "keras": "(x - μ) / max(σ, ε)",
    },
    given=constant_column,
    differs=0.5,
    issues=("scikit-learn/scikit-learn#19527", "scikit-learn/scikit-learn#17794"),
)


@constant_feature.numpy
def _(x, new):
    return (new - x.mean(axis=0)) / x.std(axis=0)


@constant_feature.numpy.like("sklearn")
def _(x, new):
    """Divide by one where the deviation is zero."""
    scale = x.std(axis=0)
    return (new - x.mean(axis=0)) / np.where(scale == 0, 1, scale)


@constant_feature.numpy.like("keras")
def _(x, new):
    """Divide by the deviation, but no less than 1e-7."""
    return (new - x.mean(axis=0)) / np.maximum(x.std(axis=0), 1e-7)


@constant_feature.sklearn
def _(x, new):
    from sklearn.preprocessing import StandardScaler

    return StandardScaler().fit(x).transform(new)


@constant_feature.sklearn.like("torch")
def _(x, new):
    """Divide by √var_, not by scale_, which has one in the place of zero."""
    from sklearn.preprocessing import StandardScaler

    scaler = StandardScaler().fit(x)
    scaler.scale_ = np.sqrt(scaler.var_)
    return (new - scaler.mean_) / scaler.scale_  # transform allows no infinite result


@constant_feature.sklearn.like("keras")
def _(x, new):
    """After fit, set scale_ to the deviation, but no less than Keras's ε."""
    from sklearn.preprocessing import StandardScaler

    scaler = StandardScaler().fit(x)
    scaler.scale_ = np.maximum(np.sqrt(scaler.var_), 1e-7)
    return scaler.transform(new)


@constant_feature.tensorflow
def _(x, new):
    import tensorflow as tf

    return (new - tf.reduce_mean(x, 0)) / tf.math.reduce_std(x, 0)


@constant_feature.tensorflow.like("sklearn")
def _(x, new):
    """Divide by one where the deviation is zero."""
    import tensorflow as tf

    scale = tf.math.reduce_std(x, 0)
    return (new - tf.reduce_mean(x, 0)) / tf.where(scale == 0, tf.ones_like(scale), scale)


@constant_feature.tensorflow.like("keras")
def _(x, new):
    """Divide by the deviation, but no less than 1e-7."""
    import tensorflow as tf

    return (new - tf.reduce_mean(x, 0)) / tf.maximum(tf.math.reduce_std(x, 0), 1e-7)


@constant_feature.keras
def _(x, new):
    import keras

    layer = keras.layers.Normalization()
    layer.adapt(x)
    return layer(new)


@constant_feature.keras.like("sklearn")
def _(x, new):
    """Pass mean and variance to the constructor, with one in the place of zero."""
    import keras

    variance = x.var(axis=0)
    layer = keras.layers.Normalization(mean=x.mean(axis=0), variance=np.where(variance == 0, 1, variance))
    return layer(new)


@constant_feature.keras.like("torch")
def _(x, new):
    """Take the layer's mean and variance, and divide by hand."""
    import keras

    layer = keras.layers.Normalization()
    layer.adapt(x)
    return (new - layer.mean) / keras.ops.sqrt(layer.variance)


@constant_feature.torch
def _(x, new):
    import torch

    x, new = torch.tensor(x), torch.tensor(new)
    return (new - x.mean(dim=0)) / x.std(dim=0, correction=0)


@constant_feature.torch.like("sklearn")
def _(x, new):
    """Divide by one where the deviation is zero."""
    import torch

    x, new = torch.tensor(x), torch.tensor(new)
    scale = x.std(dim=0, correction=0)
    return (new - x.mean(dim=0)) / torch.where(scale == 0, 1, scale)


@constant_feature.torch.like("keras")
def _(x, new):
    """Divide by the deviation, but no less than 1e-7."""
    import torch

    x, new = torch.tensor(x), torch.tensor(new)
    return (new - x.mean(dim=0)) / x.std(dim=0, correction=0).clamp(min=1e-7)
