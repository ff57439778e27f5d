"""The perceptron and its variants."""

from collections.abc import Sequence
from copy import deepcopy
from typing import final

import numpy as np
import torch
from torch import nn
from torch.optim.swa_utils import AveragedModel

from backends.base import Arrays, Placement, Program, named, pick
from tasks import spec
from tasks.spec import Array, Rows, Task

from . import arrays
from .arrays import Flat
from .optimizer import Optimizer


@final
class Perceptron(Program):
    """`nn.Linear` and SGD on (ŷ - y)·z, whose gradient is the perceptron's update with ŷ a constant."""

    def __init__(self, task: Task, at: Placement) -> None:
        assert isinstance(task.model, spec.Perceptron) and task.data is not None
        self.variant = task.model.variant
        self.device = torch.device(at.device)
        self.x = arrays.data(task.data.x_train, at)  # (N, D)
        self.y = arrays.data(task.data.y_train, at)  # (N,)
        self.linear = nn.Linear(task.data.features, 1, device=self.device)
        _fill(self.linear, dict(task.start))
        self.flat = Flat({"w": self.linear.weight, "b": self.linear.bias})  # (1, D), (1,)
        self.optimizer = Optimizer(task, self.flat)
        self.chosen: nn.Module = self.linear  # what it predicts with
        match self.variant:
            case "averaged":
                self.average = AveragedModel(self.linear)
                self.chosen = self.average
                _fill(self.chosen, {name: np.zeros(shape) for name, shape in task.shapes.items()})
            case "pocket":
                self.chosen = deepcopy(self.linear)
                self.fewest = self._mistakes()  # of the pocket's parameters

    def run(self, batches: Sequence[Rows]) -> Array:
        """One row at a time; the loss is 1 for a mistake."""
        losses = []
        for rows in batches:
            losses.append(self._backward(rows))
            self.optimizer.step(self.flat.gradient)
            match self.variant:
                case "averaged":
                    self.average.update_parameters(self.linear)
                case "pocket":
                    self._pocket()
        return torch.stack(losses).cpu().numpy()

    def _pocket(self) -> None:
        """Keep the parameters if no earlier ones made as few mistakes."""
        mistakes = self._mistakes()
        if mistakes < self.fewest:
            self.fewest = mistakes
            self.chosen.load_state_dict(self.linear.state_dict())

    @torch.no_grad()
    def _mistakes(self) -> float:
        return float((_score(self.linear(self.x)) != self.y).sum())

    def gradient(self, rows: Rows) -> tuple[float, Arrays]:
        """Mean over the rows."""
        loss = self._backward(rows)
        views = self.flat.views(self.flat.gradient)  # (1, D), (1,)
        return loss.item(), {"w": arrays.numpy(views["w"])[:, 0], "b": arrays.numpy(views["b"])}

    def _backward(self, rows: Rows) -> torch.Tensor:
        self.flat.gradient.zero_()
        z = self.linear(self.x[rows])  # (N, 1)
        error = _score(z) - self.y[rows]  # (N,) ŷ - y: -1, 0 or 1
        torch.autograd.backward((error * z[:, 0]).mean())
        return error.abs().mean()

    def observe(self) -> Arrays:
        observed = named("param", _arrays(self.linear)) | self.optimizer.observe()
        match self.variant:
            case "averaged":
                observed |= named("state/average", _arrays(self.chosen))
                observed["state/step"] = arrays.numpy(self.average.n_averaged)
            case "pocket":
                observed |= named("state/pocket", _arrays(self.chosen))
                observed["state/pocket_mistakes"] = np.array(self.fewest)
        return observed

    def restore(self, observed: Arrays) -> None:
        _fill(self.linear, pick("param", observed))
        self.optimizer.restore(observed)
        match self.variant:
            case "averaged":
                _fill(self.chosen, pick("state/average", observed))
                self.average.n_averaged.fill_(int(observed["state/step"]))
            case "pocket":
                _fill(self.chosen, pick("state/pocket", observed))
                self.fewest = float(observed["state/pocket_mistakes"])

    @torch.no_grad()
    def predict(self, x: Array) -> Array:
        """ŷ = 1 where z >= 0."""
        z = self.chosen(torch.tensor(x, dtype=self.x.dtype, device=self.device))  # (N, 1)
        return _score(z).cpu().numpy()

    def wait(self) -> None:
        """CUDA computes behind the caller's back."""
        arrays.wait(self.device)


def _score(z: torch.Tensor) -> torch.Tensor:
    """ŷ (N,) of z (N, 1); as a comparison it is a constant to autograd."""
    return (z[:, 0] >= 0).to(z.dtype)


def _arrays(linear: nn.Module) -> Arrays:
    w, b = linear.parameters()  # (1, D), (1,)
    return {"w": arrays.numpy(w)[:, 0], "b": arrays.numpy(b)}  # (D,), (1,)


@torch.no_grad()
def _fill(linear: nn.Module, values: Arrays) -> None:
    w, b = linear.parameters()  # (1, D), (1,)
    w.copy_(arrays.tensor(values["w"][:, None], w))
    b.copy_(arrays.tensor(values["b"], b))
