"""Faults in which rows a step sees: the order of the batches, and what is in each."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from typing import final

import numpy as np

from backends.base import Arrays, Program
from harness.faults.base import Around, Fault, has_data, is_network
from tasks.spec import NO_ROWS, Array, Rows, Task


@final
class _OtherRows(Around):
    """A program that takes other rows than it is given; it returns the loss of those that it was given."""

    def __init__(self, inner: Program, task: Task, take: Callable[[Task, Rows], Rows]) -> None:
        self.inner, self.task, self.take = inner, task, take

    def run(self, batches: Sequence[Rows]) -> Array:
        losses = []
        for rows in batches:
            taken = self.take(self.task, rows)
            losses.append(self.inner.run([taken])[0] if len(taken) else self.inner.gradient(rows)[0])
        return np.array(losses)

    def gradient(self, rows: Rows) -> tuple[float, Arrays]:
        return self.inner.gradient(rows)

    def observe(self) -> Arrays:
        return self.inner.observe()

    def restore(self, observed: Arrays) -> None:
        self.inner.restore(observed)


@final
class _OwnOrder(Around):
    """A program that goes through the batches in an order of its own, until it is told where to go on."""

    def __init__(self, inner: Program, order: Iterator[Rows]) -> None:
        self.inner, self.order = inner, order

    def run(self, batches: Sequence[Rows]) -> Array:
        return self.inner.run([next(self.order, rows) for rows in batches])

    def gradient(self, rows: Rows) -> tuple[float, Arrays]:
        return self.inner.gradient(rows)

    def observe(self) -> Arrays:
        return self.inner.observe()

    def restore(self, observed: Arrays) -> None:
        self.order = iter(())
        self.inner.restore(observed)


def _batches(task: Task) -> Iterator[Rows]:
    return chain.from_iterable(task.epochs())


def _same_rows(a: Rows, b: Rows) -> bool:
    return np.array_equal(np.sort(a), np.sort(b))


@dataclass(frozen=True)
class _Differs:
    """From which step on an order of batches is not the task's."""

    order: Callable[[Task], Iterator[Rows]]

    def first(self, task: Task) -> int | None:
        """The number of the first batch with other rows, within the first passes over the data."""
        assert task.data is not None and task.batches is not None
        most = 3 * -(-task.data.rows // task.batches.size)
        pairs = zip(_batches(task), self.order(task), strict=False)
        return next((i for i, (a, b) in enumerate(islice(pairs, most)) if not _same_rows(a, b)), None)

    def onset(self, task: Task, _desired: Arrays) -> int:
        """For `Fault.onset`."""
        return self.first(task) or 0

    def equivalent(self, task: Task, _desired: Arrays) -> str | None:
        """For `Fault.equivalent`."""
        if self.first(task) is not None:
            return None
        return "every batch has the same rows, and a mean over rows does not depend on their order"


def _order(id_: str, words: str, order: Callable[[Task], Iterator[Rows]]) -> Fault:
    differs = _Differs(order)
    return Fault(
        id_,
        words,
        lambda make, task: _OwnOrder(make(task), order(task)),
        ("loss", "param", "state"),
        applies=has_data,
        onset=differs.onset,
        equivalent=differs.equivalent,
    )


def _taking(
    id_: str,
    words: str,
    take: Callable[[Task, Rows], Rows],
    applies: Callable[[Task], bool],
) -> Fault:
    differs = _Differs(lambda task: (take(task, rows) for rows in _batches(task)))
    return Fault(
        id_,
        words,
        lambda make, task: _OtherRows(make(task), task, take),
        ("loss", "param", "state"),
        applies=applies,
        onset=differs.onset,
        equivalent=differs.equivalent,
    )


def _in_order(task: Task) -> Iterator[Rows]:
    """No shuffling."""
    assert task.data is not None and task.batches is not None
    rows, size = np.arange(task.data.rows), task.batches.size
    while True:
        yield from (rows[start : start + size] for start in range(0, len(rows), size))


def _shuffled_once(task: Task) -> Iterator[Rows]:
    first = next(task.epochs())
    while True:
        yield from first


def _other_seed(task: Task) -> Iterator[Rows]:
    assert task.data is not None and task.batches is not None
    rng, size = np.random.default_rng(987654321), task.batches.size
    while True:
        rows = rng.permutation(task.data.rows)
        yield from (rows[start : start + size] for start in range(0, len(rows), size))


def _backwards(task: Task) -> Iterator[Rows]:
    for epoch in task.epochs():
        yield from reversed(epoch)


def _one_batch_late(task: Task) -> Iterator[Rows]:
    return islice(_batches(task), 1, None)


def _is_ragged(task: Task, rows: Rows) -> bool:
    assert task.batches is not None
    return len(rows) < task.batches.size


def _dropped_if_ragged(task: Task, rows: Rows) -> Rows:
    return NO_ROWS if _is_ragged(task, rows) else rows


def _filled_up(task: Task, rows: Rows) -> Rows:
    assert task.batches is not None
    return np.resize(rows, task.batches.size) if _is_ragged(task, rows) else rows


def _has_short_batch(task: Task) -> bool:
    return is_network(task) and any(_is_ragged(task, rows) for rows in next(task.epochs()))


def _has_long_batches(task: Task) -> bool:
    return is_network(task) and task.batches is not None and task.batches.size > 1


FAULTS = (
    _order("order-not-shuffled", "the rows are not shuffled", _in_order),
    _order("order-shuffled-once", "the rows are shuffled once, not for every epoch", _shuffled_once),
    _order("order-other-seed", "the rows are shuffled by another random stream", _other_seed),
    _order("order-backwards", "the batches of an epoch come in reverse order", _backwards),
    _order("order-one-late", "the first batch is left out", _one_batch_late),
    _taking("last-batch-dropped", "the short last batch is dropped", _dropped_if_ragged, _has_short_batch),
    _taking(
        "last-batch-filled",
        "the short last batch is filled up with its own rows",
        _filled_up,
        _has_short_batch,
    ),
    _taking(
        "batch-halved",
        "only the first half of a batch is used",
        lambda _t, rows: rows[: -(-len(rows) // 2)],
        _has_long_batches,
    ),
    _taking(
        "batch-row-missing",
        "the last row of each batch is missing",
        lambda _t, rows: rows[:-1],
        _has_long_batches,
    ),
    _taking(
        "batch-row-twice",
        "the first row of each batch is used twice",
        lambda _t, rows: np.append(rows, rows[0]),
        _has_long_batches,
    ),
    _taking(
        "batch-reversed",
        "the rows of a batch come in reverse order",
        lambda _t, rows: rows[::-1].copy(),
        has_data,
    ),
)
