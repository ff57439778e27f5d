"""The perceptron and its variants."""

from collections.abc import Sequence
from typing import final

import numpy as np

from backends.base import Arrays, Placement, Program, named, pick
from tasks import spec
from tasks.spec import Array, Rows, Task

from .arrays import Flat
from .optimizer import Optimizer


@final
class Perceptron(Program):
    """The perceptron's own rule; it has no gradient to descend, but its update is one of -(y - ŷ)·z."""

    def __init__(self, task: Task, at: Placement) -> None:
        assert isinstance(task.model, spec.Perceptron) and task.data is not None
        self.variant = task.model.variant
        self.x = task.data.x_train.astype(at.dtype)  # (N, D)
        self.y = task.data.y_train.astype(at.dtype)  # (N,)
        self.parameters = Flat(task.shapes, at.dtype)
        self.parameters.fill(dict(task.start))
        self.gradients = Flat(task.shapes, at.dtype)
        self.optimizer = Optimizer(task, self.parameters)
        self.steps = 0
        self.chosen = Flat(task.shapes, at.dtype)  # what an averaged or pocket perceptron predicts with
        self.fewest = np.inf  # mistakes of the pocket's parameters
        if self.variant == "pocket":
            self._pocket()

    def run(self, batches: Sequence[Rows]) -> Array:
        """One row at a time; the loss is 1 for a mistake."""
        losses = np.empty(len(batches))
        for step, rows in enumerate(batches):
            losses[step] = self._loss_and_gradients(rows)
            self.optimizer.step(self.gradients)
            self.steps += 1
            match self.variant:
                case "averaged":
                    w, mean = self.parameters.vector, self.chosen.vector
                    mean += (w - mean) / self.steps  # (P,) mean of the parameters after each step
                case "pocket":
                    self._pocket()
        return losses

    def _pocket(self) -> None:
        """Keep the parameters if no earlier ones made as few mistakes."""
        mistakes = float(np.sum(_score(self.parameters, self.x) != self.y))
        if mistakes < self.fewest:
            self.fewest = mistakes
            self.chosen.vector[...] = self.parameters.vector

    def gradient(self, rows: Rows) -> tuple[float, Arrays]:
        """Mean over the rows."""
        return self._loss_and_gradients(rows), self.gradients.copies()

    def _loss_and_gradients(self, rows: Rows) -> float:
        x, y = self.x[rows], self.y[rows]  # (N, D), (N,)
        error = _score(self.parameters, x) - y  # (N,) ŷ - y: -1, 0 or 1
        self.gradients.views["w"][...] = error @ x / len(rows)  # (D,)
        self.gradients.views["b"][...] = np.mean(error)  # (1,)
        return float(np.mean(np.abs(error)))

    def observe(self) -> Arrays:
        observed = named("param", self.parameters.copies()) | self.optimizer.observe()
        match self.variant:
            case "averaged":
                observed |= named("state/average", self.chosen.copies()) | {
                    "state/step": np.array(self.steps)
                }
            case "pocket":
                observed |= named("state/pocket", self.chosen.copies())
                observed["state/pocket_mistakes"] = np.array(self.fewest)
        return observed

    def restore(self, observed: Arrays) -> None:
        self.parameters.fill(pick("param", observed))
        self.optimizer.restore(observed)
        match self.variant:
            case "averaged":
                self.chosen.fill(pick("state/average", observed))
                self.steps = int(observed["state/step"])
            case "pocket":
                self.chosen.fill(pick("state/pocket", observed))
                self.fewest = float(observed["state/pocket_mistakes"])

    def predict(self, x: Array) -> Array:
        """ŷ = 1 where x·w + b >= 0."""
        return _score(self.parameters if self.variant == "plain" else self.chosen, x.astype(self.x.dtype))

    def wait(self) -> None:
        """NumPy has finished when it returns."""


def _score(parameters: Flat, x: Array) -> Array:
    """ŷ (N,) of rows x (N, D)."""
    w, b = parameters.views["w"], parameters.views["b"]  # (D,), (1,)
    return (x @ w + b >= 0).astype(w.dtype)
