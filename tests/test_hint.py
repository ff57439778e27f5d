"""What is said of a difference of unknown cause holds for every element, or else nothing is said."""

import numpy as np
import pytest
from recorded import SMALL, desired, faulty

from harness import hint, parity
from harness.faults import DAMAGES, FAULTS
from harness.result import Cause

LOOKS = {
    ("gradient-summed", "gd"): "every element is 19 × the reference's",
    ("gradient-halved", "quadratic-gd"): "every element is 1/2 of the reference's",
    (
        "momentum-nesterov",
        "momentum",
    ): None,  # it shows first in b3, one number, which some factor always fits
    ("start-scaled", "adam"): "every element is 1.4142135623731 × the reference's",
    ("start-zero", "adam"): "every element is 0",
    ("loss-summed", "gd"): "it is 8 × the reference's",
    ("state-sign", "quadratic-momentum"): "every element is minus the reference's",
    ("start-transposed", "momentum"): "it is the reference's, transposed",
    ("shown-units-reversed", "momentum"): "its columns are the reference's in another order",
    ("gradient-stale", "momentum"): "it is the reference's of the step before",
    ("state-step-ahead", "quadratic-adam"): "it is the reference's of the step after",
    ("epsilon-hat", "adam"): None,
    ("start-other-seed", "adam"): None,
    ("trace-shape", "gd"): "it is the reference's in another shape",
    ("trace-empty", "gd"): None,
    ("trace-cut", "gd"): None,
    ("trace-no-steps", "gd"): None,
    ("trace-extra", "gd"): None,
    ("trace-dtype", "gd"): None,
    ("trace-nan", "gd"): None,
}


def looks(actual, expected, dtype="float64"):
    first = parity.compare(actual, expected, dtype).first_divergence
    return hint.hint(first, actual, expected, dtype)


@pytest.mark.parametrize(("fault", "task"), LOOKS)
def test_what_a_fault_looks_like(fault, task):
    name, task = fault, SMALL[task]
    actual = faulty(FAULTS[name], task) if name in FAULTS else DAMAGES[name].apply(dict(desired(task)))
    assert looks(actual, desired(task)) == LOOKS[fault, task.name.removeprefix("small-")]


def trace(*rows, dtype=float):
    """Of one array, observed at every step."""
    at = np.arange(len(rows))
    names = {"observed_steps": at, "local/observed_steps": at, "loss": np.zeros(len(rows) - 1)}
    return names | {"param/w": np.array(rows, dtype)}


A, B = np.array([[0.3, -0.7, 1.1], [0.2, 0.9, -0.4], [0.8, 0.1, 0.5]]), np.full((3, 3), 2.5)


@pytest.mark.parametrize(
    ("row", "words"),
    [
        (A * 8, "every element is 8 × the reference's"),
        (A * 1000 * (1 + 4 * np.finfo(float).eps), "every element is 1000 × the reference's"),
        (A * -3, "every element is -3 × the reference's"),
        (A / 3, "every element is 1/3 of the reference's"),
        (A * 0.1 * 3, "every element is 0.3 × the reference's"),
        (A * (1 + 1e-9), "every element is 1.000000001 × the reference's"),
        (-A, "every element is minus the reference's"),
        (0 * A, "every element is 0"),
        (A.T, "it is the reference's, transposed"),
        (A[[2, 0, 1]], "its rows are the reference's in another order"),
        (A[:, [1, 0, 2]], "its columns are the reference's in another order"),
        (A[::-1, ::-1][:, [1, 0, 2]].T, "its elements are the reference's in another order"),
        (B, "it is the reference's of the step before"),
        (A + 0.1, None),
        (A**2, None),
        (np.where(A == 0.5, 0.25, 2 * A), None),  # all but one
        (A * (1 + 1e-12), None),  # so near that it looks like anything
        (A.T + 1e-12, None),
    ],
)
def test_only_what_holds_for_each_element_is_said(row, words):
    assert looks(trace(B, row), trace(B, A)) == words


@pytest.mark.parametrize(
    ("ours", "theirs", "words"),
    [
        ([2.5, 5.0], [2.5, 2.5], None),  # of the first element alone it is known
        ([4.9, 4.9], [5.0, 5.0], None),  # of numbers of one size, any factor would do
        ([7.5, 7.5], [2.5, 2.5], "every element is 3 × the reference's"),
        ([1e-3, 2e-3], [1e-30, 2e-30], None),  # nothing to multiply: below the tolerance
        ([0.0, 1e-3], [0.0, 0.0], None),
        ([1e300, 1e300], [1e-5, 1e-5], None),
        ([2e-12, 1.1], [1e-12, 1.1], None),
        ([0.0, 4.9, 4.9], [0.0, 5.0, 5.0], None),
        ([0.0, 9.0, 6.0], [0.0, 3.0, 2.0], "every element is 3 × the reference's"),
        ([1.0, 2.0], [np.inf, 2.0], None),
    ],
)
def test_factor_needs_numbers_that_tell_it(ours, theirs, words):
    other = np.full_like(theirs, 8.5)
    assert looks(trace(other, ours), trace(other, theirs)) == words


def test_array_without_rows_looks_like_nothing():
    assert looks(trace(B, A) | {"param/w": np.zeros((0, 3, 3))}, trace(B, A)) is None


def test_float32_is_taken_for_what_it_is():
    given = trace(B, A * 0.3, dtype=np.float32)
    assert looks(given, trace(B, A), "float32") == "every element is 0.3 × the reference's"


def test_reason_says_it_only_where_no_cause_is_known():
    actual, expected = trace(B, A * 8), trace(B, A)
    found = parity.compare(actual, expected, "float64")
    (_, unknown), (_, known) = (
        parity.verdict(found, None, causes, looks(actual, expected))
        for causes in ([], [Cause("late", "it is late", 0.0)])
    )
    assert unknown.endswith("; cause not known, but every element is 8 × the reference's")
    assert known.endswith("; cause: it is late (computed so, the reference agrees to 0.0e+00)")
