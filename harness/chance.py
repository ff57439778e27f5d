"""What a framework draws by itself, measured: one number per statistic and seed, taken in its worker.

The streams of two frameworks can never be equal, but what is drawn from them must be alike: these
statistics are such that a formula got wrong moves their mean by far more than the margin.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import chain, count, islice
from types import ModuleType
from typing import Any

import numpy as np

from backends import base
from backends.base import Placement, Program, Unsupported, named
from tasks import TASKS
from tasks.spec import Array, Batches, Rows, Task

SHAPE = (100, 50)  # (in, out) of the kernel that is looked at
RATE = 0.3  # of dropout; at a half, what is dropped and what is kept would look alike
ONES = np.ones((100, 100))  # what goes into the dropout
ROWS = 1000  # of a shuffle
TASK = TASKS["moons-mini-batch"]  # what is trained …
EPOCHS = 10  # … and for how long: early enough for the start to matter still


class Subject:
    """One column's own draws, and its network to see what they do to training."""

    def __init__(self, column: ModuleType, at: Placement) -> None:
        """Raises `Unsupported` when the column has no class `Chance`."""
        self.chance: base.Chance = _class(column, "Chance")()
        self.column, self.at = column, at

    @cached_property
    def _network(self) -> Program:
        """One for all seeds: building it again, TensorFlow would compile it again."""
        program: Program = _class(self.column, "Network")(TASK, self.at)
        return program

    def loss(self, task: Task) -> float:
        """On all training rows, after some epochs."""
        self._network.restore(named("param", dict(task.start)))  # gradient descent has no other state
        self._network.run(list(chain.from_iterable(islice(task.epochs(), EPOCHS))))
        loss, _ = self._network.gradient(np.arange(task.rows))
        return float(loss)


def _class(column: ModuleType, name: str) -> Any:
    if not hasattr(column, name):
        raise Unsupported(f"the column has no class {name}")
    return getattr(column, name)


@dataclass(frozen=True)
class OwnOrder:
    """An order of rows for each epoch from the framework's own shuffle."""

    chance: base.Chance
    seed: int

    def epochs(self, rows: int) -> Iterator[Rows]:
        """One permutation after another, each from a seed of its own."""
        for seed in _seeds(self.seed):
            yield self.chance.shuffle(rows, seed)


def own_start(chance: base.Chance, task: Task, seed: int) -> dict[str, Array]:
    """The task's initial parameters with kernels from the framework's own initialiser; biases stay."""
    seeds = _seeds(seed)
    return {
        name: chance.initial(array.shape, next(seeds)) if array.ndim == 2 else array
        for name, array in task.start.items()
    }


def _seeds(seed: int) -> Iterator[int]:
    """Seeds for what needs several draws: up to a thousand, no other seed has the same."""
    return count(1000 * seed)


# ---------------------------------------------------------------------------------- statistics


def _spread(subject: Subject, seed: int) -> float:
    return float(np.std(subject.chance.initial(SHAPE, seed)) / np.sqrt(2 / sum(SHAPE)))


def _reach(subject: Subject, seed: int) -> float:
    return float(np.max(np.abs(subject.chance.initial(SHAPE, seed))) / np.sqrt(6 / sum(SHAPE)))


def _dropped(subject: Subject, seed: int) -> float:
    return float(np.mean(subject.chance.dropout(ONES, RATE, seed) == 0))


def _level(subject: Subject, seed: int) -> float:
    return float(np.mean(subject.chance.dropout(ONES, RATE, seed)))


def _likeness(subject: Subject, seed: int) -> float:
    return float(np.corrcoef(np.arange(ROWS), subject.chance.shuffle(ROWS, seed))[0, 1])


def _neighbours(subject: Subject, seed: int) -> float:
    return float(np.mean(np.diff(subject.chance.shuffle(ROWS, seed)) == 1))


def _own_start(subject: Subject, seed: int) -> float:
    return subject.loss(replace(TASK, start=own_start(subject.chance, TASK, seed)))


def _own_order(subject: Subject, seed: int) -> float:
    assert TASK.batches is not None
    batches = Batches(TASK.batches.size, OwnOrder(subject.chance, seed))
    return subject.loss(replace(TASK, batches=batches))


@dataclass(frozen=True)
class Statistic:
    """How to measure it, and how far apart two means may be and still count as the same."""

    measure: Callable[[Subject, int], float]
    margin: float
    about: str  # what it is, and why its margin is what it is


STATISTICS = {
    "kernel: deviation / Glorot's": Statistic(
        _spread,
        0.01,
        f"standard deviation of a kernel of {SHAPE[0]} × {SHAPE[1]}, in units of Glorot's formula; "
        "0.01 is what 2 % more units would do, and 2 in place of the formula's 6 does -0.42",
    ),
    "kernel: largest / Glorot's": Statistic(
        _reach,
        0.01,
        "largest magnitude in that kernel, in units of Glorot's bound; "
        "0.01 as above, and a normal distribution of the same deviation does +1.2",
    ),
    "dropout: share of zeros": Statistic(
        _dropped,
        0.01,
        f"of {ONES.size} units at a rate of {RATE}; "
        "0.01 is one unit in a hundred, and taking the rate for what is kept does +0.4",
    ),
    "dropout: mean of ones": Statistic(
        _level,
        0.01,
        f"of {ONES.size} ones at a rate of {RATE}; "
        "0.01 is 1 % of what the next layer receives, and not scaling up what is kept does -0.3",
    ),
    "shuffle: rank correlation": Statistic(
        _likeness,
        0.03,
        f"of the places of {ROWS} rows before and after; "
        "0.03 explains 0.1 % of the new places, and a shuffle through a buffer of half the rows does +0.37",
    ),
    "shuffle: neighbours kept": Statistic(
        _neighbours,
        0.001,
        f"how many of {ROWS} rows are still followed by the row that followed them; "
        "0.001 is one pair, and a rotation does +1",
    ),
    "loss from own start": Statistic(
        _own_start,
        0.025,
        f"of {TASK.name} after {EPOCHS} epochs, from kernels of the framework's own initialiser; "
        "0.025 is half of what 2 in place of the formula's 6 does",
    ),
    "loss in own order": Statistic(
        _own_order,
        0.002,
        f"of {TASK.name} after {EPOCHS} epochs, in orders of the framework's own shuffle; "
        "0.002 is a quarter of what leaving the shuffle out does",
    ),
}


def sample(
    column: ModuleType, at: Placement, seeds: Sequence[int]
) -> tuple[dict[str, list[float | None]], dict[str, str]]:
    """Every statistic at every seed, and why for each that the framework does not have.

    Raises `Unsupported` when the column has no class `Chance`.
    """
    subject = Subject(column, at)
    values: dict[str, list[float | None]] = {}
    unsupported: dict[str, str] = {}
    for name, statistic in STATISTICS.items():
        try:
            values[name] = [statistic.measure(subject, seed) for seed in seeds]
        except Unsupported as reason:
            unsupported[name] = str(reason)
    return values, unsupported
