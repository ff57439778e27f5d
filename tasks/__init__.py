"""The rows of the table: every task by name, in report order, and the loading of a user's own file."""

import importlib.util
import sys
from pathlib import Path

from tasks import moons, perceptron, quadratic, xor
from tasks.spec import Task, TaskError

__all__ = ["TASKS", "Task", "TaskError", "load"]

TASKS: dict[str, Task] = {
    task.name: task for family in (perceptron, quadratic, xor, moons) for task in family.TASKS
}


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
    except Exception as error:  # whatever a user's file may raise
        raise TaskError(f"{path}{_line(error, path)}: {type(error).__name__}: {error}") from error
    found = getattr(module, "TASKS", None)
    if not isinstance(found, (list, tuple)) or not all(isinstance(task, Task) for task in found):
        raise TaskError(
            f"{path}: TASKS is {type(found).__name__}, expected a list or tuple of tasks.spec.Task"
        )
    names = [*TASKS, *(task.name for task in found)]
    if repeated := {name for name in names if names.count(name) > 1}:
        raise TaskError(f"{path}: task name already taken: {', '.join(sorted(repeated))}")
    return {task.name: task for task in found}


def _line(error: Exception, path: Path) -> str:
    """Where in the user's file the error arose, as ':12', or nothing."""
    if isinstance(error, SyntaxError):
        return f":{error.lineno}"
    lines = []
    traceback = error.__traceback__
    while traceback:
        if traceback.tb_frame.f_code.co_filename == str(path):
            lines.append(traceback.tb_lineno)
        traceback = traceback.tb_next
    return f":{lines[-1]}" if lines else ""
