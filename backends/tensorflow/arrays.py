"""From and to NumPy, and the loop over batches as one graph."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import tensorflow as tf

from backends.base import Arrays
from tasks.spec import Array, Rows

ROWS = [tf.TensorSpec((None,), tf.int64)]  # of any batch, whatever its size: nothing is traced twice


def variables(arrays: Mapping[str, Array], dtype: str) -> dict[str, tf.Variable]:
    """A variable for each array."""
    return {name: tf.Variable(array, dtype=dtype) for name, array in arrays.items()}


def to_numpy(tensors: Mapping[str, tf.Tensor]) -> Arrays:
    """A copy of each tensor by its name."""
    return {name: tensor.numpy() for name, tensor in tensors.items()}


def fill(variables: Mapping[str, tf.Variable], arrays: Arrays) -> None:
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
