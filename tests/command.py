"""The real command line in a process of its own, and what it leaves behind."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import chdir
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
from click.testing import CliRunner
from conftest import ROOT

from harness.__main__ import main

COLUMNS = Path(__file__).parent / "columns"
TASK_FILES = Path(__file__).parent / "task_files"
PATIENCE_S = 240.0  # so much only where something hangs


def start(*arguments: object, **options: Any) -> subprocess.Popen[str]:
    """`python -m harness` with these arguments, running."""
    return subprocess.Popen(
        [sys.executable, "-m", "harness", *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **{"cwd": ROOT} | options,
    )


def finish(process: subprocess.Popen[str]) -> subprocess.CompletedProcess[str]:
    """What a started command has printed, and its exit code."""
    try:
        output, errors = process.communicate(timeout=PATIENCE_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        raise
    return subprocess.CompletedProcess(process.args, process.returncode, output, errors)


def harness(*arguments: object, **options: Any) -> subprocess.CompletedProcess[str]:
    """`python -m harness` with these arguments, finished."""
    return finish(start(*arguments, **options))


def all_of(commands: Iterable[Iterable[object]]) -> list[subprocess.CompletedProcess[str]]:
    """What becomes of these commands, several at a time."""
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return list(pool.map(lambda arguments: harness(*arguments), commands))


@dataclass(frozen=True)
class Ran:
    """A finished run: what it printed and the folder that it wrote."""

    done: subprocess.CompletedProcess[str]
    folder: Path


def side_by_side(home: Path, runs: Mapping[str, Iterable[object]]) -> dict[str, Ran]:
    """Each of these runs in a folder of its own, several at a time."""
    commands = [["run", *arguments, "--out", home / name] for name, arguments in runs.items()]
    return {name: Ran(done, home / name) for name, done in zip(runs, all_of(commands), strict=True)}


def refused(*arguments: object, env: Mapping[str, str] | None = None) -> str:
    """The sentence with which a command is refused as wrong use: exit code 2, and nothing but that.

    In this process, which saves the start of another: there are many wrong uses.
    """
    with chdir(ROOT):
        ended = CliRunner().invoke(main, [*map(str, arguments)], prog_name="python -m harness", env=env)
    return refusal(ended.exit_code, ended.stdout, ended.stderr)


def refusal(code: int, output: str, errors: str) -> str:
    """The sentence with which a command was refused as wrong use."""
    assert (code, output) == (2, ""), errors
    sentence = errors.strip().splitlines()[-1]
    assert sentence.startswith("Error: ")
    # click adds how a command is used where the options themselves are wrong.
    assert all(line.startswith(("Usage: ", "Try ", "Error: ")) for line in errors.splitlines() if line)
    return sentence.removeprefix("Error: ")


def cells(folder: Path) -> dict[tuple[str, str], dict[str, Any]]:
    """The cells in run.json by task and backend."""
    found = json.loads((folder / "run.json").read_text())["cells"]
    return {(cell["task"], cell["backend"]): cell for cell in found}


def workers(folder: Path) -> list[psutil.Process]:
    """The processes that a run into this folder started and that still are, with all that they started."""
    return [process for process in psutil.process_iter() if _belongs(process, str(folder))]


def _belongs(process: psutil.Process, folder: str) -> bool:
    try:
        caches = process.environ().get("KERAS_HOME", "")
        return caches.startswith(folder) and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def end_workers(folder: Path) -> None:
    """Leave nothing behind, even where the harness did."""
    for process in workers(folder):
        process.kill()


def wait_for(condition: Callable[[], object], what: str) -> None:
    """Look again and again, for a while."""
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, f"waited in vain for {what}"
        time.sleep(0.02)


def snapshot(folder: Path) -> dict[str, tuple[int, int, int]]:
    """Every file below a folder with what changes when it is written: number, time and size."""
    return {str(file.relative_to(folder)): _mark(file) for file in _files(folder)}


def _files(folder: Path) -> Iterator[Path]:
    return (file for file in sorted(folder.rglob("*")) if file.is_file())


def _mark(file: Path) -> tuple[int, int, int]:
    found = file.stat()
    return found.st_ino, found.st_mtime_ns, found.st_size
