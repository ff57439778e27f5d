"""The update rules, written out."""

import math
from typing import final

import numpy as np

from backends.base import Arrays, named, pick
from tasks import spec
from tasks.spec import Array, Task

from .arrays import Flat
from .schedule import Schedule


@final
class Optimizer:
    """The update rules, written out."""

    def __init__(self, task: Task, parameters: Flat) -> None:
        self.task = task
        self.schedule = Schedule(task)
        self.parameters = parameters
        shapes = {name: view.shape for name, view in parameters.views.items()}
        self.slots = {slot: Flat(shapes, parameters.vector.dtype.name) for slot in task.optimizer.slots}
        self.steps = 0
        self.mu_product = 1.0  # Nadam's μ₁…μₜ
        self.room = np.empty_like(parameters.vector)  # scratch, so that an update allocates nothing

    def step(self, gradients: Flat) -> None:
        """Update the parameters."""
        rate, g = self.schedule.rate(self.steps), gradients.vector
        self.steps += 1
        match self.task.optimizer:
            case spec.GradientDescent():
                self._subtract(np.multiply(g, rate, out=self.room))  # w - rate·g
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

    def _subtract(self, change: Array) -> None:
        w = self.parameters.vector
        np.subtract(w, change, out=w)

    def _momentum(self, rule: spec.Momentum, rate: float, g: Array) -> None:
        v, room = self.slots["velocity"].vector, self.room
        np.multiply(v, rule.momentum, out=v)
        np.multiply(g, rate, out=room)
        np.subtract(v, room, out=v)  # v = momentum·v - rate·g
        if rule.nesterov:
            self._subtract(room)
            np.multiply(v, -rule.momentum, out=room)
            self._subtract(room)  # w + momentum·v - rate·g
        else:
            w = self.parameters.vector
            np.add(w, v, out=w)  # w + v

    def _rmsprop(self, rule: spec.RMSprop, rate: float, g: Array) -> None:
        s, room = self.slots["mean_square"].vector, self.room
        np.multiply(s, rule.rho, out=s)
        np.multiply(g, g, out=room)
        np.multiply(room, 1 - rule.rho, out=room)
        np.add(s, room, out=s)  # s = rho·s + (1-rho)·g²
        if rule.epsilon_inside_root:
            np.sqrt(np.add(s, rule.epsilon, out=room), out=room)  # √(s + ε)
        else:
            np.add(np.sqrt(s, out=room), rule.epsilon, out=room)  # √s + ε
        np.divide(g, room, out=room)
        self._subtract(np.multiply(room, rate, out=room))  # w - rate·g/…

    def _adagrad(self, rule: spec.Adagrad, rate: float, g: Array) -> None:
        s, room = self.slots["sum_of_squares"].vector, self.room
        np.multiply(g, g, out=room)
        np.add(s, room, out=s)  # s + g²
        np.add(np.sqrt(s, out=room), rule.epsilon, out=room)  # √s + ε
        np.divide(g, room, out=room)
        self._subtract(np.multiply(room, rate, out=room))  # w - rate·g/(√s + ε)

    def _adam(self, rule: spec.Adam, rate: float, g: Array) -> None:
        m, v = self._moments(rule, g)
        w, room = self.parameters.vector, self.room
        if rule.weight_decay:
            np.multiply(w, 1 - rate * rule.weight_decay, out=w)  # w - rate·λ·w
        if rule.amsgrad:
            largest = self.slots["largest_second_moment"].vector
            v = np.maximum(v, largest, out=largest)
        bias_1, bias_2 = 1 - rule.beta_1**self.steps, 1 - rule.beta_2**self.steps
        # √v̂ + ε = (√v + ε̂)/√(1-β2ᵗ) with ε̂ = ε·√(1-β2ᵗ): both forms share the lines below.
        epsilon_hat = rule.epsilon if rule.epsilon_hat else rule.epsilon * math.sqrt(bias_2)
        np.add(np.sqrt(v, out=room), epsilon_hat, out=room)
        np.divide(m, room, out=room)
        np.multiply(room, rate * math.sqrt(bias_2) / bias_1, out=room)
        self._subtract(room)  # w - rate·√(1-β2ᵗ)/(1-β1ᵗ)·m/(√v + ε̂)

    def _nadam(self, rule: spec.Nadam, rate: float, g: Array) -> None:
        m, v = self._moments(rule, g)
        mu, mu_next = _mu(rule, self.steps), _mu(rule, self.steps + 1)  # μₜ, μₜ₊₁
        self.mu_product *= mu  # μ₁…μₜ
        now = (1 - mu) / (1 - self.mu_product)
        ahead = mu_next / (1 - self.mu_product * mu_next)
        root = np.sqrt(v / (1 - rule.beta_2**self.steps)) + rule.epsilon  # √v̂ + ε
        self._subtract(rate * (now * g + ahead * m) / root)

    def _moments(self, rule: spec.Adam | spec.Nadam, g: Array) -> tuple[Array, Array]:
        """The first and second moment (P,), updated."""
        m, v, room = self.slots["first_moment"].vector, self.slots["second_moment"].vector, self.room
        np.multiply(m, rule.beta_1, out=m)
        np.multiply(g, 1 - rule.beta_1, out=room)
        np.add(m, room, out=m)  # m = β1·m + (1-β1)·g
        np.multiply(v, rule.beta_2, out=v)
        np.multiply(g, g, out=room)
        np.multiply(room, 1 - rule.beta_2, out=room)
        np.add(v, room, out=v)  # v = β2·v + (1-β2)·g²
        return m, v

    def observe(self) -> Arrays:
        """The state under the task's names."""
        observed: Arrays = {}
        for slot, flat in self.slots.items():
            observed |= named(f"state/{slot}", flat.copies())
        if self.task.counts_steps:
            observed["state/step"] = np.array(self.steps)
        if isinstance(self.task.schedule, spec.Plateau):
            observed["state/learning_rate"] = np.array(self.schedule.learning_rate)
        return observed

    def restore(self, observed: Arrays) -> None:
        """The inverse of `observe`."""
        for slot, flat in self.slots.items():
            flat.fill(pick(f"state/{slot}", observed))
        self.steps = int(observed.get("state/step", 0))
        if isinstance(self.task.optimizer, spec.Nadam):
            self.mu_product = math.prod(_mu(self.task.optimizer, t) for t in range(1, self.steps + 1))
        if isinstance(self.task.schedule, spec.Plateau):
            self.schedule.resume(float(observed["state/learning_rate"]))


def _mu(rule: spec.Nadam, t: int) -> float:
    """β1 in step t, by Nadam's schedule."""
    return rule.beta_1 * (1 - 0.5 * 0.96**t)
