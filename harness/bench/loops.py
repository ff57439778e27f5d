"""Every column beside the fastest loop that one would write in its framework by hand.

Those loops are columns, too, in benchmarks/bare/: so they are held against the reference like any other,
and take turns with the columns in the same rounds.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from backends import COLUMNS
from backends.base import Placement
from harness import environment, plan, timing
from harness.bench.measures import Measure
from harness.result import TIMED, Cell, Lane
from harness.run import Options, Run, Watcher
from tasks import sweep
from tasks.spec import Array

HIDDEN = ((4, 4), (10,), (100, 100))
BATCH, ROWS = 200, 1000
FOLDER = environment.HERE / "benchmarks" / "bare"
BARE = {  # of each column, whose lanes its own are measured by
    "numpy": ("numpy_bare",),
    "sklearn": ("sklearn_bare",),
    "tensorflow": ("tensorflow_bare",),
    "keras": ("keras_bare", "keras_fit"),
    "torch": ("torch_bare",),
}
NEAR, HALF, TENTH = 1.05, 0.5, 0.1  # the targets


@dataclass(frozen=True)
class Loop:
    """One column in one lane on one task."""

    cell: Cell
    name: str  # of the lane

    @property
    def lane(self) -> Lane:
        """Its times."""
        assert self.cell.timing is not None
        return self.cell.timing.lanes[self.name]

    @property
    def step_s(self) -> Array:
        """Seconds per step of each round, (rounds,)."""
        return np.array(self.lane.blocks_s) / self.lane.steps_per_block

    @property
    def words(self) -> str:
        """As the table has it."""
        return f"{self.cell.backend} {self.name}"

    def over(self, other: "Loop") -> list[float]:
        """Its time ÷ another's, per quiet round."""
        assert self.cell.timing is not None
        logs = timing.log_ratios(self.step_s, other.step_s, self.cell.timing.disturbed)
        return [float(ratio) for ratio in np.exp(logs)]


def measure(rounds: int, folder: Path, watcher: Watcher) -> tuple[list[Measure], list[str]]:
    """The measures, and what could not be measured."""
    cells = race(rounds, folder, watcher)
    problems = [f"{c.backend} on {c.task}: {c.status}: {c.reason}" for c in cells if c.status not in TIMED]
    found: list[Measure] = []
    for hidden in HIDDEN:
        task = sweep.network(hidden, BATCH, ROWS).name
        loops = {
            (cell.backend, lane): Loop(cell, lane)
            for cell in cells
            if cell.task == task and cell.timing
            for lane in cell.timing.lanes
        }
        found += _of_task(f"{'+'.join(map(str, hidden))} units", loops)
    order = list(dict.fromkeys(measure.group for measure in found))
    return sorted(found, key=lambda measure: order.index(measure.group)), problems


def race(rounds: int, folder: Path, watcher: Watcher) -> list[Cell]:
    """All columns and all bare loops, compared and, if there are rounds, timed."""
    bare = [str(FOLDER / f"{name}.py") for names in BARE.values() for name in names]
    table = {task.name: task for task in (sweep.network(hidden, BATCH, ROWS) for hidden in HIDDEN)}
    spots = plan.spots(table, plan.columns([*COLUMNS, *bare]), Placement())
    return Run(spots, Options(folder, ["bench"], rounds), watcher).execute().cells


def _of_task(size: str, loops: dict[tuple[str, str], Loop]) -> list[Measure]:
    found = []
    runs = {name: loops[name, "run"] for name in BARE if (name, "run") in loops}
    for name, run in runs.items():
        bare = [loop for (backend, _), loop in loops.items() if backend in BARE[name]]
        if bare:
            best = min(bare, key=lambda loop: float(np.mean(np.log(loop.step_s))))
            beside = f"{best.words}, {np.median(best.step_s) * 1e6:.0f} µs"
            found.append(
                Measure("run ÷ best bare loop", f"{name}, {size}", "×", run.over(best), NEAR, beside=beside)
            )
    add = _adder(found, size, loops)
    add("NumPy's run ÷ MLPClassifier.fit", ("numpy", "run"), ("sklearn_bare", "fit"), HALF)
    add("Keras's run ÷ Model.fit", ("keras", "run"), ("keras_fit", "fit"), TENTH)
    add("Keras's run ÷ Model.train_on_batch", ("keras", "run"), ("keras_fit", "run"), TENTH)
    for name in runs:
        add("run ÷ step", (name, "run"), (name, "step"))
    for name in runs:
        add("fit ÷ run", (name, "fit"), (name, "run"))
    for name, run in runs.items():
        values = [float(us) for us in run.step_s * 1e6]
        found.append(Measure("a step of run", f"{name}, {size}", "µs", values))
    return found


def _adder(found: list[Measure], size: str, loops: dict[tuple[str, str], Loop]) -> Callable[..., None]:
    """What appends the ratio of two loops, where both were timed."""

    def add(group: str, one: tuple[str, str], other: tuple[str, str], target: float | None = None) -> None:
        if one in loops and other in loops:
            values = loops[one].over(loops[other])
            found.append(Measure(group, f"{one[0]}, {size}", "×", values, target))

    return add
