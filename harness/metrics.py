"""What training came to, in numbers that people know: loss, accuracy, share of variance explained."""

import numpy as np
from msgspec.structs import replace

from backends.base import Arrays
from harness.result import Metrics
from tasks.spec import (
    Array,
    BinaryCrossEntropy,
    CategoricalCrossEntropy,
    Dataset,
    Hinge,
    Loss,
    Network,
    Task,
)


def mean_loss(loss: Loss, scores: Array, y: Array) -> float:
    """The mean loss of rows with these scores, (N,) or (N, C), and targets (N,): not smoothed or weighted.

    Regressions are measured by ½·(z - y)², whatever they are trained on.
    """
    match loss:
        case BinaryCrossEntropy():
            right = np.where(y == 1, scores, 1 - scores)  # (N,) probability of the class that it is
            return float(-np.mean(np.log(np.maximum(right, np.finfo(right.dtype).tiny))))
        case CategoricalCrossEntropy():
            right = scores[np.arange(len(y)), y.astype(int)]  # (N,)
            return float(-np.mean(np.log(np.maximum(right, np.finfo(right.dtype).tiny))))
        case Hinge():
            return float(np.mean(np.maximum(1 - (2 * y - 1) * scores, 0)))
        case _:
            return float(np.mean(0.5 * (scores - y) ** 2))


def metrics(task: Task, trace: Arrays) -> Metrics:
    """Loss of the first and the last epoch, and how well the rows are predicted."""
    losses = trace["epoch_loss"]
    first, last = (float(losses[0]), float(losses[-1])) if len(losses) else (None, None)
    found = Metrics(
        loss=last,
        first_loss=first,
        diverged_after=int(trace["diverged"][0]) if "diverged" in trace else None,
        best_epoch=int(trace["best_epoch"][0]) if "best_epoch" in trace else None,
    )
    if task.data is None or not _fits(task, task.data, trace):
        return found
    return _scored(found, task, task.data, trace)


def _fits(task: Task, data: Dataset, trace: Arrays) -> bool:
    """Whether there is a score for each row, or one per class: a damaged or a wrong trace may have others."""
    outputs = task.model.loss.outputs if isinstance(task.model, Network) else 1
    one = () if outputs == 1 else (outputs,)
    rows = {"predict_train": data.rows} | ({} if data.y_test is None else {"predict_test": len(data.y_test)})
    return all(name in trace and trace[name].shape == (n, *one) for name, n in rows.items())


def _scored(found: Metrics, task: Task, data: Dataset, trace: Arrays) -> Metrics:
    if isinstance(task.model, Network) and task.model.loss.classes is None:
        test = None if data.y_test is None else _explained(trace["predict_test"], data.y_test)
        return replace(found, train_r2=_explained(trace["predict_train"], data.y_train), test_r2=test)
    is_right = _classes(task, trace["predict_train"]) == data.y_train
    found = replace(found, train_accuracy=float(is_right.mean()))
    if data.y_test is None:
        return found
    predicted = _classes(task, trace["predict_test"])
    classes = range(task.model.loss.classes or 2 if isinstance(task.model, Network) else 2)
    confusion = [
        [int(np.sum((data.y_test == row) & (predicted == column))) for column in classes] for row in classes
    ]
    accuracy = float((predicted == data.y_test).mean())
    return replace(found, test_accuracy=accuracy, confusion_test=confusion)


def _classes(task: Task, scores: Array) -> Array:
    """The class number (N,) that a row is taken for; a score on the boundary is class 0."""
    if scores.ndim == 2:
        return np.argmax(scores, axis=1)
    is_margin = isinstance(task.model, Network) and isinstance(task.model.loss, Hinge)
    return (scores > (0.0 if is_margin else 0.5)).astype(int)


def _explained(scores: Array, y: Array) -> float | None:
    """R², the share of the variance of y (N,) that scores (N,) explain; None where y does not vary."""
    spread = float(np.sum((y - y.mean()) ** 2))
    return 1 - float(np.sum((scores - y) ** 2)) / spread if spread else None
