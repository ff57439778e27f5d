"""How fast two traces are compared, beside `numpy.testing.assert_allclose` on the same arrays.

    python benchmarks/compare.py

Both run on one core, in turns; a number is the median over the rounds, in seconds of that core, of which
other processes take none.  The traces differ by an ulp everywhere, as those of two frameworks that agree.
A byte of the trace counts once, though its twin in the reference's trace is read as well.
"""

import tracemalloc
from collections.abc import Callable
from statistics import median
from time import process_time

import numpy as np

from backends.base import Arrays
from harness.parity import compare

ROUNDS = 15
OBSERVED = 320  # states, of a network with one hidden layer
SHAPES = {"w1": (100, 100), "b1": (100,), "w2": (100, 1), "b2": (1,)}
KINDS = ("param", "grad", "state/first_moment", "state/second_moment")


def reference_trace() -> Arrays:
    """What the reference records of a network trained by Adam, its numbers drawn; without shadows."""
    rng = np.random.default_rng(0)
    trace = {"loss": rng.random(OBSERVED), "observed_steps": np.arange(OBSERVED)}
    for where in ("", "local/"):
        for kind in KINDS:
            for name, shape in SHAPES.items():
                trace[f"{where}{kind}/{name}"] = rng.normal(size=(OBSERVED, *shape))
    return trace


def moved(trace: Arrays) -> Arrays:
    """Every number but a count moved to its neighbour."""
    return {name: np.nextafter(a, np.inf) if a.dtype == np.float64 else a for name, a in trace.items()}


def by_samestep(actual: Arrays, desired: Arrays) -> None:
    """Every quantity at every step, with tolerances that grow with its scale."""
    found = compare(actual, desired, "float64")
    assert {quantity.nature for quantity in found.quantities.values()} == {"rounding"}


def by_numpy(actual: Arrays, desired: Arrays) -> None:
    """Every array at one tolerance."""
    for name, array in desired.items():
        np.testing.assert_allclose(actual[name], array, rtol=1e-13)


def seconds(call: Callable[[Arrays, Arrays], None], actual: Arrays, desired: Arrays) -> float:
    """How long one comparison occupies the core."""
    start = process_time()
    call(actual, desired)
    return process_time() - start


def peak_mb(call: Callable[[Arrays, Arrays], None], actual: Arrays, desired: Arrays) -> float:
    """The most memory that one comparison holds at a time, without the traces."""
    tracemalloc.start()
    call(actual, desired)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak / 1e6


def main() -> None:
    """Measure and print."""
    desired = reference_trace()
    actual = moved(desired)
    size = sum(array.nbytes for array in actual.values())
    calls = {"samestep": by_samestep, "assert_allclose": by_numpy}
    rounds = [{name: seconds(call, actual, desired) for name, call in calls.items()} for _ in range(ROUNDS)]
    print(f"a trace of {size / 1e6:.0f} MB, {len(actual)} arrays, {ROUNDS} rounds")
    for name, call in calls.items():
        middle = median(taken[name] for taken in rounds)
        print(
            f"{name:16} {size / middle / 1e9:6.2f} GB/s, {peak_mb(call, actual, desired):8.2f} MB more memory"
        )
    ratio = median(taken["assert_allclose"] / taken["samestep"] for taken in rounds)
    print(f"samestep is {ratio:.1f} times as fast")


if __name__ == "__main__":
    main()
