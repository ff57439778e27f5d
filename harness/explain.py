"""Name the cause of a divergence: the reference, computed with a fault, must agree with what diverged.

A cause is never guessed from how a difference looks.  Each fault of the catalogue is put into the
reference; first only single steps are compared, which is cheap, and what passes is replayed from start
to end.  A cause is named if that replay agrees to rounding.  Where several do, this task cannot tell
them apart, and all are named.
"""

from collections.abc import Callable, Mapping
from functools import partial

import numpy as np

from backends.base import Arrays, Program
from harness import parity, tolerance, trace
from harness.distance import distances
from harness.faults import FAULTS, Fault
from harness.faults.numbers import hyper_parameters, with_value
from harness.fit import Fit
from harness.result import Cause
from tasks.spec import Array, Task, TaskError

STATES = 8  # single steps that a fault must reproduce before it is replayed as a whole


class Explainer:
    """Finds the causes of what differs from one trace of the reference; replays are made once."""

    def __init__(self, build: Callable[[Task], Program], task: Task, desired: Arrays, dtype: str) -> None:
        self.build, self.task, self.desired, self.dtype = build, task, desired, dtype
        self.spreads = trace.spreads(desired)
        count = len(desired["observed_steps"])
        # Evenly spread over the observed states, the start among them: there optimizers differ most.
        self.rows = np.unique(np.linspace(0, count - 1, min(STATES, count)).astype(int))
        self.single_steps: dict[str, Arrays] = {}  # by fault
        self.runs: dict[str, Arrays] = {}
        self.fit = Fit(build, task, desired, dtype)

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

    def _fitted(self, name: str, actual: Arrays, hidden: Mapping[str, str]) -> Cause | None:
        """A hyper-parameter that has another value."""
        declared = hyper_parameters(self.task)[name]
        for value in self.fit.values(name, declared, actual):
            try:
                task = with_value(self.task, name, value)
            except TaskError:  # momentum 0, say
                continue
            agrees_to = self._agrees(f"{name}={value!r}", partial(self.build, task), actual, hidden)
            if agrees_to is not None:
                return Cause(name, f"{name} is {value!r}, not {declared!r}", agrees_to)
        return None
