"""A cause is named if the reference, computed with it, makes the very trace; else it is not known."""

import re
import shutil
import sys
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from command import COLUMNS, cells, ran_here
from recorded import SMALL, build, desired, faulty, first_divergence, recorded
from test_catalogue import UNNAMED

import backends.numpy as reference
from backends.base import Placement
from harness import explain, folder, parity, trace
from harness.explain import Explainer
from harness.faults import DAMAGES, FAULTS
from harness.faults.by_hand import ByHand
from harness.faults.numbers import hyper_parameters, with_value
from harness.faults.update import update
from harness.spread import spread
from tasks.spec import Stopping


@cache
def explainer(task):
    return Explainer(build, task, desired(task), "float64")


def causes(actual, task, hidden=(), first=None):
    return explainer(task).causes(actual, dict.fromkeys(hidden, "not shown"), first)


def names(*arguments, **options):
    return [cause.id for cause in causes(*arguments, **options)]


def replay(cause, task):
    """The reference computed with a cause, built anew from what is said of it."""
    if cause.id in FAULTS:
        return faulty(FAULTS[cause.id], task)
    value = float(re.fullmatch(rf"{cause.id} is (\S+), not \S+", cause.words)[1])
    return recorded(build(with_value(task, cause.id, value)), task)


def assert_true(found, actual, task):
    """No name is wrong: computed with it, the reference makes the very trace, to what is said."""
    spreads = trace.spreads(desired(task))
    for cause in found:
        compared = parity.compare(actual, replay(cause, task) | spreads, "float64")
        assert compared.first_divergence is None, cause
        assert parity.worst(compared) == cause.agrees_to, cause


# ------------------------------------------------------------------------------- every known fault


def visible():
    """Each fault with the first small task on which it can be seen."""
    for fault in FAULTS.values():
        tasks = (task for task in SMALL.values() if fault.applies(task))
        if task := next((task for task in tasks if not fault.equivalent(task, desired(task))), None):
            yield pytest.param((fault, task), id=fault.id)


@pytest.fixture(scope="module", params=visible())
def seen(request):
    """A fault, a task, and the trace of the one in the other."""
    fault, task = request.param
    return fault, task, faulty(fault, task)


ALIKE = {  # where the task cannot tell
    "momentum-dampened": ["momentum-dampened", "learning_rate"],
    "max-norm-ignored": ["max-norm-ignored", "max_norm"],  # another that nothing reaches
    **{name: [] for name in UNNAMED},
}


def test_cause_is_named(seen):
    fault, task, actual = seen
    found = causes(actual, task)
    assert [cause.id for cause in found] == ALIKE.get(fault.id, [fault.field or fault.id])
    assert_true(found, actual, task)


def test_fault_that_is_not_in_the_catalogue_gets_no_other_s_name(seen, monkeypatch):
    fault, task, actual = seen
    monkeypatch.delitem(FAULTS, fault.id)
    monkeypatch.setattr(explain, "hyper_parameters", lambda task: others(task, fault.field))
    found = causes(actual, task)
    assert [cause.id for cause in found] == [name for name in ALIKE.get(fault.id, []) if name != fault.id]
    assert_true(found, actual, task)


def others(task, name):
    """The hyper-parameters but one."""
    return {other: value for other, value in hyper_parameters(task).items() if other != name}


# ------------------------------------------------------------------------- values that are fitted

FITTED = {
    "learning_rate": (0.003, 0.0, 0.07, 0.0100001, 2.5),
    "momentum": (0.9, 0.5, 0.99),
    "rho": (0.99, 0.95, 0.0),
    "beta_1": (0.95, 0.5, 0.0),
    "beta_2": (0.99, 0.9999, 0.0),
    "epsilon": (1e-7, 1e-3, 1e-10, 0.2),
    "l2": (0.05, 0.2, 0.0, 3.0, 1e-4),
    "l1": (0.05, 0.0),
    "weight_decay": (0.01, 0.0),
    "smoothing": (0.2, 0.0),
    "delta": (0.3,),
    "dropout": (0.5, 0.0),
    "max_norm": (1.0,),
    "by": (0.8, 0.2),
    "floor": (0.1,),
    "steepness": (10.0,),
}
SIMPLE = ("gd", "momentum", "rmsprop-inside", "adam", "quadratic-adam", "perceptron")
OF_ONE_PART = {  # where else a number of its own is
    "classes": ("smoothing", "floor"),
    "huber": ("delta", "weight_decay", "by"),
    "hinge": ("dropout",),
    "constrained": ("l1", "max_norm"),
    "rosenbrock": ("steepness",),
    "plateau": ("learning_rate", "by"),
}
WHERE = {name: tuple(hyper_parameters(SMALL[name])) for name in SIMPLE} | OF_ONE_PART
WRONG = [
    pytest.param(SMALL[where], name, value, id=f"{name}-{value:.9g}-in-{where}")
    for where, names_there in WHERE.items()
    for name in names_there
    for value in FITTED[name]
    if value != hyper_parameters(SMALL[where])[name]
]


@pytest.mark.parametrize(("task", "name", "value"), WRONG)
def test_wrong_value_is_found_to_the_digit(task, name, value):
    actual = recorded(build(with_value(task, name, value)), task)
    found = causes(actual, task)
    assert [cause.words for cause in found] == [f"{name} is {value!r}, not {hyper_parameters(task)[name]!r}"]
    assert_true(found, actual, task)


def test_value_of_many_digits_is_found_as_well_as_it_can_be():
    value = 0.012345678901234567
    (found,) = causes(
        recorded(build(with_value(SMALL["adam"], "learning_rate", value)), SMALL["adam"]), SMALL["adam"]
    )
    assert float(found.words.split()[2].strip(",")) == pytest.approx(value, rel=1e-13)


# --------------------------------------------------------------------------- what nobody knows yet


def noisy(task):
    """A gradient with some noise, far above rounding and far below what anyone would see."""
    rng = np.random.default_rng(0)
    return ByHand(build, task, gradient=lambda here: here.g * (1 + 1e-9 * rng.normal(size=here.g.shape)))


def one_element(task):
    """One element of the gradient is wrong by a thousandth."""
    return ByHand(build, task, gradient=lambda here: here.g * np.where(np.arange(len(here.g)) == 1, 1.001, 1))


def wrong_slope(task):
    """A derivative of the activation that forgets the square, as 1 - h in place of 1 - h²."""
    program = build(task)
    program.derive = lambda _z, h, delta: delta * (1 - h)
    return program


def wrong_minimum(task):
    """A quadratic whose minimum is a little off."""
    program = build(task)
    program.function.minimum = program.function.minimum + 1e-6
    return program


def changing_momentum(task):
    """A momentum that grows from step to step."""

    def change(here):
        momentum = here.rule.momentum * here.t / (here.t + 1)
        here.rule = replace(here.rule, momentum=momentum)
        return update(here)

    return ByHand(build, task, change)


def rate_by_layer(task):
    """Each layer learns at its own rate."""
    return ByHand(build, task, lambda here: update(here) / here.at.layer)


def late(task):
    """Right for three steps, then the parameters jump: no state, no single step shows why."""
    return ByHand(build, task, lambda here: update(here) + (1e-6 if here.t == 4 else 0))


def both(first, second):
    """Two faults of the catalogue at once."""
    return lambda task: FAULTS[first].inject(lambda wrong: FAULTS[second].inject(build, wrong), task)


def two_values(task):
    """Two hyper-parameters with another value."""
    return build(with_value(with_value(task, "learning_rate", 0.02), "l2", 0.2))


UNKNOWN = {
    "noise": (noisy, "gd"),
    "noise-in-adam": (noisy, "adam"),
    "noise-in-a-quadratic": (noisy, "quadratic-momentum"),
    "one-element": (one_element, "momentum"),
    "slope": (wrong_slope, "momentum"),
    "slope-in-adam": (wrong_slope, "adam-hat"),
    "minimum": (wrong_minimum, "quadratic-adam"),
    "changing-momentum": (changing_momentum, "momentum"),
    "rate-by-layer": (rate_by_layer, "rmsprop-outside"),
    "late": (late, "adam"),
    "late-in-gradient-descent": (late, "gd"),
    "two-values": (two_values, "adam"),
    "two-in-the-gradient": (both("gradient-doubled", "penalty-loss-only"), "gd"),
    "gradient-and-update": (both("adam-uncorrected", "biases-frozen"), "adam"),
    "order-and-update": (both("order-not-shuffled", "momentum-nesterov"), "momentum"),
    "start-and-order": (both("start-float32", "order-backwards"), "rmsprop-inside"),
    "shown-and-loss": (both("loss-halved", "shown-transposed"), "adam-hat"),
    "value-and-shown": (both("learning-rate-doubled", "state-step-ahead"), "adam"),
}


@pytest.mark.parametrize("unknown", UNKNOWN)
def test_cause_that_nobody_knows_is_not_known(unknown):
    make, name = UNKNOWN[unknown]
    actual = recorded(make(SMALL[name]), SMALL[name])
    assert first_divergence(actual, SMALL[name])
    assert names(actual, SMALL[name]) == []


@pytest.mark.parametrize("step", [0, 4, 8])
@pytest.mark.parametrize(
    "name", ["loss", "param/w1", "grad/w2", "state/first_moment/w1", "local/param/w1", "local/loss"]
)
def test_known_fault_that_explains_all_but_one_number_is_no_cause(name, step):
    """Single steps that are compared first are few; the whole of both is compared before a name is given."""
    fault, task = FAULTS["adam-nesterov"], SMALL["adam"]
    actual = faulty(fault, task)
    assert names(actual, task) == [fault.id]
    wrong = actual[name].copy()
    wrong[step] *= 1 + 1e-9
    if name == "state/first_moment/w1" and step == 0:
        wrong[0] += 1e-9
    assert names(actual | {name: wrong}, task) == []


# ------------------------------------------------------------------------ several, declared, hidden


def test_causes_that_a_task_cannot_tell_apart_are_all_named():
    """Dampening multiplies every gradient by 1 - momentum, and so would the learning rate."""
    task = SMALL["momentum"]
    found = causes(faulty(FAULTS["momentum-dampened"], task), task)
    assert [cause.words for cause in found] == [
        "the gradient is dampened by 1 - momentum",
        "learning_rate is 0.02, not 0.1",
    ]


@pytest.mark.parametrize(
    ("first", "expected"),
    [
        (None, ["momentum-dampened", "learning_rate"]),
        ("momentum-dampened", ["momentum-dampened"]),
        ("momentum-nesterov", ["momentum-dampened", "learning_rate"]),  # declared, but no explanation
    ],
)
def test_declared_cause_comes_first_if_it_explains_all(first, expected):
    task = SMALL["momentum"]
    assert names(faulty(FAULTS["momentum-dampened"], task), task, first=first) == expected


@pytest.mark.parametrize(
    "hidden", [("grad",), ("state",), ("grad", "state"), ("grad", "predict")], ids=" ".join
)
@pytest.mark.parametrize("fault", ["epsilon-hat", "adam-amsgrad", "start-float32", "learning-rate-doubled"])
def test_cause_is_found_without_what_a_framework_does_not_show(fault, hidden):
    fault, task = FAULTS[fault], SMALL["adam"]
    actual = {
        name: array for name, array in faulty(fault, task).items() if parity.kind_of(name) not in hidden
    }
    assert names(actual, task, hidden) == [fault.field or fault.id]


def test_cause_that_only_hidden_quantities_show_is_not_named():
    task = SMALL["adam"]
    actual = faulty(FAULTS["state-swapped"], task)
    assert names(actual, task) == ["state-swapped"]
    assert "state-swapped" not in names(actual | {"loss": 2 * actual["loss"]}, task, ["state"])


STOPPING = replace(SMALL["gd"], stopping=Stopping(max_epochs=200, tolerance=1e-3, patience=2))


@pytest.mark.parametrize(("fault", "later"), {"learning-rate-tenth": True, "penalty-missing": False}.items())
def test_cause_is_found_where_a_run_ends_at_another_step_for_it(fault, later):
    actual = faulty(FAULTS[fault], STOPPING)
    end, expected = len(actual["loss"]), len(desired(STOPPING)["loss"])
    assert end > expected if later else end < expected
    found = causes(actual, STOPPING)
    assert [cause.id for cause in found] == [FAULTS[fault].field]
    assert_true(found, actual, STOPPING)


def test_last_single_step_is_compared_though_a_run_has_ended_before_it():
    actual = faulty(FAULTS["penalty-missing"], STOPPING)
    wrong = actual["local/loss"].copy()
    wrong[-1] *= 1 + 1e-12  # so little that the run is looked at as a whole
    assert names(actual | {"local/loss": wrong}, STOPPING) == []


@pytest.mark.parametrize("fault", ["learning-rate-tenth", "adam-nesterov"])
def test_cause_is_found_in_float32(fault):
    """By the reference in float64, within what float32 does to the task."""

    def single(task):
        return reference.Network(task, Placement("float32"))

    fault, task = FAULTS[fault], SMALL["adam-hat"]
    expected, _ = trace.record(build(task), task)
    expected |= spread(build, task, expected, "float32")
    actual, _ = trace.record(fault.inject(single, task), task, trace.states(expected))
    found = Explainer(build, task, expected, "float32").causes(actual, {})
    assert [cause.id for cause in found] == [fault.field or fault.id]
    assert 1e-9 < found[0].agrees_to < 1e-5


# ------------------------------------------------------------------------------- no trace at all


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize(("name", "fault"), [("adam", "start-scaled"), ("momentum", "learning-rate-doubled")])
def test_damaged_trace_has_no_cause(name, damage, fault):
    task = SMALL[name]
    assert names(DAMAGES[damage].apply(faulty(FAULTS[fault], task)), task) == []


@pytest.mark.parametrize("value", [np.nan, -np.inf, 1e308, 0.0])
@pytest.mark.parametrize("prefix", ["", "local/", "local/param/", "param/", "loss"])
@pytest.mark.parametrize("name", ["gd", "adam", "quadratic-rmsprop"])
def test_trace_of_nonsense_has_no_cause(name, prefix, value):
    task = SMALL[name]
    right = recorded(build(task), task)
    nonsense = {
        n: np.full_like(a, value) for n, a in right.items() if n.startswith(prefix) and a.dtype == float
    }
    assert names(right | nonsense, task) == []


MISSHAPEN = {
    "empty": lambda array: array[:0],
    "a-step-less": lambda array: array[1:],
    "a-step-more": lambda array: np.concatenate([array, array[-1:]]),
    "an-axis-more": lambda array: array[..., None],
    "an-axis-less": lambda array: array[..., 0],
}


@pytest.mark.parametrize("shape", MISSHAPEN)
@pytest.mark.parametrize("name", ["param/w1", "local/param/w1", "local/state/velocity/w2", "local/grad/b3"])
def test_misshapen_trace_has_no_cause(name, shape):
    task = SMALL["momentum"]
    right = faulty(FAULTS["momentum-nesterov"], task)
    assert names(right | {name: MISSHAPEN[shape](right[name])}, task) == []


@pytest.mark.parametrize("rate", [1e30, 1e300])
@pytest.mark.parametrize("name", SMALL)
def test_run_that_overflows_has_no_cause(name, rate):
    """NaN and inf agree with nothing, not even with themselves."""
    task = SMALL[name]
    actual = recorded(build(with_value(task, "learning_rate", rate)), task)
    assert first_divergence(actual, task)
    assert_true(causes(actual, task), actual, task)


# ------------------------------------------------------------------- through the real command line

# What each column is found to do wrong on a task; None where it does nothing wrong.
DOES_WRONG = {
    "small-momentum": {
        "noisy": None,
        "nesterov": "the momentum is Nesterov's",
        "half_rate": "learning_rate is 0.05, not 0.1",
        "wrong_slope": "not known",
    },
    "small-quadratic-momentum": {
        "noisy": None,
        "nesterov": "the momentum is Nesterov's",
        "half_rate": "learning_rate is 0.01, not 0.02",
        "wrong_slope": None,
    },
    "xor-adam": {
        "noisy": None,
        "nesterov": None,
        "half_rate": "learning_rate is 0.005, not 0.01",
        "wrong_slope": "not known",
    },
}
CELLS = [(task, backend) for task, row in DOES_WRONG.items() for backend in row]
ODD = ("small-momentum", "small-quadratic-momentum")  # where the reference is made to be the odd one


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Some wrong columns against the reference; and right ones against a wrong reference."""
    home = tmp_path_factory.mktemp("runs")
    files = [COLUMNS / f"{name}.py" for name in ("noisy", "nesterov", "half_rate", "wrong_slope")]
    right, _, *wrong = (shutil.copy(file, home / f"{file.stem}_too.py") for file in files)
    many = [*options("-t", DOES_WRONG), *options("-b", [*files, *wrong])]
    odd = [*options("-t", [*ODD, "small-gd"]), *options("-b", [files[0], right])]
    odd += ["--python", f"numpy={wrong_interpreter(home)}"]
    return ran_here(home, {"wrong": [*many, "--no-timing"], "odd": [*odd, "--no-timing"]})


def options(name, values):
    return [word for value in values for word in (name, value)]


def wrong_interpreter(home):
    """A Python in which the reference's own momentum is Nesterov's."""
    (home / "sitecustomize.py").write_text(
        "from pathlib import Path\n"
        "import backends\n"
        "from backends import numpy\n"
        f"wrong = backends.Column('nesterov', Path({str(COLUMNS / 'nesterov.py')!r})).load()\n"
        "numpy.Network, numpy.Function = wrong.Network, wrong.Function\n"
    )
    python = home / "python"
    python.write_text(f'#!/bin/sh\nPYTHONPATH={home}:$PYTHONPATH exec {sys.executable} "$@"\n')
    python.chmod(0o755)
    return python


def together(*groups):
    """Groups of backends, whatever the order of those that are as large."""
    return {frozenset(group) for group in groups}


@pytest.mark.parametrize(("task", "backend"), CELLS)
def test_column_is_told_what_it_does_wrong(runs, task, backend):
    expected, cell = DOES_WRONG[task][backend], cells(runs["wrong"].folder)[task, backend]
    assert cell["status"] == ("diverged" if expected else "agreed")
    known = [expected] if expected not in (None, "not known") else []
    assert [cause["words"] for cause in cell["causes"]] == known
    if known:
        assert f"; cause: {expected} (computed so, the reference agrees to " in cell["reason"]
    if expected == "not known":
        assert cell["reason"].endswith("; cause not known")


def test_terminal_names_causes_and_who_agrees_with_whom(runs):
    done = runs["wrong"].done
    assert (done.returncode, done.stderr) == (1, "")
    printed = " ".join(done.stdout.split())
    for words in {words for row in DOES_WRONG.values() for words in row.values() if words}:
        assert f"cause {words}" in printed.replace("cause:", "cause")
    assert "Not explained, 4 of 21 cells" in printed
    for task in ("xor-adam", "small-momentum"):  # cells that differ alike are told once
        assert f"diverged: wrong_slope: {task}; wrong_slope_too: {task}" in printed
    assert printed.count("; cause not known") == 2


def test_backends_are_grouped_by_whom_they_agree_with(runs):
    """Where they end later or earlier than the reference, too, as on xor-adam."""
    result = folder.load(runs["wrong"].folder)
    steps = {cell.backend: cell.steps for cell in result.cells if cell.task == "xor-adam"}
    assert steps["wrong_slope_too"] < steps["numpy"] < steps["half_rate_too"]
    halved, sloped = {"half_rate", "half_rate_too"}, {"wrong_slope", "wrong_slope_too"}
    assert {task: together(*groups) for task, groups in result.groups.items()} == {
        "small-momentum": together(["numpy", "noisy"], halved, sloped, ["nesterov"]),
        "small-quadratic-momentum": together(["numpy", "noisy", *sloped], halved, ["nesterov"]),
        "xor-adam": together(["numpy", "noisy", "nesterov"], halved, sloped),
    }


def test_reference_that_is_the_odd_one_out_is_named_so(runs):
    """Its own mistake is no fault of the others: nothing that could be put into it makes it theirs."""
    done = runs["odd"].done
    assert (done.returncode, done.stderr) == (1, "")
    result = folder.load(runs["odd"].folder)
    others = {"noisy", "noisy_too"}
    assert {cell.task for cell in result.cells if cell.status == "diverged"} == set(ODD)
    assert list(result.groups) == list(ODD)
    assert all(together(*groups) == together(others, ["numpy"]) for groups in result.groups.values())
    assert {cell.backend for cell in result.cells if cell.status == "diverged"} == others
    assert [cause for cell in result.cells for cause in cell.causes] == []
    printed = " ".join(done.stdout.split())
    assert f"agree with each other; the odd one out is numpy, the reference {', '.join(ODD)}" in printed
