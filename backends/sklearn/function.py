"""Functions to descend, without data."""

import math
from collections.abc import Sequence
from typing import final

import numpy as np
from sklearn.neural_network import MLPRegressor

from backends.base import Arrays, NotObserved, Placement, Program, named, pick
from tasks import spec
from tasks.spec import Array, Rows, Task

from .arrays import check_supported
from .loss import loss_and_gradients
from .optimizer import Optimizer


@final
class Function(Program):
    """A quadratic f(w) as the loss of a linear regression: `MLPRegressor` without hidden layers.

    Its loss is ½·mean (x·w - y)².  Rows x = ±√D·L, with L Lᵀ = H by Cholesky, and y = x·m make that
    ½·(w - m)ᵀ H (w - m).  Each row stands beside its mirror image, so that the gradient of the
    intercept, which a quadratic does not have, cancels to exactly 0.
    """

    def __init__(self, task: Task, at: Placement) -> None:
        check_supported(task, at)
        assert isinstance(task.model, spec.Quadratic)
        size = task.model.dimensions
        half = math.sqrt(size) * np.linalg.cholesky(task.model.hessian).T  # (D, D)
        x = np.stack([half, -half], axis=1).reshape(2 * size, size)  # (2D, D) a row, then its mirror image
        self.x = x.astype(at.dtype)
        self.y = (x @ task.model.minimum)[:, None].astype(at.dtype)  # (2D, 1)
        self.native = MLPRegressor(hidden_layer_sizes=(), activation="identity", alpha=0.0, batch_size=1)
        self.native.partial_fit(self.x[:1] * 0, self.y[:1, 0] * 0)  # thrown away: it only allocates
        self._fill(dict(task.start))
        arrays = {"w": self.native.coefs_[0], "intercept": self.native.intercepts_[0]}
        self.optimizer = Optimizer(task, arrays)

    def run(self, batches: Sequence[Rows]) -> Array:
        """One step per batch; the batches are empty, every step sees all rows of the regression."""
        losses = np.empty(len(batches))
        for step in range(len(batches)):
            losses[step], gradients = loss_and_gradients(self.native, self.x, self.y)
            self.optimizer.step(gradients)
        return losses

    def gradient(self, rows: Rows) -> tuple[float, Arrays]:
        """f(w) and its gradient."""
        loss, (gradient, _) = loss_and_gradients(self.native, self.x, self.y)
        return loss, {"w": gradient[:, 0]}

    def observe(self) -> Arrays:
        state = {
            name: array[:, 0] if array.ndim == 2 else array  # (D, 1) in scikit-learn
            for name, array in self.optimizer.observe().items()
            if not name.endswith("/intercept")
        }
        return named("param", {"w": self.native.coefs_[0][:, 0].copy()}) | state

    def restore(self, observed: Arrays) -> None:
        self._fill(pick("param", observed))
        state = {
            name: np.atleast_1d(array)[:, None] for name, array in observed.items() if name != "state/step"
        }
        zeros = {f"state/{slot}/intercept": np.zeros(1) for slot in self.optimizer.rule.slots}
        self.optimizer.restore(observed | state | zeros)

    def _fill(self, arrays: Arrays) -> None:
        self.native.coefs_[0][:, 0] = arrays["w"]
        self.native.intercepts_[0][:] = 0.0

    def predict(self, x: Array) -> Array:
        """Not shown: the regression predicts x·w, and f only as its loss."""
        raise NotObserved("the regression that stands for f has no prediction that is f(x)")

    def wait(self) -> None:
        """scikit-learn has finished when it returns."""
