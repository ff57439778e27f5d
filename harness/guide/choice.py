"""Which cards and frameworks are asked for.  Wrong use raises `UsageError`."""

from collections.abc import Sequence
from pathlib import Path

import guide
from guide.card import FRAMEWORKS, Card
from harness.plan import UsageError, suggestion


def cards(names: Sequence[str]) -> list[Card]:
    """The cards of these ids, or all."""
    for name in names:
        if name not in guide.CARDS:
            hint = suggestion(name, list(guide.CARDS))
            raise UsageError(f"no card is named {name!r}; {hint} (--search WORDS looks into all)")
    chosen = [guide.CARDS[name] for name in dict.fromkeys(names)] or list(guide.CARDS.values())
    every = [card.id for topic in guide.TOPICS for card in guide.of(topic)]
    if twice := sorted({name for name in every if every.count(name) > 1}):
        raise UsageError(f"guide: two cards are named {twice[0]!r}, expected one")
    for card in chosen:
        if problems := card.problems():
            raise UsageError(f"guide, card {card.id!r}: {'; '.join(problems)}")
    return chosen


def check(html: Path | None, markdown: Path | None) -> None:
    """Make the folders that are written into: better found out now than after a run."""
    for option, path, needed in (
        ("--html", html, html),
        ("--markdown", markdown, markdown.parent if markdown else None),
    ):
        if path is None or needed is None:
            continue
        try:
            needed.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UsageError(f"{option} {path} cannot be written: {error.strerror}") from error


def frameworks(source: str | None, port: str | None, only: Sequence[str]) -> list[str]:
    """The two of a port, those of `only`, or all."""
    if (source is None) != (port is None):
        raise UsageError("--from and --to go together: --from keras --to torch")
    if source is None or port is None:
        return [_known("-b", name) for name in only] or list(FRAMEWORKS)
    if only:
        raise UsageError("-b goes with neither --from nor --to, which name the frameworks")
    if source.lower() == port.lower():
        raise UsageError(f"--from and --to are both {source!r}, expected two frameworks")
    return [_known("--from", source), _known("--to", port)]


def _known(option: str, name: str) -> str:
    if name.lower() not in FRAMEWORKS:
        hint = suggestion(name, list(FRAMEWORKS))
        raise UsageError(f"{option} {name!r} is no framework of the guide; {hint}")
    return name.lower()
