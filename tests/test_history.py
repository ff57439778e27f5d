"""What `history` says of many runs: which it finds, what it counts, how it follows times, and its page."""

import io

import altair as alt
import numpy as np
import pytest
from command import here, refused
from msgspec.structs import replace
from pages import Parsed, opened
from rich.console import Console
from test_changes import HOSTILE, cell, lane, result, timed

from harness import history
from harness.plan import UsageError
from harness.report import history as report
from harness.report import trends
from harness.result import encode

DAYS = [f"2026-01-{day:02}T04:30:00+00:00" for day in range(1, 29)]


def run(*cells, day=1, torch="2.12", seconds=60.0):
    return replace(result(*cells, versions={"torch": torch}), started=DAYS[day - 1], seconds=seconds)


def raced(step_s, day, task="xor", ratio=10.0, backend="torch"):
    """A run in which a backend takes that long for a step of one task, the reference always as long."""
    reference = timed("numpy", run=lane(1e-5, day, again=True))
    other = lane(step_s, 100 + day)
    other = timed(backend, run=replace(other, ratio_to_reference=[0.9 * ratio, ratio, 1.1 * ratio]))
    cells = [replace(one, task=task) for one in (reference, other)]
    return replace(run(day=day), cells=cells)


def kept(folder, runs):
    """These runs on disk, by the names of their folders."""
    for name, one in runs.items():
        (folder / name).mkdir(parents=True)
        (folder / name / "run.json").write_bytes(encode(one))
    return folder


def follow(*runs, patterns=()):
    return history.follow({f"run-{i}": one for i, one in enumerate(runs)}, [], patterns)


def printed(found, width=80):
    shown = io.StringIO()
    report.print_history(found, Console(file=shown, width=width))
    return shown.getvalue()


# -------------------------------------------------------------------------------- which are found


def test_runs_are_found_here_and_one_level_below_in_order_of_time(tmp_path):
    runs = {"late": run(day=9), "old/first": run(day=1), "old/second": run(day=2), "a/b/deep": run(day=3)}
    found, remarks = history.find(kept(tmp_path, runs))
    assert (list(found), remarks) == (["old/first", "old/second", "late"], [])
    assert list(history.find(tmp_path / "late")[0]) == ["."]


def test_what_cannot_be_read_is_left_out_with_a_remark(tmp_path):
    good = run(day=1)
    runs = {"good": good, "z-copy": good, "open": replace(run(day=2), complete=False), "empty": run(day=3)}
    kept(tmp_path, runs | {"empty": replace(run(day=3), cells=[])})
    for name, content in (("cut", b'{"schema": '), ("old", b'{"schema": "samestep.run/3"}')):
        (tmp_path / name).mkdir()
        (tmp_path / name / "run.json").write_bytes(content)
    done = here("history", tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    words = " ".join(done.stdout.split())
    for told in (
        "cut/run.json is damaged",
        "old/run.json is not a samestep.run/4 file",
        "open, which is unfinished.",
        "empty, which has no cells.",
        "z-copy, which is a copy of good.",
        "One run, of 2026-01-01 04:30",
    ):
        assert told in words, told


def test_where_there_is_no_run_nothing_is_told(tmp_path):
    assert refused("history", tmp_path).endswith("no run.json is in it, in a folder of it or one below.")
    assert refused("history", tmp_path / "none").endswith("is not a folder")
    (tmp_path / "cut").mkdir()
    (tmp_path / "cut" / "run.json").write_text("{")
    assert "is damaged" in refused("history", tmp_path)
    kept(tmp_path, {"good": run(cell())})
    assert refused("history", tmp_path, "-t", "xr") == (
        "no task of these runs matches 'xr'; did you mean xor?"
    )


# ------------------------------------------------------------------------------- what is counted


def test_every_end_is_counted_once_and_the_reference_not():
    statuses = ["agreed", "agreed", "known difference", "diverged", "inconclusive", "failed", "missing"]
    (entry,) = follow(run(*(cell(str(i), status=s) for i, s in enumerate(statuses)))).entries
    assert entry.ends == {
        "not run": 1, "diverged": 1, "known difference": 1, "agreed": 2, "inconclusive": 1, "broken": 1
    }  # fmt: skip
    assert (entry.cells, sum(entry.ends.values())) == (7, 7)
    assert entry.not_explained == 5  # all without a reason or a cause, but those that agreed


def test_worst_difference_is_of_what_agreed():
    far = cell("keras", size=1e-3, status="diverged")
    (entry,) = follow(run(cell(size=1e-15), cell(task="a", size=3e-15), far)).entries
    assert entry.worst == {"torch": 3e-15}


def test_runs_are_compared_on_the_tasks_that_all_have():
    several = [cell(task=task) for task in ("xor", "a", "b")]
    found = follow(run(*several), run(*several[:2], day=2))
    assert (found.tasks, found.left_out) == (["xor", "a"], ["b"])
    assert [entry.cells for entry in found.entries] == [2, 2]
    assert "compared are the 2 that all have; left out is b." in " ".join(printed(found).split())


def test_runs_of_other_backends_are_said():
    remark = "Not every run has the same backends: counts are of what each has."
    assert remark in report.remarks(follow(run(cell()), run(cell(), cell("keras"), day=2)))
    assert report.remarks(follow(run(cell()), run(cell(status="diverged"), day=2))) == []


def test_patterns_restrict_tasks_and_leave_out_runs_without_any():
    a, b, c = run(cell(task="a1")), run(cell(task="a1"), cell(task="b"), day=2), run(cell(task="b"), day=3)
    a, b, c = (replace(one, cells=[cell for cell in one.cells if cell.task != "xor"]) for one in (a, b, c))
    with pytest.raises(UsageError, match="no task is in all of these 3 runs: run-0, run-1, run-2"):
        follow(a, b, c)
    found = follow(a, b, c, patterns=["a*"])
    assert (found.tasks, [entry.folder for entry in found.entries]) == (["a1"], ["run-0", "run-1"])
    assert found.remarks == ["Left out: run-2, which has no such task."]
    tagged = follow(run(cell(task="quadratic-gd")), patterns=["tag:quadratic"])
    assert tagged.tasks == ["quadratic-gd"]


def test_what_changed_in_the_environment_is_told_of_each_run():
    found = follow(run(), run(day=2, torch="2.13"), run(day=3, torch="2.13"))
    assert [[s.name for s in entry.changed] for entry in found.entries] == [[], ["torch"], []]
    assert "torch 2.12 → 2.13" in printed(found)


# ---------------------------------------------------------------------------------------- times


def test_times_are_followed_from_run_to_run_and_from_the_first_to_the_last():
    found = follow(raced(1e-4, 1), raced(1e-4, 2), raced(1.1e-4, 3, ratio=11.0))
    assert [entry.ratios["torch"][1] for entry in found.entries] == [10.0, 10.0, 11.0]
    assert [entry.drifts["torch"].word for entry in found.entries[1:]] == ["no difference", "slower"]
    drift = found.drifts["torch"]
    assert (drift.word, drift.tasks) == ("slower", 1)
    assert drift.factor[1] == pytest.approx(1.1, abs=0.02)
    assert "11.0 ↑" in printed(found)
    assert "PyTorch became slower by" in report.sentence(found)


def test_a_run_that_did_not_time_a_backend_is_passed_over():
    found = follow(raced(1e-4, 1), run(cell(), day=2), raced(1.2e-4, 3))
    assert [entry.drifts.get("torch") is not None for entry in found.entries] == [False, False, True]
    assert found.drifts["torch"].word == "slower"
    assert "–" in printed(found)


def test_what_creeps_is_seen_from_the_first_to_the_last():
    found = follow(*(raced(1e-4 * 1.015**day, day) for day in range(1, 7)))
    assert {entry.drifts["torch"].word for entry in found.entries[1:]} == {"no difference"}
    assert found.drifts["torch"].word == "slower"


def test_each_backend_is_compared_with_the_last_run_that_timed_it():
    def with_keras(day):
        one, other = raced(1e-4, day), raced(2e-4, day, backend="keras")
        return replace(one, cells=[*one.cells, other.cells[1]])

    found = follow(with_keras(1), raced(1e-4, 2), with_keras(3))
    assert [list(entry.drifts) for entry in found.entries] == [[], ["torch"], ["torch", "keras"]]


def test_ratios_are_medians_over_the_tasks_that_every_run_timed():
    def both(day, *tasks):
        one, *others = (raced(1e-4, day, task, ratio) for task, ratio in tasks)
        return replace(one, cells=[*one.cells, *(cell for other in others for cell in other.cells)])

    first = both(1, ("a", 2.0), ("b", 4.0), ("c", 99.0))
    second = both(2, ("a", 2.0), ("b", 8.0))
    second = replace(second, cells=[*second.cells, cell(task="c")])
    found = follow(first, second)
    assert "c" in found.tasks
    assert [entry.ratios["torch"][1] for entry in found.entries] == [3.0, 5.0]


# ----------------------------------------------------------------------------------------- words


@pytest.mark.parametrize("width", [80, 200])
def test_tables_fit_the_terminal(width):
    runs = [raced(1e-4, day) for day in range(1, 13)]
    far = cell("keras", size=1.5e-15)
    found = follow(*(replace(one, cells=[*one.cells, replace(far, task="xor")]) for one in runs))
    lines = printed(found, width).splitlines()
    assert max(map(len, lines)) <= width
    rows = [line.split() for line in lines if "1.5e-15" in line]  # not a digit is cut off
    assert [row[:3] for row in rows] == [[str(i), f"2026-01-{i:02}", "04:30"] for i in range(1, 13)]


def test_sentence_tells_what_came_of_the_first():
    found = follow(run(cell()), run(cell(status="diverged"), cell("keras"), day=2))
    assert report.sentence(found) == (
        "2 runs from 2026-01-01 04:30 to 2026-01-02 04:30, compared on the 1 task that all have: 1 diverged "
        "in the last; 1 of 1 cells agreed in the first, 1 of 2 in the last."
    )


# ------------------------------------------------------------------------------------------ page


@pytest.fixture
def page(tmp_path):
    """The page of three runs, of which one has a report."""
    runs = {HOSTILE.replace("/", ""): raced(1e-4, 1, HOSTILE), "b": raced(1e-4, 2, HOSTILE)}
    kept(tmp_path / "runs", runs | {"c": raced(1.2e-4, 3, HOSTILE, ratio=12.0)})
    (tmp_path / "runs" / "c" / "report.html").touch()
    file = tmp_path / "history.html"
    done = here("history", tmp_path / "runs", "--html", file)
    assert (done.returncode, done.stderr) == (0, "")
    return file


def test_page_has_a_row_per_run_and_a_chart_of_each_trend(page):
    parsed = Parsed(page.read_text())
    for words in ("3 runs from 2026-01-01", HOSTILE, "12.0 ↑", "PyTorch slower by", "12 (10.8–13.2)"):
        assert words in parsed.text, words
    assert parsed.links == ["runs/c/report.html"]
    assert parsed.count("script") == 2  # what is packed, and what unpacks it
    assert list(parsed.charts) == ["verdicts-by-run", "ratios-by-run", "seconds-by-run"]
    for spec in parsed.charts.values():
        alt.Chart.from_dict(spec, validate=True)
        assert {"name": "shown", "value": None} in spec["params"]  # which page.js sets


def test_worst_differences_are_drawn_by_backend_and_zero_at_the_floor():
    found = follow(run(cell(size=0.0), cell("keras", size=1e-15)))
    (_, chart) = report._verdict_charts(found)
    values = {one["label"]: one["y"] for one in chart.spec["data"]["values"]}
    assert values == {"torch": trends.FLOOR, "keras": 1e-15}
    assert chart.rows == [["1", "0", "1e-15"]]
    assert np.all(np.array(list(values.values())) > 0)


def test_page_that_cannot_be_written_is_told(tmp_path):
    kept(tmp_path, {"a": run(cell())})
    done = here("history", tmp_path, "--html", tmp_path / "none" / "h.html")
    assert done.returncode == 3
    assert "could not be written" in done.stdout


def test_page_opens_in_a_browser_without_a_complaint(page):
    with opened(page) as seen:
        assert seen.locator("#runs tbody tr").count() == 3
        seen.set_viewport_size({"width": 420, "height": 900})
        seen.wait_for_function("document.documentElement.scrollWidth <= 420")  # charts follow a little later
