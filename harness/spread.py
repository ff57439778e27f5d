"""How far rounding alone can carry a run: the reference again, from numbers moved by an ulp.

A shadow is the reference on a task whose every number (data, classes, initial parameters, curvature of
a quadratic) is moved up or down by one ulp at random.  Its hidden units are moved too, since a
saturated one loses digits in 1 - h², and as it goes, its parameters and state: by an ulp per step, which
adds up like a random walk.  Whoever computes the same in another order is as far from the reference as a
shadow, up to a small factor: this is backward error analysis by experiment.

Source: Wilkinson, "Rounding Errors in Algebraic Processes" (1963); Higham, "Accuracy and Stability of
Numerical Algorithms" (2002), section 1.5.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, final

import numpy as np

from backends.base import Arrays, Program
from harness import parity, tolerance, trace
from harness.distance import distances
from harness.faults.base import Around
from tasks.spec import Array, Quadratic, Rosenbrock, Rows, Task

AHEAD = 2**14  # numbers that are drawn at once, at least: each draw has its price, however few it is for


@final
class Ulps:
    """Either eps or -eps of a dtype, at random."""

    def __init__(self, dtype: str, seed: int) -> None:
        self.eps = float(np.finfo(dtype).eps)
        self.rng = np.random.default_rng(seed)
        self.drawn = np.zeros(0)

    def draw(self, shape: tuple[int, ...]) -> Array:
        """An array of this shape, which the caller may write to."""
        size = math.prod(shape)
        if size > len(self.drawn):
            self.drawn = self._more(max(size, AHEAD))
        taken, self.drawn = self.drawn[:size], self.drawn[size:]
        return taken.reshape(shape)

    def _more(self, count: int) -> Array:
        random = np.frombuffer(self.rng.bytes(-(-count // 8)), np.uint8)
        found = np.unpackbits(random).astype(np.float64)  # 0 or 1
        found *= 2 * self.eps
        found -= self.eps
        return found

    def near(self, array: Array, steps: int = 1) -> Array:
        """Each number times 1 + √steps·eps or 1 - √steps·eps, as in a random walk; a count stays as it is."""
        if array.dtype.kind != "f":
            return array
        factors = self.draw(array.shape)  # and from here in place: a trace may be large
        factors *= math.sqrt(steps)
        factors += 1
        factors *= array
        return factors


def spread(
    build: Callable[[Task], Program], task: Task, desired: Arrays, dtype: str, start: Arrays | None = None
) -> Arrays:
    """The largest distance of any shadow at each step, as "spread/<name>" (K,) for each array of a trace.

    The trace's single steps have begun in the states `start`, or else in its own.

    It is inf where a shadow has already stopped.  "spread/steps" (2,) has the fewest and the most steps.
    """
    found: Arrays = {}
    steps = [len(desired["loss"])]
    for seed in range(tolerance.SINGLE_STEP_SHADOWS):
        program, shadow, ulps = shadow_of(build, task, dtype, seed)
        states = _moved_state(start or trace.states(desired), ulps)
        if seed < tolerance.SHADOWS:
            actual, _ = trace.record(program, shadow, states)
            steps.append(len(actual["loss"]))
        else:
            actual = trace.single_steps(program, shadow, states)
        for name in actual:
            if name in desired and name not in trace.NOT_COMPARED:
                apart = _apart(name, actual, desired)
                found[f"spread/{name}"] = np.maximum(found.get(f"spread/{name}", 0.0), apart)
    return found | {"spread/steps": np.array([min(steps), max(steps)])}


def shadow_of(
    build: Callable[[Task], Program], task: Task, dtype: str, seed: int
) -> tuple[Program, Task, Ulps]:
    """The reference on a task moved by an ulp, that task, and what moved it."""
    ulps = Ulps(dtype, seed)
    moved = _moved_task(task, ulps)
    return _Shadow(build(moved), ulps), moved, ulps


@final
class _Shadow(Around):
    """The reference, with hidden units moved, and parameters and state after each piece of a run."""

    def __init__(self, inner: Any, ulps: Ulps) -> None:
        self.inner, self.ulps = inner, ulps
        if hasattr(inner, "activate"):  # the reference's Network
            inner.activate = partial(self._moved_units, inner.activate)
            # Targets too: p - 1 loses digits where p is near 1, and z·y - z where y is 1.
            inner.y = inner.y + np.maximum(1, np.abs(inner.y)) * ulps.draw(inner.y.shape)

    def _moved_units(self, activate: Callable[..., Array], z: Array, out: Array | None) -> Array:
        h = activate(z, out)
        factors = self.ulps.draw(h.shape)
        factors += 1
        h *= factors.astype(h.dtype, copy=False)
        return h

    def run(self, batches: Sequence[Rows]) -> Array:
        losses = self.inner.run(batches)
        self.inner.restore(_moved_state(self.inner.observe(), self.ulps, steps=len(batches)))
        return losses

    def gradient(self, rows: Rows) -> tuple[float, Arrays]:
        return self.inner.gradient(rows)

    def observe(self) -> Arrays:
        return self.inner.observe()

    def restore(self, observed: Arrays) -> None:
        self.inner.restore(observed)


def _apart(name: str, actual: Arrays, desired: Arrays) -> Array:
    """Distances (K,) of one array's rows."""
    mine, theirs = parity.shared(name, actual, desired)
    rows = parity.rows_of(name, desired)
    apart = np.full(len(rows), np.inf)
    apart[theirs], _ = distances(parity.rows_of(name, actual)[mine], rows[theirs])
    return apart


def _moved_task(task: Task, ulps: Ulps) -> Task:
    changes: dict[str, Any] = {"start": {name: ulps.near(array) for name, array in task.start.items()}}
    if task.data is not None:
        x, weights = task.data.x_train, task.data.weights
        changes["data"] = replace(
            task.data,
            x_train=ulps.near(x),
            weights=None if weights is None else ulps.near(weights),
        )
    if isinstance(task.model, Quadratic):
        scale = 1 + ulps.draw(task.model.minimum.shape)  # both sides: it stays positive definite
        changes["model"] = replace(
            task.model,
            hessian=task.model.hessian * np.outer(scale, scale),
            minimum=ulps.near(task.model.minimum),
        )
    if isinstance(task.model, Rosenbrock):
        steepness = float(ulps.near(np.array(task.model.steepness)))
        changes["model"] = replace(task.model, steepness=steepness)
    return replace(task, **changes)


def _moved_state(observed: Arrays, ulps: Ulps, steps: int = 1) -> Arrays:
    """Parameters and state; a number of mistakes is a whole number, whatever its dtype."""
    return {
        name: array if name == "state/pocket_mistakes" else ulps.near(array, steps)
        for name, array in observed.items()
    }
