"""How fast two traces are compared, beside `numpy.testing.assert_allclose` on the same arrays.

Both run on one core, in turns; times are seconds of that core, of which other processes take none.
The traces differ by an ulp everywhere, as those of two frameworks that agree.
A byte of the trace counts once, though its twin in the reference's trace is read as well.
"""

import tracemalloc
from collections.abc import Callable
from time import process_time

import numpy as np

from backends.base import Arrays
from harness.bench.measures import Measure
from harness.parity import compare

OBSERVED = 320  # states, of a network with one hidden layer
SHAPES = {"w1": (100, 100), "b1": (100,), "w2": (100, 1), "b2": (1,)}
KINDS = ("param", "grad", "state/first_moment", "state/second_moment")
GROUP = "comparing two traces"


def measure(rounds: int) -> list[Measure]:
    """Throughput, memory, and how many times as fast as NumPy's own."""
    desired = reference_trace()
    actual = moved(desired)
    size = sum(array.nbytes for array in actual.values())
    pairs = [
        (seconds(by_samestep, actual, desired), seconds(by_numpy, actual, desired)) for _ in range(rounds)
    ]
    rates = [size / ours / 1e9 for ours, _ in pairs]
    return [
        Measure(GROUP, "time ÷ that of assert_allclose", "×", [ours / numpys for ours, numpys in pairs]),
        Measure(GROUP, f"throughput, {size / 1e6:.0f} MB of trace", "GB/s", rates, better="more"),
        Measure(GROUP, "memory beside the traces", "MB", [peak_mb(by_samestep, actual, desired)]),
    ]


def reference_trace() -> Arrays:
    """What the reference records of a network trained by Adam, its numbers drawn; without shadows."""
    rng = np.random.default_rng(0)
    trace: Arrays = {"loss": rng.random(OBSERVED), "observed_steps": np.arange(OBSERVED)}
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
