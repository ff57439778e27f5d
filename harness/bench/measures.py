"""What a benchmark found, as the data of its file; statistics are computed when read."""

from pathlib import Path
from typing import Literal

import msgspec
import numpy as np
from msgspec import Struct

from harness import timing
from harness.plan import UsageError
from harness.result import Environment, Seconds

SCHEMA: Literal["samestep.bench/1"] = "samestep.bench/1"
RATIOS = ("×", "%")  # in these the machine's own speed cancels


class Measure(Struct, frozen=True, forbid_unknown_fields=True):
    """One row of the table."""

    group: str  # the question: "run ÷ best bare loop"
    what: str  # "torch, 4+4 units"
    unit: str
    values: list[float]  # one per quiet round; or a single one
    target: float | None = None
    better: Literal["less", "more"] = "less"
    beside: str = ""  # what it was divided by, where that is chosen by its speed

    @property
    def key(self) -> tuple[str, str]:
        """What is the same of two benchmarks."""
        return self.group, self.what

    @property
    def interval(self) -> list[float]:
        """Low, middle, high: the geometric mean with its 95 % interval over the rounds."""
        return timing.interval(np.log(self.values))

    @property
    def verdict(self) -> str:
        """Whether the target is met, if there is one; "open" where the interval holds it."""
        if self.target is None:
            return ""
        low, _, high = self.interval
        best, worst = (low, high) if self.better == "less" else (-high, -low)
        target = self.target if self.better == "less" else -self.target
        if worst <= target:
            return "met"
        return "missed" if best > target else "open"


class Bench(Struct, frozen=True, forbid_unknown_fields=True):
    """A whole benchmark."""

    schema: Literal["samestep.bench/1"]
    started: str  # ISO 8601, UTC
    seconds: Seconds
    quick: bool
    environment: Environment
    measures: list[Measure]
    problems: list[str]  # what could not be measured, and why


def load(file: Path) -> Bench:
    """The benchmark in a file.  Raises `UsageError`, naming the file and what is wrong with it."""
    try:
        return msgspec.json.decode(file.read_bytes(), type=Bench)
    except OSError as error:
        raise UsageError(f"{file} cannot be read: {error.strerror}") from None
    except msgspec.ValidationError as error:
        raise UsageError(f"{file} is not a {SCHEMA} file: {error}") from None
    except msgspec.DecodeError as error:
        raise UsageError(f"{file} is damaged: {error}") from None
