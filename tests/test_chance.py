"""What frameworks draw by themselves: the test for equivalence, the columns' draws, and the command."""

import io
import json
import os
import random
import signal
from itertools import islice
from pathlib import Path
from types import ModuleType, SimpleNamespace

import msgspec
import numpy as np
import pytest
from click.testing import CliRunner
from command import COLUMNS, end_workers, finish, harness, start, wait_for, workers
from rich.console import Console
from scipy import stats

import backends.numpy as reference
from backends.base import Placement, Unsupported
from harness import chance, equivalence
from harness.__main__ import main
from harness.chance import STATISTICS
from harness.report.chance import print_comparison, sentence
from harness.sampling import SCHEMA, Comparison, Row

# ----------------------------------------------------------------------------- two one-sided tests

# Student, "The probable error of a mean" (1908): hours of sleep gained on two drugs, as in R's `sleep`.
SLEEP = (
    np.array([0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0]),
    np.array([1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4]),
)


def compare(actual: object, desired: object, margin: float) -> equivalence.Equivalence:
    return equivalence.compare(np.array(actual, float), np.array(desired, float), margin)


def test_by_hand() -> None:
    """Variances 1, so s = √(1/3 + 1/3) with 4 degrees of freedom, where tables have t = 2.132 at 95 %."""
    found = compare([2, 3, 4], [1, 2, 3], margin=2.75)
    assert found.difference == 1
    assert found.low == pytest.approx(1 - 2.132 * np.sqrt(2 / 3), abs=1e-3)
    assert found.high == pytest.approx(1 + 2.132 * np.sqrt(2 / 3), abs=1e-3)
    assert found.word == "equivalent"
    assert compare([2, 3, 4], [1, 2, 3], margin=2.73).word == "cannot tell"


def test_student_s_sleep() -> None:
    """R's Welch test has t = -1.8608 on 17.776 degrees of freedom, where t at 95 % is 1.7351."""
    found = compare(*SLEEP, margin=3.06)
    assert found.difference == pytest.approx(-1.58)
    assert found.high - found.difference == pytest.approx(1.58 / 1.8608 * 1.7351, abs=1e-3)
    assert found.word == "equivalent"
    assert compare(*SLEEP, margin=3.05).word == "cannot tell"
    assert compare(*SLEEP, margin=0.10).word == "different"  # -1.58 ± 1.473 ends at -0.107
    assert compare(*SLEEP, margin=0.11).word == "cannot tell"


@pytest.mark.parametrize("seed", range(20))
def test_word_is_that_of_scipy_s_two_one_sided_tests(seed: int) -> None:
    rng = np.random.default_rng(seed)
    actual, desired = rng.normal(0.3, 1, 12), rng.normal(0, 2, 30)
    found = compare(actual, desired, margin=rng.uniform(0.5, 2))
    above = stats.ttest_ind(actual + found.margin, desired, equal_var=False, alternative="greater").pvalue
    below = stats.ttest_ind(actual - found.margin, desired, equal_var=False, alternative="less").pvalue
    assert (max(above, below) < 0.05) == (found.word == "equivalent")
    interval = stats.ttest_ind(actual, desired, equal_var=False).confidence_interval(0.9)
    assert (found.low, found.high) == pytest.approx(interval, rel=1e-12)


def test_means_that_never_vary_are_compared_as_they_are() -> None:
    assert compare([2, 2], [2, 2], margin=0.1).word == "equivalent"
    assert compare([2, 2], [1, 1], margin=0.1) == equivalence.Equivalence(1, 1, 1, 0.1)
    assert compare([2, 2], [1, 1], margin=0.1).word == "different"


def test_mean_that_never_varies_beside_one_that_does() -> None:
    """Variances 0 and 0.01, so s = √(0.01/3) with 2 degrees of freedom, where tables have t = 2.920."""
    found = compare([2, 2, 2], [1.9, 2.0, 2.1], margin=0.17)
    assert found.high == pytest.approx(2.92 * np.sqrt(0.01 / 3), abs=1e-4)
    assert found.word == "equivalent"
    assert compare([2, 2, 2], [1.9, 2.0, 2.1], margin=0.16).word == "cannot tell"


@pytest.mark.parametrize("wrong", [[np.nan, 1], [1, np.inf], [-np.inf, 1], [1], []], ids=str)
def test_nothing_is_told_of_what_has_no_mean_or_no_spread(wrong: list) -> None:
    for pair in ((wrong, [1, 2]), ([1, 2], wrong)):
        found = compare(*pair, margin=1e9)
        assert np.isnan([found.difference, found.low, found.high]).all()
        assert found.word == "cannot tell"


TIMES = 4000


def words(apart: float) -> dict[str, float]:
    """How often each word is said of means so far apart, at a margin of 1, of unequal samples."""
    rng = np.random.default_rng(1987)
    said = [compare(rng.normal(apart, 0.8, 20), rng.normal(0, 1.2, 30), margin=1).word for _ in range(TIMES)]
    return {word: said.count(word) / TIMES for word in ("equivalent", "different", "cannot tell")}


def share(expected: float) -> object:
    """To three standard deviations of a share in so many draws."""
    return pytest.approx(expected, abs=3 * np.sqrt(expected * (1 - expected) / TIMES))


def test_means_a_margin_apart_are_called_equivalent_in_five_percent() -> None:
    assert words(apart=1)["equivalent"] == share(0.05)


def test_power_in_the_middle_is_what_theory_says() -> None:
    """The difference has s = √(0.8²/20 + 1.2²/30) = 0.283, so its interval is ±0.475 wide.

    It lies inside the margin where the difference is within ±0.525, and never wholly outside.
    """
    found = words(apart=0)
    inside = 2 * stats.norm.cdf(0.525 / 0.283) - 1
    assert inside == pytest.approx(0.936, abs=1e-3)
    assert found["equivalent"] == share(inside)
    assert found["different"] == 0


def test_means_two_margins_apart_are_different() -> None:
    """Its 90 % interval ends 3.53 - 1.68 standard errors beyond the margin on average."""
    found = words(apart=2)
    assert found["equivalent"] == 0
    assert found["different"] == share(stats.norm.cdf(3.53 - 1.68))


# ------------------------------------------------------------------------------------------ faults


class Narrow(reference.Chance):
    """2 in place of 6, as scikit-learn has it for the logistic function."""

    def initial(self, shape, seed):
        return super().initial(shape, seed) / np.sqrt(3)


class Normal(reference.Chance):
    """Of the right deviation, but not uniform."""

    def initial(self, shape, seed):
        return np.random.default_rng(seed).normal(0, np.sqrt(2 / sum(shape)), shape)


class Keeps(reference.Chance):
    """Takes the rate for the share that is kept."""

    def dropout(self, x, rate, seed):
        return super().dropout(x, 1 - rate, seed)


class Fades(reference.Chance):
    """Does not scale up what is kept."""

    def dropout(self, x, rate, seed):
        return super().dropout(x, rate, seed) * (1 - rate)


class Rotates(reference.Chance):
    """The rows in order, from a random one on."""

    def shuffle(self, rows, seed):
        return np.roll(np.arange(rows), np.random.default_rng(seed).integers(rows))


class Orders(reference.Chance):
    """The rows as they stand."""

    def shuffle(self, rows, _seed):
        return np.arange(rows)


class Buffers(reference.Chance):
    """The rows as they stand, but through a buffer of half of them."""

    def shuffle(self, rows, seed):
        rng = np.random.default_rng(seed)
        buffer, rest = list(range(rows // 2)), iter(range(rows // 2, rows))
        order = []
        for row in rest:
            place = rng.integers(len(buffer))
            order.append(buffer[place])
            buffer[place] = row
        return np.array([*order, *rng.permutation(buffer)])


class Diverges(reference.Network):
    """A network whose loss is no number any more."""

    def gradient(self, rows):
        return np.nan, super().gradient(rows)[1]


KERNEL = {"kernel: deviation / Glorot's", "kernel: largest / Glorot's"}
FAULTS = {
    Narrow: KERNEL | {"loss from own start"},
    Normal: {"kernel: largest / Glorot's"},
    Keeps: {"dropout: share of zeros"},
    Fades: {"dropout: mean of ones"},
    Rotates: {"shuffle: neighbours kept"},
    Orders: {"shuffle: neighbours kept", "shuffle: rank correlation", "loss in own order"},
    Buffers: {"shuffle: rank correlation"},
}
SEEDS = 50


def sample(draws: type, seeds: range) -> dict[str, np.ndarray]:
    column = SimpleNamespace(Chance=draws, Network=reference.Network)
    values, unsupported = chance.sample(column, Placement(), seeds)
    assert unsupported == {}
    return {what: np.array(numbers) for what, numbers in values.items()}


@pytest.fixture(scope="module")
def desired() -> dict[str, np.ndarray]:
    """What the reference draws."""
    return sample(reference.Chance, range(SEEDS))


def said(draws: type, desired: dict[str, np.ndarray]) -> dict[str, str]:
    """The word on every statistic of these draws."""
    actual = sample(draws, range(SEEDS, 2 * SEEDS))
    assert list(actual) == list(desired) == list(STATISTICS)
    return {
        what: equivalence.compare(actual[what], desired[what], statistic.margin).word
        for what, statistic in STATISTICS.items()
    }


@pytest.mark.parametrize("draws", FAULTS, ids=lambda draws: draws.__name__)
def test_fault_is_different_in_what_it_concerns(draws: type, desired: dict) -> None:
    assert {what for what, word in said(draws, desired).items() if word == "different"} == FAULTS[draws]


def test_reference_is_equivalent_to_itself_with_other_seeds(desired: dict) -> None:
    assert set(said(reference.Chance, desired).values()) == {"equivalent"}


def test_training_that_breaks_down_cannot_be_told(desired: dict) -> None:
    column = SimpleNamespace(Chance=reference.Chance, Network=Diverges)
    values, _ = chance.sample(column, Placement(), range(3))
    losses = np.array(values["loss from own start"])
    assert np.isnan(losses).all()
    assert equivalence.compare(losses, desired["loss from own start"], 1).word == "cannot tell"


def test_draws_of_one_training_have_nothing_in_common() -> None:
    draws = reference.Chance()
    start = chance.own_start(draws, chance.TASK, seed=3)
    w1, w2 = (np.ravel(start[name]) / np.sqrt(6 / sum(start[name].shape)) for name in ("w1", "w2"))
    assert not np.isin(w1, w2).any()
    assert not np.any(start["b1"])
    orders = [
        *islice(chance.OwnOrder(draws, 3).epochs(50), 20),
        *islice(chance.OwnOrder(draws, 4).epochs(50), 20),
    ]
    assert len(np.unique(orders, axis=0)) == 40


# ----------------------------------------------------------------------------------------- columns


def test_kernel_is_within_the_bound_and_follows_the_seed(column: ModuleType) -> None:
    kernel, again, other = (column.Chance().initial((30, 20), seed) for seed in (5, 5, 6))
    assert isinstance(kernel, np.ndarray)
    assert (kernel.shape, kernel.dtype) == ((30, 20), np.float64)
    assert 0.9 < np.max(np.abs(kernel)) / np.sqrt(6 / 50) <= 1 + 1e-7  # Keras rounds the bound to float32
    np.testing.assert_array_equal(kernel, again)
    assert not np.any(kernel == other)


def test_dropout_zeroes_and_scales_and_follows_the_seed(column: ModuleType) -> None:
    x = np.linspace(1, 2, 300).reshape(20, 15)
    x.flags.writeable = False
    try:
        found, again, other = (column.Chance().dropout(x, 0.25, seed) for seed in (5, 5, 6))
    except Unsupported as reason:
        pytest.skip(f"unsupported: {reason}")
    assert isinstance(found, np.ndarray)
    assert (found.shape, found.dtype) == ((20, 15), np.float64)
    is_kept = found != 0
    assert 0.6 < is_kept.mean() < 0.9
    np.testing.assert_allclose(found[is_kept], x[is_kept] / 0.75, rtol=1e-15)
    np.testing.assert_array_equal(found, again)
    assert np.any(found != other)


def test_shuffle_is_a_permutation_and_follows_the_seed(column: ModuleType) -> None:
    order, again, other = (column.Chance().shuffle(200, seed) for seed in (5, 5, 6))
    assert isinstance(order, np.ndarray)
    assert (order.shape, order.dtype) == ((200,), np.int64)
    np.testing.assert_array_equal(np.sort(order), np.arange(200))
    np.testing.assert_array_equal(order, again)
    assert np.mean(order == other) < 0.1
    assert np.mean(order == np.arange(200)) < 0.1


def common_generators(column: ModuleType) -> list[object]:
    """The next numbers from every generator that programs share, and the dtypes that they share."""
    found = [random.random(), np.random.random()]  # noqa: NPY002  the one that scikit-learn falls back to
    if hasattr(column, "torch"):
        found += [column.torch.rand(()).item(), str(column.torch.get_default_dtype())]
    if hasattr(column, "tf"):
        found += [column.tf.random.uniform(()).numpy()]
    if hasattr(column, "keras"):
        found += [column.keras.random.uniform(()).numpy(), column.keras.config.floatx()]
    return found


def seed_common_generators(column: ModuleType) -> None:
    random.seed(1)
    np.random.seed(1)  # noqa: NPY002  likewise
    if hasattr(column, "torch"):
        column.torch.manual_seed(1)
    if hasattr(column, "keras"):
        column.keras.utils.set_random_seed(1)
    elif hasattr(column, "tf"):
        column.tf.random.set_seed(1)


def test_generators_that_others_use_are_neither_needed_nor_moved(column: ModuleType) -> None:
    def draw() -> list[np.ndarray]:
        draws = [column.Chance().initial((4, 3), 7), column.Chance().shuffle(20, 7)]
        if column.__name__ != "backends.sklearn":
            draws.append(column.Chance().dropout(np.ones(20), 0.5, 7))
        return draws

    seed_common_generators(column)
    desired = common_generators(column)
    before = draw()
    seed_common_generators(column)
    after = draw()
    assert common_generators(column) == desired
    for one, other in zip(before, after, strict=True):
        np.testing.assert_array_equal(one, other)


def test_everything_is_measured_but_scikit_learn_s_dropout(column: ModuleType) -> None:
    values, unsupported = chance.sample(column, Placement(), range(2))
    missing = {"dropout: share of zeros", "dropout: mean of ones"}
    if column.__name__ == "backends.sklearn":
        assert unsupported == dict.fromkeys(missing, "scikit-learn's networks have no dropout")
    else:
        assert unsupported == {}
    assert list(values) == [what for what in STATISTICS if what not in unsupported]
    assert all(type(number) is float for numbers in values.values() for number in numbers)


def test_training_in_the_task_s_own_order_and_start_is_the_task_itself(column: ModuleType) -> None:
    """And a second training on the same program forgets the first."""
    subject = chance.Subject(column, Placement())
    desired = chance.Subject(reference, Placement()).loss(chance.TASK)
    assert subject.loss(chance.TASK) == pytest.approx(desired, rel=1e-12)
    assert subject.loss(chance.TASK) == pytest.approx(desired, rel=1e-12)


# ----------------------------------------------------------------------------------------- command


def comparison(*found: str) -> Comparison:
    rows = [Row("shuffle", f"b{number}", word) for number, word in enumerate(found)]
    return Comparison(schema=SCHEMA, reference="numpy", seeds=9, seconds=1.0, about={}, rows=rows)


@pytest.mark.parametrize(
    ("found", "code"),
    [
        (["equivalent", "unsupported", "missing"], 0),
        (["equivalent", "different", "cannot tell"], 1),
        (["equivalent", "cannot tell"], 4),
        *(
            (["equivalent", "different", "cannot tell", word], 3)
            for word in ("failed", "timed out", "crashed")
        ),
    ],
    ids=str,
)
def test_exit_code(found: list[str], code: int) -> None:
    assert comparison(*found).exit_code() == code


def test_sentence_counts_and_names() -> None:
    assert sentence(comparison("equivalent", "different", "cannot tell", "crashed", "missing")) == (
        "1 of 3 means are numpy's to within the margin; different: shuffle × b1; cannot tell: shuffle × b2; "
        "crashed: shuffle × b3 (9 seeds each, two one-sided tests at 5%)."
    )


@pytest.mark.parametrize("backend", ["tensorflow", "a_backend_with_a_name"])
def test_table_fits_into_80_columns(backend: str) -> None:
    said = dict(zip(list(STATISTICS)[:2], ("cannot tell", "equivalent"), strict=True))
    numbers = (-0.41547, -0.41509, -0.00038, -0.00061, 0.00137, 0.002)
    rows = [Row(what, backend, word, None, None, *numbers) for what, word in said.items()]
    rows.append(Row(list(STATISTICS)[2], backend, "unsupported"))
    shown = io.StringIO()
    print_comparison(msgspec.structs.replace(comparison(), rows=rows), Console(file=shown, width=80))
    lines = shown.getvalue().splitlines()[:-1]  # the sentence is wrapped by the terminal
    assert max(map(len, lines)) <= 80
    whole = (*list(STATISTICS)[:3], *said.values(), "unsupported", backend)
    whole += ("-0.41547", "-0.41509", "-0.00038", "(-0.00061…+0.00137)", "±0.002")
    assert [text for text in whole if text not in "\n".join(lines)] == []


def test_torch_beside_the_reference_as_json() -> None:
    done = harness("random", "-b", "torch", "--seeds", "5", "--json")
    assert done.stderr == ""
    found = json.loads(done.stdout)
    assert (found["schema"], found["reference"], found["seeds"]) == ("samestep.random/1", "numpy", 5)
    assert [(row["what"], row["backend"]) for row in found["rows"]] == [
        (what, backend) for what in STATISTICS for backend in ("numpy", "torch")
    ]
    said = {row["word"] for row in found["rows"]}
    assert said <= {"equivalent", "different", "cannot tell"}
    assert done.returncode == (1 if "different" in said else 4 if "cannot tell" in said else 0)
    assert all(row["difference"] for row in found["rows"])  # the reference, too, has other seeds
    rows = {row["what"]: row for row in found["rows"] if row["backend"] == "torch"}
    for what, mean in {"kernel: deviation / Glorot's": 1, "dropout: share of zeros": 0.3}.items():
        assert rows[what]["mean"] == pytest.approx(mean, abs=0.02)
        assert rows[what]["difference"] == pytest.approx(rows[what]["mean"] - rows[what]["reference_mean"])
        assert rows[what]["low"] < rows[what]["difference"] < rows[what]["high"]


def test_whatever_becomes_of_a_backend_is_told() -> None:
    """A fault, no class `Chance`, no framework, and a worker that dies."""
    names = ("rotates", "noisy", "not_installed", "dies_at_start")
    backends = [word for name in names for word in ("-b", COLUMNS / f"{name}.py")]
    done = harness("random", *backends, "--seeds", "40", env=os.environ | {"COLUMNS": "80"})
    assert (done.returncode, done.stderr) == (3, "")
    assert "different: shuffle: neighbours kept × rotates; " in done.stdout
    assert "crashed: everything × dies_at_start (40 seeds each" in done.stdout
    assert "unsupported: the column has no class Chance (everything × noisy)" in done.stdout
    assert "missing: a_framework_that_nobody_has is not installed" in done.stdout
    assert 'File "' in done.stdout  # the end of its stack
    assert all(what in done.stdout for what in STATISTICS)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--seeds", "1"], "Invalid value for '--seeds': 1 is not in the range x>=2."),
        (["-b", "pytorch"], "backend 'pytorch' is neither a backend ("),
    ],
    ids=["one-seed", "unknown-backend"],
)
def test_wrong_use_is_refused(arguments: list[str], sentence: str) -> None:
    done = CliRunner().invoke(main, ["random", *arguments])
    assert done.exit_code == 2
    assert f"Error: {sentence}" in done.output


def test_interruption_leaves_nothing_behind(tmp_path: Path) -> None:
    process = start("random", "-b", COLUMNS / "slow_start.py", env=os.environ | {"TMPDIR": str(tmp_path)})
    try:
        wait_for(lambda: len(workers(tmp_path)) == 2, "both workers")
        process.send_signal(signal.SIGINT)
        assert finish(process).returncode == 130
        assert workers(tmp_path) == []
        assert list(tmp_path.iterdir()) == []
    finally:
        process.kill()
        end_workers(tmp_path)
