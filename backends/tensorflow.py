"""TensorFlow's low-level API: variables, `GradientTape`, `tf.function`, and update rules written out.

What makes it fast: the loop over batches runs inside one graph, so Python is left once per `run`
and not once per step.
"""

import math
from collections.abc import Sequence
from typing import Any, final

import numpy as np
import tensorflow as tf

from backends import base
from backends.base import Arrays, Placement, Program, named, pick
from tasks import spec
from tasks.spec import Array, Rows, Task


def setup(at: Placement) -> dict[str, str]:
    """Fix threads and visible devices before TensorFlow starts its runtime."""
    gpus = tf.config.list_physical_devices("GPU")
    if at.device == "cuda" and not gpus:
        raise RuntimeError(f"this build of TensorFlow, {tf.__version__}, sees no CUDA device")
    if at.device == "cpu":
        tf.config.set_visible_devices([], "GPU")
    tf.config.threading.set_intra_op_parallelism_threads(at.threads)
    tf.config.threading.set_inter_op_parallelism_threads(at.threads)
    return {
        "tensorflow": tf.__version__,
        "threads": str(tf.config.threading.get_intra_op_parallelism_threads()),
    }


# Rows of all batches end to end, and where each ends: one signature, so nothing is traced twice.
_BATCHES = [tf.TensorSpec((None,), tf.int64), tf.TensorSpec((None,), tf.int64)]


@final
class Optimizer:
    """The update rules, written out on variables."""

    def __init__(self, rule: spec.Optimizer, parameters: dict[str, tf.Variable]) -> None:
        self.rule = rule
        self.parameters = parameters
        self.slots = {
            slot: {name: tf.Variable(tf.zeros_like(w)) for name, w in parameters.items()}
            for slot in rule.slots
        }
        self.steps = tf.Variable(0, dtype=tf.int64)

    def step(self, gradients: Sequence[tf.Tensor]) -> None:
        """Update the parameters; to be called inside a graph."""
        self.steps.assign_add(1)
        for (name, w), g in zip(self.parameters.items(), gradients, strict=True):
            state = {slot: variables[name] for slot, variables in self.slots.items()}
            w.assign_sub(self._update(g, state))

    @tf.autograph.experimental.do_not_convert  # plain Python: which rule it is does not depend on a tensor
    def _update(self, g: tf.Tensor, state: dict[str, tf.Variable]) -> tf.Tensor:
        """What to subtract from a parameter with the gradient g."""
        match self.rule:
            case spec.GradientDescent(rate):
                return rate * g
            case spec.Momentum(rate, momentum):
                v = state["velocity"]
                return -v.assign(momentum * v - rate * g)
            case spec.RMSprop(rate, rho, epsilon, inside):
                s = state["mean_square"]
                s.assign(rho * s + (1 - rho) * g * g)
                return rate * g / (tf.sqrt(s + epsilon) if inside else tf.sqrt(s) + epsilon)
            case spec.Adam(rate, beta_1, beta_2, epsilon, hat):
                m, v = state["first_moment"], state["second_moment"]
                m.assign(beta_1 * m + (1 - beta_1) * g)
                v.assign(beta_2 * v + (1 - beta_2) * g * g)
                # Recipe: 1 - βᵗ in float64, then cast. In float32 1 - 0.999 keeps only four digits. And not
                # tf.cast(0.9, tf.float64), which goes through float32 and gives 0.8999999761581421.
                t = tf.cast(self.steps, tf.float64)
                bias_1 = tf.cast(1 - tf.constant(beta_1, tf.float64) ** t, g.dtype)
                bias_2 = tf.cast(1 - tf.constant(beta_2, tf.float64) ** t, g.dtype)
                if hat:
                    return rate * tf.sqrt(bias_2) / bias_1 * m / (tf.sqrt(v) + epsilon)
                return rate * (m / bias_1) / (tf.sqrt(v / bias_2) + epsilon)

    def observe(self) -> Arrays:
        """The state under the task's names."""
        observed: Arrays = {}
        for slot, variables in self.slots.items():
            observed |= named(f"state/{slot}", _numpy(variables))
        if isinstance(self.rule, spec.Adam):
            observed["state/step"] = self.steps.numpy()
        return observed

    def restore(self, observed: Arrays) -> None:
        """The inverse of `observe`."""
        self.steps.assign(int(observed.get("state/step", 0)))
        for slot, variables in self.slots.items():
            _fill(variables, pick(f"state/{slot}", observed))


@final
class Perceptron(Program):
    """The tape on (ŷ - y)·z, whose gradient is the perceptron's update with ŷ a constant."""

    def __init__(self, task: Task, at: Placement) -> None:
        assert task.data is not None
        self.x = tf.constant(task.data.x_train, at.dtype)  # (N, D)
        self.y = tf.constant(task.data.y_train, at.dtype)  # (N,)
        self.parameters = _variables(task, at)  # w (D,), b (1,)
        self.optimizer = Optimizer(task.optimizer, self.parameters)
        self.steps = _in_graph(self)

    def run(self, batches: Sequence[Rows]) -> Array:
        """One row at a time; the loss is 1 for a mistake."""
        return _run(self.steps, batches)

    def gradient(self, rows: Rows) -> tuple[float, Arrays]:
        """Mean over the rows."""
        loss, gradients = self._loss_and_gradients(rows)
        return float(loss), _numpy(dict(zip(self.parameters, gradients, strict=True)))

    def _loss_and_gradients(self, rows: tf.Tensor) -> tuple[tf.Tensor, list[tf.Tensor]]:
        x, y = tf.gather(self.x, rows), tf.gather(self.y, rows)  # (N, D), (N,)
        with tf.GradientTape() as tape:
            z = self._score(x)  # (N,)
            error = tf.stop_gradient(tf.cast(z >= 0, z.dtype)) - y  # (N,) ŷ - y: -1, 0 or 1
            criterion = tf.reduce_mean(error * z)
        return tf.reduce_mean(tf.abs(error)), tape.gradient(criterion, list(self.parameters.values()))

    def _score(self, x: tf.Tensor) -> tf.Tensor:
        return tf.linalg.matvec(x, self.parameters["w"]) + self.parameters["b"]  # (N,)

    def observe(self) -> Arrays:
        return named("param", _numpy(self.parameters)) | self.optimizer.observe()

    def restore(self, observed: Arrays) -> None:
        _fill(self.parameters, pick("param", observed))
        self.optimizer.restore(observed)

    def predict(self, x: Array) -> Array:
        """ŷ = 1 where z >= 0."""
        z = self._score(tf.constant(x, self.x.dtype))
        return tf.cast(z >= 0, z.dtype).numpy()

    def wait(self) -> None:
        """`run` returns NumPy arrays, so its graph has finished."""


@final
class Quadratic(Program):
    """f(w) = ½·(w - m)ᵀ H (w - m), differentiated by the tape."""

    def __init__(self, task: Task, at: Placement) -> None:
        assert isinstance(task.model, spec.Quadratic)
        self.hessian = tf.constant(task.model.hessian, at.dtype)  # (D, D)
        self.minimum = tf.constant(task.model.minimum, at.dtype)  # (D,)
        self.parameters = _variables(task, at)  # w (D,)
        self.optimizer = Optimizer(task.optimizer, self.parameters)
        self.steps = _in_graph(self)

    def run(self, batches: Sequence[Rows]) -> Array:
        """One step per batch; there is no data, so the batches are empty."""
        return _run(self.steps, batches)

    def gradient(self, rows: Rows) -> tuple[float, Arrays]:
        """f(w) and its gradient."""
        loss, gradients = self._loss_and_gradients(tf.constant(rows))
        return float(loss), _numpy(dict(zip(self.parameters, gradients, strict=True)))

    @tf.function
    def _loss_and_gradients(self, _rows: tf.Tensor) -> tuple[tf.Tensor, list[tf.Tensor]]:
        w = self.parameters["w"]
        with tf.GradientTape() as tape:
            loss = self._value(w)
        return loss, tape.gradient(loss, [w])

    def _value(self, w: tf.Tensor) -> tf.Tensor:
        distance = w - self.minimum  # (…, D)
        return 0.5 * tf.reduce_sum(distance * tf.linalg.matvec(self.hessian, distance), axis=-1)

    def observe(self) -> Arrays:
        return named("param", _numpy(self.parameters)) | self.optimizer.observe()

    def restore(self, observed: Arrays) -> None:
        _fill(self.parameters, pick("param", observed))
        self.optimizer.restore(observed)

    def predict(self, x: Array) -> Array:
        """Evaluate f at the points x (N, D)."""
        return self._value(tf.constant(x, self.minimum.dtype)).numpy()

    def wait(self) -> None:
        """`run` returns NumPy arrays, so its graph has finished."""


@final
class Network(Program):
    """Matrix products on variables, `sigmoid_cross_entropy_with_logits`, and the tape."""

    def __init__(self, task: Task, at: Placement) -> None:
        assert isinstance(task.model, spec.Network) and task.data is not None
        self.x = tf.constant(task.data.x_train, at.dtype)  # (N, D)
        self.y = tf.constant(task.data.y_train[:, None], at.dtype)  # (N, 1)
        self.l2 = task.model.l2
        self.activate = _ACTIVATIONS[task.model.activation]
        self.parameters = _variables(task, at)
        views = list(self.parameters.values())
        self.layers = list(zip(views[0::2], views[1::2], strict=True))  # (in, out), (out,)
        self.optimizer = Optimizer(task.optimizer, self.parameters)
        self.steps = _in_graph(self)

    def run(self, batches: Sequence[Rows]) -> Array:
        return _run(self.steps, batches)

    def gradient(self, rows: Rows) -> tuple[float, Arrays]:
        loss, gradients = self._loss_and_gradients(rows)
        return float(loss), _numpy(dict(zip(self.parameters, gradients, strict=True)))

    def _loss_and_gradients(self, rows: tf.Tensor) -> tuple[tf.Tensor, list[tf.Tensor]]:
        x, y = tf.gather(self.x, rows), tf.gather(self.y, rows)  # (N, D), (N, 1)
        with tf.GradientTape() as tape:
            z = self._forward(x)  # (N, 1)
            loss = tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(labels=y, logits=z))
            if self.l2:  # l2_loss is ½·Σ‖w‖²; divided by this batch's rows, as in scikit-learn
                squares = tf.add_n([tf.nn.l2_loss(w) for w, _ in self.layers])
                loss += self.l2 * squares / tf.cast(tf.shape(x)[0], x.dtype)
        return loss, tape.gradient(loss, list(self.parameters.values()))

    def _forward(self, x: tf.Tensor) -> tf.Tensor:
        """Logits."""
        for w, b in self.layers[:-1]:
            x = self.activate(x @ w + b)  # (N, H)
        w, b = self.layers[-1]
        return x @ w + b  # (N, 1)

    def observe(self) -> Arrays:
        return named("param", _numpy(self.parameters)) | self.optimizer.observe()

    def restore(self, observed: Arrays) -> None:
        _fill(self.parameters, pick("param", observed))
        self.optimizer.restore(observed)

    def predict(self, x: Array) -> Array:
        """Probability of class 1."""
        return tf.sigmoid(self._forward(tf.constant(x, self.x.dtype)))[:, 0].numpy()

    def wait(self) -> None:
        """`run` returns NumPy arrays, so its graph has finished."""


@final
class Chance(base.Chance):
    """TensorFlow's stateless generator, which has a seed of two numbers.

    Keras takes (seed, 0); this is another stream, so that the two columns are two samples.
    """

    def initial(self, shape: tuple[int, int], seed: int) -> Array:
        """Uniform in ±√(6/(in+out)), written out: TensorFlow leaves initialisers to Keras."""
        bound = math.sqrt(6 / sum(shape))
        return tf.random.stateless_uniform(shape, (0, seed), -bound, bound, tf.float64).numpy()  # (in, out)

    def dropout(self, x: Array, rate: float, seed: int) -> Array:
        return tf.nn.experimental.stateless_dropout(tf.constant(x, tf.float64), rate, (0, seed)).numpy()

    def shuffle(self, rows: int, seed: int) -> Rows:
        return tf.random.experimental.stateless_shuffle(tf.range(rows, dtype=tf.int64), (0, seed)).numpy()


_ACTIVATIONS = {"relu": tf.nn.relu, "tanh": tf.tanh, "logistic": tf.sigmoid}


def _in_graph(program: Any) -> tf.types.experimental.PolymorphicFunction:
    """The loop over batches of a program, as one graph."""

    @tf.function(input_signature=_BATCHES)
    def steps(rows: tf.Tensor, ends: tf.Tensor) -> tf.Tensor:
        dtype = next(iter(program.parameters.values())).dtype
        losses = tf.TensorArray(dtype, tf.size(ends) - 1)
        for step in tf.range(tf.size(ends) - 1):
            loss, gradients = program._loss_and_gradients(rows[ends[step] : ends[step + 1]])
            program.optimizer.step(gradients)
            losses = losses.write(step, loss)
        return losses.stack()  # (steps,)

    return steps


def _run(steps: tf.types.experimental.PolymorphicFunction, batches: Sequence[Rows]) -> Array:
    """Hand all batches to the graph at once: their rows end to end, and where each batch ends."""
    ends = np.cumsum([0, *map(len, batches)])
    return steps(tf.constant(np.concatenate(batches)), tf.constant(ends)).numpy()


def _variables(task: Task, at: Placement) -> dict[str, tf.Variable]:
    return {name: tf.Variable(array, dtype=at.dtype) for name, array in task.start.items()}


def _numpy(tensors: dict[str, tf.Tensor]) -> Arrays:
    return {name: tensor.numpy() for name, tensor in tensors.items()}


def _fill(variables: dict[str, tf.Variable], arrays: Arrays) -> None:
    for name, variable in variables.items():
        variable.assign(arrays[name])
