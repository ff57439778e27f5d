"""The update rules, written out on variables."""

from collections.abc import Sequence
from typing import final

import tensorflow as tf

from backends.base import Arrays, named, pick
from tasks import spec
from tasks.spec import Task

from .arrays import fill, to_numpy
from .schedule import Schedule


@final
class Optimizer:
    """The update rules, written out on variables."""

    def __init__(self, task: Task, parameters: dict[str, tf.Variable]) -> None:
        self.task = task
        self.schedule = Schedule(task)
        self.parameters = parameters
        self.slots = {
            slot: {name: tf.Variable(tf.zeros_like(w)) for name, w in parameters.items()}
            for slot in task.optimizer.slots
        }
        self.steps = tf.Variable(0, dtype=tf.int64)
        self.mu_product = tf.Variable(1.0, dtype=tf.float64)  # Nadam's μ₁…μₜ

    def step(self, gradients: Sequence[tf.Tensor]) -> None:
        """Update the parameters; to be called inside a graph."""
        rate = tf.cast(self.schedule.rate(self.steps), gradients[0].dtype)
        self.steps.assign_add(1)
        states = [
            {slot: variables[name] for slot, variables in self.slots.items()} for name in self.parameters
        ]
        parts = list(zip(self.parameters.values(), gradients, states, strict=True))
        match self.task.optimizer:
            case spec.GradientDescent():
                for w, g, _ in parts:
                    w.assign_sub(rate * g)
            case spec.Momentum() as rule:
                _momentum(rule, rate, parts)
            case spec.RMSprop() as rule:
                _rmsprop(rule, rate, parts)
            case spec.Adagrad() as rule:
                _adagrad(rule, rate, parts)
            case spec.Adam() as rule:
                self._adam(rule, rate, parts)
            case spec.Nadam() as rule:
                self._nadam(rule, rate, parts)

    def _adam(self, rule: spec.Adam, rate: tf.Tensor, parts: "list[_Part]") -> None:
        bias_1 = tf.cast(_correction(rule.beta_1, self.steps), rate.dtype)
        bias_2 = tf.cast(_correction(rule.beta_2, self.steps), rate.dtype)
        for w, g, state in parts:
            m, v = _moments(rule, g, state)
            if rule.weight_decay:
                w.assign_sub(rate * rule.weight_decay * w)
            if rule.amsgrad:
                largest = state["largest_second_moment"]
                largest.assign(tf.maximum(largest, v))
                v = largest
            if rule.epsilon_hat:
                w.assign_sub(rate * tf.sqrt(bias_2) / bias_1 * m / (tf.sqrt(v) + rule.epsilon))
            else:
                w.assign_sub(rate * (m / bias_1) / (tf.sqrt(v / bias_2) + rule.epsilon))

    def _nadam(self, rule: spec.Nadam, rate: tf.Tensor, parts: "list[_Part]") -> None:
        mu, mu_next = _mu(rule, self.steps), _mu(rule, self.steps + 1)
        product = self.mu_product.assign(self.mu_product * mu)
        now = tf.cast((1 - mu) / (1 - product), rate.dtype)
        ahead = tf.cast(mu_next / (1 - product * mu_next), rate.dtype)
        bias_2 = tf.cast(_correction(rule.beta_2, self.steps), rate.dtype)
        for w, g, state in parts:
            m, v = _moments(rule, g, state)
            w.assign_sub(rate * (now * g + ahead * m) / (tf.sqrt(v / bias_2) + rule.epsilon))

    def observe(self) -> Arrays:
        """The state under the task's names."""
        observed: Arrays = {}
        for slot, variables in self.slots.items():
            observed |= named(f"state/{slot}", to_numpy(variables))
        if self.task.counts_steps:
            observed["state/step"] = self.steps.numpy()
        if isinstance(self.task.schedule, spec.Plateau):
            observed["state/learning_rate"] = self.schedule.learning_rate.numpy()
        return observed

    def restore(self, observed: Arrays) -> None:
        """The inverse of `observe`."""
        for slot, variables in self.slots.items():
            fill(variables, pick(f"state/{slot}", observed))
        steps = int(observed.get("state/step", 0))
        self.steps.assign(steps)
        if isinstance(self.task.optimizer, spec.Nadam):
            mus = _mu(self.task.optimizer, tf.range(1, steps + 1))  # (t,)
            self.mu_product.assign(tf.reduce_prod(mus))
        if isinstance(self.task.schedule, spec.Plateau):
            self.schedule.resume(float(observed["state/learning_rate"]))


_Part = tuple[tf.Variable, tf.Tensor, dict[str, tf.Variable]]  # a parameter, its gradient, its slots


def _momentum(rule: spec.Momentum, rate: tf.Tensor, parts: list[_Part]) -> None:
    for w, g, state in parts:
        v = state["velocity"]
        v.assign(rule.momentum * v - rate * g)
        w.assign_add(rule.momentum * v - rate * g if rule.nesterov else v)


def _rmsprop(rule: spec.RMSprop, rate: tf.Tensor, parts: list[_Part]) -> None:
    for w, g, state in parts:
        s = state["mean_square"]
        s.assign(rule.rho * s + (1 - rule.rho) * g * g)
        root = tf.sqrt(s + rule.epsilon) if rule.epsilon_inside_root else tf.sqrt(s) + rule.epsilon
        w.assign_sub(rate * g / root)


def _adagrad(rule: spec.Adagrad, rate: tf.Tensor, parts: list[_Part]) -> None:
    for w, g, state in parts:
        s = state["sum_of_squares"]
        s.assign(s + g * g)
        w.assign_sub(rate * g / (tf.sqrt(s) + rule.epsilon))


def _moments(
    rule: spec.Adam | spec.Nadam, g: tf.Tensor, state: dict[str, tf.Variable]
) -> tuple[tf.Variable, tf.Variable]:
    """The first and second moment, updated."""
    m, v = state["first_moment"], state["second_moment"]
    m.assign(rule.beta_1 * m + (1 - rule.beta_1) * g)
    v.assign(rule.beta_2 * v + (1 - rule.beta_2) * g * g)
    return m, v


def _correction(beta: float, steps: tf.Tensor) -> tf.Tensor:
    """1 - βᵗ."""
    # Recipe: in float64, to be cast then. In float32 1 - 0.999 keeps only four digits.
    return 1 - tf.constant(beta, tf.float64) ** tf.cast(steps, tf.float64)


def _mu(rule: spec.Nadam, steps: tf.Tensor) -> tf.Tensor:
    """μₜ = β1·(1 - ½·0.96ᵗ), in float64."""
    return rule.beta_1 * (1 - 0.5 * tf.constant(0.96, tf.float64) ** tf.cast(steps, tf.float64))
