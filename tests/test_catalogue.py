"""Every fault of the catalogue does what it says: it is found soon, where it must be, or provably nowhere."""

from dataclasses import replace
from functools import cache, partial

import numpy as np
import pytest
from recorded import SMALL, build, desired, faulty, first_divergence, recorded

from backends import COLUMNS
from backends.base import Placement
from harness import faults
from harness.faults import DAMAGES, FAULTS, PARTS, damage
from harness.faults.by_hand import ByHand
from harness.faults.layers import in_pieces
from harness.faults.numbers import hyper_parameters, with_value
from harness.faults.variants import Kept, variant
from harness.parity import KINDS, kind_of
from harness.selftest.files import SPOILS
from tasks.spec import GradientDescent, Network, Perceptron, Stopping

EVERYWHERE_EQUIVALENT = {"batch-reversed"}  # it must raise no alarm anywhere
UNNAMED = {"log-cosh-naive"}  # it makes numbers that are not finite, and these agree with nothing
ALL = FAULTS | DAMAGES
PAIRS = [
    pytest.param(fault, task, id=f"{fault.id}-in-{name}")
    for fault in FAULTS.values()
    for name, task in SMALL.items()
    if fault.applies(task)
]


def test_every_fault_has_a_name_of_its_own():
    tables = [*(part.FAULTS for part in PARTS), damage.DAMAGES, SPOILS]
    names = [one.id for table in tables for one in table]
    assert len(names) > 100
    assert len(set(names)) == len(names)


def test_every_fault_has_words_of_its_own_that_go_on_a_sentence():
    words = [fault.words for fault in ALL.values()]
    assert len(set(words)) == len(words)
    assert all(words)
    assert not [clause for clause in words if clause != clause.strip(" .")]


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_every_fault_can_be_seen_on_a_small_task(fault):
    proofs = [fault.equivalent(task, desired(task)) for task in SMALL.values() if fault.applies(task)]
    assert proofs
    assert all(proofs) == (fault.id in EVERYWHERE_EQUIVALENT)


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_where_a_fault_shows_is_less_than_everywhere(fault):
    assert fault.shows
    assert all(kind_of(start) in KINDS for start in fault.shows)
    assert len({kind_of(start) for start in fault.shows}) < len(KINDS)


@pytest.mark.parametrize(("fault", "task"), PAIRS)
def test_fault_is_found_soon_and_where_it_must_be_or_provably_nowhere(fault, task):
    first = first_divergence(faulty(fault, task), task)
    if fault.equivalent(task, desired(task)):
        assert first is None
        return
    assert first is not None, "missed"
    assert 0 <= first.step - fault.onset(task, desired(task)) <= (3 if fault.stateful else 1)
    assert first.quantity.startswith(fault.shows)


# -------------------------------------------------------------- what is written out, for faults to change

WRITTEN_OUT = {
    "update": (ByHand, lambda task: not isinstance(task.model, Perceptron)),
    "variant": (
        lambda make, task: Kept(make, task, variant),
        lambda task: isinstance(task.model, Perceptron) and task.model.variant != "plain",
    ),
}
PARTS_WRITTEN_OUT = [
    pytest.param(by_hand, task, id=f"{what}-of-{name}")
    for what, (by_hand, is_written_out) in WRITTEN_OUT.items()
    for name, task in SMALL.items()
    if is_written_out(task)
]


def program(column, task):
    return getattr(column, task.model.program)(task, Placement())


@cache
def own(column, task):
    """The trace of a column's own program: of a network, it is compared with more than one part."""
    return recorded(program(column, task), task)


@pytest.mark.parametrize(("by_hand", "task"), PARTS_WRITTEN_OUT)
def test_what_is_written_out_by_hand_is_every_column_s_own(column, by_hand, task):
    """Without it, a fault in what is written out could be seen for another reason than it names."""
    limit = COLUMNS[column.__name__.removeprefix("backends.")].limit(task)
    if limit and limit.everywhere:
        pytest.skip(limit.reason)

    make = partial(program, column)
    assert first_divergence(recorded(by_hand(make, task), task), task, own(column, task)) is None


@pytest.mark.parametrize("name", [name for name, task in SMALL.items() if isinstance(task.model, Network)])
def test_network_written_out_by_hand_is_the_reference_at_every_column_s_parameters(column, name):
    task = SMALL[name]
    limit = COLUMNS[column.__name__.removeprefix("backends.")].limit(task)
    if limit and limit.status == "unsupported":
        pytest.skip(limit.reason)

    def make(task):
        return getattr(column, task.model.program)(task, Placement())

    assert first_divergence(recorded(in_pieces(make, task), task), task) is None


# ------------------------------------------------------------------------------- runs that diverge

DIVERGING = {
    "quadratic": replace(SMALL["quadratic-gd"], optimizer=GradientDescent(1e30), stopping=Stopping(30)),
    "rosenbrock": replace(SMALL["rosenbrock"], optimizer=GradientDescent(0.1), stopping=Stopping(30)),
    "network": replace(SMALL["squared"], optimizer=GradientDescent(50.0), stopping=Stopping(10)),
}


@pytest.mark.parametrize("name", DIVERGING)
def test_runs_that_diverge_at_the_same_step_agree(name):
    task = DIVERGING[name]
    found = recorded(build(task), task)
    assert 1 < found["diverged"] == len(found["loss"]) < task.stopping.max_epochs
    assert first_divergence(found, task) is None
    assert first_divergence(recorded(ByHand(build, task), task), task) is None


@pytest.mark.parametrize("name", DIVERGING)
def test_run_that_diverges_a_step_earlier_or_not_at_all_is_found(name):
    task = DIVERGING[name]
    found = recorded(build(task), task)
    steps = len(found["loss"])
    earlier = found | {"loss": found["loss"][:-1], "diverged": np.array([steps - 1])}
    never = {key: array for key, array in found.items() if key != "diverged"}
    for wrong, step in ((earlier, steps - 1), (never, steps)):
        first = first_divergence(wrong, task)
        assert (first.step, first.quantity) == (step, "loss")


@pytest.mark.parametrize("name", DIVERGING)
@pytest.mark.parametrize("fault", ["gradient-doubled", "rate-decays", "start-scaled"])
def test_fault_in_a_run_that_diverges_is_found_before_it_does(name, fault):
    task = DIVERGING[name]
    first = first_divergence(faulty(FAULTS[fault], task), task)
    assert first.step < len(desired(task)["loss"])
    assert first.quantity.startswith(FAULTS[fault].shows)


# -------------------------------------------------------------------------- finding one by its name


def test_faults_are_found_by_their_names():
    assert {name: faults.find(name) for name in FAULTS} == FAULTS


@pytest.mark.parametrize("name", ["", "no-such-fault", "learning_rate", *DAMAGES])
def test_other_names_find_no_fault(name):
    assert faults.find(name) is None


CHANGED = (  # together they have every hyper-parameter there is
    "gd", "momentum", "rmsprop-inside", "adam", "classes", "huber", "hinge", "constrained", "rosenbrock",
)  # fmt: skip


@pytest.mark.parametrize("change", [-0.1, 1e-6, 1e-9])
@pytest.mark.parametrize(
    ("task", "parameter"),
    [
        pytest.param(task, parameter, id=f"{parameter}-of-{name}")
        for name, task in SMALL.items()
        for parameter, value in hyper_parameters(task).items()
        if value and name in CHANGED
    ],
)
def test_every_hyper_parameter_can_be_changed_by_name(task, parameter, change):
    fault = faults.find(f"changed:{parameter}:{change}")
    value = hyper_parameters(task)[parameter] * (1 + change)
    found = faulty(fault, task)
    assert fault.applies(task)
    assert same(found, recorded(build(with_value(task, parameter, value)), task))
    # An epsilon is added to what may be much larger.
    assert first_divergence(found, task) or (parameter, change) == ("epsilon", 1e-9)


def test_every_hyper_parameter_is_changed_somewhere():
    changed = {
        parameter for name in CHANGED for parameter, value in hyper_parameters(SMALL[name]).items() if value
    }
    assert changed == {parameter for task in SMALL.values() for parameter in hyper_parameters(task)}


def test_without_dropout_there_is_no_mask():
    task = with_value(SMALL["hinge"], "dropout", 0.0)
    assert (task.model.dropout, task.data.kept) == (0.0, None)
    assert "dropout" not in hyper_parameters(task)


def test_hyper_parameter_that_a_task_lacks_cannot_be_changed():
    assert not faults.find("changed:momentum:1e-6").applies(SMALL["gd"])
    assert not faults.find("changed:l2:1e-6").applies(SMALL["adam-unpenalised"])  # it has none to change


# ----------------------------------------------------------------------------------- damaged traces

DAMAGED = [
    pytest.param(damage, SMALL[name], id=f"{damage.id}-of-{name}")
    for damage in DAMAGES.values()
    for name in ("adam", "momentum")
]


def same(actual, desired):
    """Whether two traces are the same to the last bit, NaN included."""
    return actual.keys() == desired.keys() and all(
        actual[name].dtype == array.dtype and np.array_equal(actual[name], array, equal_nan=True)
        for name, array in desired.items()
    )


@pytest.mark.parametrize(("damage", "task"), DAMAGED)
def test_damaged_trace_is_found_soon_and_where_it_must_be(damage, task):
    first = first_divergence(damage.apply(recorded(build(task), task)), task)
    assert 0 <= first.step - damage.step <= 1
    assert first.quantity.startswith(damage.shows)


@pytest.mark.parametrize(("damage", "task"), DAMAGED)
def test_damage_leaves_the_trace_itself_as_it_is(damage, task):
    whole = recorded(build(task), task)
    given = {name: array.copy() for name, array in whole.items()}
    damaged = damage.apply(given)
    assert same(given, whole)
    assert not same(damaged, whole)
