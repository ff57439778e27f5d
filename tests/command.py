"""The real command line, in a process of its own or in this one, and what it leaves behind."""

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import chdir
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

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


def here(
    *arguments: object, cwd: Path = ROOT, env: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """The same in this process: its imports and the scripts of its page take longer than a small run."""
    words = [*map(str, arguments)]
    with chdir(cwd), patch.object(sys, "argv", ["samestep", *words]):
        runner = CliRunner()
        done = runner.invoke(main, words, prog_name="python -m harness", env=env, catch_exceptions=False)
    return subprocess.CompletedProcess(words, done.exit_code, done.stdout, done.stderr)


@dataclass(frozen=True)
class Ran:
    """A finished run: what it printed and the folder that it wrote."""

    done: subprocess.CompletedProcess[str]
    folder: Path


def ran_here(home: Path, runs: Mapping[str, Iterable[object]]) -> dict[str, Ran]:
    """Each of these runs, in this process, in a folder of its own."""
    return {
        name: Ran(here("run", *arguments, "--out", home / name), home / name)
        for name, arguments in runs.items()
    }


def refused(*arguments: object, env: Mapping[str, str] | None = None) -> str:
    """The sentence with which a command is refused as wrong use: exit code 2, and nothing but that."""
    return refusal(here(*arguments, env=env))


def refusal(done: subprocess.CompletedProcess[str]) -> str:
    """The sentence with which a command was refused as wrong use."""
    assert done.returncode == 2, done
    assert done.stdout == ""
    sentence = done.stderr.strip().splitlines()[-1]
    assert sentence.startswith("Error: ")
    # click adds how a command is used where the options themselves are wrong.
    assert all(line.startswith(("Usage: ", "Try ", "Error: ")) for line in done.stderr.splitlines() if line)
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
