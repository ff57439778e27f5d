"""Forward, backward and penalty of a fully connected network."""

from collections.abc import Sequence
from typing import final

import numpy as np

from backends.base import Arrays, Placement, Program, named, pick
from tasks import spec
from tasks.spec import Array, Rows, Task

from .arrays import check_supported, parameters
from .loss import estimator, loss_and_gradients, scores, targets
from .optimizer import Optimizer


@final
class Network(Program):
    """`MLPClassifier`, or `MLPRegressor`, and its optimizer, one batch at a time."""

    def __init__(self, task: Task, at: Placement) -> None:
        assert isinstance(task.model, spec.Network) and task.data is not None
        check_supported(task, at)
        self.model = task.model
        self.native = estimator(task.model, task.data.features, at.dtype)
        self.x = task.data.x_train.astype(at.dtype)  # (N, D)
        self.y = targets(self.native, task.data.y_train.astype(at.dtype))  # (N, C)
        self.weights = None if task.data.weights is None else task.data.weights.astype(at.dtype)  # (N,)
        self.parameters = parameters(self.native)
        self._fill(dict(task.start))
        self.optimizer = Optimizer(task, self.parameters)

    def run(self, batches: Sequence[Rows]) -> Array:
        losses = np.empty(len(batches))
        for step, rows in enumerate(batches):
            losses[step], gradients = self._loss_and_gradients(rows)
            self.optimizer.step(gradients)
        return losses

    def gradient(self, rows: Rows) -> tuple[float, Arrays]:
        loss, gradients = self._loss_and_gradients(rows)
        return loss, dict(zip(self.parameters, gradients, strict=True))

    def _loss_and_gradients(self, rows: Rows) -> tuple[float, list[Array]]:
        x, y = self.x[rows], self.y[rows]  # (N, D), (N, C)
        if self.weights is None:
            return loss_and_gradients(self.native, x, y)
        weights = self.weights[rows]  # (N,)
        # Recipe: with weights scikit-learn divides the penalty by their sum, the task by the rows.
        self.native.alpha = self.model.l2 * float(np.mean(weights))
        return loss_and_gradients(self.native, x, y, weights)

    def observe(self) -> Arrays:
        arrays = {name: array.copy() for name, array in self.parameters.items()}
        return named("param", arrays) | self.optimizer.observe()

    def restore(self, observed: Arrays) -> None:
        self._fill(pick("param", observed))
        self.optimizer.restore(observed)

    def _fill(self, arrays: Arrays) -> None:
        for name, array in self.parameters.items():
            array[...] = arrays[name]

    def predict(self, x: Array) -> Array:
        return scores(self.native, x.astype(self.x.dtype))

    def end_epoch(self, loss: float) -> None:
        self.optimizer.schedule.end_epoch(loss)

    def wait(self) -> None:
        """scikit-learn has finished when it returns."""
