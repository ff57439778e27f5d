"""A run that was stopped, killed or damaged is gone on with: what is finished is not computed again."""

import io
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from command import (
    COLUMNS,
    PATIENCE_S,
    cells,
    end_workers,
    finish,
    harness,
    here,
    refused,
    snapshot,
    start,
    wait_for,
    workers,
)
from conftest import ROOT

import backends
import tasks
from backends.base import Placement
from harness import plan
from harness.plan import Spot
from harness.session import Limits, Session

TASKS = ("quadratic-gd", "quadratic-momentum", "quadratic-adam")
WHAT = [argument for task in TASKS for argument in ("-t", task)]


class Waiting:
    """A run that waits in the middle of a phase, with what it finished before on disk."""

    def __init__(self, home: Path, phase: str) -> None:
        self.flag = home / f"wait.{phase}"
        self.flag.touch()
        self.column = shutil.copy(COLUMNS / "waits.py", home)
        self.folder = home / "[red] run"  # a name that a shell and a console could take for something else
        self.is_timing = phase == "timing"
        mode = "--quick" if self.is_timing else "--no-timing"
        self.arguments = ["run", *WHAT, "-b", self.column, "--out", self.folder, mode]
        self.process = start(*self.arguments)
        try:
            wait_for((home / "waiting").exists, "the column to wait")
            wait_for(lambda: len(self.finished()) >= len(TASKS) + 1, "the other cells")
        except BaseException:
            self.process.kill()
            finish(self.process)
            raise

    def finished(self) -> dict:
        """The files of cells and traces that are on disk."""
        return {
            name: mark
            for name, mark in snapshot(self.folder).items()
            if name.startswith("cells/") and not name.startswith("cells/.")
        }

    def go_on(self, command: list[str]) -> subprocess.CompletedProcess[str]:
        self.flag.unlink()
        return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def resuming(printed: str) -> list[str]:
    """The command that an interrupted run says goes on with it."""
    (command,) = re.findall("go on with: (.*)", printed)
    words = shlex.split(command)
    assert words[0] == "python"
    return [sys.executable, *words[1:]]


def run_json(folder):
    return json.loads((folder / "run.json").read_text())


def statuses(folder):
    return {key: cell["status"] for key, cell in cells(folder).items()}


AGREED = {(task, backend): "agreed" for task in TASKS for backend in ("numpy", "waits")}


@pytest.fixture(params=["parity", "timing"])
def waiting(request, tmp_path):
    found = Waiting(tmp_path, request.param)
    yield found
    found.process.kill()
    found.process.communicate()
    end_workers(found.folder)


def test_interrupted_run_is_gone_on_with_by_the_printed_command(waiting):
    """Ctrl-C, which a user may well press three times, then the command that was printed."""
    for _ in range(3):
        waiting.process.send_signal(signal.SIGINT)
        time.sleep(0.01)
    done = finish(waiting.process)
    assert (done.returncode, done.stderr) == (130, "")
    assert workers(waiting.folder) == []
    assert not run_json(waiting.folder)["complete"]
    stopped = waiting.finished()
    told = cells(waiting.folder)
    assert {f"cells/{task}.{backend}.float64.json" for task, backend in told} == stopped.keys()

    again = waiting.go_on(resuming(done.stdout))
    assert (again.returncode, again.stderr) == (0, "")
    assert run_json(waiting.folder)["complete"]
    assert statuses(waiting.folder) == AGREED
    assert_kept(waiting, stopped, told)


def assert_kept(waiting, stopped, told):
    """The files of what had been finished are the same files, unless they were still to be timed."""
    kept = {key for key, cell in told.items() if cell["timing"] or not waiting.is_timing}
    assert kept >= {("quadratic-gd", "numpy"), ("quadratic-gd", "waits")}
    found = waiting.finished()
    for task, backend in kept:
        name = f"cells/{task}.{backend}.float64.json"
        assert found[name] == stopped[name]
    assert all(bool(cell["timing"]) == waiting.is_timing for cell in cells(waiting.folder).values())


def test_killed_run_is_gone_on_with_and_its_workers_end_by_themselves(waiting):
    waiting.process.kill()
    finish(waiting.process)
    wait_for(lambda: not workers(waiting.folder), "the workers to end by themselves")
    assert not run_json(waiting.folder)["complete"]
    stopped = waiting.finished()
    told = {
        (cell["task"], cell["backend"]): cell
        for cell in (json.loads((waiting.folder / name).read_text()) for name in stopped)
    }
    again = waiting.go_on([sys.executable, "-m", "harness", *map(str, waiting.arguments), "--resume"])
    assert (again.returncode, again.stderr) == (0, "")
    assert run_json(waiting.folder)["complete"]
    assert statuses(waiting.folder) == AGREED
    assert_kept(waiting, stopped, told)


@pytest.mark.parametrize(
    ("column", "sign"),
    [
        ("hangs_in_c", "SIGKILL"),
        ("hangs_in_c", "SIGINT"),
        ("hangs_deaf", "SIGTERM"),
        ("slow_start", "SIGINT"),
        ("slow_start", "SIGKILL"),
    ],
)
def test_no_worker_outlives_the_harness_however_it_hangs(tmp_path, column, sign):
    folder = tmp_path / "run"
    process = start("run", *WHAT, "-b", COLUMNS / f"{column}.py", "--no-timing", "--out", folder)
    others = len(TASKS) + (0 if column == "slow_start" else 1)
    try:
        wait_for(lambda: len(list((folder / "cells").glob("*.json"))) == others, "the other cells")
        assert workers(folder)
        process.send_signal(signal.Signals[sign])
        finish(process)
        wait_for(lambda: not workers(folder), "the workers to end by themselves")
    finally:
        process.kill()
        process.communicate()
        end_workers(folder)


def test_no_worker_outlives_a_harness_that_was_killed_before_it_was_ready(tmp_path):
    """What ends a worker with its parent is set up only after its first imports."""
    (tmp_path / "logs").mkdir()
    column = backends.find(str(COLUMNS / "slow_start.py"))
    session = Session(column, Placement(), tmp_path, Limits(), sys.executable, None)
    session.start()
    try:
        os.close(session.lifeline)  # as the kernel does when the parent is gone
        session.process.wait(PATIENCE_S)
    finally:
        session.process.kill()
        session.process.wait()


# ----------------------------------------------------------------------- damaged and outdated


def cut_off(content):
    return content[: len(content) // 2]


def flipped(content):
    """One bit in the middle."""
    middle = len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]


def of_another_run(content):
    """A sound trace of the same task, whose losses are others."""
    with np.load(io.BytesIO(content)) as stored:
        arrays = dict(stored)
    changed = io.BytesIO()
    np.savez(changed, **arrays | {"loss": arrays["loss"] * (1 + 1e-9)})
    return changed.getvalue()


# What to damage: a cell's own file, or its trace; None deletes it.
DAMAGES = {
    "cell-empty": ("cells", lambda _: b""),
    "cell-cut-off": ("cells", cut_off),
    "cell-no-json": ("cells", lambda _: b"\xff\xfe\x00"),
    "cell-other-json": ("cells", lambda _: b'{"something": "else"}'),
    "cell-unknown-field": ("cells", lambda content: content.replace(b'"status"', b'"state"')),
    "cell-unknown-status": ("cells", lambda content: content.replace(b'"agreed"', b'"splendid"')),
    "cell-other-identity": ("cells", lambda content: content.replace(b'"identity": "', b'"identity": "0')),
    "cell-failed": ("cells", lambda content: content.replace(b'"agreed"', b'"failed"')),
    "cell-deleted": ("cells", None),
    "cell-other-digest": (
        "cells",
        lambda content: content.replace(b'"trace_digest": "', b'"trace_digest": "0'),
    ),
    "trace-deleted": ("traces", None),
    "trace-cut-off": ("traces", cut_off),
    "trace-empty": ("traces", lambda _: b""),
    "trace-with-a-bit-flipped": ("traces", flipped),
    "trace-of-another-run": ("traces", of_another_run),
}
QUADRATICS = [name for name in tasks.TASKS if name.startswith("quadratic")]
CELLS = [f"{task}.{backend}.float64" for backend in ("numpy", "noisy") for task in QUADRATICS]
CASES = dict(zip(DAMAGES, CELLS, strict=False))  # a cell for each damage, some of the reference's among them
SOUND = CELLS[len(DAMAGES) :]
ALL = ("run", "-t", "quadratic*", "-b", COLUMNS / "noisy.py", "--no-timing", "--out")


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A finished run."""
    folder = tmp_path_factory.mktemp("whole") / "run"
    assert here(*ALL, folder).returncode == 0
    return folder


@pytest.fixture
def copied(whole, tmp_path):
    """A copy of the finished run, to change."""
    return Path(shutil.copytree(whole, tmp_path / "run"))


@pytest.fixture(scope="module")
def repaired(whole, tmp_path_factory):
    """The finished run, damaged in many places and gone on with: the marks of its cells before and after."""
    folder = Path(shutil.copytree(whole, tmp_path_factory.mktemp("repaired") / "run"))
    before = snapshot(folder / "cells")
    for damage, cell in CASES.items():
        part, change = DAMAGES[damage]
        file = folder / part / (cell + (".json" if part == "cells" else ".npz"))
        content = file.read_bytes()
        file.unlink()
        if change:
            assert change(content) != content
            file.write_bytes(change(content))
    done = here(*ALL, folder, "--resume")
    return done, folder, before, snapshot(folder / "cells")


@pytest.mark.parametrize("damage", DAMAGES)
def test_damaged_cell_is_computed_again(repaired, damage):
    done, folder, before, after = repaired
    name = f"{CASES[damage]}.json"
    assert after[name][0] != before[name][0]  # another file
    assert done.stdout.count(" × ".join(CASES[damage].split(".")[:2])) >= 1
    assert json.loads((folder / "cells" / name).read_text())["status"] == "agreed"


@pytest.mark.parametrize("cell", SOUND)
def test_sound_cell_beside_damaged_ones_is_kept(repaired, cell):
    done, _, before, after = repaired
    assert after[f"{cell}.json"] == before[f"{cell}.json"]
    task, backend, _ = cell.split(".")
    assert not re.search(rf"^agreed +{task} × {backend}\b", done.stdout, re.MULTILINE)


def test_run_with_damaged_cells_becomes_whole(repaired):
    done, folder, _, _ = repaired
    assert (done.returncode, done.stderr) == (0, "")
    assert run_json(folder)["complete"]
    assert len(statuses(folder)) == len(CELLS)
    assert set(statuses(folder).values()) == {"agreed"}


def test_finished_run_has_nothing_to_go_on_with(copied):
    before = {part: snapshot(copied / part) for part in ("cells", "traces", "logs")}
    assert here(*ALL, copied, "--resume").returncode == 0
    assert {part: snapshot(copied / part) for part in before} == before  # not even a worker was started
    assert len(statuses(copied)) == len(CELLS)


def test_other_tasks_columns_placements_and_interpreters_make_other_cells():
    gd, adam = tasks.TASKS["quadratic-gd"], tasks.TASKS["quadratic-adam"]
    numpy, torch = plan.columns(["torch"])
    own = plan.columns([str(COLUMNS / "noisy.py")])[-1]
    usual = Placement()
    spots = [Spot(gd, numpy, usual), Spot(adam, numpy, usual), Spot(gd, torch, usual), Spot(gd, own, usual)]
    others = [Placement(threads=2), Placement("float32"), Placement(device="cuda")]
    spots += [Spot(gd, numpy, at) for at in others]
    identities = [spot.identity(sys.executable) for spot in spots]
    assert len({*identities, spots[0].identity("/another/python")}) == len(spots) + 1
    assert identities == [spot.identity(sys.executable) for spot in spots]
    assert len({spot.name for spot in spots}) == len(spots)


def test_run_without_resume_starts_afresh_and_keeps_the_last_one_beside(copied):
    """Even from within the folder, where the user's own files stay as they are."""
    (copied / "cells" / "moons-overfit.keras.float64.json").write_text("of an earlier run")
    (copied / "notes.txt").write_text("the user's own")
    what = ("run", "-t", TASKS[0], "--no-timing", "--out", ".")
    for chosen in (["numpy"], ["numpy", "noisy"]):
        before = snapshot(copied)
        del before["notes.txt"]
        columns = [option for name in chosen for option in ("-b", named(name))]
        assert here(*what, *columns, cwd=copied).returncode == 0
        assert snapshot(copied.with_name("run.previous")) == before
        assert set(statuses(copied)) == {(TASKS[0], name) for name in chosen}
        assert len(list((copied / "cells").iterdir())) == len(chosen)
        assert (copied / "notes.txt").read_text() == "the user's own"


def named(backend):
    return COLUMNS / "noisy.py" if backend == "noisy" else backend


def test_last_run_is_not_moved_onto_other_files(copied):
    previous = copied.with_name("run.previous")
    previous.mkdir()
    (previous / "thesis.txt").write_text("precious")
    before = snapshot(copied.parent)
    sentence = refused(*ALL, copied)
    assert sentence == f"{previous} holds files but no run.json: the last run cannot be moved there"
    assert snapshot(copied.parent) == before


def test_resuming_with_less_is_refused_since_it_would_lose_cells(copied):
    before = snapshot(copied)
    sentence = refused("run", "-t", TASKS[0], "-b", "numpy", "--no-timing", "--out", copied, "--resume")
    assert sentence.startswith(f"--resume: {copied} also holds quadratic-")
    assert snapshot(copied) == before


TASK = """
from tasks.spec import GradientDescent, Quadratic, Stopping, Task

def task(name, rate):
    return Task(name=name, shows="", model=Quadratic([[2.0]], [0.0]), start={{"w": [5.0]}},
                optimizer=GradientDescent(rate), stopping=Stopping(max_epochs=5), tags=("mine",))

TASKS = [task("mine-a", 0.1), task("mine-b", {rate})]
"""


def test_cell_whose_task_or_column_changed_is_computed_again(tmp_path):
    mine, column, folder = tmp_path / "mine.py", tmp_path / "own.py", tmp_path / "run"
    what = ("-t", "tag:mine", "--tasks-from", mine, "-b", column, "--no-timing", "--out", folder)
    mine.write_text(TASK.format(rate=0.1))
    column.write_text((COLUMNS / "noisy.py").read_text())
    assert harness("run", *what).returncode == 0

    before = snapshot(folder / "cells")
    mine.write_text(TASK.format(rate=0.2))
    column.write_text(column.read_text() + "# changed\n")
    assert harness("run", *what, "--resume").returncode == 0
    after = snapshot(folder / "cells")
    kept = {name for name in before if before[name] == after[name]}
    assert kept == {"mine-a.numpy.float64.json"}


def test_quick_timing_is_done_again_where_more_rounds_are_asked_for(tmp_path):
    what = ("run", "-t", TASKS[0], "-b", "numpy", "--out", tmp_path / "run")

    def rounds():
        return len(cells(tmp_path / "run")[TASKS[0], "numpy"]["timing"]["lanes"]["run"]["blocks_s"])

    assert here(*what, "--quick").returncode == 0
    assert 3 <= rounds() <= 5
    assert here(*what, "--resume").returncode == 0
    assert rounds() >= 10
