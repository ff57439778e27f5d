"""What NumPy draws by itself."""

import math
from typing import final

import numpy as np

from backends import base
from tasks.spec import Array, Rows


@final
class Chance(base.Chance):
    """NumPy's own generator, with the formulas written out."""

    def initial(self, kind: str, shape: tuple[int, int], seed: int) -> Array:
        rng = np.random.default_rng(seed)
        match kind:
            case "zeros":
                return np.zeros(shape)
            case "uniform":
                return rng.uniform(-0.05, 0.05, shape)
            case "normal":
                return rng.normal(scale=0.05, size=shape)
            case "glorot":
                bound = math.sqrt(6 / sum(shape))
                return rng.uniform(-bound, bound, shape)
            case "he":
                return rng.normal(scale=math.sqrt(2 / shape[0]), size=shape)
            case _:  # orthogonal: Q of a random matrix, with signs that make it uniform among all
                q, r = np.linalg.qr(rng.normal(size=(max(shape), min(shape))))
                q = q * np.sign(np.diag(r))  # (long side, short side)
                return q if shape[0] >= shape[1] else q.T

    def dropout(self, x: Array, rate: float, seed: int) -> Array:
        """What is kept grows by 1/(1 - rate), so that the mean stays."""
        is_kept = np.random.default_rng(seed).random(x.shape) >= rate
        return np.where(is_kept, x / (1 - rate), 0)

    def shuffle(self, rows: int, seed: int) -> Rows:
        return np.random.default_rng(seed).permutation(rows)
