"""What the runs of a concept's tasks measured, in a sentence, to stand beside what is usually said.

All of it is measured on the reference: whether the other columns measure the same is what the cells say.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import takewhile

import numpy as np

from backends.base import Arrays
from harness.metrics import metrics
from harness.result import Concept, Metrics
from tasks import TASKS
from tasks.concepts import CONCEPTS
from tasks.spec import Array, Function, Hinge, Network, Task

MOST = 12  # tasks that a sentence lists; of more, the best and the worst


@dataclass(frozen=True)
class Run:
    """A task, and what the reference recorded of it."""

    task: Task
    trace: Arrays

    @cached_property
    def metrics(self) -> Metrics:
        """Loss, accuracies and so on."""
        return metrics(self.task, self.trace)


def concepts(runs: Mapping[str, Run]) -> list[Concept]:
    """The concepts that the runs, by name of their task, belong to, each with its measured sentence."""
    found = []
    for concept in CONCEPTS:
        mine = [run for name, run in runs.items() if name in TASKS and concept.id in run.task.tags]
        if mine:
            missing = [name for name, task in TASKS.items() if concept.id in task.tags and name not in runs]
            measured = MEASURES[concept.measure](mine)
            names = [run.task.name for run in mine]
            found.append(Concept(concept.id, concept.title, concept.claim, measured, names, missing))
    return found


# ------------------------------------------------------------------------------------- measures


def _losses(runs: list[Run]) -> str:
    """By kind of task, since losses of different models are no matter of better or worse."""
    groups: dict[str, list[Run]] = {}
    for run in runs:
        groups.setdefault(_kind(run.task), []).append(run)
    return " ".join(
        _ranked(f"Last loss{f' of {kind}' if len(groups) > 1 else ''}", group, _last_loss, _with_rate(group))
        for kind, group in groups.items()
    )


def _kind(task: Task) -> str:
    if isinstance(task.model, Function):
        return type(task.model).__name__
    return task.model.loss_words


def _last_loss(run: Run) -> float:
    """Infinite where training diverged."""
    found = run.metrics
    return float("inf") if found.diverged_after is not None or found.loss is None else found.loss


def _ended(run: Run) -> str:
    after = run.metrics.diverged_after
    return _number(_last_loss(run)) if after is None else f"no longer finite after {after} steps"


def _with_rate(runs: list[Run]) -> Callable[[Run], str]:
    """How each ended; with its learning rate, where these are not all the same."""
    if len({run.task.optimizer.learning_rate for run in runs}) == 1:
        return _ended
    return lambda run: f"{_ended(run)} (rate {run.task.optimizer.learning_rate:g})"


def _mistakes(runs: list[Run]) -> str:
    said = [
        f"{label}: {int(run.trace['mistakes'].sum())} mistakes, {int(run.trace['mistakes'][-1])} of them in "
        f"the last of {len(run.trace['mistakes'])} epochs{_accuracy(run)}"
        for label, run in _labelled(runs)
    ]
    return "; ".join(said) + "."


def _accuracy(run: Run) -> str:
    accuracy = run.metrics.test_accuracy
    return "" if accuracy is None else f", test accuracy {accuracy:.3f}"


def _bound(runs: list[Run]) -> str:
    """With the largest margin that any line has, and the bias as a weight of a constant input of 1."""
    said = []
    for run in runs:
        data = run.task.data
        assert data is not None
        rows = (
            np.column_stack([data.x_train, np.ones(data.rows)]) * (2 * data.y_train - 1)[:, None]
        )  # (N, D+1)
        reach, margin = float(np.linalg.norm(rows, axis=1).max()), _largest_margin(rows)
        mistakes = int(run.trace["mistakes"].sum())
        said.append(
            f"{run.task.name}: {mistakes} mistakes, at most ({reach:.3g}/{margin:.3g})² = "
            f"{(reach / margin) ** 2:.0f} by the bound"
        )
    return "; ".join(said) + "."


def _largest_margin(rows: Array) -> float:
    """Of rows (N, D), each to lie on the positive side: max over unit vectors u of min rows·u.

    It is 1/‖w‖ of the shortest w with rows·w >= 1, a least-squares problem with bounds in its dual form.
    """
    from scipy.optimize import nnls  # here: one concept needs it

    # The shortest point of the convex hull of the rows, as non-negative least squares with Σ = 1 enforced.
    heavy = 1e3 * float(np.abs(rows).max())
    weights, _ = nnls(
        np.vstack([rows.T, np.full(len(rows), heavy)]), np.append(np.zeros(rows.shape[1]), heavy)
    )
    return float(np.linalg.norm(weights / weights.sum() @ rows))


def _starts(runs: list[Run]) -> str:
    """The gradient of the first kernel, and the loss that training came to."""
    said = [
        f"{label}: ‖∂w1‖ {_number(_gradient_norms(run)[0])} at the start, last loss {_ended(run)}"
        for label, run in _labelled(runs)
    ]
    return "; ".join(said) + "."


def _gradients(runs: list[Run]) -> str:
    """How the gradient at the start changes from the last hidden kernel to the first."""
    said = []
    for label, run in _labelled(runs):
        first, *_, last_hidden, _ = _gradient_norms(run)
        said.append(f"{label}: {_number(first / last_hidden)}")
    return f"‖∂w1‖ at the start, as a multiple of the last hidden kernel's: {', '.join(said)}."


def _gradient_norms(run: Run) -> list[float]:
    """Of each kernel's gradient at the start, first layer first."""
    kernels = [name for name in run.task.shapes if name.startswith("w")]
    return [float(np.linalg.norm(run.trace[f"grad/{name}"][0])) for name in kernels]


def _fits(runs: list[Run]) -> str:
    return _ranked("R² on the test rows, highest first", runs, lambda run: -(run.metrics.test_r2 or 0.0), _r2)


def _r2(run: Run) -> str:
    return f"{run.metrics.test_r2 or 0.0:.3f}"


def _classified(runs: list[Run]) -> str:
    """Accuracy of all test rows and of class 1's, and how far probabilities are from ½."""
    said = []
    for label, run in _labelled(runs):
        confusion = run.metrics.confusion_test or [[0, 0], [0, 1]]
        words = f"{label} {run.metrics.test_accuracy or 0.0:.3f}, of class 1 {_recall(confusion):.3f}"
        is_probability = isinstance(run.task.model, Network) and not isinstance(run.task.model.loss, Hinge)
        if is_probability:
            words += f", mean |p - ½| {np.mean(np.abs(run.trace['predict_test'] - 0.5)):.3f}"
        said.append(words)
    return f"Accuracy on the test rows: {'; '.join(said)}."


def _recall(confusion: list[list[int]]) -> float:
    """The share of class 1 that is found."""
    return confusion[1][1] / max(1, sum(confusion[1]))


def _gaps(runs: list[Run]) -> str:
    said = []
    for label, run in _labelled(runs):
        train, test = run.metrics.train_accuracy or 0.0, run.metrics.test_accuracy or 0.0
        said.append(f"{label} {train:.3f}/{test:.3f} (gap {train - test:+.3f})")
    return f"Accuracy on training/test rows: {', '.join(said)}."


def _folds(runs: list[Run]) -> str:
    found = np.array([run.metrics.test_accuracy or 0.0 for run in runs])
    if len(found) < 2:
        return f"Accuracy {found[0]:.3f} on one fold, which says nothing about its spread."
    return (
        f"Accuracy {found.mean():.3f} ± {found.std(ddof=1):.3f} over {len(found)} folds, "
        f"from {found.min():.3f} to {found.max():.3f}."
    )


def _searches(runs: list[Run]) -> str:
    said = []
    for kind in ("grid", "search"):
        mine = [run for run in runs if run.task.name.startswith(f"{kind}-")]
        if mine:
            best = max(mine, key=lambda run: run.metrics.test_accuracy or 0.0)
            assert isinstance(best.task.model, Network)
            said.append(
                f"{'random' if kind == 'search' else kind}: {best.metrics.test_accuracy or 0.0:.3f} with "
                f"{best.task.model.hidden[0]} units and alpha {best.task.model.l2:g}, the best of {len(mine)}"
            )
    return f"Accuracy on held-back rows: {'; '.join(said)}."


def _bias_and_variance(runs: list[Run]) -> str:
    """Of the probability of class 1, over models trained on resampled rows, as mean over the test rows."""
    by_units: dict[int, list[Run]] = {}
    for run in runs:
        assert isinstance(run.task.model, Network)
        by_units.setdefault(run.task.model.hidden[0], []).append(run)
    said = []
    for units, group in by_units.items():
        predicted = np.stack([run.trace["predict_test"] for run in group])  # (models, N)
        data = group[0].task.data
        assert data is not None and data.y_test is not None
        squared_bias = float(np.mean((predicted.mean(axis=0) - data.y_test) ** 2))
        variance = float(np.mean(predicted.var(axis=0)))
        said.append(
            f"{units} unit{'s' if units > 1 else ''}: squared bias (with the noise of the classes) "
            f"{squared_bias:.4f}, variance {variance:.4f} over {len(group)} training set(s)"
        )
    return "; ".join(said) + "."


MEASURES: dict[str, Callable[[list[Run]], str]] = {
    "mistakes": _mistakes,
    "bound": _bound,
    "losses": _losses,
    "starts": _starts,
    "gradients": _gradients,
    "fits": _fits,
    "classified": _classified,
    "gaps": _gaps,
    "folds": _folds,
    "searches": _searches,
    "bias_and_variance": _bias_and_variance,
}

# --------------------------------------------------------------------------------------- words


def _ranked(title: str, runs: list[Run], key: Callable[[Run], float], say: Callable[[Run], str]) -> str:
    """The runs, lowest key first, each with what is said of it."""
    ordered = sorted(_labelled(runs), key=lambda labelled: key(labelled[1]))
    said = [f"{label} {say(run)}" for label, run in ordered]
    if len(said) > MOST:
        half = MOST // 2
        said = [*said[:half], f"… {len(said) - MOST} more …", *said[-half:]]
    return f"{title}: {', '.join(said)}."


def _labelled(runs: list[Run]) -> list[tuple[str, Run]]:
    """Each run with its task's name, less the words that all names begin with."""
    words = [run.task.name.split("-") for run in runs]
    shared = sum(1 for _ in takewhile(lambda found: len(set(found)) == 1, zip(*words, strict=False)))
    keep = 0 if len(runs) == 1 or any(len(name) == shared for name in words) else shared
    return [("-".join(name[keep:]), run) for name, run in zip(words, runs, strict=True)]


def _number(value: float) -> str:
    return f"{value:.3g}"
