"""The ways to drive a program, each timed by itself.

    step      one call of `run` for each batch: a training loop that looks at every loss
    run       one call for all batches: the fastest way that the framework has
    run-100   one call for 100 batches each, or any other number
    fit       the framework's own trainer, where it has one

A lane is timed only if the first epochs in it come to what they come to step by step, which is what
parity is proved of.
"""

import math
from collections.abc import Callable
from functools import partial
from itertools import chain, islice

import numpy as np

from backends.base import Arrays, Program
from harness import spread, tolerance
from harness.distance import distances
from tasks.spec import Array, Plateau, Rows, Task

LANES = ("step", "run", "fit")
LEAST_STEPS, LEAST_EPOCHS = 10, 2  # of what a lane is proved on


def driver(lane: str, program: Program, task: Task, epochs: int) -> Callable[[], Array]:
    """A call that trains the task's first epochs; it returns each step's loss, with `fit` each epoch's.

    Raises `ValueError` for a lane that there is not.
    """
    if lane == "fit":
        return partial(program.fit, epochs)
    batches = list(chain.from_iterable(islice(task.epochs(), epochs)))
    calls = _calls(lane, batches)
    if len(calls) == 1:
        return partial(program.run, batches)
    return lambda: np.concatenate([program.run(call) for call in calls])


def _calls(lane: str, batches: list[Rows]) -> list[list[Rows]]:
    """The batches of each call of `run`."""
    sizes = {"step": 1, "run": len(batches)}
    size = sizes[lane] if lane in sizes else int(lane.removeprefix("run-"))
    return [batches[start : start + size] for start in range(0, len(batches), size)]


def proved_on(task: Task) -> int:
    """So many epochs."""
    return max(LEAST_EPOCHS, math.ceil(LEAST_STEPS / steps(task, 1)))


def steps(task: Task, epochs: int) -> int:
    """So many steps there are in the first epochs."""
    return sum(len(batches) for batches in islice(task.epochs(), epochs))


def outcome(lane: str, program: Program, task: Task) -> Arrays:
    """What the first epochs come to, as a trace whose steps are epochs: mean losses, parameters, state."""
    epochs = list(islice(task.epochs(), proved_on(task)))
    losses = program.fit(len(epochs)) if lane == "fit" else _epoch_losses(lane, program, task, epochs)
    observed = {name: array[None] for name, array in program.observe().items()}
    return {"loss": np.array(losses), "observed_steps": np.array([len(epochs)])} | observed


def _epoch_losses(lane: str, program: Program, task: Task, epochs: list[list[Rows]]) -> Array:
    """Means over an epoch's rows, as a trace has them."""
    hears_epochs = isinstance(task.schedule, Plateau)
    found = []
    for piece in [[epoch] for epoch in epochs] if hears_epochs else [epochs]:
        batches = list(chain.from_iterable(piece))
        losses = np.concatenate([program.run(call) for call in _calls(lane, batches)])
        ends = np.cumsum([len(epoch) for epoch in piece])
        for epoch, own in zip(piece, np.split(losses, ends[:-1]), strict=True):
            found.append(np.average(own, weights=[max(1, len(rows)) for rows in epoch]))
            if hears_epochs:
                program.end_epoch(float(found[-1]))
    return np.array(found)


def spreads(build: Callable[[Task], Program], task: Task, desired: Arrays, dtype: str) -> Arrays:
    """How far shadows are from the reference's outcome, as "spread/<name>": see harness/spread.py."""
    found: Arrays = {}
    for seed in range(tolerance.SHADOWS):
        program, moved, _ = spread.shadow_of(build, task, dtype, seed)
        actual = outcome("step", program, moved)
        for name in desired:
            apart, _ = distances(actual[name], desired[name])
            found[f"spread/{name}"] = np.maximum(found.get(f"spread/{name}", 0.0), apart)
    return found
