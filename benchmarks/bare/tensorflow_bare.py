"""The loop that one would write in TensorFlow by hand: all steps in one graph, Adam's own kernel."""

from typing import final

import numpy as np
import tensorflow as tf

from backends.base import NotObserved, Program, Unsupported, named, pick
from tasks import sweep


def setup(at):
    """Threads, before TensorFlow starts its runtime."""
    tf.config.threading.set_intra_op_parallelism_threads(at.threads)
    tf.config.threading.set_inter_op_parallelism_threads(at.threads)
    return {"tensorflow": tf.__version__}


MOST = 2**12  # losses that the compiled loop has room for


@final
class Network(Program):
    """Batches are parts of one tensor, so that every shape is known when the graph is made."""

    def __init__(self, task, at):
        if not sweep.is_plain(task) or at.dtype != "float64" or at.device != "cpu":
            raise Unsupported(sweep.PLAIN)
        batch, self.adam = task.batches.size, task.optimizer
        self.x = tf.constant(task.data.x_train.reshape(-1, batch, task.data.features))  # (n, B, D)
        self.y = tf.constant(task.data.y_train.astype(float).reshape(-1, batch, 1))  # (n, B, 1)
        self.parameters = {name: tf.Variable(array) for name, array in task.start.items()}
        self.moments = {slot: {n: _zeros(p) for n, p in self.parameters.items()} for slot in SLOTS}
        self.t = tf.Variable(0, dtype=tf.int32)

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
        before = self.t.read_value()

        def step(i, losses):
            return i + 1, losses.write(i, self._step(before + i))

        start = 0, tf.TensorArray(tf.float64, room)
        # Fast: XLA would compile `for i in tf.range(count)` for each count.
        _, losses = tf.while_loop(lambda i, _: i < count, step, start)
        self.t.assign_add(count)
        return losses.stack()

    def _step(self, t):
        batch = t % len(self.x)  # Fast: XLA would compile self.x[batch] for each batch, but not tf.gather
        variables = list(self.parameters.values())
        with tf.GradientTape() as tape:
            z = self._forward(tf.gather(self.x, batch))
            loss = tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(tf.gather(self.y, batch), z))
        gradients = tape.gradient(loss, variables)
        beta_1, beta_2 = (tf.constant(b, tf.float64) for b in (self.adam.beta_1, self.adam.beta_2))
        power = tf.cast(t + 1, tf.float64)
        powers = beta_1**power, beta_2**power
        for name, variable, gradient in zip(self.parameters, variables, gradients, strict=True):
            tf.raw_ops.ResourceApplyAdam(
                var=variable.handle,
                m=self.moments["first_moment"][name].handle,
                v=self.moments["second_moment"][name].handle,
                beta1_power=powers[0],
                beta2_power=powers[1],
                lr=tf.constant(self.adam.learning_rate, tf.float64),
                beta1=beta_1,
                beta2=beta_2,
                epsilon=tf.constant(self.adam.epsilon, tf.float64),
                grad=gradient,
            )
        return loss

    def _forward(self, h):
        views = list(self.parameters.values())
        *layers, (w, b) = zip(views[0::2], views[1::2], strict=True)
        for kernel, bias in layers:
            h = tf.nn.relu(tf.nn.bias_add(h @ kernel, bias))
        return tf.nn.bias_add(h @ w, b)

    def gradient(self, rows):
        raise NotObserved("a bare loop shows no gradients")

    def observe(self):
        observed = named("param", {name: p.numpy() for name, p in self.parameters.items()})
        for slot, moments in self.moments.items():
            observed |= named(f"state/{slot}", {name: m.numpy() for name, m in moments.items()})
        return observed | {"state/step": self.t.numpy()}

    def restore(self, observed):
        for name, value in pick("param", observed).items():
            self.parameters[name].assign(value)
        for slot, moments in self.moments.items():
            found = pick(f"state/{slot}", observed)
            for name, moment in moments.items():
                moment.assign(found[name])
        self.t.assign(int(observed["state/step"]))

    def predict(self, x):
        return tf.sigmoid(self._forward(tf.constant(x)))[:, 0].numpy()

    def wait(self):
        """`run` returns NumPy arrays, so its graph has finished."""


SLOTS = ("first_moment", "second_moment")


def _zeros(variable):
    return tf.Variable(np.zeros(variable.shape))
