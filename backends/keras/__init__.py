"""Keras on TensorFlow: its layers, losses, regularizers, constraints, schedules and optimizers.

The lines that make it agree with the others are marked "Recipe".  Most are of two kinds: numbers that
Keras rounds to float32 in float64 too, and the place of an ε.

What makes it fast: the loop over batches runs inside one `tf.function`, where `fit` and `train_on_batch`
leave and enter the graph for every step; and all parameters are one vector, so an update is two dozen
operations.
"""

import keras
import numpy as np
import tensorflow as tf

from backends.base import Placement

from .chance import Chance
from .function import Function
from .network import Network
from .optimizer import Optimizer
from .perceptron import Perceptron
from .schedule import Schedule

__all__ = ["Chance", "Function", "Network", "Optimizer", "Perceptron", "Schedule", "setup"]


def setup(at: Placement) -> dict[str, str]:
    """Fix threads, devices and the dtype of everything that will be built."""
    gpus = tf.config.list_physical_devices("GPU")
    if at.device == "cuda" and not gpus:
        raise RuntimeError(f"this build of TensorFlow, {tf.__version__}, sees no CUDA device")
    if at.device == "cpu":
        tf.config.set_visible_devices([], "GPU")
    tf.config.threading.set_intra_op_parallelism_threads(at.threads)
    tf.config.threading.set_inter_op_parallelism_threads(at.threads)
    # Fast: rewriting a graph before its first run takes as long as a hundred steps, and here gains none.
    tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": True})
    # Both: layers take their dtype from the policy, losses take theirs from floatx.
    keras.config.set_floatx(at.dtype)
    keras.config.set_dtype_policy(at.dtype)
    # Recipe (max-norm): MaxNorm divides by norm + 1e-7.  The smallest ε still saves it from 0/0.
    keras.config.set_epsilon(float(np.finfo(at.dtype).tiny))
    threads = tf.config.threading.get_intra_op_parallelism_threads()
    return {"keras": keras.__version__, "tensorflow": tf.__version__, "threads": str(threads)}
