"""Gradient descent: momentum, Nesterov, dampening, counters, accumulated gradients."""

import numpy as np

from backends.base import Arrays
from guide import given
from guide.card import Card
from guide.given import descent


def falling() -> Arrays:
    """As `descent`, and `rates` (100,): a learning rate that falls by ten after 5 and after 50 steps."""
    return descent() | {"rates": np.repeat([0.1, 0.01, 0.001], [5, 45, 50])}


def bowl() -> Arrays:
    """Six parameters `start` of the loss ½·Σ c·w², and its `curvatures` c, (6,)."""
    rng = np.random.default_rng(3)
    return {"start": rng.standard_normal(6), "curvatures": np.array([2.0, 1.5, 1.0, 0.5, 0.2, 0.1])}


def moving() -> Arrays:
    """As `descent`, and a `velocity` (6,): the momentum that a checkpoint holds."""
    return descent() | {"velocity": 0.2 * np.random.default_rng(4).standard_normal(6)}


def moments() -> Arrays:
    """As `descent`, and Adam's moments `m` and `v` (6,) after `t` = 50 steps."""
    m, v = np.random.default_rng(5).uniform(0.1, 1.0, (2, 6))
    return descent() | {"m": m, "v": v, "t": np.array(50)}


def layers() -> Arrays:
    """Rows `x` (5, 2) and targets `y` (5, 3), for a network with four hidden units."""
    rng = np.random.default_rng(7)
    return {"x": rng.standard_normal((5, 2)), "y": rng.standard_normal((5, 3))}


gradients_accumulate = Card(
    id="gradients-accumulate",
    title="PyTorch: gradients add up until they are set back",
    wrong=(
        "A loop that takes a fresh gradient in each step is written in PyTorch with one line more: "
        "backward() adds to .grad, and nothing but zero_grad() empties it. Without it each step uses the "
        "sum of all gradients so far, which is momentum that never fades. Nothing fails, the first step is "
        "right, and small learning rates hide it for a while."
    ),
    conventions={
        "numpy sklearn tensorflow keras": "w -= η · gₜ",
        "torch": "w -= η · (g₁ + … + gₜ)",
    },
    given=bowl,
    differs=0.6,
    faults=("gradient-accumulated",),
)


@gradients_accumulate.numpy
def _(start, curvatures):
    w = start
    for _ in range(100):
        w = w - 0.1 * curvatures * w
        yield w


@gradients_accumulate.numpy.like("torch")
def _(start, curvatures):
    """Add up the gradients of all steps."""
    w, total = start, 0.0
    for _ in range(100):
        total = total + curvatures * w
        w = w - 0.1 * total
        yield w


@gradients_accumulate.sklearn
def _(start, curvatures):
    from sklearn.neural_network._stochastic_optimizers import SGDOptimizer

    optimizer = SGDOptimizer([start], 0.1, momentum=0.0)
    for _ in range(100):
        optimizer.update_params([start], [curvatures * start])  # in place
        yield start


@gradients_accumulate.sklearn.like("torch")
def _(start, curvatures):
    """Add up the gradients of all steps."""
    from sklearn.neural_network._stochastic_optimizers import SGDOptimizer

    optimizer = SGDOptimizer([start], 0.1, momentum=0.0)
    total = np.zeros(6)
    for _ in range(100):
        total += curvatures * start
        optimizer.update_params([start], [total])
        yield start


@gradients_accumulate.tensorflow
def _(start, curvatures):
    import tensorflow as tf

    w = tf.Variable(start)
    for _ in range(100):
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(curvatures * w**2) / 2
        w.assign_sub(0.1 * tape.gradient(loss, w))
        yield w.numpy()


@gradients_accumulate.tensorflow.like("torch")
def _(start, curvatures):
    """Add up the gradients of all steps."""
    import tensorflow as tf

    w, total = tf.Variable(start), tf.Variable(np.zeros(6))
    for _ in range(100):
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(curvatures * w**2) / 2
        total.assign_add(tape.gradient(loss, w))
        w.assign_sub(0.1 * total)
        yield w.numpy()


@gradients_accumulate.keras
def _(start, curvatures):
    import keras
    import tensorflow as tf

    w = keras.Variable(start)
    optimizer = keras.optimizers.SGD(0.1)
    for _ in range(100):
        with tf.GradientTape() as tape:
            loss = keras.ops.sum(curvatures * w**2) / 2
        optimizer.apply([tape.gradient(loss, w.value)], [w])
        yield w.numpy()


@gradients_accumulate.keras.like("torch")
def _(start, curvatures):
    """Add up the gradients of all steps."""
    import keras
    import tensorflow as tf

    w, total = keras.Variable(start), keras.Variable(np.zeros(6))
    optimizer = keras.optimizers.SGD(0.1)
    for _ in range(100):
        with tf.GradientTape() as tape:
            loss = keras.ops.sum(curvatures * w**2) / 2
        total.assign_add(tape.gradient(loss, w.value))
        optimizer.apply([total.value], [w])
        yield w.numpy()


@gradients_accumulate.torch
def _(start, curvatures):
    import torch

    w, curvatures = torch.tensor(start, requires_grad=True), torch.tensor(curvatures)
    optimizer = torch.optim.SGD([w], lr=0.1)
    for _ in range(100):
        loss = (curvatures * w**2).sum() / 2
        loss.backward()
        optimizer.step()
        yield w.detach()


@gradients_accumulate.torch.like("keras")
def _(start, curvatures):
    """Call zero_grad() before each backward()."""
    import torch

    w, curvatures = torch.tensor(start, requires_grad=True), torch.tensor(curvatures)
    optimizer = torch.optim.SGD([w], lr=0.1)
    for _ in range(100):
        optimizer.zero_grad()
        loss = (curvatures * w**2).sum() / 2
        loss.backward()
        optimizer.step()
        yield w.detach()


sgd_defaults = Card(
    id="sgd-defaults",
    title="SGD: default learning rate and momentum",
    wrong=(
        "Every framework has an optimizer called SGD, and no two of them have the same defaults. Keras's "
        "learning rate is the largest, and scikit-learn's multi-layer perceptrons have Nesterov momentum "
        "without being asked, where Keras and PyTorch have none. A port that leaves the arguments out trains "
        "at another speed from the first step on, and after enough epochs may still end in much the same "
        "place."
    ),
    conventions={
        "sklearn": "v = 0.9·v - 0.001·g,  w += 0.9·v - 0.001·g",
        "keras": "w -= 0.01·g",
        "torch": "w -= 0.001·g",
    },
    given=given.descent,
    differs=0.03,
    absent={
        "numpy": "NumPy has no optimizers, so no defaults",
        "tensorflow": "TensorFlow's own optimizers want all of them as arguments",
    },
    defaults=("SGD.learning_rate", "SGD.momentum", "SGD.nesterov"),
    faults=("learning-rate-tenth", "momentum-other", "momentum-nesterov"),
)


@sgd_defaults.sklearn
def _(start, gradients):
    from sklearn.neural_network import MLPRegressor
    from sklearn.neural_network._stochastic_optimizers import SGDOptimizer

    model = MLPRegressor(solver="sgd")
    optimizer = SGDOptimizer(
        [start], model.learning_rate_init, momentum=model.momentum, nesterov=model.nesterovs_momentum
    )
    for g in gradients:
        optimizer.update_params([start], [g])  # in place
        yield start


@sgd_defaults.sklearn.like("keras")
def _(start, gradients):
    """Pass learning_rate_init=0.01 and momentum=0.0."""
    from sklearn.neural_network._stochastic_optimizers import SGDOptimizer

    optimizer = SGDOptimizer([start], 0.01, momentum=0.0)
    for g in gradients:
        optimizer.update_params([start], [g])
        yield start


@sgd_defaults.sklearn.like("torch")
def _(start, gradients):
    """Pass momentum=0.0."""
    from sklearn.neural_network._stochastic_optimizers import SGDOptimizer

    optimizer = SGDOptimizer([start], 0.001, momentum=0.0)
    for g in gradients:
        optimizer.update_params([start], [g])
        yield start


@sgd_defaults.keras
def _(start, gradients):
    import keras

    w = keras.Variable(start)
    optimizer = keras.optimizers.SGD()
    for g in gradients:
        optimizer.apply([g], [w])
        yield w.numpy()


@sgd_defaults.keras.like("sklearn")
def _(start, gradients):
    """Pass learning_rate=0.001, momentum=0.9 and nesterov=True."""
    import keras

    w = keras.Variable(start)
    optimizer = keras.optimizers.SGD(0.001, momentum=np.float64(0.9), nesterov=True)
    for g in gradients:
        optimizer.apply([g], [w])
        yield w.numpy()


@sgd_defaults.keras.like("torch")
def _(start, gradients):
    """Pass learning_rate=0.001."""
    import keras

    w = keras.Variable(start)
    optimizer = keras.optimizers.SGD(0.001)
    for g in gradients:
        optimizer.apply([g], [w])
        yield w.numpy()


@sgd_defaults.torch
def _(start, gradients):
    import torch

    w = torch.tensor(start)
    optimizer = torch.optim.SGD([w])
    for g in gradients:
        w.grad = torch.tensor(g)
        optimizer.step()
        yield w.numpy()


@sgd_defaults.torch.like("sklearn")
def _(start, gradients):
    """Pass momentum=0.9 and nesterov=True."""
    import torch

    w = torch.tensor(start)
    optimizer = torch.optim.SGD([w], lr=0.001, momentum=0.9, nesterov=True)
    for g in gradients:
        w.grad = torch.tensor(g)
        optimizer.step()
        yield w.numpy()


@sgd_defaults.torch.like("keras")
def _(start, gradients):
    """Pass lr=0.01."""
    import torch

    w = torch.tensor(start)
    optimizer = torch.optim.SGD([w], lr=0.01)
    for g in gradients:
        w.grad = torch.tensor(g)
        optimizer.step()
        yield w.numpy()


nesterov_default = Card(
    id="nesterov-default",
    title="scikit-learn: momentum is Nesterov's unless told otherwise",
    wrong=(
        "With the same learning rate and the same momentum, scikit-learn's solver 'sgd' still takes other "
        "steps: its nesterovs_momentum is on, while nesterov is off everywhere else. The very first step is "
        "nearly twice as long. With a momentum of zero both are plain descent, and nothing shows."
    ),
    conventions={
        "numpy tensorflow keras torch": "v = μ·v - η·g,  w += v",
        "sklearn": "v = μ·v - η·g,  w += μ·v - η·g",
    },
    given=given.descent,
    differs=0.07,
    defaults=("SGD.nesterov",),
    faults=("momentum-nesterov", "momentum-not-nesterov"),
)


@nesterov_default.numpy
def _(start, gradients):
    w, v = start, 0.0
    for g in gradients:
        v = 0.9 * v - 0.1 * g
        w = w + v
        yield w


@nesterov_default.numpy.like("sklearn")
def _(start, gradients):
    """Step on from the new velocity: w += μ·v - η·g."""
    w, v = start, 0.0
    for g in gradients:
        v = 0.9 * v - 0.1 * g
        w = w + 0.9 * v - 0.1 * g
        yield w


@nesterov_default.sklearn
def _(start, gradients):
    from sklearn.neural_network import MLPRegressor
    from sklearn.neural_network._stochastic_optimizers import SGDOptimizer

    model = MLPRegressor(solver="sgd", learning_rate_init=0.1, momentum=0.9)
    optimizer = SGDOptimizer([start], 0.1, momentum=0.9, nesterov=model.nesterovs_momentum)
    for g in gradients:
        optimizer.update_params([start], [g])  # in place
        yield start


@nesterov_default.sklearn.like("keras")
def _(start, gradients):
    """Pass nesterovs_momentum=False."""
    from sklearn.neural_network import MLPRegressor
    from sklearn.neural_network._stochastic_optimizers import SGDOptimizer

    model = MLPRegressor(solver="sgd", learning_rate_init=0.1, momentum=0.9, nesterovs_momentum=False)
    optimizer = SGDOptimizer([start], 0.1, momentum=0.9, nesterov=model.nesterovs_momentum)
    for g in gradients:
        optimizer.update_params([start], [g])
        yield start


@nesterov_default.tensorflow
def _(start, gradients):
    import tensorflow as tf

    w = tf.Variable(start)
    optimizer = tf.compat.v1.train.MomentumOptimizer(np.float64(0.1), np.float64(0.9))
    for g in gradients:
        optimizer.apply_gradients([(tf.constant(g), w)])
        yield w.numpy()


@nesterov_default.tensorflow.like("sklearn")
def _(start, gradients):
    """Pass use_nesterov=True."""
    import tensorflow as tf

    w = tf.Variable(start)
    optimizer = tf.compat.v1.train.MomentumOptimizer(np.float64(0.1), np.float64(0.9), use_nesterov=True)
    for g in gradients:
        optimizer.apply_gradients([(tf.constant(g), w)])
        yield w.numpy()


@nesterov_default.keras
def _(start, gradients):
    import keras

    w = keras.Variable(start)
    optimizer = keras.optimizers.SGD(0.1, momentum=np.float64(0.9))
    for g in gradients:
        optimizer.apply([g], [w])
        yield w.numpy()


@nesterov_default.keras.like("sklearn")
def _(start, gradients):
    """Pass nesterov=True."""
    import keras

    w = keras.Variable(start)
    optimizer = keras.optimizers.SGD(0.1, momentum=np.float64(0.9), nesterov=True)
    for g in gradients:
        optimizer.apply([g], [w])
        yield w.numpy()


@nesterov_default.torch
def _(start, gradients):
    import torch

    w = torch.tensor(start)
    optimizer = torch.optim.SGD([w], lr=0.1, momentum=0.9)
    for g in gradients:
        w.grad = torch.tensor(g)
        optimizer.step()
        yield w.numpy()


@nesterov_default.torch.like("sklearn")
def _(start, gradients):
    """Pass nesterov=True."""
    import torch

    w = torch.tensor(start)
    optimizer = torch.optim.SGD([w], lr=0.1, momentum=0.9, nesterov=True)
    for g in gradients:
        w.grad = torch.tensor(g)
        optimizer.step()
        yield w.numpy()


momentum_rate = Card(
    id="momentum-rate",
    title="Momentum when the learning rate changes",
    wrong=(
        "In Keras and scikit-learn the velocity contains the learning rate, in PyTorch and TensorFlow the "
        "rate multiplies the whole buffer. With a constant rate both are the same numbers to rounding. When "
        "a schedule lowers the rate, Keras goes on with the speed it had while PyTorch brakes at once, so "
        "the trajectories part exactly at the drop; in a warm-up they part from the second step on."
    ),
    conventions={
        "numpy tensorflow torch": "u = μ·u + g,  w -= ηₜ·u",
        "sklearn keras": "v = μ·v - ηₜ·g,  w += v",
    },
    given=falling,
    differs=0.2,
    defaults=("SGD.momentum",),
    issues=("pytorch/pytorch#1099", "keras-team/keras#13971"),
    faults=("momentum-rate-outside",),
)


@momentum_rate.numpy
def _(start, gradients, rates):
    w, u = start, 0.0
    for g, rate in zip(gradients, rates, strict=True):
        u = 0.9 * u + g
        w = w - rate * u
        yield w


@momentum_rate.numpy.like("keras")
def _(start, gradients, rates):
    """Multiply the gradient by the learning rate, not the velocity."""
    w, v = start, 0.0
    for g, rate in zip(gradients, rates, strict=True):
        v = 0.9 * v - rate * g
        w = w + v
        yield w


@momentum_rate.sklearn
def _(start, gradients, rates):
    from sklearn.neural_network._stochastic_optimizers import SGDOptimizer

    optimizer = SGDOptimizer([start], momentum=0.9, nesterov=False)
    for g, rate in zip(gradients, rates, strict=True):
        optimizer.learning_rate = rate
        optimizer.update_params([start], [g])  # in place
        yield start


@momentum_rate.sklearn.like("torch")
def _(start, gradients, rates):
    """When the rate changes, multiply the velocities by the new rate over the old."""
    from sklearn.neural_network._stochastic_optimizers import SGDOptimizer

    optimizer = SGDOptimizer([start], rates[0], momentum=0.9, nesterov=False)
    for g, rate in zip(gradients, rates, strict=True):
        optimizer.velocities[0] *= rate / optimizer.learning_rate
        optimizer.learning_rate = rate
        optimizer.update_params([start], [g])
        yield start


@momentum_rate.tensorflow
def _(start, gradients, rates):
    import tensorflow as tf

    w, rate = tf.Variable(start), tf.Variable(rates[0])
    optimizer = tf.compat.v1.train.MomentumOptimizer(rate, np.float64(0.9))
    for g, now in zip(gradients, rates, strict=True):
        rate.assign(now)
        optimizer.apply_gradients([(tf.constant(g), w)])
        yield w.numpy()


@momentum_rate.tensorflow.like("keras")
def _(start, gradients, rates):
    """Use tf.raw_ops.ResourceApplyKerasMomentum, which has the rate inside."""
    import tensorflow as tf

    w, v = tf.Variable(start), tf.Variable(np.zeros(6))
    for g, rate in zip(gradients, rates, strict=True):
        tf.raw_ops.ResourceApplyKerasMomentum(
            var=w.handle, accum=v.handle, lr=rate, grad=g, momentum=np.float64(0.9)
        )
        yield w.numpy()


@momentum_rate.keras
def _(start, gradients, rates):
    import keras

    w = keras.Variable(start)
    optimizer = keras.optimizers.SGD(momentum=np.float64(0.9))
    for g, rate in zip(gradients, rates, strict=True):
        optimizer.learning_rate = rate
        optimizer.apply([g], [w])
        yield w.numpy()


@momentum_rate.keras.like("torch")
def _(start, gradients, rates):
    """When the rate changes, multiply the momentums by the new rate over the old."""
    import keras

    w = keras.Variable(start)
    optimizer = keras.optimizers.SGD(rates[0], momentum=np.float64(0.9))
    optimizer.build([w])
    for g, rate in zip(gradients, rates, strict=True):
        optimizer.momentums[0].assign(optimizer.momentums[0] * (rate / optimizer.learning_rate))
        optimizer.learning_rate = rate
        optimizer.apply([g], [w])
        yield w.numpy()


@momentum_rate.torch
def _(start, gradients, rates):
    import torch

    w = torch.tensor(start)
    optimizer = torch.optim.SGD([w], momentum=0.9)
    for g, rate in zip(gradients, rates, strict=True):
        optimizer.param_groups[0]["lr"] = rate
        w.grad = torch.tensor(g)
        optimizer.step()
        yield w.numpy()


@momentum_rate.torch.like("keras")
def _(start, gradients, rates):
    """When the rate changes, multiply the momentum buffers by the old rate over the new."""
    import torch

    w = torch.tensor(start)
    optimizer = torch.optim.SGD([w], lr=rates[0], momentum=0.9)
    for g, rate in zip(gradients, rates, strict=True):
        if optimizer.state:
            optimizer.state[w]["momentum_buffer"] *= optimizer.param_groups[0]["lr"] / rate
        optimizer.param_groups[0]["lr"] = rate
        w.grad = torch.tensor(g)
        optimizer.step()
        yield w.numpy()


nesterov_gradient = Card(
    id="nesterov-gradient",
    title="Nesterov momentum: textbook and frameworks",
    wrong=(
        "A textbook takes the gradient ahead of the parameters, at w + μ·v. All frameworks take it where "
        "the parameters are, because their parameters are the textbook's point ahead. It is the same "
        "method, told of another point: with a constant learning rate one sequence is the other plus μ·v. "
        "Code written after the textbook reports other parameters and other losses until the velocity has "
        "died down."
    ),
    conventions={
        "numpy": "v = μ·v - η·∇f(w + μ·v),  w += v",
        "sklearn tensorflow keras torch": "v = μ·v - η·∇f(w),  w += μ·v - η·∇f(w)",
    },
    given=bowl,
    differs=0.2,
    defaults=("SGD.nesterov",),
    issues=("pytorch/pytorch#14465", "pytorch/pytorch#5920"),
    faults=("momentum-nesterov",),
)


@nesterov_gradient.numpy
def _(start, curvatures):
    w, v = start, 0.0
    for _ in range(100):
        v = 0.9 * v - 0.1 * curvatures * (w + 0.9 * v)
        w = w + v
        yield w


@nesterov_gradient.numpy.like("torch")
def _(start, curvatures):
    """Report the point ahead, w + μ·v."""
    w, v = start, 0.0
    for _ in range(100):
        v = 0.9 * v - 0.1 * curvatures * (w + 0.9 * v)
        w = w + v
        yield w + 0.9 * v


@nesterov_gradient.sklearn
def _(start, curvatures):
    from sklearn.neural_network._stochastic_optimizers import SGDOptimizer

    optimizer = SGDOptimizer([start], 0.1, momentum=0.9, nesterov=True)
    for _ in range(100):
        optimizer.update_params([start], [curvatures * start])  # in place
        yield start


@nesterov_gradient.sklearn.like("numpy")
def _(start, curvatures):
    """Report the point behind, w - μ·v, where v is in optimizer.velocities."""
    from sklearn.neural_network._stochastic_optimizers import SGDOptimizer

    optimizer = SGDOptimizer([start], 0.1, momentum=0.9, nesterov=True)
    for _ in range(100):
        optimizer.update_params([start], [curvatures * start])
        yield start - 0.9 * optimizer.velocities[0]


@nesterov_gradient.tensorflow
def _(start, curvatures):
    import tensorflow as tf

    w = tf.Variable(start)
    optimizer = tf.compat.v1.train.MomentumOptimizer(np.float64(0.1), np.float64(0.9), use_nesterov=True)
    for _ in range(100):
        optimizer.apply_gradients([(curvatures * w, w)])
        yield w.numpy()


@nesterov_gradient.tensorflow.like("numpy")
def _(start, curvatures):
    """Report the point behind, w + μ·η·u, where u is the slot momentum."""
    import tensorflow as tf

    w = tf.Variable(start)
    optimizer = tf.compat.v1.train.MomentumOptimizer(np.float64(0.1), np.float64(0.9), use_nesterov=True)
    for _ in range(100):
        optimizer.apply_gradients([(curvatures * w, w)])
        yield w + 0.9 * 0.1 * optimizer.get_slot(w, "momentum")


@nesterov_gradient.keras
def _(start, curvatures):
    import keras

    w = keras.Variable(start)
    optimizer = keras.optimizers.SGD(0.1, momentum=np.float64(0.9), nesterov=True)
    for _ in range(100):
        optimizer.apply([curvatures * w], [w])
        yield w.numpy()


@nesterov_gradient.keras.like("numpy")
def _(start, curvatures):
    """Report the point behind, w - μ·v, where v is in optimizer.momentums."""
    import keras

    w = keras.Variable(start)
    optimizer = keras.optimizers.SGD(0.1, momentum=np.float64(0.9), nesterov=True)
    for _ in range(100):
        optimizer.apply([curvatures * w], [w])
        yield w - 0.9 * optimizer.momentums[0]


@nesterov_gradient.torch
def _(start, curvatures):
    import torch

    w, curvatures = torch.tensor(start), torch.tensor(curvatures)
    optimizer = torch.optim.SGD([w], lr=0.1, momentum=0.9, nesterov=True)
    for _ in range(100):
        w.grad = curvatures * w
        optimizer.step()
        yield w.numpy()


@nesterov_gradient.torch.like("numpy")
def _(start, curvatures):
    """Report the point behind, w + μ·η·u, where u is momentum_buffer."""
    import torch

    w, curvatures = torch.tensor(start), torch.tensor(curvatures)
    optimizer = torch.optim.SGD([w], lr=0.1, momentum=0.9, nesterov=True)
    for _ in range(100):
        w.grad = curvatures * w
        optimizer.step()
        yield w + 0.9 * 0.1 * optimizer.state[w]["momentum_buffer"]


accumulation_mean = Card(
    id="accumulation-mean",
    title="Gradient accumulation: mean or sum",
    wrong=(
        "Keras divides what it has accumulated by the number of batches; in PyTorch the gradients of "
        "several backward() calls add up, and dividing is left to the loop. Ported either way the update is "
        "off by that number, as if the learning rate were. Adam nearly hides it, since it divides by the "
        "size of the gradient again; clipping and coupled weight decay do not."
    ),
    conventions={
        "numpy torch": "w -= η · (g₁ + … + gₖ)",
        "keras": "w -= η · (g₁ + … + gₖ) / k",
    },
    given=given.descent,
    differs=0.4,
    absent={
        "sklearn": "scikit-learn updates after every batch",
        "tensorflow": "low-level TensorFlow accumulates nothing: a loop adds and divides as it is written",
    },
    defaults=("SGD.gradient_accumulation_steps",),
)


@accumulation_mean.numpy
def _(start, gradients):
    w, total = start, 0.0
    for t, g in enumerate(gradients, 1):
        total = total + g
        if t % 4 == 0:
            w, total = w - 0.1 * total, 0.0
        yield w


@accumulation_mean.numpy.like("keras")
def _(start, gradients):
    """Divide the accumulated sum by the number of batches."""
    w, total = start, 0.0
    for t, g in enumerate(gradients, 1):
        total = total + g
        if t % 4 == 0:
            w, total = w - 0.1 * total / 4, 0.0
        yield w


@accumulation_mean.keras
def _(start, gradients):
    import keras

    w = keras.Variable(start)
    optimizer = keras.optimizers.SGD(0.1, gradient_accumulation_steps=4)
    for g in gradients:
        optimizer.apply([keras.ops.convert_to_tensor(g)], [w])
        yield w.numpy()


@accumulation_mean.keras.like("torch")
def _(start, gradients):
    """Multiply the loss, or each gradient, by gradient_accumulation_steps."""
    import keras

    w = keras.Variable(start)
    optimizer = keras.optimizers.SGD(0.1, gradient_accumulation_steps=4)
    for g in gradients:
        optimizer.apply([keras.ops.convert_to_tensor(4 * g)], [w])
        yield w.numpy()


@accumulation_mean.torch
def _(start, gradients):
    import torch

    w = torch.tensor(start, requires_grad=True)
    optimizer = torch.optim.SGD([w], lr=0.1)
    for t, g in enumerate(gradients, 1):
        loss = (torch.tensor(g) * w).sum()
        loss.backward()
        if t % 4 == 0:
            optimizer.step()
            optimizer.zero_grad()
        yield w.detach()


@accumulation_mean.torch.like("keras")
def _(start, gradients):
    """Divide each loss by the number of batches before backward()."""
    import torch

    w = torch.tensor(start, requires_grad=True)
    optimizer = torch.optim.SGD([w], lr=0.1)
    for t, g in enumerate(gradients, 1):
        loss = (torch.tensor(g) * w).sum() / 4
        loss.backward()
        if t % 4 == 0:
            optimizer.step()
            optimizer.zero_grad()
        yield w.detach()


accumulation_schedule = Card(
    id="accumulation-schedule",
    title="Gradient accumulation: does the schedule count batches or updates?",
    wrong=(
        "With gradient_accumulation_steps, Keras evaluates a schedule at the number of batches seen, "
        "although optimizer.iterations tells the number of updates. In PyTorch a scheduler counts its own "
        "step() calls, which belong to optimizer.step(), one for each update. Ported as it stands the rate "
        "falls that many times faster in Keras, and warm-ups are over too soon."
    ),
    conventions={
        "numpy torch": "η = f(updates so far)",
        "keras": "η = f(batches so far)",
    },
    given=given.descent,
    differs=0.3,
    absent={
        "sklearn": "scikit-learn updates after every batch",
        "tensorflow": "low-level TensorFlow accumulates nothing: a schedule counts what it is given",
    },
    defaults=("SGD.gradient_accumulation_steps",),
    issues=("huggingface/accelerate#963", "huggingface/diffusers#2632"),
)


@accumulation_schedule.numpy
def _(start, gradients):
    w, total, updates = start, 0.0, 0
    for t, g in enumerate(gradients, 1):
        total = total + g / 4
        if t % 4 == 0:
            w, total, updates = w - 0.1 * 0.9**updates * total, 0.0, updates + 1
        yield w


@accumulation_schedule.numpy.like("keras")
def _(start, gradients):
    """Evaluate the schedule at the number of batches before the present one."""
    w, total = start, 0.0
    for t, g in enumerate(gradients, 1):
        total = total + g / 4
        if t % 4 == 0:
            w, total = w - 0.1 * 0.9 ** (t - 1) * total, 0.0
        yield w


@accumulation_schedule.keras
def _(start, gradients):
    import keras

    w = keras.Variable(start)
    f = np.float64
    rate = keras.optimizers.schedules.ExponentialDecay(f(0.1), decay_steps=1, decay_rate=f(0.9))
    optimizer = keras.optimizers.SGD(rate, gradient_accumulation_steps=4)
    for g in gradients:
        optimizer.apply([keras.ops.convert_to_tensor(g)], [w])
        yield w.numpy()


@accumulation_schedule.keras.like("torch")
def _(start, gradients):
    """Multiply decay_steps by gradient_accumulation_steps, and pass staircase=True."""
    import keras

    w = keras.Variable(start)
    f = np.float64
    rate = keras.optimizers.schedules.ExponentialDecay(
        f(0.1), decay_steps=4, decay_rate=f(0.9), staircase=True
    )
    optimizer = keras.optimizers.SGD(rate, gradient_accumulation_steps=4)
    for g in gradients:
        optimizer.apply([keras.ops.convert_to_tensor(g)], [w])
        yield w.numpy()


@accumulation_schedule.torch
def _(start, gradients):
    import torch

    w = torch.tensor(start, requires_grad=True)
    optimizer = torch.optim.SGD([w], lr=0.1)
    scheduler = torch.optim.lr_scheduler.ExponentialLR(optimizer, gamma=0.9)
    for t, g in enumerate(gradients, 1):
        ((torch.tensor(g) * w).sum() / 4).backward()
        if t % 4 == 0:
            optimizer.step()
            optimizer.zero_grad()
            scheduler.step()
        yield w.detach()


@accumulation_schedule.torch.like("keras")
def _(start, gradients):
    """Call scheduler.step() after every batch."""
    import torch

    w = torch.tensor(start, requires_grad=True)
    optimizer = torch.optim.SGD([w], lr=0.1)
    scheduler = torch.optim.lr_scheduler.ExponentialLR(optimizer, gamma=0.9)
    for t, g in enumerate(gradients, 1):
        ((torch.tensor(g) * w).sum() / 4).backward()
        if t % 4 == 0:
            optimizer.step()
            optimizer.zero_grad()
        scheduler.step()
        yield w.detach()


sgd_dampening = Card(
    id="sgd-dampening",
    title="SGD: PyTorch's dampening leaves out the first step",
    wrong=(
        "A momentum that is a running mean scales every gradient by 1 - μ. PyTorch has dampening for it; "
        "elsewhere the learning rate is multiplied by 1 - d instead. But PyTorch starts the buffer with the "
        "first gradient as it is and dampens only from the second step on. With a strong dampening the first "
        "gradient counts many times as much as any other, and its trace fades no faster than the momentum "
        "does. With dampening left at its default nothing shows."
    ),
    conventions={
        "numpy sklearn tensorflow keras": "u = μ·u + (1-d)·g,  w -= η·u",
        "torch": "u₁ = g₁,  then u = μ·u + (1-d)·g,  w -= η·u",
    },
    given=given.descent,
    differs=0.2,
    defaults=("SGD.dampening", "SGD.momentum"),
    issues=("pytorch/pytorch#152833", "ml-explore/mlx#473"),
    faults=("momentum-dampened",),
)


@sgd_dampening.numpy
def _(start, gradients):
    w, u = start, 0.0
    for g in gradients:
        u = 0.9 * u + (1 - 0.9) * g
        w = w - 0.1 * u
        yield w


@sgd_dampening.numpy.like("torch")
def _(start, gradients):
    """Start from the first gradient, undamped."""
    w, u = start, None
    for g in gradients:
        u = g if u is None else 0.9 * u + (1 - 0.9) * g
        w = w - 0.1 * u
        yield w


@sgd_dampening.sklearn
def _(start, gradients):
    from sklearn.neural_network._stochastic_optimizers import SGDOptimizer

    optimizer = SGDOptimizer([start], 0.1 * (1 - 0.9), momentum=0.9, nesterov=False)
    for g in gradients:
        optimizer.update_params([start], [g])  # in place
        yield start


@sgd_dampening.sklearn.like("torch")
def _(start, gradients):
    """Divide the first gradient by 1 - d."""
    from sklearn.neural_network._stochastic_optimizers import SGDOptimizer

    optimizer = SGDOptimizer([start], 0.1 * (1 - 0.9), momentum=0.9, nesterov=False)
    gradients[0] /= 1 - 0.9
    for g in gradients:
        optimizer.update_params([start], [g])
        yield start


@sgd_dampening.tensorflow
def _(start, gradients):
    import tensorflow as tf

    w = tf.Variable(start)
    optimizer = tf.compat.v1.train.MomentumOptimizer(np.float64(0.1 * (1 - 0.9)), np.float64(0.9))
    for g in gradients:
        optimizer.apply_gradients([(tf.constant(g), w)])
        yield w.numpy()


@sgd_dampening.tensorflow.like("torch")
def _(start, gradients):
    """Divide the first gradient by 1 - d."""
    import tensorflow as tf

    w = tf.Variable(start)
    optimizer = tf.compat.v1.train.MomentumOptimizer(np.float64(0.1 * (1 - 0.9)), np.float64(0.9))
    gradients[0] /= 1 - 0.9
    for g in gradients:
        optimizer.apply_gradients([(tf.constant(g), w)])
        yield w.numpy()


@sgd_dampening.keras
def _(start, gradients):
    import keras

    w = keras.Variable(start)
    optimizer = keras.optimizers.SGD(0.1 * (1 - 0.9), momentum=np.float64(0.9))
    for g in gradients:
        optimizer.apply([g], [w])
        yield w.numpy()


@sgd_dampening.keras.like("torch")
def _(start, gradients):
    """Divide the first gradient by 1 - d."""
    import keras

    w = keras.Variable(start)
    optimizer = keras.optimizers.SGD(0.1 * (1 - 0.9), momentum=np.float64(0.9))
    gradients[0] /= 1 - 0.9
    for g in gradients:
        optimizer.apply([g], [w])
        yield w.numpy()


@sgd_dampening.torch
def _(start, gradients):
    import torch

    w = torch.tensor(start)
    optimizer = torch.optim.SGD([w], lr=0.1, momentum=0.9, dampening=0.9)
    for g in gradients:
        w.grad = torch.tensor(g)
        optimizer.step()
        yield w.numpy()


@sgd_dampening.torch.like("keras")
def _(start, gradients):
    """Multiply the first gradient by 1 - d."""
    import torch

    w = torch.tensor(start)
    optimizer = torch.optim.SGD([w], lr=0.1, momentum=0.9, dampening=0.9)
    gradients[0] *= 1 - 0.9
    for g in gradients:
        w.grad = torch.tensor(g)
        optimizer.step()
        yield w.numpy()


gradient_none = Card(
    id="gradient-none",
    title="A parameter without gradient: skipped, or moved by its momentum",
    wrong=(
        "A parameter that a loss does not depend on has the gradient 0 in NumPy and scikit-learn, and none "
        "at all in the others; so has one that was frozen, detached or not watched, and nothing says so. "
        "Their optimizers pass over it: its velocity keeps still, and no weight decay is applied. With a "
        "gradient of zero the velocity carries it on, Adam's moments fade, and decay goes on. It shows in "
        "networks with several heads, experts or frozen parts, and nowhere else."
    ),
    conventions={
        "numpy sklearn": "g = 0:  v = μ·v,  w += v",
        "tensorflow keras torch": "g = None:  v and w stay",
    },
    given=given.descent,
    differs=0.01,
    issues=("pytorch/pytorch#28294", "pytorch/pytorch#83769", "KellerJordan/Muon#54"),
    faults=("biases-frozen", "first-layer-frozen"),
)


@gradient_none.numpy
def _(start, gradients):
    w, v = start, 0.0
    for t, g in enumerate(gradients):
        if t % 2:
            g[3:] = 0
        v = 0.9 * v - 0.1 * g
        w = w + v
        yield w


@gradient_none.numpy.like("keras")
def _(start, gradients):
    """Leave velocity and parameters alone where there is no gradient."""
    w, v = start, np.zeros(6)
    for t, g in enumerate(gradients):
        used = slice(3) if t % 2 else slice(6)
        v[used] = 0.9 * v[used] - 0.1 * g[used]
        w[used] += v[used]
        yield w


@gradient_none.sklearn
def _(start, gradients):
    from sklearn.neural_network._stochastic_optimizers import SGDOptimizer

    a, b = start[:3], start[3:]
    optimizer = SGDOptimizer([a, b], 0.1, momentum=0.9, nesterov=False)
    for t, g in enumerate(gradients):
        optimizer.update_params([a, b], [g[:3], np.zeros(3) if t % 2 else g[3:]])  # in place
        yield start


@gradient_none.sklearn.like("keras")
def _(start, gradients):
    """Use a second optimizer, and call it only when there is a gradient."""
    from sklearn.neural_network._stochastic_optimizers import SGDOptimizer

    a, b = start[:3], start[3:]
    first = SGDOptimizer([a], 0.1, momentum=0.9, nesterov=False)
    second = SGDOptimizer([b], 0.1, momentum=0.9, nesterov=False)
    for t, g in enumerate(gradients):
        first.update_params([a], [g[:3]])
        if t % 2 == 0:
            second.update_params([b], [g[3:]])
        yield start


@gradient_none.tensorflow
def _(start, gradients):
    import tensorflow as tf

    a, b = tf.Variable(start[:3]), tf.Variable(start[3:])
    optimizer = tf.compat.v1.train.MomentumOptimizer(np.float64(0.1), np.float64(0.9))
    for t, g in enumerate(gradients):
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(g[:3] * a) + (0 if t % 2 else tf.reduce_sum(g[3:] * b))
        found = tape.gradient(loss, [a, b])
        optimizer.apply_gradients(zip(found, [a, b], strict=True))
        yield tf.concat([a, b], 0)


@gradient_none.tensorflow.like("numpy")
def _(start, gradients):
    """Pass unconnected_gradients="zero" to tape.gradient."""
    import tensorflow as tf

    a, b = tf.Variable(start[:3]), tf.Variable(start[3:])
    optimizer = tf.compat.v1.train.MomentumOptimizer(np.float64(0.1), np.float64(0.9))
    for t, g in enumerate(gradients):
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(g[:3] * a) + (0 if t % 2 else tf.reduce_sum(g[3:] * b))
        found = tape.gradient(loss, [a, b], unconnected_gradients="zero")
        optimizer.apply_gradients(zip(found, [a, b], strict=True))
        yield tf.concat([a, b], 0)


@gradient_none.keras
def _(start, gradients):
    import keras

    a, b = keras.Variable(start[:3]), keras.Variable(start[3:])
    optimizer = keras.optimizers.SGD(0.1, momentum=np.float64(0.9))
    for t, g in enumerate(gradients):
        optimizer.apply([g[:3], None if t % 2 else g[3:]], [a, b])
        yield keras.ops.concatenate([a, b])


@gradient_none.keras.like("numpy")
def _(start, gradients):
    """Replace gradients that are None by zeros."""
    import keras

    a, b = keras.Variable(start[:3]), keras.Variable(start[3:])
    optimizer = keras.optimizers.SGD(0.1, momentum=np.float64(0.9))
    for t, g in enumerate(gradients):
        optimizer.apply([g[:3], np.zeros(3) if t % 2 else g[3:]], [a, b])
        yield keras.ops.concatenate([a, b])


@gradient_none.torch
def _(start, gradients):
    import torch

    a, b = torch.tensor(start[:3], requires_grad=True), torch.tensor(start[3:], requires_grad=True)
    optimizer = torch.optim.SGD([a, b], lr=0.1, momentum=0.9)
    for t, g in enumerate(torch.tensor(gradients)):
        optimizer.zero_grad()
        loss = (g[:3] * a).sum() + (0 if t % 2 else (g[3:] * b).sum())
        loss.backward()
        optimizer.step()
        yield torch.cat([a, b]).detach()


@gradient_none.torch.like("numpy")
def _(start, gradients):
    """Call zero_grad(set_to_none=False), which keeps zeros."""
    import torch

    a, b = torch.tensor(start[:3], requires_grad=True), torch.tensor(start[3:], requires_grad=True)
    optimizer = torch.optim.SGD([a, b], lr=0.1, momentum=0.9)
    for t, g in enumerate(torch.tensor(gradients)):
        optimizer.zero_grad(set_to_none=False)
        loss = (g[:3] * a).sum() + (0 if t % 2 else (g[3:] * b).sum())
        loss.backward()
        optimizer.step()
        yield torch.cat([a, b]).detach()


momentum_state = Card(
    id="momentum-state",
    title="Handing over a momentum: buffer and velocity",
    wrong=(
        "A training that goes on in another framework needs the momentum as well as the parameters. The "
        "buffer of PyTorch and TensorFlow is made of gradients, the velocity of Keras and scikit-learn of "
        "steps: v = -η·u, with the rate of the last step. Copied as it is, a velocity has the wrong sign "
        "and the wrong size; left out, training starts again from rest."
    ),
    conventions={
        "numpy tensorflow torch": "u = μ·u + g,  w -= η·u:  the state is u",
        "sklearn keras": "v = μ·v - η·g,  w += v:  the state is v = -η·u",
    },
    given=moving,
    differs=0.3,
    faults=("momentum-lost", "state-sign", "state-units"),
)


@momentum_state.numpy
def _(start, gradients, velocity):
    w, u = start, velocity
    for g in gradients:
        u = 0.9 * u + g
        w = w - 0.1 * u
        yield w


@momentum_state.numpy.like("keras")
def _(start, gradients, velocity):
    """Divide the velocity by -η before it becomes the buffer."""
    w, u = start, velocity / -0.1
    for g in gradients:
        u = 0.9 * u + g
        w = w - 0.1 * u
        yield w


@momentum_state.sklearn
def _(start, gradients, velocity):
    from sklearn.neural_network._stochastic_optimizers import SGDOptimizer

    optimizer = SGDOptimizer([start], 0.1, momentum=0.9, nesterov=False)
    optimizer.velocities = [velocity]
    for g in gradients:
        optimizer.update_params([start], [g])  # in place
        yield start


@momentum_state.sklearn.like("torch")
def _(start, gradients, velocity):
    """Multiply the buffer by -η before it goes into the optimizer's velocities."""
    from sklearn.neural_network._stochastic_optimizers import SGDOptimizer

    optimizer = SGDOptimizer([start], 0.1, momentum=0.9, nesterov=False)
    optimizer.velocities = [-0.1 * velocity]
    for g in gradients:
        optimizer.update_params([start], [g])
        yield start


@momentum_state.tensorflow
def _(start, gradients, velocity):
    import tensorflow as tf

    w, u = tf.Variable(start), tf.Variable(velocity)
    f = np.float64
    for g in gradients:
        tf.raw_ops.ResourceApplyMomentum(var=w.handle, accum=u.handle, lr=f(0.1), grad=g, momentum=f(0.9))
        yield w.numpy()


@momentum_state.tensorflow.like("keras")
def _(start, gradients, velocity):
    """Divide the velocity by -η before it becomes the slot momentum."""
    import tensorflow as tf

    w, u = tf.Variable(start), tf.Variable(velocity / -0.1)
    f = np.float64
    for g in gradients:
        tf.raw_ops.ResourceApplyMomentum(var=w.handle, accum=u.handle, lr=f(0.1), grad=g, momentum=f(0.9))
        yield w.numpy()


@momentum_state.keras
def _(start, gradients, velocity):
    import keras

    w = keras.Variable(start)
    optimizer = keras.optimizers.SGD(0.1, momentum=np.float64(0.9))
    optimizer.build([w])
    optimizer.momentums[0].assign(velocity)
    for g in gradients:
        optimizer.apply([g], [w])
        yield w.numpy()


@momentum_state.keras.like("torch")
def _(start, gradients, velocity):
    """Multiply the buffer by -η before it goes into optimizer.momentums."""
    import keras

    w = keras.Variable(start)
    optimizer = keras.optimizers.SGD(0.1, momentum=np.float64(0.9))
    optimizer.build([w])
    optimizer.momentums[0].assign(-0.1 * velocity)
    for g in gradients:
        optimizer.apply([g], [w])
        yield w.numpy()


@momentum_state.torch
def _(start, gradients, velocity):
    import torch

    w = torch.tensor(start)
    optimizer = torch.optim.SGD([w], lr=0.1, momentum=0.9)
    optimizer.state[w]["momentum_buffer"] = torch.tensor(velocity)
    for g in gradients:
        w.grad = torch.tensor(g)
        optimizer.step()
        yield w.numpy()


@momentum_state.torch.like("keras")
def _(start, gradients, velocity):
    """Divide the velocity by -η before it becomes momentum_buffer."""
    import torch

    w = torch.tensor(start)
    optimizer = torch.optim.SGD([w], lr=0.1, momentum=0.9)
    optimizer.state[w]["momentum_buffer"] = torch.tensor(velocity / -0.1)
    for g in gradients:
        w.grad = torch.tensor(g)
        optimizer.step()
        yield w.numpy()


adam_state = Card(
    id="adam-state",
    title="Handing over Adam: both moments and the number of steps",
    wrong=(
        "Adam's two moments are the same numbers everywhere and can be copied as they are. The count of "
        "steps has to come along: Keras keeps it in iterations, PyTorch in step, scikit-learn in t, all as "
        "the number of steps done, and TensorFlow as the two powers of β for the step to come. With the "
        "moments copied and the count left at zero, the bias correction takes settled moments for fresh "
        "ones, and for many steps to come the steps are several times too short."
    ),
    conventions={
        "numpy sklearn tensorflow keras torch": "w -= η·√(1-β₂ᵗ)/(1-β₁ᵗ) · m/√v:  the state is m, v, t",
    },
    given=moments,
    defaults=("Adam.beta_1", "Adam.beta_2"),
    faults=("adam-step-late", "state-swapped", "state-step-ahead"),
)


@adam_state.numpy
def _(start, gradients, m, v, t):
    w = start
    for g in gradients:
        t = t + 1
        m = 0.9 * m + (1 - 0.9) * g
        v = 0.999 * v + (1 - 0.999) * g**2
        w = w - 0.01 * np.sqrt(1 - 0.999**t) / (1 - 0.9**t) * m / np.sqrt(v)
        yield w


@adam_state.sklearn
def _(start, gradients, m, v, t):
    from sklearn.neural_network._stochastic_optimizers import AdamOptimizer

    optimizer = AdamOptimizer([start], 0.01, beta_1=0.9, beta_2=0.999, epsilon=0.0)
    optimizer.ms, optimizer.vs, optimizer.t = [m], [v], int(t)
    for g in gradients:
        optimizer.update_params([start], [g])  # in place
        yield start


@adam_state.tensorflow
def _(start, gradients, m, v, t):
    import tensorflow as tf

    w, m, v = tf.Variable(start), tf.Variable(m), tf.Variable(v)
    f = np.float64
    rates = {"lr": f(0.01), "beta1": f(0.9), "beta2": f(0.999), "epsilon": f(0)}
    for g in gradients:
        t = t + 1
        powers = {"beta1_power": f(0.9) ** t, "beta2_power": f(0.999) ** t}
        tf.raw_ops.ResourceApplyAdam(var=w.handle, m=m.handle, v=v.handle, grad=g, **powers, **rates)
        yield w.numpy()


@adam_state.keras
def _(start, gradients, m, v, t):
    import keras

    w = keras.Variable(start)
    f = np.float64
    optimizer = keras.optimizers.Adam(0.01, f(0.9), f(0.999), epsilon=0.0)
    optimizer.build([w])
    optimizer.iterations.assign(t)
    optimizer._momentums[0].assign(m)
    optimizer._velocities[0].assign(v)
    for g in gradients:
        optimizer.apply([g], [w])
        yield w.numpy()


@adam_state.torch
def _(start, gradients, m, v, t):
    import torch

    w = torch.tensor(start)
    optimizer = torch.optim.Adam([w], lr=0.01, betas=(0.9, 0.999), eps=0.0)
    step = torch.tensor(float(t))
    optimizer.state[w] = {"step": step, "exp_avg": torch.tensor(m), "exp_avg_sq": torch.tensor(v)}
    for g in gradients:
        w.grad = torch.tensor(g)
        optimizer.step()
        yield w.numpy()


state_order = Card(
    id="state-order",
    title="scikit-learn: the order of the optimizer's state",
    wrong=(
        "Scikit-learn's optimizers keep their velocities and moments in the order of coefs_ + intercepts_: "
        "all kernels, then all biases. Keras and PyTorch go layer by layer, each kernel with its bias. "
        "Loaded in the wrong order, most networks fail at the first step because the shapes differ; where "
        "two layers are as wide as each other, the state of one parameter can silently drive another."
    ),
    conventions={
        "sklearn": "W₁, W₂, b₁, b₂",
        "keras torch": "W₁, b₁, W₂, b₂",
    },
    given=layers,
    differs=0.4,
    absent={
        "numpy": "NumPy has no optimizers; arrays stand in the order in which they are put",
        "tensorflow": "variables stand in the order in which they are handed to the optimizer",
    },
)


@state_order.sklearn
def _(x, y):
    from sklearn.neural_network import MLPRegressor

    model = MLPRegressor(hidden_layer_sizes=(4,), solver="sgd").partial_fit(x, y)
    velocities = model._optimizer.velocities
    return [velocity.size for velocity in velocities]


@state_order.sklearn.like("keras")
def _(x, y):
    """Take kernels and biases in turn: the first half of the state are kernels, the second biases."""
    from sklearn.neural_network import MLPRegressor

    model = MLPRegressor(hidden_layer_sizes=(4,), solver="sgd").partial_fit(x, y)
    velocities = model._optimizer.velocities
    pairs = zip(velocities[:2], velocities[2:], strict=True)
    return [velocity.size for pair in pairs for velocity in pair]


@state_order.keras
def _(x):
    import keras

    model = keras.Sequential([keras.layers.Dense(4), keras.layers.Dense(3)])
    model.build(x.shape)
    optimizer = keras.optimizers.SGD(momentum=0.9)
    optimizer.build(model.trainable_variables)
    velocities = optimizer.momentums
    return [np.size(velocity) for velocity in velocities]


@state_order.keras.like("sklearn")
def _(x):
    """Take every second array first, the kernels, then the biases."""
    import keras

    model = keras.Sequential([keras.layers.Dense(4), keras.layers.Dense(3)])
    model.build(x.shape)
    optimizer = keras.optimizers.SGD(momentum=0.9)
    optimizer.build(model.trainable_variables)
    velocities = optimizer.momentums[::2] + optimizer.momentums[1::2]
    return [np.size(velocity) for velocity in velocities]


@state_order.torch
def _(x):
    import torch

    model = torch.nn.Sequential(torch.nn.Linear(2, 4), torch.nn.Linear(4, 3))
    optimizer = torch.optim.SGD(model.parameters(), momentum=0.9)
    model(torch.tensor(x)).sum().backward()
    optimizer.step()
    velocities = [optimizer.state[p]["momentum_buffer"] for p in model.parameters()]
    return [velocity.numel() for velocity in velocities]


@state_order.torch.like("sklearn")
def _(x):
    """Take every second array first, the kernels, then the biases."""
    import torch

    model = torch.nn.Sequential(torch.nn.Linear(2, 4), torch.nn.Linear(4, 3))
    optimizer = torch.optim.SGD(model.parameters(), momentum=0.9)
    model(torch.tensor(x)).sum().backward()
    optimizer.step()
    velocities = [optimizer.state[p]["momentum_buffer"] for p in model.parameters()]
    return [velocity.numel() for velocity in velocities[::2] + velocities[1::2]]


parameter_average = Card(
    id="parameter-average",
    title="Averaged parameters (EMA): where the average starts",
    wrong=(
        "A moving average of the parameters starts from the parameters after the first step in Keras, in "
        "PyTorch's AveragedModel and in TensorFlow where apply() is first called. Written by hand it mostly "
        "starts from a copy made before training, which the random start then pulls for some 1/(1-β) steps. "
        "After that nothing shows. In Keras, fit() puts the average into the model when it ends."
    ),
    conventions={
        "numpy": "a₀ = w₀,  a = β·a + (1-β)·w",
        "tensorflow keras torch": "a₁ = w₁,  then a = β·a + (1-β)·w",
    },
    given=given.descent,
    differs=0.03,
    absent={"sklearn": "scikit-learn's networks average nothing; its SGDClassifier takes plain means"},
    defaults=("SGD.ema_momentum",),
)


@parameter_average.numpy
def _(start, gradients):
    w, average = start, start
    for g in gradients:
        w = w - 0.1 * g
        average = 63 / 64 * average + 1 / 64 * w
        yield average


@parameter_average.numpy.like("keras")
def _(start, gradients):
    """Start from the parameters after the first step."""
    w, average = start, None
    for g in gradients:
        w = w - 0.1 * g
        average = w if average is None else 63 / 64 * average + 1 / 64 * w
        yield average


@parameter_average.tensorflow
def _(start, gradients):
    import tensorflow as tf

    w = tf.Variable(start)
    ema = tf.train.ExponentialMovingAverage(63 / 64)
    for g in gradients:
        w.assign_sub(0.1 * g)
        ema.apply([w])
        yield ema.average(w).numpy()


@parameter_average.tensorflow.like("numpy")
def _(start, gradients):
    """Call apply() once before training."""
    import tensorflow as tf

    w = tf.Variable(start)
    ema = tf.train.ExponentialMovingAverage(63 / 64)
    ema.apply([w])
    for g in gradients:
        w.assign_sub(0.1 * g)
        ema.apply([w])
        yield ema.average(w).numpy()


@parameter_average.keras
def _(start, gradients):
    import keras

    w = keras.Variable(start)
    optimizer = keras.optimizers.SGD(0.1, use_ema=True, ema_momentum=63 / 64)
    for g in gradients:
        optimizer.apply([g], [w])
        yield np.array(optimizer._model_variables_moving_average[0])


@parameter_average.keras.like("numpy")
def _(start, gradients):
    """Put the start into the average, and set iterations to 1 (with Adam, average by hand)."""
    import keras

    w = keras.Variable(start)
    optimizer = keras.optimizers.SGD(0.1, use_ema=True, ema_momentum=63 / 64)
    optimizer.build([w])
    optimizer._model_variables_moving_average[0].assign(start)
    optimizer.iterations.assign(1)
    for g in gradients:
        optimizer.apply([g], [w])
        yield np.array(optimizer._model_variables_moving_average[0])


@parameter_average.torch
def _(start, gradients):
    import torch

    model = torch.nn.ParameterList([torch.tensor(start)])
    average = torch.optim.swa_utils.get_ema_multi_avg_fn(63 / 64)
    ema = torch.optim.swa_utils.AveragedModel(model, multi_avg_fn=average)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for g in gradients:
        model[0].grad = torch.tensor(g)
        optimizer.step()
        ema.update_parameters(model)
        yield next(ema.parameters()).detach()


@parameter_average.torch.like("numpy")
def _(start, gradients):
    """Call update_parameters() once before training."""
    import torch

    model = torch.nn.ParameterList([torch.tensor(start)])
    average = torch.optim.swa_utils.get_ema_multi_avg_fn(63 / 64)
    ema = torch.optim.swa_utils.AveragedModel(model, multi_avg_fn=average)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    ema.update_parameters(model)
    for g in gradients:
        model[0].grad = torch.tensor(g)
        optimizer.step()
        ema.update_parameters(model)
        yield next(ema.parameters()).detach()
