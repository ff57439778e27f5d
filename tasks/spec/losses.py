"""What a network is trained to make small.  The loss of a batch is the mean over its rows.

With `Dataset.weights` v it is Σ v·loss/Σ v over the rows of the batch.  z is what the network's last layer
gives, without any activation: a logit, one logit per class, or the value that a regression predicts.
"""

from dataclasses import dataclass
from typing import ClassVar

from tasks.spec.checks import number, whole


@dataclass(frozen=True)
class BinaryCrossEntropy:
    """-y·log p - (1-y)·log(1-p) with p = 1/(1 + e^-z); smoothed, y becomes (1-s)·y + s/2."""

    smoothing: float = 0.0

    words: ClassVar[str] = "binary cross-entropy"
    outputs: ClassVar[int] = 1
    classes: ClassVar[int] = 2

    def __post_init__(self) -> None:
        number(self, "smoothing", 0.0, 1.0)


@dataclass(frozen=True)
class CategoricalCrossEntropy:
    """-Σ y·log p with p = softmax(z) and y one-hot; smoothed, y becomes (1-s)·y + s/C."""

    classes: int
    smoothing: float = 0.0

    words: ClassVar[str] = "categorical cross-entropy"

    def __post_init__(self) -> None:
        whole(self, "classes", 3)  # two classes are one logistic unit
        number(self, "smoothing", 0.0, 1.0)

    @property
    def outputs(self) -> int:
        """C, one logit per class."""
        return self.classes


@dataclass(frozen=True)
class Hinge:
    """max(0, 1 - y·z) with y = -1 for class 0 and +1 for class 1; its derivative at the kink is 0."""

    words: ClassVar[str] = "hinge"
    outputs: ClassVar[int] = 1
    classes: ClassVar[int] = 2


@dataclass(frozen=True)
class SquaredError:
    """½·(z - y)²."""

    words: ClassVar[str] = "½ squared error"
    outputs: ClassVar[int] = 1
    classes: ClassVar[None] = None


@dataclass(frozen=True)
class AbsoluteError:
    """|z - y|; its derivative at 0 is 0."""

    words: ClassVar[str] = "absolute error"
    outputs: ClassVar[int] = 1
    classes: ClassVar[None] = None


@dataclass(frozen=True)
class Huber:
    """½·e² where |e| <= delta, and else delta·(|e| - ½·delta), with e = z - y."""

    delta: float = 1.0

    words: ClassVar[str] = "Huber"
    outputs: ClassVar[int] = 1
    classes: ClassVar[None] = None

    def __post_init__(self) -> None:
        number(self, "delta", 1e-12)


@dataclass(frozen=True)
class LogCosh:
    """log(cosh(z - y)): about ½·e² near 0 and |e| - log 2 far from it."""

    words: ClassVar[str] = "log-cosh"
    outputs: ClassVar[int] = 1
    classes: ClassVar[None] = None


Loss = BinaryCrossEntropy | CategoricalCrossEntropy | Hinge | SquaredError | AbsoluteError | Huber | LogCosh
