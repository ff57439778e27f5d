"""The small report formats, fed with hand-made results that hold every status."""

import io
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import msgspec
import pytest
from junitparser import JUnitXml
from pyperf import BenchmarkSuite
from rich.console import Console

from harness.changes import find
from harness.report import changes, figures, junit, markdown, terminal, timings, verdict
from harness.report.progress import Progress, line
from harness.result import (
    SCHEMA,
    TRACED,
    Cause,
    Cell,
    Concept,
    Difference,
    Divergence,
    Environment,
    Lane,
    Metrics,
    Parity,
    Result,
    Status,
    Timing,
)

TOLERANCE = 1e-13
BACKENDS = ("numpy", "sklearn", "tensorflow", "keras", "torch")
LONG = "quadratic-ill-conditioned-momentum"
DIVERGENCE = Divergence(
    step=3,
    quantity="param/w1",
    single_step=False,
    element=[4, 7],
    actual=0.12345678901234567,
    desired=0.25,
    max_rel=3e-5,
    tolerance=TOLERANCE,
    what="differs",
)
ENVIRONMENT = Environment(
    python="3.11.7",
    platform="Linux",
    processor="A <fast> | processor",
    cores=2,
    memory_gb=8.0,
    threads=1,
    device="cpu",
    versions={"numpy": "2.4.6"},
    workers={},
)
LOG = "one\ntwo\nthree\nfour\nfive\n\x1b[31mSegmentation [/fault]\x1b[0m \x00at <module>"


def timing(verdict: str = "slower", **changes: Any) -> Timing:
    """Of one lane, `run`, unless the changes say which."""
    lane = Lane(
        steps_per_block=1000,
        blocks_s=[0.02, 0.03, 0.04],
        blocks_again_s=[],
        cpu_s=[0.02, 0.03, 0.04],
        disturbed=[False, False, False],
        steady=True,
        ratio_to_reference=[6.301, 6.549, 6.812],
        verdict=verdict,
        agrees_to=0.0,
    )
    of_lane = {name: changes.pop(name) for name in list(changes) if name in Lane.__struct_fields__}
    found = Timing(
        start_s=0.2,
        import_s=3.0,
        build_s=0.1,
        first_step_s=0.5,
        second_step_s=0.25,
        load=0.5,
        lanes={"run": msgspec.structs.replace(lane, **of_lane)},
        no_lane={},
        import_rss_mb=100.0,
        built_rss_mb=150.0,
        peak_rss_mb=200.0,
    )
    return msgspec.structs.replace(found, **changes)


def difference(size: float | None = 0.0, **changes: Any) -> Difference:
    found = Difference(
        max_abs=size,
        max_rel=size,
        max_ulp=size,
        tolerance=TOLERANCE,
        headroom=0.0 if size is None else TOLERANCE / size if size else None,
        quantity="param/w1",
        step=7,
        nature="fault" if size is None or size > TOLERANCE else "rounding",
    )
    return msgspec.structs.replace(found, **changes)


def parity(worst: float | None = 3e-15, **changes: Any) -> Parity:
    found = Parity(
        reference="numpy",
        quantities={"loss": difference(), "param": difference(worst)},
        single_steps={"param": difference(1e-16)},
        not_observed=[],
        first_divergence=None,
        first_undecided=None,
        steps_compared=10,
    )
    return msgspec.structs.replace(found, **changes)


def doubtful(step: int = 87) -> Parity:
    undecided = difference(1e-5, tolerance=2e-3, headroom=200.0, nature="undecided")
    return parity(quantities={"loss": difference(), "param": undecided}, first_undecided=step)


def cell(task: str = "xor", backend: str = "torch", status: Status = "agreed", **fields: Any) -> Cell:
    """A cell; one that ran to its end has a parity unless told otherwise."""
    fields.setdefault("parity", parity() if status in TRACED else None)
    for name, usual in (("dtype", "float64"), ("device", "cpu"), ("threads", 1)):
        fields.setdefault(name, usual)
    return Cell(task=task, backend=backend, status=status, identity="0", **fields)


def result(*cells: Cell, **changes: Any) -> Result:
    found = Result(
        schema=SCHEMA,
        started="2026-01-01T00:00:00+00:00",
        seconds=12.0,
        complete=True,
        command=["python", "-m", "harness", "run", "-t", "moons*"],
        reference="numpy",
        environment=ENVIRONMENT,
        phases_s={},
        cells=list(cells),
    )
    return msgspec.structs.replace(found, **changes)


EVERY_STATUS = {
    "agreed": cell(LONG, "torch", timing=timing("no verdict: noisy machine")),
    "diverged": cell("xor", "keras", "diverged", parity=parity(3e-5, first_divergence=DIVERGENCE)),
    "known difference": cell(
        LONG, "keras", "known difference", reason="ε stands under the root", parity=parity(1.1e-9)
    ),
    "inconclusive": cell(
        "and", "torch", "inconclusive", reason="a mistake would not show", parity=doubtful()
    ),
    "unsupported": cell(LONG, "sklearn", "unsupported", reason="no RMSprop here"),
    "missing": cell("xor", "torch", "missing", reason="torch is not installed: pip install torch"),
    "failed": cell("xor", "sklearn", "failed", reason="ValueError: [red]bad[/nonsense]", details=LOG),
    "timed out": cell("xor", "tensorflow", "timed out", reason="nothing came within 120 s", details=None),
    "crashed": cell(LONG, "tensorflow", "crashed", reason=None, details=LOG),
}
EVERYTHING = result(
    cell("xor", "numpy", parity=None),
    EVERY_STATUS["failed"],
    EVERY_STATUS["timed out"],
    EVERY_STATUS["diverged"],
    EVERY_STATUS["missing"],
    cell(LONG, "numpy", parity=parity(0.0), timing=timing("reference", ratio_to_reference=[0.98, 1.0, 1.02])),
    EVERY_STATUS["unsupported"],
    EVERY_STATUS["crashed"],
    EVERY_STATUS["known difference"],
    EVERY_STATUS["agreed"],
    EVERY_STATUS["inconclusive"],
    groups={"xor": [["numpy", "torch"], ["keras"]]},
)
ALL_AGREE = result(*(cell(task, backend) for task in ("and", "xor") for backend in BACKENDS))


# ------------------------------------------------------------------------------------- figures


@pytest.mark.parametrize(
    ("value", "text"), [(0.0, "0"), (3e-15, "3e-15"), (4.12e-14, "4.1e-14"), (float("inf"), "not comparable")]
)
def test_a_difference_has_two_digits(value, text):
    assert figures.number(value) == text


@pytest.mark.parametrize(("value", "text"), [(0.98, "0.980"), (24.68, "24.7"), (8443.6, "8444")])
def test_a_time_has_three_digits_or_all_before_the_point(value, text):
    assert figures.digits(value) == text


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, "30.0 µs"),
        ({"blocks_s": []}, None),
        ({"blocks_s": [0.0]}, None),
        ({"steps_per_block": 0}, None),
    ],
    ids=["median of blocks", "no block", "a block without time", "no steps"],
)
def test_step_time(changes, expected):
    assert figures.step_time(cell(timing=timing(**changes))) == expected


def test_without_timing_there_is_no_step_time():
    assert figures.step_time(cell()) is None


def test_a_difference_that_is_not_finite_is_the_worst():
    quantities = {"loss": difference(None), "param": difference(1e300)}
    assert figures.worst(cell(parity=parity(quantities=quantities))) == (float("inf"), "loss")


def test_a_difference_in_a_single_step_may_be_the_worst():
    found = parity(1e-15, single_steps={"param": difference(2e-15)})
    assert figures.worst(cell(parity=found)) == (2e-15, "param in a single step")


def test_the_least_headroom_is_that_of_all_that_agreed():
    loose, tight = (
        cell(task, parity=parity(single_steps={"grad": difference(size)}))
        for task, size in (("and", 4e-14), ("xor", 5e-14))
    )
    out = cell("or", status="diverged", parity=parity(1.0))
    assert figures.least_headroom(result(loose, tight, out)) == (
        "2.00: xor × torch, param/w1 in a single step at step 7"
    )


@pytest.mark.parametrize("sizes", [[], [0.0]], ids=["nothing compared", "nothing differs"])
def test_where_nothing_differs_there_is_no_least_headroom(sizes):
    cells = [cell(parity=parity(size, single_steps={})) for size in sizes]
    assert figures.least_headroom(result(*cells)) is None


@pytest.mark.parametrize(
    ("groups", "expected"),
    [
        (
            [["numpy", "sklearn", "torch"], ["keras"]],
            "numpy, sklearn and torch agree with each other; the odd one out is keras",
        ),
        (
            [["sklearn", "keras", "torch"], ["numpy"]],
            "sklearn, keras and torch agree with each other; the odd one out is numpy, the reference",
        ),
        (
            [["a", "b", "c"], ["numpy"], ["d"]],
            "a, b and c agree with each other; the odd ones out are d and numpy, the reference",
        ),
        (
            [["a", "b", "c"], ["d", "e"]],
            "a, b and c agree with each other; d and e agree with each other; the odd ones out are d and e",
        ),
        (
            [["numpy", "a"], ["b", "c"]],
            "numpy and a agree with each other; b and c agree with each other: there is no majority",
        ),
        ([["a", "b"], ["c"], ["d"]], "a and b agree with each other: there is no majority"),
        ([["numpy"], ["a"], ["b"]], "numpy, a and b differ from each other: there is no majority"),
        ([["numpy"], ["a"]], None),
        ([["numpy"]], None),
        ([], None),
    ],
)
def test_the_odd_one_out_is_who_stands_against_a_majority(groups, expected):
    run = result(groups={"xor": groups})
    assert figures.odd_one_out("xor", run) == expected
    assert figures.odd_ones_out(run) == ({expected: ["xor"]} if expected else {})


def test_two_dtypes_are_two_rows():
    placed = (("numpy", "float64"), ("numpy", "float32"), ("torch", "float32"))
    run = result(*(cell("xor", backend, dtype=dtype) for backend, dtype in placed))
    rows = {name: list(cells) for name, cells in figures.table(run).items()}
    assert rows == {"xor, dtype float64": ["numpy"], "xor, dtype float32": ["numpy", "torch"]}


def test_matrix_says_the_dtype_once_and_leaves_out_rows_of_the_reference_alone(tmp_path):
    placed = (("numpy", "float64"), ("numpy", "float32"), ("torch", "float32"))
    run = result(*(cell(task, backend, dtype=dtype) for task in ("xor", "and") for backend, dtype in placed))
    rows = {name: list(cells) for name, cells in figures.matrix(run).items()}
    assert rows == {"xor": ["numpy", "torch"], "and": ["numpy", "torch"]}
    title = "Compared with numpy (float64, cpu): worst relative difference (float32)"
    assert title in words(printed(run))
    assert title in words(markdown.write(run, tmp_path).read_text().replace("\\", ""))
    assert figures.matrix_title(result(cell())) == "Compared with numpy: worst relative difference"


def test_matrix_shows_the_reference_alone_where_there_is_nothing_else_to_show():
    alone = result(cell("xor", "numpy"))
    assert list(figures.matrix(alone)) == ["xor"]
    broken = result(cell("xor", "numpy", "crashed"), cell("xor", "torch", "failed", dtype="float32"))
    assert list(figures.matrix(broken)) == ["xor, dtype float64", "xor, dtype float32"]


def test_cells_of_one_backend_in_two_dtypes_have_two_names():
    cells = [cell(), cell(dtype="float32"), cell(dtype="float32", device="cuda")]
    assert [figures.name(one) for one in cells] == [
        "xor × torch",
        "xor × torch (float32)",
        "xor × torch (float32, cuda)",
    ]


def test_the_reference_at_another_dtype_is_compared_like_the_others():
    run = result(cell("xor", "numpy"), cell("xor", "numpy", dtype="float32"))
    assert [figures.word(found, run) for found in run.cells] == ["reference", "agreed 3e-15"]


def test_a_cell_that_broke_after_it_agreed_shows_no_difference():
    broken = cell("xor", "torch", "crashed", reason="while timing: it died", parity=parity())
    assert figures.word(broken, result(broken)) == "crashed"


def test_a_log_loses_what_only_a_terminal_understands():
    assert figures.log(EVERY_STATUS["failed"]).endswith("\nSegmentation [/fault] at <module>")


@pytest.mark.parametrize(
    ("few", "expected"),
    [
        (["a", "b"], "torch: a, b"),
        (["a", "b", "c", "d", "e"], "torch: every task that it ran"),
        (["a", "b", "c", "d", "e", "f"], "torch: every task"),
        (["a", "b", "c", "d", "f"], "torch: a, b, c, d, f"),
    ],
    ids=["few", "all that ran", "all", "as many as ran, but others"],
)
def test_only_a_complete_list_of_tasks_is_shortened(few, expected):
    cells = [cell(task, "torch", "unsupported" if task == "f" else "agreed") for task in "abcdef"]
    concerned = [found for found in cells if found.task in few]
    assert figures.briefly(concerned, result(*cells)) == expected


def test_a_very_long_list_of_tasks_is_cut_off():
    cells = [cell(f"task-{n}") for n in range(30)]
    run = result(*cells, cell("another"))
    assert figures.briefly(cells[:12], run).endswith("task-11")
    assert figures.briefly(cells[:13], run) == "torch: task-0, task-1, task-2, task-3 and 9 more"
    assert figures.briefly(run.cells, run) == "torch: every task"


def test_the_size_of_a_known_difference_is_each_cells_own():
    reason = "ε stands under the root"
    size = "(differs by 1.6e-09; computed so, the reference agrees to 4.4e-17)"
    cells = [cell(task, status="known difference", reason=f"{reason} {size}") for task in ("a", "b")]
    cells.append(cell("c", status="known difference", reason=f"{reason} (as in the paper)"))
    assert list(figures.reasons(result(*cells))) == [
        ("known difference", reason),
        ("known difference", f"{reason} (as in the paper)"),
    ]


CONCEPTS = [
    Concept("one", "First concept", "It is |said|.", "It was <measured>.", ["a", "b"]),
    Concept("two", "Second", "Said.", "Measured.", ["b", "gone"]),
]


def test_a_task_counts_in_each_of_its_concepts():
    cells = [cell(task) for task in "abc"]
    found = figures.concepts(result(*cells, concepts=CONCEPTS))
    tasks = {title: [one.task for one in members] for title, members in found.items()}
    assert tasks == {"First concept": ["a", "b"], "Second": ["b"], "other tasks": ["c"]}
    assert list(figures.concepts(result(*cells[:2], concepts=CONCEPTS))) == ["First concept", "Second"]


def test_a_tally_has_every_status_the_worst_first():
    cells = [*EVERY_STATUS.values(), cell("a", parity=parity(4e-15))]
    assert figures.tally(cells, result(*cells)) == [
        "4 not explained",
        "1 crashed",
        "1 timed out",
        "1 failed",
        "1 diverged 3e-05",
        "1 inconclusive 1e-05",
        "1 known difference 1.1e-09",
        "2 agreed 4e-15",
        "1 missing",
        "1 unsupported",
    ]
    assert set(figures.SEVERITY) == set(figures.STATUSES)
    assert figures.worst_status(cells) == "crashed"
    assert figures.worst_status(cells[-1:]) == "agreed"


def test_the_reference_is_no_more_than_that_unless_something_happened_to_it():
    right, wrong = cell("a", "numpy"), cell("b", "numpy", "crashed")
    run = result(right, wrong)
    assert figures.tally([right], run) == ["reference"]
    assert figures.tally([right, wrong], run) == ["1 not explained", "1 crashed"]
    assert figures.tally([], run) == []


@pytest.mark.parametrize(
    ("status", "fields", "gap"),
    [
        ("agreed", {}, None),
        ("diverged", {"causes": [Cause("no-bias", "the bias is missing", 0.0)], "reason": "why"}, None),
        ("diverged", {"reason": "why"}, "xor × torch: diverged, cause not known"),
        ("crashed", {"reason": "why"}, "xor × torch: crashed"),
        ("failed", {"reason": "why"}, "xor × torch: failed"),
        ("timed out", {"reason": "why"}, "xor × torch: timed out"),
        ("inconclusive", {"reason": "why"}, None),
        ("known difference", {"reason": "why"}, None),
        ("unsupported", {"reason": "why"}, None),
        ("unsupported", {}, "xor × torch: unsupported"),
        ("missing", {"reason": "why"}, None),
    ],
)
def test_what_nobody_knows_the_cause_of_is_not_explained(status, fields, gap):
    found = figures.not_explained(result(cell(status=status, **fields)))
    assert [figures.gap(one) for one in found] == ([gap] if gap else [])


@pytest.mark.parametrize(
    ("metrics", "expected"),
    [
        (Metrics(0.123456, 0.75), {"loss": "0.75 → 0.1235"}),
        (
            Metrics(1e300, 1.0, diverged_after=77),
            {"loss": "1 → 1e+300", "end": "loss no longer finite after 77 steps"},
        ),
        (
            Metrics(None, diverged_after=1),
            {"loss": "not finite from the start", "end": "loss no longer finite after 1 step"},
        ),
        (
            Metrics(0.5, 1.0, best_epoch=31, train_accuracy=0.75, test_accuracy=1.0),
            {
                "loss": "1 → 0.5",
                "best epoch": "31, whose parameters the training ends with",
                "accuracy": "0.75 on the training rows, 1 on the test rows",
            },
        ),
        (
            Metrics(0.5, 1.0, train_r2=-0.25, test_r2=0.987654),
            {"loss": "1 → 0.5", "R²": "-0.25 on the training rows, 0.9877 on the test rows"},
        ),
    ],
    ids=["plain", "diverged", "diverged at once", "early stopping", "regression"],
)
def test_what_training_came_to_in_words(metrics, expected):
    assert figures.outcome(metrics) == expected


def test_times_of_several_tasks_are_median_and_range():
    ratios = ([0.4, 0.5, 0.6], [2.0, 3.0, 4.0], [90.0, 120.0, 130.0])
    cells = [cell(timing=timing(ratio_to_reference=ratio)) for ratio in ratios]
    assert figures.ratios([*cells, cell()]) == "3.00× 0.500–120"
    assert figures.ratios(cells[:1]) == "0.500×"
    assert figures.ratios([cell()]) == ""


# ------------------------------------------------------------------------------------- verdict


SENTENCES = {
    "all agree": (
        ALL_AGREE,
        (
            "8 of 8 cells agree with NumPy, on all 2 tasks and 4 other backends"
            "{worst} 3e-15 (xor × torch, param)."
        ),
    ),
    "known differences are not agreement": (
        result(cell("xor", "numpy"), EVERY_STATUS["known difference"], cell("xor", "torch")),
        (
            "1 of 2 cells agree with NumPy, on 1 of 2 tasks and 1 other backend: "
            "1 known difference{worst} 3e-15 (xor × torch, param)."
        ),
    ),
    "one task": (
        result(cell("xor", "numpy"), cell("xor", "torch")),
        "1 of 1 cell agree with NumPy, on 1 task and 1 other backend{worst} 3e-15 (xor × torch, param).",
    ),
    "one diverged": (
        result(cell("xor", "numpy"), EVERY_STATUS["diverged"], cell("xor", "torch")),
        "1 of 2 cells diverged (xor × keras): 1 cell agreed{worst} 3e-15 (xor × torch, param).",
    ),
    "many broken": (
        result(*(cell(task, "torch", "crashed") for task in "abcde"), EVERY_STATUS["diverged"]),
        "1 of 6 cells diverged (xor × keras), 5 crashed (a × torch, b × torch, c × torch, 2 more).",
    ),
    "the reference differs from itself": (
        result(cell("xor", "numpy", "diverged")),
        "1 of 1 cell diverged (xor × numpy).",
    ),
    "some cannot be told": (
        result(cell("xor", "numpy"), cell("xor", "torch"), EVERY_STATUS["inconclusive"]),
        (
            "1 of 2 cells agree with NumPy, on 1 of 2 tasks and 1 other backend: "
            "1 inconclusive{worst} 3e-15 (xor × torch, param)."
        ),
    ),
    "nothing compared": (
        result(cell("xor", "numpy"), EVERY_STATUS["missing"]),
        "No cell was found to agree with NumPy: 1 missing.",
    ),
    "no cells": (result(), "No cell was found to agree with NumPy."),
    "unfinished": (
        result(cell("xor", "numpy"), complete=False),
        "This run is unfinished. No cell was found to agree with NumPy.",
    ),
}


@pytest.mark.parametrize(("run", "expected"), SENTENCES.values(), ids=SENTENCES)
def test_the_verdict_in_a_sentence(run, expected):
    assert verdict.sentence(run) == expected.format(worst="; worst difference of those that agreed")


# ------------------------------------------------------------------------------------ terminal


def printed(run: Result, folder: Path = Path("reports/latest"), width: int = 80, **options: Any) -> str:
    shown = io.StringIO()
    terminal.print_result(run, Console(file=shown, width=width, **options), folder)
    return shown.getvalue()


def words(text: str) -> str:
    """Text with every stretch of white space as one space, so that wrapping does not matter."""
    return " ".join(text.split())


@pytest.mark.parametrize("width", [80, 120, 200])
def test_no_line_is_wider_than_the_terminal(width):
    assert max(map(len, printed(EVERYTHING, width=width).splitlines())) <= width


@pytest.mark.parametrize("status", EVERY_STATUS)
def test_every_status_is_a_whole_word_at_80_columns(status):
    matrix = printed(EVERYTHING).partition("Compared with numpy")[2].partition("least headroom")[0]
    for word in status.split():
        assert word in words(matrix).split(), matrix


def test_plain_text_where_there_is_no_terminal():
    assert "\x1b" not in printed(EVERYTHING)


def test_no_colour_with_no_color(monkeypatch):
    monkeypatch.setenv("TERM", "xterm-256color")
    coloured = re.compile(r"\x1b\[[0-9;]*3[0-7]m")
    assert coloured.search(printed(EVERYTHING, force_terminal=True))
    monkeypatch.setenv("NO_COLOR", "1")
    assert not coloured.search(printed(EVERYTHING, force_terminal=True))


def test_a_divergence_tells_where_what_and_by_how_much():
    text = words(printed(EVERYTHING))
    for fact in ("step 3", "param/w1[4, 7]", "0.12345678901234", "0.25", "3.0e-05", "1.0e-13"):
        assert fact in text


CAUSES = [Cause("no-bias", "the bias is missing", 0.0), Cause("zero-bias", "the bias is 0", 1e-16)]


def test_a_divergence_tells_its_cause_and_who_is_the_odd_one_out(tmp_path):
    reason = "from step 3 w differs; cause: the bias is missing (computed so, the reference agrees)"
    diverged = cell("xor", "keras", "diverged", reason=reason, causes=CAUSES[:1])
    groups = {"xor": [["sklearn", "keras"], ["numpy"]]}
    run = result(cell("xor", "numpy"), cell("xor", "sklearn", "diverged"), diverged, groups=groups)
    odd = "sklearn and keras agree with each other; the odd one out is numpy, the reference"
    for text in (words(printed(run)), markdown.write(run, tmp_path).read_text()):
        assert reason in text
        assert odd in text


@pytest.mark.parametrize(
    ("causes", "expected"),
    [
        ([], "not known"),
        (CAUSES[:1], "the bias is missing"),
        (CAUSES, "the bias is missing or the bias is 0 (this task cannot tell them apart)"),
    ],
)
def test_a_cause_is_named_as_far_as_it_is_proved(causes, expected):
    assert figures.cause(cell(status="diverged", causes=causes)) == expected


def test_what_cannot_be_told_is_listed_by_task_with_its_steps(tmp_path):
    steps = {"numpy": 22, "torch": 22, "keras": 5}
    run = result(*(cell("xor", name, "inconclusive", parity=doubtful(at)) for name, at in steps.items()))
    assert f"{figures.DOUBT} xor: numpy and torch from step 22; keras from step 5" in words(printed(run))
    assert (
        "- **xor**: numpy and torch from step 22; keras from step 5"
        in markdown.write(run, tmp_path).read_text()
    )


def test_the_least_headroom_is_told_in_terminal_and_markdown(tmp_path):
    expected = "east headroom 33.3: xor × torch, param/w1 at step 7"
    assert expected in words(printed(result(cell())))
    assert expected in markdown.write(result(cell()), tmp_path).read_text()


def test_a_reason_is_printed_once_with_all_its_cells():
    cells = [cell(task, "sklearn", "unsupported", reason="no RMSprop here") for task in ("a", "b")]
    text = words(printed(result(*cells)))
    assert text.count("no RMSprop here") == 1
    assert "sklearn: a, b" in text


@pytest.mark.parametrize(
    "status", [status for status, found in EVERY_STATUS.items() if found.reason and status != "inconclusive"]
)
def test_every_reason_is_printed_as_it_is(status):
    assert EVERY_STATUS[status].reason in words(printed(EVERYTHING, width=120))


def test_what_has_a_part_of_its_own_is_not_among_the_reasons():
    statuses = {status for status, _ in figures.reasons(EVERYTHING)}
    assert statuses == set(EVERY_STATUS) - {"agreed", "diverged", "inconclusive"}


def test_what_is_not_observed_is_told():
    hidden = parity(not_observed=["grad: fit hides it"])
    run = result(cell("xor", "numpy"), cell("xor", "sklearn", parity=hidden))
    assert "not observed: xor × sklearn: grad: fit hides it" in words(printed(run))


def test_a_broken_cell_without_a_reason_is_listed_with_the_end_of_its_log():
    text = words(printed(result(EVERY_STATUS["crashed"])))
    assert f"crashed: {LONG} × tensorflow no reason was given" in text
    assert "three four five Segmentation [/fault] at <module>" in text
    assert "one" not in text.split()


def test_timing_shows_step_time_ratio_and_interval():
    assert "30.0 µs 6.55× 6.30–6.81" in words(printed(result(cell(timing=timing()))))


def test_the_reference_is_timed_against_itself():
    run = result(cell("xor", "numpy", timing=timing("reference", ratio_to_reference=[0.98, 1.0, 1.02])))
    assert "30.0 µs A/A 1.00× 0.980–1.02" in words(printed(run))


@pytest.mark.parametrize(
    ("changes", "remark"),
    [
        ({"verdict": "no verdict: noisy machine"}, "no verdict: noisy machine"),
        ({"verdict": "indicative: no verdict: noisy"}, "no verdict: noisy"),
        ({"verdict": "indicative: slower"}, "indicative only: too few rounds"),
        ({"steady": False}, "not steady: run 1 of 1"),
        ({"lanes": {}, "no_lane": {"run": "no trainer"}}, "none"),
        ({"disturbed": [False, True]}, "some rounds disturbed by other work on the machine"),
        ({"verdict": "no difference seen"}, "no difference"),
        ({"blocks_s": []}, "no time"),
    ],
    ids=[
        "no verdict",
        "few and no verdict",
        "few rounds",
        "unsteady",
        "no lane",
        "disturbed",
        "no difference",
        "no time",
    ],
)
def test_doubts_about_timing_are_told(changes, remark):
    other = cell("xor", "numpy", timing=timing())
    shown = [words(printed(result(other, cell(timing=timing(**more))))) for more in ({}, changes)]
    of = " (1 of 2)" if ":" in remark or "some" in remark else ""
    expected = remark.replace("1 of 1", "1 of 2") if "steady" in remark else f"{remark}{of}"
    assert [expected in text for text in shown] == [False, True]


def test_a_doubt_about_all_times_has_no_count():
    doubtful_time = timing("indicative: slower", steady=False)
    cells = [cell("xor", backend, timing=doubtful_time) for backend in ("numpy", "torch")]
    assert figures.doubts(result(*cells)) == "indicative only: too few rounds; not steady: run 2 of 2"
    assert figures.doubts(result(cell(timing=timing(no_lane={"fit": "no trainer"})))) == ""


def test_each_lane_of_few_tasks_has_a_row():
    lanes = {"run": timing().lanes["run"], "fit": timing(steps_per_block=1).lanes["run"]}
    few, many = (
        words(printed(result(*(cell(task, timing=timing(lanes=lanes)) for task in MANY[:count]))))
        for count in (3, 4)
    )
    assert "task-0 run 30.0 µs 6.55× 6.30–6.81 task-0 fit 30000 µs" in few
    assert "fit" not in many
    without = cell("xor", timing=timing(no_lane={"fit": "no trainer"}))
    assert "xor fit" not in words(printed(result(cell("and", timing=timing(lanes=lanes)), without)))


def test_lanes_begin_with_run():
    lanes = dict.fromkeys(("fit", "step", "run", "run-10"), timing().lanes["run"])
    assert figures.lanes(result(cell(timing=timing(lanes=lanes)))) == ["run", "step", "fit", "run-10"]


def test_without_timing_there_is_no_timing_table():
    assert "step time" not in printed(ALL_AGREE).lower()


def test_the_end_is_verdict_report_and_command(tmp_path):
    (tmp_path / "index.html").touch()
    *_, report, command = printed(ALL_AGREE, tmp_path).splitlines()
    assert report == f"Report: {tmp_path}/index.html"
    assert command == "Again:  python -m harness run -t 'moons*'"
    assert verdict.sentence(ALL_AGREE) in words(printed(ALL_AGREE, tmp_path))


MANY = [f"task-{number}" for number in range(60)]
ALL_IN_ONE = [Concept("all", "Everything there is", "Said.", "Measured.", MANY[1:])]


def long_run(**torch: Any) -> Result:
    """A run of many tasks, on one of which torch is something else."""
    cells = [cell(task, backend, timing=timing()) for task in MANY for backend in ("numpy", "torch")]
    cells[-1] = cell(MANY[-1], "torch", **torch) if torch else cells[-1]
    return result(*cells, concepts=ALL_IN_ONE)


def test_of_many_tasks_a_row_is_a_concept():
    text = printed(long_run())
    table = text.partition("least headroom")[0]
    assert words(table).endswith("Everything there is 59 agreed 3e-15 other tasks 1 agreed 3e-15")
    assert "numpy" not in table.splitlines()[1]  # nothing is to be said of it
    assert "median of 60 tasks, lowest–highest lane torch run 6.55× 6.55–6.55" in words(text)
    assert len(text.splitlines()) < 15


def test_of_many_tasks_what_went_wrong_is_still_told():
    text = printed(long_run(status="crashed", reason="it died"))
    assert "Everything there is 1 not explained, 1 crashed, 58 agreed 3e-15" in words(text)
    assert words(text).startswith("Not explained, 1 of 120 cells crashed: task-59 × torch it died")


def test_the_reference_has_a_column_where_something_is_to_be_said_of_it():
    run = long_run()
    broken = cell(MANY[5], "numpy", "failed", reason="it died")
    run = msgspec.structs.replace(run, cells=[broken, *run.cells[:10], *run.cells[11:]])
    table = printed(run).partition("Compared with numpy")[2]
    assert table.splitlines()[1].split() == ["concept", "numpy", "torch"]
    assert "Everything there is 1 not explained, 1 failed 59 agreed 3e-15" in words(table)


def test_of_few_tasks_or_without_concepts_a_row_is_a_task():
    few = msgspec.structs.replace(long_run(), cells=long_run().cells[: 2 * terminal.TASKS])
    assert f"task-{terminal.TASKS - 1} agreed 3e-15" in words(printed(few))
    without = msgspec.structs.replace(long_run(), concepts=[])
    assert "task-59 agreed 3e-15" in words(printed(without))


def test_long_lists_are_cut_off_on_the_terminal():
    cells = [cell(task, "torch", "diverged", reason=f"out on {task}") for task in MANY]
    doubts = [cell(task, "keras", "inconclusive", parity=doubtful(), reason="far") for task in MANY]
    news = printed(result(*cells, *doubts)).partition("Compared with")[0]
    assert "task-2 × torch\n    out on task-2\n" in news  # the first few in full
    assert "task-11 × torch: out on task-11" in words(news)
    assert "task-12 × torch" not in news
    assert news.count("and 48 more, which the report lists") == 2


def test_a_loss_that_is_no_longer_finite_is_told_as_a_result(tmp_path):
    ends = {"a": 77, "b": None, "c": 4, "d": 77}
    cells = [cell(task, "numpy", metrics=Metrics(1.0, 1.0, diverged_after=end)) for task, end in ends.items()]
    text = words(printed(result(*cells)))
    assert "loss no longer finite, which ends the training: c after 4 steps; a, d after 77 steps" in text
    assert (
        "- after 4 steps: c\n- after 77 steps: a, d\n" in markdown.write(result(*cells), tmp_path).read_text()
    )
    assert "no longer finite" not in printed(ALL_AGREE)


def test_where_all_is_explained_nothing_is_called_unexplained(tmp_path):
    assert "Not explained" not in printed(ALL_AGREE)
    assert "Not explained" not in markdown.write(ALL_AGREE, tmp_path).read_text()


# ------------------------------------------------------------------------------------ progress


def test_without_a_terminal_only_the_finished_lines_are_printed():
    shown = io.StringIO()
    with Progress(Console(file=shown, width=20)) as progress:
        progress.start("comparing", 2)
        progress.working("xor × torch")
        done = cell("[bold]xor[/bold]", "torch", "agreed")
        progress.finished(done)
        progress.start("timing", 1)
        progress.timed("[bold]xor[/bold]")
    assert shown.getvalue().splitlines() == [line(done), "timed             [bold]xor[/bold]", ""]


def test_threads_may_report_at_the_same_time():
    shown = io.StringIO()
    with Progress(Console(file=shown, width=100)) as progress, ThreadPoolExecutor(8) as pool:
        progress.start("comparing", 200)
        names = [f"task-{number}" for number in range(200)]
        list(pool.map(progress.timed, names))
    *told, end = shown.getvalue().splitlines()
    assert sorted(told) == sorted(f"timed             {name}" for name in names)
    assert end == ""


# ------------------------------------------------------------------------------------ markdown


def test_markdown_begins_with_the_verdict_and_has_every_part(tmp_path):
    path = markdown.write(EVERYTHING, tmp_path)
    lines = path.read_text().splitlines()
    assert path == tmp_path / "summary.md"
    assert lines[0].startswith("**1 of 9 cells diverged")
    assert lines[2] == "**Not explained, 4 of 11 cells:**"
    assert [line for line in lines if line.startswith("## ")] == [
        "## Agreement with numpy",
        "## First divergences",
        "## Inconclusive",
        "## Step time",
        "## Reasons",
        "## Environment",
    ]


def test_markdown_leaves_out_what_there_is_not(tmp_path):
    text = markdown.write(ALL_AGREE, tmp_path).read_text()
    assert re.findall("^## .*", text, re.MULTILINE) == ["## Agreement with numpy", "## Environment"]


def test_every_row_of_a_markdown_table_has_a_cell_per_backend(tmp_path):
    run = result(cell("xor", "nu|mpy"), cell("xor", "torch"))
    lines = markdown.write(run, tmp_path).read_text().splitlines()
    rows = [line for line in lines if line.startswith("|")]
    assert len(rows) == 3
    assert {len(re.findall(r"(?<!\\)\|", row)) for row in rows} == {4}


def test_markdown_shows_foreign_text_as_text(tmp_path):
    text = markdown.write(EVERYTHING, tmp_path).read_text()
    assert "A &lt;fast&gt; \\| processor" in text
    assert r"\[red\]bad\[/nonsense\]" in text
    assert "at &lt;module&gt;</pre>" in text
    assert "\x00" not in text
    assert "\x1b" not in text


def test_markdown_has_claim_and_measurement_and_a_table_of_concepts(tmp_path):
    cells = [cell(task, backend) for task in "abc" for backend in ("numpy", "torch")]
    cells[-1] = cell("c", "torch", "crashed", reason="it died")
    text = markdown.write(result(*cells, concepts=CONCEPTS), tmp_path).read_text()
    assert (
        text.index("Not explained, 1 of 6 cells") < text.index("What is said") < text.index("Agreement with")
    )
    assert "- c × torch: crashed" in text
    assert (
        "| concept | numpy | torch |\n| --- | --- | --- |\n| First concept | reference | 2 agreed 3e-15 |"
        in text
    )
    assert "| other tasks | reference | 1 not explained, 1 crashed |" in text
    assert r"- **First concept**: It is \|said\|. *It was &lt;measured&gt;.*" in text


# --------------------------------------------------------------------------------------- junit


def suites(run: Result, folder: Path) -> dict:
    """Test cases of the written file by suite and name."""
    report = JUnitXml.fromfile(str(junit.write(run, folder)))
    return {suite.name: {case.name: case for case in suite} for suite in report}


@pytest.mark.parametrize(
    ("status", "counts"),
    [
        ("agreed", (4, 0, 0, 0)),
        ("diverged", (4, 2, 0, 0)),
        ("known difference", (4, 0, 0, 0)),
        ("inconclusive", (4, 0, 0, 2)),
        ("unsupported", (1, 0, 0, 1)),
        ("missing", (1, 0, 0, 1)),
        ("failed", (1, 0, 1, 0)),
        ("timed out", (1, 0, 1, 0)),
        ("crashed", (1, 0, 1, 0)),
    ],
    ids=list(EVERY_STATUS),
)
def test_junit_counts_tests_failures_errors_and_skipped(status, counts, tmp_path):
    report = JUnitXml.fromfile(str(junit.write(result(EVERY_STATUS[status]), tmp_path)))
    assert (report.tests, report.failures, report.errors, report.skipped) == counts


def test_junit_has_a_suite_per_backend_and_a_case_per_cell_and_quantity(tmp_path):
    found = suites(ALL_AGREE, tmp_path)
    assert list(found) == list(BACKENDS)
    assert list(found["torch"]) == [
        f"{task}{quantity}"
        for task in ("and", "xor")
        for quantity in ("", " loss", " param", " param in a single step")
    ]
    assert found["torch"]["xor"].classname == "torch.float64.cpu.1"


def test_junit_tells_the_first_divergence_and_which_quantity_is_out(tmp_path):
    cases = suites(result(EVERY_STATUS["diverged"]), tmp_path)["keras"]
    assert "param/w1[4, 7]" in cases["xor"].result[0].message
    message = "worst relative difference 3e-05; at step 7 tolerance 1e-13, headroom 3.33e-09"
    assert cases["xor param"].result[0].message == message
    assert cases["xor loss"].is_passed


@pytest.mark.parametrize("worst", [None, 2e-13], ids=["not finite", "out of tolerance"])
def test_junit_believes_the_numbers_not_the_status(worst, tmp_path):
    cases = suites(result(cell(parity=parity(worst))), tmp_path)["torch"]
    assert cases["xor param"].is_failure


def test_junit_tells_reasons(tmp_path):
    cases = suites(EVERYTHING, tmp_path)
    assert cases["sklearn"]["xor"].result[0].message == "ValueError: [red]bad[/nonsense]"
    assert cases["sklearn"]["xor"].result[0].text.endswith("Segmentation [/fault] at <module>")
    assert cases["sklearn"][LONG].result[0].message == "unsupported: no RMSprop here"
    assert cases["keras"][LONG].system_out == "known difference: ε stands under the root"
    assert "ε stands under the root" in cases["keras"][f"{LONG} param"].system_out


def test_junit_skips_what_is_not_observed(tmp_path):
    run = result(cell("xor", "sklearn", parity=parity(not_observed=["grad: fit hides it"])))
    case = suites(run, tmp_path)["sklearn"]["xor grad"]
    assert case.is_skipped
    assert case.result[0].message == "not observed: fit hides it"


def test_junit_tells_what_training_came_to(tmp_path):
    ended = cell(metrics=Metrics(1e300, 1.0, diverged_after=77))
    case = suites(result(ended), tmp_path)["torch"]["xor"]
    assert case.is_passed
    assert case.system_out == "loss: 1 → 1e+300\nend: loss no longer finite after 77 steps"


# ------------------------------------------------------------------------------------- timings


def test_no_timings_no_file(tmp_path):
    assert timings.write(ALL_AGREE, tmp_path) is None
    assert timings.write(result(cell(timing=timing(blocks_s=[]))), tmp_path) is None
    assert list(tmp_path.iterdir()) == []


def test_timings_hold_seconds_per_step_and_the_first_two_steps_as_warm_up(tmp_path):
    path = timings.write(EVERYTHING, tmp_path)
    suite = BenchmarkSuite.load(str(path))
    assert suite.get_benchmark_names() == [
        f"{LONG} {backend} run float64 cpu threads=1" for backend in ("numpy", "torch")
    ]
    (run,) = suite.get_benchmarks()[1].get_runs()
    assert run.values == pytest.approx((2e-5, 3e-5, 4e-5))
    assert run.warmups == ((1, 0.5), (1, 0.25))
    assert run.get_total_loops() == 1000


@pytest.mark.parametrize("command", ["stats", "hist", "show", "check"])
@pytest.mark.parametrize("blocks", [[0.02], [0.02, 0.03, 0.04]], ids=["one block", "three blocks"])
def test_pyperf_reads_the_timings(command, blocks, tmp_path):
    path = timings.write(result(cell(timing=timing(blocks_s=blocks))), tmp_path)
    done = subprocess.run(
        [sys.executable, "-m", "pyperf", command, str(path)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    if command == "stats":
        assert f"Total number of values: {len(blocks)}" in done.stdout
        assert "Loop iterations per value: 1000" in done.stdout


def test_the_same_task_and_backend_at_two_placements_are_two_benchmarks(tmp_path):
    cells = [cell(timing=timing(), threads=threads) for threads in (1, 2)]
    assert len(BenchmarkSuite.load(str(timings.write(result(*cells), tmp_path)))) == 2


def test_only_whole_files_are_left_behind(tmp_path):
    for write in (markdown.write, junit.write, timings.write):
        write(EVERYTHING, tmp_path)
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == ["junit.xml", "summary.md", "timings.pyperf.json"]


# ------------------------------------------------------------------------------------- changes


@pytest.mark.parametrize(
    ("before", "after", "worse"),
    [
        ("agreed", "agreed", 0),
        ("agreed", "known difference", 0),
        ("agreed", "inconclusive", 1),
        (None, "inconclusive", 1),
        ("inconclusive", "inconclusive", 0),
        ("inconclusive", "agreed", 0),
        ("inconclusive", "diverged", 1),
        ("diverged", "inconclusive", 0),
        ("diverged", "crashed", 0),
    ],
)
def test_a_run_in_which_something_got_worse_is_worse(before, after, worse):
    a, b = (result(*(cell(status=status) for status in [status] if status)) for status in (before, after))
    shown = io.StringIO()
    found = find(a, b)
    changes.print_changes(found, Console(file=shown))
    assert found.exit_code() == worse
    told = f"xor × torch (float64): {before or 'not in this run'} → {after}"
    assert (told in shown.getvalue()) == (before != after)
