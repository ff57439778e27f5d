"""Weight decay and penalties: what shrinks, by how much, and when."""

import numpy as np

from backends.base import Arrays
from guide import given
from guide.card import Card


def line() -> Arrays:
    """Five rows `x` (5, 3), targets `y` (5, 1), a kernel `w` (3, 1) and a bias `b` (1,)."""
    rng = np.random.default_rng(11)
    sizes = {"x": (5, 3), "y": (5, 1), "w": (3, 1), "b": (1,)}
    return {name: rng.standard_normal(size) for name, size in sizes.items()}


def kernel() -> Arrays:
    """A kernel `w` (6, 1), for batches of four rows."""
    return {"w": np.random.default_rng(12).standard_normal((6, 1))}


def two_classes() -> Arrays:
    """As `line`, with classes 0 and 1 for targets."""
    return line() | {"y": np.array([[0.0], [1.0], [1.0], [0.0], [1.0]])}


def sparse() -> Arrays:
    """Rows `x` (50, 4) and targets `y` (50,) that only two of the four columns explain."""
    rng = np.random.default_rng(13)
    x = rng.standard_normal((50, 4))
    return {"x": x, "y": x @ [1.0, -0.5, 0.0, 0.0] + 0.1 * rng.standard_normal(50)}


weight_decay = Card(
    id="weight-decay",
    title="SGD: the argument weight_decay, decoupled or coupled",
    wrong=(
        "The same argument means two things. PyTorch's SGD adds λ·w to the gradient, as the gradient of a "
        "penalty, and the momentum carries it on; Keras shrinks the parameters by η·λ beside the step. "
        "Without momentum both are the same; with it the coupled decay grows to 1/(1-μ) times as much, as "
        "the gradient does. Penalties in the loss, and scikit-learn's alpha, are coupled too."
    ),
    conventions={
        "numpy sklearn tensorflow torch": "u = μ·u + (g + λ·w),  w -= η·u",
        "keras": "w -= η·λ·w,  then u = μ·u + g,  w -= η·u",
    },
    given=given.descent,
    differs=0.4,
    defaults=("SGD.weight_decay",),
    issues=("pytorch/pytorch#38767",),
    faults=("penalty-decoupled", "weight-decay-coupled"),
)


@weight_decay.numpy
def _(start, gradients):
    w, u = start, 0.0
    for g in gradients:
        u = 0.9 * u + g + 0.1 * w
        w = w - 0.1 * u
        yield w


@weight_decay.numpy.like("keras")
def _(start, gradients):
    """Shrink the parameters by η·λ, and leave the gradient alone."""
    w, u = start, 0.0
    for g in gradients:
        u = 0.9 * u + g
        w = w - 0.1 * 0.1 * w - 0.1 * u
        yield w


@weight_decay.sklearn
def _(start, gradients):
    from sklearn.neural_network._stochastic_optimizers import SGDOptimizer

    optimizer = SGDOptimizer([start], 0.1, momentum=0.9, nesterov=False)
    for g in gradients:
        optimizer.update_params([start], [g + 0.1 * start])  # in place
        yield start


@weight_decay.sklearn.like("keras")
def _(start, gradients):
    """Set alpha to 0, and before each step shrink the parameters by η·λ."""
    from sklearn.neural_network._stochastic_optimizers import SGDOptimizer

    optimizer = SGDOptimizer([start], 0.1, momentum=0.9, nesterov=False)
    for g in gradients:
        start *= 1 - 0.1 * 0.1
        optimizer.update_params([start], [g])
        yield start


@weight_decay.tensorflow
def _(start, gradients):
    import tensorflow as tf

    w = tf.Variable(start)
    optimizer = tf.compat.v1.train.MomentumOptimizer(np.float64(0.1), np.float64(0.9))
    for g in gradients:
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(g * w) + 0.1 * tf.nn.l2_loss(w)
        optimizer.apply_gradients([(tape.gradient(loss, w), w)])
        yield w.numpy()


@weight_decay.tensorflow.like("keras")
def _(start, gradients):
    """Leave the penalty out, and before each step shrink the parameters by η·λ."""
    import tensorflow as tf

    w = tf.Variable(start)
    optimizer = tf.compat.v1.train.MomentumOptimizer(np.float64(0.1), np.float64(0.9))
    for g in gradients:
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(g * w)
        w.assign_sub(0.1 * 0.1 * w)
        optimizer.apply_gradients([(tape.gradient(loss, w), w)])
        yield w.numpy()


@weight_decay.keras
def _(start, gradients):
    import keras

    w = keras.Variable(start)
    f = np.float64
    optimizer = keras.optimizers.SGD(0.1, momentum=f(0.9), weight_decay=f(0.1))
    for g in gradients:
        optimizer.apply([g], [w])
        yield w.numpy()


@weight_decay.keras.like("torch")
def _(start, gradients):
    """Use regularizers L2(λ/2) in place of weight_decay, or add λ·w to the gradients yourself."""
    import keras

    w = keras.Variable(start)
    optimizer = keras.optimizers.SGD(0.1, momentum=np.float64(0.9))
    for g in gradients:
        optimizer.apply([g + 0.1 * w], [w])
        yield w.numpy()


@weight_decay.torch
def _(start, gradients):
    import torch

    w = torch.tensor(start)
    optimizer = torch.optim.SGD([w], lr=0.1, momentum=0.9, weight_decay=0.1)
    for g in gradients:
        w.grad = torch.tensor(g)
        optimizer.step()
        yield w.numpy()


@weight_decay.torch.like("keras")
def _(start, gradients):
    """Set weight_decay to 0, and before each step multiply the parameters by 1 - η·λ."""
    import torch

    w = torch.tensor(start)
    optimizer = torch.optim.SGD([w], lr=0.1, momentum=0.9)
    for g in gradients:
        w.grad = torch.tensor(g)
        w *= 1 - 0.1 * 0.1
        optimizer.step()
        yield w.numpy()


adam_weight_decay = Card(
    id="adam-weight-decay",
    title="Adam(weight_decay=…): AdamW in Keras, a penalty in PyTorch",
    wrong=(
        "With weight_decay, Keras's Adam is AdamW: it shrinks the parameters beside Adam's step. PyTorch's "
        "Adam adds λ·w to the gradient, so the decay goes through both moments and is divided by the root "
        "of the second: parameters with large gradients hardly decay at all. Scikit-learn's alpha and "
        "penalties in the loss behave like PyTorch's. The difference starts with the first step."
    ),
    conventions={
        "numpy sklearn tensorflow torch": "g += λ·w,  then Adam's m and v of g",
        "keras": "w -= η·λ·w,  then Adam's step of g alone",
    },
    given=given.descent,
    differs=0.3,
    defaults=("Adam.weight_decay", "AdamW.weight_decay"),
    issues=("pytorch/pytorch#38767", "pytorch/pytorch#4429"),
    faults=("weight-decay-coupled", "penalty-decoupled", "weight-decay-last"),
)


@adam_weight_decay.numpy
def _(start, gradients):
    w, m, v = start, 0.0, 0.0
    for t, g in enumerate(gradients, 1):
        decayed = g + 0.1 * w
        m = 0.9 * m + (1 - 0.9) * decayed
        v = 0.999 * v + (1 - 0.999) * decayed**2
        w = w - 0.01 * np.sqrt(1 - 0.999**t) / (1 - 0.9**t) * m / np.sqrt(v)
        yield w


@adam_weight_decay.numpy.like("keras")
def _(start, gradients):
    """Shrink the parameters by η·λ, and leave the gradient alone."""
    w, m, v = start, 0.0, 0.0
    for t, g in enumerate(gradients, 1):
        w = w - 0.01 * 0.1 * w
        m = 0.9 * m + (1 - 0.9) * g
        v = 0.999 * v + (1 - 0.999) * g**2
        w = w - 0.01 * np.sqrt(1 - 0.999**t) / (1 - 0.9**t) * m / np.sqrt(v)
        yield w


@adam_weight_decay.sklearn
def _(start, gradients):
    from sklearn.neural_network._stochastic_optimizers import AdamOptimizer

    optimizer = AdamOptimizer([start], 0.01, beta_1=0.9, beta_2=0.999, epsilon=0.0)
    for g in gradients:
        optimizer.update_params([start], [g + 0.1 * start])  # in place
        yield start


@adam_weight_decay.sklearn.like("keras")
def _(start, gradients):
    """Set alpha to 0, and before each step shrink the parameters by η·λ."""
    from sklearn.neural_network._stochastic_optimizers import AdamOptimizer

    optimizer = AdamOptimizer([start], 0.01, beta_1=0.9, beta_2=0.999, epsilon=0.0)
    for g in gradients:
        start *= 1 - 0.01 * 0.1
        optimizer.update_params([start], [g])
        yield start


@adam_weight_decay.tensorflow
def _(start, gradients):
    import tensorflow as tf

    w = tf.Variable(start)
    f = np.float64
    optimizer = tf.compat.v1.train.AdamOptimizer(f(0.01), f(0.9), f(0.999), f(0))
    for g in gradients:
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(g * w) + 0.1 * tf.nn.l2_loss(w)
        optimizer.apply_gradients([(tape.gradient(loss, w), w)])
        yield w.numpy()


@adam_weight_decay.tensorflow.like("keras")
def _(start, gradients):
    """Leave the penalty out, and before each step shrink the parameters by η·λ."""
    import tensorflow as tf

    w = tf.Variable(start)
    f = np.float64
    optimizer = tf.compat.v1.train.AdamOptimizer(f(0.01), f(0.9), f(0.999), f(0))
    for g in gradients:
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(g * w)
        w.assign_sub(0.01 * 0.1 * w)
        optimizer.apply_gradients([(tape.gradient(loss, w), w)])
        yield w.numpy()


@adam_weight_decay.keras
def _(start, gradients):
    import keras

    w = keras.Variable(start)
    f = np.float64
    optimizer = keras.optimizers.Adam(0.01, f(0.9), f(0.999), epsilon=0.0, weight_decay=f(0.1))
    for g in gradients:
        optimizer.apply([g], [w])
        yield w.numpy()


@adam_weight_decay.keras.like("torch")
def _(start, gradients):
    """Use regularizers L2(λ/2) in place of weight_decay, or add λ·w to the gradients yourself."""
    import keras

    w = keras.Variable(start)
    f = np.float64
    optimizer = keras.optimizers.Adam(0.01, f(0.9), f(0.999), epsilon=0.0)
    for g in gradients:
        optimizer.apply([g + 0.1 * w], [w])
        yield w.numpy()


@adam_weight_decay.torch
def _(start, gradients):
    import torch

    w = torch.tensor(start)
    optimizer = torch.optim.Adam([w], lr=0.01, betas=(0.9, 0.999), eps=0.0, weight_decay=0.1)
    for g in gradients:
        w.grad = torch.tensor(g)
        optimizer.step()
        yield w.numpy()


@adam_weight_decay.torch.like("keras")
def _(start, gradients):
    """Use torch.optim.AdamW."""
    import torch

    w = torch.tensor(start)
    optimizer = torch.optim.AdamW([w], lr=0.01, betas=(0.9, 0.999), eps=0.0, weight_decay=0.1)
    for g in gradients:
        w.grad = torch.tensor(g)
        optimizer.step()
        yield w.numpy()


adamw_defaults = Card(
    id="adamw-defaults",
    title="AdamW: the default weight decay",
    wrong=(
        "AdamW decays unless told otherwise, and Keras and PyTorch do not agree by how much. The rule is "
        "the same, so the port trains and looks right; its parameters settle at another size. It shows "
        "late, after some 1/(η·λ) steps."
    ),
    conventions={
        "keras": "w -= η·λ·w,  λ = 0.004",
        "torch": "w -= η·λ·w,  λ = 0.01",
    },
    given=given.descent,
    differs=0.002,
    absent={
        "numpy": "NumPy has no optimizers, so no defaults",
        "sklearn": "scikit-learn has no AdamW",
        "tensorflow": "TensorFlow's own optimizers have no weight decay",
    },
    defaults=("AdamW.weight_decay",),
    issues=("leondgarse/Keras_insightface#5",),
    faults=("decay-of-adamw", "weight-decay-missing"),
)


@adamw_defaults.keras
def _(start, gradients):
    import keras

    w = keras.Variable(start)
    f = np.float64
    optimizer = keras.optimizers.AdamW(0.01, beta_1=f(0.9), beta_2=f(0.999), epsilon=0.0)
    for g in gradients:
        optimizer.apply([g], [w])
        yield w.numpy()


@adamw_defaults.keras.like("torch")
def _(start, gradients):
    """Pass weight_decay=0.01."""
    import keras

    w = keras.Variable(start)
    f = np.float64
    optimizer = keras.optimizers.AdamW(
        0.01, weight_decay=f(0.01), beta_1=f(0.9), beta_2=f(0.999), epsilon=0.0
    )
    for g in gradients:
        optimizer.apply([g], [w])
        yield w.numpy()


@adamw_defaults.torch
def _(start, gradients):
    import torch

    w = torch.tensor(start)
    optimizer = torch.optim.AdamW([w], lr=0.01, betas=(0.9, 0.999), eps=0.0)
    for g in gradients:
        w.grad = torch.tensor(g)
        optimizer.step()
        yield w.numpy()


@adamw_defaults.torch.like("keras")
def _(start, gradients):
    """Pass weight_decay=0.004."""
    import torch

    w = torch.tensor(start)
    decay = float(np.float32(0.004))  # Keras rounds it
    optimizer = torch.optim.AdamW([w], lr=0.01, betas=(0.9, 0.999), eps=0.0, weight_decay=decay)
    for g in gradients:
        w.grad = torch.tensor(g)
        optimizer.step()
        yield w.numpy()


l2_factor = Card(
    id="l2-factor",
    title="L2: c, c/2, or divided by the rows of a batch",
    wrong=(
        "One coefficient, three penalties. Keras's L2(c) is c·Σw², twice as strong as what tf.nn.l2_loss "
        "and PyTorch's weight_decay make of the same number; scikit-learn's multi-layer perceptrons halve "
        "alpha and divide it by the rows of the batch too, which is weaker by orders of magnitude. Training "
        "works in all cases, and only how well the model generalises tells."
    ),
    conventions={
        "numpy tensorflow torch": "½·c·Σw²:  w -= η·c·w",
        "keras": "c·Σw²:  w -= η·2c·w",
        "sklearn": "½·α·Σw²/n:  w -= η·α/n·w",
    },
    given=kernel,
    differs=0.04,
    defaults=("L2.l2",),
    issues=(
        "scikit-learn/scikit-learn#10477",
        "scikit-learn/scikit-learn#6780",
        "keras-team/keras#4712",
        "mlcommons/hpc#22",
    ),
    faults=("penalty-doubled", "penalty-halved", "penalty-undivided"),
)


@l2_factor.numpy
def _(w):
    return w - 1.0 * 0.125 * w


@l2_factor.numpy.like("keras")
def _(w):
    """Double the coefficient of ½·c·Σw²."""
    return w - 1.0 * 2 * 0.125 * w


@l2_factor.numpy.like("sklearn")
def _(w):
    """Divide the coefficient of ½·c·Σw² by the rows of a batch."""
    return w - 1.0 * 0.125 / 4 * w


@l2_factor.sklearn
def _(w):
    from sklearn.neural_network import MLPRegressor

    model = MLPRegressor(
        hidden_layer_sizes=(), solver="sgd", alpha=0.125, learning_rate_init=1.0, momentum=0.0
    )
    x, y = np.zeros((4, 6)), np.zeros(4)
    model.partial_fit(x, y)
    model.coefs_ = [w]
    model.partial_fit(x, y)  # in place
    return w


@l2_factor.sklearn.like("torch")
def _(w):
    """Multiply alpha by the rows of a batch."""
    from sklearn.neural_network import MLPRegressor

    model = MLPRegressor(
        hidden_layer_sizes=(), solver="sgd", alpha=0.125 * 4, learning_rate_init=1.0, momentum=0.0
    )
    x, y = np.zeros((4, 6)), np.zeros(4)
    model.partial_fit(x, y)
    model.coefs_ = [w]
    model.partial_fit(x, y)
    return w


@l2_factor.sklearn.like("keras")
def _(w):
    """Multiply alpha by twice the rows of a batch."""
    from sklearn.neural_network import MLPRegressor

    model = MLPRegressor(
        hidden_layer_sizes=(), solver="sgd", alpha=0.125 * 2 * 4, learning_rate_init=1.0, momentum=0.0
    )
    x, y = np.zeros((4, 6)), np.zeros(4)
    model.partial_fit(x, y)
    model.coefs_ = [w]
    model.partial_fit(x, y)
    return w


@l2_factor.tensorflow
def _(w):
    import tensorflow as tf

    w = tf.Variable(w)
    with tf.GradientTape() as tape:
        penalty = 0.125 * tf.nn.l2_loss(w)
    return w - 1.0 * tape.gradient(penalty, w)


@l2_factor.tensorflow.like("keras")
def _(w):
    """Use tf.reduce_sum(w**2), which is not halved, in place of tf.nn.l2_loss(w)."""
    import tensorflow as tf

    w = tf.Variable(w)
    with tf.GradientTape() as tape:
        penalty = 0.125 * tf.reduce_sum(w**2)
    return w - 1.0 * tape.gradient(penalty, w)


@l2_factor.tensorflow.like("sklearn")
def _(w):
    """Divide the factor before tf.nn.l2_loss by the rows of a batch."""
    import tensorflow as tf

    w = tf.Variable(w)
    with tf.GradientTape() as tape:
        penalty = 0.125 / 4 * tf.nn.l2_loss(w)
    return w - 1.0 * tape.gradient(penalty, w)


@l2_factor.keras
def _(w):
    import keras
    import tensorflow as tf

    w = tf.Variable(w)
    with tf.GradientTape() as tape:
        penalty = keras.regularizers.L2(0.125)(w)
    return w - 1.0 * tape.gradient(penalty, w)


@l2_factor.keras.like("torch")
def _(w):
    """Halve the coefficient: L2(weight_decay/2)."""
    import keras
    import tensorflow as tf

    w = tf.Variable(w)
    with tf.GradientTape() as tape:
        penalty = keras.regularizers.L2(0.125 / 2)(w)
    return w - 1.0 * tape.gradient(penalty, w)


@l2_factor.keras.like("sklearn")
def _(w):
    """Divide alpha by twice the rows of a batch: L2(alpha/(2·n))."""
    import keras
    import tensorflow as tf

    w = tf.Variable(w)
    with tf.GradientTape() as tape:
        penalty = keras.regularizers.L2(0.125 / 2 / 4)(w)
    return w - 1.0 * tape.gradient(penalty, w)


@l2_factor.torch
def _(w):
    import torch

    w = torch.tensor(w)
    optimizer = torch.optim.SGD([w], lr=1.0, weight_decay=0.125)
    w.grad = torch.zeros(6, 1)
    optimizer.step()
    return w


@l2_factor.torch.like("keras")
def _(w):
    """Double the coefficient: weight_decay=2·c for L2(c)."""
    import torch

    w = torch.tensor(w)
    optimizer = torch.optim.SGD([w], lr=1.0, weight_decay=2 * 0.125)
    w.grad = torch.zeros(6, 1)
    optimizer.step()
    return w


@l2_factor.torch.like("sklearn")
def _(w):
    """Divide alpha by the rows of a batch: weight_decay=alpha/n."""
    import torch

    w = torch.tensor(w)
    optimizer = torch.optim.SGD([w], lr=1.0, weight_decay=0.125 / 4)
    w.grad = torch.zeros(6, 1)
    optimizer.step()
    return w


decayed_parameters = Card(
    id="decayed-parameters",
    title="What decays: kernels only, or biases too?",
    wrong=(
        "An optimizer's weight_decay reaches every parameter it was given: biases, and the scales and "
        "shifts of normalisation. A kernel_regularizer of Keras and scikit-learn's alpha reach kernels "
        "only, and a sum over all trainable variables in TensorFlow reaches everything again. With the "
        "factor right, a port still pulls biases towards zero that were free, or frees them. Biases that "
        "start at zero hide it in the first step."
    ),
    conventions={
        "numpy sklearn keras": "W -= η·(g + λ·W),  b -= η·g",
        "tensorflow torch": "W -= η·(g + λ·W),  b -= η·(g + λ·b)",
    },
    given=line,
    differs=0.01,
    defaults=("SGD.weight_decay", "Dense.kernel_regularizer"),
    faults=("penalty-on-biases", "weight-decay-of-kernels"),
)


@decayed_parameters.numpy
def _(x, y, w, b):
    delta = (x @ w + b - y) / len(x)
    gradients = [x.T @ delta + 0.5 * w, delta.sum(axis=0)]
    return np.concatenate([(w - 0.1 * gradients[0]).ravel(), b - 0.1 * gradients[1]])


@decayed_parameters.numpy.like("torch")
def _(x, y, w, b):
    """Penalise the bias too."""
    delta = (x @ w + b - y) / len(x)
    gradients = [x.T @ delta + 0.5 * w, delta.sum(axis=0) + 0.5 * b]
    return np.concatenate([(w - 0.1 * gradients[0]).ravel(), b - 0.1 * gradients[1]])


@decayed_parameters.sklearn
def _(x, y, w, b):
    from sklearn.neural_network import MLPRegressor

    model = MLPRegressor(
        hidden_layer_sizes=(), solver="sgd", alpha=0.5 * len(x), learning_rate_init=0.1, momentum=0.0
    )
    model.partial_fit(x, y.ravel())
    model.coefs_, model.intercepts_ = [w], [b]
    model.partial_fit(x, y.ravel())  # in place
    return np.concatenate([w.ravel(), b])


@decayed_parameters.sklearn.like("torch")
def _(x, y, w, b):
    """Before each step, shrink the biases by η·λ by hand."""
    from sklearn.neural_network import MLPRegressor

    model = MLPRegressor(
        hidden_layer_sizes=(), solver="sgd", alpha=0.5 * len(x), learning_rate_init=0.1, momentum=0.0
    )
    model.partial_fit(x, y.ravel())
    model.coefs_, model.intercepts_ = [w], [b.copy()]
    model.partial_fit(x, y.ravel())
    return np.concatenate([w.ravel(), model.intercepts_[0] - 0.1 * 0.5 * b])


@decayed_parameters.tensorflow
def _(x, y, w, b):
    import tensorflow as tf

    w, b = tf.Variable(w), tf.Variable(b)
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean((x @ w + b - y) ** 2) / 2
        loss += 0.5 * tf.add_n([tf.nn.l2_loss(p) for p in tape.watched_variables()])
    for p, g in zip([w, b], tape.gradient(loss, [w, b]), strict=True):
        p.assign_sub(0.1 * g)
    return tf.concat([w[:, 0], b], 0)


@decayed_parameters.tensorflow.like("keras")
def _(x, y, w, b):
    """Sum the penalty over the kernels only."""
    import tensorflow as tf

    w, b = tf.Variable(w), tf.Variable(b)
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean((x @ w + b - y) ** 2) / 2
        loss += 0.5 * tf.add_n([tf.nn.l2_loss(p) for p in [w]])
    for p, g in zip([w, b], tape.gradient(loss, [w, b]), strict=True):
        p.assign_sub(0.1 * g)
    return tf.concat([w[:, 0], b], 0)


@decayed_parameters.keras
def _(x, y, w, b):
    import keras
    import tensorflow as tf

    layer = keras.layers.Dense(1, kernel_regularizer=keras.regularizers.L2(0.5 / 2))
    layer.build(x.shape)
    layer.set_weights([w, b])
    with tf.GradientTape() as tape:
        loss = keras.ops.mean((layer(x) - y) ** 2) / 2 + sum(layer.losses)
    parameters = layer.trainable_variables
    gradients = tape.gradient(loss, [p.value for p in parameters])
    keras.optimizers.SGD(0.1).apply(gradients, parameters)
    return np.concatenate([np.ravel(p) for p in parameters])


@decayed_parameters.keras.like("torch")
def _(x, y, w, b):
    """Give the layer a bias_regularizer too, the same as its kernel_regularizer."""
    import keras
    import tensorflow as tf

    l2 = keras.regularizers.L2(0.5 / 2)
    layer = keras.layers.Dense(1, kernel_regularizer=l2, bias_regularizer=l2)
    layer.build(x.shape)
    layer.set_weights([w, b])
    with tf.GradientTape() as tape:
        loss = keras.ops.mean((layer(x) - y) ** 2) / 2 + sum(layer.losses)
    parameters = layer.trainable_variables
    gradients = tape.gradient(loss, [p.value for p in parameters])
    keras.optimizers.SGD(0.1).apply(gradients, parameters)
    return np.concatenate([np.ravel(p) for p in parameters])


@decayed_parameters.torch
def _(x, y, w, b):
    import torch

    layer = torch.nn.Linear(3, 1)
    layer.load_state_dict({"weight": torch.tensor(w.T), "bias": torch.tensor(b)})
    optimizer = torch.optim.SGD(layer.parameters(), lr=0.1, weight_decay=0.5)
    loss = ((layer(torch.tensor(x)) - torch.tensor(y)) ** 2).mean() / 2
    loss.backward()
    optimizer.step()
    return np.concatenate([p.detach().ravel() for p in layer.parameters()])


@decayed_parameters.torch.like("keras")
def _(x, y, w, b):
    """Put the biases into a parameter group of their own, with weight_decay=0."""
    import torch

    layer = torch.nn.Linear(3, 1)
    layer.load_state_dict({"weight": torch.tensor(w.T), "bias": torch.tensor(b)})
    groups = [{"params": [layer.weight], "weight_decay": 0.5}, {"params": [layer.bias], "weight_decay": 0}]
    optimizer = torch.optim.SGD(groups, lr=0.1)
    loss = ((layer(torch.tensor(x)) - torch.tensor(y)) ** 2).mean() / 2
    loss.backward()
    optimizer.step()
    return np.concatenate([p.detach().ravel() for p in layer.parameters()])


alpha_rows = Card(
    id="alpha-rows",
    title="scikit-learn: alpha is divided by the rows of each batch",
    wrong=(
        "Scikit-learn's multi-layer perceptrons divide alpha by the number of rows of the batch at hand. "
        "The last batch of an epoch is often short, and is regularised as many times more strongly as it is "
        "shorter. A constant weight_decay that is right for the full batches is not right for this one. It "
        "does not show where the batch size divides the number of rows."
    ),
    conventions={
        "sklearn": "w -= η·(g + α/n·w),  n = rows of this batch",
        "numpy tensorflow keras torch": "w -= η·(g + λ·w),  λ = α/batch size",
    },
    given=line,
    differs=0.03,
    issues=("scikit-learn/scikit-learn#6780", "scikit-learn/scikit-learn#25646"),
    faults=("penalty-per-set", "penalty-undivided", "penalty-never-divided", "decay-undivided"),
)


@alpha_rows.numpy
def _(x, y, w, b):
    for rows in (slice(0, 4), slice(4, 5)):
        delta = (x[rows] @ w + b - y[rows]) / len(x[rows])
        gradients = [x[rows].T @ delta + 1.0 / 4 * w, delta.sum(axis=0)]
        w, b = w - 0.1 * gradients[0], b - 0.1 * gradients[1]
    return np.concatenate([w.ravel(), b])


@alpha_rows.numpy.like("sklearn")
def _(x, y, w, b):
    """Divide alpha by the rows of each batch, not by the batch size."""
    for rows in (slice(0, 4), slice(4, 5)):
        delta = (x[rows] @ w + b - y[rows]) / len(x[rows])
        gradients = [x[rows].T @ delta + 1.0 / len(x[rows]) * w, delta.sum(axis=0)]
        w, b = w - 0.1 * gradients[0], b - 0.1 * gradients[1]
    return np.concatenate([w.ravel(), b])


@alpha_rows.sklearn
def _(x, y, w, b):
    from sklearn.neural_network import MLPRegressor

    options = {"hidden_layer_sizes": (), "solver": "sgd", "learning_rate_init": 0.1, "momentum": 0.0}
    model = MLPRegressor(alpha=1.0, **options)
    model.partial_fit(x, y.ravel())
    model.coefs_, model.intercepts_ = [w], [b]
    for rows in (slice(0, 4), slice(4, 5)):
        model.partial_fit(x[rows], y[rows].ravel())  # in place
    return np.concatenate([w.ravel(), b])


@alpha_rows.sklearn.like("torch")
def _(x, y, w, b):
    """Before each batch, set alpha to λ times its rows."""
    from sklearn.neural_network import MLPRegressor

    options = {"hidden_layer_sizes": (), "solver": "sgd", "learning_rate_init": 0.1, "momentum": 0.0}
    model = MLPRegressor(alpha=1.0, **options)
    model.partial_fit(x, y.ravel())
    model.coefs_, model.intercepts_ = [w], [b]
    for rows in (slice(0, 4), slice(4, 5)):
        model.alpha = 1.0 / 4 * len(x[rows])
        model.partial_fit(x[rows], y[rows].ravel())
    return np.concatenate([w.ravel(), b])


@alpha_rows.tensorflow
def _(x, y, w, b):
    import tensorflow as tf

    w, b = tf.Variable(w), tf.Variable(b)
    for rows in (slice(0, 4), slice(4, 5)):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean((x[rows] @ w + b - y[rows]) ** 2) / 2
            loss += 1.0 / 4 * tf.nn.l2_loss(w)
        for p, g in zip([w, b], tape.gradient(loss, [w, b]), strict=True):
            p.assign_sub(0.1 * g)
    return tf.concat([w[:, 0], b], 0)


@alpha_rows.tensorflow.like("sklearn")
def _(x, y, w, b):
    """Divide alpha by the rows of each batch, not by the batch size."""
    import tensorflow as tf

    w, b = tf.Variable(w), tf.Variable(b)
    for rows in (slice(0, 4), slice(4, 5)):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean((x[rows] @ w + b - y[rows]) ** 2) / 2
            loss += 1.0 / len(x[rows]) * tf.nn.l2_loss(w)
        for p, g in zip([w, b], tape.gradient(loss, [w, b]), strict=True):
            p.assign_sub(0.1 * g)
    return tf.concat([w[:, 0], b], 0)


@alpha_rows.keras
def _(x, y, w, b):
    import keras
    import tensorflow as tf

    layer = keras.layers.Dense(1, kernel_regularizer=keras.regularizers.L2(1.0 / 2 / 4))
    layer.build(x.shape)
    layer.set_weights([w, b])
    optimizer = keras.optimizers.SGD(0.1)
    for rows in (slice(0, 4), slice(4, 5)):
        with tf.GradientTape() as tape:
            loss = keras.ops.mean((layer(x[rows]) - y[rows]) ** 2) / 2 + sum(layer.losses)
        gradients = tape.gradient(loss, [p.value for p in layer.trainable_variables])
        optimizer.apply(gradients, layer.trainable_variables)
    return np.concatenate([np.ravel(p) for p in layer.trainable_variables])


@alpha_rows.keras.like("sklearn")
def _(x, y, w, b):
    """Before each batch, set the regularizer's l2 to α over twice its rows (in fit(): a tf.Variable)."""
    import keras
    import tensorflow as tf

    layer = keras.layers.Dense(1, kernel_regularizer=keras.regularizers.L2())
    layer.build(x.shape)
    layer.set_weights([w, b])
    optimizer = keras.optimizers.SGD(0.1)
    for rows in (slice(0, 4), slice(4, 5)):
        layer.kernel.regularizer.l2 = np.float64(1.0 / 2 / len(x[rows]))
        with tf.GradientTape() as tape:
            loss = keras.ops.mean((layer(x[rows]) - y[rows]) ** 2) / 2 + sum(layer.losses)
        gradients = tape.gradient(loss, [p.value for p in layer.trainable_variables])
        optimizer.apply(gradients, layer.trainable_variables)
    return np.concatenate([np.ravel(p) for p in layer.trainable_variables])


@alpha_rows.torch
def _(x, y, w, b):
    import torch

    x, y, w, b = torch.tensor(x), torch.tensor(y), torch.tensor(w), torch.tensor(b)
    w.requires_grad = b.requires_grad = True
    groups = [{"params": [w], "weight_decay": 1.0 / 4}, {"params": [b], "weight_decay": 0}]
    optimizer = torch.optim.SGD(groups, lr=0.1)
    for rows in (slice(0, 4), slice(4, 5)):
        optimizer.zero_grad()
        loss = ((x[rows] @ w + b - y[rows]) ** 2).mean() / 2
        loss.backward()
        optimizer.step()
    return torch.cat([w[:, 0], b]).detach()


@alpha_rows.torch.like("sklearn")
def _(x, y, w, b):
    """Before each step, set the group's weight_decay to alpha over the rows of the batch."""
    import torch

    x, y, w, b = torch.tensor(x), torch.tensor(y), torch.tensor(w), torch.tensor(b)
    w.requires_grad = b.requires_grad = True
    optimizer = torch.optim.SGD([{"params": [w]}, {"params": [b]}], lr=0.1)
    for rows in (slice(0, 4), slice(4, 5)):
        optimizer.param_groups[0]["weight_decay"] = 1.0 / len(x[rows])
        optimizer.zero_grad()
        loss = ((x[rows] @ w + b - y[rows]) ** 2).mean() / 2
        loss.backward()
        optimizer.step()
    return torch.cat([w[:, 0], b]).detach()


penalty_in_loss = Card(
    id="penalty-in-loss",
    title="Does the logged loss contain the L2 penalty?",
    wrong=(
        "The loss that Keras and scikit-learn log includes the penalty; PyTorch's weight_decay never shows "
        "in a loss. Two trainings that agree in every parameter then draw different curves, and early "
        "stopping or a plateau on them decides differently. In Keras the validation loss has the penalty as "
        "well. Compare the loss of the data alone."
    ),
    conventions={
        "numpy torch": "loss of the data",
        "sklearn tensorflow keras": "loss of the data + ½·λ·ΣW²",
    },
    given=two_classes,
    differs=0.1,
    issues=("keras-team/keras#4712",),
)


@penalty_in_loss.numpy
def _(x, y, w, b):
    z = x @ w + b
    return np.mean(np.logaddexp(0, z) - y * z)


@penalty_in_loss.numpy.like("keras")
def _(x, y, w, b):
    """Add the penalty ½·λ·ΣW² to the logged loss."""
    z = x @ w + b
    return np.mean(np.logaddexp(0, z) - y * z) + 0.125 / 2 * np.sum(w**2)


@penalty_in_loss.sklearn
def _(x, y, w, b):
    from sklearn.neural_network import MLPClassifier

    model = MLPClassifier(hidden_layer_sizes=(), alpha=0.125 * len(x))
    model.partial_fit(x, y.ravel(), classes=[0, 1])
    model.coefs_, model.intercepts_ = [w], [b]
    model.partial_fit(x, y.ravel())
    return model.loss_


@penalty_in_loss.sklearn.like("torch")
def _(x, y, w, b):
    """Subtract the penalty of the parameters before the step from loss_."""
    from sklearn.neural_network import MLPClassifier

    model = MLPClassifier(hidden_layer_sizes=(), alpha=0.125 * len(x))
    model.partial_fit(x, y.ravel(), classes=[0, 1])
    model.coefs_, model.intercepts_ = [w], [b]
    penalty = 0.125 / 2 * np.sum(w**2)
    model.partial_fit(x, y.ravel())
    return model.loss_ - penalty


@penalty_in_loss.tensorflow
def _(x, y, w, b):
    import tensorflow as tf

    loss = tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(y, x @ w + b))
    return loss + 0.125 * tf.nn.l2_loss(w)


@penalty_in_loss.tensorflow.like("torch")
def _(x, y, w, b):
    """Log the loss before the penalty is added."""
    import tensorflow as tf

    return tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(y, x @ w + b))


@penalty_in_loss.keras
def _(x, y, w, b):
    import keras

    model = keras.Sequential([keras.layers.Dense(1, kernel_regularizer=keras.regularizers.L2(0.125 / 2))])
    model.build(x.shape)
    model.set_weights([w, b])
    loss = keras.losses.BinaryCrossentropy(from_logits=True)
    model.compile(loss=loss, run_eagerly=True)
    return model.evaluate(x, y, verbose=0)


@penalty_in_loss.keras.like("torch")
def _(x, y, w, b):
    """Log the loss of the data as a metric, such as metrics=[BinaryCrossentropy(…)]."""
    import keras

    model = keras.Sequential([keras.layers.Dense(1, kernel_regularizer=keras.regularizers.L2(0.125 / 2))])
    model.build(x.shape)
    model.set_weights([w, b])
    loss = keras.losses.BinaryCrossentropy(from_logits=True)
    model.compile(loss=loss, metrics=[keras.metrics.BinaryCrossentropy(from_logits=True)], run_eagerly=True)
    return model.evaluate(x, y, verbose=0)[1]


@penalty_in_loss.torch
def _(x, y, w, b):
    import torch

    layer = torch.nn.Linear(3, 1)
    layer.load_state_dict({"weight": torch.tensor(w.T), "bias": torch.tensor(b)})
    groups = [{"params": [layer.weight], "weight_decay": 0.125}, {"params": [layer.bias], "weight_decay": 0}]
    optimizer = torch.optim.SGD(groups)
    loss = torch.nn.functional.binary_cross_entropy_with_logits(layer(torch.tensor(x)), torch.tensor(y))
    loss.backward()
    optimizer.step()
    return loss.detach()


@penalty_in_loss.torch.like("keras")
def _(x, y, w, b):
    """Add the penalty to what is logged, not to what is differentiated."""
    import torch

    layer = torch.nn.Linear(3, 1)
    layer.load_state_dict({"weight": torch.tensor(w.T), "bias": torch.tensor(b)})
    groups = [{"params": [layer.weight], "weight_decay": 0.125}, {"params": [layer.bias], "weight_decay": 0}]
    optimizer = torch.optim.SGD(groups)
    loss = torch.nn.functional.binary_cross_entropy_with_logits(layer(torch.tensor(x)), torch.tensor(y))
    logged = loss.detach() + 0.125 / 2 * layer.weight.detach().square().sum()
    loss.backward()
    optimizer.step()
    return logged


adamw_rate = Card(
    id="adamw-rate",
    title="AdamW: is the decay multiplied by the learning rate?",
    wrong=(
        "In the paper on AdamW the decay is λ·w, and only a schedule multiplies it. Keras and PyTorch "
        "multiply it by the learning rate, as TensorFlow Addons did not. A λ taken from the paper or from "
        "there is too small by the learning rate and all but disappears; one taken from PyTorch is far too "
        "large there, and shrinks the parameters to nothing."
    ),
    conventions={
        "numpy": "w -= λ·w + η·m̂/√v̂",
        "keras torch": "w -= η·λ·w + η·m̂/√v̂",
    },
    given=given.descent,
    differs=0.4,
    absent={
        "sklearn": "scikit-learn has no AdamW",
        "tensorflow": "TensorFlow's own optimizers have no weight decay",
    },
    defaults=("AdamW.weight_decay",),
    issues=(
        "tensorflow/addons#2282",
        "tensorflow/tensorflow#22763",
        "leondgarse/Keras_insightface#5",
        "NVIDIA/apex#1849",
    ),
    faults=("weight-decay-without-rate",),
)


@adamw_rate.numpy
def _(start, gradients):
    w, m, v = start, 0.0, 0.0
    for t, g in enumerate(gradients, 1):
        m = 0.9 * m + (1 - 0.9) * g
        v = 0.999 * v + (1 - 0.999) * g**2
        step = np.sqrt(1 - 0.999**t) / (1 - 0.9**t) * m / np.sqrt(v)
        w = w - 0.01 * step - 0.05 * w
        yield w


@adamw_rate.numpy.like("keras")
def _(start, gradients):
    """Multiply the decay by the learning rate."""
    w, m, v = start, 0.0, 0.0
    for t, g in enumerate(gradients, 1):
        m = 0.9 * m + (1 - 0.9) * g
        v = 0.999 * v + (1 - 0.999) * g**2
        step = np.sqrt(1 - 0.999**t) / (1 - 0.9**t) * m / np.sqrt(v)
        w = w - 0.01 * step - 0.01 * 0.05 * w
        yield w


@adamw_rate.keras
def _(start, gradients):
    import keras

    w = keras.Variable(start)
    f = np.float64
    optimizer = keras.optimizers.AdamW(
        0.01, weight_decay=f(0.05), beta_1=f(0.9), beta_2=f(0.999), epsilon=0.0
    )
    for g in gradients:
        optimizer.apply([g], [w])
        yield w.numpy()


@adamw_rate.keras.like("numpy")
def _(start, gradients):
    """Divide weight_decay by the learning rate; under a schedule, by its largest."""
    import keras

    w = keras.Variable(start)
    f = np.float64
    optimizer = keras.optimizers.AdamW(
        0.01, weight_decay=f(0.05 / 0.01), beta_1=f(0.9), beta_2=f(0.999), epsilon=0.0
    )
    for g in gradients:
        optimizer.apply([g], [w])
        yield w.numpy()


@adamw_rate.torch
def _(start, gradients):
    import torch

    w = torch.tensor(start)
    optimizer = torch.optim.AdamW([w], lr=0.01, betas=(0.9, 0.999), eps=0.0, weight_decay=0.05)
    for g in gradients:
        w.grad = torch.tensor(g)
        optimizer.step()
        yield w.numpy()


@adamw_rate.torch.like("numpy")
def _(start, gradients):
    """Divide weight_decay by the learning rate; under a schedule, by its largest."""
    import torch

    w = torch.tensor(start)
    optimizer = torch.optim.AdamW([w], lr=0.01, betas=(0.9, 0.999), eps=0.0, weight_decay=0.05 / 0.01)
    for g in gradients:
        w.grad = torch.tensor(g)
        optimizer.step()
        yield w.numpy()


l1_truncated = Card(
    id="l1-truncated",
    title="L1: exact zeros in scikit-learn, none in the others",
    wrong=(
        "A penalty c·Σ|w| in a loss has the gradient c·sign(w): near zero the parameters jump from side to "
        "side and are never zero. Scikit-learn's SGDRegressor and SGDClassifier cut each step off at zero "
        "instead, and make up for what a parameter has been spared so far, so that useless features end "
        "exactly at zero. A port that counts zeros, or selects features by them, finds none. Neither "
        "PyTorch's optimizers nor scikit-learn's multi-layer perceptrons have an L1 of their own."
    ),
    conventions={
        "numpy tensorflow keras torch": "w -= η·(g + c·sign(w))",
        "sklearn": "w -= η·g,  then w goes towards zero by η·c and what it still owes, but not across",
    },
    given=sparse,
    differs=0.01,
    defaults=("L1.l1",),
    faults=("l1-missing", "l1-sign"),
)


@l1_truncated.numpy
def _(x, y):
    w = np.zeros(4)
    for row, target in zip(x, y, strict=True):
        g = (row @ w - target) * row
        w = w - 0.05 * (g + 0.25 * np.sign(w))
    return w


@l1_truncated.numpy.like("sklearn")
def _(x, y):
    """After each step, move weights towards zero by all of the penalty still owed, but not across."""
    w, u, q = np.zeros(4), 0.0, np.zeros(4)
    for row, target in zip(x, y, strict=True):
        w = w - 0.05 * (row @ w - target) * row
        u += 0.05 * 0.25
        cut = np.where(w > 0, np.maximum(0, w - (u + q)), np.minimum(0, w + (u - q)))
        q += cut - w
        w = cut
    return w


@l1_truncated.sklearn
def _(x, y):
    from sklearn.linear_model import SGDRegressor

    model = SGDRegressor(
        penalty="l1", alpha=0.25, learning_rate="constant", eta0=0.05, fit_intercept=False, shuffle=False
    )
    model.partial_fit(x, y)  # one update for each row
    return model.coef_


@l1_truncated.sklearn.like("torch")
def _(x, y):
    """Set penalty=None, and after each row subtract η·c·sign of what w was before it."""
    from sklearn.linear_model import SGDRegressor

    model = SGDRegressor(penalty=None, learning_rate="constant", eta0=0.05, fit_intercept=False)
    for row in range(len(x)):
        sign = np.sign(model.coef_) if row else 0
        model.partial_fit(x[row : row + 1], y[row : row + 1])
        model.coef_ -= 0.05 * 0.25 * sign
    return model.coef_


@l1_truncated.tensorflow
def _(x, y):
    import tensorflow as tf

    w = tf.Variable(np.zeros(4))
    for row, target in zip(x, y, strict=True):
        with tf.GradientTape() as tape:
            error = tf.reduce_sum(row * w) - target
            loss = error**2 / 2 + 0.25 * tf.reduce_sum(tf.abs(w))
        w.assign_sub(0.05 * tape.gradient(loss, w))
    return w


@l1_truncated.tensorflow.like("sklearn")
def _(x, y):
    """After each step, move weights towards zero by all of the penalty still owed, but not across."""
    import tensorflow as tf

    w, u, q = tf.Variable(np.zeros(4)), 0.0, np.zeros(4)
    for row, target in zip(x, y, strict=True):
        with tf.GradientTape() as tape:
            error = tf.reduce_sum(row * w) - target
            loss = error**2 / 2
        w.assign_sub(0.05 * tape.gradient(loss, w))
        u += 0.05 * 0.25
        cut = tf.where(w > 0, tf.maximum(w - (u + q), 0), tf.minimum(w + (u - q), 0))
        q += cut - w
        w.assign(cut)
    return w


@l1_truncated.keras
def _(x, y):
    import keras
    import tensorflow as tf

    w, l1 = keras.Variable(np.zeros(4)), keras.regularizers.L1(0.25)
    optimizer = keras.optimizers.SGD(0.05)
    for row, target in zip(x, y, strict=True):
        with tf.GradientTape() as tape:
            error = keras.ops.sum(w * row) - target
            loss = error**2 / 2 + l1(w)
        optimizer.apply([tape.gradient(loss, w.value)], [w])
    return w


@l1_truncated.keras.like("sklearn")
def _(x, y):
    """After each step, move weights towards zero by all of the penalty still owed, but not across."""
    import keras
    import tensorflow as tf

    w, u, q = keras.Variable(np.zeros(4)), 0.0, np.zeros(4)
    optimizer = keras.optimizers.SGD(0.05)
    for row, target in zip(x, y, strict=True):
        with tf.GradientTape() as tape:
            loss = (keras.ops.sum(w * row) - target) ** 2 / 2
        optimizer.apply([tape.gradient(loss, w.value)], [w])
        u += 0.05 * 0.25
        cut = keras.ops.where(w > 0, keras.ops.maximum(0, w - (u + q)), keras.ops.minimum(0, w + (u - q)))
        q += cut - w
        w.assign(cut)
    return w


@l1_truncated.torch
def _(x, y):
    import torch

    w = torch.zeros(4, requires_grad=True)
    optimizer = torch.optim.SGD([w], lr=0.05)
    for row, target in zip(torch.tensor(x), y, strict=True):
        optimizer.zero_grad()
        loss = (row @ w - target) ** 2 / 2 + 0.25 * w.abs().sum()
        loss.backward()
        optimizer.step()
    return w.detach()


@l1_truncated.torch.like("sklearn")
def _(x, y):
    """After each step, move weights towards zero by all of the penalty still owed, but not across."""
    import torch

    w, u, q = torch.zeros(4, requires_grad=True), 0.0, torch.zeros(4)
    optimizer = torch.optim.SGD([w], lr=0.05)
    for row, target in zip(torch.tensor(x), y, strict=True):
        optimizer.zero_grad()
        ((row @ w - target) ** 2 / 2).backward()
        optimizer.step()
        u += 0.05 * 0.25
        with torch.no_grad():
            cut = torch.where(w > 0, (w - (u + q)).clamp(min=0), (w + (u - q)).clamp(max=0))
            q += cut - w
            w.copy_(cut)
    return w.detach()


activity_penalty = Card(
    id="activity-penalty",
    title="Keras: an activity_regularizer is divided by the rows",
    wrong=(
        "Keras sums the penalty on a layer's outputs over units and divides it by the rows of the batch, "
        "while a kernel's penalty is not divided by anything. Written by hand as a sum over the outputs, "
        "the penalty is as many times stronger as there are rows; written as a mean over all of them, it is "
        "weaker by the number of units. With batches of one row nothing shows."
    ),
    conventions={
        "numpy tensorflow torch": "c·Σy²",
        "keras": "c·Σy²/n",
    },
    given=given.dense,
    differs=0.4,
    absent={"sklearn": "scikit-learn penalises parameters only"},
    defaults=("Dense.activity_regularizer",),
)


@activity_penalty.numpy
def _(x, w, b):
    y = x @ w + b
    return 0.125 * np.sum(y**2)


@activity_penalty.numpy.like("keras")
def _(x, w, b):
    """Divide the penalty on the outputs by the rows of the batch."""
    y = x @ w + b
    return 0.125 * np.sum(y**2) / len(x)


@activity_penalty.tensorflow
def _(x, w, b):
    import tensorflow as tf

    y = x @ w + b
    return 0.125 * tf.reduce_sum(y**2)


@activity_penalty.tensorflow.like("keras")
def _(x, w, b):
    """Divide the penalty on the outputs by the rows of the batch."""
    import tensorflow as tf

    y = x @ w + b
    return 0.125 * tf.reduce_sum(y**2) / len(x)


@activity_penalty.keras
def _(x, w, b):
    import keras

    layer = keras.layers.Dense(6, activity_regularizer=keras.regularizers.L2(0.125))
    layer.build(x.shape)
    layer.set_weights([w, b])
    layer(x)
    return sum(layer.losses)


@activity_penalty.keras.like("torch")
def _(x, w, b):
    """Multiply the coefficient by the rows of the batch, or add the penalty to the loss by hand."""
    import keras

    layer = keras.layers.Dense(6, activity_regularizer=keras.regularizers.L2(0.125 * len(x)))
    layer.build(x.shape)
    layer.set_weights([w, b])
    layer(x)
    return sum(layer.losses)


@activity_penalty.torch
def _(x, w, b):
    import torch

    layer = torch.nn.Linear(6, 6)
    layer.load_state_dict({"weight": torch.tensor(w.T), "bias": torch.tensor(b)})
    y = layer(torch.tensor(x))
    return 0.125 * y.square().sum().detach()


@activity_penalty.torch.like("keras")
def _(x, w, b):
    """Divide the penalty on the outputs by the rows of the batch."""
    import torch

    layer = torch.nn.Linear(6, 6)
    layer.load_state_dict({"weight": torch.tensor(w.T), "bias": torch.tensor(b)})
    y = layer(torch.tensor(x))
    return 0.125 * y.square().sum().detach() / len(x)


regularizer_float32 = Card(
    id="regularizer-float32",
    title="Keras: a regularizer's coefficient is rounded to float32",
    wrong=(
        "In a float64 model, Keras still takes the coefficient of L1 and L2 through float32, because "
        "TensorFlow converts a Python number so before it is cast. L2() makes a Python number even of a "
        "np.float64. The penalty is off in its eighth digit: far below what training notices, far above "
        "what a comparison in float64 accepts. Coefficients that float32 holds exactly, like 1/8, do not "
        "show it."
    ),
    conventions={
        "numpy sklearn tensorflow torch": "c·Σw²",
        "keras": "float32(c)·Σw²",
    },
    given=kernel,
    differs=7e-9,
    defaults=("L2.l2",),
    issues=("tensorflow/tensorflow#57779",),
    faults=("penalty-float32",),
)


@regularizer_float32.numpy
def _(w):
    return 0.1 * np.sum(w**2)


@regularizer_float32.numpy.like("keras")
def _(w):
    """Round the coefficient to float32."""
    return float(np.float32(0.1)) * np.sum(w**2)


@regularizer_float32.sklearn
def _(w):
    from sklearn.neural_network import MLPRegressor

    model = MLPRegressor(hidden_layer_sizes=(), alpha=2 * 0.1)
    x, y = np.zeros((1, 6)), np.zeros(1)
    model.partial_fit(x, y)
    model.coefs_, model.intercepts_ = [w], [np.zeros(1)]
    model.partial_fit(x, y)
    return model.loss_


@regularizer_float32.sklearn.like("keras")
def _(w):
    """Round the coefficient to float32."""
    from sklearn.neural_network import MLPRegressor

    model = MLPRegressor(hidden_layer_sizes=(), alpha=2 * float(np.float32(0.1)))
    x, y = np.zeros((1, 6)), np.zeros(1)
    model.partial_fit(x, y)
    model.coefs_, model.intercepts_ = [w], [np.zeros(1)]
    model.partial_fit(x, y)
    return model.loss_


@regularizer_float32.tensorflow
def _(w):
    import tensorflow as tf

    return 0.1 * tf.reduce_sum(w**2)


@regularizer_float32.tensorflow.like("keras")
def _(w):
    """Round the coefficient to float32."""
    import tensorflow as tf

    return tf.cast(0.1, tf.float64) * tf.reduce_sum(w**2)


@regularizer_float32.keras
def _(w):
    import keras

    l2 = keras.regularizers.L2(0.1)
    return l2(w)


@regularizer_float32.keras.like("numpy")
def _(w):
    """After it is made, set the regularizer's l2 (or l1) to np.float64(c)."""
    import keras

    l2 = keras.regularizers.L2(0.1)
    l2.l2 = np.float64(0.1)
    return l2(w)


@regularizer_float32.torch
def _(w):
    import torch

    return 0.1 * torch.tensor(w).square().sum()


@regularizer_float32.torch.like("keras")
def _(w):
    """Round the coefficient to float32."""
    import torch

    return float(np.float32(0.1)) * torch.tensor(w).square().sum()
