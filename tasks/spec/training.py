"""In which batches the rows are visited, and when training ends."""

from collections.abc import Iterator
from dataclasses import dataclass, is_dataclass
from typing import Protocol

import numpy as np

from tasks.spec.checks import check, number, whole

Rows = np.ndarray  # (N,) row numbers of one batch
NO_ROWS: Rows = np.zeros(0, dtype=np.int64)  # the batch of a task that has no data


class Order(Protocol):
    """In which order the rows are visited; the implementations are in `tasks.draw`."""

    def epochs(self, rows: int) -> Iterator[Rows]:
        """Row numbers below `rows` in the order of each epoch, without end."""
        ...


@dataclass(frozen=True)
class Batches:
    """Cut each epoch's order of rows into batches of `size`; a short last batch is kept."""

    size: int
    order: Order

    def __post_init__(self) -> None:
        whole(self, "size", 1)
        has_fields = is_dataclass(self.order) and not isinstance(self.order, type)
        check(  # by its fields one order is told from another
            has_fields and callable(getattr(self.order, "epochs", None)),
            f"Batches.order is {self.order!r}, expected a dataclass with epochs(rows), as in tasks.draw",
        )


@dataclass(frozen=True)
class Stopping:
    """Stop after `max_epochs`; with `tolerance` set, earlier, by the rule of scikit-learn's MLP.

    That rule: an epoch whose loss is not below the best one by `tolerance` at least is without
    improvement; more than `patience` of them in a row end the training.  With `on_validation`, it is the
    loss of the validation rows after the epoch that counts, and the parameters of the epoch where it was
    lowest are what the training ends with.

    A step whose loss is not finite ends every training: it has diverged.
    """

    max_epochs: int
    tolerance: float | None = None
    patience: int = 10
    on_validation: bool = False

    def __post_init__(self) -> None:
        whole(self, "max_epochs", 1)
        whole(self, "patience", 0)
        if self.tolerance is not None:
            number(self, "tolerance", 0.0)
        check(
            not self.on_validation or self.tolerance is not None,
            "Stopping.tolerance is None, expected a number where training stops on_validation",
        )
