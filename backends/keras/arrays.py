"""Named arrays in Keras's variables, numbers that it would round, and graphs.

Graphs are of a function, and of the loop over batches.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from itertools import chain
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from backends.base import Arrays, Placement
from tasks.spec import Array, Rows, Shapes

ROWS = tf.TensorSpec((None,), tf.int64)  # of any batch, whatever its size: nothing is traced twice
ANY_THREAD, ONE_THREAD = "", "SINGLE_THREADED_EXECUTOR"
BRANCHES = {"If", "StatelessIf", "PartitionedCall", "StatefulPartitionedCall"}


def exact(value: float) -> float:
    """Recipe (python-float-cast): `keras.ops.cast` takes Python floats by way of float32: 0.9 is 0.89999998.

    An `np.float64` passes unchanged.  Only hyper-parameters that Keras casts need it: ε and RMSprop's
    rho take part in arithmetic as they are.  In float32 there is nothing to save.
    """
    return np.float64(value) if keras.config.floatx() == "float64" else value


def flat(arrays: Mapping[str, Array], dtype: str) -> keras.Variable:
    """A variable that holds all arrays end to end, (P,).

    Fast: an operation on a small array costs its start; an update of one vector has a dozen of them, and not
    a dozen for each array.
    """
    return keras.Variable(np.concatenate([np.ravel(array) for array in arrays.values()]), dtype=dtype)


def parts(vector: tf.Tensor, shapes: Shapes) -> list[tf.Tensor]:
    """The arrays of which a vector (P,) consists; the tape knows what they are parts of."""
    found = tf.split(vector, [math.prod(shape) for shape in shapes.values()])
    return [ops.reshape(part, shape) for part, shape in zip(found, shapes.values(), strict=True)]


def to_numpy(tensors: Sequence[keras.Variable | tf.Tensor], shapes: Shapes) -> Arrays:
    """A copy of each array by its name, whether each is a tensor or all are one."""
    vector = np.concatenate([np.ravel(ops.convert_to_numpy(tensor)) for tensor in tensors])  # (P,)
    ends = np.cumsum([math.prod(shape) for shape in shapes.values()])
    found = zip(shapes.items(), np.split(vector, ends[:-1]), strict=True)
    return {name: part.reshape(shape) for (name, shape), part in found}


def fill(variables: Sequence[keras.Variable], arrays: Arrays, shapes: Shapes) -> None:
    """Let the variables take these values, whether each array has one or all are in one."""
    vector = np.concatenate([np.ravel(arrays[name]) for name in shapes])  # (P,)
    ends = np.cumsum([math.prod(variable.shape) for variable in variables])
    for variable, part in zip(variables, np.split(vector, ends[:-1]), strict=True):
        variable.assign(part.reshape(variable.shape))


def in_graph(function: Callable[..., Any], signature: Sequence[tf.TensorSpec], at: Placement) -> Any:
    """The function as one graph, which is traced when it is first called."""

    @cache
    def traced() -> tuple[Any, str]:
        # Fast: on a CPU operations take turns in any case, and the executor of one thread spares them the
        # queue.  It waits for ever where that one thread meets a branch, as losses.Hinge has.
        graph = _traced(function, signature, ONE_THREAD)
        if at.device == "cpu" and not BRANCHES & _operations(graph.graph.as_graph_def()):
            return graph, ONE_THREAD
        return _traced(function, signature, ANY_THREAD), ANY_THREAD

    def call(*tensors: tf.Tensor) -> tf.Tensor:
        graph, executor = traced()
        with tf.experimental.function_executor_type(executor):
            return graph(*tensors)

    return call


def _traced(function: Callable[..., Any], signature: Sequence[tf.TensorSpec], executor: str) -> Any:
    """The graph for an executor: each wants loops in a form of its own."""
    with tf.experimental.function_executor_type(executor):
        # Fast: this very graph, and not a tf.function, which looks it up by the kinds of its arguments.
        return tf.function(function, signature, autograph=False).get_concrete_function()


def _operations(graph: tf.compat.v1.GraphDef) -> set[str]:
    """What a graph, or a loop in it, has operations of."""
    nodes = chain(graph.node, *(function.node_def for function in graph.library.function))
    return {node.op for node in nodes}


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
