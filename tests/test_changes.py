"""What `compare` says of two runs: of verdicts, accuracy and times, in lines, as JSON and as a page."""

import io
import os
import re
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace

import altair as alt
import msgspec
import numpy as np
import pytest
from command import here, refused
from msgspec.structs import replace
from pages import Parsed, opened
from rich.console import Console

import backends
from backends.base import Placement
from harness import changes, folder
from harness.plan import Spot
from harness.race import Race
from harness.report import changes as report
from harness.result import (
    SCHEMA,
    Cause,
    Cell,
    Difference,
    Environment,
    Lane,
    Parity,
    Result,
    Timing,
    encode,
)
from harness.session import Session
from harness.timing import QUICK_ROUNDS, ROUNDS

ENVIRONMENT = Environment("3.11", "Linux", "any", 2, 8.0, 1, "cpu", {}, {})
NOISE = 0.005  # of a block, as a share of its time


def lane(step_s, seed, rounds=ROUNDS, steps=100, again=False, disturbed=()):
    """Blocks of so many steps, each of which takes about that long."""
    rng = np.random.default_rng(seed)
    blocks, second = step_s * steps * np.exp(rng.normal(scale=NOISE, size=(2, rounds)))
    return Lane(
        steps_per_block=steps,
        blocks_s=blocks.tolist(),
        blocks_again_s=second.tolist() if again else [],
        cpu_s=blocks.tolist(),
        disturbed=[number in disturbed for number in range(rounds)],
        steady=True,
        ratio_to_reference=[1.0, 1.0, 1.0],
        verdict="reference" if again else "slower",
        agrees_to=0.0,
    )


def timed(backend, **lanes):
    found = Timing(0.1, 0.1, 0.1, 0.1, 0.1, 0.5, lanes, {}, 1.0, 1.0, 1.0)
    return Cell("xor", backend, "float64", "cpu", 1, "agreed", backend, timing=found)


def run(seed=0, speed=1.0, rounds=ROUNDS, **lanes):
    """A run of the reference, and of torch in these lanes, on a machine of some speed."""
    reference = lane(1e-5 / speed, seed, rounds, again=True)
    cells = [timed("numpy", run=reference), timed("torch", **lanes)]
    return Result(SCHEMA, "2026-01-01", 1.0, True, [], "numpy", ENVIRONMENT, {}, cells)


def said(a, b):
    """The lines on step times."""
    assert changes.find(a, b).exit_code() == 0  # slower is not worse
    lines = printed(a, b, 200).partition("Step times:")[2].splitlines()[:-1]  # the last is the sentence
    return [line.strip() for line in lines if line.strip()]


def printed(a, b, width=80):
    shown = io.StringIO()
    report.print_changes(changes.find(a, b), Console(file=shown, width=width))
    return shown.getvalue()


BEFORE = run(seed=1, run=lane(1e-4, 2))


@pytest.mark.parametrize(
    ("factor", "word", "percent"),
    [(1.05, "slower", 5), (0.95, "faster", 5), (3.0, "slower", 200)],
)
def test_a_change_is_told_with_its_size_and_interval(factor, word, percent):
    change, others = said(BEFORE, run(seed=3, run=lane(factor * 1e-4, 4)))
    start, _, size = change.partition(" by ")
    assert start == f"xor × torch, run: {word}"
    middle, low, high = map(float, re.fullmatch(r"(\S+) % \((\S+)–(\S+) %\)", size).groups())
    assert low < middle < high
    assert middle == pytest.approx(percent, abs=1 * factor)
    assert high - low == pytest.approx(5.7 * factor, rel=0.05)
    assert others.startswith(f"of 1 compared: {int(factor > 1)} slower, {int(factor < 1)} faster")


def test_what_did_not_change_is_counted():
    (others,) = said(BEFORE, run(seed=3, run=lane(1e-4, 4)))
    assert others == "of 1 compared: 0 slower, 0 faster, 1 with no difference seen, 0 too noisy to tell"


def test_the_speed_of_the_machine_cancels():
    (others,) = said(BEFORE, run(seed=3, speed=2.0, run=lane(0.5e-4, 4)))
    assert "1 with no difference seen" in others


def test_blocks_of_another_number_of_steps_are_compared_by_the_step():
    (others,) = said(BEFORE, run(seed=3, run=lane(1e-4, 4, steps=130)))
    assert "1 with no difference seen" in others


def test_the_reference_counts_with_both_its_blocks():
    reference = lane(1e-5, 3, again=True)
    slow = replace(reference, blocks_again_s=[1.21 * block for block in reference.blocks_again_s])
    after = replace(BEFORE, cells=[timed("numpy", run=slow), timed("torch", run=lane(1.1e-4, 4))])
    (others,) = said(BEFORE, after)
    assert "1 with no difference seen" in others


def test_each_lane_is_judged_by_itself():
    a = run(run=lane(1e-4, 1), step=lane(2e-4, 2), fit=lane(3e-4, 3))
    b = run(run=lane(1e-4, 4), step=lane(2.2e-4, 5))
    change, others = said(a, b)
    assert change.startswith("xor × torch, step: slower by ")
    assert others.startswith("of 2 compared: 1 slower")


def test_slower_lanes_come_first_then_faster_ones_each_by_what_is_sure():
    a = run(seed=1, run=lane(1e-4, 2), step=lane(1e-4, 3), fit=lane(1e-4, 4))
    b = run(seed=5, run=lane(0.8e-4, 6), step=lane(1.2e-4, 7), fit=lane(1.4e-4, 8))
    order = [(one.lane, one.word) for one in changes.find(a, b).times]
    assert order == [("fit", "slower"), ("step", "slower"), ("run", "faster")]


def test_noise_is_told():
    wild = lane(1e-4, 4)
    blocks = [block * (2 if number % 2 else 1) for number, block in enumerate(wild.blocks_s)]
    (others,) = said(BEFORE, run(seed=3, run=replace(wild, blocks_s=blocks)))
    assert "1 too noisy to tell" in others


def test_disturbed_rounds_are_left_out():
    slow = lane(1e-4, 4, disturbed=range(4))
    blocks = [block * (2 if number < 4 else 1) for number, block in enumerate(slow.blocks_s)]
    (others,) = said(BEFORE, run(seed=3, run=replace(slow, blocks_s=blocks)))
    assert "1 with no difference seen" in others


def test_few_rounds_are_indicative():
    change, _ = said(BEFORE, run(3, rounds=QUICK_ROUNDS, run=lane(1.5e-4, 4, QUICK_ROUNDS)))
    assert change.startswith("xor × torch, run: indicative: slower by ")


@pytest.mark.parametrize("rounds", [0, 1])
def test_a_round_alone_is_not_judged(rounds):
    assert said(BEFORE, run(3, rounds=rounds, run=lane(1e-4, 4, rounds))) == ["no change"]


# -------------------------------------------------------------------------- verdicts and accuracy


def cell(backend="torch", task="xor", status="agreed", size=None, **more):
    """A cell that differs from the reference by so much."""
    sizes = {"param": Difference(size, size, None, None, None, "param/w", 1, "rounding")}
    parity = None if size is None else Parity("numpy", sizes, {}, [], None, None, 3)
    places = {"dtype": "float64", "device": "cpu", "threads": 1, "identity": "x"} | more
    return Cell(task, backend, status=status, parity=parity, **places)


def result(*cells, versions=None, **more):
    of = replace(ENVIRONMENT, versions=versions or {})
    first = cell("numpy")
    return replace(Result(SCHEMA, "2026-01-01", 1.0, True, [], "numpy", of, {}, [first, *cells]), **more)


def sentence(a, b):
    return report.sentence(changes.find(a, b))


@pytest.mark.parametrize(
    ("before", "after", "direction"),
    [
        ("agreed", "diverged", "worse"),
        ("known difference", "inconclusive", "worse"),
        ("inconclusive", "timed out", "worse"),
        (None, "diverged", "worse"),
        ("diverged", "agreed", "better"),
        ("crashed", "inconclusive", "better"),
        ("agreed", "known difference", "other"),
        ("agreed", "missing", "other"),
        ("diverged", "crashed", "other"),
        ("diverged", None, "other"),
        (None, "agreed", "other"),
    ],
)
def test_a_verdict_changes_for_the_better_or_the_worse_or_neither(before, after, direction):
    a, b = (result(*([cell(status=status)] if status else [])) for status in (before, after))
    (found,) = changes.find(a, b).verdicts
    assert (found.before, found.after, found.direction) == (before, after, direction)
    assert changes.find(a, b).exit_code() == int(direction == "worse")


def test_another_cause_is_a_change_and_neither_better_nor_worse():
    one, other = (cell(status="diverged", causes=[Cause("id", words, 0.0)]) for words in ("this", "that"))
    (found,) = changes.find(result(one), result(other)).verdicts
    assert (found.direction, found.causes_before, found.causes) == ("other", ["this"], ["that"])
    assert "diverged as before, but for another cause: the cause is proved: that; before: this" in printed(
        result(one), result(other), 200
    )
    assert changes.find(result(one), result(one)).verdicts == []


def test_what_is_worse_comes_first_and_what_is_alike_in_one_line():
    tasks = ("a", "b", "c", "d", "e")
    a = result(*(cell(task=task) for task in tasks), cell("keras", status="failed"))
    b = result(*(cell(task=task, status="diverged", reason="differs") for task in tasks), cell("keras"))
    lines = printed(a, b, 200).partition("Verdicts:")[2].splitlines()
    assert lines[1].strip() == "a, b, c and 2 more × torch (float64): agreed → diverged: differs"
    assert lines[2].strip() == "xor × keras (float64): failed → agreed"


@pytest.mark.parametrize(
    ("before", "after", "is_told"),
    [
        (1e-15, 1.1e-14, True),
        (1e-15, 0.9e-14, False),
        (0.0, 9 * 2.0**-52, False),
        (0.0, 11 * 2.0**-52, True),
        (1e-14, 1e-15, False),
    ],
)
def test_accuracy_that_is_ten_times_worse_is_told(before, after, is_told):
    found = changes.find(result(cell(size=before)), result(cell(size=after)))
    assert [(one.before, one.after, one.quantity) for one in found.accuracy] == (
        [(before, after, "param")] * is_told
    )
    assert found.exit_code() == 0


def test_accuracy_of_what_diverged_is_told_by_its_verdict():
    a, b = result(cell(size=1e-15)), result(cell(size=1e-3, status="diverged"))
    assert changes.find(a, b).accuracy == []
    further = result(cell(size=1e-1, status="diverged"))
    assert changes.find(b, further).accuracy == []


# ------------------------------------------------------------------------------------- sentence


def test_sentence_tells_time_verdicts_and_environment():
    a, b = run(seed=1, run=lane(1e-4, 2)), run(seed=3, run=lane(1.05e-4, 4))
    a, b = (
        replace(one, environment=replace(ENVIRONMENT, versions={"torch": version}))
        for one, version in ((a, "2.12"), (b, "2.13"))
    )
    assert re.fullmatch(
        r"PyTorch became slower by 5\.\d % \(\d\.\d–\d\.\d %\) in run on xor; nothing diverges that did "
        r"not before; the environment differs in torch 2\.12 → 2\.13, so timings may too\.",
        sentence(a, b),
    )


def test_sentence_tells_the_worst_first():
    cause = [Cause("id", "a mean for a sum", 0.0)]
    a = result(*(cell(task=task) for task in "abcde"), cell("keras", status="diverged"))
    b = result(
        *(cell(task=task, status="diverged", causes=cause) for task in "abcd"),
        cell(task="e", status="inconclusive"),
        cell("keras"),
        cell("sklearn"),
        complete=False,
    )
    assert sentence(a, b) == (
        "The second run is unfinished. PyTorch diverges on a, b, c and 1 more (a mean for a sum); PyTorch "
        "cannot be told to agree on e; 1 cell got better; 1 cell is in only one of the runs; the environment "
        "is the same."
    )


def test_sentence_where_nothing_is_worse():
    assert sentence(result(cell()), result(cell())) == "Nothing changed."
    assert sentence(result(versions={"torch": "1"}), result(versions={"torch": "2"})) == (
        "Nothing diverges that did not before; the environment differs in torch 1 → 2."
    )
    assert sentence(result(cell(status="failed")), result(cell(status="diverged"))) == (
        "1 verdict changed for neither better nor worse; the environment is the same."
    )
    assert sentence(BEFORE, BEFORE) == (
        "Nothing diverges that did not before; of 1 step time none is seen to have changed; the environment "
        "is the same."
    )


@pytest.mark.parametrize("width", [80, 200])
def test_lines_fit_the_terminal_and_say_nothing_twice(width):
    reason = "step 3: " + "w1 differs by a lot, " * 12
    a = result(*(cell(task=task) for task in "ab"), versions={"torch": "1"})
    b = result(*(cell(task=task, status="diverged", reason=reason) for task in "ab"), versions={"torch": "2"})
    text = printed(a, b, width)
    assert max(map(len, text.splitlines())) <= width
    assert text.count("step 3") == 1


def test_terminal_is_not_told_what_it_would_obey():
    a = result(cell(), versions={"torch": "1"})
    b = result(cell(status="failed", reason="[bold]x[/] \x1b[31mred"), versions={"torch": "\x1b[31m2"})
    text = printed(a, b, 200)
    assert "torch: 1 → 2" in text
    assert "[bold]x[/] red" in text


# --------------------------------------------------------------------------------- JSON and page

HOSTILE = "<script>alert(1)</script>"


def stored(path, run):
    path.mkdir()
    (path / "run.json").write_bytes(encode(run))
    return path


@pytest.fixture
def two(tmp_path):
    """Two runs on disk, of which one has a report; the second is worse."""
    a, b = run(seed=1, run=lane(1e-4, 2)), run(seed=3, run=lane(1.5e-4, 4))
    extra = cell(task=HOSTILE, status="failed", reason=HOSTILE)
    folders = [
        stored(tmp_path / "a", replace(a, cells=[*a.cells, replace(extra, status="agreed", reason=None)])),
        stored(tmp_path / "b", replace(b, cells=[*b.cells, extra])),
    ]
    (folders[1] / "report.html").touch()
    return folders


def test_json_has_all_that_was_found(two):
    done = here("compare", *two, "--json")
    assert (done.returncode, done.stderr) == (1, "")
    found = msgspec.json.decode(done.stdout, type=changes.Changes)
    assert [one.direction for one in found.verdicts] == ["worse"]
    assert [(one.backend, one.lane, one.word) for one in found.times] == [("torch", "run", "slower")]


def test_page_has_the_parts_and_a_link_to_the_report(two, tmp_path):
    file = tmp_path / "pages" / "c.html"
    file.parent.mkdir()
    done = here("compare", *two, "--html", file)
    assert (done.returncode, done.stderr) == (1, "")
    page = Parsed(file.read_text())
    a, b = map(folder.load, two)
    for words in (sentence(a, b), "agreed → failed", HOSTILE, "worse", "1 of 1 became slower, 0 faster."):
        assert words in page.text, words
    assert page.links == ["../b/report.html"]
    assert page.count("script") == 2  # what is packed, and what unpacks it
    spec = page.charts["factors-run"]
    alt.Chart.from_dict(spec, validate=True)
    assert "after ÷ before (log scale)" in str(spec)
    assert [(one["low"], one["high"]) for one in spec["data"]["values"] if one["is_reference"]] == [
        (0.98, 1.02)
    ]


def test_page_without_scripts_has_the_numbers_of_its_chart(two):
    found = changes.find(*map(folder.load, two))
    text = Parsed(report.html(found).decode()).text
    (time,) = found.times
    assert "xor torch " + " ".join(f"{value:.3f}" for value in time.factor) + " slower" in text


def test_page_of_many_tasks_draws_those_that_changed_most():
    def many(seed, factor):
        reference = timed("numpy", run=lane(1e-5, 1, again=True))
        tasks = [f"t{i:02}" for i in range(report.DRAWN + 5)]
        slow = [lane((factor if task == "t44" else 1) * 1e-4, seed) for task in tasks]
        pairs = zip(tasks, slow, strict=True)
        return result(
            *(replace(one, task=t) for t, found in pairs for one in (reference, timed("torch", run=found)))
        )

    (chart,) = report._charts(changes.find(many(1, 1.0), many(2, 3.0)))
    assert len(chart.rows) == report.DRAWN + 5
    assert chart.notes == ["Drawn are 40 of 45 tasks, those whose time changed most."]
    assert chart.spec["data"]["values"][0]["task"] == "t44"


def test_page_that_cannot_be_written_is_told(two, tmp_path):
    done = here("compare", *two, "--html", tmp_path / "none" / "c.html")
    assert done.returncode == 3
    assert "could not be written" in done.stdout


def test_wrong_use_of_compare_is_refused(two, tmp_path):
    assert refused("compare", two[0], tmp_path / "none", "--json").endswith("it has no run.json")
    assert refused("compare", two[0]) == "Missing argument 'RUN_B'."


def test_page_opens_in_a_browser_without_a_complaint(two, tmp_path):
    file = tmp_path / "c.html"
    file.write_bytes(report.html(changes.find(*map(folder.load, two))))
    with opened(file) as page:
        assert page.locator("#verdicts tbody tr").count() == 1
        page.set_viewport_size({"width": 420, "height": 900})
        page.wait_for_function("document.documentElement.scrollWidth <= 420")  # charts follow a little later


# --------------------------------------------------------------------------------------- one core


def cores_of(pid):
    threads = Path(f"/proc/{pid}/task").iterdir()
    return [os.sched_getaffinity(int(thread.name)) for thread in threads]


THREADS = """
import threading
threading.Thread(target=threading.Event().wait, daemon=True).start()
print(flush=True)
input()
"""


def test_all_threads_of_a_worker_are_kept_to_the_same_cores():
    every = os.sched_getaffinity(0)
    with subprocess.Popen(
        [sys.executable, "-c", THREADS], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        process.stdout.readline()
        worker = SimpleNamespace(process=process)
        for cores in ({max(every)}, every):
            Session.keep_to(worker, cores)
            assert cores_of(process.pid) == [cores, cores]
        process.communicate(b"\n")


def test_a_worker_that_broke_is_kept_to_nothing():
    Session.keep_to(SimpleNamespace(process=None), {0})


def test_all_workers_of_a_race_get_as_many_cores_as_threads_and_then_all_again():
    kept = {"numpy": [], "torch": []}
    spots = [Spot(None, backends.find(name), Placement()) for name in kept]
    sessions = {spot: SimpleNamespace(keep_to=kept[spot.column.name].append) for spot in spots}
    race = Race(sessions, (), ROUNDS, Path(), lambda: None)
    every = sorted(os.sched_getaffinity(0))
    with suppress(KeyError), race._on_the_same_cores():
        assert kept["numpy"] == kept["torch"] == [every[-1:]]
        raise KeyError  # as when a worker breaks: the others get their cores back
    assert kept["numpy"] == kept["torch"] == [every[-1:], every]
