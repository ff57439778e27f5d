"""What all formats say of the guide's cards: listings, sizes, checklists, a search."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

import guide
from backends import COLUMNS
from guide.card import FRAMEWORKS, Card, Part, recipe_name
from harness.guide.outcome import WORST, Guide, Outcome, Pair, Word, largest
from harness.report import snippets
from harness.report.verdict import TITLES

MEANINGS: dict[Word, str] = {
    "proved": "every naive port is off by more than stated, every recipe agrees to rounding",
    "same": "all frameworks share one convention, and agree to rounding",
    "no recipe": "as proved, but for a direction that nothing in a framework can express; the card says why",
    "cured": "a naive port is no longer off by as much as the card states: the difference is gone or small",
    "off": "a recipe, or a framework of the same convention, does not agree",
    "failed": "a snippet raised, or its worker broke",
    "missing": "a framework is not installed",
}
DAMAGE = (
    "Each number: how far a port that changes only names is off in the card's example, at worst, relative to "
    "the largest value. Last, what shows itself: NaN, infinity, another shape (∞)."
)


def size(value: float | None) -> str:
    """A difference in two digits; that of a number from NaN or infinity, or of shapes, is infinite."""
    if value is None:
        return "–"
    return f"{value:.1e}" if np.isfinite(value) and value else "0" if value == 0 else "∞"


def sizes(values: Iterable[float | None]) -> str:
    """Those after 1, 10 and 100 steps."""
    return " / ".join(size(np.inf if value is None else value) for value in values)


def told(pair: Pair) -> str:
    """A direction in words."""
    if pair.reason and pair.word != "no recipe":
        return f"{pair.word}: {pair.reason}"
    naive = f"naive {sizes(pair.naive)}"
    recipe = f", recipe {sizes(pair.recipe)}" if pair.recipe else ""
    allowed = f", rounding {sizes(pair.tolerance[-1:])}"
    reason = f" ({pair.reason})" if pair.reason else ""
    return f"{pair.word}: {naive}{recipe}{allowed}{reason}"


def sentence(found: Guide) -> str:
    """How many cards hold, and how many directions of a port were tried."""
    words = Counter(outcome.word for outcome in found.cards)
    directions = Counter(pair.word for outcome in found.cards for pair in outcome.pairs)
    hold = sum(words[word] for word in ("proved", "same", "no recipe"))
    parts = [f"{hold} of {len(found.cards)} cards hold on what is installed"]
    parts += [f"{words[word]} {word}" for word in ("cured", "off", "failed", "missing") if words[word]]
    return (
        f"{', '.join(parts)}. {directions['proved']} ports are proved, {directions['same']} need nothing, "
        f"{directions['no recipe']} have no recipe; the worst recipe in float64 leaves "
        f"{size(_worst_left(found))}. It took {found.seconds:.0f} s."
    )


def _worst_left(found: Guide) -> float:
    """What is left of a difference by any recipe that agrees."""
    outcomes = [outcome for outcome in found.cards if guide.CARDS[outcome.card].dtype == "float64"]
    pairs = [pair for outcome in outcomes for pair in outcome.pairs if pair.word == "proved"]
    return max((left or 0.0 for pair in pairs for left in pair.recipe), default=0.0)


def versions(about: Mapping[str, str]) -> str:
    """Of what a worker told of itself, the packages: "keras 3.15.1, tensorflow 2.21.0"."""
    packages = {package for column in COLUMNS.values() for package in column.packages}
    return ", ".join(f"{name} {fact}" for name, fact in about.items() if name in packages)


def names(frameworks: Iterable[str]) -> str:
    """As their people write them."""
    return ", ".join(TITLES[name] for name in frameworks)


@dataclass(frozen=True)
class Listing:
    """A snippet as it is shown, or why there is none."""

    name: str  # as in `Part.snippets`
    words: str  # what is to be done
    code: str


def listings(card: Card) -> dict[str, dict[str, Listing]]:
    """Heading to framework to snippet: the plain ones, then the recipes for each convention."""
    plain = {
        name: Listing("plain", "", snippets.body(part.plain))
        for name, part in card.parts.items()
        if part.plain
    }
    found = {"The plain call: the original, and the naive port": plain}
    for convention in card.conventions:
        recipes = {
            name: listing for name, part in card.parts.items() if (listing := _recipe(part, convention))
        }
        originals = names(name for name in convention.split() if name in card.parts)
        if recipes:
            found[
                f"To compute what {originals} does"
                if " " not in convention
                else f"To compute what {originals} do"
            ] = recipes
    return found


def _recipe(part: Part, convention: str) -> Listing | None:
    if recipe := part.recipes.get(convention):
        return Listing(recipe_name(convention), snippets.words(recipe), snippets.body(recipe))
    if reason := part.impossible.get(convention):
        return Listing("", f"There is no recipe: {reason}.", "")
    return None


MEASURED = ("what this computes", "in", "naive", "with the recipe", "verdict")


def measured(card: Card, outcome: Outcome) -> list[list[str]]:
    """A row for each framework that has to compute another convention, and one for each shared convention.

    Of several originals, which agree to rounding, the largest difference.
    """
    rows = []
    for convention in card.conventions:
        of = [pair for pair in outcome.pairs if pair.source in convention.split()]
        if alike := [pair for pair in of if pair.port in convention.split()]:
            shared = names(name for name in convention.split() if name in card.parts)
            worst = size(largest(pair.naive for pair in alike))
            rows.append([shared, "each other", "", worst, _worst(alike)])
        for port in card.parts:
            others = [pair for pair in of if pair.port == port and pair not in alike]
            if others:
                originals = names(dict.fromkeys(pair.source for pair in others))
                naive, recipe = _by_step(others), size(largest(pair.recipe for pair in others))
                rows.append([originals, TITLES[port], naive, recipe, _worst(others)])
    return rows


def _by_step(pairs: Sequence[Pair]) -> str:
    """The largest naive difference of some pairs after 1, 10 and 100 steps."""
    series = [[np.inf if value is None else value for value in pair.naive] for pair in pairs if pair.naive]
    return sizes(max(column) for column in zip(*series, strict=True))


def _worst(pairs: Sequence[Pair]) -> str:
    return next(word for word in WORST if any(pair.word == word for pair in pairs))


def defaults_head(defaults: Mapping[str, Mapping[str, str]]) -> list[str]:
    """The frameworks that have any of these."""
    return ["default", *(TITLES[name] for name in _holders(defaults))]


def defaults_rows(defaults: Mapping[str, Mapping[str, str]]) -> list[list[str]]:
    """What each has, "–" for nothing."""
    shown = _holders(defaults)
    return [[what, *(values.get(name, "–") for name in shown)] for what, values in defaults.items()]


def _holders(defaults: Mapping[str, Mapping[str, str]]) -> list[str]:
    return [name for name in FRAMEWORKS if any(name in values for values in defaults.values())]


# ------------------------------------------------------------------------- checklist and search


def checklist(found: Guide, source: str, port: str) -> list[tuple[Card, Pair, str]]:
    """What a port has to mind, the most damaging first, with what is to be done.

    NaN, infinity and other shapes come last: they show themselves, where a number that is off does not.
    """
    items = [
        (guide.CARDS[outcome.card], pair, advice(guide.CARDS[outcome.card], pair))
        for outcome in found.cards
        for pair in outcome.pairs
        if (pair.source, pair.port) == (source, port) and pair.word != "same"
    ]
    return sorted(items, key=lambda item: (np.isinf(damage(item[1])), -damage(item[1])))


def damage(pair: Pair) -> float:
    """The largest naive difference; infinite where something is no number, or has another shape."""
    found = largest([pair.naive])
    return -1.0 if found is None else found


def advice(card: Card, pair: Pair) -> str:
    """What is to be done in this direction."""
    part, convention = card.parts[pair.port], card.convention(pair.source)
    if recipe := part.recipes.get(convention):
        return snippets.words(recipe)
    return f"There is no recipe: {part.impossible[convention]}."


def same(found: Guide, source: str, port: str) -> list[str]:
    """The cards on which these two share a convention."""
    return [
        outcome.card
        for outcome in found.cards
        if any((pair.source, pair.port, pair.word) == (source, port, "same") for pair in outcome.pairs)
    ]


def search(words: str) -> list[Card]:
    """The cards that have all these words somewhere, those that have them in their title first."""
    wanted = words.lower().split()
    found = [card for card in guide.CARDS.values() if all(word in text(card) for word in wanted)]
    return sorted(found, key=lambda card: -sum(word in f"{card.title} {card.id}".lower() for word in wanted))


def text(card: Card) -> str:
    """All that a search looks at, in lower case and on one line."""
    codes = (f"{one.words} {one.code}" for part in listings(card).values() for one in part.values())
    parts = [
        card.id,
        card.title,
        card.wrong,
        *card.conventions.values(),
        *card.issues,
        *card.faults,
        *card.defaults,
    ]
    return " ".join(" ".join([*parts, *codes]).lower().split())
