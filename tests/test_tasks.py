"""What a task may be: every check fires, with the field, the value and what was expected."""

import dataclasses
import json
import subprocess
import sys
from dataclasses import dataclass, replace
from itertools import islice, pairwise
from pathlib import Path
from typing import get_args

import numpy as np
import pytest
from command import TASK_FILES
from conftest import ROOT
from hypothesis import given, settings
from hypothesis import strategies as st

import tasks
from harness import plan, trace
from harness.plan import fingerprint
from tasks import TASKS, arbitrary, draw, small, spec
from tasks.spec import (
    Adagrad,
    Adam,
    Batches,
    BinaryCrossEntropy,
    CategoricalCrossEntropy,
    CosineDecay,
    Dataset,
    ExponentialDecay,
    GradientDescent,
    Hinge,
    Huber,
    Momentum,
    Nadam,
    Network,
    Perceptron,
    Plateau,
    Quadratic,
    RMSprop,
    Rosenbrock,
    StepDecay,
    Stopping,
    Task,
    TaskError,
    WarmUp,
)


def quadratic(**changes):
    """A sound task without data, but for the changes."""
    fields = {
        "name": "bowl",
        "shows": "A bowl.",
        "model": Quadratic(hessian=np.diag([1.0, 2.0]), minimum=np.array([1.0, -1.0])),
        "start": {"w": np.array([3.0, 3.0])},
        "optimizer": GradientDescent(0.1),
        "stopping": Stopping(max_epochs=5),
    }
    return Task(**fields | changes)


def network(**changes):
    """A sound task with data, but for the changes."""
    fields = {
        "name": "net",
        "shows": "A network.",
        "model": Network((3,)),
        "data": DATA,
        "start": draw.glorot((2, 3, 1), seed=1),
        "optimizer": Adam(0.05),
        "batches": Batches(5, draw.Shuffled(seed=1)),
        "stopping": Stopping(max_epochs=3),
    }
    return Task(**fields | changes)


def perceptron(**changes):
    """A sound task for a perceptron, but for the changes."""
    fields = {
        "model": Perceptron(),
        "data": draw.logic(0, 0, 0, 1),
        "start": draw.zeros(w=(2,), b=(1,)),
        "optimizer": GradientDescent(0.1),
        "batches": Batches(1, draw.InOrder()),
    }
    return network(**fields | changes)


def dataset(**changes):
    """A sound set of three rows, but for the changes."""
    fields = {
        "x_train": np.zeros((3, 2)),
        "y_train": np.array([0, 1, 0]),
        "x_test": np.zeros((2, 2)),
        "y_test": np.array([1, 1]),
    }
    return Dataset(**fields | changes)


DATA = draw.split(*draw.moons(20, noise=0.1, seed=1), test=0.25, seed=1)  # 15 rows for training
VALIDATED = replace(draw.logic(0, 0, 0, 1), x_validation=np.eye(4, 2), y_validation=[0, 1, 0, 1])


class NoFields:
    """An order that cannot be told from another."""

    def epochs(self, rows):
        while True:
            yield np.arange(rows)


# What is built: exactly what is said of it.
WRONG = {
    # Task
    "name-with-capitals": (lambda: quadratic(name="Bowl"), "Task.name is 'Bowl', expected lower-case words"),
    "name-with-spaces": (
        lambda: quadratic(name="a bowl"),
        "Task.name is 'a bowl', expected lower-case words",
    ),
    "name-that-climbs": (lambda: quadratic(name="../bowl"), "Task.name is '../bowl', expected lower-case"),
    "name-empty": (lambda: quadratic(name=""), "Task.name is '', expected lower-case words"),
    "name-no-text": (lambda: quadratic(name=3), "Task.name is 3, expected lower-case words"),
    "shows-no-text": (lambda: quadratic(shows=None), "task 'bowl': Task.shows is None, expected str"),
    "model-by-name": (
        lambda: quadratic(model="quadratic"),
        "task 'bowl': Task.model is 'quadratic', expected Perceptron | Quadratic | Rosenbrock | Network",
    ),
    "optimizer-by-name": (
        lambda: quadratic(optimizer="adam"),
        "Task.optimizer is 'adam', expected GradientDescent | Momentum | RMSprop | Adagrad | Adam | Nadam",
    ),
    "schedule-by-name": (
        lambda: network(schedule="cosine"),
        "Task.schedule is 'cosine', expected Constant | StepDecay | ExponentialDecay | CosineDecay | WarmUp",
    ),
    "stopping-as-number": (lambda: quadratic(stopping=5), "Task.stopping is 5, expected Stopping"),
    "start-as-array": (lambda: quadratic(start=[1, 2]), "Task.start is [1, 2], expected Mapping"),
    "tags-as-text": (lambda: quadratic(tags="mine"), "Task.tags is 'mine', expected tuple"),
    "data-as-arrays": (lambda: network(data=(1, 2)), "Task.data is (1, 2), expected Dataset | None"),
    "batches-as-number": (lambda: network(batches=5), "Task.batches is 5, expected Batches | None"),
    "quadratic-with-data": (lambda: quadratic(data=dataset()), "a Quadratic has no data and no batches"),
    "quadratic-with-batches": (
        lambda: quadratic(batches=Batches(1, draw.InOrder())),
        "a Quadratic has no data and no batches",
    ),
    "network-without-data": (lambda: network(data=None), "Task.data is missing, a Network needs a Dataset"),
    "network-without-batches": (
        lambda: network(batches=None),
        "Task.batches is missing, a Network needs Batches",
    ),
    "perceptron-without-data": (lambda: perceptron(data=None), "Task.data is missing, a Perceptron needs"),
    "perceptron-in-batches": (
        lambda: perceptron(batches=Batches(2, draw.InOrder())),
        "Batches.size is 2, a Perceptron learns from 1 row a step",
    ),
    "perceptron-with-momentum": (
        lambda: perceptron(optimizer=Momentum(0.1)),
        "Task.optimizer is Momentum(learning_rate=0.1, momentum=0.9, nesterov=False), a Perceptron learns",
    ),
    "perceptron-with-a-schedule": (
        lambda: perceptron(schedule=WarmUp(3)),
        "Task.schedule is WarmUp(steps=3), a Perceptron learns only at a Constant rate",
    ),
    "perceptron-with-weights": (
        lambda: perceptron(data=replace(draw.logic(0, 0, 0, 1), weights=np.ones(4))),
        "Dataset.weights are given, a Perceptron counts all rows alike",
    ),
    "perceptron-with-dropout": (
        lambda: perceptron(data=replace(draw.logic(0, 0, 0, 1), kept=np.ones((4, 1)))),
        "Dataset.kept is given, a Perceptron has no hidden units to drop",
    ),
    "perceptron-on-numbers": (
        lambda: perceptron(data=Dataset(np.zeros((4, 2)), [0, 1, 2.5, 0])),
        "Dataset.y_train holds [0.  1.  2.5], expected only 0 and 1",
    ),
    "perceptron-validated": (
        lambda: perceptron(data=VALIDATED, stopping=Stopping(3, 0.0, on_validation=True)),
        "Stopping.on_validation is True, which only a Network can have, not a Perceptron",
    ),
    "function-validated": (
        lambda: quadratic(stopping=Stopping(3, 0.0, on_validation=True)),
        "Stopping.on_validation is True, which only a Network can have, not a Quadratic",
    ),
    "function-with-plateau": (
        lambda: quadratic(model=Rosenbrock(), schedule=Plateau(0.5, 2)),
        "Task.schedule is Plateau(by=0.5, patience=2), which only a Network can follow, not a Rosenbrock",
    ),
    "rosenbrock-with-data": (
        lambda: quadratic(model=Rosenbrock(), data=dataset()),
        "a Rosenbrock has no data and no batches",
    ),
    "rosenbrock-in-three-dimensions": (
        lambda: quadratic(model=Rosenbrock(), start={"w": np.zeros(3)}),
        "Task.start['w'] has shape (3,), expected (2,)",
    ),
    "validated-without-rows": (
        lambda: network(stopping=Stopping(3, 0.0, on_validation=True)),
        "Dataset.x_validation is missing, Stopping.on_validation needs it",
    ),
    "classes-of-another-kind": (
        lambda: network(data=replace(DATA, y_test=DATA.y_test - 1)),
        "Dataset.y_test holds [-1.  0.], expected only 0 and 1",
    ),
    "margins-for-classes": (
        lambda: network(data=replace(DATA, y_train=2 * DATA.y_train - 1), model=Network((3,), loss=Hinge())),
        "Dataset.y_train holds [-1.  1.], expected only 0 and 1",
    ),
    "one-class-too-many": (
        lambda: network(
            data=replace(DATA, x_validation=np.eye(4, 2), y_validation=[0, 1, 2, 3]),
            model=Network((3,), loss=CategoricalCrossEntropy(3)),
        ),
        "Dataset.y_validation holds [0. 1. 2. 3.], expected only class numbers from 0 to 2",
    ),
    "start-of-too-few-outputs": (
        lambda: network(model=Network((3,), loss=CategoricalCrossEntropy(3))),
        "Task.start['w2'] has shape (3, 1), expected (3, 3)",
    ),
    "dropout-of-nothing": (
        lambda: network(model=Network((3,), dropout=0.5)),
        "Dataset.kept is of no units, expected 3 with Network.dropout 0.5 and hidden (3,)",
    ),
    "dropout-of-other-units": (
        lambda: network(model=Network((3,), dropout=0.5), data=replace(DATA, kept=np.ones((15, 4)))),
        "Dataset.kept is of 4 units, expected 3 with Network.dropout 0.5 and hidden (3,)",
    ),
    "kept-without-dropout": (
        lambda: network(data=replace(DATA, kept=np.ones((15, 3)))),
        "Dataset.kept is of 3 units, expected none with Network.dropout 0 and hidden (3,)",
    ),
    "batch-too-large": (
        lambda: network(batches=Batches(16, draw.InOrder())),
        "task 'net': Batches.size is 16, expected at most the 15 training rows",
    ),
    "start-of-wrong-shape": (
        lambda: quadratic(start={"w": np.zeros(3)}),
        "task 'bowl': Task.start['w'] has shape (3,), expected (2,)",
    ),
    "start-transposed": (
        lambda: network(start=draw.glorot((2, 3, 1), seed=1) | {"w1": np.zeros((3, 2))}),
        "Task.start['w1'] has shape (3, 2), expected (2, 3)",
    ),
    "start-with-nan": (
        lambda: quadratic(start={"w": [1.0, np.nan]}),
        "Task.start['w'] holds NaN or inf, expected finite numbers",
    ),
    "start-in-words": (
        lambda: quadratic(start={"w": ["one", "two"]}),
        "Task.start['w'] is not an array of numbers: ",
    ),
    "start-with-another-name": (
        lambda: quadratic(start={"v": np.zeros(2)}),
        "Task.start has v, expected w in order",
    ),
    "start-with-a-number-as-name": (
        lambda: quadratic(start={1: np.zeros(2)}),
        "Task.start has 1, expected w",
    ),
    "start-empty": (lambda: quadratic(start={}), "Task.start has nothing, expected w in order"),
    "start-out-of-order": (
        lambda: network(start=dict(reversed(draw.glorot((2, 3, 1), seed=1).items()))),
        "Task.start has b2, w2, b1, w1, expected w1, b1, w2, b2 in order",
    ),
    # Dataset
    "only-x-test": (lambda: dataset(y_test=None), "Dataset has only one of x_test and y_test"),
    "only-y-test": (lambda: dataset(x_test=None), "Dataset has only one of x_test and y_test"),
    "data-with-nan": (
        lambda: dataset(x_train=[[0, 1], [np.nan, 0], [1, 1]]),
        "Dataset.x_train holds NaN or inf, expected finite numbers",
    ),
    "data-with-inf": (lambda: dataset(x_test=[[0, np.inf]] * 2), "Dataset.x_test holds NaN or inf, expected"),
    "data-in-words": (
        lambda: dataset(x_train=[["a", "b"]] * 3),
        "Dataset.x_train is not an array of numbers: ",
    ),
    "data-ragged": (lambda: dataset(x_train=[[1], [1, 2]]), "Dataset.x_train is not an array of numbers: "),
    "data-too-large": (
        lambda: dataset(x_train=[[10**400, 1]]),
        "Dataset.x_train is not an array of numbers: ",
    ),
    "data-flat": (
        lambda: dataset(x_train=np.zeros(3)),
        "Dataset.x_train has shape (3,), expected 2 dimension",
    ),
    "classes-as-column": (
        lambda: dataset(y_train=np.zeros((3, 1))),
        "Dataset.y_train has shape (3, 1), expected 1 dimension",
    ),
    "classes-too-few": (
        lambda: dataset(y_train=[0, 1]),
        "Dataset.y_train has 2 values, expected one per row: 3",
    ),
    "only-x-validation": (
        lambda: dataset(x_validation=np.zeros((2, 2))),
        "Dataset has only one of x_validation and y_validation",
    ),
    "validation-too-short": (
        lambda: dataset(x_validation=np.zeros((2, 2)), y_validation=[1]),
        "Dataset.y_validation has 1 values, expected one per row: 2",
    ),
    "weights-too-few": (
        lambda: dataset(weights=[1, 2]),
        "Dataset.weights is of 2 rows, expected the 3 of x_train",
    ),
    "weights-zero": (
        lambda: dataset(weights=[1, 0, 2]),
        "Dataset.weights holds 0, expected only numbers above 0",
    ),
    "weights-as-column": (
        lambda: dataset(weights=np.ones((3, 1))),
        "Dataset.weights has shape (3, 1), expected 1 dimension",
    ),
    "weights-with-nan": (lambda: dataset(weights=[1, np.nan, 1]), "Dataset.weights holds NaN or inf"),
    "kept-too-few": (
        lambda: dataset(kept=np.ones((2, 4))),
        "Dataset.kept is of 2 rows, expected the 3 of x_train",
    ),
    "kept-by-halves": (
        lambda: dataset(kept=np.full((3, 4), 0.5)),
        "Dataset.kept holds [0.5], expected only 0 and 1",
    ),
    "kept-flat": (lambda: dataset(kept=np.ones(3)), "Dataset.kept has shape (3,), expected 2 dimension"),
    "no-rows": (
        lambda: dataset(x_train=np.zeros((0, 2)), y_train=[]),
        "Dataset.x_train has shape (0, 2), expected at least 1 row and 1 feature",
    ),
    "no-features": (
        lambda: dataset(x_train=np.zeros((3, 0))),
        "Dataset.x_train has shape (3, 0), expected at",
    ),
    "features-differ": (
        lambda: dataset(x_test=np.zeros((2, 3))),
        "Dataset.x_test has 3 features, expected 2 as in x_train",
    ),
    # models
    "hessian-of-another-size": (
        lambda: Quadratic(hessian=np.eye(3), minimum=np.zeros(2)),
        "Quadratic.hessian has shape (3, 3), expected (2, 2) to fit the minimum",
    ),
    "hessian-flat": (
        lambda: Quadratic([1.0], [1.0]),
        "Quadratic.hessian has shape (1,), expected 2 dimension",
    ),
    "hessian-not-symmetric": (
        lambda: Quadratic(hessian=[[1.0, 0.5], [0.0, 1.0]], minimum=np.zeros(2)),
        "Quadratic.hessian is not symmetric",
    ),
    "hessian-of-a-saddle": (
        lambda: Quadratic(hessian=np.diag([2.0, -3.0]), minimum=np.zeros(2)),
        "Quadratic.hessian has the eigenvalue -3, expected only positive ones",
    ),
    "minimum-with-inf": (lambda: Quadratic(np.eye(1), [np.inf]), "Quadratic.minimum holds NaN or inf"),
    "minimum-empty": (
        lambda: Quadratic(np.zeros((0, 0)), []),
        "Quadratic.minimum is empty, expected at least one coordinate",
    ),
    "hidden-as-list": (
        lambda: Network([3]),
        "Network.hidden is [3], expected a tuple of positive whole numbers",
    ),
    "hidden-as-number": (
        lambda: Network(3),
        "Network.hidden is 3, expected a tuple of positive whole numbers",
    ),
    "hidden-zero": (lambda: Network((3, 0)), "Network.hidden is (3, 0), expected a tuple of positive whole"),
    "activation-unknown": (
        lambda: Network((3,), activation="sigmoid"),
        "Network.activation is 'sigmoid', expected one of relu, tanh, logistic",
    ),
    "l2-negative": (lambda: Network((3,), l2=-1), "Network.l2 is -1, expected a finite number in [0, inf)"),
    "l2-infinite": (
        lambda: Network((3,), l2=np.inf),
        "Network.l2 is inf, expected a finite number in [0, inf)",
    ),
    "l1-negative": (lambda: Network((3,), l1=-1), "Network.l1 is -1, expected a finite number in [0, inf)"),
    "dropout-one": (
        lambda: Network((3,), dropout=1.0),
        "Network.dropout is 1.0, expected a finite number in [0, 1)",
    ),
    "max-norm-zero": (
        lambda: Network((3,), max_norm=0.0),
        "Network.max_norm is 0.0, expected a finite number in [1e-12, inf)",
    ),
    "loss-by-name": (
        lambda: Network((3,), loss="hinge"),
        "Network.loss is 'hinge', expected one of BinaryCrossEntropy, CategoricalCrossEntropy",
    ),
    "loss-not-built": (
        lambda: Network((3,), loss=Hinge),
        "Network.loss is <class 'tasks.spec.losses.Hinge'>",
    ),
    "perceptron-variant": (
        lambda: Perceptron("voted"),
        "Perceptron.variant is 'voted', expected one of plain, averaged, pocket",
    ),
    "rosenbrock-steepness": (
        lambda: Rosenbrock(-1.0),
        "Rosenbrock.steepness is -1.0, expected a finite number in [0, inf)",
    ),
    # losses
    "smoothing-one": (
        lambda: BinaryCrossEntropy(smoothing=1.0),
        "BinaryCrossEntropy.smoothing is 1.0, expected a finite number in [0, 1)",
    ),
    "two-classes": (
        lambda: CategoricalCrossEntropy(2),
        "CategoricalCrossEntropy.classes is 2, expected a whole number of at least 3",
    ),
    "classes-smoothed-below-zero": (
        lambda: CategoricalCrossEntropy(3, smoothing=-0.1),
        "CategoricalCrossEntropy.smoothing is -0.1, expected a finite number in [0, 1)",
    ),
    "delta-zero": (lambda: Huber(0.0), "Huber.delta is 0.0, expected a finite number in [1e-12, inf)"),
    # schedules
    "steps-of-none": (
        lambda: StepDecay(0, 0.5),
        "StepDecay.every is 0, expected a whole number of at least 1",
    ),
    "step-to-nothing": (
        lambda: StepDecay(2, 0.0),
        "StepDecay.by is 0.0, expected a number above 0 and below 1",
    ),
    "decay-of-none": (
        lambda: ExponentialDecay(1.0),
        "ExponentialDecay.by is 1.0, expected a number above 0 and below 1",
    ),
    "cosine-of-no-steps": (
        lambda: CosineDecay(0),
        "CosineDecay.steps is 0, expected a whole number of at least 1",
    ),
    "cosine-to-nothing": (
        lambda: CosineDecay(5, floor=0),
        "CosineDecay.floor is 0, expected a number above 0 and below 1",
    ),
    "warm-up-of-one-step": (lambda: WarmUp(1), "WarmUp.steps is 1, expected a whole number of at least 2"),
    "plateau-by-two": (lambda: Plateau(2.0, 3), "Plateau.by is 2.0, expected a number above 0 and below 1"),
    "plateau-without-patience": (
        lambda: Plateau(0.5, -1),
        "Plateau.patience is -1, expected a whole number of at least 0",
    ),
    # optimizers
    "gd-rate-negative": (
        lambda: GradientDescent(-0.1),
        "GradientDescent.learning_rate is -0.1, expected a finite number in [0, inf)",
    ),
    "gd-rate-nan": (
        lambda: GradientDescent(np.nan),
        "GradientDescent.learning_rate is nan, expected a finite",
    ),
    "gd-rate-in-words": (
        lambda: GradientDescent("0.1"),
        "GradientDescent.learning_rate is '0.1', expected a",
    ),
    "gd-rate-true": (
        lambda: GradientDescent(True),
        "GradientDescent.learning_rate is True, expected a finite",
    ),
    "momentum-rate": (
        lambda: Momentum(-1),
        "Momentum.learning_rate is -1, expected a finite number in [0, inf)",
    ),
    "momentum-one": (
        lambda: Momentum(0.1, 1.0),
        "Momentum.momentum is 1.0, expected a finite number in [0, 1)",
    ),
    "rmsprop-rate": (lambda: RMSprop(np.inf), "RMSprop.learning_rate is inf, expected a finite number"),
    "rmsprop-rho": (
        lambda: RMSprop(0.1, rho=-0.1),
        "RMSprop.rho is -0.1, expected a finite number in [0, 1)",
    ),
    "rmsprop-epsilon": (lambda: RMSprop(0.1, epsilon=-1), "RMSprop.epsilon is -1, expected a finite number"),
    "adam-rate": (lambda: Adam(None), "Adam.learning_rate is None, expected a finite number in [0, inf)"),
    "adam-beta-1": (lambda: Adam(0.1, beta_1=1.5), "Adam.beta_1 is 1.5, expected a finite number in [0, 1)"),
    "adam-beta-2": (lambda: Adam(0.1, beta_2=1), "Adam.beta_2 is 1, expected a finite number in [0, 1)"),
    "adam-epsilon": (lambda: Adam(0.1, epsilon=-1e-8), "Adam.epsilon is -1e-08, expected a finite number in"),
    "adam-decay": (
        lambda: Adam(0.1, weight_decay=-0.1),
        "Adam.weight_decay is -0.1, expected a finite number in [0, inf)",
    ),
    "adagrad-rate": (
        lambda: Adagrad(-1),
        "Adagrad.learning_rate is -1, expected a finite number in [0, inf)",
    ),
    "adagrad-epsilon": (
        lambda: Adagrad(0.1, epsilon=-1),
        "Adagrad.epsilon is -1, expected a finite number in",
    ),
    "nadam-rate": (lambda: Nadam(-1), "Nadam.learning_rate is -1, expected a finite number in [0, inf)"),
    "nesterov-in-words": (
        lambda: Momentum(0.1, nesterov="yes"),
        "Momentum.nesterov is 'yes', expected True or False",
    ),
    "nadam-beta-1": (lambda: Nadam(0.1, beta_1=1), "Nadam.beta_1 is 1, expected a finite number in [0, 1)"),
    "nadam-beta-2": (lambda: Nadam(0.1, beta_2=-1), "Nadam.beta_2 is -1, expected a finite number in [0, 1)"),
    "nadam-epsilon": (
        lambda: Nadam(0.1, epsilon=np.nan),
        "Nadam.epsilon is nan, expected a finite number in",
    ),
    "momentum-zero": (lambda: Momentum(0.1, 0.0), "Momentum.momentum is 0, expected above 0: without it"),
    # batches and stopping
    "batch-of-none": (
        lambda: Batches(0, draw.InOrder()),
        "Batches.size is 0, expected a whole number of at least 1",
    ),
    "batch-of-a-half": (lambda: Batches(0.5, draw.InOrder()), "Batches.size is 0.5, expected a whole number"),
    "order-by-name": (
        lambda: Batches(1, "shuffled"),
        "Batches.order is 'shuffled', expected a dataclass with epochs(rows), as in tasks.draw",
    ),
    "order-not-built": (
        lambda: Batches(1, draw.InOrder),
        "Batches.order is <class 'tasks.draw.InOrder'>, expected",
    ),
    "order-without-fields": (lambda: Batches(1, NoFields()), "expected a dataclass with epochs(rows)"),
    "no-epochs": (lambda: Stopping(0), "Stopping.max_epochs is 0, expected a whole number of at least 1"),
    "epochs-true": (
        lambda: Stopping(True),
        "Stopping.max_epochs is True, expected a whole number of at least 1",
    ),
    "patience-negative": (
        lambda: Stopping(5, patience=-1),
        "Stopping.patience is -1, expected a whole number of at least 0",
    ),
    "validated-without-tolerance": (
        lambda: Stopping(5, on_validation=True),
        "Stopping.tolerance is None, expected a number where training stops on_validation",
    ),
    "tolerance-negative": (
        lambda: Stopping(5, tolerance=-1e-4),
        "Stopping.tolerance is -0.0001, expected a finite number in [0, inf)",
    ),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_wrong_spec_is_refused_with_field_value_and_expectation(wrong):
    build, message = WRONG[wrong]
    with pytest.raises(TaskError) as refusal:
        build()
    assert message in str(refusal.value)


@pytest.mark.parametrize("build", [quadratic, network, perceptron, dataset], ids=lambda build: build.__name__)
def test_what_the_wrong_specs_change_is_sound_without_the_change(build):
    build()


@pytest.mark.parametrize("field", ["name", "shows", "model", "start", "optimizer", "stopping"])
def test_missing_field_is_named(field):
    fields = {f.name: getattr(quadratic(), f.name) for f in dataclasses.fields(Task) if f.name != field}
    with pytest.raises(TypeError, match=f"missing 1 required keyword-only argument: '{field}'"):
        Task(**fields)


# --------------------------------------------------------------------------------------- shapes

sizes = st.integers(1, 6)


@settings(deadline=None)
@given(features=sizes, hidden=st.lists(sizes, max_size=3), rows=sizes, seed=st.integers(0, 99))
def test_shapes_of_a_network_chain_from_the_features_to_one_output(features, hidden, rows, seed):
    start = draw.glorot((features, *hidden, 1), seed=seed)
    data = Dataset(x_train=np.zeros((rows, features)), y_train=np.zeros(rows))
    batches = Batches(1, draw.InOrder())
    task = network(model=Network(tuple(hidden)), data=data, start=start, batches=batches)
    kernels = [shape for name, shape in task.shapes.items() if name.startswith("w")]
    biases = [shape for name, shape in task.shapes.items() if name.startswith("b")]
    assert list(task.shapes) == [name for i in range(1, len(hidden) + 2) for name in (f"w{i}", f"b{i}")]
    assert kernels[0][0] == features
    assert all(first[1] == second[0] for first, second in pairwise(kernels))
    assert biases == [(units,) for _, units in kernels]
    assert biases[-1] == (1,)
    assert {name: array.shape for name, array in task.start.items()} == task.shapes


@settings(deadline=None)
@given(features=sizes, other=sizes, hidden=st.lists(sizes, max_size=2))
def test_start_for_other_shapes_is_refused(features, other, hidden):
    data = Dataset(x_train=np.zeros((3, features)), y_train=np.zeros(3))
    start = draw.glorot((other, *hidden, 1), seed=0)

    def build():
        network(model=Network(tuple(hidden)), data=data, start=start, batches=Batches(1, draw.InOrder()))

    if features == other:
        build()
    else:
        with pytest.raises(TaskError, match=r"Task.start\['w1'\] has shape"):
            build()


@settings(deadline=None)
@given(rows=st.integers(2, 30), size=st.integers(1, 30), seed=st.integers(0, 99))
def test_batches_cut_every_epoch_into_all_rows_once(rows, size, seed):
    data = Dataset(x_train=np.zeros((rows, 2)), y_train=np.zeros(rows))
    batches = Batches(min(size, rows), draw.Shuffled(seed))
    for epoch in islice(network(data=data, batches=batches).epochs(), 3):
        assert sorted(np.concatenate(epoch)) == list(range(rows))
        assert all(len(batch) == batches.size for batch in epoch[:-1])
        assert 1 <= len(epoch[-1]) <= batches.size


# ------------------------------------------------------------------------------- frozen, hashed


@pytest.mark.parametrize("name", TASKS)
def test_arrays_cannot_be_written(name):
    task = TASKS[name]
    arrays = list(task.start.values())
    if task.data is not None:
        arrays += [getattr(task.data, f.name) for f in dataclasses.fields(Dataset)]
    if isinstance(task.model, Quadratic):
        arrays += [task.model.hessian, task.model.minimum]
    for array in arrays:
        if array is not None:
            assert array.dtype == np.float64
            with pytest.raises(ValueError, match="read-only"):
                array[...] = 0


def test_task_keeps_its_values_when_what_it_was_built_from_changes():
    w, hessian = np.array([3.0, 3.0]), np.diag([1.0, 2.0])
    task = quadratic(start={"w": w}, model=Quadratic(hessian=hessian, minimum=np.zeros(2)))
    w[0], hessian[0, 0] = 7.0, 7.0
    assert task.start["w"][0] == 3.0
    assert task.model.hessian[0, 0] == 1.0


@pytest.mark.parametrize(
    "owner", [quadratic(), dataset(), Adam(0.1), Network((3,)), Stopping(3)], ids=lambda o: type(o).__name__
)
def test_fields_cannot_be_written(owner):
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(owner, dataclasses.fields(owner)[0].name, None)


@dataclass(frozen=True)
class Backwards:
    """An order of a user's own."""

    step: int

    def epochs(self, rows):
        while True:
            yield np.arange(rows)[:: -self.step]


BASE = network()
UNITS = np.ones((BASE.rows, 3))
CHANGES = {
    "name": {"name": "other"},
    "shows": {"shows": "Another."},
    "tags": {"tags": ("other",)},
    "hidden": {"model": Network((4,)), "start": draw.glorot((2, 4, 1), seed=1)},
    "activation": {"model": Network((3,), "tanh")},
    "l2": {"model": Network((3,), l2=1e-16)},
    "l1": {"model": Network((3,), l1=1e-16)},
    "max-norm": {"model": Network((3,), max_norm=9.0)},
    "loss": {"model": Network((3,), loss=Hinge())},
    "smoothing": {"model": Network((3,), loss=BinaryCrossEntropy(smoothing=1e-16))},
    "dropout": {"model": Network((3,), dropout=0.5), "data": replace(DATA, kept=UNITS)},
    "share-of-dropout": {"model": Network((3,), dropout=0.4), "data": replace(DATA, kept=UNITS)},
    "kept": {"model": Network((3,), dropout=0.5), "data": replace(DATA, kept=1 - UNITS)},
    "start-by-one-digit": {"start": BASE.start | {"b2": np.nextafter(BASE.start["b2"], 1)}},
    "learning-rate": {"optimizer": Adam(0.06)},
    "beta-1": {"optimizer": Adam(0.05, beta_1=0.8)},
    "beta-2": {"optimizer": Adam(0.05, beta_2=0.99)},
    "epsilon": {"optimizer": Adam(0.05, epsilon=1e-7)},
    "epsilon-hat": {"optimizer": Adam(0.05, epsilon_hat=True)},
    "weight-decay": {"optimizer": Adam(0.05, weight_decay=1e-16)},
    "amsgrad": {"optimizer": Adam(0.05, amsgrad=True)},
    "schedule": {"schedule": WarmUp(2)},
    "longer-schedule": {"schedule": WarmUp(3)},
    "kind-of-optimizer": {"optimizer": GradientDescent(0.05)},
    "epochs": {"stopping": Stopping(4)},
    "tolerance": {"stopping": Stopping(3, tolerance=0.0)},
    "patience": {"stopping": Stopping(3, patience=11)},
    "batch-size": {"batches": Batches(6, draw.Shuffled(seed=1))},
    "seed-of-order": {"batches": Batches(5, draw.Shuffled(seed=2))},
    "kind-of-order": {"batches": Batches(5, draw.InOrder())},
    "own-order": {"batches": Batches(5, Backwards(1))},
    "own-order-with-another-field": {"batches": Batches(5, Backwards(2))},
    "x-train-by-one-digit": {"data": replace(DATA, x_train=np.nextafter(DATA.x_train, 9))},
    "y-train": {"data": replace(DATA, y_train=1 - DATA.y_train)},
    "x-test": {"data": replace(DATA, x_test=DATA.x_test[::-1])},
    "y-test": {"data": replace(DATA, y_test=1 - DATA.y_test)},
    "weights": {"data": replace(DATA, weights=np.ones(15))},
    "other-weights": {"data": replace(DATA, weights=np.full(15, 2.0))},
    "validation": {"data": replace(DATA, x_validation=DATA.x_test, y_validation=DATA.y_test)},
    "stopping-on-validation": {
        "data": replace(DATA, x_validation=DATA.x_test, y_validation=DATA.y_test),
        "stopping": Stopping(3, tolerance=0.0, on_validation=True),
    },
    "no-test": {"data": replace(DATA, x_test=None, y_test=None)},
}


@pytest.mark.parametrize("change", CHANGES)
def test_fingerprint_changes_with_every_field(change):
    assert fingerprint(replace(BASE, **CHANGES[change])) != fingerprint(BASE)


def test_fingerprints_of_all_tasks_and_changes_differ():
    changed = [replace(BASE, **change) for change in CHANGES.values()]
    found = [fingerprint(task) for task in [*TASKS.values(), BASE, *changed]]
    assert len(set(found)) == len(found)


@pytest.mark.parametrize("part", ["model", "optimizer", "stopping", "batches", "data"])
def test_changes_cover_every_field(part):
    """A field added to a spec needs its line in CHANGES."""
    before = getattr(BASE, part)
    after = [change[part] for change in CHANGES.values() if isinstance(change.get(part), type(before))]
    for name in (field.name for field in dataclasses.fields(before)):
        old = getattr(before, name)
        assert any(not np.array_equal(getattr(other, name), old) for other in after), name


def test_changes_cover_every_part_of_a_task():
    assert {part for change in CHANGES.values() for part in change} == {
        f.name for f in dataclasses.fields(Task)
    }


def test_fingerprint_of_equal_tasks_is_equal():
    assert fingerprint(network()) == fingerprint(network())


def test_fingerprints_are_the_same_in_every_process():
    code = "import json, tasks; from harness.plan import fingerprint\n"
    code += "print(json.dumps({name: fingerprint(task) for name, task in tasks.TASKS.items()}))"
    for seed in ("0", "1"):  # of Python's own hashes, which would differ
        done = subprocess.run(
            [sys.executable, "-c", code],
            cwd=ROOT,
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            check=True,
        )
        assert json.loads(done.stdout) == {name: fingerprint(task) for name, task in TASKS.items()}


# ------------------------------------------------------------------------ tasks that are no rows


@pytest.mark.parametrize("task", small.TASKS, ids=lambda task: task.name)
def test_small_task_is_found_by_its_name_and_seen_at_every_step(task):
    assert tasks.unlisted(task.name) is task
    assert task.name not in TASKS
    steps = task.stopping.max_epochs * len(next(task.epochs()))
    assert steps <= trace.DENSE
    if isinstance(task.model, Network):  # a kernel that can be transposed, a batch that can be dropped
        assert any(len(set(shape)) == 1 < len(shape) for shape in task.shapes.values())
        # A plateau hears of whole epochs: only with one batch each are there enough of them.
        sizes = [19] if isinstance(task.schedule, Plateau) else [8, 8, 3]
        assert [len(rows) for rows in next(task.epochs())] == sizes


def test_small_tasks_have_names_of_their_own_and_every_part_of_the_vocabulary():
    assert len({task.name for task in small.TASKS}) == len(small.TASKS)
    networks = [task.model for task in small.TASKS if isinstance(task.model, Network)]
    assert {type(task.optimizer) for task in small.TASKS} == {*get_args(spec.Optimizer)}
    assert {type(task.schedule) for task in small.TASKS} == {*get_args(spec.Schedule)}
    assert {type(model.loss) for model in networks} == {*get_args(spec.Loss)}
    assert {model.activation for model in networks} == {*Network.ACTIVATIONS} - {"step"}  # no gradient


def test_random_task_is_found_by_its_seed():
    assert fingerprint(tasks.unlisted("random-12")) == fingerprint(arbitrary.random(12))


@pytest.mark.parametrize(
    "name",
    ["", "small", "small-*", "random", "random-", "random-x", "random--1", "random-1.5", "random-1 ", *TASKS],
)
def test_other_names_are_no_unlisted_task(name):
    assert tasks.unlisted(name) is None


# ----------------------------------------------------------------------------- a user's own file

HEAD = "from tasks.spec import GradientDescent, Quadratic, Stopping, Task\n"
OWN = """
def task(**changes):
    fields = dict(name="own", shows="", model=Quadratic([[2.0]], [0.0]), start={"w": [5.0]},
                  optimizer=GradientDescent(0.1), stopping=Stopping(max_epochs=5))
    return Task(**fields | changes)
"""
LINE = (HEAD + OWN).count("\n") + 1  # where what follows begins
FILES = {
    "not-python": ("def f(:\n", ":1: SyntaxError: "),
    "not-python-further-down": (HEAD + OWN + "TASKS = [\n", f":{LINE}: SyntaxError: '[' was never closed"),
    "not-text": ("\0", ": SyntaxError: source code string cannot contain null bytes"),
    "import-of-nothing": (
        "\n\nimport nothing_of_this_name\n",
        ":3: ModuleNotFoundError: No module named 'nothing",
    ),
    "import-of-a-wrong-name": (
        "from tasks.spec import Quadratik\n",
        ":1: ImportError: cannot import name 'Quadratik' from 'tasks.spec'",
    ),
    "raises": ("\n1 / 0\n", ":2: ZeroDivisionError: division by zero"),
    "exits": ("import sys\nsys.exit(5)\n", ":2: SystemExit: 5"),
    "no-tasks": (HEAD, " defines no TASKS, expected a list or tuple of tasks.spec.Task"),
    "tasks-as-one": (HEAD + OWN + "TASKS = task()\n", ": TASKS is Task(name='own', "),
    "tasks-as-array": (
        "import numpy as np\nTASKS = np.ones((99, 2))\n",
        ": TASKS is array([[1., 1.], [1.,... [1., 1.], [1., 1.]]), expected a list or tuple",
    ),
    "tasks-as-number": ("TASKS = 3\n", ": TASKS is 3, expected a list or tuple of tasks.spec.Task"),
    "wrong-element": (
        HEAD + OWN + "TASKS = [task(), 'xor']\n",
        ": TASKS[1] is 'xor', expected a list or tuple",
    ),
    "name-of-ours": (HEAD + OWN + "TASKS = [task(name='xor')]\n", ": task name already taken: xor"),
    "name-twice": (HEAD + OWN + "TASKS = [task(), task()]\n", ": task name already taken: own"),
    "field-missing": (
        HEAD + "\nTASKS = [Task(name='own')]\n",
        ":3: TypeError: Task.__init__() missing 5 required keyword-only arguments: 'shows', 'model', ",
    ),
    "field-unknown": (
        HEAD + OWN + "TASKS = [task(epochs=3)]\n",
        ":6: TypeError: Task.__init__() got an unexpected keyword argument 'epochs'",
    ),
    "field-wrong": (
        HEAD + OWN + "TASKS = [task(start={'w': [1, 2]})]\n",
        ":6: TaskError: task 'own': Task.start['w'] has shape (2,), expected (1,)",
    ),
}


@pytest.fixture
def own(tmp_path, monkeypatch):
    """Where a user's file lies, given by a relative path."""
    monkeypatch.chdir(tmp_path)
    return Path("own tasks.py")


@pytest.mark.parametrize("wrong", FILES)
def test_task_file_that_is_no_good_is_named_with_the_line(own, wrong):
    content, message = FILES[wrong]
    own.write_text(content)
    with pytest.raises(TaskError) as refusal:
        tasks.load(own)
    assert str(refusal.value).startswith(f"{own}{message}")
    with pytest.raises(plan.UsageError) as refused:
        plan.rows((), own)
    assert str(refused.value) == str(refusal.value)


def test_fault_in_what_a_task_file_imports_is_told_with_the_line_of_the_import(own, monkeypatch):
    Path("helping.py").write_text("\n\n\n\ndef f(:\n")
    monkeypatch.syspath_prepend(".")
    own.write_text("\nimport helping\n")
    with pytest.raises(TaskError, match=r"^own tasks.py:2: SyntaxError: .*helping.py, line 5"):
        tasks.load(own)


@pytest.mark.parametrize("name", ["nowhere.py", "."])
def test_task_file_that_is_not_there(own, name):
    with pytest.raises(TaskError, match="no such file"):
        tasks.load(own.parent / name)


def test_task_file_that_is_no_python_file(own):
    own.with_suffix(".toml").write_text("[tasks]")
    with pytest.raises(TaskError, match=r"expected a Python file, ending in \.py"):
        tasks.load(own.with_suffix(".toml"))


def test_own_tasks_come_after_ours():
    mine = TASK_FILES / "mine.py"
    default = [name for name, task in TASKS.items() if "default" in task.tags]
    assert 0 < len(default) < len(TASKS)
    assert list(plan.rows((), mine)) == [*default, "mine-saddle"]
    assert list(plan.rows((), mine, everything=True)) == [*TASKS, "mine-saddle"]
    assert list(plan.rows(["tag:mine"], mine)) == ["mine-saddle"]
    assert list(plan.rows(["mine-*", "xor"], mine)) == ["xor", "mine-saddle"]
