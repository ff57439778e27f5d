"""Activations and losses: values against scipy and scikit-learn, derivatives against 60 digits.

Zero and far from it as well, where a careless formula overflows or cancels.
"""

from dataclasses import replace
from typing import get_args

import exact
import numpy as np
import pytest
from mpmath import mpf
from scipy import special
from sklearn import metrics as sklearn
from test_precision import build, network

from backends.numpy.loss import ACTIVATIONS, delta, losses, scores, targets
from harness.metrics import mean_loss
from tasks.spec import (
    AbsoluteError,
    BinaryCrossEntropy,
    CategoricalCrossEntropy,
    Dataset,
    Hinge,
    Huber,
    LogCosh,
    Loss,
    Network,
    SquaredError,
)

EPS = np.finfo(float).eps
RNG = np.random.default_rng(8)
FAR = np.array([-800.0, -40.0, -8.0, -1e-9, 0.0, 1e-9, 8.0, 40.0, 800.0])
NEAR = 40
Z = np.concatenate([RNG.normal(scale=3, size=NEAR), FAR])

# ------------------------------------------------------------------------------------- activations

VALUES = {
    "relu": lambda z: np.clip(z, 0, None),
    "tanh": lambda z: 1 - 2 * special.expit(-2 * z),
    "logistic": special.expit,
    "leaky_relu": lambda z: np.maximum(z, z / 100),
    "elu": lambda z: np.where(z > 0, z, special.expm1(np.minimum(z, 0))),
    "gelu": lambda z: z * special.ndtr(z),
    "step": lambda z: (1 + np.sign(z + 1e-300)) / 2,
}


@pytest.mark.parametrize("name", Network.ACTIVATIONS)
def test_activation_has_the_values_of_scipy(name):
    forward, _ = ACTIVATIONS[name]
    np.testing.assert_allclose(forward(Z, None), VALUES[name](Z), rtol=4 * EPS, atol=4 * EPS)


@pytest.mark.parametrize("name", Network.ACTIVATIONS)
def test_activation_has_the_derivative_from_the_left(name):
    """By a difference of 1e-30 to the left, at 60 digits."""
    forward, backward = ACTIVATIONS[name]
    exactly, step = exact.DIGITS.array(Z), mpf("1e-30")
    left, here = (exact.ACTIVATIONS[name](z, exact.DIGITS) for z in (exactly - step, exactly))
    slope = (here - left) / step
    if name == "step":
        slope = 0 * slope  # by declaration, its jump at 0 included
    found = backward(Z, forward(Z, None), np.ones_like(Z))
    np.testing.assert_allclose(found, slope.astype(float), rtol=4 * EPS, atol=4 * EPS)


# ------------------------------------------------------------------------------------------ losses

CLASSES = RNG.integers(0, 2, len(Z)).astype(float)
NUMBERS = RNG.normal(size=len(Z))
THREE_CLASSES = RNG.integers(0, 3, len(Z)).astype(float)
LOGITS = np.concatenate(  # (N, C)
    [RNG.normal(scale=3, size=(NEAR, 3)), np.column_stack([FAR, FAR[::-1], np.roll(FAR, 2)])]
)
WEIGHTS = RNG.uniform(0.1, 2, len(Z))


def smoothed(y, z, smoothing, weights):
    """The mean over the rows as they are, and over rows of each class alike."""
    p, both = special.expit(z), np.repeat([0.0, 1.0], len(z))
    labelled = sklearn.log_loss(y, p, sample_weight=weights)
    of_both = sklearn.log_loss(
        both, np.tile(p, 2), sample_weight=None if weights is None else np.tile(weights, 2)
    )
    return (1 - smoothing) * labelled + smoothing * of_both


def smoothed_classes(y, z, smoothing, weights):
    target = (1 - smoothing) * np.eye(3)[y.astype(int)] + smoothing / 3  # (N, C)
    return np.average(-np.sum(target * special.log_softmax(z, axis=1), axis=1), weights=weights)


# Loss, z and y, and the mean loss of rows with weights, or none, by a library.
CASES = {
    "binary": (
        BinaryCrossEntropy(),
        (Z[:NEAR], CLASSES[:NEAR]),  # scikit-learn clips p at eps
        lambda z, y, v: sklearn.log_loss(y, special.expit(z), sample_weight=v),
    ),
    "binary-far": (
        BinaryCrossEntropy(),
        (Z, CLASSES),
        lambda z, y, v: np.average(-special.log_expit(np.where(y == 1, z, -z)), weights=v),
    ),
    "binary-smoothed": (
        BinaryCrossEntropy(0.2),
        (Z[:NEAR], CLASSES[:NEAR]),
        lambda z, y, v: smoothed(y, z, 0.2, v),
    ),
    "classes": (
        CategoricalCrossEntropy(3),
        (LOGITS[:NEAR], THREE_CLASSES[:NEAR]),
        lambda z, y, v: sklearn.log_loss(y, special.softmax(z, axis=1), sample_weight=v, labels=[0, 1, 2]),
    ),
    "classes-smoothed": (
        CategoricalCrossEntropy(3, 0.2),
        (LOGITS, THREE_CLASSES),
        lambda z, y, v: smoothed_classes(y, z, 0.2, v),
    ),
    "hinge": (
        Hinge(),
        (Z, CLASSES),
        lambda z, y, v: sklearn.hinge_loss(2 * y - 1, z, sample_weight=v),
    ),
    "squared": (
        SquaredError(),
        (Z, NUMBERS),
        lambda z, y, v: sklearn.mean_squared_error(y, z, sample_weight=v) / 2,
    ),
    "absolute": (
        AbsoluteError(),
        (Z, NUMBERS),
        lambda z, y, v: sklearn.mean_absolute_error(y, z, sample_weight=v),
    ),
    "huber": (
        Huber(0.7),
        (Z, NUMBERS),
        lambda z, y, v: np.average(special.huber(0.7, z - y), weights=v),
    ),
    "log-cosh": (
        LogCosh(),
        (Z, NUMBERS),
        lambda z, y, v: np.average(np.logaddexp(z - y, y - z) - np.log(2), weights=v),
    ),
}


def test_cases_have_every_loss():
    assert {type(rule) for rule, *_ in CASES.values()} == set(get_args(Loss))


@pytest.mark.parametrize("weights", [None, WEIGHTS], ids=["alike", "weighted"])
@pytest.mark.parametrize("name", CASES)
def test_loss_of_a_batch_is_the_library_s(name, weights):
    """Through a network without hidden layers, whose z is what goes in."""
    rule, (z, y), desired = CASES[name]
    v = None if weights is None else weights[: len(y)]
    logits = z if z.ndim == 2 else z[:, None]
    task = replace(
        network(hidden=(), loss=rule, l2=0.0),
        data=Dataset(logits, y, weights=v),
        start={"w1": np.eye(rule.outputs), "b1": np.zeros(rule.outputs)},
    )
    loss, _ = build(task).gradient(np.arange(len(y)))
    assert loss == pytest.approx(desired(z, y, v), rel=1e-14)


def test_binary_cross_entropy_of_a_certain_row_has_all_its_digits():
    found = losses(BinaryCrossEntropy(), Z[:, None], np.ones((len(Z), 1)))
    np.testing.assert_allclose(found, -special.log_expit(Z), rtol=4 * EPS)


@pytest.mark.parametrize("name", CASES)
def test_derivative_of_a_loss_is_that_at_60_digits(name):
    """The derivative of each row by each z; far from 0, p - y is near 1 or next to nothing."""
    rule, (z, y), _ = CASES[name]
    z = z if z.ndim == 2 else z[:, None]
    found = delta(rule, z, targets(rule, y))
    labels, step = exact.DIGITS.array(y), mpf("1e-20")
    for column in range(z.shape[1]):
        rows = []
        for sign in (1, -1):
            moved = exact.DIGITS.array(z)
            moved[:, column] += sign * step
            rows.append(exact.row_losses(rule, moved, labels, exact.DIGITS))
        slope = (rows[0] - rows[1]) / (2 * step)
        np.testing.assert_allclose(found[:, column], slope.astype(float), rtol=4 * EPS, atol=4 * EPS)


@pytest.mark.parametrize(
    ("rule", "z", "slope"),
    [
        (Hinge(), 1.0, 0.0),  # just right by the margin
        (AbsoluteError(), 1.0, 0.0),
        (Huber(0.5), 1.5, 0.5),
        (Huber(0.5), 0.5, -0.5),
    ],
)
def test_derivative_at_a_kink_is_as_declared(rule, z, slope):
    z, y = np.array([[z]]), targets(rule, np.array([1.0]))
    assert losses(rule, z, y).item() == {Hinge: 0.0, AbsoluteError: 0.0, Huber: 0.125}[type(rule)]
    assert delta(rule, z, y).item() == slope


# ------------------------------------------------------------------------------------- predictions


def test_scores_are_scipy_s_probabilities():
    np.testing.assert_allclose(scores(BinaryCrossEntropy(), Z[:, None]), special.expit(Z), rtol=4 * EPS)
    found = scores(CategoricalCrossEntropy(3), LOGITS)
    np.testing.assert_allclose(found, special.softmax(LOGITS, axis=1), rtol=8 * EPS)


@pytest.mark.parametrize("name", CASES)
def test_mean_loss_of_scores_is_the_library_s(name):
    """Of what a validation watches: never smoothed or weighted, and ½·(z - y)² of every regression."""
    rule, (z, y), _ = CASES[name]
    z, y = z[:NEAR], y[:NEAR]
    plain = {BinaryCrossEntropy: "binary", CategoricalCrossEntropy: "classes", Hinge: "hinge"}
    _, _, desired = CASES[plain.get(type(rule), "squared")]
    found = mean_loss(rule, scores(rule, z if z.ndim == 2 else z[:, None]), y)
    assert found == pytest.approx(desired(z, y, None), rel=1e-13)


@pytest.mark.parametrize("rule", [BinaryCrossEntropy(), CategoricalCrossEntropy(3)])
def test_mean_loss_of_a_certain_mistake_is_finite(rule):
    p = np.array([0.0]) if rule.classes == 2 else np.array([[1.0, 0.0, 0.0]])
    assert mean_loss(rule, p, np.array([1.0])) == pytest.approx(-np.log(np.finfo(float).tiny), rel=1e-15)
