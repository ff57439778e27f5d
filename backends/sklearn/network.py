"""Forward, backward and penalty of a fully connected network."""

import warnings
from collections.abc import Sequence
from typing import Any, final

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from backends.base import Arrays, Placement, Program, Unsupported, named, pick, pieces
from tasks import spec
from tasks.draw import InOrder
from tasks.spec import Array, Rows, Task

from .arrays import check_supported, parameters, state
from .loss import estimator, loss_and_gradients, scores, targets
from .optimizer import Optimizer


@final
class Network(Program):
    """`MLPClassifier`, or `MLPRegressor`, and its optimizer, one batch at a time."""

    def __init__(self, task: Task, at: Placement) -> None:
        assert isinstance(task.model, spec.Network) and task.data is not None
        check_supported(task, at)
        self.task, self.model = task, task.model
        self.native = estimator(task.model, task.data.features, at.dtype)
        self.x = task.data.x_train.astype(at.dtype)  # (N, D)
        self.labels = task.data.y_train.astype(at.dtype)  # (N,)
        self.y = targets(self.native, self.labels)  # (N, C)
        self.weights = None if task.data.weights is None else task.data.weights.astype(at.dtype)  # (N,)
        self.parameters = parameters(self.native)
        self._fill(dict(task.start))
        self.optimizer = Optimizer(task, self.parameters)

    def run(self, batches: Sequence[Rows]) -> Array:
        losses = np.empty(len(batches))
        for where, piece in pieces(batches, self.x.shape[1]):
            losses[where] = self._train(piece)
        return losses

    def _train(self, batches: Sequence[Rows]) -> list[float]:
        """Losses of the steps.  Fast: rows are gathered for all of them at once, and each gets a view."""
        losses, end = [], 0
        rows = np.concatenate(batches)
        x, y = self.x.take(rows, axis=0), self.y.take(rows, axis=0)
        weights = None if self.weights is None else self.weights.take(rows)
        for batch in batches:
            here = slice(end, end + len(batch))
            end = here.stop
            counts = None if weights is None else weights[here]
            loss, gradients = self._loss_and_gradients(x[here], y[here], counts)
            self.optimizer.step(gradients)
            losses.append(loss)
        return losses

    def gradient(self, rows: Rows) -> tuple[float, Arrays]:
        weights = None if self.weights is None else self.weights[rows]
        loss, gradients = self._loss_and_gradients(self.x[rows], self.y[rows], weights)
        return loss, dict(zip(self.parameters, gradients, strict=True))

    def _loss_and_gradients(self, x: Array, y: Array, weights: Array | None) -> tuple[float, list[Array]]:
        """Of rows x (N, D), y (N, C) and weights (N,)."""
        if weights is not None:
            # Recipe (sample-weights): with weights scikit-learn divides the penalty by their sum, the task by
            # the rows.
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

    def fit(self, epochs: int) -> Array:
        """`fit` of the estimator, from where the parameters stand; it begins with an optimizer of its own."""
        for name, value in _trainer(self.task, epochs).items():
            setattr(self.native, name, value)
        self.native.loss_curve_ = []
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # that it used all of its epochs
            self.native.fit(self.x, self.labels, sample_weight=self.weights)
        trained = self.native._optimizer
        names = sorted(self.parameters, key=lambda name: name.startswith("b"))  # all kernels, then all biases
        observed = state(trained, self.task.optimizer.slots, names)
        self.optimizer.restore(observed | {"state/step": np.array(getattr(trained, "t", 0))})
        return np.array(self.native.loss_curve_)

    def end_epoch(self, loss: float) -> None:
        self.optimizer.schedule.end_epoch(loss)

    def wait(self) -> None:
        """scikit-learn has finished when it returns."""


def _trainer(task: Task, epochs: int) -> dict[str, Any]:
    """What `fit` has to be told.  Raises `Unsupported` where it cannot be."""
    assert isinstance(task.model, spec.Network) and task.data is not None and task.batches is not None
    if not isinstance(task.schedule, spec.Constant):
        raise Unsupported("scikit-learn's fit counts plateaus by a tolerance of its own")
    if task.data.weights is not None and task.model.l2:
        raise Unsupported("scikit-learn's fit divides the penalty by the sum of the weights, not by the rows")
    if task.model.loss.classes not in (None, len(np.unique(task.data.y_train))):
        raise Unsupported("MLPClassifier.fit needs rows of every class")
    options: dict[str, Any] = {
        "alpha": task.model.l2,
        "batch_size": task.batches.size,
        "learning_rate_init": task.optimizer.learning_rate,
        "max_iter": epochs,
        # Recipe (early-stopping-patience): by default `fit` stops after ten epochs that do not lower the loss
        # by 1e-4.
        "n_iter_no_change": np.inf,
        "warm_start": True,
        "shuffle": not isinstance(task.batches.order, InOrder),
        "random_state": _Order(task),
    }
    match task.optimizer:
        case spec.GradientDescent():
            return options | {"solver": "sgd", "momentum": 0.0, "nesterovs_momentum": False}
        case spec.Momentum(_, momentum, nesterov):
            return options | {"solver": "sgd", "momentum": momentum, "nesterovs_momentum": nesterov}
        case spec.Adam(_, beta_1, beta_2, epsilon, epsilon_hat):
            if epsilon and not epsilon_hat:
                raise Unsupported("scikit-learn's fit knows Adam in its ε̂ form only")
            return options | {"solver": "adam", "beta_1": beta_1, "beta_2": beta_2, "epsilon": epsilon}
    raise Unsupported(f"scikit-learn's fit has no {task.optimizer!r}")


class _Order(np.random.RandomState):
    """The task's order for `fit`, which draws none but shuffles by what it is told.

    Recipe (shuffle-each-epoch): each epoch `fit` shuffles 0 … N-1 and takes the order of the epoch before
    in that order.
    """

    def __init__(self, task: Task) -> None:
        super().__init__(0)  # never drawn from
        assert task.batches is not None
        self.epochs = task.batches.order.epochs(task.rows)
        self.places = np.arange(task.rows)  # where each row stood in the epoch before

    def shuffle(self, x: Any) -> None:
        """Put into x (N,) at which places of the epoch before the rows of the next one stand.

        Raises `Unsupported` where the next one is not all rows, each once.
        """
        rows = next(self.epochs)
        if not np.array_equal(np.bincount(rows, minlength=len(x)), np.ones(len(x))):
            raise Unsupported("scikit-learn's fit visits every row once an epoch")
        x[:] = self.places[rows]
        self.places[rows] = np.arange(len(x))
