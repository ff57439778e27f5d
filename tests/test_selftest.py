"""The self-test shows every fault to the real checker, and says when something promised was not kept."""

import io
import os
import re
import signal
import time
from collections import Counter

import msgspec
import pytest
from command import COLUMNS, end_workers, finish, here, refused, start, wait_for, workers
from recorded import build, first_divergence, recorded
from rich.console import Console
from test_catalogue import EVERYWHERE_EQUIVALENT, UNNAMED

from backends import COLUMNS as BUILT_IN
from harness.faults import DAMAGES, FAULTS
from harness.faults.numbers import hyper_parameters, with_value
from harness.report.killmatrix import print_selftest
from harness.selftest import power
from harness.selftest.files import HARNESS, SPOILS
from harness.selftest.outcome import SCHEMA, Clean, Outcome, Power, Selftest
from harness.selftest.workers import Workers
from tasks import TASKS

# ------------------------------------------------------------------- through the real command line

BROKEN = {
    "not_installed": "missing: not_installed: a_framework_that_nobody_has is not installed: pip install a_f",
    "half_installed": "failed: half_installed: ModuleNotFoundError: No module named 'json.accelerated'",
    "dies_at_start": "crashed: dies_at_start: the worker was ended by SIGABRT",
    "half_rate": "failed: half_rate is wrong on small-gd without any fault: from step 1, param/",
    "nesterov": "failed: nesterov is wrong on small-momentum without any fault: from step 1, param/",
}
WRONG_USE = {
    "unknown-backend": (["-b", "pytorch"], "backend 'pytorch' is neither a backend (numpy, sklearn, "),
    "no-runs": (["--clean", "0"], "Invalid value for '--clean': 0 is not in the range"),
    "runs-in-words": (["--clean", "many"], "Invalid value for '--clean': 'many' is not a valid integer"),
    "unknown-option": (["--slow"], "No such option"),
    "argument-too-many": (["torch"], "Got unexpected extra argument (torch)"),
}


@pytest.fixture(scope="module")
def done():
    """What became of each command."""
    faults = start("selftest", "--quick", "-b", "numpy", "-b", "sklearn", "--json")
    meanwhile = {
        "clean": ["--clean", "20", "-b", "numpy", "-b", "torch", "--json"],
        "table": ["--clean", "3", "-b", "sklearn"],
        **{name: ["--quick", "-b", COLUMNS / f"{name}.py"] for name in BROKEN},
    }
    try:
        ended = {name: here("selftest", *arguments) for name, arguments in meanwhile.items()}
        return ended | {"faults": finish(faults)}
    finally:
        faults.kill()


@pytest.fixture(scope="module")
def faults(done):
    """Every fault once, on two backends."""
    return msgspec.json.decode(done["faults"].stdout, type=Selftest)


def test_every_promise_is_kept(done, faults):
    assert (done["faults"].returncode, done["faults"].stderr) == (0, "")
    assert faults.broken_promises() == []
    assert faults.schema == SCHEMA
    assert faults.seconds > 0
    assert (faults.clean, faults.power) == (None, [])


def test_every_fault_is_shown_until_it_can_be_seen_and_the_backends_take_turns(faults):
    tried = Counter(one.fault for one in faults.tried())
    assert len(tried) >= 100
    assert set(tried.values()) == {1}
    everything = {*FAULTS, *DAMAGES, *(spoil.id for spoil in SPOILS)}
    assert everything - tried.keys() == EVERYWHERE_EQUIVALENT
    assert {one.fault for one in faults.outcomes} == everything
    backends = Counter(one.backend for one in faults.tried())
    assert backends.keys() == {"numpy", "sklearn", HARNESS}
    assert backends["numpy"] > 40 < backends["sklearn"]
    assert backends[HARNESS] == len(SPOILS)


def test_outcomes_say_what_was_found(faults):
    for one in faults.outcomes:
        assert one.words
        assert bool(one.proof) == (one.found == "equivalent")
        if one.fault in FAULTS and one.found == "found":
            fault = FAULTS[one.fault]
            assert ((fault.field or fault.id) in one.causes) == (fault.id not in UNNAMED)
            assert 0 <= one.steps <= 3
            assert one.quantity.startswith(fault.shows)
        else:
            assert one.causes == []


def printed(found):
    """The lines of the tables."""
    console = Console(file=io.StringIO(), width=120)
    print_selftest(found, console)
    return console.file.getvalue().splitlines()


def row(outcomes):
    """What the table says of a fault: each found where it was tried, = where nobody can see it."""
    words = []
    for backend in ("numpy", "sklearn"):
        found = Counter(one.found for one in outcomes if one.backend == backend)
        words += ["1/1"] * found["found"] + ["=" * found["equivalent"]] * (found["equivalent"] > 0)
    tried = [one for one in outcomes if one.found == "found"]
    for one in tried:
        named = {"right": ["1/1"], "not known": ["0/1"]}
        words += [str(one.steps), "1/1", *named.get(one.named, [])]
    return words


def test_table_counts_what_the_json_has(faults):
    lines = printed(faults)
    rows = {first: rest for first, *rest in (line.split() for line in lines if line.strip())}
    for name in FAULTS | DAMAGES:
        assert rows[name] == row([one for one in faults.outcomes if one.fault == name])
    for spoil in SPOILS:
        assert f"{spoil.words} 1/1" in [" ".join(line.split()) for line in lines]
    for one in faults.outcomes:
        assert one.proof is None or any(line.startswith(f"= {one.fault}: {one.proof} (") for line in lines)
    tried, equal = len(faults.tried()), sum(one.found == "equivalent" for one in faults.outcomes)
    assert (
        f"{tried} of {tried} faults found, of {tried} kinds; {equal} more are equivalent, with proof. "
        f"Localised right: 100.0%. Causes named right: {faults.named():.1%}, wrong: 0."
    ) in lines
    assert lines[-1] == "Everything promised was kept."


def test_clean_runs_raise_no_alarm(done):
    assert (done["clean"].returncode, done["clean"].stderr) == (0, "")
    clean = msgspec.json.decode(done["clean"].stdout, type=Selftest).clean
    assert (clean.runs, clean.alarms) == (20, [])
    assert clean.agreed + clean.as_declared + clean.inconclusive == 20
    assert clean.agreed > 10
    assert clean.least_headroom > 1
    assert re.fullmatch(r"random-\d+ × torch", clean.tightest)


def test_clean_runs_are_summed_up_in_a_line(done):
    assert (done["table"].returncode, done["table"].stderr) == (0, "")
    said, kept = done["table"].stdout.splitlines()[-2:]
    assert said.startswith(
        "3 clean runs: 0 false alarms, 3 agreed, 0 differ as declared, 0 inconclusive; least headroom "
    )
    assert kept == "Everything promised was kept."


@pytest.mark.parametrize("column", BROKEN)
def test_backend_that_is_broken_without_any_fault_is_said(done, column):
    """Whatever is put into it would be found."""
    assert done[column].returncode == 3
    assert done[column].stderr == ""
    assert done[column].stdout.startswith(BROKEN[column])
    assert len(done[column].stdout.splitlines()) == 1


@pytest.mark.parametrize("wrong", WRONG_USE)
def test_wrong_use_is_refused_in_one_sentence(wrong):
    arguments, sentence = WRONG_USE[wrong]
    assert sentence in refused("selftest", *arguments)


@pytest.mark.parametrize(("what", "times"), [("--quick", 1), ("--clean=500", 3), ("--power", 3)])
def test_interrupted_selftest_leaves_nothing_behind(tmp_path, what, times):
    """Ctrl-C, which a user may well press three times."""
    here = os.environ | {"TMPDIR": str(tmp_path)}
    process = start("selftest", what, "-b", "numpy", "-b", "sklearn", env=here)
    try:
        wait_for(lambda: len(list(tmp_path.glob("*/small-gd*.actual.npz"))) == 2, "both backends")
        for _ in range(times):
            process.send_signal(signal.SIGINT)
            time.sleep(0.01)
        done = finish(process)
        assert (done.returncode, done.stdout, done.stderr) == (130, "", "")
        assert workers(tmp_path) == []
        assert list(tmp_path.iterdir()) == []
    finally:
        process.kill()
        process.communicate()
        end_workers(tmp_path)


# -------------------------------------------------------------------------------------- promises


def outcome(**found):
    """A fault that was found and named."""
    usual = {"fault": "loss-halved", "words": "…", "task": "small-gd", "backend": "torch", "found": "found"}
    return Outcome(**usual | {"localised": True, "named": "right"} | found)


def ended(outcomes=(), clean=None):
    return Selftest(SCHEMA, 1.0, list(outcomes), clean)


def many(good, bad, **found):
    """So many good outcomes and so many with these findings."""
    return [outcome()] * good + [outcome(**found)] * bad


KEPT = {
    "nothing": [],
    "all": many(10, 0),
    "equivalent": many(1, 1, found="equivalent", localised=False, proof="the same", named="none to name"),
    "localised-enough": many(95, 5, localised=False),
    "named-enough": many(80, 20, named="not known"),
    "none-to-name": many(1, 20, named="none to name"),
}
BROKEN_PROMISES = {
    "missed": (many(99, 1, found="missed", localised=False), ["loss-halved in small-gd × torch was missed"]),
    "not-equivalent": (
        many(99, 1, found="not equivalent", proof="it is the same"),
        ["loss-halved in small-gd × torch was found, though: it is the same"],
    ),
    "wrong-name": (
        many(99, 1, named="wrong", causes=["loss-summed", "l2"]),
        ["loss-halved in small-gd × torch was named loss-summed, l2"],
    ),
    "localised-too-little": (many(94, 6, localised=False), ["94.0% localised right, promised 95%"]),
    "named-too-little": (many(79, 21, named="not known"), ["79.0% of causes named right, promised 80%"]),
}


@pytest.mark.parametrize("case", KEPT)
def test_promises_that_are_kept_make_exit_code_0(case):
    found = ended(KEPT[case])
    assert (found.broken_promises(), found.exit_code()) == ([], 0)


@pytest.mark.parametrize("case", BROKEN_PROMISES)
def test_broken_promise_makes_exit_code_1_and_is_printed(case):
    outcomes, promises = BROKEN_PROMISES[case]
    found = ended(outcomes)
    assert (found.broken_promises(), found.exit_code()) == (promises, 1)
    assert [line for line in printed(found) if "kept" in line] == [
        f"not kept: {promise}" for promise in promises
    ]


def test_table_marks_what_was_missed_and_what_was_seen_against_its_proof():
    missed = outcome(found="missed", localised=False, named="none to name")
    seen = outcome(fault="batch-reversed", found="not equivalent", proof="the same", named="none to name")
    rows = [line.split() for line in printed(ended([outcome(steps=2), missed, seen]))]
    assert ["loss-halved", "1/2", "2", "1/2", "1/1"] in rows
    assert ["batch-reversed", "!"] in rows


def test_false_alarm_makes_exit_code_1():
    alarm = "random-7 × torch diverged: from step 1, loss differs"
    found = ended(clean=Clean(3, 2, 0, 0, [alarm], 2.0, "random-1 × keras"))
    assert (found.broken_promises(), found.exit_code()) == ([f"false alarm: {alarm}"], 1)


def test_inconclusive_clean_run_breaks_no_promise():
    assert ended(clean=Clean(3, 1, 1, 1, [], 2.0, "random-1 × keras")).exit_code() == 0


# ----------------------------------------------------------------------------------------- power


@pytest.fixture(scope="module")
def powers():
    """The smallest changes that are found on two tasks, by real workers."""
    chosen = {name: TASKS[name] for name in ("quadratic-adam", "quadratic-ill-conditioned-rmsprop")}
    with pytest.MonkeyPatch.context() as patch, Workers([BUILT_IN["numpy"]]) as running:
        patch.setattr(power, "TASKS", chosen)
        told = []
        return power.power(running, "numpy", told.append), told


def found_change(task, parameter, change):
    value = hyper_parameters(task)[parameter] * (1 + change)
    return first_divergence(recorded(build(with_value(task, parameter, value)), task), task) is not None


def test_smallest_change_that_is_found_is_the_smallest(powers):
    found, told = powers
    assert len(told) == len(found) == 4 + 3
    for one in found:
        task = TASKS[one.task]
        if one.change is None:
            assert (one.task, one.parameter) == ("quadratic-ill-conditioned-rmsprop", "epsilon")
            assert not found_change(task, one.parameter, 0.1)
        else:
            assert found_change(task, one.parameter, one.change)
            assert not found_change(task, one.parameter, one.change / 10)


def test_tiny_changes_of_a_learning_rate_are_found(powers):
    rates = [one.change for one in powers[0] if one.parameter == "learning_rate"]
    assert len(rates) == 2
    assert max(rates) <= 1e-12


def test_table_of_smallest_changes_has_a_row_for_each_task(powers):
    lines = printed(Selftest(SCHEMA, 1.0, power=[*powers[0], Power("other", "l2", 1e-9)]))
    assert " ".join(lines[0].split()) == "smallest change found learning_rate beta_1 beta_2 epsilon rho l2"
    rows = [line.split() for line in lines]
    assert ["other", "1e-09"] in rows
    (row,) = (row for row in rows if row[:1] == ["quadratic-ill-conditioned-rmsprop"])
    assert "none" in row


@pytest.mark.parametrize("other", ["--clean=3", "--power"])
def test_quick_goes_with_faults_only(other):
    sentence = refused("selftest", "--quick", other)
    assert sentence == "--quick goes with neither --clean nor --power: it is for faults"
