"""From and to NumPy, numbers that Keras would round, and the loop over batches as one graph."""

from collections.abc import Callable, Mapping, Sequence

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from backends.base import Arrays
from tasks.spec import Array, Rows

ROWS = [tf.TensorSpec((None,), tf.int64)]  # of any batch, whatever its size: nothing is traced twice


def exact(value: float) -> float:
    """Recipe: `keras.ops.cast` turns a Python float into a tensor by way of float32: 0.9 into 0.89999998.

    An `np.float64` passes unchanged.  Only hyper-parameters that Keras casts need it: ε and RMSprop's
    rho take part in arithmetic as they are.  In float32 there is nothing to save.
    """
    return np.float64(value) if keras.config.floatx() == "float64" else value


def to_numpy(tensors: Mapping[str, keras.Variable | tf.Tensor]) -> Arrays:
    """A copy of each tensor by its name."""
    return {name: ops.convert_to_numpy(tensor) for name, tensor in tensors.items()}


def fill(variables: Mapping[str, keras.Variable], arrays: Arrays) -> None:
    """Let the variables take these values."""
    for name, variable in variables.items():
        variable.assign(arrays[name])


def in_graph(step: Callable[[tf.Tensor], tf.Tensor], dtype: str) -> Callable[[Sequence[Rows]], Array]:
    """The loop over batches, as one graph; `step` takes the rows of one and returns its loss."""
    step = tf.autograph.experimental.do_not_convert(step)  # plain Python, which is traced sooner

    @tf.function(input_signature=ROWS * 2)
    def steps(rows: tf.Tensor, ends: tf.Tensor) -> tf.Tensor:
        losses = tf.TensorArray(dtype, tf.size(ends) - 1)
        for i in tf.range(tf.size(ends) - 1):
            losses = losses.write(i, step(rows[ends[i] : ends[i + 1]]))
        return losses.stack()  # (steps,)

    def run(batches: Sequence[Rows]) -> Array:
        """Hand all batches to the graph at once: their rows end to end, and where each batch ends."""
        ends = np.cumsum([0, *map(len, batches)])
        return steps(tf.constant(np.concatenate(batches)), tf.constant(ends)).numpy()

    return run
