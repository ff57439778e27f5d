"""What `compare` says of the times of two runs."""

import io
import os
import re
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from msgspec.structs import replace
from rich.console import Console

import backends
from backends.base import Placement
from harness.plan import Spot
from harness.race import Race
from harness.report import changes
from harness.result import SCHEMA, Cell, Environment, Lane, Result, Timing
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
    shown = io.StringIO()
    assert changes.print_changes(a, b, Console(file=shown, width=200)) == 0  # slower is not worse
    return [
        line.strip() for line in shown.getvalue().partition("Step times:")[2].splitlines() if line.strip()
    ]


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
