"""The optimizers of scikit-learn's networks: sgd and adam."""

import math
from collections.abc import Sequence
from typing import final

import numpy as np
from sklearn.neural_network._stochastic_optimizers import AdamOptimizer, SGDOptimizer

from backends.base import Arrays, pick
from tasks import spec
from tasks.spec import Array, Task

from .arrays import NATIVE_SLOTS, state
from .schedule import Schedule


@final
class Optimizer:
    """The optimizers of `MLPClassifier` and `MLPRegressor`, and the lines that make them agree."""

    def __init__(self, task: Task, parameters: dict[str, Array]) -> None:
        self.task = task
        self.rule = task.optimizer
        self.schedule = Schedule(task)
        self.parameters = parameters
        self.native = _native(task.optimizer, list(parameters.values()))

    def step(self, gradients: Sequence[Array]) -> None:
        """Update the parameters in place."""
        if isinstance(self.rule, spec.Adam):
            if not self.rule.epsilon_hat:
                # Recipe (adam-epsilon): scikit-learn has the ε̂ form; with ε·√(1-β2ᵗ) it is algorithm 1 of the
                # paper.
                bias_2 = 1 - self.rule.beta_2 ** (self.native.t + 1)
                self.native.epsilon = self.rule.epsilon * math.sqrt(bias_2)
        else:
            self.native.learning_rate = self.schedule.rate(0)  # adam has no schedule
        self.native.update_params(self.parameters.values(), gradients)

    def observe(self) -> Arrays:
        """The state under the task's names."""
        observed = state(self.native, self.rule.slots, list(self.parameters))
        if self.task.counts_steps:
            observed["state/step"] = np.array(self.native.t)
        if isinstance(self.task.schedule, spec.Plateau):
            observed["state/learning_rate"] = np.array(self.schedule.rate(0))
        return observed

    def restore(self, observed: Arrays) -> None:
        """The inverse of `observe`."""
        for slot in self.rule.slots:
            found = pick(f"state/{slot}", observed)
            arrays = [found[name].astype(w.dtype) for name, w in self.parameters.items()]
            setattr(self.native, NATIVE_SLOTS[slot], arrays)
        if self.task.counts_steps:
            self.native.t = int(observed["state/step"])
        if isinstance(self.task.schedule, spec.Plateau):
            self.schedule.resume(float(observed["state/learning_rate"]))


def _native(rule: spec.Optimizer, arrays: list[Array]) -> SGDOptimizer | AdamOptimizer:
    """Raises `ValueError` for rules that are not among its two."""
    match rule:
        case spec.GradientDescent(rate):
            return SGDOptimizer(arrays, rate, momentum=0.0, nesterov=False)
        case spec.Momentum(rate, momentum, nesterov):
            return SGDOptimizer(arrays, rate, momentum=momentum, nesterov=nesterov)
        case spec.Adam(rate, beta_1, beta_2, epsilon):
            return AdamOptimizer(arrays, rate, beta_1, beta_2, epsilon)
    raise ValueError(f"scikit-learn has no {rule!r}")
