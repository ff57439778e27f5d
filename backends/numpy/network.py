"""Forward, backward, penalty and constraint of a fully connected network."""

from collections.abc import Sequence
from typing import final

import numpy as np

from backends.base import Arrays, Placement, Program, named, pick
from tasks import spec
from tasks.spec import Array, Rows, Task

from .arrays import Flat
from .loss import ACTIVATIONS, loss_and_delta, scores, targets
from .optimizer import Optimizer


@final
class Network(Program):
    """Forward, backward and penalty of a fully connected network, layer by layer."""

    def __init__(self, task: Task, at: Placement) -> None:
        assert isinstance(task.model, spec.Network) and task.data is not None
        self.model = task.model
        self.x = task.data.x_train.astype(at.dtype)  # (N, D)
        self.y = targets(task.model.loss, task.data.y_train.astype(at.dtype))  # (N, C)
        self.weights = None if task.data.weights is None else task.data.weights.astype(at.dtype)  # (N,)
        self.kept = _kept(task, at.dtype)
        self.activate, self.derive = ACTIVATIONS[task.model.activation]
        self.parameters = Flat(task.shapes, at.dtype)
        self.parameters.fill(dict(task.start))
        self.gradients = Flat(task.shapes, at.dtype)
        self.layers = _layers(self.parameters)
        self.layer_gradients = _layers(self.gradients)
        self.rooms: dict[int, tuple[_Room, ...]] = {}
        self.optimizer = Optimizer(task, self.parameters)

    def run(self, batches: Sequence[Rows]) -> Array:
        losses = np.empty(len(batches))
        for step, rows in enumerate(batches):
            losses[step] = self._loss_and_gradients(rows)
            self.optimizer.step(self.gradients)
            if self.model.max_norm is not None:
                self._constrain(self.model.max_norm)
        return losses

    def _constrain(self, largest: float) -> None:
        """Scale the incoming weights of each unit back to a norm of at most `largest`."""
        for w, _ in self.layers:
            norms = np.sqrt(np.sum(w * w, axis=0))  # (out,)
            np.multiply(w, largest / np.maximum(norms, largest), out=w)  # (in, out)

    def gradient(self, rows: Rows) -> tuple[float, Arrays]:
        return self._loss_and_gradients(rows), self.gradients.copies()

    def _loss_and_gradients(self, rows: Rows) -> float:
        n = len(rows)
        room = self._room(n)
        kept = [k[rows] for k in self.kept]  # (N, H) of each hidden layer, or nothing
        *h, z = self._forward(self.x[rows], room, kept)  # inputs of each layer (N, H), outputs (N, C)
        losses, delta = loss_and_delta(self.model.loss, z, self.y[rows])  # (N,), (N, C) ∂loss/∂z
        if self.weights is None:
            loss = float(np.mean(losses))
            delta = delta / n
        else:
            share = self.weights[rows] / np.sum(self.weights[rows])  # (N,)
            loss = float(share @ losses)
            delta = delta * share[:, None]
        for i in range(len(h) - 1, -1, -1):
            w, (gradient_w, gradient_b) = self.layers[i][0], self.layer_gradients[i]
            np.matmul(h[i].T, delta, out=gradient_w)  # (in, out)
            np.sum(delta, axis=0, out=gradient_b)  # (out,)
            loss += self._penalise(w, gradient_w, n)
            if i:
                below = room[i - 1]
                delta = np.matmul(delta, w.T, out=below.delta)  # (N, in)
                if kept:
                    delta *= kept[i - 1]
                delta = self.derive(below.z, below.h, delta)
        return loss

    def _penalise(self, w: Array, gradient: Array, n: int) -> float:
        """Add the penalty's gradient; divided by this batch's rows, so a short batch is penalised more."""
        penalty = 0.0
        if self.model.l2:
            gradient += self.model.l2 / n * w
            penalty += 0.5 * self.model.l2 / n * float(np.vdot(w, w))
        if self.model.l1:
            gradient += self.model.l1 / n * np.sign(w)
            penalty += self.model.l1 / n * float(np.sum(np.abs(w)))
        return penalty

    def _room(self, n: int) -> "tuple[_Room, ...]":
        """Arrays for each layer, kept per batch size.

        Allocating them anew costs as much as a matrix product: the system must clear their pages.
        """
        if n not in self.rooms:
            self.rooms[n] = tuple(_Room((n, len(b)), self.x.dtype) for _, b in self.layers)
        return self.rooms[n]

    def _forward(self, x: Array, room: "Sequence[_Room | None]", kept: list[Array]) -> list[Array]:
        """The inputs of each layer, then the outputs, computed into `room` where it is given."""
        found = [x]  # (N, D)
        for i, ((w, b), place) in enumerate(zip(self.layers, room, strict=True)):
            z = np.matmul(found[-1], w, out=None if place is None else place.z)  # (N, out)
            z += b
            is_last = i == len(self.layers) - 1
            h = z if is_last else self.activate(z, None if place is None else place.h)
            found.append(h * kept[i] if kept and not is_last else h)
        return found

    def observe(self) -> Arrays:
        return named("param", self.parameters.copies()) | self.optimizer.observe()

    def restore(self, observed: Arrays) -> None:
        self.parameters.fill(pick("param", observed))
        self.optimizer.restore(observed)

    def predict(self, x: Array) -> Array:
        """Every unit is kept: dropout is for training alone."""
        z = self._forward(x.astype(self.x.dtype), [None] * len(self.layers), [])[-1]  # (N, C)
        return scores(self.model.loss, z)

    def end_epoch(self, loss: float) -> None:
        self.optimizer.schedule.end_epoch(loss)

    def wait(self) -> None:
        """NumPy has finished when it returns."""


class _Room:
    """Where a layer's z, h and ∂loss/∂z go, (N, out) each."""

    def __init__(self, shape: tuple[int, int], dtype: np.dtype) -> None:
        self.z, self.h, self.delta = (np.empty(shape, dtype) for _ in range(3))


def _kept(task: Task, dtype: str) -> list[Array]:
    """By what each hidden layer is multiplied in training, (N, H): 0, or 1/(1 - dropout); or nothing."""
    assert isinstance(task.model, spec.Network) and task.data is not None
    if task.data.kept is None:
        return []
    scaled = (task.data.kept / (1 - task.model.dropout)).astype(dtype)  # (N, units)
    return np.split(scaled, np.cumsum(task.model.hidden)[:-1], axis=1)


def _layers(flat: Flat) -> list[tuple[Array, Array]]:
    """Pairs (w1, b1), (w2, b2) and so on."""
    views = list(flat.views.values())
    return list(zip(views[0::2], views[1::2], strict=True))
