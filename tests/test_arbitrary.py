"""Random tasks: sound, the same each time, of every kind; and any task, written to a file and read back."""

from collections import Counter
from dataclasses import dataclass, replace
from itertools import chain, islice
from typing import get_args

import numpy as np
import pytest
from hypothesis import given, settings
from strategies import arbitrary_tasks

import backends.numpy as reference
import tasks
from backends.base import Placement
from harness.plan import fingerprint
from harness.trace import record
from tasks import TASKS, draw
from tasks.arbitrary import STEPS, _network, random
from tasks.source import as_source
from tasks.spec import (
    Batches,
    BinaryCrossEntropy,
    Constant,
    GradientDescent,
    Loss,
    Momentum,
    Network,
    Optimizer,
    Perceptron,
    Quadratic,
    Rosenbrock,
    Schedule,
    TaskError,
)

SEEDS = range(300)


@pytest.fixture(scope="module")
def drawn():
    return [random(seed) for seed in SEEDS]


def all_batches(task):
    """Of the whole run, epoch after epoch."""
    return list(chain.from_iterable(islice(task.epochs(), task.stopping.max_epochs)))


# ------------------------------------------------------------------------------------ random tasks


def test_a_seed_gives_one_task_and_another_seed_another(drawn):
    assert [task.name for task in drawn[:3]] == ["random-0", "random-1", "random-2"]
    assert [fingerprint(random(seed)) for seed in range(30)] == [fingerprint(task) for task in drawn[:30]]
    assert len({fingerprint(replace(task, name="same")) for task in drawn}) == len(drawn)


def test_every_kind_is_drawn(drawn):
    kinds = Counter(type(task.model) for task in drawn)
    assert kinds[Network] > 2 * kinds[Quadratic] > 4 * kinds[Perceptron] > 0 < kinds[Rosenbrock]
    networks = [task for task in drawn if isinstance(task.model, Network)]
    quadratics = [task for task in drawn if isinstance(task.model, Quadratic)]
    assert {task.model.activation for task in networks} == set(Network.ACTIVATIONS)
    assert {len(task.model.hidden) for task in networks} == {1, 2, 3}
    assert {task.data.features for task in networks} == set(range(1, 7))
    assert {len(task.model.minimum) for task in quadratics} == set(range(1, 7))
    assert {task.rows % task.batches.size > 0 for task in networks} == {True, False}
    assert {task.rows == task.batches.size for task in networks} == {True, False}
    assert {type(task.batches.order) for task in networks} == {draw.InOrder, draw.Shuffled}
    assert {type(task.model.loss) for task in networks} == set(get_args(Loss))
    assert {task.model.loss.classes for task in networks} == {None, *range(2, 7)}
    assert {task.model.variant for task in drawn if isinstance(task.model, Perceptron)} == {
        *Perceptron.VARIANTS
    }
    for family in (networks, quadratics):
        assert {type(task.optimizer) for task in family} == set(get_args(Optimizer))
    assert {type(task.schedule) for task in networks} == set(get_args(Schedule))


PARTS = {
    "l2": lambda task: task.model.l2 > 0,
    "l1": lambda task: task.model.l1 > 0,
    "max-norm": lambda task: task.model.max_norm is not None,
    "dropout": lambda task: task.model.dropout > 0,
    "smoothing": lambda task: getattr(task.model.loss, "smoothing", 0) > 0,
    "weights": lambda task: task.data.weights is not None,
    "nesterov": lambda task: getattr(task.optimizer, "nesterov", False),
    "amsgrad": lambda task: getattr(task.optimizer, "amsgrad", False),
    "weight-decay": lambda task: getattr(task.optimizer, "weight_decay", 0) > 0,
    "epsilon-inside": lambda task: getattr(task.optimizer, "epsilon_inside_root", False),
    "epsilon-hat": lambda task: getattr(task.optimizer, "epsilon_hat", False),
    "schedule": lambda task: not isinstance(task.schedule, Constant),
    "early-stopping": lambda task: task.stopping.tolerance is not None,
    "on-validation": lambda task: task.stopping.on_validation,
}


@pytest.mark.parametrize("part", PARTS)
def test_every_part_is_in_some_networks_and_not_in_most(drawn, part):
    networks = [task for task in drawn if isinstance(task.model, Network)]
    share = sum(map(PARTS[part], networks)) / len(networks)
    assert 0.01 < share < 0.6


def test_quadratics_stay_below_the_limit_of_stability(drawn):
    for task in drawn:
        if isinstance(task.model, Quadratic):
            curvatures = np.linalg.eigvalsh(task.model.hessian)
            assert 0 < curvatures[-1] <= 1001 * curvatures[0]
            if isinstance(task.optimizer, GradientDescent | Momentum):
                assert task.optimizer.learning_rate < 2 / curvatures[-1]


def test_no_row_comes_near_a_perceptron_s_boundary(drawn):
    perceptrons = [task for task in drawn if isinstance(task.model, Perceptron)]
    for task in perceptrons:
        program = reference.Perceptron(task, Placement())
        for rows in all_batches(task):
            w = program.observe()
            assert np.all(np.abs(task.data.x_train @ w["param/w"] + w["param/b"]) > 1e-9)
            program.run([rows])


@settings(max_examples=50, deadline=None)
@given(task=arbitrary_tasks())
def test_a_run_is_short_and_stays_finite(task):
    program = getattr(reference, task.model.program)(task, Placement())
    trace, _ = record(program, task)
    steps = len(all_batches(task))
    assert 1 <= len(trace["loss"]) <= steps <= STEPS
    assert len(trace["loss"]) == steps or task.stopping.tolerance is not None
    assert all(np.all(np.abs(array) < 1e6) for array in trace.values())


def test_the_simplest_network_has_no_further_part():
    """What a failing task shrinks towards."""
    simplest = _network("simplest", Simplest())
    assert (simplest.model.hidden, simplest.model.activation, simplest.model.loss) == (
        (1,),
        "relu",
        BinaryCrossEntropy(),
    )
    assert isinstance(simplest.optimizer, GradientDescent)
    assert not [part for part, has in PARTS.items() if has(simplest)]


class Simplest:
    """A `Chooser` of what is first or smallest."""

    def whole(self, low, _high):
        return low

    def number(self, low, _high):
        return low

    def one_of(self, options):
        return options[0]


# ------------------------------------------------------------------------------- written to a file


def read_back(task, folder):
    """The one task of the file that `as_source` wrote for this one."""
    file = folder / "written.py"
    file.write_text(as_source(task), encoding="utf-8")
    (found,) = tasks.load(file).values()
    return found


@pytest.mark.parametrize("name", TASKS)
def test_every_task_of_the_table_survives_a_file(name, tmp_path):
    task = replace(TASKS[name], name=f"my-{name}")  # a file may not take a name of the table
    assert fingerprint(read_back(task, tmp_path)) == fingerprint(task)


@settings(max_examples=50, deadline=None)
@given(task=arbitrary_tasks())
def test_any_task_survives_a_file(task, tmp_path_factory):
    folder = tmp_path_factory.mktemp("written")
    assert fingerprint(read_back(task, folder)) == fingerprint(task)


def test_text_and_numbers_of_any_sort_survive_a_file(tmp_path):
    awkward = replace(
        TASKS["quadratic-gd"],
        name="awkward",
        shows='A "quote", it\'s √ε,\na second line and a back\\slash.',
        start={"w": np.array([-0.0])},
        optimizer=GradientDescent(np.float64(0.1)),
        tags=("one", "two"),
    )
    found = read_back(awkward, tmp_path)
    assert found.shows == awkward.shows
    assert fingerprint(found) == fingerprint(awkward)


def test_a_file_has_short_lines_and_one_field_in_each():
    lines = as_source(TASKS["moons-noisy-well-fit"]).splitlines()
    assert max(map(len, lines)) <= 110
    assert "            hidden=(100, 100)," in lines
    assert "            order=draw.ScikitLearnShuffled(" in lines


@dataclass(frozen=True)
class Backwards:
    """An order of a user's own."""

    def epochs(self, rows):
        while True:
            yield np.arange(rows)[::-1]


def test_an_order_of_a_user_s_own_cannot_be_written():
    task = replace(TASKS["xor"], batches=Batches(4, Backwards()))
    expected = (
        r"task 'xor': Batches.order is Backwards\(\), expected a class of tasks.draw or tasks.spec: "
        "only these can be written to a file"
    )
    with pytest.raises(TaskError, match=expected):
        as_source(task)
