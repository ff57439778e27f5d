"""What a fault is."""

from collections.abc import Callable
from dataclasses import dataclass

from backends.base import Arrays, Program
from tasks.spec import (
    Adam,
    Array,
    BinaryCrossEntropy,
    CategoricalCrossEntropy,
    Momentum,
    Network,
    Perceptron,
    Quadratic,
    RMSprop,
    Task,
)

Make = Callable[[Task], Program]


class Around(Program):
    """A program around another one, `inner`: it predicts, hears epochs and waits as that does."""

    inner: Program

    def predict(self, x: Array) -> Array:
        return self.inner.predict(x)

    def end_epoch(self, loss: float) -> None:
        self.inner.end_epoch(loss)

    def wait(self) -> None:
        self.inner.wait()


def always(_task: Task) -> bool:
    """Of every task."""
    return True


def from_the_start(_task: Task, _desired: Arrays) -> int:
    """The fault acts in the first step."""
    return 0


def never(_task: Task, _desired: Arrays) -> None:
    """It is not equivalent on any task."""


@dataclass(frozen=True)
class Fault:
    """One thing that can go wrong."""

    id: str
    words: str  # as a cause: "the loss is summed over the batch, not averaged"
    inject: Callable[[Make, Task], Program]
    shows: tuple[str, ...]  # how the names of the quantities begin in which it is seen first
    applies: Callable[[Task], bool] = always  # to a task: there is such a thing to get wrong
    # After how many steps it begins to act, given the reference's trace.
    onset: Callable[[Task, Arrays], int] = from_the_start
    stateful: bool = False  # whether it acts by way of something remembered from step to step
    # Why nobody can see it on this task, given the reference's trace; None where it can be seen.
    equivalent: Callable[[Task, Arrays], str | None] = never
    # The wrong task; None where it is no task's fault, or not this one's.
    of_task: Callable[[Task], Task | None] | None = None
    field: str = ""  # the hyper-parameter that has a wrong value: it is found by fitting, whatever the value


def is_network(task: Task) -> bool:
    """Whether the task trains a network."""
    return isinstance(task.model, Network)


def is_quadratic(task: Task) -> bool:
    """Whether the task descends a quadratic."""
    return isinstance(task.model, Quadratic)


def has_data(task: Task) -> bool:
    """Whether there are rows."""
    return task.data is not None


def has_gradient(task: Task) -> bool:
    """Whether the model has a loss to differentiate."""
    return not isinstance(task.model, Perceptron)


def is_penalised(task: Task) -> bool:
    """Whether there is a penalty on the kernels."""
    return isinstance(task.model, Network) and (task.model.l2 > 0 or task.model.l1 > 0)


def has_loss(*kinds: type) -> Callable[[Task], bool]:
    """Whether the task trains a network on one of these losses."""
    return lambda task: isinstance(task.model, Network) and isinstance(task.model.loss, kinds)


has_probabilities = has_loss(BinaryCrossEntropy, CategoricalCrossEntropy)


def epoch_steps(task: Task) -> int:
    """How many steps an epoch has."""
    return len(next(task.epochs()))


def is_seen_at_every_step(desired: Arrays) -> bool:
    """Whether the reference's trace has parameters and state after every single step."""
    return len(desired["observed_steps"]) == len(desired["loss"]) + 1


def uses_momentum(task: Task) -> bool:
    """Whether the rule is momentum."""
    return isinstance(task.optimizer, Momentum)


def uses_rmsprop(task: Task) -> bool:
    """Whether the rule is RMSprop."""
    return isinstance(task.optimizer, RMSprop)


def uses_adam(task: Task) -> bool:
    """Whether the rule is Adam."""
    return isinstance(task.optimizer, Adam)


def has_dropout(task: Task) -> bool:
    """Whether hidden units are dropped in training."""
    return isinstance(task.model, Network) and task.model.dropout > 0


def end(task: Task, _desired: Arrays) -> int:
    """Predictions are made once, at the end."""
    return task.stopping.max_epochs * epoch_steps(task)
