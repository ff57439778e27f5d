"""What a terminal shows while a run goes on and at its end: any width, no colours, no terminal at all."""

import io
import os
import pty
import re
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from command import PATIENCE_S
from conftest import ROOT
from rich.console import Console
from test_reports import (
    ALL_AGREE,
    BACKENDS,
    CAUSES,
    EVERY_STATUS,
    EVERYTHING,
    LONG,
    MANY,
    cell,
    doubtful,
    long_run,
    printed,
    result,
    timing,
    words,
)

from harness import __main__ as command_line
from harness.plan import DEFAULT
from harness.report import figures, lines, progress, terminal
from harness.report.progress import Progress, line
from harness.result import Concept
from tasks import TASKS
from tasks.concepts import CONCEPTS

REASON = "the framework's own part has no such form, and none that could be made to agree: " + "so " * 30


def default_run():
    """As long as the run without arguments: its tasks on all backends, two of them timed, some declared."""
    names = [name for name, task in TASKS.items() if DEFAULT in task.tags]
    times = {name: timing() for name in names[:2]}
    cells = [cell(name, backend, timing=times.get(name)) for name in names for backend in BACKENDS]
    for place, status in ((1, "unsupported"), (16, "unsupported"), (23, "known difference")):
        cells[place] = cell(cells[place].task, cells[place].backend, status, reason=REASON)
    concepts = [
        Concept(one.id, one.title, "", "", [name for name in names if one.id in TASKS[name].tags])
        for one in CONCEPTS
    ]
    return result(*cells, concepts=[concept for concept in concepts if concept.tasks])


def few_tasks():
    """Two tasks on all backends, timed in three lanes, and one cell that cannot be."""
    lane = timing().lanes["run"]
    times = timing(lanes=dict.fromkeys(("run", "step", "fit"), lane))
    cells = [cell(task, name, timing=times) for task in ("xor", "moons-noisy-well-fit") for name in BACKENDS]
    cells[1] = cell("xor", "sklearn", "unsupported", reason=REASON)
    return result(*cells)


RUNS = {
    "everything": EVERYTHING,
    "all agree": ALL_AGREE,
    "default": default_run(),
    "few": few_tasks(),
    "crashed": long_run(status="crashed", reason="it died"),
}


@pytest.mark.parametrize("width", [60, 80, 200])
@pytest.mark.parametrize("run", RUNS.values(), ids=RUNS)
def test_lines_fit_and_end_with_no_blank(run, width):
    shown = printed(run, width=width).splitlines()
    assert max(map(len, shown)) <= width
    assert [line for line in shown if line != line.rstrip()] == []


@pytest.mark.parametrize(("run", "most"), [("default", 40), ("few", 22), ("all agree", 10)])
def test_the_end_is_short_where_all_is_well(run, most):
    for width in (80, 200):
        text = printed(RUNS[run], width=width)
        assert len(text.splitlines()) <= most, text


def on_terminal(height):
    shown = io.StringIO()
    console = Console(
        file=shown, width=80, height=height, force_terminal=True, no_color=True, highlight=False
    )
    terminal.print_result(RUNS["default"], console, Path("run"))
    return re.sub("\x1b\\[[0-9;]*m", "", shown.getvalue()).splitlines()


def test_a_low_terminal_has_one_row_for_all_concepts_that_agree():
    low, high = on_terminal(24), on_terminal(60)
    assert len(high) - len(low) > 5
    (row,) = [line for line in low if "more concepts" in line]
    assert row.startswith(f"{len(high) - len(low) + 1} more concepts")
    assert not [line for line in high if "more concepts" in line]
    assert [line for line in low if "unsupported" in line] == [line for line in high if "unsupported" in line]


def test_a_wide_terminal_is_used():
    narrow, wide = (printed(EVERYTHING, width=width) for width in (80, 200))
    assert "agreed 3e-15" in wide.partition("Compared")[2].partition("least headroom")[0]
    assert f"\n{LONG}  unsupported" in wide
    assert "\nquadratic-ill-       unsupported" in narrow  # the name goes on below, to be copied
    concepts = [printed(RUNS["default"], width=width) for width in (80, 200)]
    title = max((concept.title for concept in RUNS["default"].concepts), key=len)
    assert [title in text for text in concepts] == [False, True]
    assert ["6.55× 6.30–6.81" in printed(few_tasks(), width=width) for width in (80, 200)] == [False, True]


def test_a_number_alone_has_agreed_and_the_title_says_so():
    cells = [*(cell(LONG, backend) for backend in BACKENDS), EVERY_STATUS["diverged"]]
    text = printed(result(*cells))
    assert "worst relative difference of what agreed\n" in text
    assert "3e-15   3e-15      3e-15          3e-15\n" in text
    assert "diverged 3e-05" in text


@pytest.mark.parametrize(
    ("statuses", "expected"),
    [
        (["agreed", "agreed"], ["3e-15"]),
        (["agreed", "unsupported", "known difference"], ["1/3 3e-15"]),
        (["agreed", "inconclusive"], ["1 inconclusive 3e-15", "1 agreed 3e-15"]),
        (["agreed", "diverged"], ["1 not explained", "1 diverged 3e-15", "1 agreed 3e-15"]),
        (["unsupported", "unsupported"], ["2 unsupported"]),
        (["missing"], ["1 missing"]),
    ],
)
def test_a_short_tally_hides_nothing_bad(statuses, expected):
    whys = {"agreed": None, "diverged": None}
    cells = [cell(status=status, reason=whys.get(status, "why")) for status in statuses]
    assert figures.short_tally(cells, result(*cells)) == expected


# ---------------------------------------------------------------------------------------- news


def bad_run():
    """Something of each kind of news, in another order than that of its weight."""
    cells = [cell("a", name) for name in ("numpy", "torch", "keras")]
    cells += [
        cell("b", "keras", "inconclusive", parity=doubtful(), reason="far"),
        cell("c", "keras", "unsupported", reason="no such part"),
        cell("d", "keras", "diverged", reason="from step 1; cause: no bias", causes=CAUSES[:1]),
        cell("e", "keras", "crashed", reason="it died"),
        cell("f", "keras", "diverged", reason="from step 2; cause not known"),
        cell("a", "sklearn", timing=timing()),
    ]
    return result(*cells, groups={"f": [["numpy", "torch"], ["keras"]]})


@pytest.mark.parametrize("width", [80, 200])
def test_the_worst_news_come_first(width):
    text = words(printed(bad_run(), width=width))
    order = [
        "Not explained, 2 of 9 cells diverged: f × keras from step 2; cause not known",
        "crashed: e × keras it died",
        "Diverged with a known cause, 1 of 9 cells diverged: d × keras",
        "the odd one out is keras",
        "Inconclusive",
        "Compared with numpy",
        "step time",
        "Declared",
        "unsupported: c × keras: no such part",
        "2 of 8 cells diverged",
        "Report: ",
        "Again: ",
    ]
    places = [text.lower().find(part.lower()) for part in order]
    assert -1 not in places
    assert places == sorted(places)
    assert places[0] == 0


def test_cells_with_the_same_cause_or_reason_are_told_of_once():
    same = [cell(task, "torch", "diverged", reason=f"on {task}", causes=CAUSES[:1]) for task in MANY[:9]]
    dead = [cell(task, "keras", "crashed", reason="it died", details="last words") for task in MANY[:9]]
    text = words(printed(result(*same, *dead)))
    assert "diverged: torch: every task task-0 × torch: on task-0" in text
    assert "crashed: keras: every task it died last words" in text
    assert "on task-1" not in text
    assert text.count("last words") == 1


def test_a_long_reason_is_cut_on_a_narrow_terminal_and_the_report_is_named():
    run = result(cell(status="unsupported", reason=REASON.strip()))
    narrow, wide = (printed(run, width=width) for width in (80, 300))
    assert "\nunsupported: xor × torch: the framework's own part has no such form, and none t…\n" in narrow
    assert "Declared; more in the report" in narrow
    assert REASON.strip() in wide


def test_names_are_counted_where_there_is_no_room_for_them():
    cells = [cell(task, "sklearn", "unsupported", reason="no such part") for task in MANY[:5]]
    run = result(*cells, cell("xor", "sklearn"))
    narrow, wide = (printed(run, width=width) for width in (60, 80))
    assert "unsupported: 5 tasks × sklearn: no such part" in narrow
    assert "unsupported: sklearn: task-0, task-1, task-2, task-3, task-4: no such part" in wide


def test_many_reasons_for_what_is_unsupported_share_a_line():
    why = {
        name: cell(name, "sklearn", "unsupported", reason=f"no {name}") for name in MANY[: figures.FEW + 1]
    }
    few, many = (printed(result(*list(why.values())[:count])) for count in (figures.FEW, figures.FEW + 1))
    assert "unsupported: task-0 × sklearn: no task-0" in few
    assert "unsupported, 5 cells: sklearn: every task" in many
    assert "no task-0" not in many


def test_how_to_install_what_is_missing_is_never_cut():
    reason = f"torch is not installed: pip install {'torch ' * 30}".strip()
    assert f"\nmissing: {reason}\n" in printed(result(cell(status="missing", reason=reason)))


def test_paths_and_commands_are_never_wrapped():
    run = result(cell(), command=["python", "-m", "harness", "run", *(["-t", "xor"] * 30)])
    folder = Path("/a/very/long/path" * 9)
    *_, report, command = printed(run, folder, width=40).splitlines()
    assert report == f"Report: {folder}"
    assert command == f"Again:  {' '.join(run.command)}"


# -------------------------------------------------------------------------------------- no colour


@pytest.mark.parametrize("variable", [("NO_COLOR", "1"), ("TERM", "dumb")], ids=["no colour", "dumb"])
def test_words_are_enough_without_colours(monkeypatch, variable):
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    coloured = printed(EVERYTHING, force_terminal=True)
    assert re.search(r"\x1b\[[0-9;]*3[0-7]m", coloured)
    monkeypatch.setenv(*variable)
    plain = printed(EVERYTHING, force_terminal=True)
    assert not re.search(r"\x1b\[[0-9;]*3[0-7]m", plain)
    assert figures.ANSI.sub("", plain) == figures.ANSI.sub("", coloured) == printed(EVERYTHING)


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8"])
def test_what_cannot_be_shown_is_a_question_mark(encoding):
    bytes_ = io.BytesIO()
    stream = io.TextIOWrapper(bytes_, encoding=encoding, errors="replace")
    console = Console(file=stream, width=80)
    terminal.print_result(EVERYTHING, console, Path("run"))
    with Progress(console) as watcher:
        watcher.start("comparing", 1)
        watcher.finished(EVERY_STATUS["diverged"])
    stream.flush()
    text = bytes_.getvalue().decode(encoding)
    times = "?" if encoding == "ascii" else "×"
    assert f"xor {times} keras" in text
    assert ("ε stands" in text) == (encoding == "utf-8")


def test_text_is_printed_without_blanks_at_its_ends():
    shown = io.StringIO()
    lines.put("one two  \nthree", Console(file=shown, width=5))
    assert shown.getvalue() == "one\ntwo\nthree\n"


# -------------------------------------------------------------------------------------- progress


def test_a_pipe_gets_a_line_for_each_finished_cell_and_nothing_else():
    shown = io.StringIO()
    cells = [EVERY_STATUS[status] for status in ("agreed", "diverged", "unsupported")]
    with Progress(Console(file=shown, width=40)) as watcher:
        watcher.start("comparing", 3, {"torch": 3})
        watcher.working("xor", "torch")
        for one in cells:
            watcher.finished(one, "torch")
        watcher.counted("something")
        watcher.timed("xor")
    assert shown.getvalue().splitlines() == [*map(line, cells), "timed             xor", ""]


def live(monkeypatch, **options):
    """A progress on a terminal, which is drawn only at its beginning and its end, and what it is shown on."""
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(progress, "PER_SECOND", 1e-3)
    shown = io.StringIO()
    console = Console(
        file=shown, force_terminal=True, **{"width": 80, "height": 24, "color_system": None} | options
    )
    return Progress(console), shown


def view(watcher, width=80):
    """The lines of its live view."""
    shown = io.StringIO()
    Console(file=shown, width=width).print(watcher._view())
    return [line.rstrip() for line in shown.getvalue().splitlines()]


def test_a_terminal_shows_what_each_worker_does(monkeypatch):
    watcher, _ = live(monkeypatch)
    with watcher:
        watcher.start("comparing", 4, {"numpy": 2, "torch": 2})
        seen = [view(watcher)]
        watcher.working("starting", "torch")
        watcher.working("[xor]", "numpy")
        watcher.finished(cell("[xor]", "numpy"), "numpy")
        seen.append(view(watcher))
        watcher.working("done", "numpy")
        watcher.finished(EVERY_STATUS["diverged"], "torch")
        seen.append(view(watcher))
    assert [line.split() for line in seen[0][2:]] == [
        ["numpy", "0/2", "waiting"],
        ["torch", "0/2", "waiting"],
    ]
    assert re.match(r"comparing +0/4 +0:00$", seen[0][0])
    assert seen[1][1:] == ["  1 agreed", "  numpy      1/2  [xor]", "  torch      0/2  starting"]
    assert seen[2][1:] == ["  1 diverged  1 agreed", "  numpy      1/2  done", "  torch      1/2  starting"]
    assert len({len(lines) for lines in seen}) == 1  # of one height, or all below would jump


def test_a_terminal_keeps_only_the_lines_of_bad_news(monkeypatch):
    watcher, shown = live(monkeypatch)
    with watcher:
        watcher.start("comparing", len(EVERY_STATUS), {"torch": len(EVERY_STATUS)})
        for one in EVERY_STATUS.values():
            watcher.finished(one, "torch")
        watcher.timed("xor")
        assert watcher._all.done == len(EVERY_STATUS) + 1
    kept = {status for status, one in EVERY_STATUS.items() if f"  {figures.name(one)}" in shown.getvalue()}
    assert kept == {"diverged", "inconclusive", "failed", "timed out", "crashed"}
    assert "timed  " not in shown.getvalue()
    assert all(len(kept) <= 80 for kept in figures.ANSI.sub("", shown.getvalue()).splitlines())


def test_the_live_view_fits_any_terminal(monkeypatch):
    workers = {f"{name} float64.2-threads": 99 for name in "abcdefghijklmnop"}
    watcher, _ = live(monkeypatch, height=12)
    with watcher:
        watcher.start("comparing with a name that is long", 999, workers)
        watcher.working("quadratic-" * 20, next(iter(workers)))
        for width in (30, 80):
            seen = view(watcher, width)
            assert len(seen) < 12
            assert max(map(len, seen)) <= width
            assert seen[-1] == "  and 8 more"


def test_other_commands_have_one_line_with_what_was_counted_last(monkeypatch):
    watcher, _ = live(monkeypatch)
    with watcher:
        assert view(watcher) == []
        watcher.start("faults", 2)
        watcher.counted("found  [no-bias]")
        (seen,) = view(watcher)
        watcher.start("power", None)
        watcher.counted("next")
        (endless,) = view(watcher)
    assert re.match(r"faults +\S+ +1/2 +0:00.* +found  \[no-bias\]$", seen)
    assert re.match(r"power +\S+ +1 +0:00 +next$", endless)


def test_the_time_left_is_that_of_the_slowest_worker(monkeypatch):
    now = [0.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    watcher = Progress(Console(file=io.StringIO()))
    with watcher:
        watcher.start("comparing", 8, {"numpy": 4, "torch": 4})
        times = {"numpy": (1.0, 2.0), "torch": (20.0, 23.0)}  # the first has to start for its first
        told = []
        for worker, ends in times.items():
            for end in ends:
                now[0] = end
                watcher.finished(cell(), worker)
                told.append(view(watcher)[0].partition("about ")[2])
        now[0] = 24.5
        told.append(view(watcher)[0].partition("about ")[2])
        now[0] = 400.0  # longer than expected
        told.append(view(watcher)[0].partition("about ")[2])
    assert told == ["", "", "", "0:06 left", "0:05 left", ""]


def test_colours_that_are_forced_into_a_file_bring_no_live_view(monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setattr(sys, "stdout", io.StringIO())
    console = command_line._console()
    assert console.is_terminal
    assert not console.is_interactive


def on_a_terminal(command, **more):
    """What a command writes on a terminal of 80 × 24, as bytes in the end, and its exit code."""
    ours, theirs = pty.openpty()
    written = bytearray()

    def read():
        while True:
            try:
                chunk = os.read(ours, 65536)
            except OSError:  # the other end is closed
                return
            written.extend(chunk)

    env = os.environ | {"COLUMNS": "80", "LINES": "24"} | more
    with subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, cwd=ROOT, env=env) as process:
        os.close(theirs)
        reader = threading.Thread(target=read)
        reader.start()
        code = process.wait(PATIENCE_S)
        reader.join()
    os.close(ours)
    return written.decode(), code


def test_a_real_run_on_a_terminal_shows_a_live_view_and_takes_it_away(tmp_path):
    arguments = ["run", "-t", "quadratic-gd", "-b", "numpy", "--no-timing", "--out", str(tmp_path / "run")]
    shown, code = on_a_terminal([sys.executable, "-m", "harness", *arguments], TERM="xterm-256color")
    assert code == 0
    during, _, end = shown.rpartition("\x1b[2K")  # the last line of the live view that is taken away
    assert "comparing" in during
    assert "starting" in during
    assert "writing the report" in during
    assert "agreed  " not in during  # no line of its own
    assert shown.count("\x1b[?25l") == shown.count("\x1b[?25h") == 1  # the cursor is back
    assert "\x1b[1A" not in end
    assert "writing the report" not in end
    plain = figures.ANSI.sub("", end)
    assert "quadratic-gd" in plain
    assert f"Report: {tmp_path / 'run' / 'report.html'}" in plain
