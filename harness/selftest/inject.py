"""Put every fault of the catalogue into every column and small task that can have it."""

from collections.abc import Callable
from pathlib import Path

from backends import Column
from harness import trace
from harness.faults import DAMAGES, FAULTS, Damage, Fault
from harness.result import Divergence
from harness.selftest.outcome import STATEFUL_STEPS, STEPS, Named, Outcome
from harness.selftest.workers import Workers
from harness.session import Broken
from tasks import small
from tasks.spec import Task

DAMAGED = ("small-adam", "small-momentum")  # the tasks whose traces are damaged

Work = dict[str, list[Fault | Damage]]  # by backend
Tell = Callable[[str], None]  # told of each thing that is finished


def plan(workers: Workers, *, quick: bool) -> dict[str, Work]:
    """By task and backend, which faults to put in; with `quick`, each until it can be seen, in turns.

    Raises `Broken` for a backend that is wrong without a fault.
    """
    seen: set[str] = set()
    found: dict[str, Work] = {}
    for task in small.TASKS:
        found[task.name] = {name: [] for name in workers.sessions}
        desired = workers.desired(task)
        expected = trace.load(desired)
        right = _right(workers, task, desired)
        for fault in _possible(task):
            able = [column.name for column in right if _is_able(column, task, fault)]
            if not able or (quick and fault.id in seen):
                continue
            for name in [able[len(seen) % len(able)]] if quick else able:
                found[task.name][name].append(fault)
            if not (isinstance(fault, Fault) and fault.equivalent(task, expected)):
                seen.add(fault.id)
    return found


def _possible(task: Task) -> list[Fault | Damage]:
    damages = DAMAGES.values() if task.name in DAMAGED else ()
    return [*(fault for fault in FAULTS.values() if fault.applies(task)), *damages]


def _right(workers: Workers, task: Task, desired: Path) -> list[Column]:
    """The columns that agree on the task as long as nothing is wrong.

    Raises `Broken` for one that does not, and does not say so: all that is put into it would be found.
    """
    limits = {column.name: column.limit(task) for column in workers.columns}

    def agrees(backend: str) -> bool:
        try:
            workers.check(backend, task, desired)
        except Broken as broken:
            if limits[backend] or broken.status == "unsupported":
                return False
            raise
        return True

    agreeing = workers.side_by_side(agrees)
    return [column for column, right in zip(workers.columns, agreeing, strict=True) if right]


def _is_able(column: Column, task: Task, fault: Fault | Damage) -> bool:
    """Whether the column can compute the wrong task, or would do the right one instead, as it declares."""
    wrong = fault.of_task(task) if isinstance(fault, Fault) and fault.of_task else None
    return column.limit(wrong or task) in (None, column.limit(task))


def injected(workers: Workers, planned: dict[str, Work], tell: Tell) -> list[Outcome]:
    """What became of each fault.

    Task by task, all backends side by side: the reference keeps its replays of one task at a time.
    """
    outcomes: list[Outcome] = []
    for task in small.TASKS:
        desired = workers.desired(task)

        def inject(backend: str, task: Task = task, desired: Path = desired) -> list[Outcome]:
            found = []
            for fault in planned[task.name][backend]:
                found.append(_outcome(workers, fault, task, backend, desired))
                tell(f"{found[-1].found:<10}  {fault.id} in {task.name} × {backend}")
            return found

        outcomes += [one for found in workers.side_by_side(inject) for one in found]
    return outcomes


def _outcome(workers: Workers, fault: Fault | Damage, task: Task, backend: str, desired: Path) -> Outcome:
    expected = trace.load(desired)
    proof = fault.equivalent(task, expected) if isinstance(fault, Fault) else None

    def outcome(**found: object) -> Outcome:
        return Outcome(fault.id, fault.words, task.name, backend, proof=proof, **found)  # type: ignore[arg-type]

    try:
        actual, hidden = workers.record(backend, task, desired, fault.id)
        first = workers.compare(actual, desired, hidden).first_divergence
    except Broken as broken:
        return outcome(found="found", details=broken.reason)  # a cell that says "failed"
    if proof:
        return outcome(found="not equivalent" if first else "equivalent")
    if first is None:
        return outcome(found="missed")
    onset = fault.onset(task, expected) if isinstance(fault, Fault) else fault.step
    steps = first.step - onset
    causes = [cause.id for cause in workers.causes(task, actual, desired, hidden)]
    return outcome(
        found="found",
        steps=steps,
        quantity=first.quantity,
        localised=_is_localised(fault, steps, first),
        causes=causes,
        named=_named(fault, causes),
    )


def _is_localised(fault: Fault | Damage, steps: int, first: Divergence) -> bool:
    """Whether it was found soon enough, and in a quantity that it acts on first."""
    allowed = STATEFUL_STEPS if isinstance(fault, Fault) and fault.stateful else STEPS
    return 0 <= steps <= allowed and first.quantity.startswith(fault.shows)


def _named(fault: Fault | Damage, causes: list[str]) -> Named:
    """Whether the causes that were named are right; damage to a trace has none."""
    if isinstance(fault, Damage):
        return "wrong" if causes else "none to name"
    if not causes:
        return "not known"
    return "right" if (fault.field or fault.id) in causes else "wrong"
