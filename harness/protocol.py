"""The messages between the harness and a worker: one JSON object a line, arrays in npz files beside it.

The parent asks, the worker answers each request with one reply, in order.  The first message is the
worker's own: `Ready`, or a `Failure` to start.
"""

import msgspec
from msgspec import Struct

from harness.result import Cause, Status


class Record(Struct, frozen=True, tag=True):
    """Train the task from start to stop, take single steps, and store the trace."""

    task: str
    fingerprint: str
    trace: str  # path to write
    states: str | None = None  # path of the reference's trace: single steps start from its states
    spread_in: str | None = None  # dtype: also record how far numbers moved by an ulp of it carry the run
    fault: str | None = None  # of the catalogue, or damage to the trace: put it in


class Recorded(Struct, frozen=True, tag=True):
    """The trace is stored."""

    not_observed: dict[str, str]  # kind of quantity to why this framework does not show it
    cpu_s: float  # processor time of all of it …
    steps_cpu_s: float  # … and of building the program and taking its steps


class Explain(Struct, frozen=True, tag=True):
    """Find the faults with which this column, the reference, agrees with a trace that diverged from it."""

    task: str
    fingerprint: str
    actual: str  # path of the trace that diverged
    desired: str  # path of the reference's trace
    dtype: str
    not_observed: dict[str, str]
    first: str | None = None  # a declared cause: if it explains the difference, no other is looked for


class Explained(Struct, frozen=True, tag=True):
    """The causes that explain the whole difference; several if the task cannot tell them apart."""

    causes: list[Cause]


class Prepare(Struct, frozen=True, tag=True):
    """Build the task for timing, and take its first two steps."""

    task: str
    fingerprint: str


class Prepared(Struct, frozen=True, tag=True):
    """Cold phases."""

    build_s: float
    first_step_s: float
    second_step_s: float
    built_rss_mb: float  # memory in use then


class Prove(Struct, frozen=True, tag=True):
    """Train the prepared task's first epochs in a lane, and store what they come to."""

    lane: str  # of harness/lanes.py
    outcome: str  # path to write
    spread_in: str | None = None  # dtype: store how far the reference's shadows get from it, too


class Proved(Struct, frozen=True, tag=True):
    """The outcome is stored."""


class WarmUp(Struct, frozen=True, tag=True):
    """Go on in a lane until its speed is known."""

    lane: str
    block_s: float  # the least duration of a block


class Warm(Struct, frozen=True, tag=True):
    """How many steps make a block."""

    steps_per_block: int


class Block(Struct, frozen=True, tag=True):
    """Run one timed block in a lane that is warm."""

    lane: str


class Measured(Struct, frozen=True, tag=True):
    """One block: times in seconds, and what may have disturbed it."""

    wall_s: float
    cpu_s: float
    stolen_s: float  # processor time taken by other virtual machines, all cores


class Weigh(Struct, frozen=True, tag=True):
    """Run one more block of the first lane, not timed, and watch the memory."""


class Weighed(Struct, frozen=True, tag=True):
    """The most memory in use during that block."""

    peak_rss_mb: float


class Sample(Struct, frozen=True, tag=True):
    """Measure what the framework draws by itself, once with each of these seeds."""

    seeds: list[int]


class Sampled(Struct, frozen=True, tag=True):
    """Of each statistic and seed one number, or one per layer."""

    values: dict[str, list[list[float | None]]]  # None: not finite, for which JSON has no number
    unsupported: dict[str, str]  # statistic to why this framework does not have it


class Attempt(Struct, frozen=True, tag=True):
    """Run what a card of the guide has of this framework, and store what each snippet came to."""

    card: str
    results: str  # path to write


class Attempted(Struct, frozen=True, tag=True):
    """The results are stored."""

    raised: dict[str, str]  # snippet to traceback
    cpu_s: float


class Inspect(Struct, frozen=True, tag=True):
    """Read the defaults of constructors and functions, by their dotted names."""

    names: list[str]


class Inspected(Struct, frozen=True, tag=True):
    """Of each name its parameters with their defaults, as Python writes them."""

    defaults: dict[str, dict[str, str]]
    problems: dict[str, str]  # name to why it cannot be read


class Ready(Struct, frozen=True, tag=True):
    """The column is imported and set up."""

    import_s: float
    cpu_s: float  # processor time since the process started
    rss_mb: float  # memory in use
    about: dict[str, str]  # versions, threads, linear algebra library


class Failure(Struct, frozen=True, tag=True):
    """What was asked for did not work; the worker goes on."""

    status: Status  # unsupported, missing or failed
    reason: str
    details: str | None = None


Request = Record | Explain | Prepare | Prove | WarmUp | Block | Weigh | Sample | Attempt | Inspect
Reply = (
    Ready
    | Recorded
    | Explained
    | Prepared
    | Proved
    | Warm
    | Measured
    | Weighed
    | Sampled
    | Attempted
    | Inspected
    | Failure
)

encode = msgspec.json.encode
decode_request = msgspec.json.Decoder(Request).decode
decode_reply = msgspec.json.Decoder(Reply).decode
