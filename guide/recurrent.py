"""Recurrent layers: gates, biases, order of axes."""

import numpy as np

from backends.base import Arrays
from guide.card import Card


def sequences() -> Arrays:
    """Sequences `x` (4, 4, 3), kernels `w` (3, 4) and `u` (4, 4), and two biases `b` and `c` (4,)."""
    rng = np.random.default_rng(5)
    return {
        "x": rng.standard_normal((4, 4, 3)),
        "w": rng.standard_normal((3, 4)) / 2,
        "u": rng.standard_normal((4, 4)) / 2,
        "b": rng.standard_normal(4) / 2,
        "c": rng.standard_normal(4) / 2,
    }


def padded() -> Arrays:
    """`sequences`, of which only so many steps are real: `lengths` (4,)."""
    return sequences() | {"lengths": np.array([4, 3, 2, 1])}


def step() -> Arrays:
    """A single step: rows `x` (5, 3), states `h` (5, 4), kernels `w` (3, 4) and `u` (4, 4), bias `b` (4,)."""
    rng = np.random.default_rng(6)
    shapes = {"x": (5, 3), "h": (5, 4), "w": (3, 4), "u": (4, 4), "b": (4,)}
    return {name: rng.standard_normal(shape) / 2 for name, shape in shapes.items()}


def lstm() -> Arrays:
    """Sequences `x` (2, 6, 3); of gates i, f, g, o the kernels `w` (3, 16), `u` (4, 16), a bias `b` (16,)."""
    rng = np.random.default_rng(7)
    shapes = {"x": (2, 6, 3), "w": (3, 16), "u": (4, 16), "b": (16,)}
    return {name: rng.standard_normal(shape) for name, shape in shapes.items()}


def gru() -> Arrays:
    """Sequences `x` (2, 6, 3); of gates z, r, n the kernels `w` (3, 12), `u` (4, 12), biases `b` (2, 12)."""
    rng = np.random.default_rng(8)
    shapes = {"x": (2, 6, 3), "w": (3, 12), "u": (4, 12), "b": (2, 12)}
    return {name: rng.standard_normal(shape) for name, shape in shapes.items()}


time_axis = Card(
    id="rnn-time-axis",
    title="Recurrent layers: batch first or time first",
    wrong=(
        "Keras reads (batch, time, features). PyTorch, unless told batch_first=True, reads (time, batch, "
        "features), and so does TensorFlow's scan. Nothing fails: the layer walks along the rows of the "
        "batch, mixes them, and returns the expected shape. The loss still falls, as each row sees those "
        "before it."
    ),
    conventions={
        "numpy keras": "x: (batch, time, features)",
        "tensorflow torch": "x: (time, batch, features)",
    },
    given=sequences,
    differs=0.5,
    absent={"sklearn": "scikit-learn has no recurrent layers"},
    defaults=("LSTM.batch_first",),
)


@time_axis.numpy
def _(x, w, u, b):
    h, outputs = np.zeros((4, 4)), []
    for t in range(4):
        h = np.tanh(x[:, t] @ w + h @ u + b)
        outputs.append(h)
    return np.stack(outputs, axis=1)


@time_axis.numpy.like("torch")
def _(x, w, u, b):
    """Walk along the first axis: the second holds the rows of the batch."""
    h, outputs = np.zeros((4, 4)), []
    for t in range(4):
        h = np.tanh(x[t] @ w + h @ u + b)
        outputs.append(h)
    return np.stack(outputs)


@time_axis.tensorflow
def _(x, w, u, b):
    import tensorflow as tf

    return tf.scan(lambda h, x_t: tf.tanh(x_t @ w + h @ u + b), x, tf.zeros((4, 4), tf.float64))


@time_axis.tensorflow.like("keras")
def _(x, w, u, b):
    """Swap the first two axes before and after `tf.scan`."""
    import tensorflow as tf

    x = x.swapaxes(0, 1)
    outputs = tf.scan(lambda h, x_t: tf.tanh(x_t @ w + h @ u + b), x, tf.zeros((4, 4), tf.float64))
    return tf.transpose(outputs, (1, 0, 2))


@time_axis.keras
def _(x, w, u, b):
    import keras

    layer = keras.layers.SimpleRNN(4, return_sequences=True)
    layer.build(x.shape)
    layer.set_weights([w, u, b])
    return layer(x)


@time_axis.keras.like("torch")
def _(x, w, u, b):
    """Swap the first two axes before and after the layer."""
    import keras

    layer = keras.layers.SimpleRNN(4, return_sequences=True)
    layer.build(x.shape)
    layer.set_weights([w, u, b])
    return keras.ops.swapaxes(layer(x.swapaxes(0, 1)), 0, 1)


@time_axis.torch
def _(x, w, u, b):
    import torch

    layer = torch.nn.RNN(3, 4)
    weights = {"weight_ih_l0": w.T, "weight_hh_l0": u.T, "bias_ih_l0": b, "bias_hh_l0": 0 * b}
    layer.load_state_dict({name: torch.tensor(value) for name, value in weights.items()})
    return layer(torch.tensor(x))[0].detach()


@time_axis.torch.like("keras")
def _(x, w, u, b):
    """Pass batch_first=True."""
    import torch

    layer = torch.nn.RNN(3, 4, batch_first=True)
    weights = {"weight_ih_l0": w.T, "weight_hh_l0": u.T, "bias_ih_l0": b, "bias_hh_l0": 0 * b}
    layer.load_state_dict({name: torch.tensor(value) for name, value in weights.items()})
    return layer(torch.tensor(x))[0].detach()


two_biases = Card(
    id="rnn-two-biases",
    title="RNN, LSTM: one bias or two",
    wrong=(
        "PyTorch's recurrent layers have two biases, one with the input and one with the state, which are "
        "just added; Keras's SimpleRNN and LSTM have one. Who loads only one of PyTorch's, or loads Keras's "
        "into both, is off by a whole bias. It does not show while biases are zero."
    ),
    conventions={
        "numpy tensorflow keras": "h = tanh(x·W + h·U + b)",
        "torch": "h = tanh(x·Wᵀ + b + h·Uᵀ + c)",
    },
    given=sequences,
    differs=0.2,
    absent={"sklearn": "scikit-learn has no recurrent layers"},
)


@two_biases.numpy
def _(x, w, u, b):
    h = np.zeros((4, 4))
    for t in range(4):
        h = np.tanh(x[:, t] @ w + h @ u + b)
    return h


@two_biases.numpy.like("torch")
def _(x, w, u, b, c):
    """Add PyTorch's two biases, bias_ih and bias_hh."""
    h = np.zeros((4, 4))
    for t in range(4):
        h = np.tanh(x[:, t] @ w + h @ u + b + c)
    return h


@two_biases.tensorflow
def _(x, w, u, b):
    import tensorflow as tf

    h = tf.zeros((4, 4), tf.float64)
    for t in range(4):
        h = tf.tanh(x[:, t] @ w + h @ u + b)
    return h


@two_biases.tensorflow.like("torch")
def _(x, w, u, b, c):
    """Add PyTorch's two biases, bias_ih and bias_hh."""
    import tensorflow as tf

    h = tf.zeros((4, 4), tf.float64)
    for t in range(4):
        h = tf.tanh(x[:, t] @ w + h @ u + b + c)
    return h


@two_biases.keras
def _(x, w, u, b):
    import keras

    layer = keras.layers.SimpleRNN(4)
    layer.build(x.shape)
    layer.set_weights([w, u, b])
    return layer(x)


@two_biases.keras.like("torch")
def _(x, w, u, b, c):
    """Load the sum of PyTorch's two biases, bias_ih and bias_hh."""
    import keras

    layer = keras.layers.SimpleRNN(4)
    layer.build(x.shape)
    layer.set_weights([w, u, b + c])
    return layer(x)


@two_biases.torch
def _(x, w, u, b, c):
    import torch

    layer = torch.nn.RNN(3, 4, batch_first=True)
    weights = {"weight_ih_l0": w.T, "weight_hh_l0": u.T, "bias_ih_l0": b, "bias_hh_l0": c}
    layer.load_state_dict({name: torch.tensor(value) for name, value in weights.items()})
    _, state = layer(torch.tensor(x))
    return state[0].detach()


@two_biases.torch.like("keras")
def _(x, w, u, b):
    """Load the bias into bias_ih, and zeros into bias_hh."""
    import torch

    layer = torch.nn.RNN(3, 4, batch_first=True)
    weights = {"weight_ih_l0": w.T, "weight_hh_l0": u.T, "bias_ih_l0": b, "bias_hh_l0": 0 * b}
    layer.load_state_dict({name: torch.tensor(value) for name, value in weights.items()})
    _, state = layer(torch.tensor(x))
    return state[0].detach()


bias_steps = Card(
    id="rnn-bias-steps",
    title="RNN, LSTM: two biases take two steps",
    wrong=(
        "A zero in PyTorch's second bias makes the outputs agree, not the training: both biases get the "
        "same gradient, so that their sum moves twice as far as the one bias of Keras. With Adam the sum "
        "moves twice as far too, and weight decay acts on each. Nothing shows in the first forward pass."
    ),
    conventions={
        "numpy tensorflow keras": "b -= η·∂b",
        "torch": "b -= η·∂b,  c -= η·∂b:  (b + c) -= 2η·∂b",
    },
    given=step,
    differs=0.2,
    absent={"sklearn": "scikit-learn has no recurrent layers"},
)


@bias_steps.numpy
def _(x, h, w, u, b):
    for _ in range(100):
        y = np.tanh(x @ w + h @ u + b)
        d = 2 * y * (1 - y**2) / y.size
        w, u, b = w - 0.1 * x.T @ d, u - 0.1 * h.T @ d, b - 0.1 * d.sum(axis=0)
        yield b


@bias_steps.numpy.like("torch")
def _(x, h, w, u, b):
    """Double the step of the bias."""
    for _ in range(100):
        y = np.tanh(x @ w + h @ u + b)
        d = 2 * y * (1 - y**2) / y.size
        w, u, b = w - 0.1 * x.T @ d, u - 0.1 * h.T @ d, b - 2 * 0.1 * d.sum(axis=0)
        yield b


@bias_steps.tensorflow
def _(x, h, w, u, b):
    import tensorflow as tf

    w, u, b = tf.Variable(w), tf.Variable(u), tf.Variable(b)
    for _ in range(100):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(tf.tanh(x @ w + h @ u + b) ** 2)
        for p, g in zip((w, u, b), tape.gradient(loss, (w, u, b)), strict=True):
            p.assign_sub(0.1 * g)
        yield b.numpy()


@bias_steps.tensorflow.like("torch")
def _(x, h, w, u, b):
    """Train two biases, and add them."""
    import tensorflow as tf

    w, u, b, c = tf.Variable(w), tf.Variable(u), tf.Variable(b), tf.Variable(0 * b)
    for _ in range(100):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(tf.tanh(x @ w + h @ u + b + c) ** 2)
        for p, g in zip((w, u, b, c), tape.gradient(loss, (w, u, b, c)), strict=True):
            p.assign_sub(0.1 * g)
        yield (b + c).numpy()


@bias_steps.keras
def _(x, h, w, u, b):
    import keras
    import tensorflow as tf

    cell = keras.layers.SimpleRNNCell(4)
    cell.build(x.shape)
    cell.set_weights([w, u, b])
    for _ in range(100):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(cell(x, [h])[0] ** 2)
        for p, g in zip(cell.weights, tape.gradient(loss, cell.trainable_weights), strict=True):
            p.assign_sub(np.float64(0.1) * g)
        yield cell.bias.numpy()


@bias_steps.keras.like("torch")
def _(x, h, w, u, b):
    """Double the gradient of the bias (for descent; with Adam, its learning rate instead)."""
    import keras
    import tensorflow as tf

    cell = keras.layers.SimpleRNNCell(4)
    cell.build(x.shape)
    cell.set_weights([w, u, b])
    for _ in range(100):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(cell(x, [h])[0] ** 2)
        gradients = tape.gradient(loss, cell.trainable_weights)
        for p, g, times in zip(cell.weights, gradients, (1, 1, 2), strict=True):
            p.assign_sub(np.float64(0.1) * times * g)
        yield cell.bias.numpy()


@bias_steps.torch
def _(x, h, w, u, b):
    import torch

    cell = torch.nn.RNNCell(3, 4)
    weights = {"weight_ih": w.T, "weight_hh": u.T, "bias_ih": b, "bias_hh": 0 * b}
    cell.load_state_dict({name: torch.tensor(value) for name, value in weights.items()})
    optimizer = torch.optim.SGD(cell.parameters(), lr=0.1)
    for _ in range(100):
        optimizer.zero_grad()
        (cell(torch.tensor(x), torch.tensor(h)) ** 2).mean().backward()
        optimizer.step()
        yield (cell.bias_ih + cell.bias_hh).detach()


@bias_steps.torch.like("keras")
def _(x, h, w, u, b):
    """Freeze bias_hh at zero: `requires_grad_(False)`."""
    import torch

    cell = torch.nn.RNNCell(3, 4)
    weights = {"weight_ih": w.T, "weight_hh": u.T, "bias_ih": b, "bias_hh": 0 * b}
    cell.load_state_dict({name: torch.tensor(value) for name, value in weights.items()})
    cell.bias_hh.requires_grad_(False)
    optimizer = torch.optim.SGD(cell.parameters(), lr=0.1)
    for _ in range(100):
        optimizer.zero_grad()
        (cell(torch.tensor(x), torch.tensor(h)) ** 2).mean().backward()
        optimizer.step()
        yield (cell.bias_ih + cell.bias_hh).detach()


lstm_gates = Card(
    id="lstm-gates",
    title="LSTM: the order of the gates",
    wrong=(
        "Keras and PyTorch stack the kernels of an LSTM in the same order, input, forget, cell, output; "
        "TensorFlow's BlockLSTM (not BlockLSTMV2), and checkpoints of its first version, have the cell "
        "before the forget gate, and ONNX has input, output, forget, cell. All have the same shape, so a "
        "checkpoint loads without complaint, and the gates do each other's work."
    ),
    conventions={"numpy keras torch": "W = (W_i, W_f, W_g, W_o)", "tensorflow": "W = (W_i, W_g, W_f, W_o)"},
    given=lstm,
    differs=0.3,
    absent={"sklearn": "scikit-learn has no recurrent layers"},
    issues=("tensorflow/tensorflow#29622", "keras-team/keras#10179"),
    dtype="float32",
)


@lstm_gates.numpy
def _(x, w, u, b):
    h, c = np.zeros((2, 4)), np.zeros((2, 4))
    for t in range(6):
        i, f, g, o = np.split(x[:, t] @ w + h @ u + b, 4, axis=1)
        i, f, o = 1 / (1 + np.exp(-np.stack([i, f, o])))
        c = f * c + i * np.tanh(g)
        h = o * np.tanh(c)
    return h


@lstm_gates.numpy.like("tensorflow")
def _(x, w, u, b):
    """Take the second quarter for the cell, and the third for the forget gate."""
    h, c = np.zeros((2, 4)), np.zeros((2, 4))
    for t in range(6):
        i, g, f, o = np.split(x[:, t] @ w + h @ u + b, 4, axis=1)
        i, f, o = 1 / (1 + np.exp(-np.stack([i, f, o])))
        c = f * c + i * np.tanh(g)
        h = o * np.tanh(c)
    return h


@lstm_gates.tensorflow
def _(x, w, u, b):
    import tensorflow as tf

    f = np.float32  # all that it takes
    z, no = np.zeros((2, 4), f), np.zeros(4, f)
    wu = np.concatenate([w, u])
    states = tf.raw_ops.BlockLSTM(
        seq_len_max=6, x=f(x.swapaxes(0, 1)), cs_prev=z, h_prev=z, w=f(wu), b=f(b),
        wci=no, wcf=no, wco=no, forget_bias=0, cell_clip=-1,
    )  # fmt: skip
    return states.h[-1]


@lstm_gates.tensorflow.like("keras")
def _(x, w, u, b):
    """Swap the second and the third quarter of kernels and bias."""
    import tensorflow as tf

    f = np.float32  # all that it takes
    z, no = np.zeros((2, 4), f), np.zeros(4, f)
    wu = np.concatenate([w, u])
    i, g, o = np.r_[0:4], np.r_[8:12], np.r_[12:16]
    order = np.r_[i, g, 4:8, o]
    states = tf.raw_ops.BlockLSTM(
        seq_len_max=6, x=f(x.swapaxes(0, 1)), cs_prev=z, h_prev=z, w=f(wu[:, order]), b=f(b[order]),
        wci=no, wcf=no, wco=no, forget_bias=0, cell_clip=-1,
    )  # fmt: skip
    return states.h[-1]


@lstm_gates.keras
def _(x, w, u, b):
    import keras

    layer = keras.layers.LSTM(4)
    layer.build(x.shape)
    layer.set_weights([w, u, b])
    return layer(x)


@lstm_gates.keras.like("tensorflow")
def _(x, w, u, b):
    """Swap the second and the third quarter of kernels and bias."""
    import keras

    order = np.r_[0:4, 8:12, 4:8, 12:16]
    layer = keras.layers.LSTM(4)
    layer.build(x.shape)
    layer.set_weights([w[:, order], u[:, order], b[order]])
    return layer(x)


@lstm_gates.torch
def _(x, w, u, b):
    import torch

    layer = torch.nn.LSTM(3, 4, batch_first=True)
    weights = {"weight_ih_l0": w.T, "weight_hh_l0": u.T, "bias_ih_l0": b, "bias_hh_l0": 0 * b}
    layer.load_state_dict({name: torch.tensor(value) for name, value in weights.items()})
    _, (h, _) = layer(torch.tensor(x))
    return h[0].detach()


@lstm_gates.torch.like("tensorflow")
def _(x, w, u, b):
    """Swap the second and the third quarter of kernels and bias."""
    import torch

    order = np.r_[0:4, 8:12, 4:8, 12:16]
    layer = torch.nn.LSTM(3, 4, batch_first=True)
    w, u, b = w[:, order], u[:, order], b[order]
    weights = {"weight_ih_l0": w.T, "weight_hh_l0": u.T, "bias_ih_l0": b, "bias_hh_l0": 0 * b}
    layer.load_state_dict({name: torch.tensor(value) for name, value in weights.items()})
    _, (h, _) = layer(torch.tensor(x))
    return h[0].detach()


lstm_forget_bias = Card(
    id="lstm-forget-bias",
    title="LSTM: the one that is added to the forget gate",
    wrong=(
        "TensorFlow's BlockLSTM, and its first LSTM cells, add a constant to the forget gate in every call; "
        "it is in no variable. Keras puts a one into the initial bias instead, where it is trained and "
        "saved, and PyTorch has none. A checkpoint's bias carried over as it is shuts the gates a little, "
        "and the network forgets. BlockLSTM also clips the cell unless it is told not to; BlockLSTMV2 does "
        "neither."
    ),
    conventions={
        "numpy keras torch": "f = σ(x·W_f + h·U_f + b_f)",
        "tensorflow": "f = σ(x·W_f + h·U_f + b_f + 1)",
    },
    given=lstm,
    differs=0.1,
    absent={"sklearn": "scikit-learn has no recurrent layers"},
    issues=("tensorflow/tensorflow#29622",),
    faults=("start-biases-one",),
    dtype="float32",
)


@lstm_forget_bias.numpy
def _(x, w, u, b):
    h, c = np.zeros((2, 4)), np.zeros((2, 4))
    for t in range(6):
        i, f, g, o = np.split(x[:, t] @ w + h @ u + b, 4, axis=1)
        i, f, o = 1 / (1 + np.exp(-np.stack([i, f, o])))
        c = f * c + i * np.tanh(g)
        h = o * np.tanh(c)
    return h


@lstm_forget_bias.numpy.like("tensorflow")
def _(x, w, u, b):
    """Add 1 to the second quarter of the bias, that of the forget gate."""
    h, c = np.zeros((2, 4)), np.zeros((2, 4))
    b[4:8] += 1
    for t in range(6):
        i, f, g, o = np.split(x[:, t] @ w + h @ u + b, 4, axis=1)
        i, f, o = 1 / (1 + np.exp(-np.stack([i, f, o])))
        c = f * c + i * np.tanh(g)
        h = o * np.tanh(c)
    return h


@lstm_forget_bias.tensorflow
def _(x, w, u, b):
    import tensorflow as tf

    f = np.float32  # all that it takes
    z, no = np.zeros((2, 4), f), np.zeros(4, f)
    order = np.r_[0:4, 8:12, 4:8, 12:16]
    wu = np.concatenate([w, u])[:, order]
    states = tf.raw_ops.BlockLSTM(
        seq_len_max=6, x=f(x.swapaxes(0, 1)), cs_prev=z, h_prev=z, w=f(wu), b=f(b[order]),
        wci=no, wcf=no, wco=no, cell_clip=-1,
    )  # fmt: skip
    return states.h[-1]


@lstm_forget_bias.tensorflow.like("keras")
def _(x, w, u, b):
    """Pass forget_bias=0."""
    import tensorflow as tf

    f = np.float32  # all that it takes
    z, no = np.zeros((2, 4), f), np.zeros(4, f)
    order = np.r_[0:4, 8:12, 4:8, 12:16]
    wu = np.concatenate([w, u])[:, order]
    states = tf.raw_ops.BlockLSTM(
        seq_len_max=6, x=f(x.swapaxes(0, 1)), cs_prev=z, h_prev=z, w=f(wu), b=f(b[order]),
        wci=no, wcf=no, wco=no, forget_bias=0, cell_clip=-1,
    )  # fmt: skip
    return states.h[-1]


@lstm_forget_bias.keras
def _(x, w, u, b):
    import keras

    layer = keras.layers.LSTM(4)
    layer.build(x.shape)
    layer.set_weights([w, u, b])
    return layer(x)


@lstm_forget_bias.keras.like("tensorflow")
def _(x, w, u, b):
    """Add 1 to the second quarter of the bias, that of the forget gate."""
    import keras

    b[4:8] += 1
    layer = keras.layers.LSTM(4)
    layer.build(x.shape)
    layer.set_weights([w, u, b])
    return layer(x)


@lstm_forget_bias.torch
def _(x, w, u, b):
    import torch

    layer = torch.nn.LSTM(3, 4, batch_first=True)
    weights = {"weight_ih_l0": w.T, "weight_hh_l0": u.T, "bias_ih_l0": b, "bias_hh_l0": 0 * b}
    layer.load_state_dict({name: torch.tensor(value) for name, value in weights.items()})
    _, (h, _) = layer(torch.tensor(x))
    return h[0].detach()


@lstm_forget_bias.torch.like("tensorflow")
def _(x, w, u, b):
    """Add 1 to the second quarter, that of the forget gate, of one of the two biases."""
    import torch

    b[4:8] += 1
    layer = torch.nn.LSTM(3, 4, batch_first=True)
    weights = {"weight_ih_l0": w.T, "weight_hh_l0": u.T, "bias_ih_l0": b, "bias_hh_l0": 0 * b}
    layer.load_state_dict({name: torch.tensor(value) for name, value in weights.items()})
    _, (h, _) = layer(torch.tensor(x))
    return h[0].detach()


gru_gates = Card(
    id="gru-gates",
    title="GRU: the order of the gates",
    wrong=(
        "Keras stacks the update gate before the reset gate, PyTorch the reset gate before the update gate. "
        "Kernels have the same shape, so that weights load and the two gates are swapped. The two rows of "
        "Keras's bias are PyTorch's bias_ih and bias_hh, and are permuted alike."
    ),
    conventions={"numpy keras": "W = (W_z, W_r, W_n)", "torch": "W = (W_r, W_z, W_n)"},
    given=gru,
    differs=0.4,
    absent={
        "sklearn": "scikit-learn has no recurrent layers",
        "tensorflow": "TensorFlow's GRU operation has another formula: see gru-reset",
    },
    issues=("keras-team/keras#15915", "keras-team/keras#8720"),
)


@gru_gates.numpy
def _(x, w, u, b):
    h = np.zeros((2, 4))
    for t in range(6):
        of_x, of_h = x[:, t] @ w + b[0], h @ u + b[1]
        z, r, _ = np.split(1 / (1 + np.exp(-of_x - of_h)), 3, axis=1)
        h = z * h + (1 - z) * np.tanh(of_x[:, 8:] + r * of_h[:, 8:])
    return h


@gru_gates.numpy.like("torch")
def _(x, w, u, b):
    """Take the first third for the reset gate, and the second for the update gate."""
    h = np.zeros((2, 4))
    for t in range(6):
        of_x, of_h = x[:, t] @ w + b[0], h @ u + b[1]
        r, z, _ = np.split(1 / (1 + np.exp(-of_x - of_h)), 3, axis=1)
        h = z * h + (1 - z) * np.tanh(of_x[:, 8:] + r * of_h[:, 8:])
    return h


@gru_gates.keras
def _(x, w, u, b):
    import keras

    layer = keras.layers.GRU(4)
    layer.build(x.shape)
    layer.set_weights([w, u, b])
    return layer(x)


@gru_gates.keras.like("torch")
def _(x, w, u, b):
    """Swap the first and the second third of kernels and biases."""
    import keras

    order = np.r_[4:8, 0:4, 8:12]
    layer = keras.layers.GRU(4)
    layer.build(x.shape)
    layer.set_weights([w[:, order], u[:, order], b[:, order]])
    return layer(x)


@gru_gates.torch
def _(x, w, u, b):
    import torch

    layer = torch.nn.GRU(3, 4, batch_first=True)
    weights = {"weight_ih_l0": w.T, "weight_hh_l0": u.T, "bias_ih_l0": b[0], "bias_hh_l0": b[1]}
    layer.load_state_dict({name: torch.tensor(value) for name, value in weights.items()})
    _, state = layer(torch.tensor(x))
    return state[0].detach()


@gru_gates.torch.like("keras")
def _(x, w, u, b):
    """Swap the first and the second third of kernels and biases."""
    import torch

    order = np.r_[4:8, 0:4, 8:12]
    layer = torch.nn.GRU(3, 4, batch_first=True)
    w, u, b = w[:, order], u[:, order], b[:, order]
    weights = {"weight_ih_l0": w.T, "weight_hh_l0": u.T, "bias_ih_l0": b[0], "bias_hh_l0": b[1]}
    layer.load_state_dict({name: torch.tensor(value) for name, value in weights.items()})
    _, state = layer(torch.tensor(x))
    return state[0].detach()


gru_reset = Card(
    id="gru-reset",
    title="GRU: the reset gate before the product or after it",
    wrong=(
        "In the first paper, and in TensorFlow's operation, the reset gate multiplies the state before the "
        "state is multiplied by the kernel. PyTorch, cuDNN and Keras by default multiply the product. Keras "
        "has both, and its older models and files have the former; PyTorch has the latter only. Loaded into "
        "the other, the same kernels compute something else, though little else where the reset gate stands "
        "open."
    ),
    conventions={
        "numpy keras torch": "n = tanh(x·W_n + r∘(h·U_n) + b_n)",
        "tensorflow": "n = tanh(x·W_n + (r∘h)·U_n + b_n)",
    },
    given=gru,
    differs=0.2,
    absent={"sklearn": "scikit-learn has no recurrent layers"},
    defaults=("GRU.reset_after",),
    issues=("keras-team/keras#8720",),
    dtype="float32",
)


@gru_reset.numpy
def _(x, w, u, b):
    h = np.zeros((2, 4))
    for t in range(6):
        of_x, of_h = x[:, t] @ w + b[0], h @ u
        z, r, _ = np.split(1 / (1 + np.exp(-of_x - of_h)), 3, axis=1)
        h = z * h + (1 - z) * np.tanh(of_x[:, 8:] + r * of_h[:, 8:])
    return h


@gru_reset.numpy.like("tensorflow")
def _(x, w, u, b):
    """Multiply the state by the reset gate before the kernel."""
    h = np.zeros((2, 4))
    for t in range(6):
        of_x, of_h = x[:, t] @ w + b[0], h @ u
        z, r, _ = np.split(1 / (1 + np.exp(-of_x - of_h)), 3, axis=1)
        h = z * h + (1 - z) * np.tanh(of_x[:, 8:] + (r * h) @ u[:, 8:])
    return h


@gru_reset.tensorflow
def _(x, w, u, b):
    import tensorflow as tf

    f = np.float32  # all that it takes
    wu, b = np.concatenate([w, u]), b[0]
    ru = np.r_[4:8, 0:4]
    h = tf.zeros((2, 4), f)
    for t in range(6):
        h = tf.raw_ops.GRUBlockCell(
            x=f(x[:, t]), h_prev=h, w_ru=f(wu[:, ru]), w_c=f(wu[:, 8:]), b_ru=f(b[ru]), b_c=f(b[8:])
        ).h
    return h


@gru_reset.tensorflow.like("keras")
def _(x, w, u, b):
    """Write the cell by hand: the reset gate multiplies the product of state and kernel."""
    import tensorflow as tf

    h = tf.zeros((2, 4), tf.float64)
    for t in range(6):
        of_x, of_h = x[:, t] @ w + b[0], h @ u
        z, r, _ = tf.split(tf.sigmoid(of_x + of_h), 3, axis=1)
        h = z * h + (1 - z) * tf.tanh(of_x[:, 8:] + r * of_h[:, 8:])
    return h


@gru_reset.keras
def _(x, w, u, b):
    import keras

    layer = keras.layers.GRU(4)
    layer.build(x.shape)
    layer.set_weights([w, u, np.stack([b[0], 0 * b[0]])])
    return layer(x)


@gru_reset.keras.like("tensorflow")
def _(x, w, u, b):
    """Pass reset_after=False; the layer then has one bias."""
    import keras

    layer = keras.layers.GRU(4, reset_after=False)
    layer.build(x.shape)
    layer.set_weights([w, u, b[0]])
    return layer(x)


@gru_reset.torch
def _(x, w, u, b):
    import torch

    order = np.r_[4:8, 0:4, 8:12]
    layer = torch.nn.GRU(3, 4, batch_first=True)
    w, u, b = w[:, order], u[:, order], b[0, order]
    weights = {"weight_ih_l0": w.T, "weight_hh_l0": u.T, "bias_ih_l0": b, "bias_hh_l0": 0 * b}
    layer.load_state_dict({name: torch.tensor(value) for name, value in weights.items()})
    _, state = layer(torch.tensor(x))
    return state[0].detach()


@gru_reset.torch.like("tensorflow")
def _(x, w, u, b):
    """Write the cell by hand: nothing in torch.nn computes it."""
    import torch

    x, w, u, b = (torch.tensor(a) for a in (x, w, u, b[0]))
    h = torch.zeros(2, 4)
    for t in range(6):
        of_x, of_h = x[:, t] @ w + b, h @ u
        z, r, _ = torch.sigmoid(of_x + of_h).chunk(3, dim=1)
        h = z * h + (1 - z) * torch.tanh(of_x[:, 8:] + (r * h) @ u[:, 8:])
    return h


last_output = Card(
    id="rnn-last-output",
    title="Recurrent layers: the last state or all of them",
    wrong=(
        "Keras returns the state after the last step, PyTorch a pair: the states after all steps, and the "
        "last one of each layer and direction. A port that takes the first of the pair has an axis more, "
        "which a dense layer behind it accepts, and a loss may broadcast."
    ),
    conventions={"numpy keras": "h_T: (batch, units)", "tensorflow torch": "h_1 … h_T: (batch, time, units)"},
    given=sequences,
    differs=0.5,
    absent={"sklearn": "scikit-learn has no recurrent layers"},
    defaults=("LSTM.return_sequences",),
)


@last_output.numpy
def _(x, w, u, b):
    h = np.zeros((4, 4))
    for t in range(4):
        h = np.tanh(x[:, t] @ w + h @ u + b)
    return h


@last_output.numpy.like("torch")
def _(x, w, u, b):
    """Collect the states of all steps."""
    h, outputs = np.zeros((4, 4)), []
    for t in range(4):
        h = np.tanh(x[:, t] @ w + h @ u + b)
        outputs.append(h)
    return np.stack(outputs, axis=1)


@last_output.tensorflow
def _(x, w, u, b):
    import tensorflow as tf

    x = x.swapaxes(0, 1)
    outputs = tf.scan(lambda h, x_t: tf.tanh(x_t @ w + h @ u + b), x, tf.zeros((4, 4), tf.float64))
    return tf.transpose(outputs, (1, 0, 2))


@last_output.tensorflow.like("keras")
def _(x, w, u, b):
    """Take the last of the states: `outputs[-1]`."""
    import tensorflow as tf

    x = x.swapaxes(0, 1)
    outputs = tf.scan(lambda h, x_t: tf.tanh(x_t @ w + h @ u + b), x, tf.zeros((4, 4), tf.float64))
    return outputs[-1]


@last_output.keras
def _(x, w, u, b):
    import keras

    layer = keras.layers.SimpleRNN(4)
    layer.build(x.shape)
    layer.set_weights([w, u, b])
    return layer(x)


@last_output.keras.like("torch")
def _(x, w, u, b):
    """Pass return_sequences=True."""
    import keras

    layer = keras.layers.SimpleRNN(4, return_sequences=True)
    layer.build(x.shape)
    layer.set_weights([w, u, b])
    return layer(x)


@last_output.torch
def _(x, w, u, b):
    import torch

    layer = torch.nn.RNN(3, 4, batch_first=True)
    weights = {"weight_ih_l0": w.T, "weight_hh_l0": u.T, "bias_ih_l0": b, "bias_hh_l0": 0 * b}
    layer.load_state_dict({name: torch.tensor(value) for name, value in weights.items()})
    outputs, _ = layer(torch.tensor(x))
    return outputs.detach()


@last_output.torch.like("keras")
def _(x, w, u, b):
    """Take the second of the pair, and of that the last layer: `state[-1]`."""
    import torch

    layer = torch.nn.RNN(3, 4, batch_first=True)
    weights = {"weight_ih_l0": w.T, "weight_hh_l0": u.T, "bias_ih_l0": b, "bias_hh_l0": 0 * b}
    layer.load_state_dict({name: torch.tensor(value) for name, value in weights.items()})
    _, state = layer(torch.tensor(x))
    return state[-1].detach()


bidirectional_last = Card(
    id="bidirectional-last",
    title="Bidirectional layers: the last output of the backward half",
    wrong=(
        "Keras's Bidirectional returns each half's state after it has read the whole sequence. In PyTorch "
        "code one takes outputs[:, -1], as for one direction; but outputs are sorted by time, and at the "
        "last time the backward half has read a single step. The shape is right, half of the features know "
        "next to nothing, and training makes do with the other half."
    ),
    conventions={
        "numpy keras": "y = (→h after x_1 … x_T,  ←h after x_T … x_1)",
        "torch": "y = (→h after x_1 … x_T,  ←h after x_T)",
    },
    given=sequences,
    differs=0.9,
    absent={
        "sklearn": "scikit-learn has no recurrent layers",
        "tensorflow": "TensorFlow's operations read in one direction",
    },
)


@bidirectional_last.numpy
def _(x, w, u, b):
    halves = []
    for order in ((0, 1, 2, 3), (3, 2, 1, 0)):
        h = np.zeros((4, 4))
        for t in order:
            h = np.tanh(x[:, t] @ w + h @ u + b)
        halves.append(h)
    return np.concatenate(halves, axis=1)


@bidirectional_last.numpy.like("torch")
def _(x, w, u, b):
    """Stop the backward half after its first step."""
    halves = []
    for order in ((0, 1, 2, 3), (3,)):
        h = np.zeros((4, 4))
        for t in order:
            h = np.tanh(x[:, t] @ w + h @ u + b)
        halves.append(h)
    return np.concatenate(halves, axis=1)


@bidirectional_last.keras
def _(x, w, u, b):
    import keras

    layer = keras.layers.Bidirectional(keras.layers.SimpleRNN(4))
    layer.build(x.shape)
    layer.set_weights([w, u, b] * 2)
    return layer(x)


@bidirectional_last.keras.like("torch")
def _(x, w, u, b):
    """Pass return_sequences=True, and take the outputs at the last time."""
    import keras

    layer = keras.layers.Bidirectional(keras.layers.SimpleRNN(4, return_sequences=True))
    layer.build(x.shape)
    layer.set_weights([w, u, b] * 2)
    return layer(x)[:, -1]


@bidirectional_last.torch
def _(x, w, u, b):
    import torch

    layer = torch.nn.RNN(3, 4, batch_first=True, bidirectional=True)
    weights = {"weight_ih_l0": w.T, "weight_hh_l0": u.T, "bias_ih_l0": b, "bias_hh_l0": 0 * b}
    weights |= {f"{name}_reverse": value for name, value in weights.items()}
    layer.load_state_dict({name: torch.tensor(value) for name, value in weights.items()})
    outputs, _ = layer(torch.tensor(x))
    return outputs[:, -1].detach()


@bidirectional_last.torch.like("keras")
def _(x, w, u, b):
    """Join the final states of both directions, in place of `outputs[:, -1]`."""
    import torch

    layer = torch.nn.RNN(3, 4, batch_first=True, bidirectional=True)
    weights = {"weight_ih_l0": w.T, "weight_hh_l0": u.T, "bias_ih_l0": b, "bias_hh_l0": 0 * b}
    weights |= {f"{name}_reverse": value for name, value in weights.items()}
    layer.load_state_dict({name: torch.tensor(value) for name, value in weights.items()})
    _, state = layer(torch.tensor(x))
    return torch.cat([state[0], state[1]], dim=1).detach()


padded_steps = Card(
    id="rnn-padded-steps",
    title="Recurrent layers: outputs of padded steps",
    wrong=(
        "With a mask, Keras skips padded steps and repeats the output before them; PyTorch's packed "
        "sequences come back with zeros there. Taking the last output of each row therefore is right in "
        "Keras and gives zeros for all but the longest rows in PyTorch; a mean over time differs, too. "
        "Without mask or packing both just read the padding."
    ),
    conventions={
        "numpy keras": "y_t = y_T  for t > T, the length of the row",
        "torch": "y_t = 0  for t > T, the length of the row",
    },
    given=padded,
    differs=0.5,
    absent={
        "sklearn": "scikit-learn has no recurrent layers",
        "tensorflow": "TensorFlow's operations know one length for all rows",
    },
    defaults=("RNN.zero_output_for_mask",),
)


@padded_steps.numpy
def _(x, w, u, b, lengths):
    h, outputs = np.zeros((4, 4)), []
    for t in range(4):
        h = np.where(t < lengths[:, None], np.tanh(x[:, t] @ w + h @ u + b), h)
        outputs.append(h)
    return np.stack(outputs, axis=1)


@padded_steps.numpy.like("torch")
def _(x, w, u, b, lengths):
    """Write zeros for the steps after each row's end."""
    h, outputs = np.zeros((4, 4)), []
    for t in range(4):
        h = np.where(t < lengths[:, None], np.tanh(x[:, t] @ w + h @ u + b), h)
        outputs.append(np.where(t < lengths[:, None], h, 0))
    return np.stack(outputs, axis=1)


@padded_steps.keras
def _(x, w, u, b, lengths):
    import keras

    layer = keras.layers.SimpleRNN(4, return_sequences=True)
    layer.build(x.shape)
    layer.set_weights([w, u, b])
    return layer(x, mask=np.arange(4) < lengths[:, None])


@padded_steps.keras.like("torch")
def _(x, w, u, b, lengths):
    """Pass zero_output_for_mask=True."""
    import keras

    layer = keras.layers.SimpleRNN(4, return_sequences=True, zero_output_for_mask=True)
    layer.build(x.shape)
    layer.set_weights([w, u, b])
    return layer(x, mask=np.arange(4) < lengths[:, None])


@padded_steps.torch
def _(x, w, u, b, lengths):
    import torch
    from torch.nn.utils import rnn

    layer = torch.nn.RNN(3, 4, batch_first=True)
    weights = {"weight_ih_l0": w.T, "weight_hh_l0": u.T, "bias_ih_l0": b, "bias_hh_l0": 0 * b}
    layer.load_state_dict({name: torch.tensor(value) for name, value in weights.items()})
    packed = rnn.pack_padded_sequence(torch.tensor(x), torch.tensor(lengths), batch_first=True)
    outputs, _ = rnn.pad_packed_sequence(layer(packed)[0], batch_first=True)
    return outputs.detach()


@padded_steps.torch.like("keras")
def _(x, w, u, b, lengths):
    """Fill the steps after each row's end with its final state."""
    import torch
    from torch.nn.utils import rnn

    layer = torch.nn.RNN(3, 4, batch_first=True)
    weights = {"weight_ih_l0": w.T, "weight_hh_l0": u.T, "bias_ih_l0": b, "bias_hh_l0": 0 * b}
    layer.load_state_dict({name: torch.tensor(value) for name, value in weights.items()})
    packed = rnn.pack_padded_sequence(torch.tensor(x), torch.tensor(lengths), batch_first=True)
    outputs, state = layer(packed)
    outputs, _ = rnn.pad_packed_sequence(outputs, batch_first=True)
    real = torch.arange(4) < torch.tensor(lengths)[:, None]
    return torch.where(real[:, :, None], outputs, state[0][:, None]).detach()


rnn_dropout = Card(
    id="rnn-dropout",
    title="Recurrent layers: what dropout= drops",
    wrong=(
        "In Keras the argument drops inputs of the layer, the same features in all steps of a row. In "
        "PyTorch it drops outputs between stacked layers, new ones in every step: a layer with one level "
        "ignores it, with a warning. The port is not regularised at all, which shows in its validation loss "
        "only. What is returned here is whether two passes in training mode differ."
    ),
    conventions={
        "keras": "h_t = cell(m∘x_t, h_{t-1}),  m drawn once for each row",
        "torch": "h_t = cell(x_t, h_{t-1});  dropout between levels only",
    },
    given=sequences,
    differs=0.5,
    absent={
        "numpy": "NumPy has no layers",
        "sklearn": "scikit-learn has no dropout",
        "tensorflow": "TensorFlow's operations drop nothing",
    },
    defaults=("LSTM.dropout",),
    faults=("dropout-missing",),
)


@rnn_dropout.keras
def _(x):
    import keras

    layer = keras.layers.SimpleRNN(4, dropout=0.5, seed=0)
    first, second = layer(x, training=True), layer(x, training=True)
    return not np.array_equal(first, second)


@rnn_dropout.keras.like("torch")
def _(x):
    """Leave dropout= out; between two stacked layers, put a Dropout."""
    import keras

    layer = keras.layers.SimpleRNN(4)
    first, second = layer(x, training=True), layer(x, training=True)
    return not np.array_equal(first, second)


@rnn_dropout.torch
def _(x):
    import torch

    layer = torch.nn.RNN(3, 4, batch_first=True, dropout=0.5).train()
    (first, _), (second, _) = layer(torch.tensor(x)), layer(torch.tensor(x))
    return not torch.equal(first, second)


@rnn_dropout.torch.like("keras")
def _(x):
    """Multiply the inputs by a dropout mask of shape (batch, 1, features)."""
    import torch

    torch.manual_seed(0)
    drop = torch.nn.Dropout(0.5).train()
    layer = torch.nn.RNN(3, 4, batch_first=True)
    first, _ = layer(torch.tensor(x) * drop(torch.ones(4, 1, 3)))
    second, _ = layer(torch.tensor(x) * drop(torch.ones(4, 1, 3)))
    return not torch.equal(first, second)
