"""The numbers that the snippets of a card share: seeded, in NumPy, and the same on every machine."""

import numpy as np

from backends.base import Arrays


def descent() -> Arrays:
    """Six parameters `start` and a hundred `gradients`, (100, 6), of different sizes."""
    rng = np.random.default_rng(1)
    start = rng.standard_normal(6)
    slopes = np.array([1.0, -0.5, 0.2, -0.1, 0.05, -0.02])
    return {"start": start, "gradients": slopes + 0.3 * np.abs(slopes) * rng.standard_normal((100, 6))}


def dense() -> Arrays:
    """Rows `x` (5, 6), a square kernel `w` (6, 6) and a bias `b` (6,)."""
    rng = np.random.default_rng(2)
    return {"x": rng.standard_normal((5, 6)), "w": rng.standard_normal((6, 6)), "b": rng.standard_normal(6)}
