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
from harness.distance import distances, largest_so_far
from harness.faults import FAULTS, Fault
from harness.faults.numbers import hyper_parameters, with_value
from harness.fit import Fit
from harness.result import Cause
from harness.spread import spread
from tasks.spec import Array, Task, TaskError

LOOSELY = 1e4  # how far beyond its tolerance a single step may be for the whole run to be looked at
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

    @np.errstate(all="ignore")  # overflow is a result, compared like any other
    def causes(self, actual: Arrays, hidden: Mapping[str, str], first: str | None = None) -> list[Cause]:
        """All causes that explain the whole difference of a trace; `first` alone if that does.

        `hidden` maps kinds of quantity that the framework does not show to why.
        """
        if first and (declared := self._confirmed(FAULTS[first], actual, hidden)):
            return [declared]
        faults = [fault for fault in FAULTS.values() if self._is_possible(fault)]
        found = [cause for fault in faults if (cause := self._confirmed(fault, actual, hidden))]
        fitted = (self._fitted(name, actual, hidden) for name in hyper_parameters(self.task))
        return found + [cause for cause in fitted if cause]

    def _is_possible(self, fault: Fault) -> bool:
        """Whether a fault can make a difference; a wrong value of a hyper-parameter is found by fitting."""
        if fault.field or not fault.applies(self.task):
            return False
        return fault.equivalent(self.task, self.desired) is None

    def _confirmed(self, fault: Fault, actual: Arrays, hidden: Mapping[str, str]) -> Cause | None:
        wrong = fault.of_task(self.task) if fault.of_task else None
        agrees_to = self._agrees(fault.id, lambda: fault.inject(self.build, self.task), actual, hidden, wrong)
        return None if agrees_to is None else Cause(fault.id, fault.words, agrees_to)

    def _agrees(
        self,
        key: str,
        make: Callable[[], Program],
        actual: Arrays,
        hidden: Mapping[str, str],
        wrong: Task | None,
    ) -> float | None:
        """To what a trace agrees with the reference's, made so; None where it does not agree.

        `wrong` is the task that it then trains, if it is not this one.
        """
        if key not in self.single_steps:
            self.single_steps[key] = trace.single_steps(make(), self.task, self._states(self.rows))
        if not self._single_steps_agree(self.single_steps[key], actual, hidden):
            return None
        if key not in self.runs:
            states = trace.states(self.desired)
            run, _ = trace.record(make(), self.task, states)
            # Another task may amplify rounding more than this one.
            spreads = spread(self.build, wrong, run, self.dtype, states) if wrong else self.spreads
            self.runs[key] = run | spreads
        found = parity.compare(actual, self.runs[key], self.dtype, not_observed=hidden)
        agrees = found.first_divergence is None and found.first_undecided is None
        return parity.worst(found) if agrees else None

    def _states(self, rows: Array) -> Arrays:
        return {name: array[rows] for name, array in trace.states(self.desired).items()}

    def _single_steps_agree(self, steps: Arrays, actual: Arrays, hidden: Mapping[str, str]) -> bool:
        """Whether a few single steps agree; a cheap look before the whole run is replayed and compared."""
        for name in (n for n in steps if (kind := parity.kind_of(n)) and kind not in hidden):
            if name not in actual or actual[name].shape != self.desired[name].shape:
                return False
            apart, size = distances(actual[name][self.rows], steps[name])
            known = self.spreads[f"spread/{name}"][self.rows]
            allowed = tolerance.tolerance(largest_so_far(size), known, self.dtype)
            if not np.all(apart <= LOOSELY * allowed):
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
            agrees_to = self._agrees(f"{name}={value!r}", partial(self.build, task), actual, hidden, task)
            if agrees_to is not None:
                return Cause(name, f"{name} is {value!r}, not {declared!r}", agrees_to)
        return None
