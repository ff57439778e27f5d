"""How the learning rate changes: rate = learning_rate·factor, where t updates have been made before."""

from dataclasses import dataclass

from tasks.spec.checks import check, whole


@dataclass(frozen=True)
class Constant:
    """factor = 1."""


@dataclass(frozen=True)
class StepDecay:
    """factor = by^⌊t/every⌋."""

    every: int
    by: float

    def __post_init__(self) -> None:
        whole(self, "every", 1)
        _share(self, "by")


@dataclass(frozen=True)
class ExponentialDecay:
    """factor = byᵗ."""

    by: float

    def __post_init__(self) -> None:
        _share(self, "by")


@dataclass(frozen=True)
class CosineDecay:
    """factor = floor + (1-floor)·½·(1 + cos(π·min(t, steps)/steps)).

    Source: Loshchilov and Hutter, "SGDR: Stochastic Gradient Descent with Warm Restarts" (2017), without
    restarts.
    """

    steps: int
    floor: float = 0.01

    def __post_init__(self) -> None:
        whole(self, "steps", 1)
        _share(self, "floor")


@dataclass(frozen=True)
class WarmUp:
    """factor = min(1, (t+1)/steps)."""

    steps: int

    def __post_init__(self) -> None:
        whole(self, "steps", 2)


@dataclass(frozen=True)
class Plateau:
    """The factor, 1 at first, is multiplied by `by` when the loss of an epoch has ceased to fall.

    That is after more than `patience` epochs in a row whose loss is not below the lowest so far; then the
    count of epochs starts again.  State: the learning_rate.
    """

    by: float
    patience: int

    def __post_init__(self) -> None:
        _share(self, "by")
        whole(self, "patience", 0)


def _share(owner: object, name: str) -> None:
    """A factor of 0 would leave no rate to go on with: PyTorch's momentum is kept in units of it."""
    value = getattr(owner, name)
    is_share = isinstance(value, float) and 0 < value < 1
    check(is_share, f"{type(owner).__name__}.{name} is {value!r}, expected a number above 0 and below 1")


Schedule = Constant | StepDecay | ExponentialDecay | CosineDecay | WarmUp | Plateau
