"""In the worker: the defaults of a framework's own constructors and functions, as they are installed."""

import ast
import inspect
import re
from collections.abc import Callable, Iterable
from pydoc import locate
from typing import Any, get_overloads

REQUIRED = "required"  # no repr of any value: a string has quotes
OPEN = {inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD}  # *args, **kwargs
ADDRESS = re.compile(r" at 0x[0-9a-f]+")  # another one in each process


def inspected(names: Iterable[str]) -> tuple[dict[str, dict[str, str]], dict[str, str]]:
    """Of each dotted name its parameters with their defaults as Python writes them; what cannot be read."""
    defaults: dict[str, dict[str, str]] = {}
    problems: dict[str, str] = {}
    for name in names:
        found: Any = locate(name)
        if found is None:
            problems[name] = f"there is no {name}"
            continue
        read = _declared(found)
        if read is None:
            problems[name] = f"{name} does not tell its parameters"
        else:
            defaults[name] = {
                parameter: _telling(name, parameter, value) for parameter, value in read.items()
            }
    return defaults, problems


def _declared(found: Callable[..., Any]) -> dict[str, str] | None:
    """Parameters and defaults, from the signature; where it hides them, from overloads or documentation."""
    try:
        own = inspect.signature(found)
    except (TypeError, ValueError):  # written in C++
        return _documented(found)
    if any(parameter.kind not in OPEN for parameter in own.parameters.values()) or not own.parameters:
        return _parameters(own)
    overloads = get_overloads(found.__init__) if inspect.isfunction(getattr(found, "__init__", None)) else []
    return _parameters(inspect.signature(overloads[0])) if overloads else None


def _parameters(signature: inspect.Signature) -> dict[str, str]:
    return {
        name: _written(parameter.default)
        for name, parameter in signature.parameters.items()
        if name != "self" and parameter.kind not in OPEN
    }


def _documented(found: Callable[..., Any]) -> dict[str, str] | None:
    """Functions in C++ begin their documentation with how they are called: `gelu(input, …) -> Tensor`."""
    name = getattr(found, "__name__", "")
    call = re.match(rf"\s*{re.escape(name)}\((.*?)\)\s*->", found.__doc__ or "", re.DOTALL)
    try:
        definition = ast.parse(f"def called({call[1]}): ..." if call else "").body
    except SyntaxError:
        return None
    if not definition:
        return None
    assert isinstance(definition[0], ast.FunctionDef)
    told = definition[0].args
    positional = [*told.posonlyargs, *told.args]
    values = [None] * (len(positional) - len(told.defaults)) + told.defaults + told.kw_defaults
    return {
        argument.arg: ast.unparse(value) if value else REQUIRED
        for argument, value in zip([*positional, *told.kwonlyargs], values, strict=True)
    }


def _written(value: Any) -> str:
    """As a person would write it."""
    if value is inspect.Parameter.empty:
        return REQUIRED
    if type(value).__module__ == "numpy" and hasattr(value, "item"):
        value = value.item()  # 1e-16, not np.float64(1e-16)
    if callable(value) and hasattr(value, "__name__"):
        return str(value.__name__)
    return ADDRESS.sub("", repr(value))


def _telling(name: str, parameter: str, value: str) -> str:
    """Of a Keras initialiser whose name hides its numbers, such as 'uniform', these too."""
    if not (name.startswith("keras.") and parameter.endswith("_initializer") and value[0] == "'"):
        return value
    import keras

    found = type(keras.initializers.get(ast.literal_eval(value)))
    told = _parameters(inspect.signature(found))
    numbers = [f"{key}={number}" for key, number in told.items() if number not in ("None", REQUIRED)]
    return f"{value}: {', '.join(numbers)}" if numbers else value
