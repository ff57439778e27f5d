"""Precision: which numbers are float32, and where they are rounded on the way."""

import numpy as np

from backends.base import Arrays
from guide import given
from guide.card import Card


def products() -> Arrays:
    """A column `x` (5, 1) and a row `w` (1, 3), so that each result is a single product."""
    rng = np.random.default_rng(5)
    return {"x": rng.standard_normal((5, 1)), "w": rng.standard_normal((1, 3))}


def numbers() -> Arrays:
    """Numbers `x` (4,) that float32 does not hold exactly."""
    return {"x": np.array([0.1, 1 / 3, -2.7, 1e-3])}


def two_predictions() -> Arrays:
    """Two targets `y` (2,) and predictions `p` (2,) close to them."""
    return {"y": np.array([1.0, 2.0]), "p": np.array([1.001, 1.998])}


def integers() -> Arrays:
    """Integers `x` (4,) whose mean is none."""
    return {"x": np.array([1, 2, 3, 4])}


def pixels() -> Arrays:
    """Bytes `x` (3,) of a picture."""
    return {"x": np.array([200, 100, 50], dtype=np.uint8)}


def signs() -> Arrays:
    """Numbers `x` and divisors `y` (4,) of all signs, and halves `h` (4,)."""
    return {
        "x": np.array([-7.0, 7.0, -7.0, 7.0]),
        "y": np.array([3.0, -3.0, -3.0, 3.0]),
        "h": np.array([0.5, 1.5, 2.5, -0.5]),
    }


def long_sum() -> Arrays:
    """Four thousand times 0.1 as float32, `x` (4000,)."""
    return {"x": np.full(4000, 0.1, dtype=np.float32)}


def halves() -> Arrays:
    """Numbers `x` (4,) of float16 whose sum float16 does not hold."""
    return {"x": np.array([30000, 40000, 50000, 60000], dtype=np.float16)}


def tiny() -> Arrays:
    """Numbers `x` (3,): their squares are denormal, except for the last one's."""
    return {"x": np.array([1e-155, 1.5e-155, 1.6e-154])}


def steps() -> Arrays:
    """Steps `t` (4,) of a schedule that halves the rate in each."""
    return {"t": np.array([0, 100, 200, 300])}


def wide() -> Arrays:
    """Rows `x` (20, 6) and a kernel `w` (6, 4)."""
    rng = np.random.default_rng(7)
    return {"x": rng.standard_normal((20, 6)), "w": rng.standard_normal((6, 4))}


BY_NUMPY = "scikit-learn computes with the arrays that it is given"
REFUSED = "the original stops with an error, so there is nothing to match"

float64_input = Card(
    id="float64-input",
    title="float64 data into a network that is float32 by default",
    wrong=(
        "Arrays of NumPy are float64, layers float32 unless told otherwise. Keras rounds the data without a "
        "word and goes on in float32; PyTorch and TensorFlow refuse to multiply the two (shown as NaN); "
        "NumPy and scikit-learn compute in float64 throughout. So the same script has two precisions, "
        "and a comparison that was meant to be in float64 ends after seven digits."
    ),
    conventions={
        "numpy sklearn": "y = x·w in float64",
        "keras": "y = float32(x)·float32(w), rounded to float32",
        "tensorflow torch": "an error (shown as NaN)",
    },
    given=products,
    differs=3e-8,
    faults=("data-float32", "parameters-float32", "start-float32", "targets-float32"),
)


@float64_input.numpy
def _(x, w):
    return x @ w


@float64_input.numpy.like("keras")
def _(x, w):
    """Turn data and weights into float32 with astype."""
    return x.astype(np.float32) @ w.astype(np.float32)


@float64_input.sklearn
def _(x, w):
    from sklearn.neural_network import MLPRegressor

    model = MLPRegressor(hidden_layer_sizes=(), max_iter=1).partial_fit(x, x @ w)
    model.coefs_, model.intercepts_ = [w], [np.zeros(3)]
    return model.predict(x)


@float64_input.sklearn.like("keras")
def _(x, w):
    """Turn the data into float32 before fitting and predicting: the model is then float32, too."""
    from sklearn.neural_network import MLPRegressor

    x, w = x.astype(np.float32), w.astype(np.float32)
    model = MLPRegressor(hidden_layer_sizes=(), max_iter=1).partial_fit(x, x @ w)
    model.coefs_, model.intercepts_ = [w], [np.zeros(3, dtype=np.float32)]
    return model.predict(x)


@float64_input.tensorflow
def _(x, w):
    import tensorflow as tf

    kernel = tf.Variable(w, dtype=tf.float32)
    try:
        return tf.matmul(x, kernel)
    except tf.errors.InvalidArgumentError:
        return np.full((5, 3), np.nan)


@float64_input.tensorflow.like("numpy")
def _(x, w):
    """Make variables with dtype=tf.float64."""
    import tensorflow as tf

    kernel = tf.Variable(w, dtype=tf.float64)
    return tf.matmul(x, kernel)


@float64_input.tensorflow.like("keras")
def _(x, w):
    """Cast the data to float32."""
    import tensorflow as tf

    kernel = tf.Variable(w, dtype=tf.float32)
    return tf.matmul(tf.cast(x, tf.float32), kernel)


@float64_input.keras
def _(x, w):
    import keras

    keras.config.set_dtype_policy("float32")  # as it comes
    layer = keras.layers.Dense(3, use_bias=False)
    layer.build(x.shape)
    layer.set_weights([w])
    return layer(x)


@float64_input.keras.like("numpy")
def _(x, w):
    """Pass dtype="float64" to each layer, or call set_dtype_policy("float64") before the first."""
    import keras

    keras.config.set_dtype_policy("float32")
    layer = keras.layers.Dense(3, use_bias=False, dtype="float64")
    layer.build(x.shape)
    layer.set_weights([w])
    return layer(x)


@float64_input.torch
def _(x, w):
    import torch

    torch.set_default_dtype(torch.float32)  # as it comes
    layer = torch.nn.Linear(1, 3, bias=False)
    layer.load_state_dict({"weight": torch.tensor(w.T)})
    try:
        return layer(torch.tensor(x)).detach()
    except RuntimeError:
        return np.full((5, 3), np.nan)


@float64_input.torch.like("numpy")
def _(x, w):
    """Call .double() on the model, or torch.set_default_dtype(torch.float64) before it is made."""
    import torch

    layer = torch.nn.Linear(1, 3, bias=False).double()
    layer.load_state_dict({"weight": torch.tensor(w.T)})
    return layer(torch.tensor(x)).detach()


@float64_input.torch.like("keras")
def _(x, w):
    """Call .float() on the data."""
    import torch

    layer = torch.nn.Linear(1, 3, bias=False, dtype=torch.float32)
    layer.load_state_dict({"weight": torch.tensor(w.T)})
    return layer(torch.tensor(x).float()).detach()


float64_input.numpy.cannot("torch", REFUSED)
float64_input.sklearn.cannot("torch", REFUSED)
float64_input.keras.cannot("torch", REFUSED)


floatx_late = Card(
    id="set-floatx-late",
    title="Keras: set_floatx after the first layer, and layers stay float32",
    wrong=(
        "The dtype of Keras's layers is a policy, which is made from floatx together with the first layer, "
        "and kept. Called later, set_floatx('float64') changes losses, metrics and the data of fit(), but "
        "layers go on being float32. PyTorch's set_default_dtype counts for every layer made after it. A "
        "notebook in which any layer was made before shows it, a script that begins with the call does not."
    ),
    conventions={
        "keras": "y = float32(x)·float32(w), rounded to float32",
        "numpy torch": "y = x·w in float64",
    },
    given=products,
    differs=3e-8,
    absent={
        "sklearn": BY_NUMPY,
        "tensorflow": "outside Keras TensorFlow has no dtype of layers",
    },
    faults=("parameters-float32", "start-float32"),
)


@floatx_late.numpy
def _(x, w):
    return x @ w


@floatx_late.numpy.like("keras")
def _(x, w):
    """Turn data and weights into float32 with astype."""
    return x.astype(np.float32) @ w.astype(np.float32)


@floatx_late.keras
def _(x, w):
    import keras

    keras.config.set_dtype_policy("float32")  # what the first layer leaves behind
    keras.config.set_floatx("float64")
    layer = keras.layers.Dense(3, use_bias=False)
    layer.build(x.shape)
    layer.set_weights([w])
    return layer(x)


@floatx_late.keras.like("torch")
def _(x, w):
    """Call keras.config.set_dtype_policy("float64") as well."""
    import keras

    keras.config.set_dtype_policy("float32")
    keras.config.set_floatx("float64")
    keras.config.set_dtype_policy("float64")
    layer = keras.layers.Dense(3, use_bias=False)
    layer.build(x.shape)
    layer.set_weights([w])
    return layer(x)


@floatx_late.torch
def _(x, w):
    import torch

    torch.set_default_dtype(torch.float32)
    torch.nn.Linear(1, 3)  # the first layer
    torch.set_default_dtype(torch.float64)
    layer = torch.nn.Linear(1, 3, bias=False)
    layer.load_state_dict({"weight": torch.tensor(w.T)})
    return layer(torch.tensor(x)).detach()


@floatx_late.torch.like("keras")
def _(x, w):
    """Pass dtype=torch.float32 to each layer, and call .float() on the data."""
    import torch

    layer = torch.nn.Linear(1, 3, bias=False, dtype=torch.float32)
    layer.load_state_dict({"weight": torch.tensor(w.T)})
    return layer(torch.tensor(x).float()).detach()


python_cast = Card(
    id="python-float-cast",
    title="tf.cast(0.1, float64): a Python number becomes float32 first",
    wrong=(
        "tf.cast turns a Python number into a tensor before it casts, and such a tensor is float32: half of "
        "the digits are gone, although both ends are float64. Keras's cast does the same on TensorFlow, and "
        "rounds momentum, β and weight decay on that way. tf.constant(0.1, tf.float64) is exact, and so is "
        "arithmetic between a tensor of float64 and a Python number."
    ),
    conventions={
        "numpy torch": "y = 0.1·x",
        "tensorflow keras": "y = c·x,  c = 0.1 rounded to float32",
    },
    given=numbers,
    differs=8e-9,
    absent={"sklearn": BY_NUMPY},
    issues=("tensorflow/tensorflow#35938", "tensorflow/tensorflow#57779", "tensorflow/tensorflow#53306"),
)


@python_cast.numpy
def _(x):
    return np.array(0.1).astype(np.float64) * x


@python_cast.numpy.like("keras")
def _(x):
    """Round the number to float32: np.float32(0.1)."""
    return np.float64(np.float32(0.1)) * x


@python_cast.tensorflow
def _(x):
    import tensorflow as tf

    return tf.cast(0.1, tf.float64) * x


@python_cast.tensorflow.like("torch")
def _(x):
    """Write tf.constant(0.1, tf.float64), or cast np.float64(0.1)."""
    import tensorflow as tf

    return tf.constant(0.1, tf.float64) * x


@python_cast.keras
def _(x):
    import keras

    return keras.ops.cast(0.1, "float64") * x


@python_cast.keras.like("torch")
def _(x):
    """Write keras.ops.convert_to_tensor(0.1, "float64"), or cast np.float64(0.1)."""
    import keras

    return keras.ops.convert_to_tensor(0.1, "float64") * x


@python_cast.torch
def _(x):
    import torch

    return torch.tensor(0.1).to(torch.float64) * torch.tensor(x)


@python_cast.torch.like("keras")
def _(x):
    """Round the number to float32: torch.tensor(0.1, dtype=torch.float32)."""
    import torch

    return torch.tensor(0.1, dtype=torch.float32).to(torch.float64) * torch.tensor(x)


python_momentum = Card(
    id="python-float-momentum",
    title="Momentum given as a Python number: float32 in Keras and TensorFlow",
    wrong=(
        "In a training in float64 Keras and TensorFlow round the momentum to float32, because they cast a "
        "Python number. The parameters drift apart slowly from the first step on, which looks like rounding "
        "and is none. In float32 everything is rounded anyway."
    ),
    conventions={
        "numpy sklearn torch": "v = μ·v - η·g,  w += v",
        "tensorflow keras": "the same with μ rounded to float32",
    },
    given=given.descent,
    differs=1e-7,
    issues=("tensorflow/tensorflow#35938",),
    faults=("momentum-float32",),
)


@python_momentum.numpy
def _(start, gradients):
    w, v = start, 0.0
    for g in gradients:
        v = 0.9 * v - 0.01 * g
        w = w + v
        yield w


@python_momentum.numpy.like("keras")
def _(start, gradients):
    """Round the momentum to float32."""
    w, v = start, 0.0
    for g in gradients:
        v = np.float64(np.float32(0.9)) * v - 0.01 * g
        w = w + v
        yield w


@python_momentum.sklearn
def _(start, gradients):
    from sklearn.neural_network._stochastic_optimizers import SGDOptimizer

    optimizer = SGDOptimizer([start], 0.01, momentum=0.9, nesterov=False)
    for g in gradients:
        optimizer.update_params([start], [g])  # in place
        yield start


@python_momentum.sklearn.like("keras")
def _(start, gradients):
    """Round the momentum to float32."""
    from sklearn.neural_network._stochastic_optimizers import SGDOptimizer

    optimizer = SGDOptimizer([start], 0.01, momentum=float(np.float32(0.9)), nesterov=False)
    for g in gradients:
        optimizer.update_params([start], [g])
        yield start


@python_momentum.tensorflow
def _(start, gradients):
    import tensorflow as tf

    w = tf.Variable(start)
    optimizer = tf.compat.v1.train.MomentumOptimizer(np.float64(0.01), 0.9)
    for g in gradients:
        optimizer.apply_gradients([(tf.constant(g), w)])
        yield w.numpy()


@python_momentum.tensorflow.like("torch")
def _(start, gradients):
    """Pass the momentum as np.float64(0.9), not as 0.9."""
    import tensorflow as tf

    w = tf.Variable(start)
    optimizer = tf.compat.v1.train.MomentumOptimizer(np.float64(0.01), np.float64(0.9))
    for g in gradients:
        optimizer.apply_gradients([(tf.constant(g), w)])
        yield w.numpy()


@python_momentum.keras
def _(start, gradients):
    import keras

    w = keras.Variable(start)
    optimizer = keras.optimizers.SGD(0.01, momentum=0.9)
    optimizer.build([w])
    for g in gradients:
        optimizer.apply([g], [w])
        yield w.numpy()


@python_momentum.keras.like("torch")
def _(start, gradients):
    """Pass the momentum as np.float64(0.9), not as 0.9."""
    import keras

    w = keras.Variable(start)
    optimizer = keras.optimizers.SGD(0.01, momentum=np.float64(0.9))
    optimizer.build([w])
    for g in gradients:
        optimizer.apply([g], [w])
        yield w.numpy()


@python_momentum.torch
def _(start, gradients):
    import torch

    w = torch.tensor(start)
    optimizer = torch.optim.SGD([w], lr=0.01, momentum=0.9)
    for g in gradients:
        w.grad = torch.tensor(g)
        optimizer.step()
        yield w.numpy()


@python_momentum.torch.like("keras")
def _(start, gradients):
    """Round the momentum to float32."""
    import torch

    w = torch.tensor(start)
    optimizer = torch.optim.SGD([w], lr=0.01, momentum=float(np.float32(0.9)))
    for g in gradients:
        w.grad = torch.tensor(g)
        optimizer.step()
        yield w.numpy()


python_betas = Card(
    id="python-float-betas",
    title="Adam's β as Python numbers: float32 in the bias correction",
    wrong=(
        "Keras updates both moments with the β that it was given, but takes the powers of the bias "
        "correction from β rounded to float32; 1 - β₂ loses most of its digits then, so the first steps are "
        "off by far more than a rounding to float32. TensorFlow's optimizer rounds β everywhere and "
        "multiplies its powers in float32. It shows in float64 only. ε is 0 here, for its place is another "
        "matter."
    ),
    conventions={
        "numpy sklearn torch": "w -= η·√(1-β₂ᵗ)/(1-β₁ᵗ) · m/√v",
        "tensorflow": "β rounded to float32 in m, v and in the powers, which are products in float32",
        "keras": "β rounded to float32 in β₁ᵗ and β₂ᵗ only",
    },
    given=given.descent,
    differs=9e-8,
    issues=("tensorflow/tensorflow#35938",),
    faults=("adam-float32-correction", "beta-1-float32", "beta-2-float32"),
)


@python_betas.numpy
def _(start, gradients):
    w, m, v = start, 0.0, 0.0
    for t, g in enumerate(gradients, 1):
        m = 0.9 * m + (1 - 0.9) * g
        v = 0.999 * v + (1 - 0.999) * g**2
        w = w - 0.01 * np.sqrt(1 - 0.999**t) / (1 - 0.9**t) * m / np.sqrt(v)
        yield w


@python_betas.numpy.like("keras")
def _(start, gradients):
    """Round β to float32 in the bias correction."""
    w, m, v = start, 0.0, 0.0
    b1, b2 = float(np.float32(0.9)), float(np.float32(0.999))
    for t, g in enumerate(gradients, 1):
        m = 0.9 * m + (1 - 0.9) * g
        v = 0.999 * v + (1 - 0.999) * g**2
        w = w - 0.01 * np.sqrt(1 - b2**t) / (1 - b1**t) * m / np.sqrt(v)
        yield w


@python_betas.numpy.like("tensorflow")
def _(start, gradients):
    """Round β to float32, and multiply its powers in float32."""
    w, m, v = start, 0.0, 0.0
    b1, b2 = float(np.float32(0.9)), float(np.float32(0.999))
    powers = np.cumprod(np.tile(np.array([b1, b2], dtype=np.float32), (100, 1)), axis=0).astype(float)
    for g, (p1, p2) in zip(gradients, powers, strict=True):
        m = b1 * m + (1 - b1) * g
        v = b2 * v + (1 - b2) * g**2
        w = w - 0.01 * np.sqrt(1 - p2) / (1 - p1) * m / np.sqrt(v)
        yield w


@python_betas.sklearn
def _(start, gradients):
    from sklearn.neural_network._stochastic_optimizers import AdamOptimizer

    optimizer = AdamOptimizer([start], 0.01, beta_1=0.9, beta_2=0.999, epsilon=0)
    for g in gradients:
        optimizer.update_params([start], [g])  # in place
        yield start


@python_betas.sklearn.like("keras")
def _(start, gradients):
    """Before each step, multiply the learning rate by the bias correction of float32(β) over that of β."""
    from sklearn.neural_network._stochastic_optimizers import AdamOptimizer

    optimizer = AdamOptimizer([start], 0.01, beta_1=0.9, beta_2=0.999, epsilon=0)
    b1, b2 = float(np.float32(0.9)), float(np.float32(0.999))
    for t, g in enumerate(gradients, 1):
        ratio = np.sqrt((1 - b2**t) / (1 - 0.999**t)) * (1 - 0.9**t) / (1 - b1**t)
        optimizer.learning_rate_init = 0.01 * ratio
        optimizer.update_params([start], [g])
        yield start


@python_betas.sklearn.like("tensorflow")
def _(start, gradients):
    """Round β to float32; before each step, correct the learning rate for powers taken in float32."""
    from sklearn.neural_network._stochastic_optimizers import AdamOptimizer

    b1, b2 = float(np.float32(0.9)), float(np.float32(0.999))
    powers = np.cumprod(np.tile(np.array([b1, b2], dtype=np.float32), (100, 1)), axis=0).astype(float)
    optimizer = AdamOptimizer([start], 0.01, beta_1=b1, beta_2=b2, epsilon=0)
    for t, (g, (p1, p2)) in enumerate(zip(gradients, powers, strict=True), 1):
        ratio = np.sqrt((1 - p2) / (1 - b2**t)) * (1 - b1**t) / (1 - p1)
        optimizer.learning_rate_init = 0.01 * ratio
        optimizer.update_params([start], [g])
        yield start


@python_betas.tensorflow
def _(start, gradients):
    import tensorflow as tf

    w = tf.Variable(start)
    optimizer = tf.compat.v1.train.AdamOptimizer(np.float64(0.01), 0.9, 0.999, epsilon=0.0)
    for g in gradients:
        optimizer.apply_gradients([(tf.constant(g), w)])
        yield w.numpy()


@python_betas.tensorflow.like("torch")
def _(start, gradients):
    """Pass both β as np.float64."""
    import tensorflow as tf

    w = tf.Variable(start)
    f = np.float64
    optimizer = tf.compat.v1.train.AdamOptimizer(f(0.01), f(0.9), f(0.999), epsilon=0.0)
    for g in gradients:
        optimizer.apply_gradients([(tf.constant(g), w)])
        yield w.numpy()


@python_betas.tensorflow.like("keras")
def _(start, gradients):
    """Pass β as np.float64; before each step, correct the learning rate for powers of float32(β)."""
    import tensorflow as tf

    w = tf.Variable(start)
    rate, f = tf.Variable(0.01, dtype=tf.float64), np.float64
    optimizer = tf.compat.v1.train.AdamOptimizer(lambda: rate, f(0.9), f(0.999), epsilon=0.0)
    b1, b2 = f(np.float32(0.9)), f(np.float32(0.999))
    for t, g in enumerate(gradients, 1):
        ratio = np.sqrt((1 - b2**t) / (1 - 0.999**t)) * (1 - 0.9**t) / (1 - b1**t)
        rate.assign(0.01 * ratio)
        optimizer.apply_gradients([(tf.constant(g), w)])
        yield w.numpy()


@python_betas.keras
def _(start, gradients):
    import keras

    w = keras.Variable(start)
    optimizer = keras.optimizers.Adam(0.01, 0.9, 0.999, epsilon=0.0)
    optimizer.build([w])
    for g in gradients:
        optimizer.apply([g], [w])
        yield w.numpy()


@python_betas.keras.like("torch")
def _(start, gradients):
    """Pass both β as np.float64."""
    import keras

    w = keras.Variable(start)
    optimizer = keras.optimizers.Adam(0.01, np.float64(0.9), np.float64(0.999), epsilon=0.0)
    optimizer.build([w])
    for g in gradients:
        optimizer.apply([g], [w])
        yield w.numpy()


@python_betas.keras.like("tensorflow")
def _(start, gradients):
    """Round β to float32; before each step, correct the learning rate for powers taken in float32."""
    import keras

    w = keras.Variable(start)
    b1, b2 = float(np.float32(0.9)), float(np.float32(0.999))
    powers = np.cumprod(np.tile(np.array([b1, b2], dtype=np.float32), (100, 1)), axis=0).astype(float)
    optimizer = keras.optimizers.Adam(0.01, np.float64(b1), np.float64(b2), epsilon=0.0)
    optimizer.build([w])
    for t, (g, (p1, p2)) in enumerate(zip(gradients, powers, strict=True), 1):
        ratio = np.sqrt((1 - p2) / (1 - b2**t)) * (1 - b1**t) / (1 - p1)
        optimizer.learning_rate = 0.01 * ratio
        optimizer.apply([g], [w])
        yield w.numpy()


@python_betas.torch
def _(start, gradients):
    import torch

    w = torch.tensor(start)
    optimizer = torch.optim.Adam([w], lr=0.01, betas=(0.9, 0.999), eps=0)
    for g in gradients:
        w.grad = torch.tensor(g)
        optimizer.step()
        yield w.numpy()


@python_betas.torch.like("keras")
def _(start, gradients):
    """Before each step, multiply the learning rate by the bias correction of float32(β) over that of β."""
    import torch

    w = torch.tensor(start)
    optimizer = torch.optim.Adam([w], lr=0.01, betas=(0.9, 0.999), eps=0)
    b1, b2 = float(np.float32(0.9)), float(np.float32(0.999))
    for t, g in enumerate(gradients, 1):
        ratio = np.sqrt((1 - b2**t) / (1 - 0.999**t)) * (1 - 0.9**t) / (1 - b1**t)
        optimizer.param_groups[0]["lr"] = 0.01 * ratio
        w.grad = torch.tensor(g)
        optimizer.step()
        yield w.numpy()


@python_betas.torch.like("tensorflow")
def _(start, gradients):
    """Round β to float32; before each step, correct the learning rate for powers taken in float32."""
    import torch

    w = torch.tensor(start)
    b1, b2 = float(np.float32(0.9)), float(np.float32(0.999))
    powers = np.cumprod(np.tile(np.array([b1, b2], dtype=np.float32), (100, 1)), axis=0).astype(float)
    optimizer = torch.optim.Adam([w], lr=0.01, betas=(b1, b2), eps=0)
    for t, (g, (p1, p2)) in enumerate(zip(gradients, powers, strict=True), 1):
        ratio = np.sqrt((1 - p2) / (1 - b2**t)) * (1 - b1**t) / (1 - p1)
        optimizer.param_groups[0]["lr"] = 0.01 * ratio
        w.grad = torch.tensor(g)
        optimizer.step()
        yield w.numpy()


python_rate = Card(
    id="python-float-learning-rate",
    title="Learning rate as a Python number: float32 in TensorFlow only",
    wrong=(
        "TensorFlow's optimizers make a float32 of a learning rate that is a Python number; Keras puts it "
        "into a variable of its floatx and loses nothing. So in float64 each step of TensorFlow is a little "
        "too long or too short."
    ),
    conventions={
        "numpy sklearn keras torch": "w -= η·g",
        "tensorflow": "w -= η'·g,  η' = η rounded to float32",
    },
    given=given.descent,
    differs=8e-9,
    issues=("tensorflow/tensorflow#35938",),
    faults=("learning-rate-float32",),
)


@python_rate.numpy
def _(start, gradients):
    w = start
    for g in gradients:
        w = w - 0.01 * g
        yield w


@python_rate.numpy.like("tensorflow")
def _(start, gradients):
    """Round the learning rate to float32."""
    w = start
    for g in gradients:
        w = w - np.float64(np.float32(0.01)) * g
        yield w


@python_rate.sklearn
def _(start, gradients):
    from sklearn.neural_network._stochastic_optimizers import SGDOptimizer

    optimizer = SGDOptimizer([start], 0.01, momentum=0, nesterov=False)
    for g in gradients:
        optimizer.update_params([start], [g])  # in place
        yield start


@python_rate.sklearn.like("tensorflow")
def _(start, gradients):
    """Round the learning rate to float32."""
    from sklearn.neural_network._stochastic_optimizers import SGDOptimizer

    optimizer = SGDOptimizer([start], float(np.float32(0.01)), momentum=0, nesterov=False)
    for g in gradients:
        optimizer.update_params([start], [g])
        yield start


@python_rate.tensorflow
def _(start, gradients):
    import tensorflow as tf

    w = tf.Variable(start)
    optimizer = tf.compat.v1.train.GradientDescentOptimizer(0.01)
    for g in gradients:
        optimizer.apply_gradients([(tf.constant(g), w)])
        yield w.numpy()


@python_rate.tensorflow.like("torch")
def _(start, gradients):
    """Pass the learning rate as np.float64(0.01), not as 0.01."""
    import tensorflow as tf

    w = tf.Variable(start)
    optimizer = tf.compat.v1.train.GradientDescentOptimizer(np.float64(0.01))
    for g in gradients:
        optimizer.apply_gradients([(tf.constant(g), w)])
        yield w.numpy()


@python_rate.keras
def _(start, gradients):
    import keras

    w = keras.Variable(start)
    optimizer = keras.optimizers.SGD(0.01)
    optimizer.build([w])
    for g in gradients:
        optimizer.apply([g], [w])
        yield w.numpy()


@python_rate.keras.like("tensorflow")
def _(start, gradients):
    """Round the learning rate to float32."""
    import keras

    w = keras.Variable(start)
    optimizer = keras.optimizers.SGD(np.float64(np.float32(0.01)))
    optimizer.build([w])
    for g in gradients:
        optimizer.apply([g], [w])
        yield w.numpy()


@python_rate.torch
def _(start, gradients):
    import torch

    w = torch.tensor(start)
    optimizer = torch.optim.SGD([w], lr=0.01)
    for g in gradients:
        w.grad = torch.tensor(g)
        optimizer.step()
        yield w.numpy()


@python_rate.torch.like("tensorflow")
def _(start, gradients):
    """Round the learning rate to float32."""
    import torch

    w = torch.tensor(start)
    optimizer = torch.optim.SGD([w], lr=float(np.float32(0.01)))
    for g in gradients:
        w.grad = torch.tensor(g)
        optimizer.step()
        yield w.numpy()


python_decay = Card(
    id="python-float-weight-decay",
    title="Weight decay as a Python number: float32 in Keras",
    wrong=(
        "Keras casts the weight decay of an optimizer from a Python number, by way of float32. The decay is "
        "small, and so is what is lost of it: a comparison in float64 still sees it from the first steps on."
    ),
    conventions={
        "numpy torch": "w -= η·(g + λ·w)",
        "keras": "the same with λ rounded to float32",
    },
    given=given.descent,
    differs=7e-10,
    absent={
        "sklearn": "scikit-learn's optimizers have no weight decay",
        "tensorflow": "TensorFlow's optimizers have no weight decay",
    },
    issues=("tensorflow/tensorflow#35938",),
)


@python_decay.numpy
def _(start, gradients):
    w = start
    for g in gradients:
        w = w - 0.01 * (g + 0.1 * w)
        yield w


@python_decay.numpy.like("keras")
def _(start, gradients):
    """Round the weight decay to float32."""
    w = start
    for g in gradients:
        w = w - 0.01 * (g + np.float64(np.float32(0.1)) * w)
        yield w


@python_decay.keras
def _(start, gradients):
    import keras

    w = keras.Variable(start)
    optimizer = keras.optimizers.SGD(0.01, weight_decay=0.1)
    optimizer.build([w])
    for g in gradients:
        optimizer.apply([g], [w])
        yield w.numpy()


@python_decay.keras.like("torch")
def _(start, gradients):
    """Pass weight_decay=np.float64(0.1), not 0.1."""
    import keras

    w = keras.Variable(start)
    optimizer = keras.optimizers.SGD(0.01, weight_decay=np.float64(0.1))
    optimizer.build([w])
    for g in gradients:
        optimizer.apply([g], [w])
        yield w.numpy()


@python_decay.torch
def _(start, gradients):
    import torch

    w = torch.tensor(start)
    optimizer = torch.optim.SGD([w], lr=0.01, weight_decay=0.1)
    for g in gradients:
        w.grad = torch.tensor(g)
        optimizer.step()
        yield w.numpy()


@python_decay.torch.like("keras")
def _(start, gradients):
    """Round the weight decay to float32."""
    import torch

    w = torch.tensor(start)
    optimizer = torch.optim.SGD([w], lr=0.01, weight_decay=float(np.float32(0.1)))
    for g in gradients:
        w.grad = torch.tensor(g)
        optimizer.step()
        yield w.numpy()


schedule_float32 = Card(
    id="schedule-float32",
    title="Schedules of Keras and TensorFlow compute in float32",
    wrong=(
        "A schedule makes a tensor of its initial learning rate, and a Python number gives one of float32, "
        "whatever floatx is; all that follows is computed in float32, the decay too. In float64 the same "
        "rate passed to the optimizer as a number keeps its digits, and passed by way of a schedule it does "
        "not."
    ),
    conventions={
        "numpy torch": "η = 0.1 · 0.5^(t/100)",
        "tensorflow keras": "η = float32(0.1 · 0.5^(t/100))",
    },
    given=steps,
    differs=7e-9,
    absent={"sklearn": "scikit-learn has no exponential decay of the learning rate"},
    faults=("learning-rate-float32",),
)


@schedule_float32.numpy
def _(t):
    return 0.1 * 0.5 ** (t / 100)


@schedule_float32.numpy.like("keras")
def _(t):
    """Round the rate to float32."""
    return np.float32(0.1 * 0.5 ** (t / 100))


@schedule_float32.tensorflow
def _(t):
    import tensorflow as tf

    return [tf.compat.v1.train.exponential_decay(0.1, step, 100, 0.5)() for step in t]


@schedule_float32.tensorflow.like("torch")
def _(t):
    """Pass the learning rate and the decay rate as np.float64."""
    import tensorflow as tf

    f = np.float64
    return [tf.compat.v1.train.exponential_decay(f(0.1), step, 100, f(0.5))() for step in t]


@schedule_float32.keras
def _(t):
    import keras

    schedule = keras.optimizers.schedules.ExponentialDecay(0.1, decay_steps=100, decay_rate=0.5)
    return [schedule(step) for step in t]


@schedule_float32.keras.like("torch")
def _(t):
    """Pass the learning rate and the decay rate as np.float64."""
    import keras

    f = np.float64
    schedule = keras.optimizers.schedules.ExponentialDecay(f(0.1), decay_steps=100, decay_rate=f(0.5))
    return [schedule(step) for step in t]


@schedule_float32.torch
def _(t):
    import torch

    optimizer = torch.optim.SGD([torch.zeros(1)], lr=0.1)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: 0.5 ** (step / 100))
    rates = []
    for _ in range(301):
        rates += schedule.get_last_lr()
        optimizer.step()
        schedule.step()
    return np.array(rates)[t]


@schedule_float32.torch.like("keras")
def _(t):
    """Set lr=1, and let the function of LambdaLR return the rate itself, rounded to float32."""
    import torch

    optimizer = torch.optim.SGD([torch.zeros(1)], lr=1.0)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda t: float(np.float32(0.1 * 0.5 ** (t / 100)))
    )
    rates = []
    for _ in range(301):
        rates += schedule.get_last_lr()
        optimizer.step()
        schedule.step()
    return np.array(rates)[t]


loss_dtype = Card(
    id="loss-dtype",
    title="Keras's losses have a dtype of their own",
    wrong=(
        "A loss object of Keras casts targets and predictions to its dtype, which is floatx, even if the "
        "model computes in float64. Values and gradients then have seven digits and training still works. "
        "Losses as functions keep the dtype of the predictions, as PyTorch's do. (floatx is set to the "
        "float32 that it is by default.)"
    ),
    conventions={
        "keras": "mean((p - y)²) of p and y rounded to float32",
        "numpy sklearn tensorflow torch": "mean((p - y)²)",
    },
    given=two_predictions,
    differs=8e-7,
    issues=("keras-team/keras-core#922", "keras-team/keras#15791"),
    faults=("loss-float32", "gradient-float32", "targets-float32"),
)


@loss_dtype.numpy
def _(y, p):
    return np.mean((p - y) ** 2)


@loss_dtype.numpy.like("keras")
def _(y, p):
    """Turn targets and predictions into float32."""
    return np.mean((p.astype(np.float32) - y.astype(np.float32)) ** 2)


@loss_dtype.sklearn
def _(y, p):
    from sklearn.metrics import mean_squared_error

    return mean_squared_error(y, p)


@loss_dtype.sklearn.like("keras")
def _(y, p):
    """Turn targets and predictions into float32."""
    from sklearn.metrics import mean_squared_error

    return mean_squared_error(y.astype(np.float32), p.astype(np.float32))


@loss_dtype.tensorflow
def _(y, p):
    import tensorflow as tf

    return tf.reduce_mean(tf.math.squared_difference(p, y))


@loss_dtype.tensorflow.like("keras")
def _(y, p):
    """Cast targets and predictions to float32."""
    import tensorflow as tf

    return tf.reduce_mean(tf.math.squared_difference(tf.cast(p, tf.float32), tf.cast(y, tf.float32)))


@loss_dtype.keras
def _(y, p):
    import keras

    keras.config.set_floatx("float32")  # as it comes
    return keras.losses.MeanSquaredError()(y, p)


@loss_dtype.keras.like("torch")
def _(y, p):
    """Pass dtype="float64" to the loss, or call keras.config.set_floatx("float64")."""
    import keras

    keras.config.set_floatx("float32")
    return keras.losses.MeanSquaredError(dtype="float64")(y, p)


@loss_dtype.torch
def _(y, p):
    import torch

    return torch.nn.MSELoss()(torch.tensor(p), torch.tensor(y))


@loss_dtype.torch.like("keras")
def _(y, p):
    """Turn targets and predictions into float32."""
    import torch

    return torch.nn.MSELoss()(torch.tensor(p).float(), torch.tensor(y).float())


constant_list = Card(
    id="constant-of-list",
    title="Tensors made from Python numbers are float32",
    wrong=(
        "A list of Python numbers becomes float64 in NumPy and float32 in all of the others, while an array "
        "of float64 stays what it is. So constants typed into the code have seven digits and those read from "
        "a file sixteen. PyTorch follows its default dtype; in TensorFlow, and in Keras on it, no setting "
        "changes this, floatx neither."
    ),
    conventions={
        "numpy": "x in float64",
        "tensorflow keras torch": "x rounded to float32",
    },
    given=numbers,
    differs=1e-8,
    absent={"sklearn": BY_NUMPY},
    faults=("data-float32",),
)


@constant_list.numpy
def _(x):
    return np.array(x.tolist())


@constant_list.numpy.like("torch")
def _(x):
    """Pass dtype=np.float32 to np.array."""
    return np.array(x.tolist(), dtype=np.float32)


@constant_list.tensorflow
def _(x):
    import tensorflow as tf

    return tf.constant(x.tolist())


@constant_list.tensorflow.like("numpy")
def _(x):
    """Pass dtype=tf.float64 to tf.constant, or a NumPy array in place of the list."""
    import tensorflow as tf

    return tf.constant(x.tolist(), dtype=tf.float64)


@constant_list.keras
def _(x):
    import keras

    return keras.ops.convert_to_tensor(x.tolist())


@constant_list.keras.like("numpy")
def _(x):
    """Pass dtype="float64" to convert_to_tensor, or a NumPy array in place of the list."""
    import keras

    return keras.ops.convert_to_tensor(x.tolist(), dtype="float64")


@constant_list.torch
def _(x):
    import torch

    torch.set_default_dtype(torch.float32)  # as it comes
    return torch.tensor(x.tolist())


@constant_list.torch.like("numpy")
def _(x):
    """Pass dtype=torch.float64 to torch.tensor, or a NumPy array in place of the list."""
    import torch

    torch.set_default_dtype(torch.float32)
    return torch.tensor(x.tolist(), dtype=torch.float64)


mixed_dtypes = Card(
    id="mixed-dtypes",
    title="float32 times float64: promoted, or refused",
    wrong=(
        "NumPy, PyTorch and Keras's functions promote to float64, with whatever digits the float32 had left; "
        "TensorFlow stops with an error (shown as NaN). A port to TensorFlow is told where dtypes mix, a "
        "port from it is not."
    ),
    conventions={
        "numpy keras torch": "y = float32(x) · x in float64",
        "tensorflow": "an error (shown as NaN)",
    },
    given=numbers,
    differs=0.5,
    absent={"sklearn": BY_NUMPY},
)


@mixed_dtypes.numpy
def _(x):
    return x.astype(np.float32) * x


@mixed_dtypes.tensorflow
def _(x):
    import tensorflow as tf

    try:
        return tf.cast(x, tf.float32) * tf.constant(x)
    except tf.errors.InvalidArgumentError:
        return np.full(4, np.nan)


@mixed_dtypes.tensorflow.like("numpy")
def _(x):
    """Cast the float32 to float64."""
    import tensorflow as tf

    return tf.cast(tf.cast(x, tf.float32), tf.float64) * tf.constant(x)


@mixed_dtypes.keras
def _(x):
    import keras

    return keras.ops.multiply(keras.ops.cast(x, "float32"), x)


@mixed_dtypes.torch
def _(x):
    import torch

    return torch.tensor(x).float() * torch.tensor(x)


mixed_dtypes.numpy.cannot("tensorflow", REFUSED)
mixed_dtypes.keras.cannot("tensorflow", REFUSED)
mixed_dtypes.torch.cannot("tensorflow", REFUSED)


scalar_promotion = Card(
    id="scalar-promotion",
    title="A float64 scalar times a float32 array: promoted or not",
    wrong=(
        "In PyTorch a tensor without axes does not raise the dtype of one with axes, so the product stays "
        "float32; NumPy 2 and Keras promote it to float64. A loss or a rate that is a scalar tensor of "
        "float64 is thus used in float32."
    ),
    conventions={
        "numpy keras": "y = 0.1 · float32(x) in float64",
        "torch": "y = float32(0.1 · float32(x))",
    },
    given=numbers,
    differs=1e-8,
    absent={
        "sklearn": BY_NUMPY,
        "tensorflow": "TensorFlow refuses to multiply them",
    },
)


@scalar_promotion.numpy
def _(x):
    return np.float64(0.1) * x.astype(np.float32)


@scalar_promotion.numpy.like("torch")
def _(x):
    """Make the scalar a Python number, which does not promote."""
    return 0.1 * x.astype(np.float32)


@scalar_promotion.keras
def _(x):
    import keras

    rate = keras.ops.convert_to_tensor(0.1, dtype="float64")
    return keras.ops.multiply(rate, keras.ops.cast(x, "float32"))


@scalar_promotion.keras.like("torch")
def _(x):
    """Make the scalar a Python number, which does not promote."""
    import keras

    return keras.ops.multiply(0.1, keras.ops.cast(x, "float32"))


@scalar_promotion.torch
def _(x):
    import torch

    rate = torch.tensor(0.1, dtype=torch.float64)
    return rate * torch.tensor(x).float()


@scalar_promotion.torch.like("keras")
def _(x):
    """Turn the array into float64, or give the scalar an axis."""
    import torch

    rate = torch.tensor([0.1], dtype=torch.float64)
    return rate * torch.tensor(x).float()


integer_division = Card(
    id="integer-division-dtype",
    title="Integers divided by integers: float64 or float32",
    wrong=(
        "The quotient of two integer arrays is float64 in NumPy and TensorFlow and of the default dtype, "
        "float32, in PyTorch and Keras. Counts, class weights and frequencies are computed that way, and "
        "are then exact to seven digits only."
    ),
    conventions={
        "numpy tensorflow": "y = x/3 in float64",
        "keras torch": "y = x/3 rounded to float32",
    },
    given=integers,
    differs=1e-8,
    absent={"sklearn": BY_NUMPY},
)


@integer_division.numpy
def _(x):
    return x / np.array(3)


@integer_division.numpy.like("torch")
def _(x):
    """Divide in float32: np.divide(x, n, dtype=np.float32)."""
    return np.divide(x, np.array(3), dtype=np.float32)


@integer_division.tensorflow
def _(x):
    import tensorflow as tf

    return tf.constant(x) / 3


@integer_division.tensorflow.like("torch")
def _(x):
    """Cast the integers to float32 before dividing."""
    import tensorflow as tf

    return tf.cast(x, tf.float32) / 3


@integer_division.keras
def _(x):
    import keras

    keras.config.set_floatx("float32")  # as it comes
    return keras.ops.divide(x, 3)


@integer_division.keras.like("numpy")
def _(x):
    """Cast the integers to float64 before dividing."""
    import keras

    keras.config.set_floatx("float32")
    return keras.ops.divide(keras.ops.cast(x, "float64"), 3)


@integer_division.torch
def _(x):
    import torch

    torch.set_default_dtype(torch.float32)  # as it comes
    return torch.tensor(x) / 3


@integer_division.torch.like("numpy")
def _(x):
    """Call .double() on the integers before dividing."""
    import torch

    torch.set_default_dtype(torch.float32)
    return torch.tensor(x).double() / 3


integer_mean = Card(
    id="mean-of-integers",
    title="Mean of integers: TensorFlow drops the fraction",
    wrong=(
        "tf.reduce_mean returns the dtype of its argument, so that the mean of integers is an integer; of "
        "labels or of 0 and 1 it is mostly 0. NumPy and Keras return a float, PyTorch refuses. An accuracy "
        "that stays at zero comes from there."
    ),
    conventions={
        "numpy keras": "y = Σx / n",
        "tensorflow": "y = Σx / n without its fraction",
    },
    given=integers,
    differs=0.1,
    absent={"sklearn": BY_NUMPY, "torch": "PyTorch refuses to average integers"},
)


@integer_mean.numpy
def _(x):
    return x.mean()


@integer_mean.numpy.like("tensorflow")
def _(x):
    """Divide the sum by the count with //."""
    return x.sum() // x.size


@integer_mean.tensorflow
def _(x):
    import tensorflow as tf

    return tf.reduce_mean(tf.constant(x))


@integer_mean.tensorflow.like("numpy")
def _(x):
    """Cast the integers to a float before tf.reduce_mean."""
    import tensorflow as tf

    return tf.reduce_mean(tf.cast(x, tf.float64))


@integer_mean.keras
def _(x):
    import keras

    return keras.ops.mean(x)


@integer_mean.keras.like("tensorflow")
def _(x):
    """Divide the sum by the count with //."""
    import keras

    return keras.ops.sum(x) // x.size


byte_sum = Card(
    id="sum-of-bytes",
    title="Sum of bytes (uint8): it wraps around in TensorFlow",
    wrong=(
        "NumPy, PyTorch and Keras add small integers in a larger type; TensorFlow stays in the type of its "
        "argument, and the sum of a few pixels or of a mask of uint8 begins again at zero after 255."
    ),
    conventions={
        "numpy keras torch": "y = Σx",
        "tensorflow": "y = Σx modulo 256",
    },
    given=pixels,
    differs=0.3,
    absent={"sklearn": BY_NUMPY},
)


@byte_sum.numpy
def _(x):
    return x.sum()


@byte_sum.numpy.like("tensorflow")
def _(x):
    """Pass dtype=np.uint8 to the sum."""
    return x.sum(dtype=np.uint8)


@byte_sum.tensorflow
def _(x):
    import tensorflow as tf

    return tf.reduce_sum(x)


@byte_sum.tensorflow.like("numpy")
def _(x):
    """Cast the bytes to tf.int64 before tf.reduce_sum."""
    import tensorflow as tf

    return tf.reduce_sum(tf.cast(x, tf.int64))


@byte_sum.keras
def _(x):
    import keras

    return keras.ops.sum(x)


@byte_sum.keras.like("tensorflow")
def _(x):
    """Cast the sum back to uint8."""
    import keras

    return keras.ops.cast(keras.ops.sum(x), "uint8")


@byte_sum.torch
def _(x):
    import torch

    return torch.tensor(x).sum()


@byte_sum.torch.like("tensorflow")
def _(x):
    """Pass dtype=torch.uint8 to the sum."""
    import torch

    return torch.tensor(x).sum(dtype=torch.uint8)


half_mean = Card(
    id="mean-of-float16",
    title="Mean in float16: the sum overflows in TensorFlow",
    wrong=(
        "A mean of float16 fits into float16, its sum often does not. NumPy, PyTorch and Keras add in "
        "float32 and round the result; tf.reduce_mean adds in float16 and returns infinity. It shows with "
        "large values or many of them, above all with losses under mixed precision."
    ),
    conventions={
        "numpy keras torch": "y = float16(Σx / n) added in float32",
        "tensorflow": "y = Σx / n in float16: ∞ beyond 65504",
    },
    given=halves,
    differs=0.5,
    absent={"sklearn": BY_NUMPY},
)


@half_mean.numpy
def _(x):
    return x.mean()


@half_mean.numpy.like("tensorflow")
def _(x):
    """Add in float16: x.sum(dtype=np.float16), divided by the count."""
    return x.sum(dtype=np.float16) / np.float16(x.size)


@half_mean.tensorflow
def _(x):
    import tensorflow as tf

    return tf.reduce_mean(x)


@half_mean.tensorflow.like("torch")
def _(x):
    """Cast to float32 before the mean, and back to float16."""
    import tensorflow as tf

    return tf.cast(tf.reduce_mean(tf.cast(x, tf.float32)), tf.float16)


@half_mean.keras
def _(x):
    import keras

    return keras.ops.mean(x)


@half_mean.keras.like("tensorflow")
def _(x):
    """Divide the sum, which stays float16, by the count."""
    import keras

    return keras.ops.sum(x) / x.size


@half_mean.torch
def _(x):
    import torch

    return torch.tensor(x).mean()


@half_mean.torch.like("tensorflow")
def _(x):
    """Divide the sum, which stays float16, by the count."""
    import torch

    return torch.tensor(x).sum() / len(x)


running_sum = Card(
    id="cumsum-float32",
    title="Cumulative sum of float32: added in float32 or in float64",
    wrong=(
        "PyTorch adds up in float64 on a CPU and rounds each result; NumPy, TensorFlow and Keras add "
        "in float32, and lose digits with every term. The longer the sum, the more digits differ, as in "
        "cumulative probabilities and returns."
    ),
    conventions={
        "numpy tensorflow keras": "yⱼ = float32(yⱼ₋₁ + xⱼ)",
        "torch": "yⱼ = float32(Σ xᵢ), added in float64",
    },
    given=long_sum,
    differs=2e-5,
    absent={"sklearn": BY_NUMPY},
    dtype="float32",
)


@running_sum.numpy
def _(x):
    return np.cumsum(x)


@running_sum.numpy.like("torch")
def _(x):
    """Add in float64, and round the result to float32."""
    return np.cumsum(x, dtype=np.float64).astype(np.float32)


@running_sum.tensorflow
def _(x):
    import tensorflow as tf

    return tf.cumsum(x)


@running_sum.tensorflow.like("torch")
def _(x):
    """Add in float64, and round the result to float32."""
    import tensorflow as tf

    return tf.cast(tf.cumsum(tf.cast(x, tf.float64)), tf.float32)


@running_sum.keras
def _(x):
    import keras

    return keras.ops.cumsum(x)


@running_sum.keras.like("torch")
def _(x):
    """Add in float64, and round the result to float32."""
    import keras

    return keras.ops.cast(keras.ops.cumsum(x, dtype="float64"), "float32")


@running_sum.torch
def _(x):
    import torch

    return torch.cumsum(torch.tensor(x), dim=0)


@running_sum.torch.like("keras")
def _(x):
    """Add one by one in a loop, in float32."""
    import torch

    y = torch.tensor(x)
    for i in range(1, len(y)):
        y[i] += y[i - 1]
    return y


denormals = Card(
    id="denormals",
    title="Denormal numbers: TensorFlow makes them zero",
    wrong=(
        "Below the smallest normal number, about 1e-38 in float32, there are still numbers of fewer digits. "
        "NumPy and PyTorch keep them, TensorFlow and so Keras make them zero, to be fast. It shows in "
        "products of probabilities and in far tails, if a logarithm or a division follows."
    ),
    conventions={
        "numpy torch": "y = (x·x)/x = x",
        "tensorflow keras": "y = (0 if x·x is denormal)/x",
    },
    given=tiny,
    differs=0.03,
    absent={"sklearn": BY_NUMPY},
)


@denormals.numpy
def _(x):
    return (x * x) / x


@denormals.numpy.like("keras")
def _(x):
    """Replace products below np.finfo(float).tiny by 0."""
    y = x * x
    return np.where(abs(y) < np.finfo(float).tiny, 0, y) / x


@denormals.tensorflow
def _(x):
    import tensorflow as tf

    return tf.divide(tf.multiply(x, x), x)


@denormals.tensorflow.like("torch")
def _(x):
    """Multiply small inputs by a power of two, and divide the result by it: there is no switch."""
    import tensorflow as tf

    return tf.divide(tf.multiply(x * 2.0**500, x), x) / 2.0**500


@denormals.keras
def _(x):
    import keras

    return keras.ops.divide(keras.ops.multiply(x, x), x)


@denormals.keras.like("torch")
def _(x):
    """Multiply small inputs by a power of two, and divide the result by it: there is no switch."""
    import keras

    return keras.ops.divide(keras.ops.multiply(x * 2.0**500, x), x) / 2.0**500


@denormals.torch
def _(x):
    import torch

    x = torch.tensor(x)
    return (x * x) / x


@denormals.torch.like("keras")
def _(x):
    """Call torch.set_flush_denormal(True)."""
    import torch

    x = torch.tensor(x)
    torch.set_flush_denormal(True)
    y = (x * x) / x
    torch.set_flush_denormal(False)
    return y


loss_scale = Card(
    id="loss-scale",
    title="Mixed precision: the initial loss scale",
    wrong=(
        "Under float16 the loss is multiplied by a scale, which falls with each overflow and rises after "
        "many steps without one. PyTorch starts with a larger scale than Keras, so that the first "
        "overflows, and with them the steps that are skipped, fall on other batches. With bfloat16 no scale "
        "is needed."
    ),
    conventions={
        "tensorflow keras": "2¹⁵ at first, halved after an overflow",
        "torch": "2¹⁶ at first, halved after an overflow",
    },
    given=numbers,
    differs=0.4,
    absent={
        "numpy": "NumPy has no mixed precision",
        "sklearn": "scikit-learn has no mixed precision",
    },
    defaults=("LossScaleOptimizer.initial_scale", "LossScaleOptimizer.dynamic_growth_steps"),
)


@loss_scale.tensorflow
def _(x):
    import tensorflow as tf

    scale = tf.compat.v1.mixed_precision.DynamicLossScale()
    first = scale()
    scale.update([tf.constant(x * np.inf)])
    return [first, scale()]


@loss_scale.tensorflow.like("torch")
def _(x):
    """Pass initial_loss_scale=2.0**16."""
    import tensorflow as tf

    scale = tf.compat.v1.mixed_precision.DynamicLossScale(initial_loss_scale=2.0**16)
    first = scale()
    scale.update([tf.constant(x * np.inf)])
    return [first, scale()]


@loss_scale.keras
def _(x):
    import keras

    w = keras.Variable(x)
    optimizer = keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD())
    optimizer.build([w])
    first = optimizer.dynamic_scale.numpy()
    optimizer.apply([keras.ops.multiply(x, np.inf)], [w])
    return [first, optimizer.dynamic_scale.numpy()]


@loss_scale.keras.like("torch")
def _(x):
    """Pass initial_scale=2.0**16."""
    import keras

    w = keras.Variable(x)
    optimizer = keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD(), initial_scale=2.0**16)
    optimizer.build([w])
    first = optimizer.dynamic_scale.numpy()
    optimizer.apply([keras.ops.multiply(x, np.inf)], [w])
    return [first, optimizer.dynamic_scale.numpy()]


@loss_scale.torch
def _(x):
    import torch

    w = torch.tensor(x, requires_grad=True)
    optimizer = torch.optim.SGD([w], lr=0.01)
    scaler = torch.amp.GradScaler("cpu")
    scaler.scale((w * np.inf).sum()).backward()
    first = scaler.get_scale()
    scaler.step(optimizer)
    scaler.update()
    return [first, scaler.get_scale()]


@loss_scale.torch.like("keras")
def _(x):
    """Pass init_scale=2.0**15."""
    import torch

    w = torch.tensor(x, requires_grad=True)
    optimizer = torch.optim.SGD([w], lr=0.01)
    scaler = torch.amp.GradScaler("cpu", init_scale=2.0**15)
    scaler.scale((w * np.inf).sum()).backward()
    first = scaler.get_scale()
    scaler.step(optimizer)
    scaler.update()
    return [first, scaler.get_scale()]


remainder = Card(
    id="remainder-and-rounding",
    title="Remainder, floor division and rounding: nothing to port",
    wrong=(
        "Nothing between these functions: the remainder has the sign of the divisor, floor division rounds "
        "down, and halves are rounded to the even neighbour. The remainder with the sign of the dividend, "
        "as in C, is np.fmod, torch.fmod and tf.raw_ops.TruncateMod."
    ),
    conventions={"numpy tensorflow keras torch": "x mod y = x - y·⌊x/y⌋,  ⌊x/y⌋,  round half to even"},
    given=signs,
    absent={"sklearn": BY_NUMPY},
)


@remainder.numpy
def _(x, y, h):
    return np.concatenate([x % y, x // y, np.round(h)])


@remainder.tensorflow
def _(x, y, h):
    import tensorflow as tf

    x, y = tf.constant(x), tf.constant(y)
    return tf.concat([x % y, x // y, tf.round(h)], axis=0)


@remainder.keras
def _(x, y, h):
    import keras

    return np.concatenate([keras.ops.mod(x, y), keras.ops.floor_divide(x, y), keras.ops.round(h)])


@remainder.torch
def _(x, y, h):
    import torch

    x, y, h = torch.tensor(x), torch.tensor(y), torch.tensor(h)
    return torch.cat([x % y, x // y, torch.round(h)])


xla = Card(
    id="xla",
    title="XLA: jit_compile changes no more than the rounding",
    wrong=(
        "Nothing: compiled by XLA, a layer computes the same to rounding. Keras decides by itself "
        "(jit_compile='auto') and compiles on a GPU but not on a CPU, so two machines differ in their "
        "last digits; in a long training in float32 that is enough for different results. Say "
        "jit_compile=False or True where runs are to be compared."
    ),
    conventions={"numpy tensorflow keras torch": "y = tanh(x·w)"},
    given=wide,
    absent={"sklearn": "scikit-learn compiles nothing"},
)


@xla.numpy
def _(x, w):
    return np.tanh(x @ w)


@xla.tensorflow
def _(x, w):
    import tensorflow as tf

    @tf.function(jit_compile=True)
    def layer(x, w):
        return tf.tanh(tf.matmul(x, w))

    return layer(tf.constant(x), tf.constant(w))


@xla.keras
def _(x, w):
    import keras
    import tensorflow as tf

    layer = keras.layers.Dense(4, activation="tanh", use_bias=False)
    layer.build(x.shape)
    layer.set_weights([w])
    return tf.function(layer, jit_compile=True)(tf.constant(x))


@xla.torch
def _(x, w):
    import torch

    return torch.tanh(torch.tensor(x) @ torch.tensor(w))
