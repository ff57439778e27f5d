"""Functions to descend, without data."""

from collections.abc import Sequence
from typing import final

import numpy as np

from backends.base import Arrays, Placement, Program, named, pick
from tasks import spec
from tasks.spec import Array, Rows, Task

from .arrays import Flat
from .optimizer import Optimizer


@final
class Function(Program):
    """f(w) and its gradient, by the formulas below."""

    def __init__(self, task: Task, at: Placement) -> None:
        self.function = _FUNCTIONS[type(task.model)](task.model, at.dtype)
        self.parameters = Flat(task.shapes, at.dtype)
        self.parameters.fill(dict(task.start))
        self.gradients = Flat(task.shapes, at.dtype)
        self.optimizer = Optimizer(task, self.parameters)

    def run(self, batches: Sequence[Rows]) -> Array:
        """One step per batch; there is no data, so the batches are empty."""
        losses = np.empty(len(batches))
        for step in range(len(batches)):
            losses[step] = self._loss_and_gradients()
            self.optimizer.step(self.gradients)
        return losses

    def gradient(self, rows: Rows) -> tuple[float, Arrays]:
        """f(w) and its gradient."""
        return self._loss_and_gradients(), self.gradients.copies()

    def _loss_and_gradients(self) -> float:
        return self.function.loss_and_gradient(self.parameters.vector, out=self.gradients.vector)

    def observe(self) -> Arrays:
        return named("param", self.parameters.copies()) | self.optimizer.observe()

    def restore(self, observed: Arrays) -> None:
        self.parameters.fill(pick("param", observed))
        self.optimizer.restore(observed)

    def predict(self, x: Array) -> Array:
        """Evaluate f at the points x (N, D)."""
        return self.function.values(x)

    def wait(self) -> None:
        """NumPy has finished when it returns."""


class _Quadratic:
    """f(w) = ½·(w - m)ᵀ H (w - m), its gradient H (w - m)."""

    def __init__(self, model: spec.Quadratic, dtype: str) -> None:
        self.hessian = model.hessian.astype(dtype)  # (D, D)
        self.minimum = model.minimum.astype(dtype)  # (D,)

    def loss_and_gradient(self, w: Array, out: Array) -> float:
        distance = w - self.minimum  # (D,)
        np.matmul(self.hessian, distance, out=out)  # (D,)
        return float(0.5 * distance @ out)

    def values(self, points: Array) -> Array:
        distance = points - self.minimum  # (N, D)
        return 0.5 * np.sum(distance @ self.hessian * distance, axis=1)  # (N,)


class _Rosenbrock:
    """f(w) = (1 - w₁)² + steepness·(w₂ - w₁²)²."""

    def __init__(self, model: spec.Rosenbrock, dtype: str) -> None:
        self.steepness = np.dtype(dtype).type(model.steepness)

    def loss_and_gradient(self, w: Array, out: Array) -> float:
        away, above = 1 - w[0], w[1] - w[0] * w[0]
        out[0] = -2 * away - 4 * self.steepness * above * w[0]  # ∂f/∂w₁
        out[1] = 2 * self.steepness * above  # ∂f/∂w₂
        return float(away * away + self.steepness * above * above)

    def values(self, points: Array) -> Array:
        away, above = 1 - points[:, 0], points[:, 1] - points[:, 0] ** 2  # (N,)
        return away**2 + self.steepness * above**2  # (N,)


_FUNCTIONS = {spec.Quadratic: _Quadratic, spec.Rosenbrock: _Rosenbrock}
