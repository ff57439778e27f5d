"""Compare what frameworks draw by themselves with what the reference draws, over many seeds."""

import time
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Literal

import numpy as np
from msgspec import Struct

from backends import Column
from harness import equivalence
from harness.chance import STATISTICS
from harness.protocol import Sample, Sampled
from harness.result import BROKEN, Status
from harness.session import Broken, Limits, Session, opened, stop_all, together
from tasks.spec import Array

START_S, SEED_S = 60.0, 2.0  # how long a worker may take, and how much longer per seed

EVERYTHING = "everything"  # what a backend without any sample lacks

SCHEMA: Literal["samestep.random/2"] = "samestep.random/2"


class Row(Struct, frozen=True):
    """One statistic of one backend beside the reference's; no numbers where it could not be taken."""

    what: str
    backend: str
    word: equivalence.Word | Status
    reason: str | None = None
    details: str | None = None  # traceback or last lines of the log
    mean: float | None = None
    reference_mean: float | None = None
    difference: float | None = None
    low: float | None = None
    high: float | None = None
    margin: float | None = None
    layer: int | None = None  # from 1, where the statistic has a number per layer


class Comparison(Struct, frozen=True):
    """Every statistic of every backend."""

    schema: Literal["samestep.random/2"]
    reference: str
    seeds: int  # of each sample
    seconds: float
    about: dict[str, str]  # statistic to what it is, and why its margin is what it is
    rows: list[Row]

    def exit_code(self) -> int:
        """0 all equivalent or unsupported, 1 something different, 3 something broke, 4 something not told."""
        words = {row.word for row in self.rows}
        if words.intersection(BROKEN):
            return 3
        if "different" in words:
            return 1
        return 4 if "cannot tell" in words else 0


def compare(columns: Sequence[Column], seeds: int) -> Comparison:
    """Ask each column's worker, all side by side; the first column is the reference.

    The reference draws from the first so many seeds, everyone from the next: so the reference is
    compared with itself, too, which shows what chance alone looks like.
    """
    began = time.perf_counter()
    limits = Limits(request_s=START_S + SEED_S * seeds)
    with opened(columns, limits) as (_, sessions):
        desired, *answers = _answers([sessions[0], *sessions], seeds)
    rows = [
        row
        for column, answer in zip(columns, answers, strict=True)
        for row in _rows(column.name, answer, desired)
    ]
    order = [EVERYTHING, *STATISTICS]
    return Comparison(
        schema=SCHEMA,
        reference=columns[0].name,
        seeds=seeds,
        seconds=time.perf_counter() - began,
        about={name: statistic.about for name, statistic in STATISTICS.items()},
        rows=sorted(rows, key=lambda row: order.index(row.what)),
    )


def _answers(sessions: Sequence[Session], seeds: int) -> list[Sampled | Broken]:
    """What each worker has found; the first with the first seeds, all others with the next."""
    chosen = [range(seeds), *[range(seeds, 2 * seeds)] * (len(sessions) - 1)]
    pairs = list(zip(sessions, chosen, strict=True))
    return together(_ask, pairs, partial(stop_all, sessions), at_once=len(sessions))


def _ask(pair: tuple[Session, Sequence[int]]) -> Sampled | Broken:
    session, seeds = pair
    try:
        return session.ask(Sample(list(seeds)), Sampled)
    except Broken as broken:
        return broken


def _rows(backend: str, found: Sampled | Broken, desired: Sampled | Broken) -> Iterator[Row]:
    """One row per statistic; one for all where there is no sample to compare."""
    if isinstance(found, Broken):
        yield Row(EVERYTHING, backend, found.status, found.reason, found.details)
        return
    if isinstance(desired, Broken):
        yield Row(EVERYTHING, backend, "failed", f"nothing to compare with: the reference {desired.status}")
        return
    for what, reason in found.unsupported.items():
        yield Row(what, backend, "unsupported", reason)
    for what, values in found.values.items():
        yield from _per_layer(what, backend, _numbers(values), _numbers(desired.values[what]))


def _numbers(values: Sequence[Sequence[float | None]]) -> Array:
    """(seeds, layers); JSON has no NaN: a value that is not finite arrives as None."""
    return np.array(values, dtype=float)


def _per_layer(what: str, backend: str, actual: Array, desired: Array) -> Iterator[Row]:
    """One row per layer, of samples (seeds, layers); its number is left out where it is the only one."""
    layers = actual.shape[1]
    for layer in range(layers):
        yield _row(what, backend, layer + 1 if layers > 1 else None, actual[:, layer], desired[:, layer])


def _row(what: str, backend: str, layer: int | None, actual: Array, desired: Array) -> Row:
    margin = STATISTICS[what].margin
    found = equivalence.compare(actual, desired, margin)
    return Row(
        what,
        backend,
        found.word,
        layer=layer,
        mean=float(actual.mean()),
        reference_mean=float(desired.mean()),
        difference=found.difference,
        low=found.low,
        high=found.high,
        margin=margin,
    )
