"""Conduct a sweep: peaks, all tasks at each number of threads, peaks again; then lines and crossovers."""

import datetime as dt
import math
import shutil
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import combinations
from pathlib import Path

import msgspec
import numpy as np

from backends import REFERENCE, Column
from backends.base import Placement
from harness import plan, timing
from harness.plan import UsageError
from harness.result import Cell, Environment, Lane, Result
from harness.run import Options, Run, Watcher
from harness.scale import line, peak
from harness.scale.crossover import pair
from harness.scale.grid import Family
from harness.scale.outcome import SCHEMA, Axis, Fit, Gap, Interval, Pair, Peak, Point, Scale, Work
from harness.scale.work import work
from tasks.spec import Array

WORK = ".samestep-sweep"  # folder of its runs, which goes in the end
Key = tuple[str, str, int, str]  # task, backend, threads, lane


def conduct(
    families: Sequence[Family],
    columns: Sequence[Column],
    threads: Sequence[int],
    rounds: int,
    out: Path,
    command: list[str],
    watcher: Watcher,
) -> Scale:
    """Time all tasks on all columns; nothing of it stays in `out`, where the report goes.

    Raises `UsageError` when that folder is not ours to write.  `KeyboardInterrupt` passes through when all
    workers have ended.
    """
    started, began = dt.datetime.now(dt.UTC), time.perf_counter()
    place = _prepare(out)
    try:
        before = {count: peak.measure(count, place / "cache") for count in threads}
        results = {
            (family.kind, count): _run(family, columns, count, rounds, place, command, watcher)
            for count in threads
            for family in families
        }
        after = {count: peak.measure(count, place / "cache") for count in threads}
    finally:
        shutil.rmtree(place, ignore_errors=True)  # traces of large networks: more than a gigabyte
    cells = [cell for result in results.values() for cell in result.cells]
    works = {task.name: work(task) for family in families for task in family.tasks.values()}
    points = {_key(point): point for cell in cells for point in _points(cell)}
    return Scale(
        schema=SCHEMA,
        started=started.isoformat(timespec="seconds"),
        seconds=time.perf_counter() - began,
        command=command,
        reference=REFERENCE,
        environment=_environment(list(results.values())),
        rounds=rounds,
        backends=[column.name for column in columns],
        threads=list(threads),
        statuses=dict(Counter(cell.status for cell in cells)),
        peaks=[_peak(count, before[count], after[count]) for count in threads],
        axes=[axis for family in families for axis in family.axes],
        work=works,
        points=list(points.values()),
        fits=[fit for family in families for count in threads for fit in _fits(family, count, points, works)],
        pairs=[
            found
            for family in families
            for axis in family.axes
            for count in threads
            for found in _pairs(axis, count, [column.name for column in columns], points)
        ],
        gaps=[gap for cell in cells for gap in _gaps(cell)],
    )


def _prepare(out: Path) -> Path:
    """A place to work in, inside an empty folder or that of an earlier sweep."""
    try:
        foreign = [file for file in out.iterdir() if file.name != WORK] if out.is_dir() else []
        if foreign and not (out / "scale.json").is_file():
            raise UsageError(
                f"--out {out} holds files but no scale.json: not a sweep's folder, choose another"
            )
        out.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(out / WORK, ignore_errors=True)  # of a sweep that was killed
        (out / WORK).mkdir()
    except FileExistsError:
        raise UsageError(f"--out {out} is a file, expected a folder") from None
    except OSError as error:
        raise UsageError(f"--out {out} cannot be written: {error.strerror}") from error
    return out / WORK


def _run(
    family: Family,
    columns: Sequence[Column],
    threads: int,
    rounds: int,
    place: Path,
    command: list[str],
    watcher: Watcher,
) -> Result:
    """One family as a run of its own: each cell compared first, and timed only where it agrees."""
    spots = plan.spots(family.tasks, columns, Placement(threads=threads))
    out = place / f"{family.kind}-{threads}"
    return Run(spots, Options(out, command, rounds, lanes=family.lanes), watcher).execute()


def _peak(threads: int, before: tuple[float, int], after: tuple[float, int]) -> Peak:
    return Peak(threads, before[0], after[0], size=max(before, after)[1])


def _environment(results: Sequence[Result]) -> Environment:
    """The first run's; a worker that did not start in it may have started in another."""
    workers: dict[str, dict[str, str]] = {}
    for result in reversed(results):
        workers |= result.environment.workers
    return msgspec.structs.replace(results[0].environment, workers=workers)


def _points(cell: Cell) -> Iterator[Point]:
    if cell.timing is None:
        return
    for name, lane in cell.timing.lanes.items():
        yield Point(
            task=cell.task,
            backend=cell.backend,
            threads=cell.threads,
            lane=name,
            steps_per_block=lane.steps_per_block,
            calls_per_block=_calls(name, lane),
            blocks_s=lane.blocks_s,
            blocks_again_s=lane.blocks_again_s,
            disturbed=lane.disturbed,
        )


def _calls(name: str, lane: Lane) -> int:
    """How often a block calls the backend's `run`."""
    sizes = {"step": 1, "run": lane.steps_per_block}
    size = sizes[name] if name in sizes else int(name.removeprefix("run-"))
    return math.ceil(lane.steps_per_block / size)


def _gaps(cell: Cell) -> Iterator[Gap]:
    if cell.timing is None:
        yield Gap(cell.task, cell.backend, cell.threads, cell.status, None, cell.reason, cell.details)
        return
    for lane, why in cell.timing.no_lane.items():
        yield Gap(cell.task, cell.backend, cell.threads, cell.status, lane, why)


def _key(point: Point) -> Key:
    return point.task, point.backend, point.threads, point.lane


def step_times(point: Point) -> Array:
    """Seconds per step in each round (R,); in quiet rounds only, if there are at least three."""
    quiet = ~np.array(point.disturbed)
    return _each(point)[quiet] if quiet.sum() >= 3 else _each(point)


def _each(point: Point) -> Array:
    """Seconds per step in every round (R,)."""
    return np.array(point.blocks_s) / point.steps_per_block


def _fits(family: Family, threads: int, points: dict[Key, Point], works: dict[str, Work]) -> Iterator[Fit]:
    """A line per backend through all its points."""
    for backend in dict.fromkeys(point.backend for point in points.values()):
        own = [
            point
            for point in points.values()
            if (point.backend, point.threads) == (backend, threads) and point.task in family.tasks
        ]
        if not own:
            continue
        amounts = [
            line.amounts(family.kind, works[point.task], point.calls_per_block / point.steps_per_block)
            for point in own
        ]
        found = line.fit(np.array(amounts, float), [step_times(point) for point in own])
        if found:
            worst = own[int(np.argmax(np.abs(found.misses)))]
            yield Fit(
                kind=family.kind,
                backend=backend,
                threads=threads,
                costs_s=dict(zip(line.COSTS[family.kind], found.costs.tolist(), strict=True)),
                median_miss=float(np.median(np.abs(found.misses))),
                worst_miss=float(np.max(np.abs(found.misses))),
                worst_at=f"{worst.task} in {worst.lane}",
                is_good=found.is_good,
            )


def _pairs(axis: Axis, threads: int, backends: Sequence[str], points: dict[Key, Point]) -> Iterator[Pair]:
    """All pairs of backends that share at least two sizes."""
    for first, second in combinations(backends, 2):
        ratios, again = {}, {}
        for place in axis.places:
            a, b, reference = (
                points.get((place.task, name, threads, lane))
                for name, lane in ((first, place.lane), (second, place.lane), (REFERENCE, "run"))
            )
            if a and b and reference:
                disturbed = np.logical_or(a.disturbed, b.disturbed).tolist()
                ratios[place.size] = _ratio(_each(a), _each(b), disturbed)
                again[place.size] = _ratio(
                    np.array(reference.blocks_again_s), np.array(reference.blocks_s), reference.disturbed
                )
        if len(ratios) > 1:
            yield pair(axis.name, threads, (first, second), ratios, again)


def _ratio(step_s: Array, other_s: Array, disturbed: list[bool]) -> Interval:
    """One step time over the other, from each round's (R,)."""
    return timing.interval(timing.log_ratios(step_s, other_s, disturbed))
