"""What frameworks draw by themselves: the test for equivalence, the columns' draws, and the command."""

import contextlib
import io
import json
import os
import random
import signal
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice, pairwise
from pathlib import Path
from types import ModuleType, SimpleNamespace

import msgspec
import numpy as np
import pytest
from click.testing import CliRunner
from command import COLUMNS, end_workers, finish, harness, start, wait_for, workers
from rich.console import Console
from scipy import optimize, stats
from threadpoolctl import threadpool_limits

import backends.numpy as reference
from backends.base import INITIALISERS, Placement, Unsupported
from harness import chance, equivalence
from harness.__main__ import main
from harness.chance import STATISTICS
from harness.report.chance import print_comparison, sentence
from harness.sampling import SCHEMA, Comparison, Row


@pytest.fixture(autouse=True, scope="module")
def one_thread() -> Iterator[None]:
    """As workers have: on matrices this small, a second thread costs more than it brings."""
    with threadpool_limits(1, "blas"):
        yield


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


drawn = reference.Chance().initial


class Mistaken(reference.Chance):
    """Draws something else in place of one kind of kernel."""

    def __init__(self, kind, kernel):
        self.kind, self.kernel = kind, kernel

    def initial(self, kind, shape, seed):
        return self.kernel(shape, seed) if kind == self.kind else super().initial(kind, shape, seed)


def normal(shape, seed):
    return np.random.default_rng(seed).normal(size=shape)


def truncated(shape, seed):
    """Normal, and what lies beyond two deviations drawn again: the deviation is then 0.88."""
    return stats.truncnorm(-2, 2).rvs(shape, random_state=np.random.default_rng(seed))


def factor(matrix):
    """Q of a matrix (in, out) or of its transpose, whichever is tall; with the signs that LAPACK leaves."""
    return np.linalg.qr(matrix)[0] if matrix.shape[0] >= matrix.shape[1] else np.linalg.qr(matrix.T)[0].T


def he(shape):
    return np.sqrt(2 / shape[0])


FLOW = {"activations", "gradients"}
KERNELS = {  # what is drawn, in place of which kind, and what shows it
    "almost zero": (lambda s, seed: 1e-9 * normal(s, seed), "zeros", {"not zero"}),
    "deviation for bound": (
        lambda s, seed: np.sqrt(3) * drawn("uniform", s, seed),
        "uniform",
        {"deviation"} | FLOW,
    ),
    "not around zero": (lambda s, seed: 0.05 + drawn("uniform", s, seed), "uniform", FLOW),
    "normal for uniform": (lambda s, seed: normal(s, seed) * 0.05 / np.sqrt(3), "uniform", {"kurtosis"}),
    "truncated normal": (
        lambda s, seed: 0.05 * truncated(s, seed),
        "normal",
        {"deviation", "kurtosis"} | FLOW,
    ),
    "2 for 6, as scikit-learn has it for the logistic function": (
        lambda s, seed: drawn("glorot", s, seed) / np.sqrt(3),
        "glorot",
        {"deviation"} | FLOW,
    ),
    "in for the mean of in and out": (
        lambda s, seed: drawn("glorot", s, seed) * np.sqrt(np.mean(s) / s[0]),
        "glorot",
        {"deviation"} | FLOW,
    ),
    "Glorot's normal": (lambda s, seed: normal(s, seed) * np.sqrt(2 / sum(s)), "glorot", {"kurtosis"}),
    "out for in": (
        lambda s, seed: drawn("he", s[::-1], seed).T,
        "he",
        {"deviation"} | FLOW,
    ),
    "1 for 2": (lambda s, seed: drawn("he", s, seed) / np.sqrt(2), "he", {"deviation"} | FLOW),
    "truncated": (
        lambda s, seed: he(s) * truncated(s, seed),
        "he",
        {"deviation", "kurtosis"} | FLOW,
    ),
    "truncated and scaled up, as HeNormal of Keras": (
        lambda s, seed: he(s) * truncated(s, seed) / stats.truncnorm(-2, 2).std(),
        "he",
        {"kurtosis"},
    ),
    "signs left as they are": (lambda s, seed: factor(normal(s, seed)), "orthogonal", {"diagonal"}),
    "of uniform numbers": (
        lambda s, seed: (
            factor(np.random.default_rng(seed).uniform(-1, 1, s))
            * np.random.default_rng(seed).choice([-1, 1], s[1])
        ),
        "orthogonal",
        {"kurtosis"},
    ),
    "not orthogonal": (lambda s, seed: normal(s, seed) / np.sqrt(max(s)), "orthogonal", {"departure"}),
    "in float32": (
        lambda s, seed: drawn("orthogonal", s, seed).astype(np.float32).astype(float),
        "orthogonal",
        {"departure"},
    ),
    "gain of relu": (
        lambda s, seed: np.sqrt(2) * drawn("orthogonal", s, seed),
        "orthogonal",
        {"departure"} | FLOW,
    ),
}


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


def narrow():
    """2 in place of Glorot's 6."""
    return Mistaken("glorot", lambda shape, seed: drawn("glorot", shape, seed) / np.sqrt(3))


FAULTS = {  # and what shows them
    narrow: {"glorot: deviation", "glorot: activations", "glorot: gradients", "training: own start"},
    Keeps: {"dropout: share of zeros"},
    Fades: {"dropout: mean of ones"},
    Rotates: {"shuffle: neighbours kept"},
    Orders: {"shuffle: neighbours kept", "shuffle: rank correlation", "training: own order"},
    Buffers: {"shuffle: rank correlation"},
}
SEEDS = 100
FEW = range(SEEDS, SEEDS + 25)


def sample(make: Callable, seeds: range, whats: Iterable[str] = tuple(STATISTICS)) -> dict[str, np.ndarray]:
    """Some statistics, each (seeds, layers)."""
    subject = chance.Subject(SimpleNamespace(Chance=make, Network=reference.Network), Placement())
    return {what: measured(subject, seeds, what) for what in whats}


def measured(subject: chance.Subject, seeds: range, what: str) -> np.ndarray:
    return np.array([np.atleast_1d(STATISTICS[what].measure(subject, seed)) for seed in seeds])


@pytest.fixture(scope="module")
def desired() -> dict[str, np.ndarray]:
    """What the reference draws."""
    return sample(reference.Chance, range(SEEDS))


def said(actual: dict[str, np.ndarray], desired: dict[str, np.ndarray]) -> dict[str, set[str]]:
    """What is said of each statistic, in any layer."""
    return {
        what: {
            equivalence.compare(*pair, STATISTICS[what].margin).word
            for pair in zip(found.T, desired[what].T, strict=True)
        }
        for what, found in actual.items()
    }


def different(actual: dict[str, np.ndarray], desired: dict[str, np.ndarray]) -> set[str]:
    return {what for what, words in said(actual, desired).items() if "different" in words}


@pytest.mark.parametrize("fault", KERNELS)
def test_wrong_kernel_is_different_in_what_it_concerns(fault: str, desired: dict) -> None:
    kernel, kind, shown = KERNELS[fault]
    whats = [what for what in STATISTICS if what.startswith(f"{kind}: ")]
    found = sample(lambda: Mistaken(kind, kernel), FEW, whats)
    assert different(found, desired) == {f"{kind}: {name}" for name in shown}


@pytest.mark.parametrize("make", FAULTS, ids=lambda make: make.__name__)
def test_fault_is_different_in_what_it_concerns(make: Callable, desired: dict) -> None:
    assert different(sample(make, FEW), desired) == FAULTS[make]


def test_every_statistic_has_a_fault_that_it_finds() -> None:
    found = {f"{kind}: {name}" for _, kind, shown in KERNELS.values() for name in shown}
    assert found.union(*FAULTS.values()) == set(STATISTICS)


def test_reference_is_equivalent_to_itself_with_other_seeds(desired: dict) -> None:
    found = said(sample(reference.Chance, range(SEEDS, 2 * SEEDS)), desired)
    assert {what: words for what, words in found.items() if words != {"equivalent"}} == {}


def test_reference_draws_what_the_formulas_promise(desired: dict) -> None:
    means = {what: found.mean(axis=0) for what, found in desired.items()}
    for kind, tails in {"uniform": 1.8, "normal": 3, "glorot": 1.8, "he": 3}.items():
        assert means[f"{kind}: deviation"] == pytest.approx(1, abs=0.01)
        assert means[f"{kind}: kurtosis"] == pytest.approx(tails, abs=0.1)
    # He's promise: a relu layer takes numbers as large as its inputs, which are 1, to such again.
    assert means["he: activations"] == pytest.approx(np.zeros(4), abs=0.1)
    assert means["orthogonal: departure"] < 1e-14
    assert means["orthogonal: diagonal"] == pytest.approx(0, abs=0.1)


# ----------------------------------------------------------------------------------------- signals


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> tuple[np.ndarray, np.ndarray, list[np.ndarray]]:
    """Three rows, slopes and kernels of a network of 4-3-2 units."""
    rng = np.random.default_rng(1)
    rows, slopes = rng.normal(size=(3, 4)), rng.normal(size=(3, 2))
    monkeypatch.setattr(chance, "INPUTS", rows)
    monkeypatch.setattr(chance, "SLOPES", slopes)
    return rows, slopes, [rng.normal(size=(4, 3)), rng.normal(size=(3, 2))]


def log_size(array: np.ndarray) -> float:
    return np.log(np.linalg.norm(array) / np.sqrt(array.size))


@pytest.mark.parametrize("activation", ["relu", "tanh"])
def test_signals_are_what_finite_differences_say(activation: str, small: tuple) -> None:
    rows, slopes, (w1, w2) = small
    act = {"relu": lambda z: np.maximum(z, 0), "tanh": np.tanh}[activation]

    def loss(flat: np.ndarray) -> float:
        return np.sum(slopes * act(act(rows @ flat[:12].reshape(4, 3)) @ flat[12:].reshape(3, 2)))

    start = np.concatenate([w1.ravel(), w2.ravel()])
    gradient = optimize.approx_fprime(start, loss, 1e-7)
    activations, gradients = chance.signals([w1, w2], activation)
    assert activations == pytest.approx([log_size(act(rows @ w1)), log_size(act(act(rows @ w1) @ w2))])
    assert gradients == pytest.approx([log_size(gradient[:12]), log_size(gradient[12:])], abs=1e-5)


def test_signals_grow_with_a_kernel_but_for_its_own_gradient() -> None:
    """With relu, e times a kernel is e times what comes after it, and e times what it hands back."""
    kernels = [drawn("he", shape, 1) for shape in pairwise(chance.SIZES)]
    activations, gradients = chance.signals(kernels, "relu")
    kernels[1] = np.e * kernels[1]
    found = chance.signals(kernels, "relu")
    assert np.subtract(found[0], activations) == pytest.approx([0, 1, 1, 1])
    assert np.subtract(found[1], gradients) == pytest.approx([1, 0, 1, 1])


# ---------------------------------------------------------------------------------------- training


def test_training_that_breaks_down_cannot_be_told(desired: dict) -> None:
    column = SimpleNamespace(Chance=reference.Chance, Network=Diverges)
    values, _ = chance.sample(column, Placement(), range(3))
    losses = {"training: own start": np.array(values["training: own start"])}
    assert np.isnan(losses["training: own start"]).all()
    assert said(losses, desired) == {"training: own start": {"cannot tell"}}


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


@pytest.mark.parametrize("kind", INITIALISERS)
@pytest.mark.parametrize("shape", [(30, 20), (20, 30)], ids=str)
def test_kernel_is_of_its_kind_and_follows_the_seed(
    column: ModuleType, kind: str, shape: tuple[int, int]
) -> None:
    try:
        kernel, again, other = (column.Chance().initial(kind, shape, seed) for seed in (5, 5, 6))
    except Unsupported as reason:
        pytest.skip(f"unsupported: {reason}")
    assert isinstance(kernel, np.ndarray)
    assert (kernel.shape, kernel.dtype) == (shape, np.float64)
    np.testing.assert_array_equal(kernel, again)
    assert np.any(kernel == other) == (kind == "zeros")
    largest = {"zeros": 0, "uniform": 0.05, "normal": 0.25, "glorot": np.sqrt(6 / 50), "he": 5 * he(shape)}
    assert np.max(np.abs(kernel)) <= largest.get(kind, 1) * (1 + 1e-7)  # Keras rounds bounds to float32


def test_kernels_and_what_they_lead_to_are_equivalent(column: ModuleType, desired: dict) -> None:
    subject = chance.Subject(column, Placement())
    found = {}
    for what in STATISTICS:
        if what.startswith(INITIALISERS):
            with contextlib.suppress(Unsupported):
                found[what] = measured(subject, range(SEEDS, SEEDS + 50), what)
    kinds = {what.partition(": ")[0] for what in found}
    assert kinds == ({"glorot"} if column.__name__ == "backends.sklearn" else set(INITIALISERS))
    words = said(found, desired)
    assert {what: word for what, word in words.items() if word != {"equivalent"}} == {}


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
        draws = [column.Chance().initial("glorot", (4, 3), 7), column.Chance().shuffle(20, 7)]
        if column.__name__ != "backends.sklearn":
            draws.append(column.Chance().dropout(np.ones(20), 0.5, 7))
            draws += [column.Chance().initial(kind, (4, 3), 7) for kind in INITIALISERS]
        return draws

    seed_common_generators(column)
    desired = common_generators(column)
    before = draw()
    seed_common_generators(column)
    after = draw()
    assert common_generators(column) == desired
    for one, other in zip(before, after, strict=True):
        np.testing.assert_array_equal(one, other)


def test_everything_is_measured_but_what_scikit_learn_lacks(column: ModuleType) -> None:
    values, unsupported = chance.sample(column, Placement(), range(2))
    if column.__name__ == "backends.sklearn":
        groups = {what.partition(": ")[0] for what in values}
        assert groups == {"glorot", "shuffle", "training"}
        assert unsupported["dropout: mean of ones"] == "scikit-learn's networks have no dropout"
        assert (
            unsupported["he: deviation"] == "scikit-learn's networks start from Glorot's uniform distribution"
        )
    else:
        assert unsupported == {}
    assert list(values) == [what for what in STATISTICS if what not in unsupported]
    for what, found in values.items():
        layers = 4 if what.endswith((": activations", ": gradients")) else 1
        assert [[type(number) for number in seed] for seed in found] == [[float] * layers] * 2


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
        "1 of 3 means are numpy's to within the margin; of 1 nothing can be told; different: shuffle × b1; "
        "crashed: shuffle × b3 (9 seeds each, two one-sided tests at 5%)."
    )


def row(what: str, backend: str, low: float, high: float, layer: int | None = None) -> Row:
    """Around a difference from the reference's mean, which is 1.25; the margin is 0.02."""
    found = equivalence.Equivalence((low + high) / 2, low, high, margin=0.02)
    numbers = (1.25 + found.difference, 1.25, found.difference, low, high, found.margin)
    return Row(what, backend, found.word, None, None, *numbers, layer)


def printed(*rows: Row, about: Mapping[str, str] | None = None) -> list[str]:
    """The lines on 80 columns; the sentence, the last, is wrapped by the terminal."""
    page = io.StringIO()
    about = about or dict.fromkeys((row.what for row in rows), "what it is")
    found = msgspec.structs.replace(comparison(), rows=list(rows), about=about)
    print_comparison(found, Console(file=page, width=80))
    return page.getvalue().splitlines()[:-1]


def cells(lines: list[str], name: str) -> list[str]:
    """Of the row of the table with this name."""
    return next(line.split() for line in lines if line.startswith(f"  {name} "))[len(name.split()) :]


def test_table_says_how_far_every_backend_reaches_in_percent_of_the_margin() -> None:
    lines = printed(
        row("he: deviation", "numpy", -0.004, 0.002),
        row("he: deviation", "keras", 0.01, 0.03),
        row("he: deviation", "torch", -0.03, -0.022),
        Row("he: deviation", "sklearn", "unsupported", "it has none"),
        row("shuffle: rank correlation", "numpy", 0, 0),
        row("shuffle: rank correlation", "keras", -1, -0.9),
        row("shuffle: rank correlation", "torch", np.nan, np.nan),
    )
    assert lines[0].split() == ["what", "numpy's", "mean", "margin", "numpy", "keras", "torch", "sklearn"]
    assert cells(lines, "deviation") == ["1.250", "0.02", "20", "?150", "✗150", "–"]
    assert cells(lines, "rank correlation") == ["1.250", "0.02", "0", "✗>999", "?", "–"]
    assert [line.strip() for line in lines[2:7:2]] == ["he", "shuffle", ""]
    assert "unsupported: it has none (he × sklearn)" in lines


def test_of_several_layers_the_one_that_reaches_furthest_is_shown() -> None:
    layers = [(0, 0.01), (-0.05, -0.03), (0.021, 0.03)]
    lines = printed(*(row("he: gradients", "numpy", *ends, layer) for layer, ends in enumerate(layers, 1)))
    assert cells(lines, "gradients") == ["1.250", "0.02", "✗250"]
    assert [line for line in lines if line.startswith("different")] == [
        "different: he: gradients in layer 2 × numpy: 1.21, numpy's 1.25, difference "
    ]
    assert "-0.04 (-0.05…-0.03), margin 0.02" in lines


def test_statistics_that_mean_the_same_are_explained_together() -> None:
    lines = printed(about={"he: kurtosis": "its tails", "glorot: kurtosis": "its tails", "x: y": "z"})
    assert "kurtosis (he, glorot): its tails" in lines
    assert "y (x): z" in lines


@pytest.mark.parametrize("others", [(), ("mine", "a_backend_with_a_name")], ids=len)
def test_table_fits_into_80_columns(others: tuple[str, ...]) -> None:
    names = ("numpy", "sklearn", "tensorflow", "keras", "torch", *others)
    lines = printed(*(row(what, name, -0.05, -0.03) for what in STATISTICS for name in names))
    assert max(map(len, lines)) <= 80
    assert lines[0].split() == ["what", "numpy's", "mean", "margin", *names[:5]]
    assert "\n".join(lines).count("✗250") == len(STATISTICS) * len(names)


def test_torch_beside_the_reference_as_json() -> None:
    done = harness("random", "-b", "torch", "--seeds", "5", "--json")
    assert done.stderr == ""
    found = json.loads(done.stdout)
    assert (found["schema"], found["reference"], found["seeds"]) == ("samestep.random/2", "numpy", 5)
    assert list(found["about"]) == list(STATISTICS)
    layers = {
        what: [1, 2, 3, 4] if what.endswith((": activations", ": gradients")) else [None]
        for what in STATISTICS
    }
    assert [(row["what"], row["backend"], row["layer"]) for row in found["rows"]] == [
        (what, backend, layer)
        for what in STATISTICS
        for backend in ("numpy", "torch")
        for layer in layers[what]
    ]
    said = {row["word"] for row in found["rows"]}
    assert said <= {"equivalent", "different", "cannot tell"}
    assert done.returncode == (1 if "different" in said else 4 if "cannot tell" in said else 0)
    # The reference, too, has other seeds.
    assert all(row["difference"] for row in found["rows"] if row["what"] != "zeros: not zero")
    rows = {row["what"]: row for row in found["rows"] if row["backend"] == "torch"}
    for what, mean in {"glorot: deviation": 1, "he: kurtosis": 3, "dropout: share of zeros": 0.3}.items():
        margin = STATISTICS[what].margin
        assert rows[what]["margin"] == margin
        assert rows[what]["mean"] == pytest.approx(mean, abs=2 * margin)
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
