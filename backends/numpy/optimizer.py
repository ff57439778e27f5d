"""The update rules, written out."""

import math
from typing import final

import numpy as np

from backends.base import Arrays, named, pick
from backends.numpy.arrays import Flat
from backends.numpy.schedule import Schedule
from tasks import spec
from tasks.spec import Array, Task


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
        self.room = np.empty_like(parameters.vector)  # scratch, so that an update allocates nothing

    def step(self, gradients: Flat) -> None:
        """Update the parameters."""
        rate = self.schedule.rate(self.steps)
        self.steps += 1
        w, g, room = self.parameters.vector, gradients.vector, self.room
        match self.task.optimizer:
            case spec.GradientDescent():
                np.multiply(g, rate, out=room)
                np.subtract(w, room, out=w)  # w - rate·g
            case spec.Momentum(_, momentum, nesterov):
                v = self.slots["velocity"].vector
                np.multiply(g, rate, out=room)
                np.multiply(v, momentum, out=v)
                np.subtract(v, room, out=v)  # v = momentum·v - rate·g
                if nesterov:
                    np.subtract(w, room, out=w)
                    np.multiply(v, momentum, out=room)
                    np.add(w, room, out=w)  # w + momentum·v - rate·g
                else:
                    np.add(w, v, out=w)  # w + v
            case spec.RMSprop(_, rho, epsilon, inside):
                s = self.slots["mean_square"].vector
                np.multiply(s, rho, out=s)
                np.multiply(g, g, out=room)
                np.multiply(room, 1 - rho, out=room)
                np.add(s, room, out=s)  # s = rho·s + (1-rho)·g²
                if inside:
                    np.sqrt(np.add(s, epsilon, out=room), out=room)  # √(s + ε)
                else:
                    np.add(np.sqrt(s, out=room), epsilon, out=room)  # √s + ε
                np.divide(g, room, out=room)
                np.multiply(room, rate, out=room)
                np.subtract(w, room, out=w)  # w - rate·g/…
            case spec.Adagrad(_, epsilon):
                s = self.slots["sum_of_squares"].vector
                np.multiply(g, g, out=room)
                np.add(s, room, out=s)  # s + g²
                np.add(np.sqrt(s, out=room), epsilon, out=room)  # √s + ε
                np.divide(g, room, out=room)
                np.multiply(room, rate, out=room)
                np.subtract(w, room, out=w)  # w - rate·g/(√s + ε)
            case spec.Adam(_, beta_1, beta_2, epsilon, hat, decay, amsgrad):
                m, v = self._moments(g, beta_1, beta_2)
                if decay:
                    np.multiply(w, 1 - rate * decay, out=w)  # w - rate·λ·w
                if amsgrad:
                    v = np.maximum(v, largest := self.slots["largest_second_moment"].vector, out=largest)
                bias_1, bias_2 = 1 - beta_1**self.steps, 1 - beta_2**self.steps
                # √v̂ + ε = (√v + ε̂)/√(1-β2ᵗ) with ε̂ = ε·√(1-β2ᵗ): both forms share the line below.
                epsilon_hat = epsilon if hat else epsilon * math.sqrt(bias_2)
                np.add(np.sqrt(v, out=room), epsilon_hat, out=room)
                np.divide(m, room, out=room)
                np.multiply(room, rate * math.sqrt(bias_2) / bias_1, out=room)
                np.subtract(w, room, out=w)  # w - rate·√(1-β2ᵗ)/(1-β1ᵗ)·m/(√v + ε̂)
            case spec.Nadam(_, beta_1, beta_2, epsilon):
                m, v = self._moments(g, beta_1, beta_2)
                mus = [beta_1 * (1 - 0.5 * 0.96**t) for t in range(1, self.steps + 2)]  # μ₁ … μₜ₊₁
                now = (1 - mus[-2]) / (1 - math.prod(mus[:-1]))
                ahead = mus[-1] / (1 - math.prod(mus))
                np.sqrt(np.divide(v, 1 - beta_2**self.steps, out=room), out=room)
                np.add(room, epsilon, out=room)  # √v̂ + ε
                np.divide(now * g + ahead * m, room, out=room)
                np.multiply(room, rate, out=room)
                np.subtract(w, room, out=w)  # w - rate·(…·g + …·m)/(√v̂ + ε)

    def _moments(self, g: Array, beta_1: float, beta_2: float) -> tuple[Array, Array]:
        """The first and second moment (P,), updated."""
        m, v, room = self.slots["first_moment"].vector, self.slots["second_moment"].vector, self.room
        np.multiply(m, beta_1, out=m)
        np.multiply(g, 1 - beta_1, out=room)
        np.add(m, room, out=m)  # m = β1·m + (1-β1)·g
        np.multiply(v, beta_2, out=v)
        np.multiply(g, g, out=room)
        np.multiply(room, 1 - beta_2, out=room)
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
        if isinstance(self.task.schedule, spec.Plateau):
            self.schedule.resume(float(observed["state/learning_rate"]))
