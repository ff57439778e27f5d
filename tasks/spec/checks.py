"""Checks that every part of a task makes of itself, once, when it is built."""

import numpy as np

Array = np.ndarray
Shapes = dict[str, tuple[int, ...]]


class TaskError(ValueError):
    """A task that cannot be: the message names the field, the value and what was expected."""


def check(condition: bool, message: str) -> None:
    """Raise `TaskError` with this message unless the condition holds."""
    if not condition:
        raise TaskError(message)


def number(owner: object, name: str, low: float, high: float = np.inf) -> None:
    """Check that a field is a finite number with low <= number < high."""
    value = getattr(owner, name)
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    check(
        is_number and np.isfinite(value) and low <= value < high,
        f"{type(owner).__name__}.{name} is {value!r}, expected a finite number in [{low:g}, {high:g})",
    )


def whole(owner: object, name: str, low: int) -> None:
    """Check that a field is a whole number of at least `low`."""
    value = getattr(owner, name)
    is_whole = isinstance(value, int) and not isinstance(value, bool)
    check(
        is_whole and value >= low,
        f"{type(owner).__name__}.{name} is {value!r}, expected a whole number of at least {low}",
    )


def flag(owner: object, name: str) -> None:
    """Check that a field is True or False."""
    value = getattr(owner, name)
    check(isinstance(value, bool), f"{type(owner).__name__}.{name} is {value!r}, expected True or False")


def frozen(where: str, value: object) -> Array:
    """A checked, read-only float64 copy."""
    try:
        array = np.array(value, dtype=np.float64, order="C")
    except (TypeError, ValueError, OverflowError) as error:
        raise TaskError(f"{where} is not an array of numbers: {error}") from None
    check(bool(np.isfinite(array).all()), f"{where} holds NaN or inf, expected finite numbers")
    array.flags.writeable = False
    return array


def freeze(owner: object, name: str, dimensions: int) -> None:
    """Replace an array field of a frozen dataclass by its frozen copy."""
    where = f"{type(owner).__name__}.{name}"
    array = frozen(where, getattr(owner, name))
    check(array.ndim == dimensions, f"{where} has shape {array.shape}, expected {dimensions} dimension(s)")
    object.__setattr__(owner, name, array)
