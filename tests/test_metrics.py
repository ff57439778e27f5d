"""What training came to, held against scikit-learn's measures."""

from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, confusion_matrix, r2_score
from test_contract import CASES, NUMBERS, THREE_CLASSES, network

from harness.metrics import metrics
from tasks import TASKS
from tasks.spec import Adam, CategoricalCrossEntropy, Hinge, SquaredError

RNG = np.random.default_rng(8)
BINARY = CASES["network-adam"]  # 30 rows, and 10 to test with
MARGINS = replace(BINARY, model=replace(BINARY.model, loss=Hinge()))
CLASSES = network(
    Adam(0.1),
    data=replace(THREE_CLASSES, x_test=THREE_CLASSES.x_train[:10], y_test=np.arange(10) % 3),
    loss=CategoricalCrossEntropy(3),
)
REGRESSION = network(
    Adam(0.1), data=replace(NUMBERS, x_test=NUMBERS.x_train[:10], y_test=np.arange(10.0)), loss=SquaredError()
)


def came_to(task, train=None, test=None, losses=(3.0, 1.0, 2.0), **more):
    """The metrics of a trace with these scores."""
    scores = {"predict_train": train, "predict_test": test}
    trace = {"epoch_loss": np.array(losses)} | {name: a for name, a in scores.items() if a is not None}
    return metrics(task, trace | {name: np.array([number]) for name, number in more.items()})


@pytest.mark.parametrize(("task", "boundary"), [(BINARY, 0.5), (MARGINS, 0.0)], ids=["probability", "margin"])
def test_accuracies_and_confusion_of_two_classes(task, boundary):
    train, test = RNG.normal(boundary, 0.1, 30), RNG.normal(boundary, 0.1, 10)
    train[0] = test[0] = boundary  # is class 0
    found = came_to(task, train, test)
    assert found.train_accuracy == accuracy_score(task.data.y_train, train > boundary)
    assert found.test_accuracy == accuracy_score(task.data.y_test, test > boundary)
    assert found.confusion_test == confusion_matrix(task.data.y_test, test > boundary).tolist()
    assert (found.train_r2, found.test_r2) == (None, None)


def test_accuracies_and_confusion_of_several_classes():
    train, test = RNG.random((30, 3)), RNG.random((10, 3))
    found = came_to(CLASSES, train, test)
    assert found.train_accuracy == accuracy_score(CLASSES.data.y_train, train.argmax(axis=1))
    assert found.test_accuracy == accuracy_score(CLASSES.data.y_test, test.argmax(axis=1))
    desired = confusion_matrix(CLASSES.data.y_test, test.argmax(axis=1), labels=[0, 1, 2])
    assert found.confusion_test == desired.tolist()
    never = np.tile([0.5, 0.3, 0.2], (10, 1))  # a class that is never predicted has a column all the same
    assert came_to(CLASSES, train, never).confusion_test == [[4, 0, 0], [3, 0, 0], [3, 0, 0]]


def test_mistakes_of_a_perceptron_are_told_as_accuracy():
    task = TASKS["perceptron-and"]
    found = came_to(task, np.array([0.0, 1.0, 0.0, 1.0]))
    assert (found.train_accuracy, found.test_accuracy, found.confusion_test) == (0.75, None, None)


def test_share_of_variance_that_a_regression_explains():
    train, test = RNG.normal(size=30), RNG.normal(size=10)
    found = came_to(REGRESSION, train, test)
    assert found.train_r2 == pytest.approx(r2_score(REGRESSION.data.y_train, train), rel=1e-14)
    assert found.test_r2 == pytest.approx(r2_score(REGRESSION.data.y_test, test), rel=1e-14)
    assert (found.train_accuracy, found.test_accuracy, found.confusion_test) == (None, None, None)
    assert came_to(REGRESSION, REGRESSION.data.y_train, REGRESSION.data.y_test).test_r2 == 1


def test_where_targets_do_not_vary_there_is_nothing_to_explain():
    task = replace(REGRESSION, data=replace(REGRESSION.data, y_test=np.full(10, 2.0)))
    assert came_to(task, np.zeros(30), np.full(10, 2.0)).test_r2 is None


def test_losses_are_those_of_the_first_and_the_last_epoch():
    found = came_to(BINARY)
    assert (found.first_loss, found.loss) == (3, 2)
    assert (found.diverged_after, found.best_epoch, found.train_accuracy) == (None, None, None)


def test_divergence_and_the_best_epoch_are_told():
    found = came_to(BINARY, diverged=7, best_epoch=2)
    assert (found.diverged_after, found.best_epoch, found.loss) == (7, 2, 2)
    at_once = came_to(BINARY, losses=(), diverged=0)
    assert (at_once.first_loss, at_once.loss, at_once.diverged_after) == (None, None, 0)


@pytest.mark.parametrize("task", [BINARY, CLASSES, REGRESSION], ids=["two", "several", "numbers"])
def test_scores_that_do_not_fit_the_rows_are_left_out(task):
    scores = np.full((30, 3), 0.5) if task is CLASSES else np.full(30, 0.5)
    wrong = np.zeros((30, 2))
    for train, test in (
        *((scores[:29], scores[:10]), (scores, scores[:9]), (scores, None), (None, scores[:10])),
        *((wrong, scores[:10]), (scores, wrong[:10])),
    ):
        assert came_to(task, train, test) == came_to(task)


def test_a_function_has_its_loss_only():
    found = came_to(CASES["rosenbrock-cosine"])
    assert found == came_to(BINARY)
