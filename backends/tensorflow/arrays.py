"""Named arrays that share one vector, and graphs: of a function, and of the loop over batches."""

import math
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import numpy as np
import tensorflow as tf

from backends.base import Arrays, Placement
from tasks.spec import Array, Rows, Shapes

ROWS = tf.TensorSpec((None,), tf.int64)  # of any batch, whatever its size: nothing is traced twice


class Flat:
    """Named arrays that are parts of one vector: the vector for updates, the parts for layers.

    Fast: an operation on a small array costs its start; an update of one vector has a dozen of them, and not
    a dozen for each array.
    """

    def __init__(self, shapes: Shapes, dtype: str) -> None:
        self.shapes = shapes
        self.sizes = [math.prod(shape) for shape in shapes.values()]
        self.vector = tf.Variable(tf.zeros(sum(self.sizes), dtype))  # (P,) all values

    def parts(self) -> dict[str, tf.Tensor]:
        """The arrays as tensors, for layers; the tape knows what they are parts of."""
        parts = zip(self.shapes.items(), tf.split(self.vector, self.sizes), strict=True)
        return {name: tf.reshape(part, shape) for (name, shape), part in parts}

    def fill(self, arrays: Arrays) -> None:
        """Take these values."""
        self.vector.assign(np.concatenate([np.ravel(arrays[name]) for name in self.shapes]))

    def copies(self) -> Arrays:
        """A copy of each array by its name."""
        return self.named(self.vector)

    def named(self, vector: tf.Tensor) -> Arrays:
        """A copy of each array by its name, from a vector (P,) laid out as this one."""
        parts = zip(self.shapes.items(), np.split(vector.numpy(), np.cumsum(self.sizes)[:-1]), strict=True)
        return {name: part.reshape(shape) for (name, shape), part in parts}


def in_graph(function: Callable[..., Any], signature: Sequence[tf.TensorSpec], at: Placement) -> Any:
    """The function as one graph, which is traced when it is first called."""

    @cache
    def graph() -> Any:
        # Fast: this very graph, and not a tf.function, which looks it up by the kinds of its arguments.
        return tf.function(function, signature, autograph=False).get_concrete_function()

    # Fast: on a CPU operations take turns in any case, and this executor spares them the queue.  With a
    # tf.function or a tf.cond in the loop's body it would wait for itself.
    executor = "SINGLE_THREADED_EXECUTOR" if at.device == "cpu" else ""

    def call(*tensors: tf.Tensor) -> tf.Tensor:
        with tf.experimental.function_executor_type(executor):
            return graph()(*tensors)

    return call


def loop(step: Callable[[tf.Tensor], tf.Tensor], at: Placement) -> Callable[[Sequence[Rows]], Array]:
    """The loop over batches, as one graph; `step` takes the rows of one and returns its loss."""

    def steps(rows: tf.Tensor, lengths: tf.Tensor) -> tf.Tensor:
        count = tf.size(lengths)
        batches = tf.TensorArray(tf.int64, count, infer_shape=False, element_shape=ROWS.shape)
        batches = batches.split(rows, lengths)

        def body(i: tf.Tensor, losses: tf.TensorArray) -> tuple[tf.Tensor, tf.TensorArray]:
            return i + 1, losses.write(i, step(batches.read(i)))

        _, losses = tf.while_loop(lambda i, _: i < count, body, (0, tf.TensorArray(at.dtype, count)))
        return losses.stack()  # (steps,)

    graph = in_graph(steps, [ROWS, ROWS], at)

    def run(batches: Sequence[Rows]) -> Array:
        """Hand all batches to the graph at once: their rows end to end, and how many each has."""
        lengths = tf.constant([len(rows) for rows in batches], tf.int64)
        return graph(tf.constant(np.concatenate(batches)), lengths).numpy()

    return run
