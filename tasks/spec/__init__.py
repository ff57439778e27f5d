"""What a task is: frozen data, in NumPy alone, that decides a training run completely.

Axis letters, in every column and comment:

    N  rows of a batch or data set        D  features (or coordinates of a function)
    H  units of a hidden layer            C  outputs (one per class; 1: a logistic unit, a regression)

Every part checks itself once, when it is built, and raises `TaskError` with a message that names
the field, the value and what was expected.  Arrays are float64 and read-only: a column copies what
it wants to change.
"""

from tasks.spec.checks import Array, Shapes, TaskError
from tasks.spec.data import Dataset
from tasks.spec.losses import (
    AbsoluteError,
    BinaryCrossEntropy,
    CategoricalCrossEntropy,
    Hinge,
    Huber,
    LogCosh,
    Loss,
    SquaredError,
)
from tasks.spec.models import LEAKY_SLOPE, Function, Model, Network, Perceptron, Quadratic, Rosenbrock
from tasks.spec.optimizers import Adagrad, Adam, GradientDescent, Momentum, Nadam, Optimizer, RMSprop
from tasks.spec.schedules import (
    Constant,
    CosineDecay,
    ExponentialDecay,
    Plateau,
    Schedule,
    StepDecay,
    WarmUp,
)
from tasks.spec.task import Task
from tasks.spec.training import NO_ROWS, Batches, Order, Rows, Stopping

__all__ = [
    "LEAKY_SLOPE", "NO_ROWS", "AbsoluteError", "Adagrad", "Adam", "Array", "Batches", "BinaryCrossEntropy",
    "CategoricalCrossEntropy", "Constant", "CosineDecay", "Dataset", "ExponentialDecay", "Function",
    "GradientDescent", "Hinge", "Huber", "LogCosh", "Loss", "Model", "Momentum", "Nadam", "Network",
    "Optimizer", "Order", "Perceptron", "Plateau", "Quadratic", "RMSprop", "Rosenbrock", "Rows", "Schedule",
    "Shapes", "SquaredError", "StepDecay", "Stopping", "Task", "TaskError", "WarmUp",
]  # fmt: skip
