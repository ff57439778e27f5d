"""How much of a large step is its matrix products: NumPy's run beside the machine's fastest product.

Both are workers on one thread, and take turns in the same rounds.
"""

import sys
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import numpy as np

import backends
from backends.base import Placement
from harness import environment, protocol, timing
from harness.bench.measures import Measure
from harness.plan import fingerprint
from harness.scale.work import work
from harness.session import Limits, Session
from tasks import sweep

TASK = sweep.network((512, 512), batch=512, rows=1024)
PRODUCT = environment.HERE / "benchmarks" / "product.py"
TARGET = 80.0


def measure(rounds: int, folder: Path) -> list[Measure]:
    """The share in per cent, and the peak itself.  Raises `Broken` when a worker breaks."""
    (folder / "logs").mkdir(parents=True, exist_ok=True)
    columns = [backends.COLUMNS["numpy"], backends.find(str(PRODUCT))]
    with ExitStack() as stack:
        sessions = [
            Session(column, Placement(), folder, Limits(), sys.executable, None) for column in columns
        ]
        for session in sessions:
            stack.callback(session.end)
        steps = {session.column.name: _warm_up(session) for session in sessions}
        blocks = {
            session.column.name: partial(session.ask, protocol.Block("run"), protocol.Measured)
            for session in sessions
        }
        found, disturbed = timing.rounds(blocks, rounds, seed=0)
    network, product = (
        np.array([blocks[name].wall_s for blocks in found]) / steps[name] for name in ("numpy", "product")
    )
    # The rate of the step's products ÷ the peak = peak's time for as many operations ÷ the step's.
    either = [any(each) for each in zip(*disturbed.values(), strict=True)]
    logs = timing.log_ratios(product / _product_flops() * work(TASK).flops, network, either)
    shares = [float(share) for share in 100 * np.exp(logs)]
    rates = [float(rate) for rate in _product_flops() / product / 1e9]
    return [
        Measure("share of the matrix-product peak", "numpy, 512+512, batch 512", "%", shares, TARGET, "more"),
        Measure("share of the matrix-product peak", "the peak, one thread", "GFLOP/s", rates, better="more"),
    ]


def _warm_up(session: Session) -> int:
    """Steps of a block."""
    session.ask(protocol.Prepare(TASK.name, fingerprint(TASK)), protocol.Prepared)
    return session.ask(protocol.WarmUp("run", timing.BLOCK_S), protocol.Warm).steps_per_block


def _product_flops() -> float:
    """Operations of a step of benchmarks/product.py: a product of square matrices as wide as a batch."""
    assert TASK.batches is not None
    return 2.0 * TASK.batches.size**3
