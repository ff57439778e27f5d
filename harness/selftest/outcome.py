"""What a self-test found, and what is promised of it."""

from collections.abc import Iterator
from typing import Literal

from msgspec import Struct

SCHEMA: Literal["samestep.selftest/1"] = "samestep.selftest/1"
STEPS, STATEFUL_STEPS = 1, 3  # within how many steps a fault must be found; one that acts through state
LOCALISED, NAMED = 0.95, 0.80  # the shares that must be localised right, and named right

Found = Literal["found", "missed", "equivalent", "not equivalent"]
Named = Literal["right", "wrong", "not known", "none to name"]


class Outcome(Struct, frozen=True):
    """One fault in one task on one backend."""

    fault: str
    words: str
    task: str
    backend: str
    found: Found  # "not equivalent": by the proof nobody can see it, and yet it was seen
    proof: str | None = None  # of an equivalent fault
    steps: int | None = None  # from where it begins to act to where it was found
    quantity: str | None = None  # in which it was found
    localised: bool = False  # soon enough, and in a quantity that it acts on first
    causes: list[str] = []
    named: Named = "none to name"
    details: str | None = None


class Clean(Struct, frozen=True):
    """Runs without a fault, on random tasks."""

    runs: int
    agreed: int
    as_declared: int
    inconclusive: int
    alarms: list[str]  # what was found where nothing is wrong
    least_headroom: float | None  # of those that agreed
    tightest: str | None  # where that was


class Power(Struct, frozen=True):
    """The smallest relative change of one hyper-parameter that is found on one task, a power of ten."""

    task: str
    parameter: str
    change: float | None  # None: not even a change by a tenth


class Selftest(Struct, frozen=True):
    """All that was tried."""

    schema: Literal["samestep.selftest/1"]
    seconds: float
    outcomes: list[Outcome] = []
    clean: Clean | None = None
    power: list[Power] = []

    def exit_code(self) -> int:
        """0 if every promise was kept, else 1."""
        return 1 if self.broken_promises() else 0

    def broken_promises(self) -> list[str]:
        """What was promised and not kept, in words."""
        return [*self._of_faults(), *self._of_shares(), *self._of_clean_runs()]

    def tried(self) -> list[Outcome]:
        """The faults that can be seen."""
        return [one for one in self.outcomes if one.found in ("found", "missed")]

    def _of_faults(self) -> Iterator[str]:
        for one in self.outcomes:
            where = f"{one.fault} in {one.task} × {one.backend}"
            if one.found == "missed":
                yield f"{where} was missed"
            if one.found == "not equivalent":
                yield f"{where} was found, though: {one.proof}"
            if one.named == "wrong":
                yield f"{where} was named {', '.join(one.causes)}"

    def _of_shares(self) -> Iterator[str]:
        if (share := self.localised()) < LOCALISED:
            yield f"{share:.1%} localised right, promised {LOCALISED:.0%}"
        if (share := self.named()) < NAMED:
            yield f"{share:.1%} of causes named right, promised {NAMED:.0%}"

    def localised(self) -> float:
        """The share of faults that were localised right."""
        return _share([one.localised for one in self.tried()])

    def named(self) -> float:
        """The share of faults with a cause to name whose cause was named."""
        return _share([one.named == "right" for one in self.tried() if one.named != "none to name"])

    def _of_clean_runs(self) -> Iterator[str]:
        if self.clean:
            yield from (f"false alarm: {alarm}" for alarm in self.clean.alarms)


def _share(kept: list[bool]) -> float:
    return sum(kept) / len(kept) if kept else 1.0
