"""Conduct a benchmark: one part after the other, so that nothing else runs beside what is timed."""

import datetime as dt
import tempfile
import time
from pathlib import Path

from backends import COLUMNS
from harness import environment, timing
from harness.bench import comparing, loops, peak, whole
from harness.bench.measures import SCHEMA, Bench
from harness.run import Watcher

ROUNDS, QUICK_ROUNDS = 20, timing.QUICK_ROUNDS


def conduct(watcher: Watcher, *, quick: bool) -> Bench:
    """Measure everything; with `quick` in few rounds, and without a default run."""
    started, began = dt.datetime.now(dt.UTC), time.perf_counter()
    rounds = QUICK_ROUNDS if quick else ROUNDS
    with tempfile.TemporaryDirectory(prefix="samestep-") as name:
        home = Path(name)
        measures, problems = loops.measure(rounds, home / "loops", watcher)
        watcher.start("the matrix-product peak", 1)
        measures += peak.measure(rounds, home / "peak")
        watcher.start("comparing traces", 1)
        measures += comparing.measure(rounds)
        if not quick:
            watcher.start("a default run", 1)
            more, failed = whole.measure(home)
            measures, problems = measures + more, problems + failed
    frameworks = {framework for column in COLUMNS.values() for framework in column.frameworks()}
    versions = environment.versions(sorted(frameworks))
    return Bench(
        schema=SCHEMA,
        started=started.isoformat(timespec="seconds"),
        seconds=time.perf_counter() - began,
        quick=quick,
        environment=environment.describe(1, "cpu", versions, {}),
        measures=measures,
        problems=problems,
    )
