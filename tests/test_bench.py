"""The suite's own benchmark: bare loops compute the same, and judgements are right; no time is asserted."""

import json
from dataclasses import replace
from pathlib import Path

import msgspec
import numpy as np
import pytest
from command import here, refused
from conftest import ROOT
from rich.console import Console
from scipy import stats

from backends import COLUMNS, Column
from backends.base import Placement, Unsupported
from harness import folder
from harness.bench import against, comparing, loops, peak, whole
from harness.bench.measures import SCHEMA, Bench, Measure, load
from harness.report import bench as report
from harness.report.progress import Progress
from harness.result import Environment, encode
from tasks import TASKS, draw, sweep
from tasks.spec import Adam, Batches, Network, Task

ENVIRONMENT = Environment(
    python="3.12.1",
    platform="Linux",
    processor="Some Processor",
    cores=2,
    memory_gb=16.0,
    threads=1,
    device="cpu",
    versions={"numpy": "2.4"},
    workers={},
)

PLAIN = sweep.network((4, 4), loops.BATCH, loops.ROWS)
OTHERS = [
    TASKS["xor-adam"],
    replace(PLAIN, name="other-optimizer", optimizer=Adam(0.001)),
    replace(PLAIN, name="other-penalty", model=Network((4, 4), l2=0.1)),
    replace(PLAIN, name="other-order", batches=Batches(loops.BATCH, draw.Shuffled(seed=0))),
    replace(PLAIN, name="short-batch", batches=Batches(300, draw.InOrder())),
]


def rounds(middle: float, seed: int, *, count: int = 20, noise: float = 0.02) -> list[float]:
    return [float(v) for v in middle * np.exp(np.random.default_rng(seed).normal(0, noise, count))]


def measures(seed: int, **middles: float) -> list[Measure]:
    names = {"near": 1.0, "half": 0.4, "share": 85.0} | middles
    return [
        Measure(
            "run ÷ best bare loop",
            "numpy, 4+4",
            "×",
            rounds(names["near"], seed),
            1.05,
            beside="numpy_bare run",
        ),
        Measure("NumPy's run ÷ MLPClassifier.fit", "numpy, 4+4", "×", rounds(names["half"], seed + 1), 0.5),
        Measure("share of the peak", "numpy", "%", rounds(names["share"], seed + 2), 80.0, "more"),
        Measure("a default run", "all of it", "s", [40.0], 30.0),
        Measure("a step of run", "numpy, 4+4", "µs", rounds(100.0 * (seed + 1), seed + 3)),
    ]


def bench(seed: int = 0, problems: tuple[str, ...] = (), **middles: float) -> Bench:
    return Bench(
        schema=SCHEMA,
        started="2026-01-02T03:04:05+00:00",
        seconds=100.0,
        quick=False,
        environment=ENVIRONMENT,
        measures=measures(seed, **middles),
        problems=list(problems),
    )


def words(before: Bench, after: Bench) -> dict[str, str]:
    return {change.after.group: change.word for change in against.changes(before, after)}


def stored(folder: Path, found: Bench, name: str = "bench.json") -> Path:
    file = folder / name
    file.write_bytes(encode(found))
    return file


# ---------------------------------------------------------------------------------------- bare loops


def test_every_bare_loop_computes_what_the_reference_does(tmp_path: Path) -> None:
    with Progress(Console(quiet=True)) as progress:
        cells = loops.race(rounds=0, folder=tmp_path / "run", watcher=progress)
    bare = {name for names in loops.BARE.values() for name in names}
    assert {file.stem for file in loops.FOLDER.glob("*.py")} == bare
    found = {(cell.backend, cell.task): (cell.status, cell.reason) for cell in cells if cell.backend in bare}
    assert len(found) == len(bare) * len(loops.HIDDEN)
    assert set(found.values()) == {("agreed", None)}, found
    compared = {tuple(cell.parity.quantities) for cell in cells if cell.backend in bare}
    assert compared == {("loss", "param", "state", "predict")}


@pytest.mark.parametrize("name", ["numpy_bare", "sklearn_bare"])
@pytest.mark.parametrize("task", OTHERS, ids=lambda task: task.name)
def test_a_bare_loop_refuses_what_it_was_not_written_for(name: str, task: Task) -> None:
    column = Column(name, loops.FOLDER / f"{name}.py")
    with pytest.raises(Unsupported, match="Adam in its ε̂ form"):
        column.load().Network(task, Placement())


def test_a_trainer_called_plainly_is_a_lane() -> None:
    module = Column("sklearn_bare", loops.FOLDER / "sklearn_bare.py").load()
    program, reference = (one.Network(PLAIN, Placement()) for one in (module, COLUMNS["numpy"].load()))
    batches = next(PLAIN.epochs())
    assert program.fit(1) == pytest.approx([reference.run(batches).mean()], rel=1e-14)
    assert program.observe()["param/w1"] == pytest.approx(reference.observe()["param/w1"], rel=1e-13)


# ---------------------------------------------------------------------------------------- measures


def test_flops_of_a_step_are_those_of_its_products() -> None:
    # 2 → 3 → 1, 4 rows: forward and kernels of both layers, deltas of the second only.
    task = sweep.network((3,), batch=4, rows=8)
    assert peak.step_flops(task) == 2 * 4 * (2 * 3 + 3 * 1) * 2 + 2 * 4 * (3 * 1)


@pytest.mark.parametrize(
    ("values", "target", "better", "verdict"),
    [
        ([1.0, 1.01, 0.99], 1.05, "less", "met"),
        ([1.1, 1.11, 1.12], 1.05, "less", "missed"),
        ([1.0, 1.05, 1.12], 1.05, "less", "open"),
        ([90.0, 91.0, 92.0], 80.0, "more", "met"),
        ([70.0, 71.0, 72.0], 80.0, "more", "missed"),
        ([40.0], 30.0, "less", "missed"),
        ([40.0], None, "less", ""),
    ],
)
def test_a_target_is_met_where_the_interval_lies_within_it(values, target, better, verdict) -> None:
    assert Measure("group", "what", "×", values, target, better).verdict == verdict


def test_a_comparison_of_two_traces_is_measured() -> None:
    found = {measure.what.split(",")[0]: measure for measure in comparing.measure(rounds=2)}
    assert {name: len(measure.values) for name, measure in found.items()} == {
        "time ÷ that of assert_allclose": 2,
        "throughput": 2,
        "memory beside the traces": 1,
    }


def test_the_parts_of_a_default_run_add_up(tmp_path: Path) -> None:
    done = here("run", "--quick", "-t", "quadratic-gd", "-b", "numpy", "--out", tmp_path / "run")
    assert done.returncode == 0, done
    run = folder.load(tmp_path / "run")
    parts = whole.parts(run, whole_s=100.0)
    assert sum(parts.values()) == pytest.approx(100.0)
    assert all(seconds > 0 for seconds in parts.values())
    assert set(run.spent_s) == {"starting", "steps", "recording", "comparing"}
    assert all(seconds > 0 for seconds in run.spent_s.values())
    target, share = (m for m in whole.of_run(run, 100.0, [4.0, 6.0]) if m.target is not None)
    assert target.target == 2 * 5.0 + 15
    spent = run.spent_s
    assert share.values == [
        pytest.approx(100 * (spent["recording"] + spent["comparing"]) / sum(spent.values()))
    ]


# ---------------------------------------------------------------------------------------- against


def test_equal_benchmarks_show_no_difference() -> None:
    before = bench(seed=0)
    for seed in range(10, 200, 10):
        assert set(words(before, bench(seed)).values()) == {against.SAME}


def test_a_slow_down_is_found_and_so_is_a_speed_up() -> None:
    assert words(bench(0), bench(10, near=1.1, half=0.36)) == {
        "run ÷ best bare loop": "slower",
        "NumPy's run ÷ MLPClassifier.fit": "faster",
        "share of the peak": against.SAME,
    }
    # Of a share, less is slower.
    assert words(bench(0), bench(10, share=75.0))["share of the peak"] == "slower"
    assert words(bench(0), bench(10, share=95.0))["share of the peak"] == "faster"


def test_the_interval_is_welchs() -> None:
    before, after = [1.0, 1.1, 0.9, 1.05], [1.2, 1.3, 1.25]
    low, middle, high = against.welch(before, after, 0.05)
    assert middle == pytest.approx(stats.gmean(after) / stats.gmean(before))
    a, b = np.log(before), np.log(after)
    va, vb = a.var(ddof=1) / len(a), b.var(ddof=1) / len(b)
    freedom = (va + vb) ** 2 / (va**2 / (len(a) - 1) + vb**2 / (len(b) - 1))
    half = stats.t.ppf(0.975, freedom) * np.sqrt(va + vb)
    assert [np.log(low), np.log(high)] == pytest.approx([np.log(middle) - half, np.log(middle) + half])


def test_what_only_one_has_and_times_in_seconds_are_not_judged() -> None:
    before, after = bench(0), bench(10)
    fewer = msgspec.structs.replace(before, measures=before.measures[1:])
    assert set(words(fewer, after)) == {"NumPy's run ÷ MLPClassifier.fit", "share of the peak"}


# ---------------------------------------------------------------------------------------- files and tables


def test_a_benchmark_survives_its_file(tmp_path: Path) -> None:
    found = bench(problems=("torch_bare on xor: failed: why",))
    assert load(stored(tmp_path, found)) == found


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "cannot be read: No such file or directory"),
        ("{", "is damaged: "),
        ("{}", "is not a samestep.bench/1 file: "),
        ('{"schema": "samestep.run/4"}', "is not a samestep.bench/1 file: "),
    ],
)
@pytest.mark.parametrize("option", [(), ("--against",)], ids=["file", "against"])
def test_a_wrong_file_is_told_in_a_sentence(tmp_path: Path, content, said, option) -> None:
    file = tmp_path / "bench.json"
    if content is not None:
        file.write_text(content)
    sentence = refused("bench", *option, file)
    assert sentence.startswith(f"{file} {said}")
    assert "\n" not in sentence


def test_a_file_is_not_measured_again(tmp_path: Path) -> None:
    assert "nothing is measured" in refused("bench", stored(tmp_path, bench()), "--quick")


def test_the_command_prints_a_table_of_a_file(tmp_path: Path) -> None:
    done = here("bench", stored(tmp_path, bench()), env={"COLUMNS": "200"})
    assert done.returncode == 0, done
    (near,) = [line for line in done.stdout.splitlines() if "÷ numpy_bare run" in line]
    middle, interval = near.split("numpy_bare run")[1].split("×")
    low, high = interval.split()[0].split("–")
    assert 0.9 < float(low) < float(middle) < float(high) < 1.1
    assert "≤ 1.05" in near and near.rstrip().endswith("met")
    (share,) = [line for line in done.stdout.splitlines() if "≥ 80" in line]
    assert share.rstrip().endswith("met")
    (whole_run,) = [line for line in done.stdout.splitlines() if "all of it" in line]
    assert "40.0 s" in whole_run and whole_run.rstrip().endswith("missed")
    assert "Some Processor, 2 cores" in done.stdout


def test_the_command_prints_the_same_table_in_markdown(tmp_path: Path) -> None:
    found = bench()
    done = here("bench", stored(tmp_path, found), "--markdown")
    assert done.returncode == 0, done
    assert done.stdout == report.markdown(found)
    table = [line for line in done.stdout.splitlines() if line.startswith("|")]
    assert {line.count("|") for line in table} == {6}
    assert len(table) == 2 + 5 + len({m.group for m in found.measures})


def test_the_command_tells_what_became_slower(tmp_path: Path) -> None:
    before, after = (
        stored(tmp_path, bench(0), "before.json"),
        stored(tmp_path, bench(10, near=1.2), "after.json"),
    )
    done = here("bench", after, "--against", before, env={"COLUMNS": "200"})
    assert done.returncode == 1, done
    (line,) = [line for line in done.stdout.splitlines() if line.startswith("slower")]
    assert "run ÷ best bare loop, numpy, 4+4" in line
    assert "no difference seen: 2 of 3 ratios" in done.stdout
    assert here("bench", after, "--against", after).returncode == 0


def test_what_could_not_be_measured_is_told_and_is_the_exit_code(tmp_path: Path) -> None:
    done = here("bench", stored(tmp_path, bench(problems=("torch_bare on xor: failed: why",))))
    assert done.returncode == 3
    assert "not measured: torch_bare on xor: failed: why" in done.stdout


def test_the_file_is_json_for_everyone(tmp_path: Path) -> None:
    content = json.loads(stored(tmp_path, bench()).read_text())
    assert content["schema"] == "samestep.bench/1"
    assert content["measures"][0]["values"] == rounds(1.0, 0)
    assert (ROOT / "benchmarks" / "product.py") == peak.PRODUCT and peak.PRODUCT.is_file()
