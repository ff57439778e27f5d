"""From NumPy and back."""

from collections.abc import Mapping

import torch

from backends.base import Arrays, Placement
from tasks.spec import Array


def data(array: Array, at: Placement) -> torch.Tensor:
    """An array of the task on its device, axes as they stand."""
    return torch.tensor(array, dtype=getattr(torch, at.dtype), device=at.device)


def numpy(tensor: torch.Tensor) -> Array:
    """Recipe (dense-kernel): a kernel is (out, in) in PyTorch and (in, out) in the task."""
    return tensor.detach().cpu().numpy().T.copy()


def tensor(array: Array, like: torch.Tensor) -> torch.Tensor:
    """The inverse of `numpy`."""
    return torch.tensor(array.T, dtype=like.dtype, device=like.device)


class Flat:
    """Parameters that are views into one vector (P,), kernels first, and their gradients, into another.

    Fast: an optimizer takes as long to begin with a tensor as with all of a small network.
    """

    def __init__(self, parameters: Mapping[str, torch.Tensor]) -> None:
        self.names = sorted(parameters, key=lambda name: name.startswith("b"))
        self.shapes = {name: parameter.shape for name, parameter in parameters.items()}
        self.kernels = sum(p.numel() for name, p in parameters.items() if name.startswith("w"))
        self.vector = torch.cat([parameters[name].detach().flatten() for name in self.names])
        self.gradient = torch.zeros_like(self.vector)
        values, gradients = self.views(self.vector), self.views(self.gradient)
        for name, parameter in parameters.items():
            parameter.data, parameter.grad = values[name], gradients[name]

    def views(self, vector: torch.Tensor) -> dict[str, torch.Tensor]:
        """The parts of a vector like these, under their names."""
        parts = torch.split(vector, [self.shapes[name].numel() for name in self.names])
        found = dict(zip(self.names, parts, strict=True))
        return {name: found[name].view(shape) for name, shape in self.shapes.items()}

    def packed(self, arrays: Arrays) -> torch.Tensor:
        """The vector whose views are these arrays of the task."""
        return torch.cat([tensor(arrays[name], self.vector).flatten() for name in self.names])


def wait(device: torch.device) -> None:
    """CUDA computes behind the caller's back."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
