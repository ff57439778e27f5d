"""Forward, backward, penalty and constraint of a fully connected network."""

from collections.abc import Sequence
from typing import final

import numpy as np

from backends.base import Arrays, Placement, Program, named, pick, pieces
from tasks import spec
from tasks.spec import Array, Rows, Task

from .arrays import Flat
from .loss import ACTIVATIONS, delta, losses, scores, targets
from .optimizer import Optimizer


@final
class Network(Program):
    """Forward, backward and penalty of a fully connected network, layer by layer.

    Fast: each layer's input has one more feature, which is always 1, and [w; b] is one matrix, as it stands
    in the flat vector.  So one product adds the bias, and one gives the gradients of both.  Hidden layers are
    (H, N), units first: this feature is their last row, and the units above it are contiguous.
    """

    def __init__(self, task: Task, at: Placement) -> None:
        assert isinstance(task.model, spec.Network) and task.data is not None
        data, self.model, self.dtype = task.data, task.model, at.dtype
        weights = np.ones(data.rows) if data.weights is None else data.weights
        self.x = _with_ones(data.x_train, at.dtype)  # (N, D+1)
        self.y = targets(task.model.loss, data.y_train.astype(at.dtype))  # (N, C)
        self.weights = weights.astype(at.dtype)  # (N,)
        self.kept = _kept(task, at.dtype)
        self.activate, self.derive = ACTIVATIONS[task.model.activation]
        self.parameters = Flat(task.shapes, at.dtype)
        self.parameters.fill(dict(task.start))
        self.gradients = Flat(task.shapes, at.dtype)
        self.layers = _layers(self.parameters, self.gradients)
        kernels = [np.full(w.size, name[0] == "w", at.dtype) for name, w in self.parameters.views.items()]
        self.is_kernel = np.concatenate(kernels)  # (P,) 1, or 0 for biases, which no penalty reaches
        self.rooms: dict[int, list[_Room]] = {}
        self.optimizer = Optimizer(task, self.parameters)

    def run(self, batches: Sequence[Rows]) -> Array:
        found = np.empty(len(batches))
        for where, piece in pieces(batches, self.x.shape[1]):
            found[where] = self._walk(piece, moves=True)
        return found

    def gradient(self, rows: Rows) -> tuple[float, Arrays]:
        (loss,) = self._walk([rows], moves=False)
        return float(loss), self.gradients.copies()

    def _walk(self, batches: Sequence[Rows], *, moves: bool) -> Array:
        """Loss and gradients of one batch after the other; a step after each, if it moves.

        Fast: rows are gathered for all batches at once, by `take`, which is faster than brackets; losses,
        for which no step waits, are computed in the end, for all rows at once.
        """
        sizes = np.array([len(rows) for rows in batches])
        ends = np.cumsum(sizes)
        rows = np.concatenate(batches)  # (R,) of all batches
        x, y, weights = self.x.take(rows, axis=0), self.y.take(rows, axis=0), self.weights.take(rows)
        totals = np.add.reduceat(weights, ends - sizes)  # (steps,)
        shares = weights / np.repeat(totals, sizes)  # (R,) 1/N, or weighted
        kept = [k.take(rows, axis=1) for k in self.kept]  # (H, R) of each hidden layer, or nothing
        z = np.empty_like(y)  # (R, C) outputs
        is_penalised, penalties = self.model.l2 or self.model.l1, np.zeros(len(batches))
        for step, (n, end) in enumerate(zip(sizes.tolist(), ends.tolist(), strict=True)):
            here, room = slice(end - n, end), self._room(n)
            masks = [k[:, here] for k in kept]
            outputs = z[here]  # (N, C)
            inputs = self._forward(x[here], room, masks, outputs)
            slope = delta(self.model.loss, outputs, y[here]).T * shares[here]  # (C, N) ∂loss/∂z
            self._backward(inputs, slope, room, masks)
            if is_penalised:
                penalties[step] = self._penalise(n)
            if moves:
                self._move()
        return np.add.reduceat(losses(self.model.loss, z, y) * shares, ends - sizes) + penalties

    def _forward(self, x: Array, room: "list[_Room]", masks: list[Array], out: Array) -> list[Array]:
        """Outputs (N, C) for rows x (N, D+1); returns the inputs of each layer, (in+1, N)."""
        *hidden, last = self.layers
        inputs = [x.T]  # (D+1, N)
        for layer, place in zip(hidden, room, strict=True):
            layer.transposed.dot(inputs[-1], place.z)  # (H, N)
            self.activate(place.z, place.h)
            if masks:
                np.multiply(place.h, masks[len(inputs) - 1], place.inputs[:-1])
            inputs.append(place.inputs)  # (H+1, N)
        inputs[-1].T.dot(last.matrix, out)  # (N, C)
        return inputs

    def _backward(self, inputs: list[Array], slope: Array, room: "list[_Room]", masks: list[Array]) -> None:
        """Gradients of all layers, from ∂loss/∂z (C, N) of the last one."""
        for i in range(len(inputs) - 1, -1, -1):
            layer = self.layers[i]
            inputs[i].dot(slope.T, layer.gradient)  # (in+1, out)
            if i:
                below = room[i - 1]
                slope = layer.w.dot(slope, below.delta)  # (in, N)
                if masks:
                    slope *= masks[i - 1]
                self.derive(below.z, below.h, slope)

    def _penalise(self, n: int) -> float:
        """Add the penalty's gradient; divided by this batch's rows, so a short batch is penalised more."""
        w, g, penalty = self.parameters.vector, self.gradients.vector, 0.0
        if self.model.l2:
            pull = self.model.l2 / n * self.is_kernel * w  # (P,)
            g += pull
            penalty += 0.5 * float(pull @ w)
        if self.model.l1:
            pull = self.model.l1 / n * self.is_kernel * np.sign(w)  # (P,)
            g += pull
            penalty += float(pull @ w)
        return penalty

    def _move(self) -> None:
        self.optimizer.step(self.gradients)
        if self.model.max_norm is not None:
            self._constrain(self.model.max_norm)

    def _constrain(self, largest: float) -> None:
        """Scale the incoming weights of each unit back to a norm of at most `largest`."""
        for layer in self.layers:
            norms = np.sqrt(np.sum(layer.w * layer.w, axis=0))  # (out,)
            layer.w *= largest / np.maximum(norms, largest)  # (in, out)

    def _room(self, n: int) -> "list[_Room]":
        """Arrays for each hidden layer, kept per batch size.

        Fast: allocating them anew costs as much as a matrix product, for the system must clear their pages.
        """
        if n not in self.rooms:
            has_dropout = self.model.dropout > 0
            self.rooms[n] = [_Room(units, n, self.dtype, has_dropout) for units in self.model.hidden]
        return self.rooms[n]

    def observe(self) -> Arrays:
        return named("param", self.parameters.copies()) | self.optimizer.observe()

    def restore(self, observed: Arrays) -> None:
        self.parameters.fill(pick("param", observed))
        self.optimizer.restore(observed)

    def predict(self, x: Array) -> Array:
        """Every unit is kept: dropout is for training alone."""
        room = [_Room(units, len(x), self.dtype, False) for units in self.model.hidden]
        z = np.empty((len(x), self.model.loss.outputs), self.dtype)  # (N, C)
        self._forward(_with_ones(x, self.dtype), room, [], z)
        return scores(self.model.loss, z)

    def end_epoch(self, loss: float) -> None:
        self.optimizer.schedule.end_epoch(loss)

    def wait(self) -> None:
        """NumPy has finished when it returns."""


class _Layer:
    """Views of [w; b] and its gradient, (in+1, out)."""

    def __init__(self, matrix: Array, gradient: Array) -> None:
        self.matrix, self.gradient = matrix, gradient
        self.transposed, self.w = matrix.T, matrix[:-1]  # (out, in+1), (in, out)


class _Room:
    """Where a hidden layer's z, h and ∂loss/∂z go, (H, N) each."""

    def __init__(self, units: int, n: int, dtype: str, has_dropout: bool) -> None:
        self.z, self.delta = np.empty((units, n), dtype), np.empty((units, n), dtype)
        self.inputs = np.ones((units + 1, n), dtype)  # of the next layer; the last row stays 1
        self.h = np.empty_like(self.z) if has_dropout else self.inputs[:-1]


def _with_ones(x: Array, dtype: str) -> Array:
    """Rows x (N, D) with a last feature that is 1, (N, D+1)."""
    return np.column_stack([x, np.ones(len(x))]).astype(dtype)


def _kept(task: Task, dtype: str) -> list[Array]:
    """By what each hidden layer is multiplied in training, (H, N): 0, or 1/(1 - dropout); or nothing."""
    assert isinstance(task.model, spec.Network) and task.data is not None
    if task.data.kept is None:
        return []
    scaled = (task.data.kept / (1 - task.model.dropout)).astype(dtype)  # (N, units)
    return np.split(scaled.T, np.cumsum(task.model.hidden)[:-1])


def _layers(parameters: Flat, gradients: Flat) -> list[_Layer]:
    layers, start, views = [], 0, list(parameters.views.values())
    for w, b in zip(views[0::2], views[1::2], strict=True):
        end = start + w.size + b.size
        matrix, gradient = parameters.vector[start:end], gradients.vector[start:end]
        layers.append(_Layer(matrix.reshape(-1, b.size), gradient.reshape(-1, b.size)))
        start = end
    return layers
