"""Sweeps over sizes: what is counted, what is fitted, where lines cross, and a small real one."""

import base64
import gzip
import json
import math
import re
import signal
from unittest.mock import patch

import altair as alt
import msgspec
import numpy as np
import pytest
import vl_convert
from command import COLUMNS, end_workers, finish, here, refused, start, wait_for, workers

from backends import numpy
from backends.base import Placement
from harness.report import page
from harness.report import scale as report
from harness.scale import crossover, grid, line
from harness.scale.outcome import Scale, Work
from harness.scale.work import work
from tasks import sweep

# ---------------------------------------------------------------------------------------- FLOPs


def test_work_of_a_network_by_hand():
    """Layers 2→4, 4→5, 5→1 on 10 rows: 160, 400 and 100 a product; two of the first, three of others."""
    found = work(sweep.network((4, 5), batch=10, rows=20))
    assert found == Work(layers=3, activations=10 * 9, flops=2 * 160 + 3 * 400 + 3 * 100)


def test_work_of_a_quadratic_by_hand():
    assert work(sweep.bowl(10)) == Work(layers=0, activations=0, flops=200)


class Counter:
    """A product of matrices that counts its multiplications and additions."""

    def __init__(self):
        self.flops = 0

    def __call__(self, a, b):
        self.flops += 2 * a.shape[0] * a.shape[1] * b.shape[1]
        return a @ b


def backpropagated(task, matmul):
    """Gradients of the kernels on the first batch, of a network of relu units with one logistic output."""
    *hidden, last = [(task.start[f"w{i}"], task.start[f"b{i}"]) for i in range(1, 1 + len(task.start) // 2)]
    h = [task.data.x_train[: task.batches.size]]
    for w, b in hidden:
        h.append(np.maximum(matmul(h[-1], w) + b, 0))
    z = matmul(h[-1], last[0]) + last[1]
    delta = (1 / (1 + np.exp(-z)) - task.data.y_train[: len(z), None]) / len(z)
    gradients = {}
    for i, (w, _) in reversed([*enumerate([*hidden, last])]):
        gradients[f"w{i + 1}"] = matmul(h[i].T, delta)
        if i:
            delta = matmul(delta, w.T) * (h[i] > 0)
    return gradients


@pytest.mark.parametrize("hidden", [(3,), (4, 5), (8, 8, 8, 8)], ids=str)
def test_work_is_what_a_step_multiplies(hidden):
    task, count = sweep.network(hidden, batch=10, rows=20), Counter()
    gradients = backpropagated(task, count)
    _, desired = numpy.Network(task, Placement()).gradient(np.arange(10))
    for name, gradient in gradients.items():  # it is a whole step that was counted
        np.testing.assert_allclose(gradient, desired[name], atol=1e-15)
    assert work(task).flops == count.flops


# ----------------------------------------------------------------------------------------- grid


@pytest.mark.parametrize("sizes", [grid.FULL, grid.QUICK], ids=["full", "quick"])
def test_every_place_of_an_axis_is_timed_and_found_by_a_worker(sizes):
    for family in grid.families(sizes):
        for axis in family.axes:
            assert [place.size for place in axis.places] == sorted({place.size for place in axis.places})
            assert {place.task for place in axis.places} <= family.tasks.keys()
            assert {place.lane for place in axis.places} <= {"run", *family.lanes}
        assert all(sweep.find(name).name == name for name in family.tasks)


@pytest.mark.parametrize("sizes", [grid.FULL, grid.QUICK], ids=["full", "quick"])
def test_costs_can_be_told_apart_from_the_tasks_of_a_sweep(sizes):
    for family in grid.families(sizes):
        amounts = [
            line.amounts(family.kind, work(task), calls)
            for task in family.tasks.values()
            for calls in ([1, 0.1, 0.01] if family.lanes else [0.01])
        ]
        assert line.fit(np.array(amounts, float), [np.ones(3)] * len(amounts), draws=2) is not None


@pytest.mark.parametrize("batch", grid.FULL["batch"])
def test_batches_of_a_sweep_are_whole(batch):
    assert grid.ROWS % batch == 0


# ---------------------------------------------------------------------------------------- lines

COSTS = np.array([50e-6, 20e-6, 2e-9, 15e-12])  # seconds per step, layer, activation, FLOP
AMOUNTS = np.array([
    line.amounts("network", work(task), 0) for task in grid.families(grid.FULL)[0].tasks.values()
])  # fmt: skip


def rounds(rng, amounts=AMOUNTS, costs=COSTS, noise=0.05, count=10):
    """Step times with some noise, by point and round."""
    times = amounts @ costs
    return list(times[:, None] * np.exp(rng.normal(scale=noise, size=(len(times), count))))


def test_line_through_points_without_noise_has_their_costs():
    found = line.fit(AMOUNTS, rounds(np.random.default_rng(0), noise=0), draws=2)
    np.testing.assert_allclose(found.costs, np.repeat(COSTS[:, None], 3, axis=1), rtol=1e-9)
    assert np.max(np.abs(found.misses)) < 1e-9
    assert found.is_good


def test_line_through_noisy_points_has_about_their_costs_inside_its_intervals():
    found = line.fit(AMOUNTS, rounds(np.random.default_rng(1), noise=0.02))
    np.testing.assert_allclose(found.costs[:, 1], COSTS, rtol=0.1)
    assert np.all(found.costs[:, 0] < found.costs[:, 1])
    assert np.all(found.costs[:, 1] < found.costs[:, 2])


@pytest.mark.parametrize("count", [3, 10])
def test_intervals_of_costs_cover_the_truth_about_as_often_as_they_say(count):
    """95 %, within what the draws and a bootstrap of medians of few rounds can tell."""
    rng = np.random.default_rng(2)
    found = [line.fit(AMOUNTS, rounds(rng, count=count), draws=200).costs for _ in range(300)]
    covered = np.mean([(costs[:, 0] <= COSTS) & (costs[:, 2] >= COSTS) for costs in found])
    assert 0.93 <= covered <= 0.98


def test_cost_that_is_not_there_is_zero_and_none_is_negative():
    costs = COSTS * [1, 0, 1, 1]
    found = line.fit(AMOUNTS, rounds(np.random.default_rng(3), costs=costs), draws=50)
    assert found.costs[1, 0] == 0
    assert np.all(found.costs >= 0)


def test_small_points_count_as_much_as_large_ones():
    """The largest network takes fifty times as long as the smallest, whose costs would drown in its noise."""
    times = rounds(np.random.default_rng(4), noise=0)
    times[np.argmax(AMOUNTS[:, 3])] *= 1.03
    found = line.fit(AMOUNTS, times, draws=2)
    np.testing.assert_allclose(found.costs[0, 1], COSTS[0], rtol=0.06)


def test_line_that_misses_a_point_does_not_fit():
    times = rounds(np.random.default_rng(5), noise=0)
    times[3] = times[3] * 2
    found = line.fit(AMOUNTS, times, draws=2)
    assert not found.is_good
    assert np.argmax(np.abs(found.misses)) == 3
    assert found.misses[3] < -line.MISS


@pytest.mark.parametrize(
    "amounts",
    [
        pytest.param(AMOUNTS[[0, 7, 8, 10]], id="as-many-points-as-costs"),
        pytest.param(np.repeat(AMOUNTS[:2], 4, axis=0), id="points-alike"),
    ],
)
def test_costs_that_cannot_be_told_apart_are_not_told(amounts):
    assert line.fit(amounts, [np.ones(3)] * len(amounts)) is None


# ----------------------------------------------------------------------------------- crossovers

SIZES = (10, 100, 1000, 10000)


def followed(*ratios, half=0.05, again=0.0):
    """What is said of ratios a/b at the sizes 10, 100 and so on, all with an interval of ± half."""
    intervals = {
        size: [ratio * math.exp(-half), ratio, ratio * math.exp(half)]
        for size, ratio in zip(SIZES, ratios, strict=False)
    }
    to_itself = [math.exp(again - 0.005), math.exp(again), math.exp(again + 0.005)]
    return crossover.pair("width", 1, ("a", "b"), intervals, dict.fromkeys(intervals, to_itself))


def test_crossover_is_where_the_line_between_logarithms_meets_one():
    found = followed(4.0, 2.0, 0.5, 0.25)
    (one,) = found.crossovers
    assert (one.overtaking, one.overtaken, found.faster, found.undecided) == ("a", "b", None, [])
    assert one.size[1] == pytest.approx(math.sqrt(100 * 1000))
    # The ends of the interval meet 1 where the line has moved by half of it: it falls by log 4 in a decade.
    decades = 0.05 / math.log(4)
    assert one.size == pytest.approx([one.size[1] * 10**off for off in (-decades, 0, decades)])


def test_crossover_the_other_way_round_is_the_same_place():
    (one,) = followed(0.25, 0.5, 2.0, 4.0).crossovers
    assert (one.overtaking, one.overtaken) == ("b", "a")
    assert one.size[1] == pytest.approx(math.sqrt(100 * 1000))
    assert one.size[0] < one.size[1] < one.size[2]


def test_no_crossover():
    found = followed(2.0, 1.5, 1.2, 1.1)
    assert (found.crossovers, found.faster, found.undecided) == ([], "b", [])


def test_several_crossovers():
    found = followed(2.0, 0.5, 2.0, 0.5)
    assert [one.overtaking for one in found.crossovers] == ["a", "b", "a"]
    assert [one.size[1] for one in found.crossovers] == pytest.approx([10**1.5, 10**2.5, 10**3.5])


def test_undecided_size_between_widens_the_interval():
    (one,) = followed(4.0, 1.01, 1 / 1.01, 0.25).crossovers
    assert one.size[1] == pytest.approx(10**2.5)
    assert one.size[0] < 100
    assert one.size[2] > 1000


@pytest.mark.parametrize("ratios", [(2.0, 2.0, 2.0, 0.98), (1.03, 2.0, 2.0, 2.0)], ids=["last", "first"])
def test_undecided_size_at_the_edge_is_no_crossover(ratios):
    found = followed(*ratios)
    assert (found.crossovers, found.faster) == ([], "b")
    assert found.undecided == [SIZES[next(i for i, ratio in enumerate(ratios) if ratio < 1.5)]]


def test_crossover_between_the_last_two_sizes():
    (one,) = followed(2.0, 2.0, 2.0, 0.9).crossovers
    assert 1000 < one.size[0] < one.size[1] < one.size[2] < 10000


def test_nothing_is_decided_where_the_reference_differs_from_itself():
    found = followed(2.0, 2.0, 0.5, 0.5, again=0.1)
    assert (found.crossovers, found.faster, found.undecided) == ([], None, list(SIZES))


# --------------------------------------------------------------------------------- a small sweep

SMALL = {
    "width": (4, 16),
    "depth": (1, 2),
    "batch": (200,),
    "rows": (1000,),
    "dimensions": (2, 10),
    "steps": (1, 10),
}


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """A real one, of two sizes along each axis, with a backend that diverges and one that is missing."""
    folder = tmp_path_factory.mktemp("scale")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(grid, "QUICK", SMALL)
        others = (word for name in ("half_rate", "not_installed") for word in ("-b", COLUMNS / f"{name}.py"))
        done = here("scale", "--quick", "-b", "numpy", "-b", "sklearn", *others, "--out", folder)
    return done, folder


def read(folder):
    return msgspec.json.decode((folder / "scale.json").read_bytes(), type=Scale)


def test_sweep_leaves_data_and_page_and_nothing_else(small):
    done, folder = small
    assert done.returncode == 1, done  # something diverged
    assert {file.name for file in folder.iterdir()} == {"scale.json", "report.html"}
    assert str(folder / "report.html") in done.stdout


def test_every_point_that_agrees_is_timed(small):
    found = read(small[1])
    assert {point.backend for point in found.points} == {"numpy", "sklearn"}
    places = {(place.task, place.lane) for axis in found.axes for place in axis.places}
    for backend in ("numpy", "sklearn"):
        own = [point for point in found.points if point.backend == backend]
        assert places <= {(point.task, point.lane) for point in own}
        assert all(len(point.blocks_s) == len(point.disturbed) >= 3 for point in own)
        assert all(min(point.blocks_s) > 0 for point in own)
    assert {point.calls_per_block for point in found.points if point.lane == "run"} == {1}
    assert all(p.calls_per_block == p.steps_per_block for p in found.points if p.lane == "step")
    ten = [p for p in found.points if p.lane == "run-10"]
    assert ten and all(p.calls_per_block == math.ceil(p.steps_per_block / 10) for p in ten)


def test_what_diverged_or_is_missing_is_left_out_and_named(small):
    done, folder = small
    found = read(folder)
    tasks = found.work.keys()
    gaps = {(gap.task, gap.backend): gap.status for gap in found.gaps}
    assert gaps == {(task, "half_rate"): "diverged" for task in tasks} | {
        (task, "not_installed"): "missing" for task in tasks
    }
    assert found.statuses == {
        "agreed": 2 * len(tasks),
        "diverged": len(tasks),
        "missing": len(tasks),
    }
    assert "a_framework_that_nobody_has is not installed" in done.stdout
    assert "diverged: " in done.stdout
    assert "bowl-2 × half_rate" in " ".join(done.stdout.split())


def test_peaks_are_measured_before_and_after(small):
    (peak,) = read(small[1]).peaks
    assert peak.threads == 1
    assert peak.before > 0.1
    assert peak.after > 0.1


def test_pairs_and_fits_are_of_what_was_timed(small):
    found = read(small[1])
    assert {(pair.axis, *pair.backends) for pair in found.pairs} == {
        (axis, "numpy", "sklearn") for axis in ("width", "depth", "dimensions", "steps")
    }
    assert {pair.axis: pair.sizes for pair in found.pairs}["width"] == [4, 16]
    # Four networks are too few for four costs; two quadratics in four lanes are enough for three.
    assert {(fit.kind, fit.backend) for fit in found.fits} == {("bowl", "numpy"), ("bowl", "sklearn")}
    assert all(fit.costs_s.keys() == {"step", "call", "flop"} for fit in found.fits)


def test_page_has_charts_with_a_marker_per_backend(small):
    text = (small[1] / "report.html").read_text()
    (packed,) = re.findall(r'<script type="application/octet-stream" id="packed">(.*?)</script>', text)
    content = json.loads(gzip.decompress(base64.b64decode(packed)))
    specs = content["charts"]
    assert content["library"] == page.vega()
    assert set(re.findall(r'data-chart="(.*?)"', text)) == specs.keys()
    assert {"time-width-1", "speed-width-1", "time-dimensions-1", "time-steps-1"} <= specs.keys()
    assert "speed-steps-1" not in specs
    for spec in specs.values():
        alt.Chart.from_dict(spec, validate=True)
        assert "<svg" in vl_convert.vegalite_to_svg(spec)
        assert spec["layer"][-1]["encoding"]["shape"]["scale"]["domain"] == ["numpy", "sklearn"]
    assert "peak of 1 thread" in str(specs["speed-width-1"])
    assert not re.search(r"src=|<link|@import|url\(", text)  # nothing comes from the network


def test_page_is_a_function_of_the_data(small):
    assert report.html(read(small[1])) == (small[1] / "report.html").read_bytes()


def test_broken_backend_is_named_and_the_others_go_on(tmp_path, monkeypatch):
    monkeypatch.setattr(grid, "QUICK", SMALL)
    monkeypatch.setattr(grid, "families", lambda sizes: [grid._bowls(sizes)])
    done = here("scale", "--quick", "-b", COLUMNS / "no_setup.py", "--out", tmp_path)
    assert done.returncode == 3
    assert "defines no setup(at)" in " ".join(done.stdout.split())
    found = read(tmp_path)
    assert found.statuses == {"agreed": 2, "failed": 2}
    assert {point.backend for point in found.points} == {"numpy"}


def test_all_cores_are_a_second_sweep(tmp_path, monkeypatch):
    monkeypatch.setattr(grid, "QUICK", SMALL | {"dimensions": (10,), "steps": (1,)})
    monkeypatch.setattr(grid, "families", lambda sizes: [grid._bowls(sizes)])
    monkeypatch.setattr("os.cpu_count", lambda: 2)
    done = here("scale", "--quick", "--all-cores", "-b", "numpy", "--out", tmp_path)
    assert done.returncode == 0, done
    found = read(tmp_path)
    assert found.threads == [1, 2]
    assert [peak.threads for peak in found.peaks] == [1, 2]
    assert {point.threads for point in found.points} == {1, 2}
    assert "2 threads" in done.stdout


@pytest.mark.parametrize(
    ("speed", "words"), [(0.0123, "0.01"), (0.96, "1"), (1.4, "1"), (9.6, "10"), (99.6, "100")]
)
def test_speeds_are_rounded(speed, words):
    assert report._digits(speed) == words


@pytest.mark.parametrize(
    ("value", "words"),
    [(0.0, "0"), (1.234e-11, "12.3 ps"), (5e-5, "50.0 µs"), (9.99e-4, "999 µs"), (2, "2.00 s")],
)
def test_times_have_three_digits_and_a_unit(value, words):
    assert report.seconds(value) == words


# ------------------------------------------------------------------------------------ wrong use


def test_wrong_use_is_refused(tmp_path):
    assert refused("scale", "-b", "pytorch").startswith("backend 'pytorch' is neither a backend")
    assert refused("scale", "--rounds", "3").startswith("No such option")
    (tmp_path / "file").touch()
    assert refused("scale", "--out", tmp_path / "file").endswith("is a file, expected a folder")
    assert "holds files but no scale.json" in refused("scale", "--out", tmp_path)
    assert [file.name for file in tmp_path.iterdir()] == ["file"]
    with patch("os.cpu_count", return_value=1):
        assert refused("scale", "--all-cores") == "--all-cores: there is only one"


def test_interrupted_sweep_leaves_no_worker_and_no_file(tmp_path):
    folder = tmp_path / "scale"
    process = start("scale", "--quick", "-b", COLUMNS / "slow_start.py", "--out", folder)
    try:
        wait_for(lambda: len(workers(folder)) == 2, "both workers")
        process.send_signal(signal.SIGINT)
        done = finish(process)
        assert (done.returncode, done.stderr) == (130, "")
        assert "Interrupted. Nothing new is in" in done.stdout
        assert workers(folder) == []
        assert list(folder.iterdir()) == []
    finally:
        process.kill()
        process.communicate()
        end_workers(folder)
