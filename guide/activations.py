"""Activations and their defaults."""

import numpy as np

from backends.base import Arrays
from guide.card import Card


def line() -> Arrays:
    """Numbers `x` (24,) from -5.9 to 5.9, none of them at a kink."""
    return {"x": np.linspace(-5.9, 5.9, 24)}


def sequences() -> Arrays:
    """A batch `x` (2, 3, 4) of sequences with four channels."""
    return {"x": np.random.default_rng(3).standard_normal((2, 3, 4))}


def rows() -> Arrays:
    """Rows `x` (5, 4) of both signs."""
    return {"x": np.random.default_rng(4).standard_normal((5, 4))}


def beyond_twenty() -> Arrays:
    """Numbers `x` (4,) a little above 20."""
    return {"x": np.array([20.1, 20.2, 20.5, 21.0])}


def masked() -> Arrays:
    """Scores `x` (2, 3) and what `keep` (2, 3) leaves of them: of the second row nothing."""
    return {
        "x": np.array([[1.0, 2.0, 3.0], [1.0, 2.0, 3.0]]),
        "keep": np.array([[True, True, False], [False, False, False]]),
    }


def large() -> Arrays:
    """Rows `x` (3, 2) whose exponentials are not finite, or all 0."""
    return {"x": np.array([[1000.0, 1001.0], [-1000.0, -1001.0], [-np.inf, -np.inf]])}


leaky_relu_slope = Card(
    id="leaky-relu-slope",
    title="Leaky ReLU: the default slope",
    wrong=(
        "Each library has another slope for negative inputs, and Keras has two: its layer takes one, its "
        "function keras.activations.leaky_relu another, the same as TensorFlow's. Published models rarely "
        "name the slope, since they mean the default of their library. The shapes fit and the training goes "
        "well, so nobody looks; what differs is every negative activation."
    ),
    conventions={
        "numpy torch": "y = x if x > 0, else 0.01·x",
        "tensorflow": "y = x if x > 0, else 0.2·x",
        "keras": "y = x if x > 0, else 0.3·x",
    },
    given=line,
    differs=0.05,
    absent={"sklearn": "scikit-learn has no leaky ReLU"},
    defaults=("LeakyReLU.negative_slope",),
    faults=("leaky-slope-0.2", "leaky-slope-0.3"),
    dtype="float32",
)


@leaky_relu_slope.numpy
def _(x):
    return np.where(x > 0, x, 0.01 * x)


@leaky_relu_slope.numpy.like("tensorflow")
def _(x):
    """Take 0.2 as the slope."""
    return np.where(x > 0, x, 0.2 * x)


@leaky_relu_slope.numpy.like("keras")
def _(x):
    """Take 0.3 as the slope."""
    return np.where(x > 0, x, 0.3 * x)


@leaky_relu_slope.tensorflow
def _(x):
    import tensorflow as tf

    return tf.nn.leaky_relu(x)


@leaky_relu_slope.tensorflow.like("torch")
def _(x):
    """Pass alpha=0.01."""
    import tensorflow as tf

    return tf.nn.leaky_relu(x, alpha=0.01)


@leaky_relu_slope.tensorflow.like("keras")
def _(x):
    """Pass alpha=0.3."""
    import tensorflow as tf

    return tf.nn.leaky_relu(x, alpha=0.3)


@leaky_relu_slope.keras
def _(x):
    import keras

    return keras.layers.LeakyReLU()(x)


@leaky_relu_slope.keras.like("torch")
def _(x):
    """Pass negative_slope=0.01."""
    import keras

    return keras.layers.LeakyReLU(negative_slope=0.01)(x)


@leaky_relu_slope.keras.like("tensorflow")
def _(x):
    """Pass negative_slope=0.2, or call keras.activations.leaky_relu in place of the layer."""
    import keras

    return keras.activations.leaky_relu(x)


@leaky_relu_slope.torch
def _(x):
    import torch

    return torch.nn.LeakyReLU()(torch.tensor(x))


@leaky_relu_slope.torch.like("tensorflow")
def _(x):
    """Pass negative_slope=0.2."""
    import torch

    return torch.nn.LeakyReLU(negative_slope=0.2)(torch.tensor(x))


@leaky_relu_slope.torch.like("keras")
def _(x):
    """Pass negative_slope=0.3."""
    import torch

    return torch.nn.LeakyReLU(negative_slope=0.3)(torch.tensor(x))


gelu_approximation = Card(
    id="gelu-approximation",
    title="GELU: exact, or approximated by tanh",
    wrong=(
        "GELU is computed with the error function, or approximated by a tanh, and which of them is the "
        "default depends on the function called. Keras has both: keras.activations.gelu and the string "
        "'gelu' are exact, keras.ops.gelu approximates, as jax.nn.gelu does. The two curves can hardly be "
        "told apart in a plot, so a checkpoint seems to work with the other one and only its outputs drift "
        "from those published; GPT-2's weights were trained with the tanh."
    ),
    conventions={
        "numpy tensorflow torch": "y = x·Φ(x) = x/2 · (1 + erf(x/√2))",
        "keras": "keras.ops.gelu:  y = x/2 · (1 + tanh(√(2/π) · (x + 0.044715·x³)))",
    },
    given=line,
    differs=4e-5,
    absent={"sklearn": "scikit-learn has no GELU"},
    defaults=("gelu.approximate",),
    issues=("karpathy/nanoGPT#2",),
    faults=("gelu-by-tanh",),
    dtype="float32",
)


@gelu_approximation.numpy
def _(x):
    from scipy.special import erf

    return x / 2 * (1 + erf(x / np.sqrt(2)))


@gelu_approximation.numpy.like("keras")
def _(x):
    """Approximate the error function by tanh."""
    return x / 2 * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3)))


@gelu_approximation.tensorflow
def _(x):
    import tensorflow as tf

    return tf.nn.gelu(x)


@gelu_approximation.tensorflow.like("keras")
def _(x):
    """Pass approximate=True."""
    import tensorflow as tf

    return tf.nn.gelu(x, approximate=True)


@gelu_approximation.keras
def _(x):
    import keras

    return keras.ops.gelu(x)


@gelu_approximation.keras.like("torch")
def _(x):
    """Call keras.activations.gelu, or pass approximate=False to keras.ops.gelu."""
    import keras

    return keras.activations.gelu(x)


@gelu_approximation.torch
def _(x):
    import torch

    return torch.nn.functional.gelu(torch.tensor(x))


@gelu_approximation.torch.like("keras")
def _(x):
    """Pass approximate="tanh"."""
    import torch

    return torch.nn.functional.gelu(torch.tensor(x), approximate="tanh")


softmax_axis = Card(
    id="softmax-axis",
    title="Softmax: over which axis by default",
    wrong=(
        "Without an axis, Keras and TensorFlow normalise over the last one. PyTorch's function guesses from "
        "the number of axes: the first for one or three, the second for two or four, with a warning that "
        "notebooks show once. Matrices agree, sequences do not: there it normalises over the batch, so each "
        "row depends on the others, and the loss still falls."
    ),
    conventions={
        "numpy sklearn tensorflow keras": "y = exp(x) / Σ exp(x) over the last axis",
        "torch": "over axis 0 of 1 or 3 axes, over axis 1 of 2 or 4",
    },
    given=sequences,
    differs=0.3,
    defaults=("softmax.axis",),
)


@softmax_axis.numpy
def _(x):
    y = np.exp(x - x.max(axis=-1, keepdims=True))
    return y / y.sum(axis=-1, keepdims=True)


@softmax_axis.numpy.like("torch")
def _(x):
    """Normalise over axis 0, as PyTorch does for three axes."""
    y = np.exp(x - x.max(axis=0, keepdims=True))
    return y / y.sum(axis=0, keepdims=True)


@softmax_axis.sklearn
def _(x):
    from sklearn.utils.extmath import softmax

    return softmax(x.reshape(-1, 4)).reshape(x.shape)  # it takes matrices only


@softmax_axis.sklearn.like("torch")
def _(x):
    """Bring the first axis to the end, and back."""
    from sklearn.utils.extmath import softmax

    x = np.moveaxis(x, 0, -1)
    return np.moveaxis(softmax(x.reshape(-1, 2)).reshape(x.shape), -1, 0)


@softmax_axis.tensorflow
def _(x):
    import tensorflow as tf

    return tf.nn.softmax(x)


@softmax_axis.tensorflow.like("torch")
def _(x):
    """Pass axis=0, which PyTorch takes for three axes."""
    import tensorflow as tf

    return tf.nn.softmax(x, axis=0)


@softmax_axis.keras
def _(x):
    import keras

    return keras.ops.softmax(x)


@softmax_axis.keras.like("torch")
def _(x):
    """Pass axis=0, which PyTorch takes for three axes."""
    import keras

    return keras.ops.softmax(x, axis=0)


@softmax_axis.torch
def _(x):
    import torch

    return torch.nn.functional.softmax(torch.tensor(x))


@softmax_axis.torch.like("keras")
def _(x):
    """Pass dim=-1."""
    import torch

    return torch.nn.functional.softmax(torch.tensor(x), dim=-1)


softmax_masked = Card(
    id="softmax-masked",
    title="Softmax: a row in which everything is masked",
    wrong=(
        "Masking with -∞ leaves NaN where a row keeps nothing, and one such row makes every gradient NaN; "
        "padding at the end of a batch is enough. Keras's Softmax layer masks with a large finite number "
        "instead, and sets what is masked to zero afterwards, so that such a row is zero, and its gradient "
        "too. Rows that keep anything agree. Replacing the NaN afterwards does not help: they stay in the "
        "gradient."
    ),
    conventions={
        "numpy tensorflow torch": "softmax(x or -∞): NaN where nothing is kept",
        "keras": "softmax(x or -10⁹), then 0 where masked: a row of 0 where nothing is kept",
    },
    given=masked,
    differs=0.5,
    absent={"sklearn": "scikit-learn masks nothing"},
    issues=("pytorch/pytorch#41508",),
)


@softmax_masked.numpy
def _(x, keep):
    y = np.exp(np.where(keep, x, -np.inf))
    return y / y.sum(axis=-1, keepdims=True)


@softmax_masked.numpy.like("keras")
def _(x, keep):
    """Mask with a large finite number, and set what is masked to 0 afterwards."""
    x = np.where(keep, x, -1e9)
    y = np.exp(x - x.max(axis=-1, keepdims=True))
    return np.where(keep, y / y.sum(axis=-1, keepdims=True), 0)


@softmax_masked.tensorflow
def _(x, keep):
    import tensorflow as tf

    return tf.nn.softmax(tf.where(keep, x, -np.inf))


@softmax_masked.tensorflow.like("keras")
def _(x, keep):
    """Mask with a large finite number, and set what is masked to 0 afterwards."""
    import tensorflow as tf

    return tf.where(keep, tf.nn.softmax(tf.where(keep, x, -1e9)), 0)


@softmax_masked.keras
def _(x, keep):
    import keras

    return keras.layers.Softmax()(x, mask=keep)


@softmax_masked.keras.like("torch")
def _(x, keep):
    """Put -∞ where the mask is false, and pass no mask."""
    import keras

    return keras.layers.Softmax()(keras.ops.where(keep, x, -np.inf))


@softmax_masked.torch
def _(x, keep):
    import torch

    return torch.softmax(torch.tensor(x).masked_fill(~torch.tensor(keep), -np.inf), dim=-1)


@softmax_masked.torch.like("keras")
def _(x, keep):
    """Mask with a large finite number, and set what is masked to 0 afterwards."""
    import torch

    keep = torch.tensor(keep)
    return torch.softmax(torch.tensor(x).masked_fill(~keep, -1e9), dim=-1).where(keep, 0)


hard_sigmoid = Card(
    id="hard-sigmoid",
    title="Hard sigmoid: a slope of 1/6 or of 0.2",
    wrong=(
        "Two piecewise linear sigmoids share the name. Keras 3 and PyTorch have the one of the slope 1/6, "
        "which ends at 3; Keras 1 and 2, tf.keras of those years and ONNX's default have the slope 0.2, "
        "which ends at 2.5, written by hand here. It shows when an old model is loaded, above all in an "
        "LSTM whose recurrent activation it is: the weights fit, and every gate is a little off."
    ),
    conventions={
        "numpy": "Keras 1 and 2, ONNX:  y = min(max(0.2·x + 0.5, 0), 1)",
        "keras torch": "y = min(max(x/6 + 0.5, 0), 1)",
    },
    given=line,
    differs=0.03,
    absent={
        "sklearn": "scikit-learn has no hard sigmoid",
        "tensorflow": "outside Keras TensorFlow has no hard sigmoid",
    },
)


@hard_sigmoid.numpy
def _(x):
    return np.clip(0.2 * x + 0.5, 0, 1)


@hard_sigmoid.numpy.like("keras")
def _(x):
    """Take 1/6 as the slope."""
    return np.clip(x / 6 + 0.5, 0, 1)


@hard_sigmoid.keras
def _(x):
    import keras

    return keras.activations.hard_sigmoid(x)


@hard_sigmoid.keras.like("numpy")
def _(x):
    """Multiply the argument by 1.2, so that the slope is 0.2."""
    import keras

    return keras.activations.hard_sigmoid(1.2 * x)


@hard_sigmoid.torch
def _(x):
    import torch

    return torch.nn.functional.hardsigmoid(torch.tensor(x))


@hard_sigmoid.torch.like("numpy")
def _(x):
    """Multiply the argument by 1.2, so that the slope is 0.2."""
    import torch

    return torch.nn.functional.hardsigmoid(1.2 * torch.tensor(x))


softplus_threshold = Card(
    id="softplus-threshold",
    title="Softplus: linear above a threshold",
    wrong=(
        "PyTorch's softplus returns its argument itself where that exceeds a threshold, so that the "
        "exponential does not overflow; the others compute it to the last digit. In float32 nothing is lost "
        "at the default. In float64 something is, and the function jumps there, which gradient checks "
        "notice."
    ),
    conventions={
        "numpy tensorflow keras": "y = ln(1 + eˣ)",
        "torch": "y = ln(1 + eˣ) if x ≤ 20, else x",
    },
    given=beyond_twenty,
    differs=4e-11,
    absent={"sklearn": "scikit-learn has no softplus"},
    defaults=("softplus.threshold",),
)


@softplus_threshold.numpy
def _(x):
    return np.logaddexp(x, 0)


@softplus_threshold.numpy.like("torch")
def _(x):
    """Return x itself above PyTorch's threshold, 20."""
    return np.where(x > 20, x, np.logaddexp(x, 0))


@softplus_threshold.tensorflow
def _(x):
    import tensorflow as tf

    return tf.nn.softplus(x)


@softplus_threshold.tensorflow.like("torch")
def _(x):
    """Return x itself above PyTorch's threshold, 20."""
    import tensorflow as tf

    return tf.where(x > 20, x, tf.nn.softplus(x))


@softplus_threshold.keras
def _(x):
    import keras

    return keras.activations.softplus(x)


@softplus_threshold.keras.like("torch")
def _(x):
    """Return x itself above PyTorch's threshold, 20."""
    import keras

    return keras.ops.where(x > 20, x, keras.activations.softplus(x))


@softplus_threshold.torch
def _(x):
    import torch

    return torch.nn.functional.softplus(torch.tensor(x))


@softplus_threshold.torch.like("keras")
def _(x):
    """Pass a threshold that is never reached, such as 1000."""
    import torch

    return torch.nn.functional.softplus(torch.tensor(x), threshold=1000)


logsumexp_large = Card(
    id="logsumexp",
    title="logsumexp: large numbers, and nothing but -∞",
    wrong=(
        "Nothing, if the function of the framework is called: all shift by the largest entry, and all "
        "return -∞ for a row of -∞. Written out as log(sum(exp(x))) it overflows, and with a shift by hand "
        "such a row becomes NaN, being -∞ minus -∞; NumPy has no function of this name, but "
        "np.logaddexp.reduce. The snippets return the exponential of a thousandth of it, which is finite."
    ),
    conventions={"numpy tensorflow keras torch": "y = a + ln Σ exp(x - a),  a = max x if finite, else 0"},
    given=large,
    absent={"sklearn": "scikit-learn takes SciPy's logsumexp"},
)


@logsumexp_large.numpy
def _(x):
    return np.exp(np.logaddexp.reduce(x, axis=1) / 1000)


@logsumexp_large.tensorflow
def _(x):
    import tensorflow as tf

    return tf.exp(tf.reduce_logsumexp(x, axis=1) / 1000)


@logsumexp_large.keras
def _(x):
    import keras

    return keras.ops.exp(keras.ops.logsumexp(x, axis=1) / 1000)


@logsumexp_large.torch
def _(x):
    import torch

    return torch.exp(torch.logsumexp(torch.tensor(x), dim=1) / 1000)


activations_everywhere = Card(
    id="activations-everywhere",
    title="Identity, tanh, sigmoid, ReLU, softmax: nothing to port",
    wrong=(
        "Nothing: the activations that scikit-learn has are the same everywhere, only the names differ "
        "(its 'logistic' is the sigmoid). Note that scikit-learn's work in place."
    ),
    conventions={
        "numpy sklearn tensorflow keras torch": "x,  tanh x,  1/(1 + e⁻ˣ),  max(x, 0),  eˣ / Σ eˣ by row"
    },
    given=rows,
)


@activations_everywhere.numpy
def _(x):
    e = np.exp(x)
    return np.stack([x, np.tanh(x), 1 / (1 + 1 / e), np.maximum(x, 0), e / e.sum(axis=1, keepdims=True)])


@activations_everywhere.sklearn
def _(x):
    from sklearn.neural_network._base import ACTIVATIONS

    y = np.stack([x] * 5)
    for i, name in enumerate(["identity", "tanh", "logistic", "relu", "softmax"]):
        ACTIVATIONS[name](y[i])  # in place
    return y


@activations_everywhere.tensorflow
def _(x):
    import tensorflow as tf

    return tf.stack([tf.identity(x), tf.tanh(x), tf.sigmoid(x), tf.nn.relu(x), tf.nn.softmax(x)])


@activations_everywhere.keras
def _(x):
    import keras

    names = ["linear", "tanh", "sigmoid", "relu", "softmax"]
    return np.stack([keras.layers.Activation(name)(x) for name in names])


@activations_everywhere.torch
def _(x):
    import torch
    from torch import nn

    layers = [nn.Identity(), nn.Tanh(), nn.Sigmoid(), nn.ReLU(), nn.Softmax(dim=1)]
    return np.stack([layer(torch.tensor(x)) for layer in layers])


activations_same = Card(
    id="activations-same",
    title="ELU, SELU, SiLU, softsign, log-sigmoid, ReLU6: nothing to port",
    wrong=(
        "Nothing: they are the same to rounding, with their defaults, in the three that have them. SiLU is "
        "swish with β = 1, under both names. The gradient of SELU at zero is another matter."
    ),
    conventions={
        "numpy tensorflow keras torch": (
            "elu: eˣ-1 if x < 0;  selu: λ·x or λα·(eˣ-1);  silu: x·σ(x);  softsign: x/(1+|x|);  "
            "log σ(x);  relu6: min(max(x, 0), 6)"
        )
    },
    given=line,
    absent={"sklearn": "scikit-learn has none of them"},
    defaults=("ELU.alpha",),
)


@activations_same.numpy
def _(x):
    elu = np.where(x > 0, x, np.expm1(x))
    selu = 1.0507009873554805 * np.where(x > 0, x, 1.6732632423543772 * np.expm1(x))
    silu = x / (1 + np.exp(-x))
    return np.stack([elu, selu, silu, x / (1 + abs(x)), -np.logaddexp(0, -x), np.clip(x, 0, 6)])


@activations_same.tensorflow
def _(x):
    import tensorflow as tf

    functions = (tf.nn.elu, tf.nn.selu, tf.nn.silu, tf.nn.softsign, tf.math.log_sigmoid, tf.nn.relu6)
    return np.stack([f(x) for f in functions])


@activations_same.keras
def _(x):
    import keras

    names = ["elu", "selu", "silu", "softsign", "log_sigmoid", "relu6"]
    return np.stack([keras.layers.Activation(name)(x) for name in names])


@activations_same.torch
def _(x):
    import torch
    from torch import nn

    layers = (nn.ELU(), nn.SELU(), nn.SiLU(), nn.Softsign(), nn.LogSigmoid(), nn.ReLU6())
    return np.stack([layer(torch.tensor(x)) for layer in layers])


activations_smooth = Card(
    id="activations-keras-torch",
    title="CELU, Mish, tanhshrink, GLU: nothing to port",
    wrong=(
        "Nothing: Keras and PyTorch have them under nearly the same names and with the same defaults. GLU "
        "gates the first half with the sigmoid of the second, over the last axis, in both."
    ),
    conventions={
        "numpy keras torch": (
            "celu: α·(e^(x/α)-1) if x < 0;  mish: x·tanh(ln(1+eˣ));  tanhshrink: x - tanh x;  "
            "glu: x₁·σ(x₂) of the halves x₁, x₂"
        )
    },
    given=line,
    absent={
        "sklearn": "scikit-learn has none of them",
        "tensorflow": "outside Keras TensorFlow has none of them",
    },
    defaults=("celu.alpha", "glu.axis"),
)


@activations_smooth.numpy
def _(x):
    celu = np.where(x > 0, x, 1.5 * np.expm1(x / 1.5))
    mish = x * np.tanh(np.logaddexp(0, x))
    glu = x[:12] / (1 + np.exp(-x[12:]))
    return np.concatenate([celu, mish, x - np.tanh(x), glu])


@activations_smooth.keras
def _(x):
    import keras

    a = keras.activations
    return np.concatenate([a.celu(x, alpha=1.5), a.mish(x), a.tanh_shrink(x), a.glu(x)])


@activations_smooth.torch
def _(x):
    import torch
    import torch.nn.functional as F

    x = torch.tensor(x)
    return torch.cat([F.celu(x, alpha=1.5), F.mish(x), F.tanhshrink(x), F.glu(x)])


activations_hard = Card(
    id="activations-piecewise",
    title="Hard swish, hard tanh, soft and hard shrink, threshold: nothing to port",
    wrong=(
        "Nothing between their kinks, names apart: Keras's hard_silu is PyTorch's Hardswish. At the bounds "
        "of the hard tanh the gradients differ."
    ),
    conventions={
        "numpy keras torch": (
            "hard silu: x·min(max(x/6+½, 0), 1);  hard tanh: min(max(x, -1), 1);  "
            "soft shrink: sign(x)·max(|x|-½, 0);  hard shrink: x if |x| > ½, else 0;  "
            "threshold: x if x > θ, else c"
        )
    },
    given=line,
    absent={
        "sklearn": "scikit-learn has none of them",
        "tensorflow": "outside Keras TensorFlow has none of them",
    },
    defaults=("soft_shrink.threshold", "hard_shrink.threshold"),
)


@activations_hard.numpy
def _(x):
    soft = np.sign(x) * np.maximum(abs(x) - 0.5, 0)
    hard = np.where(abs(x) > 0.5, x, 0)
    return np.stack([x * np.clip(x / 6 + 0.5, 0, 1), np.clip(x, -1, 1), soft, hard, np.where(x > 1, x, 2)])


@activations_hard.keras
def _(x):
    import keras

    a = keras.activations
    return np.stack(
        [a.hard_silu(x), a.hard_tanh(x), a.soft_shrink(x), a.hard_shrink(x), a.threshold(x, 1, 2)]
    )


@activations_hard.torch
def _(x):
    import torch
    import torch.nn.functional as F

    x = torch.tensor(x)
    return torch.stack(
        [F.hardswish(x), F.hardtanh(x), F.softshrink(x), F.hardshrink(x), F.threshold(x, 1, 2)]
    )


gelu_constants = Card(
    id="gelu-float64",
    title="GELU in float64: float32 constants in TensorFlow",
    wrong=(
        "TensorFlow multiplies by √½ as a float32 whatever the dtype of its argument, and Keras calls it. "
        "In float64 the activation has hardly more digits than in float32, and nothing that is passed "
        "helps. In float32 it does not show."
    ),
    conventions={
        "numpy torch": "y = x/2 · (1 + erf(x/√2))",
        "tensorflow keras": "y = x/2 · (1 + erf(c·x)),  c = √½ rounded to float32",
    },
    given=line,
    differs=4e-10,
    absent={"sklearn": "scikit-learn has no GELU"},
)


@gelu_constants.numpy
def _(x):
    from scipy.special import erf

    return x / 2 * (1 + erf(x / np.sqrt(2)))


@gelu_constants.numpy.like("keras")
def _(x):
    """Multiply by √½, rounded to float32."""
    from scipy.special import erf

    return x / 2 * (1 + erf(x * np.float64(np.float32(np.sqrt(0.5)))))


@gelu_constants.tensorflow
def _(x):
    import tensorflow as tf

    return tf.nn.gelu(x)


@gelu_constants.tensorflow.like("torch")
def _(x):
    """Write it out with tf.math.erf and a float64 √2."""
    import tensorflow as tf

    return x / 2 * (1 + tf.math.erf(x / np.sqrt(2)))


@gelu_constants.keras
def _(x):
    import keras

    return keras.activations.gelu(x)


@gelu_constants.keras.like("torch")
def _(x):
    """Write it out with keras.ops.erf and a float64 √2."""
    import keras

    return x / 2 * (1 + keras.ops.erf(x / np.sqrt(2)))


@gelu_constants.torch
def _(x):
    import torch

    return torch.nn.functional.gelu(torch.tensor(x))


@gelu_constants.torch.like("keras")
def _(x):
    """Write it out with √½, rounded to float32."""
    import torch

    x = torch.tensor(x)
    return x / 2 * (1 + torch.erf(x * float(np.float32(np.sqrt(0.5)))))


leaky_relu_constants = Card(
    id="leaky-relu-float64",
    title="Leaky ReLU in float64: the slope is a float32 in TensorFlow",
    wrong=(
        "The slope is an attribute of TensorFlow's kernel, and attributes are float32: a slope such as 0.01 "
        "loses half of its digits, however it is passed, also in Keras, which calls the kernel. Slopes that "
        "float32 holds exactly, such as 0.25 or 0.125, agree."
    ),
    conventions={
        "numpy torch": "y = x if x > 0, else 0.01·x",
        "tensorflow keras": "y = x if x > 0, else s·x,  s = 0.01 rounded to float32",
    },
    given=line,
    differs=1e-10,
    absent={"sklearn": "scikit-learn has no leaky ReLU"},
)


@leaky_relu_constants.numpy
def _(x):
    return np.where(x > 0, x, 0.01 * x)


@leaky_relu_constants.numpy.like("keras")
def _(x):
    """Round the slope to float32."""
    return np.where(x > 0, x, float(np.float32(0.01)) * x)


@leaky_relu_constants.tensorflow
def _(x):
    import tensorflow as tf

    return tf.nn.leaky_relu(x, alpha=0.01)


@leaky_relu_constants.tensorflow.like("torch")
def _(x):
    """Write it as maximum(x, slope·x)."""
    import tensorflow as tf

    return tf.maximum(x, 0.01 * x)


@leaky_relu_constants.keras
def _(x):
    import keras

    return keras.layers.LeakyReLU(negative_slope=0.01)(x)


@leaky_relu_constants.keras.like("torch")
def _(x):
    """Write it as maximum(x, slope·x)."""
    import keras

    return keras.ops.maximum(x, 0.01 * x)


@leaky_relu_constants.torch
def _(x):
    import torch

    return torch.nn.functional.leaky_relu(torch.tensor(x), negative_slope=0.01)


@leaky_relu_constants.torch.like("keras")
def _(x):
    """Round the slope to float32."""
    import torch

    return torch.nn.functional.leaky_relu(torch.tensor(x), negative_slope=float(np.float32(0.01)))


hard_sigmoid_gradient = Card(
    id="hard-sigmoid-float64",
    title="Hard sigmoid in float64: its gradient is a float32 in PyTorch",
    wrong=(
        "PyTorch's value has all digits of the dtype, its gradient is 1/6 rounded to float32 whatever the "
        "dtype. So from the first step on, a training in float64 agrees to the digits of float32 only. In "
        "float32 nothing shows."
    ),
    conventions={
        "numpy keras": "y' = 1/6 if |x| < 3, else 0",
        "torch": "y' = 1/6 rounded to float32 if |x| < 3, else 0",
    },
    given=line,
    differs=1e-8,
    absent={
        "sklearn": "scikit-learn has no hard sigmoid",
        "tensorflow": "outside Keras TensorFlow has no hard sigmoid",
    },
)


@hard_sigmoid_gradient.numpy
def _(x):
    return np.where(abs(x) < 3, 1 / 6, 0)


@hard_sigmoid_gradient.numpy.like("torch")
def _(x):
    """Round 1/6 to float32."""
    return np.where(abs(x) < 3, np.float32(1 / 6), 0)


@hard_sigmoid_gradient.keras
def _(x):
    import keras
    import tensorflow as tf

    x = tf.Variable(x)
    with tf.GradientTape() as tape:
        y = keras.activations.hard_sigmoid(x)
    return tape.gradient(y, x)


@hard_sigmoid_gradient.keras.like("torch")
def _(x):
    """Multiply by 1/6, rounded to float32, before clipping."""
    import keras
    import tensorflow as tf

    x = tf.Variable(x)
    with tf.GradientTape() as tape:
        y = keras.ops.clip(x * np.float64(np.float32(1 / 6)) + 0.5, 0, 1)
    return tape.gradient(y, x)


@hard_sigmoid_gradient.torch
def _(x):
    import torch

    x = torch.tensor(x, requires_grad=True)
    y = torch.nn.functional.hardsigmoid(x)
    y.sum().backward()
    return x.grad


@hard_sigmoid_gradient.torch.like("keras")
def _(x):
    """Write it with relu6: relu6(x + 3)/6."""
    import torch

    x = torch.tensor(x, requires_grad=True)
    y = torch.nn.functional.relu6(x + 3) / 6
    y.sum().backward()
    return x.grad


swish_beta = Card(
    id="swish-beta",
    title="Swish with β: only TensorFlow takes it, and rounds it to float32",
    wrong=(
        "tf.nn.silu has the β of the swish paper; Keras's and PyTorch's functions of that name have none, "
        "so a port that drops the argument trains with β = 1. In TensorFlow a β given as a Python number "
        "becomes float32 first, which shows in float64."
    ),
    conventions={
        "tensorflow": "y = x·σ(b·x),  b = β rounded to float32",
        "numpy": "y = x·σ(β·x)",
        "keras torch": "y = x·σ(x)",
    },
    given=line,
    differs=6e-10,
    absent={"sklearn": "scikit-learn has no swish"},
)


@swish_beta.numpy
def _(x):
    return x / (1 + np.exp(-1.7 * x))


@swish_beta.numpy.like("tensorflow")
def _(x):
    """Round β to float32."""
    return x / (1 + np.exp(-float(np.float32(1.7)) * x))


@swish_beta.numpy.like("keras")
def _(x):
    """Leave β out."""
    return x / (1 + np.exp(-x))


@swish_beta.tensorflow
def _(x):
    import tensorflow as tf

    return tf.nn.silu(x, beta=1.7)


@swish_beta.tensorflow.like("numpy")
def _(x):
    """Pass β as a float64: np.float64(1.7)."""
    import tensorflow as tf

    return tf.nn.silu(x, beta=np.float64(1.7))


@swish_beta.tensorflow.like("keras")
def _(x):
    """Leave β out."""
    import tensorflow as tf

    return tf.nn.silu(x)


@swish_beta.keras
def _(x):
    import keras

    return keras.activations.silu(x)


@swish_beta.keras.like("numpy")
def _(x):
    """Compute silu(β·x)/β."""
    import keras

    return keras.activations.silu(1.7 * x) / 1.7


@swish_beta.keras.like("tensorflow")
def _(x):
    """Compute silu(β·x)/β with β rounded to float32."""
    import keras

    beta = np.float64(np.float32(1.7))
    return keras.activations.silu(beta * x) / beta


@swish_beta.torch
def _(x):
    import torch

    return torch.nn.functional.silu(torch.tensor(x))


@swish_beta.torch.like("numpy")
def _(x):
    """Compute silu(β·x)/β."""
    import torch

    return torch.nn.functional.silu(1.7 * torch.tensor(x)) / 1.7


@swish_beta.torch.like("tensorflow")
def _(x):
    """Compute silu(β·x)/β with β rounded to float32."""
    import torch

    beta = float(np.float32(1.7))
    return torch.nn.functional.silu(beta * torch.tensor(x)) / beta
