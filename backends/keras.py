"""Keras on TensorFlow: its layers, losses, regularizers and optimizers.

Three lines make it agree with the others, each marked "Recipe": momentum and Adam's β are `np.float64`,
or Keras rounds them to float32; the factor of the penalty follows the batch; and for the form of
Adam in which ε is added after the bias correction, ε follows the step.

What makes it fast: the loop over batches runs inside one `tf.function`; `fit` and `train_on_batch`
leave and enter the graph for every step.
"""

from collections.abc import Sequence
from typing import Any, final

import keras
import numpy as np
import tensorflow as tf
from keras import initializers, layers, losses, ops, optimizers, random, regularizers

from backends import base
from backends.base import Arrays, Placement, Program, named, pick
from tasks import spec
from tasks.spec import Array, Rows, Task


def setup(at: Placement) -> dict[str, str]:
    """Fix threads, devices and the dtype of everything that will be built."""
    gpus = tf.config.list_physical_devices("GPU")
    if at.device == "cuda" and not gpus:
        raise RuntimeError(f"this build of TensorFlow, {tf.__version__}, sees no CUDA device")
    if at.device == "cpu":
        tf.config.set_visible_devices([], "GPU")
    tf.config.threading.set_intra_op_parallelism_threads(at.threads)
    tf.config.threading.set_inter_op_parallelism_threads(at.threads)
    # Both: layers take their dtype from the policy, losses take theirs from floatx.
    keras.config.set_floatx(at.dtype)
    keras.config.set_dtype_policy(at.dtype)
    threads = tf.config.threading.get_intra_op_parallelism_threads()
    return {"keras": keras.__version__, "tensorflow": tf.__version__, "threads": str(threads)}


# Rows of all batches end to end, and where each ends: one signature, so nothing is traced twice.
_BATCHES = [tf.TensorSpec((None,), tf.int64), tf.TensorSpec((None,), tf.int64)]


@final
class Optimizer:
    """`keras.optimizers`, and the lines that make it agree."""

    def __init__(self, rule: spec.Optimizer, parameters: dict[str, keras.Variable]) -> None:
        self.rule = rule
        self.parameters = parameters
        match rule:
            case spec.GradientDescent(rate):
                self.native: optimizers.Optimizer = optimizers.SGD(rate)
            case spec.Momentum(rate, momentum):
                self.native = optimizers.SGD(rate, momentum=_exact(momentum))
            case spec.RMSprop(rate, rho, epsilon, _):
                # √(s + ε); Keras has no form with ε outside the root.
                self.native = optimizers.RMSprop(rate, rho=rho, epsilon=epsilon)
            case spec.Adam(rate, beta_1, beta_2, epsilon, _):
                self.native = optimizers.Adam(rate, _exact(beta_1), _exact(beta_2), epsilon)
        self.native.build(list(parameters.values()))

    def step(self, gradients: Sequence[tf.Tensor]) -> None:
        """Update the parameters; to be called inside a graph."""
        if isinstance(self.rule, spec.Adam) and not self.rule.epsilon_hat:
            # Recipe: Keras has the ε̂ form; with ε·√(1-β2ᵗ) it is algorithm 1 of the paper.
            dtype = gradients[0].dtype
            t = tf.cast(self.native.iterations.value + 1, dtype)
            self.native.epsilon = self.rule.epsilon * tf.sqrt(1 - tf.constant(self.rule.beta_2, dtype) ** t)
        self.native.apply(gradients, list(self.parameters.values()))

    def observe(self) -> Arrays:
        """The state under the task's names."""
        observed: Arrays = {}
        for slot in self.rule.slots:
            observed |= named(f"state/{slot}", _numpy(self._variables(slot)))
        if isinstance(self.rule, spec.Adam):
            observed["state/step"] = ops.convert_to_numpy(self.native.iterations)
        return observed

    def restore(self, observed: Arrays) -> None:
        """The inverse of `observe`."""
        self.native.iterations.assign(int(observed.get("state/step", 0)))
        for slot in self.rule.slots:
            _fill(self._variables(slot), pick(f"state/{slot}", observed))

    def _variables(self, slot: str) -> dict[str, keras.Variable]:
        """Keras's variables of a slot; what it calls velocity in Adam and RMSprop is a mean square."""
        native = {"velocity": "momentums", "first_moment": "_momentums"}.get(slot, "_velocities")
        return dict(zip(self.parameters, getattr(self.native, native), strict=True))


@final
class Perceptron(Program):
    """`Dense` and SGD on (ŷ - y)·z, whose gradient is the perceptron's update with ŷ a constant."""

    def __init__(self, task: Task, at: Placement) -> None:
        assert task.data is not None
        self.x = tf.constant(task.data.x_train, at.dtype)  # (N, D)
        self.y = tf.constant(task.data.y_train, at.dtype)  # (N,)
        self.dense = layers.Dense(1)
        self.dense.build((None, task.data.features))
        self.parameters = {"w": self.dense.kernel, "b": self.dense.bias}  # (D, 1), (1,)
        self._fill(dict(task.start))
        self.optimizer = Optimizer(task.optimizer, self.parameters)
        self.steps = _in_graph(self)

    def run(self, batches: Sequence[Rows]) -> Array:
        """One row at a time; the loss is 1 for a mistake."""
        return _run(self.steps, batches)

    def gradient(self, rows: Rows) -> tuple[float, Arrays]:
        """Mean over the rows."""
        loss, (w, b) = self._loss_and_gradients(rows)
        return float(loss), {"w": w.numpy()[:, 0], "b": b.numpy()}

    def _loss_and_gradients(self, rows: tf.Tensor) -> tuple[tf.Tensor, list[tf.Tensor]]:
        x, y = tf.gather(self.x, rows), tf.gather(self.y, rows)  # (N, D), (N,)
        with tf.GradientTape() as tape:
            z = self.dense(x)[:, 0]  # (N,)
            error = tf.stop_gradient(tf.cast(z >= 0, z.dtype)) - y  # (N,) ŷ - y: -1, 0 or 1
            criterion = tf.reduce_mean(error * z)
        return tf.reduce_mean(tf.abs(error)), tape.gradient(criterion, self.dense.trainable_weights)

    def observe(self) -> Arrays:
        return named("param", {"w": self.dense.kernel.numpy()[:, 0], "b": self.dense.bias.numpy()})

    def restore(self, observed: Arrays) -> None:
        self._fill(pick("param", observed))

    def _fill(self, arrays: Arrays) -> None:
        self.dense.kernel.assign(arrays["w"][:, None])
        self.dense.bias.assign(arrays["b"])

    def predict(self, x: Array) -> Array:
        """ŷ = 1 where z >= 0."""
        z = self.dense(tf.constant(x, self.x.dtype))[:, 0]
        return tf.cast(z >= 0, z.dtype).numpy()

    def wait(self) -> None:
        """`run` returns NumPy arrays, so its graph has finished."""


@final
class Quadratic(Program):
    """f(w) = ½·(w - m)ᵀ H (w - m) of a `keras.Variable`."""

    def __init__(self, task: Task, at: Placement) -> None:
        assert isinstance(task.model, spec.Quadratic)
        self.hessian = tf.constant(task.model.hessian, at.dtype)  # (D, D)
        self.minimum = tf.constant(task.model.minimum, at.dtype)  # (D,)
        self.parameters = {"w": keras.Variable(task.start["w"], dtype=at.dtype, name="w")}  # (D,)
        self.optimizer = Optimizer(task.optimizer, self.parameters)
        self.steps = _in_graph(self)

    def run(self, batches: Sequence[Rows]) -> Array:
        """One step per batch; there is no data, so the batches are empty."""
        return _run(self.steps, batches)

    def gradient(self, rows: Rows) -> tuple[float, Arrays]:
        """f(w) and its gradient."""
        loss, gradients = self._loss_and_gradients(tf.constant(rows))
        return float(loss), {"w": gradients[0].numpy()}

    @tf.function
    def _loss_and_gradients(self, _rows: tf.Tensor) -> tuple[tf.Tensor, list[tf.Tensor]]:
        w = self.parameters["w"].value
        with tf.GradientTape() as tape:
            loss = self._value(w)
        return loss, tape.gradient(loss, [w])

    def _value(self, w: tf.Tensor) -> tf.Tensor:
        distance = w - self.minimum  # (…, D)
        return 0.5 * ops.sum(distance * ops.matmul(distance, self.hessian), axis=-1)

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
    """`Sequential` of `Dense`, with `BinaryCrossentropy` on logits and an `L2` regularizer."""

    def __init__(self, task: Task, at: Placement) -> None:
        assert isinstance(task.model, spec.Network) and task.data is not None
        self.x = tf.constant(task.data.x_train, at.dtype)  # (N, D)
        self.y = tf.constant(task.data.y_train[:, None], at.dtype)  # (N, 1)
        self.l2 = task.model.l2
        self.factor = tf.Variable(0.0, dtype=at.dtype)  # of Σ‖w‖² in the penalty
        activation = {"logistic": "sigmoid"}.get(task.model.activation, task.model.activation)
        self.model = keras.Sequential(
            [
                keras.Input((task.data.features,)),
                *(
                    layers.Dense(units, activation, kernel_regularizer=self._penalty())
                    for units in task.model.hidden
                ),
                layers.Dense(1, kernel_regularizer=self._penalty()),  # logits (N, 1)
            ]
        )
        # From logits: on probabilities Keras clips at 1e-7, even in float64.
        self.criterion = losses.BinaryCrossentropy(from_logits=True)
        self.parameters = dict(zip(task.shapes, self.model.trainable_variables, strict=True))
        _fill(self.parameters, dict(task.start))
        self.optimizer = Optimizer(task.optimizer, self.parameters)
        self.steps = _in_graph(self)

    def _penalty(self) -> regularizers.Regularizer | None:
        if not self.l2:
            return None
        penalty = regularizers.L2()
        # Recipe: scikit-learn's penalty is ½·alpha·Σ‖w‖²/N with the rows of this batch, Keras's is
        # l2·Σ‖w‖²; so l2 is a variable, set to ½·alpha/N before each step.
        penalty.l2 = self.factor
        return penalty

    def run(self, batches: Sequence[Rows]) -> Array:
        return _run(self.steps, batches)

    def gradient(self, rows: Rows) -> tuple[float, Arrays]:
        loss, gradients = self._loss_and_gradients(rows)
        return float(loss), _numpy(dict(zip(self.parameters, gradients, strict=True)))

    def _loss_and_gradients(self, rows: tf.Tensor) -> tuple[tf.Tensor, list[tf.Tensor]]:
        x, y = tf.gather(self.x, rows), tf.gather(self.y, rows)  # (N, D), (N, 1)
        self.factor.assign(0.5 * self.l2 / tf.cast(tf.shape(x)[0], x.dtype))
        with tf.GradientTape() as tape:
            loss = self.criterion(y, self.model(x, training=True))
            loss += sum(self.model.losses)  # the penalties
        return loss, tape.gradient(loss, self.model.trainable_weights)

    def observe(self) -> Arrays:
        return named("param", _numpy(self.parameters)) | self.optimizer.observe()

    def restore(self, observed: Arrays) -> None:
        _fill(self.parameters, pick("param", observed))
        self.optimizer.restore(observed)

    def predict(self, x: Array) -> Array:
        """Probability of class 1."""
        return ops.sigmoid(self.model(tf.constant(x, self.x.dtype)))[:, 0].numpy()

    def wait(self) -> None:
        """`run` returns NumPy arrays, so its graph has finished."""


@final
class Chance(base.Chance):
    """`keras.initializers`, `layers.Dropout` and `keras.random`."""

    def initial(self, shape: tuple[int, int], seed: int) -> Array:
        """`GlorotUniform`, the default of `Dense`."""
        return ops.convert_to_numpy(initializers.GlorotUniform(seed)(shape, "float64"))  # (in, out)

    def dropout(self, x: Array, rate: float, seed: int) -> Array:
        layer = layers.Dropout(rate, seed=seed, dtype="float64")
        return ops.convert_to_numpy(layer(x, training=True))

    def shuffle(self, rows: int, seed: int) -> Rows:
        return ops.convert_to_numpy(random.shuffle(np.arange(rows), seed=seed))


def _exact(value: float) -> float:
    """Recipe: `keras.ops.cast` turns a Python float into a tensor by way of float32: 0.9 into 0.89999998.

    An `np.float64` passes unchanged.  Only hyper-parameters that Keras casts need it: ε and RMSprop's
    rho take part in arithmetic as they are.  In float32 there is nothing to save.
    """
    return np.float64(value) if keras.config.floatx() == "float64" else value


def _in_graph(program: Any) -> tf.types.experimental.PolymorphicFunction:
    """The loop over batches of a program, as one graph."""

    @tf.function(input_signature=_BATCHES)
    def steps(rows: tf.Tensor, ends: tf.Tensor) -> tf.Tensor:
        dtype = next(iter(program.parameters.values())).dtype
        values = tf.TensorArray(dtype, tf.size(ends) - 1)
        for step in tf.range(tf.size(ends) - 1):
            loss, gradients = program._loss_and_gradients(rows[ends[step] : ends[step + 1]])
            program.optimizer.step(gradients)
            values = values.write(step, loss)
        return values.stack()  # (steps,)

    return steps


def _run(steps: tf.types.experimental.PolymorphicFunction, batches: Sequence[Rows]) -> Array:
    """Hand all batches to the graph at once: their rows end to end, and where each batch ends."""
    ends = np.cumsum([0, *map(len, batches)])
    return steps(tf.constant(np.concatenate(batches)), tf.constant(ends)).numpy()


def _numpy(tensors: dict[str, keras.Variable]) -> Arrays:
    return {name: ops.convert_to_numpy(tensor) for name, tensor in tensors.items()}


def _fill(variables: dict[str, keras.Variable], arrays: Arrays) -> None:
    for name, variable in variables.items():
        variable.assign(arrays[name])
