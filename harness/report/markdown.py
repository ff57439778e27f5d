"""summary.md, for the page of a CI job."""

import html
import shlex
from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path

from harness import trace
from harness.report import figures, verdict
from harness.result import BROKEN, Cell, Result


def write(result: Result, folder: Path) -> Path:
    """Write summary.md into the folder; raises `OSError` when it cannot be written."""
    path = folder / "summary.md"
    parts = [
        _verdict, _not_explained, _concepts, _matrix, _overflows, _divergences, _inconclusive, _timing,
        _reasons, _environment,
    ]  # fmt: skip
    lines = [line for part in parts for line in (*part(result), "")]
    trace.write(path, "\n".join(lines).encode())
    return path


def _verdict(result: Result) -> Iterator[str]:
    yield f"**{escape(verdict.sentence(result))}**"


def _not_explained(result: Result) -> Iterator[str]:
    found = figures.not_explained(result)
    if found:
        yield f"**Not explained, {len(found)} of {len(result.cells)} cells:**"
        yield ""
    for cell in found:
        yield f"- {escape(figures.gap(cell))}"


def _concepts(result: Result) -> Iterator[str]:
    """A table of how many cells came to each end; then claim and measurement of each concept."""
    if not result.concepts:
        return
    yield "## What is said, and what was measured"
    yield ""
    yield from _head(result, "concept")
    for title, cells in figures.concepts(result).items():
        row = [[cell for cell in cells if cell.backend == backend] for backend in figures.backends(result)]
        yield _row([title, *(", ".join(figures.tally(cells, result)) for cells in row)])
    yield ""
    for concept in result.concepts:
        yield f"- **{escape(concept.title)}**: {escape(concept.claim)} *{escape(concept.measured)}*"


def _matrix(result: Result) -> Iterator[str]:
    yield f"## Agreement with {result.reference}"
    yield ""
    yield f"{figures.matrix_title(result)} of any quantity, in the training or in a single step."
    if headroom := figures.least_headroom(result):
        yield f"Least headroom {escape(headroom)}."
    yield ""
    yield from _head(result)
    for name, cells in figures.matrix(result).items():
        row = (cells.get(backend) for backend in figures.backends(result))
        yield _row([name, *(figures.word(cell, result) if cell else "" for cell in row)])


def _overflows(result: Result) -> Iterator[str]:
    found = figures.overflows(result)
    if found:
        yield "## Loss no longer finite, which ends the training"
        yield ""
    for steps, tasks in sorted(found.items()):
        yield f"- after {steps} steps: {escape(', '.join(tasks))}"


def _divergences(result: Result) -> Iterator[str]:
    found = figures.divergences(result)
    if found:
        yield "## First divergences"
        yield ""
    for cell in chain.from_iterable(found.values()):
        yield f"- **{escape(figures.name(cell))}**: {escape(figures.divergence(cell))}{_cards([cell])}"
    for sentence, tasks in figures.odd_ones_out(result).items():
        yield f"- **{escape(sentence)}** ({escape(', '.join(tasks))})"


def _inconclusive(result: Result) -> Iterator[str]:
    found = figures.inconclusive(result)
    if found:
        yield "## Inconclusive"
        yield ""
        yield figures.DOUBT
        yield ""
    for task, words in found.items():
        yield f"- **{escape(task)}**: {escape(words)}"


def _timing(result: Result) -> Iterator[str]:
    if not any(cell.timing for cell in result.cells):
        return
    yield "## Step time"
    yield ""
    yield f"Median; ratio to {result.reference}'s `run`, 95 % interval (A/A: to itself)."
    yield ""
    for lane in figures.lanes(result):
        yield from _head(result, f"task, in {lane}")
        for name, cells in figures.table(result).items():
            row = [cells.get(backend) for backend in figures.backends(result)]
            words = [", ".join(figures.timing_words(cell, result, lane)) if cell else "" for cell in row]
            if any(words):
                yield _row([name, *words])
        yield ""
    for remark, concerned in figures.timing_remarks(result).items():
        yield f"- {escape(remark)} ({escape(figures.briefly(concerned, result))})"


def _reasons(result: Result) -> Iterator[str]:
    grouped = figures.reasons(result)
    if grouped:
        yield "## Reasons"
        yield ""
    for (status, reason), cells in grouped.items():
        where = escape(figures.briefly(cells, result))
        yield f"- **{status}**: {escape(reason)} ({where}){_cards(cells)}"
        if status in BROKEN and cells[0].details:
            summary = f"<summary>log of {escape(figures.name(cells[0]))}</summary>"
            log = html.escape(figures.log(cells[0])).replace("\n", "&#10;")  # empty lines would end it
            yield f"  <details>{summary}<pre>{log}</pre></details>"


def _cards(cells: Sequence[Cell]) -> str:
    """What the guide has on the causes of some cells."""
    found = figures.all_cards(cells)
    return f" See `samestep guide {' '.join(found)}`." if found else ""


def _environment(result: Result) -> Iterator[str]:
    where = result.environment
    yield "## Environment"
    yield ""
    yield f"- Python {where.python}, {escape(where.platform)}"
    yield f"- {escape(where.processor)}, {where.cores} cores, {where.memory_gb:.3g} GB memory"
    yield f"- {where.threads} thread(s), {where.device}"
    yield f"- {', '.join(f'{name} {version}' for name, version in where.versions.items())}"
    yield f"- started {result.started}, took {result.seconds:.0f} s"
    yield f"- again: <code>{escape(shlex.join(result.command))}</code>"


def _head(result: Result, row: str = "task") -> Iterator[str]:
    names = [row, *figures.backends(result)]
    yield _row(names)
    yield "|" + " --- |" * len(names)


def _row(cells: list[str]) -> str:
    return "| " + " | ".join(map(escape, cells)) + " |"


def escape(text: str) -> str:
    """Text that neither opens a tag, nor a table's cell, nor emphasis, nor a new line."""
    text = html.escape(" ".join(text.split()), quote=False)
    for special in "\\|*_`[]":
        text = text.replace(special, f"\\{special}")
    return text
