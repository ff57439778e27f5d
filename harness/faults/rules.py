"""Faults in the update rules: what they remember of each parameter, and what they make of it."""

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from backends.base import Arrays
from harness.faults.base import (
    Fault,
    is_seen_at_every_step,
    uses_adam,
    uses_momentum,
    uses_rmsprop,
)
from harness.faults.by_hand import in_update, second_step
from harness.faults.rates import rate_change
from harness.faults.update import (
    Change,
    Here,
    Mu,
    adam,
    mean_square,
    moments,
    nadam,
    schedule_of_nadam,
    sum_of_squares,
    update,
    weight_decay,
)
from tasks.spec import Adagrad, Adam, Array, Momentum, Nadam, RMSprop, Task


def _plain_or_nesterov(nesterov: bool) -> Change:
    """Momentum of the one kind."""

    def change(here: Here) -> Array:
        rule = here.rule
        assert isinstance(rule, Momentum)
        here.rule = replace(rule, nesterov=nesterov)
        return update(here)

    return change


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
    before = here.memory.get("rate", here.rate)
    here.memory["rate"] = np.array(here.rate)
    u = rule.momentum * (here.state["velocity"] / -before) + here.g
    v = here.state["velocity"] = -here.rate * u
    return rule.momentum * v - here.rate * here.g if rule.nesterov else v


def _centred(here: Here) -> Array:
    rule = here.rule
    assert isinstance(rule, RMSprop)
    s = mean_square(here)
    mean = rule.rho * here.memory.get("mean", np.zeros_like(here.w)) + (1 - rule.rho) * here.g
    here.memory["mean"] = mean
    s = np.maximum(s - mean**2, 0.0)
    root = np.sqrt(s + rule.epsilon) if rule.epsilon_inside_root else np.sqrt(s) + rule.epsilon
    return -here.rate * here.g / root


def _squares_start_at_one(here: Here) -> Array:
    if here.t == 1:
        here.state["mean_square"] = np.ones_like(here.w)
    return update(here)


def _uncorrected(here: Here) -> Array:
    moments(here)
    return adam(here, bias=(1.0, 1.0))


def _corrected_late(here: Here) -> Array:
    rule = here.rule
    assert isinstance(rule, Adam)
    moments(here)
    t = here.t + 1
    return adam(here, bias=(1 - rule.beta_1**t, 1 - rule.beta_2**t))


def _first_corrected_only(here: Here) -> Array:
    rule = here.rule
    assert isinstance(rule, Adam)
    moments(here)
    return adam(here, bias=(1 - rule.beta_1**here.t, 1.0))


def _corrected_in_float32(here: Here) -> Array:
    rule = here.rule
    assert isinstance(rule, Adam)
    moments(here)
    powers = [np.float32(float(np.float32(beta)) ** here.t) for beta in (rule.beta_1, rule.beta_2)]
    bias = [float(np.float32(1) - power) for power in powers]
    return adam(here, bias=(bias[0], bias[1]))


def _amsgrad(here: Here) -> Array:
    moments(here)
    largest = np.maximum(here.memory.get("largest", np.zeros_like(here.w)), here.state["second_moment"])
    here.memory["largest"] = largest
    return adam(here, v=largest)


def _look_ahead(here: Here) -> Array:
    rule = here.rule
    assert isinstance(rule, Adam)
    moments(here)
    ahead = rule.beta_1 * here.state["first_moment"] + (1 - rule.beta_1) * here.g
    return adam(here, m=ahead)


def _moment_of_layer(here: Here) -> Array:
    """One second moment for each layer: the mean of its squared gradients."""
    square = np.empty_like(here.g)
    for layer in np.unique(here.at.layer):
        square[here.at.layer == layer] = np.mean(here.g[here.at.layer == layer] ** 2)
    moments(here, square)
    return adam(here)


def _present_moment(here: Here) -> Array:
    moments(here)
    return adam(here, v=here.state["second_moment"])


def _largest_corrected(here: Here) -> Array:
    """The largest of v/(1-β2ᵗ) so far, in place of the largest v divided by the present 1-β2ᵗ."""
    rule, largest = here.rule, here.state["largest_second_moment"]
    assert isinstance(rule, Adam)
    moments(here)
    bias = 1 - rule.beta_2**here.t
    largest = here.state["largest_second_moment"] = np.maximum(largest, here.state["second_moment"] / bias)
    return adam(here, v=largest * bias)


def _coupled(here: Here) -> Array:
    """Adam with the penalty ½·λ·Σ w² in its gradient."""
    rule = here.rule
    assert isinstance(rule, Adam)
    here.g = here.g + rule.weight_decay * here.w
    here.rule = replace(rule, weight_decay=0.0)
    return update(here)


def _decayed(decay: Callable[[Here], Array]) -> Change:
    """AdamW with another decay, given as a change of the parameters."""

    def change(here: Here) -> Array:
        return update(here) - weight_decay(here) + decay(here)

    return change


def _decay_without_rate(here: Here) -> Array:
    return weight_decay(here) / here.rate if here.rate else weight_decay(here)


def _decayed_last(here: Here) -> Array:
    """The decay is of what the parameters are after the step."""
    assert isinstance(here.rule, Adam)
    step = update(here) - weight_decay(here)
    return step - here.rate * here.rule.weight_decay * (here.w + step)


def _scheduled(schedule: Mu, of_product: Mu | None = None) -> Change:
    """Nadam with another schedule of β1."""

    def change(here: Here) -> Array:
        moments(here)
        return nadam(here, schedule, of_product)

    return change


def _without_look_ahead(here: Here) -> Array:
    """Adam in place of Nadam."""
    rule = here.rule
    assert isinstance(rule, Nadam)
    moments(here)
    m = here.state["first_moment"] / (1 - rule.beta_1**here.t)
    v = here.state["second_moment"] / (1 - rule.beta_2**here.t)
    return -here.rate * m / (np.sqrt(v) + rule.epsilon)


def _squares_start_at_a_tenth(here: Here) -> Array:
    if here.t == 1:
        here.state["sum_of_squares"] = np.full_like(here.w, 0.1)
    return update(here)


def _squares_halved(here: Here) -> Array:
    """What Adagrad has summed up fades away, as in RMSprop without its 1-rho."""
    rule = here.rule
    assert isinstance(rule, Adagrad)
    here.state["sum_of_squares"] = 0.9 * here.state["sum_of_squares"]
    return -here.rate * here.g / (np.sqrt(sum_of_squares(here)) + rule.epsilon)


def _through_float32(here: Here) -> Array:
    return (here.w + update(here)).astype(np.float32).astype(np.float64) - here.w


def _same_velocity(task: Task, desired: Arrays) -> str | None:
    if rate_change(task, desired) is not None:
        return None
    return "with a constant rate, -rate·u obeys v = momentum·v - rate·g: it is the same velocity"


def _first_rate_change(task: Task, desired: Arrays) -> int:
    return max(1, rate_change(task, desired) or 0)  # at first there is no velocity yet


def _first_fall(desired: Arrays) -> int | None:
    """The first observed step after which a second moment falls; None if none ever does."""
    moments = [array for name, array in desired.items() if name.startswith("state/second_moment/")]
    falls = [np.any(np.diff(a, axis=0).reshape(len(a) - 1, -1) < 0, axis=1) for a in moments]  # (K-1,) each
    rows = np.flatnonzero(np.any(falls, axis=0))
    return int(desired["observed_steps"][rows[0]]) if len(rows) else None


def _never_falls(_task: Task, desired: Arrays) -> str | None:
    if _first_fall(desired) is not None or not is_seen_at_every_step(desired):
        return None
    return "no second moment ever falls in this run, so the largest so far is the present one"


def _falls(_task: Task, desired: Arrays) -> int:
    return _first_fall(desired) or 0


def _epsilon_inside(here: Here) -> Array:
    rule = here.rule
    assert isinstance(rule, Adam)
    moments(here)
    bias_1, bias_2 = 1 - rule.beta_1**here.t, 1 - rule.beta_2**here.t
    m, v = here.state["first_moment"], here.state.get("largest_second_moment", here.state["second_moment"])
    m, v = m / bias_1, v / bias_2
    return weight_decay(here) - here.rate * m / np.sqrt(v + rule.epsilon)


def _one_parameter_per_layer(task: Task, _desired: Arrays) -> str | None:
    is_single = sum(math.prod(shape) for shape in task.shapes.values()) == 1
    return "there is one parameter: its mean is itself" if is_single else None


def _is_nesterov(task: Task) -> bool:
    return isinstance(task.optimizer, Momentum) and task.optimizer.nesterov


def _is_plain_momentum(task: Task) -> bool:
    return uses_momentum(task) and not _is_nesterov(task)


def _is_amsgrad(task: Task) -> bool:
    return isinstance(task.optimizer, Adam) and task.optimizer.amsgrad


def _is_plain_adam(task: Task) -> bool:
    return uses_adam(task) and not _is_amsgrad(task)


def _is_adamw(task: Task) -> bool:
    return isinstance(task.optimizer, Adam) and task.optimizer.weight_decay > 0


def _has_biases(task: Task) -> bool:
    return any(name.startswith("b") for name in task.shapes)


def _uses_adagrad(task: Task) -> bool:
    return isinstance(task.optimizer, Adagrad)


def _uses_nadam(task: Task) -> bool:
    return isinstance(task.optimizer, Nadam)


def _bias_moves(task: Task, _desired: Arrays) -> int:
    """Biases that start at 0 have nothing to decay in the first step."""
    return 1 if all(np.all(a == 0) for name, a in task.start.items() if name.startswith("b")) else 0


def _nadam_fault(id_: str, words: str, change: Change) -> Fault:
    return in_update(id_, words, change, ("param",), _uses_nadam, stateful=True)


FAULTS = (
    # Momentum.
    in_update(
        "momentum-nesterov",
        "the momentum is Nesterov's",
        _plain_or_nesterov(True),
        ("param",),
        _is_plain_momentum,
        stateful=True,
    ),
    in_update(
        "momentum-not-nesterov",
        "the momentum is plain, not Nesterov's",
        _plain_or_nesterov(False),
        ("param",),
        _is_nesterov,
        stateful=True,
    ),
    in_update(
        "momentum-order",
        "the parameters move by the velocity of the step before",
        _old_velocity,
        ("param",),
        uses_momentum,
        stateful=True,
    ),
    in_update(
        "momentum-dampened",
        "the gradient is dampened by 1 - momentum",
        _dampened,
        ("state",),
        uses_momentum,
        stateful=True,
    ),
    in_update(
        "momentum-lost",
        "the velocity is lost after each step",
        _velocity_lost,
        ("state",),
        uses_momentum,
        stateful=True,
        onset=second_step,
    ),
    in_update(
        "momentum-rate-outside",
        "the learning rate multiplies the velocity, not the gradient",
        _rate_outside,
        ("state",),
        uses_momentum,
        stateful=True,
        onset=_first_rate_change,
        equivalent=_same_velocity,
    ),
    # RMSprop.
    in_update(
        "rmsprop-centred", "the mean square is centred", _centred, ("param",), uses_rmsprop, stateful=True
    ),
    in_update(
        "rmsprop-starts-at-one",
        "the mean square starts at one",
        _squares_start_at_one,
        ("state",),
        uses_rmsprop,
        stateful=True,
    ),
    # Adagrad.
    in_update(
        "adagrad-starts-at-a-tenth",
        "Adagrad's sum of squares starts at 0.1",
        _squares_start_at_a_tenth,
        ("state",),
        _uses_adagrad,
        stateful=True,
    ),
    in_update(
        "adagrad-forgets",
        "Adagrad's sum of squares fades by 0.9 in each step",
        _squares_halved,
        ("state",),
        _uses_adagrad,
        stateful=True,
        onset=second_step,
    ),
    # Adam.
    in_update(
        "adam-epsilon-inside",
        "Adam's ε is added inside the root",
        _epsilon_inside,
        ("param",),
        uses_adam,
        stateful=True,
    ),
    in_update(
        "adam-uncorrected", "Adam's bias is not corrected", _uncorrected, ("param",), uses_adam, stateful=True
    ),
    in_update(
        "adam-step-late",
        "Adam's bias correction counts one step too many",
        _corrected_late,
        ("param",),
        uses_adam,
        stateful=True,
    ),
    in_update(
        "adam-half-corrected",
        "only Adam's first moment is corrected",
        _first_corrected_only,
        ("param",),
        uses_adam,
        stateful=True,
    ),
    in_update(
        "adam-float32-correction",
        "Adam's bias correction is computed in float32",
        _corrected_in_float32,
        ("param",),
        uses_adam,
        stateful=True,
    ),
    in_update(
        "adam-amsgrad",
        "Adam is AMSGrad",
        _amsgrad,
        ("param",),
        _is_plain_adam,
        stateful=True,
        onset=_falls,
        equivalent=_never_falls,
    ),
    in_update(
        "amsgrad-forgotten",
        "AMSGrad divides by the present second moment, not by the largest",
        _present_moment,
        ("param",),
        _is_amsgrad,
        stateful=True,
        onset=_falls,
        equivalent=_never_falls,
    ),
    in_update(
        "amsgrad-of-corrected",
        "AMSGrad keeps the largest corrected second moment, not the largest raw one",
        _largest_corrected,
        ("state",),
        _is_amsgrad,
        stateful=True,
    ),
    in_update(
        "weight-decay-coupled",
        "AdamW's decay goes through its moments, as a penalty does",
        _coupled,
        ("state",),
        _is_adamw,
    ),
    in_update(
        "weight-decay-without-rate",
        "AdamW's decay is not multiplied by the learning rate",
        _decayed(_decay_without_rate),
        ("param",),
        _is_adamw,
    ),
    in_update(
        "weight-decay-of-kernels",
        "AdamW's decay leaves the biases out",
        _decayed(lambda h: np.where(h.is_bias, 0.0, weight_decay(h))),
        ("param",),
        lambda task: _is_adamw(task) and _has_biases(task),
        onset=_bias_moves,
    ),
    in_update(
        "weight-decay-last",
        "AdamW decays the parameters after its step, not before",
        _decayed_last,
        ("param",),
        _is_adamw,
    ),
    in_update("adam-nesterov", "Adam is Nadam", _look_ahead, ("param",), uses_adam, stateful=True),
    in_update(
        "adam-layer-moment",
        "there is one second moment per layer",
        _moment_of_layer,
        ("state",),
        uses_adam,
        stateful=True,
        equivalent=_one_parameter_per_layer,
    ),
    # Nadam.
    _nadam_fault("nadam-without-look-ahead", "Nadam is Adam", _without_look_ahead),
    _nadam_fault(
        "nadam-without-schedule", "Nadam's β1 has no schedule", _scheduled(lambda rule, _t: rule.beta_1)
    ),
    _nadam_fault(
        "nadam-slow-schedule",
        "Nadam's schedule goes by 0.96^(t/250), as in the paper and in PyTorch's default",
        _scheduled(lambda rule, t: schedule_of_nadam(rule, t, 0.96 ** (1 / 250))),
    ),
    _nadam_fault(
        "nadam-float32-schedule",
        "the 0.96 of Nadam's schedule is rounded to float32, but not in the product μ₁…μₜ",
        _scheduled(
            lambda rule, t: schedule_of_nadam(rule, t, float(np.float32(0.96))), of_product=schedule_of_nadam
        ),
    ),
    # Precision.
    in_update("parameters-float32", "the parameters are kept in float32", _through_float32, ("param",)),
)
