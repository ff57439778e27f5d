"""Keras as its users call it: `Model.fit`, and `Model.train_on_batch` for a single batch."""

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
    """A compiled model; NumPy arrays go in, as everywhere in Keras's guides."""

    def __init__(self, task, at):
        if not sweep.is_plain(task) or at.dtype != "float64" or at.device != "cpu":
            raise Unsupported(sweep.PLAIN)
        self.x, self.y = task.data.x_train, task.data.y_train[:, None].astype(float)  # (N, D), (N, 1)
        self.batch, adam, features = task.batches.size, task.optimizer, task.data.features
        hidden = [keras.layers.Dense(units, "relu") for units in task.model.hidden]
        self.model = keras.Sequential([keras.Input((features,)), *hidden, keras.layers.Dense(1)])
        self.model.set_weights(list(task.start.values()))
        # Recipe: Keras would make float32 of a Python float: 0.9 would become 0.89999998.
        rates = (np.float64(number) for number in (adam.learning_rate, adam.beta_1, adam.beta_2))
        self.optimizer = keras.optimizers.Adam(*rates, epsilon=adam.epsilon)
        self.parameters = dict(zip(task.shapes, self.model.trainable_variables, strict=True))
        self.optimizer.build(self.model.trainable_variables)
        self.model.compile(self.optimizer, keras.losses.BinaryCrossentropy(from_logits=True))

    def run(self, batches):
        losses = []
        for _ in batches:
            start = int(self.optimizer.iterations) * self.batch % len(self.x)
            rows = slice(start, start + self.batch)
            losses.append(self.model.train_on_batch(self.x[rows], self.y[rows]))
        return np.array(losses)

    def fit(self, epochs):
        told = self.model.fit(self.x, self.y, batch_size=self.batch, epochs=epochs, shuffle=False, verbose=0)
        return np.array(told.history["loss"])

    def gradient(self, rows):
        raise NotObserved("a bare loop shows no gradients")

    def observe(self):
        return _observe(self.parameters, self.optimizer)

    def restore(self, observed):
        _restore(observed, self.parameters, self.optimizer)

    def predict(self, x):
        return tf.sigmoid(self.model(x))[:, 0].numpy()

    def wait(self):
        """Keras returns losses as numbers, so it has finished."""


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
