"""What scikit-learn draws by itself."""

from typing import final

import numpy as np
from sklearn import utils
from sklearn.neural_network import MLPClassifier

from backends import base
from backends.base import Unsupported
from tasks.spec import Array, Rows


@final
class Chance(base.Chance):
    """What `MLPClassifier.fit` draws."""

    def initial(self, kind: str, shape: tuple[int, int], seed: int) -> Array:
        """The kernel only: `fit` draws biases as well, where Glorot's paper has zeros."""
        if kind != "glorot":
            raise Unsupported("scikit-learn's networks start from Glorot's uniform distribution")
        native = MLPClassifier()
        native._random_state = np.random.RandomState(seed)
        kernel, _ = native._init_coef(*shape, np.float64)
        return kernel  # (in, out)

    def dropout(self, x: Array, rate: float, seed: int) -> Array:
        """There is none."""
        raise Unsupported("scikit-learn's networks have no dropout")

    def shuffle(self, rows: int, seed: int) -> Rows:
        return utils.shuffle(np.arange(rows), random_state=seed)
