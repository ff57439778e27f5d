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
        program, shadow, rng = shadow_of(build, task, dtype, seed)
        states = _moved_state(start or trace.states(desired), dtype, rng)
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
) -> tuple[Program, Task, np.random.Generator]:
    """The reference on a task moved by an ulp, that task, and the generator that moved it."""
    rng = np.random.default_rng(seed)
    moved = _moved_task(task, dtype, rng)
    return _Shadow(build(moved), dtype, rng), moved, rng


@final
class _Shadow(Around):
    """The reference, with hidden units moved, and parameters and state after each piece of a run."""

    def __init__(self, inner: Any, dtype: str, rng: np.random.Generator) -> None:
        self.inner, self.dtype, self.rng = inner, dtype, rng
        if hasattr(inner, "activate"):  # the reference's Network
            inner.activate = partial(self._moved_units, inner.activate)
            # Targets too: p - 1 loses digits where p is near 1, and z·y - z where y is 1.
            inner.y = inner.y + np.maximum(1, np.abs(inner.y)) * _ulps(inner.y.shape, dtype, rng)

    def _moved_units(self, activate: Callable[..., Array], z: Array, out: Array | None) -> Array:
        h = activate(z, out)
        h *= 1 + _ulps(h.shape, self.dtype, self.rng).astype(h.dtype)
        return h

    def run(self, batches: Sequence[Rows]) -> Array:
        losses = self.inner.run(batches)
        ulps = math.sqrt(len(batches))
        self.inner.restore(_moved_state(self.inner.observe(), self.dtype, self.rng, ulps))
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


def _moved_task(task: Task, dtype: str, rng: np.random.Generator) -> Task:
    changes: dict[str, Any] = {
        "start": {name: _moved(array, dtype, rng) for name, array in task.start.items()}
    }
    if task.data is not None:
        x, weights = task.data.x_train, task.data.weights
        changes["data"] = replace(
            task.data,
            x_train=_moved(x, dtype, rng),
            weights=None if weights is None else _moved(weights, dtype, rng),
        )
    if isinstance(task.model, Quadratic):
        scale = 1 + _ulps(task.model.minimum.shape, dtype, rng)  # both sides: it stays positive definite
        changes["model"] = replace(
            task.model,
            hessian=task.model.hessian * np.outer(scale, scale),
            minimum=_moved(task.model.minimum, dtype, rng),
        )
    if isinstance(task.model, Rosenbrock):
        steepness = float(_moved(np.array(task.model.steepness), dtype, rng))
        changes["model"] = replace(task.model, steepness=steepness)
    return replace(task, **changes)


def _moved_state(observed: Arrays, dtype: str, rng: np.random.Generator, ulps: float = 1.0) -> Arrays:
    """Parameters and state; a number of mistakes is a whole number, whatever its dtype."""
    return {
        name: array if name == "state/pocket_mistakes" else _moved(array, dtype, rng, ulps)
        for name, array in observed.items()
    }


def _moved(array: Array, dtype: str, rng: np.random.Generator, ulps: float = 1.0) -> Array:
    """Each number times 1 + ulps·eps or 1 - ulps·eps; a count stays as it is."""
    if array.dtype.kind != "f":
        return array
    return array * (1 + ulps * _ulps(array.shape, dtype, rng))


def _ulps(shape: tuple[int, ...], dtype: str, rng: np.random.Generator) -> Array:
    """Either eps or -eps, at random."""
    return float(np.finfo(dtype).eps) * (2 * rng.integers(2, size=shape) - 1)
