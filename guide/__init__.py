"""The porting guide: one card for each convention that frameworks do not share, one file per topic.

Nothing here imports a framework; snippets do, when a worker runs them.
"""

import re
from types import ModuleType

from guide import (
    activations,
    adaptive,
    attention,
    clipping,
    convolution,
    decay,
    descent,
    initialisers,
    kinks,
    layout,
    linear,
    losses,
    metrics,
    normalisation,
    precision,
    recurrent,
    schedules,
    training,
)
from guide.card import Card

TOPICS: tuple[ModuleType, ...] = (
    precision,
    layout,
    initialisers,
    descent,
    adaptive,
    decay,
    clipping,
    losses,
    normalisation,
    convolution,
    recurrent,
    attention,
    activations,
    kinks,
    training,
    schedules,
    linear,
    metrics,
)


def of(topic: ModuleType) -> list[Card]:
    """A topic's cards, in the order of its file."""
    return [value for value in vars(topic).values() if isinstance(value, Card)]


def title(topic: ModuleType) -> str:
    """What its file begins with, up to a colon or full stop."""
    assert topic.__doc__
    return re.split("[:.]", topic.__doc__, maxsplit=1)[0]


CARDS: dict[str, Card] = {card.id: card for topic in TOPICS for card in of(topic)}


def explaining(fault: str, optimizer: str = "") -> list[Card]:
    """The cards about a fault of the catalogue, met with this optimizer; of any, if that is not known.

    A card names what it explains: "gelu-by-tanh", or "epsilon-elsewhere@RMSprop" with that optimizer only.
    """
    return [
        card
        for card in CARDS.values()
        for name, _, only in (entry.partition("@") for entry in card.faults)
        if name == fault and (not only or not optimizer or only == optimizer)
    ]
