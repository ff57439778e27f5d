"""Seeded data, initial parameters and batch orders.  Every random number of the table is drawn here.

NumPy only: a task must be the same in a process that has no framework.  Where scikit-learn draws
the originals, its stream is repeated number by number, and a test holds both against each other.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from tasks.spec import Array, Dataset, Rows

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


# -------------------------------------------------------------------------- initial parameters


def zeros(**shapes: tuple[int, ...]) -> dict[str, Array]:
    """Parameters that all start at zero."""
    return {name: np.zeros(shape) for name, shape in shapes.items()}


def glorot(sizes: Sequence[int], seed: int) -> dict[str, Array]:
    """Kernels uniform in ±√(6/(in+out)), biases zero; `sizes` are units per layer, inputs first.

    Source: Glorot and Bengio, "Understanding the difficulty of training deep feedforward neural
    networks" (2010).
    """
    rng = np.random.default_rng(seed)
    start = {}
    for i, (rows, units) in enumerate(pairwise(sizes), 1):
        bound = np.sqrt(6 / (rows + units))
        start[f"w{i}"] = rng.uniform(-bound, bound, (rows, units))
        start[f"b{i}"] = np.zeros(units)
    return start


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
