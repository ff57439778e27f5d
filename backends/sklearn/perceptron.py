"""The perceptron and its average: linear models that learn from one row after another."""

from collections.abc import Sequence
from typing import final

import numpy as np
from sklearn import linear_model
from sklearn.linear_model._stochastic_gradient import fit_binary

from backends.base import Arrays, NotObserved, Placement, Program, named, pick
from tasks import spec
from tasks.spec import Array, Rows, Task

from .arrays import check_supported
from .optimizer import Optimizer


@final
class Perceptron(Program):
    """`linear_model.Perceptron`, or `SGDClassifier`, of which it is a kind, for the average."""

    def __init__(self, task: Task, at: Placement) -> None:
        assert isinstance(task.model, spec.Perceptron) and task.data is not None
        check_supported(task, at)
        self.x = task.data.x_train.astype(at.dtype)  # (N, D)
        self.y = task.data.y_train  # (N,)
        self.unused = np.random.RandomState(0)  # scikit-learn draws from it, but shuffles nothing
        self.is_averaged = task.model.variant == "averaged"
        self.native = _estimator(task, at.dtype)
        if self.is_averaged:
            self.w, self.b = self.native._standard_coef, self.native._standard_intercept  # (D,), (1,)
            self._fill_average({"w": np.zeros(len(self.w)), "b": np.zeros(1)}, steps=0)
        else:
            self.w, self.b = self.native.coef_[0], self.native.intercept_
        self._fill(dict(task.start))
        self.optimizer = Optimizer(task, {})  # the estimator has its update built in

    def run(self, batches: Sequence[Rows]) -> Array:
        """One row at a time; the loss is 1 for a mistake, which shows in that the row moved b."""
        losses = np.empty(len(batches))
        for step, rows in enumerate(batches):
            x, y = self.x[rows], self.y[rows]  # (1, D), (1,)
            z = x @ self.w + self.b  # (1,)
            # Recipe (perceptron-tie): scikit-learn learns from a row on the boundary, z = 0, whatever its
            # class, the task only from one of class 0; a row that counts 0 moves nothing.
            counts = ((z != 0) | (y == 0)).astype(x.dtype)  # (1,)
            losses[step] = self._learn(x, y, counts)
        return losses

    def _learn(self, x: Array, y: Array, counts: Array) -> bool:
        """What `partial_fit` comes to for one row: one epoch, at weight 1 for both classes."""
        _, b, _ = fit_binary(
            self.native, 1, x, y, 0.0, "constant", 1, 1.0, 1.0, counts, random_state=self.unused
        )
        moved = b != self.b[0]
        self.b[0] = b  # Recipe: `SGDClassifier.partial_fit` forgets it where it averages.
        self.native.t_ += 1
        return moved

    def gradient(self, rows: Rows) -> tuple[float, Arrays]:
        """Not shown."""
        raise NotObserved("scikit-learn's perceptron updates without showing a gradient")

    def observe(self) -> Arrays:
        observed = named("param", {"w": self.w.copy(), "b": self.b.copy()})
        if self.is_averaged:
            average = {"w": self.native._average_coef.copy(), "b": self.native._average_intercept.copy()}
            observed |= named("state/average", average) | {"state/step": np.array(int(self.native.t_) - 1)}
        return observed

    def restore(self, observed: Arrays) -> None:
        self._fill(pick("param", observed))
        if self.is_averaged:
            self._fill_average(pick("state/average", observed), int(observed["state/step"]))

    def _fill(self, arrays: Arrays) -> None:
        self.w[:] = arrays["w"]
        self.b[:] = arrays["b"]

    def _fill_average(self, arrays: Arrays, steps: int) -> None:
        self.native._average_coef[:] = arrays["w"]
        self.native._average_intercept[:] = arrays["b"]
        self.native.t_ = steps + 1.0  # the number of the row to come

    def predict(self, x: Array) -> Array:
        """ŷ = 1 where z >= 0."""
        z = self.native.decision_function(x.astype(self.x.dtype))  # (N,)
        return (z >= 0).astype(z.dtype)  # Recipe (perceptron-tie): `predict` has class 0 where z = 0.

    def wait(self) -> None:
        """scikit-learn has finished when it returns."""


def _estimator(task: Task, dtype: str) -> linear_model.Perceptron | linear_model.SGDClassifier:
    """Its arrays are allocated, and hold nothing yet."""
    assert isinstance(task.model, spec.Perceptron) and task.data is not None
    rule = {"eta0": task.optimizer.learning_rate, "penalty": None, "shuffle": False, "tol": None}
    if task.model.variant == "averaged":
        native = linear_model.SGDClassifier(loss="perceptron", learning_rate="constant", average=True, **rule)
    else:
        native = linear_model.Perceptron(**rule)
    x = np.zeros((1, task.data.features), dtype)
    native.partial_fit(x, np.zeros(1), classes=[0.0, 1.0])  # thrown away: it only allocates
    native.intercept_ = native.intercept_.astype(dtype, copy=False)  # Recipe: it is float64 in float32, too.
    return native
