"""What a chart shows, in a sentence, from the numbers that it is drawn of."""

import math
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from harness.report.verdict import TITLES
from tasks.spec import Array

Series = Mapping[str, tuple[Array, Array]]

COINCIDE = 1e-9  # curves that are no further apart, relative to the largest value, coincide to the eye
# Of one backend, and of several.
VERBS = ({"be": "is", "stay": "stays", "leave": "leaves"}, {"be": "are", "stay": "stay", "leave": "leave"})
PLURAL = ("mistakes",)
COUNTABLE = 1e4  # more ulp than this are no rounding, and told as a share


def differences(series: Series, tolerance: tuple[Array, Array], eps: float, reference: str) -> str:
    """Of relative differences by step: "Keras and PyTorch stay within 3 ulp of NumPy for all 972 steps"."""
    groups: dict[str, list[str]] = {}
    for label, (steps, sizes) in series.items():
        groups.setdefault(_difference(steps, sizes, tolerance, eps, reference), []).append(label)
    parts = [
        f"{_listed(labels)} {words.format(**VERBS[len(labels) > 1])}" for words, labels in groups.items()
    ]
    return f"{'; '.join(parts)}."


def _difference(
    steps: Array, sizes: Array, tolerance: tuple[Array, Array], eps: float, reference: str
) -> str:
    if not len(steps):
        return "observed no step that can be compared"
    last = f"for all {steps[-1]:,} steps" if steps[-1] > 1 else "in the one step"
    if not np.any(sizes):
        return f"{{be}} {reference} to the last bit {last}"
    out = np.flatnonzero(~(sizes <= np.interp(steps, *tolerance)))
    if out.size:
        size = sizes[out[0]]
        by = f"by {size:.1e} of the largest value" if np.isfinite(size) else "by more than can be told"
        return f"{{leave}} the tolerance at step {steps[out[0]]:,}, {by}"
    largest = float(sizes.max())
    within = f"{math.ceil(largest / eps):,} ulp" if largest < COUNTABLE * eps else f"{largest:.1e}"
    return f"{{stay}} within {within} of {reference} {last}"


def curves(series: Series, x_title: str, y_title: str) -> str:
    """Of curves from left to right: "On all five the loss goes from 0.69 to 0.012 in 387 epochs"."""
    labels = list(series)
    groups = _coinciding(series)
    parts: list[str] = []
    for group in groups:
        x, y = series[group[0]]
        who = "On every backend" if len(group) == len(labels) and len(labels) > 1 else f"On {_listed(group)}"
        parts.append(f"{who if not parts else who[0].lower() + who[1:]} {_course(x, y, x_title, y_title)}")
    return "; ".join(parts) + ("; the curves coincide." if len(groups) == 1 and len(labels) > 1 else ".")


def _course(x: Array, y: Array, x_title: str, y_title: str) -> str:
    finite = np.flatnonzero(np.isfinite(y))
    if not finite.size:
        return f"{y_title} is not finite from the start"
    first, last = y[finite[0]], y[finite[-1]]
    until = f"in {x[finite[-1]]:,.6g} {x_title}{'s' if x[finite[-1]] != 1 else ''}"
    broken = ", and is not finite then" if finite[-1] < len(y) - 1 else ""
    verb = "go" if y_title in PLURAL else "goes"
    return f"{_the(y_title)} {verb} from {first:.3g} to {last:.3g} {until}{broken}"


def _the(name: str) -> str:
    return name if len(name) == 1 or name in PLURAL else f"the {name}"


def fit(series: Series) -> str:
    """Of predictions over a feature."""
    first, *others = _coinciding(series)
    if others:
        return f"Different predictions: {'; '.join(_listed(group) for group in (first, *others))}."
    return f"{_listed(first)} predict the same." if len(first) > 1 else f"What {_listed(first)} predicts."


def paths(found: Mapping[str, Array], minimum: Array) -> str:
    """Of paths w (K, 2) on a function."""
    first = next(iter(found.values()))
    same = [name for name, w in found.items() if w.shape == first.shape and _close(w, first)]
    rest = [name for name in found if name not in same]
    start, end = (float(np.linalg.norm(w - minimum)) for w in (first[0], first[-1]))
    where = f"to {end:.2g}" if np.isfinite(end) else "to where numbers end"
    who = f"{_listed(same)} take the same path" if len(same) > 1 else f"{_listed(same)} goes"
    elsewhere = f"; {_listed(rest)} elsewhere" if rest else ""
    return f"{who} in {len(first) - 1:,} steps from {start:.3g} away from the minimum {where}{elsewhere}."


def ratios(found: Sequence[tuple[str, float]]) -> str:
    """Of step times over the reference's: each backend's range over tasks, the fastest first."""
    by_label: dict[str, list[float]] = {}
    for label, ratio in found:
        by_label.setdefault(label, []).append(ratio)
    ordered = sorted(by_label.items(), key=lambda item: float(np.median(item[1])))
    parts = [f"{TITLES.get(label, label)} {_range(values)}" for label, values in ordered]
    return f"Times the reference's: {', '.join(parts)}." if parts else "Only the reference was timed."


def _range(values: Sequence[float]) -> str:
    low, high = min(values), max(values)
    return f"{low:.2g} ×" if f"{low:.2g}" == f"{high:.2g}" else f"{low:.2g}–{high:.2g} ×"


def bars(parts: Mapping[str, Mapping[str, float]], unit: str) -> str:
    """Of stacked parts: who has the most, and of what."""
    totals = {label: sum(sizes.values()) for label, sizes in parts.items()}
    most, least = max(totals, key=totals.__getitem__), min(totals, key=totals.__getitem__)
    part = max(parts[most], key=parts[most].__getitem__)
    share = f"{parts[most][part]:.3g} of it {part}"
    first = f"{TITLES.get(most, most)} has the most, {totals[most]:.3g} {unit}, {share}"
    last = f"; {TITLES.get(least, least)} the least, {totals[least]:.3g}" if least != most else ""
    return f"{first}{last}."


def growth(series: Series, x_title: str) -> str:
    """Of times over sizes: by what each grows from the smallest to the largest."""
    parts = [
        f"{TITLES.get(label, label)} {y[-1] / y[0]:.2g} ×"
        for label, (_, y) in series.items()
        if len(y) > 1 and y[0] > 0 and np.isfinite(y[-1])
    ]
    ends = [(x[0], x[-1]) for x, _ in series.values() if len(x)]
    if not parts:
        return "Too few points to tell how it grows."
    low, high = min(low for low, _ in ends), max(high for _, high in ends)
    return f"From {low:g} to {high:g} {x_title}: {', '.join(parts)}."


def _coinciding(series: Series) -> list[list[str]]:
    """Labels whose curves coincide to the eye."""
    groups: list[list[str]] = []
    for label, (x, y) in series.items():
        for group in groups:
            there, up = series[group[0]]
            if x.shape == there.shape and np.array_equal(x, there) and _close(y, up):
                group.append(label)
                break
        else:
            groups.append([label])
    return groups


def _close(a: Array, b: Array) -> bool:
    size = float(np.abs(b[np.isfinite(b)]).max(initial=0.0))
    return bool(np.allclose(a, b, rtol=0, atol=COINCIDE * size, equal_nan=True))


def _listed(labels: Iterable[str]) -> str:
    """Frameworks as their people write them: "Keras, TensorFlow and PyTorch"."""
    *most, last = [TITLES.get(label, label) for label in labels]
    return f"{', '.join(most)} and {last}" if most else last
