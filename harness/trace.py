"""Train a program by the task's rules and record it: what both sides of a comparison are made of.

A trace is a flat dictionary of arrays, stored as one npz file:

    loss            (steps,)       each step's loss, before its update
    epoch_loss      (epochs,)      mean of an epoch's losses, weighted by the rows of each batch
    observed_steps  (K,)           after how many steps the arrays below were taken
    param/<name>    (K, …)         parameters; the last row is the end of the run
    state/<slot>/<name>, state/step (K, …)
    grad/<name>     (K, …)         gradients on all training rows at those parameters
    grad_loss       (K,)           loss on all training rows at those parameters
    mistakes        (epochs,)      perceptron only
    predict_train, predict_test (N,), predict_grid (G·G,)
    local/…         (K, …)         one step from each of the reference's observed states: its loss and
                                   gradients on the batch that comes then, parameters and state after it
    local/observed_steps (K,)      the reference's, from whose states these steps were taken
    spread/…        (K,)           the reference's trace only: see harness/spread.py
"""

import io
import os
from collections.abc import Iterator
from contextlib import suppress
from itertools import chain, islice
from pathlib import Path

import numpy as np

from backends.base import Arrays, NotObserved, Program
from tasks.spec import Array, Perceptron, Quadratic, Rows, Stopping, Task

GRID = 60  # points per side of the plane on which two-feature tasks are drawn
DENSE = 10  # every step up to here is observed …
GROWTH = 1.5  # … and later ones at this ratio
AHEAD = 100  # epochs whose batches are drawn at once, at most
# They follow from what is compared.
NOT_COMPARED = ("observed_steps", "local/observed_steps", "epoch_loss", "mistakes")


def is_observed(task: Task, step: int) -> bool:
    """Whether the schedule observes after this many steps; the end of the run is observed in any case."""
    if step <= DENSE or isinstance(task.model, Quadratic):
        return True
    nearest = round(np.log(step / DENSE) / np.log(GROWTH))
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

    def arrays(self) -> Arrays:
        for name, rows in self.rows.items():
            if len(rows) != len(self.steps):
                raise ValueError(f"{name} was shown at {len(rows)} of {len(self.steps)} observed steps")
        return {"observed_steps": np.array(self.steps)} | {
            name: np.stack(rows) for name, rows in self.rows.items()
        }


def record(program: Program, task: Task, states: Arrays | None = None) -> tuple[Arrays, dict[str, str]]:
    """Train until the stopping rule ends it; then take single steps from `states`, or from its own.

    Returns the trace, and for each kind of quantity that the framework does not show, why.
    """
    recorder = _Recorder(program, task)
    stopper = Stopper(task.stopping)
    epochs = task.epochs()
    losses: list[Array] = []  # of each epoch's steps
    epoch_losses: list[float] = []
    step, is_last = 0, False
    recorder.observe(step)
    while not is_last:
        ahead = list(islice(epochs, stopper.certain()))  # as many as will be: a run of many is the fast one
        found = np.concatenate(list(_run(recorder, list(chain.from_iterable(ahead)), step)))
        step += len(found)
        ends = np.cumsum([len(batches) for batches in ahead])
        for batches, epoch in zip(ahead, np.split(found, ends[:-1]), strict=True):
            losses.append(epoch)
            epoch_losses.append(float(np.average(epoch, weights=[max(1, len(rows)) for rows in batches])))
            is_last = stopper.is_last(epoch_losses[-1])
    recorder.observe(step)
    trace = {"loss": np.concatenate(losses), "epoch_loss": np.array(epoch_losses)} | recorder.arrays()
    if isinstance(task.model, Perceptron):
        trace["mistakes"] = np.array([epoch.sum() for epoch in losses])
    trace |= _predictions(program, task)
    return trace | single_steps(program, task, states or trace), recorder.not_observed


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
    upcoming, passed = chain.from_iterable(task.epochs()), 0
    for row, step in enumerate(start["observed_steps"]):
        batch = next(islice(upcoming, step - passed, None))
        passed = step + 1
        program.restore({name: array[row] for name, array in start.items() if name.startswith(_STATE)})
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
    """Take one step per batch, observing where the schedule does; the losses piece by piece."""
    start = 0
    for end in range(1, len(batches) + 1):
        observed = is_observed(recorder.task, step + end)
        if observed or end == len(batches):
            losses = _numbers("loss", recorder.program.run(batches[start:end]))
            if losses.shape != (end - start,):
                raise ValueError(f"run returned losses of shape {losses.shape}, expected {(end - start,)}")
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
    """The arrays of an npz file; nothing in it is ever unpickled."""
    with np.load(path, allow_pickle=False) as stored:
        return {name: stored[name] for name in stored.files}
