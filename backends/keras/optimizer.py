"""`keras.optimizers`, and the lines that make them agree."""

import math
from collections.abc import Sequence
from typing import final

import keras
import tensorflow as tf
from keras import ops, optimizers

from backends.base import Arrays, named, pick
from tasks import spec
from tasks.spec import Task

from .arrays import exact, fill, to_numpy
from .schedule import Schedule

# Where Keras keeps each slot; what it calls velocity in RMSprop, Adam and Nadam is a mean square.
_SLOTS = {
    "velocity": "momentums",
    "mean_square": "_velocities",
    "sum_of_squares": "_accumulators",
    "first_moment": "_momentums",
    "second_moment": "_velocities",
    "largest_second_moment": "_velocity_hats",
}


@final
class Optimizer:
    """`keras.optimizers`, and the lines that make them agree."""

    def __init__(self, task: Task, parameters: Sequence[keras.Variable]) -> None:
        self.task = task
        self.schedule = Schedule(task)
        self.parameters = parameters
        self.native = self._native()
        # With one device there is nothing to sum over devices, and TensorFlow never forgets a sum's graph.
        self.native._all_reduce_sum_gradients = lambda pairs: pairs
        self.native.build(parameters)
        self.schedule.model.optimizer = self.native

    def _native(self) -> optimizers.Optimizer:  # noqa: PLR0911  one per rule
        rate = self.schedule.native
        match self.task.optimizer:
            case spec.GradientDescent():
                return optimizers.SGD(rate)
            case spec.Momentum(_, momentum, nesterov):
                return optimizers.SGD(rate, exact(momentum), nesterov)
            case spec.RMSprop(_, rho, epsilon, _):
                # √(s + ε); Keras has no form with ε outside the root.
                return optimizers.RMSprop(rate, rho, epsilon=epsilon)
            case spec.Adagrad(_, epsilon):
                # √(s + ε); Keras has no form with ε outside the root.
                return optimizers.Adagrad(rate, initial_accumulator_value=0.0, epsilon=epsilon)
            case spec.Adam(_, beta_1, beta_2, epsilon, _, decay, amsgrad):
                betas = exact(beta_1), exact(beta_2)
                if decay:
                    return optimizers.AdamW(rate, exact(decay), *betas, epsilon, amsgrad)
                return optimizers.Adam(rate, *betas, epsilon, amsgrad)
            case spec.Nadam(_, beta_1, beta_2, epsilon):
                return optimizers.Nadam(rate, exact(beta_1), exact(beta_2), epsilon)

    def step(self, gradients: Sequence[tf.Tensor]) -> None:
        """Update the parameters; to be called inside a graph."""
        rule = self.task.optimizer
        if isinstance(rule, spec.Adam) and not rule.epsilon_hat:
            # Recipe (adam-epsilon): Keras has the ε̂ form; with ε·√(1-β2ᵗ) it is algorithm 1 of the paper.
            dtype = gradients[0].dtype
            t = tf.cast(self.native.iterations.value + 1, dtype)
            self.native.epsilon = rule.epsilon * tf.sqrt(1 - tf.constant(rule.beta_2, dtype) ** t)
        self.native.apply(gradients, self.parameters)

    def observe(self) -> Arrays:
        """The state under the task's names."""
        observed: Arrays = {}
        for slot in self.task.optimizer.slots:
            observed |= named(f"state/{slot}", to_numpy(self._variables(slot), self.task.shapes))
        if self.task.counts_steps:
            observed["state/step"] = ops.convert_to_numpy(self.native.iterations)
        if isinstance(self.task.schedule, spec.Plateau):
            observed["state/learning_rate"] = ops.convert_to_numpy(self.native.learning_rate)
        return observed

    def restore(self, observed: Arrays) -> None:
        """The inverse of `observe`."""
        for slot in self.task.optimizer.slots:
            fill(self._variables(slot), pick(f"state/{slot}", observed), self.task.shapes)
        steps = int(observed.get("state/step", 0))
        self.native.iterations.assign(steps)
        if isinstance(self.task.optimizer, spec.Nadam):  # which remembers μ₁…μₜ, too
            beta_1 = self.task.optimizer.beta_1
            mus = [beta_1 * (1 - 0.5 * 0.96**t) for t in range(1, steps + 1)]
            self.native._u_product.assign(math.prod(mus))
        if isinstance(self.task.schedule, spec.Plateau):
            self.schedule.resume(float(observed["state/learning_rate"]))

    def _variables(self, slot: str) -> list[keras.Variable]:
        """Keras's variables of a slot, one for each of the parameters'."""
        return getattr(self.native, _SLOTS[slot])
