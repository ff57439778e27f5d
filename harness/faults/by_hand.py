"""A column's gradients with an update written out, so that one line of it can be wrong.

`test_catalogue` holds the right update against every column.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, final

import numpy as np

from backends.base import Arrays, named, pick
from harness.faults.base import Around, Fault, Make, has_gradient
from harness.faults.update import Change, Falling, Here, Places, factor, max_norm, update
from tasks.spec import Array, Constant, GradientDescent, Plateau, Rows, Task

UPDATE = ("state", "param")  # where a fault in the update shows


@final
class ByHand(Around):
    """The gradients of a program, changed by `gradient`; then the update, and the constraint, written out."""

    def __init__(
        self,
        make: Make,
        task: Task,
        change: Change = update,
        gradient: Change | None = None,
        loss: Callable[[Here, float], float] | None = None,
        constrain: Callable[[Here, Array], Array] = max_norm,
    ) -> None:
        # Its own rule is never used: what matters is that it keeps no state.
        descent = GradientDescent(task.optimizer.learning_rate)
        self.inner = make(replace(task, optimizer=descent, schedule=Constant()))
        self.task, self.change, self.alter, self.alter_loss = task, change, gradient, loss
        self.constrain = constrain
        self.names = {name: math.prod(shape) for name, shape in task.shapes.items()}
        self.places = Places.of(task)
        self.state = {slot: np.zeros(sum(self.names.values())) for slot in task.optimizer.slots}
        self.steps = 0
        self.memory: dict[str, Array] = {}
        rate = task.optimizer.learning_rate
        self.falling = Falling(task.schedule, rate) if isinstance(task.schedule, Plateau) else None

    def run(self, batches: Sequence[Rows]) -> Array:
        return np.array([self._step(rows) for rows in batches])

    def _step(self, rows: Rows) -> float:
        loss, here = self._here(rows)
        self.steps += 1
        w = self.constrain(here, here.w + self.change(here))
        self.inner.restore(named("param", self._unpacked(w)))
        return loss

    def _here(self, rows: Rows) -> tuple[float, Here]:
        loss, gradients = self.inner.gradient(rows)
        data, learning_rate = self.task.data, self.task.optimizer.learning_rate
        if self.falling:
            learning_rate = self.falling.learning_rate
        here = Here(
            task=self.task,
            rule=self.task.optimizer,
            at=self.places,
            w=self._packed(pick("param", self.inner.observe())),
            g=self._packed(gradients),
            n=len(rows),
            t=self.steps + 1,
            learning_rate=learning_rate,
            rate=learning_rate * factor(self.task.schedule, self.steps),
            state=self.state,
            weight=1.0 if data is None or data.weights is None else float(np.mean(data.weights[rows])),
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

    def end_epoch(self, loss: float) -> None:
        assert self.falling
        self.falling.end_epoch(loss)

    def observe(self) -> Arrays:
        observed = self.inner.observe()
        for slot, vector in self.state.items():
            observed |= named(f"state/{slot}", self._unpacked(vector))
        if self.task.counts_steps:
            observed["state/step"] = np.array(self.steps)
        if self.falling:
            observed["state/learning_rate"] = np.array(self.falling.learning_rate)
        return observed

    def restore(self, observed: Arrays) -> None:
        self.inner.restore(named("param", pick("param", observed)))
        for slot in self.state:
            self.state[slot] = self._packed(pick(f"state/{slot}", observed))
        self.steps = int(observed.get("state/step", 0))
        if self.falling:
            self.falling.learning_rate = float(observed["state/learning_rate"])
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
    **more: Any,
) -> Fault:
    """A fault in the loss, and so in its gradient."""
    return Fault(
        id_,
        words,
        lambda make, task: ByHand(make, task, gradient=alter, loss=loss),
        ("loss", "grad"),
        applies,
        **more,
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
