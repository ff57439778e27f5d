"""scikit-learn as its users call it: `MLPClassifier.fit`, and `partial_fit` for a single batch."""

import warnings
from typing import final

import numpy as np
import sklearn
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier

from backends.base import NotObserved, Program, Unsupported, named, pick
from tasks import sweep


def setup(at):
    """Fast: what is known to be in order is not looked through again."""
    sklearn.set_config(assume_finite=True, skip_parameter_validation=True)
    return {"scikit-learn": sklearn.__version__}


@final
class Network(Program):
    """A classifier whose first `partial_fit` has made its arrays."""

    def __init__(self, task, at):
        if not sweep.is_plain(task) or at.dtype != "float64" or at.device != "cpu":
            raise Unsupported(sweep.PLAIN)
        self.x, self.y, self.batch = task.data.x_train, task.data.y_train, task.batches.size
        self.native = MLPClassifier(
            task.model.hidden,
            activation="relu",
            alpha=0.0,
            learning_rate_init=task.optimizer.learning_rate,
            beta_1=task.optimizer.beta_1,
            beta_2=task.optimizer.beta_2,
            epsilon=task.optimizer.epsilon,
            batch_size=self.batch,
            shuffle=False,
            warm_start=True,
            tol=0.0,
            n_iter_no_change=10**9,
        )
        self.native.partial_fit(self.x[: self.batch], self.y[: self.batch], classes=[0, 1])
        self.names = sorted(task.shapes, key=lambda name: name[0] != "w")  # kernels first, then biases
        self.restore(named("param", dict(task.start)))

    def run(self, batches):
        losses = []
        for _ in batches:
            start = self.native._optimizer.t * self.batch % len(self.x)
            self.native.partial_fit(self.x[start : start + self.batch], self.y[start : start + self.batch])
            losses.append(self.native.loss_)
        return np.array(losses)

    def fit(self, epochs):
        """It makes a new optimizer, so it begins where the task does."""
        self.native.max_iter = epochs
        with warnings.catch_warnings():  # so many epochs are all that is asked for
            warnings.simplefilter("ignore", ConvergenceWarning)
            self.native.fit(self.x, self.y)
        return np.array(self.native.loss_curve_[-epochs:])

    def gradient(self, rows):
        raise NotObserved("a bare loop shows no gradients")

    def observe(self):
        observed = {f"param/{name}": array.copy() for name, array in self._parameters().items()}
        for prefix, moments in self._moments().items():
            observed |= named(prefix, {name: moment.copy() for name, moment in moments.items()})
        return observed | {"state/step": np.array(self.native._optimizer.t)}

    def restore(self, observed):
        for name, value in pick("param", observed).items():
            self._parameters()[name][...] = value
        for prefix, moments in self._moments().items():
            found = pick(prefix, observed)
            for name, moment in moments.items():
                moment[...] = found.get(name, 0.0)
        self.native._optimizer.t = int(observed.get("state/step", 0))

    def _parameters(self):
        """`fit` goes on in the arrays that there are."""
        return self._by_name([*self.native.coefs_, *self.native.intercepts_])

    def _moments(self):
        optimizer = self.native._optimizer
        return {
            "state/first_moment": self._by_name(optimizer.ms),
            "state/second_moment": self._by_name(optimizer.vs),
        }

    def _by_name(self, arrays):
        return dict(zip(self.names, arrays, strict=True))

    def predict(self, x):
        return self.native.predict_proba(x)[:, 1]

    def wait(self):
        """scikit-learn has finished when it returns."""
