"""Every column beside the fastest loop that one would write in its framework by hand.

Those loops are columns, too, in benchmarks/bare/: so they are held against the reference like any other,
and take turns with the columns in the same rounds.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from backends import COLUMNS
from backends.base import Placement
from harness import environment, plan, timing
from harness.bench.measures import Measure
from harness.report import figures
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
COMPILED = {  # which takes half a second, before the first step
    "tensorflow_bare fit": "tensorflow_bare, XLA",
    "keras_bare fit": "keras_bare, XLA",
}
NEAR, HALF, TENTH = 1.05, 0.5, 0.1  # the targets
PAIRS: tuple[tuple[str, str, str, float | None], ...] = (  # a group, whose time ÷ whose, and the target
    ("NumPy's run ÷ MLPClassifier.fit", "numpy run", "sklearn_bare fit", HALF),
    ("Keras's run ÷ Model.fit", "keras run", "keras_fit fit", TENTH),
    ("Keras's run ÷ Model.train_on_batch", "keras run", "keras_fit run", TENTH),
    *(("run ÷ step", f"{name} run", f"{name} step", None) for name in BARE),
    *(("fit ÷ run", f"{name} fit", f"{name} run", None) for name in BARE),
)


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
        """Column and lane, as "torch run"."""
        return f"{self.cell.backend} {self.name}"

    def over(self, other: "Loop") -> list[float]:
        """Its time ÷ another's, per quiet round."""
        disturbed = [
            mine or theirs for mine, theirs in zip(self.lane.disturbed, other.lane.disturbed, strict=True)
        ]
        logs = timing.log_ratios(self.step_s, other.step_s, disturbed)
        return [float(ratio) for ratio in np.exp(logs)]


def measure(rounds: int, folder: Path, watcher: Watcher) -> tuple[list[Measure], list[str]]:
    """The measures, and what could not be measured."""
    cells = race(rounds, folder, watcher)
    problems = [f"{c.backend} on {c.task}: {c.status}: {c.reason}" for c in cells if c.status not in TIMED]
    problems += [
        f"{c.backend} {lane} on {c.task}: {why}"
        for c in cells
        for lane, why in (c.timing.no_lane.items() if c.timing else ())
        if why.startswith("not timed")  # what differs; that there is no trainer is no problem
    ]
    found: list[Measure] = []
    for hidden in HIDDEN:
        task = sweep.network(hidden, BATCH, ROWS).name
        timed = [cell for cell in cells if cell.task == task and cell.timing]
        loops = [Loop(cell, lane) for cell in timed if cell.timing for lane in cell.timing.lanes]
        found += _of_task("+".join(map(str, hidden)), {loop.words: loop for loop in loops})
    order = list(dict.fromkeys(measure.group for measure in found))
    return sorted(found, key=lambda measure: order.index(measure.group)), problems


def race(rounds: int, folder: Path, watcher: Watcher) -> list[Cell]:
    """All columns and all bare loops, compared and, if there are rounds, timed."""
    bare = [str(FOLDER / f"{name}.py") for names in BARE.values() for name in names]
    table = {task.name: task for task in (sweep.network(hidden, BATCH, ROWS) for hidden in HIDDEN)}
    spots = plan.spots(table, plan.columns([*COLUMNS, *bare]), Placement())
    return Run(spots, Options(folder, ["bench"], rounds), watcher).execute().cells


def _of_task(size: str, loops: dict[str, Loop]) -> list[Measure]:
    found = []
    for name, its_own in BARE.items():
        run = loops.get(f"{name} run")
        bare = [loop for loop in loops.values() if loop.cell.backend in its_own]
        usual = [loop for loop in bare if loop.words not in COMPILED]
        if run and usual:
            what = f"{name}, {size}"
            found.append(_beside_best("run ÷ best bare loop", what, run, bare))
            if len(usual) < len(bare):
                found.append(_beside_best("run ÷ best bare loop without XLA", what, run, usual))
    for group, one, other, target in PAIRS:
        if one in loops and other in loops:
            values = loops[one].over(loops[other])
            found.append(Measure(group, f"{one.split()[0]}, {size}", "×", values, target))
    runs = {name: loops[f"{name} run"].step_s * 1e6 for name in BARE if f"{name} run" in loops}
    found += [Measure("a step of run", f"{name}, {size}", "µs", us.tolist()) for name, us in runs.items()]
    return found


def _beside_best(group: str, what: str, run: Loop, bare: list[Loop]) -> Measure:
    """The time of a column ÷ that of the fastest of these loops."""
    best = min(bare, key=lambda loop: float(np.mean(np.log(loop.step_s))))
    words = COMPILED.get(best.words, best.words)
    beside = f"{words}, {figures.digits(np.median(best.step_s) * 1e6)} µs"
    return Measure(group, what, "×", run.over(best), NEAR, beside=beside)
