"""Adaptive optimizers: RMSprop, Adam and their relatives."""

import numpy as np

from backends.base import Arrays
from guide import given
from guide.card import Card


def tiny_gradients() -> Arrays:
    """As `descent`, `start` (6,) and `gradients` (100, 6), with gradients a ten-thousandth as large."""
    numbers = given.descent()
    return {"start": numbers["start"], "gradients": 1e-4 * numbers["gradients"]}


def from_zero() -> Arrays:
    """As `descent`, with `start` (6,) at zero and `gradients` (100, 6) a hundred times as large."""
    numbers = given.descent()
    return {"start": np.zeros(6), "gradients": 100 * numbers["gradients"]}


def lookups() -> Arrays:
    """A table `start` (4, 3); the `rows` (100, 2) of it that each step uses, and their `gradients` (100, 2, 3)."""
    rng = np.random.default_rng(3)
    rows = np.array([rng.choice(4, 2, replace=False) for _ in range(given.STEPS)])
    return {
        "start": rng.standard_normal((4, 3)),
        "rows": rows,
        "gradients": rng.standard_normal((given.STEPS, 2, 3)),
    }


adam_epsilon = Card(
    id="adam-epsilon",
    title="Adam: where ε goes",
    wrong=(
        "ε has the same name everywhere and stands in two places. PyTorch adds it to the root of the "
        "corrected second moment, as algorithm 1 of the paper does; Keras, TensorFlow and scikit-learn add "
        "it to the root of the moment itself, the paper's ε̂, which in the first step acts as an ε some 30 "
        "times as large. It shows wherever gradients are small, and in every first step."
    ),
    conventions={
        "numpy torch": "w -= η · m̂ / (√v̂ + ε),  m̂ = m/(1-β₁ᵗ),  v̂ = v/(1-β₂ᵗ)",
        "sklearn tensorflow keras": "w -= η·√(1-β₂ᵗ)/(1-β₁ᵗ) · m / (√v + ε)",
    },
    given=given.descent,
    differs=6e-6,
    defaults=("Adam.learning_rate", "Adam.beta_1", "Adam.beta_2", "Adam.epsilon"),
    issues=("tensorflow/tensorflow#9047", "keras-team/keras#17391", "HorizonRobotics/alf#466"),
    faults=("epsilon-hat",),
)


@adam_epsilon.numpy
def _(start, gradients):
    w, m, v = start, 0.0, 0.0
    for t, g in enumerate(gradients, 1):
        m = 0.9 * m + 0.1 * g
        v = 0.999 * v + (1 - 0.999) * g**2
        w = w - 0.01 * m / (1 - 0.9**t) / (np.sqrt(v / (1 - 0.999**t)) + 1e-7)
        yield w


@adam_epsilon.numpy.like("keras")
def _(start, gradients):
    """Add ε to the root of v itself, and correct both moments afterwards."""
    w, m, v = start, 0.0, 0.0
    for t, g in enumerate(gradients, 1):
        m = 0.9 * m + 0.1 * g
        v = 0.999 * v + (1 - 0.999) * g**2
        rate = 0.01 * np.sqrt(1 - 0.999**t) / (1 - 0.9**t)
        w = w - rate * m / (np.sqrt(v) + 1e-7)
        yield w


@adam_epsilon.sklearn
def _(start, gradients):
    from sklearn.neural_network._stochastic_optimizers import AdamOptimizer

    optimizer = AdamOptimizer([start], 0.01, beta_1=0.9, beta_2=0.999, epsilon=1e-7)
    for g in gradients:
        optimizer.update_params([start], [g])  # in place
        yield start


@adam_epsilon.sklearn.like("torch")
def _(start, gradients):
    """Before each step, multiply ε by √(1-β₂ᵗ)."""
    from sklearn.neural_network._stochastic_optimizers import AdamOptimizer

    optimizer = AdamOptimizer([start], 0.01, beta_1=0.9, beta_2=0.999)
    for t, g in enumerate(gradients, 1):
        optimizer.epsilon = 1e-7 * np.sqrt(1 - 0.999**t)
        optimizer.update_params([start], [g])
        yield start


@adam_epsilon.tensorflow
def _(start, gradients):
    import tensorflow as tf

    w = tf.Variable(start)
    f = np.float64  # a Python number would be rounded to float32
    optimizer = tf.compat.v1.train.AdamOptimizer(f(0.01), f(0.9), f(0.999), f(1e-7))
    for g in gradients:
        optimizer.apply_gradients([(tf.constant(g), w)])
        yield w.numpy()


@adam_epsilon.tensorflow.like("torch")
def _(start, gradients):
    """Before each step, multiply ε by √(1-β₂ᵗ)."""
    import tensorflow as tf

    w = tf.Variable(start)
    f = np.float64
    optimizer = tf.compat.v1.train.AdamOptimizer(
        f(0.01), f(0.9), f(0.999), epsilon=lambda: 1e-7 * np.sqrt(1 - 0.999**t)
    )
    for t, g in enumerate(gradients, 1):
        optimizer.apply_gradients([(tf.constant(g), w)])
        yield w.numpy()


@adam_epsilon.keras
def _(start, gradients):
    import keras

    w = keras.Variable(start)
    f = np.float64  # a Python number would be rounded to float32
    optimizer = keras.optimizers.Adam(0.01, f(0.9), f(0.999), epsilon=1e-7)
    optimizer.build([w])
    for g in gradients:
        optimizer.apply([g], [w])
        yield w.numpy()


@adam_epsilon.keras.like("torch")
def _(start, gradients):
    """Before each step, multiply ε by √(1-β₂ᵗ)."""
    import keras

    w = keras.Variable(start)
    f = np.float64
    optimizer = keras.optimizers.Adam(0.01, f(0.9), f(0.999))
    optimizer.build([w])
    for t, g in enumerate(gradients, 1):
        optimizer.epsilon = 1e-7 * np.sqrt(1 - 0.999**t)
        optimizer.apply([g], [w])
        yield w.numpy()


@adam_epsilon.torch
def _(start, gradients):
    import torch

    w = torch.tensor(start)
    optimizer = torch.optim.Adam([w], lr=0.01, betas=(0.9, 0.999), eps=1e-7)
    for g in gradients:
        w.grad = torch.tensor(g)
        optimizer.step()
        yield w.numpy()


@adam_epsilon.torch.like("keras")
def _(start, gradients):
    """Before each step, divide ε by √(1-β₂ᵗ)."""
    import torch

    w = torch.tensor(start)
    optimizer = torch.optim.Adam([w], lr=0.01, betas=(0.9, 0.999))
    for t, g in enumerate(gradients, 1):
        optimizer.param_groups[0]["eps"] = 1e-7 / np.sqrt(1 - 0.999**t)
        w.grad = torch.tensor(g)
        optimizer.step()
        yield w.numpy()


adam_defaults = Card(
    id="adam-defaults",
    title="Adam: its default ε",
    wrong=(
        "The learning rate and both β have the same defaults everywhere; ε does not, and Keras's is the "
        "largest, at the place where it counts most. An Adam without arguments is therefore three different "
        "optimizers. Gradients that are large beside ε hide it; in the last layers of a network that fits "
        "well, or behind a loss averaged over many outputs, they are not."
    ),
    conventions={
        "keras": "√v + 1e-7",
        "sklearn tensorflow": "√v + 1e-8",
        "numpy torch": "√v̂ + 1e-8",
    },
    given=tiny_gradients,
    differs=9e-4,
    defaults=("Adam.epsilon", "Adam.learning_rate", "Adam.beta_1", "Adam.beta_2"),
    issues=("rwth-i6/returnn#1440", "juntang-zhuang/Adabelief-Optimizer#12"),
    faults=("epsilon-other",),
    dtype="float32",
)


@adam_defaults.numpy
def _(start, gradients):
    w, m, v = start, 0.0, 0.0
    for t, g in enumerate(gradients, 1):
        m = 0.9 * m + 0.1 * g
        v = 0.999 * v + (1 - 0.999) * g**2
        w = w - 0.001 * m / (1 - 0.9**t) / (np.sqrt(v / (1 - 0.999**t)) + 1e-8)
        yield w


@adam_defaults.numpy.like("keras")
def _(start, gradients):
    """Add 1e-7 to the root of v itself."""
    w, m, v = start, 0.0, 0.0
    for t, g in enumerate(gradients, 1):
        m = 0.9 * m + 0.1 * g
        v = 0.999 * v + (1 - 0.999) * g**2
        rate = 0.001 * np.sqrt(1 - 0.999**t) / (1 - 0.9**t)
        w = w - rate * m / (np.sqrt(v) + 1e-7)
        yield w


@adam_defaults.numpy.like("sklearn")
def _(start, gradients):
    """Add 1e-8 to the root of v itself."""
    w, m, v = start, 0.0, 0.0
    for t, g in enumerate(gradients, 1):
        m = 0.9 * m + 0.1 * g
        v = 0.999 * v + (1 - 0.999) * g**2
        rate = 0.001 * np.sqrt(1 - 0.999**t) / (1 - 0.9**t)
        w = w - rate * m / (np.sqrt(v) + 1e-8)
        yield w


@adam_defaults.sklearn
def _(start, gradients):
    from sklearn.neural_network._stochastic_optimizers import AdamOptimizer

    optimizer = AdamOptimizer([start])
    for g in gradients:
        optimizer.update_params([start], [g])  # in place
        yield start


@adam_defaults.sklearn.like("keras")
def _(start, gradients):
    """Pass ε = 1e-7."""
    from sklearn.neural_network._stochastic_optimizers import AdamOptimizer

    optimizer = AdamOptimizer([start], epsilon=1e-7)
    for g in gradients:
        optimizer.update_params([start], [g])
        yield start


@adam_defaults.sklearn.like("torch")
def _(start, gradients):
    """Before each step, set ε to 1e-8·√(1-β₂ᵗ)."""
    from sklearn.neural_network._stochastic_optimizers import AdamOptimizer

    optimizer = AdamOptimizer([start])
    for t, g in enumerate(gradients, 1):
        optimizer.epsilon = 1e-8 * np.sqrt(1 - 0.999**t)
        optimizer.update_params([start], [g])
        yield start


@adam_defaults.tensorflow
def _(start, gradients):
    import tensorflow as tf

    w = tf.Variable(start)
    optimizer = tf.compat.v1.train.AdamOptimizer()
    for g in gradients:
        optimizer.apply_gradients([(tf.constant(g), w)])
        yield w.numpy()


@adam_defaults.tensorflow.like("keras")
def _(start, gradients):
    """Pass ε = 1e-7."""
    import tensorflow as tf

    w = tf.Variable(start)
    optimizer = tf.compat.v1.train.AdamOptimizer(epsilon=1e-7)
    for g in gradients:
        optimizer.apply_gradients([(tf.constant(g), w)])
        yield w.numpy()


@adam_defaults.tensorflow.like("torch")
def _(start, gradients):
    """Before each step, set ε to 1e-8·√(1-β₂ᵗ)."""
    import tensorflow as tf

    w = tf.Variable(start)
    optimizer = tf.compat.v1.train.AdamOptimizer(epsilon=lambda: 1e-8 * np.sqrt(1 - 0.999**t))
    for t, g in enumerate(gradients, 1):
        optimizer.apply_gradients([(tf.constant(g), w)])
        yield w.numpy()


@adam_defaults.keras
def _(start, gradients):
    import keras

    w = keras.Variable(start)
    optimizer = keras.optimizers.Adam()
    optimizer.build([w])
    for g in gradients:
        optimizer.apply([g], [w])
        yield w.numpy()


@adam_defaults.keras.like("sklearn")
def _(start, gradients):
    """Pass ε = 1e-8."""
    import keras

    w = keras.Variable(start)
    optimizer = keras.optimizers.Adam(epsilon=1e-8)
    optimizer.build([w])
    for g in gradients:
        optimizer.apply([g], [w])
        yield w.numpy()


@adam_defaults.keras.like("torch")
def _(start, gradients):
    """Before each step, set ε to 1e-8·√(1-β₂ᵗ)."""
    import keras

    w = keras.Variable(start)
    optimizer = keras.optimizers.Adam()
    optimizer.build([w])
    for t, g in enumerate(gradients, 1):
        optimizer.epsilon = 1e-8 * np.sqrt(1 - 0.999**t)
        optimizer.apply([g], [w])
        yield w.numpy()


@adam_defaults.torch
def _(start, gradients):
    import torch

    w = torch.tensor(start)
    optimizer = torch.optim.Adam([w])
    for g in gradients:
        w.grad = torch.tensor(g)
        optimizer.step()
        yield w.numpy()


@adam_defaults.torch.like("keras")
def _(start, gradients):
    """Before each step, set ε to 1e-7/√(1-β₂ᵗ)."""
    import torch

    w = torch.tensor(start)
    optimizer = torch.optim.Adam([w])
    for t, g in enumerate(gradients, 1):
        optimizer.param_groups[0]["eps"] = 1e-7 / np.sqrt(1 - 0.999**t)
        w.grad = torch.tensor(g)
        optimizer.step()
        yield w.numpy()


@adam_defaults.torch.like("sklearn")
def _(start, gradients):
    """Before each step, set ε to 1e-8/√(1-β₂ᵗ)."""
    import torch

    w = torch.tensor(start)
    optimizer = torch.optim.Adam([w])
    for t, g in enumerate(gradients, 1):
        optimizer.param_groups[0]["eps"] = 1e-8 / np.sqrt(1 - 0.999**t)
        w.grad = torch.tensor(g)
        optimizer.step()
        yield w.numpy()


rmsprop_epsilon = Card(
    id="rmsprop-epsilon",
    title="RMSprop: where ε goes",
    wrong=(
        "Keras and TensorFlow add ε to the mean square, under the root; PyTorch adds it to the root. The "
        "smallest denominator is thus √ε in one and ε in the other, which for a usual ε are some three "
        "thousandfold apart. Parameters with small gradients take much larger steps in PyTorch. Reinforcement "
        "learning and older image networks are published with an ε so large that it shows in every step."
    ),
    conventions={
        "numpy tensorflow keras": "w -= η · g / √(s + ε),  s = ρ·s + (1-ρ)·g²",
        "torch": "w -= η · g / (√s + ε)",
    },
    given=given.descent,
    differs=6e-5,
    absent={"sklearn": "scikit-learn has no RMSprop"},
    defaults=("RMSprop.epsilon",),
    issues=(
        "pytorch/pytorch#23796",
        "keras-team/keras#435",
        "chainer/chainer#4754",
        "tensorflow/tensorflow#58412",
        "jax-ml/jax#1427",
    ),
    faults=("epsilon-elsewhere",),
)


@rmsprop_epsilon.numpy
def _(start, gradients):
    w, s = start, 0.0
    for g in gradients:
        s = 0.9 * s + 0.1 * g**2
        w = w - 0.01 * g / np.sqrt(s + 1e-7)
        yield w


@rmsprop_epsilon.numpy.like("torch")
def _(start, gradients):
    """Add ε to the root."""
    w, s = start, 0.0
    for g in gradients:
        s = 0.9 * s + 0.1 * g**2
        w = w - 0.01 * g / (np.sqrt(s) + 1e-7)
        yield w


@rmsprop_epsilon.tensorflow
def _(start, gradients):
    import tensorflow as tf

    w, s, v = tf.Variable(start), tf.Variable(0 * start), tf.Variable(0 * start)
    state = {"var": w.handle, "ms": s.handle, "mom": v.handle}
    numbers = {"lr": 0.01, "rho": 0.9, "momentum": 0.0, "epsilon": 1e-7}
    for g in gradients:
        tf.raw_ops.ResourceApplyRMSProp(**state, **numbers, grad=tf.constant(g))
        yield w.numpy()


@rmsprop_epsilon.tensorflow.like("torch")
def _(start, gradients):
    """Write the update by hand, with ε added to the root."""
    import tensorflow as tf

    w, s = tf.Variable(start), tf.Variable(0 * start)
    for g in gradients:
        s.assign(0.9 * s + 0.1 * g**2)
        w.assign_sub(0.01 * g / (tf.sqrt(s) + 1e-7))
        yield w.numpy()


@rmsprop_epsilon.keras
def _(start, gradients):
    import keras

    w = keras.Variable(start)
    f = np.float64  # a Python number would be rounded to float32
    optimizer = keras.optimizers.RMSprop(0.01, rho=f(0.9), epsilon=f(1e-7))
    optimizer.build([w])
    for g in gradients:
        optimizer.apply([g], [w])
        yield w.numpy()


@rmsprop_epsilon.keras.like("torch")
def _(start, gradients):
    """Override the update, with ε added to the root."""
    import keras

    class RMSprop(keras.optimizers.RMSprop):
        def update_step(self, g, w, rate):
            s = self._velocities[self._get_variable_index(w)]
            s.assign(self.rho * s + (1 - self.rho) * keras.ops.square(g))
            w.assign_sub(rate * g / (keras.ops.sqrt(s) + self.epsilon))

    w = keras.Variable(start)
    optimizer = RMSprop(0.01, rho=np.float64(0.9), epsilon=np.float64(1e-7))
    for g in gradients:
        optimizer.apply([g], [w])
        yield w.numpy()


@rmsprop_epsilon.torch
def _(start, gradients):
    import torch

    w = torch.tensor(start)
    optimizer = torch.optim.RMSprop([w], lr=0.01, alpha=0.9, eps=1e-7)
    for g in gradients:
        w.grad = torch.tensor(g)
        optimizer.step()
        yield w.numpy()


@rmsprop_epsilon.torch.like("keras")
def _(start, gradients):
    """Keep s + ε in the place of s: start it at ε, and give it back the share of ε that each step takes."""
    import torch

    w, eps, alpha = torch.tensor(start), 1e-7, 0.9
    optimizer = torch.optim.RMSprop([w], lr=0.01, alpha=alpha, eps=0)
    square = torch.full_like(w, eps)
    optimizer.state[w] = {"step": torch.tensor(0.0), "square_avg": square}
    for g in gradients:
        square += eps * (1 - alpha) / alpha
        w.grad = torch.tensor(g)
        optimizer.step()
        yield w.numpy()


rmsprop_defaults = Card(
    id="rmsprop-defaults",
    title="RMSprop: the default learning rate and ρ",
    wrong=(
        "PyTorch's default learning rate is ten times Keras's, and its α, which is Keras's ρ, forgets ten "
        "times more slowly. Starting from a mean square of zero, a slower one also makes the first steps "
        "larger. A model that trains with Keras's RMSprop() may well diverge with PyTorch's."
    ),
    conventions={"numpy keras": "η = 0.001, ρ = 0.9", "torch": "η = 0.01, α = 0.99"},
    given=from_zero,
    differs=0.5,
    absent={
        "sklearn": "scikit-learn has no RMSprop",
        "tensorflow": "RMSPropOptimizer has no default learning rate",
    },
    defaults=("RMSprop.learning_rate", "RMSprop.rho"),
    issues=("openai/baselines#857", "google/flax#239"),
    faults=("rho-other",),
    dtype="float32",
)


@rmsprop_defaults.numpy
def _(start, gradients):
    w, s = start, 0.0
    for g in gradients:
        s = 0.9 * s + 0.1 * g**2
        w = w - 0.001 * g / np.sqrt(s)
        yield w


@rmsprop_defaults.numpy.like("torch")
def _(start, gradients):
    """Take η = 0.01 and ρ = 0.99."""
    w, s = start, 0.0
    for g in gradients:
        s = 0.99 * s + 0.01 * g**2
        w = w - 0.01 * g / np.sqrt(s)
        yield w


@rmsprop_defaults.keras
def _(start, gradients):
    import keras

    w = keras.Variable(start)
    optimizer = keras.optimizers.RMSprop()
    optimizer.build([w])
    for g in gradients:
        optimizer.apply([g], [w])
        yield w.numpy()


@rmsprop_defaults.keras.like("torch")
def _(start, gradients):
    """Pass the learning rate and ρ."""
    import keras

    w = keras.Variable(start)
    optimizer = keras.optimizers.RMSprop(0.01, rho=0.99)
    optimizer.build([w])
    for g in gradients:
        optimizer.apply([g], [w])
        yield w.numpy()


@rmsprop_defaults.torch
def _(start, gradients):
    import torch

    w = torch.tensor(start)
    optimizer = torch.optim.RMSprop([w])
    for g in gradients:
        w.grad = torch.tensor(g)
        optimizer.step()
        yield w.numpy()


@rmsprop_defaults.torch.like("keras")
def _(start, gradients):
    """Pass the learning rate, and ρ as α."""
    import torch

    w = torch.tensor(start)
    optimizer = torch.optim.RMSprop([w], lr=0.001, alpha=0.9)
    for g in gradients:
        w.grad = torch.tensor(g)
        optimizer.step()
        yield w.numpy()


rmsprop_start = Card(
    id="rmsprop-start",
    title="RMSprop: TensorFlow's mean square starts at one",
    wrong=(
        "TensorFlow's own RMSPropOptimizer starts the mean square at one, Keras and PyTorch at zero. From "
        "one, the first steps are too small, as in a warm-up, until the one is forgotten; from zero they are "
        "too large. MobileNet and EfficientNet were trained from one, and PyTorch's model collections bring "
        "an RMSprop of their own for them."
    ),
    conventions={
        "tensorflow": "s₀ = 1,  s = ρ·s + (1-ρ)·g²,  w -= η · g / √s",
        "numpy keras torch": "s₀ = 0",
    },
    given=given.descent,
    differs=0.2,
    absent={"sklearn": "scikit-learn has no RMSprop"},
    issues=("huggingface/pytorch-image-models#225", "tensorflow/tensorflow#40670", "torch/optim#117"),
    faults=("rmsprop-starts-at-one",),
)


@rmsprop_start.numpy
def _(start, gradients):
    w, s = start, 0.0
    for g in gradients:
        s = 0.9 * s + 0.1 * g**2
        w = w - 0.01 * g / np.sqrt(s)
        yield w


@rmsprop_start.numpy.like("tensorflow")
def _(start, gradients):
    """Start the mean square at one."""
    w, s = start, 1.0
    for g in gradients:
        s = 0.9 * s + 0.1 * g**2
        w = w - 0.01 * g / np.sqrt(s)
        yield w


@rmsprop_start.tensorflow
def _(start, gradients):
    import tensorflow as tf

    w = tf.Variable(start)
    f = np.float64  # a Python number would be rounded to float32
    optimizer = tf.compat.v1.train.RMSPropOptimizer(f(0.01), decay=f(0.9), epsilon=f(0))
    for g in gradients:
        optimizer.apply_gradients([(tf.constant(g), w)])
        yield w.numpy()


@rmsprop_start.tensorflow.like("keras")
def _(start, gradients):
    """Call the operation itself, with a mean square of one's own that starts at zero."""
    import tensorflow as tf

    w, s, v = tf.Variable(start), tf.Variable(0 * start), tf.Variable(0 * start)
    state = {"var": w.handle, "ms": s.handle, "mom": v.handle}
    numbers = {"lr": 0.01, "rho": 0.9, "momentum": 0.0, "epsilon": 0.0}
    for g in gradients:
        tf.raw_ops.ResourceApplyRMSProp(**state, **numbers, grad=tf.constant(g))
        yield w.numpy()


@rmsprop_start.keras
def _(start, gradients):
    import keras

    w = keras.Variable(start)
    f = np.float64  # a Python number would be rounded to float32
    optimizer = keras.optimizers.RMSprop(0.01, rho=f(0.9), epsilon=f(0))
    optimizer.build([w])
    for g in gradients:
        optimizer.apply([g], [w])
        yield w.numpy()


@rmsprop_start.keras.like("tensorflow")
def _(start, gradients):
    """Set the mean square to one before the first step."""
    import keras

    w = keras.Variable(start)
    f = np.float64
    optimizer = keras.optimizers.RMSprop(0.01, rho=f(0.9), epsilon=f(0))
    optimizer.build([w])
    optimizer._velocities[0].assign(np.ones(6))
    for g in gradients:
        optimizer.apply([g], [w])
        yield w.numpy()


@rmsprop_start.torch
def _(start, gradients):
    import torch

    w = torch.tensor(start)
    optimizer = torch.optim.RMSprop([w], lr=0.01, alpha=0.9, eps=0)
    for g in gradients:
        w.grad = torch.tensor(g)
        optimizer.step()
        yield w.numpy()


@rmsprop_start.torch.like("tensorflow")
def _(start, gradients):
    """Set the mean square to one before the first step."""
    import torch

    w = torch.tensor(start)
    optimizer = torch.optim.RMSprop([w], lr=0.01, alpha=0.9, eps=0)
    optimizer.state[w] = {"step": torch.tensor(0.0), "square_avg": torch.ones_like(w)}
    for g in gradients:
        w.grad = torch.tensor(g)
        optimizer.step()
        yield w.numpy()


rmsprop_momentum = Card(
    id="rmsprop-momentum",
    title="RMSprop with momentum: a learning rate that changes",
    wrong=(
        "Keras and TensorFlow collect steps in the momentum, learning rate included; PyTorch collects scaled "
        "gradients and multiplies all of them by the present learning rate. While the rate is constant the "
        "two are the same. As soon as a schedule lowers it, Keras coasts on with what it has, where PyTorch "
        "slows down at once."
    ),
    conventions={
        "numpy tensorflow keras": "v = μ·v + η·g/√s,  w -= v",
        "torch": "v = μ·v + g/√s,  w -= η·v",
    },
    given=given.descent,
    differs=0.04,
    absent={"sklearn": "scikit-learn has no RMSprop"},
    defaults=("RMSprop.momentum",),
    issues=("pytorch/pytorch#32545", "pytorch/pytorch#46118"),
)


@rmsprop_momentum.numpy
def _(start, gradients):
    w, s, v = start, 0.0, 0.0
    for t, g in enumerate(gradients):
        rate = 0.01 if t < 5 else 0.005
        s = 0.9 * s + 0.1 * g**2
        v = 0.8 * v + rate * g / np.sqrt(s)
        w = w - v
        yield w


@rmsprop_momentum.numpy.like("torch")
def _(start, gradients):
    """Multiply by the learning rate when the momentum is applied, not when it is collected."""
    w, s, v = start, 0.0, 0.0
    for t, g in enumerate(gradients):
        rate = 0.01 if t < 5 else 0.005
        s = 0.9 * s + 0.1 * g**2
        v = 0.8 * v + g / np.sqrt(s)
        w = w - rate * v
        yield w


@rmsprop_momentum.tensorflow
def _(start, gradients):
    import tensorflow as tf

    w, s, v = tf.Variable(start), tf.Variable(0 * start), tf.Variable(0 * start)
    state = {"var": w.handle, "ms": s.handle, "mom": v.handle}
    numbers = {"rho": 0.9, "momentum": 0.8, "epsilon": 0.0}
    for t, g in enumerate(gradients):
        rate = 0.01 if t < 5 else 0.005
        tf.raw_ops.ResourceApplyRMSProp(**state, **numbers, lr=rate, grad=tf.constant(g))
        yield w.numpy()


@rmsprop_momentum.tensorflow.like("torch")
def _(start, gradients):
    """When the learning rate changes, scale the momentum by new/old."""
    import tensorflow as tf

    w, s, v = tf.Variable(start), tf.Variable(0 * start), tf.Variable(0 * start)
    state = {"var": w.handle, "ms": s.handle, "mom": v.handle}
    numbers = {"rho": 0.9, "momentum": 0.8, "epsilon": 0.0}
    for t, g in enumerate(gradients):
        rate = 0.01 if t < 5 else 0.005
        if t == 5:
            v.assign(v * 0.005 / 0.01)
        tf.raw_ops.ResourceApplyRMSProp(**state, **numbers, lr=rate, grad=tf.constant(g))
        yield w.numpy()


@rmsprop_momentum.keras
def _(start, gradients):
    import keras

    w = keras.Variable(start)
    f = np.float64  # a Python number would be rounded to float32
    optimizer = keras.optimizers.RMSprop(0.01, rho=f(0.9), momentum=f(0.8), epsilon=f(0))
    optimizer.build([w])
    for t, g in enumerate(gradients):
        if t == 5:
            optimizer.learning_rate = 0.005
        optimizer.apply([g], [w])
        yield w.numpy()


@rmsprop_momentum.keras.like("torch")
def _(start, gradients):
    """When the learning rate changes, scale the momentum by new/old."""
    import keras

    w = keras.Variable(start)
    f = np.float64
    optimizer = keras.optimizers.RMSprop(0.01, rho=f(0.9), momentum=f(0.8), epsilon=f(0))
    optimizer.build([w])
    for t, g in enumerate(gradients):
        if t == 5:
            optimizer.learning_rate = 0.005
            v = optimizer._momentums[0]
            v.assign(v * 0.005 / 0.01)
        optimizer.apply([g], [w])
        yield w.numpy()


@rmsprop_momentum.torch
def _(start, gradients):
    import torch

    w = torch.tensor(start)
    optimizer = torch.optim.RMSprop([w], lr=0.01, alpha=0.9, momentum=0.8, eps=0)
    for t, g in enumerate(gradients):
        if t == 5:
            optimizer.param_groups[0]["lr"] = 0.005
        w.grad = torch.tensor(g)
        optimizer.step()
        yield w.numpy()


@rmsprop_momentum.torch.like("keras")
def _(start, gradients):
    """When the learning rate changes, scale the momentum by old/new."""
    import torch

    w = torch.tensor(start)
    optimizer = torch.optim.RMSprop([w], lr=0.01, alpha=0.9, momentum=0.8, eps=0)
    for t, g in enumerate(gradients):
        if t == 5:
            optimizer.param_groups[0]["lr"] = 0.005
            optimizer.state[w]["momentum_buffer"] *= 0.01 / 0.005
        w.grad = torch.tensor(g)
        optimizer.step()
        yield w.numpy()


rmsprop_centred = Card(
    id="rmsprop-centred",
    title="Centred RMSprop: where ε goes",
    wrong=(
        "Centred, RMSprop divides by the spread of the gradient alone, so that ε matters most where the "
        "gradient hardly changes: the difference s - m² then is small or, by rounding, below zero. Keras and "
        "TensorFlow add ε to it under the root and are safe as long as ε is larger than the rounding. PyTorch "
        "takes the root first, and the root of a negative number is NaN."
    ),
    conventions={
        "numpy tensorflow keras": "w -= η · g / √(s - m² + ε),  m = ρ·m + (1-ρ)·g",
        "torch": "w -= η · g / (√(s - m²) + ε)",
    },
    given=given.descent,
    differs=6e-4,
    absent={"sklearn": "scikit-learn has no RMSprop"},
    defaults=("RMSprop.centered", "RMSprop.epsilon"),
    issues=("pytorch/pytorch#23796", "apache/mxnet#6235"),
    faults=("rmsprop-centred", "epsilon-elsewhere"),
)


@rmsprop_centred.numpy
def _(start, gradients):
    w, s, m = start, 0.0, 0.0
    for g in gradients:
        s = 0.9 * s + 0.1 * g**2
        m = 0.9 * m + 0.1 * g
        w = w - 0.01 * g / np.sqrt(s - m**2 + 1e-7)
        yield w


@rmsprop_centred.numpy.like("torch")
def _(start, gradients):
    """Add ε to the root."""
    w, s, m = start, 0.0, 0.0
    for g in gradients:
        s = 0.9 * s + 0.1 * g**2
        m = 0.9 * m + 0.1 * g
        w = w - 0.01 * g / (np.sqrt(s - m**2) + 1e-7)
        yield w


@rmsprop_centred.tensorflow
def _(start, gradients):
    import tensorflow as tf

    w, s, m, v = (tf.Variable(x) for x in (start, 0 * start, 0 * start, 0 * start))
    state = {"var": w.handle, "ms": s.handle, "mg": m.handle, "mom": v.handle}
    numbers = {"lr": 0.01, "rho": 0.9, "momentum": 0.0, "epsilon": 1e-7}
    for g in gradients:
        tf.raw_ops.ResourceApplyCenteredRMSProp(**state, **numbers, grad=tf.constant(g))
        yield w.numpy()


@rmsprop_centred.tensorflow.like("torch")
def _(start, gradients):
    """Write the update by hand, with ε added to the root."""
    import tensorflow as tf

    w, s, m = tf.Variable(start), tf.Variable(0 * start), tf.Variable(0 * start)
    for g in gradients:
        s.assign(0.9 * s + 0.1 * g**2)
        m.assign(0.9 * m + 0.1 * g)
        w.assign_sub(0.01 * g / (tf.sqrt(s - m**2) + 1e-7))
        yield w.numpy()


@rmsprop_centred.keras
def _(start, gradients):
    import keras

    w = keras.Variable(start)
    f = np.float64  # a Python number would be rounded to float32
    optimizer = keras.optimizers.RMSprop(0.01, rho=f(0.9), epsilon=f(1e-7), centered=True)
    optimizer.build([w])
    for g in gradients:
        optimizer.apply([g], [w])
        yield w.numpy()


@rmsprop_centred.keras.like("torch")
def _(start, gradients):
    """Override the update, with ε added to the root."""
    import keras

    class RMSprop(keras.optimizers.RMSprop):
        def update_step(self, g, w, rate):
            index = self._get_variable_index(w)
            s, m = self._velocities[index], self._average_gradients[index]
            s.assign(self.rho * s + (1 - self.rho) * keras.ops.square(g))
            m.assign(self.rho * m + (1 - self.rho) * g)
            w.assign_sub(rate * g / (keras.ops.sqrt(s - m * m) + self.epsilon))

    w = keras.Variable(start)
    optimizer = RMSprop(0.01, rho=np.float64(0.9), epsilon=np.float64(1e-7), centered=True)
    for g in gradients:
        optimizer.apply([g], [w])
        yield w.numpy()


@rmsprop_centred.torch
def _(start, gradients):
    import torch

    w = torch.tensor(start)
    optimizer = torch.optim.RMSprop([w], lr=0.01, alpha=0.9, eps=1e-7, centered=True)
    for g in gradients:
        w.grad = torch.tensor(g)
        optimizer.step()
        yield w.numpy()


@rmsprop_centred.torch.like("keras")
def _(start, gradients):
    """Keep s + ε in the place of s: start it at ε, and give it back the share of ε that each step takes."""
    import torch

    w, eps, alpha = torch.tensor(start), 1e-7, 0.9
    optimizer = torch.optim.RMSprop([w], lr=0.01, alpha=alpha, eps=0, centered=True)
    square, mean = torch.full_like(w, eps), torch.zeros_like(w)
    optimizer.state[w] = {"step": torch.tensor(0.0), "square_avg": square, "grad_avg": mean}
    for g in gradients:
        square += eps * (1 - alpha) / alpha
        w.grad = torch.tensor(g)
        optimizer.step()
        yield w.numpy()
