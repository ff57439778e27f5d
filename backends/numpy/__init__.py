"""NumPy: the reference.  Every formula is written out by hand.

What makes it fast: all parameters are views into one flat vector, all gradients into another, so
an update is a handful of in-place operations however many layers there are.
"""

import numpy as np

from backends.base import Placement, Unsupported

from .chance import Chance
from .function import Function
from .network import Network
from .optimizer import Optimizer
from .perceptron import Perceptron
from .schedule import Schedule

__all__ = ["Chance", "Function", "Network", "Optimizer", "Perceptron", "Schedule", "setup"]


def setup(at: Placement) -> dict[str, str]:
    """Check the device; the BLAS has read its number of threads from the environment."""
    if at.device != "cpu":
        raise Unsupported("NumPy computes on the CPU only")
    return {"numpy": np.__version__}
