"""Initialisers: what layers start with."""

import numpy as np

from backends.base import Arrays
from guide.card import Card


def rows() -> Arrays:
    """Rows `x` (5, 100) and targets `y` (5, 50): of a layer with 100 inputs and 50 outputs."""
    rng = np.random.default_rng(3)
    return {"x": rng.standard_normal((5, 100)), "y": rng.standard_normal((5, 50))}


def line() -> Arrays:
    """Rows `x` (5, 4) and targets `y` (5,)."""
    rng = np.random.default_rng(14)
    return {"x": rng.standard_normal((5, 4)), "y": rng.standard_normal(5)}


def signed() -> Arrays:
    """Rows `x` (4, 3) of both signs."""
    return {"x": np.random.default_rng(4).standard_normal((4, 3))}


def seed() -> Arrays:
    """A `seed`."""
    return {"seed": np.array(7)}


dense_initialiser = Card(
    id="dense-initialiser",
    title="Dense layer: the range of the initial kernel",
    wrong=(
        "Keras, scikit-learn and TensorFlow's get_variable draw a kernel from Glorot's range, which shrinks "
        "with inputs and outputs; PyTorch's Linear draws it from a range that shrinks with the inputs "
        "alone. A ported network starts with other activations and other gradients, and mostly just trains "
        "a little better or worse, so that nobody looks here. It shows most in wide layers with few "
        "outputs, such as the last one. The ranges here are measured: each kernel is divided by the "
        "framework's own draw from -1 to 1 with the same seed."
    ),
    conventions={
        "numpy sklearn tensorflow keras": "W ~ U(-a, a),  a = √(6/(in + out))",
        "torch": "W ~ U(-a, a),  a = 1/√in",
    },
    given=rows,
    differs=0.2,
    defaults=("Dense.kernel_initializer",),
    issues=("pytorch/pytorch#15314", "pytorch/pytorch#57109", "pytorch/pytorch#19376"),
    faults=("start-scaled", "start-other-seed"),
    dtype="float32",
)


@dense_initialiser.numpy
def _():
    return np.sqrt(6 / (100 + 50))


@dense_initialiser.numpy.like("torch")
def _():
    """Draw the kernel from ±1/√in."""
    return 1 / np.sqrt(100)


@dense_initialiser.sklearn
def _(x, y):
    from sklearn.neural_network import MLPRegressor

    model = MLPRegressor(hidden_layer_sizes=(), learning_rate_init=1e-300, random_state=0)  # no step
    w = model.partial_fit(x, y).coefs_[0]
    unit = np.random.RandomState(0).uniform(-1, 1, (100, 50))
    return np.abs(w).max() / np.abs(unit).max()


@dense_initialiser.sklearn.like("torch")
def _(x, y):
    """Before training, multiply each kernel by √((in + out)/(6·in))."""
    from sklearn.neural_network import MLPRegressor

    model = MLPRegressor(hidden_layer_sizes=(), learning_rate_init=1e-300, random_state=0)
    w = model.partial_fit(x, y).coefs_[0]
    w *= np.sqrt((100 + 50) / (6 * 100))
    unit = np.random.RandomState(0).uniform(-1, 1, (100, 50))
    return np.abs(w).max() / np.abs(unit).max()


@dense_initialiser.tensorflow
def _():
    import tensorflow as tf

    tf.random.set_seed(0)
    w = tf.compat.v1.get_variable("w", (100, 50), tf.float64)
    tf.random.set_seed(0)
    unit = tf.random.uniform((100, 50), -1, 1, tf.float64)
    return np.abs(w).max() / np.abs(unit).max()


@dense_initialiser.tensorflow.like("torch")
def _():
    """Pass the initializer variance_scaling_initializer(1/3, "fan_in", "uniform") to get_variable."""
    import tensorflow as tf

    initializer = tf.compat.v1.variance_scaling_initializer(1 / 3, "fan_in", "uniform")
    tf.random.set_seed(0)
    w = tf.compat.v1.get_variable("w", (100, 50), tf.float64, initializer)
    tf.random.set_seed(0)
    unit = tf.random.uniform((100, 50), -1, 1, tf.float64)
    return np.abs(w).max() / np.abs(unit).max()


@dense_initialiser.keras
def _():
    import keras

    layer = keras.layers.Dense(50)
    layer.build((None, 100))
    unit = keras.random.uniform((100, 50), -1, 1, seed=layer.kernel_initializer.seed)
    return np.abs(layer.kernel).max() / np.abs(unit).max()


@dense_initialiser.keras.like("torch")
def _():
    """Pass kernel_initializer=VarianceScaling(1/3, "fan_in", "uniform")."""
    import keras

    layer = keras.layers.Dense(
        50, kernel_initializer=keras.initializers.VarianceScaling(1 / 3, "fan_in", "uniform")
    )
    layer.build((None, 100))
    unit = keras.random.uniform((100, 50), -1, 1, seed=layer.kernel_initializer.seed)
    return np.abs(layer.kernel).max() / np.abs(unit).max()


@dense_initialiser.torch
def _():
    import torch

    torch.manual_seed(0)
    layer = torch.nn.Linear(100, 50)
    torch.manual_seed(0)
    unit = torch.empty(50, 100).uniform_(-1, 1)
    return layer.weight.detach().abs().max() / unit.abs().max()


@dense_initialiser.torch.like("keras")
def _():
    """Call torch.nn.init.xavier_uniform_ on the layer's weight."""
    import torch

    layer = torch.nn.Linear(100, 50)
    torch.manual_seed(0)
    torch.nn.init.xavier_uniform_(layer.weight)
    torch.manual_seed(0)
    unit = torch.empty(50, 100).uniform_(-1, 1)
    return layer.weight.detach().abs().max() / unit.abs().max()


bias_initialiser = Card(
    id="bias-initialiser",
    title="Dense layer: biases start at zero or at random",
    wrong=(
        "Keras starts biases at zero, PyTorch and scikit-learn draw them, each from the range of "
        "the layer's kernel. Copying kernels alone from one framework to another "
        "leaves the other's random biases in place, and the first predictions already differ."
    ),
    conventions={
        "sklearn": "b ~ U(-a, a),  a = √(6/(in + out))",
        "keras": "b = 0",
        "torch": "b ~ U(-a, a),  a = 1/√in",
    },
    given=rows,
    differs=0.05,
    absent={
        "numpy": "NumPy has no layers; a bias starts as whoever writes it says",
        "tensorflow": "TensorFlow's low level has no layers; a bias starts as whoever writes it says",
    },
    defaults=("Dense.bias_initializer",),
    faults=("start-biases-one",),
    dtype="float32",
)


@bias_initialiser.sklearn
def _(x, y):
    from sklearn.neural_network import MLPRegressor

    model = MLPRegressor(hidden_layer_sizes=(), learning_rate_init=1e-300, random_state=0)  # no step
    b = model.partial_fit(x, y).intercepts_[0]
    rng = np.random.RandomState(0)
    rng.uniform(size=(100, 50))  # the kernel comes first
    return np.abs(b).max() / np.abs(rng.uniform(-1, 1, 50)).max()


@bias_initialiser.sklearn.like("keras")
def _(x, y):
    """Before training, set intercepts_ to zero."""
    from sklearn.neural_network import MLPRegressor

    model = MLPRegressor(hidden_layer_sizes=(), learning_rate_init=1e-300, random_state=0)
    b = model.partial_fit(x, y).intercepts_[0]
    b[:] = 0
    return np.abs(b).max()


@bias_initialiser.sklearn.like("torch")
def _(x, y):
    """Before training, multiply intercepts_ by √((in + out)/(6·in))."""
    from sklearn.neural_network import MLPRegressor

    model = MLPRegressor(hidden_layer_sizes=(), learning_rate_init=1e-300, random_state=0)
    b = model.partial_fit(x, y).intercepts_[0]
    b *= np.sqrt((100 + 50) / (6 * 100))
    rng = np.random.RandomState(0)
    rng.uniform(size=(100, 50))  # the kernel comes first
    return np.abs(b).max() / np.abs(rng.uniform(-1, 1, 50)).max()


@bias_initialiser.keras
def _():
    import keras

    layer = keras.layers.Dense(50)
    layer.build((None, 100))
    return np.abs(layer.bias).max()


@bias_initialiser.keras.like("sklearn")
def _():
    """Pass bias_initializer=RandomUniform(-a, a) with a = √(6/(in + out))."""
    import keras

    bound = np.sqrt(6 / (100 + 50))
    layer = keras.layers.Dense(50, bias_initializer=keras.initializers.RandomUniform(-bound, bound, seed=0))
    layer.build((None, 100))
    unit = keras.random.uniform((50,), -1, 1, seed=0)
    return np.abs(layer.bias).max() / np.abs(unit).max()


@bias_initialiser.keras.like("torch")
def _():
    """Pass bias_initializer=RandomUniform(-a, a) with a = 1/√in."""
    import keras

    bound = 1 / np.sqrt(100)
    layer = keras.layers.Dense(50, bias_initializer=keras.initializers.RandomUniform(-bound, bound, seed=0))
    layer.build((None, 100))
    unit = keras.random.uniform((50,), -1, 1, seed=0)
    return np.abs(layer.bias).max() / np.abs(unit).max()


@bias_initialiser.torch
def _():
    import torch

    torch.manual_seed(0)
    layer = torch.nn.Linear(100, 50)
    torch.manual_seed(0)
    torch.empty(50, 100).uniform_()  # the weight comes first
    unit = torch.empty(50).uniform_(-1, 1)
    return layer.bias.detach().abs().max() / unit.abs().max()


@bias_initialiser.torch.like("keras")
def _():
    """Call torch.nn.init.zeros_ on the layer's bias."""
    import torch

    layer = torch.nn.Linear(100, 50)
    torch.nn.init.zeros_(layer.bias)
    return layer.bias.detach().abs().max()


@bias_initialiser.torch.like("sklearn")
def _():
    """Call torch.nn.init.uniform_ on the bias, with ±√(6/(in + out))."""
    import torch

    layer = torch.nn.Linear(100, 50)
    bound = np.sqrt(6 / (100 + 50))
    torch.manual_seed(0)
    torch.nn.init.uniform_(layer.bias, -bound, bound)
    torch.manual_seed(0)
    unit = torch.empty(50).uniform_(-1, 1)
    return layer.bias.detach().abs().max() / unit.abs().max()


same_seed = Card(
    id="same-seed",
    title="The same seed in two frameworks: other numbers",
    wrong=(
        "Seeds name a place in a generator's stream, and each framework has a generator, or a way of making "
        "numbers out of it, of its own. NumPy's legacy generator, which scikit-learn uses, and PyTorch's on "
        "the CPU are the same Mersenne Twister and still return other numbers; TensorFlow and Keras use "
        "Philox, with the seed put in differently. Networks that start from the same seed start from "
        "unrelated weights, see batches in unrelated orders and drop unrelated units. Draw once, in NumPy, "
        "and load the numbers."
    ),
    conventions={
        "numpy sklearn": "Mersenne Twister, u = (27 bits of a word · 2²⁶ + 26 bits of the next)/2⁵³",
        "tensorflow": "Philox, its key made of the global seed and of the operation's",
        "keras": "Philox, its key made of (seed, 0)",
        "torch": "Mersenne Twister, u = (the lower 53 bits of two words)/2⁵³",
    },
    given=seed,
    differs=0.2,
    faults=("start-other-seed", "order-other-seed"),
)


@same_seed.numpy
def _(seed):
    return np.random.RandomState(int(seed)).uniform(size=5)


@same_seed.numpy.like("torch")
def _(seed):
    """Take the words of the legacy generator, and make doubles of their lower 53 bits."""
    words = np.random.RandomState(int(seed)).randint(0, 2**32, 10, dtype=np.uint32).astype(np.uint64)
    pairs = words[0::2] << np.uint64(32) | words[1::2]
    return (pairs & np.uint64(2**53 - 1)) / 2**53


@same_seed.sklearn
def _(seed):
    from sklearn.utils import check_random_state

    return check_random_state(int(seed)).uniform(size=5)


@same_seed.sklearn.like("torch")
def _(seed):
    """Take the words of the legacy generator, and make doubles of their lower 53 bits."""
    from sklearn.utils import check_random_state

    words = check_random_state(int(seed)).randint(0, 2**32, 10, dtype=np.uint32).astype(np.uint64)
    pairs = words[0::2] << np.uint64(32) | words[1::2]
    return (pairs & np.uint64(2**53 - 1)) / 2**53


@same_seed.tensorflow
def _(seed):
    import tensorflow as tf

    tf.random.set_seed(int(seed))
    return tf.random.uniform((5,), dtype=tf.float64)


@same_seed.tensorflow.like("numpy")
def _(seed):
    """Draw in NumPy, and hand over the numbers."""
    import tensorflow as tf

    return tf.constant(np.random.RandomState(int(seed)).uniform(size=5))


@same_seed.tensorflow.like("keras")
def _(seed):
    """Call tf.random.stateless_uniform with the seed (seed, 0)."""
    import tensorflow as tf

    return tf.random.stateless_uniform((5,), (int(seed), 0), dtype=tf.float64)


@same_seed.tensorflow.like("torch")
def _(seed):
    """Draw in NumPy, from the legacy generator's words, and hand over the numbers."""
    import tensorflow as tf

    words = np.random.RandomState(int(seed)).randint(0, 2**32, 10, dtype=np.uint32).astype(np.uint64)
    pairs = words[0::2] << np.uint64(32) | words[1::2]
    return tf.constant((pairs & np.uint64(2**53 - 1)) / 2**53)


@same_seed.keras
def _(seed):
    import keras

    return keras.random.uniform((5,), seed=int(seed))


@same_seed.keras.like("numpy")
def _(seed):
    """Draw in NumPy, and hand over the numbers."""
    import keras

    return keras.ops.convert_to_tensor(np.random.RandomState(int(seed)).uniform(size=5))


@same_seed.keras.like("tensorflow")
def _(seed):
    """Call tf.random.uniform, after tf.random.set_seed: Keras runs on TensorFlow here."""
    import tensorflow as tf

    tf.random.set_seed(int(seed))
    return tf.random.uniform((5,), dtype=tf.float64)


@same_seed.keras.like("torch")
def _(seed):
    """Draw in NumPy, from the legacy generator's words, and hand over the numbers."""
    import keras

    words = np.random.RandomState(int(seed)).randint(0, 2**32, 10, dtype=np.uint32).astype(np.uint64)
    pairs = words[0::2] << np.uint64(32) | words[1::2]
    return keras.ops.convert_to_tensor((pairs & np.uint64(2**53 - 1)) / 2**53)


@same_seed.torch
def _(seed):
    import torch

    torch.manual_seed(int(seed))
    return torch.rand(5)


@same_seed.torch.like("numpy")
def _(seed):
    """Draw in NumPy, and hand over the numbers."""
    import torch

    return torch.tensor(np.random.RandomState(int(seed)).uniform(size=5))


for _part in (same_seed.numpy, same_seed.sklearn, same_seed.torch):
    for _other in ("tensorflow", "keras"):
        _part.cannot(_other, "it has no such Philox stream: draw in NumPy, and hand the numbers to both")


logistic_initialiser = Card(
    id="logistic-initialiser",
    title="scikit-learn: logistic units start smaller",
    wrong=(
        "With logistic units scikit-learn's networks replace the 6 in Glorot's range by 2, in every layer, "
        "the output layer included, which is not logistic. In the others Glorot's range is the same whatever "
        "the activation is; PyTorch is asked for it here, with its gain for a sigmoid. It shows only with "
        "logistic hidden units; with tanh or relu scikit-learn and Keras start from the same range."
    ),
    conventions={
        "numpy tensorflow keras torch": "W ~ U(-a, a),  a = √(6/(in + out))",
        "sklearn": "W ~ U(-a, a),  a = √(2/(in + out)),  in all layers",
    },
    given=rows,
    differs=0.2,
    faults=("start-scaled",),
    dtype="float32",
)


@logistic_initialiser.numpy
def _():
    return np.sqrt(6 / np.array([100 + 50, 50 + 50]))  # hidden layer, output layer


@logistic_initialiser.numpy.like("sklearn")
def _():
    """Draw all kernels from ±√(2/(in + out))."""
    return np.sqrt(2 / np.array([100 + 50, 50 + 50]))


@logistic_initialiser.sklearn
def _(x, y):
    from sklearn.neural_network import MLPRegressor

    model = MLPRegressor(
        hidden_layer_sizes=(50,), activation="logistic", learning_rate_init=1e-300, random_state=0
    ).partial_fit(x, y)
    rng = np.random.RandomState(0)
    bounds = []
    for w in model.coefs_:
        bounds.append(np.abs(w).max() / np.abs(rng.uniform(-1, 1, w.shape)).max())
        rng.uniform(size=50)  # the bias
    return np.array(bounds)


@logistic_initialiser.sklearn.like("keras")
def _(x, y):
    """Before training, multiply all kernels by √3."""
    from sklearn.neural_network import MLPRegressor

    model = MLPRegressor(
        hidden_layer_sizes=(50,), activation="logistic", learning_rate_init=1e-300, random_state=0
    ).partial_fit(x, y)
    rng = np.random.RandomState(0)
    bounds = []
    for w in model.coefs_:
        w[:] *= np.sqrt(3)
        bounds.append(np.abs(w).max() / np.abs(rng.uniform(-1, 1, w.shape)).max())
        rng.uniform(size=50)  # the bias
    return np.array(bounds)


@logistic_initialiser.tensorflow
def _():
    import tensorflow as tf

    bounds = []
    for shape in ((100, 50), (50, 50)):
        tf.random.set_seed(0)
        w = tf.compat.v1.get_variable("w", shape, tf.float64)
        tf.random.set_seed(0)
        unit = tf.random.uniform(shape, -1, 1, tf.float64)
        bounds.append(np.abs(w).max() / np.abs(unit).max())
    return np.array(bounds)


@logistic_initialiser.tensorflow.like("sklearn")
def _():
    """Pass the initializer variance_scaling_initializer(1/3, "fan_avg", "uniform") in all layers."""
    import tensorflow as tf

    initializer = tf.compat.v1.variance_scaling_initializer(1 / 3, "fan_avg", "uniform")
    bounds = []
    for shape in ((100, 50), (50, 50)):
        tf.random.set_seed(0)
        w = tf.compat.v1.get_variable("w", shape, tf.float64, initializer)
        tf.random.set_seed(0)
        unit = tf.random.uniform(shape, -1, 1, tf.float64)
        bounds.append(np.abs(w).max() / np.abs(unit).max())
    return np.array(bounds)


@logistic_initialiser.keras
def _():
    import keras

    bounds = []
    for layer, inputs in ((keras.layers.Dense(50, "sigmoid"), 100), (keras.layers.Dense(50), 50)):
        layer.build((None, inputs))
        unit = keras.random.uniform((inputs, 50), -1, 1, seed=layer.kernel_initializer.seed)
        bounds.append(np.abs(layer.kernel).max() / np.abs(unit).max())
    return np.array(bounds)


@logistic_initialiser.keras.like("sklearn")
def _():
    """Pass kernel_initializer=VarianceScaling(1/3, "fan_avg", "uniform") to all layers."""
    import keras

    bounds = []
    for activation, inputs in (("sigmoid", 100), (None, 50)):
        initializer = keras.initializers.VarianceScaling(1 / 3, "fan_avg", "uniform")
        layer = keras.layers.Dense(50, activation, kernel_initializer=initializer)
        layer.build((None, inputs))
        unit = keras.random.uniform((inputs, 50), -1, 1, seed=initializer.seed)
        bounds.append(np.abs(layer.kernel).max() / np.abs(unit).max())
    return np.array(bounds)


@logistic_initialiser.torch
def _():
    import torch

    gain = torch.nn.init.calculate_gain("sigmoid")  # as with a linear layer
    bounds = []
    for layer in (torch.nn.Linear(100, 50), torch.nn.Linear(50, 50)):
        torch.manual_seed(0)
        torch.nn.init.xavier_uniform_(layer.weight, gain)
        torch.manual_seed(0)
        unit = torch.empty(layer.weight.shape).uniform_(-1, 1)
        bounds.append(layer.weight.detach().abs().max() / unit.abs().max())
    return np.array(bounds)


@logistic_initialiser.torch.like("sklearn")
def _():
    """Call xavier_uniform_ with gain=√⅓ on the weights of all layers."""
    import torch

    bounds = []
    for layer in (torch.nn.Linear(100, 50), torch.nn.Linear(50, 50)):
        torch.manual_seed(0)
        torch.nn.init.xavier_uniform_(layer.weight, np.sqrt(1 / 3))
        torch.manual_seed(0)
        unit = torch.empty(layer.weight.shape).uniform_(-1, 1)
        bounds.append(layer.weight.detach().abs().max() / unit.abs().max())
    return np.array(bounds)


linear_start = Card(
    id="linear-start",
    title="Linear models: they start at zero or at random",
    wrong=(
        "scikit-learn's linear models start with all weights zero; a dense layer of one unit, which is the "
        "same model, starts at random. Where the loss is convex and training runs to its end, the start is "
        "forgotten. After a fixed number of epochs, with a perceptron, or with separable classes and no "
        "penalty it is not, and a learning curve begins elsewhere."
    ),
    conventions={
        "sklearn": "w = 0",
        "tensorflow keras": "w ~ U(-a, a),  a = √(6/(in + 1))",
        "torch": "w ~ U(-a, a),  a = 1/√in",
    },
    given=line,
    differs=0.2,
    absent={"numpy": "NumPy has no models; weights start as whoever writes them says"},
    faults=("start-zero",),
    dtype="float32",
)


@linear_start.sklearn
def _(x, y):
    from sklearn.linear_model import SGDRegressor

    model = SGDRegressor(alpha=0)
    model.fit(0 * x, 0 * y)  # no gradient: it stays where it starts
    return np.abs(model.coef_).max()


@linear_start.sklearn.like("keras")
def _(x, y):
    """Pass coef_init, drawn from ±√(6/(in + 1))."""
    from sklearn.linear_model import SGDRegressor

    bound = np.sqrt(6 / (4 + 1))
    start = np.random.RandomState(0).uniform(-bound, bound, 4)
    model = SGDRegressor(alpha=0)
    model.fit(0 * x, 0 * y, coef_init=start)  # no gradient: it stays where it starts
    unit = np.random.RandomState(0).uniform(-1, 1, 4)
    return np.abs(model.coef_).max() / np.abs(unit).max()


@linear_start.sklearn.like("torch")
def _(x, y):
    """Pass coef_init, drawn from ±1/√in."""
    from sklearn.linear_model import SGDRegressor

    bound = 1 / np.sqrt(4)
    start = np.random.RandomState(0).uniform(-bound, bound, 4)
    model = SGDRegressor(alpha=0)
    model.fit(0 * x, 0 * y, coef_init=start)  # no gradient: it stays where it starts
    unit = np.random.RandomState(0).uniform(-1, 1, 4)
    return np.abs(model.coef_).max() / np.abs(unit).max()


@linear_start.tensorflow
def _():
    import tensorflow as tf

    tf.random.set_seed(0)
    w = tf.compat.v1.get_variable("w", (4, 1), tf.float64)
    tf.random.set_seed(0)
    unit = tf.random.uniform((4, 1), -1, 1, tf.float64)
    return np.abs(w).max() / np.abs(unit).max()


@linear_start.tensorflow.like("sklearn")
def _():
    """Pass the initializer zeros_initializer() to get_variable."""
    import tensorflow as tf

    w = tf.compat.v1.get_variable("w", (4, 1), tf.float64, tf.compat.v1.zeros_initializer())
    return np.abs(w).max()


@linear_start.tensorflow.like("torch")
def _():
    """Pass the initializer variance_scaling_initializer(1/3, "fan_in", "uniform") to get_variable."""
    import tensorflow as tf

    initializer = tf.compat.v1.variance_scaling_initializer(1 / 3, "fan_in", "uniform")
    tf.random.set_seed(0)
    w = tf.compat.v1.get_variable("w", (4, 1), tf.float64, initializer)
    tf.random.set_seed(0)
    unit = tf.random.uniform((4, 1), -1, 1, tf.float64)
    return np.abs(w).max() / np.abs(unit).max()


@linear_start.keras
def _():
    import keras

    layer = keras.layers.Dense(1)
    layer.build((None, 4))
    unit = keras.random.uniform((4, 1), -1, 1, seed=layer.kernel_initializer.seed)
    return np.abs(layer.kernel).max() / np.abs(unit).max()


@linear_start.keras.like("sklearn")
def _():
    """Pass kernel_initializer="zeros"."""
    import keras

    layer = keras.layers.Dense(1, kernel_initializer="zeros")
    layer.build((None, 4))
    return np.abs(layer.kernel).max()


@linear_start.keras.like("torch")
def _():
    """Pass kernel_initializer=VarianceScaling(1/3, "fan_in", "uniform")."""
    import keras

    initializer = keras.initializers.VarianceScaling(1 / 3, "fan_in", "uniform")
    layer = keras.layers.Dense(1, kernel_initializer=initializer)
    layer.build((None, 4))
    unit = keras.random.uniform((4, 1), -1, 1, seed=initializer.seed)
    return np.abs(layer.kernel).max() / np.abs(unit).max()


@linear_start.torch
def _():
    import torch

    torch.manual_seed(0)
    layer = torch.nn.Linear(4, 1)
    torch.manual_seed(0)
    unit = torch.empty(1, 4).uniform_(-1, 1)
    return layer.weight.detach().abs().max() / unit.abs().max()


@linear_start.torch.like("sklearn")
def _():
    """Call torch.nn.init.zeros_ on the layer's weight and bias."""
    import torch

    layer = torch.nn.Linear(4, 1)
    torch.nn.init.zeros_(layer.weight)
    torch.nn.init.zeros_(layer.bias)
    return layer.weight.detach().abs().max()


@linear_start.torch.like("keras")
def _():
    """Call torch.nn.init.xavier_uniform_ on the layer's weight."""
    import torch

    layer = torch.nn.Linear(4, 1)
    torch.manual_seed(0)
    torch.nn.init.xavier_uniform_(layer.weight)
    torch.manual_seed(0)
    unit = torch.empty(1, 4).uniform_(-1, 1)
    return layer.weight.detach().abs().max() / unit.abs().max()


initialiser_fans = Card(
    id="initialiser-fans",
    title="He and LeCun initialisers: which axis of a bare array is fan_in",
    wrong=(
        "Keras and TensorFlow read the shape of a kernel as (in, out), PyTorch as (out, in). An initialiser "
        "that is called on a bare array, as in a hand-written layer x @ w, scales by the wrong number in "
        "PyTorch. It does not show in square kernels, nor with Glorot's initialisers, which use the sum of "
        "both."
    ),
    conventions={
        "numpy tensorflow keras": "in = shape[0]",
        "torch": "in = shape[1]",
    },
    given=rows,
    differs=0.1,
    absent={"sklearn": "scikit-learn's initialiser cannot be called, and cannot be chosen"},
    faults=("start-scaled",),
    dtype="float32",
)


@initialiser_fans.numpy
def _():
    shape = (100, 50)
    return np.sqrt(6 / shape[0])


@initialiser_fans.numpy.like("torch")
def _():
    """Take shape[1], not shape[0], for the number of inputs."""
    shape = (100, 50)
    return np.sqrt(6 / shape[1])


@initialiser_fans.tensorflow
def _():
    import tensorflow as tf

    initializer = tf.compat.v1.initializers.he_uniform()
    tf.random.set_seed(0)
    w = initializer((100, 50), tf.float64)
    tf.random.set_seed(0)
    unit = tf.random.uniform((100, 50), -1, 1, tf.float64)
    return np.abs(w).max() / np.abs(unit).max()


@initialiser_fans.tensorflow.like("torch")
def _():
    """Use variance_scaling_initializer(2, "fan_out", "uniform")."""
    import tensorflow as tf

    initializer = tf.compat.v1.variance_scaling_initializer(2, "fan_out", "uniform")
    tf.random.set_seed(0)
    w = initializer((100, 50), tf.float64)
    tf.random.set_seed(0)
    unit = tf.random.uniform((100, 50), -1, 1, tf.float64)
    return np.abs(w).max() / np.abs(unit).max()


@initialiser_fans.keras
def _():
    import keras

    initializer = keras.initializers.HeUniform(seed=0)
    w = initializer((100, 50))
    unit = keras.random.uniform((100, 50), -1, 1, seed=0)
    return np.abs(w).max() / np.abs(unit).max()


@initialiser_fans.keras.like("torch")
def _():
    """Use VarianceScaling(2, "fan_out", "uniform")."""
    import keras

    initializer = keras.initializers.VarianceScaling(2, "fan_out", "uniform", seed=0)
    w = initializer((100, 50))
    unit = keras.random.uniform((100, 50), -1, 1, seed=0)
    return np.abs(w).max() / np.abs(unit).max()


@initialiser_fans.torch
def _():
    import torch

    w = torch.empty(100, 50)
    torch.manual_seed(0)
    torch.nn.init.kaiming_uniform_(w)
    torch.manual_seed(0)
    unit = torch.empty(100, 50).uniform_(-1, 1)
    return w.abs().max() / unit.abs().max()


@initialiser_fans.torch.like("keras")
def _():
    """Pass mode="fan_out", or initialise the transposed kernel."""
    import torch

    w = torch.empty(100, 50)
    torch.manual_seed(0)
    torch.nn.init.kaiming_uniform_(w, mode="fan_out")
    torch.manual_seed(0)
    unit = torch.empty(100, 50).uniform_(-1, 1)
    return w.abs().max() / unit.abs().max()


conv_initialiser = Card(
    id="conv-initialiser",
    title="Convolution: the range of the initial kernel",
    wrong=(
        "As with dense layers, Keras scales by the inputs and the outputs of a position, PyTorch by its "
        "inputs alone. The two meet where there are five times as many outputs as inputs; with equally "
        "many, Keras starts √3 times as large."
    ),
    conventions={
        "numpy tensorflow keras": "W ~ U(-a, a),  a = √(6/(k·k·(in + out)))",
        "torch": "W ~ U(-a, a),  a = 1/√(k·k·in)",
    },
    given=rows,
    differs=0.1,
    absent={"sklearn": "scikit-learn has no convolutions"},
    defaults=("Conv2D.kernel_initializer",),
    faults=("start-scaled",),
    dtype="float32",
)


@conv_initialiser.numpy
def _():
    return np.sqrt(6 / (3 * 3 * (16 + 32)))


@conv_initialiser.numpy.like("torch")
def _():
    """Draw from ±1/√(k·k·in)."""
    return 1 / np.sqrt(3 * 3 * 16)


@conv_initialiser.tensorflow
def _():
    import tensorflow as tf

    tf.random.set_seed(0)
    w = tf.compat.v1.get_variable("w", (3, 3, 16, 32), tf.float64)
    tf.random.set_seed(0)
    unit = tf.random.uniform((3, 3, 16, 32), -1, 1, tf.float64)
    return np.abs(w).max() / np.abs(unit).max()


@conv_initialiser.tensorflow.like("torch")
def _():
    """Pass the initializer variance_scaling_initializer(1/3, "fan_in", "uniform") to get_variable."""
    import tensorflow as tf

    initializer = tf.compat.v1.variance_scaling_initializer(1 / 3, "fan_in", "uniform")
    tf.random.set_seed(0)
    w = tf.compat.v1.get_variable("w", (3, 3, 16, 32), tf.float64, initializer)
    tf.random.set_seed(0)
    unit = tf.random.uniform((3, 3, 16, 32), -1, 1, tf.float64)
    return np.abs(w).max() / np.abs(unit).max()


@conv_initialiser.keras
def _():
    import keras

    layer = keras.layers.Conv2D(32, 3)
    layer.build((None, 8, 8, 16))
    unit = keras.random.uniform((3, 3, 16, 32), -1, 1, seed=layer.kernel_initializer.seed)
    return np.abs(layer.kernel).max() / np.abs(unit).max()


@conv_initialiser.keras.like("torch")
def _():
    """Pass kernel_initializer=VarianceScaling(1/3, "fan_in", "uniform")."""
    import keras

    initializer = keras.initializers.VarianceScaling(1 / 3, "fan_in", "uniform")
    layer = keras.layers.Conv2D(32, 3, kernel_initializer=initializer)
    layer.build((None, 8, 8, 16))
    unit = keras.random.uniform((3, 3, 16, 32), -1, 1, seed=initializer.seed)
    return np.abs(layer.kernel).max() / np.abs(unit).max()


@conv_initialiser.torch
def _():
    import torch

    torch.manual_seed(0)
    layer = torch.nn.Conv2d(16, 32, 3)
    torch.manual_seed(0)
    unit = torch.empty(32, 16, 3, 3).uniform_(-1, 1)
    return layer.weight.detach().abs().max() / unit.abs().max()


@conv_initialiser.torch.like("keras")
def _():
    """Call torch.nn.init.xavier_uniform_ on the layer's weight."""
    import torch

    layer = torch.nn.Conv2d(16, 32, 3)
    torch.manual_seed(0)
    torch.nn.init.xavier_uniform_(layer.weight)
    torch.manual_seed(0)
    unit = torch.empty(32, 16, 3, 3).uniform_(-1, 1)
    return layer.weight.detach().abs().max() / unit.abs().max()


depthwise_initialiser = Card(
    id="depthwise-initialiser",
    title="Depthwise convolution: fan-in of one channel or of all",
    wrong=(
        "Each output of a depthwise convolution sees one channel. PyTorch counts that one; Keras and "
        "TensorFlow read the kernel's shape (k, k, in, multiplier) as that of a full convolution and count "
        "all channels, so kernels start far smaller. Batch normalisation behind the layer hides it at "
        "first; weight decay and the size of a step relative to the weights still differ."
    ),
    conventions={
        "numpy tensorflow keras": "W ~ U(-a, a),  a = √(6/(k·k·(in + multiplier)))",
        "torch": "W ~ U(-a, a),  a = 1/√(k·k)",
    },
    given=rows,
    differs=0.2,
    absent={"sklearn": "scikit-learn has no convolutions"},
    defaults=("DepthwiseConv2D.depthwise_initializer",),
    faults=("start-scaled",),
    dtype="float32",
)


@depthwise_initialiser.numpy
def _():
    return np.sqrt(6 / (3 * 3 * (16 + 1)))


@depthwise_initialiser.numpy.like("torch")
def _():
    """Draw from ±1/√(k·k)."""
    return 1 / np.sqrt(3 * 3)


@depthwise_initialiser.tensorflow
def _():
    import tensorflow as tf

    tf.random.set_seed(0)
    w = tf.compat.v1.get_variable("w", (3, 3, 16, 1), tf.float64)
    tf.random.set_seed(0)
    unit = tf.random.uniform((3, 3, 16, 1), -1, 1, tf.float64)
    return np.abs(w).max() / np.abs(unit).max()


@depthwise_initialiser.tensorflow.like("torch")
def _():
    """Draw the kernel by tf.random.uniform from ±1/√(k·k)."""
    import tensorflow as tf

    bound = 1 / np.sqrt(3 * 3)
    tf.random.set_seed(0)
    w = tf.Variable(tf.random.uniform((3, 3, 16, 1), -bound, bound, tf.float64))
    tf.random.set_seed(0)
    unit = tf.random.uniform((3, 3, 16, 1), -1, 1, tf.float64)
    return np.abs(w).max() / np.abs(unit).max()


@depthwise_initialiser.keras
def _():
    import keras

    layer = keras.layers.DepthwiseConv2D(3)
    layer.build((None, 8, 8, 16))
    unit = keras.random.uniform((3, 3, 16, 1), -1, 1, seed=layer.depthwise_initializer.seed)
    return np.abs(layer.kernel).max() / np.abs(unit).max()


@depthwise_initialiser.keras.like("torch")
def _():
    """Pass depthwise_initializer=RandomUniform(-a, a) with a = 1/√(k·k)."""
    import keras

    initializer = keras.initializers.RandomUniform(-1 / np.sqrt(3 * 3), 1 / np.sqrt(3 * 3))
    layer = keras.layers.DepthwiseConv2D(3, depthwise_initializer=initializer)
    layer.build((None, 8, 8, 16))
    unit = keras.random.uniform((3, 3, 16, 1), -1, 1, seed=initializer.seed)
    return np.abs(layer.kernel).max() / np.abs(unit).max()


@depthwise_initialiser.torch
def _():
    import torch

    torch.manual_seed(0)
    layer = torch.nn.Conv2d(16, 16, 3, groups=16)
    torch.manual_seed(0)
    unit = torch.empty(16, 1, 3, 3).uniform_(-1, 1)
    return layer.weight.detach().abs().max() / unit.abs().max()


@depthwise_initialiser.torch.like("keras")
def _():
    """Call torch.nn.init.uniform_ on the weight, with ±√(6/(k·k·(in + multiplier)))."""
    import torch

    layer = torch.nn.Conv2d(16, 16, 3, groups=16)
    bound = np.sqrt(6 / (3 * 3 * (16 + 1)))
    torch.manual_seed(0)
    torch.nn.init.uniform_(layer.weight, -bound, bound)
    torch.manual_seed(0)
    unit = torch.empty(16, 1, 3, 3).uniform_(-1, 1)
    return layer.weight.detach().abs().max() / unit.abs().max()


embedding_initialiser = Card(
    id="embedding-initialiser",
    title="Embedding: the size of the initial vectors",
    wrong=(
        "Keras draws an embedding from a narrow uniform range, PyTorch from a standard normal. Everything "
        "behind the embedding starts at another scale: attention scores, for one, which are products of two "
        "of them. A learning rate found with one start is rarely right with the other, and with tied output "
        "weights the first loss differs at once."
    ),
    conventions={
        "numpy keras": "W ~ U(-0.05, 0.05):  σ = 0.05/√3",
        "torch": "W ~ N(0, 1):  σ = 1",
    },
    given=rows,
    differs=0.5,
    absent={
        "sklearn": "scikit-learn has no embeddings",
        "tensorflow": "TensorFlow's low level looks up rows of whatever table it is given",
    },
    defaults=("Embedding.embeddings_initializer",),
    dtype="float32",
)


@embedding_initialiser.numpy
def _():
    unit = np.random.default_rng(0).uniform(-1, 1, (100, 50))
    w = np.random.default_rng(0).uniform(-0.05, 0.05, (100, 50))
    return np.std(w) / np.std(unit) / np.sqrt(3)  # σ of the law: that of U(-1, 1) is 1/√3


@embedding_initialiser.numpy.like("torch")
def _():
    """Draw from a standard normal."""
    unit = np.random.default_rng(0).standard_normal((100, 50))
    w = np.random.default_rng(0).normal(0, 1, (100, 50))
    return np.std(w) / np.std(unit)


@embedding_initialiser.keras
def _():
    import keras

    layer = keras.layers.Embedding(100, 50)
    layer.build()
    unit = keras.random.uniform((100, 50), -1, 1, seed=layer.embeddings_initializer.seed)
    return np.std(layer.embeddings) / np.std(unit) / np.sqrt(3)  # σ of the law: that of U(-1, 1) is 1/√3


@embedding_initialiser.keras.like("torch")
def _():
    """Pass embeddings_initializer=RandomNormal(stddev=1)."""
    import keras

    layer = keras.layers.Embedding(100, 50, embeddings_initializer=keras.initializers.RandomNormal(stddev=1))
    layer.build()
    unit = keras.random.normal((100, 50), seed=layer.embeddings_initializer.seed)
    return np.std(layer.embeddings) / np.std(unit)


@embedding_initialiser.torch
def _():
    import torch

    torch.manual_seed(0)
    layer = torch.nn.Embedding(100, 50)
    torch.manual_seed(0)
    unit = torch.randn(100, 50)
    return layer.weight.detach().std() / unit.std()


@embedding_initialiser.torch.like("keras")
def _():
    """Call torch.nn.init.uniform_ on the weight, with ±0.05."""
    import torch

    layer = torch.nn.Embedding(100, 50)
    torch.manual_seed(0)
    torch.nn.init.uniform_(layer.weight, -0.05, 0.05)
    torch.manual_seed(0)
    unit = torch.empty(100, 50).uniform_(-1, 1)
    return layer.weight.detach().std() / unit.std() / np.sqrt(3)


lstm_kernel_initialiser = Card(
    id="lstm-kernel-initialiser",
    title="LSTM and GRU: the range of the initial input kernel",
    wrong=(
        "PyTorch draws every parameter of a recurrent layer from a range that depends on the number of "
        "units alone, so kernels of many inputs start far too large by any usual rule. Keras draws the "
        "input kernel from Glorot's range over all gates at once, which makes it smaller than one per gate "
        "would be."
    ),
    conventions={
        "numpy keras": "W ~ U(-a, a),  a = √(6/(in + 4·units))",
        "torch": "W ~ U(-a, a),  a = 1/√units",
    },
    given=rows,
    differs=0.09,
    absent={
        "sklearn": "scikit-learn has no recurrent layers",
        "tensorflow": "TensorFlow's operations take whatever kernels they are given",
    },
    defaults=("LSTM.kernel_initializer",),
    faults=("start-scaled",),
    dtype="float32",
)


@lstm_kernel_initialiser.numpy
def _():
    return np.sqrt(6 / (100 + 4 * 20))


@lstm_kernel_initialiser.numpy.like("torch")
def _():
    """Draw from ±1/√units."""
    return 1 / np.sqrt(20)


@lstm_kernel_initialiser.keras
def _():
    import keras

    layer = keras.layers.LSTM(20)
    layer.build((None, 5, 100))
    unit = keras.random.uniform((100, 80), -1, 1, seed=layer.cell.kernel_initializer.seed)
    return np.abs(layer.cell.kernel).max() / np.abs(unit).max()


@lstm_kernel_initialiser.keras.like("torch")
def _():
    """Pass RandomUniform(-a, a) with a = 1/√units as kernel_initializer, and as the two others."""
    import keras

    initializer = keras.initializers.RandomUniform(-1 / np.sqrt(20), 1 / np.sqrt(20))
    layer = keras.layers.LSTM(20, kernel_initializer=initializer)
    layer.build((None, 5, 100))
    unit = keras.random.uniform((100, 80), -1, 1, seed=initializer.seed)
    return np.abs(layer.cell.kernel).max() / np.abs(unit).max()


@lstm_kernel_initialiser.torch
def _():
    import torch

    torch.manual_seed(0)
    w, *_ = torch.nn.LSTM(100, 20).parameters()
    torch.manual_seed(0)
    unit = torch.empty(80, 100).uniform_(-1, 1)
    return w.detach().abs().max() / unit.abs().max()


@lstm_kernel_initialiser.torch.like("keras")
def _():
    """Call torch.nn.init.xavier_uniform_ on weight_ih_l0."""
    import torch

    w, *_ = torch.nn.LSTM(100, 20).parameters()
    torch.manual_seed(0)
    torch.nn.init.xavier_uniform_(w)
    torch.manual_seed(0)
    unit = torch.empty(80, 100).uniform_(-1, 1)
    return w.detach().abs().max() / unit.abs().max()


recurrent_initialiser = Card(
    id="recurrent-initialiser",
    title="Recurrent kernel: orthogonal or uniform",
    wrong=(
        "Keras starts recurrent kernels orthogonal, over all gates at once, so that a state keeps its "
        "length; PyTorch starts them uniform, as everything else of the layer. Over long sequences "
        "gradients fade or grow in another way from the first step. What is returned here is whether U·Uᵀ "
        "is the identity."
    ),
    conventions={"numpy keras": "U·Uᵀ = 1,  U: (units, 4·units)", "torch": "U ~ U(-a, a),  a = 1/√units"},
    given=rows,
    differs=0.5,
    absent={
        "sklearn": "scikit-learn has no recurrent layers",
        "tensorflow": "TensorFlow's operations take whatever kernels they are given",
    },
    defaults=("LSTM.recurrent_initializer",),
)


@recurrent_initialiser.numpy
def _():
    q, r = np.linalg.qr(np.random.default_rng(0).standard_normal((80, 20)))
    u = (q * np.sign(np.diag(r))).T
    return np.allclose(u @ u.T, np.eye(20))


@recurrent_initialiser.numpy.like("torch")
def _():
    """Draw from ±1/√units."""
    u = np.random.default_rng(0).uniform(-1 / np.sqrt(20), 1 / np.sqrt(20), (20, 80))
    return np.allclose(u @ u.T, np.eye(20))


@recurrent_initialiser.keras
def _():
    import keras

    layer = keras.layers.LSTM(20)
    layer.build((None, 5, 3))
    u = layer.cell.recurrent_kernel.numpy()
    return np.allclose(u @ u.T, np.eye(20))


@recurrent_initialiser.keras.like("torch")
def _():
    """Pass recurrent_initializer=RandomUniform(-a, a) with a = 1/√units."""
    import keras

    initializer = keras.initializers.RandomUniform(-1 / np.sqrt(20), 1 / np.sqrt(20))
    layer = keras.layers.LSTM(20, recurrent_initializer=initializer)
    layer.build((None, 5, 3))
    u = layer.cell.recurrent_kernel.numpy()
    return np.allclose(u @ u.T, np.eye(20))


@recurrent_initialiser.torch
def _():
    import torch

    _, u, *_ = torch.nn.LSTM(3, 20).parameters()
    return torch.allclose(u.T @ u, torch.eye(20))


@recurrent_initialiser.torch.like("keras")
def _():
    """Call torch.nn.init.orthogonal_ on weight_hh_l0, all gates at once."""
    import torch

    _, u, *_ = torch.nn.LSTM(3, 20).parameters()
    torch.nn.init.orthogonal_(u)
    return torch.allclose(u.T @ u, torch.eye(20))


forget_gate_start = Card(
    id="lstm-forget-bias-start",
    title="LSTM: the forget gate starts open or half open",
    wrong=(
        "Keras starts the biases of an LSTM at zero but for the forget gate's, which start at one, so that "
        "the cell remembers. PyTorch draws two vectors of biases around zero: the gate starts half open, and "
        "the cell loses half of what it holds in every step. On long sequences a PyTorch port may learn late "
        "or never. What is returned here is how far each gate stands open without any input, σ of the mean "
        "of its biases, from which what was drawn at random is taken away."
    ),
    conventions={
        "numpy keras": "b = (0, 1, 0, 0)  for the gates i, f, g, o:  σ(b) = (½, 0.73, ½, ½)",
        "torch": "b_ih, b_hh ~ U(-a, a),  a = 1/√units:  σ(b) = (½, ½, ½, ½) in the mean",
    },
    given=rows,
    differs=0.2,
    absent={
        "sklearn": "scikit-learn has no recurrent layers",
        "tensorflow": "TensorFlow's operations take whatever biases they are given",
    },
    defaults=("LSTM.unit_forget_bias",),
    issues=("pytorch/pytorch#750", "pytorch/pytorch#20102"),
    faults=("start-biases-one",),
)


@forget_gate_start.numpy
def _():
    b = np.zeros((4, 20))
    b[1] = 1
    return 1 / (1 + np.exp(-b.mean(axis=1)))


@forget_gate_start.numpy.like("torch")
def _():
    """Start the bias of the forget gate at zero, too."""
    b = np.zeros((4, 20))
    return 1 / (1 + np.exp(-b.mean(axis=1)))


@forget_gate_start.keras
def _():
    import keras

    layer = keras.layers.LSTM(20)
    layer.build((None, 5, 3))
    return keras.ops.sigmoid(keras.ops.mean(keras.ops.reshape(layer.cell.bias, (4, 20)), axis=1))


@forget_gate_start.keras.like("torch")
def _():
    """Pass unit_forget_bias=False."""
    import keras

    layer = keras.layers.LSTM(20, unit_forget_bias=False)
    layer.build((None, 5, 3))
    return keras.ops.sigmoid(keras.ops.mean(keras.ops.reshape(layer.cell.bias, (4, 20)), axis=1))


@forget_gate_start.torch
def _():
    import torch

    torch.manual_seed(0)
    w, u, b, c = torch.nn.LSTM(3, 20).parameters()
    torch.manual_seed(0)
    drawn = [torch.empty(p.shape).uniform_(-1, 1) / np.sqrt(20) for p in (w, u, b, c)]
    left = b + c - drawn[2] - drawn[3]
    return torch.sigmoid(left.detach().reshape(4, 20).mean(dim=1))


@forget_gate_start.torch.like("keras")
def _():
    """Set bias_ih_l0 and bias_hh_l0 to zero, and the second quarter of one of them to one."""
    import torch

    _, _, b, c = torch.nn.LSTM(3, 20).parameters()
    torch.nn.init.zeros_(b)
    torch.nn.init.zeros_(c)
    torch.nn.init.ones_(b[20:40])
    return torch.sigmoid((b + c).detach().reshape(4, 20).mean(dim=1))


attention_initialiser = Card(
    id="attention-initialiser",
    title="Multi-head attention: the range of the initial projections",
    wrong=(
        "Keras draws each projection from Glorot's range of its own. PyTorch draws those of queries, keys "
        "and values as one stacked matrix, of three times as many outputs, and the output projection as any "
        "Linear: both start smaller. Biases start at zero in both, unlike those of a Linear in PyTorch."
    ),
    conventions={
        "numpy keras": "q, k, v, o ~ U(-a, a),  a = √(6/2E)",
        "torch": "q, k, v ~ U(-a, a),  a = √(6/4E);  o ~ U(-a, a),  a = 1/√E",
    },
    given=rows,
    differs=0.2,
    absent={
        "sklearn": "scikit-learn has no attention",
        "tensorflow": "TensorFlow's low level has no attention",
    },
    defaults=("MultiHeadAttention.kernel_initializer", "MultiHeadAttention.bias_initializer"),
    faults=("start-scaled",),
    dtype="float32",
)


@attention_initialiser.numpy
def _():
    return np.sqrt(6 / (64 + 64)) * np.ones(2)  # of queries, and of the output


@attention_initialiser.numpy.like("torch")
def _():
    """Draw queries, keys and values from ±√(6/4E), the output projection from ±1/√E."""
    return np.array([np.sqrt(6 / (64 + 3 * 64)), 1 / np.sqrt(64)])


@attention_initialiser.keras
def _():
    import keras

    layer = keras.layers.MultiHeadAttention(4, 16)
    layer.build((None, 5, 64), (None, 5, 64))
    bounds = []
    for dense in (layer.query_dense, layer.output_dense):
        unit = keras.random.uniform(dense.kernel.shape, -1, 1, seed=dense.kernel_initializer.seed)
        bounds.append(np.abs(dense.kernel).max() / np.abs(unit).max())
    return np.array(bounds)


@attention_initialiser.keras.like("torch")
def _():
    """Assign draws from ±√(6/4E) to three kernels, q, k and v, and from ±1/√E to the last."""
    import keras

    layer = keras.layers.MultiHeadAttention(4, 16)
    layer.build((None, 5, 64), (None, 5, 64))
    bounds = []
    for dense, bound in ((layer.query_dense, np.sqrt(6 / 256)), (layer.output_dense, 1 / np.sqrt(64))):
        dense.kernel.assign(keras.random.uniform(dense.kernel.shape, -bound, bound, seed=0))
        unit = keras.random.uniform(dense.kernel.shape, -1, 1, seed=0)
        bounds.append(np.abs(dense.kernel).max() / np.abs(unit).max())
    return np.array(bounds)


@attention_initialiser.torch
def _():
    import torch

    layer = torch.nn.MultiheadAttention(64, 4)
    bounds = []
    for reset, w in (
        (layer._reset_parameters, layer.in_proj_weight),
        (layer.out_proj.reset_parameters, layer.out_proj.weight),
    ):
        torch.manual_seed(0)
        reset()
        torch.manual_seed(0)
        unit = torch.empty(w.shape).uniform_(-1, 1)
        bounds.append(w.detach().abs().max() / unit.abs().max())
    return np.array(bounds)


@attention_initialiser.torch.like("keras")
def _():
    """Call xavier_uniform_ on each third of in_proj_weight, and on the weight of out_proj."""
    import torch

    layer = torch.nn.MultiheadAttention(64, 4)
    bounds = []
    for w in (layer.in_proj_weight[:64], layer.out_proj.weight):
        torch.manual_seed(0)
        torch.nn.init.xavier_uniform_(w)
        torch.manual_seed(0)
        unit = torch.empty(64, 64).uniform_(-1, 1)
        bounds.append(w.detach().abs().max() / unit.abs().max())
    return np.array(bounds)


he_normal = Card(
    id="he-normal",
    title="He, Glorot and LeCun normal: truncated or not",
    wrong=(
        "Keras and TensorFlow cut the normal off at two deviations, and widen it beforehand so that the "
        "deviation comes out as the name says; PyTorch cuts nothing. Both have the same variance, so "
        "activations start alike; single large weights occur in PyTorch only. What is returned here is the "
        "deviation of the normal that is drawn from, and whether a weight lies beyond two of them."
    ),
    conventions={
        "numpy torch": "W = σ·n,  σ = √(2/in)",
        "tensorflow keras": "W = σ·n,  σ = √(2/in)/0.8796,  |n| ≤ 2",
    },
    given=rows,
    differs=0.5,
    absent={"sklearn": "scikit-learn has uniform initial weights only"},
    dtype="float32",
)


@he_normal.numpy
def _():
    n = np.random.default_rng(0).standard_normal((100, 50))
    w = np.sqrt(2 / 100) * n
    sigma = w.std() / n.std()
    return np.array([sigma, np.abs(w).max() > 2.01 * sigma])


@he_normal.numpy.like("keras")
def _():
    """Draw again what lies beyond two deviations, and divide by the deviation that is left."""
    from scipy.stats import truncnorm

    n = truncnorm(-2, 2).rvs((100, 50), random_state=0)
    w = np.sqrt(2 / 100) / truncnorm(-2, 2).std() * n
    sigma = w.std() / n.std()
    return np.array([sigma, np.abs(w).max() > 2.01 * sigma])


@he_normal.tensorflow
def _():
    import tensorflow as tf

    tf.random.set_seed(0)
    w = tf.compat.v1.initializers.he_normal()((100, 50), tf.float64)
    tf.random.set_seed(0)
    n = tf.random.truncated_normal((100, 50), dtype=tf.float64)
    sigma = np.std(w) / np.std(n)
    return np.array([sigma, np.abs(w).max() > 2.01 * sigma])


@he_normal.tensorflow.like("torch")
def _():
    """Use variance_scaling_initializer(2, "fan_in", "untruncated_normal")."""
    import tensorflow as tf

    tf.random.set_seed(0)
    initializer = tf.compat.v1.variance_scaling_initializer(2, "fan_in", "untruncated_normal")
    w = initializer((100, 50), tf.float64)
    tf.random.set_seed(0)
    n = tf.random.normal((100, 50), dtype=tf.float64)
    sigma = np.std(w) / np.std(n)
    return np.array([sigma, np.abs(w).max() > 2.01 * sigma])


@he_normal.keras
def _():
    import keras

    w = keras.initializers.HeNormal(seed=0)((100, 50))
    n = keras.random.truncated_normal((100, 50), seed=0)
    sigma = np.std(w) / np.std(n)
    return np.array([sigma, np.abs(w).max() > 2.01 * sigma])


@he_normal.keras.like("torch")
def _():
    """Use VarianceScaling(2, "fan_in", "untruncated_normal")."""
    import keras

    w = keras.initializers.VarianceScaling(2, "fan_in", "untruncated_normal", seed=0)((100, 50))
    n = keras.random.normal((100, 50), seed=0)
    sigma = np.std(w) / np.std(n)
    return np.array([sigma, np.abs(w).max() > 2.01 * sigma])


@he_normal.torch
def _():
    import torch

    w = torch.empty(50, 100)
    torch.manual_seed(0)
    torch.nn.init.kaiming_normal_(w)
    torch.manual_seed(0)
    n = torch.randn(50, 100)
    sigma = w.std() / n.std()
    return np.array([sigma, w.abs().max() > 2.01 * sigma])


@he_normal.torch.like("keras")
def _():
    """Call trunc_normal_ with std=√(2/in)/0.87962566103423978, cut off at ±2 std."""
    import torch

    w, n = torch.empty(50, 100), torch.empty(50, 100)
    std = np.sqrt(2 / 100) / 0.87962566103423978
    torch.manual_seed(0)
    torch.nn.init.trunc_normal_(w, std=std, a=-2 * std, b=2 * std)
    torch.manual_seed(0)
    torch.nn.init.trunc_normal_(n)
    sigma = w.std() / n.std()
    return np.array([sigma, w.abs().max() > 2.01 * sigma])


truncated_normal = Card(
    id="truncated-normal",
    title="Truncated normal: cut off at two deviations, or at ±2",
    wrong=(
        "The bounds of PyTorch's trunc_normal_ are values, not multiples of std: with a small std, as in "
        "transformers, its defaults cut nothing off. Keras and TensorFlow cut at two deviations, whatever "
        "they are. It shows only where std is not 1. What is returned here is whether a weight lies beyond "
        "two deviations."
    ),
    conventions={"numpy tensorflow keras": "|w| ≤ 2·std", "torch": "a ≤ w ≤ b"},
    given=rows,
    differs=0.5,
    absent={"sklearn": "scikit-learn has no truncated normal"},
    defaults=("TruncatedNormal.stddev",),
    issues=("foundation-model-stack/foundation-model-stack#289",),
)


@truncated_normal.numpy
def _():
    from scipy.stats import truncnorm

    w = truncnorm(-2, 2, scale=0.02).rvs((100, 50), random_state=0)
    return np.abs(w).max() > 2.01 * 0.02


@truncated_normal.numpy.like("torch")
def _():
    """Divide the bounds by the deviation."""
    from scipy.stats import truncnorm

    w = truncnorm(-2 / 0.02, 2 / 0.02, scale=0.02).rvs((100, 50), random_state=0)
    return np.abs(w).max() > 2.01 * 0.02


@truncated_normal.tensorflow
def _():
    import tensorflow as tf

    w = tf.random.truncated_normal((100, 50), stddev=0.02)
    return np.abs(w).max() > 2.01 * 0.02


@truncated_normal.tensorflow.like("torch")
def _():
    """Use tf.random.normal: a small std is not cut off."""
    import tensorflow as tf

    w = tf.random.normal((100, 50), stddev=0.02)
    return np.abs(w).max() > 2.01 * 0.02


@truncated_normal.keras
def _():
    import keras

    w = keras.initializers.TruncatedNormal(stddev=0.02)((100, 50))
    return np.abs(w).max() > 2.01 * 0.02


@truncated_normal.keras.like("torch")
def _():
    """Use RandomNormal: a small std is not cut off."""
    import keras

    w = keras.initializers.RandomNormal(stddev=0.02)((100, 50))
    return np.abs(w).max() > 2.01 * 0.02


@truncated_normal.torch
def _():
    import torch

    w = torch.empty(50, 100)
    torch.nn.init.trunc_normal_(w, std=0.02)
    return w.abs().max() > 2.01 * 0.02


@truncated_normal.torch.like("keras")
def _():
    """Pass a=-2·std and b=2·std to trunc_normal_."""
    import torch

    w = torch.empty(50, 100)
    torch.nn.init.trunc_normal_(w, std=0.02, a=-2 * 0.02, b=2 * 0.02)
    return w.abs().max() > 2.01 * 0.02


random_defaults = Card(
    id="random-defaults",
    title="Uniform and normal initialisers: their ranges by default",
    wrong=(
        "Called without arguments, Keras's RandomUniform and RandomNormal are narrow, made for weights; "
        "PyTorch's uniform_ and normal_ and the initialisers of TensorFlow 1 draw from 0 to 1 and from the "
        "standard normal. A start from 0 to 1 is all positive besides, so that all units begin alike. What "
        "is returned here are the ends of the uniform range and the deviation of the normal."
    ),
    conventions={
        "numpy tensorflow torch": "U(0, 1),  N(0, 1)",
        "keras": "U(-0.05, 0.05),  N(0, 0.05²)",
    },
    given=rows,
    differs=0.5,
    absent={"sklearn": "scikit-learn has no random numbers but NumPy's"},
    defaults=("RandomUniform.minval", "RandomUniform.maxval", "RandomNormal.stddev"),
    dtype="float32",
)


@random_defaults.numpy
def _():
    rng = np.random.default_rng
    w, unit = rng(0).uniform(size=99), rng(0).random(99)
    width = np.ptp(w) / np.ptp(unit)
    low = w.min() - width * unit.min()
    std = rng(0).normal(size=99).std() / rng(0).standard_normal(99).std()
    return np.array([low, low + width, std])


@random_defaults.numpy.like("keras")
def _():
    """Pass the bounds ±0.05 and the deviation 0.05."""
    rng = np.random.default_rng
    w, unit = rng(0).uniform(-0.05, 0.05, 99), rng(0).random(99)
    width = np.ptp(w) / np.ptp(unit)
    low = w.min() - width * unit.min()
    std = rng(0).normal(0, 0.05, 99).std() / rng(0).standard_normal(99).std()
    return np.array([low, low + width, std])


@random_defaults.tensorflow
def _():
    import tensorflow as tf

    uniform, normal = tf.compat.v1.random_uniform_initializer(), tf.compat.v1.random_normal_initializer()
    tf.random.set_seed(0)
    w, n = uniform((99,), tf.float64), normal((99,), tf.float64)
    tf.random.set_seed(0)
    unit, standard = tf.random.uniform((99,), dtype=tf.float64), tf.random.normal((99,), dtype=tf.float64)
    width = np.ptp(w) / np.ptp(unit)
    low = np.min(w) - width * np.min(unit)
    return np.array([low, low + width, np.std(n) / np.std(standard)])


@random_defaults.tensorflow.like("keras")
def _():
    """Pass minval=-0.05 and maxval=0.05, and stddev=0.05."""
    import tensorflow as tf

    uniform = tf.compat.v1.random_uniform_initializer(-0.05, 0.05)
    normal = tf.compat.v1.random_normal_initializer(stddev=0.05)
    tf.random.set_seed(0)
    w, n = uniform((99,), tf.float64), normal((99,), tf.float64)
    tf.random.set_seed(0)
    unit, standard = tf.random.uniform((99,), dtype=tf.float64), tf.random.normal((99,), dtype=tf.float64)
    width = np.ptp(w) / np.ptp(unit)
    low = np.min(w) - width * np.min(unit)
    return np.array([low, low + width, np.std(n) / np.std(standard)])


@random_defaults.keras
def _():
    import keras

    w, unit = keras.initializers.RandomUniform(seed=0)((99,)), keras.random.uniform((99,), seed=0)
    n, standard = keras.initializers.RandomNormal(seed=0)((99,)), keras.random.normal((99,), seed=0)
    width = np.ptp(w) / np.ptp(unit)
    low = np.min(w) - width * np.min(unit)
    return np.array([low, low + width, np.std(n) / np.std(standard)])


@random_defaults.keras.like("torch")
def _():
    """Pass minval=0 and maxval=1, and stddev=1."""
    import keras

    w, unit = keras.initializers.RandomUniform(0, 1, seed=0)((99,)), keras.random.uniform((99,), seed=0)
    n = keras.initializers.RandomNormal(stddev=1, seed=0)((99,))
    standard = keras.random.normal((99,), seed=0)
    width = np.ptp(w) / np.ptp(unit)
    low = np.min(w) - width * np.min(unit)
    return np.array([low, low + width, np.std(n) / np.std(standard)])


@random_defaults.torch
def _():
    import torch

    torch.manual_seed(0)
    w, n = torch.nn.init.uniform_(torch.empty(99)), torch.nn.init.normal_(torch.empty(99))
    torch.manual_seed(0)
    unit, standard = torch.rand(99), torch.randn(99)
    width = np.ptp(w.numpy()) / np.ptp(unit.numpy())
    low = w.min() - width * unit.min()
    return np.array([low, low + width, n.std() / standard.std()])


@random_defaults.torch.like("keras")
def _():
    """Pass a=-0.05 and b=0.05 to uniform_, and std=0.05 to normal_."""
    import torch

    torch.manual_seed(0)
    w = torch.nn.init.uniform_(torch.empty(99), -0.05, 0.05)
    n = torch.nn.init.normal_(torch.empty(99), std=0.05)
    torch.manual_seed(0)
    unit, standard = torch.rand(99), torch.randn(99)
    width = np.ptp(w.numpy()) / np.ptp(unit.numpy())
    low = w.min() - width * unit.min()
    return np.array([low, low + width, n.std() / standard.std()])


seed_restarts = Card(
    id="seed-restarts",
    title="An integer as seed, used twice: the same numbers again",
    wrong=(
        "An initialiser of Keras with an integer seed starts anew at each call, and so do keras.random and "
        "whatever takes a random_state in scikit-learn. Two layers of one shape that share the initialiser "
        "start as copies of each other, noise drawn in a training step is the same noise in each step, and "
        "runs that were meant to differ are the same run. In the others a seed sets a generator once, which "
        "then goes on. What is returned here is whether two initial kernels are equal, and two draws of "
        "noise (two shuffles in scikit-learn)."
    ),
    conventions={
        "numpy tensorflow torch": "the second draw goes on where the first ended",
        "sklearn keras": "the second draw is the first again",
    },
    given=rows,
    differs=0.5,
    issues=("tensorflow/tensorflow#62577", "keras-team/keras-hub#352"),
    faults=("start-other-seed", "order-shuffled-once"),
)


@seed_restarts.numpy
def _():
    rng = np.random.default_rng(0)
    pairs = [(rng.uniform(size=9), rng.normal(size=9)) for _ in range(2)]
    return [np.array_equal(*draws) for draws in zip(*pairs, strict=True)]


@seed_restarts.numpy.like("keras")
def _():
    """Make a generator anew for each draw."""
    pairs = []
    for _ in range(2):
        rng = np.random.default_rng(0)
        pairs.append((rng.uniform(size=9), rng.normal(size=9)))
    return [np.array_equal(*draws) for draws in zip(*pairs, strict=True)]


@seed_restarts.sklearn
def _(x, y):
    from sklearn.neural_network import MLPRegressor
    from sklearn.utils import shuffle

    model = MLPRegressor(hidden_layer_sizes=(), learning_rate_init=1e-300, max_iter=1, random_state=0)
    pairs = [(model.fit(x, y).coefs_[0], shuffle(x, random_state=0)) for _ in range(2)]
    return [np.array_equal(*draws) for draws in zip(*pairs, strict=True)]


@seed_restarts.sklearn.like("torch")
def _(x, y):
    """Pass random_state=np.random.RandomState(0), not an integer."""
    from sklearn.neural_network import MLPRegressor
    from sklearn.utils import shuffle

    rng = np.random.RandomState(0)
    model = MLPRegressor(hidden_layer_sizes=(), learning_rate_init=1e-300, max_iter=1, random_state=rng)
    pairs = [(model.fit(x, y).coefs_[0], shuffle(x, random_state=rng)) for _ in range(2)]
    return [np.array_equal(*draws) for draws in zip(*pairs, strict=True)]


@seed_restarts.tensorflow
def _():
    import tensorflow as tf

    initializer = tf.compat.v1.glorot_uniform_initializer(seed=0)
    pairs = [(initializer((3, 3)), tf.random.normal((9,), seed=0)) for _ in range(2)]
    return [np.array_equal(*draws) for draws in zip(*pairs, strict=True)]


@seed_restarts.tensorflow.like("keras")
def _():
    """Call tf.random.set_seed before each draw."""
    import tensorflow as tf

    initializer = tf.compat.v1.glorot_uniform_initializer(seed=0)
    pairs = []
    for _ in range(2):
        tf.random.set_seed(0)
        pairs.append((initializer((3, 3)), tf.random.normal((9,), seed=0)))
    return [np.array_equal(*draws) for draws in zip(*pairs, strict=True)]


@seed_restarts.keras
def _():
    import keras

    initializer = keras.initializers.GlorotUniform(seed=0)
    pairs = [(initializer((3, 3)), keras.random.normal((9,), seed=0)) for _ in range(2)]
    return [np.array_equal(*draws) for draws in zip(*pairs, strict=True)]


@seed_restarts.keras.like("torch")
def _():
    """Pass seed=keras.random.SeedGenerator(0), made once, not an integer."""
    import keras

    seed = keras.random.SeedGenerator(0)
    initializer = keras.initializers.GlorotUniform(seed=seed)
    pairs = [(initializer((3, 3)), keras.random.normal((9,), seed=seed)) for _ in range(2)]
    return [np.array_equal(*draws) for draws in zip(*pairs, strict=True)]


@seed_restarts.torch
def _():
    import torch

    torch.manual_seed(0)
    pairs = [(torch.nn.init.xavier_uniform_(torch.empty(3, 3)), torch.randn(9)) for _ in range(2)]
    return [np.array_equal(*draws) for draws in zip(*pairs, strict=True)]


@seed_restarts.torch.like("keras")
def _():
    """Call torch.manual_seed before each draw."""
    import torch

    pairs = []
    for _ in range(2):
        torch.manual_seed(0)
        pairs.append((torch.nn.init.xavier_uniform_(torch.empty(3, 3)), torch.randn(9)))
    return [np.array_equal(*draws) for draws in zip(*pairs, strict=True)]


prelu_start = Card(
    id="prelu-start",
    title="PReLU: the initial slope, zero or positive",
    wrong=(
        "Keras starts the slope of PReLU at zero, so that it begins as a ReLU; PyTorch starts it above "
        "zero. It shows wherever an input is negative, from the first forward pass."
    ),
    conventions={"numpy torch": "y = max(x, 0) + ¼·min(x, 0)", "keras": "y = max(x, 0)"},
    given=signed,
    differs=0.1,
    absent={
        "sklearn": "scikit-learn has no PReLU",
        "tensorflow": "TensorFlow's low level has no PReLU",
    },
    defaults=("PReLU.alpha_initializer",),
)


@prelu_start.numpy
def _(x):
    return np.maximum(x, 0) + 0.25 * np.minimum(x, 0)


@prelu_start.numpy.like("keras")
def _(x):
    """Start with slope 0."""
    return np.maximum(x, 0) + 0 * np.minimum(x, 0)


@prelu_start.keras
def _(x):
    import keras

    return keras.layers.PReLU()(x)


@prelu_start.keras.like("torch")
def _(x):
    """Pass alpha_initializer=keras.initializers.Constant(0.25)."""
    import keras

    return keras.layers.PReLU(alpha_initializer=keras.initializers.Constant(0.25))(x)


@prelu_start.torch
def _(x):
    import torch

    return torch.nn.PReLU()(torch.tensor(x)).detach()


@prelu_start.torch.like("keras")
def _(x):
    """Pass init=0.0."""
    import torch

    return torch.nn.PReLU(init=0.0)(torch.tensor(x)).detach()


prelu_shared = Card(
    id="prelu-shared",
    title="PReLU: one slope for all units or one each",
    wrong=(
        "PyTorch's PReLU has a single slope unless it is told a number, Keras's has one for each element of "
        "an example: behind a convolution one for each position, too, so that their number grows with the "
        "image unless shared_axes is given. The shared slope collects the gradients of all units, so it "
        "moves further. Nothing shows before the first step. Here the slope is trained on the sum of the "
        "outputs."
    ),
    conventions={
        "numpy torch": "a -= η·Σ min(x, 0) over rows and units",
        "keras": "a_j -= η·Σ min(x_j, 0) over rows",
    },
    given=signed,
    differs=0.3,
    absent={
        "sklearn": "scikit-learn has no PReLU",
        "tensorflow": "TensorFlow's low level has no PReLU",
    },
    defaults=("PReLU.shared_axes", "PReLU.num_parameters"),
)


@prelu_shared.numpy
def _(x):
    a = 0.25
    for _ in range(100):
        a = a - 0.01 * np.minimum(x, 0).sum()
        yield a * np.ones(3)


@prelu_shared.numpy.like("keras")
def _(x):
    """Sum over the rows only."""
    a = 0.25
    for _ in range(100):
        a = a - 0.01 * np.minimum(x, 0).sum(axis=0)
        yield a * np.ones(3)


@prelu_shared.keras
def _(x):
    import keras
    import tensorflow as tf

    layer = keras.layers.PReLU(alpha_initializer=keras.initializers.Constant(0.25))
    layer.build(x.shape)
    for _ in range(100):
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(layer(x))
        layer.alpha.assign_sub(np.float64(0.01) * tape.gradient(loss, layer.alpha.value))
        yield layer.alpha.numpy() * np.ones(3)


@prelu_shared.keras.like("torch")
def _(x):
    """Pass shared_axes: all axes but the first (shared_axes=[1] for rows)."""
    import keras
    import tensorflow as tf

    layer = keras.layers.PReLU(alpha_initializer=keras.initializers.Constant(0.25), shared_axes=[1])
    layer.build(x.shape)
    for _ in range(100):
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(layer(x))
        layer.alpha.assign_sub(np.float64(0.01) * tape.gradient(loss, layer.alpha.value))
        yield layer.alpha.numpy() * np.ones(3)


@prelu_shared.torch
def _(x):
    import torch

    layer = torch.nn.PReLU()
    optimizer = torch.optim.SGD(layer.parameters(), lr=0.01)
    for _ in range(100):
        optimizer.zero_grad()
        layer(torch.tensor(x)).sum().backward()
        optimizer.step()
        yield layer.weight.detach().numpy() * np.ones(3)


@prelu_shared.torch.like("keras")
def _(x):
    """Pass num_parameters, the number of units."""
    import torch

    layer = torch.nn.PReLU(num_parameters=3)
    optimizer = torch.optim.SGD(layer.parameters(), lr=0.01)
    for _ in range(100):
        optimizer.zero_grad()
        layer(torch.tensor(x)).sum().backward()
        optimizer.step()
        yield layer.weight.detach().numpy() * np.ones(3)
