"""What tests share: the columns, loaded once, and one real run of every task on every backend."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import ModuleType

import pytest
from filelock import FileLock
from hypothesis import settings

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")  # as in the workers: oneDNN reorders sums
os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # likewise, and two processes share the cores

from backends import COLUMNS
from backends.base import Placement

ROOT = Path(__file__).parent.parent
settings.register_profile("repeatable", derandomize=True)  # the same examples in each run of the tests
settings.load_profile("repeatable")


@pytest.fixture(scope="session", params=list(COLUMNS))
def column(request: pytest.FixtureRequest) -> ModuleType:
    """Each column in turn, set up for float64 on one thread."""
    module = COLUMNS[request.param].load()
    module.setup(Placement())
    return module


@dataclass(frozen=True)
class RealRun:
    """A run of the command line, from its files."""

    folder: Path
    exit_code: int
    output: str

    @cached_property
    def result(self) -> dict:
        """What is in run.json; to be read only."""
        return json.loads((self.folder / "run.json").read_text())


@pytest.fixture(scope="session")
def whole_run(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> RealRun:
    """`python -m harness run --all --no-timing`, every task on every backend: one for all processes."""
    own = tmp_path_factory.getbasetemp()
    shared = own if worker_id == "master" else own.parent
    folder, told = shared / "whole", shared / "whole.json"
    with FileLock(shared / "whole.lock"):  # whoever comes first runs it, and the others wait
        if not told.exists():
            command = [sys.executable, "-m", "harness", "run", "--all", "--no-timing", "--out", str(folder)]
            done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
            told.write_text(json.dumps([done.returncode, done.stdout + done.stderr]))
    return RealRun(folder, *json.loads(told.read_text()))
