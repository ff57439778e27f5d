"""Start a worker for each framework, have it run its part of every card, and compare."""

import time
from collections.abc import Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import Protocol

from backends import COLUMNS
from guide.card import FRAMEWORKS, Card
from harness import trace
from harness.guide import defaults
from harness.guide.outcome import SCHEMA, Answer, Guide, judge
from harness.protocol import Attempt, Attempted, Inspect, Inspected
from harness.session import Broken, Limits, Session, opened, stop_all, together


class Watcher(Protocol):
    """Who is told how far a run is."""

    def start(self, phase: str, total: int | None) -> None:
        """A phase of so many pieces begins."""

    def counted(self, what: str) -> None:
        """One of them is done."""


def conduct(cards: Sequence[Card], watcher: Watcher, frameworks: Iterable[str] = FRAMEWORKS) -> Guide:
    """Run these cards on these frameworks, all side by side."""
    began = time.perf_counter()
    chosen = [name for name in frameworks if any(name in card.parts for card in cards)]
    watcher.start("cards", sum(name in card.parts for card in cards for name in chosen))
    with opened([COLUMNS[name] for name in chosen], Limits()) as (folder, sessions):
        ask = partial(_ask_all, cards, folder, watcher)
        answers = together(ask, sessions, partial(stop_all, sessions), at_once=len(sessions))
        versions = {session.column.name: session.about for session in sessions}
    found = dict(zip(chosen, answers, strict=True))
    shown = defaults.of_cards(cards, {name: said for name, (_, said) in found.items() if said})
    outcomes = [
        judge(
            card,
            {name: said[card.id] for name, (said, _) in found.items() if card.id in said},
            shown[card.id],
        )
        for card in cards
    ]
    return Guide(SCHEMA, versions, time.perf_counter() - began, outcomes)


def _ask_all(
    cards: Sequence[Card], folder: Path, watcher: Watcher, session: Session
) -> tuple[dict[str, Answer], Inspected | None]:
    """What one framework says to each card that has something of it, and the defaults that cards show."""
    framework = session.column.name
    answers = {}
    for card in (card for card in cards if framework in card.parts):
        answers[card.id] = _ask(card, folder / f"{card.id}.{framework}.npz", session)
        watcher.counted(f"{card.id} × {framework}")
    names = defaults.names_for(cards, framework)
    try:
        return answers, session.ask(Inspect(names), Inspected) if names else None
    except Broken:  # the cards say so already
        return answers, None


def _ask(card: Card, path: Path, session: Session) -> Answer:
    try:
        attempted = session.ask(Attempt(card.id, str(path)), Attempted)
    except Broken as broken:
        return Answer(status=broken.status, reason=broken.reason, details=broken.details)
    return Answer(trace.load(path), attempted.raised, cpu_s=attempted.cpu_s)
