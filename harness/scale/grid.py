"""Which tasks a sweep times: one size grows along each axis, and all others stay."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from harness.scale.outcome import Axis, Place
from tasks import sweep
from tasks.spec import Task

UNITS, LAYERS, BATCH, ROWS, DIMENSIONS = 64, 2, 200, 1000, 10  # what stays

FULL = {
    "width": (4, 8, 16, 32, 64, 128, 256, 512),
    "depth": (1, 2, 4, 8),
    "batch": (10, 20, 50, 100, 200, 500, 1000),
    "rows": (200, 1000, 10000),
    # A dense Hessian of 10000 would take 0.8 GB in every process, and minutes to check its eigenvalues.
    "dimensions": (2, 10, 30, 100, 300, 1000),
    "steps": (1, 10, 100),
}
QUICK = {
    "width": (4, 64, 256),
    "depth": (1, 2, 8),
    "batch": (20, 200),
    "rows": (200, 1000),
    "dimensions": (2, 10, 300),
    "steps": (1, 10, 100),
}


@dataclass(frozen=True)
class Family:
    """Tasks of one kind, timed together in the same lanes."""

    kind: str  # the costs that its steps have: see line.py
    tasks: dict[str, Task]
    lanes: list[str]  # beside "run"
    axes: list[Axis]


def families(sizes: Mapping[str, Sequence[int]]) -> list[Family]:
    """The networks, and the quadratics, which have no data and cost next to nothing but what a call costs."""
    return [_networks(sizes), _bowls(sizes)]


def _networks(sizes: Mapping[str, Sequence[int]]) -> Family:
    batch, rows = f"batch {BATCH}", f"{ROWS} rows"
    layers = f"{LAYERS} hidden layers of {UNITS}"
    axes: list[tuple[str, str, str, Callable[[int], Task]]] = [
        (
            "width",
            "units a layer",
            f"{LAYERS} hidden layers, {batch}, {rows}",
            lambda size: sweep.network((size,) * LAYERS, BATCH, ROWS),
        ),
        (
            "depth",
            "hidden layers",
            f"{UNITS} units a layer, {batch}, {rows}",
            lambda size: sweep.network((UNITS,) * size, BATCH, ROWS),
        ),
        (
            "batch",
            "rows a batch",
            f"{layers}, {rows}",
            lambda size: sweep.network((UNITS,) * LAYERS, size, ROWS),
        ),
        (
            "rows",
            "rows",
            f"{layers}, {batch}",
            lambda size: sweep.network((UNITS,) * LAYERS, BATCH, size),
        ),
    ]
    tasks: dict[str, Task] = {}
    found = []
    for name, unit, kept, build in axes:
        of = {size: build(size) for size in sizes[name]}
        tasks |= {task.name: task for task in of.values()}
        found.append(Axis(name, unit, kept, [Place(size, task.name, "run") for size, task in of.items()]))
    return Family("network", tasks, [], found)


def _bowls(sizes: Mapping[str, Sequence[int]]) -> Family:
    of = {size: sweep.bowl(size) for size in sorted({*sizes["dimensions"], DIMENSIONS})}
    lanes = {size: "step" if size == 1 else f"run-{size}" for size in sizes["steps"]}
    axes = [
        Axis(
            "dimensions",
            "dimensions",
            "a quadratic, all steps in one call",
            [Place(size, of[size].name, "run") for size in sizes["dimensions"]],
        ),
        Axis(
            "steps",
            "steps a call",
            f"a quadratic in {DIMENSIONS} dimensions",
            [Place(size, of[DIMENSIONS].name, lane) for size, lane in lanes.items()],
        ),
    ]
    return Family("bowl", {task.name: task for task in of.values()}, list(lanes.values()), axes)
