"""Named arrays that share one vector."""

import math

import numpy as np

from backends.base import Arrays
from tasks.spec import Shapes


class Flat:
    """Named arrays that are views into one vector: the vector for updates, the views for layers."""

    def __init__(self, shapes: Shapes, dtype: str) -> None:
        sizes = [math.prod(shape) for shape in shapes.values()]
        self.vector = np.zeros(sum(sizes), dtype)  # (P,) all values
        ends = np.cumsum(sizes)
        self.views = {
            name: self.vector[end - size : end].reshape(shape)
            for (name, shape), size, end in zip(shapes.items(), sizes, ends, strict=True)
        }

    def fill(self, arrays: Arrays) -> None:
        """Take these values."""
        for name, view in self.views.items():
            view[...] = arrays[name]

    def copies(self) -> Arrays:
        """A copy of each array by its name."""
        return {name: view.copy() for name, view in self.views.items()}
