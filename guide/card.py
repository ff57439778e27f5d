"""What a card is: one convention that frameworks do not share, in words, formulas and code that runs.

A card has, for each framework that has the thing, one *plain* snippet: the call that a reader of the
framework's documentation would write, with the numbers of the card's `given`.  Ported naively, training
code is just that, so two plain snippets of different conventions are a port and its original.  A *recipe*
is a snippet that makes a framework compute what the plain snippet of another one does:

    adam_epsilon = Card("adam-epsilon", "Adam: where ε goes", …)

    @adam_epsilon.keras
    def _(start, gradients):
        import keras
        …

    @adam_epsilon.torch.like("keras")
    def _(start, gradients):
        \"\"\"Before each step, divide ε by √(1-β₂ᵗ).\"\"\"
        import torch
        …

A snippet imports its framework itself, takes arrays of `given` by their names, and returns an array.  One
that trains yields its parameters after each step instead; what they are after 1, 10 and 100 is compared.
"""

import inspect
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, final

from backends.base import Arrays
from tasks.spec import Array

FRAMEWORKS = ("numpy", "sklearn", "tensorflow", "keras", "torch")
STEPS = (1, 10, 100)  # after which a training is compared

Snippet = Callable[..., Array | Iterator[Array]]
Decorator = Callable[[Snippet], Snippet]


class CardError(Exception):
    """A card that is not whole; the message names it, the field, and what was expected."""


@final
class Part:
    """What a card has of one framework: `@card.keras` adds its plain snippet, `@card.keras.like` a recipe."""

    def __init__(self, card: "Card", framework: str) -> None:
        self.card, self.framework = card, framework
        self.plain: Snippet | None = None
        self.recipes: dict[str, Snippet] = {}  # by the convention that they compute
        self.impossible: dict[str, str] = {}  # convention to why there is no recipe

    def __call__(self, snippet: Snippet) -> Snippet:
        """Add the plain snippet."""
        self.plain = snippet
        return snippet

    def like(self, framework: str) -> Decorator:
        """Add the recipe that computes what this other framework's plain snippet does."""
        convention = self.card.convention(framework)

        def add(snippet: Snippet) -> Snippet:
            self.recipes[convention] = snippet
            return snippet

        return add

    def cannot(self, framework: str, reason: str) -> None:
        """Say why nothing in this framework computes what this other one's plain snippet does."""
        self.impossible[self.card.convention(framework)] = reason

    def snippets(self) -> dict[str, Snippet]:
        """All of them: "plain", and "like keras" by a framework of the convention."""
        plain = {"plain": self.plain} if self.plain else {}
        return plain | {recipe_name(key): recipe for key, recipe in self.recipes.items()}


@final
@dataclass(eq=False)
class Card:
    """One convention, and every framework's side of it."""

    id: str  # stable: reports link to it
    title: str  # what a person would search for
    wrong: str  # what goes wrong in a naive port
    # The formula that each computes: {"keras tensorflow": "…", "torch": "…"}.  Frameworks that share a
    # convention must agree to rounding, all others must differ.
    conventions: Mapping[str, str]
    given: Callable[[], Arrays]  # of guide/given.py: the numbers that all snippets share
    differs: float = 0.0  # of the largest value: every naive port is further off than that
    absent: Mapping[str, str] = field(default_factory=dict)  # framework to why it has nothing of the kind
    defaults: tuple[str, ...] = ()  # "Adam.epsilon": of guide/counterparts.py, read from what is installed
    issues: tuple[str, ...] = ()  # "pytorch/pytorch#32545": where people were bitten
    # Ids of harness/faults that are this convention, mistaken: "gelu-by-tanh", or "epsilon-elsewhere@Adam".
    faults: tuple[str, ...] = ()
    dtype: str = "float64"  # in which agreement is to rounding

    def __post_init__(self) -> None:
        self.numpy, self.sklearn, self.tensorflow, self.keras, self.torch = self._parts = [
            Part(self, framework) for framework in FRAMEWORKS
        ]

    @property
    def parts(self) -> dict[str, Part]:
        """Of the frameworks that have the thing."""
        return {part.framework: part for part in self._parts if part.plain}

    @property
    def trains(self) -> bool:
        """Whether its snippets yield parameters step by step."""
        return any(inspect.isgeneratorfunction(part.plain) for part in self.parts.values())

    @property
    def after(self) -> tuple[int, ...]:
        """The steps after which results are compared; (0,) for a single output."""
        return STEPS if self.trains else (0,)

    def convention(self, framework: str) -> str:
        """The key in `conventions` that holds this framework.

        Raises `CardError` where there is none.
        """
        for key in self.conventions:
            if framework in key.split():
                return key
        raise CardError(f"{self.id}: no convention names {framework!r}, there are {list(self.conventions)}")

    def pairs(self) -> list[tuple[str, str]]:
        """Each direction of a port: (from, to)."""
        return [(source, port) for source in self.parts for port in self.parts if source != port]

    def problems(self) -> list[str]:
        """What is missing of a whole card, in words; nothing if it is one."""
        try:
            self._inhabited()
        except CardError as error:
            return [str(error)]
        found = [f"{name} has neither a snippet nor a reason in `absent`" for name in self._unsaid()]
        found += [f"`absent` names {name}, which has a snippet" for name in self.absent if name in self.parts]
        for part in self.parts.values():
            found += self._problems_of(part)
        if (len(self._inhabited()) > 1) != (self.differs > 0):
            found.append(f"`differs` is {self.differs} with {len(self._inhabited())} convention(s)")
        return found

    def _unsaid(self) -> list[str]:
        return [name for name in FRAMEWORKS if name not in self.parts and name not in self.absent]

    def _inhabited(self) -> set[str]:
        return {self.convention(framework) for framework in self.parts}

    def _problems_of(self, part: Part) -> Iterator[str]:
        for key in self._inhabited() - {self.convention(part.framework)}:
            if key not in part.recipes and key not in part.impossible:
                yield f"{part.framework} has no recipe for {key!r}, and no reason why"
        known = self.given()
        for name, snippet in part.snippets().items():
            if unknown := set(inspect.signature(snippet).parameters) - set(known):
                yield f"{part.framework}, {name}: `given` has no {sorted(unknown)}"
            if name != "plain" and not snippet.__doc__:
                yield f"{part.framework}, {name}: a recipe says in its docstring what is to be done"
            if inspect.isgeneratorfunction(snippet) != self.trains:
                yield f"{part.framework}, {name}: all snippets of a card yield, or all return"


def recipe_name(convention: str) -> str:
    """What the recipe that computes this convention is called, whatever framework it is of."""
    return f"like {convention.split(maxsplit=1)[0]}"


def arguments(snippet: Snippet, given: Mapping[str, Any]) -> dict[str, Any]:
    """Those of the given arrays that a snippet asks for, as copies: a port may write into them."""
    return {name: given[name].copy() for name in inspect.signature(snippet).parameters}
