"""Faults in the loss, in the gradient and in the penalty."""

from collections.abc import Callable
from typing import Any

import numpy as np

from backends.base import Arrays
from harness.faults.base import (
    Fault,
    has_loss,
    is_network,
    is_penalised,
    is_seen_at_every_step,
)
from harness.faults.by_hand import UPDATE, in_gradient, in_loss, in_update, second_step
from harness.faults.update import Change, Here, update
from tasks.spec import Array, CategoricalCrossEntropy, GradientDescent, Huber, Network, SquaredError, Task


def _stale(here: Here) -> Array:
    """The update gets the gradient of the step before; the first step has none."""
    previous = here.memory.get("gradient", np.zeros_like(here.g))
    here.memory["gradient"], here.g = here.g, previous
    return update(here)


def _accumulated(here: Here) -> Array:
    """The gradients are never set back to zero."""
    here.g = here.memory["gradient"] = here.memory.get("gradient", 0.0) + here.g
    return update(here)


def _clipped(here: Here) -> Array:
    norm = float(np.linalg.norm(here.g))
    here.g = here.g * min(1.0, CLIP / norm) if norm else here.g
    return update(here)


CLIP = 1.0


def _norms(desired: Arrays) -> Array:
    """The norm of the gradient of each observed single step, (K,)."""
    squares = [
        np.sum(array.reshape(len(array), -1) ** 2, axis=1)
        for name, array in desired.items()
        if name.startswith("local/grad/")
    ]
    return np.sqrt(np.sum(squares, axis=0))


def _never_clipped(_task: Task, desired: Arrays) -> str | None:
    largest = float(_norms(desired).max())
    if largest > CLIP or not is_seen_at_every_step(desired):
        return None
    return f"the gradient's norm never exceeds {largest:.2g}, so nothing is clipped"


def _first_clipped(_task: Task, desired: Arrays) -> int:
    return int(desired["observed_steps"][np.argmax(_norms(desired) > CLIP)])


def _with_gradient(g: Callable[[Here], Array]) -> Change:
    """An update from another gradient than the one that is shown."""

    def change(here: Here) -> Array:
        here.g = g(here)
        return update(here)

    return change


def _decoupled(here: Here) -> Array:
    decay = here.decay
    here.g = here.g - decay
    return update(here) - here.rate * decay


def _is_identity(task: Task, _desired: Arrays) -> str | None:
    if not isinstance(task.optimizer, GradientDescent):
        return None
    return "w - rate·(g + d) = w - rate·g - rate·d: without momentum and scaling it is the same"


def _is_deep(task: Task) -> bool:
    return isinstance(task.model, Network) and bool(task.model.hidden)


def _varies_batches(task: Task) -> bool:
    """Whether a batch is not the whole set, so that dividing by one or the other differs."""
    return is_penalised(task) and task.batches is not None and task.batches.size < task.rows


def _has_zero_biases(task: Task) -> bool:
    return all(np.all(a == 0) for name, a in task.start.items() if name.startswith("b"))


def _penalty_onset(task: Task, _desired: Arrays) -> int:
    return 1 if _has_zero_biases(task) else 0


def _set_size(here: Here) -> Array:
    return here.decay * here.n / here.task.rows


def _sign_part(here: Here) -> Array:
    """What L1 contributes to the gradient, (P,)."""
    return np.where(here.is_bias, 0.0, here.l1 / max(1, here.n) * np.sign(here.w))


def _size_part(here: Here) -> float:
    """What L1 contributes to the loss."""
    return float(np.vdot(_sign_part(here), here.w))


def _is_sparse(task: Task) -> bool:
    return isinstance(task.model, Network) and task.model.l1 > 0


def _is_weighted(task: Task) -> bool:
    return task.data is not None and task.data.weights is not None


def _times(
    id_: str, words: str, by: Callable[[Here], float], applies: Callable[[Task], bool], **more: Any
) -> Fault:
    """A loss of the data that is multiplied by a number, and its gradient with it; the penalty is right."""
    return in_loss(
        id_,
        words,
        lambda h: (h.g - h.decay) * by(h) + h.decay,
        lambda h, loss: (loss - h.penalty) * by(h) + h.penalty,
        applies,
        **more,
    )


def _classes(here: Here) -> int:
    assert isinstance(here.task.model, Network)
    return here.task.model.loss.outputs


def _delta(task: Task) -> float:
    assert isinstance(task.model, Network) and isinstance(task.model.loss, Huber)
    return task.model.loss.delta


def _delta_is_1(task: Task, _desired: Arrays) -> str | None:
    return "delta is 1: divided by it, the loss is the same" if _delta(task) == 1 else None


FAULTS = (
    # The loss, and so its gradient.
    in_loss(
        "all-summed",
        "loss, penalty and gradient are summed over the batch, not averaged",
        lambda h: h.g * h.n,
        lambda h, loss: loss * h.n,
        is_network,
    ),
    _times(
        "data-summed",
        "the loss of the data is summed over the batch, not averaged; the penalty is divided",
        lambda h: h.n,
        is_penalised,
    ),
    in_loss(
        "penalty-never-divided",
        "the penalty is not divided by the rows, in loss and gradient",
        lambda h: h.g + (h.n - 1) * h.decay,
        lambda h, loss: loss + (h.n - 1) * h.penalty,
        is_penalised,
    ),
    _times(
        "classes-averaged",
        "the loss is averaged over the classes too",
        lambda h: 1 / _classes(h),
        has_loss(CategoricalCrossEntropy),
    ),
    _times(
        "squared-not-halved", "the squared error lacks its factor ½", lambda _h: 2, has_loss(SquaredError)
    ),
    _times(
        "huber-divided",
        "Huber's loss is divided by delta, as in PyTorch's SmoothL1Loss",
        lambda h: 1 / _delta(h.task),
        has_loss(Huber),
        equivalent=_delta_is_1,
    ),
    _times(
        "weights-per-row",
        "the weighted losses are divided by the rows, not by the sum of the weights",
        lambda h: h.weight,
        _is_weighted,
    ),
    in_loss(
        "l1-never-divided",
        "the penalty L1 is not divided by the rows, in loss and gradient",
        lambda h: h.g + (h.n - 1) * _sign_part(h),
        lambda h, loss: loss + (h.n - 1) * _size_part(h),
        _is_sparse,
    ),
    # The gradient.
    in_gradient(
        "gradient-data-summed",
        "the gradient of the data is summed over the batch, not averaged; that of the penalty is divided",
        lambda h: (h.g - h.decay) * h.n + h.decay,
        is_penalised,
    ),
    in_gradient(
        "gradient-summed", "the loss is summed over the batch, not averaged", lambda h: h.g * h.n, is_network
    ),
    in_gradient("gradient-doubled", "the gradient is doubled", lambda h: 2 * h.g),
    in_gradient("gradient-halved", "the gradient is halved", lambda h: h.g / 2),
    in_gradient(
        "gradient-float32",
        "the gradient went through float32",
        lambda h: h.g.astype(np.float32).astype(float),
    ),
    in_gradient(
        "biases-frozen", "the biases get no gradient", lambda h: np.where(h.is_bias, 0.0, h.g), is_network
    ),
    in_gradient(
        "first-layer-frozen",
        "the first layer gets no gradient",
        lambda h: np.where(h.at.layer == 1, 0.0, h.g),
        _is_deep,
    ),
    in_update(
        "gradient-stale", "the update uses the gradient of the step before", _stale, UPDATE, stateful=True
    ),
    in_update(
        "gradient-accumulated",
        "the gradients are never set back to zero",
        _accumulated,
        UPDATE,
        stateful=True,
        onset=second_step,
    ),
    in_update(
        "gradient-sign",
        "the update uses the gradient's sign",
        _with_gradient(lambda h: np.sign(h.g)),
        UPDATE,
    ),
    in_update("gradient-ascent", "the update goes up the gradient", _with_gradient(lambda h: -h.g), UPDATE),
    in_update(
        "gradient-clipped",
        "the gradient's norm is clipped to 1",
        _clipped,
        UPDATE,
        onset=_first_clipped,
        equivalent=_never_clipped,
    ),
    # The penalty.
    in_gradient(
        "penalty-on-biases",
        "the biases are penalised too",
        lambda h: h.g + np.where(h.is_bias, h.pull, 0.0),
        is_penalised,
        onset=_penalty_onset,
    ),
    in_gradient(
        "penalty-per-set",
        "the penalty is divided by the rows of the set, not of the batch",
        lambda h: h.g - h.decay + _set_size(h),
        _varies_batches,
    ),
    in_gradient(
        "penalty-undivided",
        "the penalty is not divided by the rows",
        lambda h: h.g + (h.n - 1) * h.decay,
        is_penalised,
    ),
    in_gradient(
        "penalty-loss-only", "the penalty is missing in the gradient", lambda h: h.g - h.decay, is_penalised
    ),
    in_gradient(
        "penalty-first-layer",
        "only the first layer is penalised",
        lambda h: h.g - np.where(h.at.layer == 1, 0.0, h.decay),
        lambda task: is_penalised(task) and _is_deep(task),
    ),
    in_update(
        "penalty-decoupled",
        "the decay is decoupled from the gradient, as in AdamW",
        _decoupled,
        UPDATE,
        is_penalised,
        equivalent=_is_identity,
    ),
    in_update(
        "decay-undivided",
        "the weight decay of the update is not divided by the rows",
        _with_gradient(lambda h: h.g + (h.n - 1) * h.decay),
        UPDATE,
        is_penalised,
    ),
    in_gradient(
        "l1-sign",
        "the gradient of the penalty L1 has the opposite sign",
        lambda h: h.g - 2 * _sign_part(h),
        _is_sparse,
    ),
)
