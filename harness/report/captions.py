"""What a chart shows, in a sentence, from the numbers that it is drawn of."""

import math
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from harness.report.verdict import TITLES
from tasks.spec import Array

Series = Mapping[str, tuple[Array, Array]]

COINCIDE = 1e-9  # curves that are no further apart, relative to the largest value, coincide to the eye
PLURAL = ("mistakes",)
COUNTABLE = 1e4  # more ulp than this are no rounding, and told as a share


def differences(series: Series, tolerance: tuple[Array, Array], eps: float, reference: str) -> str:
    """Of relative differences by step: "Keras and PyTorch stay within 3 ulp of NumPy for all 972 steps".

    `tolerance` are steps (K,) and there the highest tolerance of any parameter (K,).
    """
    outside = {label: _leaves(*found, tolerance) for label, found in series.items()}
    parts = [f"{_listed([label])} {words}" for label, words in outside.items() if words]
    inside = {label: sizes for label, (_, sizes) in series.items() if not outside[label] and len(sizes)}
    if not inside:
        return f"{'; '.join(parts) or 'No step can be compared'}."
    steps = max(int(series[label][0][-1]) for label in inside)
    last = f"for all {steps:,} steps" if steps > 1 else "in the one step"
    exact = [label for label, sizes in inside.items() if not np.any(sizes)]
    if exact:
        parts.insert(
            0, f"{_listed(exact)} {'are' if len(exact) > 1 else 'is'} {reference} to the last bit {last}"
        )
    near = {label: float(sizes.max()) for label, sizes in inside.items() if label not in exact}
    if near:
        parts.insert(0, f"{_listed(near)} {_within(near, eps)} of {reference} {last}{_each(near, eps)}")
    return f"{'; '.join(parts)}."


def _within(near: Mapping[str, float], eps: float) -> str:
    return f"{'stay' if len(near) > 1 else 'stays'} within {_size(max(near.values()), eps)}"


def _each(near: Mapping[str, float], eps: float) -> str:
    """The worst of each, where they are not all the same."""
    groups: dict[str, list[str]] = {}
    for label, size in sorted(near.items(), key=lambda item: item[1]):
        groups.setdefault(_size(size, eps), []).append(label)
    parts = [f"{_listed(labels)} {size.removesuffix(' ulp')}" for size, labels in groups.items()]
    return f" ({', '.join(parts)})" if len(groups) > 1 else ""


def _size(largest: float, eps: float) -> str:
    return f"{math.ceil(largest / eps):,} ulp" if largest < COUNTABLE * eps else f"{largest:.1e}"


def _leaves(steps: Array, sizes: Array, tolerance: tuple[Array, Array]) -> str:
    """Where a backend is first out of tolerance, in words; nothing where it never is."""
    out = np.flatnonzero(~(sizes <= np.interp(steps, *tolerance)))
    if not out.size:
        return ""
    size = sizes[out[0]]
    by = f"by {size:.1e} of the largest value" if np.isfinite(size) else "by more than can be told"
    return f"leaves the tolerance at step {steps[out[0]]:,}, {by}"


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
    verb, be = ("go", "are") if y_title in PLURAL else ("goes", "is")
    broken = f", and {be} not finite then" if finite[-1] < len(y) - 1 else ""
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
    first, last = (f"{float(f'{value:.2g}'):,g}" for value in (low, high))
    return f"{first} ×" if first == last else f"{first}–{last} ×"


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
