"""Faults in the gradient, in the penalty and in the update rule.

The gradients are the column's own; the update is written out here, on one flat vector, so that one line
of it can be wrong.  `test_catalogue` holds the right update against every column.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, final

import numpy as np

from backends.base import Arrays, named, pick
from harness.faults.base import (
    Around,
    Fault,
    Make,
    has_gradient,
    is_network,
    is_penalised,
    uses_adam,
    uses_momentum,
    uses_rmsprop,
)
from tasks.spec import (
    Adam,
    Array,
    GradientDescent,
    Momentum,
    Network,
    Optimizer,
    RMSprop,
    Rows,
    Task,
)


@dataclass
class Here:
    """What an update sees: all parameters as one vector (P,), and what belongs to them."""

    task: Task
    rule: Optimizer
    is_bias: Array  # (P,)
    layer: Array  # (P,) number of the layer, from 1
    w: Array  # (P,)
    g: Array  # (P,) gradient, penalty included
    n: int  # rows of this batch
    t: int  # number of this step, from 1
    state: dict[str, Array]  # by slot, (P,) each
    memory: dict[str, Array] = field(default_factory=dict)  # what only a faulty update remembers

    @property
    def l2(self) -> float:
        """The penalty's factor; 0 where there is none."""
        return self.task.model.l2 if isinstance(self.task.model, Network) else 0.0

    @property
    def decay(self) -> Array:
        """What the penalty contributes to the gradient, (P,)."""
        return np.where(self.is_bias, 0.0, self.l2 / max(1, self.n) * self.w)

    @property
    def penalty(self) -> float:
        """What the penalty contributes to the loss."""
        return 0.5 * float(np.vdot(self.decay, self.w))


Change = Callable[[Here], Array]


def update(here: Here) -> Array:
    """The change of the parameters by the task's own rule, as in `tasks.spec`."""
    match here.rule:
        case GradientDescent(rate):
            return -rate * here.g
        case Momentum(rate, momentum):
            here.state["velocity"] = momentum * here.state["velocity"] - rate * here.g
            return here.state["velocity"]
        case RMSprop(rate, _, epsilon, inside):
            s = _mean_square(here)
            return -rate * here.g / (np.sqrt(s + epsilon) if inside else np.sqrt(s) + epsilon)
        case Adam():
            _moments(here)
            return _adam(here)


def _mean_square(here: Here) -> Array:
    rule = here.rule
    assert isinstance(rule, RMSprop)
    here.state["mean_square"] = rule.rho * here.state["mean_square"] + (1 - rule.rho) * here.g**2
    return here.state["mean_square"]


def _moments(here: Here, square: Array | None = None) -> None:
    rule = here.rule
    assert isinstance(rule, Adam)
    g2 = here.g**2 if square is None else square
    here.state["first_moment"] = rule.beta_1 * here.state["first_moment"] + (1 - rule.beta_1) * here.g
    here.state["second_moment"] = rule.beta_2 * here.state["second_moment"] + (1 - rule.beta_2) * g2


def _adam(
    here: Here, *, m: Array | None = None, v: Array | None = None, bias: tuple[float, float] | None = None
) -> Array:
    """Adam's change, with the moments and bias corrections that a faulty one may have in their place."""
    rule = here.rule
    assert isinstance(rule, Adam)
    m = here.state["first_moment"] if m is None else m
    v = here.state["second_moment"] if v is None else v
    bias_1, bias_2 = bias or (1 - rule.beta_1**here.t, 1 - rule.beta_2**here.t)
    epsilon = rule.epsilon if rule.epsilon_hat else rule.epsilon * math.sqrt(bias_2)
    return -rule.learning_rate * math.sqrt(bias_2) / bias_1 * m / (np.sqrt(v) + epsilon)


@final
class ByHand(Around):
    """The gradients of a program, changed by `gradient`, and an update written out in `change`."""

    def __init__(
        self,
        make: Make,
        task: Task,
        change: Change = update,
        gradient: Change | None = None,
        loss: Callable[[Here, float], float] | None = None,
    ) -> None:
        # Its own rule is never used: what matters is that it keeps no state.
        self.inner = make(replace(task, optimizer=GradientDescent(task.optimizer.learning_rate)))
        self.task, self.change, self.alter, self.alter_loss = task, change, gradient, loss
        self.names = {name: math.prod(shape) for name, shape in task.shapes.items()}
        self.state = {slot: np.zeros(sum(self.names.values())) for slot in task.optimizer.slots}
        self.steps = 0
        self.memory: dict[str, Array] = {}

    def run(self, batches: Sequence[Rows]) -> Array:
        return np.array([self._step(rows) for rows in batches])

    def _step(self, rows: Rows) -> float:
        loss, here = self._here(rows)
        self.steps += 1
        w = here.w + self.change(here)
        self.inner.restore(named("param", self._unpacked(w)))
        return loss

    def _here(self, rows: Rows) -> tuple[float, Here]:
        loss, gradients = self.inner.gradient(rows)
        w = self._packed(pick("param", self.inner.observe()))
        names, sizes = list(self.names), list(self.names.values())
        here = Here(
            task=self.task,
            rule=self.task.optimizer,
            is_bias=np.repeat([name.startswith("b") for name in names], sizes),
            layer=np.repeat([int(name[1:] or 1) for name in names], sizes),
            w=w,
            g=self._packed(gradients),
            n=len(rows),
            t=self.steps + 1,
            state=self.state,
            memory=self.memory,
        )
        if self.alter_loss:
            loss = self.alter_loss(here, loss)
        if self.alter:
            here.g = self.alter(here)
        return loss, here

    def gradient(self, rows: Rows) -> tuple[float, Arrays]:
        loss, here = self._here(rows)
        return loss, self._unpacked(here.g)

    def observe(self) -> Arrays:
        observed = self.inner.observe()
        for slot, vector in self.state.items():
            observed |= named(f"state/{slot}", self._unpacked(vector))
        if isinstance(self.task.optimizer, Adam):
            observed["state/step"] = np.array(self.steps)
        return observed

    def restore(self, observed: Arrays) -> None:
        self.inner.restore(named("param", pick("param", observed)))
        for slot in self.state:
            self.state[slot] = self._packed(pick(f"state/{slot}", observed))
        self.steps = int(observed.get("state/step", 0))
        self.memory.clear()

    def _packed(self, arrays: Arrays) -> Array:
        return np.concatenate([np.ravel(arrays[name]) for name in self.names])

    def _unpacked(self, vector: Array) -> Arrays:
        parts = np.split(vector, np.cumsum(list(self.names.values()))[:-1])
        shapes = self.task.shapes
        return {name: part.reshape(shapes[name]) for name, part in zip(self.names, parts, strict=True)}


# ------------------------------------------------------------------------------------- gradients


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
    is_seen = len(desired["observed_steps"]) == len(desired["loss"]) + 1  # at every step
    if largest > CLIP or not is_seen:
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


# --------------------------------------------------------------------------------- update rules


def _rate(factor: Callable[[Here], float]) -> Change:
    """A learning rate that is not constant."""

    def change(here: Here) -> Array:
        rate = here.rule.learning_rate * factor(here)
        here.rule = replace(here.rule, learning_rate=rate)
        return update(here)

    return change


def _nesterov(here: Here) -> Array:
    rule = here.rule
    assert isinstance(rule, Momentum)
    v = update(here)
    return rule.momentum * v - rule.learning_rate * here.g


def _old_velocity(here: Here) -> Array:
    old = here.state["velocity"]
    update(here)
    return old


def _dampened(here: Here) -> Array:
    rule = here.rule
    assert isinstance(rule, Momentum)
    here.g = (1 - rule.momentum) * here.g
    return update(here)


def _velocity_lost(here: Here) -> Array:
    here.state["velocity"] = np.zeros_like(here.w)
    return update(here)


def _rate_outside(here: Here) -> Array:
    """PyTorch's form: u = momentum·u + g, w -= rate·u; it shows -rate·u as its velocity."""
    rule = here.rule
    assert isinstance(rule, Momentum)
    u = rule.momentum * (here.state["velocity"] / -rule.learning_rate) + here.g
    here.state["velocity"] = -rule.learning_rate * u
    return here.state["velocity"]


def _centred(here: Here) -> Array:
    rule = here.rule
    assert isinstance(rule, RMSprop)
    s = _mean_square(here)
    mean = rule.rho * here.memory.get("mean", np.zeros_like(here.w)) + (1 - rule.rho) * here.g
    here.memory["mean"] = mean
    s = np.maximum(s - mean**2, 0.0)
    root = np.sqrt(s + rule.epsilon) if rule.epsilon_inside_root else np.sqrt(s) + rule.epsilon
    return -rule.learning_rate * here.g / root


def _squares_start_at_one(here: Here) -> Array:
    if here.t == 1:
        here.state["mean_square"] = np.ones_like(here.w)
    return update(here)


def _uncorrected(here: Here) -> Array:
    _moments(here)
    return _adam(here, bias=(1.0, 1.0))


def _corrected_late(here: Here) -> Array:
    rule = here.rule
    assert isinstance(rule, Adam)
    _moments(here)
    t = here.t + 1
    return _adam(here, bias=(1 - rule.beta_1**t, 1 - rule.beta_2**t))


def _first_corrected_only(here: Here) -> Array:
    rule = here.rule
    assert isinstance(rule, Adam)
    _moments(here)
    return _adam(here, bias=(1 - rule.beta_1**here.t, 1.0))


def _corrected_in_float32(here: Here) -> Array:
    rule = here.rule
    assert isinstance(rule, Adam)
    _moments(here)
    powers = [np.float32(float(np.float32(beta)) ** here.t) for beta in (rule.beta_1, rule.beta_2)]
    bias = [float(np.float32(1) - power) for power in powers]
    return _adam(here, bias=(bias[0], bias[1]))


def _amsgrad(here: Here) -> Array:
    _moments(here)
    largest = np.maximum(here.memory.get("largest", np.zeros_like(here.w)), here.state["second_moment"])
    here.memory["largest"] = largest
    return _adam(here, v=largest)


def _nadam(here: Here) -> Array:
    rule = here.rule
    assert isinstance(rule, Adam)
    _moments(here)
    ahead = rule.beta_1 * here.state["first_moment"] + (1 - rule.beta_1) * here.g
    return _adam(here, m=ahead)


def _moment_of_layer(here: Here) -> Array:
    """One second moment for each layer: the mean of its squared gradients."""
    square = np.empty_like(here.g)
    for layer in np.unique(here.layer):
        square[here.layer == layer] = np.mean(here.g[here.layer == layer] ** 2)
    _moments(here, square)
    return _adam(here)


def _decoupled(here: Here) -> Array:
    decay = here.decay
    here.g = here.g - decay
    return update(here) - here.rule.learning_rate * decay


def _through_float32(here: Here) -> Array:
    return (here.w + update(here)).astype(np.float32).astype(np.float64) - here.w


def _is_identity(task: Task, _desired: Arrays) -> str | None:
    if not isinstance(task.optimizer, GradientDescent):
        return None
    return "w - rate·(g + d) = w - rate·g - rate·d: without momentum and scaling it is the same"


def _same_velocity(_task: Task, _desired: Arrays) -> str:
    return "with a constant rate, -rate·u obeys v = momentum·v - rate·g: it is the same velocity"


def _never_falls(_task: Task, desired: Arrays) -> str | None:
    """Whether no second moment ever falls, seen at every step."""
    if len(desired["observed_steps"]) != len(desired["loss"]) + 1:
        return None
    moments = [array for name, array in desired.items() if name.startswith("state/second_moment/")]
    if any(np.any(np.diff(array, axis=0) < 0) for array in moments):
        return None
    return "no second moment ever falls in this run, so the largest so far is the present one"


def _epsilon_inside(here: Here) -> Array:
    rule = here.rule
    assert isinstance(rule, Adam)
    _moments(here)
    bias_1, bias_2 = 1 - rule.beta_1**here.t, 1 - rule.beta_2**here.t
    m, v = here.state["first_moment"] / bias_1, here.state["second_moment"] / bias_2
    return -rule.learning_rate * m / np.sqrt(v + rule.epsilon)


def _decayed(factor: Callable[[Here], Array]) -> Change:
    """Weights that shrink beside the update."""

    def change(here: Here) -> Array:
        shrink = factor(here)
        return update(here) - here.rule.learning_rate * shrink

    return change


def _one_parameter_per_layer(task: Task, _desired: Arrays) -> str | None:
    is_single = sum(math.prod(shape) for shape in task.shapes.values()) == 1
    return "there is one parameter: its mean is itself" if is_single else None


def _change(
    id_: str,
    words: str,
    change: Change,
    shows: tuple[str, ...],
    applies: Callable[[Task], bool] = has_gradient,
    **more: Any,
) -> Fault:
    """A fault in the update; the gradient that is shown is right."""
    return Fault(id_, words, lambda make, task: ByHand(make, task, change), shows, applies, **more)


def _gradient(
    id_: str, words: str, alter: Change, applies: Callable[[Task], bool] = has_gradient, **more: Any
) -> Fault:
    """A fault in the gradient itself, which is shown too."""
    return Fault(
        id_,
        words,
        lambda make, task: ByHand(make, task, gradient=alter),
        ("grad",),
        applies,
        **more,
    )


def _second_step(_task: Task, _desired: Arrays) -> int:
    return 1


def _fifth_step(_task: Task, _desired: Arrays) -> int:
    return 5


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


_UPDATE = ("state", "param")


def _both(
    id_: str,
    words: str,
    alter: Change,
    loss: Callable[[Here, float], float],
    applies: Callable[[Task], bool],
) -> Fault:
    """A fault in the loss, and so in its gradient."""
    return Fault(
        id_,
        words,
        lambda make, task: ByHand(make, task, gradient=alter, loss=loss),
        ("loss", "grad"),
        applies,
    )


FAULTS = (
    # The loss, and so its gradient.
    _both(
        "all-summed",
        "loss, penalty and gradient are summed over the batch, not averaged",
        lambda h: h.g * h.n,
        lambda h, loss: loss * h.n,
        is_network,
    ),
    _both(
        "data-summed",
        "the loss of the data is summed over the batch, not averaged; the penalty is divided",
        lambda h: (h.g - h.decay) * h.n + h.decay,
        lambda h, loss: (loss - h.penalty) * h.n + h.penalty,
        is_penalised,
    ),
    _both(
        "penalty-never-divided",
        "the penalty is not divided by the rows, in loss and gradient",
        lambda h: h.g + (h.n - 1) * h.decay,
        lambda h, loss: loss + (h.n - 1) * h.penalty,
        is_penalised,
    ),
    # The gradient.
    _gradient(
        "gradient-data-summed",
        "the gradient of the data is summed over the batch, not averaged; that of the penalty is divided",
        lambda h: (h.g - h.decay) * h.n + h.decay,
        is_penalised,
    ),
    _gradient(
        "gradient-summed", "the loss is summed over the batch, not averaged", lambda h: h.g * h.n, is_network
    ),
    _gradient("gradient-doubled", "the gradient is doubled", lambda h: 2 * h.g),
    _gradient("gradient-halved", "the gradient is halved", lambda h: h.g / 2),
    _gradient(
        "gradient-float32",
        "the gradient went through float32",
        lambda h: h.g.astype(np.float32).astype(float),
    ),
    _gradient(
        "biases-frozen", "the biases get no gradient", lambda h: np.where(h.is_bias, 0.0, h.g), is_network
    ),
    _gradient(
        "first-layer-frozen",
        "the first layer gets no gradient",
        lambda h: np.where(h.layer == 1, 0.0, h.g),
        _is_deep,
    ),
    _change(
        "gradient-stale", "the update uses the gradient of the step before", _stale, _UPDATE, stateful=True
    ),
    _change(
        "gradient-accumulated",
        "the gradients are never set back to zero",
        _accumulated,
        _UPDATE,
        stateful=True,
        onset=_second_step,
    ),
    _change(
        "gradient-sign",
        "the update uses the gradient's sign",
        _with_gradient(lambda h: np.sign(h.g)),
        _UPDATE,
    ),
    _change("gradient-ascent", "the update goes up the gradient", _with_gradient(lambda h: -h.g), _UPDATE),
    _change(
        "gradient-clipped",
        "the gradient's norm is clipped to 1",
        _clipped,
        _UPDATE,
        onset=_first_clipped,
        equivalent=_never_clipped,
    ),
    # The penalty.
    _gradient(
        "penalty-on-biases",
        "the biases are penalised too",
        lambda h: h.g + np.where(h.is_bias, h.l2 / max(1, h.n) * h.w, 0.0),
        is_penalised,
        onset=_penalty_onset,
    ),
    _gradient(
        "penalty-per-set",
        "the penalty is divided by the rows of the set, not of the batch",
        lambda h: h.g - h.decay + _set_size(h),
        _varies_batches,
    ),
    _gradient(
        "penalty-undivided",
        "the penalty is not divided by the rows",
        lambda h: h.g + (h.n - 1) * h.decay,
        is_penalised,
    ),
    _gradient(
        "penalty-loss-only", "the penalty is missing in the gradient", lambda h: h.g - h.decay, is_penalised
    ),
    _gradient(
        "penalty-first-layer",
        "only the first layer is penalised",
        lambda h: h.g - np.where(h.layer == 1, 0.0, h.decay),
        lambda task: is_penalised(task) and _is_deep(task),
    ),
    _change(
        "penalty-decoupled",
        "the decay is decoupled from the gradient, as in AdamW",
        _decoupled,
        _UPDATE,
        is_penalised,
        equivalent=_is_identity,
    ),
    _change(
        "decay-undivided",
        "the weight decay of the update is not divided by the rows",
        _with_gradient(lambda h: h.g + (h.n - 1) * h.decay),
        _UPDATE,
        is_penalised,
    ),
    _change(
        "decay-of-adamw",
        "all parameters decay by 0.01, decoupled: the default of PyTorch's AdamW",
        _decayed(lambda h: 0.01 * h.w),
        ("param",),
        uses_adam,
    ),
    # The learning rate over time.
    _change(
        "rate-drops",
        "the learning rate halves after five steps",
        _rate(lambda h: 0.5 if h.t > 5 else 1.0),
        _UPDATE,
        onset=_fifth_step,
    ),
    _change(
        "rate-warms-up",
        "the learning rate grows over the first five steps",
        _rate(lambda h: min(1.0, h.t / 5)),
        _UPDATE,
    ),
    _change(
        "rate-decays",
        "the learning rate decays by 1/(1 + 0.01·t)",
        _rate(lambda h: 1 / (1 + 0.01 * (h.t - 1))),
        _UPDATE,
        onset=_second_step,
    ),
    # Momentum.
    _change(
        "momentum-nesterov", "the momentum is Nesterov's", _nesterov, ("param",), uses_momentum, stateful=True
    ),
    _change(
        "momentum-order",
        "the parameters move by the velocity of the step before",
        _old_velocity,
        ("param",),
        uses_momentum,
        stateful=True,
    ),
    _change(
        "momentum-dampened",
        "the gradient is dampened by 1 - momentum",
        _dampened,
        ("state",),
        uses_momentum,
        stateful=True,
    ),
    _change(
        "momentum-lost",
        "the velocity is lost after each step",
        _velocity_lost,
        ("state",),
        uses_momentum,
        stateful=True,
        onset=_second_step,
    ),
    _change(
        "momentum-rate-outside",
        "the learning rate multiplies the velocity, not the gradient",
        _rate_outside,
        ("state",),
        uses_momentum,
        equivalent=_same_velocity,
    ),
    # RMSprop.
    _change(
        "rmsprop-centred", "the mean square is centred", _centred, ("param",), uses_rmsprop, stateful=True
    ),
    _change(
        "rmsprop-starts-at-one",
        "the mean square starts at one",
        _squares_start_at_one,
        ("state",),
        uses_rmsprop,
        stateful=True,
    ),
    # Adam.
    _change(
        "adam-epsilon-inside",
        "Adam's ε is added inside the root",
        _epsilon_inside,
        ("param",),
        uses_adam,
        stateful=True,
    ),
    _change(
        "adam-uncorrected", "Adam's bias is not corrected", _uncorrected, ("param",), uses_adam, stateful=True
    ),
    _change(
        "adam-step-late",
        "Adam's bias correction counts one step too many",
        _corrected_late,
        ("param",),
        uses_adam,
        stateful=True,
    ),
    _change(
        "adam-half-corrected",
        "only Adam's first moment is corrected",
        _first_corrected_only,
        ("param",),
        uses_adam,
        stateful=True,
    ),
    _change(
        "adam-float32-correction",
        "Adam's bias correction is computed in float32",
        _corrected_in_float32,
        ("param",),
        uses_adam,
        stateful=True,
    ),
    _change(
        "adam-amsgrad",
        "Adam is AMSGrad",
        _amsgrad,
        ("param",),
        uses_adam,
        stateful=True,
        onset=_second_step,
        equivalent=_never_falls,
    ),
    _change("adam-nesterov", "Adam is Nadam", _nadam, ("param",), uses_adam, stateful=True),
    _change(
        "adam-layer-moment",
        "there is one second moment per layer",
        _moment_of_layer,
        ("state",),
        uses_adam,
        stateful=True,
        equivalent=_one_parameter_per_layer,
    ),
    # Precision.
    _change("parameters-float32", "the parameters are kept in float32", _through_float32, ("param",)),
)
