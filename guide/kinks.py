"""Gradients at kinks and ties."""

import numpy as np

from backends.base import Arrays
from guide.card import Card

BY_HAND = "scikit-learn has no automatic differentiation"


def around_zero() -> Arrays:
    """Numbers `x` (3,): below zero, zero, above."""
    return {"x": np.array([-1.0, 0.0, 2.0])}


def zero_and_four() -> Arrays:
    """Numbers `x` (2,): 0 and 4."""
    return {"x": np.array([0.0, 4.0])}


def two_of_each() -> Arrays:
    """Numbers `x` and `z` (2,) each: 0 and 4."""
    return {"x": np.array([0.0, 4.0]), "z": np.array([0.0, 4.0])}


def rows_of_zero() -> Arrays:
    """Rows `x` (2, 2): one of length 5, one of zeros."""
    return {"x": np.array([[3.0, 4.0], [0.0, 0.0]])}


def constant_row() -> Arrays:
    """Rows `x` (2, 3): the second is constant."""
    return {"x": np.array([[1.0, 2.0, 4.0], [2.0, 2.0, 2.0]])}


def tied_rows() -> Arrays:
    """Rows `x` (2, 3) in which the largest number occurs twice."""
    return {"x": np.array([[1.0, 3.0, 3.0], [2.0, 2.0, 0.0]])}


def tied_pairs() -> Arrays:
    """Numbers `a` and `b` (3,) each, equal at the second place."""
    return {"a": np.array([1.0, 2.0, 3.0]), "b": np.array([0.0, 2.0, 4.0])}


def tied_image() -> Arrays:
    """An image `x` (1, 4, 4, 1) after a ReLU: two of its quarters are zero, one has a tie."""
    return {"x": np.array([[0.0, 0, 2, 1], [0, 0, 2, 0], [0, 0, 1, 0], [0, 0, 0, 2]]).reshape(1, 4, 4, 1)}


def at_bounds() -> Arrays:
    """Numbers `x` (5,): beyond -1 and 1, at them, and between."""
    return {"x": np.array([-2.0, -1.0, 0.0, 1.0, 2.0])}


def kinks() -> Arrays:
    """Numbers `x` (6,) at which something has a kink, and two others."""
    return {"x": np.array([-3.0, -0.5, 0.0, 0.5, 3.0, 6.0])}


def origin() -> Arrays:
    """Numbers `a` and `b` (2,) each, both zero at first."""
    return {"a": np.array([0.0, 1.0]), "b": np.array([0.0, 2.0])}


def one_zero() -> Arrays:
    """Numbers `x` (3,), the middle one zero."""
    return {"x": np.array([2.0, 0.0, 3.0])}


def weighted() -> Arrays:
    """Numbers `x` and weights `w` (3,) each."""
    return {"x": np.array([0.2, 1.7, -0.6]), "w": np.array([1.0, 2.0, 3.0])}


def unsorted() -> Arrays:
    """Numbers `x` (4,) with a tie, and a weight `w` (4,) for each rank."""
    return {"x": np.array([3.0, 1.0, 3.0, 2.0]), "w": np.array([1.0, 2.0, 4.0, 8.0])}


def powers() -> Arrays:
    """Numbers `x` (2,), one negative, and exponents `p` (2,)."""
    return {"x": np.array([-1.5, 2.0]), "p": np.array([2.0, 2.0])}


def with_nan() -> Arrays:
    """A signal `x` (1, 6, 1) with NaN in one of its halves."""
    return {"x": np.array([1.0, 2.0, 0.5, 3.0, np.nan, 5.0]).reshape(1, 6, 1)}


where_nan = Card(
    id="where-nan",
    title="where: NaN from the branch that is not taken",
    wrong=(
        "A branch that is not taken still gets a gradient: zero, times the derivative of that branch, which "
        "is NaN if the derivative is infinite. All three libraries do so, and the loss itself looks fine. "
        "Derivatives written by hand mostly have the zero, and so training in NumPy goes on where the port "
        "stops at its first step with NaN."
    ),
    conventions={
        "numpy": "y' = 1/x if x > 0, else 0",
        "tensorflow keras torch": "y' = (1 if x > 0, else 0) · 1/x: 0·∞ = NaN",
    },
    given=zero_and_four,
    differs=0.5,
    absent={"sklearn": BY_HAND},
    issues=("pytorch/pytorch#156212", "tensorflow/tensorflow#38349", "jax-ml/jax#1052"),
)


@where_nan.numpy
def _(x):
    gradient = np.zeros_like(x)
    gradient[x > 0] = 1 / x[x > 0]
    return gradient


@where_nan.numpy.like("torch")
def _(x):
    """Multiply the derivative by the condition, in place of choosing."""
    return np.where(x > 0, 1.0, 0.0) * (1 / x)


@where_nan.tensorflow
def _(x):
    import tensorflow as tf

    x = tf.Variable(x)
    with tf.GradientTape() as tape:
        y = tf.where(x > 0, tf.math.log(x), 0)
    return tape.gradient(y, x)


@where_nan.tensorflow.like("numpy")
def _(x):
    """Replace the argument of the logarithm too where its branch is not taken."""
    import tensorflow as tf

    x = tf.Variable(x)
    with tf.GradientTape() as tape:
        y = tf.where(x > 0, tf.math.log(tf.where(x > 0, x, 1)), 0)
    return tape.gradient(y, x)


@where_nan.keras
def _(x):
    import keras
    import tensorflow as tf

    x = tf.Variable(x)
    with tf.GradientTape() as tape:
        y = keras.ops.where(x > 0, keras.ops.log(x), 0)
    return tape.gradient(y, x)


@where_nan.keras.like("numpy")
def _(x):
    """Replace the argument of the logarithm too where its branch is not taken."""
    import keras
    import tensorflow as tf

    x = tf.Variable(x)
    with tf.GradientTape() as tape:
        y = keras.ops.where(x > 0, keras.ops.log(keras.ops.where(x > 0, x, 1)), 0)
    return tape.gradient(y, x)


@where_nan.torch
def _(x):
    import torch

    x = torch.tensor(x, requires_grad=True)
    y = torch.where(x > 0, torch.log(x), 0)
    y.sum().backward()
    return x.grad


@where_nan.torch.like("numpy")
def _(x):
    """Replace the argument of the logarithm too where its branch is not taken."""
    import torch

    x = torch.tensor(x, requires_grad=True)
    y = torch.where(x > 0, torch.log(torch.where(x > 0, x, 1)), 0)
    y.sum().backward()
    return x.grad


norm_at_zero = Card(
    id="norm-at-zero",
    title="Norm: its gradient at zero",
    wrong=(
        "The gradient of a length is the direction, which a vector of zeros does not have. PyTorch returns "
        "zeros, TensorFlow and Keras divide zero by zero. A single such row makes all weights NaN: equal "
        "pairs in a contrastive loss, padding, an embedding that starts at zero."
    ),
    conventions={
        "numpy torch": "∇|x| = x/|x|,  0 where |x| = 0",
        "tensorflow keras": "∇|x| = x/|x|,  0/0 = NaN where |x| = 0",
    },
    given=rows_of_zero,
    differs=0.5,
    absent={"sklearn": BY_HAND},
    issues=("tensorflow/tensorflow#12071", "pytorch/pytorch#2421", "tensorflow/tensorflow#30199"),
)


@norm_at_zero.numpy
def _(x):
    y = np.sqrt((x**2).sum(axis=1, keepdims=True))
    return np.divide(x, y, out=np.zeros_like(x), where=y > 0)


@norm_at_zero.numpy.like("keras")
def _(x):
    """Divide in any case, also zero by zero."""
    y = np.sqrt((x**2).sum(axis=1, keepdims=True))
    return x / y


@norm_at_zero.tensorflow
def _(x):
    import tensorflow as tf

    x = tf.Variable(x)
    with tf.GradientTape() as tape:
        y = tf.norm(x, axis=1)
    return tape.gradient(y, x)


@norm_at_zero.tensorflow.like("torch")
def _(x):
    """Take no root of 0: use `where` on what is under the root, and again on the root."""
    import tensorflow as tf

    x = tf.Variable(x)
    with tf.GradientTape() as tape:
        s = tf.reduce_sum(x**2, axis=1)
        y = tf.where(s > 0, tf.sqrt(tf.where(s > 0, s, 1)), 0)
    return tape.gradient(y, x)


@norm_at_zero.keras
def _(x):
    import keras
    import tensorflow as tf

    x = tf.Variable(x)
    with tf.GradientTape() as tape:
        y = keras.ops.norm(x, axis=1)
    return tape.gradient(y, x)


@norm_at_zero.keras.like("torch")
def _(x):
    """Take no root of 0: use `where` on what is under the root, and again on the root."""
    import keras
    import tensorflow as tf

    x = tf.Variable(x)
    with tf.GradientTape() as tape:
        s = keras.ops.sum(x**2, axis=1)
        y = keras.ops.where(s > 0, keras.ops.sqrt(keras.ops.where(s > 0, s, 1)), 0)
    return tape.gradient(y, x)


@norm_at_zero.torch
def _(x):
    import torch

    x = torch.tensor(x, requires_grad=True)
    y = torch.linalg.vector_norm(x, dim=1)
    y.sum().backward()
    return x.grad


@norm_at_zero.torch.like("keras")
def _(x):
    """Write it as the root of the sum of squares."""
    import torch

    x = torch.tensor(x, requires_grad=True)
    y = torch.sqrt((x**2).sum(dim=1))
    y.sum().backward()
    return x.grad


std_of_constant = Card(
    id="std-of-constant",
    title="Standard deviation: its gradient where all values are equal",
    wrong=(
        "The derivative of a root at zero is infinite, times a difference from the mean of zero. PyTorch's "
        "std returns zeros there; in TensorFlow and Keras one constant row, such as a feature that does not "
        "vary in a batch, makes everything NaN. (PyTorch's divisor is set to n here: its default is another "
        "matter.)"
    ),
    conventions={
        "numpy torch": "∇σ = (x - μ)/(n·σ),  0 where σ = 0",
        "tensorflow keras": "∇σ = (x - μ)/(n·σ),  NaN where σ = 0",
    },
    given=constant_row,
    differs=0.5,
    absent={"sklearn": BY_HAND},
    issues=("pytorch/pytorch#4320", "keras-team/keras#2960"),
)


@std_of_constant.numpy
def _(x):
    y = x.std(axis=1, keepdims=True)
    d = (x - x.mean(axis=1, keepdims=True)) / 3
    return np.divide(d, y, out=np.zeros_like(x), where=y > 0)


@std_of_constant.numpy.like("keras")
def _(x):
    """Divide in any case, also zero by zero."""
    y = x.std(axis=1, keepdims=True)
    d = (x - x.mean(axis=1, keepdims=True)) / 3
    return d / y


@std_of_constant.tensorflow
def _(x):
    import tensorflow as tf

    x = tf.Variable(x)
    with tf.GradientTape() as tape:
        y = tf.math.reduce_std(x, axis=1)
    return tape.gradient(y, x)


@std_of_constant.tensorflow.like("torch")
def _(x):
    """Take no root of 0: use `where` on what is under the root, and again on the root."""
    import tensorflow as tf

    x = tf.Variable(x)
    with tf.GradientTape() as tape:
        v = tf.math.reduce_variance(x, axis=1)
        y = tf.where(v > 0, tf.sqrt(tf.where(v > 0, v, 1)), 0)
    return tape.gradient(y, x)


@std_of_constant.keras
def _(x):
    import keras
    import tensorflow as tf

    x = tf.Variable(x)
    with tf.GradientTape() as tape:
        y = keras.ops.std(x, axis=1)
    return tape.gradient(y, x)


@std_of_constant.keras.like("torch")
def _(x):
    """Take no root of 0: use `where` on what is under the root, and again on the root."""
    import keras
    import tensorflow as tf

    x = tf.Variable(x)
    with tf.GradientTape() as tape:
        v = keras.ops.var(x, axis=1)
        y = keras.ops.where(v > 0, keras.ops.sqrt(keras.ops.where(v > 0, v, 1)), 0)
    return tape.gradient(y, x)


@std_of_constant.torch
def _(x):
    import torch

    x = torch.tensor(x, requires_grad=True)
    y = torch.std(x, dim=1, correction=0)
    y.sum().backward()
    return x.grad


@std_of_constant.torch.like("keras")
def _(x):
    """Write it as the root of torch.var."""
    import torch

    x = torch.tensor(x, requires_grad=True)
    y = torch.sqrt(torch.var(x, dim=1, correction=0))
    y.sum().backward()
    return x.grad


sqrt_at_zero = Card(
    id="sqrt-at-zero",
    title="Square root: ∞ at zero, and NaN behind it",
    wrong=(
        "Nothing differs: the derivative of the root at zero is infinite everywhere, and where it meets a "
        "factor of zero, as in √(z²), NaN. An ε under the root, or a root of only what is positive, has to "
        "be in the original already."
    ),
    conventions={
        "numpy tensorflow keras torch": ("d√x/dx = 1/(2√x) = ∞,  d√(z²)/dz = 2z/(2√(z²)) = 0·∞ = NaN at 0"),
    },
    given=two_of_each,
    absent={"sklearn": BY_HAND},
)


@sqrt_at_zero.numpy
def _(x, z):
    return np.concatenate([1 / (2 * np.sqrt(x)), 2 * z * (1 / (2 * np.sqrt(z * z)))])


@sqrt_at_zero.tensorflow
def _(x, z):
    import tensorflow as tf

    x, z = tf.Variable(x), tf.Variable(z)
    with tf.GradientTape() as tape:
        y = tf.sqrt(x) + tf.sqrt(z * z)
    return np.concatenate(tape.gradient(y, [x, z]))


@sqrt_at_zero.keras
def _(x, z):
    import keras
    import tensorflow as tf

    x, z = tf.Variable(x), tf.Variable(z)
    with tf.GradientTape() as tape:
        y = keras.ops.sqrt(x) + keras.ops.sqrt(z * z)
    return np.concatenate(tape.gradient(y, [x, z]))


@sqrt_at_zero.torch
def _(x, z):
    import torch

    x = torch.tensor(x, requires_grad=True)
    z = torch.tensor(z, requires_grad=True)
    y = torch.sqrt(x) + torch.sqrt(z * z)
    y.sum().backward()
    return torch.cat([x.grad, z.grad])


maximum_with_zero = Card(
    id="maximum-with-zero",
    title="ReLU written as maximum(x, 0): its gradient at zero",
    wrong=(
        "As max(x, 0) a ReLU has another derivative at zero than the function relu: TensorFlow gives a tie "
        "to the first argument, PyTorch halves it, and code by hand tends to ask for x > 0. Zeros are "
        "common, after another ReLU, in padding and in sparse features, and with biases that start at zero "
        "the whole first step differs."
    ),
    conventions={
        "numpy sklearn": "y' = 1 if x > 0, else 0",
        "tensorflow keras": "y' = 1 if x ≥ 0, else 0",
        "torch": "y' = 1 if x > 0, ½ if x = 0, else 0",
    },
    given=around_zero,
    differs=0.3,
    issues=("pytorch/pytorch#184572", "jax-ml/jax#37821"),
)


@maximum_with_zero.numpy
def _(x):
    return np.where(x > 0, 1.0, 0.0)


@maximum_with_zero.numpy.like("keras")
def _(x):
    """Count 0 as positive."""
    return np.where(x >= 0, 1.0, 0.0)


@maximum_with_zero.numpy.like("torch")
def _(x):
    """Halve the gradient at 0."""
    return np.heaviside(x, 0.5)


@maximum_with_zero.sklearn
def _(x):
    from sklearn.neural_network._base import ACTIVATIONS, DERIVATIVES

    y, gradient = x, np.ones_like(x)
    ACTIVATIONS["relu"](y)
    DERIVATIVES["relu"](y, gradient)  # both in place
    return gradient


maximum_with_zero.sklearn.cannot(
    "keras", "its derivative sees max(x, 0) only, which is 0 for all that is not positive"
)
maximum_with_zero.sklearn.cannot(
    "torch", "its derivative sees max(x, 0) only, which is 0 for all that is not positive"
)


@maximum_with_zero.tensorflow
def _(x):
    import tensorflow as tf

    x = tf.Variable(x)
    with tf.GradientTape() as tape:
        y = tf.maximum(x, 0)
    return tape.gradient(y, x)


@maximum_with_zero.tensorflow.like("numpy")
def _(x):
    """Call tf.nn.relu."""
    import tensorflow as tf

    x = tf.Variable(x)
    with tf.GradientTape() as tape:
        y = tf.nn.relu(x)
    return tape.gradient(y, x)


@maximum_with_zero.tensorflow.like("torch")
def _(x):
    """Write it as (x + |x|)/2."""
    import tensorflow as tf

    x = tf.Variable(x)
    with tf.GradientTape() as tape:
        y = (x + tf.abs(x)) / 2
    return tape.gradient(y, x)


@maximum_with_zero.keras
def _(x):
    import keras
    import tensorflow as tf

    x = tf.Variable(x)
    with tf.GradientTape() as tape:
        y = keras.ops.maximum(x, 0)
    return tape.gradient(y, x)


@maximum_with_zero.keras.like("numpy")
def _(x):
    """Call keras.ops.relu."""
    import keras
    import tensorflow as tf

    x = tf.Variable(x)
    with tf.GradientTape() as tape:
        y = keras.ops.relu(x)
    return tape.gradient(y, x)


@maximum_with_zero.keras.like("torch")
def _(x):
    """Write it as (x + |x|)/2."""
    import keras
    import tensorflow as tf

    x = tf.Variable(x)
    with tf.GradientTape() as tape:
        y = (x + keras.ops.abs(x)) / 2
    return tape.gradient(y, x)


@maximum_with_zero.torch
def _(x):
    import torch

    x = torch.tensor(x, requires_grad=True)
    y = torch.maximum(x, torch.tensor(0.0))
    y.sum().backward()
    return x.grad


@maximum_with_zero.torch.like("numpy")
def _(x):
    """Call torch.relu."""
    import torch

    x = torch.tensor(x, requires_grad=True)
    y = torch.relu(x)
    y.sum().backward()
    return x.grad


@maximum_with_zero.torch.like("keras")
def _(x):
    """Call torch.clamp(x, min=0), which passes the gradient at 0."""
    import torch

    x = torch.tensor(x, requires_grad=True)
    y = torch.clamp(x, min=0)
    y.sum().backward()
    return x.grad


relu_at_zero = Card(
    id="relu-at-zero",
    title="relu: its gradient at zero",
    wrong=(
        "Nothing, as long as relu itself is called: its derivative at zero is 0 everywhere, also in "
        "scikit-learn's MLP, which looks at the output and not at the input. Written as a maximum it "
        "differs."
    ),
    conventions={
        "numpy sklearn tensorflow keras torch": "y' = 1 if x > 0, else 0",
    },
    given=around_zero,
)


@relu_at_zero.numpy
def _(x):
    return np.where(x > 0, 1.0, 0.0)


@relu_at_zero.sklearn
def _(x):
    from sklearn.neural_network._base import ACTIVATIONS, DERIVATIVES

    y, gradient = x, np.ones_like(x)
    ACTIVATIONS["relu"](y)
    DERIVATIVES["relu"](y, gradient)  # both in place
    return gradient


@relu_at_zero.tensorflow
def _(x):
    import tensorflow as tf

    x = tf.Variable(x)
    with tf.GradientTape() as tape:
        y = tf.nn.relu(x)
    return tape.gradient(y, x)


@relu_at_zero.keras
def _(x):
    import keras
    import tensorflow as tf

    x = tf.Variable(x)
    with tf.GradientTape() as tape:
        y = keras.activations.relu(x)
    return tape.gradient(y, x)


@relu_at_zero.torch
def _(x):
    import torch

    x = torch.tensor(x, requires_grad=True)
    y = torch.relu(x)
    y.sum().backward()
    return x.grad


max_along_axis = Card(
    id="max-along-axis-tie",
    title="Maximum along an axis: who gets the gradient of a tie",
    wrong=(
        "Where the largest value of a row occurs twice, TensorFlow and Keras share the gradient out, and so "
        "does PyTorch's amax; its max with a dimension, which also returns indices, gives all to the first. "
        "Ties are the rule in rows of zeros after a ReLU and in quantised data."
    ),
    conventions={
        "numpy tensorflow keras": "1/k for each of k largest",
        "torch": "1 for the first of the largest, 0 for the others",
    },
    given=tied_rows,
    differs=0.2,
    absent={"sklearn": BY_HAND},
    issues=("pytorch/pytorch#155048",),
)


@max_along_axis.numpy
def _(x):
    largest = x == x.max(axis=1, keepdims=True)
    return largest / largest.sum(axis=1, keepdims=True)


@max_along_axis.numpy.like("torch")
def _(x):
    """Give everything to the first of the largest, which is what argmax finds."""
    return np.eye(3)[x.argmax(axis=1)]


@max_along_axis.tensorflow
def _(x):
    import tensorflow as tf

    x = tf.Variable(x)
    with tf.GradientTape() as tape:
        y = tf.reduce_max(x, axis=1)
    return tape.gradient(y, x)


@max_along_axis.tensorflow.like("torch")
def _(x):
    """Gather the element that tf.argmax finds."""
    import tensorflow as tf

    x = tf.Variable(x)
    with tf.GradientTape() as tape:
        y = tf.gather(x, tf.argmax(x, axis=1), axis=1, batch_dims=1)
    return tape.gradient(y, x)


@max_along_axis.keras
def _(x):
    import keras
    import tensorflow as tf

    x = tf.Variable(x)
    with tf.GradientTape() as tape:
        y = keras.ops.max(x, axis=1)
    return tape.gradient(y, x)


@max_along_axis.keras.like("torch")
def _(x):
    """Take the element that keras.ops.argmax finds, with take_along_axis."""
    import keras
    import tensorflow as tf

    x = tf.constant(x)
    with tf.GradientTape() as tape:
        tape.watch(x)
        first = keras.ops.argmax(x, axis=1, keepdims=True)
        y = keras.ops.take_along_axis(x, first, axis=1)
    return tape.gradient(y, x)


@max_along_axis.torch
def _(x):
    import torch

    x = torch.tensor(x, requires_grad=True)
    y = x.max(dim=1).values
    y.sum().backward()
    return x.grad


@max_along_axis.torch.like("keras")
def _(x):
    """Call amax in place of max."""
    import torch

    x = torch.tensor(x, requires_grad=True)
    y = x.amax(dim=1)
    y.sum().backward()
    return x.grad


max_of_all = Card(
    id="max-of-all-tie",
    title="Maximum of a whole tensor: ties are shared",
    wrong=(
        "Nothing: without an axis PyTorch's max shares the gradient among equal numbers as well, though "
        "with one it does not."
    ),
    conventions={
        "numpy tensorflow keras torch": "1/k for each of k largest",
    },
    given=tied_rows,
    absent={"sklearn": BY_HAND},
    issues=("tensorflow/tensorflow#51681",),
)


@max_of_all.numpy
def _(x):
    largest = x == x.max()
    return largest / largest.sum()


@max_of_all.tensorflow
def _(x):
    import tensorflow as tf

    x = tf.Variable(x)
    with tf.GradientTape() as tape:
        y = tf.reduce_max(x)
    return tape.gradient(y, x)


@max_of_all.keras
def _(x):
    import keras
    import tensorflow as tf

    x = tf.Variable(x)
    with tf.GradientTape() as tape:
        y = keras.ops.max(x)
    return tape.gradient(y, x)


@max_of_all.torch
def _(x):
    import torch

    x = torch.tensor(x, requires_grad=True)
    y = x.max()
    y.sum().backward()
    return x.grad


maximum_tie = Card(
    id="maximum-tie",
    title="maximum(a, b): who gets the gradient of a tie",
    wrong=(
        "With two equal arguments TensorFlow and Keras give everything to the first, so that the order of "
        "the arguments matters; PyTorch gives each a half. minimum does likewise."
    ),
    conventions={
        "numpy tensorflow keras": "a gets 1 if a ≥ b, b the rest",
        "torch": "each gets ½ if a = b",
    },
    given=tied_pairs,
    differs=0.2,
    absent={"sklearn": BY_HAND},
    issues=("pytorch/pytorch#56734", "pytorch/pytorch#184572"),
)


@maximum_tie.numpy
def _(a, b):
    return np.concatenate([a >= b, a < b])


@maximum_tie.numpy.like("torch")
def _(a, b):
    """Halve the gradient where both are equal."""
    return np.concatenate([np.heaviside(a - b, 0.5), np.heaviside(b - a, 0.5)])


@maximum_tie.tensorflow
def _(a, b):
    import tensorflow as tf

    a, b = tf.Variable(a), tf.Variable(b)
    with tf.GradientTape() as tape:
        y = tf.maximum(a, b)
    return np.concatenate(tape.gradient(y, [a, b]))


@maximum_tie.tensorflow.like("torch")
def _(a, b):
    """Write it as (a + b + |a - b|)/2."""
    import tensorflow as tf

    a, b = tf.Variable(a), tf.Variable(b)
    with tf.GradientTape() as tape:
        y = (a + b + tf.abs(a - b)) / 2
    return np.concatenate(tape.gradient(y, [a, b]))


@maximum_tie.keras
def _(a, b):
    import keras
    import tensorflow as tf

    a, b = tf.Variable(a), tf.Variable(b)
    with tf.GradientTape() as tape:
        y = keras.ops.maximum(a, b)
    return np.concatenate(tape.gradient(y, [a, b]))


@maximum_tie.keras.like("torch")
def _(a, b):
    """Write it as (a + b + |a - b|)/2."""
    import keras
    import tensorflow as tf

    a, b = tf.Variable(a), tf.Variable(b)
    with tf.GradientTape() as tape:
        y = (a + b + keras.ops.abs(a - b)) / 2
    return np.concatenate(tape.gradient(y, [a, b]))


@maximum_tie.torch
def _(a, b):
    import torch

    a = torch.tensor(a, requires_grad=True)
    b = torch.tensor(b, requires_grad=True)
    y = torch.maximum(a, b)
    y.sum().backward()
    return torch.cat([a.grad, b.grad])


@maximum_tie.torch.like("keras")
def _(a, b):
    """Write it as torch.where(a >= b, a, b)."""
    import torch

    a = torch.tensor(a, requires_grad=True)
    b = torch.tensor(b, requires_grad=True)
    y = torch.where(a >= b, a, b)
    y.sum().backward()
    return torch.cat([a.grad, b.grad])


global_pool = Card(
    id="global-max-pool-tie",
    title="Global max pooling: ties",
    wrong=(
        "Keras pools a whole image by the maximum over two axes, which shares the gradient of a tie; "
        "PyTorch's adaptive pooling gives it to the first place. After a ReLU, a channel that is nowhere "
        "active is one tie over the whole image."
    ),
    conventions={
        "numpy tensorflow keras": "1/k for each of k largest",
        "torch": "1 for the first of the largest, 0 for the others",
    },
    given=tied_image,
    differs=0.2,
    absent={"sklearn": BY_HAND},
)


@global_pool.numpy
def _(x):
    largest = x == x.max(axis=(1, 2), keepdims=True)
    return largest / largest.sum(axis=(1, 2), keepdims=True)


@global_pool.numpy.like("torch")
def _(x):
    """Give everything to the first of the largest."""
    gradient = np.zeros_like(x)
    gradient.flat[x.argmax()] = 1
    return gradient


@global_pool.tensorflow
def _(x):
    import tensorflow as tf

    x = tf.Variable(x)
    with tf.GradientTape() as tape:
        y = tf.reduce_max(x, axis=[1, 2])
    return tape.gradient(y, x)


@global_pool.tensorflow.like("torch")
def _(x):
    """Use max pooling with a window as large as the image."""
    import tensorflow as tf

    x = tf.Variable(x)
    with tf.GradientTape() as tape:
        y = tf.nn.max_pool2d(x, 4, 4, padding="VALID")
    return tape.gradient(y, x)


@global_pool.keras
def _(x):
    import keras
    import tensorflow as tf

    x = tf.Variable(x)
    with tf.GradientTape() as tape:
        y = keras.layers.GlobalMaxPooling2D()(x)
    return tape.gradient(y, x)


@global_pool.keras.like("torch")
def _(x):
    """Use max pooling with a window as large as the image."""
    import keras
    import tensorflow as tf

    x = tf.Variable(x)
    with tf.GradientTape() as tape:
        y = keras.layers.MaxPooling2D(pool_size=4)(x)
    return tape.gradient(y, x)


@global_pool.torch
def _(x):
    import torch
    import torch.nn.functional as F

    x = torch.tensor(x, requires_grad=True)
    y = F.adaptive_max_pool2d(x.permute(0, 3, 1, 2), 1)
    y.sum().backward()
    return x.grad


@global_pool.torch.like("keras")
def _(x):
    """Call amax over both axes of the image."""
    import torch

    x = torch.tensor(x, requires_grad=True)
    y = x.amax(dim=(1, 2))
    y.sum().backward()
    return x.grad


max_pool = Card(
    id="max-pool-tie",
    title="Max pooling: the first of equal numbers gets the gradient",
    wrong=(
        "Nothing on a CPU: of equal numbers in a window the first in row order gets the gradient. It is "
        "chosen by each kernel, so other devices may choose another one."
    ),
    conventions={
        "numpy tensorflow keras torch": "1 for the first of the largest in each window",
    },
    given=tied_image,
    absent={"sklearn": BY_HAND},
    issues=("tensorflow/tensorflow#4886", "tensorflow/tensorflow#51682"),
)


@max_pool.numpy
def _(x):
    windows = x.reshape(2, 2, 2, 2).swapaxes(1, 2).reshape(4, 4)
    gradient = np.eye(4)[windows.argmax(axis=1)]
    return gradient.reshape(2, 2, 2, 2).swapaxes(1, 2).reshape(x.shape)


@max_pool.tensorflow
def _(x):
    import tensorflow as tf

    x = tf.Variable(x)
    with tf.GradientTape() as tape:
        y = tf.nn.max_pool2d(x, 2, 2, padding="VALID")
    return tape.gradient(y, x)


@max_pool.keras
def _(x):
    import keras
    import tensorflow as tf

    x = tf.Variable(x)
    with tf.GradientTape() as tape:
        y = keras.layers.MaxPooling2D(pool_size=2)(x)
    return tape.gradient(y, x)


@max_pool.torch
def _(x):
    import torch
    import torch.nn.functional as F

    x = torch.tensor(x, requires_grad=True)
    y = F.max_pool2d(x.permute(0, 3, 1, 2), 2)
    y.sum().backward()
    return x.grad


clip_at_bounds = Card(
    id="clip-at-the-bounds",
    title="clip and clamp: 1 at the bounds",
    wrong=(
        "Nothing: all of them let the gradient pass at both bounds and stop it beyond. PyTorch's hardtanh "
        "and relu6, which compute the same values, stop it at the bounds as well."
    ),
    conventions={
        "numpy tensorflow keras torch": "y' = 1 if -1 ≤ x ≤ 1, else 0",
    },
    given=at_bounds,
    absent={"sklearn": BY_HAND},
    issues=("pytorch/pytorch#184574", "pytorch/pytorch#7002"),
)


@clip_at_bounds.numpy
def _(x):
    return np.where(abs(x) <= 1, 1.0, 0.0)


@clip_at_bounds.tensorflow
def _(x):
    import tensorflow as tf

    x = tf.Variable(x)
    with tf.GradientTape() as tape:
        y = tf.clip_by_value(x, -1, 1)
    return tape.gradient(y, x)


@clip_at_bounds.keras
def _(x):
    import keras
    import tensorflow as tf

    x = tf.Variable(x)
    with tf.GradientTape() as tape:
        y = keras.ops.clip(x, -1, 1)
    return tape.gradient(y, x)


@clip_at_bounds.torch
def _(x):
    import torch

    x = torch.tensor(x, requires_grad=True)
    y = torch.clamp(x, -1, 1)
    y.sum().backward()
    return x.grad


hard_tanh_at_bounds = Card(
    id="hard-tanh-at-the-bounds",
    title="Hard tanh: its gradient at -1 and 1",
    wrong=(
        "Keras clips, and lets the gradient pass at the bounds; PyTorch's hardtanh stops it there. Inputs "
        "that are exactly -1 or 1 come from data scaled to that range and from clipping."
    ),
    conventions={
        "keras": "y' = 1 if -1 ≤ x ≤ 1, else 0",
        "numpy torch": "y' = 1 if -1 < x < 1, else 0",
    },
    given=at_bounds,
    differs=0.5,
    absent={
        "sklearn": BY_HAND,
        "tensorflow": "outside Keras TensorFlow has no hard tanh, only clip_by_value",
    },
    issues=("pytorch/pytorch#120258", "pytorch/pytorch#184574"),
)


@hard_tanh_at_bounds.numpy
def _(x):
    return np.where(abs(x) < 1, 1.0, 0.0)


@hard_tanh_at_bounds.numpy.like("keras")
def _(x):
    """Let the gradient pass at the bounds too."""
    return np.where(abs(x) <= 1, 1.0, 0.0)


@hard_tanh_at_bounds.keras
def _(x):
    import keras
    import tensorflow as tf

    x = tf.Variable(x)
    with tf.GradientTape() as tape:
        y = keras.activations.hard_tanh(x)
    return tape.gradient(y, x)


@hard_tanh_at_bounds.keras.like("torch")
def _(x):
    """Write it as where(|x| < 1, x, sign(x))."""
    import keras
    import tensorflow as tf

    x = tf.Variable(x)
    with tf.GradientTape() as tape:
        y = keras.ops.where(keras.ops.abs(x) < 1, x, keras.ops.sign(x))
    return tape.gradient(y, x)


@hard_tanh_at_bounds.torch
def _(x):
    import torch
    import torch.nn.functional as F

    x = torch.tensor(x, requires_grad=True)
    y = F.hardtanh(x)
    y.sum().backward()
    return x.grad


@hard_tanh_at_bounds.torch.like("keras")
def _(x):
    """Call torch.clamp(x, -1, 1)."""
    import torch

    x = torch.tensor(x, requires_grad=True)
    y = torch.clamp(x, -1, 1)
    y.sum().backward()
    return x.grad


selu_at_zero = Card(
    id="selu-at-zero",
    title="SELU: its gradient at zero",
    wrong=(
        "SELU has a kink at zero, for its slopes are λ above and λα below. TensorFlow and Keras take the "
        "upper one at zero itself, PyTorch the lower. It shows with inputs of exactly zero: padding, "
        "dropout before the activation, biases and features that are zero."
    ),
    conventions={
        "tensorflow keras": "y' = λ if x ≥ 0, else λα·eˣ",
        "numpy torch": "y' = λ if x > 0, else λα·eˣ",
    },
    given=around_zero,
    differs=0.2,
    absent={"sklearn": BY_HAND},
)


@selu_at_zero.numpy
def _(x):
    scale, alpha = 1.0507009873554805, 1.6732632423543772
    return np.where(x > 0, scale, scale * alpha * np.exp(x))


@selu_at_zero.numpy.like("keras")
def _(x):
    """Count 0 as positive."""
    scale, alpha = 1.0507009873554805, 1.6732632423543772
    return np.where(x >= 0, scale, scale * alpha * np.exp(x))


@selu_at_zero.tensorflow
def _(x):
    import tensorflow as tf

    x = tf.Variable(x)
    with tf.GradientTape() as tape:
        y = tf.nn.selu(x)
    return tape.gradient(y, x)


@selu_at_zero.tensorflow.like("torch")
def _(x):
    """Write the lower branch, λα·(eˣ-1), for all that is not positive."""
    import tensorflow as tf

    x = tf.Variable(x)
    with tf.GradientTape() as tape:
        y = tf.where(x > 0, tf.nn.selu(x), 1.7580993408473766 * tf.math.expm1(x))
    return tape.gradient(y, x)


@selu_at_zero.keras
def _(x):
    import keras
    import tensorflow as tf

    x = tf.Variable(x)
    with tf.GradientTape() as tape:
        y = keras.activations.selu(x)
    return tape.gradient(y, x)


@selu_at_zero.keras.like("torch")
def _(x):
    """Write the lower branch, λα·(eˣ-1), for all that is not positive."""
    import keras
    import tensorflow as tf

    x = tf.Variable(x)
    with tf.GradientTape() as tape:
        y = keras.ops.where(x > 0, keras.activations.selu(x), 1.7580993408473766 * keras.ops.expm1(x))
    return tape.gradient(y, x)


@selu_at_zero.torch
def _(x):
    import torch

    x = torch.tensor(x, requires_grad=True)
    y = torch.selu(x)
    y.sum().backward()
    return x.grad


@selu_at_zero.torch.like("keras")
def _(x):
    """Write the upper branch, λ·x, from 0 on."""
    import torch

    x = torch.tensor(x, requires_grad=True)
    y = torch.where(x >= 0, 1.0507009873554805 * x, torch.selu(x))
    y.sum().backward()
    return x.grad


celu_at_zero = Card(
    id="celu-at-zero",
    title="CELU: twice the gradient at zero in Keras",
    wrong=(
        "CELU is smooth, with a slope of 1 at zero. Keras computes it as max(x, 0) plus a function of "
        "min(x, 0), and each of the two lets the gradient pass at zero, so that it is counted twice. "
        "Elsewhere all agree."
    ),
    conventions={
        "keras": "y' = 1 if x > 0, 2 if x = 0, else e^(x/α)",
        "numpy torch": "y' = 1 if x ≥ 0, else e^(x/α)",
    },
    given=around_zero,
    differs=0.2,
    absent={"sklearn": BY_HAND, "tensorflow": "outside Keras TensorFlow has no CELU"},
)


@celu_at_zero.numpy
def _(x):
    return np.where(x >= 0, 1.0, np.exp(x / 1.5))


@celu_at_zero.numpy.like("keras")
def _(x):
    """Add the derivatives of both branches at 0."""
    return 1.0 * (x >= 0) + (x <= 0) * np.exp(x / 1.5)


@celu_at_zero.keras
def _(x):
    import keras
    import tensorflow as tf

    x = tf.Variable(x)
    with tf.GradientTape() as tape:
        y = keras.activations.celu(x, alpha=1.5)
    return tape.gradient(y, x)


@celu_at_zero.keras.like("torch")
def _(x):
    """Write it with where: x if x > 0, else α·(e^(x/α)-1)."""
    import keras
    import tensorflow as tf

    x = tf.Variable(x)
    with tf.GradientTape() as tape:
        y = keras.ops.where(x > 0, x, 1.5 * keras.ops.expm1(x / 1.5))
    return tape.gradient(y, x)


@celu_at_zero.torch
def _(x):
    import torch
    import torch.nn.functional as F

    x = torch.tensor(x, requires_grad=True)
    y = F.celu(x, alpha=1.5)
    y.sum().backward()
    return x.grad


@celu_at_zero.torch.like("keras")
def _(x):
    """Add both branches, each of x clamped at 0."""
    import torch

    x = torch.tensor(x, requires_grad=True)
    y = torch.clamp(x, min=0) + 1.5 * torch.expm1(torch.clamp(x, max=0) / 1.5)
    y.sum().backward()
    return x.grad


prelu_at_zero = Card(
    id="prelu-at-zero",
    title="PReLU: its gradient at zero",
    wrong=(
        "At zero Keras's PReLU passes nothing on, being a difference of two ReLUs; PyTorch's passes the "
        "slope of the negative side, as every leaky ReLU does. (The slopes are equal here: their start is "
        "another matter.)"
    ),
    conventions={
        "keras": "y' = 1 if x > 0, 0 if x = 0, else α",
        "numpy torch": "y' = 1 if x > 0, else α",
    },
    given=around_zero,
    differs=0.1,
    absent={"sklearn": BY_HAND, "tensorflow": "outside Keras TensorFlow has no PReLU"},
)


@prelu_at_zero.numpy
def _(x):
    return np.where(x > 0, 1, 0.25)


@prelu_at_zero.numpy.like("keras")
def _(x):
    """Take 0 as the gradient at 0."""
    return np.where(x > 0, 1, np.where(x < 0, 0.25, 0))


@prelu_at_zero.keras
def _(x):
    import keras
    import tensorflow as tf

    x = tf.Variable(x)
    with tf.GradientTape() as tape:
        y = keras.layers.PReLU(keras.initializers.Constant(0.25))(x)
    return tape.gradient(y, x)


@prelu_at_zero.keras.like("torch")
def _(x):
    """Write it with where: x if x > 0, else α·x."""
    import keras
    import tensorflow as tf

    x = tf.Variable(x)
    with tf.GradientTape() as tape:
        y = keras.ops.where(x > 0, x, 0.25 * x)
    return tape.gradient(y, x)


@prelu_at_zero.torch
def _(x):
    import torch

    x = torch.tensor(x, requires_grad=True)
    y = torch.nn.PReLU(init=0.25)(x)
    y.sum().backward()
    return x.grad


@prelu_at_zero.torch.like("keras")
def _(x):
    """Write it as a difference of two ReLUs: relu(x) - α·relu(-x)."""
    import torch

    x = torch.tensor(x, requires_grad=True)
    y = torch.relu(x) - 0.25 * torch.relu(-x)
    y.sum().backward()
    return x.grad


kinks_same = Card(
    id="kinks-same",
    title="|x|, leaky ReLU, ELU, ReLU6: the same at their kinks",
    wrong=(
        "Nothing: |x| has 0 at zero, the leaky ReLU the slope of its negative side, ELU 1, and ReLU6 0 at "
        "both ends."
    ),
    conventions={
        "numpy tensorflow keras torch": (
            "|x|' = sign x;  leaky: 1 if x > 0, else α;  elu: 1 if x ≥ 0, else eˣ;  "
            "relu6: 1 if 0 < x < 6, else 0"
        ),
    },
    given=kinks,
    absent={"sklearn": BY_HAND},
)


@kinks_same.numpy
def _(x):
    return np.stack([np.sign(x), np.where(x > 0, 1, 0.25), np.exp(np.minimum(x, 0)), (x > 0) & (x < 6)])


@kinks_same.tensorflow
def _(x):
    import tensorflow as tf

    x, gradients = tf.Variable(x), []
    for f in (tf.abs, lambda x: tf.nn.leaky_relu(x, 0.25), tf.nn.elu, tf.nn.relu6):
        with tf.GradientTape() as tape:
            y = f(x)
        gradients.append(tape.gradient(y, x))
    return np.stack(gradients)


@kinks_same.keras
def _(x):
    import keras
    import tensorflow as tf

    x, gradients = tf.Variable(x), []
    for f in (keras.ops.abs, keras.layers.LeakyReLU(0.25), keras.ops.elu, keras.ops.relu6):
        with tf.GradientTape() as tape:
            y = f(x)
        gradients.append(tape.gradient(y, x))
    return np.stack(gradients)


@kinks_same.torch
def _(x):
    import torch
    import torch.nn.functional as F

    x, gradients = torch.tensor(x, requires_grad=True), []
    for f in (torch.abs, torch.nn.LeakyReLU(0.25), F.elu, F.relu6):
        y = f(x).sum()
        gradients.append(torch.autograd.grad(y, x)[0])
    return np.stack(gradients)


kinks_keras_torch = Card(
    id="kinks-piecewise",
    title="Hard swish, shrinking, threshold, ELU: the same at their kinks",
    wrong=(
        "Nothing: Keras and PyTorch take the same side at each kink, also for an ELU with another α, which "
        "is steeper below zero."
    ),
    conventions={
        "numpy keras torch": (
            "hard silu: x/3 + ½ if |x| < 3, else 1 if x ≥ 3, else 0;  shrinking: 1 if |x| > ½;  "
            "threshold: 1 if x > ½;  elu: 1 if x > 0, else α·eˣ"
        ),
    },
    given=kinks,
    absent={
        "sklearn": BY_HAND,
        "tensorflow": "outside Keras TensorFlow has none of them but an ELU without α",
    },
)


@kinks_keras_torch.numpy
def _(x):
    silu = np.where(abs(x) < 3, x / 3 + 0.5, x > 0)
    outer = abs(x) > 0.5
    return np.stack([silu, outer, outer, x > 0.5, np.where(x > 0, 1, 2 * np.exp(x))])


@kinks_keras_torch.keras
def _(x):
    import keras
    import tensorflow as tf

    x, gradients = tf.Variable(x), []
    for f in (
        keras.ops.hard_silu,
        keras.ops.soft_shrink,
        keras.ops.hard_shrink,
        lambda x: keras.ops.threshold(x, 0.5, 0.0),
        keras.layers.ELU(alpha=2.0),
    ):
        with tf.GradientTape() as tape:
            y = f(x)
        gradients.append(tape.gradient(y, x))
    return np.stack(gradients)


@kinks_keras_torch.torch
def _(x):
    import torch
    import torch.nn.functional as F

    x, gradients = torch.tensor(x, requires_grad=True), []
    for f in (
        F.hardswish,
        F.softshrink,
        F.hardshrink,
        torch.nn.Threshold(0.5, 0.0),
        torch.nn.ELU(alpha=2.0),
    ):
        y = f(x).sum()
        gradients.append(torch.autograd.grad(y, x)[0])
    return np.stack(gradients)


round_gradient = Card(
    id="round-gradient",
    title="round, floor, ceil: a gradient of zeros, or none",
    wrong=(
        "None of them trains through rounding. PyTorch returns zeros, TensorFlow nothing: None, with which "
        "Keras and TensorFlow leave a variable out of the update, and which a hand-written loop stumbles "
        "over. Zeros are not left out: momentum, weight decay and Adam go on moving the parameter. For "
        "training through the rounding both need x + stop_gradient(round(x) - x)."
    ),
    conventions={
        "numpy torch": "∂/∂x Σ w·round(x) = 0",
        "tensorflow keras": "None (shown as NaN)",
    },
    given=weighted,
    differs=0.5,
    absent={"sklearn": BY_HAND},
)


@round_gradient.numpy
def _(x):
    return np.zeros_like(x)


@round_gradient.numpy.like("keras")
def _(x):
    """Have no gradient, and leave the parameter out of the update."""
    return np.full_like(x, np.nan)


@round_gradient.tensorflow
def _(x, w):
    import tensorflow as tf

    x, w = tf.Variable(x), tf.Variable(w)
    with tf.GradientTape() as tape:
        y = w * tf.round(x)
    gradient = tape.gradient(y, x)
    return [np.nan] * 3 if gradient is None else gradient


@round_gradient.tensorflow.like("torch")
def _(x, w):
    """Pass unconnected_gradients="zero" to the tape."""
    import tensorflow as tf

    x, w = tf.Variable(x), tf.Variable(w)
    with tf.GradientTape() as tape:
        y = w * tf.round(x)
    gradient = tape.gradient(y, x, unconnected_gradients="zero")
    return [np.nan] * 3 if gradient is None else gradient


@round_gradient.keras
def _(x, w):
    import keras
    import tensorflow as tf

    x, w = tf.Variable(x), tf.Variable(w)
    with tf.GradientTape() as tape:
        y = w * keras.ops.round(x)
    gradient = tape.gradient(y, x)
    return [np.nan] * 3 if gradient is None else gradient


@round_gradient.keras.like("torch")
def _(x, w):
    """Pass unconnected_gradients="zero" to the tape."""
    import keras
    import tensorflow as tf

    x, w = tf.Variable(x), tf.Variable(w)
    with tf.GradientTape() as tape:
        y = w * keras.ops.round(x)
    gradient = tape.gradient(y, x, unconnected_gradients="zero")
    return [np.nan] * 3 if gradient is None else gradient


@round_gradient.torch
def _(x, w):
    import torch

    x = torch.tensor(x, requires_grad=True)
    w = torch.tensor(w, requires_grad=True)
    y = w * torch.round(x)
    y.sum().backward()
    return [np.nan] * 3 if x.grad is None else x.grad


@round_gradient.torch.like("keras")
def _(x, w):
    """Detach what is rounded: round(x.detach())."""
    import torch

    x = torch.tensor(x, requires_grad=True)
    w = torch.tensor(w, requires_grad=True)
    y = w * torch.round(x.detach())
    y.sum().backward()
    return [np.nan] * 3 if x.grad is None else x.grad


power_zero = Card(
    id="power-zero",
    title="x⁰: its gradient at zero",
    wrong=(
        "The derivative of xᵏ is k·xᵏ⁻¹, which for k = 0 at zero is 0·∞. PyTorch returns 0 for an exponent "
        "of 0, TensorFlow and Keras NaN. It shows in polynomials whose loop starts at 0, with a feature "
        "that is zero."
    ),
    conventions={
        "numpy tensorflow keras": "y' = Σ k·xᵏ⁻¹,  0·∞ = NaN at 0",
        "torch": "y' = Σ k·xᵏ⁻¹ over k ≠ 0",
    },
    given=zero_and_four,
    differs=0.5,
    absent={"sklearn": BY_HAND},
)


@power_zero.numpy
def _(x):
    return sum(k * x ** (k - 1.0) for k in range(3))


@power_zero.numpy.like("torch")
def _(x):
    """Leave the exponent 0 out of the derivative."""
    return sum(k * x ** (k - 1.0) for k in range(1, 3))


@power_zero.tensorflow
def _(x):
    import tensorflow as tf

    x = tf.Variable(x)
    with tf.GradientTape() as tape:
        y = sum(x**k for k in range(3))
    return tape.gradient(y, x)


@power_zero.tensorflow.like("torch")
def _(x):
    """Write 1 for x⁰."""
    import tensorflow as tf

    x = tf.Variable(x)
    with tf.GradientTape() as tape:
        y = 1 + sum(x**k for k in range(1, 3))
    return tape.gradient(y, x)


@power_zero.keras
def _(x):
    import keras
    import tensorflow as tf

    x = tf.Variable(x)
    with tf.GradientTape() as tape:
        y = sum(keras.ops.power(x, k) for k in range(3))
    return tape.gradient(y, x)


@power_zero.keras.like("torch")
def _(x):
    """Write 1 for x⁰."""
    import keras
    import tensorflow as tf

    x = tf.Variable(x)
    with tf.GradientTape() as tape:
        y = 1 + sum(keras.ops.power(x, k) for k in range(1, 3))
    return tape.gradient(y, x)


@power_zero.torch
def _(x):
    import torch

    x = torch.tensor(x, requires_grad=True)
    y = sum(x**k for k in range(3))
    y.sum().backward()
    return x.grad


@power_zero.torch.like("keras")
def _(x):
    """Write the derivative by hand, k·xᵏ⁻¹ also for k = 0."""
    import torch

    x = torch.tensor(x)
    return sum(k * x ** (k - 1.0) for k in range(3))


power_exponent = Card(
    id="power-of-negative",
    title="xᵖ: the gradient of a learnt exponent where x < 0",
    wrong=(
        "A trainable exponent, as in generalised mean pooling, gets xᵖ·ln x. For negative x PyTorch returns "
        "NaN, which ends the training, TensorFlow and Keras 0, which hides that such inputs should not "
        "occur."
    ),
    conventions={
        "tensorflow keras": "∂xᵖ/∂p = xᵖ·ln x if x > 0, else 0",
        "numpy torch": "∂xᵖ/∂p = xᵖ·ln x",
    },
    given=powers,
    differs=0.5,
    absent={"sklearn": BY_HAND},
)


@power_exponent.numpy
def _(x, p):
    return x**p * np.log(x)


@power_exponent.numpy.like("keras")
def _(x, p):
    """Take ln 1 where x is not positive."""
    return x**p * np.log(np.where(x > 0, x, 1))


@power_exponent.tensorflow
def _(x, p):
    import tensorflow as tf

    x, p = tf.Variable(x), tf.Variable(p)
    with tf.GradientTape() as tape:
        y = tf.pow(x, p)
    return tape.gradient(y, p)


@power_exponent.tensorflow.like("torch")
def _(x, p):
    """Write the derivative by hand: xᵖ·ln x."""
    import tensorflow as tf

    return tf.pow(x, p) * tf.math.log(x)


@power_exponent.keras
def _(x, p):
    import keras
    import tensorflow as tf

    x, p = tf.Variable(x), tf.Variable(p)
    with tf.GradientTape() as tape:
        y = keras.ops.power(x, p)
    return tape.gradient(y, p)


@power_exponent.keras.like("torch")
def _(x, p):
    """Write the derivative by hand: xᵖ·ln x."""
    import keras

    return keras.ops.power(x, p) * keras.ops.log(x)


@power_exponent.torch
def _(x, p):
    import torch

    x = torch.tensor(x, requires_grad=True)
    p = torch.tensor(p, requires_grad=True)
    y = torch.pow(x, p)
    y.sum().backward()
    return p.grad


@power_exponent.torch.like("keras")
def _(x, p):
    """Raise only what is positive: use where on x before the power, and on the result."""
    import torch

    x = torch.tensor(x, requires_grad=True)
    p = torch.tensor(p, requires_grad=True)
    y = torch.where(x > 0, torch.pow(torch.where(x > 0, x, 1), p), x)
    y.sum().backward()
    return p.grad


atan2_origin = Card(
    id="atan2-at-the-origin",
    title="atan2: its gradient at the origin",
    wrong=(
        "An angle has no derivative at the origin. PyTorch returns zeros there, TensorFlow and Keras divide "
        "by zero. It shows with phases of spectra, of which silent bins are exactly zero."
    ),
    conventions={
        "tensorflow keras": "(b, -a) / (a² + b²) = NaN at 0",
        "numpy torch": "(b, -a) / (a² + b²), 0 at 0",
    },
    given=origin,
    differs=0.5,
    absent={"sklearn": BY_HAND},
)


@atan2_origin.numpy
def _(a, b):
    s = a**2 + b**2
    return np.concatenate([b, -a]) / np.tile(np.where(s > 0, s, 1), 2)


@atan2_origin.numpy.like("keras")
def _(a, b):
    """Divide in any case, also zero by zero."""
    return np.concatenate([b, -a]) / np.tile(a**2 + b**2, 2)


@atan2_origin.tensorflow
def _(a, b):
    import tensorflow as tf

    a, b = tf.Variable(a), tf.Variable(b)
    with tf.GradientTape() as tape:
        y = tf.atan2(a, b)
    return np.concatenate(tape.gradient(y, [a, b]))


@atan2_origin.tensorflow.like("torch")
def _(a, b):
    """At the origin, replace an argument before and the angle after, with where."""
    import tensorflow as tf

    a, b = tf.Variable(a), tf.Variable(b)
    with tf.GradientTape() as tape:
        zero = (a == 0) & (b == 0)
        y = tf.where(zero, 0, tf.atan2(a, tf.where(zero, 1, b)))
    return np.concatenate(tape.gradient(y, [a, b]))


@atan2_origin.keras
def _(a, b):
    import keras
    import tensorflow as tf

    a, b = tf.Variable(a), tf.Variable(b)
    with tf.GradientTape() as tape:
        y = keras.ops.arctan2(a, b)
    return np.concatenate(tape.gradient(y, [a, b]))


@atan2_origin.keras.like("torch")
def _(a, b):
    """At the origin, replace an argument before and the angle after, with where."""
    import keras
    import tensorflow as tf

    a, b = tf.Variable(a), tf.Variable(b)
    with tf.GradientTape() as tape:
        zero = (a == 0) & (b == 0)
        y = keras.ops.where(zero, 0, keras.ops.arctan2(a, keras.ops.where(zero, 1, b)))
    return np.concatenate(tape.gradient(y, [a, b]))


@atan2_origin.torch
def _(a, b):
    import torch

    a = torch.tensor(a, requires_grad=True)
    b = torch.tensor(b, requires_grad=True)
    y = torch.atan2(a, b)
    y.sum().backward()
    return torch.cat([a.grad, b.grad])


@atan2_origin.torch.like("keras")
def _(a, b):
    """Write the derivative by hand: (b, -a) / (a² + b²)."""
    import torch

    a, b = torch.tensor(a), torch.tensor(b)
    s = a**2 + b**2
    return torch.cat([b / s, -a / s])


cumprod_zero = Card(
    id="cumprod-of-zero",
    title="Cumulative product: a wrong gradient in TensorFlow where a factor is zero",
    wrong=(
        "TensorFlow computes the gradient of a cumulative product by dividing by the factors, and takes 0 "
        "where one is zero, even if the true derivative is not. PyTorch computes it. It shows wherever a "
        "survival probability or a transmittance reaches zero, and never as NaN."
    ),
    conventions={
        "tensorflow keras": "∂/∂xₖ = Σⱼ≥ₖ yⱼ / xₖ, 0 if xₖ = 0",
        "numpy torch": "∂/∂xₖ = Σⱼ≥ₖ Π xᵢ over i ≤ j, i ≠ k",
    },
    given=one_zero,
    differs=0.4,
    absent={"sklearn": BY_HAND},
    issues=("tensorflow/tensorflow#119430", "tensorflow/tensorflow#3862"),
)


@cumprod_zero.numpy
def _(x):
    others = np.where(np.eye(3, dtype=bool), 1, x)  # row k: without factor k
    return np.triu(np.cumprod(others, axis=1)).sum(axis=1)


@cumprod_zero.numpy.like("keras")
def _(x):
    """Divide the sums of products by the factors, and take 0 where a factor is 0."""
    sums = np.cumsum(np.cumprod(x)[::-1])[::-1]
    return np.divide(sums, x, out=np.zeros_like(x), where=x != 0)


@cumprod_zero.tensorflow
def _(x):
    import tensorflow as tf

    x = tf.Variable(x)
    with tf.GradientTape() as tape:
        y = tf.math.cumprod(x)
    return tape.gradient(y, x)


@cumprod_zero.tensorflow.like("torch")
def _(x):
    """Take the product of each slice x[: j + 1] in place of the cumulative one."""
    import tensorflow as tf

    x = tf.Variable(x)
    with tf.GradientTape() as tape:
        y = tf.stack([tf.reduce_prod(x[: j + 1]) for j in range(3)])
    return tape.gradient(y, x)


@cumprod_zero.keras
def _(x):
    import keras
    import tensorflow as tf

    x = tf.Variable(x)
    with tf.GradientTape() as tape:
        y = keras.ops.cumprod(x)
    return tape.gradient(y, x)


@cumprod_zero.keras.like("torch")
def _(x):
    """Take the product of each slice x[: j + 1] in place of the cumulative one."""
    import keras
    import tensorflow as tf

    x = tf.Variable(x)
    with tf.GradientTape() as tape:
        y = keras.ops.stack([keras.ops.prod(x[: j + 1]) for j in range(3)])
    return tape.gradient(y, x)


@cumprod_zero.torch
def _(x):
    import torch

    x = torch.tensor(x, requires_grad=True)
    y = torch.cumprod(x, dim=0)
    y.sum().backward()
    return x.grad


@cumprod_zero.torch.like("keras")
def _(x):
    """Divide the sums of products by the factors, and take 0 where a factor is 0."""
    import torch

    x = torch.tensor(x)
    sums = torch.cumprod(x, dim=0).flip(0).cumsum(0).flip(0)
    return torch.where(x == 0, 0, sums / x)


sort_ties = Card(
    id="sort-ties",
    title="sort: equal numbers keep their order",
    wrong=(
        "Nothing for a sort in rising order: of equal numbers the first stays first, so that weights by "
        "rank reach the same elements. (NumPy has to be asked for a stable sort; PyTorch promises one only "
        "with stable=True.)"
    ),
    conventions={
        "numpy tensorflow keras torch": "Σ wᵢ·x₍ᵢ₎: the i-th in rising order, ties as they came",
    },
    given=unsorted,
    absent={"sklearn": BY_HAND},
)


@sort_ties.numpy
def _(x, w):
    gradient = np.empty(4)
    gradient[np.argsort(x, kind="stable")] = w
    return gradient


@sort_ties.tensorflow
def _(x, w):
    import tensorflow as tf

    x = tf.Variable(x)
    with tf.GradientTape() as tape:
        y = w * tf.sort(x)
    return tape.gradient(y, x)


@sort_ties.keras
def _(x, w):
    import keras
    import tensorflow as tf

    x = tf.Variable(x)
    with tf.GradientTape() as tape:
        y = w * keras.ops.sort(x)
    return tape.gradient(y, x)


@sort_ties.torch
def _(x, w):
    import torch

    x = torch.tensor(x, requires_grad=True)
    y = torch.tensor(w) * torch.sort(x).values
    y.sum().backward()
    return x.grad


nan_in_max = Card(
    id="nan-in-max-pool",
    title="NaN in max pooling: passed on, or swallowed",
    wrong=(
        "PyTorch passes a NaN on through max pooling, and the loss shows it. TensorFlow and Keras skip it, "
        "so that a network whose activations have become NaN may still return numbers. Their maximum over "
        "an axis does pass it on."
    ),
    conventions={
        "tensorflow keras": "the largest number of the window",
        "numpy torch": "NaN if there is one in the window",
    },
    given=with_nan,
    differs=0.2,
    absent={"sklearn": "scikit-learn pools nothing"},
)


@nan_in_max.numpy
def _(x):
    return x.reshape(1, 2, 3).max(axis=2)


@nan_in_max.numpy.like("keras")
def _(x):
    """Use np.fmax, which skips NaN."""
    return np.fmax.reduce(x.reshape(1, 2, 3), axis=2)


@nan_in_max.tensorflow
def _(x):
    import tensorflow as tf

    return tf.nn.max_pool1d(x, 3, 3, padding="VALID")[:, :, 0]


@nan_in_max.tensorflow.like("torch")
def _(x):
    """Add 0 times the mean of the window, which is NaN if a number in it is."""
    import tensorflow as tf

    y = tf.nn.max_pool1d(x, 3, 3, padding="VALID") + 0 * tf.nn.avg_pool1d(x, 3, 3, padding="VALID")
    return y[:, :, 0]


@nan_in_max.keras
def _(x):
    import keras

    return keras.layers.MaxPooling1D(3)(x)[:, :, 0]


@nan_in_max.keras.like("torch")
def _(x):
    """Add 0 times the mean of the window, which is NaN if a number in it is."""
    import keras

    y = keras.layers.MaxPooling1D(3)(x) + 0 * keras.layers.AveragePooling1D(3)(x)
    return y[:, :, 0]


@nan_in_max.torch
def _(x):
    import torch

    x = torch.tensor(x).transpose(1, 2)
    return torch.nn.functional.max_pool1d(x, 3)[:, 0]


@nan_in_max.torch.like("keras")
def _(x):
    """Replace NaN by -∞ before the pooling, with masked_fill."""
    import torch

    x = torch.tensor(x).transpose(1, 2)
    x = x.masked_fill(x.isnan(), -torch.inf)
    return torch.nn.functional.max_pool1d(x, 3)[:, 0]
