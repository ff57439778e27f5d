"""The messages between the harness and a worker: one JSON object a line, arrays in npz files beside it.

The parent asks, the worker answers each request with one reply, in order.  The first message is the
worker's own: `Ready`, or a `Failure` to start.
"""

import msgspec
from msgspec import Struct

from harness.result import Status


class Record(Struct, frozen=True, tag=True):
    """Train the task from start to stop and store its trace."""

    task: str
    fingerprint: str
    trace: str  # path to write
    as_in: tuple[str, str] | None = None  # backend and dtype: the task as that column declares to compute it


class Recorded(Struct, frozen=True, tag=True):
    """The trace is stored."""

    not_observed: dict[str, str]  # kind of quantity to why this framework does not show it


class Prepare(Struct, frozen=True, tag=True):
    """Build the task for timing and warm it up."""

    task: str
    fingerprint: str
    block_s: float  # the least duration of a block


class Prepared(Struct, frozen=True, tag=True):
    """Cold phases, and how many steps make a block."""

    build_s: float
    first_step_s: float
    second_step_s: float
    steps_per_block: int


class Block(Struct, frozen=True, tag=True):
    """Run one timed block of the prepared task."""


class Measured(Struct, frozen=True, tag=True):
    """One block: times in seconds, and what disturbed it."""

    wall_s: float
    cpu_s: float
    switches: int  # involuntary context switches
    stolen_s: float  # processor time taken by other virtual machines, all cores
    peak_rss_mb: float


class Ready(Struct, frozen=True, tag=True):
    """The column is imported and set up."""

    import_s: float
    about: dict[str, str]  # versions, threads, linear algebra library


class Failure(Struct, frozen=True, tag=True):
    """What was asked for did not work; the worker goes on."""

    status: Status  # unsupported, missing or failed
    reason: str
    details: str | None = None


Request = Record | Prepare | Block
Reply = Ready | Recorded | Prepared | Measured | Failure

encode = msgspec.json.encode
decode_request = msgspec.json.Decoder(Request).decode
decode_reply = msgspec.json.Decoder(Reply).decode
