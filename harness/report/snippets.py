"""The guide's code as text: what stands in its files, and whole scripts that run by themselves."""

import inspect
import textwrap
from collections.abc import Callable
from functools import cache

from backends.base import Arrays
from guide.card import Card, Snippet

# What guide/frameworks.py sets, for a script that starts from a framework as it comes.
FLOAT64 = {
    "keras": 'import keras\n\nkeras.config.set_floatx("float64")',
    "torch": "import torch\n\ntorch.set_default_dtype(torch.float64)",
}


@cache
def body(snippet: Snippet) -> str:
    """The lines of a snippet, without its first and its docstring."""
    lines = _definition(snippet)
    if snippet.__doc__:
        lines = lines[_docstring_lines(snippet) :]
    return textwrap.dedent("\n".join(lines)).strip("\n")


def words(snippet: Snippet) -> str:
    """What a recipe does: its docstring on one line."""
    return " ".join((snippet.__doc__ or "").split())


@cache
def given(card: Card) -> str:
    """The function that makes the numbers of a card, after those that it calls."""
    return "\n\n\n".join(inspect.getsource(function).strip() for function in _with_callees(card.given))


def _with_callees(function: Callable[[], Arrays]) -> list[Callable[[], Arrays]]:
    """A function of the guide after all functions of the guide that it calls, each once."""
    used = inspect.getclosurevars(function).globals.values()  # attributes of these names among them
    called = [one for one in used if inspect.isfunction(one) and one.__module__.startswith("guide.")]
    found = [callee for one in called if one is not function for callee in _with_callees(one)]
    return [*dict.fromkeys(found), function]


def script(card: Card, framework: str, name: str) -> str:
    """A snippet as a whole: it makes the numbers, computes, and prints what comes out."""
    snippet = card.parts[framework].snippets()[name]
    function, arguments = name.replace(" ", "_"), list(inspect.signature(snippet).parameters)
    call = f"{function}(*[given[name] for name in {arguments}])"
    shown = f"for step, w in enumerate({call}, 1):\n    print(step, w)" if card.trains else f"print({call})"
    parts = [
        "import numpy as np",
        *([FLOAT64[framework]] if framework in FLOAT64 else []),
        given(card).replace(" -> Arrays:", ":"),
        f"def {function}({', '.join(arguments)}):\n{textwrap.indent(body(snippet), '    ')}",
        f"given = {card.given.__name__}()\n{shown}",
    ]
    return "\n\n\n".join(parts) + "\n"


def _definition(snippet: Snippet) -> list[str]:
    """What follows the line that begins with def."""
    lines = inspect.getsource(snippet).splitlines()
    first = next(number for number, line in enumerate(lines) if line.startswith("def "))
    return lines[first + 1 :]


def _docstring_lines(snippet: Snippet) -> int:
    """How many lines the docstring takes."""
    assert snippet.__doc__
    return len(snippet.__doc__.splitlines())
