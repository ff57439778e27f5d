"""The most floating-point operations a second that this machine does: NumPy's product of float64 matrices.

In a process of its own, as every worker is, with its environment: a BLAS reads its number of threads once.
"""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

from harness.environment import worker_environment

SIZES = (256, 512, 1024, 2048)  # which of them is fastest, depends on caches
LEAST_S, LEAST_REPEATS = 0.4, 3  # of each size


def measure(threads: int, cache: Path) -> tuple[float, int]:
    """GFLOP/s, the best of all sizes, and the size that reached it.

    Raises `subprocess.CalledProcessError` when the process fails.
    """
    command = [sys.executable, "-P", "-m", "harness.scale.peak", str(threads)]
    environment = worker_environment(threads, cache)
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, check=True)
    found = {int(size): speed for size, speed in json.loads(done.stdout).items()}
    best = max(found, key=lambda size: found[size])
    return found[best], best


def main() -> None:
    """Print GFLOP/s by size, on the cores that timed workers keep to."""
    cores = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, cores[-int(sys.argv[1]) :])
    sys.stdout.write(json.dumps({size: _speed(size) for size in SIZES}))


def _speed(size: int) -> float:
    """GFLOP/s of the fastest of some products of square matrices, 2·size³ operations each."""
    import numpy as np  # here: this process's environment has set its threads, the parent's has not

    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(2, size, size))
    out = np.empty((size, size))
    times: list[float] = []
    while len(times) < LEAST_REPEATS or sum(times) < LEAST_S:
        began = time.perf_counter()
        np.matmul(a, b, out=out)
        times.append(time.perf_counter() - began)
    return 2 * size**3 / min(times) / 1e9


if __name__ == "__main__":
    main()
