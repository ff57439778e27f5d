"""Name the cause of a divergence: the reference, computed with a fault, must agree with what diverged.

A cause is never guessed from how a difference looks.  Each fault of the catalogue is put into the
reference; first only single steps are compared, which is cheap, and what passes is replayed from start
to end.  A cause is named if that replay agrees to rounding.  Where several do, this task cannot tell
them apart, and all are named.
"""

from collections.abc import Callable, Iterator, Mapping
from functools import partial

import numpy as np

from backends.base import Arrays, Program
from harness import parity, tolerance, trace
from harness.distance import distances
from harness.faults import FAULTS, Fault
from harness.faults.numbers import hyper_parameters, with_value
from harness.result import Cause
from tasks.spec import Array, Task, TaskError

STATES = 8  # single steps that a fault must reproduce before it is replayed as a whole
SCAN = 60  # values of a hyper-parameter that are tried before the best two are refined
DIGITS = (
    1,
    2,
    3,
    4,
    6,
    8,
)  # significant digits to which a fitted value is rounded: people write short numbers


class Explainer:
    """Finds the causes of what differs from one trace of the reference; replays are made once."""

    def __init__(self, build: Callable[[Task], Program], task: Task, desired: Arrays, dtype: str) -> None:
        self.build, self.task, self.desired, self.dtype = build, task, desired, dtype
        self.names = [name for name in desired if parity.kind_of(name)]
        self.spreads = {name: array for name, array in desired.items() if name.startswith("spread/")}
        count = len(desired["observed_steps"])
        # Evenly spread over the observed states, the start among them: there optimizers differ most.
        self.rows = np.unique(np.linspace(0, count - 1, min(STATES, count)).astype(int))
        self.single_steps: dict[str, Arrays] = {}  # by fault
        self.runs: dict[str, Arrays] = {}
        self.scans: dict[tuple[str, int], tuple[Array, list[Arrays | None]]] = {}

    def causes(self, actual: Arrays, hidden: Mapping[str, str], first: str | None = None) -> list[Cause]:
        """All causes that explain the whole difference of a trace; `first` alone if that does.

        `hidden` maps kinds of quantity that the framework does not show to why.
        """
        if first and (declared := self._confirmed(FAULTS[first], actual, hidden)):
            return [declared]
        faults = [fault for fault in FAULTS.values() if fault.applies(self.task) and not fault.field]
        found = [cause for fault in faults if (cause := self._confirmed(fault, actual, hidden))]
        fitted = (self._fitted(name, actual, hidden) for name in hyper_parameters(self.task))
        return found + [cause for cause in fitted if cause]

    def _confirmed(self, fault: Fault, actual: Arrays, hidden: Mapping[str, str]) -> Cause | None:
        agrees_to = self._agrees(fault.id, lambda: fault.inject(self.build, self.task), actual, hidden)
        return None if agrees_to is None else Cause(fault.id, fault.words, agrees_to)

    def _agrees(
        self, key: str, make: Callable[[], Program], actual: Arrays, hidden: Mapping[str, str]
    ) -> float | None:
        """To what a trace agrees with the reference's, made so; None where it does not agree."""
        with np.errstate(all="ignore"):
            if key not in self.single_steps:
                self.single_steps[key] = trace.single_steps(make(), self.task, self._states(self.rows))
            if not self._single_steps_agree(self.single_steps[key], actual, hidden):
                return None
            if key not in self.runs:
                self.runs[key], _ = trace.record(make(), self.task, trace.states(self.desired))
        found = parity.compare(actual, self.runs[key] | self.spreads, self.dtype, not_observed=hidden)
        agrees = found.first_divergence is None and found.first_undecided is None
        return parity.worst(found) if agrees else None

    def _states(self, rows: Array) -> Arrays:
        return {name: array[rows] for name, array in trace.states(self.desired).items()}

    def _single_steps_agree(self, steps: Arrays, actual: Arrays, hidden: Mapping[str, str]) -> bool:
        """Whether a few single steps agree; a cheap look before the whole run is replayed and compared."""
        for name in (n for n in steps if parity.kind_of(n) not in hidden):
            if name not in actual or actual[name].shape != self.desired[name].shape:
                return False
            apart, size = distances(actual[name][self.rows], steps[name])
            spread = self.desired[f"spread/{name}"][self.rows]
            if not np.all(apart <= tolerance.tolerance(np.maximum.accumulate(size), spread, self.dtype)):
                return False
        return True

    # --------------------------------------------------------------------------- hyper-parameters

    def _fitted(self, name: str, actual: Arrays, hidden: Mapping[str, str]) -> Cause | None:
        """A hyper-parameter that has another value: which one, from the single step that differs first."""
        declared = hyper_parameters(self.task)[name]
        for value in self._values(name, declared, actual):
            try:
                task = with_value(self.task, name, value)
            except TaskError:
                continue
            agrees_to = self._agrees(f"{name}={value!r}", partial(self.build, task), actual, hidden)
            if agrees_to is not None:
                return Cause(name, f"{name} is {value!r}, not {declared!r}", agrees_to)
        return None

    def _values(self, name: str, declared: float, actual: Arrays) -> Iterator[float]:
        """Values to try: the declared one in float32, none, and what the fit finds, rounded to few digits."""
        yield float(np.float32(declared))
        yield 0.0
        fitted = self._fit(name, declared, actual)
        if fitted is None:
            return
        tried = set()
        for digits in DIGITS:
            for value in _short(fitted, declared, digits):
                if (
                    value not in tried
                    and value != declared
                    and abs(value - fitted) <= 1e-6 * abs(fitted) + 1e-12
                ):
                    tried.add(value)
                    yield value
        yield fitted

    def _fit(self, name: str, declared: float, actual: Arrays) -> float | None:
        """The value at which a single step of the reference comes closest to the actual one.

        The miss, projected on the difference that is to be explained, is -1 at the declared value and
        0 at the one sought.
        """
        from scipy.optimize import brentq  # here: few runs diverge

        row = self._differing_row(actual)
        if row is None:
            return None
        names = self._local_names(actual)
        unit = {n: float(np.max(np.abs(self.desired[n]), initial=0.0)) ** 2 or 1.0 for n in names}
        difference = {n: (actual[n][row] - self.desired[n][row]) / unit[n] for n in names}

        def miss(steps: Arrays | None) -> float:
            if steps is None:
                return np.nan
            return sum(float(np.vdot(steps[n][0] - actual[n][row], difference[n])) for n in names)

        places, scan = self._scan(name, declared, row)
        misses = np.array([miss(steps) for steps in scan])
        crossings = np.flatnonzero(np.sign(misses[:-1]) * np.sign(misses[1:]) < 0)
        if not len(crossings):
            return None
        near = min(crossings, key=lambda i: abs(places[i] - _place(name, declared)))
        place = brentq(
            lambda x: miss(self._step_with(name, x, row)),
            places[near],
            places[near + 1],
            xtol=1e-300,
            rtol=1e-15,
        )
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
        with np.errstate(all="ignore"):
            return trace.single_steps(self.build(task), task, self._states(np.array([row])))

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
            if not np.isfinite(apart).all():
                return None
            rows = np.flatnonzero(apart > tolerance.rounding(np.maximum.accumulate(size), self.dtype))
            if len(rows) and (first is None or rows[0] < first):
                first = int(rows[0])
        return first


def _is_share(name: str) -> bool:
    """Whether a hyper-parameter is a share that lies near 1, and is best searched by its distance from 1."""
    return name in ("momentum", "rho", "beta_1", "beta_2")


def _place(name: str, value: float) -> float:
    """Where a value stands on the logarithmic scale on which it is searched."""
    return float(np.log(1 - value if _is_share(name) else max(value, 1e-30)))


def _value(name: str, place: float) -> float:
    return float(1 - np.exp(place) if _is_share(name) else np.exp(place))


def _grid(name: str) -> Array:
    low, high = (1e-6, 1.0) if _is_share(name) else (1e-18, 1e3)
    return np.linspace(np.log(low), np.log(high), SCAN)


def _short(fitted: float, declared: float, digits: int) -> Iterator[float]:
    """What a person may have written: a short number, or the declared one times or divided by such."""
    yield float(f"{fitted:.{digits}g}")
    if declared and fitted:
        yield declared * float(f"{fitted / declared:.{digits}g}")
        yield declared / float(f"{declared / fitted:.{digits}g}")
