"""Attention and embedding: layouts and masks."""

import numpy as np

from backends.base import Arrays
from guide.card import Card


def tokens() -> Arrays:
    """Tokens `x` (4, 4, 8); kernels `w` (3, 8, 8) of queries, keys, values, and `o` (8, 8) of the output."""
    rng = np.random.default_rng(9)
    return {
        "x": rng.standard_normal((4, 4, 8)),
        "w": rng.standard_normal((3, 8, 8)) / 2,
        "o": rng.standard_normal((8, 8)) / 2,
    }


def masked() -> Arrays:
    """`tokens`, and a `mask` (4, 4) that tells which may be attended to, with both kinds in each row."""
    mask = np.array([[1, 0, 0, 0], [1, 1, 0, 0], [0, 1, 1, 0], [0, 1, 1, 1]], dtype=bool)
    return tokens() | {"mask": mask}


def padded() -> Arrays:
    """`tokens`, of which only some are `real` (4, 4)."""
    return tokens() | {"real": np.arange(4) < np.array([[4], [3], [2], [1]])}


def three() -> Arrays:
    """Three arguments `first`, `second`, `third` (2, 4, 8), and kernels as in `tokens`."""
    rng = np.random.default_rng(10)
    return tokens() | {name: rng.standard_normal((2, 4, 8)) for name in ("first", "second", "third")}


def heads() -> Arrays:
    """Queries, keys and values `q`, `k`, `v` (2, 4, 4, 4), and a `mask` (4, 4) with an empty row."""
    rng = np.random.default_rng(11)
    given = {name: rng.standard_normal((2, 4, 4, 4)) for name in ("q", "k", "v")}
    mask = np.array([[1, 0, 0, 0], [1, 1, 0, 0], [0, 0, 0, 0], [0, 1, 1, 1]], dtype=bool)
    return given | {"mask": mask}


def cached() -> Arrays:
    """Queries `q` (2, 2, 4) of the last two of five positions, keys and values `k`, `v` (2, 5, 4) of all."""
    rng = np.random.default_rng(12)
    shapes = {"q": (2, 2, 4), "k": (2, 5, 4), "v": (2, 5, 4)}
    return {name: rng.standard_normal(shape) for name, shape in shapes.items()}


def table() -> Arrays:
    """A `table` (4, 3) of vectors, and `ids` (2, 3) of words, where 0 is padding."""
    ids = np.array([[1, 2, 0], [3, 0, 0]])
    return {"table": np.random.default_rng(13).standard_normal((4, 3)), "ids": ids}


def negative() -> Arrays:
    """A `table` (4, 3) of vectors, and `ids` (2, 2), one of which is -1."""
    return table() | {"ids": np.array([[1, 2], [3, -1]])}


def labels() -> Arrays:
    """Labels of three classes, `ids` (4,), where -1 means unlabelled."""
    return {"ids": np.array([0, 2, -1, 1])}


attention_mask = Card(
    id="attention-mask",
    title="Multi-head attention: a mask's True means keep, or drop",
    wrong=(
        "In Keras True marks what may be attended to; in PyTorch's MultiheadAttention it marks what may "
        "not, while its scaled_dot_product_attention has it as Keras does. A causal mask the wrong way "
        "round lets each position see the future alone: the training loss falls splendidly. The position "
        "that then may see nothing is NaN; a mask that leaves each row something gives no sign at all."
    ),
    conventions={
        "numpy keras": "True: attend, False: -∞",
        "torch": "True: -∞, False: attend",
    },
    given=masked,
    differs=0.8,
    absent={
        "sklearn": "scikit-learn has no attention",
        "tensorflow": "TensorFlow's low level has no attention",
    },
    issues=("pytorch/pytorch#170400", "pytorch/pytorch#120668"),
)


@attention_mask.numpy
def _(x, w, o, mask):
    q, k, v = (x @ w[:, None]).reshape(3, 4, 4, 2, 4).swapaxes(2, 3)
    scores = np.where(mask, q @ k.swapaxes(2, 3) / np.sqrt(4), -np.inf)
    p = np.exp(scores)
    y = p / p.sum(axis=3, keepdims=True) @ v
    return y.swapaxes(1, 2).reshape(4, 4, 8) @ o


@attention_mask.numpy.like("torch")
def _(x, w, o, mask):
    """Invert the mask."""
    q, k, v = (x @ w[:, None]).reshape(3, 4, 4, 2, 4).swapaxes(2, 3)
    scores = np.where(~mask, q @ k.swapaxes(2, 3) / np.sqrt(4), -np.inf)
    p = np.exp(scores)
    y = p / p.sum(axis=3, keepdims=True) @ v
    return y.swapaxes(1, 2).reshape(4, 4, 8) @ o


@attention_mask.keras
def _(x, w, o, mask):
    import keras

    layer = keras.layers.MultiHeadAttention(2, 4, use_bias=False)
    layer.build(x.shape, x.shape)
    layer.set_weights([*w.reshape(3, 8, 2, 4), o.reshape(2, 4, 8)])
    return layer(x, x, attention_mask=mask[None])


@attention_mask.keras.like("torch")
def _(x, w, o, mask):
    """Invert the mask."""
    import keras

    layer = keras.layers.MultiHeadAttention(2, 4, use_bias=False)
    layer.build(x.shape, x.shape)
    layer.set_weights([*w.reshape(3, 8, 2, 4), o.reshape(2, 4, 8)])
    return layer(x, x, attention_mask=~mask[None])


@attention_mask.torch
def _(x, w, o, mask):
    import torch

    x, w, o, mask = (torch.tensor(a) for a in (x, w, o, mask))
    layer = torch.nn.MultiheadAttention(8, 2, bias=False, batch_first=True)
    layer.load_state_dict({"in_proj_weight": w.mT.reshape(24, 8), "out_proj.weight": o.T})
    return layer(x, x, x, attn_mask=mask)[0].detach()


@attention_mask.torch.like("keras")
def _(x, w, o, mask):
    """Invert the mask: `attn_mask=~mask`."""
    import torch

    x, w, o, mask = (torch.tensor(a) for a in (x, w, o, mask))
    layer = torch.nn.MultiheadAttention(8, 2, bias=False, batch_first=True)
    layer.load_state_dict({"in_proj_weight": w.mT.reshape(24, 8), "out_proj.weight": o.T})
    return layer(x, x, x, attn_mask=~mask)[0].detach()


padding_mask = Card(
    id="attention-padding-mask",
    title="Multi-head attention: the padding mask",
    wrong=(
        "PyTorch's key_padding_mask is True where there is padding, Keras's masks are True where there is "
        "not. Inverted, each row attends to its padding and to nothing else; a row without padding has "
        "nothing to attend to and comes out as NaN. Rows shorter than the batch's longest hide that, as "
        "their output is a number."
    ),
    conventions={
        "numpy keras": "True: a real token",
        "torch": "True: padding",
    },
    given=padded,
    differs=0.5,
    absent={
        "sklearn": "scikit-learn has no attention",
        "tensorflow": "TensorFlow's low level has no attention",
    },
    issues=("pytorch/pytorch#170400", "pytorch/pytorch#120668"),
)


@padding_mask.numpy
def _(x, w, o, real):
    q, k, v = (x @ w[:, None]).reshape(3, 4, 4, 2, 4).swapaxes(2, 3)
    p = np.exp(q @ k.swapaxes(2, 3) / np.sqrt(4)) * real[:, None, None]
    y = p / p.sum(axis=3, keepdims=True) @ v
    return y.swapaxes(1, 2).reshape(4, 4, 8) @ o


@padding_mask.numpy.like("torch")
def _(x, w, o, real):
    """Invert the mask."""
    q, k, v = (x @ w[:, None]).reshape(3, 4, 4, 2, 4).swapaxes(2, 3)
    p = np.exp(q @ k.swapaxes(2, 3) / np.sqrt(4)) * ~real[:, None, None]
    y = p / p.sum(axis=3, keepdims=True) @ v
    return y.swapaxes(1, 2).reshape(4, 4, 8) @ o


@padding_mask.keras
def _(x, w, o, real):
    import keras

    layer = keras.layers.MultiHeadAttention(2, 4, use_bias=False)
    layer.build(x.shape, x.shape)
    layer.set_weights([*w.reshape(3, 8, 2, 4), o.reshape(2, 4, 8)])
    return layer(x, x, key_mask=real)


@padding_mask.keras.like("torch")
def _(x, w, o, real):
    """Invert the mask, and set rows without any key to NaN."""
    import keras

    layer = keras.layers.MultiHeadAttention(2, 4, use_bias=False)
    layer.build(x.shape, x.shape)
    layer.set_weights([*w.reshape(3, 8, 2, 4), o.reshape(2, 4, 8)])
    y = layer(x, x, key_mask=~real)
    return np.where(real.all(axis=1)[:, None, None], np.nan, y)


@padding_mask.torch
def _(x, w, o, real):
    import torch

    x, w, o, real = (torch.tensor(a) for a in (x, w, o, real))
    layer = torch.nn.MultiheadAttention(8, 2, bias=False, batch_first=True)
    layer.load_state_dict({"in_proj_weight": w.mT.reshape(24, 8), "out_proj.weight": o.T})
    return layer(x, x, x, key_padding_mask=real)[0].detach()


@padding_mask.torch.like("keras")
def _(x, w, o, real):
    """Invert the mask: `key_padding_mask=~mask`."""
    import torch

    x, w, o, real = (torch.tensor(a) for a in (x, w, o, real))
    layer = torch.nn.MultiheadAttention(8, 2, bias=False, batch_first=True)
    layer.load_state_dict({"in_proj_weight": w.mT.reshape(24, 8), "out_proj.weight": o.T})
    return layer(x, x, x, key_padding_mask=~real)[0].detach()


argument_order = Card(
    id="attention-argument-order",
    title="Attention: query, value, key or query, key, value",
    wrong=(
        "Keras's attention layers take the value before the key, everybody else the key before the value. "
        "In self-attention all three are the same, and in most cross-attention key and value are, so "
        "nothing shows; where they differ, what is averaged is the keys, by scores of the values."
    ),
    conventions={
        "numpy torch": "layer(query, key, value)",
        "keras": "layer(query, value, key)",
    },
    given=three,
    differs=0.8,
    absent={
        "sklearn": "scikit-learn has no attention",
        "tensorflow": "TensorFlow's low level has no attention",
    },
)


@argument_order.numpy
def _(first, second, third, w, o):
    heads = (np.stack([first, second, third]) @ w[:, None]).reshape(3, 2, 4, 2, 4)
    q, k, v = heads.swapaxes(2, 3)
    p = np.exp(q @ k.swapaxes(2, 3) / np.sqrt(4))
    y = p / p.sum(axis=3, keepdims=True) @ v
    return y.swapaxes(1, 2).reshape(2, 4, 8) @ o


@argument_order.numpy.like("keras")
def _(first, second, third, w, o):
    """Take the second argument for the value, and the third for the key."""
    heads = (np.stack([first, third, second]) @ w[:, None]).reshape(3, 2, 4, 2, 4)
    q, k, v = heads.swapaxes(2, 3)
    p = np.exp(q @ k.swapaxes(2, 3) / np.sqrt(4))
    y = p / p.sum(axis=3, keepdims=True) @ v
    return y.swapaxes(1, 2).reshape(2, 4, 8) @ o


@argument_order.keras
def _(first, second, third, w, o):
    import keras

    layer = keras.layers.MultiHeadAttention(2, 4, use_bias=False)
    layer.build(first.shape, second.shape)
    layer.set_weights([*w.reshape(3, 8, 2, 4), o.reshape(2, 4, 8)])
    return layer(first, second, third)


@argument_order.keras.like("torch")
def _(first, second, third, w, o):
    """Pass query, key and value by name."""
    import keras

    layer = keras.layers.MultiHeadAttention(2, 4, use_bias=False)
    layer.build(first.shape, second.shape)
    layer.set_weights([*w.reshape(3, 8, 2, 4), o.reshape(2, 4, 8)])
    return layer(query=first, key=second, value=third)


@argument_order.torch
def _(first, second, third, w, o):
    import torch

    first, second, third, w, o = (torch.tensor(a) for a in (first, second, third, w, o))
    layer = torch.nn.MultiheadAttention(8, 2, bias=False, batch_first=True)
    layer.load_state_dict({"in_proj_weight": w.mT.reshape(24, 8), "out_proj.weight": o.T})
    return layer(first, second, third)[0].detach()


@argument_order.torch.like("keras")
def _(first, second, third, w, o):
    """Pass query, key and value by name."""
    import torch

    first, second, third, w, o = (torch.tensor(a) for a in (first, second, third, w, o))
    layer = torch.nn.MultiheadAttention(8, 2, bias=False, batch_first=True)
    layer.load_state_dict({"in_proj_weight": w.mT.reshape(24, 8), "out_proj.weight": o.T})
    return layer(query=first, value=second, key=third)[0].detach()


attention_projections = Card(
    id="attention-projections",
    title="Multi-head attention: how the projections are stored",
    wrong=(
        "Keras keeps three kernels (E, heads, d) and one (heads, d, E); PyTorch keeps queries, keys and "
        "values stacked in one (3E, E) matrix, and each of the four transposed. All of them are square once "
        "heads and d are joined, so a reshape without a transpose loads, and computes something else."
    ),
    conventions={
        "numpy keras": "Q = x·W_q,  y = h·W_o",
        "torch": "(Q, K, V) = x·(W_q, W_k, W_v)ᵀ,  y = h·W_oᵀ",
    },
    given=tokens,
    differs=0.8,
    absent={
        "sklearn": "scikit-learn has no attention",
        "tensorflow": "TensorFlow's low level has no attention",
    },
    faults=("start-transposed",),
)


@attention_projections.numpy
def _(x, w, o):
    q, k, v = (x @ w[:, None]).reshape(3, 4, 4, 2, 4).swapaxes(2, 3)
    p = np.exp(q @ k.swapaxes(2, 3) / np.sqrt(4))
    y = p / p.sum(axis=3, keepdims=True) @ v
    return y.swapaxes(1, 2).reshape(4, 4, 8) @ o


@attention_projections.numpy.like("torch")
def _(x, w, o):
    """Transpose each kernel."""
    w, o = w.swapaxes(1, 2), o.T
    q, k, v = (x @ w[:, None]).reshape(3, 4, 4, 2, 4).swapaxes(2, 3)
    p = np.exp(q @ k.swapaxes(2, 3) / np.sqrt(4))
    y = p / p.sum(axis=3, keepdims=True) @ v
    return y.swapaxes(1, 2).reshape(4, 4, 8) @ o


@attention_projections.keras
def _(x, w, o):
    import keras

    layer = keras.layers.MultiHeadAttention(2, 4, use_bias=False)
    layer.build(x.shape, x.shape)
    layer.set_weights([*w.reshape(3, 8, 2, 4), o.reshape(2, 4, 8)])
    return layer(x, x)


@attention_projections.keras.like("torch")
def _(x, w, o):
    """Transpose each kernel, then split its second axis (of the last: its first) into heads."""
    import keras

    layer = keras.layers.MultiHeadAttention(2, 4, use_bias=False)
    layer.build(x.shape, x.shape)
    layer.set_weights([*w.swapaxes(1, 2).reshape(3, 8, 2, 4), o.T.reshape(2, 4, 8)])
    return layer(x, x)


@attention_projections.torch
def _(x, w, o):
    import torch

    x, w, o = torch.tensor(x), torch.tensor(w), torch.tensor(o)
    layer = torch.nn.MultiheadAttention(8, 2, bias=False, batch_first=True)
    layer.load_state_dict({"in_proj_weight": w.reshape(24, 8), "out_proj.weight": o})
    return layer(x, x, x)[0].detach()


@attention_projections.torch.like("keras")
def _(x, w, o):
    """Join heads and d, transpose each kernel, and stack the three."""
    import torch

    x, w, o = torch.tensor(x), torch.tensor(w), torch.tensor(o)
    layer = torch.nn.MultiheadAttention(8, 2, bias=False, batch_first=True)
    layer.load_state_dict({"in_proj_weight": w.mT.reshape(24, 8), "out_proj.weight": o.T})
    return layer(x, x, x)[0].detach()


attention_axes = Card(
    id="attention-batch-first",
    title="Multi-head attention: batch first or time first",
    wrong=(
        "PyTorch's MultiheadAttention, and with it its Transformer layers, reads (time, batch, E) unless "
        "told batch_first=True. Nothing fails on (batch, time, E): each token then attends to the tokens at "
        "its own place in the other rows of the batch, and results depend on what else is in the batch."
    ),
    conventions={"numpy keras": "x: (batch, time, E)", "torch": "x: (time, batch, E)"},
    given=tokens,
    differs=0.8,
    absent={
        "sklearn": "scikit-learn has no attention",
        "tensorflow": "TensorFlow's low level has no attention",
    },
    defaults=("MultiHeadAttention.batch_first",),
    issues=("karttikeya/minREV#4",),
)


@attention_axes.numpy
def _(x, w, o):
    q, k, v = (x @ w[:, None]).reshape(3, 4, 4, 2, 4).swapaxes(2, 3)
    p = np.exp(q @ k.swapaxes(2, 3) / np.sqrt(4))
    y = p / p.sum(axis=3, keepdims=True) @ v
    return y.swapaxes(1, 2).reshape(4, 4, 8) @ o


@attention_axes.numpy.like("torch")
def _(x, w, o):
    """Swap the first two axes before and after."""
    x = x.swapaxes(0, 1)
    q, k, v = (x @ w[:, None]).reshape(3, 4, 4, 2, 4).swapaxes(2, 3)
    p = np.exp(q @ k.swapaxes(2, 3) / np.sqrt(4))
    y = p / p.sum(axis=3, keepdims=True) @ v
    return (y.swapaxes(1, 2).reshape(4, 4, 8) @ o).swapaxes(0, 1)


@attention_axes.keras
def _(x, w, o):
    import keras

    layer = keras.layers.MultiHeadAttention(2, 4, use_bias=False)
    layer.build(x.shape, x.shape)
    layer.set_weights([*w.reshape(3, 8, 2, 4), o.reshape(2, 4, 8)])
    return layer(x, x)


@attention_axes.keras.like("torch")
def _(x, w, o):
    """Swap the first two axes before and after the layer."""
    import keras

    x = x.swapaxes(0, 1)
    layer = keras.layers.MultiHeadAttention(2, 4, use_bias=False)
    layer.build(x.shape, x.shape)
    layer.set_weights([*w.reshape(3, 8, 2, 4), o.reshape(2, 4, 8)])
    return keras.ops.swapaxes(layer(x, x), 0, 1)


@attention_axes.torch
def _(x, w, o):
    import torch

    x, w, o = torch.tensor(x), torch.tensor(w), torch.tensor(o)
    layer = torch.nn.MultiheadAttention(8, 2, bias=False)
    layer.load_state_dict({"in_proj_weight": w.mT.reshape(24, 8), "out_proj.weight": o.T})
    return layer(x, x, x)[0].detach()


@attention_axes.torch.like("keras")
def _(x, w, o):
    """Pass batch_first=True."""
    import torch

    x, w, o = torch.tensor(x), torch.tensor(w), torch.tensor(o)
    layer = torch.nn.MultiheadAttention(8, 2, bias=False, batch_first=True)
    layer.load_state_dict({"in_proj_weight": w.mT.reshape(24, 8), "out_proj.weight": o.T})
    return layer(x, x, x)[0].detach()


key_dim = Card(
    id="attention-key-dim",
    title="Multi-head attention: the size of a head, or of all heads",
    wrong=(
        "Keras's key_dim is the size of one head, PyTorch's embed_dim that of all heads together. Who "
        "passes the same number gets heads that are wider by as many times as there are heads: more "
        "parameters, another scale of the scores, and no error. What is returned here is the number of "
        "parameters."
    ),
    conventions={
        "keras": "d = key_dim,  3·E·heads·d + heads·d·E, and biases",
        "torch": "d = E/heads,  3·E·E + E·E, and biases",
    },
    given=tokens,
    differs=0.2,
    absent={
        "numpy": "NumPy has no attention layer",
        "sklearn": "scikit-learn has no attention",
        "tensorflow": "TensorFlow's low level has no attention",
    },
    defaults=("MultiHeadAttention.key_dim",),
)


@key_dim.keras
def _(x):
    import keras

    layer = keras.layers.MultiHeadAttention(num_heads=2, key_dim=8)
    layer.build(x.shape, x.shape)
    return layer.count_params()


@key_dim.keras.like("torch")
def _(x):
    """Pass embed_dim divided by the number of heads as key_dim."""
    import keras

    layer = keras.layers.MultiHeadAttention(num_heads=2, key_dim=8 // 2)
    layer.build(x.shape, x.shape)
    return layer.count_params()


@key_dim.torch
def _():
    import torch

    layer = torch.nn.MultiheadAttention(num_heads=2, embed_dim=8)
    return sum(p.numel() for p in layer.parameters())


@key_dim.torch.like("keras")
def _():
    """Make four Linear layers of heads × key_dim, with scaled_dot_product_attention between them."""
    import torch

    layers = [torch.nn.Linear(8, 2 * 8) for _ in "qkv"] + [torch.nn.Linear(2 * 8, 8)]
    return sum(p.numel() for layer in layers for p in layer.parameters())


head_scores = Card(
    id="attention-scores",
    title="Multi-head attention: scores of each head or their mean",
    wrong=(
        "Asked for its weights, Keras returns those of each head, PyTorch their mean over the heads unless "
        "told otherwise. A plot of the mean looks like a plot of attention, and hides what a head does."
    ),
    conventions={
        "numpy keras": "A: (batch, heads, time, time)",
        "torch": "mean of A over heads: (batch, time, time)",
    },
    given=tokens,
    differs=0.5,
    absent={
        "sklearn": "scikit-learn has no attention",
        "tensorflow": "TensorFlow's low level has no attention",
    },
)


@head_scores.numpy
def _(x, w):
    q, k, _ = (x @ w[:, None]).reshape(3, 4, 4, 2, 4).swapaxes(2, 3)
    p = np.exp(q @ k.swapaxes(2, 3) / np.sqrt(4))
    return p / p.sum(axis=3, keepdims=True)


@head_scores.numpy.like("torch")
def _(x, w):
    """Take the mean of the scores over the heads."""
    q, k, _ = (x @ w[:, None]).reshape(3, 4, 4, 2, 4).swapaxes(2, 3)
    p = np.exp(q @ k.swapaxes(2, 3) / np.sqrt(4))
    return (p / p.sum(axis=3, keepdims=True)).mean(axis=1)


@head_scores.keras
def _(x, w, o):
    import keras

    layer = keras.layers.MultiHeadAttention(2, 4, use_bias=False)
    layer.build(x.shape, x.shape)
    layer.set_weights([*w.reshape(3, 8, 2, 4), o.reshape(2, 4, 8)])
    return layer(x, x, return_attention_scores=True)[1]


@head_scores.keras.like("torch")
def _(x, w, o):
    """Take the mean of the scores over the heads."""
    import keras

    layer = keras.layers.MultiHeadAttention(2, 4, use_bias=False)
    layer.build(x.shape, x.shape)
    layer.set_weights([*w.reshape(3, 8, 2, 4), o.reshape(2, 4, 8)])
    return keras.ops.mean(layer(x, x, return_attention_scores=True)[1], axis=1)


@head_scores.torch
def _(x, w, o):
    import torch

    x, w, o = torch.tensor(x), torch.tensor(w), torch.tensor(o)
    layer = torch.nn.MultiheadAttention(8, 2, bias=False, batch_first=True)
    layer.load_state_dict({"in_proj_weight": w.mT.reshape(24, 8), "out_proj.weight": o.T})
    return layer(x, x, x)[1].detach()


@head_scores.torch.like("keras")
def _(x, w, o):
    """Pass average_attn_weights=False."""
    import torch

    x, w, o = torch.tensor(x), torch.tensor(w), torch.tensor(o)
    layer = torch.nn.MultiheadAttention(8, 2, bias=False, batch_first=True)
    layer.load_state_dict({"in_proj_weight": w.mT.reshape(24, 8), "out_proj.weight": o.T})
    return layer(x, x, x, average_attn_weights=False)[1].detach()


attention_scale = Card(
    id="attention-scale",
    title="Dot-product attention: divided by √d or not",
    wrong=(
        "Keras's Attention layer does not divide its scores by √d; its MultiHeadAttention does, as "
        "PyTorch's functions do. Without it, scores of long vectors make the softmax pick a single key, and "
        "hardly a gradient is left. With use_scale=True the layer learns a factor, which starts at one, not "
        "at 1/√d."
    ),
    conventions={
        "numpy torch": "y = softmax(Q·Kᵀ/√d)·V",
        "keras": "y = softmax(Q·Kᵀ)·V",
    },
    given=cached,
    differs=0.2,
    absent={
        "sklearn": "scikit-learn has no attention",
        "tensorflow": "TensorFlow's low level has no attention",
    },
    defaults=("Attention.use_scale",),
)


@attention_scale.numpy
def _(q, k, v):
    p = np.exp(q @ k.swapaxes(1, 2) / np.sqrt(4))
    return p / p.sum(axis=2, keepdims=True) @ v


@attention_scale.numpy.like("keras")
def _(q, k, v):
    """Do not divide the scores by √d."""
    p = np.exp(q @ k.swapaxes(1, 2))
    return p / p.sum(axis=2, keepdims=True) @ v


@attention_scale.keras
def _(q, k, v):
    import keras

    return keras.layers.Attention()([q, v, k])


@attention_scale.keras.like("torch")
def _(q, k, v):
    """Divide the queries by √d."""
    import keras

    return keras.layers.Attention()([q / np.sqrt(4), v, k])


@attention_scale.torch
def _(q, k, v):
    import torch
    import torch.nn.functional as F

    q, k, v = torch.tensor(q), torch.tensor(k), torch.tensor(v)
    return F.scaled_dot_product_attention(q, k, v)


@attention_scale.torch.like("keras")
def _(q, k, v):
    """Pass scale=1."""
    import torch
    import torch.nn.functional as F

    q, k, v = torch.tensor(q), torch.tensor(k), torch.tensor(v)
    return F.scaled_dot_product_attention(q, k, v, scale=1)


heads_axis = Card(
    id="attention-heads-axis",
    title="Attention functions: heads before time, or time before heads",
    wrong=(
        "PyTorch's scaled_dot_product_attention wants (batch, heads, time, d), Keras's "
        "dot_product_attention (batch, time, heads, d). The wrong way round the heads of one token attend "
        "to each other. It fails only where a mask or a cache has another length than there are heads."
    ),
    conventions={
        "numpy torch": "q, k, v: (batch, heads, time, d)",
        "keras": "q, k, v: (batch, time, heads, d)",
    },
    given=heads,
    differs=0.6,
    absent={
        "sklearn": "scikit-learn has no attention",
        "tensorflow": "TensorFlow's low level has no attention",
    },
)


@heads_axis.numpy
def _(q, k, v):
    p = np.exp(q @ k.swapaxes(2, 3) / np.sqrt(4))
    return p / p.sum(axis=3, keepdims=True) @ v


@heads_axis.numpy.like("keras")
def _(q, k, v):
    """Swap the second and the third axis before and after."""
    q, k, v = q.swapaxes(1, 2), k.swapaxes(1, 2), v.swapaxes(1, 2)
    p = np.exp(q @ k.swapaxes(2, 3) / np.sqrt(4))
    return (p / p.sum(axis=3, keepdims=True) @ v).swapaxes(1, 2)


@heads_axis.keras
def _(q, k, v):
    import keras

    return keras.ops.dot_product_attention(q, k, v)


@heads_axis.keras.like("torch")
def _(q, k, v):
    """Swap the second and the third axis before and after."""
    import keras

    q, k, v = q.swapaxes(1, 2), k.swapaxes(1, 2), v.swapaxes(1, 2)
    return keras.ops.swapaxes(keras.ops.dot_product_attention(q, k, v), 1, 2)


@heads_axis.torch
def _(q, k, v):
    import torch
    import torch.nn.functional as F

    q, k, v = torch.tensor(q), torch.tensor(k), torch.tensor(v)
    return F.scaled_dot_product_attention(q, k, v)


@heads_axis.torch.like("keras")
def _(q, k, v):
    """Swap the second and the third axis before and after."""
    import torch
    import torch.nn.functional as F

    q, k, v = (torch.tensor(a).swapaxes(1, 2) for a in (q, k, v))
    return F.scaled_dot_product_attention(q, k, v).swapaxes(1, 2)


empty_row = Card(
    id="attention-empty-row",
    title="Attention: a row that may attend to nothing",
    wrong=(
        "Where a mask leaves a query no key, Keras's function averages all values, the masked ones too; "
        "PyTorch's returns zeros, and its MultiheadAttention NaN when it also returns weights. Such rows "
        "are those of padding, and harmless until something averages over them; a NaN, though, gets into "
        "all gradients. A Keras layer that returns its scores has zeros there, so it does not even agree "
        "with itself."
    ),
    conventions={
        "numpy keras": "y = mean of V, where all scores are masked",
        "torch": "y = 0, where all scores are masked",
    },
    given=heads,
    differs=0.2,
    absent={
        "sklearn": "scikit-learn has no attention",
        "tensorflow": "TensorFlow's low level has no attention",
    },
    issues=("pytorch/pytorch#103749", "pytorch/pytorch#103963"),
)


@empty_row.numpy
def _(q, k, v, mask):
    scores = np.where(mask, q @ k.swapaxes(2, 3) / np.sqrt(4), -1e9)
    p = np.exp(scores - scores.max(axis=3, keepdims=True))
    return p / p.sum(axis=3, keepdims=True) @ v


@empty_row.numpy.like("torch")
def _(q, k, v, mask):
    """Set the masked weights to zero after the softmax."""
    scores = np.where(mask, q @ k.swapaxes(2, 3) / np.sqrt(4), -1e9)
    p = np.exp(scores - scores.max(axis=3, keepdims=True))
    return np.where(mask, p / p.sum(axis=3, keepdims=True), 0) @ v


@empty_row.keras
def _(q, k, v, mask):
    import keras

    q, k, v = q.swapaxes(1, 2), k.swapaxes(1, 2), v.swapaxes(1, 2)
    return keras.ops.swapaxes(keras.ops.dot_product_attention(q, k, v, mask=mask[None, None]), 1, 2)


@empty_row.keras.like("torch")
def _(q, k, v, mask):
    """Set the output to zero for queries that may attend to nothing."""
    import keras

    q, k, v = q.swapaxes(1, 2), k.swapaxes(1, 2), v.swapaxes(1, 2)
    y = keras.ops.swapaxes(keras.ops.dot_product_attention(q, k, v, mask=mask[None, None]), 1, 2)
    return y * mask.any(axis=1)[:, None]


@empty_row.torch
def _(q, k, v, mask):
    import torch
    import torch.nn.functional as F

    q, k, v, mask = (torch.tensor(a) for a in (q, k, v, mask))
    return F.scaled_dot_product_attention(q, k, v, mask)


@empty_row.torch.like("keras")
def _(q, k, v, mask):
    """Put the mean of all values where a query may attend to nothing."""
    import torch
    import torch.nn.functional as F

    q, k, v, mask = (torch.tensor(a) for a in (q, k, v, mask))
    y = F.scaled_dot_product_attention(q, k, v, mask)
    return torch.where(mask.any(dim=1)[:, None], y, v.mean(dim=2, keepdim=True))


causal_corner = Card(
    id="attention-causal",
    title="Causal attention with fewer queries than keys",
    wrong=(
        "With is_causal=True both frameworks let the first query see the first key, whatever the lengths. "
        "In decoding with a cache the queries are the last positions, not the first, and should see all "
        "keys before them: the flag then hides nearly everything. There is nothing to port between the "
        "frameworks; libraries with the diagonal in the other corner, as FlashAttention has it, need a mask "
        "of one's own."
    ),
    conventions={"numpy keras torch": "query i sees the keys j ≤ i, counted from the first of each"},
    given=cached,
    absent={
        "sklearn": "scikit-learn has no attention",
        "tensorflow": "TensorFlow's low level has no attention",
    },
)


@causal_corner.numpy
def _(q, k, v):
    p = np.exp(q @ k.swapaxes(1, 2) / np.sqrt(4)) * np.tri(2, 5)
    return p / p.sum(axis=2, keepdims=True) @ v


@causal_corner.keras
def _(q, k, v):
    import keras

    q, k, v = q[:, :, None], k[:, :, None], v[:, :, None]
    return keras.ops.dot_product_attention(q, k, v, is_causal=True)[:, :, 0]


@causal_corner.torch
def _(q, k, v):
    import torch
    import torch.nn.functional as F

    q, k, v = torch.tensor(q), torch.tensor(k), torch.tensor(v)
    return F.scaled_dot_product_attention(q, k, v, is_causal=True)


padding_row = Card(
    id="embedding-padding",
    title="Embedding: is the padding's vector trained",
    wrong=(
        "Keras's mask_zero tells later layers what to skip; the vector of word 0 is drawn like any other, "
        "and is trained wherever a later layer does not use the mask. PyTorch's padding_idx is no mask: it "
        "starts that vector at zero and gives it no gradient. A table that is loaded keeps what it has "
        "there."
    ),
    conventions={
        "numpy tensorflow keras": "all rows of the table get their gradient",
        "torch": "the gradient of row padding_idx is 0",
    },
    given=table,
    differs=0.5,
    absent={"sklearn": "scikit-learn has no embeddings"},
    defaults=("Embedding.mask_zero", "Embedding.padding_idx"),
    issues=("pytorch/pytorch#6411", "pytorch/pytorch#1812"),
)


@padding_row.numpy
def _(table, ids):
    for _ in range(100):
        gradient = np.zeros_like(table)
        np.add.at(gradient, ids, 2 * table[ids])
        table -= 0.01 * gradient
        yield table


@padding_row.numpy.like("torch")
def _(table, ids):
    """Set row 0 of the gradient to zero."""
    for _ in range(100):
        gradient = np.zeros_like(table)
        np.add.at(gradient, ids, 2 * table[ids])
        gradient[0] = 0
        table -= 0.01 * gradient
        yield table


@padding_row.tensorflow
def _(table, ids):
    import tensorflow as tf

    table = tf.Variable(table)
    for _ in range(100):
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(tf.nn.embedding_lookup(table, ids) ** 2)
        table.assign_sub(0.01 * tf.convert_to_tensor(tape.gradient(loss, table)))
        yield table.numpy()


@padding_row.tensorflow.like("torch")
def _(table, ids):
    """Set row 0 of the gradient to zero."""
    import tensorflow as tf

    table = tf.Variable(table)
    rows = np.array([[0.0], [1.0], [1.0], [1.0]])
    for _ in range(100):
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(tf.nn.embedding_lookup(table, ids) ** 2)
        table.assign_sub(0.01 * rows * tf.convert_to_tensor(tape.gradient(loss, table)))
        yield table.numpy()


@padding_row.keras
def _(table, ids):
    import keras
    import tensorflow as tf

    layer = keras.layers.Embedding(4, 3, mask_zero=True)
    layer.build()
    layer.set_weights([table])
    for _ in range(100):
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(layer(ids) ** 2)
        gradient = tf.convert_to_tensor(tape.gradient(loss, layer.embeddings.value))
        layer.embeddings.assign_sub(np.float64(0.01) * gradient)
        yield layer.embeddings.numpy()


@padding_row.keras.like("torch")
def _(table, ids):
    """Set row 0 of the gradient to zero."""
    import keras
    import tensorflow as tf

    layer = keras.layers.Embedding(4, 3, mask_zero=True)
    layer.build()
    layer.set_weights([table])
    rows = np.array([[0.0], [1.0], [1.0], [1.0]])
    for _ in range(100):
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(layer(ids) ** 2)
        gradient = tf.convert_to_tensor(tape.gradient(loss, layer.embeddings.value))
        layer.embeddings.assign_sub(np.float64(0.01) * rows * gradient)
        yield layer.embeddings.numpy()


@padding_row.torch
def _(table, ids):
    import torch

    layer = torch.nn.Embedding(4, 3, padding_idx=0)
    layer.load_state_dict({"weight": torch.tensor(table)})
    optimizer = torch.optim.SGD(layer.parameters(), lr=0.01)
    for _ in range(100):
        optimizer.zero_grad()
        (layer(torch.tensor(ids)) ** 2).sum().backward()
        optimizer.step()
        yield layer.weight.detach()


@padding_row.torch.like("keras")
def _(table, ids):
    """Leave padding_idx out."""
    import torch

    layer = torch.nn.Embedding(4, 3)
    layer.load_state_dict({"weight": torch.tensor(table)})
    optimizer = torch.optim.SGD(layer.parameters(), lr=0.01)
    for _ in range(100):
        optimizer.zero_grad()
        (layer(torch.tensor(ids)) ** 2).sum().backward()
        optimizer.step()
        yield layer.weight.detach()


mask_travels = Card(
    id="embedding-mask",
    title="Embedding with mask_zero: the mask travels on",
    wrong=(
        "In Keras the mask of an embedding travels with its output, unseen, to every later layer that knows "
        "masks: recurrent layers skip, pooling and losses average over real words only. PyTorch has no such "
        "mask, and a mean over time counts the padding. The shorter a row, the more its vector shrinks in "
        "the port."
    ),
    conventions={
        "numpy tensorflow torch": "y = Σ x_t / time",
        "keras": "y = Σ m_t·x_t / Σ m_t,  m_t = (word t is not 0)",
    },
    given=table,
    differs=0.6,
    absent={"sklearn": "scikit-learn has no embeddings"},
    defaults=("Embedding.mask_zero",),
)


@mask_travels.numpy
def _(table, ids):
    return table[ids].mean(axis=1)


@mask_travels.numpy.like("keras")
def _(table, ids):
    """Average only over the words that are not 0."""
    m = (ids != 0)[:, :, None]
    return (m * table[ids]).sum(axis=1) / m.sum(axis=1)


@mask_travels.tensorflow
def _(table, ids):
    import tensorflow as tf

    return tf.reduce_mean(tf.nn.embedding_lookup(table, ids), axis=1)


@mask_travels.tensorflow.like("keras")
def _(table, ids):
    """Average only over the words that are not 0."""
    import tensorflow as tf

    m = tf.cast(ids != 0, tf.float64)[:, :, None]
    return tf.reduce_sum(m * tf.nn.embedding_lookup(table, ids), axis=1) / tf.reduce_sum(m, axis=1)


@mask_travels.keras
def _(table, ids):
    import keras

    layer = keras.layers.Embedding(4, 3, mask_zero=True)
    layer.build()
    layer.set_weights([table])
    return keras.layers.GlobalAveragePooling1D()(layer(ids))


@mask_travels.keras.like("torch")
def _(table, ids):
    """Leave mask_zero out."""
    import keras

    layer = keras.layers.Embedding(4, 3)
    layer.build()
    layer.set_weights([table])
    return keras.layers.GlobalAveragePooling1D()(layer(ids))


@mask_travels.torch
def _(table, ids):
    import torch

    layer = torch.nn.Embedding(4, 3, padding_idx=0)
    layer.load_state_dict({"weight": torch.tensor(table)})
    return layer(torch.tensor(ids)).mean(dim=1).detach()


@mask_travels.torch.like("keras")
def _(table, ids):
    """Average only over the words that are not 0."""
    import torch

    layer = torch.nn.Embedding(4, 3, padding_idx=0)
    layer.load_state_dict({"weight": torch.tensor(table)})
    m = torch.tensor(ids != 0)[:, :, None]
    return ((m * layer(torch.tensor(ids))).sum(dim=1) / m.sum(dim=1)).detach()


negative_id = Card(
    id="embedding-negative-id",
    title="Embedding: an id of -1",
    wrong=(
        "Keras's Embedding takes a negative id as NumPy does an index, from the end of the table, and "
        "returns the last word's vector. PyTorch and, on the CPU, TensorFlow raise. Code that relies on the "
        "error, or that marks padding by -1, works on without a word once it is in Keras, and trains the "
        "last word."
    ),
    conventions={"numpy keras": "y = table[-1]: the last row"},
    given=negative,
    absent={
        "sklearn": "scikit-learn has no embeddings",
        "tensorflow": "tf.nn.embedding_lookup raises, on the CPU",
        "torch": "torch.nn.Embedding raises",
    },
)


@negative_id.numpy
def _(table, ids):
    return table[ids]


@negative_id.keras
def _(table, ids):
    import keras

    layer = keras.layers.Embedding(4, 3)
    layer.build()
    layer.set_weights([table])
    return layer(ids)


one_hot = Card(
    id="one-hot-unknown",
    title="One-hot: a label of -1",
    wrong=(
        "Labels of -1 often mean unlabelled. The one_hot of TensorFlow and Keras makes a row of zeros of "
        "them, and scikit-learn's encoder does when unknown categories are to be ignored. Rows of an "
        "identity matrix, as one takes in NumPy and PyTorch, count from the end: unlabelled rows join the "
        "last class. PyTorch's own one_hot raises."
    ),
    conventions={
        "numpy torch": "y = 1[-1]: the last class",
        "sklearn tensorflow keras": "y = (0, …, 0)",
    },
    given=labels,
    differs=0.5,
)


@one_hot.numpy
def _(ids):
    return np.eye(3)[ids]


@one_hot.numpy.like("keras")
def _(ids):
    """Compare the labels with the classes: `ids[:, None] == np.arange(3)`."""
    return ids[:, None] == np.arange(3)


@one_hot.sklearn
def _(ids):
    from sklearn.preprocessing import OneHotEncoder

    encoder = OneHotEncoder(categories=[np.arange(3)], handle_unknown="ignore", sparse_output=False)
    return encoder.fit_transform(ids[:, None])


@one_hot.sklearn.like("torch")
def _(ids):
    """Take the labels modulo the number of classes."""
    from sklearn.preprocessing import OneHotEncoder

    encoder = OneHotEncoder(categories=[np.arange(3)], handle_unknown="ignore", sparse_output=False)
    return encoder.fit_transform(ids[:, None] % 3)


@one_hot.tensorflow
def _(ids):
    import tensorflow as tf

    return tf.one_hot(ids, 3)


@one_hot.tensorflow.like("torch")
def _(ids):
    """Take the labels modulo the number of classes."""
    import tensorflow as tf

    return tf.one_hot(ids % 3, 3)


@one_hot.keras
def _(ids):
    import keras

    return keras.ops.one_hot(ids, 3)


@one_hot.keras.like("torch")
def _(ids):
    """Take the labels modulo the number of classes."""
    import keras

    return keras.ops.one_hot(ids % 3, 3)


@one_hot.torch
def _(ids):
    import torch

    return torch.eye(3)[torch.tensor(ids)]


@one_hot.torch.like("keras")
def _(ids):
    """Compare the labels with the classes: `ids[:, None] == torch.arange(3)`."""
    import torch

    return torch.tensor(ids)[:, None] == torch.arange(3)
