"""Which cells a run consists of: rows × columns at one placement, and what identifies each."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, is_dataclass, replace
from difflib import get_close_matches
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path

import numpy as np

import backends
import tasks
from backends import REFERENCE, Column
from backends.base import Placement
from harness import environment
from tasks.spec import Task

DEFAULT = "default"  # tag of the tasks that run where none is asked for
TIMED = "timed"  # and of those that it times
NAMED = 30  # a sentence names so many tasks at most


class UsageError(Exception):
    """Wrong use: one sentence that names what and where.  Ends the command with exit code 2."""


@dataclass(frozen=True)
class Spot:
    """A cell to be filled: a task on a column at a placement."""

    task: Task
    column: Column
    at: Placement
    is_reference: bool = False  # the others of its row are compared with this one

    @property
    def name(self) -> str:
        """The stem of this cell's files: task.backend.placement."""
        return f"{self.task.name}.{self.column.name}.{self.at.name}"

    @property
    def worker(self) -> str:
        """Which worker fills it: "torch", or "torch float32" where the placement is unusual."""
        return self.column.name if self.at == Placement() else f"{self.column.name} {self.at.name}"

    def identity(self, python: str) -> str:
        """What decides the content of this cell: task, source, versions, placement and interpreter."""
        versions = environment.versions(sorted(self.column.frameworks()))
        source = b"".join(file.read_bytes() for file in self.column.files)
        return _hash([fingerprint(self.task), source, _judges(), repr(versions), repr(self.at), python])


@cache
def _judges() -> str:
    """A hash of what every verdict rests on beside the column: the reference and the comparison."""
    root = backends.HERE.parent
    parts = [root / "backends", root / "tasks", root / "harness"]
    names = {
        "__init__.py",
        "base.py",
        "limits.py",
        "draw.py",
        "trace.py",
        "metrics.py",
        "hint.py",
        "parity.py",
        "tolerance.py",
        "worker.py",
        "distance.py",
        "spread.py",
        "explain.py",
        "fit.py",
    }
    files = [file for part in parts for file in sorted(part.glob("*.py")) if file.name in names]
    files += sorted([*(root / "tasks" / "spec").glob("*.py"), *(root / "harness" / "faults").rglob("*.py")])
    return _hash(file.read_bytes() for file in [*files, *backends.COLUMNS[REFERENCE].files])


def reference_placement(at: Placement) -> Placement:
    """Where the reference is computed, whatever the other cells do: float64 on the CPU."""
    return Placement("float64", "cpu", at.threads)


def rows(patterns: Iterable[str], extra: Path | None, *, everything: bool = False) -> dict[str, Task]:
    """The tasks that match any pattern ('moons*', or 'tag:quadratic'), in report order.

    Without a pattern: those tagged "default" and all of the file `extra`; or `everything` there is.
    Raises `UsageError` for a pattern that matches nothing and for a task file that is no good.
    """
    try:
        own = tasks.load(extra) if extra else {}
    except tasks.TaskError as error:
        raise UsageError(str(error)) from error
    table = tasks.TASKS | own
    patterns = list(patterns)
    if not patterns:
        usual = {name: task for name, task in tasks.TASKS.items() if DEFAULT in task.tags} or tasks.TASKS
        return table if everything else usual | own
    table |= {task.name: task for pattern in patterns for task in _unlisted(pattern, table)}
    for pattern in patterns:
        if not any(_matches(task, pattern) for task in table.values()):
            tags = [f"tag:{tag}" for task in table.values() for tag in task.tags]
            known = list(dict.fromkeys(tags)) if pattern.startswith("tag:") else list(table)
            raise UsageError(f"no task matches {pattern!r}; {suggestion(pattern, known)}")
    return {
        name: task for name, task in table.items() if any(_matches(task, pattern) for pattern in patterns)
    }


def timed(table: Mapping[str, Task]) -> list[str]:
    """What is timed where nobody chose any tasks: a small network, a larger one, and a user's own tasks.

    Ten rounds of a task take some three seconds, all of the default ones two minutes.
    """
    return [name for name, task in table.items() if TIMED in task.tags or name not in tasks.TASKS]


def _unlisted(pattern: str, table: Mapping[str, Task]) -> list[Task]:
    """What a pattern that matches no row may mean: small tasks, or one that is found by its name."""
    if any(_matches(task, pattern) for task in table.values()):
        return []
    return list(unlisted(pattern).values()) or [task for task in tasks.small.TASKS if _matches(task, pattern)]


def unlisted(name: str) -> dict[str, Task]:
    """The task of this name that is no row of the table, or nothing.

    Raises `UsageError` for a size that cannot be.
    """
    try:
        found = tasks.unlisted(name)
    except tasks.TaskError as error:
        raise UsageError(str(error)) from error
    return {name: found} if found else {}


def suggestion(name: str, known: list[str], listing: str = "`list` names") -> str:
    """What may have been meant, whatever its case, or all that there is."""
    spelled = {one.lower(): one for one in known}
    close = get_close_matches(name.lower(), spelled, n=3) or [k for k in spelled if name.lower() in k][:3]
    if close:
        return f"did you mean {' or '.join(spelled[one] for one in close)}?"
    return f"there are: {', '.join(known)}" if len(known) <= NAMED else f"{listing} all {len(known)}"


def _matches(task: Task, pattern: str) -> bool:
    if pattern.startswith("tag:"):
        return pattern.removeprefix("tag:") in task.tags
    return fnmatchcase(task.name, pattern)


def columns(names: Iterable[str]) -> list[Column]:
    """The columns of these names or files, each once, the reference always among them and first.

    Raises `UsageError` for a name that is none, for a file that is not Python, and for two files of one name.
    """
    names = list(names)
    try:
        chosen = [backends.find(name) for name in names] or list(backends.COLUMNS.values())
    except LookupError as error:
        raise UsageError(f"backend {error.args[0]}") from None
    order: dict[str, Column] = {}
    for column in (backends.COLUMNS[REFERENCE], *chosen):
        if (other := order.setdefault(column.name, column)) != column:
            raise UsageError(f"two backends are named {column.name!r}: {other.path} and {column.path}")
        try:
            column.frameworks()
        except SyntaxError as error:
            raise UsageError(
                f"backend {error.filename or column.path}:{error.lineno}: SyntaxError: {error.msg}"
            ) from None
        except ValueError as error:  # not UTF-8
            raise UsageError(f"backend {column.path}: {error}") from None
    return list(order.values())


def spots(
    table: Mapping[str, Task], chosen: Iterable[Column], at: Placement, *, cores: int | None = None
) -> list[Spot]:
    """Every cell of a run; where the placement is not the reference's, the reference's cells come extra.

    With `cores`, each backend has a second cell of each task, on so many threads.
    """
    reference, desired = backends.COLUMNS[REFERENCE], reference_placement(at)
    pairs = [(column, at) for column in chosen]
    if cores:
        pairs += [(column, replace(at, threads=cores)) for column, _ in pairs]
    if (reference, desired) not in pairs:
        pairs.insert(0, (reference, desired))
    return [
        Spot(task, column, place, is_reference=(column, place) == (reference, desired))
        for column, place in pairs
        for task in table.values()
    ]


def fingerprint(task: Task) -> str:
    """A hash of everything in a task that decides its numbers."""
    return _hash(_parts(task))


def _parts(value: object) -> Iterable[bytes | str]:
    """The leaves of nested dataclasses and mappings, arrays as bytes."""
    if is_dataclass(value):
        yield type(value).__name__
        for field in fields(value):
            yield field.name
            yield from _parts(getattr(value, field.name))
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield str(key)
            yield from _parts(item)
    elif isinstance(value, np.ndarray):
        yield f"{value.dtype}{value.shape}"
        yield value.tobytes()
    else:
        yield repr(value)


def _hash(parts: Iterable[bytes | str]) -> str:
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part if isinstance(part, bytes) else part.encode())
        digest.update(b"\0")
    return digest.hexdigest()[:16]
