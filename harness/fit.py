"""Which value a hyper-parameter must have had, judged by one single step that differs.

A step of the reference with the right value comes to where the actual step came.  The value found is
exact to some digits only; since people write short numbers, its roundings are tried first.
"""

from collections.abc import Callable, Iterator

import numpy as np

from backends.base import Arrays, Program
from harness import tolerance, trace
from harness.distance import distances
from harness.faults.numbers import with_value
from tasks.spec import Array, Task, TaskError

SCAN = 60  # values that are tried before one is refined
DIGITS = (1, 2, 3, 4, 6, 8)  # to which the refined value is rounded …
LEFT = 0.1  # of a difference: the share that the best value may leave unexplained in one single step
NEAR = 1e-3  # … if that changes it by less than this share: a step may hardly depend on it


class Fit:
    """Fits hyper-parameters to traces that differ from one of the reference; its scans are made once."""

    def __init__(self, build: Callable[[Task], Program], task: Task, desired: Arrays, dtype: str) -> None:
        self.build, self.task, self.desired, self.dtype = build, task, desired, dtype
        self.scans: dict[tuple[str, int], tuple[Array, list[Arrays | None]]] = {}

    def values(self, name: str, declared: float, actual: Arrays) -> Iterator[float]:
        """Values to try: the declared one in float32, none, and what the fit finds, rounded to few digits."""
        yield from _shown(name, actual)
        yield float(np.float32(declared))
        yield 0.0
        fitted = self._fit(name, declared, actual)
        if fitted is None:
            return
        short = [value for digits in DIGITS for value in _short(fitted, declared, digits)]
        near = [value for value in short if abs(value - fitted) <= NEAR * fitted and value != declared]
        yield from dict.fromkeys([*near, fitted])

    def _fit(self, name: str, declared: float, actual: Arrays) -> float | None:
        """The value at which a single step of the reference comes to the actual one, if there is any.

        The miss, projected on the difference that is to be explained, is -1 at the declared value and
        0 at the one sought.
        """
        from scipy.optimize import brentq  # here: few runs diverge

        row = self._differing_row(actual)
        if row is None:
            return None
        names = self._local_names(actual)
        unit = {n: float(np.max(np.abs(self.desired[n]), initial=0.0)) or 1.0 for n in names}

        def apart(step: Arrays) -> Array:
            """How far a step is from the actual one, in units of each array, end to end."""
            return np.concatenate([np.ravel((step[n] - actual[n][row]) / unit[n]) for n in names])

        difference = -apart({n: self.desired[n][row] for n in names})

        def miss(step: Arrays | None) -> float:
            return np.nan if step is None else float(apart(step) @ difference)

        places, scan = self._scan(name, declared, row)
        misses = np.array([miss(steps) for steps in scan])
        crossings = np.flatnonzero(np.sign(misses[:-1]) * np.sign(misses[1:]) <= 0)
        if not len(crossings):
            return None
        near = min(crossings, key=lambda i: abs(places[i] - _place(name, declared)))
        place = brentq(
            lambda x: miss(self._step_with(name, x, row)),
            places[near],
            places[near + 1],
            xtol=1e-300,
            rtol=1e-15,
            disp=False,  # towards 0 it may not converge; whether it is the value sought, is asked below
        )
        found = self._step_with(name, place, row)
        if found is None or not np.linalg.norm(apart(found)) <= LEFT * np.linalg.norm(difference):
            return None
        return _value(name, place)

    def _scan(self, name: str, declared: float, row: int) -> tuple[Array, list[Arrays | None]]:
        """One single step for each of many values of a hyper-parameter, the declared one among them."""
        if (name, row) not in self.scans:
            places = np.sort(np.append(_grid(name), _place(name, declared)))
            self.scans[name, row] = places, [self._step_with(name, place, row) for place in places]
        return self.scans[name, row]

    def _step_with(self, name: str, place: float, row: int) -> Arrays | None:
        """The single step from one observed state with another value; None where there is no such value."""
        try:
            task = with_value(self.task, name, _value(name, place))
        except TaskError:
            return None
        states = {n: array[row : row + 1] for n, array in trace.states(self.desired).items()}
        return {n: array[0] for n, array in trace.single_steps(self.build(task), task, states).items()}

    def _local_names(self, actual: Arrays) -> list[str]:
        chosen = ("local/param/", "local/state/", "local/grad/")
        return [n for n in self.desired if n.startswith(chosen) and n in actual]

    def _differing_row(self, actual: Arrays) -> int | None:
        """The first observed state from which the single step differs by more than rounding."""
        first = None
        for name in self._local_names(actual):
            if actual[name].shape != self.desired[name].shape:
                return None
            apart, size = distances(actual[name], self.desired[name])
            rows = np.flatnonzero(apart > tolerance.rounding(np.maximum.accumulate(size), self.dtype))
            if len(rows) and (first is None or rows[0] < first):
                first = int(rows[0])
        return first


def _shown(name: str, actual: Arrays) -> Iterator[float]:
    """What the rate of a plateau says itself: single steps begin at the reference's, and cannot tell."""
    rates = actual.get("state/learning_rate", np.zeros(0))
    if name == "learning_rate" and len(rates):
        yield float(rates[0])
    if name == "by" and len(falls := np.flatnonzero(rates[1:] != rates[:-1])):
        yield float(rates[falls[0] + 1] / rates[falls[0]])


def _is_share(name: str) -> bool:
    """Whether a hyper-parameter is a share that lies near 1, and is best searched by its distance from 1."""
    return name in ("momentum", "rho", "beta_1", "beta_2")


def _place(name: str, value: float) -> float:
    """Where a value stands on the logarithmic scale on which it is searched."""
    return float(np.log(1 - value if _is_share(name) else max(value, 1e-30)))


def _value(name: str, place: float) -> float:
    return float(1 - np.exp(place) if _is_share(name) else np.exp(place))


def _grid(name: str) -> Array:
    low, high = 1e-18, 1e3
    if _is_share(name):
        low, high = 1e-6, 1.0
    if name in ("dropout", "floor"):  # so small that it is none at all, it is another fault
        low, high = 1e-3, 1.0
    return np.linspace(np.log(low), np.log(high), SCAN)


def _short(fitted: float, declared: float, digits: int) -> Iterator[float]:
    """What a person may have written: a short number, or the declared one times or divided by such."""
    yield float(f"{fitted:.{digits}g}")
    if declared and fitted:
        yield declared * float(f"{fitted / declared:.{digits}g}")
        yield declared / float(f"{declared / fitted:.{digits}g}")
