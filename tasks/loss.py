"""Losses: regression with outliers, and classification with smoothed labels and weighted rows."""

import numpy as np

from tasks import draw
from tasks.build import network
from tasks.moons import NOISY, SMALL
from tasks.spec import (
    AbsoluteError,
    BinaryCrossEntropy,
    Dataset,
    GradientDescent,
    Hinge,
    Huber,
    LogCosh,
    Loss,
    Network,
    SquaredError,
    Task,
)

SLOPE, INTERCEPT = 2.0, 1.0


def _line() -> Dataset:
    """Rows along y = 2x + 1, of which every eighth lies far above; the test rows have no outliers."""
    rng = np.random.default_rng(7)
    x = rng.uniform(-1, 1, (120, 1))
    y = SLOPE * x[:, 0] + INTERCEPT + rng.normal(scale=0.1, size=120)
    y[:80:8] += 10.0
    return Dataset(x_train=x[:80], y_train=y[:80], x_test=x[80:], y_test=y[80:])


def _unbalanced() -> Dataset:
    """Noisy moons, of whose second class only one row in eight is kept for training."""
    keep = (NOISY.y_train == 0) | (np.arange(NOISY.rows) % 8 == 0)
    return Dataset(
        x_train=NOISY.x_train[keep],
        y_train=NOISY.y_train[keep],
        x_test=NOISY.x_test,
        y_test=NOISY.y_test,
    )


LINE, UNBALANCED = _line(), _unbalanced()


def _regression(kind: str, shows: str, loss: Loss, *tags: str) -> Task:
    return network(
        f"outliers-{kind}",
        shows,
        LINE,
        Network((), loss=loss),
        tags=("loss-regression", *tags),
        epochs=300,
        optimizer=GradientDescent(0.1),
    )


def _classes(kind: str, shows: str, loss: Loss, data: Dataset = SMALL, *tags: str) -> Task:
    return network(
        f"loss-{kind}",
        shows,
        data,
        Network((10,), "tanh", loss=loss),
        tags=("loss-classes", *tags),
        epochs=60,
        optimizer=GradientDescent(0.5),
    )


TASKS = (
    _regression("squared", "A line by least squares: outliers pull it with all their size.", SquaredError()),
    _regression("absolute", "By absolute errors: every row pulls with the same force.", AbsoluteError()),
    _regression("huber", "Squared near the line, absolute far from it.", Huber(1.0), "default"),
    _regression("log-cosh", "A smooth Huber.", LogCosh()),
    _classes("cross-entropy", "Binary cross-entropy.", BinaryCrossEntropy()),
    _classes("smoothed", "Labels smoothed by 0.1: no row is to be quite certain.", BinaryCrossEntropy(0.1)),
    _classes("hinge", "Hinge: a row beyond the margin does not count any more.", Hinge(), SMALL, "default"),
    _classes(
        "unbalanced", "One class eight times as frequent as the other.", BinaryCrossEntropy(), UNBALANCED
    ),
    _classes(
        "weighted",
        "The same, with rows weighted so that both classes count the same.",
        BinaryCrossEntropy(),
        draw.balanced(UNBALANCED),
    ),
)
