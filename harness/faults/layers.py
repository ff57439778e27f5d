"""Faults inside a network: activations, the losses of single rows, dropout.

The network is written out, in pieces that can be wrong; its parameters are a column's own.
`test_catalogue` holds the right pieces against every column.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, final

import numpy as np

from backends.base import Arrays, Program, pick
from backends.numpy.loss import ACTIVATIONS, delta, losses, scores, targets
from harness.faults.base import (
    Around,
    Fault,
    end,
    has_dropout,
    has_loss,
    has_probabilities,
    is_seen_at_every_step,
)
from harness.faults.by_hand import ByHand
from tasks.spec import Array, BinaryCrossEntropy, Hinge, LogCosh, Network, Rows, Task


@dataclass(frozen=True)
class Pieces:
    """The parts of a network's formula."""

    activate: Callable[[Array], Array]  # of z (N, H)
    slope: Callable[[Array], Array]  # its derivative by z (N, H)
    target: Callable[[Array], Array]  # of y (N,): (N, C)
    loss: Callable[[Array, Array], tuple[Array, Array]]  # of z and target (N, C): (N,), by z (N, C)
    is_training: bool = False  # whether it predicts as it trains: with dropout

    @classmethod
    def of(cls, task: Task) -> "Pieces":
        """The right ones."""
        model = task.model
        assert isinstance(model, Network)
        forward, backward = ACTIVATIONS[model.activation]

        def activate(z: Array) -> Array:
            return forward(z, np.empty_like(z))

        return cls(
            activate=activate,
            slope=lambda z: backward(z, activate(z), np.ones_like(z)),
            target=lambda y: targets(model.loss, y),
            loss=lambda z, y: (losses(model.loss, z, y), delta(model.loss, z, y)),
        )


@final
class InPieces(Around):
    """A program whose loss, gradients and scores are computed here, at its own parameters."""

    def __init__(self, inner: Program, task: Task, pieces: Pieces) -> None:
        assert isinstance(task.model, Network) and task.data is not None
        self.inner, self.model, self.data, self.pieces = inner, task.model, task.data, pieces

    def _layers(self) -> list[tuple[Array, Array]]:
        arrays = list(pick("param", self.inner.observe()).values())
        return list(zip(arrays[0::2], arrays[1::2], strict=True))

    def _kept(self, rows: Rows) -> list[Array]:
        """By what each hidden layer is multiplied, (N, H) each; or nothing."""
        if self.data.kept is None:
            return []
        scaled = self.data.kept[rows] / (1 - self.model.dropout)
        return np.split(scaled, np.cumsum(self.model.hidden)[:-1], axis=1)

    def _forward(self, x: Array, kept: list[Array]) -> tuple[list[Array], list[Array]]:
        """What each layer gets, and what it makes of it before its activation."""
        h, z = [x], []
        layers = self._layers()
        for i, (w, b) in enumerate(layers):
            z.append(h[-1] @ w + b)
            if i < len(layers) - 1:
                unit = self.pieces.activate(z[-1])
                h.append(unit * kept[i] if kept else unit)
        return h, z

    def gradient(self, rows: Rows) -> tuple[float, Arrays]:
        kept = self._kept(rows)
        h, z = self._forward(self.data.x_train[rows], kept)
        losses, delta = self.pieces.loss(z[-1], self.pieces.target(self.data.y_train[rows]))
        weights = np.ones(len(rows)) if self.data.weights is None else self.data.weights[rows]
        share = weights / np.sum(weights)  # (N,)
        loss, delta = float(share @ losses), share[:, None] * delta
        layers, found = self._layers(), {}
        for i in reversed(range(len(layers))):
            w = layers[i][0]
            found[f"b{i + 1}"] = delta.sum(axis=0)
            found[f"w{i + 1}"] = (
                h[i].T @ delta  # (in, out)
                + (self.model.l2 * w + self.model.l1 * np.sign(w)) / len(rows)
            )
            loss += (0.5 * self.model.l2 * np.sum(w**2) + self.model.l1 * np.sum(np.abs(w))) / len(rows)
            if i:
                delta = delta @ w.T * (kept[i - 1] if kept else 1) * self.pieces.slope(z[i - 1])
        return float(loss), {name: found[name] for name in self.model.shapes(self.data.features)}

    def predict(self, x: Array) -> Array:
        rows = np.arange(len(x)) % self.data.rows
        _, z = self._forward(x, self._kept(rows) if self.pieces.is_training else [])
        return scores(self.model.loss, z[-1])

    def run(self, _batches: object) -> Array:
        raise AssertionError("the update is written out around it")

    def observe(self) -> Arrays:
        return self.inner.observe()

    def restore(self, observed: Arrays) -> None:
        self.inner.restore(observed)


def in_pieces(
    make: Callable[[Task], Program], task: Task, change: Callable[[Task], Pieces] = Pieces.of
) -> Program:
    """A column's program with the network and the update written out."""
    return ByHand(lambda inner: InPieces(make(inner), inner, change(task)), task)


def outputs(task: Task, desired: Arrays) -> Array:
    """What the last layer gave on all training rows at each observed step, without dropout: (K, N, C)."""
    assert isinstance(task.model, Network) and task.data is not None
    activate = Pieces.of(task).activate
    z = task.data.x_train
    for i in range(1, len(task.model.hidden) + 2):
        h = z if i == 1 else activate(z)
        z = h @ desired[f"param/w{i}"] + desired[f"param/b{i}"][:, None]  # (K, N, H)
    return z


def _inside(
    id_: str,
    words: str,
    change: Callable[[Task], dict[str, Any]],
    applies: Callable[[Task], bool],
    shows: tuple[str, ...] = ("loss", "grad"),
    **more: Any,
) -> Fault:
    """A fault in some pieces, given by their names."""

    def pieces(task: Task) -> Pieces:
        return replace(Pieces.of(task), **change(task))

    return Fault(id_, words, lambda make, task: in_pieces(make, task, pieces), shows, applies, **more)


# ---------------------------------------------------------------------------------- activations


def _leaky(slope: float) -> dict[str, Any]:
    return {
        "activate": lambda z: np.where(z > 0, z, slope * z),
        "slope": lambda z: np.where(z > 0, 1.0, slope),
    }


def _tanh_gelu(_task: Task) -> dict[str, Any]:
    """½·z·(1 + tanh u) with u = √(2/π)·(z + 0.044715·z³)."""
    scale, cubic = np.sqrt(2 / np.pi), 0.044715

    def activate(z: Array) -> Array:
        return 0.5 * z * (1 + np.tanh(scale * (z + cubic * z**3)))

    def slope(z: Array) -> Array:
        tanh = np.tanh(scale * (z + cubic * z**3))
        return 0.5 * (1 + tanh) + 0.5 * z * (1 - tanh**2) * scale * (1 + 3 * cubic * z**2)

    return {"activate": activate, "slope": slope}


def _has_units(activation: str) -> Callable[[Task], bool]:
    return lambda task: isinstance(task.model, Network) and task.model.activation == activation


# --------------------------------------------------------------------------------------- losses


def _twice(task: Task) -> dict[str, Any]:
    """The loss applies softmax, or the logistic function, to what went through it already."""
    assert isinstance(task.model, Network)
    loss = task.model.loss

    def of_probabilities(z: Array, y: Array) -> tuple[Array, Array]:
        if isinstance(loss, BinaryCrossEntropy):
            p = scores(loss, z)[:, None]  # (N, 1)
            return losses(loss, p, y), delta(loss, p, y) * p * (1 - p)
        p = scores(loss, z)  # (N, C)
        slope = delta(loss, p, y)
        return losses(loss, p, y), p * (slope - np.sum(p * slope, axis=1, keepdims=True))

    return {"loss": of_probabilities}


def _over_pairs(task: Task) -> dict[str, Any]:
    """Predictions (N, 1) meet targets (N,): each with each, (N, N)."""
    assert isinstance(task.model, Network)
    loss = task.model.loss

    def of_pairs(z: Array, y: Array) -> tuple[Array, Array]:
        n = len(z)
        z, y = np.repeat(z, n, axis=0), np.tile(y, (n, 1))
        of_rows, slope = losses(loss, z, y), delta(loss, z, y)
        return of_rows.reshape(n, n).mean(axis=1), slope.reshape(n, n).mean(axis=1)[:, None]

    return {"loss": of_pairs}


def _naive_log_cosh(_task: Task) -> dict[str, Any]:
    def naive(z: Array, y: Array) -> tuple[Array, Array]:
        error = z - y
        return np.log(np.cosh(error))[:, 0], np.sinh(error) / np.cosh(error)

    return {"loss": naive}


def _cosh_is_finite(task: Task, desired: Arrays) -> str | None:
    """Whether cosh overflows nowhere, and the losses are too large for log to lose their digits."""
    assert isinstance(task.model, Network) and task.data is not None
    if task.model.dropout or not is_seen_at_every_step(desired):
        return None
    largest = float(np.abs(outputs(task, desired) - task.data.y_train[:, None]).max())
    if largest > LARGEST_COSH or desired["loss"].min() < 0.5:
        return None
    return f"no error exceeds {largest:.2g}, so that cosh stays finite"


LARGEST_COSH = 700  # cosh overflows at 711


FAULTS = (
    _inside(
        "leaky-slope-0.2", "the slope of leaky units is 0.2", lambda _t: _leaky(0.2), _has_units("leaky_relu")
    ),
    _inside(
        "leaky-slope-0.3", "the slope of leaky units is 0.3", lambda _t: _leaky(0.3), _has_units("leaky_relu")
    ),
    _inside("gelu-by-tanh", "gelu is approximated by tanh", _tanh_gelu, _has_units("gelu")),
    _inside("softmax-twice", "the loss takes probabilities for logits", _twice, has_probabilities),
    _inside(
        "loss-over-pairs",
        "predictions (N, 1) meet targets (N,): the loss is a mean over all pairs",
        _over_pairs,
        lambda task: isinstance(task.model, Network) and task.model.loss.outputs == 1,
    ),
    _inside(
        "hinge-classes-0-1",
        "the hinge loss gets the classes 0 and 1, not -1 and 1",
        lambda _task: {"target": lambda y: y[:, None]},
        has_loss(Hinge),
    ),
    _inside(
        "log-cosh-naive",
        "log cosh is computed as it is written, and overflows",
        _naive_log_cosh,
        has_loss(LogCosh),
        equivalent=_cosh_is_finite,
    ),
    _inside(
        "dropout-at-prediction",
        "units are dropped when predicting too",
        lambda _task: {"is_training": True},
        has_dropout,
        ("predict",),
        onset=end,
    ),
)
