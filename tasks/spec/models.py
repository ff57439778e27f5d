"""What is trained."""

from dataclasses import dataclass
from itertools import pairwise
from typing import ClassVar, get_args

import numpy as np

from tasks.spec.checks import Array, Shapes, check, freeze, number
from tasks.spec.losses import BinaryCrossEntropy, Loss

LEAKY_SLOPE = 0.01  # of leaky_relu below 0


@dataclass(frozen=True)
class Perceptron:
    """Rosenblatt's perceptron: ŷ = 1 where x·w + b >= 0, and w += rate·(y - ŷ)·x, b += rate·(y - ŷ).

    Its loss of a row is 1 for a mistake and 0 otherwise.  All variants learn alike; they differ in the
    parameters with which they predict:

        plain     the last ones
        averaged  their mean over all steps, each taken after its update; state: average
        pocket    those that had made the fewest mistakes on all training rows, the earliest such; the start
                  is the first candidate; state: pocket, and the number pocket_mistakes

    Sources: Rosenblatt (1958); Freund and Schapire, "Large Margin Classification Using the Perceptron
    Algorithm" (1999); Gallant, "Perceptron-Based Learning Algorithms" (1990).
    """

    variant: str = "plain"

    program: ClassVar[str] = "Perceptron"  # the class of a column that trains it
    loss_words: ClassVar[str] = "mistakes"
    VARIANTS: ClassVar[tuple[str, ...]] = ("plain", "averaged", "pocket")

    def __post_init__(self) -> None:
        check(
            self.variant in self.VARIANTS,
            f"Perceptron.variant is {self.variant!r}, expected one of {', '.join(self.VARIANTS)}",
        )

    def shapes(self, features: int) -> Shapes:
        """Name and shape of every parameter."""
        return {"w": (features,), "b": (1,)}


@dataclass(frozen=True, eq=False)
class Quadratic:
    """f(w) = ½·(w - m)ᵀ H (w - m), hessian H (D, D) symmetric and positive definite, minimum m (D,)."""

    hessian: Array
    minimum: Array

    program: ClassVar[str] = "Function"
    loss_words: ClassVar[str] = "f(w)"

    def __post_init__(self) -> None:
        freeze(self, "hessian", 2)
        freeze(self, "minimum", 1)
        size = len(self.minimum)
        check(size > 0, "Quadratic.minimum is empty, expected at least one coordinate")
        check(
            self.hessian.shape == (size, size),
            f"Quadratic.hessian has shape {self.hessian.shape}, expected {(size, size)} to fit the minimum",
        )
        check(bool(np.all(self.hessian == self.hessian.T)), "Quadratic.hessian is not symmetric")
        lowest = float(np.linalg.eigvalsh(self.hessian)[0])
        check(lowest > 0, f"Quadratic.hessian has the eigenvalue {lowest:g}, expected only positive ones")

    @property
    def dimensions(self) -> int:
        """D, the number of coordinates."""
        return len(self.minimum)

    def shapes(self, features: int) -> Shapes:
        """Name and shape of every parameter."""
        return {"w": (features,)}

    def values(self, points: Array) -> Array:
        """Evaluate f at points (N, D)."""
        distance = points - self.minimum  # (N, D)
        return 0.5 * np.sum(distance @ self.hessian * distance, axis=1)  # (N,)


@dataclass(frozen=True)
class Rosenbrock:
    """f(w) = (1 - w₁)² + steepness·(w₂ - w₁²)²: a curved valley whose minimum, 0, is at (1, 1).

    Source: Rosenbrock, "An Automatic Method for Finding the Greatest or Least Value of a Function" (1960).
    """

    steepness: float = 100.0

    program: ClassVar[str] = "Function"
    loss_words: ClassVar[str] = "f(w)"
    dimensions: ClassVar[int] = 2

    def __post_init__(self) -> None:
        number(self, "steepness", 0.0)

    @property
    def minimum(self) -> Array:
        """(1, 1)."""
        return np.ones(2)

    def shapes(self, features: int) -> Shapes:
        """Name and shape of every parameter."""
        return {"w": (features,)}

    def values(self, points: Array) -> Array:
        """Evaluate f at points (N, 2)."""
        first, second = points.T  # (N,) each
        return (1 - first) ** 2 + self.steepness * (second - first**2) ** 2  # (N,)


@dataclass(frozen=True)
class Network:
    """A fully connected network: hidden layers of one activation, and a last layer without any.

    Kernels `w1 w2 …` are (in, out), biases `b1 b2 …` are (out,).

    Penalty: (½·l2·Σ w² + l1·Σ |w|)/N over all kernels, not biases, with the N rows of this batch; `l2` is
    scikit-learn's alpha.  The derivative of |w| at 0 is 0.

    `max_norm` c: after each update, a unit whose incoming weights (a column of a kernel) have a norm above
    c gets them scaled back to it.  Source: Srebro and Shraibman, "Rank, Trace-Norm and Max-Norm" (2005).

    `dropout` p: in training, hidden units that `Dataset.kept` does not keep are 0, the others are divided
    by 1 - p.  Source: Srivastava et al., "Dropout: A Simple Way to Prevent Neural Networks from
    Overfitting" (2014), in the inverted form.

    Activations: relu max(0, z); tanh; logistic 1/(1 + e^-z); leaky_relu z or 0.01·z below 0; elu z or
    e^z - 1 below 0; gelu z·Φ(z) with the normal distribution Φ; step 1 where z >= 0 and else 0, whose
    derivative is taken as 0.  Their derivatives at a kink are those from the left: relu'(0) = 0.
    """

    hidden: tuple[int, ...]
    activation: str = "relu"
    l2: float = 0.0
    l1: float = 0.0
    max_norm: float | None = None
    dropout: float = 0.0
    loss: Loss = BinaryCrossEntropy()  # noqa: RUF009  frozen

    program: ClassVar[str] = "Network"
    ACTIVATIONS: ClassVar[tuple[str, ...]] = (
        "relu", "tanh", "logistic", "leaky_relu", "elu", "gelu", "step",
    )  # fmt: skip

    def __post_init__(self) -> None:
        check(
            isinstance(self.hidden, tuple)
            and all(isinstance(units, int) and units > 0 for units in self.hidden),
            f"Network.hidden is {self.hidden!r}, expected a tuple of positive whole numbers, as (10, 10)",
        )
        check(
            self.activation in self.ACTIVATIONS,
            f"Network.activation is {self.activation!r}, expected one of {', '.join(self.ACTIVATIONS)}",
        )
        number(self, "l2", 0.0)
        number(self, "l1", 0.0)
        number(self, "dropout", 0.0, 1.0)
        if self.max_norm is not None:
            number(self, "max_norm", 1e-12)
        losses = ", ".join(kind.__name__ for kind in get_args(Loss))
        check(isinstance(self.loss, Loss), f"Network.loss is {self.loss!r}, expected one of {losses}")

    @property
    def loss_words(self) -> str:
        """Name of the loss."""
        return self.loss.words

    def shapes(self, features: int) -> Shapes:
        """Name and shape of every parameter, layer by layer."""
        layers = enumerate(pairwise((features, *self.hidden, self.loss.outputs)), 1)
        return {
            name: shape
            for i, (rows, units) in layers
            for name, shape in ((f"w{i}", (rows, units)), (f"b{i}", (units,)))
        }


Function = Quadratic | Rosenbrock  # without data: an epoch is one step
Model = Perceptron | Function | Network
