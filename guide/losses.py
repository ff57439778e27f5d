"""Losses: sums and means, logits, clipped probabilities, smoothing, weights."""

import numpy as np

from backends.base import Arrays
from guide.card import Card


def regression() -> Arrays:
    """Targets `y` and predictions `p` of three outputs, (4, 3) each."""
    rng = np.random.default_rng(3)
    return {"y": rng.standard_normal((4, 3)), "p": rng.standard_normal((4, 3))}


def column() -> Arrays:
    """Targets `y` (5,), and predictions `p` (5, 1) as a layer of one unit has them."""
    rng = np.random.default_rng(4)
    return {"y": rng.standard_normal(5), "p": rng.standard_normal((5, 1))}


def weighted_rows() -> Arrays:
    """Targets `y`, predictions `p` and weights `w` of six rows, (6,) each; two weights are zero."""
    rng = np.random.default_rng(5)
    return {
        "y": rng.standard_normal(6),
        "p": rng.standard_normal(6),
        "w": np.array([1.0, 3.0, 0.0, 0.5, 0.0, 2.0]),
    }


def logits() -> Arrays:
    """Classes `y` (5,) of three, and logits `z` (5, 3)."""
    rng = np.random.default_rng(6)
    return {"y": np.array([0, 1, 1, 2, 2]), "z": rng.standard_normal((5, 3))}


def probabilities() -> Arrays:
    """Classes `y` (5,) of three, and probabilities `p` (5, 3), whose rows sum to one."""
    z = np.exp(logits()["z"])
    return {"y": logits()["y"], "p": z / z.sum(axis=1, keepdims=True)}


def weighted_classes() -> Arrays:
    """Classes `y` (5,) of three, logits `z` (5, 3), and a weight for each class, `w` (3,)."""
    return logits() | {"w": np.array([1.0, 2.0, 5.0])}


def labels() -> Arrays:
    """Three labels of each of five rows, zeros and ones, `y` (5, 3), and their logits `z` (5, 3)."""
    y = np.array([[0, 1, 1], [1, 1, 0], [0, 0, 0], [1, 0, 1], [0, 1, 0]])
    return {"y": y, "z": logits()["z"]}


def binary() -> Arrays:
    """Classes `y` (6, 1), zeros and ones as floats, and logits `z` (6, 1)."""
    rng = np.random.default_rng(7)
    y = np.array([[1.0], [0.0], [0.0], [1.0], [1.0], [0.0]])
    return {"y": y, "z": 1.5 * rng.standard_normal((6, 1))}


def sigmoids() -> Arrays:
    """Classes `y` (5,) of three, and outputs of three sigmoids `p` (5, 3), whose rows do not sum to one."""
    return {"y": logits()["y"], "p": 1 / (1 + np.exp(-logits()["z"]))}


def sequences() -> Arrays:
    """Classes `y` (4, 3) at each of three positions, and logits `z` (4, 3, 3), the classes last."""
    rng = np.random.default_rng(8)
    return {"y": rng.integers(0, 3, (4, 3)), "z": rng.standard_normal((4, 3, 3))}


def padded() -> Arrays:
    """Classes `y` (6,), logits `z` (6, 3), and a mask `m` (6,) that says which rows count."""
    rng = np.random.default_rng(9)
    m = np.array([True, True, True, False, True, False])
    return {"y": np.array([0, 1, 2, 0, 1, 0]), "z": rng.standard_normal((6, 3)), "m": m}


def unit() -> Arrays:
    """Rows `x` (5, 4), and the kernel `w` (4, 1) and bias `b` (1,) of one unit."""
    rng = np.random.default_rng(10)
    return {"x": rng.standard_normal((5, 4)), "w": rng.standard_normal((4, 1)), "b": rng.standard_normal(1)}


def two_units() -> Arrays:
    """Rows `x` (6, 3), their classes `y` (6,), zeros and ones, and the kernel `w` (3, 2) of two units."""
    rng = np.random.default_rng(11)
    y = np.array([1, 0, 0, 1, 1, 0])
    return {"x": rng.standard_normal((6, 3)), "y": y, "w": rng.standard_normal((3, 2))}


def confident() -> Arrays:
    """Classes `y` (4,), zeros and ones as floats, and probabilities `p` (4,) of ones; the first is 0."""
    return {"y": np.array([1.0, 1.0, 1.0, 0.0]), "p": np.array([0.0, 1e-9, 1e-4, 0.5])}


def saturated() -> Arrays:
    """Classes `y` (5, 1), zeros and ones as floats, and logits `z` (5, 1), three of them large and wrong."""
    y = np.array([[1.0], [1.0], [1.0], [1.0], [0.0]])
    return {"y": y, "z": np.array([[-40.0], [-30.0], [-20.0], [-2.0], [1.0]])}


def fitted_logits() -> Arrays:
    """Classes `y` (5,) of three, and logits `z` (5, 3) of a model that knows most."""
    y, z = logits().values()
    return {"y": y, "z": z + 4 * np.eye(3)[y]}


def fitted_binary() -> Arrays:
    """Classes `y` (6, 1), zeros and ones as floats, and logits `z` (6, 1) of a model that knows most."""
    y, z = binary().values()
    return {"y": y, "z": z + 4 * (2 * y - 1)}


def directions() -> Arrays:
    """Target vectors `y` and predicted ones `p`, (4, 3) each, that mostly point the same way."""
    y, p = regression().values()
    return {"y": y, "p": y + 2 * p}


def signs() -> Arrays:
    """Classes `y` (6, 1), -1 and 1, and scores `z` (6, 1)."""
    return {"y": 2 * binary()["y"] - 1, "z": binary()["z"]}


def scores() -> Arrays:
    """Classes `y` (5,) of three, and scores `z` (5, 3), of which two rows are negative."""
    z = logits()["z"]
    z[[1, 3]] -= 3
    return {"y": logits()["y"], "z": z}


def distributions() -> Arrays:
    """Target distributions `p` and predicted ones `q` over three classes, (5, 3) each."""
    rng = np.random.default_rng(12)
    return {"p": rng.dirichlet([2, 2, 2], 5), "q": rng.dirichlet([2, 2, 2], 5)}


def counts() -> Arrays:
    """Counts `y` (6,), from 1 on, as floats, and positive outputs `x` (6,) of a model."""
    rng = np.random.default_rng(13)
    return {"y": np.array([1.0, 2.0, 1.0, 4.0, 3.0, 2.0]), "x": 0.5 + 2 * rng.random(6)}


def small_target() -> Arrays:
    """Targets `y` (4,), one of them below Keras's ε, and predictions `p` (4,)."""
    return {"y": np.array([1.0, -2.0, 4.0, 1e-8]), "p": np.array([1.5, -1.0, 3.0, 4e-8])}


def half_negative() -> Arrays:
    """Targets `y` (4,), and predictions `p` (4,), of which two are negative."""
    return {"y": np.array([0.5, 1.0, 2.0, 3.0]), "p": np.array([-0.6, 1.5, -0.2, 20.0])}


def outlier() -> Arrays:
    """Targets `y` and predictions `p` (4,); the last error is large."""
    return {"y": np.zeros(4), "p": np.array([0.5, -1.0, 3.0, 1000.0])}


def ten_rows() -> Arrays:
    """Targets `y` and predictions `p` (10, 1), for batches of four; the last two are the worst."""
    rng = np.random.default_rng(14)
    p = rng.standard_normal((10, 1))
    p[8:] += 3
    return {"y": rng.standard_normal((10, 1)), "p": p}


def transcripts() -> Arrays:
    """Two targets `y` (2, 3) of classes from 1 to 3, padded by 0, and logits `z` (2, 6, 4) of six times."""
    rng = np.random.default_rng(15)
    return {"y": np.array([[1, 2, 3], [2, 0, 0]]), "z": rng.standard_normal((2, 6, 4))}


logits_or_probabilities = Card(
    id="logits-or-probabilities",
    title="Cross-entropy: of logits or of probabilities",
    wrong=(
        "The functions have the same name and take different things. Those of PyTorch and TensorFlow apply "
        "a softmax of their own, so a model that ends in a softmax gets a second one. Nothing fails: the "
        "model trains, slowly, its loss never comes near zero, and its accuracy may even look right. Keras "
        "and scikit-learn expect probabilities, and Keras logits only when told."
    ),
    conventions={
        "numpy sklearn keras": "L = -Σ log p_y / N,  p: probabilities",
        "tensorflow torch": "L = -Σ log softmax(p)_y / N,  p: taken for logits",
    },
    given=probabilities,
    differs=0.06,
    defaults=("SparseCategoricalCrossentropy.from_logits",),
    issues=("keras-team/keras#6636",),
    faults=("softmax-twice", "loss-from-probabilities"),
)


@logits_or_probabilities.numpy
def _(y, p):
    return -np.log(p[np.arange(5), y]).mean()


@logits_or_probabilities.numpy.like("torch")
def _(y, p):
    """Take the predictions for logits, and apply another softmax to them."""
    q = np.exp(p) / np.exp(p).sum(axis=1, keepdims=True)
    return -np.log(q[np.arange(5), y]).mean()


@logits_or_probabilities.sklearn
def _(y, p):
    from sklearn.metrics import log_loss

    return log_loss(y, p)


@logits_or_probabilities.sklearn.like("torch")
def _(y, p):
    """Take the predictions for logits, and apply another softmax to them."""
    from scipy.special import softmax
    from sklearn.metrics import log_loss

    return log_loss(y, softmax(p, axis=1))


@logits_or_probabilities.tensorflow
def _(y, p):
    import tensorflow as tf

    return tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(y, p))


@logits_or_probabilities.tensorflow.like("keras")
def _(y, p):
    """Hand the loss logits: leave out the model's softmax, or take the logarithm of its output."""
    import tensorflow as tf

    return tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(y, tf.math.log(p)))


@logits_or_probabilities.keras
def _(y, p):
    import keras

    return keras.losses.SparseCategoricalCrossentropy()(y, p)


@logits_or_probabilities.keras.like("torch")
def _(y, p):
    """Pass `from_logits=True` to the loss."""
    import keras

    return keras.losses.SparseCategoricalCrossentropy(from_logits=True)(y, p)


@logits_or_probabilities.torch
def _(y, p):
    import torch
    import torch.nn.functional as F

    return F.cross_entropy(torch.tensor(p), torch.tensor(y))


@logits_or_probabilities.torch.like("keras")
def _(y, p):
    """Leave out the model's softmax, or give `nll_loss` the logarithm of its output."""
    import torch
    import torch.nn.functional as F

    return F.nll_loss(torch.tensor(p).log(), torch.tensor(y))


squared_error = Card(
    id="squared-error",
    title="Squared error: mean, half or sum",
    wrong=(
        "One name stands for at least three losses: the mean over all elements in Keras and PyTorch, half "
        "the sum over outputs and the mean over rows in what scikit-learn's MLPRegressor trains, half the "
        "sum of everything in textbooks and in tf.nn.l2_loss. The minimum is the same, the gradient is "
        "not: it is as if the learning rate were another. With Adam most of it cancels, except against ε, "
        "a penalty or a clipped norm."
    ),
    conventions={
        "numpy tensorflow": "L = Σ(p-y)² / 2,  ∂L/∂p = p-y",
        "sklearn": "L = Σ(p-y)² / (2N),  ∂L/∂p = (p-y) / N",
        "keras torch": "L = Σ(p-y)² / (N·K),  ∂L/∂p = 2(p-y) / (N·K)",
    },
    given=regression,
    differs=0.2,
    issues=("pytorch/pytorch#3924",),
    faults=("squared-not-halved", "all-summed", "data-summed", "gradient-doubled", "gradient-halved"),
)


@squared_error.numpy
def _(y, p):
    return p - y


@squared_error.numpy.like("sklearn")
def _(y, p):
    """Divide the gradient by the number of rows."""
    return (p - y) / len(y)


@squared_error.numpy.like("keras")
def _(y, p):
    """Leave out the half, which doubles the gradient, and divide by the number of elements."""
    return 2 * (p - y) / y.size


@squared_error.sklearn
def _(y, p):
    from sklearn.neural_network import MLPRegressor

    x = np.eye(len(y))  # so that the kernel's rows are the predictions
    model = MLPRegressor(hidden_layer_sizes=(), solver="sgd", learning_rate_init=1, momentum=0, alpha=0)
    model.partial_fit(x, y)
    model.coefs_, model.intercepts_ = [p.copy()], [np.zeros(3)]
    model.partial_fit(x, y)
    return p - model.coefs_[0]


@squared_error.sklearn.like("numpy")
def _(y, p):
    """Multiply `learning_rate_init` by the number of rows (plain descent, no penalty)."""
    from sklearn.neural_network import MLPRegressor

    x, rate = np.eye(len(y)), len(y)
    model = MLPRegressor(hidden_layer_sizes=(), solver="sgd", learning_rate_init=rate, momentum=0, alpha=0)
    model.partial_fit(x, y)
    model.coefs_, model.intercepts_ = [p.copy()], [np.zeros(3)]
    model.partial_fit(x, y)
    return p - model.coefs_[0]


@squared_error.sklearn.like("keras")
def _(y, p):
    """Multiply `learning_rate_init` by 2 over the number of outputs (plain descent, no penalty)."""
    from sklearn.neural_network import MLPRegressor

    x, rate = np.eye(len(y)), 2 / y.shape[1]
    model = MLPRegressor(hidden_layer_sizes=(), solver="sgd", learning_rate_init=rate, momentum=0, alpha=0)
    model.partial_fit(x, y)
    model.coefs_, model.intercepts_ = [p.copy()], [np.zeros(3)]
    model.partial_fit(x, y)
    return p - model.coefs_[0]


@squared_error.tensorflow
def _(y, p):
    import tensorflow as tf

    p = tf.Variable(p)
    with tf.GradientTape() as tape:
        loss = tf.nn.l2_loss(p - y)
    return tape.gradient(loss, p)


@squared_error.tensorflow.like("sklearn")
def _(y, p):
    """Divide `tf.nn.l2_loss` by the number of rows."""
    import tensorflow as tf

    p = tf.Variable(p)
    with tf.GradientTape() as tape:
        loss = tf.nn.l2_loss(p - y) / len(y)
    return tape.gradient(loss, p)


@squared_error.tensorflow.like("keras")
def _(y, p):
    """Take `tf.reduce_mean` of the squares in place of `tf.nn.l2_loss`."""
    import tensorflow as tf

    p = tf.Variable(p)
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(tf.square(p - y))
    return tape.gradient(loss, p)


@squared_error.keras
def _(y, p):
    import keras
    import tensorflow as tf

    p = tf.Variable(p)
    with tf.GradientTape() as tape:
        loss = keras.losses.MeanSquaredError()(y, p)
    return tape.gradient(loss, p)


@squared_error.keras.like("numpy")
def _(y, p):
    """Sum the squares by hand, and halve them."""
    import keras
    import tensorflow as tf

    p = tf.Variable(p)
    with tf.GradientTape() as tape:
        loss = keras.ops.sum(keras.ops.square(p - y)) / 2
    return tape.gradient(loss, p)


@squared_error.keras.like("sklearn")
def _(y, p):
    """Multiply the loss by half the number of outputs."""
    import keras
    import tensorflow as tf

    p = tf.Variable(p)
    with tf.GradientTape() as tape:
        loss = keras.losses.MeanSquaredError()(y, p) * y.shape[1] / 2
    return tape.gradient(loss, p)


@squared_error.torch
def _(y, p):
    import torch
    import torch.nn.functional as F

    p = torch.tensor(p, requires_grad=True)
    loss = F.mse_loss(p, torch.tensor(y))
    loss.backward()
    return p.grad


@squared_error.torch.like("numpy")
def _(y, p):
    """Pass `reduction="sum"`, and halve the loss."""
    import torch
    import torch.nn.functional as F

    p = torch.tensor(p, requires_grad=True)
    loss = F.mse_loss(p, torch.tensor(y), reduction="sum") / 2
    loss.backward()
    return p.grad


@squared_error.torch.like("sklearn")
def _(y, p):
    """Multiply the loss by half the number of outputs."""
    import torch
    import torch.nn.functional as F

    p = torch.tensor(p, requires_grad=True)
    loss = F.mse_loss(p, torch.tensor(y)) * y.shape[1] / 2
    loss.backward()
    return p.grad


loss_per_row = Card(
    id="loss-per-row",
    title="Losses per row: their gradient is that of the sum",
    wrong=(
        "The losses of tf.nn, and the functions of keras.losses, return a loss for each row; Keras's loss "
        "classes and PyTorch return the mean. A tape takes the rows as they are, and differentiates their "
        "sum, where PyTorch's `backward` would refuse them. The gradient is then too large by a factor of "
        "the number of rows. The mean in the log looks right, and so does training with Adam."
    ),
    conventions={
        "numpy sklearn keras torch": "∂L/∂z = (softmax(z) - onehot(y)) / N",
        "tensorflow": "∂L/∂z = softmax(z) - onehot(y)",
    },
    given=logits,
    differs=0.4,
    faults=("gradient-summed", "gradient-data-summed", "loss-summed"),
)


@loss_per_row.numpy
def _(y, z):
    p = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
    return (p - np.eye(3)[y]) / len(y)


@loss_per_row.numpy.like("tensorflow")
def _(y, z):
    """Do not divide the gradient by the number of rows."""
    p = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
    return p - np.eye(3)[y]


@loss_per_row.sklearn
def _(y, z):
    from sklearn.neural_network import MLPClassifier

    x = np.eye(len(y))  # so that the kernel's rows are the logits
    model = MLPClassifier(hidden_layer_sizes=(), solver="sgd", learning_rate_init=1, momentum=0, alpha=0)
    model.partial_fit(x, y, classes=[0, 1, 2])
    model.coefs_, model.intercepts_ = [z.copy()], [np.zeros(3)]
    model.partial_fit(x, y)
    return z - model.coefs_[0]


@loss_per_row.sklearn.like("tensorflow")
def _(y, z):
    """Multiply `learning_rate_init` by the number of rows (plain descent, no penalty)."""
    from sklearn.neural_network import MLPClassifier

    x, rate = np.eye(len(y)), len(y)
    model = MLPClassifier(hidden_layer_sizes=(), solver="sgd", learning_rate_init=rate, momentum=0, alpha=0)
    model.partial_fit(x, y, classes=[0, 1, 2])
    model.coefs_, model.intercepts_ = [z.copy()], [np.zeros(3)]
    model.partial_fit(x, y)
    return z - model.coefs_[0]


@loss_per_row.tensorflow
def _(y, z):
    import tensorflow as tf

    z = tf.Variable(z)
    with tf.GradientTape() as tape:
        loss = tf.nn.sparse_softmax_cross_entropy_with_logits(y, z)
    return tape.gradient(loss, z)


@loss_per_row.tensorflow.like("keras")
def _(y, z):
    """Take `tf.reduce_mean` of the losses, inside the tape."""
    import tensorflow as tf

    z = tf.Variable(z)
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(y, z))
    return tape.gradient(loss, z)


@loss_per_row.keras
def _(y, z):
    import keras
    import tensorflow as tf

    z = tf.Variable(z)
    with tf.GradientTape() as tape:
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)(y, z)
    return tape.gradient(loss, z)


@loss_per_row.keras.like("tensorflow")
def _(y, z):
    """Pass `reduction="sum"` to the loss, or call its function, which does not reduce."""
    import keras
    import tensorflow as tf

    z = tf.Variable(z)
    with tf.GradientTape() as tape:
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True, reduction="sum")(y, z)
    return tape.gradient(loss, z)


@loss_per_row.torch
def _(y, z):
    import torch
    import torch.nn.functional as F

    z = torch.tensor(z, requires_grad=True)
    loss = F.cross_entropy(z, torch.tensor(y))
    loss.backward()
    return z.grad


@loss_per_row.torch.like("tensorflow")
def _(y, z):
    """Pass `reduction="sum"` to the loss."""
    import torch
    import torch.nn.functional as F

    z = torch.tensor(z, requires_grad=True)
    loss = F.cross_entropy(z, torch.tensor(y), reduction="sum")
    loss.backward()
    return z.grad


targets_shape = Card(
    id="targets-shape",
    title="Targets (N,) against predictions (N, 1): a loss over all pairs",
    wrong=(
        "A layer of one unit predicts a column. Subtracting a row of targets from it gives an N by N table "
        "of all pairs, and its mean is a fine scalar: the model learns to predict the mean of the targets. "
        "NumPy and TensorFlow say nothing, PyTorch only warns. Keras and scikit-learn make the shapes equal."
    ),
    conventions={
        "sklearn keras": "L = Σᵢ (pᵢ-yᵢ)² / N",
        "numpy tensorflow torch": "L = ΣᵢΣⱼ (pᵢ-yⱼ)² / N²",
    },
    given=column,
    differs=0.1,
    issues=("pytorch/pytorch#16045", "pytorch/pytorch#19699"),
    faults=("loss-over-pairs",),
)


@targets_shape.numpy
def _(y, p):
    return np.mean((p - y) ** 2)


@targets_shape.numpy.like("keras")
def _(y, p):
    """Make the targets a column: `y[:, np.newaxis]`."""
    return np.mean((p - y[:, np.newaxis]) ** 2)


@targets_shape.sklearn
def _(y, p):
    from sklearn.metrics import mean_squared_error

    return mean_squared_error(y, p)


@targets_shape.sklearn.like("torch")
def _(y, p):
    """Broadcast targets and predictions to all N by N pairs first."""
    from sklearn.metrics import mean_squared_error

    p, y = np.broadcast_arrays(p, y)
    return mean_squared_error(y, p)


@targets_shape.tensorflow
def _(y, p):
    import tensorflow as tf

    return tf.reduce_mean(tf.square(p - tf.constant(y)))


@targets_shape.tensorflow.like("keras")
def _(y, p):
    """Make the targets a column: `y[:, tf.newaxis]`."""
    import tensorflow as tf

    return tf.reduce_mean(tf.square(p - tf.constant(y)[:, tf.newaxis]))


@targets_shape.keras
def _(y, p):
    import keras

    return keras.losses.MeanSquaredError()(y, p)


@targets_shape.keras.like("torch")
def _(y, p):
    """Broadcast targets and predictions to all N by N pairs first."""
    import keras

    p, y = np.broadcast_arrays(p, y)
    return keras.losses.MeanSquaredError()(y, p)


@targets_shape.torch
def _(y, p):
    import torch
    import torch.nn.functional as F

    return F.mse_loss(torch.tensor(p), torch.tensor(y))


@targets_shape.torch.like("keras")
def _(y, p):
    """Make the targets a column: `y.unsqueeze(1)`."""
    import torch
    import torch.nn.functional as F

    return F.mse_loss(torch.tensor(p), torch.tensor(y).unsqueeze(1))


label_sum = Card(
    id="multilabel-sum",
    title="Several labels: binary cross-entropy summed or averaged over outputs",
    wrong=(
        "A row has a loss for each of its labels. Scikit-learn adds them up, as the likelihood of "
        "independent labels does; Keras, PyTorch and the usual mean in TensorFlow average over them as well "
        "as over the rows. The gradient differs by a factor of the number of outputs; with one output all "
        "agree."
    ),
    conventions={
        "numpy sklearn": "L = Σᵢ Σₖ BCEᵢₖ / N,  ∂L/∂z = (σ(z)-y) / N",
        "tensorflow keras torch": "L = Σᵢ Σₖ BCEᵢₖ / (N·K),  ∂L/∂z = (σ(z)-y) / (N·K)",
    },
    given=labels,
    differs=0.3,
    faults=("classes-averaged",),
)


@label_sum.numpy
def _(y, z):
    p = 1 / (1 + np.exp(-z))
    return (p - y) / len(y)


@label_sum.numpy.like("keras")
def _(y, z):
    """Divide the gradient by the number of elements, not of rows."""
    p = 1 / (1 + np.exp(-z))
    return (p - y) / y.size


@label_sum.sklearn
def _(y, z):
    from sklearn.neural_network import MLPClassifier

    x = np.eye(len(y))  # so that the kernel's rows are the logits
    model = MLPClassifier(hidden_layer_sizes=(), solver="sgd", learning_rate_init=1, momentum=0, alpha=0)
    model.partial_fit(x, y, classes=[0, 1, 2])
    model.coefs_, model.intercepts_ = [z.copy()], [np.zeros(3)]
    model.partial_fit(x, y)
    return z - model.coefs_[0]


@label_sum.sklearn.like("keras")
def _(y, z):
    """Divide `learning_rate_init` by the number of outputs (plain descent, no penalty)."""
    from sklearn.neural_network import MLPClassifier

    x, rate = np.eye(len(y)), 1 / y.shape[1]
    model = MLPClassifier(hidden_layer_sizes=(), solver="sgd", learning_rate_init=rate, momentum=0, alpha=0)
    model.partial_fit(x, y, classes=[0, 1, 2])
    model.coefs_, model.intercepts_ = [z.copy()], [np.zeros(3)]
    model.partial_fit(x, y)
    return z - model.coefs_[0]


@label_sum.tensorflow
def _(y, z):
    import tensorflow as tf

    y, z = tf.constant(y, tf.float64), tf.Variable(z)
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(y, z))
    return tape.gradient(loss, z)


@label_sum.tensorflow.like("sklearn")
def _(y, z):
    """Sum the losses over the outputs, and take the mean over the rows."""
    import tensorflow as tf

    y, z = tf.constant(y, tf.float64), tf.Variable(z)
    with tf.GradientTape() as tape:
        losses = tf.nn.sigmoid_cross_entropy_with_logits(y, z)
        loss = tf.reduce_mean(tf.reduce_sum(losses, axis=1))
    return tape.gradient(loss, z)


@label_sum.keras
def _(y, z):
    import keras
    import tensorflow as tf

    z = tf.Variable(z)
    with tf.GradientTape() as tape:
        loss = keras.losses.BinaryCrossentropy(from_logits=True)(y, z)
    return tape.gradient(loss, z)


@label_sum.keras.like("sklearn")
def _(y, z):
    """Multiply the loss by the number of outputs."""
    import keras
    import tensorflow as tf

    z = tf.Variable(z)
    with tf.GradientTape() as tape:
        loss = keras.losses.BinaryCrossentropy(from_logits=True)(y, z) * y.shape[1]
    return tape.gradient(loss, z)


@label_sum.torch
def _(y, z):
    import torch
    import torch.nn.functional as F

    y, z = torch.tensor(y).double(), torch.tensor(z, requires_grad=True)
    loss = F.binary_cross_entropy_with_logits(z, y)
    loss.backward()
    return z.grad


@label_sum.torch.like("sklearn")
def _(y, z):
    """Sum the losses over the outputs, and take the mean over the rows."""
    import torch
    import torch.nn.functional as F

    y, z = torch.tensor(y).double(), torch.tensor(z, requires_grad=True)
    losses = F.binary_cross_entropy_with_logits(z, y, reduction="none")
    losses.sum(dim=1).mean().backward()
    return z.grad


regressor_outputs = Card(
    id="mlp-regressor-outputs",
    title="MLPRegressor with several outputs: its loss is not what it trains",
    wrong=(
        "The `loss_` that MLPRegressor reports is averaged over the outputs, its gradient is summed over "
        "them. Whoever ports the reported loss trains with a gradient that is as many times too small as "
        "there are outputs; whoever ports the gradient logs a loss that is too large by as much. With one "
        "output both agree. The penalty, too, weighs less against the data than the reported loss says."
    ),
    conventions={
        "numpy tensorflow keras torch": "L = Σ(p-y)² / (2·N·K),  ∂L/∂p = (p-y) / (N·K)",
        "sklearn": "loss_ = Σ(p-y)² / (2·N·K),  step along (p-y) / N",
    },
    given=regression,
    differs=0.2,
    issues=("scikit-learn/scikit-learn#8349", "scikit-learn/scikit-learn#34830"),
    faults=("classes-averaged",),
)


@regressor_outputs.numpy
def _(y, p):
    loss, gradient = np.mean((p - y) ** 2) / 2, (p - y) / y.size
    return np.append(gradient, loss)


@regressor_outputs.numpy.like("sklearn")
def _(y, p):
    """Divide the gradient by the number of rows, and the loss by the number of elements."""
    loss, gradient = np.mean((p - y) ** 2) / 2, (p - y) / len(y)
    return np.append(gradient, loss)


@regressor_outputs.sklearn
def _(y, p):
    from sklearn.neural_network import MLPRegressor

    x = np.eye(len(y))  # so that the kernel's rows are the predictions
    model = MLPRegressor(hidden_layer_sizes=(), solver="sgd", learning_rate_init=1, momentum=0, alpha=0)
    model.partial_fit(x, y)
    model.coefs_, model.intercepts_ = [p.copy()], [np.zeros(3)]
    model.partial_fit(x, y)
    return np.append(p - model.coefs_[0], model.loss_)


@regressor_outputs.sklearn.like("torch")
def _(y, p):
    """Divide `learning_rate_init` by the number of outputs (plain descent, no penalty)."""
    from sklearn.neural_network import MLPRegressor

    x, rate = np.eye(len(y)), 1 / y.shape[1]
    model = MLPRegressor(hidden_layer_sizes=(), solver="sgd", learning_rate_init=rate, momentum=0, alpha=0)
    model.partial_fit(x, y)
    model.coefs_, model.intercepts_ = [p.copy()], [np.zeros(3)]
    model.partial_fit(x, y)
    return np.append(p - model.coefs_[0], model.loss_)


@regressor_outputs.tensorflow
def _(y, p):
    import tensorflow as tf

    p = tf.Variable(p)
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(tf.square(p - y)) / 2
    return np.append(tape.gradient(loss, p), loss)


@regressor_outputs.tensorflow.like("sklearn")
def _(y, p):
    """Differentiate the sum over the outputs, and log their mean."""
    import tensorflow as tf

    p = tf.Variable(p)
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(tf.reduce_sum(tf.square(p - y), axis=1)) / 2
    return np.append(tape.gradient(loss, p), loss / y.shape[1])


@regressor_outputs.keras
def _(y, p):
    import keras
    import tensorflow as tf

    p = tf.Variable(p)
    with tf.GradientTape() as tape:
        loss = keras.losses.MeanSquaredError()(y, p) / 2
    return np.append(tape.gradient(loss, p), loss)


@regressor_outputs.keras.like("sklearn")
def _(y, p):
    """Differentiate the sum over the outputs, and log their mean."""
    import keras
    import tensorflow as tf

    p = tf.Variable(p)
    with tf.GradientTape() as tape:
        loss = keras.losses.MeanSquaredError()(y, p) / 2 * y.shape[1]
    return np.append(tape.gradient(loss, p), loss / y.shape[1])


@regressor_outputs.torch
def _(y, p):
    import torch
    import torch.nn.functional as F

    p = torch.tensor(p, requires_grad=True)
    loss = F.mse_loss(p, torch.tensor(y)) / 2
    loss.backward()
    return np.append(p.grad, loss.detach())


@regressor_outputs.torch.like("sklearn")
def _(y, p):
    """Differentiate the sum over the outputs, and log their mean."""
    import torch
    import torch.nn.functional as F

    p = torch.tensor(p, requires_grad=True)
    loss = F.mse_loss(p, torch.tensor(y)) / 2 * y.shape[1]
    loss.backward()
    return np.append(p.grad, loss.detach() / y.shape[1])


class_weights = Card(
    id="class-weights",
    title="Class weights: divided by the rows or by the weights",
    wrong=(
        "PyTorch's `weight` makes a weighted mean, which divides by the sum of the weights in the batch; "
        "Keras's `class_weight` multiplies the losses and still divides by the rows. Scikit-learn's metrics "
        "do as PyTorch. The losses differ by the mean weight of a batch, and since that changes from batch "
        "to batch, no learning rate makes up for it. PyTorch itself does as Keras when the targets are "
        "probabilities."
    ),
    conventions={
        "numpy sklearn torch": "L = Σ w_y·ℓ / Σ w_y",
        "tensorflow keras": "L = Σ w_y·ℓ / N",
    },
    given=weighted_classes,
    differs=0.3,
    defaults=("SparseCategoricalCrossentropy.reduction",),
    issues=("pytorch/pytorch#40560", "pytorch/pytorch#50528", "pytorch/pytorch#61309"),
    faults=("weights-per-row", "weights-ignored"),
)


@class_weights.numpy
def _(y, z, w):
    losses = np.log(np.exp(z).sum(axis=1)) - z[np.arange(5), y]
    return np.average(losses, weights=w[y])


@class_weights.numpy.like("keras")
def _(y, z, w):
    """Multiply the losses by the weights, and take the mean over the rows."""
    losses = np.log(np.exp(z).sum(axis=1)) - z[np.arange(5), y]
    return np.mean(w[y] * losses)


@class_weights.sklearn
def _(y, z, w):
    from scipy.special import softmax
    from sklearn.metrics import log_loss

    return log_loss(y, softmax(z, axis=1), sample_weight=w[y])


@class_weights.sklearn.like("keras")
def _(y, z, w):
    """Multiply the weighted mean by the mean weight of the batch."""
    from scipy.special import softmax
    from sklearn.metrics import log_loss

    return log_loss(y, softmax(z, axis=1), sample_weight=w[y]) * w[y].mean()


@class_weights.tensorflow
def _(y, z, w):
    import tensorflow as tf

    losses = tf.nn.sparse_softmax_cross_entropy_with_logits(y, z)
    return tf.reduce_mean(tf.gather(w, y) * losses)


@class_weights.tensorflow.like("torch")
def _(y, z, w):
    """Divide the sum of the weighted losses by the sum of the weights in the batch."""
    import tensorflow as tf

    losses = tf.nn.sparse_softmax_cross_entropy_with_logits(y, z)
    return tf.reduce_sum(tf.gather(w, y) * losses) / tf.reduce_sum(tf.gather(w, y))


@class_weights.keras
def _(y, z, w):
    import keras

    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    return loss(y, z, sample_weight=w[y])  # as `fit` does with `class_weight`


@class_weights.keras.like("torch")
def _(y, z, w):
    """Pass `reduction="mean_with_sample_weight"` to the loss."""
    import keras

    reduction = "mean_with_sample_weight"
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True, reduction=reduction)
    return loss(y, z, sample_weight=w[y])


@class_weights.torch
def _(y, z, w):
    import torch
    import torch.nn.functional as F

    y, z, w = torch.tensor(y), torch.tensor(z), torch.tensor(w)
    return F.cross_entropy(z, y, weight=w)


@class_weights.torch.like("keras")
def _(y, z, w):
    """Hand over the targets as one-hot rows: then the mean is over the rows."""
    import torch
    import torch.nn.functional as F

    y, z, w = torch.tensor(y), torch.tensor(z), torch.tensor(w)
    return F.cross_entropy(z, F.one_hot(y, 3).double(), weight=w)


sample_weights = Card(
    id="sample-weights",
    title="Sample weights: divided by the rows or by the weights",
    wrong=(
        "With `sample_weight`, Keras multiplies each row's loss and divides by the number of rows; "
        "scikit-learn's networks and metrics divide by the sum of the weights, as np.average does, and so "
        "does PyTorch's `mse_loss` when it is given `weight`. By hand, in PyTorch as in TensorFlow, one "
        "writes what Keras does. Weights that have a mean of one in every batch hide it."
    ),
    conventions={
        "numpy sklearn": "L = Σ wᵢ·(pᵢ-yᵢ)² / (2·Σ wᵢ),  ∂L/∂p = w·(p-y) / Σ w",
        "tensorflow keras torch": "L = Σ wᵢ·(pᵢ-yᵢ)² / (2·N),  ∂L/∂p = w·(p-y) / N",
    },
    given=weighted_rows,
    differs=0.04,
    issues=("keras-team/keras#19740", "keras-team/keras#13329"),
    faults=("weights-per-row", "weights-ignored"),
)


@sample_weights.numpy
def _(y, p, w):
    return w * (p - y) / w.sum()


@sample_weights.numpy.like("keras")
def _(y, p, w):
    """Divide the weighted gradient by the number of rows."""
    return w * (p - y) / len(y)


@sample_weights.sklearn
def _(y, p, w):
    from sklearn.neural_network import MLPRegressor

    x = np.eye(len(y))  # so that the kernel's rows are the predictions
    model = MLPRegressor(hidden_layer_sizes=(), solver="sgd", learning_rate_init=1, momentum=0, alpha=0)
    model.partial_fit(x, y, sample_weight=w)
    model.coefs_, model.intercepts_ = [p[:, None].copy()], [np.zeros(1)]
    model.partial_fit(x, y, sample_weight=w)
    return p - model.coefs_[0][:, 0]


@sample_weights.sklearn.like("keras")
def _(y, p, w):
    """Multiply `learning_rate_init` by the mean weight of the batch (plain descent, no penalty)."""
    from sklearn.neural_network import MLPRegressor

    x, rate = np.eye(len(y)), w.mean()
    model = MLPRegressor(hidden_layer_sizes=(), solver="sgd", learning_rate_init=rate, momentum=0, alpha=0)
    model.partial_fit(x, y, sample_weight=w)
    model.coefs_, model.intercepts_ = [p[:, None].copy()], [np.zeros(1)]
    model.partial_fit(x, y, sample_weight=w)
    return p - model.coefs_[0][:, 0]


@sample_weights.tensorflow
def _(y, p, w):
    import tensorflow as tf

    p = tf.Variable(p)
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(w * tf.square(p - y)) / 2
    return tape.gradient(loss, p)


@sample_weights.tensorflow.like("sklearn")
def _(y, p, w):
    """Divide the sum of the weighted losses by the sum of the weights in the batch."""
    import tensorflow as tf

    p = tf.Variable(p)
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(w * tf.square(p - y)) / tf.reduce_sum(w) / 2
    return tape.gradient(loss, p)


@sample_weights.keras
def _(y, p, w):
    import keras
    import tensorflow as tf

    p = tf.Variable(p)
    with tf.GradientTape() as tape:
        loss = keras.losses.MeanSquaredError()(y[:, None], p[:, None], sample_weight=w) / 2
    return tape.gradient(loss, p)


@sample_weights.keras.like("sklearn")
def _(y, p, w):
    """Pass `reduction="mean_with_sample_weight"` to the loss."""
    import keras
    import tensorflow as tf

    mean = keras.losses.MeanSquaredError(reduction="mean_with_sample_weight")
    p = tf.Variable(p)
    with tf.GradientTape() as tape:
        loss = mean(y[:, None], p[:, None], sample_weight=w) / 2
    return tape.gradient(loss, p)


@sample_weights.torch
def _(y, p, w):
    import torch
    import torch.nn.functional as F

    y, p, w = torch.tensor(y), torch.tensor(p, requires_grad=True), torch.tensor(w)
    loss = (w * F.mse_loss(p, y, reduction="none")).mean() / 2
    loss.backward()
    return p.grad


@sample_weights.torch.like("sklearn")
def _(y, p, w):
    """Pass the weights to `mse_loss` as `weight`: then it divides by their sum."""
    import torch
    import torch.nn.functional as F

    y, p, w = torch.tensor(y), torch.tensor(p, requires_grad=True), torch.tensor(w)
    loss = F.mse_loss(p, y, weight=w) / 2
    loss.backward()
    return p.grad


flat_targets = Card(
    id="weights-of-flat-rows",
    title="Keras: sample weights on targets and predictions (N,)",
    wrong=(
        "A Keras loss averages over the last axis before it looks at the weights. Of predictions of shape "
        "(N,) that axis is the rows: what is left is one number, and all weights multiply it. No row is "
        "weighted more than another, and nothing fails. Without weights the value is right. A model "
        "whose last layer has one unit predicts a column, and is not affected; one that drops that axis is, "
        "in `fit` too."
    ),
    conventions={
        "numpy sklearn": "L = Σ wᵢ·(pᵢ-yᵢ)² / Σ wᵢ",
        "tensorflow torch": "L = Σ wᵢ·(pᵢ-yᵢ)² / N",
        "keras": "L = Σ wᵢ/N · Σ (pᵢ-yᵢ)²/N",
    },
    given=weighted_rows,
    differs=0.04,
    faults=("weights-ignored",),
)


@flat_targets.numpy
def _(y, p, w):
    return np.average((p - y) ** 2, weights=w)


@flat_targets.numpy.like("torch")
def _(y, p, w):
    """Multiply the losses by the weights, and take the mean over the rows."""
    return np.mean(w * (p - y) ** 2)


@flat_targets.numpy.like("keras")
def _(y, p, w):
    """Multiply the mean weight by the mean loss."""
    return np.mean(w) * np.mean((p - y) ** 2)


@flat_targets.sklearn
def _(y, p, w):
    from sklearn.metrics import mean_squared_error

    return mean_squared_error(y, p, sample_weight=w)


@flat_targets.sklearn.like("torch")
def _(y, p, w):
    """Multiply the weighted mean by the mean weight."""
    from sklearn.metrics import mean_squared_error

    return mean_squared_error(y, p, sample_weight=w) * w.mean()


@flat_targets.sklearn.like("keras")
def _(y, p, w):
    """Leave `sample_weight` out, and multiply by the mean weight."""
    from sklearn.metrics import mean_squared_error

    return mean_squared_error(y, p) * w.mean()


@flat_targets.tensorflow
def _(y, p, w):
    import tensorflow as tf

    return tf.reduce_mean(w * tf.square(p - tf.constant(y)))


@flat_targets.tensorflow.like("sklearn")
def _(y, p, w):
    """Divide the sum of the weighted losses by the sum of the weights."""
    import tensorflow as tf

    return tf.reduce_sum(w * tf.square(p - tf.constant(y))) / tf.reduce_sum(w)


@flat_targets.tensorflow.like("keras")
def _(y, p, w):
    """Multiply the mean weight by the mean loss."""
    import tensorflow as tf

    return tf.reduce_mean(w) * tf.reduce_mean(tf.square(p - tf.constant(y)))


@flat_targets.keras
def _(y, p, w):
    import keras

    return keras.losses.MeanSquaredError()(y, p, sample_weight=w)


@flat_targets.keras.like("torch")
def _(y, p, w):
    """Give targets and predictions a second axis of one, as a layer of one unit does."""
    import keras

    return keras.losses.MeanSquaredError()(y[:, None], p[:, None], sample_weight=w)


@flat_targets.keras.like("sklearn")
def _(y, p, w):
    """Give targets and predictions a second axis of one; pass `reduction="mean_with_sample_weight"`."""
    import keras

    loss = keras.losses.MeanSquaredError(reduction="mean_with_sample_weight")
    return loss(y[:, None], p[:, None], sample_weight=w)


@flat_targets.torch
def _(y, p, w):
    import torch
    import torch.nn.functional as F

    y, p, w = torch.tensor(y), torch.tensor(p), torch.tensor(w)
    return (w * F.mse_loss(p, y, reduction="none")).mean()


@flat_targets.torch.like("sklearn")
def _(y, p, w):
    """Pass the weights to `mse_loss` as `weight`: then it divides by their sum."""
    import torch
    import torch.nn.functional as F

    y, p, w = torch.tensor(y), torch.tensor(p), torch.tensor(w)
    return F.mse_loss(p, y, weight=w)


@flat_targets.torch.like("keras")
def _(y, p, w):
    """Multiply the mean weight by the mean loss."""
    import torch
    import torch.nn.functional as F

    y, p, w = torch.tensor(y), torch.tensor(p), torch.tensor(w)
    return w.mean() * F.mse_loss(p, y)


class_axis = Card(
    id="class-axis",
    title="Cross-entropy of sequences and images: which axis holds the classes",
    wrong=(
        "PyTorch has the classes on axis 1, whatever follows; Keras and TensorFlow have them last. A "
        "sequence model that predicts (rows, positions, classes) needs them moved. Where there are as many "
        "positions as classes nothing fails, and the softmax runs over positions."
    ),
    conventions={
        "numpy tensorflow keras": "ℓ = -log softmax(z, axis=-1)_y,  z: (N, T, C)",
        "torch": "ℓ = -log softmax(z, axis=1)_y,  z: (N, C, T)",
    },
    given=sequences,
    differs=0.2,
    absent={"sklearn": "a row of scikit-learn's classifiers has no positions"},
    defaults=("CategoricalCrossentropy.axis",),
)


@class_axis.numpy
def _(y, z):
    log_p = z - np.log(np.exp(z).sum(axis=-1, keepdims=True))
    return -np.take_along_axis(log_p, y[:, :, np.newaxis], axis=-1).mean()


@class_axis.numpy.like("torch")
def _(y, z):
    """Take the softmax over axis 1, and pick the class there."""
    log_p = z - np.log(np.exp(z).sum(axis=1, keepdims=True))
    return -np.take_along_axis(log_p, y[:, np.newaxis, :], axis=1).mean()


@class_axis.tensorflow
def _(y, z):
    import tensorflow as tf

    return tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(y, z))


@class_axis.tensorflow.like("torch")
def _(y, z):
    """Move the classes from axis 1 to the end."""
    import tensorflow as tf

    return tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(y, tf.transpose(z, [0, 2, 1])))


@class_axis.keras
def _(y, z):
    import keras

    return keras.losses.SparseCategoricalCrossentropy(from_logits=True)(y, z)


@class_axis.keras.like("torch")
def _(y, z):
    """Move the classes from axis 1 to the end."""
    import keras

    return keras.losses.SparseCategoricalCrossentropy(from_logits=True)(y, keras.ops.moveaxis(z, 1, -1))


@class_axis.torch
def _(y, z):
    import torch
    import torch.nn.functional as F

    return F.cross_entropy(torch.tensor(z), torch.tensor(y))


@class_axis.torch.like("keras")
def _(y, z):
    """Move the classes to axis 1: `z.movedim(-1, 1)`."""
    import torch
    import torch.nn.functional as F

    return F.cross_entropy(torch.tensor(z).movedim(-1, 1), torch.tensor(y))


nll_probabilities = Card(
    id="nll-loss-log",
    title="NLLLoss wants logarithms of probabilities",
    wrong=(
        "PyTorch's nll_loss takes no logarithm, it only picks and changes the sign. Given probabilities it "
        "returns minus the probability of the class, and trains: the loss is negative, is never below -1, "
        "and has no strong gradient where the model is badly wrong. A log_softmax belongs before it."
    ),
    conventions={
        "numpy sklearn tensorflow keras": "L = -Σ log p_y / N",
        "torch": "L = -Σ p_y / N",
    },
    given=probabilities,
    differs=0.6,
)


@nll_probabilities.numpy
def _(y, p):
    return -np.log(p[np.arange(5), y]).mean()


@nll_probabilities.numpy.like("torch")
def _(y, p):
    """Leave out the logarithm of the probabilities."""
    return -p[np.arange(5), y].mean()


@nll_probabilities.sklearn
def _(y, p):
    from sklearn.metrics import log_loss

    return log_loss(y, p)


@nll_probabilities.sklearn.like("torch")
def _(y, p):
    """Take K/2 times the mean absolute error against one-hot targets, which is 1 - p, and subtract 1."""
    from sklearn.metrics import mean_absolute_error

    return 3 / 2 * mean_absolute_error(np.eye(3)[y], p) - 1


@nll_probabilities.tensorflow
def _(y, p):
    import tensorflow as tf

    return -tf.reduce_mean(tf.math.log(tf.gather(p, y, axis=1, batch_dims=1)))


@nll_probabilities.tensorflow.like("torch")
def _(y, p):
    """Leave out the logarithm of the probabilities."""
    import tensorflow as tf

    return -tf.reduce_mean(tf.gather(p, y, axis=1, batch_dims=1))


@nll_probabilities.keras
def _(y, p):
    import keras

    return keras.losses.SparseCategoricalCrossentropy()(y, p)


@nll_probabilities.keras.like("torch")
def _(y, p):
    """Pick the probability of the class by hand, and take no logarithm."""
    import keras

    return -keras.ops.mean(keras.ops.take_along_axis(p, y[:, None], axis=1))


@nll_probabilities.torch
def _(y, p):
    import torch
    import torch.nn.functional as F

    return F.nll_loss(torch.tensor(p), torch.tensor(y))


@nll_probabilities.torch.like("keras")
def _(y, p):
    """Apply `log` to the probabilities first, or `log_softmax` to logits."""
    import torch
    import torch.nn.functional as F

    return F.nll_loss(torch.tensor(p).log(), torch.tensor(y))


predicted_logits = Card(
    id="predicted-logits",
    title="A model trained from logits predicts logits",
    wrong=(
        "Where the loss holds the sigmoid or softmax, the model has none, and predicts numbers below 0 and "
        "above 1. A threshold of one half then stands at a probability that is clearly higher, and "
        "averages, calibration and ROC curves of several models mix the scales. Classes by the largest "
        "output are not affected. Scikit-learn's `predict_proba` applies it."
    ),
    conventions={
        "sklearn": "p = σ(x·w + b)",
        "numpy tensorflow keras torch": "z = x·w + b",
    },
    given=unit,
    differs=0.3,
    faults=("predict-logits",),
)


@predicted_logits.numpy
def _(x, w, b):
    return x @ w + b


@predicted_logits.numpy.like("sklearn")
def _(x, w, b):
    """Apply a sigmoid to what the model predicts."""
    return 1 / (1 + np.exp(-(x @ w + b)))


@predicted_logits.sklearn
def _(x, w, b):
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression()
    model.coef_, model.intercept_, model.classes_ = w.T, b, np.array([0, 1])
    return model.predict_proba(x)[:, 1:]


@predicted_logits.sklearn.like("keras")
def _(x, w, b):
    """Call `decision_function` in place of `predict_proba`."""
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression()
    model.coef_, model.intercept_, model.classes_ = w.T, b, np.array([0, 1])
    return model.decision_function(x)[:, None]


@predicted_logits.tensorflow
def _(x, w, b):
    import tensorflow as tf

    return tf.matmul(x, w) + b


@predicted_logits.tensorflow.like("sklearn")
def _(x, w, b):
    """Apply a sigmoid to what the model predicts."""
    import tensorflow as tf

    return tf.sigmoid(tf.matmul(x, w) + b)


@predicted_logits.keras
def _(x, w, b):
    import keras

    layer = keras.layers.Dense(1)
    layer.build(x.shape)
    layer.set_weights([w, b])
    return layer(x)


@predicted_logits.keras.like("sklearn")
def _(x, w, b):
    """Apply a sigmoid to what the model predicts."""
    import keras

    layer = keras.layers.Dense(1)
    layer.build(x.shape)
    layer.set_weights([w, b])
    return keras.ops.sigmoid(layer(x))


@predicted_logits.torch
def _(x, w, b):
    import torch

    layer = torch.nn.Linear(4, 1)
    layer.load_state_dict({"weight": torch.tensor(w.T), "bias": torch.tensor(b)})
    return layer(torch.tensor(x)).detach()


@predicted_logits.torch.like("sklearn")
def _(x, w, b):
    """Apply a sigmoid to what the model predicts."""
    import torch

    layer = torch.nn.Linear(4, 1)
    layer.load_state_dict({"weight": torch.tensor(w.T), "bias": torch.tensor(b)})
    return torch.sigmoid(layer(torch.tensor(x))).detach()


binary_head = Card(
    id="binary-head",
    title="Two classes: one unit or two",
    wrong=(
        "Two units with a softmax say the same as one with a sigmoid, whose weights are the difference of "
        "theirs. They do not learn the same: a step moves both units, in opposite directions, and so their "
        "difference twice as far. With plain descent that is a doubled learning rate; with Adam or a "
        "penalty on the weights it is something else again. Scikit-learn has one unit for two classes."
    ),
    conventions={
        "numpy sklearn keras": "d -= η · xᵀ(σ(x·d) - y) / N",
        "tensorflow torch": "d = w₁-w₀,  d -= 2η · xᵀ(σ(x·d) - y) / N",
    },
    given=two_units,
    differs=0.1,
    faults=("learning-rate-doubled", "gradient-doubled"),
)


@binary_head.numpy
def _(x, y, w):
    d = w[:, 1] - w[:, 0]
    p = 1 / (1 + np.exp(-x @ d))
    return d - 0.5 * x.T @ (p - y) / len(y)


@binary_head.numpy.like("torch")
def _(x, y, w):
    """Double the learning rate (plain descent, no penalty)."""
    d = w[:, 1] - w[:, 0]
    p = 1 / (1 + np.exp(-x @ d))
    return d - 2 * 0.5 * x.T @ (p - y) / len(y)


@binary_head.sklearn
def _(x, y, w):
    from sklearn.neural_network import MLPClassifier

    model = MLPClassifier(hidden_layer_sizes=(), solver="sgd", learning_rate_init=0.5, momentum=0, alpha=0)
    model.partial_fit(x, y, classes=[0, 1])
    model.coefs_, model.intercepts_ = [w[:, 1:] - w[:, :1]], [np.zeros(1)]
    model.partial_fit(x, y)
    return model.coefs_[0][:, 0]


@binary_head.sklearn.like("torch")
def _(x, y, w):
    """Double the learning rate (plain descent, no penalty)."""
    from sklearn.neural_network import MLPClassifier

    model = MLPClassifier(hidden_layer_sizes=(), solver="sgd", learning_rate_init=1, momentum=0, alpha=0)
    model.partial_fit(x, y, classes=[0, 1])
    model.coefs_, model.intercepts_ = [w[:, 1:] - w[:, :1]], [np.zeros(1)]
    model.partial_fit(x, y)
    return model.coefs_[0][:, 0]


@binary_head.tensorflow
def _(x, y, w):
    import tensorflow as tf

    w = tf.Variable(w)
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(y, tf.matmul(x, w)))
    w.assign_sub(0.5 * tape.gradient(loss, w))
    return w[:, 1] - w[:, 0]


@binary_head.tensorflow.like("sklearn")
def _(x, y, w):
    """Give the model one unit, and take `sigmoid_cross_entropy_with_logits`."""
    import tensorflow as tf

    d, y = tf.Variable(w[:, 1] - w[:, 0]), tf.constant(y, tf.float64)
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(y, tf.linalg.matvec(x, d)))
    return d - 0.5 * tape.gradient(loss, d)


@binary_head.keras
def _(x, y, w):
    import keras
    import tensorflow as tf

    d = tf.Variable(w[:, 1:] - w[:, :1])
    with tf.GradientTape() as tape:
        loss = keras.losses.BinaryCrossentropy(from_logits=True)(y, keras.ops.matmul(x, d))
    return (d - 0.5 * tape.gradient(loss, d))[:, 0]


@binary_head.keras.like("torch")
def _(x, y, w):
    """Give the model two units, and take SparseCategoricalCrossentropy."""
    import keras
    import tensorflow as tf

    w = tf.Variable(w)
    with tf.GradientTape() as tape:
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)(y, keras.ops.matmul(x, w))
    w.assign_sub(0.5 * tape.gradient(loss, w))
    return w[:, 1] - w[:, 0]


@binary_head.torch
def _(x, y, w):
    import torch
    import torch.nn.functional as F

    x, y, w = torch.tensor(x), torch.tensor(y), torch.tensor(w, requires_grad=True)
    F.cross_entropy(x @ w, y).backward()
    torch.optim.SGD([w], lr=0.5).step()
    return (w[:, 1] - w[:, 0]).detach()


@binary_head.torch.like("sklearn")
def _(x, y, w):
    """Give the model one unit, and take `binary_cross_entropy_with_logits`."""
    import torch
    import torch.nn.functional as F

    x, y, d = torch.tensor(x), torch.tensor(y), torch.tensor(w[:, 1] - w[:, 0], requires_grad=True)
    F.binary_cross_entropy_with_logits(x @ d, y.double()).backward()
    torch.optim.SGD([d], lr=0.5).step()
    return d.detach()


clipped_probabilities = Card(
    id="probability-clipping",
    title="Cross-entropy of probabilities near 0 or 1: how they are clipped",
    wrong=(
        "A probability of 0 for what happened has an infinite loss. Keras moves probabilities into [ε, "
        "1-ε], with the same ε in every precision; scikit-learn does so with the machine epsilon of the "
        "dtype, PyTorch's BCELoss limits the logarithm instead, and by hand nothing is limited. The losses "
        "of confident mistakes differ, and so does a mean that has one of them. From logits all agree."
    ),
    conventions={
        "numpy tensorflow": "ℓ = -log p",
        "sklearn": "ℓ = -log max(p, eps(dtype))",
        "keras": "ℓ = -log max(p, ε)",
        "torch": "ℓ = -max(log p, -100)",
    },
    given=confident,
    differs=0.3,
    issues=("tensorflow/tensorflow#41595",),
)


@clipped_probabilities.numpy
def _(y, p):
    return -np.where(y == 1, np.log(p), np.log(1 - p))


@clipped_probabilities.numpy.like("sklearn")
def _(y, p):
    """Clip the probabilities to [ε, 1-ε] first, with the ε of their dtype."""
    eps = np.finfo(p.dtype).eps
    p = np.clip(p, eps, 1 - eps)
    return -np.where(y == 1, np.log(p), np.log(1 - p))


@clipped_probabilities.numpy.like("keras")
def _(y, p):
    """Clip the probabilities to [ε, 1-ε] first, with Keras's ε."""
    p = np.clip(p, 1e-7, 1 - 1e-7)
    return -np.where(y == 1, np.log(p), np.log(1 - p))


@clipped_probabilities.numpy.like("torch")
def _(y, p):
    """Limit the logarithm to -100, not the probability."""
    return -np.maximum(np.where(y == 1, np.log(p), np.log(1 - p)), -100)


@clipped_probabilities.sklearn
def _(y, p):
    from sklearn.metrics import log_loss

    return [log_loss([target], [q], labels=[0, 1]) for target, q in zip(y, p, strict=True)]


@clipped_probabilities.sklearn.like("numpy")
def _(y, p):
    """Take the loss of logits, `HalfBinomialLoss`, which clips nothing."""
    from scipy.special import logit
    from sklearn._loss import HalfBinomialLoss

    return HalfBinomialLoss().loss(y_true=y, raw_prediction=logit(p))


@clipped_probabilities.sklearn.like("keras")
def _(y, p):
    """Clip the probabilities to [ε, 1-ε] first, with Keras's ε."""
    from sklearn.metrics import log_loss

    p = np.clip(p, 1e-7, 1 - 1e-7)
    return [log_loss([target], [q], labels=[0, 1]) for target, q in zip(y, p, strict=True)]


@clipped_probabilities.sklearn.like("torch")
def _(y, p):
    """Take the loss of logits, `HalfBinomialLoss`, which clips nothing, and limit it to 100."""
    from scipy.special import logit
    from sklearn._loss import HalfBinomialLoss

    return np.minimum(HalfBinomialLoss().loss(y_true=y, raw_prediction=logit(p)), 100)


@clipped_probabilities.tensorflow
def _(y, p):
    import tensorflow as tf

    return -tf.where(y == 1, tf.math.log(p), tf.math.log(1 - p))


@clipped_probabilities.tensorflow.like("sklearn")
def _(y, p):
    """Clip the probabilities to [ε, 1-ε] first, with the ε of their dtype."""
    import tensorflow as tf

    eps = np.finfo(p.dtype).eps
    p = tf.clip_by_value(p, eps, 1 - eps)
    return -tf.where(y == 1, tf.math.log(p), tf.math.log(1 - p))


@clipped_probabilities.tensorflow.like("keras")
def _(y, p):
    """Clip the probabilities to [ε, 1-ε] first, with Keras's ε."""
    import tensorflow as tf

    p = tf.clip_by_value(p, 1e-7, 1 - 1e-7)
    return -tf.where(y == 1, tf.math.log(p), tf.math.log(1 - p))


@clipped_probabilities.tensorflow.like("torch")
def _(y, p):
    """Limit the logarithm to -100, not the probability."""
    import tensorflow as tf

    return -tf.maximum(tf.where(y == 1, tf.math.log(p), tf.math.log(1 - p)), -100)


@clipped_probabilities.keras
def _(y, p):
    import keras

    return keras.losses.binary_crossentropy(y[:, None], p[:, None])


@clipped_probabilities.keras.like("numpy")
def _(y, p):
    """Call `keras.config.set_epsilon(0.0)`, which holds for all of Keras."""
    import keras

    keras.config.set_epsilon(0.0)
    return keras.losses.binary_crossentropy(y[:, None], p[:, None])


@clipped_probabilities.keras.like("sklearn")
def _(y, p):
    """Call `keras.config.set_epsilon` with the ε of the dtype: it holds for all of Keras."""
    import keras

    keras.config.set_epsilon(np.finfo(p.dtype).eps)
    return keras.losses.binary_crossentropy(y[:, None], p[:, None])


@clipped_probabilities.keras.like("torch")
def _(y, p):
    """Call `keras.config.set_epsilon(0.0)`, which holds for all of Keras, and limit the losses to 100."""
    import keras

    keras.config.set_epsilon(0.0)
    return keras.ops.minimum(keras.losses.binary_crossentropy(y[:, None], p[:, None]), 100)


@clipped_probabilities.torch
def _(y, p):
    import torch
    import torch.nn.functional as F

    return F.binary_cross_entropy(torch.tensor(p), torch.tensor(y), reduction="none")


@clipped_probabilities.torch.like("numpy")
def _(y, p):
    """Take the logarithms by hand: `binary_cross_entropy` always limits them."""
    import torch

    p = torch.tensor(p)
    return -torch.where(torch.tensor(y) == 1, p.log(), (1 - p).log())


@clipped_probabilities.torch.like("sklearn")
def _(y, p):
    """Clip the probabilities to [ε, 1-ε] first, with the ε of their dtype."""
    import torch
    import torch.nn.functional as F

    eps = np.finfo(p.dtype).eps
    return F.binary_cross_entropy(torch.tensor(p).clamp(eps, 1 - eps), torch.tensor(y), reduction="none")


@clipped_probabilities.torch.like("keras")
def _(y, p):
    """Clip the probabilities to [ε, 1-ε] first, with Keras's ε."""
    import torch
    import torch.nn.functional as F

    return F.binary_cross_entropy(torch.tensor(p).clamp(1e-7, 1 - 1e-7), torch.tensor(y), reduction="none")


saturated_gradient = Card(
    id="saturated-gradient",
    title="Confident mistakes: the gradient of cross-entropy through a saturated sigmoid",
    wrong=(
        "A model that is certain and wrong should get the strongest gradient, p - y. From probabilities it "
        "gets none in Keras as soon as they are clipped, and that row never recovers (unless Keras's own "
        "sigmoid made them, whose logits the loss then takes); in PyTorch the gradient of BCELoss fades "
        "once p(1-p) is below the least number that it divides by. Float32, where a probability rounds to "
        "1, meets it early. From logits all frameworks have the exact gradient."
    ),
    conventions={
        "numpy sklearn tensorflow": "∂ℓ/∂z = p - y",
        "keras": "∂ℓ/∂z = p - y if ε ≤ p ≤ 1-ε else 0",
        "torch": "∂ℓ/∂z = (p-y) · p(1-p) / max(p(1-p), 10⁻¹²)",
    },
    given=saturated,
    differs=0.5,
    issues=("keras-team/keras#9664",),
    faults=("loss-from-probabilities",),
)


@saturated_gradient.numpy
def _(y, z):
    p = 1 / (1 + np.exp(-z))
    return p - y


@saturated_gradient.numpy.like("keras")
def _(y, z):
    """Set the gradient to zero where Keras clips the probability."""
    p = 1 / (1 + np.exp(-z))
    return np.where((p >= 1e-7) & (p <= 1 - 1e-7), p - y, 0)


@saturated_gradient.numpy.like("torch")
def _(y, z):
    """Multiply the gradient by p(1-p), and divide it by the larger of that and 10⁻¹² in float32."""
    p = 1 / (1 + np.exp(-z))
    return (p - y) / np.maximum(p * (1 - p), np.float32(1e-12)) * p * (1 - p)


@saturated_gradient.sklearn
def _(y, z):
    from sklearn._loss import HalfBinomialLoss

    return HalfBinomialLoss().gradient(y_true=y[:, 0], raw_prediction=z[:, 0])[:, None]


@saturated_gradient.sklearn.like("keras")
def _(y, z):
    """Set the gradient to zero where Keras clips the probability."""
    from sklearn._loss import HalfBinomialLoss

    gradient = HalfBinomialLoss().gradient(y_true=y[:, 0], raw_prediction=z[:, 0])[:, None]
    p = 1 / (1 + np.exp(-z))
    return np.where((p >= 1e-7) & (p <= 1 - 1e-7), gradient, 0)


@saturated_gradient.sklearn.like("torch")
def _(y, z):
    """Multiply the gradient by p(1-p), and divide it by the larger of that and 10⁻¹² in float32."""
    from sklearn._loss import HalfBinomialLoss

    gradient = HalfBinomialLoss().gradient(y_true=y[:, 0], raw_prediction=z[:, 0])[:, None]
    p = 1 / (1 + np.exp(-z))
    return gradient / np.maximum(p * (1 - p), np.float32(1e-12)) * p * (1 - p)


@saturated_gradient.tensorflow
def _(y, z):
    import tensorflow as tf

    z = tf.Variable(z)
    with tf.GradientTape() as tape:
        losses = tf.nn.sigmoid_cross_entropy_with_logits(tf.constant(y), z)
    return tape.gradient(losses, z)


@saturated_gradient.tensorflow.like("keras")
def _(y, z):
    """Clip the probabilities to [ε, 1-ε] with Keras's ε, and take their logarithms by hand."""
    import tensorflow as tf

    z = tf.Variable(z)
    with tf.GradientTape() as tape:
        p = tf.clip_by_value(tf.sigmoid(z), 1e-7, 1 - 1e-7)
        losses = -y * tf.math.log(p) - (1 - y) * tf.math.log(1 - p)
    return tape.gradient(losses, z)


@saturated_gradient.tensorflow.like("torch")
def _(y, z):
    """Multiply the gradient by p(1-p), and divide it by the larger of that and 10⁻¹² in float32."""
    import tensorflow as tf

    z = tf.Variable(z)
    with tf.GradientTape() as tape:
        losses = tf.nn.sigmoid_cross_entropy_with_logits(tf.constant(y), z)
    p = tf.sigmoid(z)
    return tape.gradient(losses, z) / tf.maximum(p * (1 - p), float(np.float32(1e-12))) * p * (1 - p)


@saturated_gradient.keras
def _(y, z):
    import keras
    import tensorflow as tf

    z = tf.Variable(z)
    with tf.GradientTape() as tape:
        p = 1 / (1 + keras.ops.exp(-z))  # written out: keras.ops.sigmoid would hand its logits over
        losses = keras.losses.binary_crossentropy(y, p)
    return tape.gradient(losses, z)


@saturated_gradient.keras.like("numpy")
def _(y, z):
    """Hand the loss logits, and pass `from_logits=True`."""
    import keras
    import tensorflow as tf

    z = tf.Variable(z)
    with tf.GradientTape() as tape:
        losses = keras.losses.binary_crossentropy(y, z, from_logits=True)
    return tape.gradient(losses, z)


@saturated_gradient.keras.like("torch")
def _(y, z):
    """Multiply the gradient by p(1-p), and divide it by the larger of that and 10⁻¹² in float32."""
    import keras
    import tensorflow as tf

    z = tf.Variable(z)
    with tf.GradientTape() as tape:
        losses = keras.losses.binary_crossentropy(y, z, from_logits=True)
    p = keras.ops.sigmoid(z)
    return tape.gradient(losses, z) / keras.ops.maximum(p * (1 - p), float(np.float32(1e-12))) * p * (1 - p)


@saturated_gradient.torch
def _(y, z):
    import torch
    import torch.nn.functional as F

    z = torch.tensor(z, requires_grad=True)
    losses = F.binary_cross_entropy(torch.sigmoid(z), torch.tensor(y), reduction="none")
    losses.sum().backward()
    return z.grad


@saturated_gradient.torch.like("numpy")
def _(y, z):
    """Hand logits to `binary_cross_entropy_with_logits`."""
    import torch
    import torch.nn.functional as F

    z = torch.tensor(z, requires_grad=True)
    losses = F.binary_cross_entropy_with_logits(z, torch.tensor(y), reduction="none")
    losses.sum().backward()
    return z.grad


@saturated_gradient.torch.like("keras")
def _(y, z):
    """Clip the probabilities to [ε, 1-ε] first, with Keras's ε."""
    import torch
    import torch.nn.functional as F

    z = torch.tensor(z, requires_grad=True)
    p = torch.sigmoid(z).clamp(1e-7, 1 - 1e-7)
    losses = F.binary_cross_entropy(p, torch.tensor(y), reduction="none")
    losses.sum().backward()
    return z.grad


cached_logits = Card(
    id="keras-cached-logits",
    title="Keras: a layer behind the sigmoid or softmax loses its logits",
    wrong=(
        "Keras's own sigmoid and softmax attach the logits to the tensor that they return, and a loss that "
        "finds them there is computed from them, exactly. A layer in between, a conversion to NumPy, or a "
        "loss of another dtype than the model makes a new tensor without them. The loss then clips the "
        "probabilities: it never exceeds a limit, and beyond it has no gradient. Nothing is said of it."
    ),
    conventions={
        "numpy sklearn tensorflow torch": "ℓ = log(1 + eᶻ) - y·z",
        "keras": "ℓ = -log p or -log(1-p),  p = clip(σ(z), ε, 1-ε)",
    },
    given=saturated,
    differs=0.3,
    faults=("loss-from-probabilities",),
)


@cached_logits.numpy
def _(y, z):
    return np.logaddexp(0, z) - y * z


@cached_logits.numpy.like("keras")
def _(y, z):
    """Clip the probabilities to [ε, 1-ε] first, with Keras's ε."""
    p = np.clip(1 / (1 + np.exp(-z)), 1e-7, 1 - 1e-7)
    return -np.where(y == 1, np.log(p), np.log(1 - p))


@cached_logits.sklearn
def _(y, z):
    from sklearn._loss import HalfBinomialLoss

    return HalfBinomialLoss().loss(y_true=y[:, 0], raw_prediction=z[:, 0])[:, None]


@cached_logits.sklearn.like("keras")
def _(y, z):
    """Clip the logits to where their probability is Keras's ε or 1-ε."""
    from scipy.special import logit
    from sklearn._loss import HalfBinomialLoss

    z = np.clip(z, logit(1e-7), logit(1 - 1e-7))
    return HalfBinomialLoss().loss(y_true=y[:, 0], raw_prediction=z[:, 0])[:, None]


@cached_logits.tensorflow
def _(y, z):
    import tensorflow as tf

    return tf.nn.sigmoid_cross_entropy_with_logits(tf.constant(y), tf.constant(z))


@cached_logits.tensorflow.like("keras")
def _(y, z):
    """Clip the probabilities to [ε, 1-ε] first, with Keras's ε."""
    import tensorflow as tf

    p = tf.clip_by_value(tf.sigmoid(z), 1e-7, 1 - 1e-7)
    return -tf.where(y == 1, tf.math.log(p), tf.math.log(1 - p))


@cached_logits.keras
def _(y, z):
    import keras

    p = keras.ops.sigmoid(z)
    p = keras.layers.Reshape((1,))(p)
    return keras.losses.binary_crossentropy(y, p)[:, None]


@cached_logits.keras.like("torch")
def _(y, z):
    """Hand the loss the very tensor that the sigmoid returned, or logits and `from_logits=True`."""
    import keras

    p = keras.ops.sigmoid(z)
    return keras.losses.binary_crossentropy(y, p)[:, None]


@cached_logits.torch
def _(y, z):
    import torch
    import torch.nn.functional as F

    return F.binary_cross_entropy_with_logits(torch.tensor(z), torch.tensor(y), reduction="none")


@cached_logits.torch.like("keras")
def _(y, z):
    """Clip the probabilities to [ε, 1-ε] first, with Keras's ε."""
    import torch
    import torch.nn.functional as F

    p = torch.sigmoid(torch.tensor(z)).clamp(1e-7, 1 - 1e-7)
    return F.binary_cross_entropy(p, torch.tensor(y), reduction="none")


renormalised = Card(
    id="crossentropy-renormalises",
    title="CategoricalCrossentropy divides predictions by their sum",
    wrong=(
        "Keras's categorical losses make each row of predictions sum to one, also the sparse one. With a "
        "softmax nothing changes. With sigmoid outputs, or mixtures that were not normalised, the loss is "
        "another, and pulls the other classes down; elsewhere only the probability of the true class counts."
    ),
    conventions={
        "numpy sklearn tensorflow torch": "ℓ = -log p_y",
        "keras": "ℓ = -log(p_y / Σₖ pₖ)",
    },
    given=sigmoids,
    differs=0.2,
    issues=("keras-team/keras#17102",),
)


@renormalised.numpy
def _(y, p):
    return -np.log(p[np.arange(5), y]).mean()


@renormalised.numpy.like("keras")
def _(y, p):
    """Divide each row of predictions by its sum."""
    p = p / p.sum(axis=1, keepdims=True)
    return -np.log(p[np.arange(5), y]).mean()


@renormalised.sklearn
def _(y, p):
    from sklearn.metrics import log_loss

    return log_loss(y, p)  # with a warning


@renormalised.sklearn.like("keras")
def _(y, p):
    """Divide each row of predictions by its sum."""
    from sklearn.metrics import log_loss

    return log_loss(y, p / p.sum(axis=1, keepdims=True))


@renormalised.tensorflow
def _(y, p):
    import tensorflow as tf

    y = tf.one_hot(y, 3, dtype=tf.float64)
    return -tf.reduce_mean(tf.reduce_sum(y * tf.math.log(p), axis=1))


@renormalised.tensorflow.like("keras")
def _(y, p):
    """Divide each row of predictions by its sum."""
    import tensorflow as tf

    y, p = tf.one_hot(y, 3, dtype=tf.float64), p / p.sum(axis=1, keepdims=True)
    return -tf.reduce_mean(tf.reduce_sum(y * tf.math.log(p), axis=1))


@renormalised.keras
def _(y, p):
    import keras

    y = keras.ops.one_hot(y, 3)
    return keras.losses.CategoricalCrossentropy()(y, p)


@renormalised.keras.like("torch")
def _(y, p):
    """Write the loss by hand: CategoricalCrossentropy always divides."""
    import keras

    y = keras.ops.one_hot(y, 3)
    return -keras.ops.mean(keras.ops.sum(y * keras.ops.log(p), axis=1))


@renormalised.torch
def _(y, p):
    import torch
    import torch.nn.functional as F

    return F.nll_loss(torch.tensor(p).log(), torch.tensor(y))


@renormalised.torch.like("keras")
def _(y, p):
    """Divide each row of predictions by its sum, or hand their logarithms to `cross_entropy`."""
    import torch
    import torch.nn.functional as F

    return F.cross_entropy(torch.tensor(p).log(), torch.tensor(y))


ignored_targets = Card(
    id="ignored-targets",
    title="Padding: a mean over what counts, or over all positions",
    wrong=(
        "PyTorch's `ignore_index` leaves positions out of the mean. A weight of zero in Keras, or a mask "
        "that multiplies the losses, leaves them in: the loss shrinks with the share of padding, and short "
        "sequences teach less than long ones. Keras divides like PyTorch when it has `ignore_class`, or a "
        "mask that comes from a layer."
    ),
    conventions={
        "numpy sklearn torch": "L = Σ mᵢ·ℓᵢ / Σ mᵢ",
        "tensorflow keras": "L = Σ mᵢ·ℓᵢ / N",
    },
    given=padded,
    differs=0.2,
    defaults=("SparseCategoricalCrossentropy.ignore_class",),
)


@ignored_targets.numpy
def _(y, z, m):
    losses = np.log(np.exp(z).sum(axis=1)) - z[np.arange(6), y]
    return losses[m].mean()


@ignored_targets.numpy.like("keras")
def _(y, z, m):
    """Multiply the losses by the mask, and take the mean over all positions."""
    losses = np.log(np.exp(z).sum(axis=1)) - z[np.arange(6), y]
    return (m * losses).mean()


@ignored_targets.sklearn
def _(y, z, m):
    from scipy.special import softmax
    from sklearn.metrics import log_loss

    return log_loss(y, softmax(z, axis=1), sample_weight=m.astype(float))


@ignored_targets.sklearn.like("keras")
def _(y, z, m):
    """Multiply the weighted mean by the share of positions that count."""
    from scipy.special import softmax
    from sklearn.metrics import log_loss

    return log_loss(y, softmax(z, axis=1), sample_weight=m.astype(float)) * m.mean()


@ignored_targets.tensorflow
def _(y, z, m):
    import tensorflow as tf

    losses = tf.nn.sparse_softmax_cross_entropy_with_logits(y, z)
    return tf.reduce_mean(losses * m)


@ignored_targets.tensorflow.like("torch")
def _(y, z, m):
    """Take the mean only of the losses that count: `tf.boolean_mask(losses, mask)`."""
    import tensorflow as tf

    losses = tf.nn.sparse_softmax_cross_entropy_with_logits(y, z)
    return tf.reduce_mean(tf.boolean_mask(losses, m))


@ignored_targets.keras
def _(y, z, m):
    import keras

    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    return loss(y, z, sample_weight=m)


@ignored_targets.keras.like("torch")
def _(y, z, m):
    """Give padding a class number of its own, and pass that number as `ignore_class`."""
    import keras

    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=-100)
    return loss(np.where(m, y, -100), z)


@ignored_targets.torch
def _(y, z, m):
    import torch
    import torch.nn.functional as F

    y = torch.tensor(np.where(m, y, -100))
    return F.cross_entropy(torch.tensor(z), y)


@ignored_targets.torch.like("keras")
def _(y, z, m):
    """Pass `reduction="sum"`, and divide by the number of all positions."""
    import torch
    import torch.nn.functional as F

    y = torch.tensor(np.where(m, y, -100))
    return F.cross_entropy(torch.tensor(z), y, reduction="sum") / len(y)


nonzero_weights = Card(
    id="nonzero-weights",
    title="tf.compat.v1.losses: divided by the weights that are not zero",
    wrong=(
        "The losses of TensorFlow 1 count the rows whose weight is not zero, and divide by that number, "
        "neither by all rows nor by the sum of the weights. With weights of zero and one that is the "
        "weighted mean, with other weights it is a third rule. They also compute in float32, whatever the "
        "dtype of what they get."
    ),
    conventions={
        "numpy sklearn": "L = Σ wᵢ·(pᵢ-yᵢ)² / Σ wᵢ",
        "tensorflow": "L = Σ wᵢ·(pᵢ-yᵢ)² / #{wᵢ ≠ 0}",
        "keras torch": "L = Σ wᵢ·(pᵢ-yᵢ)² / N",
    },
    given=weighted_rows,
    differs=0.04,
    issues=("keras-team/keras#7394",),
    faults=("weights-per-row",),
    dtype="float32",
)


@nonzero_weights.numpy
def _(y, p, w):
    return np.average((p - y) ** 2, weights=w)


@nonzero_weights.numpy.like("tensorflow")
def _(y, p, w):
    """Divide the sum of the weighted losses by the number of weights that are not zero."""
    return np.sum(w * (p - y) ** 2) / np.count_nonzero(w)


@nonzero_weights.numpy.like("torch")
def _(y, p, w):
    """Multiply the losses by the weights, and take the mean over all rows."""
    return np.mean(w * (p - y) ** 2)


@nonzero_weights.sklearn
def _(y, p, w):
    from sklearn.metrics import mean_squared_error

    return mean_squared_error(y, p, sample_weight=w)


@nonzero_weights.sklearn.like("tensorflow")
def _(y, p, w):
    """Multiply the weighted mean by the mean of the weights that are not zero."""
    from sklearn.metrics import mean_squared_error

    return mean_squared_error(y, p, sample_weight=w) * w[w != 0].mean()


@nonzero_weights.sklearn.like("torch")
def _(y, p, w):
    """Multiply the weighted mean by the mean weight."""
    from sklearn.metrics import mean_squared_error

    return mean_squared_error(y, p, sample_weight=w) * w.mean()


@nonzero_weights.tensorflow
def _(y, p, w):
    import tensorflow as tf

    return tf.compat.v1.losses.mean_squared_error(y, p, weights=w)


@nonzero_weights.tensorflow.like("numpy")
def _(y, p, w):
    """Pass `reduction=Reduction.MEAN`, which is the weighted mean."""
    import tensorflow as tf

    mean = tf.compat.v1.losses.Reduction.MEAN
    return tf.compat.v1.losses.mean_squared_error(y, p, weights=w, reduction=mean)


@nonzero_weights.tensorflow.like("torch")
def _(y, p, w):
    """Pass `reduction=Reduction.SUM_OVER_BATCH_SIZE`."""
    import tensorflow as tf

    size = tf.compat.v1.losses.Reduction.SUM_OVER_BATCH_SIZE
    return tf.compat.v1.losses.mean_squared_error(y, p, weights=w, reduction=size)


@nonzero_weights.keras
def _(y, p, w):
    import keras

    return keras.losses.MeanSquaredError()(y[:, None], p[:, None], sample_weight=w)


@nonzero_weights.keras.like("numpy")
def _(y, p, w):
    """Pass `reduction="mean_with_sample_weight"` to the loss."""
    import keras

    loss = keras.losses.MeanSquaredError(reduction="mean_with_sample_weight")
    return loss(y[:, None], p[:, None], sample_weight=w)


@nonzero_weights.keras.like("tensorflow")
def _(y, p, w):
    """Pass `reduction="sum"`, and divide by the number of weights that are not zero."""
    import keras

    loss = keras.losses.MeanSquaredError(reduction="sum")
    return loss(y[:, None], p[:, None], sample_weight=w) / np.count_nonzero(w)


@nonzero_weights.torch
def _(y, p, w):
    import torch
    import torch.nn.functional as F

    y, p, w = torch.tensor(y), torch.tensor(p), torch.tensor(w)
    return (w * F.mse_loss(p, y, reduction="none")).mean()


@nonzero_weights.torch.like("numpy")
def _(y, p, w):
    """Pass the weights to `mse_loss` as `weight`: then it divides by their sum."""
    import torch
    import torch.nn.functional as F

    y, p, w = torch.tensor(y), torch.tensor(p), torch.tensor(w)
    return F.mse_loss(p, y, weight=w)


@nonzero_weights.torch.like("tensorflow")
def _(y, p, w):
    """Divide the sum of the weighted losses by the number of weights that are not zero."""
    import torch
    import torch.nn.functional as F

    y, p, w = torch.tensor(y), torch.tensor(p), torch.tensor(w)
    return (w * F.mse_loss(p, y, reduction="none")).sum() / w.count_nonzero()


positive_weight = Card(
    id="pos-weight",
    title="pos_weight: how a weight of the positive class is averaged",
    wrong=(
        "Unlike its `weight` for classes, PyTorch's `pos_weight` leaves the mean over the rows as it is, "
        "and so agrees with TensorFlow's function and with weights in Keras. Scikit-learn divides by the "
        "sum of the weights here too. It shows as another learning rate, which changes with the share of "
        "positive rows in a batch."
    ),
    conventions={
        "numpy tensorflow keras torch": "L = Σ wᵢ·ℓᵢ / N,  w = w₊ if y = 1 else 1",
        "sklearn": "L = Σ wᵢ·ℓᵢ / Σ wᵢ,  w = w₊ if y = 1 else 1",
    },
    given=binary,
    differs=0.3,
    faults=("weights-per-row", "weights-ignored"),
)


@positive_weight.numpy
def _(y, z):
    w = np.where(y == 1, 3, 1)
    return np.mean(w * (np.logaddexp(0, z) - y * z))


@positive_weight.numpy.like("sklearn")
def _(y, z):
    """Divide the sum of the weighted losses by the sum of the weights."""
    w = np.where(y == 1, 3, 1)
    return np.average(np.logaddexp(0, z) - y * z, weights=w)


@positive_weight.sklearn
def _(y, z):
    from scipy.special import expit
    from sklearn.metrics import log_loss

    w = np.where(y == 1, 3, 1)[:, 0]
    return log_loss(y[:, 0], expit(z[:, 0]), sample_weight=w)


@positive_weight.sklearn.like("torch")
def _(y, z):
    """Multiply the weighted mean by the mean weight of the batch."""
    from scipy.special import expit
    from sklearn.metrics import log_loss

    w = np.where(y == 1, 3, 1)[:, 0]
    return log_loss(y[:, 0], expit(z[:, 0]), sample_weight=w) * w.mean()


@positive_weight.tensorflow
def _(y, z):
    import tensorflow as tf

    return tf.reduce_mean(tf.nn.weighted_cross_entropy_with_logits(y, z, pos_weight=3))


@positive_weight.tensorflow.like("sklearn")
def _(y, z):
    """Divide the sum of the weighted losses by the sum of the weights."""
    import tensorflow as tf

    w = tf.where(y == 1, 3.0, 1.0)
    losses = tf.nn.weighted_cross_entropy_with_logits(y, z, pos_weight=3)
    return tf.reduce_sum(losses) / tf.cast(tf.reduce_sum(w), tf.float64)


@positive_weight.keras
def _(y, z):
    import keras

    w = np.where(y == 1, 3, 1)
    return keras.losses.BinaryCrossentropy(from_logits=True)(y, z, sample_weight=w)


@positive_weight.keras.like("sklearn")
def _(y, z):
    """Pass `reduction="mean_with_sample_weight"` to the loss."""
    import keras

    w = np.where(y == 1, 3, 1)
    loss = keras.losses.BinaryCrossentropy(from_logits=True, reduction="mean_with_sample_weight")
    return loss(y, z, sample_weight=w)


@positive_weight.torch
def _(y, z):
    import torch
    import torch.nn.functional as F

    y, z = torch.tensor(y), torch.tensor(z)
    return F.binary_cross_entropy_with_logits(z, y, pos_weight=torch.tensor(3.0))


@positive_weight.torch.like("sklearn")
def _(y, z):
    """Divide the sum of the weighted losses by the sum of the weights."""
    import torch
    import torch.nn.functional as F

    y, z = torch.tensor(y), torch.tensor(z)
    w = torch.where(y == 1, 3.0, 1.0)
    return F.binary_cross_entropy_with_logits(z, y, weight=w, reduction="sum") / w.sum()


smoothed_classes = Card(
    id="label-smoothing",
    title="Label smoothing: shared by all classes or by the others",
    wrong=(
        "Keras and PyTorch give each class an equal share of the smoothing, the true one included. Code in "
        "the tradition of Tensor2Tensor shares it among the others alone, so that the same number smooths "
        "more, above all where there are few classes. It shows in the loss from the start, and in how "
        "certain the trained model is."
    ),
    conventions={
        "numpy": "q = 1-s for the class, s/(K-1) for each other",
        "tensorflow keras torch": "q = (1-s)·onehot(y) + s/K",
    },
    given=fitted_logits,
    differs=0.2,
    absent={"sklearn": "scikit-learn has no label smoothing"},
    defaults=("CategoricalCrossentropy.label_smoothing",),
    faults=("smoothing-missing", "smoothing-of-others"),
)


@smoothed_classes.numpy
def _(y, z):
    q = np.where(np.eye(3)[y] == 1, 1 - 0.2, 0.2 / (3 - 1))
    log_p = z - np.log(np.exp(z).sum(axis=1, keepdims=True))
    return -(q * log_p).sum(axis=1).mean()


@smoothed_classes.numpy.like("keras")
def _(y, z):
    """Give the true class its share of the smoothing too."""
    q = (1 - 0.2) * np.eye(3)[y] + 0.2 / 3
    log_p = z - np.log(np.exp(z).sum(axis=1, keepdims=True))
    return -(q * log_p).sum(axis=1).mean()


@smoothed_classes.tensorflow
def _(y, z):
    import tensorflow as tf

    q = (1 - 0.2) * tf.one_hot(y, 3, dtype=tf.float64) + 0.2 / 3
    return tf.reduce_mean(tf.nn.softmax_cross_entropy_with_logits(q, z))


@smoothed_classes.tensorflow.like("numpy")
def _(y, z):
    """Share the smoothing among the other classes: `off_value=s / (K - 1)` of `tf.one_hot`."""
    import tensorflow as tf

    q = tf.one_hot(y, 3, on_value=np.float64(1 - 0.2), off_value=np.float64(0.2 / (3 - 1)))
    return tf.reduce_mean(tf.nn.softmax_cross_entropy_with_logits(q, z))


@smoothed_classes.keras
def _(y, z):
    import keras

    loss = keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=0.2)
    return loss(np.eye(3)[y], z)


@smoothed_classes.keras.like("numpy")
def _(y, z):
    """Multiply `label_smoothing` by K/(K-1), K being the number of classes."""
    import keras

    loss = keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=0.2 * 3 / (3 - 1))
    return loss(np.eye(3)[y], z)


@smoothed_classes.torch
def _(y, z):
    import torch
    import torch.nn.functional as F

    return F.cross_entropy(torch.tensor(z), torch.tensor(y), label_smoothing=0.2)


@smoothed_classes.torch.like("numpy")
def _(y, z):
    """Multiply `label_smoothing` by K/(K-1), K being the number of classes."""
    import torch
    import torch.nn.functional as F

    return F.cross_entropy(torch.tensor(z), torch.tensor(y), label_smoothing=0.2 * 3 / (3 - 1))


smoothed_binary = Card(
    id="label-smoothing-binary",
    title="Label smoothing of zeros and ones",
    wrong=(
        "Keras's binary loss pulls targets towards one half. PyTorch's has no such argument, so a port "
        "leaves it out unless the targets are changed by hand; and whoever does that as for classes, by "
        "s/K with one output, pulls them towards 1."
    ),
    conventions={
        "numpy tensorflow keras": "q = (1-s)·y + s/2",
        "torch": "q = y",
    },
    given=fitted_binary,
    differs=0.5,
    absent={"sklearn": "scikit-learn has no label smoothing"},
    defaults=("BinaryCrossentropy.label_smoothing",),
    faults=("smoothing-missing",),
)


@smoothed_binary.numpy
def _(y, z):
    y = (1 - 0.2) * y + 0.2 / 2
    return np.mean(np.logaddexp(0, z) - y * z)


@smoothed_binary.numpy.like("torch")
def _(y, z):
    """Leave the targets as they are."""
    return np.mean(np.logaddexp(0, z) - y * z)


@smoothed_binary.tensorflow
def _(y, z):
    import tensorflow as tf

    y = (1 - 0.2) * tf.constant(y) + 0.2 / 2
    return tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(y, z))


@smoothed_binary.tensorflow.like("torch")
def _(y, z):
    """Leave the targets as they are."""
    import tensorflow as tf

    return tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(tf.constant(y), z))


@smoothed_binary.keras
def _(y, z):
    import keras

    return keras.losses.BinaryCrossentropy(from_logits=True, label_smoothing=0.2)(y, z)


@smoothed_binary.keras.like("torch")
def _(y, z):
    """Leave `label_smoothing` out."""
    import keras

    return keras.losses.BinaryCrossentropy(from_logits=True)(y, z)


@smoothed_binary.torch
def _(y, z):
    import torch
    import torch.nn.functional as F

    return F.binary_cross_entropy_with_logits(torch.tensor(z), torch.tensor(y))


@smoothed_binary.torch.like("keras")
def _(y, z):
    """Pull the targets towards one half by hand: (1-s)·y + s/2."""
    import torch
    import torch.nn.functional as F

    y = (1 - 0.2) * torch.tensor(y) + 0.2 / 2
    return F.binary_cross_entropy_with_logits(torch.tensor(z), y)


smooth_l1 = Card(
    id="huber-smooth-l1",
    title="Huber and SmoothL1: divided by δ",
    wrong=(
        "PyTorch's SmoothL1Loss is Huber's loss divided by its threshold, which it calls β: the slope far "
        "out is 1, not δ. At a threshold of 1 they are the same. PyTorch's own HuberLoss "
        "does as Keras's Huber does, and scikit-learn's."
    ),
    conventions={
        "numpy sklearn tensorflow keras": "ℓ = e²/2 if |e| ≤ δ else δ·(|e| - δ/2)",
        "torch": "ℓ = e²/(2β) if |e| < β else |e| - β/2",
    },
    given=regression,
    differs=0.3,
    defaults=("Huber.delta", "SmoothL1Loss.beta"),
    issues=("pytorch/pytorch#48595",),
    faults=("huber-divided", "huber-delta"),
)


@smooth_l1.numpy
def _(y, p):
    e = np.abs(p - y)
    return np.mean(np.where(e <= 0.5, e**2 / 2, 0.5 * (e - 0.5 / 2)))


@smooth_l1.numpy.like("torch")
def _(y, p):
    """Divide Huber's loss by δ."""
    e = np.abs(p - y)
    return np.mean(np.where(e <= 0.5, e**2 / 2 / 0.5, e - 0.5 / 2))


@smooth_l1.sklearn
def _(y, p):
    from sklearn._loss import HuberLoss

    return np.mean(HuberLoss(delta=0.5).loss(y_true=y.ravel(), raw_prediction=p.ravel()))


@smooth_l1.sklearn.like("torch")
def _(y, p):
    """Divide Huber's loss by δ."""
    from sklearn._loss import HuberLoss

    return np.mean(HuberLoss(delta=0.5).loss(y_true=y.ravel(), raw_prediction=p.ravel())) / 0.5


@smooth_l1.tensorflow
def _(y, p):
    import tensorflow as tf

    e = tf.abs(p - y)
    return tf.reduce_mean(tf.where(e <= 0.5, e**2 / 2, 0.5 * (e - 0.5 / 2)))


@smooth_l1.tensorflow.like("torch")
def _(y, p):
    """Divide Huber's loss by δ."""
    import tensorflow as tf

    e = tf.abs(p - y)
    return tf.reduce_mean(tf.where(e <= 0.5, e**2 / 2 / 0.5, e - 0.5 / 2))


@smooth_l1.keras
def _(y, p):
    import keras

    return keras.losses.Huber(delta=0.5)(y, p)


@smooth_l1.keras.like("torch")
def _(y, p):
    """Divide Huber's loss by δ."""
    import keras

    return keras.losses.Huber(delta=0.5)(y, p) / 0.5


@smooth_l1.torch
def _(y, p):
    import torch
    import torch.nn.functional as F

    return F.smooth_l1_loss(torch.tensor(p), torch.tensor(y), beta=0.5)


@smooth_l1.torch.like("keras")
def _(y, p):
    """Take `huber_loss`, with β as its `delta`."""
    import torch
    import torch.nn.functional as F

    return F.huber_loss(torch.tensor(p), torch.tensor(y), delta=0.5)


kl_mean = Card(
    id="kl-divergence-mean",
    title="KL divergence: the mean of rows or of elements",
    wrong=(
        "PyTorch's kl_div reduces by a mean over elements, as its other losses do, and so divides the sum "
        "over classes, which is the divergence, by their number as well. Keras divides by the rows. The "
        "loss is too small by the number of classes, and a weight that balances it against another loss "
        "fails to."
    ),
    conventions={
        "numpy tensorflow keras": "L = Σᵢ Σₖ p·log(p/q) / N",
        "torch": "L = Σᵢ Σₖ p·log(p/q) / (N·K)",
    },
    given=distributions,
    differs=0.3,
    absent={"sklearn": "scikit-learn has no such loss"},
    issues=("pytorch/pytorch#2259",),
    faults=("classes-averaged",),
)


@kl_mean.numpy
def _(p, q):
    return np.sum(p * np.log(p / q)) / len(p)


@kl_mean.numpy.like("torch")
def _(p, q):
    """Divide by the number of elements, not of rows."""
    return np.sum(p * np.log(p / q)) / p.size


@kl_mean.tensorflow
def _(p, q):
    import tensorflow as tf

    return tf.reduce_mean(tf.reduce_sum(p * tf.math.log(p / q), axis=1))


@kl_mean.tensorflow.like("torch")
def _(p, q):
    """Take the mean over elements, not over rows."""
    import tensorflow as tf

    return tf.reduce_mean(p * tf.math.log(p / q))


@kl_mean.keras
def _(p, q):
    import keras

    return keras.losses.KLDivergence()(p, q)


@kl_mean.keras.like("torch")
def _(p, q):
    """Divide the loss by the number of classes."""
    import keras

    return keras.losses.KLDivergence()(p, q) / p.shape[1]


@kl_mean.torch
def _(p, q):
    import torch
    import torch.nn.functional as F

    return F.kl_div(torch.tensor(q).log(), torch.tensor(p))


@kl_mean.torch.like("keras")
def _(p, q):
    """Pass `reduction="batchmean"`."""
    import torch
    import torch.nn.functional as F

    return F.kl_div(torch.tensor(q).log(), torch.tensor(p), reduction="batchmean")


kl_arguments = Card(
    id="kl-divergence-arguments",
    title="KL divergence: order of the arguments, and logarithms",
    wrong=(
        "Keras takes the target first, then the prediction, both as probabilities. PyTorch takes the "
        "prediction first, and as logarithms. With the arguments as they stood in Keras nothing fails: what "
        "comes out is no divergence, is negative, and is not least where both agree."
    ),
    conventions={
        "numpy tensorflow keras": "D(p, q) = Σ p·log(p/q) / N",
        "torch": "D(p, q) = Σ q·(log q - p) / N",
    },
    given=distributions,
    differs=0.6,
    absent={"sklearn": "scikit-learn has no such loss"},
)


@kl_arguments.numpy
def _(p, q):
    return np.sum(p * np.log(p / q)) / len(p)


@kl_arguments.numpy.like("torch")
def _(p, q):
    """Take the first argument for logarithms, and the second for the target."""
    return np.sum(q * (np.log(q) - p)) / len(p)


@kl_arguments.tensorflow
def _(p, q):
    import tensorflow as tf

    return tf.reduce_mean(tf.reduce_sum(p * tf.math.log(p / q), axis=1))


@kl_arguments.tensorflow.like("torch")
def _(p, q):
    """Take the first argument for logarithms, and the second for the target."""
    import tensorflow as tf

    return tf.reduce_mean(tf.reduce_sum(q * (tf.math.log(q) - p), axis=1))


@kl_arguments.keras
def _(p, q):
    import keras

    return keras.losses.KLDivergence()(p, q)


@kl_arguments.keras.like("torch")
def _(p, q):
    """Write it by hand, with the first argument as logarithms and the second as the target."""
    import keras

    return keras.ops.mean(keras.ops.sum(q * (keras.ops.log(q) - p), axis=1))


@kl_arguments.torch
def _(p, q):
    import torch
    import torch.nn.functional as F

    return F.kl_div(torch.tensor(p), torch.tensor(q), reduction="batchmean")


@kl_arguments.torch.like("keras")
def _(p, q):
    """Swap the arguments, and take the logarithm of the prediction; of logits, log_softmax."""
    import torch
    import torch.nn.functional as F

    return F.kl_div(torch.tensor(q).log(), torch.tensor(p), reduction="batchmean")


hinge_classes = Card(
    id="hinge-classes",
    title="Hinge loss: classes 0 and 1, or -1 and 1",
    wrong=(
        "The formula is made for the classes -1 and 1. Keras maps zeros and ones to them when a batch has "
        "nothing else, and scikit-learn maps any two classes; by hand, in NumPy, TensorFlow or PyTorch, "
        "nothing does. A row of class 0 then costs a constant and has no gradient, so the model only ever "
        "learns from one class."
    ),
    conventions={
        "sklearn keras": "ℓ = max(0, 1 - (2y-1)·z)",
        "numpy tensorflow torch": "ℓ = max(0, 1 - y·z)",
    },
    given=binary,
    differs=0.06,
    faults=("hinge-classes-0-1",),
)


@hinge_classes.numpy
def _(y, z):
    return np.maximum(0, 1 - y * z).mean()


@hinge_classes.numpy.like("keras")
def _(y, z):
    """Map the classes to -1 and 1: `2 * y - 1`."""
    return np.maximum(0, 1 - (2 * y - 1) * z).mean()


@hinge_classes.sklearn
def _(y, z):
    from sklearn.metrics import hinge_loss

    return hinge_loss(y[:, 0], z[:, 0])


@hinge_classes.sklearn.like("torch")
def _(y, z):
    """Take the loss of SGDClassifier, row by row: it maps nothing, the classifier does."""
    from sklearn.linear_model._sgd_fast import Hinge

    return np.mean([Hinge(1.0).py_loss(*row) for row in zip(z[:, 0], y[:, 0], strict=True)])


@hinge_classes.tensorflow
def _(y, z):
    import tensorflow as tf

    return tf.reduce_mean(tf.nn.relu(1 - y * z))


@hinge_classes.tensorflow.like("keras")
def _(y, z):
    """Map the classes to -1 and 1: `2 * y - 1`."""
    import tensorflow as tf

    return tf.reduce_mean(tf.nn.relu(1 - (2 * y - 1) * z))


@hinge_classes.keras
def _(y, z):
    import keras

    return keras.losses.Hinge()(y, z)


@hinge_classes.keras.like("torch")
def _(y, z):
    """Write it by hand, as `relu(1 - y * z)`, which maps nothing."""
    import keras

    return keras.ops.mean(keras.ops.relu(1 - y * z))


@hinge_classes.torch
def _(y, z):
    import torch

    return torch.relu(1 - torch.tensor(y) * torch.tensor(z)).mean()


@hinge_classes.torch.like("keras")
def _(y, z):
    """Map the classes to -1 and 1: `2 * y - 1`."""
    import torch

    return torch.relu(1 - (2 * torch.tensor(y) - 1) * torch.tensor(z)).mean()


hinge_embedding = Card(
    id="hinge-embedding",
    title="HingeEmbeddingLoss is no hinge loss",
    wrong=(
        "PyTorch has no hinge loss for two classes, and HingeEmbeddingLoss, which comes up in a search, is "
        "another thing: it takes a distance, and its loss is the distance itself where the class is 1, and "
        "what the distance falls short of the margin where the class is -1. As a hinge loss it trains "
        "towards the wrong sign, and has no lower bound."
    ),
    conventions={
        "numpy sklearn tensorflow keras": "ℓ = max(0, 1 - y·z)",
        "torch": "ℓ = z if y = 1 else max(0, 1 - z)",
    },
    given=signs,
    differs=0.3,
    defaults=("HingeEmbeddingLoss.margin",),
)


@hinge_embedding.numpy
def _(y, z):
    return np.maximum(0, 1 - y * z).mean()


@hinge_embedding.numpy.like("torch")
def _(y, z):
    """Take z itself where the class is 1, and max(0, 1 - z) where it is -1."""
    return np.where(y == 1, z, np.maximum(0, 1 - z)).mean()


@hinge_embedding.sklearn
def _(y, z):
    from sklearn.metrics import hinge_loss

    return hinge_loss(y[:, 0], z[:, 0])


@hinge_embedding.sklearn.like("torch")
def _(y, z):
    """Take z itself where the class is 1, and the hinge loss of z as of class 1 where it is -1."""
    from sklearn.linear_model._sgd_fast import Hinge

    return np.mean([q if t == 1 else Hinge(1.0).py_loss(q, 1) for q, t in zip(z[:, 0], y[:, 0], strict=True)])


@hinge_embedding.tensorflow
def _(y, z):
    import tensorflow as tf

    return tf.reduce_mean(tf.nn.relu(1 - y * z))


@hinge_embedding.tensorflow.like("torch")
def _(y, z):
    """Take z itself where the class is 1, and max(0, 1 - z) where it is -1."""
    import tensorflow as tf

    return tf.reduce_mean(tf.where(y == 1, z, tf.nn.relu(1 - z)))


@hinge_embedding.keras
def _(y, z):
    import keras

    return keras.losses.Hinge()(y, z)


@hinge_embedding.keras.like("torch")
def _(y, z):
    """Take z itself where the class is 1, and max(0, 1 - z) where it is -1."""
    import keras

    return keras.ops.mean(keras.ops.where(y == 1, z, keras.ops.relu(1 - z)))


@hinge_embedding.torch
def _(y, z):
    import torch
    import torch.nn.functional as F

    return F.hinge_embedding_loss(torch.tensor(z), torch.tensor(y))


@hinge_embedding.torch.like("keras")
def _(y, z):
    """Write the hinge loss by hand: `torch.relu(1 - y * z)`."""
    import torch

    return torch.relu(1 - torch.tensor(y) * torch.tensor(z)).mean()


multiclass_hinge = Card(
    id="multiclass-hinge",
    title="Hinge loss of several classes: the worst other class, or all",
    wrong=(
        "Scikit-learn charges the strongest other class, PyTorch's MultiMarginLoss all of them, divided by "
        "the number of classes. Keras's CategoricalHinge charges the strongest other class too, but as if "
        "there were one more, whose score is always 0: it asks that the true class be above 1, and not only "
        "above the others. That shows only where all other scores are negative."
    ),
    conventions={
        "numpy sklearn": "ℓ = max(0, 1 - z_y + maxⱼ zⱼ),  j ≠ y",
        "keras": "ℓ = max(0, 1 - z_y + max(0, maxⱼ zⱼ)),  j ≠ y",
        "torch": "ℓ = Σⱼ max(0, 1 - z_y + zⱼ) / K,  j ≠ y",
    },
    given=scores,
    differs=0.2,
    absent={"tensorflow": "TensorFlow has none outside Keras"},
    defaults=("MultiMarginLoss.margin",),
)


@multiclass_hinge.numpy
def _(y, z):
    other = np.where(np.eye(3)[y] == 1, -np.inf, z).max(axis=1)
    return np.maximum(0, 1 - z[np.arange(5), y] + other).mean()


@multiclass_hinge.numpy.like("keras")
def _(y, z):
    """Let another class have a score of 0."""
    other = np.where(np.eye(3)[y] == 1, 0, z).max(axis=1)
    return np.maximum(0, 1 - z[np.arange(5), y] + other).mean()


@multiclass_hinge.numpy.like("torch")
def _(y, z):
    """Sum over the other classes, and divide by the number of all."""
    losses = np.maximum(0, 1 - z[np.arange(5), y][:, None] + z)
    return np.where(np.eye(3)[y] == 1, 0, losses).sum(axis=1).mean() / 3


@multiclass_hinge.sklearn
def _(y, z):
    from sklearn.metrics import hinge_loss

    return hinge_loss(y, z)


@multiclass_hinge.sklearn.like("keras")
def _(y, z):
    """Raise negative scores of the other classes to 0."""
    from sklearn.metrics import hinge_loss

    return hinge_loss(y, np.where(np.eye(3)[y] == 1, z, np.maximum(0, z)))


@multiclass_hinge.sklearn.like("torch")
def _(y, z):
    """Sum the two-class losses of all margins z_y - z, take off the 1 of the true class, divide by K."""
    from sklearn.linear_model._sgd_fast import Hinge

    margins = z[np.arange(5), y][:, None] - z
    return np.mean([sum(Hinge(1.0).py_loss(margin, 1) for margin in row) - 1 for row in margins]) / 3


@multiclass_hinge.keras
def _(y, z):
    import keras

    return keras.losses.CategoricalHinge()(np.eye(3)[y], z)


@multiclass_hinge.keras.like("numpy")
def _(y, z):
    """Write it by hand, with the true class masked by -∞ and not by 0."""
    import keras

    other = keras.ops.max(keras.ops.where(np.eye(3)[y] == 1, -np.inf, z), axis=1)
    return keras.ops.mean(keras.ops.relu(1 - z[np.arange(5), y] + other))


@multiclass_hinge.keras.like("torch")
def _(y, z):
    """Sum over the other classes, and divide by the number of all."""
    import keras

    losses = keras.ops.relu(1 - z[np.arange(5), y][:, None] + z)
    return keras.ops.mean(keras.ops.where(np.eye(3)[y] == 1, 0, losses))


@multiclass_hinge.torch
def _(y, z):
    import torch
    import torch.nn.functional as F

    return F.multi_margin_loss(torch.tensor(z), torch.tensor(y))


@multiclass_hinge.torch.like("numpy")
def _(y, z):
    """Write it by hand: mask the true class by -∞, and take the strongest other one."""
    import torch
    import torch.nn.functional as F

    y, z = torch.tensor(y), torch.tensor(z)
    other = z.masked_fill(F.one_hot(y, 3) == 1, -torch.inf).amax(dim=1)
    return torch.relu(1 - z[torch.arange(5), y] + other).mean()


@multiclass_hinge.torch.like("keras")
def _(y, z):
    """Write it by hand: mask the true class by 0, and take the strongest."""
    import torch
    import torch.nn.functional as F

    y, z = torch.tensor(y), torch.tensor(z)
    other = z.masked_fill(F.one_hot(y, 3) == 1, 0).amax(dim=1)
    return torch.relu(1 - z[torch.arange(5), y] + other).mean()


cosine = Card(
    id="cosine-similarity",
    title="Cosine similarity: its sign as a loss",
    wrong=(
        "Keras's CosineSimilarity is a loss, and returns the negative similarity. The functions of that "
        "name in PyTorch return the similarity itself, which descent would make as small as it can. "
        "Scikit-learn's distance is one minus it, and so, but for a tiny number in its roots, is PyTorch's "
        "CosineEmbeddingLoss: the same gradient as in Keras, and another value."
    ),
    conventions={
        "numpy tensorflow torch": "L = Σ cos(y, p) / N",
        "sklearn": "L = Σ (1 - cos(y, p)) / N",
        "keras": "L = -Σ cos(y, p) / N",
    },
    given=directions,
    differs=0.2,
    defaults=("CosineSimilarity.axis",),
    issues=("tensorflow/tensorflow#37896",),
)


@cosine.numpy
def _(y, p):
    return np.mean((y * p).sum(axis=1) / np.linalg.norm(y, axis=1) / np.linalg.norm(p, axis=1))


@cosine.numpy.like("keras")
def _(y, p):
    """Change the sign of the similarity."""
    return -np.mean((y * p).sum(axis=1) / np.linalg.norm(y, axis=1) / np.linalg.norm(p, axis=1))


@cosine.numpy.like("sklearn")
def _(y, p):
    """Subtract the similarity from one."""
    return 1 - np.mean((y * p).sum(axis=1) / np.linalg.norm(y, axis=1) / np.linalg.norm(p, axis=1))


@cosine.sklearn
def _(y, p):
    from sklearn.metrics.pairwise import paired_cosine_distances

    return paired_cosine_distances(y, p).mean()


@cosine.sklearn.like("torch")
def _(y, p):
    """Subtract the distance from one."""
    from sklearn.metrics.pairwise import paired_cosine_distances

    return 1 - paired_cosine_distances(y, p).mean()


@cosine.sklearn.like("keras")
def _(y, p):
    """Subtract one from the distance."""
    from sklearn.metrics.pairwise import paired_cosine_distances

    return paired_cosine_distances(y, p).mean() - 1


@cosine.tensorflow
def _(y, p):
    import tensorflow as tf

    y, p = tf.nn.l2_normalize(y, axis=1), tf.nn.l2_normalize(p, axis=1)
    return tf.reduce_mean(tf.reduce_sum(y * p, axis=1))


@cosine.tensorflow.like("keras")
def _(y, p):
    """Change the sign of the similarity."""
    import tensorflow as tf

    y, p = tf.nn.l2_normalize(y, axis=1), tf.nn.l2_normalize(p, axis=1)
    return -tf.reduce_mean(tf.reduce_sum(y * p, axis=1))


@cosine.tensorflow.like("sklearn")
def _(y, p):
    """Subtract the similarity from one."""
    import tensorflow as tf

    y, p = tf.nn.l2_normalize(y, axis=1), tf.nn.l2_normalize(p, axis=1)
    return 1 - tf.reduce_mean(tf.reduce_sum(y * p, axis=1))


@cosine.keras
def _(y, p):
    import keras

    return keras.losses.CosineSimilarity()(y, p)


@cosine.keras.like("torch")
def _(y, p):
    """Change the sign of the loss."""
    import keras

    return -keras.losses.CosineSimilarity()(y, p)


@cosine.keras.like("sklearn")
def _(y, p):
    """Add one to the loss."""
    import keras

    return 1 + keras.losses.CosineSimilarity()(y, p)


@cosine.torch
def _(y, p):
    import torch
    import torch.nn.functional as F

    return F.cosine_similarity(torch.tensor(y), torch.tensor(p)).mean()


@cosine.torch.like("keras")
def _(y, p):
    """Change the sign of the similarity."""
    import torch
    import torch.nn.functional as F

    return -F.cosine_similarity(torch.tensor(y), torch.tensor(p)).mean()


@cosine.torch.like("sklearn")
def _(y, p):
    """Subtract the similarity from one."""
    import torch
    import torch.nn.functional as F

    return 1 - F.cosine_similarity(torch.tensor(y), torch.tensor(p)).mean()


poisson = Card(
    id="poisson",
    title="Poisson loss: of the rate or of its logarithm",
    wrong=(
        "Keras's Poisson loss takes the predicted rate, and adds ε before the logarithm. TensorFlow's "
        "function takes the logarithm of the rate, and so does PyTorch's unless told otherwise; the ε that "
        "it adds in the other case is smaller. Scikit-learn's deviance takes the rate, is twice as large, "
        "and is 0 for a perfect prediction, by terms that do not depend on it."
    ),
    conventions={
        "numpy tensorflow torch": "ℓ = eˣ - y·x",
        "sklearn": "ℓ = 2(y·log(y/x) - y + x)",
        "keras": "ℓ = x - y·log(x + ε)",
    },
    given=counts,
    differs=0.2,
    defaults=("PoissonNLLLoss.log_input", "PoissonNLLLoss.eps"),
)


@poisson.numpy
def _(y, x):
    return np.mean(np.exp(x) - y * x)


@poisson.numpy.like("keras")
def _(y, x):
    """Take the prediction for the rate, and add ε before its logarithm."""
    return np.mean(x - y * np.log(x + 1e-7))


@poisson.numpy.like("sklearn")
def _(y, x):
    """Take the prediction for the rate, subtract the least possible loss, and double."""
    return 2 * np.mean(y * np.log(y / x) - y + x)


@poisson.sklearn
def _(y, x):
    from sklearn.metrics import mean_poisson_deviance

    return mean_poisson_deviance(y, x)


@poisson.sklearn.like("torch")
def _(y, x):
    """Take `HalfPoissonLoss`, which its models train: half a deviance of logarithms, less a constant."""
    from sklearn._loss import HalfPoissonLoss

    return np.mean(HalfPoissonLoss().loss(y_true=y, raw_prediction=x))


@poisson.sklearn.like("keras")
def _(y, x):
    """Take `HalfPoissonLoss` of the logarithm of the rate plus ε, and subtract ε."""
    from sklearn._loss import HalfPoissonLoss

    return np.mean(HalfPoissonLoss().loss(y_true=y, raw_prediction=np.log(x + 1e-7)) - 1e-7)


@poisson.tensorflow
def _(y, x):
    import tensorflow as tf

    return tf.reduce_mean(tf.nn.log_poisson_loss(y, x))


@poisson.tensorflow.like("keras")
def _(y, x):
    """Take the prediction for the rate, and add ε before its logarithm."""
    import tensorflow as tf

    return tf.reduce_mean(x - y * tf.math.log(x + 1e-7))


@poisson.tensorflow.like("sklearn")
def _(y, x):
    """Take the prediction for the rate, subtract the least possible loss, and double."""
    import tensorflow as tf

    return 2 * tf.reduce_mean(y * tf.math.log(y / x) - y + x)


@poisson.keras
def _(y, x):
    import keras

    return keras.losses.Poisson()(y, x)


@poisson.keras.like("torch")
def _(y, x):
    """Write it by hand: exp(x) - y·x."""
    import keras

    return keras.ops.mean(keras.ops.exp(x) - y * x)


@poisson.keras.like("sklearn")
def _(y, x):
    """Set Keras's ε to zero, subtract the loss of a perfect prediction, and double the rest."""
    import keras

    keras.config.set_epsilon(0.0)
    return 2 * (keras.losses.Poisson()(y, x) - keras.losses.Poisson()(y, y))


@poisson.torch
def _(y, x):
    import torch
    import torch.nn.functional as F

    return F.poisson_nll_loss(torch.tensor(x), torch.tensor(y))


@poisson.torch.like("keras")
def _(y, x):
    """Pass `log_input=False`, and Keras's ε as `eps`."""
    import torch
    import torch.nn.functional as F

    return F.poisson_nll_loss(torch.tensor(x), torch.tensor(y), log_input=False, eps=1e-7)


@poisson.torch.like("sklearn")
def _(y, x):
    """Pass `log_input=False` and `eps=0`, subtract the loss of a perfect prediction, and double."""
    import torch
    import torch.nn.functional as F

    x, y = torch.tensor(x), torch.tensor(y)
    losses = [F.poisson_nll_loss(rate, y, log_input=False, eps=0) for rate in (x, y)]
    return 2 * (losses[0] - losses[1])


percentage_error = Card(
    id="percentage-error",
    title="Percentage error: of a hundred or of one, and targets near 0",
    wrong=(
        "Keras's loss is in per cent, scikit-learn's metric is a fraction. Keras divides by no less than "
        "its ε, scikit-learn by no less than the machine epsilon, and by hand one divides by the target as "
        "it is. A single target at or near 0 decides over the whole mean, and each does so differently."
    ),
    conventions={
        "numpy tensorflow torch": "L = 100 · Σ |(y-p) / y| / N",
        "sklearn": "L = Σ |y-p| / max(|y|, eps(dtype)) / N",
        "keras": "L = 100 · Σ |y-p| / max(|y|, ε) / N",
    },
    given=small_target,
    differs=0.3,
)


@percentage_error.numpy
def _(y, p):
    return 100 * np.mean(np.abs((y - p) / y))


@percentage_error.numpy.like("keras")
def _(y, p):
    """Divide the errors by the targets, but by no less than Keras's ε."""
    return 100 * np.mean(np.abs(y - p) / np.maximum(np.abs(y), 1e-7))


@percentage_error.numpy.like("sklearn")
def _(y, p):
    """Divide by the targets, but by no less than the dtype's ε, and leave out the hundred."""
    return np.mean(np.abs(y - p) / np.maximum(np.abs(y), np.finfo(y.dtype).eps))


@percentage_error.sklearn
def _(y, p):
    from sklearn.metrics import mean_absolute_percentage_error

    return mean_absolute_percentage_error(y, p)


@percentage_error.sklearn.like("torch")
def _(y, p):
    """Multiply by a hundred, as long as no target is 0."""
    from sklearn.metrics import mean_absolute_percentage_error

    return 100 * mean_absolute_percentage_error(y, p)


@percentage_error.sklearn.like("keras")
def _(y, p):
    """Weight absolute errors by one over the targets, but over no less than Keras's ε, times a hundred."""
    from sklearn.metrics import mean_absolute_error

    w = 1 / np.maximum(np.abs(y), 1e-7)
    return 100 * mean_absolute_error(y, p, sample_weight=w) * w.mean()


@percentage_error.tensorflow
def _(y, p):
    import tensorflow as tf

    return 100 * tf.reduce_mean(tf.abs((y - p) / y))


@percentage_error.tensorflow.like("keras")
def _(y, p):
    """Divide the errors by the targets, but by no less than Keras's ε."""
    import tensorflow as tf

    return 100 * tf.reduce_mean(tf.abs(y - p) / tf.maximum(tf.abs(y), 1e-7))


@percentage_error.tensorflow.like("sklearn")
def _(y, p):
    """Divide by the targets, but by no less than the dtype's ε, and leave out the hundred."""
    import tensorflow as tf

    return tf.reduce_mean(tf.abs(y - p) / tf.maximum(tf.abs(y), np.finfo(y.dtype).eps))


@percentage_error.keras
def _(y, p):
    import keras

    return keras.losses.MeanAbsolutePercentageError()(y, p)


@percentage_error.keras.like("torch")
def _(y, p):
    """Call `keras.config.set_epsilon(0.0)`, which holds for all of Keras."""
    import keras

    keras.config.set_epsilon(0.0)
    return keras.losses.MeanAbsolutePercentageError()(y, p)


@percentage_error.keras.like("sklearn")
def _(y, p):
    """Call `keras.config.set_epsilon` with the ε of the dtype, for all of Keras; divide by a hundred."""
    import keras

    keras.config.set_epsilon(np.finfo(y.dtype).eps)
    return keras.losses.MeanAbsolutePercentageError()(y, p) / 100


@percentage_error.torch
def _(y, p):
    import torch

    y, p = torch.tensor(y), torch.tensor(p)
    return 100 * ((y - p) / y).abs().mean()


@percentage_error.torch.like("keras")
def _(y, p):
    """Divide the errors by the targets, but by no less than Keras's ε."""
    import torch

    y, p = torch.tensor(y), torch.tensor(p)
    return 100 * ((y - p).abs() / y.abs().clamp(min=1e-7)).mean()


@percentage_error.torch.like("sklearn")
def _(y, p):
    """Divide by the targets, but by no less than the dtype's ε, and leave out the hundred."""
    import torch

    y, p = torch.tensor(y), torch.tensor(p)
    return ((y - p).abs() / y.abs().clamp(min=torch.finfo(y.dtype).eps)).mean()


logarithmic_error = Card(
    id="squared-logarithmic-error",
    title="Squared logarithmic error: negative predictions",
    wrong=(
        "The logarithm of one plus a prediction exists down to -1. Keras raises negative predictions to its "
        "ε first: their loss does not grow as they fall, and they have no gradient. A prediction that "
        "starts below 0 stays there."
    ),
    conventions={
        "numpy sklearn tensorflow torch": "ℓ = (log(1+p) - log(1+y))²",
        "keras": "ℓ = (log(1 + max(p, ε)) - log(1 + max(y, ε)))²",
    },
    given=half_negative,
    differs=0.2,
)


@logarithmic_error.numpy
def _(y, p):
    return np.mean((np.log1p(p) - np.log1p(y)) ** 2)


@logarithmic_error.numpy.like("keras")
def _(y, p):
    """Raise targets and predictions to Keras's ε."""
    y, p = np.maximum(y, 1e-7), np.maximum(p, 1e-7)
    return np.mean((np.log1p(p) - np.log1p(y)) ** 2)


@logarithmic_error.sklearn
def _(y, p):
    from sklearn.metrics import mean_squared_log_error

    return mean_squared_log_error(y, p)


@logarithmic_error.sklearn.like("keras")
def _(y, p):
    """Raise targets and predictions to Keras's ε."""
    from sklearn.metrics import mean_squared_log_error

    return mean_squared_log_error(np.maximum(y, 1e-7), np.maximum(p, 1e-7))


@logarithmic_error.tensorflow
def _(y, p):
    import tensorflow as tf

    return tf.reduce_mean(tf.square(tf.math.log1p(p) - tf.math.log1p(y)))


@logarithmic_error.tensorflow.like("keras")
def _(y, p):
    """Raise targets and predictions to Keras's ε."""
    import tensorflow as tf

    y, p = tf.maximum(y, 1e-7), tf.maximum(p, 1e-7)
    return tf.reduce_mean(tf.square(tf.math.log1p(p) - tf.math.log1p(y)))


@logarithmic_error.keras
def _(y, p):
    import keras

    return keras.losses.MeanSquaredLogarithmicError()(y, p)


@logarithmic_error.keras.like("torch")
def _(y, p):
    """Take MeanSquaredError of the logarithms, `keras.ops.log1p`."""
    import keras

    return keras.losses.MeanSquaredError()(keras.ops.log1p(y), keras.ops.log1p(p))


@logarithmic_error.torch
def _(y, p):
    import torch
    import torch.nn.functional as F

    return F.mse_loss(torch.tensor(p).log1p(), torch.tensor(y).log1p())


@logarithmic_error.torch.like("keras")
def _(y, p):
    """Raise targets and predictions to Keras's ε."""
    import torch
    import torch.nn.functional as F

    y, p = torch.tensor(y).clamp(min=1e-7), torch.tensor(p).clamp(min=1e-7)
    return F.mse_loss(p.log1p(), y.log1p())


log_cosh = Card(
    id="log-cosh",
    title="log cosh: written as it is read, it overflows",
    wrong=(
        "cosh grows as the exponential does, so the logarithm of it is infinite for large errors, sooner in "
        "float32, and the gradient NaN. Keras rearranges the formula, and has no such limit. It subtracts a "
        "log 2 that is rounded to float32, also in float64, which matters only when comparing."
    ),
    conventions={
        "numpy tensorflow torch": "ℓ = log(cosh(e))",
        "keras": "ℓ = e + log(1 + e⁻²ᵉ) - log 2",
    },
    given=outlier,
    differs=1.0,
    absent={"sklearn": "scikit-learn has no such loss"},
    faults=("log-cosh-naive",),
)


@log_cosh.numpy
def _(y, p):
    return np.log(np.cosh(p - y))


@log_cosh.numpy.like("keras")
def _(y, p):
    """Write it as e + softplus(-2e) - log 2; to agree in all digits, with log 2 in float32."""
    return p - y + np.logaddexp(0, -2 * (p - y)) - np.log(np.float32(2))


@log_cosh.tensorflow
def _(y, p):
    import tensorflow as tf

    return tf.math.log(tf.math.cosh(p - y))


@log_cosh.tensorflow.like("keras")
def _(y, p):
    """Write it as e + softplus(-2e) - log 2; to agree in all digits, with log 2 in float32."""
    import tensorflow as tf

    return p - y + tf.math.softplus(-2 * (p - y)) - np.log(np.float32(2))


@log_cosh.keras
def _(y, p):
    import keras

    return keras.losses.log_cosh(y[:, None], p[:, None])


@log_cosh.keras.like("torch")
def _(y, p):
    """Write it as it is read: `log(cosh(e))`."""
    import keras

    return keras.ops.log(keras.ops.cosh(p - y))


@log_cosh.torch
def _(y, p):
    import torch

    return torch.log(torch.cosh(torch.tensor(p - y)))


@log_cosh.torch.like("keras")
def _(y, p):
    """Write it as e + softplus(-2e) - log 2, with a softplus `threshold` that is never reached."""
    import torch
    import torch.nn.functional as F

    e = torch.tensor(p - y)
    return e + F.softplus(-2 * e, threshold=1000) - np.log(np.float32(2))


epoch_loss = Card(
    id="epoch-loss",
    title="The loss of an epoch, when the last batch is short",
    wrong=(
        "Keras and scikit-learn weight a batch's loss by its rows, so an epoch's loss is the mean over its "
        "rows. A loop that adds up the losses of batches and divides by their number gives the rows of a "
        "short last batch more weight. The training is the same; what is logged, and what stops training "
        "or picks a model by it, is not. Where the batch size divides the rows, both agree."
    ),
    conventions={
        "numpy sklearn keras": "L = Σ_b N_b·L_b / N",
        "tensorflow torch": "L = Σ_b L_b / B",
    },
    given=ten_rows,
    differs=0.1,
)


@epoch_loss.numpy
def _(y, p):
    batches = range(0, len(y), 4)
    losses = [np.mean((p[i : i + 4] - y[i : i + 4]) ** 2) for i in batches]
    return np.average(losses, weights=[len(y[i : i + 4]) for i in batches])


@epoch_loss.numpy.like("torch")
def _(y, p):
    """Take the plain mean of the batches' losses."""
    batches = range(0, len(y), 4)
    losses = [np.mean((p[i : i + 4] - y[i : i + 4]) ** 2) for i in batches]
    return np.mean(losses)


@epoch_loss.sklearn
def _(y, p):
    from sklearn.neural_network import MLPRegressor

    options = {"learning_rate_init": 1e-300, "alpha": 0, "batch_size": 4, "shuffle": False}
    model = MLPRegressor(hidden_layer_sizes=(), solver="sgd", **options)
    model.partial_fit(p, y[:, 0])
    model.coefs_, model.intercepts_ = [np.ones((1, 1))], [np.zeros(1)]
    return 2 * model.partial_fit(p, y[:, 0]).loss_  # it halves squared errors


@epoch_loss.sklearn.like("torch")
def _(y, p):
    """Compute the loss of each batch by hand, and take their plain mean."""
    from sklearn.metrics import mean_squared_error

    return np.mean([mean_squared_error(y[i : i + 4], p[i : i + 4]) for i in range(0, len(y), 4)])


@epoch_loss.tensorflow
def _(y, p):
    import tensorflow as tf

    data = tf.data.Dataset.from_tensor_slices((y, p)).batch(4)
    losses = [tf.reduce_mean(tf.square(prediction - target)) for target, prediction in data]
    return tf.reduce_mean(losses)


@epoch_loss.tensorflow.like("keras")
def _(y, p):
    """Multiply each batch's loss by its rows, and divide the sum by the number of all rows."""
    import tensorflow as tf

    data = tf.data.Dataset.from_tensor_slices((y, p)).batch(4)
    losses = [tf.reduce_mean(tf.square(prediction - target)) * len(target) for target, prediction in data]
    return tf.reduce_sum(losses) / len(y)


@epoch_loss.keras
def _(y, p):
    import keras

    model = keras.Sequential([keras.Input((1,)), keras.layers.Identity()])
    model.compile(loss="mse", run_eagerly=True)
    return model.evaluate(p, y, batch_size=4, verbose=0)


@epoch_loss.keras.like("torch")
def _(y, p):
    """Compute the loss of each batch by hand, and take their plain mean."""
    import keras

    loss = keras.losses.MeanSquaredError()
    return np.mean([loss(y[i : i + 4], p[i : i + 4]) for i in range(0, len(y), 4)])


@epoch_loss.torch
def _(y, p):
    import torch
    import torch.nn.functional as F
    from torch.utils.data import DataLoader, TensorDataset

    loader = DataLoader(TensorDataset(torch.tensor(p), torch.tensor(y)), batch_size=4)
    total = sum(F.mse_loss(prediction, target).item() for prediction, target in loader)
    return total / len(loader)


@epoch_loss.torch.like("keras")
def _(y, p):
    """Multiply each batch's loss by its rows, and divide the sum by the number of all rows."""
    import torch
    import torch.nn.functional as F
    from torch.utils.data import DataLoader, TensorDataset

    loader = DataLoader(TensorDataset(torch.tensor(p), torch.tensor(y)), batch_size=4)
    total = sum(F.mse_loss(prediction, target).item() * len(target) for prediction, target in loader)
    return total / len(y)


ctc = Card(
    id="ctc-mean",
    title="CTC loss: divided by the length of the target",
    wrong=(
        "PyTorch divides the loss of each sequence by the length of its target before it averages; Keras "
        "averages the losses as they are, and TensorFlow returns them. Long targets weigh less in PyTorch, "
        "so no learning rate makes up for it. PyTorch also wants log-probabilities, and time on the first "
        "axis. The blank is class 0 here, which Keras also takes for padding."
    ),
    conventions={
        "tensorflow keras": "L = Σᵢ ℓᵢ / N",
        "torch": "L = Σᵢ ℓᵢ/lengthᵢ / N",
    },
    given=transcripts,
    differs=0.2,
    absent={
        "numpy": "the recursion is too long for a snippet",
        "sklearn": "scikit-learn has no sequences",
    },
    defaults=("CTCLoss.blank", "CTCLoss.reduction"),
    issues=("pytorch/pytorch#19838", "pytorch/pytorch#69016"),
    dtype="float32",  # of TensorFlow's kernel
)


@ctc.tensorflow
def _(y, z):
    import tensorflow as tf

    z, lengths = tf.cast(z, tf.float32), np.count_nonzero(y, axis=1)
    options = {"logits_time_major": False, "blank_index": 0}
    return tf.reduce_mean(tf.nn.ctc_loss(y, z, lengths, [6, 6], **options))


@ctc.tensorflow.like("torch")
def _(y, z):
    """Divide the loss of each sequence by the length of its target before the mean."""
    import tensorflow as tf

    z, lengths = tf.cast(z, tf.float32), np.count_nonzero(y, axis=1)
    options = {"logits_time_major": False, "blank_index": 0}
    return tf.reduce_mean(tf.nn.ctc_loss(y, z, lengths, [6, 6], **options) / lengths)


@ctc.keras
def _(y, z):
    import keras

    return keras.losses.CTC()(y, z)


@ctc.keras.like("torch")
def _(y, z):
    """Divide the loss of each sequence by the length of its target before the mean."""
    import keras

    return keras.ops.mean(keras.losses.ctc(y, z) / np.count_nonzero(y, axis=1))


@ctc.torch
def _(y, z):
    import torch
    import torch.nn.functional as F

    log_p = torch.tensor(z).log_softmax(dim=2).transpose(0, 1)
    lengths = torch.tensor(y).count_nonzero(dim=1)
    return F.ctc_loss(log_p, torch.tensor(y), torch.tensor([6, 6]), lengths)


@ctc.torch.like("keras")
def _(y, z):
    """Pass `reduction="none"`, and take the mean."""
    import torch
    import torch.nn.functional as F

    log_p = torch.tensor(z).log_softmax(dim=2).transpose(0, 1)
    lengths = torch.tensor(y).count_nonzero(dim=1)
    return F.ctc_loss(log_p, torch.tensor(y), torch.tensor([6, 6]), lengths, reduction="none").mean()


squared_hinge = Card(
    id="squared-hinge",
    title="Squared hinge loss: no half",
    wrong=(
        "Nothing, once the classes are -1 and 1: no framework halves the square, as some textbooks on "
        "support vector machines do, and all take the mean."
    ),
    conventions={"numpy sklearn tensorflow keras torch": "ℓ = max(0, 1 - y·z)²"},
    given=signs,
)


@squared_hinge.numpy
def _(y, z):
    return np.mean(np.maximum(0, 1 - y * z) ** 2)


@squared_hinge.sklearn
def _(y, z):
    from sklearn.linear_model._sgd_fast import SquaredHinge

    return np.mean([SquaredHinge(1.0).py_loss(*row) for row in zip(z[:, 0], y[:, 0], strict=True)])


@squared_hinge.tensorflow
def _(y, z):
    import tensorflow as tf

    return tf.reduce_mean(tf.square(tf.nn.relu(1 - y * z)))


@squared_hinge.keras
def _(y, z):
    import keras

    return keras.losses.SquaredHinge()(y, z)


@squared_hinge.torch
def _(y, z):
    import torch

    return torch.relu(1 - torch.tensor(y) * torch.tensor(z)).square().mean()
