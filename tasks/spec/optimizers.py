"""Update rules: how a parameter w moves when its gradient, penalty included, is g.

`rate` is the learning rate of this step: `learning_rate`, times the factor of the task's schedule.
"""

from dataclasses import dataclass
from typing import ClassVar

from tasks.spec.checks import check, flag, number


@dataclass(frozen=True)
class GradientDescent:
    """w -= rate·g."""

    learning_rate: float

    slots: ClassVar[tuple[str, ...]] = ()
    counts_steps: ClassVar[bool] = False

    def __post_init__(self) -> None:
        number(self, "learning_rate", 0.0)


@dataclass(frozen=True)
class Momentum:
    """v = momentum·v - rate·g;  w += v, or w += momentum·v - rate·g with `nesterov`.  State: velocity v.

    Sources: Polyak (1964); Nesterov (1983), in the form of Sutskever et al., "On the Importance of
    Initialization and Momentum in Deep Learning" (2013), written for the point looked ahead to.
    """

    learning_rate: float
    momentum: float = 0.9
    nesterov: bool = False

    slots: ClassVar[tuple[str, ...]] = ("velocity",)
    counts_steps: ClassVar[bool] = False

    def __post_init__(self) -> None:
        number(self, "learning_rate", 0.0)
        number(self, "momentum", 0.0, 1.0)
        flag(self, "nesterov")
        check(self.momentum > 0, "Momentum.momentum is 0, expected above 0: without it, use GradientDescent")


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
    counts_steps: ClassVar[bool] = False

    def __post_init__(self) -> None:
        number(self, "learning_rate", 0.0)
        number(self, "rho", 0.0, 1.0)
        number(self, "epsilon", 0.0)
        flag(self, "epsilon_inside_root")


@dataclass(frozen=True)
class Adagrad:
    """s += g²;  w -= rate·g/(√s + ε).  State: sum_of_squares s, from 0.

    Source: Duchi, Hazan and Singer, "Adaptive Subgradient Methods" (2011).
    """

    learning_rate: float
    epsilon: float = 1e-10

    slots: ClassVar[tuple[str, ...]] = ("sum_of_squares",)
    counts_steps: ClassVar[bool] = False

    def __post_init__(self) -> None:
        number(self, "learning_rate", 0.0)
        number(self, "epsilon", 0.0)


@dataclass(frozen=True)
class Adam:
    """m = β1·m + (1-β1)·g;  v = β2·v + (1-β2)·g²;  and then one of two forms, in step t = 1, 2, ….

        w -= rate·m̂/(√v̂ + ε)  with m̂ = m/(1-β1ᵗ), v̂ = v/(1-β2ᵗ)     algorithm 1 of the paper
        w -= rate·√(1-β2ᵗ)/(1-β1ᵗ)·m/(√v + ε̂)  with `epsilon_hat`     end of its section 2

    With `weight_decay` λ it is AdamW: w -= rate·λ·w before that, of every parameter.  With `amsgrad`, v in
    the last line is its largest value so far, element by element.

    Sources: Kingma and Ba, "Adam: A Method for Stochastic Optimization" (2015); Loshchilov and Hutter,
    "Decoupled Weight Decay Regularization" (2019); Reddi, Kale and Kumar, "On the Convergence of Adam and
    Beyond" (2018).  State: first_moment m, second_moment v, with `amsgrad` largest_second_moment, and step t.
    """

    learning_rate: float
    beta_1: float = 0.9
    beta_2: float = 0.999
    epsilon: float = 1e-8
    epsilon_hat: bool = False
    weight_decay: float = 0.0
    amsgrad: bool = False

    counts_steps: ClassVar[bool] = True

    def __post_init__(self) -> None:
        number(self, "learning_rate", 0.0)
        number(self, "beta_1", 0.0, 1.0)
        number(self, "beta_2", 0.0, 1.0)
        number(self, "epsilon", 0.0)
        number(self, "weight_decay", 0.0)
        flag(self, "epsilon_hat")
        flag(self, "amsgrad")

    @property
    def slots(self) -> tuple[str, ...]:
        """What is remembered of each parameter."""
        moments = ("first_moment", "second_moment")
        return (*moments, "largest_second_moment") if self.amsgrad else moments


@dataclass(frozen=True)
class Nadam:
    """Adam with Nesterov's look ahead: m and v as in Adam, β1 by a schedule of its own, in step t = 1, 2, ….

        μₜ = β1·(1 - ½·0.96ᵗ)
        w -= rate·((1-μₜ)/(1 - μ₁…μₜ)·g + μₜ₊₁/(1 - μ₁…μₜ₊₁)·m)/(√(v/(1-β2ᵗ)) + ε)

    Source: Dozat, "Incorporating Nesterov Momentum into Adam" (2016), with 0.96ᵗ in place of
    its 0.96^(t/250).  State: first_moment m, second_moment v, and step t.
    """

    learning_rate: float
    beta_1: float = 0.9
    beta_2: float = 0.999
    epsilon: float = 1e-8

    slots: ClassVar[tuple[str, ...]] = ("first_moment", "second_moment")
    counts_steps: ClassVar[bool] = True

    def __post_init__(self) -> None:
        number(self, "learning_rate", 0.0)
        number(self, "beta_1", 0.0, 1.0)
        number(self, "beta_2", 0.0, 1.0)
        number(self, "epsilon", 0.0)


Optimizer = GradientDescent | Momentum | RMSprop | Adagrad | Adam | Nadam
