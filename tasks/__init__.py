"""The rows of the table: every task by name, in report order, and the loading of a user's own file."""

import importlib.util
import re
import reprlib
import sys
import traceback
from pathlib import Path

from tasks import (
    activation,
    arbitrary,
    initialisation,
    learning_rate,
    loss,
    moons,
    perceptron,
    quadratic,
    real,
    regularisation,
    rosenbrock,
    schedule,
    selection,
    small,
    sweep,
    xor,
)
from tasks.spec import Task, TaskError

__all__ = ["TASKS", "Task", "TaskError", "load", "unlisted"]

FAMILIES = (
    perceptron, quadratic, rosenbrock, xor, moons, learning_rate, schedule, initialisation, activation, loss,
    regularisation, selection, real,
)  # fmt: skip
TASKS: dict[str, Task] = {task.name: task for family in FAMILIES for task in family.TASKS}


def unlisted(name: str) -> Task | None:
    """A task that is not a row of the table: a small one for faults, "random-<seed>", or one of any size.

    Raises `TaskError` for a size that cannot be.
    """
    if found := re.fullmatch(r"random-(\d+)", name):
        return arbitrary.random(int(found[1]))
    return next((task for task in small.TASKS if task.name == name), None) or sweep.find(name)


def load(path: Path) -> dict[str, Task]:
    """The tasks of a user's file, which must define `TASKS`, a sequence of `Task`.

    Raises `TaskError`, naming the file, when it does not import, lacks `TASKS`, holds anything but
    tasks, or reuses a name.
    """
    if not path.is_file():
        raise TaskError(f"{path}: no such file")
    spec = importlib.util.spec_from_file_location("samestep_user_tasks", path)
    if spec is None or spec.loader is None:
        raise TaskError(f"{path}: expected a Python file, ending in .py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:  # whatever a user's file may raise
        line = _line(error, str(spec.origin))
        raise TaskError(f"{path}{line}: {type(error).__name__}: {error}") from error
    expected = "expected a list or tuple of tasks.spec.Task"
    if not hasattr(module, "TASKS"):
        raise TaskError(f"{path} defines no TASKS, {expected}")
    found = module.TASKS
    if not isinstance(found, (list, tuple)):
        raise TaskError(f"{path}: TASKS is {_briefly(found)}, {expected}")
    for i, task in enumerate(found):
        if not isinstance(task, Task):
            raise TaskError(f"{path}: TASKS[{i}] is {_briefly(task)}, {expected}")
    names = [*TASKS, *(task.name for task in found)]
    if repeated := {name for name in names if names.count(name) > 1}:
        raise TaskError(f"{path}: task name already taken: {', '.join(sorted(repeated))}")
    return {task.name: task for task in found}


def _briefly(value: object) -> str:
    """A value on one short line, however large it is."""
    short = reprlib.Repr()
    short.maxother = 60  # shows the name of a task
    return " ".join(short.repr(value).split())


def _line(error: BaseException, file: str) -> str:
    """Where in the user's file the error arose, as ':12', or nothing."""
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == file]
    if isinstance(error, SyntaxError) and error.filename == file:
        lines.append(error.lineno)
    return f":{lines[-1]}" if lines and lines[-1] else ""
