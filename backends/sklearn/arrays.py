"""What is asked of a task first, and the parameters of an estimator by the task's names."""

from sklearn.neural_network import MLPClassifier, MLPRegressor

from backends import COLUMNS
from backends.base import Placement, Unsupported
from tasks.spec import Array, Task


def check_supported(task: Task, at: Placement) -> None:
    """Raise `Unsupported`, with the reason that `backends.limits` declares, where it declares one."""
    limit = COLUMNS["sklearn"].limit(task, at.dtype)
    if limit is not None and limit.status == "unsupported":
        raise Unsupported(limit.reason)


def parameters(native: MLPClassifier | MLPRegressor) -> dict[str, Array]:
    """w1, b1, w2, b2, … of an estimator, its own arrays: kernels are (in, out) as in the task."""
    layers = enumerate(zip(native.coefs_, native.intercepts_, strict=True), 1)
    return {name: array for i, (w, b) in layers for name, array in ((f"w{i}", w), (f"b{i}", b))}
