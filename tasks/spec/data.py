"""The rows that a task trains on, watches and tests with."""

from dataclasses import dataclass

import numpy as np

from tasks.spec.checks import Array, check, freeze


@dataclass(frozen=True, eq=False)
class Dataset:
    """Rows with a target each: a class number (0, 1, …), or for a regression any number.

    x_train (N, D), y_train (N,), and both or none of x_test (N', D), y_test (N',), never trained on; both
    or none of x_validation, y_validation, which only `Stopping` watches.

    `weights` (N,) says how much each training row counts in the loss.  `kept` (N, units) belongs to
    dropout: 1 for each hidden unit of all layers, in order, that the row keeps, and 0 for the others.
    """

    x_train: Array
    y_train: Array
    x_test: Array | None = None
    y_test: Array | None = None
    x_validation: Array | None = None
    y_validation: Array | None = None
    weights: Array | None = None
    kept: Array | None = None

    def __post_init__(self) -> None:
        for part in ("train", "test", "validation"):
            self._check_part(part)
        if self.weights is not None:
            freeze(self, "weights", 1)
            self._check_rows("weights")
            lowest = self.weights.min()
            check(lowest > 0, f"Dataset.weights holds {lowest:g}, expected only numbers above 0")
        if self.kept is not None:
            freeze(self, "kept", 2)
            self._check_rows("kept")
            found = np.unique(self.kept)
            check(set(found) <= {0.0, 1.0}, f"Dataset.kept holds {found[:5]}, expected only 0 and 1")

    def _check_rows(self, name: str) -> None:
        found = len(getattr(self, name))
        check(found == self.rows, f"Dataset.{name} is of {found} rows, expected the {self.rows} of x_train")

    def _check_part(self, part: str) -> None:
        x_name, y_name = f"x_{part}", f"y_{part}"
        has_x, has_y = getattr(self, x_name) is not None, getattr(self, y_name) is not None
        check(has_x == has_y, f"Dataset has only one of {x_name} and {y_name}")
        if not has_x:
            return
        freeze(self, x_name, 2)
        freeze(self, y_name, 1)
        x, y = getattr(self, x_name), getattr(self, y_name)
        check(x.size > 0, f"Dataset.{x_name} has shape {x.shape}, expected at least 1 row and 1 feature")
        check(len(x) == len(y), f"Dataset.{y_name} has {len(y)} values, expected one per row: {len(x)}")
        check(
            x.shape[1] == self.features,
            f"Dataset.{x_name} has {x.shape[1]} features, expected {self.features} as in x_train",
        )

    def check_classes(self, classes: int) -> None:
        """Check that every target is one of the class numbers 0 … classes-1.  Raises `TaskError`."""
        expected = "only 0 and 1" if classes == 2 else f"only class numbers from 0 to {classes - 1}"
        for part in ("train", "test", "validation"):
            y = getattr(self, f"y_{part}")
            if y is not None:
                found = np.unique(y)
                check(
                    set(found) <= set(map(float, range(classes))),
                    f"Dataset.y_{part} holds {found[:5]}, expected {expected}",
                )

    @property
    def rows(self) -> int:
        """N, the number of training rows."""
        return len(self.x_train)

    @property
    def features(self) -> int:
        """D, the number of features."""
        return self.x_train.shape[1]
