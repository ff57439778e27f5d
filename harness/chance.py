"""What a framework draws by itself, measured: one number per statistic and seed, taken in its worker.

The streams of two frameworks can never be equal, but what is drawn from them must be alike: these
statistics are such that a formula got wrong moves their mean by far more than the margin.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache, cached_property, partial
from itertools import chain, count, islice, pairwise
from types import ModuleType
from typing import Any

import numpy as np

from backends import base
from backends.base import Placement, Program, Unsupported, named
from tasks import TASKS
from tasks.spec import Array, Batches, Rows, Task

SHAPE = (100, 50)  # (in, out) of the kernel that is looked at
DEVIATIONS = {  # of its numbers, by the formulas
    "uniform": 0.05 / np.sqrt(3),
    "normal": 0.05,
    "glorot": np.sqrt(2 / sum(SHAPE)),
    "he": np.sqrt(2 / SHAPE[0]),
}
SIZES = (50, 100, 100, 100, 100)  # of the network that is started; 50 and 100 tell in from out
_rng = np.random.default_rng(0)
INPUTS = _rng.normal(size=(100, SIZES[0]))  # what goes into it
SLOPES = _rng.normal(size=(100, SIZES[-1]))  # and the gradient at its other end
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
        self.signals = cache(self._signals)  # two statistics look at them

    def _signals(self, kind: str, seed: int) -> tuple[list[float], list[float]]:
        """Of the activations and of the gradient of every layer, at a start of this kind."""
        seeds = _seeds(seed)
        kernels = [self.chance.initial(kind, shape, next(seeds)) for shape in pairwise(SIZES)]
        return signals(kernels, _activation(kind))

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


def _activation(kind: str) -> str:
    """That a kind of start is made for; any but He's are seen with tanh."""
    return "relu" if kind == "he" else "tanh"


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
    """The task's initial parameters with Glorot's kernels as the framework draws them; biases stay."""
    seeds = _seeds(seed)
    return {
        name: chance.initial("glorot", array.shape, next(seeds)) if array.ndim == 2 else array
        for name, array in task.start.items()
    }


def _seeds(seed: int) -> Iterator[int]:
    """Seeds for what needs several draws: up to a thousand, no other seed has the same."""
    return count(1000 * seed)


def signals(kernels: Sequence[Array], activation: str) -> tuple[list[float], list[float]]:
    """How large activations and kernels' gradients are in each layer: logs of root mean squares.

    Biases are zero; the rows are `INPUTS`, and the loss has the gradient `SLOPES` at the last activations.
    """
    act, slope = _ACTIVATIONS[activation]
    activations = [INPUTS]  # (rows, in)
    for kernel in kernels:
        activations.append(act(activations[-1] @ kernel))
    gradients, back = [], SLOPES
    for kernel, (below, a) in reversed(list(zip(kernels, pairwise(activations), strict=True))):
        delta = back * slope(a)  # (rows, out)
        gradients.append(below.T @ delta)  # (in, out)
        back = delta @ kernel.T  # (rows, in)
    return [_log_size(a) for a in activations[1:]], [_log_size(g) for g in reversed(gradients)]


_ACTIVATIONS: dict[str, tuple[Callable[[Array], Array], Callable[[Array], Array]]] = {
    "relu": (lambda z: np.maximum(z, 0), lambda a: a > 0),
    "tanh": (np.tanh, lambda a: 1 - a**2),
}  # and their derivatives, from what comes out of them


def _log_size(array: Array) -> float:
    return float(np.log(np.mean(array**2)) / 2)


# ---------------------------------------------------------------------------------- statistics


def _not_zero(subject: Subject, seed: int) -> float:
    return float(np.mean(subject.chance.initial("zeros", SHAPE, seed) != 0))


def _deviation(kind: str, subject: Subject, seed: int) -> float:
    return float(np.std(subject.chance.initial(kind, SHAPE, seed)) / DEVIATIONS[kind])


def _kurtosis(kind: str, subject: Subject, seed: int) -> float:
    kernel = subject.chance.initial(kind, SHAPE, seed)
    squares = (kernel - np.mean(kernel)) ** 2
    return float(np.mean(squares**2) / np.mean(squares) ** 2)


def _departure(subject: Subject, seed: int) -> float:
    kernel = subject.chance.initial("orthogonal", SHAPE, seed)
    return float(np.max(np.abs(kernel.T @ kernel - np.eye(SHAPE[1]))))


def _diagonal(subject: Subject, seed: int) -> float:
    kernel = subject.chance.initial("orthogonal", SHAPE, seed)
    return float(np.mean(np.diag(kernel)) * np.sqrt(SHAPE[0]))


def _activations(kind: str, subject: Subject, seed: int) -> list[float]:
    return subject.signals(kind, seed)[0]


def _gradients(kind: str, subject: Subject, seed: int) -> list[float]:
    return subject.signals(kind, seed)[1]


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

    measure: Callable[[Subject, int], float | list[float]]  # a list has a number per layer
    margin: float
    about: str  # what it is, and why its margin is what it is


_KERNEL = f"of a kernel of {SHAPE[0]} × {SHAPE[1]}"


def _deviation_of(kind: str) -> Statistic:
    return Statistic(
        partial(_deviation, kind),
        0.01,
        f"standard deviation {_KERNEL}, in units of the formula's; 0.01 is what 2 % more units would do; "
        "2 in place of Glorot's 6 does -0.42, out in place of in +0.41 to He's, truncation at 2 -0.12",
    )


def _kurtosis_of(kind: str) -> Statistic:
    return Statistic(
        partial(_kurtosis, kind),
        0.1,
        f"fourth moment {_KERNEL} over the square of the second: 1.8 if uniform, 3 if normal, 2.4 if "
        "truncated at 2 deviations; 0.1 is a sixth of the least of these differences",
    )


_FLOW = f"log of the root mean square in each layer of a network of {'-'.join(map(str, SIZES))} units"
_FLOWS = {
    "tanh": (
        0.02,
        (
            f"{_FLOW}, tanh, at the start; 0.02 is 2 %; 2 in place of Glorot's 6 does -0.35 to the "
            "activations of the first layer, -1.6 to the fourth's, and at least -1.0 to gradients"
        ),
    ),
    "relu": (
        0.1,
        (
            f"{_FLOW}, relu, at the start; 0.1 is 10 %, as relu lets sizes vary so much; truncation without "
            "scaling up does -0.13 to the activations of the first layer, -0.52 to the fourth's and -0.37 to "
            "gradients, out in place of in -0.35"
        ),
    ),
}


def _flow_of(kind: str) -> dict[str, Statistic]:
    """What a start does to the first activations and to the first gradients."""
    margin, about = _FLOWS[_activation(kind)]
    return {
        f"{kind}: activations": Statistic(partial(_activations, kind), margin, about),
        f"{kind}: gradients": Statistic(partial(_gradients, kind), margin, about),
    }


def _scaled(kind: str) -> dict[str, Statistic]:
    """All there is to say of a kind that has independent numbers of a deviation."""
    return {
        f"{kind}: deviation": _deviation_of(kind),
        f"{kind}: kurtosis": _kurtosis_of(kind),
        **_flow_of(kind),
    }


STATISTICS = {
    "zeros: not zero": Statistic(
        _not_zero,
        0.0001,
        f"share of numbers {_KERNEL}; 0.0001 is half of one of them",
    ),
    **_scaled("uniform"),
    **_scaled("normal"),
    **_scaled("glorot"),
    **_scaled("he"),
    "orthogonal: departure": Statistic(
        _departure,
        1e-12,
        f"largest element of |QᵀQ - 1| {_KERNEL}; 1e-12 is some thousand roundings, and rounding to float32 "
        "does 2e-8",
    ),
    "orthogonal: kurtosis": _kurtosis_of("orthogonal"),
    "orthogonal: diagonal": Statistic(
        _diagonal,
        0.2,
        f"mean of the diagonal {_KERNEL}, in units of 1/√{SHAPE[0]}, which is 0 where all orthogonal kernels "
        "are as likely; 0.2 is less than a third of what the signs that a QR decomposition leaves do: -0.7",
    ),
    **_flow_of("orthogonal"),
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
    "training: own start": Statistic(
        _own_start,
        0.025,
        f"loss of {TASK.name} after {EPOCHS} epochs, from Glorot's kernels as the framework draws them; "
        "0.025 is half of what 2 in place of the formula's 6 does",
    ),
    "training: own order": Statistic(
        _own_order,
        0.002,
        f"loss of {TASK.name} after {EPOCHS} epochs, in orders of the framework's own shuffle; "
        "0.002 is a quarter of what leaving the shuffle out does",
    ),
}


def sample(
    column: ModuleType, at: Placement, seeds: Sequence[int]
) -> tuple[dict[str, list[list[float | None]]], dict[str, str]]:
    """Every statistic at every seed, a number per layer, and why for each that the framework does not have.

    Raises `Unsupported` when the column has no class `Chance`.
    """
    subject = Subject(column, at)
    values: dict[str, list[list[float | None]]] = {}
    unsupported: dict[str, str] = {}
    for name, statistic in STATISTICS.items():
        try:
            values[name] = [np.atleast_1d(statistic.measure(subject, seed)).tolist() for seed in seeds]
        except Unsupported as reason:
            unsupported[name] = str(reason)
    return values, unsupported
