"""PyTorch: its layers, losses, autograd, optimizers and schedulers.

What makes it agree with the others is marked "Recipe" where it stands: kernels are transposed, Adam's ε
follows the step, the L2 penalty is a weight decay that follows the batch, the velocity of momentum is its
buffer times minus the learning rate, and a few defaults of optimizers and schedulers are not the task's.
"""

import torch

from backends.base import Placement

from .chance import Chance
from .function import Function
from .network import Network
from .optimizer import Optimizer
from .perceptron import Perceptron
from .schedule import Schedule

__all__ = ["Chance", "Function", "Network", "Optimizer", "Perceptron", "Schedule", "setup"]


def setup(at: Placement) -> dict[str, str]:
    """Fix threads before the first tensor, and make float64 or float32 the dtype of everything."""
    if at.device == "cuda" and not torch.cuda.is_available():
        raise RuntimeError(f"this build of PyTorch, {torch.__version__}, sees no CUDA device")
    torch.set_num_threads(at.threads)
    torch.set_default_dtype(getattr(torch, at.dtype))
    return {
        "torch": str(torch.__version__),
        "cuda": str(torch.version.cuda),
        "threads": str(torch.get_num_threads()),
    }
