"""The loop that one would write in NumPy by hand: one flat vector each for parameters, gradients, moments."""

import math
from itertools import pairwise
from typing import final

import numpy as np
from scipy.special import expit

from backends.base import NotObserved, Program, Unsupported, named, pick
from tasks import sweep


def setup(at):
    """The BLAS has read its number of threads from the environment."""
    return {"numpy": np.__version__}


@final
class Network(Program):
    """Nothing is allocated after the first step."""

    def __init__(self, task, at):
        if not sweep.is_plain(task) or at.dtype != "float64" or at.device != "cpu":
            raise Unsupported(sweep.PLAIN)
        self.x, self.y = task.data.x_train, task.data.y_train[:, None].astype(float)  # (N, D), (N, 1)
        self.batch, self.adam, self.t = task.batches.size, task.optimizer, 0
        self.w, self.parameters = _flat(task)
        self.g, self.gradients = _flat(task)
        self.m, self.first_moment = _flat(task)
        self.v, self.second_moment = _flat(task)
        self.room = np.empty_like(self.w)
        self.restore(named("param", dict(task.start)))
        sizes = [len(b) for b in list(self.parameters.values())[1::2]]
        self.h = [np.empty((self.batch, size)) for size in sizes]  # of each layer; z in the last
        self.d = [np.empty((self.batch, size)) for size in sizes]  # ∂loss/∂z
        self.dead = [np.empty((self.batch, size), bool) for size in sizes]

    def run(self, batches):
        x, y, n, w, g, m, v, room = self.x, self.y, self.batch, self.w, self.g, self.m, self.v, self.room
        adam = self.adam
        p, q = list(self.parameters.values()), list(self.gradients.values())
        layers = list(zip(p[0::2], p[1::2], q[0::2], q[1::2], strict=True))
        z, delta, ones = self.h[-1], self.d[-1], np.ones(n)
        sign = 1.0 - 2.0 * y  # so that the loss is log(1 + e^u) with u = sign·z
        losses = np.empty(len(batches))
        for k in range(len(batches)):
            start = self.t * n % len(x)
            here, there = x[start : start + n], sign[start : start + n]
            h = here
            for (kernel, bias, _, _), room_h in zip(layers, self.h, strict=True):
                h = np.dot(h, kernel, out=room_h)
                np.add(h, bias, out=h)
                if h is not z:
                    np.maximum(h, 0.0, out=h)
            u = np.multiply(z, there, out=z)
            losses[k] = np.add.reduce(np.logaddexp(0.0, u), axis=None) / n
            expit(u, out=delta)
            np.multiply(delta, there, out=delta)
            np.divide(delta, n, out=delta)
            for i in range(len(layers) - 1, -1, -1):
                kernel, _, gradient, bias_gradient = layers[i]
                below, d = self.h[i - 1] if i else here, self.d[i]
                np.dot(below.T, d, out=gradient)
                np.dot(ones, d, out=bias_gradient)  # Fast: a sum over rows takes five times as long
                if i:
                    np.dot(d, kernel.T, out=self.d[i - 1])
                    np.less_equal(below, 0.0, out=self.dead[i - 1])
                    np.putmask(self.d[i - 1], self.dead[i - 1], 0.0)
            self.t += 1
            np.multiply(m, adam.beta_1, out=m)
            np.multiply(g, 1 - adam.beta_1, out=room)
            np.add(m, room, out=m)
            np.multiply(v, adam.beta_2, out=v)
            np.multiply(g, g, out=g)
            np.multiply(g, 1 - adam.beta_2, out=g)
            np.add(v, g, out=v)
            np.sqrt(v, out=room)
            np.add(room, adam.epsilon, out=room)
            np.divide(m, room, out=room)
            bias_1, bias_2 = 1 - adam.beta_1**self.t, 1 - adam.beta_2**self.t
            np.multiply(room, adam.learning_rate * math.sqrt(bias_2) / bias_1, out=room)
            np.subtract(w, room, out=w)
        return losses

    def gradient(self, rows):
        raise NotObserved("a bare loop shows no gradients")

    def observe(self):
        shown = {
            "param": self.parameters,
            "state/first_moment": self.first_moment,
            "state/second_moment": self.second_moment,
        }
        arrays = {k: a.copy() for prefix, views in shown.items() for k, a in named(prefix, views).items()}
        return arrays | {"state/step": np.array(self.t)}

    def restore(self, observed):
        for prefix, views in (
            ("param", self.parameters),
            ("state/first_moment", self.first_moment),
            ("state/second_moment", self.second_moment),
        ):
            found = pick(prefix, observed)
            for name, view in views.items():
                view[...] = found.get(name, 0.0)
        self.t = int(observed.get("state/step", 0))

    def predict(self, x):
        *layers, (w, b) = [
            (self.parameters[f"w{i}"], self.parameters[f"b{i}"]) for i in range(1, len(self.h) + 1)
        ]
        for kernel, bias in layers:
            x = np.maximum(x @ kernel + bias, 0.0)
        return expit(x @ w + b)[:, 0]

    def wait(self):
        """NumPy has finished when it returns."""


def _flat(task):
    """A vector, and its parts in the shapes of the parameters."""
    ends = np.cumsum([0, *(math.prod(shape) for shape in task.shapes.values())])
    vector = np.zeros(ends[-1])
    parts = [vector[a:b] for a, b in pairwise(ends)]
    return vector, {
        name: part.reshape(shape) for (name, shape), part in zip(task.shapes.items(), parts, strict=True)
    }
