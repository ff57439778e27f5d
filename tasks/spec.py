"""What a task is: frozen data, in NumPy alone, that decides a training run completely.

Axis letters, in every column and comment:

    N  rows of a batch or data set        D  features (or coordinates of a quadratic)
    H  units of a hidden layer            C  outputs (1: one logistic unit)

Every spec checks itself once, when it is built, and raises `TaskError` with a message that names
the field, the value and what was expected.  Arrays are float64 and read-only: a column copies what
it wants to change.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, is_dataclass
from itertools import pairwise
from typing import ClassVar, Protocol

import numpy as np

Array = np.ndarray
Rows = np.ndarray  # (N,) row numbers of one batch
Shapes = dict[str, tuple[int, ...]]

NO_ROWS: Rows = np.zeros(0, dtype=np.int64)  # the batch of a task that has no data


class TaskError(ValueError):
    """A task that cannot be: the message names the field, the value and what was expected."""


def _check(condition: bool, message: str) -> None:
    if not condition:
        raise TaskError(message)


def _number(owner: object, name: str, low: float, high: float = np.inf) -> None:
    """Check that a field is a finite number with low <= number < high."""
    value = getattr(owner, name)
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    _check(
        is_number and np.isfinite(value) and low <= value < high,
        f"{type(owner).__name__}.{name} is {value!r}, expected a finite number in [{low:g}, {high:g})",
    )


def _whole(owner: object, name: str, low: int) -> None:
    """Check that a field is a whole number of at least `low`."""
    value = getattr(owner, name)
    is_whole = isinstance(value, int) and not isinstance(value, bool)
    _check(
        is_whole and value >= low,
        f"{type(owner).__name__}.{name} is {value!r}, expected a whole number of at least {low}",
    )


def _frozen(where: str, value: object) -> Array:
    """A checked, read-only float64 copy."""
    try:
        array = np.array(value, dtype=np.float64, order="C")
    except (TypeError, ValueError, OverflowError) as error:
        raise TaskError(f"{where} is not an array of numbers: {error}") from None
    _check(bool(np.isfinite(array).all()), f"{where} holds NaN or inf, expected finite numbers")
    array.flags.writeable = False
    return array


def _freeze(owner: object, name: str, dimensions: int) -> None:
    """Replace an array field of a frozen dataclass by its frozen copy."""
    where = f"{type(owner).__name__}.{name}"
    array = _frozen(where, getattr(owner, name))
    _check(array.ndim == dimensions, f"{where} has shape {array.shape}, expected {dimensions} dimension(s)")
    object.__setattr__(owner, name, array)


# ---------------------------------------------------------------------------------------- data


@dataclass(frozen=True, eq=False)
class Dataset:
    """Rows with a class of 0 or 1 each; the test rows are never trained on.

    x_train (N, D), y_train (N,), and either both or none of x_test (N', D), y_test (N',).
    """

    x_train: Array
    y_train: Array
    x_test: Array | None = None
    y_test: Array | None = None

    def __post_init__(self) -> None:
        _check((self.x_test is None) == (self.y_test is None), "Dataset has only one of x_test and y_test")
        for part in ("train", "test") if self.x_test is not None else ("train",):
            _freeze(self, f"x_{part}", 2)
            _freeze(self, f"y_{part}", 1)
            x, y = getattr(self, f"x_{part}"), getattr(self, f"y_{part}")
            _check(x.size > 0, f"Dataset.x_{part} has shape {x.shape}, expected at least 1 row and 1 feature")
            _check(len(x) == len(y), f"Dataset.y_{part} has {len(y)} values, expected one per row: {len(x)}")
            _check(
                set(np.unique(y)) <= {0.0, 1.0},
                f"Dataset.y_{part} holds {np.unique(y)[:5]}, expected only 0 and 1",
            )
        if self.x_test is not None:
            _check(
                self.x_test.shape[1] == self.features,
                f"Dataset.x_test has {self.x_test.shape[1]} features, expected {self.features} as in x_train",
            )

    @property
    def rows(self) -> int:
        """N, the number of training rows."""
        return len(self.x_train)

    @property
    def features(self) -> int:
        """D, the number of features."""
        return self.x_train.shape[1]


# -------------------------------------------------------------------------------------- models


@dataclass(frozen=True)
class Perceptron:
    """Rosenblatt's perceptron: ŷ = 1 where x·w + b >= 0, and w += rate·(y - ŷ)·x, b += rate·(y - ŷ).

    Its loss of a row is 1 for a mistake and 0 otherwise.
    """

    loss: ClassVar[str] = "mistakes"

    def shapes(self, features: int) -> Shapes:
        """Name and shape of every parameter."""
        return {"w": (features,), "b": (1,)}


@dataclass(frozen=True, eq=False)
class Quadratic:
    """f(w) = ½·(w - m)ᵀ H (w - m), hessian H (D, D) symmetric and positive definite, minimum m (D,)."""

    hessian: Array
    minimum: Array

    loss: ClassVar[str] = "f(w)"

    def __post_init__(self) -> None:
        _freeze(self, "hessian", 2)
        _freeze(self, "minimum", 1)
        size = len(self.minimum)
        _check(size > 0, "Quadratic.minimum is empty, expected at least one coordinate")
        _check(
            self.hessian.shape == (size, size),
            f"Quadratic.hessian has shape {self.hessian.shape}, expected {(size, size)} to fit the minimum",
        )
        _check(bool(np.all(self.hessian == self.hessian.T)), "Quadratic.hessian is not symmetric")
        lowest = float(np.linalg.eigvalsh(self.hessian)[0])
        _check(lowest > 0, f"Quadratic.hessian has the eigenvalue {lowest:g}, expected only positive ones")

    def shapes(self, features: int) -> Shapes:
        """Name and shape of every parameter."""
        return {"w": (features,)}


@dataclass(frozen=True)
class Network:
    """A fully connected network with one logistic output, trained on mean binary cross-entropy.

    Kernels `w1 w2 …` are (in, out), biases `b1 b2 …` are (out,).  `l2` is scikit-learn's alpha: the
    penalty of a batch is ½·l2·Σ‖w‖²/N with this batch's N, and biases are not penalised.
    """

    hidden: tuple[int, ...]
    activation: str = "relu"
    l2: float = 0.0

    loss: ClassVar[str] = "binary cross-entropy"
    ACTIVATIONS: ClassVar[tuple[str, ...]] = ("relu", "tanh", "logistic")

    def __post_init__(self) -> None:
        _check(
            isinstance(self.hidden, tuple)
            and all(isinstance(units, int) and units > 0 for units in self.hidden),
            f"Network.hidden is {self.hidden!r}, expected a tuple of positive whole numbers, as (10, 10)",
        )
        _check(
            self.activation in self.ACTIVATIONS,
            f"Network.activation is {self.activation!r}, expected one of {', '.join(self.ACTIVATIONS)}",
        )
        _number(self, "l2", 0.0)

    def shapes(self, features: int) -> Shapes:
        """Name and shape of every parameter, layer by layer."""
        layers = enumerate(pairwise((features, *self.hidden, 1)), 1)
        return {
            name: shape
            for i, (rows, units) in layers
            for name, shape in ((f"w{i}", (rows, units)), (f"b{i}", (units,)))
        }


# ---------------------------------------------------------------------------------- optimizers


@dataclass(frozen=True)
class GradientDescent:
    """w -= rate·g."""

    learning_rate: float

    slots: ClassVar[tuple[str, ...]] = ()

    def __post_init__(self) -> None:
        _number(self, "learning_rate", 0.0)


@dataclass(frozen=True)
class Momentum:
    """v = momentum·v - rate·g;  w += v.  State: velocity v."""

    learning_rate: float
    momentum: float = 0.9

    slots: ClassVar[tuple[str, ...]] = ("velocity",)

    def __post_init__(self) -> None:
        _number(self, "learning_rate", 0.0)
        _number(self, "momentum", 0.0, 1.0)
        _check(self.momentum > 0, "Momentum.momentum is 0, expected above 0: without it, use GradientDescent")


@dataclass(frozen=True)
class RMSprop:
    """s = rho·s + (1-rho)·g²;  w -= rate·g/(√s + ε), or rate·g/√(s + ε) with `epsilon_inside_root`.

    Source: Hinton, lecture 6e of "Neural Networks for Machine Learning" (2012), which has no ε:
    each framework put it where it liked.  State: mean_square s.
    """

    learning_rate: float
    rho: float = 0.9
    epsilon: float = 1e-8
    epsilon_inside_root: bool = False

    slots: ClassVar[tuple[str, ...]] = ("mean_square",)

    def __post_init__(self) -> None:
        _number(self, "learning_rate", 0.0)
        _number(self, "rho", 0.0, 1.0)
        _number(self, "epsilon", 0.0)


@dataclass(frozen=True)
class Adam:
    """m = β1·m + (1-β1)·g;  v = β2·v + (1-β2)·g²;  and then one of two forms, in step t = 1, 2, ….

        w -= rate·m̂/(√v̂ + ε)  with m̂ = m/(1-β1ᵗ), v̂ = v/(1-β2ᵗ)     algorithm 1 of the paper
        w -= rate·√(1-β2ᵗ)/(1-β1ᵗ)·m/(√v + ε̂)  with `epsilon_hat`     end of its section 2

    Source: Kingma and Ba, "Adam: A Method for Stochastic Optimization" (2015).
    State: first_moment m, second_moment v, and step t.
    """

    learning_rate: float
    beta_1: float = 0.9
    beta_2: float = 0.999
    epsilon: float = 1e-8
    epsilon_hat: bool = False

    slots: ClassVar[tuple[str, ...]] = ("first_moment", "second_moment")

    def __post_init__(self) -> None:
        _number(self, "learning_rate", 0.0)
        _number(self, "beta_1", 0.0, 1.0)
        _number(self, "beta_2", 0.0, 1.0)
        _number(self, "epsilon", 0.0)


# ------------------------------------------------------------------------- batches and stopping


class Order(Protocol):
    """In which order the rows are visited; the implementations are in `tasks.draw`."""

    def epochs(self, rows: int) -> Iterator[Rows]:
        """The order of all `rows` rows in each epoch, without end."""
        ...


@dataclass(frozen=True)
class Batches:
    """Cut each epoch's order of rows into batches of `size`; a short last batch is kept."""

    size: int
    order: Order

    def __post_init__(self) -> None:
        _whole(self, "size", 1)
        has_fields = is_dataclass(self.order) and not isinstance(self.order, type)
        _check(  # by its fields one order is told from another
            has_fields and callable(getattr(self.order, "epochs", None)),
            f"Batches.order is {self.order!r}, expected a dataclass with epochs(rows), as in tasks.draw",
        )


@dataclass(frozen=True)
class Stopping:
    """Stop after `max_epochs`; with `tolerance` set, earlier, by the rule of scikit-learn's MLP.

    That rule: an epoch whose loss is not below the best one by more than `tolerance` is without
    improvement; more than `patience` of them in a row end the training.
    """

    max_epochs: int
    tolerance: float | None = None
    patience: int = 10

    def __post_init__(self) -> None:
        _whole(self, "max_epochs", 1)
        _whole(self, "patience", 0)
        if self.tolerance is not None:
            _number(self, "tolerance", 0.0)


# ---------------------------------------------------------------------------------------- task

Model = Perceptron | Quadratic | Network
Optimizer = GradientDescent | Momentum | RMSprop | Adam


@dataclass(frozen=True, eq=False, kw_only=True)
class Task:
    """Everything that decides one training run, whatever framework computes it and in what dtype.

    `start` maps the names of `model.shapes` to the initial parameters.  A `Quadratic` has neither
    data nor batches: each of its epochs is one step.
    """

    name: str
    shows: str  # one sentence: what a reader learns from this task
    model: Model
    start: Mapping[str, Array]
    optimizer: Optimizer
    stopping: Stopping
    data: Dataset | None = None
    batches: Batches | None = None
    tags: tuple[str, ...] = field(default=())

    def __post_init__(self) -> None:
        valid = isinstance(self.name, str) and re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", self.name)
        _check(
            bool(valid),
            f"Task.name is {self.name!r}, expected lower-case words joined by '-', such as 'my-task'",
        )
        try:
            self._check_kinds()
            self._check_data()
            self._freeze_start()
        except TaskError as error:
            raise TaskError(f"task {self.name!r}: {error}") from None

    def _check_kinds(self) -> None:
        kinds = {
            "shows": str,
            "model": Perceptron | Quadratic | Network,
            "optimizer": GradientDescent | Momentum | RMSprop | Adam,
            "stopping": Stopping,
            "data": Dataset | None,
            "batches": Batches | None,
            "start": Mapping,
            "tags": tuple,
        }
        for name, kind in kinds.items():
            value = getattr(self, name)
            if not isinstance(value, kind):  # only then: the words of an array take longer than all checks
                expected = getattr(kind, "__name__", str(kind).replace("tasks.spec.", ""))
                raise TaskError(f"Task.{name} is {value!r}, expected {expected}")

    def _check_data(self) -> None:
        if isinstance(self.model, Quadratic):
            _check(self.data is None and self.batches is None, "a Quadratic has no data and no batches")
            return
        kind = type(self.model).__name__
        _check(self.data is not None, f"Task.data is missing, a {kind} needs a Dataset")
        _check(self.batches is not None, f"Task.batches is missing, a {kind} needs Batches")
        assert self.data is not None and self.batches is not None
        _check(
            self.batches.size <= self.data.rows,
            f"Batches.size is {self.batches.size}, expected at most the {self.data.rows} training rows",
        )
        if isinstance(self.model, Perceptron):
            _check(
                self.batches.size == 1,
                f"Batches.size is {self.batches.size}, a Perceptron learns from 1 row a step",
            )
            _check(
                isinstance(self.optimizer, GradientDescent),
                f"Task.optimizer is {self.optimizer!r}, a Perceptron learns only by GradientDescent",
            )

    def _freeze_start(self) -> None:
        desired = self.shapes
        names = ", ".join(map(str, self.start)) or "nothing"
        _check(
            list(self.start) == list(desired),
            f"Task.start has {names}, expected {', '.join(desired)} in order",
        )
        start = {}
        for name, shape in desired.items():
            array = _frozen(f"Task.start[{name!r}]", self.start[name])
            _check(array.shape == shape, f"Task.start[{name!r}] has shape {array.shape}, expected {shape}")
            start[name] = array
        object.__setattr__(self, "start", start)

    @property
    def shapes(self) -> Shapes:
        """Name and shape of every parameter, in the order in which columns list them."""
        if isinstance(self.model, Quadratic):
            return self.model.shapes(len(self.model.minimum))
        assert self.data is not None
        return self.model.shapes(self.data.features)

    @property
    def rows(self) -> int:
        """N of the whole training set; 0 where there is no data."""
        return 0 if self.data is None else self.data.rows

    def epochs(self) -> Iterator[list[Rows]]:
        """The batches of each epoch as row numbers, epoch after epoch, without end."""
        if self.data is None or self.batches is None:
            while True:
                yield [NO_ROWS]
        size = self.batches.size
        for order in self.batches.order.epochs(self.data.rows):
            yield [order[start : start + size] for start in range(0, len(order), size)]
