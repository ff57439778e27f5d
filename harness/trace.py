"""Train a program by the task's rules and record it: what both sides of a comparison are made of.

A trace is a flat dictionary of arrays, stored as one npz file:

    loss            (steps,)       each step's loss, before its update; only finite ones
    epoch_loss      (epochs,)      mean of an epoch's losses, weighted by the rows of each batch
    diverged        (1,)           after how many steps the loss was no longer finite, which ends the
                                   training; only where that happened
    validation_loss (epochs,)      loss on the validation rows after each epoch, where they are watched
    best_epoch      (1,)           likewise: the epoch, from 1, whose parameters the training ends with;
                                   0 where no such loss was finite
    observed_steps  (K,)           after how many steps the arrays below were taken
    param/<name>    (K, …)         parameters; the last row is the end of the run
    state/<slot>/<name>, state/step (K, …)
    grad/<name>     (K, …)         gradients on all training rows at those parameters
    grad_loss       (K,)           loss on all training rows at those parameters
    mistakes        (epochs,)      perceptron only
    predict_train, predict_test (N,) or (N, C), predict_grid (G·G,) or (G·G, C); not after divergence
    local/…         (K, …)         one step from each of the reference's observed states: its loss and
                                   gradients on the batch that comes then, parameters and state after it
    local/observed_steps (K,)      the reference's, from whose states these steps were taken
    spread/…        (K,)           the reference's trace only: see harness/spread.py
"""

import io
import math
import os
import zipfile
from collections.abc import Iterator
from contextlib import suppress
from functools import cache
from itertools import chain, islice
from pathlib import Path
from typing import Literal

import numpy as np

from backends.base import Arrays, NotObserved, Program
from harness.metrics import mean_loss
from tasks.spec import Array, Function, Network, Perceptron, Plateau, Rows, Stopping, Task

GRID = 60  # points per side of the plane on which two-feature tasks are drawn
DENSE = 10  # every step up to here is observed …
GROWTH = 1.5  # … and later ones at this ratio
AHEAD = 100  # epochs whose batches are drawn at once, at most
# They follow from what is compared.
NOT_COMPARED = (
    "observed_steps", "local/observed_steps", "epoch_loss", "mistakes",
    "diverged", "validation_loss", "best_epoch",
)  # fmt: skip


def is_observed(task: Task, step: int) -> bool:
    """Whether the schedule observes after this many steps; the end of the run is observed in any case."""
    if step <= DENSE or isinstance(task.model, Function):
        return True
    nearest = round(math.log(step / DENSE, GROWTH))
    return step == round(DENSE * GROWTH**nearest)


class Stopper:
    """The stopping rule of a task, fed with one epoch's loss after another."""

    def __init__(self, rule: Stopping) -> None:
        self.rule = rule
        self.epochs = 0
        self.best = np.inf
        self.without_improvement = 0

    def certain(self) -> int:
        """How many epochs more are run in any case, whatever their losses: at least one."""
        left = self.rule.max_epochs - self.epochs
        if self.rule.tolerance is not None:
            left = min(left, self.rule.patience + 1 - self.without_improvement)
        return min(left, AHEAD)

    def is_last(self, epoch_loss: float) -> bool:
        """Whether training ends with this epoch."""
        self.epochs += 1
        if self.rule.tolerance is not None:
            improved = epoch_loss <= self.best - self.rule.tolerance
            self.without_improvement = 0 if improved else self.without_improvement + 1
            self.best = min(self.best, epoch_loss)
        return self.epochs >= self.rule.max_epochs or self.without_improvement > self.rule.patience


class _Validation:
    """Watches the loss on the validation rows, and remembers where it was lowest."""

    def __init__(self, program: Program, task: Task) -> None:
        self.program, self.task = program, task
        self.losses: list[float] = []
        self.lowest, self.best_epoch = np.inf, 0
        self.best: Arrays = {}

    def end_epoch(self) -> float:
        """The loss after this epoch."""
        model, data = self.task.model, self.task.data
        assert isinstance(model, Network) and data is not None
        assert data.x_validation is not None and data.y_validation is not None
        scores = self.program.predict(data.x_validation)
        loss = mean_loss(model.loss, scores, data.y_validation)
        self.losses.append(loss)
        if loss < self.lowest:
            self.lowest, self.best_epoch = loss, len(self.losses)
            self.best = self.program.observe()
        return loss

    def restore_best(self) -> Arrays:
        """Go back to where the loss was lowest; what the trace gets to know of it."""
        if self.best:
            self.program.restore(self.best)
        return {"validation_loss": np.array(self.losses), "best_epoch": np.array([self.best_epoch])}


class _Recorder:
    """Collects what a program shows, step by step."""

    def __init__(self, program: Program, task: Task) -> None:
        self.program, self.task = program, task
        self.steps: list[int] = []
        self.rows: dict[str, list[Array]] = {}
        self.not_observed: dict[str, str] = {}

    def observe(self, step: int) -> None:
        if self.steps and self.steps[-1] == step:
            return
        self.steps.append(step)
        self._append(self.program.observe())
        try:
            loss, gradients = self.program.gradient(np.arange(self.task.rows))
        except NotObserved as reason:
            self.not_observed["grad"] = str(reason)
        else:
            self._append({"grad_loss": np.array(loss)} | {f"grad/{name}": g for name, g in gradients.items()})

    def _append(self, arrays: Arrays) -> None:
        for name, array in arrays.items():
            self.rows.setdefault(name, []).append(_numbers(name, array))

    def arrays(self, *, diverged: bool) -> Arrays:
        for name, rows in self.rows.items():
            if len(rows) != len(self.steps):
                raise ValueError(f"{name} was shown at {len(rows)} of {len(self.steps)} observed steps")
        arrays = {"observed_steps": np.array(self.steps)} | {
            name: np.stack(rows) for name, rows in self.rows.items()
        }
        return _finite(arrays) if diverged else arrays


def _finite(arrays: Arrays) -> Arrays:
    """The rows before the first in which a number is not finite: gradients overflow before losses."""
    rows = len(arrays["observed_steps"])
    bad = [~np.isfinite(array.reshape(rows, -1)).all(axis=1) for array in arrays.values()]  # (rows,) each
    until = int(np.argmax(np.append(np.any(bad, axis=0), True)))
    return {name: array[:until] for name, array in arrays.items()}


def record(program: Program, task: Task, states: Arrays | None = None) -> tuple[Arrays, dict[str, str]]:
    """Train until the stopping rule ends it; then take single steps from `states`, or from its own.

    Returns the trace, and for each kind of quantity that the framework does not show, why.
    """
    recorder = _Recorder(program, task)
    validation = _Validation(program, task) if task.stopping.on_validation else None
    stopper = Stopper(task.stopping)
    hears_epochs = isinstance(task.schedule, Plateau)
    epochs = task.epochs()
    losses: list[Array] = []  # of each epoch's steps
    epoch_losses: list[float] = []
    step, is_last, diverged = 0, False, False
    recorder.observe(step)
    while not is_last and not diverged:
        # As many epochs as there will be: a run of many is the fast one.
        ahead = list(islice(epochs, 1 if validation or hears_epochs else stopper.certain()))
        batches = list(chain.from_iterable(ahead))
        found = np.concatenate(list(_run(recorder, batches, step)))
        step += len(found)
        diverged = len(found) < len(batches)
        for batches, epoch in _by_epoch(ahead, found):
            losses.append(epoch)
            weights = np.array([max(1, len(rows)) for rows in batches[: len(epoch)]])
            epoch_losses.append(float((epoch * weights).sum() / weights.sum()))
            if hears_epochs:
                program.end_epoch(epoch_losses[-1])
            watched = validation.end_epoch() if validation and not diverged else epoch_losses[-1]
            is_last = stopper.is_last(watched)
    trace = {"loss": np.concatenate(losses or [np.zeros(0)]), "epoch_loss": np.array(epoch_losses)}
    if not diverged:
        recorder.observe(step)
    trace |= recorder.arrays(diverged=diverged)
    if isinstance(task.model, Perceptron):
        trace["mistakes"] = np.array([epoch.sum() for epoch in losses])
    if validation:
        trace |= validation.restore_best()
    trace |= {"diverged": np.array([step])} if diverged else _predictions(program, task)
    return trace | single_steps(program, task, states or trace), recorder.not_observed


def _by_epoch(ahead: list[list[Rows]], losses: Array) -> Iterator[tuple[list[Rows], Array]]:
    """The losses of each epoch beside its batches; none of epochs that divergence left out."""
    ends = np.cumsum([len(batches) for batches in ahead])
    for batches, epoch in zip(ahead, np.split(losses, ends[:-1]), strict=True):
        if len(epoch):
            yield batches, epoch


def states(trace: Arrays) -> Arrays:
    """What single steps start from: the observed parameters and optimizer state of a trace."""
    return {name: a for name, a in trace.items() if name == "observed_steps" or name.startswith(_STATE)}


def spreads(trace: Arrays) -> Arrays:
    """How far shadows are from a reference's trace: see harness/spread.py."""
    return {name: a for name, a in trace.items() if name.startswith("spread/")}


_STATE = ("param/", "state/")


def single_steps(program: Program, task: Task, start: Arrays) -> Arrays:
    """One step from each observed state, on the batch that comes then."""
    found: dict[str, list[Array]] = {}
    parts = {name: array for name, array in start.items() if name.startswith(_STATE)}
    upcoming, passed = chain.from_iterable(task.epochs()), 0
    for row, step in enumerate(start["observed_steps"]):
        batch = next(islice(upcoming, step - passed, None))
        passed = step + 1
        program.restore({name: array[row] for name, array in parts.items()})
        taken: Arrays = {}
        with suppress(NotObserved):  # said once, of the whole run
            _, gradients = program.gradient(batch)
            taken |= {f"grad/{name}": gradient for name, gradient in gradients.items()}
        taken["loss"] = program.run([batch])[0]
        for name, array in (taken | program.observe()).items():
            found.setdefault(f"local/{name}", []).append(_numbers(name, array))
    taken_from = {"local/observed_steps": start["observed_steps"]}
    return taken_from | {name: np.stack(rows) for name, rows in found.items()}


def _run(recorder: _Recorder, batches: list[Rows], step: int) -> Iterator[Array]:
    """Take one step per batch, observing where the schedule does; the losses piece by piece.

    It ends before the first loss that is not finite.
    """
    start = 0
    for end in range(1, len(batches) + 1):
        observed = is_observed(recorder.task, step + end)
        if observed or end == len(batches):
            losses = _numbers("loss", recorder.program.run(batches[start:end]))
            if losses.shape != (end - start,):
                raise ValueError(f"run returned losses of shape {losses.shape}, expected {(end - start,)}")
            if not np.isfinite(losses).all():
                yield losses[: int(np.argmin(np.isfinite(losses)))]
                return
            yield losses
            start = end
        if observed:
            recorder.observe(step + end)


def _predictions(program: Program, task: Task) -> Arrays:
    if task.data is None:
        return {}
    predictions = {"predict_train": program.predict(task.data.x_train)}
    if task.data.x_test is not None:
        predictions["predict_test"] = program.predict(task.data.x_test)
    if task.data.features == 2:
        predictions["predict_grid"] = program.predict(grid(task))
    return {name: _numbers(name, scores) for name, scores in predictions.items()}


def _numbers(name: str, value: object) -> Array:
    """A copy of what a column has shown.  Raises `ValueError` for anything but real numbers."""
    array = np.array(value)
    if array.dtype.kind not in "fiu":
        raise ValueError(f"{name} has dtype {array.dtype}, expected real numbers")
    return array


def grid(task: Task) -> Array:
    """Points (GRID·GRID, 2) that cover the data with a margin; the first coordinate runs fastest."""
    assert task.data is not None
    low, high = task.data.x_train.min(axis=0) - 0.5, task.data.x_train.max(axis=0) + 0.5
    first, second = (np.linspace(low[i], high[i], GRID) for i in (0, 1))
    return np.column_stack([np.tile(first, GRID), np.repeat(second, GRID)])


def save(path: Path, trace: Arrays) -> None:
    """Write a whole npz file or none: under a temporary name, then renamed.

    Raises `OSError` when it cannot be written.
    """
    buffer = io.BytesIO()
    np.savez(buffer, **trace)  # type: ignore[arg-type]
    write(path, buffer.getvalue())


def write(path: Path, content: bytes) -> None:
    """Write a whole file or none: under a temporary name, then renamed.

    Raises `OSError` when it cannot be written.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        temporary.write_bytes(content)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def load(path: Path) -> Arrays:
    """The arrays of an npz file; nothing in it is ever unpickled.

    As `np.load` does it, which parses every array's header anew: that takes longer than all else.
    """
    with zipfile.ZipFile(path) as stored:
        return {name.removesuffix(".npy"): _array(stored.read(name)) for name in stored.namelist()}


def _array(content: bytes) -> Array:
    """What is in an npy file of version 1, which has the length of its header in two bytes.

    Raises `ValueError` for anything else, and for objects.
    """
    start = 10 + int.from_bytes(content[8:10], "little")
    shape, order, dtype = _header(content[:start])
    return np.frombuffer(content, dtype, offset=start).reshape(shape, order=order).copy(order="K")


@cache
def _header(head: bytes) -> tuple[tuple[int, ...], Literal["C", "F"], np.dtype]:
    """Shape, order and dtype; there are few that differ."""
    file = io.BytesIO(head)
    np.lib.format.read_magic(file)
    shape, is_fortran, dtype = np.lib.format.read_array_header_1_0(file)
    return shape, "F" if is_fortran else "C", dtype
