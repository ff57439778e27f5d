"""The comparison itself: shown every kind of fault, and shown none."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import backends.numpy as reference
from backends import Limit
from backends.base import Arrays, Placement
from harness import parity, tolerance
from harness.parity import compare, describe, verdict
from harness.trace import record
from tasks import TASKS

TASK = TASKS["xor-adam"]
TRACE, _ = record(reference.Network(TASK, Placement()), TASK)


def changed(name: str, index: Any, value: Any) -> Arrays:
    array = TRACE[name].copy()
    array[index] = value(array[index]) if callable(value) else value
    return TRACE | {name: array}


def first(actual: Arrays, **options: Any):
    return compare(actual, TRACE, "float64", **options).first_divergence


def without(name: str) -> Arrays:
    return {key: array for key, array in TRACE.items() if key != name}


def test_equal_traces_agree_in_every_quantity() -> None:
    found = compare(TRACE, TRACE, "float64")
    assert found.first_divergence is None
    assert {kind: q.max_abs for kind, q in found.quantities.items()} == dict.fromkeys(parity.KINDS, 0.0)
    assert verdict(found, None) == ("agreed", None)


FAULTS: dict[str, tuple[Arrays, str, int]] = {
    "nan in a parameter": (changed("param/w2", (5, 0, 0), np.nan), "param/w2", 5),
    "inf in a gradient": (changed("grad/b1", (3, 1), np.inf), "grad/b1", 3),
    "nan in a loss": (changed("loss", 7, np.nan), "loss", 7),
    "transposed kernel": (
        TRACE | {"param/w2": np.swapaxes(TRACE["param/w2"], 1, 2)},
        "param/w2",
        0,
    ),
    "rows shuffled": (TRACE | {"predict_train": TRACE["predict_train"][::-1]}, "predict_train", 449),
    "gradient ten times": (TRACE | {"grad/w1": 10 * TRACE["grad/w1"]}, "grad/w1", 0),
    "gradient's sign": (TRACE | {"grad/w1": -TRACE["grad/w1"]}, "grad/w1", 0),
    "missing quantity": (without("state/first_moment/w1"), "state/first_moment/w1", 0),
    "missing steps": (without("observed_steps"), "grad/w1", 0),
    "unexpected quantity": (TRACE | {"state/velocity/w1": TRACE["param/w1"]}, "state/velocity/w1", 0),
    "wrong dtype": (TRACE | {"param/b1": TRACE["param/b1"].astype(np.float32)}, "param/b1", 0),
    "wrong shape": (TRACE | {"param/b1": TRACE["param/b1"][:, :1]}, "param/b1", 0),
    "cut off": (TRACE | {"loss": TRACE["loss"][:-1]}, "loss", 448),
    "second moment lost": (
        TRACE | {"state/second_moment/w1": 0 * TRACE["state/second_moment/w1"]},
        "state/second_moment/w1",
        1,
    ),
    "second moment a little off": (
        TRACE | {"state/second_moment/w1": TRACE["state/second_moment/w1"] * (1 + 1e-8)},
        "state/second_moment/w1",
        15,
    ),
    "step counted from 1": (TRACE | {"state/step": TRACE["state/step"] + 1}, "state/step", 0),
    "goes on": (TRACE | {"loss": np.append(TRACE["loss"], 0.0)}, "loss", 449),
    "one step late": (TRACE | {"param/b3": np.roll(TRACE["param/b3"], 1, axis=0)}, "param/b3", 0),
    "step counter": (changed("state/step", 4, 5), "state/step", 4),
    "a few ulp too many": (changed("param/w1", (6, 1, 1), lambda x: x * (1 + 1e-11)), "param/w1", 6),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_fault_is_found_where_it_is(fault: str) -> None:
    actual, name, step = FAULTS[fault]
    found = compare(actual, TRACE, "float64")
    assert found.first_divergence is not None
    assert found.first_divergence.step == step
    if fault != "missing steps":  # then every quantity is equally lost
        assert found.first_divergence.quantity == name
    status, reason = verdict(found, None)
    assert status == "diverged"
    assert reason == describe(found.first_divergence)


def test_empty_trace_does_not_agree() -> None:
    assert first({}) is not None


def test_nan_on_both_sides_does_not_agree() -> None:
    broken = changed("param/w1", (2, 0, 0), np.nan)
    found = compare(broken, broken, "float64").first_divergence
    assert found is not None
    assert (found.step, found.what, found.max_rel) == (2, "is not finite", None)


def test_hidden_quantity_is_named_and_not_counted_as_agreed() -> None:
    seen = {name: array for name, array in TRACE.items() if not name.startswith("grad")}
    found = compare(seen, TRACE, "float64", not_observed={"grad": "not shown"})
    assert found.first_divergence is None
    assert "grad" not in found.quantities
    assert found.not_observed == ["grad: not shown"]


def test_replay_of_the_reference_may_not_differ_by_an_ulp() -> None:
    actual = changed("param/w1", (6, 1, 1), lambda x: np.nextafter(x, np.inf))
    assert first(actual) is None
    assert first(actual, replay=True) is not None


@given(
    kind=st.sampled_from(["param/w1", "param/b2", "grad/w3", "state/second_moment/w1"]),
    row=st.integers(0, len(TRACE["observed_steps"]) - 1),
    factor=st.floats(2, 1e6) | st.floats(0.01, 0.5),
    data=st.data(),
)
def test_difference_diverges_exactly_when_it_exceeds_the_tolerance(
    kind: str, row: int, factor: float, data: st.DataObject
) -> None:
    element = data.draw(st.tuples(*(st.integers(0, size - 1) for size in TRACE[kind].shape[1:])))
    group = [name for name in TRACE if name.rpartition("/")[0] == kind.rpartition("/")[0]]
    scale = max(np.max(np.abs(TRACE[name])) for name in group)
    size = factor * tolerance.tolerance(parity.kind_of(kind), "float64") * scale
    found = first(changed(kind, (row, *element), lambda x: x + size))
    if factor < 1:
        assert found is None
    else:
        assert found is not None
        assert (found.quantity, found.element) == (kind, list(element))
        assert found.step == TRACE["observed_steps"][row]


def test_run_that_stops_elsewhere_is_told_so_and_compared_as_far_as_it_goes() -> None:
    shorter = TRACE | {"loss": TRACE["loss"][:300], "observed_steps": TRACE["observed_steps"].copy()}
    shorter["observed_steps"][-1] = 300
    found = compare(shorter, TRACE, "float64")
    assert found.first_divergence is not None
    assert found.first_divergence.what == "stops after 300 steps, expected 449"
    assert (found.first_divergence.step, found.steps_compared) == (300, 300)
    assert found.quantities["loss"].max_abs == 0


def test_quantity_that_others_follow_from_is_named_and_what_still_agrees() -> None:
    broken = TRACE | {name: TRACE[name].copy() for name in ("param/w1", "loss", "grad/w1")}
    broken["param/w1"][1:] *= 1 + 1e-9
    broken["loss"][1:] *= 10
    broken["grad/w1"][1:] *= 10
    found = first(broken)
    assert (found.step, found.quantity) == (1, "param/w1")
    assert found.differing == ["param", "loss", "grad"]
    assert found.agreeing == ["state"]
    assert describe(found).endswith("still agreeing at that step: state")


def test_scalar_has_no_element() -> None:
    assert first(changed("loss", 7, 1.0)).element == []


def test_declared_cause_must_explain_the_whole_difference() -> None:
    """With a replay of the reference as the framework computes it, its size does not matter."""
    limit = Limit("known difference", lambda _task, _dtype: True, "the cause", instead=lambda task: task)
    differs = compare(changed("param/w1", (9, 0, 0), 5.0), TRACE, "float64")
    explained = compare(TRACE, TRACE, "float64")
    status, reason = verdict(differs, limit, explained)
    assert status == "known difference"
    assert reason is not None
    assert reason.startswith("the cause (differs by")
    assert verdict(differs, limit, differs)[0] == "diverged"


def test_known_difference_is_bounded_by_its_declared_size() -> None:
    found = compare(changed("param/w1", (9, 0, 0), lambda x: x + 1e-9), TRACE, "float64")
    small = Limit("known difference", lambda _task, _dtype: True, "known", size=1e-9)
    assert verdict(found, small)[0] == "known difference"
    tiny = Limit("known difference", lambda _task, _dtype: True, "known", size=1e-12)
    assert verdict(found, tiny)[0] == "diverged"


def test_known_difference_that_no_longer_differs_is_plain_agreement() -> None:
    limit = Limit("known difference", lambda _task, _dtype: True, "known", size=1e-9)
    assert verdict(compare(TRACE, TRACE, "float64"), limit) == ("agreed", None)


def test_float32_is_judged_on_its_first_steps_only() -> None:
    single = {name: a.astype(np.float32) if a.dtype == np.float64 else a for name, a in TRACE.items()}
    found = compare(single, TRACE, "float32")
    assert found.first_divergence is None
    assert found.steps_compared == tolerance.FLOAT32_STEPS
    late = single | {"param/w1": single["param/w1"].copy()}
    late["param/w1"][-1] += 1
    assert compare(late, TRACE, "float32").first_divergence is None
    early = single | {"param/w1": single["param/w1"].copy()}
    early["param/w1"][3] += 1
    assert compare(early, TRACE, "float32").first_divergence is not None
