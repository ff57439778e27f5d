"""scikit-learn: `MLPClassifier`, `MLPRegressor` and `Perceptron`, driven step by step.

`fit` and `partial_fit` wrap each step in validation and keep only an epoch's mean loss.  So a
network here calls the two methods that they call for every batch: the estimator's `_backprop` for
loss and gradients, and its optimizer's `update_params`.  Tests hold the result against `fit` itself.
"""

import math
from collections.abc import Sequence
from itertools import chain
from typing import final

import numpy as np
import sklearn
from sklearn import linear_model, utils
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.neural_network._stochastic_optimizers import AdamOptimizer, SGDOptimizer

from backends import base
from backends.base import Arrays, NotObserved, Placement, Program, Unsupported, named, pick
from tasks import spec
from tasks.spec import Array, Rows, Task


def setup(at: Placement) -> dict[str, str]:
    """Check the device; the BLAS has read its number of threads from the environment."""
    if at.device != "cpu":
        raise Unsupported("scikit-learn's neural networks compute on the CPU only")
    return {"scikit-learn": sklearn.__version__}


@final
class Optimizer:
    """The optimizers of `MLPClassifier` and `MLPRegressor`: sgd and adam."""

    def __init__(self, rule: spec.Optimizer, parameters: dict[str, Array]) -> None:
        self.rule = rule
        self.parameters = parameters
        arrays = list(parameters.values())
        match rule:
            case spec.GradientDescent(rate):
                self.native = SGDOptimizer(arrays, rate, momentum=0.0, nesterov=False)
            case spec.Momentum(rate, momentum):
                # Recipe: Nesterov's variant is scikit-learn's default, in `MLPClassifier` too.
                self.native = SGDOptimizer(arrays, rate, momentum=momentum, nesterov=False)
            case spec.Adam(rate, beta_1, beta_2, epsilon, _):
                self.native = AdamOptimizer(arrays, rate, beta_1, beta_2, epsilon)
            case spec.RMSprop():
                raise Unsupported("scikit-learn's networks know sgd, adam and lbfgs, and no RMSprop")

    def step(self, gradients: Sequence[Array]) -> None:
        """Update the parameters in place."""
        if isinstance(self.rule, spec.Adam) and not self.rule.epsilon_hat:
            # Recipe: scikit-learn has the ε̂ form; with ε·√(1-β2ᵗ) it is algorithm 1 of the paper.
            self.native.epsilon = self.rule.epsilon * math.sqrt(1 - self.rule.beta_2 ** (self.native.t + 1))
        self.native.update_params(self.parameters.values(), gradients)

    def observe(self) -> Arrays:
        """The state under the task's names."""
        observed: Arrays = {}
        for slot in self.rule.slots:
            arrays = dict(zip(self.parameters, getattr(self.native, _NATIVE_SLOTS[slot]), strict=True))
            observed |= named(f"state/{slot}", {name: array.copy() for name, array in arrays.items()})
        if isinstance(self.rule, spec.Adam):
            observed["state/step"] = np.array(self.native.t)
        return observed

    def restore(self, observed: Arrays) -> None:
        """The inverse of `observe`."""
        for slot in self.rule.slots:
            state = pick(f"state/{slot}", observed)
            arrays = [state[name].astype(w.dtype) for name, w in self.parameters.items()]
            setattr(self.native, _NATIVE_SLOTS[slot], arrays)
        if isinstance(self.rule, spec.Adam):
            self.native.t = int(observed["state/step"])


_NATIVE_SLOTS = {"velocity": "velocities", "first_moment": "ms", "second_moment": "vs"}


@final
class Perceptron(Program):
    """`linear_model.Perceptron`, one `partial_fit` per row.

    It also updates where z is exactly 0, whatever the class, and predicts class 1 only where z > 0.
    """

    def __init__(self, task: Task, at: Placement) -> None:
        assert task.data is not None
        self.x = task.data.x_train.astype(at.dtype)  # (N, D)
        self.y = task.data.y_train  # (N,)
        self.native = linear_model.Perceptron(
            eta0=task.optimizer.learning_rate, penalty=None, shuffle=False, tol=None, max_iter=1
        )
        self.native.partial_fit(self.x[:1], self.y[:1], classes=[0.0, 1.0])  # thrown away: it only allocates
        self._fill(dict(task.start))
        self.optimizer = Optimizer(task.optimizer, {})  # the estimator has its update built in

    def run(self, batches: Sequence[Rows]) -> Array:
        """One row at a time; the loss is 1 for a mistake, which shows in that the row moved something."""
        losses = np.empty(len(batches))
        for step, rows in enumerate(batches):
            before = self._parameters()
            self.native.partial_fit(self.x[rows], self.y[rows])
            losses[step] = any(np.any(before[name] != now) for name, now in self._parameters().items())
        return losses

    def gradient(self, rows: Rows) -> tuple[float, Arrays]:
        """Not shown."""
        raise NotObserved("Perceptron.partial_fit updates without showing a gradient")

    def observe(self) -> Arrays:
        return named("param", self._parameters())

    def restore(self, observed: Arrays) -> None:
        self._fill(pick("param", observed))

    def _parameters(self) -> Arrays:
        # In float32 scikit-learn keeps the intercept in float64; outside it has the dtype of the run.
        return {"w": self.native.coef_[0].copy(), "b": self.native.intercept_.astype(self.x.dtype)}

    def _fill(self, arrays: Arrays) -> None:
        self.native.coef_[0, :] = arrays["w"]
        self.native.intercept_[:] = arrays["b"]

    def predict(self, x: Array) -> Array:
        """ŷ = 1 where z > 0."""
        return self.native.predict(x.astype(self.x.dtype))  # (N,)

    def wait(self) -> None:
        """scikit-learn has finished when it returns."""


@final
class Quadratic(Program):
    """f(w) as the loss of a linear regression: `MLPRegressor` without hidden layers.

    Its loss is ½·mean (x·w - y)².  Rows x = ±√D·L, with L Lᵀ = H by Cholesky, and y = x·m make that
    ½·(w - m)ᵀ H (w - m).  Each row stands beside its mirror image, so that the gradient of the
    intercept, which a quadratic does not have, cancels to exactly 0.
    """

    def __init__(self, task: Task, at: Placement) -> None:
        assert isinstance(task.model, spec.Quadratic)
        size = len(task.model.minimum)
        half = math.sqrt(size) * np.linalg.cholesky(task.model.hessian).T  # (D, D)
        x = np.stack([half, -half], axis=1).reshape(
            2 * size, size
        )  # (2D, D): each row, then its mirror image
        self.x = x.astype(at.dtype)
        self.y = (x @ task.model.minimum)[:, None].astype(at.dtype)  # (2D, 1)
        self.native = MLPRegressor(
            hidden_layer_sizes=(), activation="identity", alpha=0.0, batch_size=2 * size
        )
        self.native.partial_fit(self.x, self.y[:, 0])  # thrown away: it only allocates
        self._fill(dict(task.start))
        self.optimizer = Optimizer(
            task.optimizer, {"w": self.native.coefs_[0], "intercept": self.native.intercepts_[0]}
        )

    def run(self, batches: Sequence[Rows]) -> Array:
        """One step per batch; the batches are empty, every step sees all rows of the regression."""
        losses = np.empty(len(batches))
        for step in range(len(batches)):
            losses[step], gradients = _backprop(self.native, self.x, self.y)
            self.optimizer.step(gradients)
        return losses

    def gradient(self, rows: Rows) -> tuple[float, Arrays]:
        """f(w) and its gradient."""
        loss, (gradient, _) = _backprop(self.native, self.x, self.y)
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


@final
class Network(Program):
    """`MLPClassifier`, whose two classes make one logistic unit."""

    def __init__(self, task: Task, at: Placement) -> None:
        assert isinstance(task.model, spec.Network) and task.data is not None
        self.x = task.data.x_train.astype(at.dtype)  # (N, D)
        self.y = task.data.y_train[:, None].astype(at.dtype)  # (N, 1)
        self.native = MLPClassifier(
            task.model.hidden, task.model.activation, alpha=task.model.l2, batch_size=1
        )
        self.native.partial_fit(
            self.x[:1], self.y[:1, 0], classes=[0.0, 1.0]
        )  # thrown away: it only allocates
        self.parameters = _parameters(self.native)
        self._fill(dict(task.start))
        self.optimizer = Optimizer(task.optimizer, self.parameters)

    def run(self, batches: Sequence[Rows]) -> Array:
        losses = np.empty(len(batches))
        for step, rows in enumerate(batches):
            losses[step], gradients = _backprop(self.native, self.x[rows], self.y[rows])
            self.optimizer.step(gradients)
        return losses

    def gradient(self, rows: Rows) -> tuple[float, Arrays]:
        loss, gradients = _backprop(self.native, self.x[rows], self.y[rows])
        return loss, dict(zip(self.parameters, gradients, strict=True))

    def observe(self) -> Arrays:
        return (
            named("param", {name: w.copy() for name, w in self.parameters.items()}) | self.optimizer.observe()
        )

    def restore(self, observed: Arrays) -> None:
        self._fill(pick("param", observed))
        self.optimizer.restore(observed)

    def _fill(self, arrays: Arrays) -> None:
        for name, array in self.parameters.items():
            array[...] = arrays[name]

    def predict(self, x: Array) -> Array:
        """Probability of class 1."""
        return self.native.predict_proba(x.astype(self.x.dtype))[:, 1]  # (N,)

    def wait(self) -> None:
        """scikit-learn has finished when it returns."""


@final
class Chance(base.Chance):
    """What `MLPClassifier.fit` draws."""

    def initial(self, shape: tuple[int, int], seed: int) -> Array:
        """The kernel only: `fit` draws biases as well, where Glorot's paper has zeros."""
        native = MLPClassifier()
        native._random_state = np.random.RandomState(seed)
        kernel, _ = native._init_coef(*shape, np.float64)
        return kernel  # (in, out)

    def dropout(self, x: Array, rate: float, seed: int) -> Array:
        """There is none."""
        raise Unsupported("scikit-learn's networks have no dropout")

    def shuffle(self, rows: int, seed: int) -> Rows:
        return utils.shuffle(np.arange(rows), random_state=seed)


def _parameters(native: MLPClassifier) -> dict[str, Array]:
    """w1, b1, w2, b2, … of an estimator, its own arrays: kernels are (in, out) as in the task."""
    layers = enumerate(zip(native.coefs_, native.intercepts_, strict=True), 1)
    return {name: array for i, (w, b) in layers for name, array in ((f"w{i}", w), (f"b{i}", b))}


def _backprop(native: MLPClassifier | MLPRegressor, x: Array, y: Array) -> tuple[float, list[Array]]:
    """Loss with penalty, and gradients of w1, b1, w2, b2, … on the rows x (N, D), y (N, 1)."""
    layers = len(native.coefs_)
    activations = [x, *[None] * layers]  # filled by the forward pass
    weights, biases = [None] * layers, [None] * layers  # filled by the backward pass
    loss, weights, biases = native._backprop(x, y, None, activations, [None] * layers, weights, biases)
    return loss, list(chain.from_iterable(zip(weights, biases, strict=True)))
