"""The update rules, written out on variables."""

from typing import final

import tensorflow as tf

from backends.base import Arrays, named, pick
from tasks import spec
from tasks.spec import Task

from .arrays import Flat
from .schedule import Schedule


@final
class Optimizer:
    """The update rules, written out on variables."""

    def __init__(self, task: Task, parameters: Flat) -> None:
        self.task = task
        self.schedule = Schedule(task)
        self.parameters = parameters
        dtype = parameters.vector.dtype.name
        self.slots = {slot: Flat(task.shapes, dtype) for slot in task.optimizer.slots}
        self.steps = tf.Variable(0, dtype=tf.int64)
        self.mu_product = tf.Variable(1.0, dtype=tf.float64)  # Nadam's μ₁…μₜ

    def step(self, gradients: tf.Tensor) -> None:
        """Update the parameters; to be called inside a graph."""
        w, g = self.parameters.vector, gradients  # (P,)
        rate = tf.cast(self.schedule.rate(self.steps), g.dtype)
        self.steps.assign_add(1)
        match self.task.optimizer:
            case spec.GradientDescent():
                w.assign_sub(rate * g)
            case spec.Momentum() as rule:
                self._momentum(rule, rate, g)
            case spec.RMSprop() as rule:
                self._rmsprop(rule, rate, g)
            case spec.Adagrad() as rule:
                self._adagrad(rule, rate, g)
            case spec.Adam() as rule:
                self._adam(rule, rate, g)
            case spec.Nadam() as rule:
                self._nadam(rule, rate, g)

    def _momentum(self, rule: spec.Momentum, rate: tf.Tensor, g: tf.Tensor) -> None:
        w, v = self.parameters.vector, self.slots["velocity"].vector
        v.assign(rule.momentum * v - rate * g)
        w.assign_add(rule.momentum * v - rate * g if rule.nesterov else v)

    def _rmsprop(self, rule: spec.RMSprop, rate: tf.Tensor, g: tf.Tensor) -> None:
        w, s = self.parameters.vector, self.slots["mean_square"].vector
        s.assign(rule.rho * s + (1 - rule.rho) * g * g)
        root = tf.sqrt(s + rule.epsilon) if rule.epsilon_inside_root else tf.sqrt(s) + rule.epsilon
        w.assign_sub(rate * g / root)

    def _adagrad(self, rule: spec.Adagrad, rate: tf.Tensor, g: tf.Tensor) -> None:
        w, s = self.parameters.vector, self.slots["sum_of_squares"].vector
        s.assign(s + g * g)
        w.assign_sub(rate * g / (tf.sqrt(s) + rule.epsilon))

    def _adam(self, rule: spec.Adam, rate: tf.Tensor, g: tf.Tensor) -> None:
        w = self.parameters.vector
        m, v = self._moments(rule, g)
        if rule.weight_decay:
            w.assign_sub(rate * rule.weight_decay * w)
        if rule.amsgrad:
            largest = self.slots["largest_second_moment"].vector
            largest.assign(tf.maximum(largest, v))
            v = largest
        bias_1 = tf.cast(_correction(rule.beta_1, self.steps), g.dtype)
        bias_2 = tf.cast(_correction(rule.beta_2, self.steps), g.dtype)
        if rule.epsilon_hat:
            w.assign_sub(rate * tf.sqrt(bias_2) / bias_1 * m / (tf.sqrt(v) + rule.epsilon))
        else:
            w.assign_sub(rate * (m / bias_1) / (tf.sqrt(v / bias_2) + rule.epsilon))

    def _nadam(self, rule: spec.Nadam, rate: tf.Tensor, g: tf.Tensor) -> None:
        m, v = self._moments(rule, g)
        mu, mu_next = _mu(rule, self.steps), _mu(rule, self.steps + 1)
        product = self.mu_product.assign(self.mu_product * mu)
        now = tf.cast((1 - mu) / (1 - product), g.dtype)
        ahead = tf.cast(mu_next / (1 - product * mu_next), g.dtype)
        bias_2 = tf.cast(_correction(rule.beta_2, self.steps), g.dtype)
        change = rate * (now * g + ahead * m) / (tf.sqrt(v / bias_2) + rule.epsilon)
        self.parameters.vector.assign_sub(change)

    def _moments(self, rule: spec.Adam | spec.Nadam, g: tf.Tensor) -> tuple[tf.Variable, tf.Variable]:
        """The first and second moment (P,), updated."""
        m, v = self.slots["first_moment"].vector, self.slots["second_moment"].vector
        m.assign(rule.beta_1 * m + (1 - rule.beta_1) * g)
        v.assign(rule.beta_2 * v + (1 - rule.beta_2) * g * g)
        return m, v

    def observe(self) -> Arrays:
        """The state under the task's names."""
        observed: Arrays = {}
        for slot, flat in self.slots.items():
            observed |= named(f"state/{slot}", flat.copies())
        if self.task.counts_steps:
            observed["state/step"] = self.steps.numpy()
        if isinstance(self.task.schedule, spec.Plateau):
            observed["state/learning_rate"] = self.schedule.learning_rate.numpy()
        return observed

    def restore(self, observed: Arrays) -> None:
        """The inverse of `observe`."""
        for slot, flat in self.slots.items():
            flat.fill(pick(f"state/{slot}", observed))
        steps = int(observed.get("state/step", 0))
        self.steps.assign(steps)
        if isinstance(self.task.optimizer, spec.Nadam):
            mus = _mu(self.task.optimizer, tf.range(1, steps + 1))  # (t,)
            self.mu_product.assign(tf.reduce_prod(mus))
        if isinstance(self.task.schedule, spec.Plateau):
            self.schedule.resume(float(observed["state/learning_rate"]))


def _correction(beta: float, steps: tf.Tensor) -> tf.Tensor:
    """1 - βᵗ."""
    # Recipe (adam-float32): in float64, to be cast then. In float32 1 - 0.999 keeps only four digits.
    return 1 - tf.constant(beta, tf.float64) ** tf.cast(steps, tf.float64)


def _mu(rule: spec.Nadam, steps: tf.Tensor) -> tf.Tensor:
    """μₜ = β1·(1 - ½·0.96ᵗ), in float64."""
    return rule.beta_1 * (1 - 0.5 * tf.constant(0.96, tf.float64) ** tf.cast(steps, tf.float64))
