"""The adapter: what every column implements.  No framework in sight.

A column is a package with the same files, classes and methods, in the same order, as every other:

    __init__.py    setup(at): fix threads, device and dtype before anything is built; what it runs on
    schedule.py    Schedule: the framework's learning-rate schedules
    optimizer.py   Optimizer: its optimizers, with the line that makes each one agree
    perceptron.py  Perceptron  ┐
    function.py    Function    │ a `Program` for each kind of model
    network.py     Network     ┘
    loss.py        its losses and activations
    chance.py      Chance: what the framework draws by itself

A user's column may be one file, and need not have every class.

Only NumPy arrays cross its edge, in the names, layout and signs of `tasks.spec`.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from tasks.spec import Array, Rows, Task

Arrays = dict[str, Array]

# uniform in ±0.05; normal with deviation 0.05, not truncated; Glorot's uniform; He's normal with deviation
# √(2/in), not truncated; orthogonal rows or columns.
INITIALISERS = ("zeros", "uniform", "normal", "glorot", "he", "orthogonal")


@dataclass(frozen=True)
class Placement:
    """Where and in what precision a program computes."""

    dtype: str = "float64"  # or float32
    device: str = "cpu"  # or cuda
    threads: int = 1

    @property
    def name(self) -> str:
        """For file names, without what is usual: "float64", "float32.cuda", "float64.2-threads"."""
        device = "" if self.device == "cpu" else f".{self.device}"
        return f"{self.dtype}{device}{f'.{self.threads}-threads' if self.threads > 1 else ''}"


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
        """Copies of "param/w1" …, and of the optimizer's state: "state/velocity/w1" …, "state/step".

        "state/step" is shown where `task.counts_steps`, "state/learning_rate" where its schedule is a
        `Plateau`.
        """

    @abstractmethod
    def restore(self, observed: Arrays) -> None:
        """The inverse of `observe`: go on from a state, this column's own or another's."""

    @abstractmethod
    def predict(self, x: Array) -> Array:
        """Scores (N,) of rows x (N, D), as the loss has it.

        The probability of class 1; with a hinge loss, or in a regression, z itself; with several classes,
        their probabilities (N, C); a perceptron's 0 or 1; a function's f(x).
        """

    def fit(self, epochs: int) -> Array:
        """Train so many epochs by the framework's own trainer; each epoch's mean loss, (epochs,).

        It begins where `restore` of the task's start left it.  Raises `Unsupported` where the framework has
        no trainer, or has one that cannot be told what the task asks for.
        """
        raise Unsupported(f"the column's {type(self).__name__} has no trainer of its own")

    def end_epoch(self, loss: float) -> None:
        """Hear an epoch's loss, the mean over its rows; asked only where a task's schedule is a `Plateau`."""
        raise Unsupported(f"the column's {type(self).__name__} has no schedule that follows the loss")

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
    def initial(self, kind: str, shape: tuple[int, int], seed: int) -> Array:
        """A kernel (in, out) from the framework's own initialiser of a kind listed in `INITIALISERS`."""

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


PIECE = 2**16  # numbers, 512 KB in float64: what is gathered stays in the processor's cache


def pieces(batches: Sequence[Rows], width: int) -> Iterator[tuple[slice, Sequence[Rows]]]:
    """Batches that follow each other, and where they stand; their rows, of `width` numbers, fill one PIECE.

    A column gathers the rows of a whole piece at once, which is far cheaper than batch by batch.
    """
    most = max(map(len, batches), default=0)  # rows of a batch
    count = max(1, PIECE // max(1, most * width))
    for start in range(0, len(batches), count):
        where = slice(start, start + count)
        yield where, batches[where]
