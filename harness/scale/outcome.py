"""What a sweep over sizes found, as the data of scale.json; the report is a function of it."""

from typing import Literal

from msgspec import Struct

from harness.result import BROKEN, Environment, Status

SCHEMA: Literal["samestep.scale/1"] = "samestep.scale/1"

Interval = list[float]  # low, middle, high: 95 %


class Work(Struct, frozen=True):
    """What one step of a task has to compute: see work.py."""

    layers: int
    activations: int  # outputs of hidden units: batch × units, over all layers
    flops: int


class Place(Struct, frozen=True):
    """A point of an axis: the task of this size, and the lane in which it is timed."""

    size: int
    task: str
    lane: str


class Axis(Struct, frozen=True):
    """One size that grows while all others stay."""

    name: str  # "width"
    unit: str  # "units a layer"
    kept: str  # what stays: "2 hidden layers, batch 200, 1000 rows"
    places: list[Place]


class Point(Struct, frozen=True):
    """Raw times of one task on one backend in one lane; blocks with the same index belong to one round."""

    task: str
    backend: str
    threads: int
    lane: str
    steps_per_block: int
    calls_per_block: int
    blocks_s: list[float]
    blocks_again_s: list[float]  # the reference's second block of each round (A/A), else empty
    disturbed: list[bool]  # rounds in which other work took the processor from it, or the reference


class Fit(Struct, frozen=True):
    """A backend's step time as a sum of costs, each with what it is paid for."""

    kind: str  # of task: "network", "bowl"
    backend: str
    threads: int
    costs_s: dict[str, Interval]  # seconds per "step", "call", "layer", "activation", "flop"
    median_miss: float  # of a point's measured time, relative
    worst_miss: float
    worst_at: str  # its task, and lane
    is_good: bool  # whether no point is missed by more than a line may miss one


class Crossover(Struct, frozen=True):
    """From which size on one backend is faster than another."""

    overtaking: str
    overtaken: str
    size: Interval


class Pair(Struct, frozen=True):
    """Two backends along one axis."""

    axis: str
    threads: int
    backends: list[str]
    sizes: list[int]  # at which both were timed
    undecided: list[int]  # of these, where neither can be said to be faster
    faster: str | None  # wherever it is decided, where nothing crosses
    crossovers: list[Crossover]


class Peak(Struct, frozen=True):
    """The machine's float64 matrix product in NumPy, in GFLOP/s: the best of several sizes."""

    threads: int
    before: float
    after: float  # the sweep
    size: int  # of the square matrices that reached the better of both

    @property
    def gflops(self) -> float:
        """The better of both."""
        return max(self.before, self.after)


class Gap(Struct, frozen=True):
    """What was not timed, and why."""

    task: str
    backend: str
    threads: int
    status: Status
    lane: str | None = None  # None: the whole task
    reason: str | None = None
    details: str | None = None  # traceback or last lines of the log


class Scale(Struct, frozen=True):
    """A whole sweep."""

    schema: Literal["samestep.scale/1"]
    started: str  # ISO 8601, UTC
    seconds: float
    command: list[str]
    reference: str
    environment: Environment
    rounds: int
    backends: list[str]
    threads: list[int]
    statuses: dict[Status, int]  # of all cells, by parity
    peaks: list[Peak]
    axes: list[Axis]
    work: dict[str, Work]  # by task
    points: list[Point]
    fits: list[Fit]
    pairs: list[Pair]
    gaps: list[Gap]

    def exit_code(self) -> int:
        """As `run` ends: 0 all agreed, 1 something diverged, 3 something broke, 4 it cannot be told."""
        if self.statuses.keys() & set(BROKEN):
            return 3
        if "diverged" in self.statuses:
            return 1
        return 4 if "inconclusive" in self.statuses else 0
