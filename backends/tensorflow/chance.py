"""What TensorFlow draws by itself."""

import math
from typing import final

import tensorflow as tf

from backends import base
from tasks.spec import Array, Rows


@final
class Chance(base.Chance):
    """TensorFlow's stateless generator, which has a seed of two numbers.

    Keras takes (seed, 0); this is another stream, so that the two columns are two samples.
    """

    def initial(self, kind: str, shape: tuple[int, int], seed: int) -> Array:
        """Written out: TensorFlow leaves initialisers to Keras."""
        match kind:
            case "zeros":
                return tf.zeros(shape, tf.float64).numpy()
            case "uniform":
                return _uniform(shape, seed, 0.05).numpy()
            case "normal":
                return _normal(shape, seed, 0.05).numpy()
            case "glorot":
                return _uniform(shape, seed, math.sqrt(6 / sum(shape))).numpy()
            case "he":
                return _normal(shape, seed, math.sqrt(2 / shape[0])).numpy()
            case _:  # orthogonal: Q of a random matrix, with signs that make it uniform among all
                q, r = tf.linalg.qr(_normal((max(shape), min(shape)), seed, 1.0))
                q *= tf.sign(tf.linalg.diag_part(r))  # (long side, short side)
                return (q if shape[0] >= shape[1] else tf.transpose(q)).numpy()

    def dropout(self, x: Array, rate: float, seed: int) -> Array:
        return tf.nn.experimental.stateless_dropout(tf.constant(x, tf.float64), rate, (0, seed)).numpy()

    def shuffle(self, rows: int, seed: int) -> Rows:
        return tf.random.experimental.stateless_shuffle(tf.range(rows, dtype=tf.int64), (0, seed)).numpy()


def _uniform(shape: tuple[int, int], seed: int, bound: float) -> tf.Tensor:
    return tf.random.stateless_uniform(shape, (0, seed), -bound, bound, tf.float64)  # (in, out)


def _normal(shape: tuple[int, int], seed: int, deviation: float) -> tf.Tensor:
    return tf.random.stateless_normal(shape, (0, seed), stddev=deviation, dtype=tf.float64)  # (in, out)
