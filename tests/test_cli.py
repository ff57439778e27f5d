"""The command line as documented, and every wrong use of it: one sentence, exit code 2, nothing lost."""

import io
import json
import os
import shutil
import subprocess
import sys
import tomllib
from dataclasses import replace
from pathlib import Path

import pytest
from command import (
    COLUMNS,
    TASK_FILES,
    cells,
    harness,
    here,
    ran_here,
    refusal,
    refused,
    snapshot,
    workers,
)
from conftest import ROOT
from rich.console import Console

import backends
import tasks
from harness import environment, folder, plan
from harness.report import overview
from tasks import TASKS
from tasks.concepts import CONCEPTS

TASK = "quadratic-gd"
RUN = ("run", "-t", TASK, "-b", "numpy", "--no-timing", "--out")


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A finished run, to be read only."""
    path = tmp_path_factory.mktemp("finished") / "run"
    done = harness(*RUN, path)
    assert (done.returncode, done.stderr) == (0, "")
    assert "\x1b" not in done.stdout  # a pipe gets no colours, and nothing of the live view
    return path


@pytest.fixture
def copied(finished, tmp_path):
    """A copy of the finished run, to damage."""
    return Path(shutil.copytree(finished, tmp_path / "run"))


# ----------------------------------------------------------------------------------- wrong use

NO_SUCH = "/nowhere/at all.py"
WRONG_USE = {
    "unknown-task": (["-t", "cats"], f"no task matches 'cats'; {plan.suggestion('cats', list(TASKS))}"),
    "misspelled-task": (["-t", "xor-adm"], "no task matches 'xor-adm'; did you mean xor-adam"),
    "unknown-pattern": (["-t", TASK, "-t", "moom*"], "no task matches 'moom*'; "),
    "unknown-tag": (["-t", "tag:zzz"], "no task matches 'tag:zzz'; there are: tag:"),
    "all-and-one": (["--all", "-t", TASK], "--all goes without -t: it is every task"),
    "misspelled-tag": (
        ["-t", "tag:quadratics"],
        "no task matches 'tag:quadratics'; did you mean tag:quadratic?",
    ),
    "unknown-backend": (["-b", "pytorch"], "backend 'pytorch' is neither a backend (numpy, sklearn, "),
    "no-such-column": (["-b", NO_SUCH], f"backend '{NO_SUCH}' is neither a backend ("),
    "folder-as-column": (["-b", str(COLUMNS)], f"backend '{COLUMNS}' is neither a backend ("),
    "unknown-dtype": (["--dtype", "float16"], "Invalid value for '--dtype': 'float16' is not one of"),
    "unknown-device": (["--device", "tpu"], "Invalid value for '--device': 'tpu' is not one of"),
    "unknown-option": (["--epochs", "3"], "No such option"),
    "no-threads": (["--threads", "0"], "Invalid value for '--threads': 0 is not in the range"),
    "threads-in-words": (["--threads", "two"], "Invalid value for '--threads': 'two' is not a valid integer"),
    "no-time": (["--limit", "0"], "Invalid value for '--limit'"),
    "argument-too-many": (["torch"], "Got unexpected extra argument (torch)"),
    "option-without-value": (["-t"], "Option '-t' requires an argument."),
    "python-without-backend": (["--python", sys.executable], "expected BACKEND=PATH of a Python interpreter"),
    "python-not-there": (["--python", "torch=/no/python"], "'torch=/no/python', expected BACKEND=PATH"),
    "python-of-nobody": (["--python", f"jax={sys.executable}"], "backend 'jax' is neither a backend"),
    "no-such-task-file": (["--tasks-from", NO_SUCH], f"{NO_SUCH}: no such file"),
}


@pytest.mark.parametrize("wrong", WRONG_USE)
def test_wrong_use_is_refused_in_one_sentence(tmp_path, wrong):
    arguments, sentence = WRONG_USE[wrong]
    assert sentence in refused("run", "--out", tmp_path / "run", *arguments)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("wrong", ["misspelled-task", "unknown-option", "no-such-task-file"])
def test_wrong_use_is_refused_by_the_process_itself(tmp_path, wrong):
    arguments, sentence = WRONG_USE[wrong]
    done = harness("run", "--out", tmp_path / "run", *arguments)
    assert sentence in refusal(done)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        pytest.param(["rum"], "No such command 'rum'.", id="unknown-command"),
        pytest.param(
            ["show", "cats"],
            f"no task is named 'cats'; {plan.suggestion('cats', list(TASKS))}",
            id="show-unknown",
        ),
        pytest.param(["show"], "Missing argument 'TASK'.", id="show-nothing"),
        pytest.param(["list", "--tasks-from", NO_SUCH], f"{NO_SUCH}: no such file", id="list-no-file"),
        pytest.param(["compare", NO_SUCH], "Missing argument 'RUN_B'.", id="compare-one"),
    ],
)
def test_wrong_use_of_other_commands_is_refused(arguments, sentence):
    assert sentence in refused(*arguments)


def test_device_that_is_not_there_is_said(tmp_path):
    problem = environment.cuda_problem()
    if problem is None:
        pytest.skip("an NVIDIA device is here")
    assert refused(*RUN, tmp_path / "run", "--device", "cuda") == f"--device cuda: {problem}"


def test_device_that_is_hidden_is_said(tmp_path):
    hidden = os.environ | {"CUDA_VISIBLE_DEVICES": ""}
    sentence = refused(*RUN, tmp_path / "run", "--device", "cuda", env=hidden)
    assert sentence == "--device cuda: CUDA_VISIBLE_DEVICES hides every NVIDIA device"


def test_column_that_is_not_python_is_refused(tmp_path):
    file = tmp_path / "mine.py"
    file.write_text("import numpy\n\ndef setup(at)\n")
    assert refused("run", "-b", file) == f"backend {file}:3: SyntaxError: expected ':'"


def test_two_columns_of_one_name_are_refused(tmp_path):
    files = [tmp_path / home / "mine.py" for home in ("a", "b")]
    for file in files:
        file.parent.mkdir()
        file.touch()
    sentence = refused("run", "-b", files[0], "-b", files[1])
    assert sentence == f"two backends are named 'mine': {files[0]} and {files[1]}"


def test_task_file_that_is_no_good_is_refused_with_its_line():
    file = TASK_FILES / "misspelled.py"
    sentence = refused("run", "--tasks-from", file.relative_to(ROOT))
    assert sentence.startswith(f"{file.relative_to(ROOT)}:3: ImportError: cannot import name 'Quadratik'")


# --------------------------------------------------------------------------- the folder of a run


def test_folder_that_is_a_file_is_refused(tmp_path):
    file = tmp_path / "run"
    file.write_text("precious")
    assert refused(*RUN, file) == f"--out {file} is a file, expected a folder"
    assert file.read_text() == "precious"


def test_folder_with_other_files_is_refused_and_not_touched(tmp_path):
    for name in ("thesis.txt", "cells/a.json", "traces/b.npz", "logs/c.log"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("precious")
    before = snapshot(tmp_path)
    expected = f"--out {tmp_path} holds files but no run.json: not a run's folder, choose another"
    assert refused(*RUN, tmp_path) == expected
    assert refused(*RUN, tmp_path, "--resume") == f"nothing to resume: {tmp_path} has no run.json"
    assert snapshot(tmp_path) == before


@pytest.mark.parametrize("below", ["file/run", "file/run/deeper", "n" * 300])
def test_folder_that_cannot_be_made_is_refused(tmp_path, below):
    (tmp_path / "file").write_text("precious")
    assert f"--out {tmp_path / below} cannot be written: " in refused(*RUN, tmp_path / below)
    assert (tmp_path / "file").read_text() == "precious"


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is forbidden to root")
def test_folder_that_must_not_be_written_is_refused(tmp_path):
    tmp_path.chmod(0o500)
    assert refused(*RUN, tmp_path / "run") == f"--out {tmp_path / 'run'} cannot be written: Permission denied"


def test_nothing_to_resume_is_said(tmp_path):
    path = tmp_path / "run"
    assert refused(*RUN, path, "--resume") == f"nothing to resume: {path} has no run.json"
    assert not path.exists()


RUN_JSON = {
    "cut-off": (lambda content: content[: len(content) // 2], "is damaged: "),
    "empty": (lambda _: b"", "is damaged: "),
    "no-text": (lambda _: b"\xff\xfe\x00", "is damaged: "),
    "another-programs": (lambda _: b'{"name": "page", "version": 3}', "is not a samestep.run/4 file: "),
    "a-list": (lambda _: b"[1, 2]", "is not a samestep.run/4 file: "),
    "of-another-program": (
        lambda content: content.replace(b"samestep.run/4", b"others.run/1"),
        "is not a samestep.run/4 file: Invalid enum value 'others.run/1'",
    ),
    "with-a-field-missing": (
        lambda content: content.replace(b'"command"', b'"commands"'),
        "is not a samestep.run/4 file: Object",
    ),
    "with-a-wrong-value": (
        lambda content: content.replace(b'"threads": 1', b'"threads": "one"'),
        "is not a samestep.run/4 file: Expected `int",
    ),
}


@pytest.mark.parametrize("damage", RUN_JSON)
def test_run_json_that_is_no_good_is_refused_and_nothing_lost(finished, copied, damage):
    change, sentence = RUN_JSON[damage]
    file = copied / "run.json"
    assert change(file.read_bytes()) != file.read_bytes()
    file.write_bytes(change(file.read_bytes()))
    before = snapshot(copied)
    for command in ([*RUN, copied], [*RUN, copied, "--resume"], ["compare", finished, copied]):
        assert refused(*command).startswith(f"{file} {sentence}")
    assert snapshot(copied) == before


def test_run_of_an_earlier_version_is_set_aside_and_not_read(copied):
    file = copied / "run.json"
    earlier = file.read_bytes().replace(b"samestep.run/4", b"samestep.run/3")
    file.write_bytes(earlier)
    assert "is not a samestep.run/4 file" in refused(*RUN, copied, "--resume")
    assert "is not a samestep.run/4 file" in refused("compare", copied, copied)
    assert here(*RUN, copied).returncode == 0
    assert (copied.with_name(f"{copied.name}.previous") / "run.json").read_bytes() == earlier


@pytest.mark.parametrize("there", [True, False])
def test_compare_names_the_folder_that_has_no_run(finished, tmp_path, there):
    path = tmp_path if there else tmp_path / "nowhere"
    assert refused("compare", finished, path) == f"{path} is not a run's folder: it has no run.json"
    assert refused("compare", path, finished) == f"{path} is not a run's folder: it has no run.json"


# ------------------------------------------------------------------------------------- commands


@pytest.mark.parametrize("arguments", [["--help"], ["-h"], ["run", "--help"], ["--version"]], ids=" ".join)
def test_help_and_version(arguments):
    done = harness(*arguments)
    assert (done.returncode, done.stderr) == (0, "")
    assert "samestep, version" in done.stdout or "Usage: python -m harness" in done.stdout


def test_list_has_every_task_and_each_reason_once():
    done = harness("list", env=os.environ | {"COLUMNS": "80"})
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert max(map(len, lines)) <= 80
    shown = [line.split()[:2] for line in lines]
    short = {name for name in TASKS if len(name) <= overview.NAME}  # the names of others take two lines
    assert short
    assert all([name, "yes"] in shown or ["*", name] in shown for name in short)
    assert done.stdout.count("no RMSprop") == 1


def listed(tasks, titles):
    """What `list` prints of these tasks where names have the room that they have at 80 columns."""
    shown = io.StringIO()
    columns = [backends.COLUMNS[name] for name in ("numpy", "keras")]
    overview.print_table(tasks, columns, titles, Console(file=shown, width=53))
    return [line.rstrip() for line in shown.getvalue().splitlines() if line.strip()]


def test_list_groups_by_concept_and_marks_what_runs_by_default():
    task = TASKS["quadratic-rmsprop"]
    found = [
        replace(task, name="a", tags=("family", "concept")),
        replace(task, name="b", tags=("family", "default")),
        replace(task, name="c", tags=("default", "concept")),
        replace(task, name="d", tags=()),
        replace(task, name="-".join(["long"] * 12), tags=()),
    ]
    _, _, *rows = listed(found, {"concept": "A concept"})
    assert [" ".join(line.split()) for line in rows[:11]] == [
        "A concept, tag:concept",
        "a yes yes 1",
        "* c yes yes 1",
        "tag:family",
        "* b yes yes 1",
        "no tag",
        "d yes yes 1",
        "long-long-long-long-long-long-long- yes yes 1",
        "long-long-long-long-long",
        rows[9],
        rows[10],
    ]
    assert rows[-3].startswith("1: known difference: keras.optimizers.RMSprop divides")


def test_list_uses_the_width_there_is():
    done = here("list", env={"COLUMNS": "200"})
    assert all(f" {name} " in done.stdout for name in TASKS)
    assert f"\n{next(iter(CONCEPTS)).title}, tag:" in done.stdout
    assert [line for line in done.stdout.splitlines() if line != line.rstrip()] == []


@pytest.fixture
def table(monkeypatch):
    """A table of three tasks, of which nothing is computed here."""
    task = TASKS[TASK]
    found = {name: replace(task, name=name, tags=("quadratic",)) for name in ("one", "two", "three")}
    monkeypatch.setattr(tasks, "TASKS", found)
    return found


def test_default_tasks_run_where_none_is_asked_for(table):
    table["two"] = replace(table["two"], tags=("default",))
    assert list(plan.rows((), None)) == ["two"]
    assert list(plan.rows((), TASK_FILES / "mine.py")) == ["two", "mine-saddle"]
    assert list(plan.rows((), TASK_FILES / "mine.py", everything=True)) == [*table, "mine-saddle"]
    assert list(plan.rows(("t*", "tag:mine"), TASK_FILES / "mine.py")) == ["two", "three", "mine-saddle"]


def test_every_task_runs_where_none_is_the_default(table):
    assert list(plan.rows((), None)) == list(table)


def test_many_names_are_not_listed_in_a_sentence():
    assert plan.suggestion("zzz", ["a", "b"]) == "there are: a, b"
    assert plan.suggestion("zzz", ["task-1", *map(str, range(99))]) == "`list` names all 100"
    assert plan.suggestion("tusk-1", ["task-1", *map(str, range(99))]) == "did you mean task-1?"


@pytest.mark.parametrize("name", {task.model.program: name for name, task in TASKS.items()}.values())
def test_show_tells_of_every_kind_of_model(name):
    done = here("show", name, "-b", "numpy")
    assert (done.returncode, done.stderr) == (0, "")
    assert " ".join(TASKS[name].shows.split()) in " ".join(done.stdout.split())
    assert f"class {TASKS[name].model.program}" in done.stdout


def test_show_is_a_command():
    done = harness("show", TASK)
    assert (done.returncode, done.stderr) == (0, "")
    assert " ".join(TASKS[TASK].shows.split()) in " ".join(done.stdout.split())


def test_output_that_knows_only_ascii_is_no_obstacle():
    done = harness("list", env=os.environ | {"PYTHONIOENCODING": "ascii"})
    assert (done.returncode, done.stderr) == (0, "")
    assert "quadratic-adam" in done.stdout


def test_doctor_tells_of_every_backend():
    done = harness("doctor")
    assert (done.returncode, done.stderr) == (0, "")
    assert "numpy" in done.stdout and "processor" in done.stdout


def test_compare_of_a_run_with_itself_finds_no_change(finished):
    done = harness("compare", finished, finished)
    assert (done.returncode, done.stderr) == (0, "")
    assert [line for line in done.stdout.splitlines() if line] == [
        "Environment: no change",
        "Verdicts: no change",
        "Accuracy: no change",
        "Step times: no change",
        "Nothing changed.",
    ]


def test_compare_finds_what_became_worse(finished, copied):
    file = copied / "run.json"
    file.write_bytes(
        file.read_bytes().replace(b'"agreed"', b'"crashed"').replace(b'"threads": 1', b'"threads": 2')
    )
    worse = here("compare", finished, copied)
    assert (worse.returncode, worse.stderr) == (1, "")
    assert f"{TASK} × numpy (float64): agreed → crashed" in worse.stdout
    assert "threads: 1 → 2" in worse.stdout
    assert here("compare", copied, finished).returncode == 0


def test_compare_of_runs_without_a_common_cell_is_refused(finished, copied):
    file = copied / "run.json"
    file.write_text(file.read_text().replace(f'"task": "{TASK}"', '"task": "another"'))
    common = "the two runs have no cell in common: "
    assert refused("compare", finished, copied) == f"{common}{TASK} in the one, another in the other"


def test_console_script_is_declared():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["scripts"] == {"samestep": "harness.__main__:main"}


# ----------------------------------------------------------------------------------------- runs


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Runs of a few kinds."""
    unseeded = (
        "--tasks-from",
        TASK_FILES / "unseeded.py",
        "-t",
        "tag:unseeded",
        "-b",
        "numpy",
        "--no-timing",
    )
    noisy, wrong = (("-t", TASK, "-b", COLUMNS / f"{name}.py") for name in ("noisy", "stands_still"))
    return ran_here(
        tmp_path_factory.mktemp("runs"),
        {
            "unusual": (*noisy, "--no-timing", "--dtype", "float32", "--threads", 2),
            "wrong": (*wrong, "--no-timing"),
            "unseeded": unseeded,
            "quick": (*noisy, "--quick"),
            "cores": (*noisy, "--no-timing", "--all-cores"),
            "unlisted": ("-t", "small-adam", "-t", "random-12", "-b", "numpy", "--no-timing"),
            "undecided": ("-t", "perceptron-and", "-b", "numpy", "--dtype", "float32", "--no-timing"),
        },
    )


@pytest.fixture
def unusual(runs):
    """A run in float32 on two threads."""
    done = runs["unusual"].done
    assert (done.returncode, done.stderr) == (0, "")
    return folder.load(runs["unusual"].folder)


def test_quick_run_is_timed_and_indicative(runs):
    done, path = runs["quick"].done, runs["quick"].folder
    assert (done.returncode, done.stderr) == (0, "")
    reference, noisy = (cells(path)[TASK, backend]["timing"] for backend in ("numpy", "noisy"))
    rounds = len(reference["lanes"]["run"]["blocks_s"])
    assert 3 <= rounds <= 5
    assert len(reference["lanes"]["run"]["blocks_again_s"]) == rounds
    for timing in (reference, noisy):
        assert list(timing["lanes"]) == ["run", "step"]
        assert timing["no_lane"] == {"fit": "the column's Function has no trainer of its own"}
        assert 10 < timing["import_rss_mb"] <= timing["built_rss_mb"] <= timing["peak_rss_mb"] * 1.1
        assert min(timing[name] for name in ("start_s", "import_s", "first_step_s", "second_step_s")) > 0
        for lane in timing["lanes"].values():
            assert len(lane["blocks_s"]) == len(lane["cpu_s"]) == len(lane["disturbed"]) == rounds
            assert min(lane["blocks_s"]) > 0.01
            assert lane["steps_per_block"] > 0
            low, middle, high = lane["ratio_to_reference"]
            assert 0 < low <= middle <= high
    assert reference["lanes"]["run"]["verdict"] == "reference"
    for lane in (*noisy["lanes"].values(), reference["lanes"]["step"]):
        assert lane["verdict"].startswith("indicative: ")
        assert lane["blocks_again_s"] == []
    assert (path / "timings.pyperf.json").is_file()


def test_all_cores_are_compared_beside_one_thread(runs):
    done, path = runs["cores"].done, runs["cores"].folder
    assert (done.returncode, done.stderr) == (0, "")
    found = [(cell.backend, cell.threads, cell.status) for cell in folder.load(path).cells]
    assert found == [(name, n, "agreed") for n in (1, os.cpu_count()) for name in ("numpy", "noisy")]


def test_as_many_cores_as_threads_are_refused():
    told = refused("run", "-t", TASK, "-b", "numpy", "--threads", os.cpu_count(), "--all-cores")
    assert f"--all-cores: there are {os.cpu_count()}, the same as --threads" in told


def test_two_threads_are_given_to_the_worker(unusual):
    assert unusual.environment.threads == 2
    assert {cell.threads for cell in unusual.cells} == {2}
    assert "2 thread(s)" in unusual.environment.workers["numpy"].values()


def test_float32_is_compared_with_the_reference_in_float64(unusual):
    found = {(cell.backend, cell.dtype): cell for cell in unusual.cells}
    assert {key: cell.status for key, cell in found.items()} == dict.fromkeys(
        [("numpy", "float64"), ("numpy", "float32"), ("noisy", "float32")], "agreed"
    )
    own, other = (found["numpy", dtype].parity.quantities["param"] for dtype in ("float64", "float32"))
    assert own.max_rel == 0
    assert 0 < other.max_rel < other.tolerance < 1e-3


def test_column_that_goes_wrong_makes_exit_code_1(runs):
    done = runs["wrong"].done
    assert (done.returncode, done.stderr) == (1, "")
    found = cells(runs["wrong"].folder)[TASK, "stands_still"]
    assert found["status"] == "diverged"
    assert found["reason"].startswith("from step 0, loss differs")


def test_tasks_that_are_no_rows_run_by_their_names(runs):
    done = runs["unlisted"].done
    assert (done.returncode, done.stderr) == (0, "")
    found = {key: cell["status"] for key, cell in cells(runs["unlisted"].folder).items()}
    assert found == {("small-adam", "numpy"): "agreed", ("random-12", "numpy"): "agreed"}
    assert "random-12" in (runs["unlisted"].folder / "report.html").read_text()


def test_run_that_cannot_tell_makes_exit_code_4(runs):
    """A row of AND comes to lie on the boundary, where rounding decides its class."""
    done = runs["undecided"].done
    assert (done.returncode, done.stderr) == (4, "")
    (found,) = (cell for cell in folder.load(runs["undecided"].folder).cells if cell.dtype == "float32")
    assert (found.status, found.causes) == ("inconclusive", [])
    assert found.parity.first_divergence is None
    assert f"from step {found.parity.first_undecided} rounding alone may grow" in found.reason


def test_task_that_is_drawn_without_a_seed_fails_with_the_reason(runs):
    assert runs["unseeded"].done.returncode == 3
    assert "its file draws without a seed" in cells(runs["unseeded"].folder)["unseeded", "numpy"]["reason"]


def test_own_task_on_an_own_column_from_another_folder(tmp_path):
    """Whatever files lie where the user is."""
    for name in ("tasks.py", "numpy.py", "harness.py", "json.py"):
        (tmp_path / name).write_text("raise RuntimeError('not this one')")
    shutil.copy(TASK_FILES / "mine.py", tmp_path / "my_tasks.py")
    shutil.copy(COLUMNS / "noisy.py", tmp_path / "mine.py")
    start = [sys.executable, "-c", "from harness.__main__ import main; main()"]
    what = [
        "run",
        "--tasks-from",
        "my_tasks.py",
        "-t",
        "tag:mine",
        "-b",
        "mine.py",
        "--no-timing",
        "--out",
        "run",
    ]
    done = subprocess.run(
        [*start, *what],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT), "PYTHONSAFEPATH": "1"},  # as when it is installed
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert {key: cell["status"] for key, cell in cells(tmp_path / "run").items()} == {
        ("mine-saddle", "numpy"): "agreed",
        ("mine-saddle", "mine"): "agreed",
    }


def test_harness_itself_imports_no_framework_and_stays_small(tmp_path):
    """After a whole run with its reports, in the very process."""
    code = """
import json, sys
from harness.__main__ import main
try:
    main()
finally:
    frameworks = {"sklearn", "tensorflow", "keras", "torch"} & set(sys.modules)
    status = open("/proc/self/status").read()  # getrusage would count the caller of this process
    size = int(status.partition("VmHWM:")[2].split()[0]) / 1024
    print(json.dumps([sorted(frameworks), size]), file=sys.stderr)
"""
    arguments = ["run", "-t", "xor-learns", "-t", TASK, "-b", "sklearn", "--quick", "--out", str(tmp_path)]
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done
    frameworks, megabytes = json.loads(done.stderr)
    assert frameworks == []
    assert megabytes < 300
    assert (tmp_path / "report.html").is_file()
    assert workers(tmp_path) == []
