"""What each framework cannot express, or does differently on purpose, with the reason."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from tasks.spec import (
    Adagrad,
    Adam,
    BinaryCrossEntropy,
    CategoricalCrossEntropy,
    Constant,
    GradientDescent,
    Momentum,
    Nadam,
    Network,
    Perceptron,
    Plateau,
    RMSprop,
    Rosenbrock,
    SquaredError,
    Task,
)

LOST = 1e-20  # an ε below this is lost in rounding wherever it stands


@dataclass(frozen=True)
class Limit:
    """A declared gap (`unsupported`) or disagreement (`known difference`) of a column."""

    status: Literal["unsupported", "known difference"]
    applies: Callable[[Task, str], bool]  # of a task and a dtype
    reason: str
    # Of a known difference: the fault of the catalogue that the framework has by the task's rules.  With
    # it, the reference must agree with the cell.
    cause: str | None = None
    everywhere: bool = True  # else it shows on some of these tasks only, as their numbers have it


def _network(task: Task, _dtype: str) -> bool:
    return isinstance(task.model, Network)


def _of_network(applies: Callable[[Task, Network], bool]) -> Callable[[Task, str], bool]:
    """A condition on tasks that train a network."""
    return lambda task, _dtype: isinstance(task.model, Network) and applies(task, task.model)


# ---------------------------------------------------------------------------------- scikit-learn


def _no_sklearn_optimizer(task: Task, _dtype: str) -> bool:
    rule = task.optimizer
    if isinstance(rule, Adam):
        return rule.weight_decay > 0 or rule.amsgrad
    return not isinstance(rule, GradientDescent | Momentum)


def _no_sklearn_schedule(task: Task, _dtype: str) -> bool:
    if isinstance(task.schedule, Plateau):
        return isinstance(task.optimizer, Adam) or task.schedule.by != 0.2
    return not isinstance(task.schedule, Constant)


def _no_sklearn_loss(_task: Task, model: Network) -> bool:
    return not isinstance(model.loss, BinaryCrossEntropy | CategoricalCrossEntropy | SquaredError)


def _smoothed(_task: Task, model: Network) -> bool:
    return isinstance(model.loss, BinaryCrossEntropy | CategoricalCrossEntropy) and model.loss.smoothing > 0


def _cross_entropy(_task: Task, model: Network) -> bool:
    return isinstance(model.loss, BinaryCrossEntropy | CategoricalCrossEntropy)


SKLEARN = (
    Limit(
        "unsupported",
        lambda task, _dtype: isinstance(task.model, Rosenbrock),
        "scikit-learn minimises the losses of its own models, and no function of one's own; "
        "a quadratic it takes as a linear regression",
    ),
    Limit(
        "unsupported",
        lambda task, _dtype: isinstance(task.model, Perceptron) and task.model.variant == "pocket",
        "scikit-learn has the averaged perceptron, and no pocket",
    ),
    Limit(
        "unsupported",
        _no_sklearn_optimizer,
        "scikit-learn's networks know sgd, with momentum or Nesterov's, adam and lbfgs; no RMSprop, Adagrad, "
        "AdamW, AMSGrad or Nadam",
    ),
    Limit(
        "unsupported",
        _no_sklearn_schedule,
        "scikit-learn's networks have the schedules constant, invscaling (by rows seen, once an epoch) and, "
        "with sgd, adaptive: a fifth on a plateau",
    ),
    Limit(
        "unsupported",
        _of_network(lambda _task, model: model.activation not in ("relu", "tanh", "logistic")),
        "scikit-learn's hidden layers are identity, logistic, tanh or relu",
    ),
    Limit(
        "unsupported",
        _of_network(_no_sklearn_loss),
        "scikit-learn's networks are trained on log loss, or on squared error or Poisson's",
    ),
    Limit(
        "unsupported", _of_network(_smoothed), "MLPClassifier takes class labels, which cannot be smoothed"
    ),
    Limit(
        "unsupported",
        _of_network(lambda _task, model: model.l1 > 0),
        "scikit-learn's networks have the penalty L2 (alpha), and no L1",
    ),
    Limit(
        "unsupported",
        _of_network(lambda _task, model: model.max_norm is not None),
        "scikit-learn's networks have no constraint on weights",
    ),
    Limit(
        "unsupported",
        _of_network(lambda _task, model: model.dropout > 0),
        "scikit-learn's networks have no dropout",
    ),
    Limit(
        "known difference",
        _of_network(_cross_entropy),
        "MLPClassifier computes the loss that it reports from probabilities, cut off at eps, the "
        "task from logits: digits are lost where a row is fit very well or very badly",
        cause="loss-from-probabilities",
        everywhere=False,
    ),
)

# -------------------------------------------------------------------------------- Keras, PyTorch


def _rmsprop_outside(task: Task, _dtype: str) -> bool:
    """RMSprop with √s + ε."""
    rule = task.optimizer
    return isinstance(rule, RMSprop) and not rule.epsilon_inside_root and rule.epsilon > LOST


def _rmsprop_inside(task: Task, _dtype: str) -> bool:
    """RMSprop with √(s + ε)."""
    rule = task.optimizer
    return isinstance(rule, RMSprop) and rule.epsilon_inside_root and rule.epsilon > LOST


def _adagrad(task: Task, _dtype: str) -> bool:
    return isinstance(task.optimizer, Adagrad) and task.optimizer.epsilon > LOST


def _nadam(task: Task, dtype: str) -> bool:
    return isinstance(task.optimizer, Nadam) and dtype == "float64"


def _adam_in_float32(task: Task, dtype: str) -> bool:
    return isinstance(task.optimizer, Adam) and dtype == "float32"


KERAS = (
    Limit(
        "known difference",
        _rmsprop_outside,
        "keras.optimizers.RMSprop divides by √(s + ε), the task by √s + ε; Keras has no such form",
        cause="epsilon-elsewhere",
    ),
    Limit(
        "known difference",
        _adagrad,
        "keras.optimizers.Adagrad divides by √(s + ε), the task by √s + ε; Keras has no such form",
        cause="epsilon-elsewhere",
    ),
    Limit(
        "known difference",
        _nadam,
        "keras.optimizers.Nadam rounds the 0.96 of μₜ and μₜ₊₁ to float32, in float64 too; the running "
        "product of μ keeps it",
        cause="nadam-float32-schedule",
    ),
    Limit(
        "known difference",
        _adam_in_float32,
        "keras.optimizers.Adam computes 1 - β2ᵗ in float32, where only four of its digits "
        "remain; the others compute it in float64",
        cause="adam-float32-correction",
    ),
)

TORCH = (
    Limit(
        "known difference",
        _rmsprop_inside,
        "torch.optim.RMSprop divides by √s + ε, the task by √(s + ε); PyTorch has no such form",
        cause="epsilon-elsewhere",
    ),
)

LIMITS: dict[str, tuple[Limit, ...]] = {
    "numpy": (),
    "sklearn": SKLEARN,
    "tensorflow": (),
    "keras": KERAS,
    "torch": TORCH,
}
