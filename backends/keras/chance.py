"""What Keras draws by itself."""

from typing import final

import numpy as np
from keras import initializers, layers, ops, random

from backends import base
from tasks.spec import Array, Rows


@final
class Chance(base.Chance):
    """`keras.initializers`, `layers.Dropout` and `keras.random`."""

    def initial(self, kind: str, shape: tuple[int, int], seed: int) -> Array:
        return ops.convert_to_numpy(_initialiser(kind, seed)(shape, "float64"))  # (in, out)

    def dropout(self, x: Array, rate: float, seed: int) -> Array:
        layer = layers.Dropout(rate, seed=seed, dtype="float64")
        return ops.convert_to_numpy(layer(x, training=True))

    def shuffle(self, rows: int, seed: int) -> Rows:
        return ops.convert_to_numpy(random.shuffle(np.arange(rows), seed=seed))


def _initialiser(kind: str, seed: int) -> initializers.Initializer:
    match kind:
        case "zeros":
            return initializers.Zeros()
        case "uniform":
            return initializers.RandomUniform(-0.05, 0.05, seed)
        case "normal":
            return initializers.RandomNormal(0.0, 0.05, seed)
        case "glorot":
            return initializers.GlorotUniform(seed)
        case "he":  # what HeNormal is without its truncation
            return initializers.VarianceScaling(2.0, "fan_in", "untruncated_normal", seed)
        case _:
            return initializers.Orthogonal(seed=seed)
