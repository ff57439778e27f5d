"""A task as a file of its own: to keep it, to change it, to hand it to somebody."""

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from pprint import pformat
from textwrap import indent

import numpy as np

from tasks import draw, spec
from tasks.spec import Task, TaskError

FILE = """\
import numpy as np

from tasks import draw, spec

TASKS = [
{task},
]
"""
MODULES = (draw, spec)
WIDTH = 78  # of the numbers alone


def as_source(task: Task) -> str:
    """Python for `--tasks-from` that defines this one task, the same to the last bit of every number.

    Raises `TaskError` for a part that is a class of a user's own, such as an order of batches.
    """
    try:
        return FILE.format(task=indent(_written("Task", task), "    "))
    except TaskError as error:
        raise TaskError(f"task {task.name!r}: {error}") from None


def _written(where: str, value: object) -> str:
    """An expression for a value, one field or key per line."""
    if is_dataclass(value):
        kind = type(value)
        home = next((module for module in MODULES if getattr(module, kind.__name__, None) is kind), None)
        if home is None:
            raise TaskError(
                f"{where} is {value!r}, expected a class of {' or '.join(m.__name__ for m in MODULES)}: "
                "only these can be written to a file"
            )
        items = {field.name: getattr(value, field.name) for field in fields(value)}
        lines = [f"{name}={_written(f'{kind.__name__}.{name}', item)}" for name, item in items.items()]
        return f"{home.__name__.removeprefix('tasks.')}.{kind.__name__}" + _block("(", lines, ")")
    if isinstance(value, Mapping):
        lines = [f"{key!r}: {_written(where, item)}" for key, item in value.items()]
        return _block("{", lines, "}")
    if isinstance(value, np.ndarray):
        numbers = pformat(value.tolist(), width=WIDTH, compact=True)
        return f"np.array(\n{indent(numbers, '    ')}\n)" if "\n" in numbers else f"np.array({numbers})"
    return repr(value)


def _block(opening: str, lines: list[str], closing: str) -> str:
    """The lines between brackets, indented and each with a comma."""
    inner = "".join(indent(f"{line},\n", "    ") for line in lines)
    return f"{opening}\n{inner}{closing}" if lines else opening + closing
