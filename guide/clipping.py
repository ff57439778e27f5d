"""Clipping of gradients, and limits on the norms of weights."""

import numpy as np

from backends.base import Arrays
from guide import given
from guide.card import Card


def two_gradients() -> Arrays:
    """Gradients `a` (3,) and `b` (2, 2) of two parameters, whose common norm is 2."""
    a, b = np.array([1.0, -0.5, 0.2]), np.array([[1.2, -0.8], [0.6, 0.4]])
    size = 2 / np.sqrt(np.sum(a**2) + np.sum(b**2))
    return {"a": a * size, "b": b * size}


def exploding() -> Arrays:
    """Gradients `a` (3,) and `b` (3,), the second smaller; a 1e-6 beside such norms is nothing."""
    return {"a": 1e12 * np.array([3.0, -4.0, 1.0]), "b": 1e11 * np.array([0.3, 0.4, -0.2])}


def overflowing() -> Arrays:
    """Gradients `a` (3,) and `b` (3,), one element of which is infinite."""
    return {"a": np.array([1.0, np.inf, -2.0]), "b": np.array([0.5, 0.1, -0.3])}


def columns() -> Arrays:
    """A kernel `w` (4, 3), one column of which has a norm below 1, and two above."""
    w = np.random.default_rng(21).standard_normal((4, 3))
    return {"w": w / np.linalg.norm(w, axis=0) * [0.5, 1.5, 3.0]}


clip_scope = Card(
    id="clip-scope",
    title="Clipping by norm: each gradient by itself, or all together",
    wrong=(
        "Keras's clipnorm limits the norm of each parameter's gradient by itself, as tf.clip_by_norm does; "
        "PyTorch's clip_grad_norm_ limits the norm of all gradients together. The former changes the "
        "direction of the step, the latter its length alone. Both do nothing while gradients are small, so "
        "a port agrees until the first large gradient comes."
    ),
    conventions={
        "numpy torch": "g = g · min(1, c/‖all g‖)",
        "tensorflow keras": "g = g · min(1, c/‖g‖), for each parameter",
    },
    given=exploding,
    differs=0.5,
    absent={"sklearn": "scikit-learn does not clip gradients"},
    defaults=("SGD.clipnorm", "SGD.global_clipnorm"),
    issues=("keras-team/keras#13575", "tensorflow/tensorflow#36001", "tensorflow/tensorflow#52348"),
    faults=("gradient-clipped",),
)


@clip_scope.numpy
def _(a, b):
    norm = np.sqrt(np.sum(a**2) + np.sum(b**2))
    return np.concatenate([g * min(1, 1.0 / norm) for g in (a, b)])


@clip_scope.numpy.like("keras")
def _(a, b):
    """Take the norm of each gradient by itself."""
    return np.concatenate([g * min(1, 1.0 / np.linalg.norm(g)) for g in (a, b)])


@clip_scope.tensorflow
def _(a, b):
    import tensorflow as tf

    gradients = [tf.clip_by_norm(g, 1.0) for g in (a, b)]
    return tf.concat(gradients, 0)


@clip_scope.tensorflow.like("torch")
def _(a, b):
    """Use tf.clip_by_global_norm in place of tf.clip_by_norm."""
    import tensorflow as tf

    gradients, _ = tf.clip_by_global_norm([a, b], 1.0)
    return tf.concat(gradients, 0)


@clip_scope.keras
def _(a, b):
    import keras

    parameters = [keras.Variable(np.zeros(3)), keras.Variable(np.zeros(3))]
    optimizer = keras.optimizers.SGD(1.0, clipnorm=1.0)
    optimizer.apply([a, b], parameters)
    return -np.concatenate(parameters)


@clip_scope.keras.like("torch")
def _(a, b):
    """Pass global_clipnorm in place of clipnorm."""
    import keras

    parameters = [keras.Variable(np.zeros(3)), keras.Variable(np.zeros(3))]
    optimizer = keras.optimizers.SGD(1.0, global_clipnorm=1.0)
    optimizer.apply([keras.ops.convert_to_tensor(g) for g in (a, b)], parameters)
    return -np.concatenate(parameters)


@clip_scope.torch
def _(a, b):
    import torch

    parameters = [torch.zeros(3), torch.zeros(3)]
    gradients = [torch.tensor(a), torch.tensor(b)]
    for p, g in zip(parameters, gradients, strict=True):
        p.grad = g
    torch.nn.utils.clip_grad_norm_(parameters, 1.0)
    torch.optim.SGD(parameters, lr=1.0).step()
    return -torch.cat(parameters)


@clip_scope.torch.like("keras")
def _(a, b):
    """Call clip_grad_norm_([p], c) for each parameter p by itself."""
    import torch

    parameters = [torch.zeros(3), torch.zeros(3)]
    gradients = [torch.tensor(a), torch.tensor(b)]
    for p, g in zip(parameters, gradients, strict=True):
        p.grad = g
        torch.nn.utils.clip_grad_norm_([p], 1.0)
    torch.optim.SGD(parameters, lr=1.0).step()
    return -torch.cat(parameters)


clip_epsilon = Card(
    id="clip-epsilon",
    title="Clipping by the global norm: PyTorch's 1e-6",
    wrong=(
        "PyTorch adds 1e-6 to the norm before it divides, where Keras and TensorFlow divide by the norm as "
        "it is. The clipped gradient is shorter by a millionth where the norm is near 1, and by much more "
        "where both norm and limit are tiny. Steps that are not clipped are the same; the others differ by "
        "far more than rounding."
    ),
    conventions={
        "numpy tensorflow keras": "g = g · min(1, c/‖g‖)",
        "torch": "g = g · min(1, c/(‖g‖ + 1e-6))",
    },
    given=two_gradients,
    differs=2e-7,
    absent={"sklearn": "scikit-learn does not clip gradients"},
    defaults=("SGD.global_clipnorm",),
    faults=("gradient-clipped",),
)


@clip_epsilon.numpy
def _(a, b):
    norm = np.sqrt(np.sum(a**2) + np.sum(b**2))
    return np.concatenate([g.ravel() * min(1, 1.0 / norm) for g in (a, b)])


@clip_epsilon.numpy.like("torch")
def _(a, b):
    """Add 1e-6 to the norm."""
    norm = np.sqrt(np.sum(a**2) + np.sum(b**2))
    return np.concatenate([g.ravel() * min(1, 1.0 / (norm + 1e-6)) for g in (a, b)])


@clip_epsilon.tensorflow
def _(a, b):
    import tensorflow as tf

    gradients, _ = tf.clip_by_global_norm([a, b], 1.0)
    return np.concatenate([np.ravel(g) for g in gradients])


@clip_epsilon.tensorflow.like("torch")
def _(a, b):
    """Pass use_norm, the global norm plus 1e-6, to tf.clip_by_global_norm."""
    import tensorflow as tf

    norm = tf.linalg.global_norm([a, b])
    gradients, _ = tf.clip_by_global_norm([a, b], 1.0, use_norm=norm + 1e-6)
    return np.concatenate([np.ravel(g) for g in gradients])


@clip_epsilon.keras
def _(a, b):
    import keras

    parameters = [keras.Variable(np.zeros(g.shape)) for g in (a, b)]
    optimizer = keras.optimizers.SGD(1.0, global_clipnorm=1.0)
    optimizer.apply([keras.ops.convert_to_tensor(g) for g in (a, b)], parameters)
    return -np.concatenate([np.ravel(p) for p in parameters])


@clip_epsilon.keras.like("torch")
def _(a, b):
    """Leave global_clipnorm out, and multiply gradients by min(1, c/(norm + 1e-6)) before apply()."""
    import keras

    parameters = [keras.Variable(np.zeros(g.shape)) for g in (a, b)]
    optimizer = keras.optimizers.SGD(1.0)
    norm = keras.ops.sqrt(sum(keras.ops.sum(g**2) for g in (a, b)))
    scale = keras.ops.minimum(1, 1.0 / (norm + 1e-6))
    optimizer.apply([g * scale for g in (a, b)], parameters)
    return -np.concatenate([np.ravel(p) for p in parameters])


@clip_epsilon.torch
def _(a, b):
    import torch

    parameters = [torch.zeros(g.shape) for g in (a, b)]
    gradients = [torch.tensor(a), torch.tensor(b)]
    for p, g in zip(parameters, gradients, strict=True):
        p.grad = g
    torch.nn.utils.clip_grad_norm_(parameters, 1.0)
    torch.optim.SGD(parameters, lr=1.0).step()
    return -torch.cat([p.ravel() for p in parameters])


@clip_epsilon.torch.like("keras")
def _(a, b):
    """Call clip_grads_with_norm_ with the norm from get_total_norm, less 1e-6."""
    import torch

    parameters = [torch.zeros(g.shape) for g in (a, b)]
    gradients = [torch.tensor(a), torch.tensor(b)]
    for p, g in zip(parameters, gradients, strict=True):
        p.grad = g
    norm = torch.nn.utils.get_total_norm(gradients)
    torch.nn.utils.clip_grads_with_norm_(parameters, 1.0, norm - 1e-6)
    torch.optim.SGD(parameters, lr=1.0).step()
    return -torch.cat([p.ravel() for p in parameters])


clip_and_penalty = Card(
    id="clip-and-penalty",
    title="Clipping and weight decay: is the penalty clipped, too?",
    wrong=(
        "A penalty in the loss is part of the gradient when it is clipped; PyTorch's weight_decay is added "
        "inside step(), after clip_grad_norm_ or clip_grad_value_ has been called, and is never clipped. "
        "When gradients are large, the former leaves next to nothing of the penalty and the latter all of "
        "it. Keras's own weight_decay is not clipped either."
    ),
    conventions={
        "numpy tensorflow keras": "w -= η·clip(g + λ·w)",
        "torch": "w -= η·(clip(g) + λ·w)",
    },
    given=given.descent,
    differs=0.3,
    absent={"sklearn": "scikit-learn does not clip gradients"},
    defaults=("SGD.clipvalue", "SGD.weight_decay"),
)


@clip_and_penalty.numpy
def _(start, gradients):
    w = start
    for g in gradients:
        w = w - 0.1 * np.clip(g + 0.25 * w, -0.3, 0.3)
        yield w


@clip_and_penalty.numpy.like("torch")
def _(start, gradients):
    """Add the decay after clipping."""
    w = start
    for g in gradients:
        w = w - 0.1 * (np.clip(g, -0.3, 0.3) + 0.25 * w)
        yield w


@clip_and_penalty.tensorflow
def _(start, gradients):
    import tensorflow as tf

    w = tf.Variable(start)
    for g in gradients:
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(g * w) + 0.25 * tf.nn.l2_loss(w)
        w.assign_sub(0.1 * tf.clip_by_value(tape.gradient(loss, w), -0.3, 0.3))
        yield w.numpy()


@clip_and_penalty.tensorflow.like("torch")
def _(start, gradients):
    """Leave the penalty out of the loss, and add its gradient after clipping."""
    import tensorflow as tf

    w = tf.Variable(start)
    for g in gradients:
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(g * w)
        w.assign_sub(0.1 * (tf.clip_by_value(tape.gradient(loss, w), -0.3, 0.3) + 0.25 * w))
        yield w.numpy()


@clip_and_penalty.keras
def _(start, gradients):
    import keras
    import tensorflow as tf

    w, l2 = keras.Variable(start), keras.regularizers.L2(0.25 / 2)
    optimizer = keras.optimizers.SGD(0.1, clipvalue=np.float64(0.3))
    for g in gradients:
        with tf.GradientTape() as tape:
            loss = keras.ops.sum(w * g) + l2(w)
        optimizer.apply([tape.gradient(loss, w.value)], [w])
        yield w.numpy()


@clip_and_penalty.keras.like("torch")
def _(start, gradients):
    """Use weight_decay in place of the regularizer (with momentum: add λ·w to clipped gradients)."""
    import keras
    import tensorflow as tf

    w = keras.Variable(start)
    optimizer = keras.optimizers.SGD(0.1, clipvalue=np.float64(0.3), weight_decay=0.25)
    for g in gradients:
        with tf.GradientTape() as tape:
            loss = keras.ops.sum(w * g)
        optimizer.apply([tape.gradient(loss, w.value)], [w])
        yield w.numpy()


@clip_and_penalty.torch
def _(start, gradients):
    import torch

    w = torch.tensor(start, requires_grad=True)
    optimizer = torch.optim.SGD([w], lr=0.1, weight_decay=0.25)
    for g in torch.tensor(gradients):
        optimizer.zero_grad()
        loss = (g * w).sum()
        loss.backward()
        torch.nn.utils.clip_grad_value_([w], 0.3)
        optimizer.step()
        yield w.detach()


@clip_and_penalty.torch.like("keras")
def _(start, gradients):
    """Set weight_decay to 0, and add the penalty to the loss."""
    import torch

    w = torch.tensor(start, requires_grad=True)
    optimizer = torch.optim.SGD([w], lr=0.1)
    for g in torch.tensor(gradients):
        optimizer.zero_grad()
        loss = (g * w).sum() + 0.25 / 2 * w.square().sum()
        loss.backward()
        torch.nn.utils.clip_grad_value_([w], 0.3)
        optimizer.step()
        yield w.detach()


clip_value = Card(
    id="clip-value",
    title="Clipping by value: nothing to port",
    wrong=(
        "This one ports as it is: every element is cut off at -c and c, by itself. It is the limit of "
        "choice where two frameworks are to agree, unlike clipping by a norm, in which they differ twice."
    ),
    conventions={"numpy tensorflow keras torch": "g = max(-c, min(g, c)), for each element"},
    given=two_gradients,
    absent={"sklearn": "scikit-learn does not clip gradients"},
    defaults=("SGD.clipvalue",),
)


@clip_value.numpy
def _(a):
    return np.clip(a, -0.5, 0.5)


@clip_value.tensorflow
def _(a):
    import tensorflow as tf

    return tf.clip_by_value(a, -0.5, 0.5)


@clip_value.keras
def _(a):
    import keras

    w = keras.Variable(np.zeros(3))
    optimizer = keras.optimizers.SGD(1.0, clipvalue=0.5)
    optimizer.apply([a], [w])
    return -w.numpy()


@clip_value.torch
def _(a):
    import torch

    w = torch.zeros(3)
    w.grad = torch.tensor(a)
    torch.nn.utils.clip_grad_value_([w], 0.5)
    return w.grad


clip_infinite = Card(
    id="clip-infinite",
    title="Clipping by the global norm when a gradient is infinite",
    wrong=(
        "When one element overflows, the global norm is infinite. PyTorch multiplies by c/∞ = 0: the finite "
        "elements become 0, only the infinite one becomes NaN, and most of the network goes on. Keras and "
        "TensorFlow make every gradient NaN on purpose, so that all parameters are lost in the same step. "
        "It shows with float16, or after a loss has exploded."
    ),
    conventions={
        "numpy torch": "g · c/∞:  0, and NaN for the infinite",
        "tensorflow keras": "NaN for all",
    },
    given=overflowing,
    differs=0.5,
    absent={"sklearn": "scikit-learn does not clip gradients"},
    defaults=("SGD.global_clipnorm",),
)


@clip_infinite.numpy
def _(a, b):
    norm = np.sqrt(np.sum(a**2) + np.sum(b**2))
    return np.concatenate([g * min(1, 1.0 / norm) for g in (a, b)])


@clip_infinite.numpy.like("keras")
def _(a, b):
    """Add norm - norm to the factor: 0 for a finite norm, else NaN."""
    norm = np.sqrt(np.sum(a**2) + np.sum(b**2))
    return np.concatenate([g * (min(1, 1.0 / norm) + (norm - norm)) for g in (a, b)])


@clip_infinite.tensorflow
def _(a, b):
    import tensorflow as tf

    gradients, _ = tf.clip_by_global_norm([a, b], 1.0)
    return tf.concat(gradients, 0)


@clip_infinite.tensorflow.like("torch")
def _(a, b):
    """Multiply gradients by min(1, c/norm) yourself, in place of tf.clip_by_global_norm."""
    import tensorflow as tf

    norm = tf.linalg.global_norm([a, b])
    gradients = [g * tf.minimum(1, 1.0 / norm) for g in (a, b)]
    return tf.concat(gradients, 0)


@clip_infinite.keras
def _(a, b):
    import keras

    parameters = [keras.Variable(np.zeros(3)), keras.Variable(np.zeros(3))]
    optimizer = keras.optimizers.SGD(1.0, global_clipnorm=1.0)
    optimizer.apply([keras.ops.convert_to_tensor(g) for g in (a, b)], parameters)
    return -np.concatenate(parameters)


@clip_infinite.keras.like("torch")
def _(a, b):
    """Leave global_clipnorm out, and multiply gradients by min(1, c/norm) before apply()."""
    import keras

    parameters = [keras.Variable(np.zeros(3)), keras.Variable(np.zeros(3))]
    optimizer = keras.optimizers.SGD(1.0)
    norm = keras.ops.sqrt(sum(keras.ops.sum(g**2) for g in (a, b)))
    optimizer.apply([g * keras.ops.minimum(1, 1.0 / norm) for g in (a, b)], parameters)
    return -np.concatenate(parameters)


@clip_infinite.torch
def _(a, b):
    import torch

    parameters = [torch.zeros(3), torch.zeros(3)]
    gradients = [torch.tensor(a), torch.tensor(b)]
    for p, g in zip(parameters, gradients, strict=True):
        p.grad = g
    torch.nn.utils.clip_grad_norm_(parameters, 1.0)
    torch.optim.SGD(parameters, lr=1.0).step()
    return -torch.cat(parameters)


@clip_infinite.torch.like("keras")
def _(a, b):
    """Make all gradients NaN where the norm is not finite, or pass error_if_nonfinite=True to stop."""
    import torch

    parameters = [torch.zeros(3), torch.zeros(3)]
    gradients = [torch.tensor(a), torch.tensor(b)]
    for p, g in zip(parameters, gradients, strict=True):
        p.grad = g
    norm = torch.nn.utils.clip_grad_norm_(parameters, 1.0)
    for g in gradients:
        g.add_(norm - norm)
    torch.optim.SGD(parameters, lr=1.0).step()
    return -torch.cat(parameters)


max_norm = Card(
    id="max-norm",
    title="Max-norm constraint: ε in the divisor, and which weights",
    wrong=(
        "Keras's MaxNorm multiplies every unit's weights by its clipped norm over norm + ε, units within "
        "the limit included, which therefore shrink a little after every step. PyTorch's renorm leaves "
        "those alone, and divides the others by norm + 1e-7; clipping written by hand has no ε at all. The "
        "larger trap is the axis: Keras's axis is summed over, renorm's dim is the one that is kept, and "
        "the kernel is transposed."
    ),
    conventions={
        "numpy tensorflow": "w · c/max(‖w‖, c)",
        "keras": "w · min(‖w‖, c)/(‖w‖ + ε)",
        "torch": "w where ‖w‖ ≤ c,  else w · c/(‖w‖ + 1e-7)",
    },
    given=columns,
    differs=3e-8,
    absent={"sklearn": "scikit-learn constrains no norms"},
    defaults=("MaxNorm.max_value", "MaxNorm.axis"),
    issues=("keras-team/keras#474",),
    faults=("max-norm-epsilon", "max-norm-of-rows", "max-norm-of-kernels", "max-norm-exactly"),
)


@max_norm.numpy
def _(w):
    norms = np.linalg.norm(w, axis=0)
    return w * 1.0 / np.maximum(norms, 1.0)


@max_norm.numpy.like("keras")
def _(w):
    """Clip the norms, and add 1e-7 to the divisor of all units."""
    norms = np.linalg.norm(w, axis=0)
    return w * np.minimum(norms, 1.0) / (norms + 1e-7)


@max_norm.numpy.like("torch")
def _(w):
    """Add 1e-7 to the divisor of those units that are above the limit."""
    norms = np.linalg.norm(w, axis=0)
    return w * np.where(norms > 1.0, 1.0 / (norms + 1e-7), 1.0)


@max_norm.tensorflow
def _(w):
    import tensorflow as tf

    return tf.clip_by_norm(w, 1.0, axes=[0])


@max_norm.tensorflow.like("keras")
def _(w):
    """Clip the norms by hand, and add 1e-7 to the divisor of all units."""
    import tensorflow as tf

    norms = tf.norm(w, axis=0)
    return w * tf.minimum(norms, 1.0) / (norms + 1e-7)


@max_norm.tensorflow.like("torch")
def _(w):
    """Multiply units above the limit by c/(norm + 1e-7) by hand."""
    import tensorflow as tf

    norms = tf.norm(w, axis=0)
    return w * tf.where(norms > 1.0, 1.0 / (norms + 1e-7), 1.0)


@max_norm.keras
def _(w):
    import keras

    constraint = keras.constraints.MaxNorm(1.0, axis=0)
    return constraint(w)


@max_norm.keras.like("numpy")
def _(w):
    """Call keras.config.set_epsilon(1e-300), which sets ε everywhere; 0 makes NaN of units of zeros."""
    import keras

    keras.config.set_epsilon(1e-300)
    constraint = keras.constraints.MaxNorm(1.0, axis=0)
    return constraint(w)


@max_norm.keras.like("torch")
def _(w):
    """Write a constraint (a function will do) that leaves alone what is within the limit."""
    import keras

    def constraint(w):
        norms = keras.ops.sqrt(keras.ops.sum(w**2, axis=0))
        return w * keras.ops.where(norms > 1.0, 1.0 / (norms + 1e-7), 1.0)

    return constraint(w)


@max_norm.torch
def _(w):
    import torch

    weight = torch.tensor(w.T)  # of a Linear
    return torch.renorm(weight, p=2, dim=0, maxnorm=1.0).T


@max_norm.torch.like("keras")
def _(w):
    """Clip the norms by hand, and add 1e-7 to the divisor of all units."""
    import torch

    weight = torch.tensor(w.T)
    norms = torch.linalg.vector_norm(weight, dim=1, keepdim=True)
    return (weight * norms.clamp(max=1.0) / (norms + 1e-7)).T


@max_norm.torch.like("numpy")
def _(w):
    """Divide by hand, by the larger of norm and limit."""
    import torch

    weight = torch.tensor(w.T)
    norms = torch.linalg.vector_norm(weight, dim=1, keepdim=True)
    return (weight * 1.0 / norms.clamp(min=1.0)).T
