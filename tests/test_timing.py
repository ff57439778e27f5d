"""Statistics of timing: what may be said of which blocks."""

import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest

from harness import timing
from harness.protocol import Measured
from harness.timing import AGAIN, BETWEEN_RUNS, BLOCK_S, OFF_PROCESSOR, QUICK_ROUNDS, REPEATS, ROUNDS

NEAR = [0.3, np.nextafter(0.3, 1), np.nextafter(0.3, 0)]  # as close as two floats can be
logs = st.lists(st.floats(-3, 3) | st.sampled_from(NEAR), min_size=1, max_size=12).map(np.array)


def measured(wall_s=BLOCK_S, stolen_s=0.0, off=0.0):
    """A block that was off the processor for so much of its time."""
    return Measured(wall_s=wall_s, cpu_s=(1 - off) * wall_s, stolen_s=stolen_s)


# ------------------------------------------------------------------------------------ intervals


@settings(deadline=None, max_examples=60)
@given(logs)
def test_interval_holds_the_geometric_mean(found):
    low, middle, high = timing.interval(found)
    assert middle == pytest.approx(math.prod(np.exp(found)) ** (1 / len(found)), rel=1e-12)
    assert low <= middle <= high
    assert low * high == pytest.approx(middle**2, rel=1e-9)  # as far below as above, in ratios


@settings(deadline=None, max_examples=60)
@given(logs, st.floats(0.01, 100))
def test_interval_scales_with_the_ratio(found, factor):
    expected = np.array(timing.interval(found)) * factor
    assert timing.interval(found + math.log(factor)) == pytest.approx(expected, rel=1e-9)


@settings(deadline=None, max_examples=30)
@given(logs)
def test_interval_of_the_inverse_is_the_inverse(found):
    low, middle, high = timing.interval(found)
    inverse = timing.interval(-found)
    assert inverse[1] == pytest.approx(1 / middle, rel=1e-9)
    assert inverse == pytest.approx([1 / high, 1 / middle, 1 / low], rel=1e-6)


def test_interval_is_the_same_each_time():
    found = np.array([0.1, 0.3, 0.2, 0.5])
    assert timing.interval(found) == timing.interval(found)


@pytest.mark.parametrize("found", [[0.25], [0.25, 0.25, 0.25]], ids=["one-round", "equal-rounds"])
def test_interval_without_spread_is_a_point(found):
    assert timing.interval(np.array(found)) == pytest.approx([math.exp(0.25)] * 3)


def test_interval_narrows_with_more_rounds():
    rng = np.random.default_rng(0)
    few, many = (timing.interval(rng.normal(size=count)) for count in (10, 1000))
    assert many[2] / many[0] < few[2] / few[0]


def test_interval_covers_the_truth_about_as_often_as_it_says():
    """95 %, within what 4000 draws can tell; a bootstrap over ten rounds would come to 89 %."""
    rng = np.random.default_rng(0)
    intervals = [timing.interval(rng.normal(scale=0.1, size=ROUNDS)) for _ in range(4000)]
    covered = np.mean([low <= 1 <= high for low, _, high in intervals])
    assert 0.94 < covered < 0.96


# -------------------------------------------------------------------------------------- changes


@pytest.mark.parametrize(
    ("change", "said"),
    [
        pytest.param([1.03, 1.05, 1.07], "slower", id="slower"),
        pytest.param([0.93, 0.95, 0.97], "faster", id="faster"),
        pytest.param([1.001, 1.021, 1.04], "slower", id="just-slower"),
        pytest.param([1.011, 1.015, 1.019], "no difference", id="slower-by-less-than-2-percent"),
        pytest.param([0.981, 0.985, 0.989], "no difference", id="faster-by-less-than-2-percent"),
        pytest.param([0.99, 1.03, 1.07], "no difference", id="holds-one"),
        pytest.param([0.94, 1.0, 1.06], "noisy", id="wide"),
        pytest.param([0.99, 1.2, 1.5], "noisy", id="wide-and-holds-one"),
        pytest.param([1.1, 1.5, 2.1], "slower", id="wide-and-far-away"),
    ],
)
def test_what_is_said_of_a_change(change, said):
    assert timing.changed(change) == said


BURST, BURSTS = 0.4, 0.05  # what a busy host adds to a logarithm, and in which share of the rounds
TIMES = 500
# Deviation of a mean between runs and of logarithms within a run, as benchmarks/detect.py measured them.
LIKE_SKLEARN, LIKE_TORCH = (0.006, 0.01), (0.012, 0.0125)


def said_of_two_runs(slower, between, within):
    """How often each word is said, where in the second run steps take (1 + slower) times as long."""
    rng = np.random.default_rng(0)

    def run(log):
        bursts = BURST * rng.choice([-1, 0, 1], p=[BURSTS / 2, 1 - BURSTS, BURSTS / 2], size=ROUNDS)
        return log + rng.normal(scale=between) + rng.normal(scale=within, size=ROUNDS) + bursts

    return Counter(timing.changed(timing.change(run(0), run(math.log1p(slower)))) for _ in range(TIMES))


def is_more_than_one_in_twenty(count):
    return binomtest(count, TIMES, 0.05, alternative="greater").pvalue < 0.01


@pytest.mark.parametrize(("deviations", "share"), [(LIKE_SKLEARN, 0.9), (LIKE_TORCH, 0.7)])
def test_five_percent_are_found_between_runs_that_differ_as_runs_do(deviations, share):
    assert said_of_two_runs(0.05, *deviations)["slower"] >= share * TIMES


@pytest.mark.parametrize("deviations", [LIKE_SKLEARN, LIKE_TORCH])
def test_runs_of_the_same_code_are_seldom_said_to_differ(deviations):
    said = said_of_two_runs(0.0, *deviations)
    assert not is_more_than_one_in_twenty(said["slower"] + said["faster"])


def test_rounds_alone_would_say_too_often_that_runs_differ(monkeypatch):
    """Why a change is not judged by its rounds alone."""
    monkeypatch.setattr(timing, "BETWEEN_RUNS", 0.0)
    said = said_of_two_runs(0.0, *LIKE_TORCH)
    assert is_more_than_one_in_twenty(said["slower"] + said["faster"])


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 1000), st.floats(0.2, 5))
def test_change_back_is_the_inverse(seed, factor):
    rng = np.random.default_rng(seed)
    a, b = rng.normal(size=(2, ROUNDS))
    there, back = timing.change(a, b + math.log(factor)), timing.change(b + math.log(factor), a)
    assert back == pytest.approx([1 / end for end in reversed(there)], rel=1e-9)


def test_a_burst_in_two_rounds_of_ten_hardly_moves_a_change():
    before, quiet = np.random.default_rng(0).normal(scale=0.01, size=(2, ROUNDS))
    burst = quiet.copy()
    burst[[2, 3]] += 0.6  # the host had other work: blocks took nearly twice as long
    assert timing.change(before, burst) == pytest.approx(timing.change(before, quiet), abs=0.02)


def test_change_of_many_equal_rounds_is_as_uncertain_as_two_runs_are():
    """More rounds do not help against what differs between processes."""
    rng = np.random.default_rng(0)
    _, middle, high = timing.change(*rng.normal(scale=0.01, size=(2, 10_000)))
    assert high / middle == pytest.approx(math.exp(2.576 * math.sqrt(2) * BETWEEN_RUNS), rel=1e-3)


# --------------------------------------------------------------------------------------- ratios


def test_ratios_are_taken_within_a_round():
    drift = np.array([1.0, 2.0, 8.0, 3.0])
    assert timing.log_ratios(3 * drift, drift, [False] * 4) == pytest.approx([math.log(3)] * 4)


def test_disturbed_rounds_are_left_out_where_three_quiet_ones_are():
    step = np.array([1.0, 2.0, 3.0, 4.0, 5.0])
    disturbed = [False, True, False, True, False]
    assert timing.log_ratios(step, np.ones(5), disturbed) == pytest.approx(np.log([1, 3, 5]))


def test_all_rounds_count_where_fewer_are_quiet():
    step = np.array([1.0, 2.0, 3.0, 4.0])
    disturbed = [False, True, True, False]
    assert timing.log_ratios(step, np.ones(4), disturbed) == pytest.approx(np.log([1, 2, 3, 4]))


# --------------------------------------------------------------------------------------- verdict

QUIET = [0.995, 1.0, 1.005]


@pytest.mark.parametrize(
    ("ratio", "again", "said"),
    [
        pytest.param([1.1, 1.2, 1.3], QUIET, "slower", id="slower"),
        pytest.param([0.7, 0.8, 0.9], QUIET, "faster", id="faster"),
        pytest.param([0.9, 1.0, 1.1], QUIET, "no difference seen", id="around-one"),
        pytest.param([1.011, 1.015, 1.019], QUIET, "no difference seen", id="slower-by-less-than-2-percent"),
        pytest.param([0.981, 0.985, 0.989], QUIET, "no difference seen", id="faster-by-less-than-2-percent"),
        pytest.param([1.01, 1.2, 1.3], QUIET, "no difference seen", id="interval-reaches-into-the-band"),
        pytest.param([1.04, 1.05, 1.06], [0.99, 1.02, 1.05], "no difference seen", id="within-noise-above"),
        pytest.param([1.04, 1.05, 1.06], [0.95, 0.98, 1.01], "no difference seen", id="within-noise-below"),
        pytest.param([0.94, 0.95, 0.96], [0.99, 1.02, 1.05], "no difference seen", id="as-slow-as-noise"),
        pytest.param([1.06, 1.07, 1.08], [0.99, 1.02, 1.05], "slower", id="beyond-the-noise"),
        pytest.param([2.0, 2.1, 2.2], [1.03, 1.05, 1.07], "no verdict", id="reference-slower-than-itself"),
        pytest.param([2.0, 2.1, 2.2], [0.93, 0.95, 0.97], "no verdict", id="reference-faster-than-itself"),
        pytest.param(
            [2.0, 2.1, 2.2], [1.01, 1.03, 1.05], "slower", id="reference-hardly-differs-from-itself"
        ),
    ],
)
def test_verdict(ratio, again, said):
    assert timing.verdict(ratio, again, ROUNDS).startswith(said)
    assert timing.verdict(ratio, again, ROUNDS - 1).startswith(f"indicative: {said}")


def test_no_verdict_says_why():
    assert "the reference differs from itself" in timing.verdict([2, 2, 2], [1.1, 1.2, 1.3], ROUNDS)


@settings(deadline=None)
@given(
    st.tuples(*[st.floats(0.2, 5)] * 3).map(sorted),
    st.tuples(*[st.floats(0.2, 5)] * 3).map(sorted),
)
def test_verdict_needs_the_interval_outside_both_bands(ratio, again):
    """Never both slower and faster, and never a verdict within 2 %."""
    said = timing.verdict(ratio, again, ROUNDS)
    if said == "slower":
        assert ratio[0] > 1.02 and ratio[0] > again[2]
    if said == "faster":
        assert ratio[2] < 0.98 and ratio[2] < again[0]
    if again[0] > 1.02 or again[2] < 0.98:
        assert said.startswith("no verdict")


# ---------------------------------------------------------------------------------------- rounds


class Blocks:
    """Blocks of three backends and the reference's second, which note the order they are asked in."""

    names = ("numpy", "keras", "torch", AGAIN)

    def __init__(self, disturb=lambda _number: {}):
        self.asked = []
        self.ask = {name: lambda name=name: self.block(name, disturb) for name in self.names}

    def block(self, name, disturb):
        self.asked.append(name)
        return measured(**disturb(len(self.asked)))

    def orders(self):
        size = len(self.names)
        return [tuple(self.asked[i : i + size]) for i in range(0, len(self.asked), size)]


def test_every_round_asks_each_backend_once_and_the_reference_twice():
    blocks = Blocks()
    found, disturbed = timing.rounds(blocks.ask, ROUNDS, seed=1)
    assert len(found) == ROUNDS
    assert all(Counter(order) == Counter(blocks.names) for order in blocks.orders())
    assert all(blocks_of.keys() == set(blocks.names) for blocks_of in found)
    assert disturbed == dict.fromkeys(blocks.names, [False] * ROUNDS)


def test_order_is_random_and_seeded():
    first, second, other = Blocks(), Blocks(), Blocks()
    for blocks, seed in ((first, 1), (second, 1), (other, 2)):
        timing.rounds(blocks.ask, ROUNDS, seed=seed)
    assert first.orders() == second.orders() != other.orders()
    assert len(set(first.orders())) > ROUNDS / 2
    assert len({order[0] for order in first.orders()}) == len(Blocks.names)  # nobody is always first


DISTURBED = [
    pytest.param({"stolen_s": 0.01}, id="stolen"),
    pytest.param({"off": 0.2}, id="beside-a-busy-process"),
]


@pytest.mark.parametrize("noise", DISTURBED)
def test_disturbed_round_is_made_up_for_and_kept(noise):
    blocks = Blocks(lambda number: noise if number == 6 else {})  # in the second round
    found, disturbed = timing.rounds(blocks.ask, 5, seed=0)
    assert len(found) == 6
    second = [False, True, False, False, False, False]
    assert disturbed == {name: second if name == blocks.asked[5] else [False] * 6 for name in blocks.names}


def test_disturbed_block_spoils_the_ratios_that_it_takes_part_in():
    disturbed = {"torch": [True, False, False], "numpy": [False, True, False], "keras": [False] * 3}
    assert timing.spoiled(disturbed, "torch", "numpy") == [True, True, False]
    assert timing.spoiled(disturbed, "keras", "numpy") == [False, True, False]


@pytest.mark.parametrize("noise", DISTURBED)
def test_block_is_disturbed(noise):
    assert timing.is_disturbed(measured(**noise))


def test_a_moment_off_the_processor_is_no_disturbance():
    assert not timing.is_disturbed(measured(off=0.9 * OFF_PROCESSOR))


def test_threads_that_compute_side_by_side_are_no_disturbance():
    assert not timing.is_disturbed(measured(off=-1.0))


def test_the_processor_may_rest_while_a_device_computes():
    assert not timing.is_disturbed(measured(off=0.9), "cuda")
    assert timing.is_disturbed(measured(stolen_s=0.01), "cuda")


def test_noisy_machine_does_not_make_it_go_on_for_ever():
    found, disturbed = timing.rounds(Blocks(lambda _: {"stolen_s": 1.0}).ask, QUICK_ROUNDS, seed=0)
    assert len(found) == QUICK_ROUNDS + REPEATS
    assert all(map(all, disturbed.values()))


# ---------------------------------------------------------------------------------------- steady


@pytest.mark.parametrize(
    ("blocks", "expected"),
    [
        pytest.param([1.0] * 10, True, id="constant"),
        pytest.param([1.0, 1.02, 0.98, 1.01, 0.99, 1.0, 1.02, 0.98, 1.01, 0.99], True, id="quiet"),
        pytest.param([3.0, 1.02, 0.98, 1.01, 0.99, 1.0, 1.02, 0.98], False, id="slow-first"),
        pytest.param([1.2, 1.2, 1.21, 1.2, 1.0, 1.0, 1.01, 1.0], False, id="slower-half"),
        pytest.param([1.0, 1.0, 1.01, 1.0, 1.2, 1.2, 1.21, 1.2], False, id="faster-half"),
        pytest.param([9.0, 1.0, 1.0], True, id="too-few-to-tell"),
    ],
)
def test_steady(blocks, expected):
    assert timing.steady(blocks) is expected


@given(st.lists(st.floats(0.01, 10), min_size=1, max_size=12), st.sampled_from([0.25, 4.0, 1024.0]))
def test_steadiness_does_not_depend_on_the_unit(blocks, factor):
    assert timing.steady(blocks) == timing.steady([factor * block for block in blocks])
