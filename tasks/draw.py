"""Seeded data, initial parameters and batch orders.  Every random number of the table is drawn here.

NumPy only: a task must be the same in a process that has no framework.  Where scikit-learn draws
the originals, its stream is repeated number by number, and a test holds both against each other.
"""

import importlib.util
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import count, pairwise
from pathlib import Path

import numpy as np

from tasks.spec import Array, Dataset, Order, Rows

# ---------------------------------------------------------------------------------------- data


def logic(*classes: int) -> Dataset:
    """The four rows 00 01 10 11 of a logical function of two inputs, with their classes."""
    return Dataset(x_train=np.array([[0, 0], [0, 1], [1, 0], [1, 1]]), y_train=np.array(classes))


def moons(rows: int, noise: float, seed: int) -> tuple[Array, Array]:
    """Two interleaved half circles: x (rows, 2), y (rows,).

    Source: `sklearn.datasets.make_moons`, whose random stream this repeats.
    """
    rng = np.random.RandomState(seed)
    outer = np.linspace(0, np.pi, rows // 2)
    inner = np.linspace(0, np.pi, rows - rows // 2)
    x = np.concatenate(
        [
            np.column_stack([np.cos(outer), np.sin(outer)]),
            np.column_stack([1 - np.cos(inner), 1 - np.sin(inner) - 0.5]),
        ]
    )
    y = np.repeat([0.0, 1.0], [len(outer), len(inner)])
    order = np.arange(rows)
    rng.shuffle(order)
    return x[order] + rng.normal(scale=noise, size=x.shape), y[order]


def split(x: Array, y: Array, test: float, seed: int) -> Dataset:
    """Hold back the share `test` of the rows.

    Source: `sklearn.model_selection.train_test_split`, whose random stream this repeats.
    """
    order = np.random.RandomState(seed).permutation(len(x))
    held_back = int(np.ceil(test * len(x)))
    tests, trains = order[:held_back], order[held_back:]
    return Dataset(x_train=x[trains], y_train=y[trains], x_test=x[tests], y_test=y[tests])


def folds(x: Array, y: Array, count: int, seed: int) -> list[Dataset]:
    """Each of `count` parts of the rows held back once for testing.

    Source: `sklearn.model_selection.KFold(count, shuffle=True, random_state=seed)`, whose random stream this
    repeats.
    """
    order = np.arange(len(x))
    np.random.RandomState(seed).shuffle(order)
    parts = [np.sort(part) for part in np.array_split(order, count)]
    sets = []
    for test in parts:
        train = np.setdiff1d(order, test)
        sets.append(Dataset(x_train=x[train], y_train=y[train], x_test=x[test], y_test=y[test]))
    return sets


def shipped(name: str) -> tuple[Array, Array] | None:
    """A real data set that comes with scikit-learn: x (N, D), y (N,); None where that is not installed.

    Read from its files: scikit-learn itself is not imported.  Digits are 8 × 8 grey values from 0 to 16.
    """
    package = importlib.util.find_spec("sklearn")
    if package is None or not package.submodule_search_locations:
        return None
    folder = Path(package.submodule_search_locations[0]) / "datasets" / "data"
    if name == "diabetes":
        x = np.loadtxt(folder / "diabetes_data_raw.csv.gz")
        return x, np.loadtxt(folder / "diabetes_target.csv.gz")
    file = {"wine": "wine_data.csv", "digits": "digits.csv.gz"}.get(name, f"{name}.csv")
    header = 0 if name == "digits" else 1
    table = np.loadtxt(folder / file, delimiter=",", skiprows=header)
    return table[:, :-1], table[:, -1]


def scaled(data: Dataset) -> Dataset:
    """Every feature with mean 0 and deviation 1 over the training rows; one that does not vary is 0.

    Source: `sklearn.preprocessing.StandardScaler`, fitted to the training rows alone.
    """
    mean, deviation = data.x_train.mean(axis=0), data.x_train.std(axis=0)
    divisor = np.where(deviation > 0, deviation, 1.0)
    parts = {"x_train": data.x_train, "x_test": data.x_test, "x_validation": data.x_validation}
    return replace(data, **{name: (x - mean) / divisor for name, x in parts.items() if x is not None})


def balanced(data: Dataset) -> Dataset:
    """Rows weighted so that every class counts the same: N/(C·rows of the class).

    Source: `sklearn.utils.class_weight.compute_sample_weight("balanced", y)`.
    """
    classes, of_row, counts = np.unique(data.y_train, return_inverse=True, return_counts=True)
    return replace(data, weights=data.rows / (len(classes) * counts[of_row]))


def with_validation(data: Dataset, rows: int) -> Dataset:
    """The last `rows` training rows are watched instead of trained on."""
    return replace(
        data,
        x_train=data.x_train[:-rows],
        y_train=data.y_train[:-rows],
        x_validation=data.x_train[-rows:],
        y_validation=data.y_train[-rows:],
    )


def augmented(data: Dataset, copies: int, noise: float, seed: int) -> Dataset:
    """The training rows `copies` times: as they are, and then each time moved by normal noise."""
    rng = np.random.default_rng(seed)
    moved = [data.x_train + rng.normal(scale=noise, size=data.x_train.shape) for _ in range(copies - 1)]
    return replace(
        data, x_train=np.concatenate([data.x_train, *moved]), y_train=np.tile(data.y_train, copies)
    )


def thinned(data: Dataset, copies: int, units: int, dropout: float, seed: int) -> Dataset:
    """The training rows `copies` times, each time with other hidden units kept: a share of 1 - dropout."""
    kept = np.random.default_rng(seed).random((copies * data.rows, units)) >= dropout
    return replace(
        data,
        x_train=np.tile(data.x_train, (copies, 1)),
        y_train=np.tile(data.y_train, copies),
        kept=kept.astype(float),
    )


# -------------------------------------------------------------------------- initial parameters


def zeros(**shapes: tuple[int, ...]) -> dict[str, Array]:
    """Parameters that all start at zero."""
    return {name: np.zeros(shape) for name, shape in shapes.items()}


def layers(sizes: Sequence[int], kernel: Callable[[int, int], Array]) -> dict[str, Array]:
    """Kernels (in, out) by a rule, biases zero; `sizes` are units per layer, inputs first."""
    start = {}
    for i, (rows, units) in enumerate(pairwise(sizes), 1):
        start[f"w{i}"] = kernel(rows, units)
        start[f"b{i}"] = np.zeros(units)
    return start


def uniform(sizes: Sequence[int], seed: int, bound: float = 0.05) -> dict[str, Array]:
    """Kernels uniform in ±bound, whatever the size of a layer."""
    rng = np.random.default_rng(seed)
    return layers(sizes, lambda rows, units: rng.uniform(-bound, bound, (rows, units)))


def normal(sizes: Sequence[int], seed: int, deviation: float = 0.05) -> dict[str, Array]:
    """Kernels normal with this deviation, whatever the size of a layer."""
    rng = np.random.default_rng(seed)
    return layers(sizes, lambda rows, units: rng.normal(scale=deviation, size=(rows, units)))


def glorot(sizes: Sequence[int], seed: int) -> dict[str, Array]:
    """Kernels uniform in ±√(6/(in+out)).

    Source: Glorot and Bengio, "Understanding the difficulty of training deep feedforward neural
    networks" (2010).
    """
    rng = np.random.default_rng(seed)

    def kernel(rows: int, units: int) -> Array:
        bound = np.sqrt(6 / (rows + units))
        return rng.uniform(-bound, bound, (rows, units))

    return layers(sizes, kernel)


def he(sizes: Sequence[int], seed: int, gain: float = 1.0) -> dict[str, Array]:
    """Kernels normal with deviation gain·√(2/in).

    Source: He et al., "Delving Deep into Rectifiers" (2015).
    """
    rng = np.random.default_rng(seed)
    return layers(sizes, lambda rows, units: rng.normal(scale=gain * np.sqrt(2 / rows), size=(rows, units)))


def orthogonal(sizes: Sequence[int], seed: int) -> dict[str, Array]:
    """Kernels whose rows or columns, whichever are fewer, are orthonormal; uniform among all such.

    Source: Saxe, McClelland and Ganguli, "Exact Solutions to the Nonlinear Dynamics of Learning in Deep
    Linear Neural Networks" (2014).
    """
    rng = np.random.default_rng(seed)

    def kernel(rows: int, units: int) -> Array:
        q = _orthonormal(rng.normal(size=(max(rows, units), min(rows, units))))
        return q if rows >= units else q.T

    return layers(sizes, kernel)


def _orthonormal(columns: Array) -> Array:
    """Gram and Schmidt's columns, each made orthogonal twice, which is enough.

    Not LAPACK's, whose last bits depend on the number of threads: a task is the same in every process.
    """
    found: list[Array] = []
    for column in columns.T:
        for _ in range(2):
            for other in found:
                column = column - np.sum(other * column) * other  # noqa: PLW2901
        found.append(column / np.sqrt(np.sum(column * column)))
    return np.column_stack(found)


def scikit_learn_start(sizes: Sequence[int], seed: int, activation: str) -> dict[str, Array]:
    """What `MLPClassifier(random_state=seed).fit` starts from: kernels and biases uniform in ±bound.

    The bound is √(6/(in+out)), with 2 in place of 6 when the hidden activation is logistic.
    """
    rng = np.random.RandomState(seed)
    factor = 2.0 if activation == "logistic" else 6.0
    start = {}
    for i, (rows, units) in enumerate(pairwise(sizes), 1):
        bound = np.sqrt(factor / (rows + units))
        start[f"w{i}"] = rng.uniform(-bound, bound, (rows, units))
        start[f"b{i}"] = rng.uniform(-bound, bound, units)
    return start


# -------------------------------------------------------------------------------- batch orders


@dataclass(frozen=True)
class InOrder:
    """The rows as they stand, in every epoch."""

    def epochs(self, rows: int) -> Iterator[Rows]:
        """0 1 2 …, again and again."""
        while True:
            yield np.arange(rows)


@dataclass(frozen=True)
class Shuffled:
    """A fresh permutation of the rows for every epoch."""

    seed: int

    def epochs(self, rows: int) -> Iterator[Rows]:
        """Permutations from one stream of PCG64."""
        rng = np.random.default_rng(self.seed)
        while True:
            yield rng.permutation(rows)


@dataclass(frozen=True)
class ScikitLearnShuffled:
    """The order of `MLPClassifier(random_state=seed).fit`, which first draws `parameters` numbers.

    Each epoch permutes the order of the one before: permutations accumulate.
    """

    seed: int
    parameters: int

    def epochs(self, rows: int) -> Iterator[Rows]:
        """Permutations from the stream that the initial parameters came from."""
        rng = np.random.RandomState(self.seed)
        rng.random_sample(self.parameters)
        order = np.arange(rows)
        while True:
            permutation = np.arange(rows)
            rng.shuffle(permutation)
            order = order[permutation]
            yield order


@dataclass(frozen=True)
class OneCopyAnEpoch:
    """Of rows that are there `copies` times, end to end, one copy after the other, each in `order`."""

    order: Order
    copies: int

    def epochs(self, rows: int) -> Iterator[Rows]:
        """The rows of the first copy, then of the second, and so on, and again from the first."""
        one = rows // self.copies
        for epoch, order in zip(count(), self.order.epochs(one), strict=False):
            yield order + one * (epoch % self.copies)
