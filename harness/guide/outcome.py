"""What a run of the guide found: each direction of each card, judged."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from msgspec import Struct

from backends.base import Arrays
from guide.card import Card, recipe_name
from harness import tolerance
from harness.distance import scale
from harness.result import BROKEN, Status
from tasks.spec import Array

SCHEMA: Literal["samestep.guide/1"] = "samestep.guide/1"

# proved: the naive port is off by more than stated, and the recipe agrees to rounding; same: two frameworks
# of one convention agree to rounding; cured: a naive port is no longer off by so much; off: a recipe, or a
# framework of the same convention, does not agree; no recipe: for a stated reason there is none.
Word = Literal["proved", "same", "no recipe", "cured", "off", "failed", "missing"]
WORST: tuple[Word, ...] = ("failed", "off", "cured", "missing", "no recipe", "proved", "same")
WRONG: tuple[Word, ...] = ("off", "cured")


class Pair(Struct, frozen=True):
    """One direction of a port.  Sizes are relative to the largest value, one for each of a card's `after`."""

    source: str
    port: str
    word: Word
    naive: list[float | None] = []  # None: NaN or infinite where the other is a number
    recipe: list[float | None] = []  # empty where none is needed or there is none
    tolerance: list[float] = []
    reason: str | None = None


class Outcome(Struct, frozen=True):
    """A card as it was found."""

    card: str
    after: list[int]
    pairs: list[Pair]
    broken: dict[str, tuple[Status, str, str | None]]  # framework to status, reason, details
    cpu_s: dict[str, float]  # by framework
    # "Adam.epsilon" to framework to what is installed.
    defaults: dict[str, dict[str, str]] = {}
    raised: dict[str, dict[str, str]] = {}  # framework to snippet to traceback

    @property
    def word(self) -> Word:
        """The worst of any direction."""
        words = {pair.word for pair in self.pairs}
        return next((word for word in WORST if word in words), "missing")

    def naive(self) -> float | None:
        """The largest naive difference; None where there is none, inf where something is no number."""
        return largest(pair.naive for pair in self.pairs if pair.word not in ("same", "failed", "missing"))

    def recipe(self) -> float | None:
        """The largest difference left with a recipe, or between frameworks that share a convention."""
        left = (pair.recipe or (pair.naive if pair.word == "same" else []) for pair in self.pairs)
        return largest(left)


class Guide(Struct, frozen=True):
    """A run of the guide."""

    schema: Literal["samestep.guide/1"]
    versions: dict[str, dict[str, str]]  # by framework, as its worker tells
    seconds: float
    cards: list[Outcome]

    def exit_code(self) -> int:
        """0 all as the cards state, 1 a card no longer holds, 3 something broke."""
        if any(status in BROKEN for card in self.cards for status, *_ in card.broken.values()):
            return 3
        words = {pair.word for card in self.cards for pair in card.pairs}
        if "failed" in words:
            return 3
        return 1 if words.intersection(WRONG) else 0


def largest(series: Iterable[Sequence[float | None]]) -> float | None:
    """The largest of some pairs' sizes, in which None is infinite; None of none."""
    values = [np.inf if size is None else size for sizes in series for size in sizes]
    return max(values, default=None)


@dataclass(frozen=True)
class Answer:
    """What a worker said to a card: results by snippet, tracebacks of snippets that raised; or neither."""

    results: Arrays = field(default_factory=dict)
    raised: Mapping[str, str] = field(default_factory=dict)
    status: Status | None = None  # of a worker that has none: "missing", "crashed" …
    reason: str = ""
    details: str | None = None
    cpu_s: float = 0.0


def judge(
    card: Card, answers: Mapping[str, Answer], defaults: Mapping[str, dict[str, str]] | None = None
) -> Outcome:
    """All directions among the frameworks that answered."""
    pairs = [
        _judge(card, source, port, answers)
        for source, port in card.pairs()
        if source in answers and port in answers
    ]
    broken = {
        name: (answer.status, answer.reason, answer.details)
        for name, answer in answers.items()
        if answer.status
    }
    cpu_s = {name: answer.cpu_s for name, answer in answers.items()}
    raised = {name: dict(answer.raised) for name, answer in answers.items() if answer.raised}
    return Outcome(card.id, list(card.after), pairs, broken, cpu_s, dict(defaults or {}), raised)


def _judge(card: Card, source: str, port: str, answers: Mapping[str, Answer]) -> Pair:
    convention = card.convention(source)
    recipe = recipe_name(convention)
    for framework, name in ((source, "plain"), (port, "plain"), (port, recipe)):
        if broken := _broken(source, port, framework, name, answers[framework]):
            return broken
    desired, actual = answers[source].results["plain"], answers[port].results
    allowed, naive = _allowed(card, desired), _apart(actual["plain"], desired)
    if card.convention(port) == convention:
        return Pair(source, port, "same" if _agrees(naive, allowed) else "off", naive, [], allowed)
    is_off = any(size is None or size > card.differs for size in naive)
    if reason := card.parts[port].impossible.get(convention):
        return Pair(source, port, "no recipe" if is_off else "cured", naive, [], allowed, reason)
    left = _apart(actual[recipe], desired)
    word: Word = "off" if not _agrees(left, allowed) else "proved" if is_off else "cured"
    return Pair(source, port, word, naive, left, allowed)


def _broken(source: str, port: str, framework: str, name: str, answer: Answer) -> Pair | None:
    """The direction, where one of the frameworks has nothing to compare."""
    if answer.status:
        word: Word = "missing" if answer.status == "missing" else "failed"
        return Pair(source, port, word, reason=f"{framework} {answer.status}: {answer.reason}")
    if name in answer.raised:
        last = answer.raised[name].strip().splitlines()[-1]
        return Pair(source, port, "failed", reason=f"{framework}, {name}: {last}")
    return None


def _agrees(sizes: list[float | None], allowed: list[float]) -> bool:
    return all(size is not None and size <= most for size, most in zip(sizes, allowed, strict=True))


def _sizes(desired: Array) -> Array:
    """The largest finite magnitude of each result, (results,)."""
    flat = np.abs(desired.reshape(len(desired), -1))
    return np.where(np.isfinite(flat), flat, 0.0).max(axis=1, initial=0.0)


def _allowed(card: Card, desired: Array) -> list[float]:
    """The largest relative difference that agrees, for each result."""
    sizes = _sizes(desired)
    steps = np.maximum(card.after, 1)
    return [float(x) for x in tolerance.of_steps(scale(sizes), steps, card.dtype) / scale(sizes)]


def _apart(actual: Array, desired: Array) -> list[float | None]:
    """The largest difference of each result, relative to its largest value.

    None where one is not finite and the other is something else, or where shapes differ: a card may well
    be about a NaN, which then is what has to come out.
    """
    if actual.shape != desired.shape:
        return [None] * len(desired)
    with np.errstate(invalid="ignore"):
        same = (actual == desired) | (np.isnan(actual) & np.isnan(desired))
        apart = np.where(same, 0.0, np.abs(actual - desired)).reshape(len(desired), -1)
    largest = apart.max(axis=1, initial=0.0) / scale(_sizes(desired))
    return [float(size) if np.isfinite(size) else None for size in largest]
