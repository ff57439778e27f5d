"""In the worker: the defaults of a framework's own constructors and functions, as they are installed."""

import inspect
from collections.abc import Iterable
from pydoc import locate

REQUIRED = "required"
NEVER = {"self", "args", "kwargs"}


def inspected(names: Iterable[str]) -> tuple[dict[str, dict[str, str]], dict[str, str]]:
    """Of each dotted name its parameters with their defaults as Python writes them; what cannot be read."""
    defaults: dict[str, dict[str, str]] = {}
    problems: dict[str, str] = {}
    for name in names:
        found = locate(name)
        if found is None:
            problems[name] = f"there is no {name}"
            continue
        try:
            parameters = inspect.signature(found).parameters  # type: ignore[arg-type]
        except (TypeError, ValueError):
            problems[name] = f"{name} does not tell its parameters"
            continue
        defaults[name] = {
            key: _written(parameter.default) for key, parameter in parameters.items() if key not in NEVER
        }
    return defaults, problems


def _written(value: object) -> str:
    if value is inspect.Parameter.empty:
        return REQUIRED
    return value.__name__ if callable(value) and hasattr(value, "__name__") else repr(value)
