"""TensorFlow's low-level API: variables, `GradientTape`, `tf.function`, and update rules written out.

What makes it fast: the loop over batches runs inside one graph, so Python is left once per `run`
and not once per step; and all parameters are one vector, so an update is a dozen operations.
"""

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
    """Fix threads and visible devices before TensorFlow starts its runtime."""
    gpus = tf.config.list_physical_devices("GPU")
    if at.device == "cuda" and not gpus:
        raise RuntimeError(f"this build of TensorFlow, {tf.__version__}, sees no CUDA device")
    if at.device == "cpu":
        tf.config.set_visible_devices([], "GPU")
    tf.config.threading.set_intra_op_parallelism_threads(at.threads)
    tf.config.threading.set_inter_op_parallelism_threads(at.threads)
    # Fast: rewriting a graph before its first run takes as long as a hundred steps, and here gains none.
    tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": True})
    return {
        "tensorflow": tf.__version__,
        "threads": str(tf.config.threading.get_intra_op_parallelism_threads()),
    }
