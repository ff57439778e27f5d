"""What a default run takes, and where its time goes, beside starting TensorFlow alone."""

import subprocess
import sys
import time
from pathlib import Path

from harness import environment, folder
from harness.bench.measures import Measure
from harness.result import Result

TIMES, EXTRA_S = 2, 15.0  # the target: so often the start of TensorFlow, and so much more
SHARE = 15.0  # % of the processor's time that recording and comparing may take
FINISHED = (0, 1, 4)  # exit codes of a run that came to its end


def measure(home: Path) -> tuple[list[Measure], list[str]]:
    """The measures, and what could not be measured."""
    starts = [start_tensorflow_s(home)]
    began = time.perf_counter()
    command = [sys.executable, "-m", "harness", "run", "--out", str(home / "run")]
    done = subprocess.run(command, cwd=environment.HERE, capture_output=True, text=True, check=False)
    whole = time.perf_counter() - began
    if done.returncode not in FINISHED:
        last = done.stderr.strip().splitlines()[-1:] or ["no output"]
        return [], [f"the default run ended with exit code {done.returncode}: {last[0]}"]
    starts.append(start_tensorflow_s(home))
    return of_run(folder.load(home / "run"), whole, starts), []


def start_tensorflow_s(home: Path) -> float:
    """From starting the interpreter to TensorFlow imported, as a worker does it."""
    began = time.perf_counter()
    subprocess.run(
        [sys.executable, "-P", "-c", "import tensorflow"],
        env=environment.worker_environment(1, home / "cache"),
        capture_output=True,
        check=True,
    )
    return time.perf_counter() - began


def of_run(run: Result, whole_s: float, starts_s: list[float]) -> list[Measure]:
    """The measures of a run that took so long, between two starts of TensorFlow."""
    start_s = sum(starts_s) / len(starts_s)
    measures = [
        Measure("a default run", "all of it", "s", [whole_s], TIMES * start_s + EXTRA_S),
        *(Measure("a default run", part, "s", [seconds]) for part, seconds in parts(run, whole_s).items()),
        Measure("a default run", "starting TensorFlow alone", "s", starts_s),
    ]
    if spent := run.spent_s:
        words = {"steps": "the steps themselves", "starting": "starting frameworks"}
        measures += [
            Measure("processor time of comparing", words.get(what, what), "s", [seconds])
            for what, seconds in spent.items()
        ]
        share = 100 * (spent["recording"] + spent["comparing"]) / sum(spent.values())
        of = "recording and comparing, of all that"
        measures.append(Measure("processor time of comparing", of, "%", [share], SHARE))
    return measures


def parts(run: Result, whole_s: float) -> dict[str, float]:
    """Wall time until the last worker was ready, of comparing after that, of timing, and of all else."""
    ready = [cell.timing.start_s + cell.timing.import_s for cell in run.cells if cell.timing]
    starting = max(ready, default=0.0)
    parity, timing = (run.phases_s.get(phase, 0.0) for phase in ("parity", "timing"))
    return {
        "until the last framework was ready": starting,
        "comparing after that": parity - starting,
        "timing": timing,
        "starting the command, and the report": whole_s - parity - timing,
    }
