"""The loop that one would write in Keras by hand: a model, a loss and Adam, all steps in one graph."""

from typing import final

import keras
import numpy as np
import tensorflow as tf

from backends.base import NotObserved, Program, Unsupported, named, pick
from tasks import sweep


def setup(at):
    """Threads and dtype, before anything is built."""
    tf.config.threading.set_intra_op_parallelism_threads(at.threads)
    tf.config.threading.set_inter_op_parallelism_threads(at.threads)
    keras.config.set_floatx("float64")
    return {"keras": keras.__version__, "tensorflow": tf.__version__}


@final
class Network(Program):
    """Batches are parts of one tensor, so that every shape is known when the graph is made."""

    def __init__(self, task, at):
        if not sweep.is_plain(task) or at.dtype != "float64" or at.device != "cpu":
            raise Unsupported(sweep.PLAIN)
        batch, adam, features = task.batches.size, task.optimizer, task.data.features
        self.x = tf.constant(task.data.x_train.reshape(-1, batch, features))  # (n, B, D)
        self.y = tf.constant(task.data.y_train.astype(float).reshape(-1, batch, 1))  # (n, B, 1)
        hidden = [keras.layers.Dense(units, "relu") for units in task.model.hidden]
        self.model = keras.Sequential([keras.Input((features,)), *hidden, keras.layers.Dense(1)])
        self.model.set_weights(list(task.start.values()))
        self.criterion = keras.losses.BinaryCrossentropy(from_logits=True)
        # Recipe: Keras would make float32 of a Python float: 0.9 would become 0.89999998.
        rates = (np.float64(number) for number in (adam.learning_rate, adam.beta_1, adam.beta_2))
        self.optimizer = keras.optimizers.Adam(*rates, epsilon=adam.epsilon)
        self.parameters = dict(zip(task.shapes, self.model.trainable_variables, strict=True))
        self.optimizer.build(self.model.trainable_variables)

    def run(self, batches):
        return self._steps(tf.constant(len(batches))).numpy()

    def fit(self, epochs):
        """The same loop, compiled by XLA for just so many epochs."""
        return self._epochs(epochs).numpy()

    @tf.function
    def _steps(self, count):
        return self._loop(count)

    @tf.function(jit_compile=True)
    def _epochs(self, epochs):
        losses = self._loop(epochs * len(self.x))
        return tf.reduce_mean(tf.reshape(losses, (epochs, -1)), axis=1)

    def _loop(self, count):
        losses = tf.TensorArray(tf.float64, count)
        before = tf.cast(self.optimizer.iterations.value, tf.int32)
        for i in tf.range(count):
            losses = losses.write(i, self._step((before + i) % len(self.x)))
        return losses.stack()

    def _step(self, batch):
        variables = self.model.trainable_variables
        with tf.GradientTape() as tape:
            loss = self.criterion(self.y[batch], self.model(self.x[batch], training=True))
        gradients = tape.gradient(loss, [variable.value for variable in variables])
        self.optimizer.apply(gradients, variables)
        return loss

    def gradient(self, rows):
        raise NotObserved("a bare loop shows no gradients")

    def observe(self):
        return _observe(self.parameters, self.optimizer)

    def restore(self, observed):
        _restore(observed, self.parameters, self.optimizer)

    def predict(self, x):
        return tf.sigmoid(self.model(x))[:, 0].numpy()

    def wait(self):
        """`run` returns NumPy arrays, so its graph has finished."""


def _slots(parameters, optimizer):
    """Keras's variables under the task's names."""
    return {
        "param": parameters,
        "state/first_moment": dict(zip(parameters, optimizer._momentums, strict=True)),
        "state/second_moment": dict(zip(parameters, optimizer._velocities, strict=True)),
    }


def _observe(parameters, optimizer):
    observed = {"state/step": optimizer.iterations.numpy()}
    for prefix, variables in _slots(parameters, optimizer).items():
        observed |= named(prefix, {name: v.numpy() for name, v in variables.items()})
    return observed


def _restore(observed, parameters, optimizer):
    for prefix, variables in _slots(parameters, optimizer).items():
        found = pick(prefix, observed)
        for name, variable in variables.items():
            variable.assign(found[name])
    optimizer.iterations.assign(int(observed["state/step"]))
