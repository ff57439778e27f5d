"""The comparison itself: shown every kind of fault, and shown none."""

import tracemalloc
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import backends.numpy as reference
from backends import Limit
from backends.base import Placement
from harness import tolerance
from harness.parity import KINDS, compare, describe, groups, headroom, kind_of, verdict, worst
from harness.result import Cause, Divergence
from harness.spread import spread
from harness.trace import record, spreads
from tasks import TASKS

EPS, TINY = float(np.finfo(float).eps), float(np.finfo(float).tiny)
TASK = TASKS["xor-adam"]


def build(task):
    return reference.Network(task, Placement())


RECORDED, _ = record(build(TASK), TASK)
TRACE = RECORDED | spread(build, TASK, RECORDED, "float64")
STEPS = TRACE["observed_steps"]
END = len(TRACE["loss"])  # 449
COMPARED = [name for name in RECORDED if kind_of(name)]
for array in TRACE.values():
    array.flags.writeable = False


def changed(name, index, value):
    array = TRACE[name].copy()
    array[index] = value(array[index]) if callable(value) else value
    return TRACE | {name: array}


def without(*names):
    return {name: array for name, array in TRACE.items() if name not in names}


def first(actual, desired=TRACE, **options):
    return compare(actual, desired, "float64", **options).first_divergence


def tiny(values, **more):
    """A trace of one parameter that has these values, observed at every step."""
    w = np.array(values, float)
    more = {name.replace("_", "/", 1): np.array(numbers, float) for name, numbers in more.items()}
    steps = {"observed_steps": np.arange(len(w)), "local/observed_steps": np.arange(len(w))}
    return {"loss": np.zeros(len(w) - 1), "param/w": w} | steps | more


# -------------------------------------------------------------------------------------- no fault


def test_equal_traces_agree_in_every_quantity():
    found = compare(RECORDED, TRACE, "float64")
    assert found.reference == "numpy"
    assert list(found.quantities) == ["loss", "grad", "param", "state", "predict"]
    assert list(found.single_steps) == ["loss", "grad", "param", "state"]
    for quantity in [*found.quantities.values(), *found.single_steps.values()]:
        assert (quantity.max_abs, quantity.max_rel, quantity.max_ulp) == (0, 0, 0)
        assert (quantity.headroom, quantity.nature) == (None, "rounding")
    assert (found.first_divergence, found.first_undecided, found.not_observed) == (None, None, [])
    assert found.steps_compared == END
    assert (worst(found), headroom(found)) == (0, np.inf)
    assert verdict(found, None) == ("agreed", None)


@pytest.mark.parametrize(
    ("name", "kind"),
    {
        "loss": "loss",
        "local/loss": "loss",
        "grad/w1": "grad",
        "grad_loss": "grad",
        "local/grad/w1": "grad",
        "param/w1": "param",
        "state/first_moment/w1": "state",
        "local/state/step": "state",
        "predict_train": "predict",
        "epoch_loss": None,
        "observed_steps": None,
        "local/observed_steps": None,
        "mistakes": None,
        "spread/loss": None,
        "spread/local/loss": None,
        "loss_of_epoch": None,
        "loss/w1": None,
    }.items(),
)
def test_name_tells_the_kind(name, kind):
    assert kind_of(name) == kind


def test_every_array_is_compared_but_what_follows_from_others():
    assert set(RECORDED) - set(COMPARED) == {"epoch_loss", "observed_steps", "local/observed_steps"}


def test_a_clean_comparison_copies_nothing():
    desired = tiny(np.ones((20, 1000, 100)))  # 16 MB
    actual = tiny(np.ones((20, 1000, 100)) + EPS)
    tracemalloc.start()
    assert first(actual, desired) is None
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 1e6


# ---------------------------------------------------------------------------------------- faults


@dataclass(frozen=True)
class Fault:
    """A damaged trace, and where the damage is to be found."""

    actual: dict
    quantity: str
    step: int
    element: tuple = ()
    what: str = "differs"
    single_step: bool = False


def at(name, index, value, step, what="differs", *, single_step=False):
    """A fault in one element of one row; of predictions, which have one row, and of scalars, in all."""
    element = index[1:] if isinstance(index, tuple) else (index,) if name.startswith("predict") else ()
    return Fault(changed(name, index, value), name.removeprefix("local/"), step, element, what, single_step)


def instead(name, array, step, what="differs", element=()):
    """Another array in place of one; or none."""
    bare = name.removeprefix("local/")
    actual = without(name) if array is None else TRACE | {name: array}
    return Fault(actual, bare, step, element, what, single_step=name != bare)


NOT_FINITE = "is not finite"
MOMENT = "state/second_moment/w1"
FAULTS = {
    "nan in a parameter": at("param/w2", (5, 0, 0), np.nan, 5, NOT_FINITE),
    "inf in a gradient": at("grad/b1", (3, 1), np.inf, 3, NOT_FINITE),
    "nan in a loss": at("loss", 7, np.nan, 7, NOT_FINITE),
    "nan in a prediction": at("predict_train", 2, np.nan, END, NOT_FINITE),
    "inf in a single step": at("local/param/w1", (12, 1, 3), -np.inf, 23, NOT_FINITE, single_step=True),
    "nan in a step count": instead("state/step", np.where(STEPS == 15, np.nan, STEPS), 15, NOT_FINITE),
    "one element": at("state/second_moment/w1", (17, 1, 0), 0.1, 171),
    "some ulp too many": at("param/w1", (6, 1, 1), lambda x: x * (1 + 1e-12), 6),
    "one loss": at("loss", 300, 0.1, 300),
    "loss of all rows": at("grad_loss", 12, 0.1, 22),
    "one prediction": at("predict_grid", 1234, 2.0, END),
    "step counter": at("state/step", 4, 5, 4),
    "loss of a single step": at("local/loss", 13, 0.1, 34, single_step=True),
    "gradient of a single step": at("local/grad/b1", (13, 2), 1.0, 34, single_step=True),
    "parameters after a single step": at("local/param/b1", (13, 2), 9.0, 35, single_step=True),
    "state after a single step": at("local/state/step", 20, 9, END + 1, single_step=True),
    "step counted from 1": instead("state/step", STEPS + 1, 0),
    "one step late": instead("param/b3", np.roll(TRACE["param/b3"], 1, axis=0), 0, element=(0,)),
    "rows shuffled": instead("predict_train", TRACE["predict_train"][::-1], END, element=(0,)),
    "gradient ten times": instead("grad/w1", 10 * TRACE["grad/w1"], 0, element=(0, 1)),
    "gradient's sign": instead("grad/w1", -TRACE["grad/w1"], 0, element=(0, 1)),
    "second moment lost": instead(MOMENT, 0 * TRACE[MOMENT], 1, element=(0, 1)),
    "second moment a little off": instead(MOMENT, (1 + 1e-13) * TRACE[MOMENT], 1, element=(0, 1)),
    "parameter missing": instead("param/w2", None, 0, "is missing"),
    "state missing": instead("state/first_moment/w1", None, 0, "is missing"),
    "losses missing": instead("loss", None, 0, "is missing"),
    "predictions missing": instead("predict_grid", None, END, "is missing"),
    "losses of single steps missing": instead("local/loss", None, 0, "is missing"),
    "parameters of single steps missing": instead("local/param/w1", None, 1, "is missing"),
    "unknown slot": instead("state/velocity/w1", TRACE["param/w1"], 0, "is not in the reference"),
    "unknown slot of single steps": instead("local/state/m", TRACE["loss"], 0, "is not in the reference"),
    "parameter in float32": instead(
        "param/b1", TRACE["param/b1"].astype(np.float32), 0, "has dtype float32, expected float64"
    ),
    "gradient in float32": instead(
        "local/grad/b1", TRACE["local/grad/b1"].astype(np.float32), 0, "has dtype float32, expected float64"
    ),
    "transposed": instead(
        "param/w2", TRACE["param/w2"].swapaxes(1, 2), 0, "has shape (2, 4), expected (4, 2)"
    ),
    "a unit too few": instead("param/b1", TRACE["param/b1"][:, :1], 0, "has shape (1,), expected (4,)"),
    "a dimension more": instead("grad_loss", TRACE["grad_loss"][:, None], 0, "has shape (1,), expected ()"),
    "a row too few": instead(
        "predict_train", TRACE["predict_train"][1:], END, "has shape (2,), expected (3,)"
    ),
    "empty": instead("param/b1", TRACE["param/b1"][:0], 0, "has 0 rows at 21 observed steps"),
    "twice": instead("loss", np.tile(TRACE["loss"], 2), END, "stops after 898 steps, expected 449"),
    "every row twice": instead(
        "param/b1", TRACE["param/b1"].repeat(2, axis=0), 0, "has 42 rows at 21 observed steps"
    ),
    "a single step too few": instead(
        "local/grad/b1", TRACE["local/grad/b1"][1:], 0, "has 20 rows at 21 observed steps"
    ),
    "a state too few to step from": Fault(
        TRACE | {name: array[1:] for name, array in TRACE.items() if name.startswith("local/")},
        *("loss", 0, (), "has 20 rows at 21 observed steps", True),
    ),
    "cut off": instead("loss", TRACE["loss"][:-1], END - 1, "stops after 448 steps, expected 449"),
    "no step taken": instead("loss", TRACE["loss"][:0], 0, "stops after 0 steps, expected 449"),
    "observed steps missing": Fault(
        without("observed_steps"), "state/first_moment/w1", 0, (), "has 21 rows at 0 observed steps"
    ),
    "empty trace": Fault({}, "state/first_moment/w1", 0, (), "is missing"),
}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_fault_is_found_where_it_is(fault):
    parity = compare(fault.actual, TRACE, "float64")
    found = parity.first_divergence
    assert found is not None
    assert (found.step, found.quantity, tuple(found.element)) == (fault.step, fault.quantity, fault.element)
    assert (found.what, found.single_step) == (fault.what, fault.single_step)
    assert kind_of(found.quantity) == found.differing[0]
    assert verdict(parity, None)[0] == "diverged"
    assert headroom(parity) < 1 or "stops after" in fault.what


def test_values_are_those_of_the_element():
    found = first(changed("param/w1", (6, 1, 1), 5.0))
    assert (found.actual, found.desired) == (5, TRACE["param/w1"][6, 1, 1])
    assert found.max_rel == pytest.approx((5 - found.desired) / np.max(np.abs(TRACE["param/w1"][:7])))
    assert found.tolerance == pytest.approx(
        allowed("param/w1", 6) / np.max(np.abs(TRACE["param/w1"][:7])), abs=0
    )
    lost = first(changed("local/param/w1", (6, 1, 1), np.nan))
    assert (lost.actual, lost.desired) == (None, TRACE["local/param/w1"][6, 1, 1])
    assert (lost.max_rel, lost.tolerance) == (None, 0)
    missing = first(without("param/w1"))
    assert (missing.actual, missing.desired, missing.max_rel, missing.tolerance) == (None, None, None, 0)


def test_square_kernel_that_is_transposed_is_found():
    kernel = np.arange(9.0).reshape(1, 3, 3) + np.arange(3.0)[:, None, None]
    found = first(tiny(kernel.swapaxes(1, 2)), tiny(kernel))
    assert (found.step, found.element, found.actual, found.desired) == (0, [0, 2], 6, 2)


@pytest.mark.parametrize("where", [0, 1])
@pytest.mark.parametrize("value", [np.nan, np.inf])
@pytest.mark.parametrize("name", ["param/w1", "loss", "local/grad/w1"])
def test_what_is_not_finite_on_both_sides_does_not_agree(name, value, where):
    """Not even where the reference's shadows have stopped, so that any number would do."""
    broken = changed(name, (2, ...), value)
    shadows = changed(f"spread/{name}", 2, np.inf) if where else TRACE
    found = compare(broken, shadows | {name: broken[name]}, "float64")
    assert found.first_divergence.step == 2
    assert found.first_divergence.what == NOT_FINITE
    assert found.first_undecided is None
    assert worst(found) == np.inf
    kind = (found.single_steps if name.startswith("local") else found.quantities)[kind_of(name)]
    assert (kind.max_abs, kind.max_rel, kind.max_ulp, kind.headroom) == (None, None, None, 0)
    assert kind.nature == "fault"


def test_numbers_near_the_largest_are_judged_without_a_warning():
    assert first(tiny([1e308]), tiny([1e308])) is None
    assert first(tiny([-1e308]), tiny([1e308])).what == NOT_FINITE
    assert first(tiny([1e308]), tiny([1e-308])).max_rel is None
    assert first(tiny([0]), tiny([1e308]) | {"spread/param/w": np.full(1, 1e308)}) is None


def test_quantity_that_others_follow_from_is_named_and_what_still_agrees():
    broken = TRACE | {name: TRACE[name].copy() for name in ("param/w1", "param/b1", "loss", "grad/w1")}
    broken["param/w1"][1:] *= 1 + 1e-10
    broken["param/b1"][1:] *= 1 + 1e-9
    broken["loss"][1:] *= 10
    broken["grad/w1"][1:] *= 10
    found = first(broken)
    assert (found.step, found.quantity) == (1, "param/b1")
    assert found.differing == ["param", "loss", "grad"]
    assert found.agreeing == ["state"]


def test_first_step_is_named_not_the_worst():
    broken = changed("loss", 50, 100.0)
    broken["grad/w1"] = changed("grad/w1", (14, 0, 0), lambda x: x + 1e-9)["grad/w1"]
    found = first(broken)
    assert (found.step, found.quantity) == (50, "loss")
    assert found.differing == ["loss"]
    assert found.agreeing == []  # nothing else is observed at step 50
    assert first(broken | {"loss": TRACE["loss"]}).step == 51


def test_single_step_that_differs_is_told_from_the_run():
    found = compare(changed("local/grad/w1", (3, 0, 0), 1.0), TRACE, "float64")
    assert found.single_steps["grad"].nature == "fault"
    assert (found.single_steps["grad"].quantity, found.single_steps["grad"].step) == ("grad/w1", 3)
    assert {quantity.nature for quantity in found.quantities.values()} == {"rounding"}
    assert [kind for kind, quantity in found.single_steps.items() if quantity.max_abs] == ["grad"]


def test_single_steps_are_of_the_states_that_they_were_taken_from():
    """Which are the reference's, wherever the run itself was observed."""
    desired = tiny([1, 1]) | {"local/observed_steps": np.array([4, 8, 9]), "local/param/w": np.ones(3)}
    found = first(tiny([1, 1]) | {"local/param/w": np.array([1, 2, 1.0])}, desired)
    assert (found.step, found.quantity, found.single_step) == (9, "param/w", True)


# ------------------------------------------------------------------------------- how much may differ


def allowed(name, row):
    """32 roundings at the largest value so far, and 32 times the shadows' distance."""
    rows = TRACE[name] if not name.startswith("predict") else TRACE[name][None]
    return 32 * (EPS * np.max(np.abs(rows[: row + 1])) + TINY) + 32 * TRACE[f"spread/{name}"][row]


@settings(deadline=None)
@given(
    name=st.sampled_from([name for name in COMPARED if not name.endswith("state/step")]),
    factor=st.floats(1.1, 1e6) | st.floats(0.01, 0.9),
    data=st.data(),
)
def test_difference_diverges_exactly_when_it_exceeds_the_tolerance(name, factor, data):
    index = data.draw(st.tuples(*(st.integers(0, size - 1) for size in TRACE[name].shape)))
    row = 0 if name.startswith("predict") else index[0]
    found = compare(changed(name, index, lambda x: x + factor * allowed(name, row)), TRACE, "float64")
    if factor < 1:
        assert found.first_divergence is None
        assert 1 / headroom(found) == pytest.approx(factor, abs=0.02)  # rounded when added
    else:
        assert found.first_divergence.quantity == name.removeprefix("local/")
        assert tuple(found.first_divergence.element) == (index if name.startswith("predict") else index[1:])
        assert found.first_divergence.actual == pytest.approx(
            TRACE[name][index] + factor * allowed(name, row)
        )


@pytest.mark.parametrize(
    ("apart", "spread", "nature", "status"),
    [
        (32 * EPS, 0.0, "rounding", "agreed"),
        (33 * EPS, 0.0, "fault", "diverged"),
        (32 * EPS, 1e-2, "rounding", "agreed"),
        (33 * EPS, 1e-6, "growth", "agreed"),
        (3.1e-5, 1e-6, "growth", "agreed"),
        (3.3e-5, 1e-6, "fault", "diverged"),
        (33 * EPS, (1e-3 - 32 * EPS) / 32, "growth", "agreed"),  # what agrees is up to 1e-3 of the scale
        (33 * EPS, 1e-3 / 32, "undecided", "inconclusive"),
        (0.5, 0.1, "undecided", "inconclusive"),
        (5.0, 0.1, "fault", "diverged"),
        (5.0, np.inf, "undecided", "inconclusive"),
        (0.0, np.inf, "rounding", "agreed"),
        (0.1, np.nan, "fault", "diverged"),
    ],
)
@pytest.mark.parametrize("scale", [2.0**-20, 1.0, 2.0**20])
@pytest.mark.parametrize("name", ["param/w", "local/param/w"])
def test_nature_of_a_difference(apart, spread, nature, status, scale, name):
    w = scale * np.array([-1, 0.5, 0.25])
    moved = w + scale * apart * np.array([0, 0, 1])
    shadows = {f"spread/{name}": np.array([0, 0, scale * spread])}
    found = compare(tiny(w) | {name: moved}, tiny(w) | {name: w} | shadows, "float64")
    both = found.quantities | found.single_steps  # the single steps' param, where there is one
    assert both["param"].nature == nature
    assert verdict(found, None)[0] == status
    step = 3 if name.startswith("local") else 2
    assert (found.first_undecided == step) == (nature == "undecided")
    assert (found.first_divergence is not None) == (nature == "fault")


def test_worst_nature_of_a_kind_is_told():
    """Of several arrays, and of several steps of one; a fault at one step leaves another undecided."""
    desired = tiny([1, 1, 1, 1], param_v=[1, 1, 1, 1])
    desired |= {"spread/param/w": np.array([0, 1e-9, 0, 1.0]), "spread/param/v": np.array([0, 0, 1.0, 0])}
    grown = tiny([1, 1 + 1e-9, 1, 1], param_v=[1, 1, 1, 1])
    found = compare(grown, desired, "float64")
    assert (found.quantities["param"].nature, found.first_undecided) == ("growth", None)
    blind = tiny([1, 1 + 1e-9, 1, 2], param_v=[1, 1, 2, 1])
    found = compare(blind, desired, "float64")
    assert (found.quantities["param"].nature, found.first_undecided) == ("undecided", 2)
    wrong = tiny([1, 2, 1, 2], param_v=[1, 1, 2, 1])
    found = compare(wrong, desired, "float64")
    assert (found.quantities["param"].nature, found.first_undecided) == ("fault", 2)
    assert found.first_divergence.step == 1
    assert verdict(found, None)[0] == "diverged"


def test_blind_is_what_hides_a_mistake_at_the_size_of_the_whole_run():
    """A value may be near 0 for a while."""
    desired = tiny([1e-6, 1]) | {"spread/param/w": np.array([3e-5, 0])}
    assert compare(tiny([9e-4, 1]), desired, "float64").quantities["param"].nature == "growth"
    desired["spread/param/w"][0] = 4e-5
    assert compare(tiny([9e-4, 1]), desired, "float64").quantities["param"].nature == "undecided"


def test_largest_difference_and_tightest_tolerance_may_be_elsewhere():
    desired = tiny([4, 4, 4], param_v=[2, 2, 2]) | {"spread/param/w": np.full(3, 1e-9)}
    actual = tiny([4, 4, 4 + 1e-8], param_v=[2, 2 + 32 * EPS, 2])
    found = compare(actual, desired, "float64").quantities["param"]
    assert found.max_abs == pytest.approx(1e-8)
    assert found.max_rel == pytest.approx(1e-8 / 4)
    assert found.max_ulp == pytest.approx(1e-8 / (4 * EPS))
    assert (found.tolerance, found.headroom) == (32 * EPS, 2)
    assert (found.quantity, found.step) == ("param/v", 1)
    assert found.nature == "growth"


edits = st.tuples(
    st.sampled_from([name for name in COMPARED if not name.endswith("state/step")]),
    st.integers(0, 2),
    st.floats(0.01, 100),
)


@settings(deadline=None)
@given(edits=st.lists(edits, min_size=1, max_size=6))
def test_headroom_is_by_what_the_tolerances_could_be_divided(edits):
    actual = dict(TRACE)
    for name, row, factor in edits:
        actual[name] = TRACE[name].copy()
        actual[name][row % len(TRACE[name])] += factor * allowed(name, 0 if "predict" in name else row)
    room = headroom(compare(actual, TRACE, "float64"))
    assume(room < np.inf)  # some edits are rounded away
    for divisor, agrees in ((room * (1 - 1e-9), True), (room * (1 + 1e-9), False)):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(tolerance, "FACTOR", tolerance.FACTOR / divisor)
            assert (first(actual) is None) == agrees


def test_where_any_difference_agrees_there_is_no_tolerance_to_tell():
    desired = tiny([1, 1]) | {"spread/param/w": np.array([0, np.inf])}
    found = compare(tiny([1, 3]), desired, "float64")
    assert (found.quantities["param"].max_abs, found.quantities["param"].headroom) == (2, None)
    assert headroom(found) == np.inf
    assert found.first_undecided == 1


def test_quantity_that_is_zero_in_the_reference():
    assert first(tiny([0, 0]), tiny([0, 0])) is None
    assert first(tiny([0, 31 * TINY]), tiny([0, 0])) is None
    found = first(tiny([0, 33 * TINY]), tiny([0, 0]))
    assert (found.step, found.max_rel) == (1, 33 * TINY)  # there is no other scale
    found = first(tiny([1e-300, 0.25]), tiny([0, 0.25]))
    assert (found.step, found.max_rel) == (0, 4e-300)  # of what it comes to later
    assert first(tiny([0, 4 + 31 * 4 * EPS, 31 * 4 * EPS]), tiny([0, 4, 0])) is None


def test_largest_relative_and_ulp_are_of_the_dtype():
    single = {"param/w": np.float32([1, 1, 1 + 2**-20])}
    found = compare(tiny([1, 1, 1]) | single, tiny([1, 1, 1]), "float32")
    assert found.first_divergence is None
    assert (found.quantities["param"].max_rel, found.quantities["param"].max_ulp) == (2**-20, 8)
    assert found.quantities["param"].headroom == pytest.approx(4)
    single = {"local/param/w": single["param/w"]}
    found = compare(tiny([1, 1, 1]) | single, tiny([1, 1, 1]) | {"local/param/w": np.ones(3)}, "float32")
    assert found.single_steps["param"].max_ulp == 8


def test_float32_is_judged_by_its_own_eps():
    single = {name: a.astype(np.float32) if a.dtype == np.float64 else a for name, a in RECORDED.items()}
    desired = RECORDED | spread(build, TASK, RECORDED, "float32")
    assert compare(single, desired, "float32").first_divergence is None
    single["grad_loss"] = RECORDED["grad_loss"]  # a loss is Python's float, whatever computed it
    assert compare(single, desired, "float32").first_divergence is None
    wrong = single | {"param/w1": single["param/w1"] * np.float32(1.001)}
    found = compare(wrong, desired, "float32").first_divergence
    assert (found.step, found.quantity) == (0, "param/w1")
    found = compare(RECORDED, desired, "float32").first_divergence
    assert found.what == "has dtype float64, expected float32"


# ------------------------------------------------------------------------- what is not there to compare


def test_hidden_quantity_is_named_and_not_counted_as_agreed():
    """Not in single steps either; and if something of the kind is shown after all, it is not judged."""
    seen = {name: array for name, array in TRACE.items() if kind_of(name) != "grad"}
    for actual in (seen, seen | {"grad/w1": TRACE["loss"], "local/grad/other": TRACE["loss"]}):
        found = compare(actual, TRACE, "float64", not_observed={"grad": "not shown"})
        assert found.first_divergence is None
        assert "grad" not in found.quantities | found.single_steps
        assert found.not_observed == ["grad: not shown"]
        assert first(actual) is not None


def test_where_everything_is_hidden_nothing_differs():
    found = compare(TRACE, TRACE, "float64", not_observed=dict.fromkeys(KINDS, "not shown"))
    assert (found.quantities, found.single_steps, found.first_divergence) == ({}, {}, None)
    assert (worst(found), headroom(found)) == (0, np.inf)


def observed_at(rows, end=END):
    """The trace, observed at some rows only, that ends after `end` steps."""
    free = [name for name in COMPARED if len(TRACE[name]) == len(STEPS) and not name.startswith("local")]
    kept = {name: TRACE[name][rows] for name in [*free, "observed_steps"]}
    return TRACE | kept | {"loss": TRACE["loss"][:end]}


def stopped(end):
    """The trace of a run that stops after `end` steps."""
    trace = observed_at([*np.flatnonzero(end > STEPS), -1], end)
    trace["observed_steps"][-1] = end
    return trace


def test_step_that_was_not_observed_is_a_fault():
    rows = np.flatnonzero(STEPS != 15)
    found = first(observed_at(rows))
    assert (found.step, found.quantity) == (15, "state/first_moment/w1")
    assert found.what == "was not observed at this step"
    assert found.differing == ["state", "param", "grad"]
    assert found.agreeing == ["loss"]
    assert first(TRACE, observed_at(rows)) is None  # one observation more is none
    assert first(observed_at(np.arange(len(STEPS) - 1))).step == END  # the end is to be observed too


def test_rows_of_the_same_step_are_compared_wherever_they_stand():
    actual = observed_at(np.flatnonzero(STEPS != 15))
    actual["param/w1"][12, 1, 2] += 1  # where step 34 stands now
    actual["state/step"] = actual["state/step"] + (actual["observed_steps"] == 51)
    found = compare(actual, TRACE, "float64")
    assert found.quantities["param"].step == 15
    assert found.quantities["param"].nature == "fault"
    of_the_rest = compare(actual, observed_at(np.flatnonzero(STEPS != 22)), "float64")
    assert of_the_rest.quantities["param"].max_abs is None
    desired = observed_at(np.flatnonzero((STEPS != 15) & (STEPS != 22)))
    found = first(actual, desired)
    assert (found.step, found.quantity, found.element) == (34, "param/w1", [1, 2])
    assert found.actual == found.desired + 1


@pytest.mark.parametrize(("ours", "theirs"), [(300, END), (END, 300)], ids=["sooner", "later"])
def test_run_that_stops_elsewhere_is_told_so_and_compared_as_far_as_both_go(ours, theirs):
    actual, desired = stopped(ours), stopped(theirs)
    found = compare(actual, desired, "float64")
    divergence = found.first_divergence
    assert (divergence.step, divergence.quantity, divergence.element) == (300, "loss", [])
    assert divergence.what == f"stops after {ours} steps, expected {theirs}"
    assert (divergence.actual, divergence.desired, divergence.tolerance) == (None, None, 0)
    assert divergence.max_rel == pytest.approx(149 / theirs)
    assert divergence.differing == ["loss"]
    assert found.steps_compared == 300
    assert found.quantities["loss"].max_abs == found.quantities["param"].max_abs == 0
    assert first(actual, {name: a for name, a in desired.items() if name in RECORDED}) == divergence
    actual["param/w1"][5] += 1
    assert first(actual, desired).step == 5
    lost = {name: a for name, a in actual.items() if name != "param/w1"}
    assert first(lost, desired).what == "is missing"


def test_step_that_a_shorter_run_should_have_observed_is_a_fault():
    actual = observed_at([*np.flatnonzero((STEPS < 300) & (STEPS != 256)), -1], 300)
    actual["observed_steps"][-1] = 300
    assert first(actual).step == 256


@pytest.mark.parametrize(
    ("ours", "theirs", "shadows", "undecided"),
    [
        (300, END, (290, END), True),
        (300, END, (300, END), True),
        (300, END, (301, END), False),
        (300, END, (END, END), False),
        (END, 300, (300, 400), True),
        (END, 300, (300, 300), False),
    ],
)
def test_where_shadows_stop_at_different_steps_rounding_decides_the_end(ours, theirs, shadows, undecided):
    found = compare(stopped(ours), stopped(theirs) | {"spread/steps": np.array(shadows)}, "float64")
    assert (found.first_divergence is None) == undecided
    assert found.first_undecided == (300 if undecided else None)
    assert verdict(found, None)[0] == ("inconclusive" if undecided else "diverged")


def diverged(end):
    """The trace of a run whose loss is not finite after `end` steps: it shows no end and predicts nothing."""
    trace = observed_at(np.flatnonzero(end > STEPS), end)
    return {name: a for name, a in trace.items() if "predict" not in name} | {"diverged": np.array([end])}


def test_runs_that_diverge_after_the_same_step_agree():
    found = compare(diverged(300), diverged(300), "float64")
    assert (found.first_divergence, found.steps_compared) == (None, 300)
    assert "predict" not in found.quantities
    assert verdict(found, None) == ("agreed", None)


ENDS = {
    "sooner": (
        diverged(300),
        diverged(400),
        300,
        "is no longer finite after 300 steps, expected 400",
        100 / 400,
    ),
    "later": (
        diverged(400),
        diverged(300),
        300,
        "is no longer finite after 400 steps, expected 300",
        100 / 300,
    ),
    "not at all": (
        *(stopped(END), diverged(300), 300),
        *("stops after 449 steps, expected no longer to be finite after 300", 149 / 300),
    ),
    "alone": (
        *(diverged(300), stopped(END), 300),
        *("is no longer finite after 300 steps, expected to stop after 449", 149 / 449),
    ),
    "just after the end": (
        *(diverged(300), stopped(300), 300),
        *("is no longer finite after 300 steps, expected to stop after 300", 1 / 300),
    ),
    "just before the end": (
        *(stopped(300), diverged(300), 300),
        *("stops after 300 steps, expected no longer to be finite after 300", 1 / 300),
    ),
    "at once": (diverged(0), diverged(1), 0, "is no longer finite after 0 steps, expected 1", 1),
    "but at once": (diverged(1), diverged(0), 0, "is no longer finite after 1 steps, expected 0", 1),
}


@pytest.mark.parametrize(("actual", "desired", "step", "what", "rel"), ENDS.values(), ids=ENDS)
def test_run_that_diverges_elsewhere_is_told_so(actual, desired, step, what, rel):
    """By its end: that it has no predictions, or has some, follows from that."""
    found = compare(actual, desired, "float64")
    divergence = found.first_divergence
    assert (divergence.step, divergence.quantity, divergence.what) == (step, "loss", what)
    assert (divergence.element, divergence.max_rel, divergence.tolerance) == ([], pytest.approx(rel), 0)
    assert found.steps_compared == step
    assert {"loss", "predict"} & {
        kind for kind in found.quantities if found.quantities[kind].max_abs != 0
    } == set()
    assert verdict(found, None)[0] == "diverged"


@pytest.mark.parametrize("other", [stopped, diverged], ids=["stops", "diverges"])
@pytest.mark.parametrize(
    ("shadows", "undecided"),
    [((290, 310), True), ((300, 310), True), ((301, 310), False), ((300, 300), False)],
)
def test_where_shadows_diverge_after_different_steps_rounding_decides_the_end(shadows, undecided, other):
    desired = diverged(305) | {"spread/steps": np.array(shadows)}
    found = compare(other(300), desired, "float64")
    assert (found.first_divergence is None) == undecided
    assert found.first_undecided == (300 if undecided else None)


def test_spread_of_a_desired_run_that_is_longer_or_shorter_than_the_reference_s():
    """As when a cause is replayed: beyond the reference's end its last spread holds."""
    shadows = {"spread/param/w": np.array([0, 1e-3])}
    desired, actual = tiny([1, 1, 1, 1]) | shadows, tiny([1, 1, 1, 1.01])
    assert first(actual, desired) is None
    assert first(tiny([1, 1, 1, 1.1]), desired).step == 3
    assert first(tiny([1.01]), tiny([1]) | shadows).step == 0


def test_replay_of_the_reference_may_not_differ_by_an_ulp():
    actual = changed("param/w1", (6, 1, 1), lambda x: np.nextafter(x, np.inf))
    assert first(actual) is None
    found = compare(actual, TRACE, "float64", replay=True)
    assert (found.first_divergence.step, found.first_divergence.element) == (6, [1, 1])
    assert found.quantities["param"].headroom == found.quantities["param"].tolerance == 0
    assert first(TRACE, replay=True) is None
    assert first(changed("loss", 3, np.nan), replay=True).step == 3


# ------------------------------------------------------------------------------------------ words


def divergence(**changes):
    said = {
        "step": 7,
        "quantity": "param/w1",
        "single_step": False,
        "element": [1, 2],
        "actual": 0.1,
        "desired": 0.25,
        "max_rel": 0.6,
        "tolerance": 1e-14,
        "what": "differs",
    }
    return Divergence(**said | changes)


VALUES = ": 0.10000000000000001 instead of 0.25, 6.0e-01 of the largest value, tolerance 1.0e-14"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, f"from step 7, param/w1[1, 2] differs{VALUES}"),
        (
            {"single_step": True, "element": []},
            f"from step 7, in a single step from the reference's state, param/w1 differs{VALUES}",
        ),
        (
            {"max_rel": None, "what": "is not finite"},
            "from step 7, param/w1[1, 2] is not finite",
        ),
        (
            {"actual": None, "desired": None, "what": "stops after 1 steps, expected 2", "element": []},
            "from step 7, param/w1 stops after 1 steps, expected 2",
        ),
        (
            {"agreeing": ["state", "loss"]},
            f"from step 7, param/w1[1, 2] differs{VALUES}; still agreeing at that step: state, loss",
        ),
    ],
)
def test_divergence_in_words(changes, words):
    assert describe(divergence(**changes)) == words


LATE = Cause("late", "it comes one step late", 2e-15)
TWICE = Cause("twice", "it is counted twice", 3e-14)


def limit(cause):
    return Limit("known difference", lambda _task, _dtype: True, "the framework differs", cause=cause)


TO_LATE, TO_TWICE = (f"computed so, the reference agrees to {to}" for to in ("2.0e-15", "3.0e-14"))
UNKNOWN = "; cause not known"
BY_LATE = f"; cause: it comes one step late ({TO_LATE})"
BY_TWICE = f"; cause: it is counted twice ({TO_TWICE})"
EITHER = (
    f"; cause: it is counted twice or it comes one step late, which this task cannot tell apart ({TO_TWICE})"
)
UNEXPLAINED = "; declared, but no explanation: the framework differs"


@pytest.mark.parametrize(
    ("declared", "causes", "words"),
    [
        (None, [], UNKNOWN),
        (None, [LATE], BY_LATE),
        (None, [TWICE, LATE], EITHER),
        (limit("late"), [TWICE], BY_TWICE + UNEXPLAINED),
        (limit("late"), [], UNKNOWN + UNEXPLAINED),
        (limit(None), [], UNKNOWN + UNEXPLAINED),
    ],
)
def test_what_differs_has_diverged_and_the_cause_is_named(declared, causes, words):
    parity = compare(tiny([1, 2]), tiny([1, 1]), "float64")
    assert verdict(parity, declared, causes) == ("diverged", describe(parity.first_divergence) + words)


def test_declared_cause_makes_a_difference_known_however_large():
    parity = compare(tiny([1, 9]), tiny([1, 1]), "float64")
    status, reason = verdict(parity, limit("late"), [TWICE, LATE])
    assert status == "known difference"
    assert reason == f"the framework differs (differs by 8.0e+00; {TO_LATE})"


def test_verdict_on_what_agrees_needs_no_cause():
    assert verdict(compare(TRACE, TRACE, "float64"), limit("late"), []) == ("agreed", None)


@pytest.mark.parametrize("declared", [None, limit("late")])
def test_where_a_mistake_would_not_show_nothing_is_proved(declared):
    desired = tiny([1, 1, 1]) | {"spread/param/w": np.array([0, 0, 1])}
    status, reason = verdict(compare(tiny([1, 1, 2]), desired, "float64"), declared)
    assert status == "inconclusive"
    assert reason == (
        "agrees as far as can be told, but from step 2 rounding alone may grow beyond 0.001 of a quantity, "
        "so that a mistake would not show"
    )


# ---------------------------------------------------------------------------------- who is the odd one


def test_groups_of_backends_that_agree():
    wrong = {name: array for name, array in changed("param/w1", 9, 5.0).items() if name in RECORDED}
    ulp = changed("param/w1", (6, 1, 1), lambda x: np.nextafter(x, np.inf))
    without_gradients = {name: array for name, array in wrong.items() if kind_of(name) != "grad"}
    traces = {"numpy": TRACE, "a": wrong, "b": wrong | {"loss": ulp["loss"]}, "c": without_gradients}
    assert groups(traces, spreads(TRACE), "float64") == [["a", "b", "c"], ["numpy"]]
    assert groups(traces | {"d": ulp, "e": RECORDED, "f": RECORDED}, spreads(TRACE), "float64") == [
        ["numpy", "d", "e", "f"],
        ["a", "b", "c"],
    ]
    assert groups({"numpy": TRACE, "a": wrong}, spreads(TRACE), "float64") == [["numpy"], ["a"]]


def test_backends_are_grouped_with_the_reference_s_spread():
    desired = tiny([1, 1]) | {"spread/param/w": np.array([0, 1e-6])}
    off, near, far = tiny([2, 2]), tiny([2, 2 + 1e-5]), tiny([2, 2 + 1e-4])
    traces = {"numpy": desired, "off": off, "near": near, "far": far}
    assert groups(traces, spreads(desired), "float64") == [["off", "near"], ["numpy"], ["far"]]
