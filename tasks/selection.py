"""Choosing a model: learning curve, cross-validation, validation curves, searches, bias and variance."""

import numpy as np

from tasks import draw
from tasks.build import network
from tasks.spec import Adam, Dataset, Network, Task

X, Y = draw.moons(400, noise=0.3, seed=5)
HELD_BACK = draw.split(X, Y, test=0.5, seed=5)  # 200 rows for training, 200 to test with
FOLDS = draw.folds(X[:100], Y[:100], count=5, seed=5)
SIZES = (10, 20, 40, 80, 160)
WIDTHS = (1, 2, 4, 8, 16, 32)
ALPHAS = (0.001, 0.01, 0.1, 1.0, 10.0)
RESAMPLES = 8


def _trained(name: str, shows: str, data: Dataset, tag: str, hidden: int = 8, alpha: float = 0.0) -> Task:
    return network(
        name,
        shows,
        data,
        Network((hidden,), "tanh", l2=alpha),
        tags=tuple(tag.split()),
        epochs=60,
        optimizer=Adam(0.05),
    )


def _first(rows: int) -> Dataset:
    """The first of the training rows, and all test rows."""
    return Dataset(
        x_train=HELD_BACK.x_train[:rows],
        y_train=HELD_BACK.y_train[:rows],
        x_test=HELD_BACK.x_test,
        y_test=HELD_BACK.y_test,
    )


def _resampled(seed: int, rows: int = 40) -> Dataset:
    """Rows drawn with replacement, as if the data had been collected again."""
    chosen = np.random.default_rng(seed).integers(0, HELD_BACK.rows, rows)
    return Dataset(
        x_train=HELD_BACK.x_train[chosen],
        y_train=HELD_BACK.y_train[chosen],
        x_test=HELD_BACK.x_test,
        y_test=HELD_BACK.y_test,
    )


def _searched(seed: int, count: int) -> list[tuple[int, float]]:
    """Pairs of units and alpha, both uniform on a logarithmic scale."""
    rng = np.random.default_rng(seed)
    return [(round(2 ** rng.uniform(0, 5)), float(f"{10 ** rng.uniform(-3, 1):.2g}")) for _ in range(count)]


LEARNING_CURVE = tuple(
    _trained(
        f"learning-curve-{rows}",
        f"Trained on the first {rows} rows.",
        _first(rows),
        "learning-curve default" if rows == 40 else "learning-curve",
    )
    for rows in SIZES
)
CROSS_VALIDATION = tuple(
    _trained(
        f"fold-{i}",
        f"Fold {i} of five held back.",
        fold,
        "cross-validation default" if i == 1 else "cross-validation",
    )
    for i, fold in enumerate(FOLDS, 1)
)
WIDTH_CURVE = tuple(
    _trained(
        f"width-{units}",
        f"A hidden layer of {units}.",
        _first(60),
        "validation-curve default" if units == 8 else "validation-curve",
        hidden=units,
    )
    for units in WIDTHS
)
ALPHA_CURVE = tuple(
    _trained(
        f"alpha-{alpha:g}".replace(".", "p"),
        f"Penalty alpha {alpha:g}.",
        _first(60),
        "validation-curve",
        32,
        alpha,
    )
    for alpha in ALPHAS
)
GRID = tuple(
    _trained(
        f"grid-{units}-{alpha:g}".replace(".", "p"),
        f"{units} units, alpha {alpha:g}.",
        _first(60),
        "search default" if (units, alpha) == (8, 0.1) else "search",
        units,
        alpha,
    )
    for units in (2, 8, 32)
    for alpha in (0.01, 0.1, 1.0)
)
RANDOM = tuple(
    _trained(
        f"search-{i}", f"Drawn at random: {units} units, alpha {alpha:g}.", _first(60), "search", units, alpha
    )
    for i, (units, alpha) in enumerate(_searched(seed=5, count=9), 1)
)
BIAS_VARIANCE = tuple(
    _trained(
        f"resampled-{units}-{i}",
        f"{units} unit(s) on the resampled training set {i} of {RESAMPLES}.",
        _resampled(i),
        "bias-variance default" if (units, i) == (32, 1) else "bias-variance",
        units,
    )
    for units in (1, 32)
    for i in range(1, RESAMPLES + 1)
)
TASKS = (
    *LEARNING_CURVE, *CROSS_VALIDATION, *WIDTH_CURVE, *ALPHA_CURVE, *GRID, *RANDOM, *BIAS_VARIANCE,
)  # fmt: skip
