"""Compare a trace with the reference's, every quantity by name at every observed step."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from backends import REFERENCE, Limit
from backends.base import Arrays
from harness import tolerance
from harness.result import Difference, Divergence, Parity, Status
from tasks.spec import Array

KINDS = ("loss", "grad", "param", "state", "predict")


@dataclass(frozen=True)
class _Finding:
    """One quantity at one step."""

    step: int
    name: str
    worst: float  # max |actual - desired|; inf where only one side is finite
    rel: float
    limit: float
    element: tuple[int, ...] = ()
    actual: float | None = None
    desired: float | None = None
    what: str = "differs"

    @property
    def agrees(self) -> bool:
        return self.rel <= self.limit


def kind_of(name: str) -> str | None:
    """The kind of a trace's array: "grad/w1" and "grad_loss" are grad; None for what is not compared."""
    if name == "loss":
        return "loss"
    kind = name.partition("/")[0].partition("_")[0]
    return kind if kind in KINDS and kind != "loss" else None


def compare(
    actual: Arrays,
    desired: Arrays,
    dtype: str,
    *,
    not_observed: Mapping[str, str] | None = None,
    replay: bool = False,
) -> Parity:
    """How a trace compares with the reference's.

    `not_observed` maps kinds of quantity that the framework does not show to why.  With `replay`,
    nothing may differ at all.
    """
    hidden = not_observed or {}
    last = tolerance.judged_steps(dtype)
    findings: list[_Finding] = []
    quantities: dict[str, Difference] = {}
    for kind in KINDS:
        names = [name for name in desired if kind_of(name) == kind]
        if not names or kind in hidden:
            continue
        limit = tolerance.REPLAY if replay else tolerance.tolerance(kind, dtype)
        scale = _scale(desired, names)
        found = [
            finding
            for name in names
            for finding in _compare(name, actual, desired, dtype, scale, limit)
            if finding.step <= last
        ]
        if found:  # float32: predictions at the end of a long run are not judged
            findings += found
            quantities[kind] = _difference(found, dtype, scale, limit)
    findings += _unexpected(actual, desired, hidden)
    return Parity(
        reference=REFERENCE,
        quantities=quantities,
        not_observed=[f"{kind}: {why}" for kind, why in hidden.items()],
        first_divergence=_first(findings),
        steps_compared=int(min(last, len(desired["loss"]), len(actual.get("loss", ())))),
    )


def verdict(parity: Parity, limit: Limit | None) -> tuple[Status, str | None]:
    """The status that a comparison comes to, and its reason if it is not plain agreement."""
    if parity.first_divergence is None:
        return "agreed", None
    if limit is None or limit.status != "known difference":
        return "diverged", describe(parity.first_divergence)
    worst = max((q.max_rel if q.max_rel is not None else np.inf) for q in parity.quantities.values())
    if worst <= tolerance.KNOWN_FACTOR * limit.size:
        return "known difference", f"{limit.reason} (differs by {worst:.1e}, declared {limit.size:.0e})"
    return "diverged", f"declared to differ by {limit.size:.0e}, but {describe(parity.first_divergence)}"


def describe(divergence: Divergence) -> str:
    """One clause: where, what, by how much."""
    where = f"{divergence.quantity}{list(divergence.element) if divergence.element else ''}"
    if divergence.max_rel is None or divergence.actual is None:
        return f"from step {divergence.step}, {where} {divergence.what}"
    return (
        f"from step {divergence.step}, {where} {divergence.what}: {divergence.actual:.17g} instead of "
        f"{divergence.desired:.17g}, {divergence.max_rel:.1e} of the largest value, "
        f"tolerance {divergence.tolerance:.1e}"
    )


def _scale(desired: Arrays, names: list[str]) -> float:
    """The largest finite value of these arrays in the whole run; 1 where all are zero."""
    largest = max(float(np.max(np.abs(_finite(desired[name])), initial=0.0)) for name in names)
    return largest or 1.0


def _finite(array: Array) -> Array:
    return array[np.isfinite(array)]


def _steps(name: str, trace: Arrays) -> Array:
    """After how many steps each row of an array was taken; predictions belong to the end."""
    if name == "loss":
        return np.arange(len(trace["loss"]))
    observed = trace.get("observed_steps", np.zeros(0, np.int64))
    return observed[-1:] if kind_of(name) == "predict" else observed


def _compare(
    name: str, actual: Arrays, desired: Arrays, dtype: str, scale: float, limit: float
) -> Iterator[_Finding]:
    """One finding per observed step of one array; a single one where it cannot be compared at all."""
    steps, rows = _steps(name, desired), _rows(name, desired)
    if name not in actual:
        yield _Finding(int(steps[0]), name, np.inf, np.inf, limit, what="is missing")
        return
    expected_dtype = dtype if name.startswith(("param/", "grad/")) else None
    if expected_dtype and actual[name].dtype != expected_dtype:
        what = f"has dtype {actual[name].dtype}, expected {expected_dtype}"
        yield _Finding(int(steps[0]), name, np.inf, np.inf, limit, what=what)
        return
    actual_steps, actual_rows = _steps(name, actual), _rows(name, actual)
    if actual_rows.shape[1:] != rows.shape[1:]:
        what = f"has shape {actual_rows.shape[1:]}, expected {rows.shape[1:]}"
        yield _Finding(int(steps[0]), name, np.inf, np.inf, limit, what=what)
        return
    position = {int(step): i for i, step in enumerate(actual_steps[: len(actual_rows)])}
    for i, step in enumerate(int(step) for step in steps):
        if step in position:
            yield _worst(step, name, actual_rows[position[step]], rows[i], scale, limit)
        else:
            yield _Finding(step, name, np.inf, np.inf, limit, what="was not observed at this step")
    late = [int(step) for step in actual_steps if step > steps[-1]]
    if late and name == "loss":
        yield _Finding(late[0], name, np.inf, np.inf, limit, what=f"goes on for {len(late)} step(s) more")


def _rows(name: str, trace: Arrays) -> Array:
    """The array with a leading axis over steps."""
    return trace[name][None] if kind_of(name) == "predict" else trace[name]


def _worst(step: int, name: str, actual: Array, desired: Array, scale: float, limit: float) -> _Finding:
    """The element of one observation that differs most."""
    actual, desired = np.atleast_1d(actual).astype(np.float64), np.atleast_1d(desired).astype(np.float64)
    with np.errstate(invalid="ignore"):
        distance = np.abs(actual - desired)
    distance = np.where(
        np.isfinite(distance), distance, np.inf
    )  # NaN and inf never agree, not even with themselves
    if not distance.size:
        return _Finding(step, name, 0.0, 0.0, limit)
    element = np.unravel_index(int(np.argmax(distance)), distance.shape)
    worst = float(distance[element])
    return _Finding(
        step,
        name,
        worst,
        worst / scale,
        limit,
        element=tuple(int(i) for i in element),
        actual=float(actual[element]),
        desired=float(desired[element]),
        what="differs" if np.isfinite(worst) else "is not finite",
    )


def _unexpected(actual: Arrays, desired: Arrays, hidden: Mapping[str, str]) -> list[_Finding]:
    """Arrays that the reference does not have: a comparison that skips them would be blind there."""
    return [
        _Finding(0, name, np.inf, np.inf, 0.0, what="is not in the reference")
        for name in actual
        if name not in desired and kind_of(name) and kind_of(name) not in hidden
    ]


def _difference(findings: list[_Finding], dtype: str, scale: float, limit: float) -> Difference:
    worst = max((finding.worst for finding in findings), default=0.0)
    if not np.isfinite(worst):
        return Difference(None, None, None, limit)
    ulp = float(np.spacing(np.array(scale, dtype)))
    return Difference(worst, worst / scale, worst / ulp, limit)


def _first(findings: list[_Finding]) -> Divergence | None:
    """The earliest step out of tolerance, and there the quantity furthest out."""
    out = [finding for finding in findings if not finding.agrees]
    if not out:
        return None
    first = min(out, key=lambda finding: (finding.step, -finding.rel))
    return Divergence(
        step=first.step,
        quantity=first.name,
        element=list(first.element),
        actual=_json(first.actual),
        desired=_json(first.desired),
        max_rel=_json(first.rel),
        tolerance=first.limit,
        what=first.what,
    )


def _json(value: float | None) -> float | None:
    """JSON has no NaN and no inf."""
    return value if value is not None and np.isfinite(value) else None
