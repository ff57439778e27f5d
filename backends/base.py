"""The adapter: what every column implements.  No framework in sight.

A column is a module with the same public classes and methods, in the same order, as every other:

    setup(at)     fix threads, device and dtype before anything is built; returns what it runs on
    Optimizer     the framework's optimizers, with the line that makes each one agree
    Perceptron    a `Program` for each kind of model
    Quadratic
    Network
    Chance        what the framework draws by itself

Only NumPy arrays cross its edge, in the names, layout and signs of `tasks.spec`.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tasks.spec import Array, Rows, Task

Arrays = dict[str, Array]


@dataclass(frozen=True)
class Placement:
    """Where and in what precision a program computes."""

    dtype: str = "float64"  # or float32
    device: str = "cpu"  # or cuda
    threads: int = 1


class Unsupported(Exception):
    """This framework's native parts cannot express the task; the message says why."""


class NotObserved(Exception):
    """This framework does not show the quantity asked for; the message says why."""


class Program(ABC):
    """One task in motion on one framework.  Abstract here, final in each column."""

    @abstractmethod
    def __init__(self, task: Task, at: Placement) -> None:
        """Take the task's arrays and initial parameters; draw nothing.

        Raises `Unsupported` when the framework cannot express the task.
        """

    @abstractmethod
    def run(self, batches: Sequence[Rows]) -> Array:
        """Take one optimizer step per batch, in order; return each step's loss before it, (steps,)."""

    @abstractmethod
    def gradient(self, rows: Rows) -> tuple[float, Arrays]:
        """Loss and gradients ("w1" …, penalty included) on these rows, without moving.

        Raises `NotObserved` when the framework does not show them.
        """

    @abstractmethod
    def observe(self) -> Arrays:
        """Copies of "param/w1" …, and of the optimizer's state: "state/velocity/w1" …, "state/step"."""

    @abstractmethod
    def restore(self, observed: Arrays) -> None:
        """The inverse of `observe`: go on from a state, this column's own or another's."""

    @abstractmethod
    def predict(self, x: Array) -> Array:
        """Scores (N,) of rows x (N, D): probability of class 1, a perceptron's 0 or 1, a quadratic's f(x)."""

    @abstractmethod
    def wait(self) -> None:
        """Return when everything asked for has finished; matters on devices that compute asynchronously."""


class Chance(ABC):
    """What a framework draws by itself: streams that no two frameworks share, whatever the seed.

    A task never draws from these.  Arrays are float64; the same seed draws the same again, and neither
    needs nor moves a generator that anyone else uses.  Abstract here, final in each column.

    Each method raises `Unsupported` when the framework has nothing of the kind.
    """

    @abstractmethod
    def initial(self, shape: tuple[int, int], seed: int) -> Array:
        """A kernel (in, out) from the framework's own form of Glorot's uniform initialiser."""

    @abstractmethod
    def dropout(self, x: Array, rate: float, seed: int) -> Array:
        """The array x as a dropout layer in training leaves it: a share `rate` of it 0, the rest scaled."""

    @abstractmethod
    def shuffle(self, rows: int, seed: int) -> Rows:
        """A permutation of 0 … rows-1."""


def named(prefix: str, arrays: Mapping[str, Array]) -> Arrays:
    """{"w1": …} as {"prefix/w1": …}, the form in which `observe` returns arrays."""
    return {f"{prefix}/{name}": array for name, array in arrays.items()}


def pick(prefix: str, observed: Arrays) -> Arrays:
    """The inverse of `named`: what stands under this prefix, by its bare name."""
    start = f"{prefix}/"
    return {name.removeprefix(start): array for name, array in observed.items() if name.startswith(start)}
