"""Faults in what a column shows of itself: layout, names, units, counts, losses, predictions."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import final

import numpy as np

from backends.base import Arrays, Program, named, pick
from backends.numpy.loss import targets
from harness import tolerance
from harness.faults.base import (
    Around,
    Fault,
    always,
    end,
    has_dropout,
    has_gradient,
    has_loss,
    has_probabilities,
    is_network,
    is_seen_at_every_step,
    uses_adam,
    uses_momentum,
)
from harness.faults.layers import outputs
from tasks.spec import Array, BinaryCrossEntropy, Network, Perceptron, Rows, Task


def _same(value: Array) -> Array:
    return value


def _as_they_are(arrays: Arrays) -> Arrays:
    return arrays


@dataclass(frozen=True)
class _Look:
    """How a column shows itself.  `inward` undoes `outward`: what is shown so is also read so."""

    outward: Callable[[Arrays], Arrays] = _as_they_are
    inward: Callable[[Arrays], Arrays] = _as_they_are
    loss: Callable[[Array, Array], Array] = lambda losses, _rows: (
        losses
    )  # of losses and rows per batch, (steps,)
    score: Callable[[Array], Array] = _same


@final
class _Shown(Around):
    """A right program that shows itself wrong."""

    def __init__(self, inner: Program, look: _Look) -> None:
        self.inner, self.look = inner, look

    def run(self, batches: Sequence[Rows]) -> Array:
        return self.look.loss(self.inner.run(batches), np.array([len(rows) for rows in batches]))

    def gradient(self, rows: Rows) -> tuple[float, Arrays]:
        loss, gradients = self.inner.gradient(rows)
        shown = self.look.outward(named("param", gradients))
        return float(self.look.loss(np.array([loss]), np.array([len(rows)]))[0]), pick("param", shown)

    def observe(self) -> Arrays:
        return self.look.outward(self.inner.observe())

    def restore(self, observed: Arrays) -> None:
        self.inner.restore(self.look.inward(observed))

    def predict(self, x: Array) -> Array:
        return self.look.score(self.inner.predict(x))


@final
class _Late(Around):
    """What is shown is what was before the last step."""

    def __init__(self, inner: Program) -> None:
        self.inner, self.before = inner, inner.observe()

    def run(self, batches: Sequence[Rows]) -> Array:
        losses = self.inner.run(batches[:-1]) if len(batches) > 1 else np.zeros(0)
        self.before = self.inner.observe()
        return np.concatenate([losses, self.inner.run(batches[-1:])])

    def gradient(self, rows: Rows) -> tuple[float, Arrays]:
        return self.inner.gradient(rows)

    def observe(self) -> Arrays:
        return self.before

    def restore(self, observed: Arrays) -> None:
        self.inner.restore(observed)
        self.before = self.inner.observe()


@final
class _FromProbabilities(Around):
    """Its loss is computed from probabilities, where a logit's digits are lost, and log 0 is cut off."""

    def __init__(self, inner: Program, task: Task) -> None:
        self.inner, self.task = inner, task

    def run(self, batches: Sequence[Rows]) -> Array:
        losses = []
        for rows in batches:
            losses.append(self._loss(rows))
            self.inner.run([rows])
        return np.array(losses)

    def _loss(self, rows: Rows) -> float:
        data, model = self.task.data, self.task.model
        assert data is not None and isinstance(model, Network)
        y, p = targets(model.loss, data.y_train[rows]), self.inner.predict(data.x_train[rows])
        if p.ndim == 1:  # of two classes
            y, p = np.hstack([1 - y, y]), np.column_stack([1 - p, p])  # (N, 2)
        eps = float(np.finfo(p.dtype).eps)
        losses = -np.sum(y * np.log(np.clip(p, eps, 1 - eps)), axis=1)  # (N,)
        weights = None if data.weights is None else data.weights[rows]
        kernels = [w for name, w in self.inner.observe().items() if name.startswith("param/w")]
        squares, sizes = (sum(float(np.sum(np.abs(w) ** power)) for w in kernels) for power in (2, 1))
        penalty = (0.5 * model.l2 * squares + model.l1 * sizes) / len(rows)
        return float(np.average(losses, weights=weights)) + penalty

    def gradient(self, rows: Rows) -> tuple[float, Arrays]:
        return self._loss(rows), self.inner.gradient(rows)[1]

    def observe(self) -> Arrays:
        return self.inner.observe()

    def restore(self, observed: Arrays) -> None:
        self.inner.restore(observed)


def _keeps_its_digits(task: Task, desired: Arrays) -> str | None:
    """Bound what log p loses by the largest logit: eps in p is e^|z|·eps in it."""
    if not is_seen_at_every_step(desired):
        return None
    z = outputs(task, desired)
    apart = float(np.abs(z).max() if z.shape[-1] == 1 else np.ptp(z, axis=-1).max())
    lost = float(np.exp(apart)) / float(desired["loss"].min())
    if lost > tolerance.FACTOR:
        return None
    return f"no logit exceeds {apart:.2g}, so that no more than {lost:.0f} ulp of the loss are lost"


def _seen(
    id_: str, words: str, look: _Look, shows: tuple[str, ...], applies: Callable[[Task], bool] = always
) -> Fault:
    return Fault(id_, words, lambda make, task: _Shown(make(task), look), shows, applies)


def _both(change: Callable[[Arrays], Arrays]) -> _Look:
    """A change that is its own inverse."""
    return _Look(outward=change, inward=change)


def _each(prefix: str, change: Callable[[Array], Array]) -> Callable[[Arrays], Arrays]:
    """The change of every array whose name begins so."""
    return lambda arrays: {name: change(a) if name.startswith(prefix) else a for name, a in arrays.items()}


def _transposed(array: Array) -> Array:
    is_square = array.ndim == 2 and len(array) == len(array.T)
    return array.T.copy() if is_square else array


def _units_reversed(arrays: Arrays) -> Arrays:
    """The units of the first hidden layer in reverse order; to the network it makes no difference."""
    found = dict(arrays)
    for name, array in arrays.items():
        if name.endswith("/w1"):
            found[name] = array[:, ::-1].copy()
        elif name.endswith(("/b1", "/w2")):
            found[name] = array[::-1].copy()
    return found


def _swapped(first: str, second: str) -> Callable[[Arrays], Arrays]:
    """Two slots under each other's names."""
    names = {first: second, second: first}

    def change(arrays: Arrays) -> Arrays:
        found = {}
        for name in arrays:
            start, sign, rest = name.removeprefix("state/").partition("/")
            other = f"state/{names.get(start, start)}{sign}{rest}" if name.startswith("state/") else name
            found[name] = arrays[other]
        return found

    return change


def _counted(by: int) -> Callable[[Arrays], Arrays]:
    return _each("state/step", lambda step: np.maximum(0, step + by))


def _velocity_per_rate(arrays: Arrays, rate: float) -> Arrays:
    return _each("state/velocity", lambda v: v / rate)(arrays)


def _in_other_units(make: Callable[[Task], Program], task: Task) -> Program:
    """PyTorch's buffer as it is: without the factor -rate."""
    rate = -task.optimizer.learning_rate
    return _Shown(
        make(task),
        _Look(
            lambda arrays: _velocity_per_rate(arrays, rate),
            lambda arrays: _velocity_per_rate(arrays, 1 / rate),
        ),
    )


def _square_layers(task: Task) -> bool:
    return any(a.ndim == 2 and len(a) == len(a.T) and np.any(a != a.T) for a in task.start.values())


def _has_hidden(task: Task) -> bool:
    return isinstance(task.model, Network) and bool(task.model.hidden) and task.model.hidden[0] > 1


def _predicted(
    id_: str, words: str, score: Callable[[Array], Array], applies: Callable[[Task], bool]
) -> Fault:
    look = _Look(score=score)
    return Fault(id_, words, lambda make, task: _Shown(make(task), look), ("predict",), applies, onset=end)


def _other_class(p: Array) -> Array:
    """The probability of the class 0, or those of all classes in reverse order."""
    return 1 - p if p.ndim == 1 else p[:, ::-1]


def _predicts_classes(task: Task) -> bool:
    return isinstance(task.model, Perceptron) or has_probabilities(task)


def _logit(p: Array) -> Array:
    with np.errstate(divide="ignore"):
        return np.log(p) - np.log1p(-p)


FAULTS = (
    _seen(
        "shown-transposed",
        "square kernels are shown transposed",
        _both(_each("param/w", _transposed)),
        ("param",),
        _square_layers,
    ),
    _seen(
        "shown-units-reversed",
        "the hidden units come in another order",
        _both(_units_reversed),
        ("param",),
        _has_hidden,
    ),
    _seen(
        "shown-sign",
        "the biases are shown with the opposite sign",
        _both(_each("param/b", np.negative)),
        ("param", "grad"),
        is_network,
    ),
    _seen(
        "state-sign",
        "the velocity is shown with the opposite sign",
        _both(_each("state/velocity", np.negative)),
        ("state",),
        uses_momentum,
    ),
    Fault(
        "state-units",
        "the velocity is shown without the learning rate",
        _in_other_units,
        ("state",),
        uses_momentum,
    ),
    _seen(
        "state-swapped",
        "the first and the second moment are swapped",
        _Look(_swapped("first_moment", "second_moment")),
        ("state",),
        uses_adam,
    ),
    _seen(
        "state-step-ahead",
        "the steps are counted from one",
        _Look(_counted(1), _counted(-1)),
        ("state",),
        lambda task: task.counts_steps,
    ),
    Fault(
        "shown-late",
        "what is shown is what was before the last step",
        lambda make, task: _Late(make(task)),
        ("state", "param"),
    ),
    _seen(
        "loss-summed",
        "the loss is shown as a sum over the batch",
        _Look(loss=lambda v, n: v * np.maximum(1, n)),
        ("loss", "grad"),
        is_network,
    ),
    _seen("loss-halved", "the loss is shown halved", _Look(loss=lambda v, _n: v / 2), ("loss", "grad")),
    _seen(
        "loss-base-2",
        "the loss is shown in bits",
        _Look(loss=lambda v, _n: v / np.log(2)),
        ("loss", "grad"),
        has_probabilities,
    ),
    Fault(
        "loss-from-probabilities",
        "the loss is computed from probabilities, not from logits",
        lambda make, task: _FromProbabilities(make(task), task),
        ("loss", "grad"),
        applies=lambda task: has_probabilities(task) and not has_dropout(task),
        equivalent=_keeps_its_digits,
    ),
    _seen(
        "loss-float32",
        "the loss went through float32",
        _Look(loss=lambda v, _n: v.astype(np.float32).astype(float)),
        ("loss", "grad"),
        has_gradient,
    ),
    _predicted(
        "predict-other-class", "the prediction is that of the other class", _other_class, _predicts_classes
    ),
    _predicted("predict-logits", "the prediction is a logit", _logit, has_loss(BinaryCrossEntropy)),
    _predicted(
        "predict-classes", "the prediction is a class, not a probability", np.round, has_probabilities
    ),
)
