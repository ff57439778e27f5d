"""What is asked of a task first, and the parameters of an estimator by the task's names."""

from collections.abc import Iterable, Sequence

from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.neural_network._stochastic_optimizers import AdamOptimizer, SGDOptimizer

from backends import COLUMNS
from backends.base import Arrays, Placement, Unsupported, named
from tasks.spec import Array, Task

# scikit-learn's names of what the task calls its slots.
NATIVE_SLOTS = {"velocity": "velocities", "first_moment": "ms", "second_moment": "vs"}


def check_supported(task: Task, at: Placement) -> None:
    """Raise `Unsupported`, with the reason that `backends.limits` declares, where it declares one."""
    limit = COLUMNS["sklearn"].limit(task, at.dtype)
    if limit is not None and limit.status == "unsupported":
        raise Unsupported(limit.reason)


def parameters(native: MLPClassifier | MLPRegressor) -> dict[str, Array]:
    """w1, b1, w2, b2, … of an estimator, its own arrays: kernels are (in, out) as in the task."""
    layers = enumerate(zip(native.coefs_, native.intercepts_, strict=True), 1)
    return {name: array for i, (w, b) in layers for name, array in ((f"w{i}", w), (f"b{i}", b))}


def state(native: SGDOptimizer | AdamOptimizer, slots: Iterable[str], names: Sequence[str]) -> Arrays:
    """Copies of an optimizer's state under the task's names; `names` are its parameters', in its order."""
    found: Arrays = {}
    for slot in slots:
        arrays = zip(names, getattr(native, NATIVE_SLOTS[slot]), strict=True)
        found |= named(f"state/{slot}", {name: array.copy() for name, array in arrays})
    return found
