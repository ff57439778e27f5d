"""What a run found, as the data of run.json.  Reports are functions of it; statistics are computed when read.

Schema history: samestep.run/1, the first; samestep.run/2 adds single steps, headroom, inconclusive, causes;
samestep.run/3 adds concepts, divergence, validation and regressions; samestep.run/4 adds lanes.
"""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

SCHEMA: Literal["samestep.run/4"] = "samestep.run/4"

Status = Literal[
    "agreed", "diverged", "known difference", "inconclusive",
    "unsupported", "missing", "failed", "timed out", "crashed",
]  # fmt: skip
BROKEN: tuple[Status, ...] = ("failed", "timed out", "crashed")  # exit code 3
TRACED: tuple[Status, ...] = ("agreed", "known difference", "inconclusive", "diverged")  # there is a trace

# Times are told only of those that compute the same.
TIMED: tuple[Status, ...] = ("agreed", "known difference", "inconclusive")

# What a difference is: one step's rounding; rounding that the task makes grow, as its own shadows show;
# so much of that growth that a fault would not show; or more than either.
Nature = Literal["rounding", "growth", "undecided", "fault"]

Count = Annotated[int, Meta(ge=0)]
Seconds = Annotated[float, Meta(ge=0)]


class Difference(Struct, frozen=True, forbid_unknown_fields=True):
    """The worst difference of one kind of quantity over all observed steps."""

    max_abs: float | None  # None where something is not finite or cannot be compared
    max_rel: float | None  # max_abs / the largest value that the reference's quantity has had by then
    max_ulp: float | None  # max_abs in units of the spacing of the dtype at that largest value
    # Where the largest share of the tolerance is used:
    tolerance: float | None  # the largest relative difference that agrees there; None: any
    headroom: float | None  # tolerance / difference: dividing by more would not pass; None: no difference
    quantity: str  # "state/second_moment/w1"
    step: Count
    nature: Nature


class Divergence(Struct, frozen=True, forbid_unknown_fields=True):
    """Where a run first left the reference: the earliest step, and there the worst quantity."""

    step: Count
    quantity: str  # "param/w1"
    single_step: bool  # from the reference's own state, or else in the free-running training
    element: list[int]  # index of the worst element, [] for a scalar
    actual: float | None
    desired: float | None
    max_rel: float | None
    tolerance: float
    what: str  # in words: "differs", "is not finite", "is missing", "has shape (2,), expected (3,)" …
    differing: list[str] = []  # the kinds of quantity that differ at this step …
    agreeing: list[str] = []  # … and those that still agree


class Parity(Struct, frozen=True, forbid_unknown_fields=True):
    """How a trace compares with the reference's."""

    reference: str  # the backend compared with
    quantities: dict[str, Difference]  # loss, grad, param, state, predict of the free-running training
    single_steps: dict[str, Difference]  # the same of one step from each of the reference's observed states
    not_observed: list[str]  # "grad: why", quantities that this framework does not show
    first_divergence: Divergence | None
    first_undecided: Count | None  # from which step a fault could hide in what rounding may grow to
    steps_compared: Count


class Lane(Struct, frozen=True, forbid_unknown_fields=True):
    """Raw times of one way to drive a program; blocks with the same index belong to the same round."""

    steps_per_block: Count
    blocks_s: list[Seconds]  # wall time of one block per round
    blocks_again_s: list[Seconds]  # the reference's second block of each round (A/A), else empty
    cpu_s: list[Seconds]  # processor time of the same blocks: more than wall time shows hidden threads
    disturbed: list[bool]  # rounds in which other work took the processor from a block of this ratio
    steady: bool
    ratio_to_reference: list[float]  # to its `run`: low, middle, high of the 95 % interval, paired by round
    verdict: str  # "slower", "indicative: faster", "no verdict: …"
    agrees_to: float  # worst relative difference of the first epochs from the backend's own single steps


class Timing(Struct, frozen=True, forbid_unknown_fields=True):
    """Times and memory of one cell."""

    start_s: Seconds  # starting the process, up to importing
    import_s: Seconds  # importing the column and its framework
    build_s: Seconds  # building the program
    first_step_s: Seconds  # the first step, with tracing and compiling
    second_step_s: Seconds  # the second step: long where something was compiled again
    load: float  # processes that wanted to compute, on average over the minute before its rounds
    lanes: dict[str, Lane]  # by the names of harness/lanes.py
    no_lane: dict[str, str]  # why others are not
    import_rss_mb: float  # memory of the worker's process after importing …
    built_rss_mb: float  # … after the first two steps …
    peak_rss_mb: float  # … and the most during a block of `run`


class Metrics(Struct, frozen=True, forbid_unknown_fields=True):
    """What training came to."""

    loss: float | None  # of the last epoch; None where the very first was not finite
    first_loss: float | None = None  # of the first epoch
    diverged_after: Count | None = None  # so many steps the loss was no longer finite, which ended the run
    best_epoch: Count | None = None  # whose parameters the run ended with, where validation was watched
    train_accuracy: float | None = None
    test_accuracy: float | None = None
    train_r2: float | None = None  # of a regression: the share of the variance explained
    test_r2: float | None = None
    confusion_test: list[list[int]] | None = None  # [actual class][predicted class]


class Cause(Struct, frozen=True, forbid_unknown_fields=True):
    """A named fault: the reference, computed with it, agrees with the cell to rounding."""

    id: str  # "epsilon-inside-root"
    words: str  # "ε is added inside the root"
    agrees_to: float  # the worst relative difference that is left


class Cell(Struct, frozen=True, forbid_unknown_fields=True):
    """One task on one backend at one placement."""

    task: str
    backend: str
    dtype: Literal["float64", "float32"]
    device: Literal["cpu", "cuda"]
    threads: Count
    status: Status
    identity: str  # hash of task, column source, versions and placement
    reason: str | None = None
    details: str | None = None  # traceback or last lines of the log
    causes: list[Cause] = []  # of a divergence; several where the task cannot tell them apart
    steps: Count | None = None
    epochs: Count | None = None
    metrics: Metrics | None = None
    parity: Parity | None = None
    timing: Timing | None = None
    trace: str | None = None  # path inside the run's folder
    trace_digest: str | None = None  # SHA-256 of that file


class Concept(Struct, frozen=True, forbid_unknown_fields=True):
    """What is usually said of something, beside what this run measured."""

    id: str  # also the tag of its tasks
    title: str
    claim: str
    measured: str  # on the reference; the cells say whether the others agree
    tasks: list[str]  # those of this run
    missing: list[str] = []  # those that this run left out, so that the sentence may say less


class Environment(Struct, frozen=True, forbid_unknown_fields=True):
    """What the run ran on."""

    python: str
    platform: str
    processor: str
    cores: Count
    memory_gb: float
    threads: Count
    device: str
    versions: dict[str, str]  # package to version
    workers: dict[str, dict[str, str]]  # backend to what its worker reported: libraries, threads


class Result(Struct, frozen=True, forbid_unknown_fields=True):
    """A whole run."""

    schema: Literal["samestep.run/4"]
    started: str  # ISO 8601, UTC
    seconds: Seconds
    complete: bool  # False while running and after an interruption
    command: list[str]
    reference: str  # the backend that all are compared with
    environment: Environment
    phases_s: dict[str, Seconds]  # wall time by phase: workers and parity, timing
    cells: list[Cell]
    # Of tasks on which something diverged: which backends agree with each other, the largest group first.
    groups: dict[str, list[list[str]]] = {}
    concepts: list[Concept] = []
    # Processor time of all processes: starting, the steps themselves, recording, comparing.
    spent_s: dict[str, Seconds] = {}

    def exit_code(self) -> int:
        """As the command ends.

        0 all agreed or declared, 1 something diverged, 3 something failed, timed out or crashed,
        4 nothing diverged, but of something it cannot be told.
        """
        statuses = {cell.status for cell in self.cells}
        if statuses.intersection(BROKEN):
            return 3
        if "diverged" in statuses:
            return 1
        return 4 if "inconclusive" in statuses else 0


def json_schema() -> dict[str, Any]:
    """The JSON Schema of run.json, kept in the repository as harness/run.schema.json."""
    schema = msgspec.json.schema(Result)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": SCHEMA, **schema}


def encode(value: Struct) -> bytes:
    """JSON, indented for people."""
    return msgspec.json.format(msgspec.json.encode(value), indent=1) + b"\n"
