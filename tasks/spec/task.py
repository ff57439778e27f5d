"""The task itself, put together from its parts."""

import re
import reprlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from tasks.spec.checks import Array, Shapes, TaskError, check, frozen
from tasks.spec.data import Dataset
from tasks.spec.models import Function, Model, Network, Perceptron
from tasks.spec.optimizers import GradientDescent, Optimizer
from tasks.spec.schedules import Constant, Plateau, Schedule
from tasks.spec.training import NO_ROWS, Batches, Rows, Stopping


@dataclass(frozen=True, eq=False, kw_only=True)
class Task:
    """Everything that decides one training run, whatever framework computes it and in what dtype.

    `start` maps the names of `model.shapes` to the initial parameters.  A `Function` has neither data nor
    batches: each of its epochs is one step.
    """

    name: str
    shows: str  # one sentence: what a reader learns from this task
    model: Model
    start: Mapping[str, Array]
    optimizer: Optimizer
    stopping: Stopping
    schedule: Schedule = Constant()  # noqa: RUF009  frozen
    data: Dataset | None = None
    batches: Batches | None = None
    tags: tuple[str, ...] = field(default=())

    def __post_init__(self) -> None:
        valid = isinstance(self.name, str) and re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", self.name)
        check(
            bool(valid),
            f"Task.name is {self.name!r}, expected lower-case words joined by '-', such as 'my-task'",
        )
        try:
            self._check_kinds()
            if isinstance(self.model, Function):
                self._check_no_data()
            else:
                self._check_data(self.model)
            self._freeze_start()
        except TaskError as error:
            raise TaskError(f"task {self.name!r}: {error}") from None

    def _check_kinds(self) -> None:
        kinds: dict[str, Any] = {
            "shows": str,
            "model": Model,
            "optimizer": Optimizer,
            "stopping": Stopping,
            "schedule": Schedule,
            "data": Dataset | None,
            "batches": Batches | None,
            "start": Mapping,
            "tags": tuple,
        }
        for name, kind in kinds.items():
            value = getattr(self, name)
            if not isinstance(value, kind):  # only then: the words of an array take longer than all checks
                expected = getattr(kind, "__name__", re.sub(r"tasks\.spec\.\w+\.", "", str(kind)))
                raise TaskError(f"Task.{name} is {reprlib.repr(value)}, expected {expected}")

    def _check_no_data(self) -> None:
        kind = type(self.model).__name__
        check(self.data is None and self.batches is None, f"a {kind} has no data and no batches")
        check(
            not isinstance(self.schedule, Plateau),
            f"Task.schedule is {self.schedule!r}, which only a Network can follow, not a {kind}",
        )
        self._check_not_validated()

    def _check_not_validated(self) -> None:
        kind = type(self.model).__name__
        check(
            not self.stopping.on_validation,
            f"Stopping.on_validation is True, which only a Network can have, not a {kind}",
        )

    def _check_data(self, model: Perceptron | Network) -> None:
        kind = type(model).__name__
        check(self.data is not None, f"Task.data is missing, a {kind} needs a Dataset")
        check(self.batches is not None, f"Task.batches is missing, a {kind} needs Batches")
        assert self.data is not None and self.batches is not None
        check(
            self.batches.size <= self.data.rows,
            f"Batches.size is {self.batches.size}, expected at most the {self.data.rows} training rows",
        )
        check(
            not self.stopping.on_validation or self.data.x_validation is not None,
            "Dataset.x_validation is missing, Stopping.on_validation needs it",
        )
        if isinstance(model, Perceptron):
            self._check_perceptron(self.data, self.batches)
        else:
            self._check_network(model, self.data)

    def _check_perceptron(self, data: Dataset, batches: Batches) -> None:
        data.check_classes(2)
        check(batches.size == 1, f"Batches.size is {batches.size}, a Perceptron learns from 1 row a step")
        check(
            isinstance(self.optimizer, GradientDescent),
            f"Task.optimizer is {self.optimizer!r}, a Perceptron learns only by GradientDescent",
        )
        check(
            isinstance(self.schedule, Constant),
            f"Task.schedule is {self.schedule!r}, a Perceptron learns only at a Constant rate",
        )
        check(data.weights is None, "Dataset.weights are given, a Perceptron counts all rows alike")
        check(data.kept is None, "Dataset.kept is given, a Perceptron has no hidden units to drop")
        self._check_not_validated()

    @staticmethod
    def _check_network(model: Network, data: Dataset) -> None:
        if model.loss.classes is not None:
            data.check_classes(model.loss.classes)
        units = sum(model.hidden) if model.dropout else None
        found = None if data.kept is None else data.kept.shape[1]
        check(
            found == units,
            f"Dataset.kept is of {found or 'no'} units, expected {units or 'none'} with "
            f"Network.dropout {model.dropout:g} and hidden {model.hidden}",
        )

    def _freeze_start(self) -> None:
        desired = self.shapes
        names = ", ".join(map(str, self.start)) or "nothing"
        check(
            list(self.start) == list(desired),
            f"Task.start has {names}, expected {', '.join(desired)} in order",
        )
        start = {}
        for name, shape in desired.items():
            array = frozen(f"Task.start[{name!r}]", self.start[name])
            check(array.shape == shape, f"Task.start[{name!r}] has shape {array.shape}, expected {shape}")
            start[name] = array
        object.__setattr__(self, "start", start)

    @property
    def shapes(self) -> Shapes:
        """Name and shape of every parameter, in the order in which columns list them."""
        if isinstance(self.model, Function):
            return self.model.shapes(self.model.dimensions)
        assert self.data is not None
        return self.model.shapes(self.data.features)

    @property
    def rows(self) -> int:
        """N of the whole training set; 0 where there is no data."""
        return 0 if self.data is None else self.data.rows

    @property
    def counts_steps(self) -> bool:
        """Whether a step depends on how many came before: columns then show "state/step"."""
        return self.optimizer.counts_steps or not isinstance(self.schedule, Constant | Plateau)

    def epochs(self) -> Iterator[list[Rows]]:
        """The batches of each epoch as row numbers, epoch after epoch, without end."""
        if self.data is None or self.batches is None:
            while True:
                yield [NO_ROWS]
        size = self.batches.size
        for order in self.batches.order.epochs(self.data.rows):
            yield [order[start : start + size] for start in range(0, len(order), size)]
