"""The guide as one Markdown file, for a repository."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import guide
from guide.card import Card
from harness import trace
from harness.guide.outcome import Guide, Outcome
from harness.report import cards as words
from harness.report import snippets
from harness.report.markdown import escape
from harness.report.verdict import TITLES


def write(found: Guide, path: Path) -> None:
    """Write it; raises `OSError` when it cannot be written."""
    path.parent.mkdir(parents=True, exist_ok=True)
    trace.write(path, ("\n".join(_lines(found)) + "\n").encode())


def _lines(found: Guide) -> Iterator[str]:
    outcomes = {outcome.card: outcome for outcome in found.cards}
    yield from ("# The porting guide", "", escape(words.sentence(found)), "")
    for topic in guide.TOPICS:
        cards = [card for card in guide.of(topic) if card.id in outcomes]
        if cards:
            yield from (f"## {escape(guide.title(topic))}", "")
            yield from _table(
                ("card", "frameworks", "naive", "recipe", "verdict"),
                [_row(card, outcomes[card.id]) for card in cards],
            )
        for card in cards:
            yield from _card(card, outcomes[card.id])


def _row(card: Card, outcome: Outcome) -> tuple[str, ...]:
    link = f"[{escape(card.title)}](#{card.id})"
    sizes = words.size(outcome.naive()), words.size(outcome.recipe())
    return link, words.names(card.parts), *sizes, outcome.word


def _card(card: Card, outcome: Outcome) -> Iterator[str]:
    yield from (f'### <a id="{card.id}"></a>{escape(card.title)}', "", escape(card.wrong), "")
    for key, formula in card.conventions.items():
        yield f"- {words.names(key.split())}: `{formula}`"
    for name, reason in card.absent.items():
        yield f"- not in {TITLES[name]}: {escape(reason)}"
    yield ""
    if outcome.defaults:
        yield from _table(words.defaults_head(outcome.defaults), words.defaults_rows(outcome.defaults))
    yield from _table(words.MEASURED, words.measured(card, outcome))
    for title, codes in words.listings(card).items():
        yield from (f"**{escape(title)}**", "")
        for framework, one in codes.items():
            yield from (f"{TITLES[framework]}{f': {escape(one.words)}' if one.words else ''}", "")
            if one.code:
                yield from ("```python", one.code, "```", "")
    yield from (
        "<details><summary>given</summary>",
        "",
        "```python",
        snippets.given(card),
        "```",
        "",
        "</details>",
        "",
    )
    if card.issues:
        yield from (f"People were bitten in {', '.join(map(escape, card.issues))}.", "")


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    yield "| " + " | ".join(head) + " |"
    yield "|" + " --- |" * len(head)
    for cells in rows:
        yield "| " + " | ".join(cells) + " |"
    yield ""
