"""junit.xml: one test suite per backend, one test case per cell and per quantity compared."""

from collections.abc import Iterator
from pathlib import Path

from junitparser import Error, Failure, JUnitXml, Skipped, TestCase, TestSuite

from harness import trace
from harness.report import figures
from harness.result import BROKEN, Cell, Difference, Result


def write(result: Result, folder: Path) -> Path:
    """Write junit.xml into the folder; raises `OSError` when it cannot be written."""
    report = JUnitXml("samestep")
    for backend in figures.backends(result):
        suite = TestSuite(backend)
        cells = [cell for cell in result.cells if cell.backend == backend]
        suite.add_testcases([case for cell in cells for case in _cases(cell)])
        report.add_testsuite(suite)
    report.update_statistics()
    path = folder / "junit.xml"
    trace.write(path, report.tostring())
    return path


def _cases(cell: Cell) -> Iterator[TestCase]:
    """The cell itself, then each quantity compared or not observed."""
    yield _whole(cell)
    if cell.parity is None:
        return
    for quantity, difference in figures.differences(cell).items():
        yield _quantity(cell, quantity, difference)
    for text in cell.parity.not_observed:
        quantity, _, why = text.partition(": ")
        case = _case(cell, quantity)
        case.result = Skipped(figures.plain(f"not observed: {why}"))
        yield case


def _whole(cell: Cell) -> TestCase:
    case = _case(cell)
    reason = figures.plain(cell.reason or figures.NO_REASON)
    if cell.status == "diverged":
        case.result = Failure(figures.divergence(cell), "diverged")
    elif cell.status in BROKEN:
        error = Error(reason, cell.status)
        error.text = figures.log(cell)
        case.result = error
    elif cell.status in ("inconclusive", "unsupported", "missing"):
        case.result = Skipped(f"{cell.status}: {reason}")
    elif cell.status == "known difference":
        case.system_out = f"known difference: {reason}"
    elif cell.metrics:
        case.system_out = "\n".join(
            f"{name}: {words}" for name, words in figures.outcome(cell.metrics).items()
        )
    return case


def _quantity(cell: Cell, quantity: str, difference: Difference) -> TestCase:
    case = _case(cell, quantity)
    message = f"worst relative difference {figures.number(difference.max_rel)}; "
    message += f"at step {difference.step} tolerance {figures.tolerance(difference)}"
    if difference.headroom is not None:
        message += f", headroom {figures.digits(difference.headroom)}"
    if difference.nature == "undecided":
        case.result = Skipped(f"inconclusive: {message}")
    elif difference.nature != "fault":
        case.system_out = f"{difference.nature}: {message}"
    elif cell.status == "known difference":
        case.system_out = figures.plain(f"known difference: {cell.reason}; {message}")
    else:
        case.result = Failure(message, "diverged")
    return case


def _case(cell: Cell, quantity: str = "") -> TestCase:
    placement = f"{cell.dtype}.{cell.device}.{cell.threads}"
    return TestCase(f"{cell.task} {quantity}".rstrip(), classname=f"{cell.backend}.{placement}")
