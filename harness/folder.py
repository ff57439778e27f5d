"""The files of a run: what is on disk while it runs, how a killed run is gone on with, how one is read.

run.json                  the result; written first as incomplete, so that the folder is known as ours
cells/<cell>.json         every finished cell, at once
traces/<cell>.npz         what each cell recorded
logs/<backend>.<dtype>.log   what each worker printed
"""

import hashlib
import shutil
from pathlib import Path

import msgspec

from harness import result
from harness.plan import UsageError
from harness.result import Cell, Result
from harness.trace import write

PARTS = ("cells", "traces", "logs")
REPORTS = ("report.html", "guide", "summary.md", "junit.xml", "timings.pyperf.json")


def prepare(path: Path, *, resume: bool) -> None:
    """Make an empty run folder, or with `resume` keep what is finished in it.

    Raises `UsageError` for a folder that is not a run's, or cannot be written: nothing foreign is ever
    removed.
    """
    try:
        _prepare(path, resume=resume)
    except OSError as error:
        raise UsageError(f"--out {path} cannot be written: {error.strerror}") from error


def _prepare(path: Path, *, resume: bool) -> None:
    if path.exists() and not path.is_dir():
        raise UsageError(f"--out {path} is a file, expected a folder")
    is_run = (path / "run.json").is_file()
    if is_run:
        if resume or not _is_of_another_version(path / "run.json"):
            load(path)  # raises if damaged or foreign
    elif resume:
        raise UsageError(f"nothing to resume: {path} has no run.json")
    elif path.is_dir() and any(path.iterdir()):
        raise UsageError(f"--out {path} holds files but no run.json: not a run's folder, choose another")
    if is_run and not resume:
        _set_aside(path.resolve())
    for part in PARTS:
        (path / part).mkdir(parents=True, exist_ok=True)


def _is_of_another_version(file: Path) -> bool:
    """Whether a run was written by an earlier samestep: it cannot be read, but it is ours to set aside."""
    try:
        schema = msgspec.json.decode(file.read_bytes(), type=_Schema).schema
    except (OSError, msgspec.DecodeError):
        return False
    return schema.startswith("samestep.run/") and schema != result.SCHEMA


class _Schema(msgspec.Struct):
    schema: str


def _set_aside(path: Path) -> None:
    """Keep the last run beside the new one, to compare with; the one before it goes.

    Only a run's own files are moved or removed, and the folder itself stays: someone may be in it, or
    it may be mounted.
    """
    previous = path.with_name(f"{path.name}.previous")
    if previous.is_dir() and any(previous.iterdir()) and not (previous / "run.json").is_file():
        raise UsageError(f"{previous} holds files but no run.json: the last run cannot be moved there")
    previous.mkdir(exist_ok=True)
    for name in (*PARTS, *REPORTS, "run.json"):
        if (previous / name).is_dir():
            shutil.rmtree(previous / name)
        (previous / name).unlink(missing_ok=True)
        if (path / name).exists():
            shutil.move(path / name, previous / name)


def load(path: Path) -> Result:
    """The result in a run's folder.

    Raises `UsageError`, naming the file and what is wrong with it.
    """
    file = path if path.name == "run.json" else path / "run.json"
    try:
        run = msgspec.json.decode(file.read_bytes(), type=Result)
    except FileNotFoundError:
        raise UsageError(f"{path} is not a run's folder: it has no run.json") from None
    except OSError as error:
        raise UsageError(f"{file} cannot be read: {error.strerror}") from None
    except msgspec.ValidationError as error:
        raise UsageError(f"{file} is not a {result.SCHEMA} file: {error}") from None
    except msgspec.DecodeError as error:
        raise UsageError(f"{file} is damaged: {error}") from None
    seen = set()
    for cell in run.cells:
        key = (cell.task, cell.backend, cell.dtype, cell.device, cell.threads)
        if key in seen:
            raise UsageError(f"{file} is damaged: it has {cell.task} × {cell.backend} ({cell.dtype}) twice")
        seen.add(key)
    return run


def finished(path: Path) -> dict[str, Cell]:
    """The finished cells of an earlier run by identity; one with a damaged file is not finished."""
    cells = {}
    for file in sorted((path / "cells").glob("*.json")):
        try:
            cell = msgspec.json.decode(file.read_bytes(), type=Cell)
            is_whole = cell.trace is None or digest(path / cell.trace) == cell.trace_digest
        except (OSError, msgspec.DecodeError):  # the cell is computed again
            continue
        if is_whole and cell.status not in result.BROKEN:
            cells[cell.identity] = cell
    return cells


def digest(path: Path) -> str:
    """What tells a file from one that was damaged, or belongs to another run.  Raises `OSError`."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def keep(path: Path, name: str, cell: Cell) -> None:
    """Put a finished cell on disk.  Raises `OSError` when it cannot be written."""
    write(path / "cells" / f"{name}.json", result.encode(cell))


def store(path: Path, run: Result) -> None:
    """Write run.json.  Raises `OSError` when it cannot be written."""
    write(path / "run.json", result.encode(run))
