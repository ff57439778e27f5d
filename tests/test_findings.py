"""What is measured of each concept, on runs with a known answer; metrics against scikit-learn."""

import re
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from sklearn import metrics as sklearn
from sklearn.svm import SVC
from test_precision import build

from harness import findings
from harness.findings import MEASURES, Run
from harness.metrics import metrics
from harness.trace import record
from tasks import TASKS, draw
from tasks.concepts import CONCEPTS
from tasks.spec import (
    Batches,
    BinaryCrossEntropy,
    CategoricalCrossEntropy,
    Dataset,
    GradientDescent,
    Hinge,
    Network,
    Perceptron,
    SquaredError,
    Stopping,
    Task,
)

RNG = np.random.default_rng(6)
X_TRAIN, X_TEST = RNG.normal(size=(12, 2)), RNG.normal(size=(30, 2))
NETWORK = Network((3,))


def task(name="a-task", model=NETWORK, y_train=None, y_test=None):
    """On rows whose classes do not matter unless they are given."""
    y_train = np.arange(12) % 2 if y_train is None else y_train
    y_test = np.arange(30) % 2 if y_test is None else y_test
    data = Dataset(X_TRAIN, y_train, X_TEST, y_test)
    start = draw.zeros(**model.shapes(2))
    return Task(
        name=name,
        shows="",
        model=model,
        data=data,
        start=start,
        optimizer=GradientDescent(0.1),
        batches=Batches(1, draw.InOrder()),
        stopping=Stopping(4),
    )


def run(name, model=NETWORK, *, epoch_loss=(0.5,), y_test=None, train=None, test=None, **more):
    """What was recorded, with this share of its rows predicted right, or these scores."""
    made = task(name, model, y_test=y_test)
    trace = {"epoch_loss": np.array(epoch_loss)} | {key: np.array(value) for key, value in more.items()}
    for part, scores in (("train", train), ("test", test)):
        y = getattr(made.data, f"y_{part}")
        if isinstance(scores, float):  # the first rows are right
            scores = np.where(np.arange(len(y)) < round(scores * len(y)), y, 1 - y)  # noqa: PLW2901
        trace[f"predict_{part}"] = y if scores is None else scores
    return Run(made, trace)


# ----------------------------------------------------------------------------------------- metrics

PROBABILITIES = RNG.uniform(size=30)
THREE = RNG.dirichlet(np.ones(3), size=30)  # (N, C)
SCORED = {
    "binary": (BinaryCrossEntropy(), PROBABILITIES, PROBABILITIES > 0.5),
    "hinge": (Hinge(), PROBABILITIES - 0.4, PROBABILITIES > 0.4),
    "three": (CategoricalCrossEntropy(3), THREE, THREE.argmax(axis=1)),
}


@pytest.mark.parametrize("name", SCORED)
def test_accuracy_and_confusion_are_scikit_learns(name):
    rule, scores, predicted = SCORED[name]
    y_train, y_test = (RNG.integers(0, rule.classes, rows).astype(float) for rows in (12, 30))
    made = task(model=Network((), loss=rule), y_train=y_train, y_test=y_test)
    trace = {"epoch_loss": np.array([0.7, 0.5]), "predict_train": scores[:12], "predict_test": scores}
    found = metrics(made, trace)
    assert (found.first_loss, found.loss) == (0.7, 0.5)
    assert found.train_accuracy == pytest.approx(sklearn.accuracy_score(y_train, predicted[:12]))
    assert found.test_accuracy == pytest.approx(sklearn.accuracy_score(y_test, predicted))
    confusion = sklearn.confusion_matrix(y_test, predicted, labels=range(rule.classes))
    assert found.confusion_test == confusion.tolist()
    assert found.train_r2 is None and found.test_r2 is None


def test_share_of_variance_is_scikit_learns():
    y_train, y_test, scores = RNG.normal(size=12), RNG.normal(size=30), RNG.normal(size=30)
    made = task(model=Network((), loss=SquaredError()), y_train=y_train, y_test=y_test)
    trace = {"epoch_loss": np.array([0.7]), "predict_train": scores[:12], "predict_test": scores}
    found = metrics(made, trace)
    assert found.train_r2 == pytest.approx(sklearn.r2_score(y_train, scores[:12]), rel=1e-13)
    assert found.test_r2 == pytest.approx(sklearn.r2_score(y_test, scores), rel=1e-13)
    assert found.test_accuracy is None and found.confusion_test is None


def test_where_targets_do_not_vary_there_is_no_share_of_variance():
    made = task(model=Network((), loss=SquaredError()), y_train=np.ones(12), y_test=np.ones(30))
    trace = {"epoch_loss": np.array([0.7]), "predict_train": np.ones(12), "predict_test": np.ones(30)}
    assert metrics(made, trace).test_r2 is None


def test_what_diverged_has_neither_accuracy_nor_finite_last_loss():
    found = metrics(task(), {"epoch_loss": np.zeros(0), "diverged": np.array([0])})
    assert (found.loss, found.first_loss, found.diverged_after, found.test_accuracy) == (None, None, 0, None)


def test_metrics_of_real_runs_are_scikit_learns():
    for name in ("loss-hinge", "perceptron-noisy", "outliers-huber"):
        made = TASKS[name]
        trace, _ = record(build(made), made)
        found, scores = metrics(made, trace), trace["predict_test"]
        if name == "outliers-huber":
            assert found.test_r2 == pytest.approx(sklearn.r2_score(made.data.y_test, scores), rel=1e-13)
        else:
            confusion = sklearn.confusion_matrix(made.data.y_test, scores > 0)
            assert found.confusion_test == confusion.tolist()


# ---------------------------------------------------------------------------------------- measures


def measured(measure, *runs):
    return MEASURES[measure](list(runs))


def test_losses_are_ranked_what_diverged_last():
    runs = [
        run("rate-high", epoch_loss=[9.0], diverged=[7]),
        run("rate-right", epoch_loss=[9.0, 0.25]),
        run("rate-low", epoch_loss=[9.0, 1.5]),
    ]
    assert measured("losses", *runs) == "Last loss: right 0.25, low 1.5, high no longer finite after 7 steps."


def test_losses_at_other_rates_say_so():
    slow, fast = run("a-slow", epoch_loss=[0.5]), run("a-fast", epoch_loss=[0.25])
    rule = replace(fast.task.optimizer, learning_rate=3.0)
    fast = replace(fast, task=replace(fast.task, optimizer=rule))
    rate = slow.task.optimizer.learning_rate
    assert measured("losses", slow, fast) == f"Last loss: fast 0.25 (rate 3), slow 0.5 (rate {rate:g})."


def test_losses_of_other_models_are_ranked_apart():
    runs = [
        run("a-square", Network((3,), loss=SquaredError()), epoch_loss=[0.5]),
        run("a-hinge", Network((3,), loss=Hinge()), epoch_loss=[0.125]),
        run("a-line", Network((), loss=SquaredError()), epoch_loss=[0.25]),
    ]
    assert measured("losses", *runs) == (
        "Last loss of ½ squared error: line 0.25, square 0.5. Last loss of hinge: a-hinge 0.125."
    )


def test_of_many_tasks_the_best_and_the_worst_are_listed():
    runs = [run(f"t-{i}", epoch_loss=[float(i)]) for i in range(20)]
    best, worst = ", ".join(f"{i} {i}" for i in range(6)), ", ".join(f"{i} {i}" for i in range(14, 20))
    assert measured("losses", *runs[::-1]) == f"Last loss: {best}, … 8 more …, {worst}."


def test_mistakes_are_counted():
    runs = [
        run("p-a", Perceptron(), mistakes=[3, 2, 0], test=0.9),
        run("p-b", Perceptron("pocket"), mistakes=[3, 2], test=0.8),
    ]
    assert measured("mistakes", *runs) == (
        "a: 5 mistakes, 0 of them in the last of 3 epochs, test accuracy 0.900; "
        "b: 5 mistakes, 2 of them in the last of 2 epochs, test accuracy 0.800."
    )


def test_starts_tell_the_first_gradient_and_the_last_loss():
    gradients = {"grad/w1": [[[3.0, 4.0]], [[0.0, 0.0]]], "grad/w2": [[[1.0]], [[1.0]]]}
    runs = [run("start-he", **gradients, epoch_loss=[0.75]), run("start-zeros", **gradients, diverged=[3])]
    assert measured("starts", *runs) == (
        "he: ‖∂w1‖ 5 at the start, last loss 0.75; "
        "zeros: ‖∂w1‖ 5 at the start, last loss no longer finite after 3 steps."
    )


def test_gradients_are_compared_between_the_first_and_the_last_hidden_kernel():
    model = Network((2, 2, 2))
    kernels = {"grad/w1": 3.0, "grad/w2": 7.0, "grad/w3": 12.0, "grad/w4": 99.0}
    recorded = {name: [[[size]], [[55.0]]] for name, size in kernels.items()}
    assert measured("gradients", run("deep-relu", model, **recorded)).endswith("kernel's: deep-relu: 0.25.")


def test_fits_are_ranked_by_the_share_of_variance():
    y = RNG.normal(size=30)
    model = Network((), loss=SquaredError())
    half = y.mean() + np.sqrt(0.5) * (y - y.mean())  # off by (1 - √½) of the deviation
    runs = [
        run("f-half", model, y_test=y, test=half),
        run("f-all", model, y_test=y, test=y),
        run("f-mean", model, y_test=y, test=np.full(30, y.mean())),
    ]
    share = 1 - (1 - np.sqrt(0.5)) ** 2
    assert (
        measured("fits", *runs)
        == f"R² on the test rows, highest first: all 1.000, half {share:.3f}, mean 0.000."
    )


def test_classes_are_measured_by_accuracy_the_rare_class_and_certainty():
    rows = np.resize(np.array([[0, 0.1, -2], [0, 0.9, -1], [1, 0.8, 1], [1, 0.3, -3]]), (30, 3))
    y, scores, margins = rows.T
    runs = [
        run("a-plain", y_test=y, test=scores),  # 15 of 30 right, 7 of the 14 in class 1
        run("a-hinge", Network((3,), loss=Hinge()), y_test=y, test=margins),  # 23, and again 7
    ]
    assert measured("classified", *runs) == (
        "Accuracy on the test rows: plain 0.500, of class 1 0.500, mean |p - ½| 0.330; "
        "hinge 0.767, of class 1 0.500."
    )


def test_gaps_are_between_training_and_test_rows():
    runs = [run("o-none", train=1.0, test=0.8), run("o-l2", train=0.75, test=0.9)]
    assert measured("gaps", *runs) == (
        "Accuracy on training/test rows: none 1.000/0.800 (gap +0.200), l2 0.750/0.900 (gap -0.150)."
    )


def test_folds_have_mean_deviation_and_range():
    runs = [run(f"fold-{i}", test=share) for i, share in enumerate((0.7, 0.8, 0.9))]
    assert measured("folds", *runs) == "Accuracy 0.800 ± 0.100 over 3 folds, from 0.700 to 0.900."
    assert measured("folds", runs[0]) == "Accuracy 0.700 on one fold, which says nothing about its spread."


def test_searches_name_the_best_of_each_kind():
    runs = [
        run("grid-2-0p1", Network((2,), l2=0.1), test=0.6),
        run("grid-8-1", Network((8,), l2=1.0), test=0.7),
        run("search-1", Network((5,), l2=0.02), test=0.8),
        run("search-2", Network((6,), l2=0.03), test=0.5),
        run("search-3", Network((7,), l2=0.04), test=0.4),
    ]
    grid, random = (
        "grid: 0.700 with 8 units and alpha 1, the best of 2",
        "random: 0.800 with 5 units and alpha 0.02",
    )
    assert measured("searches", *runs) == f"Accuracy on held-back rows: {grid}; {random}, the best of 3."
    assert measured("searches", *runs[:2]) == f"Accuracy on held-back rows: {grid}."


def test_bias_and_variance_add_up_to_the_mean_squared_error():
    y, models = np.arange(30) % 2.0, RNG.uniform(size=(5, 30))
    runs = [run(f"r-{i}", Network((1,)), y_test=y, test=scores) for i, scores in enumerate(models)]
    certain = [
        run(f"s-{i}", Network((9,)), y_test=y, test=np.full(30, p)) for i, p in enumerate((0.25, 0.75))
    ]
    found = measured("bias_and_variance", *runs, *certain)
    (bias, variance), other = (
        map(float, pair) for pair in re.findall(r"classes\) (\S+), variance (\S+) over", found)
    )
    errors = [sklearn.mean_squared_error(y, scores) for scores in models]
    assert bias + variance == pytest.approx(np.mean(errors), abs=1e-4)  # four digits are printed
    assert variance > 0.01
    assert list(other) == [0.25, 0.0625]
    assert found.startswith("1 unit: squared") and "; 9 units: squared" in found
    assert "over 5 training set(s);" in found and found.endswith("over 2 training set(s).")


# --------------------------------------------------------------------------- bound of the perceptron


def margin_of_a_machine(rows):
    """Through the origin, as the bias is the weight of a constant input: each row beside its opposite."""
    both, classes = np.concatenate([rows, -rows]), np.repeat([1, 0], len(rows))
    machine = SVC(kernel="linear", C=1e10, tol=1e-10).fit(both, classes)
    assert machine.intercept_[0] == pytest.approx(0, abs=1e-6)
    return 1 / np.linalg.norm(machine.coef_)


@pytest.mark.parametrize("seed", range(5))
def test_largest_margin_is_that_of_a_support_vector_machine(seed):
    rng = np.random.default_rng(seed)
    rows = rng.normal(size=(25, 3))
    rows *= np.sign(rows @ rng.normal(size=3))[:, None]  # all on one side of a plane
    assert findings._largest_margin(rows) == pytest.approx(margin_of_a_machine(rows), rel=1e-6)


def test_largest_margin_by_hand():
    assert findings._largest_margin(np.array([[3.0, 4.0]])) == pytest.approx(5, rel=1e-14)
    assert findings._largest_margin(np.array([[1.0, 0.0], [0.0, 1.0], [5.0, 5.0]])) == pytest.approx(
        2**-0.5, rel=1e-14
    )


@pytest.mark.parametrize("seed", range(6))
def test_bound_holds_for_every_perceptron_that_starts_from_zeros(seed):
    """Whatever the rows and their order."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(30, 2)) + rng.normal(size=2)
    score = x @ rng.normal(size=2) + 0.3 * rng.normal()
    apart = np.abs(score) > 0.3
    made = Task(
        name="perceptron-drawn",
        shows="",
        model=Perceptron(),
        data=Dataset(x[apart], score[apart] > 0),
        start=draw.zeros(w=(2,), b=(1,)),
        optimizer=GradientDescent(0.7),
        batches=Batches(1, draw.Shuffled(seed)),
        stopping=Stopping(200),
    )
    found = Run(made, record(build(made), made)[0])
    sentence = measured("bound", found)
    mistakes, reach, margin, bound = map(
        float,
        re.fullmatch(
            r"perceptron-drawn: (\d+) mistakes, at most \((\S+)/(\S+)\)² = (\d+) by the bound.", sentence
        ).groups(),
    )
    assert found.trace["mistakes"][-1] == 0 and mistakes == found.trace["mistakes"].sum()
    assert mistakes <= bound == pytest.approx((reach / margin) ** 2, rel=0.02, abs=1)
    rows = np.column_stack([x[apart], np.ones(sum(apart))]) * np.where(score[apart] > 0, 1, -1)[:, None]
    assert reach == pytest.approx(np.linalg.norm(rows, axis=1).max(), rel=5e-3)  # three digits are printed
    assert margin == pytest.approx(margin_of_a_machine(rows), rel=5e-3)


# ---------------------------------------------------------------------------------------- concepts


def test_concepts_of_a_run_name_its_tasks_and_those_that_are_missing():
    names = ["perceptron-and", "perceptron-xor", "quadratic-gd"]
    runs = {name: Run(TASKS[name], record(build(TASKS[name]), TASKS[name])[0]) for name in names}
    own = run("own", Perceptron(), mistakes=[1])  # a user's task is none of ours, whatever its tags
    (found,) = findings.concepts(runs | {"own": replace(own, task=replace(own.task, tags=("perceptron",)))})
    assert (found.id, found.tasks) == ("perceptron", names[:2])
    assert set(found.missing) == {
        f"perceptron-{kind}" for kind in ("or", "nand", "separable", "noisy", "averaged", "pocket")
    }
    assert found.measured.startswith("and: 8 mistakes, 0 of them in the last of 100 epochs")


@pytest.mark.parametrize("concept", CONCEPTS, ids=lambda concept: concept.id)
def test_every_concept_has_tasks_a_default_one_and_a_measure(concept):
    mine = [each for each in TASKS.values() if concept.id in each.tags]
    assert any("default" in each.tags for each in mine)
    assert concept.measure in MEASURES


def test_concepts_tags_and_measures_belong_together():
    ids = Counter(concept.id for concept in CONCEPTS)
    assert max(ids.values()) == 1
    assert {concept.measure for concept in CONCEPTS} == set(MEASURES)
    assert [each.name for each in TASKS.values() if not {*ids, "chapter"} & set(each.tags)] == []
    families = {"quadratic", "rosenbrock", "xor", "moons"}
    assert {tag for each in TASKS.values() for tag in each.tags} == {
        *ids,
        *families,
        "chapter",
        "default",
        "timed",
    }
    assert {
        each.name for each in TASKS.values() if "chapter" in each.tags and "default" not in each.tags
    } == set()
