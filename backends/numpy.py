"""NumPy: the reference.  Every formula is written out by hand.

What makes it fast: all parameters are views into one flat vector, all gradients into another, so
an update is a handful of in-place operations however many layers there are.
"""

import math
from collections.abc import Sequence
from typing import final

import numpy as np

from backends import base
from backends.base import Arrays, Placement, Program, Unsupported, named, pick
from tasks import spec
from tasks.spec import Array, Rows, Shapes, Task


def setup(at: Placement) -> dict[str, str]:
    """Check the device; the BLAS has read its number of threads from the environment."""
    if at.device != "cpu":
        raise Unsupported("NumPy computes on the CPU only")
    return {"numpy": np.__version__}


class _Flat:
    """Named arrays that are views into one vector: the vector for updates, the views for layers."""

    def __init__(self, shapes: Shapes, dtype: str) -> None:
        sizes = [math.prod(shape) for shape in shapes.values()]
        self.vector = np.zeros(sum(sizes), dtype)  # (P,) all values
        ends = np.cumsum(sizes)
        self.views = {
            name: self.vector[end - size : end].reshape(shape)
            for (name, shape), size, end in zip(shapes.items(), sizes, ends, strict=True)
        }

    def fill(self, arrays: Arrays) -> None:
        for name, view in self.views.items():
            view[...] = arrays[name]

    def copies(self) -> Arrays:
        return {name: view.copy() for name, view in self.views.items()}


@final
class Optimizer:
    """The update rules, written out."""

    def __init__(self, rule: spec.Optimizer, parameters: _Flat) -> None:
        self.rule = rule
        self.parameters = parameters
        shapes = {name: view.shape for name, view in parameters.views.items()}
        self.slots = {slot: _Flat(shapes, parameters.vector.dtype.name) for slot in rule.slots}
        self.steps = 0
        self.room = np.empty_like(parameters.vector)  # scratch, so that an update allocates nothing

    def step(self, gradients: _Flat) -> None:
        """Update the parameters."""
        self.steps += 1
        w, g, room = self.parameters.vector, gradients.vector, self.room
        match self.rule:
            case spec.GradientDescent(rate):
                np.multiply(g, rate, out=room)
                np.subtract(w, room, out=w)  # w - rate·g
            case spec.Momentum(rate, momentum):
                v = self.slots["velocity"].vector
                np.multiply(v, momentum, out=v)
                np.multiply(g, rate, out=room)
                np.subtract(v, room, out=v)  # v = momentum·v - rate·g
                np.add(w, v, out=w)  # w + v
            case spec.RMSprop(rate, rho, epsilon, inside):
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
            case spec.Adam(rate, beta_1, beta_2, epsilon, hat):
                m, v = self.slots["first_moment"].vector, self.slots["second_moment"].vector
                np.multiply(m, beta_1, out=m)
                np.multiply(g, 1 - beta_1, out=room)
                np.add(m, room, out=m)  # m = β1·m + (1-β1)·g
                np.multiply(v, beta_2, out=v)
                np.multiply(g, g, out=room)
                np.multiply(room, 1 - beta_2, out=room)
                np.add(v, room, out=v)  # v = β2·v + (1-β2)·g²
                bias_1, bias_2 = 1 - beta_1**self.steps, 1 - beta_2**self.steps
                # √v̂ + ε = (√v + ε̂)/√(1-β2ᵗ) with ε̂ = ε·√(1-β2ᵗ): both forms share the line below.
                epsilon_hat = epsilon if hat else epsilon * math.sqrt(bias_2)
                np.add(np.sqrt(v, out=room), epsilon_hat, out=room)
                np.divide(m, room, out=room)
                np.multiply(room, rate * math.sqrt(bias_2) / bias_1, out=room)
                np.subtract(w, room, out=w)  # w - rate·√(1-β2ᵗ)/(1-β1ᵗ)·m/(√v + ε̂)

    def observe(self) -> Arrays:
        """The state under the task's names."""
        observed: Arrays = {}
        for slot, flat in self.slots.items():
            observed |= named(f"state/{slot}", flat.copies())
        if isinstance(self.rule, spec.Adam):
            observed["state/step"] = np.array(self.steps)
        return observed

    def restore(self, observed: Arrays) -> None:
        """The inverse of `observe`."""
        for slot, flat in self.slots.items():
            flat.fill(pick(f"state/{slot}", observed))
        self.steps = int(observed.get("state/step", 0))


@final
class Perceptron(Program):
    """The perceptron's own rule; it has no gradient to descend, but its update is one of -(y - ŷ)·z."""

    def __init__(self, task: Task, at: Placement) -> None:
        assert task.data is not None
        self.x = task.data.x_train.astype(at.dtype)  # (N, D)
        self.y = task.data.y_train.astype(at.dtype)  # (N,)
        self.parameters = _Flat(task.shapes, at.dtype)
        self.parameters.fill(dict(task.start))
        self.gradients = _Flat(task.shapes, at.dtype)
        self.optimizer = Optimizer(task.optimizer, self.parameters)

    def run(self, batches: Sequence[Rows]) -> Array:
        """One row at a time; the loss is 1 for a mistake."""
        losses = np.empty(len(batches))
        for step, rows in enumerate(batches):
            losses[step] = self._loss_and_gradients(rows)
            self.optimizer.step(self.gradients)
        return losses

    def gradient(self, rows: Rows) -> tuple[float, Arrays]:
        """Mean over the rows."""
        return self._loss_and_gradients(rows), self.gradients.copies()

    def _loss_and_gradients(self, rows: Rows) -> float:
        x, y = self.x[rows], self.y[rows]  # (N, D), (N,)
        error = self.predict(x) - y  # (N,) ŷ - y: -1, 0 or 1
        self.gradients.views["w"][...] = error @ x / len(rows)  # (D,)
        self.gradients.views["b"][...] = np.mean(error)  # (1,)
        return float(np.mean(np.abs(error)))

    def observe(self) -> Arrays:
        return named("param", self.parameters.copies()) | self.optimizer.observe()

    def restore(self, observed: Arrays) -> None:
        self.parameters.fill(pick("param", observed))
        self.optimizer.restore(observed)

    def predict(self, x: Array) -> Array:
        """ŷ = 1 where x·w + b >= 0."""
        w, b = self.parameters.views["w"], self.parameters.views["b"]
        return (x @ w + b >= 0).astype(w.dtype)  # (N,)

    def wait(self) -> None:
        """NumPy has finished when it returns."""


@final
class Quadratic(Program):
    """f(w) = ½·(w - m)ᵀ H (w - m), its gradient H (w - m)."""

    def __init__(self, task: Task, at: Placement) -> None:
        assert isinstance(task.model, spec.Quadratic)
        self.hessian = task.model.hessian.astype(at.dtype)  # (D, D)
        self.minimum = task.model.minimum.astype(at.dtype)  # (D,)
        self.parameters = _Flat(task.shapes, at.dtype)
        self.parameters.fill(dict(task.start))
        self.gradients = _Flat(task.shapes, at.dtype)
        self.optimizer = Optimizer(task.optimizer, self.parameters)

    def run(self, batches: Sequence[Rows]) -> Array:
        """One step per batch; there is no data, so the batches are empty."""
        losses = np.empty(len(batches))
        for step in range(len(batches)):
            losses[step] = self._loss_and_gradients()
            self.optimizer.step(self.gradients)
        return losses

    def gradient(self, rows: Rows) -> tuple[float, Arrays]:
        """f(w) and H (w - m)."""
        return self._loss_and_gradients(), self.gradients.copies()

    def _loss_and_gradients(self) -> float:
        distance = self.parameters.vector - self.minimum  # (D,)
        np.matmul(self.hessian, distance, out=self.gradients.vector)  # (D,)
        return float(0.5 * distance @ self.gradients.vector)

    def observe(self) -> Arrays:
        return named("param", self.parameters.copies()) | self.optimizer.observe()

    def restore(self, observed: Arrays) -> None:
        self.parameters.fill(pick("param", observed))
        self.optimizer.restore(observed)

    def predict(self, x: Array) -> Array:
        """Evaluate f at the points x (N, D)."""
        distance = x - self.minimum  # (N, D)
        return 0.5 * np.sum(distance @ self.hessian * distance, axis=1)  # (N,)

    def wait(self) -> None:
        """NumPy has finished when it returns."""


@final
class Network(Program):
    """Forward, backward and penalty of a fully connected network, layer by layer."""

    def __init__(self, task: Task, at: Placement) -> None:
        assert isinstance(task.model, spec.Network) and task.data is not None
        self.x = task.data.x_train.astype(at.dtype)  # (N, D)
        self.y = task.data.y_train.astype(at.dtype)[:, None]  # (N, 1)
        self.l2 = task.model.l2
        self.activate, self.derive = _ACTIVATIONS[task.model.activation]
        self.parameters = _Flat(task.shapes, at.dtype)
        self.parameters.fill(dict(task.start))
        self.gradients = _Flat(task.shapes, at.dtype)
        self.layers = _layers(self.parameters)
        self.layer_gradients = _layers(self.gradients)
        self.rooms: dict[int, tuple[list[Array], list[Array]]] = {}
        self.optimizer = Optimizer(task.optimizer, self.parameters)

    def run(self, batches: Sequence[Rows]) -> Array:
        losses = np.empty(len(batches))
        for step, rows in enumerate(batches):
            losses[step] = self._loss_and_gradients(rows)
            self.optimizer.step(self.gradients)
        return losses

    def gradient(self, rows: Rows) -> tuple[float, Arrays]:
        return self._loss_and_gradients(rows), self.gradients.copies()

    def _loss_and_gradients(self, rows: Rows) -> float:
        n = len(rows)
        y = self.y[rows]  # (N, 1)
        values, deltas = self._room(n)
        *h, z = self._forward(self.x[rows], values)  # inputs of each layer (N, H), logits (N, 1)
        decay = np.exp(-np.abs(z))  # (N, 1) e^-|z| cannot overflow
        loss = float(np.mean(np.maximum(z, 0) - z * y + np.log1p(decay)))  # mean of -y·log p - (1-y)·log(1-p)
        p = np.where(z >= 0, 1, decay) / (1 + decay)  # (N, 1) logistic function of z
        delta = (p - y) / n  # (N, 1) ∂loss/∂z
        for i in range(len(h) - 1, -1, -1):
            w, (gradient_w, gradient_b) = self.layers[i][0], self.layer_gradients[i]
            np.matmul(h[i].T, delta, out=gradient_w)  # (in, out)
            np.sum(delta, axis=0, out=gradient_b)  # (out,)
            if self.l2:  # divided by this batch's rows, as in scikit-learn: a short batch is penalised more
                gradient_w += self.l2 / n * w
                loss += 0.5 * self.l2 / n * float(np.vdot(w, w))
            if i:
                delta = self.derive(h[i], np.matmul(delta, w.T, out=deltas[i - 1]))  # (N, in)
        return loss

    def _room(self, n: int) -> tuple[list[Array], list[Array]]:
        """Arrays (N, out) for the value of each layer and for ∂loss of it, kept per batch size.

        Allocating them anew costs as much as a matrix product: the system must clear their pages.
        """
        if n not in self.rooms:
            shapes = [(n, len(b)) for _, b in self.layers]
            values, deltas = ([np.empty(shape, self.x.dtype) for shape in shapes] for _ in range(2))
            self.rooms[n] = values, deltas
        return self.rooms[n]

    def _forward(self, x: Array, values: Sequence[Array | None]) -> list[Array]:
        """The inputs of each layer, then the logits, computed into `values` where they are given."""
        found = [x]  # (N, D)
        for i, ((w, b), value) in enumerate(zip(self.layers, values, strict=True), 1):
            z = np.matmul(found[-1], w, out=value)  # (N, out)
            z += b
            found.append(z if i == len(self.layers) else self.activate(z))
        return found

    def observe(self) -> Arrays:
        return named("param", self.parameters.copies()) | self.optimizer.observe()

    def restore(self, observed: Arrays) -> None:
        self.parameters.fill(pick("param", observed))
        self.optimizer.restore(observed)

    def predict(self, x: Array) -> Array:
        """Probability of class 1."""
        return _logistic(self._forward(x.astype(self.x.dtype), [None] * len(self.layers))[-1])[:, 0]  # (N,)

    def wait(self) -> None:
        """NumPy has finished when it returns."""


@final
class Chance(base.Chance):
    """NumPy's own generator, with the formulas written out."""

    def initial(self, shape: tuple[int, int], seed: int) -> Array:
        """Uniform in ±√(6/(in+out))."""
        bound = math.sqrt(6 / sum(shape))
        return np.random.default_rng(seed).uniform(-bound, bound, shape)  # (in, out)

    def dropout(self, x: Array, rate: float, seed: int) -> Array:
        """What is kept grows by 1/(1 - rate), so that the mean stays."""
        is_kept = np.random.default_rng(seed).random(x.shape) >= rate
        return np.where(is_kept, x / (1 - rate), 0)

    def shuffle(self, rows: int, seed: int) -> Rows:
        return np.random.default_rng(seed).permutation(rows)


def _layers(flat: _Flat) -> list[tuple[Array, Array]]:
    """Pairs (w1, b1), (w2, b2) and so on."""
    views = list(flat.views.values())
    return list(zip(views[0::2], views[1::2], strict=True))


def _logistic(z: Array) -> Array:
    """1/(1 + e^-z), in place of z."""
    decay = np.exp(-np.abs(z))  # cannot overflow
    return np.divide(np.where(z >= 0, 1, decay), 1 + decay, out=z)


def _relu(z: Array) -> Array:
    return np.maximum(z, 0, out=z)


def _relu_backward(h: Array, delta: Array) -> Array:
    return np.multiply(delta, h > 0, out=delta)  # relu'(0) = 0


def _tanh(z: Array) -> Array:
    return np.tanh(z, out=z)


def _tanh_backward(h: Array, delta: Array) -> Array:
    return np.multiply(delta, 1 - h * h, out=delta)


def _logistic_backward(h: Array, delta: Array) -> Array:
    return np.multiply(delta, h * (1 - h), out=delta)


# The function, in place, and its derivative by its value h, times the incoming delta.
_ACTIVATIONS = {
    "relu": (_relu, _relu_backward),
    "tanh": (_tanh, _tanh_backward),
    "logistic": (_logistic, _logistic_backward),
}
