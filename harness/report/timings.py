"""timings.pyperf.json: the raw step times in pyperf's format, for `python -m pyperf stats` and `hist`."""

import io
from pathlib import Path

from pyperf import Benchmark, BenchmarkSuite, Run

from harness import trace
from harness.report import figures
from harness.result import Cell, Result, Timing


def write(result: Result, folder: Path) -> Path | None:
    """Write timings.pyperf.json into the folder, or nothing where nothing was timed.

    Raises `OSError` when it cannot be written.
    """
    timed = [
        (cell, cell.timing, name)
        for cell in result.cells
        if cell.timing
        for name, lane in cell.timing.lanes.items()
        if figures.step_times(lane)
    ]
    if not timed:
        return None
    content = io.StringIO()
    BenchmarkSuite([_benchmark(*one, result) for one in timed]).dump(content)
    path = folder / "timings.pyperf.json"
    trace.write(path, content.getvalue().encode())
    return path


def _benchmark(cell: Cell, timing: Timing, name: str, result: Result) -> Benchmark:
    """Values are seconds per step, one per block; a block's steps are pyperf's loops.

    The first two steps of the program, each timed alone, are the warm-ups.
    """
    lane = timing.lanes[name]
    metadata = {
        "name": f"{cell.task} {cell.backend} {name} {cell.dtype} {cell.device} threads={cell.threads}",
        "unit": "second",
        "loops": lane.steps_per_block,
        "device": cell.device,
        "threads": cell.threads,
        "started": result.started,
        "python_version": result.environment.python,
        "platform": result.environment.platform,
        "cpu_model_name": result.environment.processor,
        "cpu_count": result.environment.cores,
    }
    warmups = [(1, timing.first_step_s), (1, timing.second_step_s)]
    known = {name: value for name, value in metadata.items() if value != ""}  # pyperf refuses empty ones
    run = Run(figures.step_times(lane), warmups=warmups, metadata=known, collect_metadata=False)
    return Benchmark([run])
