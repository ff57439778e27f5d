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
    differs=0.1,
    defaults=("SparseCategoricalCrossentropy.from_logits",),
    faults=("softmax-twice", "loss-from-probabilities"),
)


@logits_or_probabilities.numpy
def _(y, p):
    return -np.log(p[np.arange(5), y]).mean()


@logits_or_probabilities.numpy.like("torch")
def _(y, p):
    """Apply a softmax to what is taken for logits."""
    q = np.exp(p) / np.exp(p).sum(axis=1, keepdims=True)
    return -np.log(q[np.arange(5), y]).mean()


@logits_or_probabilities.sklearn
def _(y, p):
    from sklearn.metrics import log_loss

    return log_loss(y, p)


@logits_or_probabilities.sklearn.like("torch")
def _(y, p):
    """Apply a softmax to what is taken for logits."""
    from scipy.special import softmax
    from sklearn.metrics import log_loss

    return log_loss(y, softmax(p, axis=1))


@logits_or_probabilities.tensorflow
def _(y, p):
    import tensorflow as tf

    return tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(y, p))


@logits_or_probabilities.tensorflow.like("keras")
def _(y, p):
    """Hand over logits: leave out the softmax, or take the logarithm of what comes out of it."""
    import tensorflow as tf

    return tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(y, tf.math.log(p)))


@logits_or_probabilities.keras
def _(y, p):
    import keras

    return keras.losses.SparseCategoricalCrossentropy()(y, p)


@logits_or_probabilities.keras.like("torch")
def _(y, p):
    """Say `from_logits=True`."""
    import keras

    return keras.losses.SparseCategoricalCrossentropy(from_logits=True)(y, p)


@logits_or_probabilities.torch
def _(y, p):
    import torch
    import torch.nn.functional as F

    return F.cross_entropy(torch.tensor(p), torch.tensor(y))


@logits_or_probabilities.torch.like("keras")
def _(y, p):
    """Hand over logits: leave out the softmax, or take `nll_loss` of the logarithm of what comes out."""
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
    differs=0.1,
    issues=("tensorflow/tensorflow#56599", "scikit-learn/scikit-learn#8349"),
    faults=("squared-not-halved", "all-summed", "data-summed", "gradient-doubled", "gradient-halved"),
)


@squared_error.numpy
def _(y, p):
    return p - y


@squared_error.numpy.like("sklearn")
def _(y, p):
    """Divide by the rows."""
    return (p - y) / len(y)


@squared_error.numpy.like("keras")
def _(y, p):
    """Divide by the number of elements, and leave out the half."""
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
    """Multiply the learning rate by the number of rows."""
    from sklearn.neural_network import MLPRegressor

    x, rate = np.eye(len(y)), len(y)
    model = MLPRegressor(hidden_layer_sizes=(), solver="sgd", learning_rate_init=rate, momentum=0, alpha=0)
    model.partial_fit(x, y)
    model.coefs_, model.intercepts_ = [p.copy()], [np.zeros(3)]
    model.partial_fit(x, y)
    return p - model.coefs_[0]


@squared_error.sklearn.like("keras")
def _(y, p):
    """Multiply the learning rate by two, and divide it by the number of outputs."""
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
    """Divide by the rows."""
    import tensorflow as tf

    p = tf.Variable(p)
    with tf.GradientTape() as tape:
        loss = tf.nn.l2_loss(p - y) / len(y)
    return tape.gradient(loss, p)


@squared_error.tensorflow.like("keras")
def _(y, p):
    """Take the mean of the squares."""
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
    """Multiply by half the number of outputs."""
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
    """Sum the squares, and halve them."""
    import torch
    import torch.nn.functional as F

    p = torch.tensor(p, requires_grad=True)
    loss = F.mse_loss(p, torch.tensor(y), reduction="sum") / 2
    loss.backward()
    return p.grad


@squared_error.torch.like("sklearn")
def _(y, p):
    """Multiply by half the number of outputs."""
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
        "sum, where PyTorch's `backward` would refuse them. The gradient then is as many times too large as "
        "the batch has rows. The mean in the log looks right, and so does training with Adam."
    ),
    conventions={
        "numpy sklearn keras torch": "∂L/∂z = (softmax(z) - onehot(y)) / N",
        "tensorflow": "∂L/∂z = softmax(z) - onehot(y)",
    },
    given=logits,
    differs=0.3,
    faults=("gradient-summed", "gradient-data-summed", "loss-summed"),
)


@loss_per_row.numpy
def _(y, z):
    p = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
    return (p - np.eye(3)[y]) / len(y)


@loss_per_row.numpy.like("tensorflow")
def _(y, z):
    """Do not divide by the rows."""
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
    """Multiply the learning rate by the number of rows."""
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
    """Take the mean before the gradient."""
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
    """Reduce by the sum, or take the function, which does not reduce."""
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
    """Reduce by the sum."""
    import torch
    import torch.nn.functional as F

    z = torch.tensor(z, requires_grad=True)
    loss = F.cross_entropy(z, torch.tensor(y), reduction="sum")
    loss.backward()
    return z.grad


targets_shape = Card(
    id="targets-shape",
    title="Targets (N,) and predictions (N, 1)",
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
    """Make the targets a column."""
    return np.mean((p - y[:, np.newaxis]) ** 2)


@targets_shape.sklearn
def _(y, p):
    from sklearn.metrics import mean_squared_error

    return mean_squared_error(y, p)


@targets_shape.sklearn.like("torch")
def _(y, p):
    """Write out all pairs."""
    from sklearn.metrics import mean_squared_error

    p, y = np.broadcast_arrays(p, y)
    return mean_squared_error(y, p)


@targets_shape.tensorflow
def _(y, p):
    import tensorflow as tf

    return tf.reduce_mean(tf.square(p - tf.constant(y)))


@targets_shape.tensorflow.like("keras")
def _(y, p):
    """Make the targets a column."""
    import tensorflow as tf

    return tf.reduce_mean(tf.square(p - tf.constant(y)[:, tf.newaxis]))


@targets_shape.keras
def _(y, p):
    import keras

    return keras.losses.MeanSquaredError()(y, p)


@targets_shape.keras.like("torch")
def _(y, p):
    """Write out all pairs."""
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
    """Make the targets a column."""
    import torch
    import torch.nn.functional as F

    return F.mse_loss(torch.tensor(p), torch.tensor(y).unsqueeze(1))


label_sum = Card(
    id="multilabel-sum",
    title="Several labels: binary cross-entropy summed or averaged over outputs",
    wrong=(
        "A row has a loss for each of its labels. Scikit-learn adds them up, as the likelihood of "
        "independent labels does; Keras, PyTorch and the usual mean in TensorFlow average over them as well "
        "as over the rows. The gradient differs by the number of outputs, and with one output not at all."
    ),
    conventions={
        "numpy sklearn": "L = Σᵢ Σₖ BCEᵢₖ / N",
        "tensorflow keras torch": "L = Σᵢ Σₖ BCEᵢₖ / (N·K)",
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
    """Divide by the number of elements, not of rows."""
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
    """Divide the learning rate by the number of outputs."""
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
    """Sum over the outputs, and take the mean of the rows."""
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
    """Multiply by the number of outputs."""
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
    """Sum over the outputs, and take the mean of the rows."""
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
    issues=("scikit-learn/scikit-learn#8349",),
    faults=("classes-averaged",),
)


@regressor_outputs.numpy
def _(y, p):
    loss, gradient = np.mean((p - y) ** 2) / 2, (p - y) / y.size
    return np.append(gradient, loss)


@regressor_outputs.numpy.like("sklearn")
def _(y, p):
    """Divide the gradient by the rows, and the loss by the number of elements."""
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
    """Divide the learning rate by the number of outputs."""
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
    """Differentiate the sum over outputs, and show their mean."""
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
    """Differentiate the sum over outputs, and show their mean."""
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
    """Differentiate the sum over outputs, and show their mean."""
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
    issues=("pytorch/pytorch#40560", "pytorch/pytorch#72047", "pytorch/pytorch#9882"),
    faults=("weights-per-row", "weights-ignored"),
)


@class_weights.numpy
def _(y, z, w):
    losses = np.log(np.exp(z).sum(axis=1)) - z[np.arange(5), y]
    return np.average(losses, weights=w[y])


@class_weights.numpy.like("keras")
def _(y, z, w):
    """Multiply by the weights, and take the mean of the rows."""
    losses = np.log(np.exp(z).sum(axis=1)) - z[np.arange(5), y]
    return np.mean(w[y] * losses)


@class_weights.sklearn
def _(y, z, w):
    from scipy.special import softmax
    from sklearn.metrics import log_loss

    return log_loss(y, softmax(z, axis=1), sample_weight=w[y])


@class_weights.sklearn.like("keras")
def _(y, z, w):
    """Multiply by the mean weight of the batch."""
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
    """Divide by the sum of the weights in the batch."""
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
    """Say `reduction="mean_with_sample_weight"`."""
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
    """Hand over the targets as one-hot rows: the mean then is that of the rows."""
    import torch
    import torch.nn.functional as F

    y, z, w = torch.tensor(y), torch.tensor(z), torch.tensor(w)
    return F.cross_entropy(z, F.one_hot(y, 3).double(), weight=w)


sample_weights = Card(
    id="sample-weights",
    title="Sample weights: divided by the rows or by the weights",
    wrong=(
        "With `sample_weight`, Keras multiplies each row's loss and divides by the number of rows; "
        "scikit-learn divides by the sum of the weights, in training and in metrics, as np.average does. "
        "PyTorch and TensorFlow have no such argument, and by hand one writes what Keras does. Weights that "
        "have a mean of one in every batch hide it."
    ),
    conventions={
        "numpy sklearn": "L = Σ wᵢ·(pᵢ-yᵢ)² / (2·Σ wᵢ),  ∂L/∂p = w·(p-y) / Σ w",
        "tensorflow keras torch": "L = Σ wᵢ·(pᵢ-yᵢ)² / (2·N),  ∂L/∂p = w·(p-y) / N",
    },
    given=weighted_rows,
    differs=0.05,
    faults=("weights-per-row", "weights-ignored"),
)


@sample_weights.numpy
def _(y, p, w):
    return w * (p - y) / w.sum()


@sample_weights.numpy.like("keras")
def _(y, p, w):
    """Divide by the number of rows."""
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
    """Multiply the learning rate by the mean weight of the batch."""
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
    """Divide by the sum of the weights in the batch."""
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
    """Say `reduction="mean_with_sample_weight"`."""
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
    """Divide by the sum of the weights in the batch."""
    import torch
    import torch.nn.functional as F

    y, p, w = torch.tensor(y), torch.tensor(p, requires_grad=True), torch.tensor(w)
    loss = (w * F.mse_loss(p, y, reduction="none")).sum() / w.sum() / 2
    loss.backward()
    return p.grad


flat_targets = Card(
    id="weights-of-flat-rows",
    title="Keras: sample weights on targets and predictions (N,)",
    wrong=(
        "A Keras loss averages over the last axis before it looks at the weights. Of predictions of shape "
        "(N,) that axis is the rows: what is left is one number, and all weights multiply it. No row is "
        "weighted more than another, and nothing fails. Without weights the value is right, and `fit` is "
        "not affected: it makes targets of shape (N,) columns. It bites in training loops written by hand."
    ),
    conventions={
        "numpy sklearn": "L = Σ wᵢ·(pᵢ-yᵢ)² / Σ wᵢ",
        "tensorflow torch": "L = Σ wᵢ·(pᵢ-yᵢ)² / N",
        "keras": "L = Σ wᵢ/N · Σ (pᵢ-yᵢ)²/N",
    },
    given=weighted_rows,
    differs=0.05,
    faults=("weights-ignored",),
)


@flat_targets.numpy
def _(y, p, w):
    return np.average((p - y) ** 2, weights=w)


@flat_targets.numpy.like("torch")
def _(y, p, w):
    """Multiply by the weights, and take the mean of the rows."""
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
    """Multiply by the mean weight."""
    from sklearn.metrics import mean_squared_error

    return mean_squared_error(y, p, sample_weight=w) * w.mean()


@flat_targets.sklearn.like("keras")
def _(y, p, w):
    """Leave the weights out, and multiply by their mean."""
    from sklearn.metrics import mean_squared_error

    return mean_squared_error(y, p) * w.mean()


@flat_targets.tensorflow
def _(y, p, w):
    import tensorflow as tf

    return tf.reduce_mean(w * tf.square(p - tf.constant(y)))


@flat_targets.tensorflow.like("sklearn")
def _(y, p, w):
    """Divide by the sum of the weights."""
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
    """Make targets and predictions columns."""
    import keras

    return keras.losses.MeanSquaredError()(y[:, None], p[:, None], sample_weight=w)


@flat_targets.keras.like("sklearn")
def _(y, p, w):
    """Make targets and predictions columns, and say `reduction="mean_with_sample_weight"`."""
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
    """Divide by the sum of the weights."""
    import torch
    import torch.nn.functional as F

    y, p, w = torch.tensor(y), torch.tensor(p), torch.tensor(w)
    return (w * F.mse_loss(p, y, reduction="none")).sum() / w.sum()


@flat_targets.torch.like("keras")
def _(y, p, w):
    """Multiply the mean weight by the mean loss."""
    import torch
    import torch.nn.functional as F

    y, p, w = torch.tensor(y), torch.tensor(p), torch.tensor(w)
    return w.mean() * F.mse_loss(p, y)
