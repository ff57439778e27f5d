"""The porting guide on a terminal: the table of all cards, one card in full, a checklist, a search."""

from collections.abc import Iterable, Mapping, Sequence

from rich import box
from rich.console import Console, Group
from rich.padding import Padding
from rich.syntax import Syntax
from rich.table import Table
from rich.text import Text

import guide
from guide.card import FRAMEWORKS, Card
from harness.guide.outcome import Guide, Outcome, Word
from harness.report import cards, figures, lines, snippets
from harness.report.verdict import TITLES
from harness.result import BROKEN

STYLES: dict[Word, str] = {
    "proved": "green",
    "same": "green",
    "no recipe": "yellow",
    "missing": "dim",
    "cured": "bold red",
    "off": "bold red",
    "failed": "bold magenta",
}  # beside the words, never instead of them
LETTERS = dict(zip(FRAMEWORKS, "NSTKP", strict=True))
WIDE = 120  # columns, from which titles stand beside the ids
CODE = 58  # columns for a listing
LOG_LINES = 6


def print_found(
    found: Guide, console: Console, direction: Sequence[str] = (), *, in_full: bool = False
) -> None:
    """Print the checklist of a direction, (from, to); or cards in full; or the table of all."""
    if direction:
        source, port = direction
        print_checklist(found, source, port, console)
    elif in_full:
        print_cards(found, console)
    else:
        print_guide(found, console)


def print_guide(found: Guide, console: Console) -> None:
    """Print a row per card under the headings of topics, what does not hold in full, and a sentence."""
    outcomes = {outcome.card: outcome for outcome in found.cards}
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, padding=(0, 1, 0, 0))
    table.add_column("card", no_wrap=True, width=2 + max(map(len, outcomes)), overflow="ellipsis")
    if console.width >= WIDE:
        table.add_column("title", overflow="ellipsis", no_wrap=True)
    for title in ("in", "naive", "recipe"):
        table.add_column(title, no_wrap=True, justify="left" if title == "in" else "right")
    table.add_column("verdict", no_wrap=True)
    for topic in guide.TOPICS:
        members = [card for card in guide.of(topic) if card.id in outcomes]
        if members:
            table.add_row(Text(guide.title(topic), style="bold"))
        for card in members:
            table.add_row(*_row(card, outcomes[card.id], console))
    lines.put(table, console)
    console.print()
    console.print(Text(", ".join(f"{letter} {TITLES[name]}" for name, letter in LETTERS.items())))
    console.print(
        Text(
            "naive: the largest difference of a port that changes only names; recipe: of one that follows a "
            "recipe, or of two frameworks that need none; relative to the largest value"
        )
    )
    console.print()
    _print_wrong(found.cards, console)
    console.print(Text(cards.sentence(found), style="bold"))


def _row(card: Card, outcome: Outcome, console: Console) -> list[str | Text]:
    title: list[str | Text] = [card.title] if console.width >= WIDE else []
    present = "".join(letter if name in card.parts else "·" for name, letter in LETTERS.items())
    word = Text(outcome.word, style=STYLES[outcome.word])
    return [f"  {card.id}", *title, present, cards.size(outcome.naive()), cards.size(outcome.recipe()), word]


def _print_wrong(outcomes: Iterable[Outcome], console: Console) -> None:
    """What does not hold; of what raised, the end of the traceback."""
    for outcome in outcomes:
        for pair in outcome.pairs:
            if pair.word in ("off", "cured"):
                direction = f"{outcome.card}, {pair.source} → {pair.port}"
                console.print(Text.assemble((direction, "bold"), f": {cards.told(pair)}"))
        for framework, tracebacks in outcome.raised.items():
            for name, text in tracebacks.items():
                console.print(Text(f"{outcome.card}, {framework}, {name}, raised:", style="bold"))
                _print_log(text, console)
        for framework, (status, reason, details) in outcome.broken.items():
            if status in BROKEN:
                console.print(Text(f"{outcome.card}, {framework}: {status}: {reason}", style="bold"))
                _print_log(details or "", console)


def _print_log(text: str, console: Console) -> None:
    last = figures.plain(text).strip().splitlines()[-LOG_LINES:]
    lines.put(Padding(Text("\n".join(last), style="dim"), (0, 0, 0, 4)), console)


# ------------------------------------------------------------------------------------------ a card


def print_cards(found: Guide, console: Console) -> None:
    """Print each card in full: words, formulas, defaults, code side by side, and what was measured."""
    for number, outcome in enumerate(found.cards):
        if number:
            console.rule()
        _print_card(guide.CARDS[outcome.card], outcome, console)
        _print_wrong([outcome], console)


def _print_card(card: Card, outcome: Outcome, console: Console) -> None:
    console.print(Text.assemble((card.title, "bold"), f"  ({card.id})"))
    lines.put(Text(card.wrong), console)
    console.print()
    _print_facts({cards.names(key.split()): formula for key, formula in card.conventions.items()}, console)
    _print_facts({f"not in {TITLES[name]}": reason for name, reason in card.absent.items()}, console)
    if outcome.defaults:
        _print_heading("Defaults, as installed", console)
        _print_defaults(outcome.defaults, console)
    _print_heading("The numbers that all share", console)
    console.print(_highlighted(snippets.given(card)), soft_wrap=True)  # can be copied
    for title, codes in cards.listings(card).items():
        if shown := {name: one for name, one in codes.items() if name in outcome.cpu_s}:
            _print_heading(title, console)
            _print_side_by_side(shown, console)
    steps = f", after {', '.join(map(str, outcome.after))} steps" if card.trains else ""
    _print_heading(f"Measured{steps}", console)
    _print_measured(card, outcome, console)
    console.print()
    if card.issues:
        console.print(Text(f"People were bitten in {', '.join(card.issues)}."))
    if card.faults:
        console.print(Text(f"As a cause in reports: {', '.join(card.faults)}."))
    console.print(Text.assemble((outcome.word, STYLES[outcome.word]), f": {cards.MEANINGS[outcome.word]}."))


def _print_side_by_side(codes: Mapping[str, cards.Listing], console: Console) -> None:
    """As many listings abreast as fit."""
    abreast = max(1, console.width // CODE)
    if abreast == 1:
        for name, one in codes.items():
            lines.put(_title(name, one), console)
            console.print(_highlighted(one.code), soft_wrap=True)  # can be copied
            console.print()
        return
    names = list(codes)
    for first in range(0, len(names), abreast):
        table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 1, 0))
        shown = names[first : first + abreast]
        for _ in shown:
            table.add_column(
                width=min(CODE * 2, console.width // min(abreast, len(names))) - 2, overflow="fold"
            )
        table.add_row(*(_listing(name, codes[name]) for name in shown))
        lines.put(table, console)


def _listing(name: str, listing: cards.Listing) -> Group:
    return Group(_title(name, listing), _highlighted(listing.code))


def _title(name: str, listing: cards.Listing) -> Text:
    return Text.assemble((TITLES[name], "underline"), f"  {listing.words}" if listing.words else "")


def _highlighted(code: str) -> Text:
    text = Syntax("", "python", theme="ansi_dark", background_color="default").highlight(code.rstrip())
    text.no_wrap, text.overflow = False, "fold"
    return text


def _print_measured(card: Card, outcome: Outcome, console: Console) -> None:
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, padding=(0, 1, 0, 0))
    for title in cards.MEASURED:
        table.add_column(title, overflow="fold")
    for row in cards.measured(card, outcome):
        table.add_row(*row)
    lines.put(table, console)


def _print_defaults(defaults: Mapping[str, Mapping[str, str]], console: Console) -> None:
    table = Table(*cards.defaults_head(defaults), box=box.SIMPLE_HEAD, show_edge=False, padding=(0, 1, 0, 0))
    for row in cards.defaults_rows(defaults):
        table.add_row(*row)
    lines.put(table, console)


def _print_facts(facts: Mapping[str, str], console: Console) -> None:
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(style="bold")
    table.add_column(overflow="fold")
    for name, fact in facts.items():
        table.add_row(Text(name), Text(fact))
    if facts:
        lines.put(table, console)


def _print_heading(heading: str, console: Console) -> None:
    console.print()
    console.print(Text(heading, style="bold"))


# ------------------------------------------------------------------------- checklist and search


def print_checklist(found: Guide, source: str, port: str, console: Console) -> None:
    """Print the items with their sizes, then what needs nothing."""
    items = cards.checklist(found, source, port)
    console.print(
        Text(f"Porting from {TITLES[source]} to {TITLES[port]}, the most damaging first", style="bold")
    )
    console.print(Text(cards.DAMAGE))
    console.print()
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column(justify="right", no_wrap=True)
    table.add_column(overflow="fold")
    for card, pair, words in items:
        mark = "" if pair.word in ("proved", "no recipe") else f"  {cards.told(pair)}"
        title = Text.assemble((card.title, "bold"), f"  {card.id}", (mark, STYLES[pair.word]))
        table.add_row(cards.size(cards.damage(pair)) if pair.naive else pair.word, Group(title, Text(words)))
    lines.put(table, console)
    console.print()
    if same := cards.same(found, source, port):
        console.print(Text(f"Nothing to do: {', '.join(same)}"))
        console.print()
    console.print(
        Text(
            f"{len(items)} {'thing' if len(items) == 1 else 'things'} to mind, {len(same)} that "
            f"{'is' if len(same) == 1 else 'are'} the same; `samestep guide CARD` shows one.",
            style="bold",
        )
    )


def print_search(words: str, console: Console) -> None:
    """Print the id and title of each card that has the words."""
    found = cards.search(words)
    for card in found:
        console.print(Text.assemble((card.id, "bold"), f"  {card.title}"), soft_wrap=True)
    if not found:
        console.print(Text(f"No card has {words!r}, in its words or its code."))
        return
    count = "1 card has" if len(found) == 1 else f"{len(found)} cards have"
    console.print(Text(f"{count} {words!r}; `samestep guide CARD` shows one."))
