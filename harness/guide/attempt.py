"""In the worker: run what a card has of one framework.  Nothing is judged here."""

import inspect
import traceback
import warnings
from collections.abc import Iterator

import numpy as np

from backends.base import Arrays
from guide.card import STEPS, Card, Snippet, arguments
from guide.frameworks import as_it_comes
from tasks.spec import Array


def attempt(card: Card, framework: str) -> tuple[Arrays, dict[str, str]]:
    """What each snippet came to, (results, …), and the traceback of each that raised.

    A training has a result for each of `card.after`; anything else has one.
    """
    found: Arrays = {}
    raised: dict[str, str] = {}
    given = card.given()
    for name, snippet in card.parts[framework].snippets().items():
        as_it_comes(framework)
        try:
            with warnings.catch_warnings(), np.errstate(all="ignore"):  # some cards are about NaN
                warnings.simplefilter("ignore")
                found[name] = _results(snippet, arguments(snippet, given))
        except Exception:  # noqa: BLE001  whatever a framework's own code may raise
            raised[name] = traceback.format_exc()
    return found, raised


def _results(snippet: Snippet, given: Arrays) -> Array:
    if not inspect.isgeneratorfunction(snippet):
        return np.array(snippet(**given), dtype=np.float64)[np.newaxis]
    return np.stack(list(_observed(snippet(**given))))


def _observed(parameters: Iterator[Array]) -> Iterator[Array]:
    """Copies: most snippets yield the same array again and again, changed in place."""
    for step, values in enumerate(parameters, 1):
        if step in STEPS:
            yield np.array(values, dtype=np.float64)
