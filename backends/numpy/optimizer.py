"""The update rules, written out."""

import math
from collections.abc import Callable
from typing import final

import numpy as np

from backends.base import Arrays, named, pick
from tasks import spec
from tasks.spec import Array, Task

from .arrays import Flat
from .schedule import Schedule

Update = Callable[[Array, float, int], None]  # of the gradient (P,), the rate, and the step's number from 1


@final
class Optimizer:
    """The update rules, written out."""

    def __init__(self, task: Task, parameters: Flat) -> None:
        self.task = task
        self.schedule = Schedule(task)
        shapes = {name: view.shape for name, view in parameters.views.items()}
        dtype = parameters.vector.dtype.name
        self.slots = {slot: Flat(shapes, dtype) for slot in task.optimizer.slots}
        self.steps = 0
        vectors = [flat.vector for flat in (parameters, *self.slots.values())]
        self.update = _RULES[type(task.optimizer)](task.optimizer, *vectors)

    def step(self, gradients: Flat) -> None:
        """Update the parameters."""
        rate = self.schedule.rate(self.steps)
        self.steps += 1
        self.update(gradients.vector, rate, self.steps)

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
        if isinstance(self.task.schedule, spec.Plateau):
            self.schedule.resume(float(observed["state/learning_rate"]))


# ------------------------------------------------------------------------------------- the rules
# Each takes parameters and state (P,), and makes the update.
# Fast: it computes in place and in a scratch array, so that nothing is allocated; and with numbers that are
# arrays, since NumPy would make one of a Python number in every call.


def _gradient_descent(_rule: spec.GradientDescent, w: Array) -> Update:
    room = np.empty_like(w)

    def update(g: Array, rate: float, _t: int) -> None:
        np.multiply(g, rate, out=room)
        np.subtract(w, room, out=w)  # w - rate·g

    return update


def _momentum(rule: spec.Momentum, w: Array, v: Array) -> Update:
    room, (momentum,) = np.empty_like(w), _numbers(w, rule.momentum)

    def update(g: Array, rate: float, _t: int) -> None:
        np.multiply(v, momentum, out=v)
        np.multiply(g, rate, out=room)
        np.subtract(v, room, out=v)  # v = momentum·v - rate·g
        if rule.nesterov:
            np.subtract(w, room, out=w)
            np.multiply(v, momentum, out=room)
            np.add(w, room, out=w)  # w + momentum·v - rate·g
        else:
            np.add(w, v, out=w)  # w + v

    return update


def _rmsprop(rule: spec.RMSprop, w: Array, s: Array) -> Update:
    room = np.empty_like(w)
    rho, rest, epsilon = _numbers(w, rule.rho, 1 - rule.rho, rule.epsilon)

    def update(g: Array, rate: float, _t: int) -> None:
        np.multiply(s, rho, out=s)
        np.multiply(g, g, out=room)
        np.multiply(room, rest, out=room)
        np.add(s, room, out=s)  # s = rho·s + (1-rho)·g²
        if rule.epsilon_inside_root:
            np.sqrt(np.add(s, epsilon, out=room), out=room)  # √(s + ε)
        else:
            np.add(np.sqrt(s, out=room), epsilon, out=room)  # √s + ε
        np.divide(g, room, out=room)
        np.multiply(room, rate, out=room)
        np.subtract(w, room, out=w)  # w - rate·g/…

    return update


def _adagrad(rule: spec.Adagrad, w: Array, s: Array) -> Update:
    room, (epsilon,) = np.empty_like(w), _numbers(w, rule.epsilon)

    def update(g: Array, rate: float, _t: int) -> None:
        np.multiply(g, g, out=room)
        np.add(s, room, out=s)  # s + g²
        np.add(np.sqrt(s, out=room), epsilon, out=room)  # √s + ε
        np.divide(g, room, out=room)
        np.multiply(room, rate, out=room)
        np.subtract(w, room, out=w)  # w - rate·g/(√s + ε)

    return update


def _adam(rule: spec.Adam, w: Array, m: Array, v: Array, largest: Array | None = None) -> Update:
    room, move_moments = np.empty_like(w), _moments(rule, m, v)

    def update(g: Array, rate: float, t: int) -> None:
        move_moments(g, room)
        if rule.weight_decay:
            np.multiply(w, 1 - rate * rule.weight_decay, out=w)  # w - rate·λ·w
        second = v if largest is None else np.maximum(v, largest, out=largest)
        bias_1, root = 1 - rule.beta_1**t, math.sqrt(1 - rule.beta_2**t)
        # √v̂ + ε = (√v + ε̂)/√(1-β2ᵗ) with ε̂ = ε·√(1-β2ᵗ): both forms share the lines below.
        epsilon_hat = rule.epsilon if rule.epsilon_hat else rule.epsilon * root
        np.add(np.sqrt(second, out=room), epsilon_hat, out=room)
        np.divide(m, room, out=room)
        np.multiply(room, rate * root / bias_1, out=room)
        np.subtract(w, room, out=w)  # w - rate·√(1-β2ᵗ)/(1-β1ᵗ)·m/(√v + ε̂)

    return update


def _nadam(rule: spec.Nadam, w: Array, m: Array, v: Array) -> Update:
    room, move_moments = np.empty_like(w), _moments(rule, m, v)
    products = [1.0]  # μ₁…μₜ of every t so far

    def mu(t: int) -> float:
        return rule.beta_1 * (1 - 0.5 * 0.96**t)

    def update(g: Array, rate: float, t: int) -> None:
        move_moments(g, room)
        while len(products) <= t:
            products.append(products[-1] * mu(len(products)))
        now = (1 - mu(t)) / (1 - products[t])
        ahead = mu(t + 1) / (1 - products[t] * mu(t + 1))
        root = np.sqrt(v / (1 - rule.beta_2**t)) + rule.epsilon  # √v̂ + ε
        np.subtract(w, rate * (now * g + ahead * m) / root, out=w)

    return update


def _moments(rule: spec.Adam | spec.Nadam, m: Array, v: Array) -> Callable[[Array, Array], None]:
    beta_1, rest_1, beta_2, rest_2 = _numbers(m, rule.beta_1, 1 - rule.beta_1, rule.beta_2, 1 - rule.beta_2)

    def move(g: Array, room: Array) -> None:
        np.multiply(m, beta_1, out=m)
        np.multiply(g, rest_1, out=room)
        np.add(m, room, out=m)  # m = β1·m + (1-β1)·g
        np.multiply(v, beta_2, out=v)
        np.multiply(g, g, out=room)
        np.multiply(room, rest_2, out=room)
        np.add(v, room, out=v)  # v = β2·v + (1-β2)·g²

    return move


def _numbers(like: Array, *numbers: float) -> list[Array]:
    return [np.array(number, like.dtype) for number in numbers]


_RULES: dict[type[spec.Optimizer], Callable[..., Update]] = {
    spec.GradientDescent: _gradient_descent,
    spec.Momentum: _momentum,
    spec.RMSprop: _rmsprop,
    spec.Adagrad: _adagrad,
    spec.Adam: _adam,
    spec.Nadam: _nadam,
}
