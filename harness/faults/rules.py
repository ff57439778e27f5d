"""Faults in the update rules: what momentum, RMSprop and Adam remember, and what they make of it."""

import math

import numpy as np

from backends.base import Arrays
from harness.faults.base import uses_adam, uses_momentum, uses_rmsprop
from harness.faults.by_hand import Here, adam, in_update, mean_square, moments, second_step, update
from tasks.spec import Adam, Array, Momentum, RMSprop, Task


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
    s = mean_square(here)
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


def _nadam(here: Here) -> Array:
    rule = here.rule
    assert isinstance(rule, Adam)
    moments(here)
    ahead = rule.beta_1 * here.state["first_moment"] + (1 - rule.beta_1) * here.g
    return adam(here, m=ahead)


def _moment_of_layer(here: Here) -> Array:
    """One second moment for each layer: the mean of its squared gradients."""
    square = np.empty_like(here.g)
    for layer in np.unique(here.layer):
        square[here.layer == layer] = np.mean(here.g[here.layer == layer] ** 2)
    moments(here, square)
    return adam(here)


def _through_float32(here: Here) -> Array:
    return (here.w + update(here)).astype(np.float32).astype(np.float64) - here.w


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
    moments(here)
    bias_1, bias_2 = 1 - rule.beta_1**here.t, 1 - rule.beta_2**here.t
    m, v = here.state["first_moment"] / bias_1, here.state["second_moment"] / bias_2
    return -rule.learning_rate * m / np.sqrt(v + rule.epsilon)


def _one_parameter_per_layer(task: Task, _desired: Arrays) -> str | None:
    is_single = sum(math.prod(shape) for shape in task.shapes.values()) == 1
    return "there is one parameter: its mean is itself" if is_single else None


FAULTS = (
    # Momentum.
    in_update(
        "momentum-nesterov", "the momentum is Nesterov's", _nesterov, ("param",), uses_momentum, stateful=True
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
        uses_adam,
        stateful=True,
        onset=second_step,
        equivalent=_never_falls,
    ),
    in_update("adam-nesterov", "Adam is Nadam", _nadam, ("param",), uses_adam, stateful=True),
    in_update(
        "adam-layer-moment",
        "there is one second moment per layer",
        _moment_of_layer,
        ("state",),
        uses_adam,
        stateful=True,
        equivalent=_one_parameter_per_layer,
    ),
    # Precision.
    in_update("parameters-float32", "the parameters are kept in float32", _through_float32, ("param",)),
)
