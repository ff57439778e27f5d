"""Decision regions as small images: one panel per backend, and one for how far the backends differ."""

import base64
import struct
import zlib
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from harness import trace
from tasks.spec import Array, Hinge, Network, Task

LEVELS = 20  # bands of a score; an even number, so that one edge is in the middle
BLUE, PALE_BLUE = (0, 114, 178), (222, 235, 247)  # class 0, from sure to unsure
ORANGE, PALE_ORANGE = (230, 159, 0), (253, 239, 213)  # class 1, likewise
# Of several classes, Okabe and Ito's.
COLOURS = (BLUE, ORANGE, (0, 158, 115), (204, 121, 167), (213, 94, 0), (86, 180, 233))
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
    classes: list[str]  # one path per class, of points; one in all where the targets are no classes
    window: str
    key: str  # what the colours mean


# A mark per class in turn: a line cap, round or square, a triangle and a rhombus.
MARKS = ("h0", "h0", "m0-1.3l1.2 2.2h-2.4z", "m0-1.5l1.4 1.5l-1.4 1.5l-1.4-1.5z")


def regions(grids: Mapping[str, Array], task: Task) -> Regions:
    """Panels from each backend's scores at the points of `harness.trace.grid`, (P,) or (P, C)."""
    panels = [_panel(label, scores, task, next(iter(grids.values()))) for label, scores in grids.items()]
    if len(grids) > 1:
        spread = np.ptp(np.array(list(grids.values())), axis=0)  # (P,) or (P, C), NaN where any score is
        spread = spread.reshape(len(spread), -1).max(axis=1)  # (P,)
        panels.append(
            Panel("largest difference between backends", _png(_spread_shades(spread)), _spread_note(spread))
        )
    corners = trace.grid(task)[[0, -1]]  # (2, 2)
    (left, bottom), (right, top) = corners
    window = f"first feature from {left:.3g} to {right:.3g}, second from {bottom:.3g} to {top:.3g}"
    return Regions(panels, _points(task, corners), window, _key(task))


def _panel(label: str, scores: Array, task: Task, first: Array) -> Panel:
    broken = int(np.sum(~np.isfinite(scores.reshape(len(scores), -1)).all(axis=1)))
    note = f"{broken} of {len(scores)} scores are not finite (grey)" if broken else _note(scores, task)
    shades = _class_shades(scores) if scores.ndim == 2 else _shades(_shares(scores, task, first))
    return Panel(label, _png(shades), note)


def _is_regression(task: Task) -> bool:
    return isinstance(task.model, Network) and task.model.loss.classes is None


def _key(task: Task) -> str:
    if _is_regression(task):
        return "Blue: low values, orange: high ones. The training rows are marked."
    if isinstance(task.model, Network) and task.model.loss.outputs > 1:
        return "A colour for each class, stronger where it is surer; the training rows are marked likewise."
    sure = "margin is wider, up to 1" if _is_margin(task) else "score is surer"
    return (
        f"Blue: class 0, orange: class 1, stronger where the {sure}. "
        "Training rows: round marks are class 0, square ones class 1."
    )


def _is_margin(task: Task) -> bool:
    return isinstance(task.model, Network) and isinstance(task.model.loss, Hinge)


def _points(task: Task, corners: Array) -> list[str]:
    """A mark per training row; of the first two classes a line without length, drawn by its cap."""
    assert task.data is not None
    x = (task.data.x_train - corners[0]) / (corners[1] - corners[0]) * 100  # (N, 2)
    y = np.zeros(len(x)) if _is_regression(task) else task.data.y_train
    return [
        "".join(f"M{right:.1f} {100 - up:.1f}{MARKS[int(label) % len(MARKS)]}" for right, up in x[y == label])
        for label in range(int(y.max()) + 1)
    ]


def _shares(scores: Array, task: Task, first: Array) -> Array:
    """Scores (P,) from 0 to 1, of which the middle divides the colours."""
    if _is_regression(task):
        finite = first[np.isfinite(first)]
        low, high = (finite.min(), finite.max()) if finite.size else (0.0, 1.0)
        return (scores - low) / ((high - low) or 1.0)
    return 0.5 + 0.5 * scores if _is_margin(task) else scores


def _shades(shares: Array) -> Array:
    """Blue below 0.5, orange from there on; the surer the stronger: (P, 3)."""
    below = np.linspace(BLUE, PALE_BLUE, LEVELS // 2)
    table = np.vstack([below, np.linspace(PALE_ORANGE, ORANGE, LEVELS // 2), [GREY]])
    finite = np.isfinite(shares)
    level = np.clip(np.floor(np.where(finite, shares, 0) * LEVELS), 0, LEVELS - 1).astype(int)
    return table[np.where(finite, level, LEVELS)]


def _class_shades(scores: Array) -> Array:
    """The colour of the likeliest class of scores (P, C), paler where it is not much likelier: (P, 3)."""
    finite = np.isfinite(scores).all(axis=1)
    known = np.where(finite[:, None], scores, 0)
    classes = scores.shape[1]
    sure = (known.max(axis=1, keepdims=True) - 1 / classes) / (1 - 1 / classes)  # (P, 1) from 0 to 1
    strength = 0.15 + 0.85 * np.clip(np.round(sure * LEVELS / 2) / (LEVELS / 2), 0, 1)
    colour = np.array(COLOURS)[known.argmax(axis=1) % len(COLOURS)]  # (P, 3)
    return np.where(finite[:, None], strength * colour + (1 - strength) * np.array(WHITE), GREY)


def _note(scores: Array, task: Task) -> str:
    if _is_regression(task):
        return f"from {scores.min():.3g} to {scores.max():.3g}"
    if scores.ndim == 2:
        shares = np.bincount(scores.argmax(axis=1), minlength=scores.shape[1]) / len(scores)
        return "of the plane, " + ", ".join(
            f"class {label}: {share:.1%}" for label, share in enumerate(shares)
        )
    return f"class 1 on {np.mean(_shares(scores, task, scores) > 0.5):.1%} of the plane"


def _spread_shades(spread: Array) -> Array:
    """White where all backends have the same score, darker with each power of ten: (GRID·GRID, 3)."""
    table = np.vstack([np.linspace(WHITE, PURPLE, 1 - SMALLEST), [GREY]])
    finite = np.isfinite(spread)
    power = np.log10(np.where(finite & (spread > 0), spread, 10.0**SMALLEST))
    level = np.clip(np.ceil(power) - SMALLEST, 0, -SMALLEST).astype(int)
    return table[np.where(finite, level, -1)]


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
