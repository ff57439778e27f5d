"""Functions to descend, without data."""

from collections.abc import Callable, Sequence
from typing import final

import torch
from torch import nn

from backends.base import Arrays, Placement, Program, named
from tasks import spec
from tasks.spec import Array, Rows, Task

from . import arrays
from .arrays import Flat
from .optimizer import Optimizer


@final
class Function(Program):
    """f(w), differentiated by autograd."""

    def __init__(self, task: Task, at: Placement) -> None:
        assert isinstance(task.model, spec.Function)
        self.device = torch.device(at.device)
        self.function = _function(task.model, at)
        self.w = nn.Parameter(arrays.data(task.start["w"], at))  # (D,)
        self.flat = Flat({"w": self.w})
        self.optimizer = Optimizer(task, self.flat)

    def run(self, batches: Sequence[Rows]) -> Array:
        """One step per batch; there is no data, so the batches are empty."""
        losses = []
        for _ in batches:
            losses.append(self._backward())
            self.optimizer.step(self.flat.gradient)
        return torch.stack(losses).cpu().numpy()

    def gradient(self, rows: Rows) -> tuple[float, Arrays]:
        """f(w) and its gradient."""
        loss = self._backward()
        return loss.item(), {"w": arrays.numpy(self.flat.gradient)}

    def _backward(self) -> torch.Tensor:
        self.flat.gradient.zero_()
        loss = self.function(self.w)
        torch.autograd.backward(loss)
        return loss.detach()

    def observe(self) -> Arrays:
        return named("param", {"w": arrays.numpy(self.w)}) | self.optimizer.observe()

    @torch.no_grad()
    def restore(self, observed: Arrays) -> None:
        self.w.copy_(arrays.tensor(observed["param/w"], self.w))
        self.optimizer.restore(observed)

    @torch.no_grad()
    def predict(self, x: Array) -> Array:
        """Evaluate f at the points x (N, D)."""
        points = torch.tensor(x, dtype=self.w.dtype, device=self.device)
        return torch.stack([self.function(point) for point in points]).cpu().numpy()

    def wait(self) -> None:
        """CUDA computes behind the caller's back."""
        arrays.wait(self.device)


def _function(model: spec.Function, at: Placement) -> Callable[[torch.Tensor], torch.Tensor]:
    """The function f of one point w (D,)."""
    match model:
        case spec.Quadratic():
            hessian = arrays.data(model.hessian, at)  # (D, D)
            minimum = arrays.data(model.minimum, at)  # (D,)

            def quadratic(w: torch.Tensor) -> torch.Tensor:
                distance = w - minimum  # (D,)
                return 0.5 * distance @ hessian @ distance

            return quadratic
        case spec.Rosenbrock(steepness):

            def rosenbrock(w: torch.Tensor) -> torch.Tensor:
                away, above = 1 - w[0], w[1] - w[0] ** 2
                return away**2 + steepness * above**2

            return rosenbrock
