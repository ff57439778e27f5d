"""The update of `tasks.spec` written out for one flat vector, in pieces that can be put together wrongly."""

import math
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from tasks.spec import (
    Adagrad,
    Adam,
    Array,
    Constant,
    CosineDecay,
    ExponentialDecay,
    GradientDescent,
    Momentum,
    Nadam,
    Network,
    Optimizer,
    Plateau,
    RMSprop,
    Schedule,
    StepDecay,
    Task,
    WarmUp,
)


@dataclass(frozen=True)
class Places:
    """To what each element of the vector belongs, (P,) each; rows and columns are numbered through."""

    is_bias: Array
    layer: Array  # from 1
    row: Array  # of a kernel: the unit that the weight comes from
    column: Array  # of a kernel: the unit that it leads to

    @classmethod
    def of(cls, task: Task) -> "Places":
        """Of all parameters of a task, in order."""
        is_bias, layer, row, column = [], [], [], []
        rows = columns = 0
        for name, shape in task.shapes.items():
            high, wide = shape if len(shape) == 2 else (1, shape[0])
            is_bias.append(np.full(high * wide, name.startswith("b")))
            layer.append(np.full(high * wide, int(name[1:] or 1)))
            row.append(rows + np.repeat(np.arange(high), wide))
            column.append(columns + np.tile(np.arange(wide), high))
            rows, columns = rows + high, columns + wide
        return cls(*(np.concatenate(parts) for parts in (is_bias, layer, row, column)))


@dataclass
class Here:
    """What an update sees: all parameters as one vector (P,), and what belongs to them."""

    task: Task
    rule: Optimizer
    at: Places
    w: Array  # (P,)
    g: Array  # (P,) gradient, penalty included
    n: int  # rows of this batch
    t: int  # number of this step, from 1
    learning_rate: float  # before the schedule; that of a plateau so far
    rate: float  # of this step
    state: dict[str, Array]  # by slot, (P,) each
    weight: float = 1.0  # mean weight of the rows of this batch
    memory: dict[str, Array] = field(default_factory=dict)  # what only a faulty update remembers

    @property
    def is_bias(self) -> Array:
        """Which elements are biases, (P,)."""
        return self.at.is_bias

    @property
    def l2(self) -> float:
        """The factor of the squares in the penalty; 0 where there is none."""
        return self.task.model.l2 if isinstance(self.task.model, Network) else 0.0

    @property
    def l1(self) -> float:
        """The factor of the magnitudes in the penalty; 0 where there is none."""
        return self.task.model.l1 if isinstance(self.task.model, Network) else 0.0

    @property
    def pull(self) -> Array:
        """What the penalty would contribute to the gradient if it were on all parameters, (P,)."""
        return (self.l2 * self.w + self.l1 * np.sign(self.w)) / max(1, self.n)

    @property
    def decay(self) -> Array:
        """What the penalty contributes to the gradient, (P,)."""
        return np.where(self.is_bias, 0.0, self.pull)

    @property
    def penalty(self) -> float:
        """What the penalty contributes to the loss."""
        kernels = self.w[~self.is_bias]
        squares, sizes = float(np.vdot(kernels, kernels)), float(np.sum(np.abs(kernels)))
        return (0.5 * self.l2 * squares + self.l1 * sizes) / max(1, self.n)


Change = Callable[[Here], Array]

# ----------------------------------------------------------------------------------- the rules


def update(here: Here) -> Array:
    """The change of the parameters by the task's own rule, (P,)."""
    rate = here.rate
    match here.rule:
        case GradientDescent():
            return -rate * here.g
        case Momentum(_, momentum, nesterov):
            v = here.state["velocity"] = momentum * here.state["velocity"] - rate * here.g
            return momentum * v - rate * here.g if nesterov else v
        case RMSprop(_, _, epsilon, inside):
            s = mean_square(here)
            return -rate * here.g / (np.sqrt(s + epsilon) if inside else np.sqrt(s) + epsilon)
        case Adagrad(_, epsilon):
            return -rate * here.g / (np.sqrt(sum_of_squares(here)) + epsilon)
        case Adam():
            moments(here)
            return adam(here)
        case Nadam():
            moments(here)
            return nadam(here)


def mean_square(here: Here) -> Array:
    """RMSprop's mean square, moved on by this step, (P,)."""
    rule = here.rule
    assert isinstance(rule, RMSprop)
    here.state["mean_square"] = rule.rho * here.state["mean_square"] + (1 - rule.rho) * here.g**2
    return here.state["mean_square"]


def sum_of_squares(here: Here) -> Array:
    """Adagrad's sum, moved on by this step, (P,)."""
    here.state["sum_of_squares"] = here.state["sum_of_squares"] + here.g**2
    return here.state["sum_of_squares"]


def moments(here: Here, square: Array | None = None) -> None:
    """Move Adam's moments on by this step; `square` in place of the squared gradient, (P,)."""
    rule, state = here.rule, here.state
    assert isinstance(rule, Adam | Nadam)
    g2 = here.g**2 if square is None else square
    state["first_moment"] = rule.beta_1 * state["first_moment"] + (1 - rule.beta_1) * here.g
    state["second_moment"] = rule.beta_2 * state["second_moment"] + (1 - rule.beta_2) * g2
    if "largest_second_moment" in state:
        state["largest_second_moment"] = np.maximum(state["largest_second_moment"], state["second_moment"])


def weight_decay(here: Here) -> Array:
    """By how much AdamW's decoupled decay changes the parameters, (P,)."""
    assert isinstance(here.rule, Adam)
    return -here.rate * here.rule.weight_decay * here.w


def adam(
    here: Here, *, m: Array | None = None, v: Array | None = None, bias: tuple[float, float] | None = None
) -> Array:
    """Adam's change, with the moments and bias corrections that a faulty one may have in their place."""
    rule, state = here.rule, here.state
    assert isinstance(rule, Adam)
    m = state["first_moment"] if m is None else m
    v = state.get("largest_second_moment", state["second_moment"]) if v is None else v
    bias_1, bias_2 = bias or (1 - rule.beta_1**here.t, 1 - rule.beta_2**here.t)
    epsilon = rule.epsilon if rule.epsilon_hat else rule.epsilon * math.sqrt(bias_2)
    return weight_decay(here) - here.rate * math.sqrt(bias_2) / bias_1 * m / (np.sqrt(v) + epsilon)


def schedule_of_nadam(rule: Nadam, t: int, base: float = 0.96) -> float:
    """Nadam's own schedule of β1, μₜ."""
    return rule.beta_1 * (1 - 0.5 * base**t)


Mu = Callable[[Nadam, int], float]  # μₜ


def nadam(here: Here, schedule: Mu = schedule_of_nadam, of_product: Mu | None = None) -> Array:
    """Nadam's change, with another schedule of β1, and another one in the product μ₁…μₜ."""
    rule = here.rule
    assert isinstance(rule, Nadam)
    past = of_product or schedule
    product = math.prod(past(rule, t) for t in range(1, here.t + 1))  # μ₁…μₜ
    m, v = here.state["first_moment"], here.state["second_moment"]
    now, ahead = schedule(rule, here.t), schedule(rule, here.t + 1)
    look = (1 - now) / (1 - product) * here.g + ahead / (1 - product * ahead) * m
    return -here.rate * look / (np.sqrt(v / (1 - rule.beta_2**here.t)) + rule.epsilon)


# ------------------------------------------------------------------------------- the schedules


def factor(schedule: Schedule, t: float) -> float:
    """By what the schedule multiplies the learning rate after t updates; a plateau does so by itself."""
    match schedule:
        case Constant() | Plateau():
            return 1.0
        case StepDecay(every, by):
            return by ** (t // every)
        case ExponentialDecay(by):
            return by**t
        case CosineDecay(steps, floor):
            return floor + (1 - floor) * 0.5 * (1 + math.cos(math.pi * min(t, steps) / steps))
        case WarmUp(steps):
            return min(1.0, (t + 1) / steps)


class Falling:
    """A learning rate that falls when the loss does not, by a task's `Plateau`."""

    def __init__(self, rule: Plateau, learning_rate: float) -> None:
        self.rule, self.learning_rate = rule, learning_rate
        self.lowest, self.waited = math.inf, 0

    def end_epoch(self, loss: float) -> None:
        """Hear the loss of an epoch."""
        self.waited = 0 if loss < self.lowest else self.waited + 1
        self.lowest = min(self.lowest, loss)
        if self.waited > self.rule.patience:
            self.learning_rate, self.waited = self.learning_rate * self.rule.by, 0


# ------------------------------------------------------------------------------ the constraint


def max_norm(here: Here, w: Array) -> Array:
    """The parameters w (P,) with the incoming weights of each unit scaled back, where the task says so."""
    model = here.task.model
    if not isinstance(model, Network) or model.max_norm is None:
        return w
    return scaled_back(here, w, model.max_norm, here.at.column)


def scaled_back(here: Here, w: Array, largest: float, group: Array) -> Array:
    """The parameters w (P,), where each group (P,) of a kernel's elements has a norm of at most `largest`."""
    norms = np.sqrt(np.bincount(group, np.where(here.is_bias, 0.0, w**2)))[group]  # (P,)
    return np.where(here.is_bias, w, w * largest / np.maximum(norms, largest))
