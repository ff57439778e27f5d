"""Which cards and frameworks are asked for.  Wrong use raises `UsageError`."""

from collections.abc import Sequence

import guide
from guide.card import FRAMEWORKS, Card
from harness.plan import UsageError, suggestion


def cards(names: Sequence[str]) -> list[Card]:
    """The cards of these ids, or all."""
    for name in names:
        if name not in guide.CARDS:
            hint = suggestion(name, list(guide.CARDS))
            raise UsageError(f"no card is named {name!r}; {hint}; --search WORDS looks into all of them")
    return [guide.CARDS[name] for name in dict.fromkeys(names)] or list(guide.CARDS.values())


def frameworks(source: str | None, port: str | None, only: Sequence[str]) -> list[str]:
    """The two of a port, those of `only`, or all."""
    if (source is None) != (port is None):
        raise UsageError("--from and --to go together: --from keras --to torch")
    if source is None or port is None:
        return [_known("-b", name) for name in only] or list(FRAMEWORKS)
    if only:
        raise UsageError("-b goes with neither --from nor --to, which name the frameworks")
    if source == port:
        raise UsageError(f"--from and --to are both {source!r}, expected two frameworks")
    return [_known("--from", source), _known("--to", port)]


def _known(option: str, name: str) -> str:
    if name not in FRAMEWORKS:
        raise UsageError(
            f"{option} {name!r} is no framework of the guide; {suggestion(name, list(FRAMEWORKS))}"
        )
    return name
