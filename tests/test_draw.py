"""Data, starts and orders of the tasks against scikit-learn, scipy and formulas."""

from itertools import islice, pairwise

import numpy as np
import pytest
from scipy import stats
from sklearn import datasets
from sklearn.model_selection import KFold, train_test_split
from sklearn.preprocessing import StandardScaler
from sklearn.utils.class_weight import compute_sample_weight

from tasks import TASKS, draw, loss, perceptron, selection
from tasks.spec import Dataset

RNG = np.random.default_rng(9)
X, Y = RNG.normal(size=(23, 3)), RNG.integers(0, 3, 23).astype(float)
LOADERS = {
    "iris": datasets.load_iris,
    "wine": datasets.load_wine,
    "digits": datasets.load_digits,
    "breast_cancer": datasets.load_breast_cancer,
    "diabetes": lambda: datasets.load_diabetes(scaled=False),
}
RARE = 1e-3  # a drawn sample that is less probable than that would be a fault


# ------------------------------------------------------------------------------------------- data


@pytest.mark.parametrize("name", LOADERS)
def test_shipped_data_is_what_scikit_learn_loads(name):
    x, y = draw.shipped(name)
    desired = LOADERS[name]()
    np.testing.assert_array_equal(x, desired.data)
    np.testing.assert_array_equal(y, desired.target)


@pytest.mark.parametrize(
    ("task", "source"), [("iris", "iris"), ("breast-cancer", "breast_cancer"), ("diabetes", "diabetes")]
)
def test_real_tasks_hold_back_a_quarter_and_are_scaled_as_by_scikit_learn(task, source):
    found, raw = TASKS[task].data, LOADERS[source]()
    x_train, x_test, y_train, y_test = train_test_split(raw.data, raw.target, test_size=0.25, random_state=0)
    scaler = StandardScaler().fit(x_train)
    unit = 100 if source == "diabetes" else 1
    np.testing.assert_allclose(found.x_train, scaler.transform(x_train), rtol=0, atol=1e-12)
    np.testing.assert_allclose(found.x_test, scaler.transform(x_test), rtol=0, atol=1e-12)
    np.testing.assert_array_equal(found.y_train, y_train / unit)
    np.testing.assert_array_equal(found.y_test, y_test / unit)


def test_scaled_is_scikit_learns_and_fitted_to_the_training_rows_alone():
    x = X.copy()
    x[:8, 1] = 4.0  # does not vary over the training rows
    data = Dataset(x[:8], Y[:8], x[8:16], Y[8:16], x[16:], Y[16:])
    found, scaler = draw.scaled(data), StandardScaler().fit(x[:8])
    for part in ("x_train", "x_test", "x_validation"):
        desired = scaler.transform(getattr(data, part))
        np.testing.assert_allclose(getattr(found, part), desired, rtol=0, atol=1e-14)


def test_folds_are_scikit_learns():
    found = draw.folds(X, Y, count=4, seed=6)
    desired = KFold(4, shuffle=True, random_state=6).split(X)
    for data, (train, test) in zip(found, desired, strict=True):
        np.testing.assert_array_equal(data.x_train, X[train])
        np.testing.assert_array_equal(data.y_train, Y[train])
        np.testing.assert_array_equal(data.x_test, X[test])
        np.testing.assert_array_equal(data.y_test, Y[test])


def test_balanced_weights_are_scikit_learns():
    found = draw.balanced(Dataset(X, Y))
    np.testing.assert_allclose(found.weights, compute_sample_weight("balanced", Y), rtol=1e-15)
    of_class = [found.weights[label == Y].sum() for label in range(3)]
    np.testing.assert_allclose(of_class, len(Y) / 3, rtol=1e-14)


def test_validation_rows_are_the_last_and_no_longer_trained_on():
    found = draw.with_validation(Dataset(X, Y, X[:2], Y[:2]), rows=7)
    np.testing.assert_array_equal(found.x_train, X[:16])
    np.testing.assert_array_equal(found.y_train, Y[:16])
    np.testing.assert_array_equal(found.x_validation, X[16:])
    np.testing.assert_array_equal(found.y_validation, Y[16:])
    np.testing.assert_array_equal(found.x_test, X[:2])


def test_augmented_rows_are_the_rows_and_then_moved_by_normal_noise():
    found = draw.augmented(Dataset(X, Y), copies=50, noise=0.3, seed=1)
    moves = found.x_train.reshape(50, 23, 3) - X
    np.testing.assert_array_equal(moves[0], 0)
    assert stats.kstest(moves[1:].ravel(), stats.norm(scale=0.3).cdf).pvalue > RARE
    np.testing.assert_array_equal(found.y_train.reshape(50, 23), [Y] * 50)


def test_thinned_rows_keep_each_unit_with_the_probability_that_is_not_dropped():
    found = draw.thinned(Dataset(X, Y), copies=40, units=8, dropout=0.3, seed=1)
    np.testing.assert_array_equal(found.x_train.reshape(40, 23, 3), [X] * 40)
    np.testing.assert_array_equal(found.y_train.reshape(40, 23), [Y] * 40)
    kept = found.kept.reshape(40, 23, 8)
    for share, trials in (
        (kept, kept.size),
        (kept[:, :, 0], 40 * 23),
        (kept[:, 5], 40 * 8),
        (kept[7], 23 * 8),
    ):
        assert stats.binomtest(int(share.sum()), trials, 0.7).pvalue > RARE
    assert len(np.unique(kept, axis=0)) == 40  # no copy has the mask of another


# ---------------------------------------------------------------------------- data of some families


def test_learning_curve_trains_on_ever_more_of_the_same_rows():
    sets = [task.data for task in selection.LEARNING_CURVE]
    assert tuple(data.rows for data in sets) == selection.SIZES
    for less, more in pairwise(sets):
        np.testing.assert_array_equal(more.x_train[: less.rows], less.x_train)
        np.testing.assert_array_equal(more.y_train[: less.rows], less.y_train)
        np.testing.assert_array_equal(more.x_test, less.x_test)


def test_each_row_is_held_back_in_one_fold():
    held_back = np.concatenate([task.data.x_test for task in selection.CROSS_VALIDATION])
    np.testing.assert_array_equal(np.unique(held_back, axis=0), np.unique(selection.X[:100], axis=0))
    assert len(held_back) == 100
    for task in selection.CROSS_VALIDATION:
        both = np.concatenate([task.data.x_train, task.data.x_test])
        np.testing.assert_array_equal(np.unique(both, axis=0), np.unique(selection.X[:100], axis=0))


def test_curves_and_searches_differ_in_width_and_penalty_alone():
    tried = {task.name: (task.model.hidden[0], task.model.l2) for task in selection.TASKS}
    assert [tried[f"width-{units}"] for units in selection.WIDTHS] == [
        (units, 0) for units in selection.WIDTHS
    ]
    assert [tried[task.name] for task in selection.ALPHA_CURVE] == [(32, alpha) for alpha in selection.ALPHAS]
    assert {tried[task.name] for task in selection.GRID} == {
        (u, a) for u in (2, 8, 32) for a in (0.01, 0.1, 1.0)
    }
    assert (
        len({tried[task.name] for task in selection.RANDOM}) == len(selection.RANDOM) == len(selection.GRID)
    )
    for units, alpha in (tried[task.name] for task in selection.RANDOM):
        assert 1 <= units <= 32 and 1e-3 <= alpha <= 10
    for task in (*selection.WIDTH_CURVE, *selection.ALPHA_CURVE, *selection.GRID, *selection.RANDOM):
        np.testing.assert_array_equal(task.data.x_train, selection.HELD_BACK.x_train[:60])


def test_random_search_is_uniform_on_logarithmic_scales():
    units, alphas = np.log(selection._searched(seed=1, count=1000)).T
    assert stats.kstest(alphas, stats.uniform(np.log(1e-3), np.log(1e4)).cdf).pvalue > RARE
    edges = np.log2([1, 1.5, 2.5, 4.5, 8.5, 16.5, 32])  # whole numbers are rounded ones
    observed = np.histogram(units / np.log(2), edges)[0]
    assert stats.chisquare(observed, np.diff(edges) / 5 * 1000).pvalue > RARE


def test_resampled_rows_are_of_the_training_rows_with_repetitions():
    tasks = [task for task in selection.BIAS_VARIANCE if task.model.hidden == (1,)]
    known = {
        tuple(row): label
        for row, label in zip(selection.HELD_BACK.x_train, selection.HELD_BACK.y_train, strict=True)
    }
    sets = [list(map(tuple, task.data.x_train)) for task in tasks]
    assert len(sets) == selection.RESAMPLES and all(len(rows) == 40 for rows in sets)
    for task, rows in zip(tasks, sets, strict=True):
        assert [known[row] for row in rows] == task.data.y_train.tolist()
    assert any(len(set(rows)) < 40 for rows in sets)
    assert len({frozenset(rows) for rows in sets}) == selection.RESAMPLES


def test_every_eighth_row_of_the_line_is_an_outlier_and_no_test_row():
    off = loss.LINE.y_train - (2 * loss.LINE.x_train[:, 0] + 1)
    np.testing.assert_array_equal(off > 5, np.arange(80) % 8 == 0)
    assert stats.kstest(np.where(off > 5, off - 10, off), stats.norm(scale=0.1).cdf).pvalue > RARE
    assert np.abs(loss.LINE.y_test - (2 * loss.LINE.x_test[:, 0] + 1)).max() < 0.5


def test_one_class_is_about_eight_times_as_frequent():
    few, many = sorted(np.bincount(loss.UNBALANCED.y_train.astype(int)))
    assert 6 < many / few < 11
    assert TASKS["loss-weighted"].data.weights @ (loss.UNBALANCED.y_train - 0.5) == pytest.approx(
        0, abs=1e-10
    )


def test_separable_rows_keep_their_distance_from_the_line_that_decides_their_class():
    x, y = perceptron._separable(80, 0.05, seed=4)
    distance = x @ perceptron.SEPARATOR
    assert np.linalg.norm(perceptron.SEPARATOR) == pytest.approx(1, rel=1e-15)
    assert len(x) == len(y) == 80 and np.abs(distance).min() > 0.05
    np.testing.assert_array_equal(y, distance > 0)
    noisy = perceptron.NOISY
    wrong = noisy.y_train != (noisy.x_train @ perceptron.SEPARATOR > 0)
    np.testing.assert_array_equal(wrong, np.arange(80) % 6 == 0)
    np.testing.assert_array_equal(noisy.y_test, noisy.x_test @ perceptron.SEPARATOR > 0)


# ------------------------------------------------------------------------------------------ starts

SIZES = (30, 50, 20, 1)
SHAPES = {"w1": (30, 50), "b1": (50,), "w2": (50, 20), "b2": (20,), "w3": (20, 1), "b3": (1,)}


def uniform(bound):
    return stats.uniform(-bound, 2 * bound)


# Of what each number of a kernel (in, out) is drawn.
DISTRIBUTIONS = {
    "uniform": (draw.uniform(SIZES, seed=2), lambda *_: uniform(0.05)),
    "normal": (draw.normal(SIZES, seed=2), lambda *_: stats.norm(scale=0.05)),
    "glorot": (draw.glorot(SIZES, seed=2), lambda rows, units: uniform((6 / (rows + units)) ** 0.5)),
    "he": (draw.he(SIZES, seed=2), lambda rows, _: stats.norm(scale=(2 / rows) ** 0.5)),
    "he-wider": (draw.he(SIZES, seed=2, gain=3.0), lambda rows, _: stats.norm(scale=3 * (2 / rows) ** 0.5)),
}


@pytest.mark.parametrize("kind", DISTRIBUTIONS)
def test_start_is_drawn_from_its_distribution(kind):
    start, distribution = DISTRIBUTIONS[kind]
    assert {name: array.shape for name, array in start.items()} == SHAPES
    for i in (1, 2, 3):
        kernel, of = start[f"w{i}"], distribution(*start[f"w{i}"].shape)
        assert stats.kstest(kernel.ravel(), of.cdf).pvalue > RARE
        assert np.all(of.pdf(kernel) > 0)  # within the bounds
        np.testing.assert_array_equal(start[f"b{i}"], 0)


@pytest.mark.parametrize("shape", [(7, 7), (9, 4), (4, 9), (1, 6), (6, 1)])
def test_orthogonal_kernels_are(shape):
    q = draw.orthogonal(shape, seed=3)["w1"]
    assert q.shape == shape
    product = q.T @ q if shape[0] >= shape[1] else q @ q.T
    np.testing.assert_allclose(product, np.eye(min(shape)), rtol=0, atol=1e-15)


def test_all_orthogonal_kernels_are_as_likely():
    """A coordinate of a point on a sphere in three dimensions is uniform (Archimedes)."""
    drawn = np.stack([draw.orthogonal((3, 3), seed)["w1"] for seed in range(1000)])
    for element in np.ndindex(3, 3):
        assert stats.kstest(drawn[:, *element], uniform(1).cdf).pvalue > RARE
    assert stats.binomtest(int(np.sum(np.linalg.det(drawn) > 0)), 1000).pvalue > RARE


def test_zeros_are():
    assert {name: array.tolist() for name, array in draw.zeros(w=(2,), b=(1,)).items()} == {
        "w": [0, 0],
        "b": [0],
    }


# ------------------------------------------------------------------------------------------ orders


@pytest.mark.parametrize("order", [draw.InOrder(), draw.Shuffled(3), draw.ScikitLearnShuffled(3, 10)])
def test_copies_are_visited_in_turn_each_in_the_order_of_an_epoch(order):
    found = list(islice(draw.OneCopyAnEpoch(order, copies=3).epochs(21), 7))
    desired = list(islice(order.epochs(7), 7))
    for epoch, (rows, one) in enumerate(zip(found, desired, strict=True)):
        np.testing.assert_array_equal(rows, one + [0, 7, 14, 0, 7, 14, 0][epoch])
        assert sorted(one) == list(range(7))


def test_shuffled_is_another_order_every_epoch_and_the_same_again_from_the_same_seed():
    first, again, other = (list(islice(draw.Shuffled(seed).epochs(9), 5)) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert len({tuple(rows) for rows in [*first, *other]}) == 10
