"""How often `compare` finds a column that became 5 % slower, and is wrong about one that did not.

    python benchmarks/detect.py --column torch --tries 10 --log reports/detect.jsonl

A try is three runs of one task, each in processes of its own: twice a copy of the column as it is, once
the same copy with a busy wait after every call of `run`, in random order.  The first copy as it is is
compared with the other two.  Every try is added to the log, and the shares are those of the whole log,
so that forty tries may be run in pieces.
"""

import datetime as dt
import json
import random
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import click
from scipy.stats import binomtest

import tasks
from backends.base import Placement
from harness import changes, plan
from harness.result import Cell, Result
from harness.run import Options, Run

COPY = '''"""{column}, and after every call a busy wait."""

import time

from backends import {column}
from backends.{column} import Function, Perceptron, setup


class Network({column}.Network):
    def run(self, batches):
        began = time.perf_counter()
        losses = super().run(batches)
        end = time.perf_counter() + {slower} * (time.perf_counter() - began)
        while time.perf_counter() < end:
            pass
        return losses
'''


class _Silent:
    """A run's watcher who tells nobody."""

    def start(self, phase: str, total: int, workers: Mapping[str, int] | None = None) -> None: ...
    def working(self, what: str, worker: str = "") -> None: ...
    def finished(self, cell: Cell, worker: str = "") -> None: ...
    def timed(self, task: str) -> None: ...


def timed(column: str, task: str, slower: float) -> Result:
    """One run of a copy of the column that takes (1 + slower) times as long."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "copy.py"
        copy.write_text(COPY.format(column=column, slower=slower))
        spots = plan.spots({task: tasks.TASKS[task]}, plan.columns([str(copy)]), Placement())
        options = Options(Path(folder) / "run", command=["benchmarks/detect.py"], lanes=("run",))
        return Run(spots, options, _Silent()).execute()


def change_of_copy(before: Result, after: Result) -> changes.Time:
    """What is said of the one lane beside the reference's."""
    (change,) = (time for time in changes.times(before, after) if time.backend == "copy")
    return change


def attempt(column: str, task: str, slower: float, seed: int) -> dict[str, object]:
    """What is said of the copy that is as it was, and of the slower one."""
    order = ["before", "same", "slower"]
    random.Random(seed).shuffle(order)  # noqa: S311  an order, not a secret
    runs = {name: timed(column, task, slower if name == "slower" else 0.0) for name in order}
    said = {name: change_of_copy(runs["before"], runs[name]) for name in ("same", "slower")}
    return {
        "column": column,
        "task": task,
        "slowed by": slower,
        "at": dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
        "order": order,
        **{name: {"word": change.word, "factor": change.factor} for name, change in said.items()},
    }


def share(found: Sequence[bool]) -> str:
    """So many of so many, with the 95 % interval of Clopper and Pearson."""
    low, high = binomtest(sum(found), len(found)).proportion_ci(method="exact")
    return f"{sum(found)} of {len(found)}, {sum(found) / len(found):.1%} ({low:.1%} to {high:.1%})"


@click.command()
@click.option(
    "--column", type=click.Choice(["numpy", "sklearn", "torch"]), default="sklearn", show_default=True
)
@click.option("--task", default="xor", show_default=True, help="A network's.")
@click.option("--tries", default=40, show_default=True)
@click.option("--slower", default=0.05, show_default=True)
@click.option(
    "--log", type=click.Path(path_type=Path), default=Path("reports/detect.jsonl"), show_default=True
)
def main(column: str, task: str, tries: int, slower: float, log: Path) -> None:
    """Try, add to the log, and print what it holds of this column and task."""
    log.parent.mkdir(parents=True, exist_ok=True)
    for seed in range(tries):
        with log.open("a") as file:
            file.write(json.dumps(attempt(column, task, slower, seed)) + "\n")
    every = map(json.loads, log.read_text().splitlines())
    found = [one for one in every if (one["column"], one["task"], one["slowed by"]) == (column, task, slower)]
    print(f"{column} on {task}")
    for what, name, words in (
        (f"{slower:.0%} slower and found", "slower", ["slower"]),
        ("the same and said to differ", "same", ["slower", "faster"]),
        ("the same and too noisy to tell", "same", ["noisy"]),
    ):
        print(f"{what}: {share([one[name]['word'] in words for one in found])}")


if __name__ == "__main__":
    main()
