"""The guide as a site that opens from disk: a page per card, a checklist per direction, a searched index."""

from collections.abc import Iterable, Mapping
from itertools import permutations
from pathlib import Path

import guide
from guide.card import FRAMEWORKS, Card
from harness import trace
from harness.guide.outcome import Guide, Outcome
from harness.report import cards as words
from harness.report import listing, page, snippets
from harness.report.verdict import TITLES


def write(found: Guide, folder: Path) -> None:
    """Write all pages; other files of the folder stay as they are.

    Raises `OSError` when they cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    outcomes = {outcome.card: outcome for outcome in found.cards}
    pages = card_pages([guide.CARDS[name] for name in outcomes], outcomes)
    pages["index.html"] = _index(found, outcomes)
    ran = [name for name in FRAMEWORKS if name in found.versions]
    for source, port in permutations(ran, 2):
        pages[f"{source}-to-{port}.html"] = _checklist(found, source, port)
    for name, html in pages.items():
        trace.write(folder / name, html.encode())


def write_cards(names: Iterable[str], folder: Path) -> None:
    """Write the pages of these cards only, for a report that leads to them; nothing is measured for it.

    Raises `OSError` when they cannot be written.
    """
    pages = card_pages([guide.CARDS[name] for name in names], {})
    if pages:
        folder.mkdir(exist_ok=True)
    for name, html in pages.items():
        trace.write(folder / name, html.encode())


def card_pages(cards: Iterable[Card], outcomes: Mapping[str, Outcome]) -> dict[str, str]:
    """A page of each card by its file's name; without an outcome it says how to measure it."""
    template = page.templates().get_template("guide_card.html")
    return {
        f"{card.id}.html": template.render(
            card=card,
            outcome=outcomes.get(card.id),
            is_whole=bool(outcomes),
            given=listing.highlighted(snippets.given(card)),
            listings=words.listings(card),
            code=listing.highlighted,
            script=snippets.script,
            titles=TITLES,
            frameworks=FRAMEWORKS,
            words=words,
            topic=_topic(card),
        )
        for card in cards
    }


def _topic(card: Card) -> str:
    return next(guide.title(topic) for topic in guide.TOPICS if card in guide.of(topic))


def _index(found: Guide, outcomes: Mapping[str, Outcome]) -> str:
    topics = {
        guide.title(topic): cards
        for topic in guide.TOPICS
        if (cards := [card for card in guide.of(topic) if card.id in outcomes])
    }
    return (
        page.templates()
        .get_template("guide_index.html")
        .render(
            found=found,
            outcomes=outcomes,
            topics=topics,
            sentence=words.sentence(found),
            titles=TITLES,
            ran=[name for name in FRAMEWORKS if name in found.versions],
            words=words,
        )
    )


def _checklist(found: Guide, source: str, port: str) -> str:
    return (
        page.templates()
        .get_template("guide_checklist.html")
        .render(
            items=words.checklist(found, source, port),
            same=[guide.CARDS[name] for name in words.same(found, source, port)],
            source=TITLES[source],
            port=TITLES[port],
            back=f"{port}-to-{source}.html",
            words=words,
        )
    )
