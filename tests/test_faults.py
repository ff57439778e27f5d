"""What goes wrong in a backend goes well: the cell says what happened, and every other cell is untouched."""

import resource

import junitparser
import pytest
from command import COLUMNS, TASK_FILES, Ran, cells, end_workers, finish, harness, ran_here, start, workers

TASKS = ("quadratic-gd", "quadratic-momentum", "quadratic-rmsprop", "quadratic-adam")
UNLUCKY = "quadratic-momentum"  # where the columns that break in one task break
START_LIMIT_S, LIMIT_S = 10, 8  # many times what anything takes that does not hang

# Column: the status of the cell that breaks, its reason, and what its details tell.
BREAKING = {
    "segfault": ("crashed", "the worker was ended by SIGSEGV", "segfault.py"),
    "killed": ("crashed", "the worker was ended by SIGKILL", ""),
    "exits": ("crashed", "the worker ended with exit code 7", ""),
    "forks": ("crashed", "the worker was ended by SIGABRT", "forks.py"),
    "breaks_off": ("crashed", "the worker ended with exit code 0", ""),
    "hangs_in_c": ("timed out", f"the request took longer than {LIMIT_S} s", "hangs_in_c.py"),
    "hangs_deaf": ("timed out", f"the request took longer than {LIMIT_S} s", "hangs_deaf.py"),
    "raises": ("failed", "ArithmeticError: this column cannot do [momentum]", "raises.py"),
    "garbles": ("failed", "sent a line that is no reply", ""),
    "floods": ("failed", "sent a line that is no reply", ""),
    "answers_wrongly": ("failed", "sent a reply to another question, expected Recorded", ""),
    "unsupporting": ("unsupported", "this framework has no momentum", None),
}
# Column: the status of all its cells, their reason and details.
NOT_STARTING = {
    "dies_at_start": ("crashed", "the worker was ended by SIGABRT", "illegal instruction, or so"),
    "not_installed": (
        "missing",
        "a_framework_that_nobody_has is not installed: pip install a_framework_that_nobody_has",
        None,
    ),
    "no_setup": (
        "failed",
        "no_setup.py defines no setup(at); backends/base.py lists what a column has",
        None,
    ),
    "says_nothing": ("failed", "says_nothing.py: setup returned None, expected what it runs on", None),
    "half_installed": ("failed", "No module named 'json.accelerated'", "half_installed.py"),
    "old_framework": ("failed", "ImportError: cannot import name 'this_came_later'", "old_framework.py"),
}
# Task: how its trace was damaged on its way to the disk, and what the cell says.
DAMAGED = {
    "quadratic-gd": "File is not a zip file",
    "quadratic-momentum": "File is not a zip file",
    "quadratic-rmsprop": "Bad CRC-32",
    "quadratic-adam": "KeyError: 'loss'",
}
ALL = [*BREAKING, *NOT_STARTING, "noisy", "cuts_traces_off"]
TIMED = ("breaks_when_timed", "breaks_in_a_block", "does_nothing", "runs_otherwise", "has_a_trainer")


def of(*columns):
    """The options that choose these columns."""
    return [option for column in columns for option in ("-b", COLUMNS / f"{column}.py")]


def tasks(*names):
    """The options that choose these tasks."""
    return [option for name in names for option in ("-t", name)]


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """The runs that this file is about; two wait for what hangs, and meanwhile the others are run."""
    compare = (*tasks(*TASKS), "--no-timing")
    hanging = {
        "broken": (*compare, *of(*ALL), "--limit", LIMIT_S),
        "slow": (*compare, *of("slow_start"), "--start-limit", START_LIMIT_S),
    }
    wrong = ("--tasks-from", TASK_FILES / "wrong.py", "-t", "tag:wrong", *of("wrong_observations"))
    others = {
        "timed": (*tasks(TASKS[0], UNLUCKY), *of(*TIMED), "--quick", "--limit", 20),
        "wrong": (*wrong, "--no-timing"),
        "missing": (*compare, *of("not_installed")),
        "no-reference": (*compare, *of("noisy"), "--python", "numpy=false"),
    }
    home = tmp_path_factory.mktemp("runs")
    started = {name: start("run", *what, "--out", home / name) for name, what in hanging.items()}
    try:
        found = ran_here(home, others)
        yield found | {name: Ran(finish(process), home / name) for name, process in started.items()}
    finally:
        for process in started.values():
            process.kill()
        end_workers(home)


@pytest.fixture
def broken(runs):
    """Columns that break while they are compared."""
    return runs["broken"]


@pytest.fixture
def timed(runs):
    """Columns that break while they are timed."""
    return runs["timed"]


@pytest.fixture
def wrong(runs):
    """A column that shows wrong things."""
    return runs["wrong"]


def assert_says(cell, status, reason, details):
    assert cell["status"] == status
    assert reason in cell["reason"]
    if details is None:
        assert cell["details"] is None
    else:
        assert details in cell["details"]


@pytest.mark.parametrize("column", BREAKING)
def test_cell_that_breaks_says_how(broken, column):
    assert_says(cells(broken.folder)[UNLUCKY, column], *BREAKING[column])


@pytest.mark.parametrize("column", ["numpy", *BREAKING])
def test_other_cells_of_a_backend_that_breaks_are_untouched(broken, column):
    found = cells(broken.folder)
    others = [task for task in TASKS if column == "numpy" or task != UNLUCKY]
    assert {task: found[task, column]["status"] for task in others} == dict.fromkeys(others, "agreed")
    assert all((broken.folder / found[task, column]["trace"]).is_file() for task in others)


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("column", NOT_STARTING)
def test_every_cell_of_a_backend_that_does_not_start_says_why(broken, column, task):
    assert_says(cells(broken.folder)[task, column], *NOT_STARTING[column])


@pytest.mark.parametrize("task", TASKS)
def test_every_cell_of_a_backend_that_never_starts_says_so(runs, task):
    reason = f"starting took longer than {START_LIMIT_S} s"
    assert_says(cells(runs["slow"].folder)[task, "slow_start"], "timed out", reason, "slow_start.py")


@pytest.mark.parametrize("task", DAMAGED)
def test_damaged_trace_fails_its_cell(broken, task):
    cell = cells(broken.folder)[task, "cuts_traces_off"]
    assert_says(cell, "failed", DAMAGED[task], "Traceback")
    assert f"trace traces/{task}.cuts_traces_off.float64.npz: " in cell["reason"]


def test_what_a_backend_prints_disturbs_nothing(broken):
    found = cells(broken.folder)
    assert {found[task, "noisy"]["status"] for task in TASKS} == {"agreed"}
    log = (broken.folder / "logs" / "noisy.float64.log").read_bytes()
    assert b"\xff\xfe \x1b[31m \x00 no newline" in log
    assert "█████" in log.decode(errors="replace")


def test_run_with_broken_cells_ends_in_order(broken):
    done, folder = broken.done, broken.folder
    assert done.returncode == 3
    assert done.stderr == ""
    assert "SIGSEGV" in done.stdout
    assert f"Report: {folder / 'report.html'}" in done.stdout.replace("\n", "")


def test_all_reports_tell_of_broken_cells(broken):
    folder = broken.folder
    assert "SIGSEGV" in (folder / "report.html").read_text()
    assert "SIGSEGV" in (folder / "summary.md").read_text()
    suites = {suite.name: suite for suite in junitparser.JUnitXml.fromfile(str(folder / "junit.xml"))}
    assert [suites[name].errors for name in ("segfault", "dies_at_start", "noisy")] == [1, len(TASKS), 0]


def test_no_worker_is_left_over(broken):
    assert workers(broken.folder) == []
    assert not list((broken.folder / "logs").glob("*.cache"))


def test_framework_that_is_not_installed_is_no_failure(runs):
    done, folder = runs["missing"].done, runs["missing"].folder
    assert (done.returncode, done.stderr) == (0, "")
    assert {cells(folder)[task, "not_installed"]["status"] for task in TASKS} == {"missing"}
    assert "pip install a_framework_that_nobody_has" in " ".join(done.stdout.split())


def test_reference_that_does_not_start_leaves_nothing_to_compare_with(runs):
    assert runs["no-reference"].done.returncode == 3
    found = cells(runs["no-reference"].folder)
    for task in TASKS:
        assert_says(found[task, "numpy"], "crashed", "the worker ended with exit code 1", "")
        assert_says(found[task, "noisy"], "failed", "nothing to compare with: the reference, numpy", None)


# -------------------------------------------------------------------------------------- timing


@pytest.mark.parametrize(
    ("column", "status", "reason", "details"),
    [
        (
            "breaks_when_timed",
            "crashed",
            "while timing: the worker was ended by SIGSEGV",
            "breaks_when_timed.py",
        ),
        ("breaks_in_a_block", "failed", "while timing: RuntimeError: out of steam", "breaks_in_a_block.py"),
    ],
)
def test_backend_that_breaks_only_while_it_is_timed_says_so(timed, column, status, reason, details):
    cell = cells(timed.folder)[UNLUCKY, column]
    assert_says(cell, status, reason, details)
    assert cell["timing"] is None
    assert cell["parity"]["first_divergence"] is None  # what was found before stays


@pytest.mark.parametrize("column", ["numpy", *TIMED])
def test_other_cells_are_timed_all_the_same(timed, column):
    found = cells(timed.folder)
    lane = "step" if column == "runs_otherwise" else "run"
    assert found["quadratic-gd", column]["timing"]["lanes"][lane]["blocks_s"]
    assert found[UNLUCKY, "numpy"]["timing"]["lanes"]["run"]["blocks_s"]


@pytest.mark.parametrize("lane", ["run", "fit"])
def test_lane_that_comes_to_something_else_is_not_timed(timed, lane):
    timing = cells(timed.folder)["quadratic-gd", "runs_otherwise"]["timing"]
    assert list(timing["lanes"]) == ["step"]
    assert timing["no_lane"][lane].startswith("not timed: its first epochs differ from single steps by ")


def test_trainer_is_a_lane_of_its_own_where_it_can_do_the_task(timed):
    found = cells(timed.folder)
    can, cannot = (found[task, "has_a_trainer"]["timing"] for task in ("quadratic-gd", UNLUCKY))
    assert can["lanes"]["fit"]["agrees_to"] == 0 and not can["no_lane"]
    assert list(cannot["lanes"]) == ["run", "step"]
    assert cannot["no_lane"] == {"fit": "it was only taught gradient descent"}


def test_program_that_takes_no_time_does_not_grow_its_blocks_for_ever(timed):
    cell = cells(timed.folder)["quadratic-gd", "does_nothing"]
    assert cell["status"] == "agreed"
    assert 2**19 < cell["timing"]["lanes"]["run"]["steps_per_block"] <= 2**20
    assert cell["timing"]["peak_rss_mb"] < 500


def test_run_that_breaks_while_timing_ends_in_order(timed):
    done, folder = timed.done, timed.folder
    assert (done.returncode, done.stderr) == (3, "")
    assert workers(folder) == []


# -------------------------------------------------------------------------------- observations

WRONG = {
    "loss-is-nan": (
        "diverged",
        "from step 0, in a single step from the reference's state, loss is not finite",
    ),
    "loss-is-float32": ("diverged", "loss"),
    "loss-too-short": ("failed", "run returned losses of shape (0,), expected (1,)"),
    "loss-too-long": ("failed", "run returned losses of shape (2,), expected (1,)"),
    "loss-has-two-axes": ("failed", "run returned losses of shape (1, 1), expected (1,)"),
    "loss-is-none": ("failed", "loss has dtype object, expected real numbers"),
    "gradient-is-nan": ("diverged", "from step 0, grad/w[0] is not finite"),
    "gradient-is-missing": ("diverged", "from step 0, grad/w is missing"),
    "gradient-is-float32": ("diverged", "from step 0, grad/w has dtype float32, expected float64"),
    "gradient-has-another-name": ("diverged", "from step 0, grad/w is missing"),
    "parameter-is-nan": ("diverged", "from step 0, param/w[0] is not finite"),
    "parameter-is-inf": ("diverged", "from step 0, param/w[0] is not finite"),
    "parameter-is-nan-at-the-end": ("diverged", "from step 20, param/w[0] is not finite"),
    "parameter-is-missing": ("diverged", "from step 0, param/w is missing"),
    "parameter-is-missing-at-the-end": ("failed", "param/w was shown at 20 of 21 observed steps"),
    "parameter-is-missing-at-the-start": ("failed", "param/w was shown at 20 of 21 observed steps"),
    "parameter-is-a-column": ("diverged", "from step 0, param/w has shape (2, 1), expected (2,)"),
    "parameter-is-empty": ("diverged", "from step 0, param/w has shape (0,), expected (2,)"),
    "parameter-is-float32": ("diverged", "from step 0, param/w has dtype float32, expected float64"),
    "parameter-is-whole": ("diverged", "from step 0, param/w has dtype int64, expected float64"),
    "parameter-is-complex": ("failed", "param/w has dtype complex128, expected real numbers"),
    "parameter-is-text": ("failed", "param/w has dtype <U"),
    "parameter-is-an-object": ("failed", "param/w has dtype object, expected real numbers"),
    "parameter-is-reversed": ("diverged", "from step 0, param/w[0] differs: 1 instead of 2"),
    "parameter-is-one-too-many": ("diverged", "from step 0, param/v is not in the reference"),
    "state-is-missing": ("diverged", "from step 0, state/velocity/w is missing"),
    "state-is-float32": ("diverged", "state/velocity/w"),
    "state-is-nan": ("diverged", "from step 0, state/velocity/w[0] is not finite"),
    "state-has-the-other-sign": ("diverged", "from step 1, state/velocity/w[1] differs"),
    "scores-are-a-column": ("diverged", "from step 9, predict_train has shape (15, 1), expected (15,)"),
    "scores-are-nan": ("diverged", "from step 9, predict_train[0] is not finite"),
    "scores-are-too-few": ("diverged", "from step 9, predict_train has shape (14,), expected (15,)"),
    "scores-are-classes": ("diverged", "from step 9, predict_"),
}


@pytest.mark.parametrize("task", WRONG)
def test_wrong_observation_never_agrees(wrong, task):
    status, reason = WRONG[task]
    cell = cells(wrong.folder)[task, "wrong_observations"]
    assert cell["status"] == status
    assert reason in cell["reason"]


@pytest.mark.parametrize(
    ("task", "looks"),
    [
        ("parameter-is-reversed", "its elements are the reference's in another order"),
        ("parameter-is-a-column", "it is the reference's in another shape"),
    ],
)
def test_cause_that_is_not_known_comes_with_how_the_difference_looks(wrong, task, looks):
    cell = cells(wrong.folder)[task, "wrong_observations"]
    assert cell["reason"].endswith(f"cause not known, but {looks}")


def test_every_task_with_a_fault_is_looked_at_and_sound_ones_agree(wrong):
    found = {
        task: cell["status"] for (task, backend), cell in cells(wrong.folder).items() if backend != "numpy"
    }
    assert {task for task, status in found.items() if status == "agreed"} == {"sound", "sound-network"}
    assert found.keys() - WRONG.keys() == {"sound", "sound-network"}


def test_page_is_drawn_from_wrong_observations_too(wrong):
    done, folder = wrong.done, wrong.folder
    assert (done.returncode, done.stderr) == (3, "")
    assert "could not be written" not in done.stdout
    assert "scores-are-a-column" in (folder / "report.html").read_text()


# ----------------------------------------------------------------------------------- full disk


def limit_files(size):
    """What makes every write beyond this size fail, as on a disk that is full."""
    return lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))


def test_full_disk_loses_only_the_cell_in_hand(tmp_path):
    what = ("-t", "quadratic-gd", "-t", "tag:sizes", "--tasks-from", TASK_FILES / "sizes.py")
    options = ("-b", COLUMNS / "noisy.py", "--no-timing", "--out", tmp_path / "run")
    done = harness("run", *what, *options, preexec_fn=limit_files(64 * 1024))
    assert done.returncode == 3
    assert "Traceback" not in done.stdout + done.stderr
    found = cells(tmp_path / "run")
    reason = "large.numpy.float64.npz could not be written: File too large"
    assert_says(found["large", "numpy"], "failed", reason, None)
    assert_says(found["large", "noisy"], "failed", "nothing to compare with: the reference, numpy", None)
    for column in ("numpy", "noisy"):
        assert {found[task, column]["status"] for task in ("quadratic-gd", "small")} == {"agreed"}
    assert "report.html could not be written: File too large" in done.stdout.replace("\n", "")
    traces = sorted(file.name for file in (tmp_path / "run" / "traces").iterdir())
    sound = ("quadratic-gd", "small")  # of the others, nothing half written is left
    assert traces == sorted(f"{task}.{column}.float64.npz" for task in sound for column in ("numpy", "noisy"))


def test_full_disk_at_the_start_is_said_at_once(tmp_path):
    done = harness("run", "-t", "quadratic-gd", "--out", tmp_path / "run", preexec_fn=limit_files(10))
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"Error: --out {tmp_path / 'run'} cannot be written: File too large\n"
