"""Adaptive optimizers: RMSprop, Adam and their relatives."""

import numpy as np

from backends.base import Arrays
from guide import given
from guide.card import Card


def tiny_gradients() -> Arrays:
    """As `descent`, `start` (6,) and `gradients` (100, 6), with gradients a ten-thousandth as large."""
    rng = np.random.default_rng(1)
    start = rng.standard_normal(6)
    slopes = 1e-4 * np.array([1.0, -0.5, 0.2, -0.1, 0.05, -0.02])
    return {"start": start, "gradients": slopes + 0.3 * np.abs(slopes) * rng.standard_normal((100, 6))}


def from_zero() -> Arrays:
    """As `descent`, with `start` (6,) at zero and `gradients` (100, 6) a hundred times as large."""
    rng = np.random.default_rng(1)
    slopes = 100 * np.array([1.0, -0.5, 0.2, -0.1, 0.05, -0.02])
    return {"start": np.zeros(6), "gradients": slopes + 0.3 * np.abs(slopes) * rng.standard_normal((100, 6))}


def matrices() -> Arrays:
    """A matrix `start` (4, 6) and `gradients` (100, 4, 6)."""
    rng = np.random.default_rng(4)
    return {
        "start": rng.standard_normal((4, 6)),
        "gradients": rng.standard_normal((4, 6)) + rng.standard_normal((100, 4, 6)),
    }


def lookups() -> Arrays:
    """A table `start` (4, 3), the `rows` (100, 2) that each step uses, and their `gradients` (100, 2, 3)."""
    rng = np.random.default_rng(3)
    rows = np.array([rng.choice(4, 2, replace=False) for _ in range(100)])
    return {
        "start": rng.standard_normal((4, 3)),
        "rows": rows,
        "gradients": rng.standard_normal((100, 2, 3)),
    }


adam_epsilon = Card(
    id="adam-epsilon",
    title="Adam: where ε goes",
    wrong=(
        "ε has the same name everywhere and stands in two places. PyTorch adds it to the root of the "
        "corrected second moment, as algorithm 1 of the paper does; Keras, TensorFlow and scikit-learn add "
        "it to the root of the moment itself, the paper's ε̂, which in the first step acts as an ε "
        "1/√(1-β₂) times as large. It shows wherever gradients are small, and in every first step."
    ),
    conventions={
        "numpy torch": "w -= η · m̂ / (√v̂ + ε),  m̂ = m/(1-β₁ᵗ),  v̂ = v/(1-β₂ᵗ)",
        "sklearn tensorflow keras": "w -= η·√(1-β₂ᵗ)/(1-β₁ᵗ) · m / (√v + ε)",
    },
    given=given.descent,
    differs=6e-6,
    defaults=("Adam.learning_rate", "Adam.beta_1", "Adam.beta_2", "Adam.epsilon"),
    issues=(
        "tensorflow/tensorflow#9047",
        "tensorflow/tensorflow#35102",
        "keras-team/keras#17391",
        "pytorch/pytorch#22628",
        "HorizonRobotics/alf#466",
    ),
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
    optimizer = tf.compat.v1.train.AdamOptimizer(f(0.01), f(0.9), f(0.999))
    for t, g in enumerate(gradients, 1):
        optimizer._epsilon = 1e-7 * np.sqrt(1 - 0.999**t)
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
    """Pass epsilon=1e-7."""
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
    """Pass epsilon=1e-7."""
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
    optimizer = tf.compat.v1.train.AdamOptimizer()
    for t, g in enumerate(gradients, 1):
        optimizer._epsilon = 1e-8 * np.sqrt(1 - 0.999**t)
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
    """Pass epsilon=1e-8."""
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
        "smallest denominator is thus √ε in one and ε in the other, which for a usual ε are thousands of "
        "times apart. Parameters with small gradients take much larger steps in PyTorch. Reinforcement "
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
    faults=("epsilon-elsewhere@RMSprop",),
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
    """Write the update by hand: w -= η·g/(√s + ε)."""
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
    optimizer = keras.optimizers.RMSprop(0.01, rho=0.9, epsilon=1e-7)
    optimizer.build([w])
    for g in gradients:
        optimizer.apply([g], [w])
        yield w.numpy()


@rmsprop_epsilon.keras.like("torch")
def _(start, gradients):
    """Override update_step of RMSprop: add ε to the root, not under it."""
    import keras

    class RMSprop(keras.optimizers.RMSprop):
        def update_step(self, g, w, rate):
            s = self._velocities[self._get_variable_index(w)]
            s.assign(self.rho * s + (1 - self.rho) * keras.ops.square(g))
            w.assign_sub(rate * g / (keras.ops.sqrt(s) + self.epsilon))

    w = keras.Variable(start)
    optimizer = RMSprop(0.01, rho=0.9, epsilon=1e-7)
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
    """Pass eps=0, start square_avg at ε, and before each step add ε·(1-α)/α to it."""
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
        "PyTorch's default learning rate is many times Keras's, and its α, which is Keras's ρ under another "
        "name, is nearer to one and forgets more slowly. As the mean square starts at zero, that also makes "
        "the first steps larger. A model that trains with Keras's RMSprop() may well diverge with "
        "PyTorch's."
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
    """Pass learning_rate=0.01 and rho=0.99."""
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
    """Pass lr=0.001 and alpha=0.9, which is Keras's ρ."""
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
        "one, the first steps are too small, as in a warm-up, until the one is forgotten; from zero they "
        "are too large. MobileNet and EfficientNet were trained from one, and PyTorch's model collections "
        "bring an RMSprop of their own for them."
    ),
    conventions={
        "tensorflow": "s₀ = 1,  s = ρ·s + (1-ρ)·g²,  w -= η · g / √s",
        "numpy keras torch": "s₀ = 0,  then the same",
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
    """Call tf.raw_ops.ResourceApplyRMSProp, with a mean square of your own that starts at zero."""
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
    optimizer = keras.optimizers.RMSprop(0.01, rho=0.9, epsilon=0.0)
    optimizer.build([w])
    for g in gradients:
        optimizer.apply([g], [w])
        yield w.numpy()


@rmsprop_start.keras.like("tensorflow")
def _(start, gradients):
    """Build the optimizer, and assign ones to its mean square (_velocities) before the first step."""
    import keras

    w = keras.Variable(start)
    optimizer = keras.optimizers.RMSprop(0.01, rho=0.9, epsilon=0.0)
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
    """Set square_avg in the optimizer's state to ones before the first step."""
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
        "Keras and TensorFlow collect steps in the momentum, learning rate included; PyTorch collects "
        "scaled gradients and multiplies all of them by the present learning rate. While the rate is "
        "constant the two are the same. As soon as a schedule lowers it, Keras coasts on with what it has, "
        "where PyTorch slows down at once."
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
    """When the learning rate changes, multiply the momentum by the new rate over the old."""
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
    optimizer = keras.optimizers.RMSprop(0.01, rho=0.9, momentum=0.8, epsilon=0.0)
    optimizer.build([w])
    for t, g in enumerate(gradients):
        if t == 5:
            optimizer.learning_rate = 0.005
        optimizer.apply([g], [w])
        yield w.numpy()


@rmsprop_momentum.keras.like("torch")
def _(start, gradients):
    """When the learning rate changes, multiply the momentum by the new rate over the old."""
    import keras

    w = keras.Variable(start)
    optimizer = keras.optimizers.RMSprop(0.01, rho=0.9, momentum=0.8, epsilon=0.0)
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
    """When the learning rate changes, multiply momentum_buffer by the old rate over the new."""
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


adagrad_start = Card(
    id="adagrad-start",
    title="Adagrad: where its sum of squares starts",
    wrong=(
        "Keras and TensorFlow start the sum at a small number, PyTorch at zero. From zero, the first step "
        "of every parameter is the whole learning rate, however small its gradient. From more than zero, "
        "parameters with small gradients hardly move at first. The sum never forgets its start, so that the "
        "two stay apart."
    ),
    conventions={
        "tensorflow keras": "s₀ = 0.1,  s = s + g²,  w -= η · g / √s",
        "numpy torch": "s₀ = 0,  then the same",
    },
    given=given.descent,
    differs=0.06,
    absent={"sklearn": "scikit-learn has no Adagrad"},
    defaults=("Adagrad.initial_accumulator_value", "Adagrad.learning_rate"),
    issues=("pytorch/pytorch#6616", "OpenNMT/OpenNMT-py#408"),
    faults=("adagrad-starts-at-a-tenth",),
    dtype="float32",
)


@adagrad_start.numpy
def _(start, gradients):
    w, s = start, 0.0
    for g in gradients:
        s = s + g**2
        w = w - 0.01 * g / np.sqrt(s)
        yield w


@adagrad_start.numpy.like("keras")
def _(start, gradients):
    """Start the sum at 0.1."""
    w, s = start, 0.1
    for g in gradients:
        s = s + g**2
        w = w - 0.01 * g / np.sqrt(s)
        yield w


@adagrad_start.tensorflow
def _(start, gradients):
    import tensorflow as tf

    w = tf.Variable(start)
    optimizer = tf.compat.v1.train.AdagradOptimizer(0.01)
    for g in gradients:
        optimizer.apply_gradients([(tf.constant(g), w)])
        yield w.numpy()


@adagrad_start.tensorflow.like("torch")
def _(start, gradients):
    """Call tf.raw_ops.ResourceApplyAdagradV2, with a sum of your own: AdagradOptimizer refuses 0."""
    import tensorflow as tf

    w, s = tf.Variable(start), tf.Variable(0 * start)
    state = {"var": w.handle, "accum": s.handle}
    for g in gradients:
        tf.raw_ops.ResourceApplyAdagradV2(**state, lr=0.01, epsilon=1e-10, grad=tf.constant(g))
        yield w.numpy()


@adagrad_start.keras
def _(start, gradients):
    import keras

    w = keras.Variable(start)
    optimizer = keras.optimizers.Adagrad(0.01)
    optimizer.build([w])
    for g in gradients:
        optimizer.apply([g], [w])
        yield w.numpy()


@adagrad_start.keras.like("torch")
def _(start, gradients):
    """Pass initial_accumulator_value=0.0 and, for it stands under the root, the square of PyTorch's ε."""
    import keras

    w = keras.Variable(start)
    optimizer = keras.optimizers.Adagrad(0.01, initial_accumulator_value=0.0, epsilon=1e-20)
    optimizer.build([w])
    for g in gradients:
        optimizer.apply([g], [w])
        yield w.numpy()


@adagrad_start.torch
def _(start, gradients):
    import torch

    w = torch.tensor(start)
    optimizer = torch.optim.Adagrad([w], lr=0.01)
    for g in gradients:
        w.grad = torch.tensor(g)
        optimizer.step()
        yield w.numpy()


@adagrad_start.torch.like("keras")
def _(start, gradients):
    """Pass initial_accumulator_value=0.1."""
    import torch

    w = torch.tensor(start)
    optimizer = torch.optim.Adagrad([w], lr=0.01, initial_accumulator_value=0.1)
    for g in gradients:
        w.grad = torch.tensor(g)
        optimizer.step()
        yield w.numpy()


adadelta_defaults = Card(
    id="adadelta-defaults",
    title="Adadelta: default learning rate, ρ and ε",
    wrong=(
        "The rule is the same everywhere, ε under both roots. It was made to need no learning rate, and "
        "PyTorch's default leaves it that way; Keras and TensorFlow multiply each step by a small one. Of "
        "the two other numbers, ε sets how fast Adadelta gets going, since its first steps are as small as "
        "√ε. A model that learns with PyTorch's defaults seems not to learn at all with Keras's."
    ),
    conventions={
        "keras": "w -= 0.001 · g · √(u + ε)/√(s + ε),  ρ = 0.95, ε = 1e-7",
        "tensorflow": "w -= 0.001 · g · √(u + ε)/√(s + ε),  ρ = 0.95, ε = 1e-8",
        "numpy torch": "w -= g · √(u + ε)/√(s + ε),  ρ = 0.9, ε = 1e-6",
    },
    given=from_zero,
    differs=0.3,
    absent={"sklearn": "scikit-learn has no Adadelta"},
    defaults=("Adadelta.learning_rate", "Adadelta.rho", "Adadelta.epsilon"),
    issues=("tensorflow/tensorflow#36785", "tensorflow/tensorflow#32950", "keras-team/keras#3889"),
    dtype="float32",
)


@adadelta_defaults.numpy
def _(start, gradients):
    w, s, u = start, 0.0, 0.0
    for g in gradients:
        s = 0.9 * s + 0.1 * g**2
        change = g * np.sqrt(u + 1e-6) / np.sqrt(s + 1e-6)
        u = 0.9 * u + 0.1 * change**2
        w = w - change
        yield w


@adadelta_defaults.numpy.like("keras")
def _(start, gradients):
    """Take a learning rate of 0.001, ρ = 0.95 and ε = 1e-7."""
    w, s, u = start, 0.0, 0.0
    for g in gradients:
        s = 0.95 * s + 0.05 * g**2
        change = g * np.sqrt(u + 1e-7) / np.sqrt(s + 1e-7)
        u = 0.95 * u + 0.05 * change**2
        w = w - 0.001 * change
        yield w


@adadelta_defaults.numpy.like("tensorflow")
def _(start, gradients):
    """Take a learning rate of 0.001, ρ = 0.95 and ε = 1e-8."""
    w, s, u = start, 0.0, 0.0
    for g in gradients:
        s = 0.95 * s + 0.05 * g**2
        change = g * np.sqrt(u + 1e-8) / np.sqrt(s + 1e-8)
        u = 0.95 * u + 0.05 * change**2
        w = w - 0.001 * change
        yield w


@adadelta_defaults.tensorflow
def _(start, gradients):
    import tensorflow as tf

    w = tf.Variable(start)
    optimizer = tf.compat.v1.train.AdadeltaOptimizer()
    for g in gradients:
        optimizer.apply_gradients([(tf.constant(g), w)])
        yield w.numpy()


@adadelta_defaults.tensorflow.like("keras")
def _(start, gradients):
    """Pass epsilon=1e-7."""
    import tensorflow as tf

    w = tf.Variable(start)
    optimizer = tf.compat.v1.train.AdadeltaOptimizer(epsilon=1e-7)
    for g in gradients:
        optimizer.apply_gradients([(tf.constant(g), w)])
        yield w.numpy()


@adadelta_defaults.tensorflow.like("torch")
def _(start, gradients):
    """Pass learning_rate=1.0, rho=0.9 and epsilon=1e-6."""
    import tensorflow as tf

    w = tf.Variable(start)
    optimizer = tf.compat.v1.train.AdadeltaOptimizer(1.0, rho=0.9, epsilon=1e-6)
    for g in gradients:
        optimizer.apply_gradients([(tf.constant(g), w)])
        yield w.numpy()


@adadelta_defaults.keras
def _(start, gradients):
    import keras

    w = keras.Variable(start)
    optimizer = keras.optimizers.Adadelta()
    optimizer.build([w])
    for g in gradients:
        optimizer.apply([g], [w])
        yield w.numpy()


@adadelta_defaults.keras.like("tensorflow")
def _(start, gradients):
    """Pass epsilon=1e-8."""
    import keras

    w = keras.Variable(start)
    optimizer = keras.optimizers.Adadelta(epsilon=1e-8)
    optimizer.build([w])
    for g in gradients:
        optimizer.apply([g], [w])
        yield w.numpy()


@adadelta_defaults.keras.like("torch")
def _(start, gradients):
    """Pass learning_rate=1.0, rho=0.9 and epsilon=1e-6."""
    import keras

    w = keras.Variable(start)
    optimizer = keras.optimizers.Adadelta(1.0, rho=0.9, epsilon=1e-6)
    optimizer.build([w])
    for g in gradients:
        optimizer.apply([g], [w])
        yield w.numpy()


@adadelta_defaults.torch
def _(start, gradients):
    import torch

    w = torch.tensor(start)
    optimizer = torch.optim.Adadelta([w])
    for g in gradients:
        w.grad = torch.tensor(g)
        optimizer.step()
        yield w.numpy()


@adadelta_defaults.torch.like("keras")
def _(start, gradients):
    """Pass lr=0.001, rho=0.95 and eps=1e-7."""
    import torch

    w = torch.tensor(start)
    optimizer = torch.optim.Adadelta([w], lr=0.001, rho=0.95, eps=1e-7)
    for g in gradients:
        w.grad = torch.tensor(g)
        optimizer.step()
        yield w.numpy()


@adadelta_defaults.torch.like("tensorflow")
def _(start, gradients):
    """Pass lr=0.001, rho=0.95 and eps=1e-8."""
    import torch

    w = torch.tensor(start)
    optimizer = torch.optim.Adadelta([w], lr=0.001, rho=0.95, eps=1e-8)
    for g in gradients:
        w.grad = torch.tensor(g)
        optimizer.step()
        yield w.numpy()


adam_sparse = Card(
    id="adam-sparse",
    title="Adam with sparse gradients: rows that are not looked up",
    wrong=(
        "An embedding's gradient concerns the rows that a batch has looked up. Keras and TensorFlow take "
        "the others to have a gradient of zero: their moments fade, and they go on moving. PyTorch's dense "
        "Adam does the same; its SparseAdam, which takes the gradients of Embedding(sparse=True), leaves "
        "them as they are. It also adds ε as Keras does, and not as PyTorch's Adam. It shows as soon as a "
        "row is missing from one batch."
    ),
    conventions={
        "numpy tensorflow keras": "m = β₁·m + (1-β₁)·g,  w -= …  in all rows, g = 0 in those not looked up",
        "torch": "m = β₁·m + (1-β₁)·g,  w -= …  in the rows looked up",
    },
    given=lookups,
    differs=8e-3,
    absent={"sklearn": "scikit-learn has no sparse gradients"},
    issues=("pytorch/pytorch#1285", "pytorch/pytorch#18404", "tensorflow/tensorflow#6460"),
)


@adam_sparse.numpy
def _(start, rows, gradients):
    w, m, v = start, 0.0, 0.0
    for t, (here, g) in enumerate(zip(rows, gradients, strict=True), 1):
        dense = np.zeros_like(w)
        dense[here] = g
        m = 0.9 * m + 0.1 * dense
        v = 0.999 * v + (1 - 0.999) * dense**2
        w = w - 0.01 * np.sqrt(1 - 0.999**t) / (1 - 0.9**t) * m / (np.sqrt(v) + 1e-7)
        yield w


@adam_sparse.numpy.like("torch")
def _(start, rows, gradients):
    """Update only the rows that were looked up, their moments too."""
    w, m, v = start, np.zeros_like(start), np.zeros_like(start)
    for t, (here, g) in enumerate(zip(rows, gradients, strict=True), 1):
        m[here] = 0.9 * m[here] + 0.1 * g
        v[here] = 0.999 * v[here] + (1 - 0.999) * g**2
        rate = 0.01 * np.sqrt(1 - 0.999**t) / (1 - 0.9**t)
        w[here] -= rate * m[here] / (np.sqrt(v[here]) + 1e-7)
        yield w


@adam_sparse.tensorflow
def _(start, rows, gradients):
    import tensorflow as tf

    w = tf.Variable(start)
    f = np.float64  # a Python number would be rounded to float32
    optimizer = tf.compat.v1.train.AdamOptimizer(f(0.01), f(0.9), f(0.999), f(1e-7))
    for here, g in zip(rows, gradients, strict=True):
        optimizer.apply_gradients([(tf.IndexedSlices(g, here), w)])
        yield w.numpy()


@adam_sparse.tensorflow.like("torch")
def _(start, rows, gradients):
    """Update only the rows that were looked up by hand, their moments too."""
    import tensorflow as tf

    w, m, v = tf.Variable(start), tf.Variable(0 * start), tf.Variable(0 * start)
    for t, (here, g) in enumerate(zip(rows, gradients, strict=True), 1):
        mean = 0.9 * tf.gather(m, here) + 0.1 * g
        square = 0.999 * tf.gather(v, here) + (1 - 0.999) * g**2
        m.scatter_update(tf.IndexedSlices(mean, here))
        v.scatter_update(tf.IndexedSlices(square, here))
        rate = 0.01 * np.sqrt(1 - 0.999**t) / (1 - 0.9**t)
        w.scatter_sub(tf.IndexedSlices(rate * mean / (tf.sqrt(square) + 1e-7), here))
        yield w.numpy()


@adam_sparse.keras
def _(start, rows, gradients):
    import keras
    import tensorflow as tf

    w = keras.Variable(start)
    f = np.float64  # a Python number would be rounded to float32
    optimizer = keras.optimizers.Adam(0.01, f(0.9), f(0.999), epsilon=1e-7)
    optimizer.build([w])
    for here, g in zip(rows, gradients, strict=True):
        optimizer.apply([tf.IndexedSlices(tf.constant(g), here, w.shape)], [w])
        yield w.numpy()


@adam_sparse.keras.like("torch")
def _(start, rows, gradients):
    """After each step, put the rows that were not looked up back, those of the moments too."""
    import keras

    w = keras.Variable(start)
    f = np.float64
    optimizer = keras.optimizers.Adam(0.01, f(0.9), f(0.999), epsilon=1e-7)
    optimizer.build([w])
    for here, g in zip(rows, gradients, strict=True):
        used, dense = np.isin(np.arange(4), here)[:, None], np.zeros((4, 3))
        dense[here] = g
        tables = [w, optimizer._momentums[0], optimizer._velocities[0]]
        before = [np.array(table) for table in tables]
        optimizer.apply([dense], [w])
        for table, old in zip(tables, before, strict=True):
            table.assign(np.where(used, table, old))
        yield w.numpy()


@adam_sparse.torch
def _(start, rows, gradients):
    import torch

    w = torch.tensor(start)
    optimizer = torch.optim.SparseAdam([w], lr=0.01, betas=(0.9, 0.999), eps=1e-7)
    for here, g in zip(torch.tensor(rows), torch.tensor(gradients), strict=True):
        w.grad = torch.sparse_coo_tensor(here[None], g, w.shape)
        optimizer.step()
        yield w.numpy()


@adam_sparse.torch.like("keras")
def _(start, rows, gradients):
    """Make the gradient dense, use Adam, and before each step divide its ε by √(1-β₂ᵗ)."""
    import torch

    w = torch.tensor(start)
    optimizer = torch.optim.Adam([w], lr=0.01, betas=(0.9, 0.999))
    for t, (here, g) in enumerate(zip(torch.tensor(rows), torch.tensor(gradients), strict=True), 1):
        optimizer.param_groups[0]["eps"] = 1e-7 / np.sqrt(1 - 0.999**t)
        w.grad = torch.sparse_coo_tensor(here[None], g, w.shape).to_dense()
        optimizer.step()
        yield w.numpy()


adam_step_count = Card(
    id="adam-step-count",
    title="Adam: the step count of each parameter, or of the optimizer",
    wrong=(
        "Adam corrects its moments by the number of steps. Keras and TensorFlow count the steps of the "
        "optimizer, PyTorch those of each parameter, and a parameter that has no gradient makes none. A "
        "layer that is unfrozen later, or a branch that some batches skip, therefore starts afresh in "
        "PyTorch. In Keras its moments start at zero and are corrected as if they were old: its first steps "
        "are too short if it joins early, and too long if it joins late. Where every parameter has a "
        "gradient in every step, the two are the same."
    ),
    conventions={
        "numpy tensorflow keras": "m̂ = m/(1-β₁ᵗ),  t: steps of the optimizer",
        "torch": "m̂ = m/(1-β₁ᵗ),  t: steps in which the parameter had a gradient",
    },
    given=given.descent,
    differs=6e-3,
    absent={"sklearn": "AdamOptimizer updates all its parameters in each step"},
    issues=("deepspeedai/DeepSpeed#8471",),
)


@adam_step_count.numpy
def _(start, gradients):
    w, m, v = start, np.zeros(6), np.zeros(6)
    for t, g in enumerate(gradients, 1):
        has = slice(0, 6) if t > 5 else slice(0, 3)  # the last three get no gradient in five steps
        m[has] = 0.9 * m[has] + 0.1 * g[has]
        v[has] = 0.999 * v[has] + (1 - 0.999) * g[has] ** 2
        rate = 0.01 * np.sqrt(1 - 0.999**t) / (1 - 0.9**t)
        w[has] -= rate * m[has] / np.sqrt(v[has])
        yield w


@adam_step_count.numpy.like("torch")
def _(start, gradients):
    """Count the steps of each parameter."""
    w, m, v, t = start, np.zeros(6), np.zeros(6), np.zeros(6)
    for step, g in enumerate(gradients, 1):
        has = slice(0, 6) if step > 5 else slice(0, 3)
        t[has] += 1
        m[has] = 0.9 * m[has] + 0.1 * g[has]
        v[has] = 0.999 * v[has] + (1 - 0.999) * g[has] ** 2
        rate = 0.01 * np.sqrt(1 - 0.999 ** t[has]) / (1 - 0.9 ** t[has])
        w[has] -= rate * m[has] / np.sqrt(v[has])
        yield w


@adam_step_count.tensorflow
def _(start, gradients):
    import tensorflow as tf

    w, b = tf.Variable(start[:3]), tf.Variable(start[3:])
    f = np.float64  # a Python number would be rounded to float32
    optimizer = tf.compat.v1.train.AdamOptimizer(f(0.01), f(0.9), f(0.999), f(1e-30))
    for t, g in enumerate(gradients, 1):
        optimizer.apply_gradients([(tf.constant(g[:3]), w), (tf.constant(g[3:]) if t > 5 else None, b)])
        yield np.concatenate([w, b])


@adam_step_count.tensorflow.like("torch")
def _(start, gradients):
    """Give parameters that join later an optimizer of their own."""
    import tensorflow as tf

    w, b = tf.Variable(start[:3]), tf.Variable(start[3:])
    f = np.float64
    optimizer, late = (
        tf.compat.v1.train.AdamOptimizer(f(0.01), f(0.9), f(0.999), f(1e-30)) for _ in range(2)
    )
    for t, g in enumerate(gradients, 1):
        optimizer.apply_gradients([(tf.constant(g[:3]), w)])
        if t > 5:
            late.apply_gradients([(tf.constant(g[3:]), b)])
        yield np.concatenate([w, b])


@adam_step_count.keras
def _(start, gradients):
    import keras

    w, b = keras.Variable(start[:3]), keras.Variable(start[3:])
    f = np.float64  # a Python number would be rounded to float32
    optimizer = keras.optimizers.Adam(0.01, f(0.9), f(0.999), epsilon=1e-30)
    optimizer.build([w, b])
    for t, g in enumerate(gradients, 1):
        optimizer.apply([g[:3], g[3:] if t > 5 else None], [w, b])
        yield np.concatenate([w, b])


@adam_step_count.keras.like("torch")
def _(start, gradients):
    """Give parameters that join later an optimizer of their own."""
    import keras

    w, b = keras.Variable(start[:3]), keras.Variable(start[3:])
    f = np.float64
    optimizer, late = (keras.optimizers.Adam(0.01, f(0.9), f(0.999), epsilon=1e-30) for _ in range(2))
    for t, g in enumerate(gradients, 1):
        optimizer.apply([g[:3]], [w])
        if t > 5:
            late.apply([g[3:]], [b])
        yield np.concatenate([w, b])


@adam_step_count.torch
def _(start, gradients):
    import torch

    w, b = torch.tensor(start[:3]), torch.tensor(start[3:])
    optimizer = torch.optim.Adam([w, b], lr=0.01, betas=(0.9, 0.999), eps=1e-30)
    for t, g in enumerate(gradients, 1):
        w.grad, b.grad = torch.tensor(g[:3]), torch.tensor(g[3:]) if t > 5 else None
        optimizer.step()
        yield np.concatenate([w, b])


@adam_step_count.torch.like("keras")
def _(start, gradients):
    """Give parameters that wait a gradient of zeros, not None: they stay, and their steps are counted."""
    import torch

    w, b = torch.tensor(start[:3]), torch.tensor(start[3:])
    optimizer = torch.optim.Adam([w, b], lr=0.01, betas=(0.9, 0.999), eps=1e-30)
    for t, g in enumerate(gradients, 1):
        w.grad, b.grad = torch.tensor(g[:3]), torch.tensor(g[3:]) if t > 5 else torch.zeros(3)
        optimizer.step()
        yield np.concatenate([w, b])


amsgrad_largest = Card(
    id="amsgrad-largest",
    title="AMSGrad: the largest of which second moment",
    wrong=(
        "The frameworks keep the largest second moment before its bias is corrected, and correct "
        "afterwards. Textbook code, the pseudo-code that PyTorch's manual had for years, and JAX's optax "
        "keep the largest corrected one. An uncorrected moment starts at zero and mostly grows for the "
        "first 1/(1-β₂) steps, so that a framework's AMSGrad is hardly more than Adam for that long; the "
        "other form brakes from the first large gradient on."
    ),
    conventions={
        "numpy": "v̂max = max(v̂max, v/(1-β₂ᵗ)),  w -= η · m̂ / √v̂max",
        "tensorflow keras torch": "vmax = max(vmax, v),  w -= η · m̂ / √(vmax/(1-β₂ᵗ))",
    },
    given=given.descent,
    differs=0.04,
    absent={"sklearn": "scikit-learn's Adam has no AMSGrad"},
    defaults=("Adam.amsgrad",),
    issues=("pytorch/pytorch#142323", "google-deepmind/optax#1423"),
    faults=("amsgrad-of-corrected", "amsgrad-forgotten", "adam-amsgrad"),
)


@amsgrad_largest.numpy
def _(start, gradients):
    w, m, v, largest = start, 0.0, 0.0, 0.0
    for t, g in enumerate(gradients, 1):
        m = 0.9 * m + 0.1 * g
        v = 0.999 * v + (1 - 0.999) * g**2
        largest = np.maximum(largest, v / (1 - 0.999**t))
        w = w - 0.01 * m / (1 - 0.9**t) / np.sqrt(largest)
        yield w


@amsgrad_largest.numpy.like("torch")
def _(start, gradients):
    """Keep the largest v, and correct it afterwards."""
    w, m, v, largest = start, 0.0, 0.0, 0.0
    for t, g in enumerate(gradients, 1):
        m = 0.9 * m + 0.1 * g
        v = 0.999 * v + (1 - 0.999) * g**2
        largest = np.maximum(largest, v)
        w = w - 0.01 * m / (1 - 0.9**t) / np.sqrt(largest / (1 - 0.999**t))
        yield w


@amsgrad_largest.tensorflow
def _(start, gradients):
    import tensorflow as tf

    w, m, v, largest = (tf.Variable(x) for x in (start, 0 * start, 0 * start, 0 * start))
    state = {"var": w.handle, "m": m.handle, "v": v.handle, "vhat": largest.handle}
    numbers = {"lr": 0.01, "beta1": 0.9, "beta2": 0.999, "epsilon": 0.0}
    for t, g in enumerate(gradients, 1):
        powers = {"beta1_power": 0.9**t, "beta2_power": 0.999**t}
        tf.raw_ops.ResourceApplyAdamWithAmsgrad(**state, **numbers, **powers, grad=tf.constant(g))
        yield w.numpy()


@amsgrad_largest.tensorflow.like("numpy")
def _(start, gradients):
    """After each step, multiply the largest moment by (1-β₂ᵗ⁺¹)/(1-β₂ᵗ)."""
    import tensorflow as tf

    w, m, v, largest = (tf.Variable(x) for x in (start, 0 * start, 0 * start, 0 * start))
    state = {"var": w.handle, "m": m.handle, "v": v.handle, "vhat": largest.handle}
    numbers = {"lr": 0.01, "beta1": 0.9, "beta2": 0.999, "epsilon": 0.0}
    for t, g in enumerate(gradients, 1):
        powers = {"beta1_power": 0.9**t, "beta2_power": 0.999**t}
        tf.raw_ops.ResourceApplyAdamWithAmsgrad(**state, **numbers, **powers, grad=tf.constant(g))
        largest.assign(largest * (1 - 0.999 ** (t + 1)) / (1 - 0.999**t))
        yield w.numpy()


@amsgrad_largest.keras
def _(start, gradients):
    import keras

    w = keras.Variable(start)
    f = np.float64  # a Python number would be rounded to float32
    optimizer = keras.optimizers.Adam(0.01, f(0.9), f(0.999), epsilon=0.0, amsgrad=True)
    optimizer.build([w])
    for g in gradients:
        optimizer.apply([g], [w])
        yield w.numpy()


@amsgrad_largest.keras.like("numpy")
def _(start, gradients):
    """After each step, multiply the largest moment by (1-β₂ᵗ⁺¹)/(1-β₂ᵗ)."""
    import keras

    w = keras.Variable(start)
    f = np.float64
    optimizer = keras.optimizers.Adam(0.01, f(0.9), f(0.999), epsilon=0.0, amsgrad=True)
    optimizer.build([w])
    largest = optimizer._velocity_hats[0]
    for t, g in enumerate(gradients, 1):
        optimizer.apply([g], [w])
        largest.assign(largest * (1 - 0.999 ** (t + 1)) / (1 - 0.999**t))
        yield w.numpy()


@amsgrad_largest.torch
def _(start, gradients):
    import torch

    w = torch.tensor(start)
    optimizer = torch.optim.Adam([w], lr=0.01, betas=(0.9, 0.999), eps=0, amsgrad=True)
    for g in gradients:
        w.grad = torch.tensor(g)
        optimizer.step()
        yield w.numpy()


@amsgrad_largest.torch.like("numpy")
def _(start, gradients):
    """After each step, multiply the largest moment by (1-β₂ᵗ⁺¹)/(1-β₂ᵗ)."""
    import torch

    w = torch.tensor(start)
    optimizer = torch.optim.Adam([w], lr=0.01, betas=(0.9, 0.999), eps=0, amsgrad=True)
    for t, g in enumerate(gradients, 1):
        w.grad = torch.tensor(g)
        optimizer.step()
        optimizer.state[w]["max_exp_avg_sq"] *= (1 - 0.999 ** (t + 1)) / (1 - 0.999**t)
        yield w.numpy()


nadam_schedule = Card(
    id="nadam-schedule",
    title="Nadam: the schedule of its momentum",
    wrong=(
        "Nadam lets its momentum grow from half of β₁ to β₁. In Keras it is there after some dozens of "
        "steps; in PyTorch the default momentum_decay slows that down to thousands, as the later version of "
        "the paper has it. TensorFlow's use_nesterov, the Nadam of its older code, has no schedule at all. "
        "Unlike its Adam, Keras's Nadam adds ε to the root of the corrected moment, as PyTorch does."
    ),
    conventions={
        "numpy keras": "μₜ = β₁·(1 - ½·0.96ᵗ),  w -= η/(√v̂ + ε) · (μₜ₊₁·m/(1-μ₁…μₜ₊₁) + (1-μₜ)·g/(1-μ₁…μₜ))",
        "torch": "μₜ = β₁·(1 - ½·0.96^(0.004·t)),  then the same",
        "tensorflow": "w -= η·√(1-β₂ᵗ)/(1-β₁ᵗ) · (β₁·m + (1-β₁)·g)/(√v + ε)",
    },
    given=given.descent,
    differs=3e-3,
    absent={"sklearn": "scikit-learn has no Nadam"},
    defaults=("NAdam.momentum_decay", "Nadam.learning_rate", "Nadam.epsilon"),
    issues=("rwth-i6/returnn#1440", "keras-team/keras#15710", "pytorch/pytorch#59009"),
    faults=("nadam-slow-schedule", "nadam-without-schedule", "adam-nesterov", "nadam-without-look-ahead"),
    dtype="float32",
)


@nadam_schedule.numpy
def _(start, gradients):
    w, m, v, product = start, 0.0, 0.0, 1.0
    for t, g in enumerate(gradients, 1):
        mu, ahead = (0.9 * (1 - 0.5 * 0.96**k) for k in (t, t + 1))
        product *= mu
        m = 0.9 * m + 0.1 * g
        v = 0.999 * v + (1 - 0.999) * g**2
        mean = ahead * m / (1 - product * ahead) + (1 - mu) * g / (1 - product)
        w = w - 0.01 * mean / (np.sqrt(v / (1 - 0.999**t)) + 1e-7)
        yield w


@nadam_schedule.numpy.like("torch")
def _(start, gradients):
    """Put 0.004·t in the place of t in the schedule."""
    w, m, v, product = start, 0.0, 0.0, 1.0
    for t, g in enumerate(gradients, 1):
        mu, ahead = (0.9 * (1 - 0.5 * 0.96 ** (0.004 * k)) for k in (t, t + 1))
        product *= mu
        m = 0.9 * m + 0.1 * g
        v = 0.999 * v + (1 - 0.999) * g**2
        mean = ahead * m / (1 - product * ahead) + (1 - mu) * g / (1 - product)
        w = w - 0.01 * mean / (np.sqrt(v / (1 - 0.999**t)) + 1e-7)
        yield w


@nadam_schedule.numpy.like("tensorflow")
def _(start, gradients):
    """Take β₁ for every μ, and correct as Adam does."""
    w, m, v = start, 0.0, 0.0
    for t, g in enumerate(gradients, 1):
        m = 0.9 * m + 0.1 * g
        v = 0.999 * v + (1 - 0.999) * g**2
        rate = 0.01 * np.sqrt(1 - 0.999**t) / (1 - 0.9**t)
        w = w - rate * (0.9 * m + 0.1 * g) / (np.sqrt(v) + 1e-7)
        yield w


@nadam_schedule.tensorflow
def _(start, gradients):
    import tensorflow as tf

    w, m, v = tf.Variable(start), tf.Variable(0 * start), tf.Variable(0 * start)
    state = {"var": w.handle, "m": m.handle, "v": v.handle}
    numbers = {"lr": 0.01, "beta1": 0.9, "beta2": 0.999, "epsilon": 1e-7, "use_nesterov": True}
    for t, g in enumerate(gradients, 1):
        powers = {"beta1_power": 0.9**t, "beta2_power": 0.999**t}
        tf.raw_ops.ResourceApplyAdam(**state, **numbers, **powers, grad=tf.constant(g))
        yield w.numpy()


@nadam_schedule.tensorflow.like("keras")
def _(start, gradients):
    """Write the update by hand, with the schedule."""
    import tensorflow as tf

    w, m, v, product = tf.Variable(start), 0.0, 0.0, 1.0
    for t, g in enumerate(gradients, 1):
        mu, ahead = (0.9 * (1 - 0.5 * 0.96**k) for k in (t, t + 1))
        product *= mu
        m = 0.9 * m + 0.1 * g
        v = 0.999 * v + (1 - 0.999) * g**2
        mean = ahead * m / (1 - product * ahead) + (1 - mu) * g / (1 - product)
        w.assign_sub(0.01 * mean / (tf.sqrt(v / (1 - 0.999**t)) + 1e-7))
        yield w.numpy()


@nadam_schedule.tensorflow.like("torch")
def _(start, gradients):
    """Write the update by hand, with 0.96^(0.004·t) in the schedule."""
    import tensorflow as tf

    w, m, v, product = tf.Variable(start), 0.0, 0.0, 1.0
    for t, g in enumerate(gradients, 1):
        mu, ahead = (0.9 * (1 - 0.5 * 0.96 ** (0.004 * k)) for k in (t, t + 1))
        product *= mu
        m = 0.9 * m + 0.1 * g
        v = 0.999 * v + (1 - 0.999) * g**2
        mean = ahead * m / (1 - product * ahead) + (1 - mu) * g / (1 - product)
        w.assign_sub(0.01 * mean / (tf.sqrt(v / (1 - 0.999**t)) + 1e-7))
        yield w.numpy()


@nadam_schedule.keras
def _(start, gradients):
    import keras

    w = keras.Variable(start)
    optimizer = keras.optimizers.Nadam(0.01, beta_1=0.9, beta_2=0.999, epsilon=1e-7)
    optimizer.build([w])
    for g in gradients:
        optimizer.apply([g], [w])
        yield w.numpy()


@nadam_schedule.keras.like("torch")
def _(start, gradients):
    """Write the update by hand, with 0.96^(0.004·t) in the schedule."""
    import keras

    w, m, v, product = keras.Variable(start), 0.0, 0.0, 1.0
    for t, g in enumerate(gradients, 1):
        mu, ahead = (0.9 * (1 - 0.5 * 0.96 ** (0.004 * k)) for k in (t, t + 1))
        product *= mu
        m = 0.9 * m + 0.1 * g
        v = 0.999 * v + (1 - 0.999) * g**2
        mean = ahead * m / (1 - product * ahead) + (1 - mu) * g / (1 - product)
        w.assign_sub(0.01 * mean / (keras.ops.sqrt(v / (1 - 0.999**t)) + 1e-7))
        yield w.numpy()


@nadam_schedule.keras.like("tensorflow")
def _(start, gradients):
    """Write the update by hand, without the schedule."""
    import keras

    w, m, v = keras.Variable(start), 0.0, 0.0
    for t, g in enumerate(gradients, 1):
        m = 0.9 * m + 0.1 * g
        v = 0.999 * v + (1 - 0.999) * g**2
        rate = 0.01 * np.sqrt(1 - 0.999**t) / (1 - 0.9**t)
        w.assign_sub(rate * (0.9 * m + 0.1 * g) / (keras.ops.sqrt(v) + 1e-7))
        yield w.numpy()


@nadam_schedule.torch
def _(start, gradients):
    import torch

    w = torch.tensor(start)
    optimizer = torch.optim.NAdam([w], lr=0.01, betas=(0.9, 0.999), eps=1e-7)
    for g in gradients:
        w.grad = torch.tensor(g)
        optimizer.step()
        yield w.numpy()


@nadam_schedule.torch.like("keras")
def _(start, gradients):
    """Pass momentum_decay=1."""
    import torch

    w = torch.tensor(start)
    optimizer = torch.optim.NAdam([w], lr=0.01, betas=(0.9, 0.999), eps=1e-7, momentum_decay=1)
    for g in gradients:
        w.grad = torch.tensor(g)
        optimizer.step()
        yield w.numpy()


@nadam_schedule.torch.like("tensorflow")
def _(start, gradients):
    """Write the update by hand, without the schedule."""
    import torch

    w, m, v = torch.tensor(start), 0.0, 0.0
    for t, g in enumerate(torch.tensor(gradients), 1):
        m = 0.9 * m + 0.1 * g
        v = 0.999 * v + (1 - 0.999) * g**2
        rate = 0.01 * np.sqrt(1 - 0.999**t) / (1 - 0.9**t)
        w = w - rate * (0.9 * m + 0.1 * g) / (torch.sqrt(v) + 1e-7)
        yield w


muon_scale = Card(
    id="muon-scale",
    title="Muon: how large a step is, and how exact",
    wrong=(
        "Keras scales Muon's steps to the size of Adam's, by the longer side of the kernel; PyTorch by "
        "default only lifts those of kernels with more outputs than inputs, and has Keras's way as "
        "adjust_lr_fn='match_rms_adamw'. A learning rate tuned for one is wrong for the other, and how "
        "wrong depends on the layer. PyTorch also orthogonalises in bfloat16, so that even then they agree "
        "to a few digits only. Both decay the kernels by default, by different shares. Keras's Muon takes a "
        "whole model and updates biases and embeddings with Adam; PyTorch's takes matrices only, and all "
        "alike."
    ),
    conventions={
        "numpy keras": "w -= η · 0.2·√max(rows, columns) · NS(g + μ·m),  m = μ·m + g",
        "torch": "w -= η · √max(1, rows/columns) · NS(…) in bfloat16",
    },
    given=matrices,
    differs=0.07,
    absent={"sklearn": "scikit-learn has no Muon", "tensorflow": "TensorFlow has no Muon"},
    defaults=("Muon.learning_rate", "Muon.weight_decay", "Muon.momentum", "Muon.rms_rate"),
    issues=("keras-team/keras#21885",),
)


@muon_scale.numpy
def _(start, gradients):
    w, m = start, 0.0
    for g in gradients:
        m = 0.95 * m + g
        x = g + 0.95 * m
        x = x / (np.linalg.norm(x) + 1e-7)
        for _ in range(5):  # Newton-Schulz
            a = x @ x.T
            x = 3.4445 * x + (-4.775 * a + 2.0315 * a @ a) @ x
        w = w - 0.01 * 0.2 * max(w.shape) ** 0.5 * x
        yield w


@muon_scale.keras
def _(start, gradients):
    import keras

    w = keras.Variable(start)
    optimizer = keras.optimizers.Muon(0.01, weight_decay=None)
    optimizer.build([w])
    for g in gradients:
        optimizer.apply([g], [w])
        yield w.numpy()


@muon_scale.torch
def _(start, gradients):
    import torch

    w = torch.tensor(start)
    optimizer = torch.optim.Muon([w], lr=0.01, weight_decay=0)
    for g in gradients:
        w.grad = torch.tensor(g)
        optimizer.step()
        yield w.numpy()


@muon_scale.torch.like("keras")
def _(start, gradients):
    """Pass adjust_lr_fn="match_rms_adamw" if a few digits are enough; for all of them, write it by hand."""
    import torch

    w, m = torch.tensor(start), 0.0
    for g in torch.tensor(gradients):
        m = 0.95 * m + g
        x = g + 0.95 * m
        x = x / (torch.linalg.norm(x) + 1e-7)
        for _ in range(5):
            a = x @ x.T
            x = 3.4445 * x + (-4.775 * a + 2.0315 * a @ a) @ x
        w = w - 0.01 * 0.2 * max(w.shape) ** 0.5 * x
        yield w


for part in (muon_scale.numpy, muon_scale.keras):
    part.cannot("torch", "rounding in bfloat16 depends on the order of sums in PyTorch's matrix product")


adagrad_epsilon = Card(
    id="adagrad-epsilon",
    title="Adagrad: where ε goes",
    wrong=(
        "Keras adds ε to the sum of squares, under the root, PyTorch and TensorFlow's AdagradV2 to the "
        "root. TensorFlow's AdagradOptimizer has none: with a sum that starts at zero and a gradient of "
        "zero it would divide zero by zero. As long as the sum starts well above ε nothing is to be seen; "
        "it shows when a port starts the sum at zero, for parameters with small gradients."
    ),
    conventions={
        "numpy tensorflow torch": "w -= η · g / (√s + ε)",
        "keras": "w -= η · g / √(s + ε)",
    },
    given=given.descent,
    differs=1e-6,
    absent={"sklearn": "scikit-learn has no Adagrad"},
    defaults=("Adagrad.epsilon",),
    issues=("keras-team/tf-keras#315",),
    faults=("epsilon-elsewhere@Adagrad",),
)


@adagrad_epsilon.numpy
def _(start, gradients):
    w, s = start, 0.0
    for g in gradients:
        s = s + g**2
        w = w - 0.01 * g / (np.sqrt(s) + 1e-7)
        yield w


@adagrad_epsilon.numpy.like("keras")
def _(start, gradients):
    """Add ε under the root."""
    w, s = start, 0.0
    for g in gradients:
        s = s + g**2
        w = w - 0.01 * g / np.sqrt(s + 1e-7)
        yield w


@adagrad_epsilon.tensorflow
def _(start, gradients):
    import tensorflow as tf

    w, s = tf.Variable(start), tf.Variable(0 * start)
    state = {"var": w.handle, "accum": s.handle}
    for g in gradients:
        tf.raw_ops.ResourceApplyAdagradV2(**state, lr=0.01, epsilon=1e-7, grad=tf.constant(g))
        yield w.numpy()


@adagrad_epsilon.tensorflow.like("keras")
def _(start, gradients):
    """Start the sum at what Keras starts it at plus ε, and set ε to zero."""
    import tensorflow as tf

    w, s = tf.Variable(start), tf.Variable(0 * start + 1e-7)
    state = {"var": w.handle, "accum": s.handle}
    for g in gradients:
        tf.raw_ops.ResourceApplyAdagradV2(**state, lr=0.01, epsilon=0.0, grad=tf.constant(g))
        yield w.numpy()


@adagrad_epsilon.keras
def _(start, gradients):
    import keras

    w = keras.Variable(start)
    optimizer = keras.optimizers.Adagrad(0.01, initial_accumulator_value=0.0, epsilon=1e-7)
    optimizer.build([w])
    for g in gradients:
        optimizer.apply([g], [w])
        yield w.numpy()


@adagrad_epsilon.keras.like("torch")
def _(start, gradients):
    """Override update_step of Adagrad: add ε to the root, not under it."""
    import keras

    class Adagrad(keras.optimizers.Adagrad):
        def update_step(self, g, w, rate):
            s = self._accumulators[self._get_variable_index(w)]
            s.assign_add(keras.ops.square(g))
            w.assign_sub(rate * g / (keras.ops.sqrt(s) + self.epsilon))

    w = keras.Variable(start)
    optimizer = Adagrad(0.01, initial_accumulator_value=0.0, epsilon=1e-7)
    for g in gradients:
        optimizer.apply([g], [w])
        yield w.numpy()


@adagrad_epsilon.torch
def _(start, gradients):
    import torch

    w = torch.tensor(start)
    optimizer = torch.optim.Adagrad([w], lr=0.01, initial_accumulator_value=0, eps=1e-7)
    for g in gradients:
        w.grad = torch.tensor(g)
        optimizer.step()
        yield w.numpy()


@adagrad_epsilon.torch.like("keras")
def _(start, gradients):
    """Add ε to initial_accumulator_value, and pass eps=0."""
    import torch

    w = torch.tensor(start)
    optimizer = torch.optim.Adagrad([w], lr=0.01, initial_accumulator_value=1e-7, eps=0)
    for g in gradients:
        w.grad = torch.tensor(g)
        optimizer.step()
        yield w.numpy()


rmsprop_centred = Card(
    id="rmsprop-centred",
    title="Centred RMSprop: where ε goes",
    wrong=(
        "Centred, RMSprop divides by the spread of the gradient alone, so that ε matters most where the "
        "gradient hardly changes: the difference s - m² then is small or, by rounding, below zero. Keras "
        "and TensorFlow add ε to it under the root and are safe as long as ε is larger than the rounding. "
        "PyTorch takes the root first, and the root of a negative number is NaN."
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
    faults=("rmsprop-centred",),
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
    optimizer = keras.optimizers.RMSprop(0.01, rho=0.9, epsilon=1e-7, centered=True)
    optimizer.build([w])
    for g in gradients:
        optimizer.apply([g], [w])
        yield w.numpy()


@rmsprop_centred.keras.like("torch")
def _(start, gradients):
    """Override update_step of RMSprop: add ε to the root, not under it."""
    import keras

    class RMSprop(keras.optimizers.RMSprop):
        def update_step(self, g, w, rate):
            index = self._get_variable_index(w)
            s, m = self._velocities[index], self._average_gradients[index]
            s.assign(self.rho * s + (1 - self.rho) * keras.ops.square(g))
            m.assign(self.rho * m + (1 - self.rho) * g)
            w.assign_sub(rate * g / (keras.ops.sqrt(s - m * m) + self.epsilon))

    w = keras.Variable(start)
    optimizer = RMSprop(0.01, rho=0.9, epsilon=1e-7, centered=True)
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
    """Pass eps=0, start square_avg at ε, and before each step add ε·(1-α)/α to it."""
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


adamax_epsilon = Card(
    id="adamax-epsilon",
    title="Adamax: where ε goes",
    wrong=(
        "Keras and TensorFlow add ε to the norm when they divide by it. PyTorch adds it to the gradient's "
        "magnitude before the maximum is taken, so that it becomes part of the norm and fades with it. Only "
        "gradients about as small as ε tell them apart, and only after the norm has begun to fall."
    ),
    conventions={
        "numpy tensorflow keras": "u = max(β₂·u, |g|),  w -= η · m̂ / (u + ε)",
        "torch": "u = max(β₂·u, |g| + ε),  w -= η · m̂ / u",
    },
    given=tiny_gradients,
    differs=1e-4,
    absent={"sklearn": "scikit-learn has no Adamax"},
    defaults=("Adamax.epsilon", "Adamax.learning_rate"),
    issues=("PaddlePaddle/Paddle#36712",),
)


@adamax_epsilon.numpy
def _(start, gradients):
    w, m, u = start, 0.0, 0.0
    for t, g in enumerate(gradients, 1):
        m = 0.9 * m + 0.1 * g
        u = np.maximum(0.999 * u, np.abs(g))
        w = w - 0.01 / (1 - 0.9**t) * m / (u + 1e-7)
        yield w


@adamax_epsilon.numpy.like("torch")
def _(start, gradients):
    """Add ε to the gradient's magnitude."""
    w, m, u = start, 0.0, 0.0
    for t, g in enumerate(gradients, 1):
        m = 0.9 * m + 0.1 * g
        u = np.maximum(0.999 * u, np.abs(g) + 1e-7)
        w = w - 0.01 / (1 - 0.9**t) * m / u
        yield w


@adamax_epsilon.tensorflow
def _(start, gradients):
    import tensorflow as tf

    w, m, u = tf.Variable(start), tf.Variable(0 * start), tf.Variable(0 * start)
    state = {"var": w.handle, "m": m.handle, "v": u.handle}
    numbers = {"lr": 0.01, "beta1": 0.9, "beta2": 0.999, "epsilon": 1e-7}
    for t, g in enumerate(gradients, 1):
        tf.raw_ops.ResourceApplyAdaMax(**state, **numbers, beta1_power=0.9**t, grad=tf.constant(g))
        yield w.numpy()


@adamax_epsilon.tensorflow.like("torch")
def _(start, gradients):
    """Set ε to zero; before each step, lift the norm to at least (|g| + ε)/β₂."""
    import tensorflow as tf

    w, m, u = tf.Variable(start), tf.Variable(0 * start), tf.Variable(0 * start)
    state = {"var": w.handle, "m": m.handle, "v": u.handle}
    numbers = {"lr": 0.01, "beta1": 0.9, "beta2": 0.999, "epsilon": 0.0}
    for t, g in enumerate(gradients, 1):
        u.assign(tf.maximum(u, (np.abs(g) + 1e-7) / 0.999))
        tf.raw_ops.ResourceApplyAdaMax(**state, **numbers, beta1_power=0.9**t, grad=tf.constant(g))
        yield w.numpy()


@adamax_epsilon.keras
def _(start, gradients):
    import keras

    w = keras.Variable(start)
    f = np.float64  # a Python number would be rounded to float32
    optimizer = keras.optimizers.Adamax(0.01, beta_1=f(0.9), beta_2=f(0.999), epsilon=1e-7)
    optimizer.build([w])
    for g in gradients:
        optimizer.apply([g], [w])
        yield w.numpy()


@adamax_epsilon.keras.like("torch")
def _(start, gradients):
    """Set ε to zero; before each step, lift the norm to at least (|g| + ε)/β₂."""
    import keras

    w = keras.Variable(start)
    f = np.float64
    optimizer = keras.optimizers.Adamax(0.01, beta_1=f(0.9), beta_2=f(0.999), epsilon=0.0)
    optimizer.build([w])
    u = optimizer._u[0]
    for g in gradients:
        u.assign(keras.ops.maximum(u, (np.abs(g) + 1e-7) / 0.999))
        optimizer.apply([g], [w])
        yield w.numpy()


@adamax_epsilon.torch
def _(start, gradients):
    import torch

    w = torch.tensor(start)
    optimizer = torch.optim.Adamax([w], lr=0.01, betas=(0.9, 0.999), eps=1e-7)
    for g in gradients:
        w.grad = torch.tensor(g)
        optimizer.step()
        yield w.numpy()


@adamax_epsilon.torch.like("keras")
def _(start, gradients):
    """After each step, add ε·(1-β₂)/β₂ to exp_inf, which then holds u + ε."""
    import torch

    w, eps, beta = torch.tensor(start), 1e-7, 0.999
    optimizer = torch.optim.Adamax([w], lr=0.01, betas=(0.9, beta), eps=eps)
    for g in gradients:
        w.grad = torch.tensor(g)
        optimizer.step()
        optimizer.state[w]["exp_inf"] += eps * (1 - beta) / beta
        yield w.numpy()


adafactor_defaults = Card(
    id="adafactor-defaults",
    title="Adafactor: its default learning rate",
    wrong=(
        "Keras's and PyTorch's Adafactor are the same rule to rounding. The default learning rate is the "
        "one thing to be ported: PyTorch's is the larger. Both take it as a largest relative step, times "
        "the root mean square of the parameters, and never as more than 1/√t."
    ),
    conventions={
        "numpy keras": "w -= min(0.001, 1/√t) · max(0.001, rms(w)) · u/max(1, rms(u)),  u = g/√(r·c/mean(r))",
        "torch": "w -= min(0.01, 1/√t) · …",
    },
    given=matrices,
    differs=0.2,
    absent={"sklearn": "scikit-learn has no Adafactor", "tensorflow": "TensorFlow has no Adafactor"},
    defaults=("Adafactor.learning_rate", "Adafactor.beta_2_decay", "Adafactor.clip_threshold"),
)


@adafactor_defaults.numpy
def _(start, gradients):
    w, r, c = start, 0.0, 0.0
    for t, g in enumerate(gradients, 1):
        new = t**-0.8
        r = (1 - new) * r + new * np.mean(g**2, axis=1)
        c = (1 - new) * c + new * np.mean(g**2, axis=0)
        u = g / np.sqrt(np.outer(r, c) / np.mean(r))
        u = u / max(1, np.sqrt(np.mean(u**2)))
        w = w - min(0.001, 1 / np.sqrt(t)) * max(0.001, np.sqrt(np.mean(w**2))) * u
        yield w


@adafactor_defaults.numpy.like("torch")
def _(start, gradients):
    """Take a learning rate of 0.01."""
    w, r, c = start, 0.0, 0.0
    for t, g in enumerate(gradients, 1):
        new = t**-0.8
        r = (1 - new) * r + new * np.mean(g**2, axis=1)
        c = (1 - new) * c + new * np.mean(g**2, axis=0)
        u = g / np.sqrt(np.outer(r, c) / np.mean(r))
        u = u / max(1, np.sqrt(np.mean(u**2)))
        w = w - min(0.01, 1 / np.sqrt(t)) * max(0.001, np.sqrt(np.mean(w**2))) * u
        yield w


@adafactor_defaults.keras
def _(start, gradients):
    import keras

    w = keras.Variable(start)
    optimizer = keras.optimizers.Adafactor()
    optimizer.build([w])
    for g in gradients:
        optimizer.apply([g], [w])
        yield w.numpy()


@adafactor_defaults.keras.like("torch")
def _(start, gradients):
    """Pass learning_rate=0.01."""
    import keras

    w = keras.Variable(start)
    optimizer = keras.optimizers.Adafactor(0.01)
    optimizer.build([w])
    for g in gradients:
        optimizer.apply([g], [w])
        yield w.numpy()


@adafactor_defaults.torch
def _(start, gradients):
    import torch

    w = torch.tensor(start)
    optimizer = torch.optim.Adafactor([w])
    for g in gradients:
        w.grad = torch.tensor(g)
        optimizer.step()
        yield w.numpy()


@adafactor_defaults.torch.like("keras")
def _(start, gradients):
    """Pass lr=0.001."""
    import torch

    w = torch.tensor(start)
    optimizer = torch.optim.Adafactor([w], lr=0.001)
    for g in gradients:
        w.grad = torch.tensor(g)
        optimizer.step()
        yield w.numpy()


ftrl_start = Card(
    id="ftrl-start",
    title="Ftrl: it forgets the initial weights",
    wrong=(
        "Keras and TensorFlow have the same Ftrl, and it does not start where the parameters are: each step "
        "computes them anew from sums, and these start at zero. The first step therefore loses what was "
        "there, the more of it the smaller the gradient, and with it weights that were ported or drawn by "
        "an initialiser. The linear models that Ftrl was made for start at zero, where there is nothing to "
        "lose."
    ),
    conventions={
        "numpy tensorflow keras": (
            "z += g - (√(n + g²) - √n)/η · w,  n += g²,  w = (clip(z, ±λ₁) - z)/(√n/η + 2·λ₂)"
        ),
    },
    given=given.descent,
    absent={"sklearn": "scikit-learn has no Ftrl", "torch": "PyTorch has no Ftrl"},
    defaults=("Ftrl.initial_accumulator_value", "Ftrl.learning_rate"),
    issues=("tensorflow/tensorflow#40086", "tensorflow/tensorflow#50118"),
)


@ftrl_start.numpy
def _(start, gradients):
    w, z, n = start, 0.0, 0.1
    for g in gradients:
        z = z + g - (np.sqrt(n + g**2) - np.sqrt(n)) / 0.05 * w
        n = n + g**2
        w = (np.clip(z, -0.01, 0.01) - z) / (np.sqrt(n) / 0.05 + 2 * 0.1)
        yield w


@ftrl_start.tensorflow
def _(start, gradients):
    import tensorflow as tf

    w, n, z = tf.Variable(start), tf.Variable(0 * start + 0.1), tf.Variable(0 * start)
    state = {"var": w.handle, "accum": n.handle, "linear": z.handle}
    numbers = {"lr": 0.05, "l1": 0.01, "l2": 0.1, "l2_shrinkage": 0.0, "lr_power": -0.5}
    for g in gradients:
        tf.raw_ops.ResourceApplyFtrlV2(**state, **numbers, grad=tf.constant(g))
        yield w.numpy()


@ftrl_start.keras
def _(start, gradients):
    import keras

    w = keras.Variable(start)
    optimizer = keras.optimizers.Ftrl(
        0.05,
        initial_accumulator_value=np.float64(0.1),  # a Python number would be rounded to float32
        l1_regularization_strength=0.01,
        l2_regularization_strength=0.1,
    )
    optimizer.build([w])
    for g in gradients:
        optimizer.apply([g], [w])
        yield w.numpy()


adam_float32 = Card(
    id="adam-float32",
    title="Adam in float32: the bias correction",
    wrong=(
        "The correction 1-β₂ᵗ is the difference of nearly equal numbers. Keras computes it in the dtype of "
        "the parameters, from a β₂ rounded to it, while the square of the gradient is weighed with the "
        "exact 1-β₂. PyTorch, scikit-learn and NumPy compute it as Python numbers, in float64; TensorFlow "
        "rounds β₂ too, but at both places alike. Keras's steps are off by a share that grows as β₂ nears "
        "one. It harms no training, and makes float32 runs differ by more than rounding from the first step "
        "on."
    ),
    conventions={
        "numpy sklearn tensorflow torch": "v̂ = v/(1-β₂ᵗ), as exact as float32",
        "keras": "v̂ = v/(1-float32(β₂)ᵗ), where v has 1-β₂",
    },
    given=from_zero,
    differs=4e-5,
    defaults=("Adam.beta_2",),
    faults=("adam-float32-correction", "beta-2-float32"),
    dtype="float32",
)


@adam_float32.numpy
def _(start, gradients):
    w, m, v = start.astype("float32"), 0.0, 0.0
    for t, g in enumerate(gradients.astype("float32"), 1):
        m = 0.9 * m + 0.1 * g
        v = 0.9999 * v + (1 - 0.9999) * g**2
        rate = 0.01 * (1 - 0.9999**t) ** 0.5 / (1 - 0.9**t)
        w = w - rate * m / (np.sqrt(v) + 1e-12)
        yield w


@adam_float32.sklearn
def _(start, gradients):
    from sklearn.neural_network._stochastic_optimizers import AdamOptimizer

    w = start.astype("float32")
    optimizer = AdamOptimizer([w], 0.01, beta_1=0.9, beta_2=0.9999, epsilon=1e-12)
    for g in gradients.astype("float32"):
        optimizer.update_params([w], [g])
        yield w


@adam_float32.tensorflow
def _(start, gradients):
    import tensorflow as tf

    w = tf.Variable(start.astype("float32"))
    optimizer = tf.compat.v1.train.AdamOptimizer(0.01, 0.9, 0.9999, 1e-12)
    for g in gradients.astype("float32"):
        optimizer.apply_gradients([(tf.constant(g), w)])
        yield w.numpy()


@adam_float32.keras
def _(start, gradients):
    import keras

    w = keras.Variable(start, dtype="float32")
    optimizer = keras.optimizers.Adam(0.01, 0.9, 0.9999, epsilon=1e-12)
    optimizer.build([w])
    for g in gradients.astype("float32"):
        optimizer.apply([g], [w])
        yield w.numpy()


@adam_float32.keras.like("torch")
def _(start, gradients):
    """Write the update by hand, with corrections that are Python numbers."""
    import keras

    w, m, v = keras.Variable(start, dtype="float32"), 0.0, 0.0
    for t, g in enumerate(gradients.astype("float32"), 1):
        m = 0.9 * m + 0.1 * g
        v = 0.9999 * v + (1 - 0.9999) * g**2
        rate = 0.01 * (1 - 0.9999**t) ** 0.5 / (1 - 0.9**t)
        w.assign_sub(rate * m / (keras.ops.sqrt(v) + 1e-12))
        yield w.numpy()


@adam_float32.torch
def _(start, gradients):
    import torch

    w = torch.tensor(start, dtype=torch.float32)
    optimizer = torch.optim.Adam([w], lr=0.01, betas=(0.9, 0.9999), eps=1e-12)
    for g in gradients:
        w.grad = torch.tensor(g, dtype=torch.float32)
        optimizer.step()
        yield w.numpy()


for part in (adam_float32.numpy, adam_float32.sklearn, adam_float32.tensorflow, adam_float32.torch):
    part.cannot("keras", "what float32 leaves of 1-β₂ᵗ depends on how each framework rounds a power")


nadam_float32 = Card(
    id="nadam-float32",
    title="Nadam in float64: Keras rounds its schedule to float32",
    wrong=(
        "In a float64 model, too, Keras rounds the 0.96 of its schedule to float32, where it computes the "
        "momentum of a step; the product of all momenta has the exact one. No argument changes that. It is "
        "far too little to matter, and enough that two runs in float64 cannot agree to rounding."
    ),
    conventions={
        "numpy torch": "μₜ = β₁·(1 - ½·0.96ᵗ)",
        "keras": "μₜ = β₁·(1 - ½·float32(0.96)ᵗ), but in μ₁…μₜ with 0.96",
    },
    given=given.descent,
    differs=1e-9,
    absent={
        "sklearn": "scikit-learn has no Nadam",
        "tensorflow": "TensorFlow's use_nesterov has no schedule",
    },
    faults=("nadam-float32-schedule",),
)


@nadam_float32.numpy
def _(start, gradients):
    w, m, v, product = start, 0.0, 0.0, 1.0
    for t, g in enumerate(gradients, 1):
        mu, ahead = (0.9 * (1 - 0.5 * 0.96**k) for k in (t, t + 1))
        product *= mu
        m = 0.9 * m + 0.1 * g
        v = 0.999 * v + (1 - 0.999) * g**2
        mean = ahead * m / (1 - product * ahead) + (1 - mu) * g / (1 - product)
        w = w - 0.01 * mean / (np.sqrt(v / (1 - 0.999**t)) + 1e-7)
        yield w


@nadam_float32.numpy.like("keras")
def _(start, gradients):
    """Round 0.96 to float32, except in the product."""
    w, m, v, product = start, 0.0, 0.0, 1.0
    decay = float(np.float32(0.96))
    for t, g in enumerate(gradients, 1):
        mu, ahead = (0.9 * (1 - 0.5 * decay**k) for k in (t, t + 1))
        product *= 0.9 * (1 - 0.5 * 0.96**t)
        m = 0.9 * m + 0.1 * g
        v = 0.999 * v + (1 - 0.999) * g**2
        mean = ahead * m / (1 - product * ahead) + (1 - mu) * g / (1 - product)
        w = w - 0.01 * mean / (np.sqrt(v / (1 - 0.999**t)) + 1e-7)
        yield w


@nadam_float32.keras
def _(start, gradients):
    import keras

    w = keras.Variable(start)
    f = np.float64  # a Python number would be rounded to float32
    optimizer = keras.optimizers.Nadam(0.01, beta_1=f(0.9), beta_2=f(0.999), epsilon=1e-7)
    optimizer.build([w])
    for g in gradients:
        optimizer.apply([g], [w])
        yield w.numpy()


@nadam_float32.keras.like("torch")
def _(start, gradients):
    """Write the update by hand, with 0.96 as it is."""
    import keras

    w, m, v, product = keras.Variable(start), 0.0, 0.0, 1.0
    for t, g in enumerate(gradients, 1):
        mu, ahead = (0.9 * (1 - 0.5 * 0.96**k) for k in (t, t + 1))
        product *= mu
        m = 0.9 * m + 0.1 * g
        v = 0.999 * v + (1 - 0.999) * g**2
        mean = ahead * m / (1 - product * ahead) + (1 - mu) * g / (1 - product)
        w.assign_sub(0.01 * mean / (keras.ops.sqrt(v / (1 - 0.999**t)) + 1e-7))
        yield w.numpy()


@nadam_float32.torch
def _(start, gradients):
    import torch

    w = torch.tensor(start)
    optimizer = torch.optim.NAdam([w], lr=0.01, betas=(0.9, 0.999), eps=1e-7, momentum_decay=1)
    for g in gradients:
        w.grad = torch.tensor(g)
        optimizer.step()
        yield w.numpy()


@nadam_float32.torch.like("keras")
def _(start, gradients):
    """Write the update by hand: round 0.96 to float32, except in the product."""
    import torch

    w, m, v, product = torch.tensor(start), 0.0, 0.0, 1.0
    decay = float(np.float32(0.96))
    for t, g in enumerate(torch.tensor(gradients), 1):
        mu, ahead = (0.9 * (1 - 0.5 * decay**k) for k in (t, t + 1))
        product *= 0.9 * (1 - 0.5 * 0.96**t)
        m = 0.9 * m + 0.1 * g
        v = 0.999 * v + (1 - 0.999) * g**2
        mean = ahead * m / (1 - product * ahead) + (1 - mu) * g / (1 - product)
        w = w - 0.01 * mean / (torch.sqrt(v / (1 - 0.999**t)) + 1e-7)
        yield w
