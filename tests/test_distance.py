"""How far two arrays are apart: as the plain formula has it, whatever their shape, and in little memory."""

import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from harness import distance
from harness.distance import PIECE, distances, farthest

SPECIAL = {
    "float64": [0.0, -0.0, -1e308, 1e308, 5e-324, np.inf, -np.inf, np.nan],
    "float32": np.float32([-0.0, -3e38, 3e38, 1e-45, np.inf, np.nan]).tolist(),
    "int64": [-(2**52), 2**52],
    "uint8": [0, 255],
}


@st.composite
def pairs(draw):
    """Two arrays of one shape (K, …), each of any dtype, now and then with a special number."""
    shape = draw(array_shapes(min_dims=1, max_dims=4, min_side=0, max_side=6))
    return tuple(draw(arrays(dtype, shape, elements=numbers(dtype))) for dtype in draw(dtypes | mixed))


def numbers(dtype):
    usual = st.floats(-10, 10, width=32) if dtype.startswith("float") else st.integers(0, 100)
    return usual | st.sampled_from(SPECIAL[dtype])


dtypes = st.sampled_from(list(SPECIAL)).map(lambda dtype: (dtype, dtype))
mixed = st.tuples(*[st.sampled_from(list(SPECIAL))] * 2)


def plain(actual, desired):
    """Largest |actual - desired| and |desired| of each row, from the formula; inf where not finite."""
    with np.errstate(all="ignore"):
        apart = np.abs(actual.astype(float) - desired.astype(float))
    within = tuple(range(1, desired.ndim))
    sizes = np.abs(desired.astype(float)).max(axis=within, initial=0.0)
    return np.where(np.isfinite(apart), apart, np.inf).max(axis=within, initial=0.0), sizes


def agree_with_plain(actual, desired):
    kept = actual.copy(), desired.copy()
    for found, expected in zip(distances(actual, desired), plain(actual, desired), strict=True):
        assert found.dtype == np.float64
        assert not np.signbit(found).any()  # no -0
        np.testing.assert_array_equal(found, expected, strict=True)
    np.testing.assert_array_equal((actual, desired), kept)


@settings(deadline=None)
@given(pair=pairs(), piece=st.sampled_from([1, 2, 3, 7, 20, PIECE]))
def test_distances_are_those_of_the_plain_formula(pair, piece):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(distance, "PIECE", piece)  # so that small arrays too are taken piece by piece
        agree_with_plain(*pair)


@pytest.mark.parametrize("shape", [(3, PIECE + 1), (2, 3, PIECE), (1, 2 * PIECE), (PIECE + 1,), (PIECE, 3)])
def test_arrays_larger_than_a_piece(shape):
    rng = np.random.default_rng(0)
    agree_with_plain(rng.normal(size=shape), rng.normal(size=shape))


@pytest.mark.parametrize("special", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("sides", [(0,), (1,), (0, 1)], ids=["ours", "theirs", "both"])
def test_what_is_not_finite_is_infinitely_far_away_even_from_itself(special, sides):
    pair = np.zeros((2, 3, 5))  # two arrays of three rows
    pair[sides, 1, 4] = special
    distance, _ = distances(*pair)
    assert distance.tolist() == [0, np.inf, 0]


def test_a_difference_too_large_for_its_dtype_is_infinite():
    assert distances(np.array([1e308]), np.array([-1e308]))[0].tolist() == [np.inf]


def test_numbers_of_low_precision_are_subtracted_in_high_precision():
    """By themselves, 0 - 1 would be 255, and 3e38 + 3e38 more than a float32 can hold."""
    assert distances(np.uint8([0]), np.uint8([1]))[0].tolist() == [1]
    large = np.float32([3e38])
    assert distances(large, -large)[0].tolist() == [2 * float(large[0])]


@settings(deadline=None)
@given(pair=pairs())
def test_farthest_is_where_the_row_s_distance_is(pair):
    for actual, desired in zip(*pair, strict=True):
        if desired.size:
            apart, _ = plain(actual[None], desired[None])
            element = farthest(actual, desired)
            assert len(element) == desired.ndim
            here = (array[element].reshape(1, 1) for array in (actual, desired))
            assert plain(*here)[0] == apart


def test_farthest_is_what_is_not_finite():
    assert farthest(np.array([[0, np.inf], [9, 0]]), np.array([[0, np.inf], [0, 0]])) == (0, 1)


def test_memory_does_not_grow_with_the_arrays():
    desired = np.ones((20, 1000, 100))  # 16 MB
    actual = desired + 1e-16
    tracemalloc.start()
    distances(actual, desired)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 0.03 * desired.nbytes


@pytest.mark.parametrize(
    ("sizes", "so_far", "scales"),
    [
        ([0, 2, 1, 3], [0, 2, 2, 3], [3, 2, 2, 3]),
        ([1, np.nan, np.inf, 2], [1, 1, 1, 2], [1, 1, 1, 2]),
        ([0, 0], [0, 0], [1, 1]),
        ([], [], []),
    ],
    ids=["zero-at-first", "not-finite", "always-zero", "no-rows"],
)
def test_sizes_grow_with_the_rows_and_never_divide_by_zero(sizes, so_far, scales):
    found = distance.largest_so_far(np.array(sizes, float))
    np.testing.assert_array_equal(found, so_far)
    np.testing.assert_array_equal(distance.scale(found), scales)
