"""`learning_rate="adaptive"`, the one schedule of scikit-learn's networks that a task can ask for."""

from typing import final

import numpy as np
from sklearn.neural_network import MLPClassifier
from sklearn.neural_network._stochastic_optimizers import SGDOptimizer

from tasks.spec import Plateau, Task


@final
class Schedule:
    """The learning rate of `SGDOptimizer`, a fifth of it after each plateau that the estimator counts."""

    def __init__(self, task: Task) -> None:
        self.native = SGDOptimizer([], task.optimizer.learning_rate, "adaptive")
        self.epochs = MLPClassifier()  # counts, and learns nothing
        self.epochs.loss_curve_, self.epochs.best_loss_, self.epochs._no_improvement_count = [], np.inf, 0
        if isinstance(task.schedule, Plateau):
            self.epochs.n_iter_no_change = task.schedule.patience

    def rate(self, step: int) -> float:
        """The rate of the update that `step` others came before."""
        return self.native.learning_rate

    def end_epoch(self, loss: float) -> None:
        """What `fit` does when an epoch is over."""
        best = self.epochs.best_loss_
        # Recipe: without improvement is a loss above best - tol; with this tol one that is not below best.
        self.epochs.tol = best - np.nextafter(best, -np.inf) if np.isfinite(best) else 0.0
        self.epochs.loss_curve_.append(loss)
        self.epochs._update_no_improvement_count(False, None, None, None)
        if self.epochs._no_improvement_count > self.epochs.n_iter_no_change:
            self.epochs._no_improvement_count = 0
            if self.native.trigger_stopping("", verbose=False):
                self.native.learning_rate /= 5  # Recipe: at 1e-6 scikit-learn stops, and the task goes on.

    def resume(self, learning_rate: float) -> None:
        """Go on from a plateau's rate."""
        self.native.learning_rate = learning_rate
