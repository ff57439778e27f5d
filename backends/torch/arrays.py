"""From NumPy and back."""

import numpy as np
import torch

from backends.base import Placement
from tasks.spec import Array


def data(array: Array, at: Placement) -> torch.Tensor:
    """An array of the task on its device, axes as they stand."""
    return torch.tensor(array, dtype=getattr(torch, at.dtype), device=at.device)


def numpy(tensor: torch.Tensor) -> Array:
    """Recipe: a kernel is (out, in) in PyTorch and (in, out) in the task; vectors stay as they are."""
    return tensor.detach().cpu().numpy().T.copy()


def tensor(array: Array, like: torch.Tensor) -> torch.Tensor:
    """The inverse of `numpy`.

    Contiguous: the fused optimizers read state in memory order, and would take a transposed view for
    something else without complaint.
    """
    return torch.tensor(np.ascontiguousarray(array.T), dtype=like.dtype, device=like.device)


def wait(device: torch.device) -> None:
    """CUDA computes behind the caller's back."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
