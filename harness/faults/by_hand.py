"""An update written out by hand, so that one line of it can be wrong, and three ways to put a fault into it.

The gradients are the column's own; the update works on one flat vector.  `test_catalogue` holds the right
update against every column.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, final

import numpy as np

from backends.base import Arrays, named, pick
from harness.faults.base import Around, Fault, Make, has_gradient
from tasks.spec import Adam, Array, GradientDescent, Momentum, Network, Optimizer, RMSprop, Rows, Task

UPDATE = ("state", "param")  # where a fault in the update shows


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
            s = mean_square(here)
            return -rate * here.g / (np.sqrt(s + epsilon) if inside else np.sqrt(s) + epsilon)
        case Adam():
            moments(here)
            return adam(here)


def mean_square(here: Here) -> Array:
    """RMSprop's mean square, moved on by this step, (P,)."""
    rule = here.rule
    assert isinstance(rule, RMSprop)
    here.state["mean_square"] = rule.rho * here.state["mean_square"] + (1 - rule.rho) * here.g**2
    return here.state["mean_square"]


def moments(here: Here, square: Array | None = None) -> None:
    """Move Adam's moments on by this step; `square` in place of the squared gradient, (P,)."""
    rule = here.rule
    assert isinstance(rule, Adam)
    g2 = here.g**2 if square is None else square
    here.state["first_moment"] = rule.beta_1 * here.state["first_moment"] + (1 - rule.beta_1) * here.g
    here.state["second_moment"] = rule.beta_2 * here.state["second_moment"] + (1 - rule.beta_2) * g2


def adam(
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


def in_loss(
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


def in_update(
    id_: str,
    words: str,
    change: Change,
    shows: tuple[str, ...],
    applies: Callable[[Task], bool] = has_gradient,
    **more: Any,
) -> Fault:
    """A fault in the update; the gradient that is shown is right."""
    return Fault(id_, words, lambda make, task: ByHand(make, task, change), shows, applies, **more)


def in_gradient(
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


def second_step(_task: Task, _desired: Arrays) -> int:
    """The fault acts from the second step on."""
    return 1
