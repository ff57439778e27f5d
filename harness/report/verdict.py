"""The verdict on a whole run, in one sentence."""

from collections import Counter
from collections.abc import Sequence

from harness.report import figures
from harness.result import BROKEN, Cell, Result

TITLES = {
    "numpy": "NumPy",
    "sklearn": "scikit-learn",
    "tensorflow": "TensorFlow",
    "keras": "Keras",
    "torch": "PyTorch",
}
BAD = ("diverged", *BROKEN)
NAMED = 3  # a sentence names this many cells; all are listed elsewhere


def sentence(result: Result) -> str:
    """What the run showed.  The reference agrees with itself by definition, so that is not counted."""
    judged = [
        cell for cell in result.cells if cell.status != "agreed" or not figures.is_reference(cell, result)
    ]
    is_bad = any(cell.status in BAD for cell in judged)
    words = _bad(judged) if is_bad else _good(judged, result)
    ending = _tally(judged, "" if is_bad else "agreed") + _worst(judged)
    return f"{'' if result.complete else 'This run is unfinished. '}{words}{ending}."


def _bad(judged: Sequence[Cell]) -> str:
    parts: list[str] = []
    for status in BAD:
        cells = [cell for cell in judged if cell.status == status]
        if cells:
            total = "" if parts else f" of {_count(len(judged), 'cell')}"
            parts.append(f"{len(cells)}{total} {status} ({_names(cells)})")
    return ", ".join(parts)


def _good(judged: Sequence[Cell], result: Result) -> str:
    reference = TITLES.get(result.reference, result.reference)
    agreed = [cell for cell in judged if cell.status == "agreed"]
    if not agreed:
        return f"No cell was found to agree with {reference}"
    tasks, total = ({cell.task for cell in cells} for cells in (agreed, result.cells))
    names = {cell.backend for cell in agreed}
    others = _count(len(names), "backend" if result.reference in names else "other backend")
    share = f"{len(tasks)} of {len(total)}" if tasks != total else "all " * (len(total) > 1) + str(len(total))
    cells = f"{len(agreed)} of {_count(len(judged), 'cell')}"
    return f"{cells} agree with {reference}, on {share} {'task' if share == '1' else 'tasks'} and {others}"


def _tally(judged: Sequence[Cell], said: str) -> str:
    """How many cells came to each end that has not been said yet."""
    counts = Counter(cell.status for cell in judged)
    shown = [status for status in figures.STATUSES if counts[status] and status not in (*BAD, said)]
    parts = [
        f"{_count(counts[status], 'cell')} agreed" if status == "agreed" else counted(counts[status], status)
        for status in shown
    ]
    return f": {', '.join(parts)}" if parts else ""


def _worst(judged: Sequence[Cell]) -> str:
    """The worst difference that was let pass; known differences are declared with their own size."""
    agreed = [cell for cell in judged if cell.status == "agreed"]
    found = [(*worst, figures.name(cell)) for cell in agreed if (worst := figures.worst(cell))]
    if not found:
        return ""
    size, quantity, name = max(found)
    return f"; worst difference of those that agreed {figures.number(size)} ({name}, {quantity})"


def counted(count: int, status: str) -> str:
    """So many cells came to this end: "2 known differences", "3 agreed"."""
    return _count(count, status) if status == "known difference" else f"{count} {status}"


def _names(cells: Sequence[Cell]) -> str:
    more = [f"{len(cells) - NAMED} more"] if len(cells) > NAMED else []
    return ", ".join([figures.name(cell) for cell in cells[:NAMED]] + more)


def _count(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
