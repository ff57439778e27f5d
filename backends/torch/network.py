"""Layers, loss, penalty and constraint of a fully connected network."""

from collections.abc import Sequence
from typing import final

import numpy as np
import torch
from torch import nn

from backends.base import Arrays, Placement, Program, named, pick, pieces
from tasks import spec
from tasks.spec import Array, Rows, Task

from . import arrays
from .arrays import Flat
from .loss import activation, losses, scores, targets
from .optimizer import Optimizer


@final
class Network(Program):
    """`nn.Sequential` of `nn.Linear`, trained on a loss of `nn.functional`."""

    def __init__(self, task: Task, at: Placement) -> None:
        assert isinstance(task.model, spec.Network) and task.data is not None
        self.spec = task.model
        self.device = torch.device(at.device)
        self.x = arrays.data(task.data.x_train, at)  # (N, D)
        self.y = targets(task.model.loss, arrays.data(task.data.y_train, at))  # (N, 1) or (N,)
        self.weights = None if task.data.weights is None else arrays.data(task.data.weights, at)  # (N,)
        self.model = nn.Sequential(*_layers(task, at)).to(self.device)  # z (N, C)
        self.dropouts = [layer for layer in self.model if isinstance(layer, _Dropout)]
        self.parameters = dict(zip(task.shapes, self.model.parameters(), strict=True))
        self.kernels = [p for name, p in self.parameters.items() if name.startswith("w")]  # (out, in) each
        self._fill(dict(task.start))
        self.flat = Flat(self.parameters)
        self.optimizer = Optimizer(task, self.flat)

    def run(self, batches: Sequence[Rows]) -> Array:
        found = []
        for _, piece in pieces(batches, self.x.shape[1]):
            found += self._train(piece)
        return torch.stack(found).cpu().numpy()

    def _train(self, batches: Sequence[Rows]) -> list[torch.Tensor]:
        """Losses of the steps.  Fast: rows are gathered for all of them at once, and each gets a view."""
        sizes = [len(rows) for rows in batches]
        rows = torch.from_numpy(np.concatenate(batches)).to(self.device)
        parts = (torch.split(array, sizes) for array in (rows, self.x[rows], self.y[rows]))
        found = []
        for batch, x, y in zip(*parts, strict=True):
            loss = self._loss(batch, x, y)
            penalised = self._penalised(loss, len(x))
            if self.optimizer.decays:
                # The step gets the penalty as weight decay, the reported loss as a term.
                # Recipe (alpha-rows): scikit-learn divides alpha by the rows of this batch, and leaves biases
                # alone.
                self.optimizer.native.param_groups[0]["weight_decay"] = self.spec.l2 / len(x)
            self._backward(loss if self.optimizer.decays else penalised)
            self.optimizer.step(self.flat.gradient)
            if self.spec.max_norm is not None:
                self._constrain(self.spec.max_norm)
            found.append(penalised.detach())
        return found

    @torch.no_grad()
    def _constrain(self, largest: float) -> None:
        """Scale the incoming weights of each unit back to a norm of at most `largest`.

        Recipe (max-norm): what torch.renorm would do, but that divides by the norm + 1e-7.
        """
        for w in self.kernels:
            norms = torch.linalg.vector_norm(w, dim=1, keepdim=True)  # (out, 1)
            w.mul_(largest / norms.clamp_min(largest))  # (out, in)

    def gradient(self, rows: Rows) -> tuple[float, Arrays]:
        """With the penalty in the loss, since weight decay shows only inside the optimizer."""
        at = torch.from_numpy(rows).to(self.device)
        loss = self._penalised(self._loss(at, self.x[at], self.y[at]), len(rows))
        self._backward(loss)
        views = self.flat.views(self.flat.gradient)
        return loss.item(), {name: arrays.numpy(view) for name, view in views.items()}

    def _loss(self, rows: torch.Tensor, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        """Mean over the rows, weighted if they are."""
        for dropout in self.dropouts:
            dropout.rows = rows
        z = self.model(x)  # (N, C)
        if self.weights is None:
            return losses(self.spec.loss, z, y, "mean")
        weights = self.weights[rows]  # (N,)
        # Recipe: PyTorch would divide by N.
        return weights @ losses(self.spec.loss, z, y).flatten() / weights.sum()

    def _backward(self, loss: torch.Tensor) -> None:
        """Fill the gradients, which PyTorch adds to; below a step, which lets no derivative through, 0."""
        self.flat.gradient.zero_()
        torch.autograd.backward(loss)

    def _penalised(self, loss: torch.Tensor, n: int) -> torch.Tensor:
        """The loss and (½·l2·Σ w² + l1·Σ |w|)/N."""
        if not self.spec.l2 and not self.spec.l1:
            return loss
        w = torch.cat([kernel.flatten() for kernel in self.kernels])
        penalty = 0.5 * self.spec.l2 * (w @ w)
        if self.spec.l1:
            penalty = penalty + self.spec.l1 * w.abs().sum()
        return loss + penalty / n

    def observe(self) -> Arrays:
        parameters = {name: arrays.numpy(p) for name, p in self.parameters.items()}
        return named("param", parameters) | self.optimizer.observe()

    def restore(self, observed: Arrays) -> None:
        self._fill(pick("param", observed))
        self.optimizer.restore(observed)

    @torch.no_grad()
    def _fill(self, values: Arrays) -> None:
        for name, parameter in self.parameters.items():
            parameter.copy_(arrays.tensor(values[name], parameter))

    @torch.no_grad()
    def predict(self, x: Array) -> Array:
        """Every unit is kept: dropout is for training alone."""
        self.model.eval()
        z = self.model(torch.tensor(x, dtype=self.x.dtype, device=self.device))  # (N, C)
        self.model.train()
        return scores(self.spec.loss, z).cpu().numpy()

    def end_epoch(self, loss: float) -> None:
        self.optimizer.schedule.end_epoch(loss)

    def wait(self) -> None:
        """CUDA computes behind the caller's back."""
        arrays.wait(self.device)


class _Dropout(nn.Module):
    """`nn.Dropout` with the task's choice of units in place of one of its own."""

    def __init__(self, kept: Array, rate: float, at: Placement) -> None:
        super().__init__()
        self.factors = arrays.data(kept / (1 - rate), at)  # (N, H) 0, or 1/(1 - rate), of all rows
        self.rows = torch.zeros(0, dtype=torch.int64)  # of the batch

    def forward(self, h: torch.Tensor) -> torch.Tensor:
        return h * self.factors[self.rows] if self.training else h


def _layers(task: Task, at: Placement) -> list[nn.Module]:
    model, data = task.model, task.data
    assert isinstance(model, spec.Network) and data is not None
    sizes = (data.features, *model.hidden, model.loss.outputs)
    layers: list[nn.Module] = []
    for i, units in enumerate(model.hidden):
        layers += [nn.Linear(sizes[i], units), activation(model.activation)]
        if data.kept is not None:
            start = sum(model.hidden[:i])
            layers.append(_Dropout(data.kept[:, start : start + units], model.dropout, at))
    return [*layers, nn.Linear(sizes[-2], sizes[-1])]
