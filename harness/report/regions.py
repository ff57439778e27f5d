"""Decision regions as small images: one panel per backend, and one for how far the backends differ."""

import base64
import struct
import zlib
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from harness import trace
from tasks.spec import Array, Task

LEVELS = 20  # bands of a score; an even number, so that one edge is at 0.5
BLUE, PALE_BLUE = (0, 114, 178), (222, 235, 247)  # class 0, from sure to unsure
ORANGE, PALE_ORANGE = (230, 159, 0), (253, 239, 213)  # class 1, likewise
GREY = (150, 150, 150)  # not finite
WHITE, PURPLE = (255, 255, 255), (90, 0, 110)  # no difference, and the largest
SMALLEST = -17  # power of ten where the scale of differences begins; it ends at 1


@dataclass(frozen=True)
class Panel:
    """A square picture of the plane, first feature to the right and second upwards."""

    title: str
    image: str  # data URI of a PNG
    note: str


@dataclass(frozen=True)
class Regions:
    """The panels of one task, and its training rows as SVG paths on a square of 100 × 100."""

    panels: list[Panel]
    classes: list[str]  # one path per class, of points
    window: str


def regions(grids: Mapping[str, Array], task: Task) -> Regions:
    """Panels from each backend's scores (GRID·GRID,) at the points of `harness.trace.grid`."""
    panels = [Panel(label, _png(_shades(scores)), _score_note(scores)) for label, scores in grids.items()]
    if len(grids) > 1:
        spread = np.ptp(np.array(list(grids.values())), axis=0)  # (GRID·GRID,) NaN where any score is
        panels.append(
            Panel("largest difference between backends", _png(_spread_shades(spread)), _spread_note(spread))
        )
    corners = trace.grid(task)[[0, -1]]  # (2, 2)
    (left, bottom), (right, top) = corners
    window = f"first feature from {left:.3g} to {right:.3g}, second from {bottom:.3g} to {top:.3g}"
    return Regions(panels, _points(task, corners), window)


def _points(task: Task, corners: Array) -> list[str]:
    """A zero-length stroke per training row: its line cap draws the marker."""
    assert task.data is not None
    x = (task.data.x_train - corners[0]) / (corners[1] - corners[0]) * 100  # (N, 2)
    return [
        "".join(f"M{right:.1f} {100 - up:.1f}h0" for right, up in x[task.data.y_train == label])
        for label in (0, 1)
    ]


def _shades(scores: Array) -> Array:
    """Blue below 0.5, orange from there on; the surer the stronger: (GRID·GRID, 3)."""
    below = np.linspace(BLUE, PALE_BLUE, LEVELS // 2)
    table = np.vstack([below, np.linspace(PALE_ORANGE, ORANGE, LEVELS // 2), [GREY]])
    finite = np.isfinite(scores)
    level = np.clip(np.floor(np.where(finite, scores, 0) * LEVELS), 0, LEVELS - 1).astype(int)
    return table[np.where(finite, level, LEVELS)]


def _spread_shades(spread: Array) -> Array:
    """White where all backends have the same score, darker with each power of ten: (GRID·GRID, 3)."""
    table = np.vstack([np.linspace(WHITE, PURPLE, 1 - SMALLEST), [GREY]])
    finite = np.isfinite(spread)
    power = np.log10(np.where(finite & (spread > 0), spread, 10.0**SMALLEST))
    level = np.clip(np.ceil(power) - SMALLEST, 0, -SMALLEST).astype(int)
    return table[np.where(finite, level, -1)]


def _score_note(scores: Array) -> str:
    broken = int(np.sum(~np.isfinite(scores)))
    if broken:
        return f"{broken} of {scores.size} scores are not finite (grey)"
    return f"class 1 on {np.mean(scores > 0.5):.1%} of the plane"


def _spread_note(spread: Array) -> str:
    finite = spread[np.isfinite(spread)]
    largest = (
        f"at most {finite.max():.1e}" if finite.size and finite.max() > 0 else "identical wherever finite"
    )
    broken = f", {spread.size - finite.size} points not finite (grey)" if finite.size < spread.size else ""
    return f"{largest}{broken}; white: identical, darker by powers of ten up to 1"


def _png(colours: Array) -> str:
    """Data URI of colours (GRID·GRID, 3), of which the first row is the lowest."""
    size = trace.GRID
    lines = colours.astype(np.uint8).reshape(size, -1)[::-1]  # (GRID, GRID·3) PNG begins at the top
    pixels = np.pad(lines, ((0, 0), (1, 0))).tobytes()  # the 0 before a line says that it is not filtered
    header = struct.pack(">2I5B", size, size, 8, 2, 0, 0, 0)  # 8 bits, RGB
    parts = [(b"IHDR", header), (b"IDAT", zlib.compress(pixels, 9)), (b"IEND", b"")]
    content = b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in parts
    )
    return "data:image/png;base64," + base64.b64encode(b"\x89PNG\r\n\x1a\n" + content).decode()
