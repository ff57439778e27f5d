"""Faults in what an averaged or a pocket perceptron keeps, and predicts with.

The perceptron is a column's own; what it keeps is written out.  `test_catalogue` holds the right rules
against every column.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import final

import numpy as np

from backends.base import Arrays, named, pick
from harness.faults.base import Around, Fault, Make, end
from tasks.spec import Array, Perceptron, Rows, Task


@final
class Kept(Around):
    """A plain perceptron, with the parameters that a variant keeps beside it."""

    def __init__(self, make: Make, task: Task, keep: "Keep", *, predicts_with_last: bool = False) -> None:
        assert isinstance(task.model, Perceptron) and task.data is not None
        self.inner = make(replace(task, model=Perceptron()))
        self.data, self.keep, self.predicts_with_last = task.data, keep, predicts_with_last
        self.is_average = task.model.variant == "averaged"
        self.steps = self.taken = 0  # steps in all, and steps that the average is over
        self.fewest = np.inf
        self.kept = self.now if not self.is_average else {name: 0 * a for name, a in self.now.items()}
        if not self.is_average:
            self.fewest = self.mistakes()

    @property
    def now(self) -> Arrays:
        """The parameters as they are."""
        return pick("param", self.inner.observe())

    def mistakes(self) -> float:
        """How many training rows the present parameters get wrong."""
        return float(np.sum(self.inner.predict(self.data.x_train) != self.data.y_train))

    def average(self, parameters: Arrays) -> None:
        """Count these parameters into the average."""
        self.taken += 1
        self.kept = {name: mean + (parameters[name] - mean) / self.taken for name, mean in self.kept.items()}

    def run(self, batches: Sequence[Rows]) -> Array:
        return np.array([self._step(rows) for rows in batches])

    def _step(self, rows: Rows) -> float:
        before = self.now
        loss = float(self.inner.run([rows])[0])
        self.steps += 1
        self.keep(self, before, loss)
        return loss

    def gradient(self, rows: Rows) -> tuple[float, Arrays]:
        return self.inner.gradient(rows)

    def observe(self) -> Arrays:
        observed = self.inner.observe()
        if self.is_average:
            return observed | named("state/average", self.kept) | {"state/step": np.array(self.steps)}
        return observed | named("state/pocket", self.kept) | {"state/pocket_mistakes": np.array(self.fewest)}

    def restore(self, observed: Arrays) -> None:
        self.inner.restore(named("param", pick("param", observed)))
        if self.is_average:
            self.kept = pick("state/average", observed)
            self.steps = self.taken = int(observed["state/step"])
        else:
            self.kept = pick("state/pocket", observed)
            self.fewest = float(observed["state/pocket_mistakes"])

    def predict(self, x: Array) -> Array:
        if self.predicts_with_last:
            return self.inner.predict(x)
        last = self.inner.observe()
        self.inner.restore(last | named("param", self.kept))
        found = self.inner.predict(x)
        self.inner.restore(last)
        return found


Keep = Callable[[Kept, Arrays, float], None]  # told the parameters before a step, and its loss


def variant(kept: Kept, _before: Arrays, _loss: float) -> None:
    """The right rule of either variant."""
    if kept.is_average:
        kept.average(kept.now)
    elif kept.mistakes() < kept.fewest:
        _into_pocket(kept)


def _into_pocket(kept: Kept) -> None:
    kept.kept, kept.fewest = kept.now, kept.mistakes()


def _after_mistakes(kept: Kept, _before: Arrays, loss: float) -> None:
    if loss:
        kept.average(kept.now)


def _before_update(kept: Kept, before: Arrays, _loss: float) -> None:
    kept.average(before)


def _summed(kept: Kept, _before: Arrays, _loss: float) -> None:
    kept.kept = {name: total + kept.now[name] for name, total in kept.kept.items()}


def _on_ties_too(kept: Kept, _before: Arrays, _loss: float) -> None:
    if kept.mistakes() <= kept.fewest:
        _into_pocket(kept)


def _always(kept: Kept, _before: Arrays, _loss: float) -> None:
    _into_pocket(kept)


def _is(name: str) -> Callable[[Task], bool]:
    return lambda task: isinstance(task.model, Perceptron) and task.model.variant == name


# ------------------------------------------------------ after how many steps of a trace a fault acts


def _first(acts: Callable[[Task, Arrays, int], bool]) -> Callable[[Task, Arrays], int]:
    """The first step, of a trace that was observed at every step, in which it acts."""

    def first(task: Task, desired: Arrays) -> int:
        return next((t for t in range(len(desired["loss"])) if acts(task, desired, t)), 0)

    return first


def _is_right(_task: Task, desired: Arrays, t: int) -> bool:
    return desired["loss"][t] == 0


def _is_mistake(_task: Task, desired: Arrays, t: int) -> bool:
    return desired["loss"][t] > 0


def _leaves_pocket(_task: Task, desired: Arrays, t: int) -> bool:
    """Whether the parameters after this step are not those in the pocket."""
    return any(
        np.any(desired[f"param/{name}"][t + 1] != desired[f"state/pocket/{name}"][t + 1]) for name in "wb"
    )


def _ties(task: Task, desired: Arrays, t: int) -> bool:
    """Whether they make as few mistakes as those in the pocket, and are others."""
    assert task.data is not None
    score = task.data.x_train @ desired["param/w"][t + 1] + desired["param/b"][t + 1] >= 0  # (N,)
    mistakes = np.sum(score != task.data.y_train)
    return mistakes == desired["state/pocket_mistakes"][t] and _leaves_pocket(task, desired, t)


def _fault(id_: str, words: str, keep: Keep, kind: str, acts: Callable[[Task, Arrays, int], bool]) -> Fault:
    return Fault(
        id_, words, lambda make, task: Kept(make, task, keep), ("state",), _is(kind), onset=_first(acts)
    )


def _forgotten(id_: str, words: str, kind: str) -> Fault:
    return Fault(
        id_,
        words,
        lambda make, task: Kept(make, task, variant, predicts_with_last=True),
        ("predict",),
        _is(kind),
        onset=end,
    )


FAULTS = (
    _fault(
        "average-of-mistakes",
        "the average is over the steps with a mistake alone",
        _after_mistakes,
        "averaged",
        _is_right,
    ),
    _fault(
        "average-before-update",
        "the average has the parameters before each update, not after it",
        _before_update,
        "averaged",
        _is_mistake,
    ),
    _fault(
        "average-summed",
        "the average is a sum",
        _summed,
        "averaged",
        lambda _task, _desired, t: t == 1,
    ),
    _forgotten("average-not-used", "the last parameters predict, not their average", "averaged"),
    _fault(
        "pocket-on-ties", "the pocket takes what makes as few mistakes, too", _on_ties_too, "pocket", _ties
    ),
    _fault("pocket-always", "the pocket takes every step's parameters", _always, "pocket", _leaves_pocket),
    _forgotten("pocket-not-used", "the last parameters predict, not those in the pocket", "pocket"),
)
