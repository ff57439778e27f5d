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


MOST = 2**12  # losses that the compiled loop has room for


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
        """The same loop, compiled by XLA: once, whatever the number of steps."""
        steps, losses = epochs * len(self.x), []
        for start in range(0, steps, MOST):
            count = min(steps - start, MOST)
            losses.append(self._compiled_steps(tf.constant(count)).numpy()[:count])
        return np.concatenate(losses).reshape(epochs, -1).mean(axis=1)

    @tf.function
    def _steps(self, count):
        return self._loop(count, room=count)

    @tf.function(jit_compile=True)
    def _compiled_steps(self, count):
        return self._loop(count, room=MOST)

    def _loop(self, count, room):
        before = tf.cast(self.optimizer.iterations.value, tf.int32)

        def step(i, losses):
            return i + 1, losses.write(i, self._step((before + i) % len(self.x)))

        start = 0, tf.TensorArray(tf.float64, room)
        # Fast: XLA would compile `for i in tf.range(count)` for each count.
        _, losses = tf.while_loop(lambda i, _: i < count, step, start)
        return losses.stack()

    def _step(self, batch):
        # Fast: XLA would compile self.x[batch] for each batch, but not tf.gather.
        x, y = tf.gather(self.x, batch), tf.gather(self.y, batch)
        variables = self.model.trainable_variables
        with tf.GradientTape() as tape:
            loss = self.criterion(y, self.model(x, training=True))
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
