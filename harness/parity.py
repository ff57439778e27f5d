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
CAUSES = (
    "state",
    "param",
    "loss",
    "grad",
    "predict",
)  # of one step: each can be wrong because of those before


@dataclass(frozen=True)
class _Finding:
    """One quantity at one step."""

    step: int
    name: str
    worst: float = np.inf  # max |actual - desired|; inf where something cannot be compared
    rel: float = np.inf
    ulp: float = np.inf
    limit: float = 0.0
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
    shared = min(len(actual.get("loss", ())), len(desired["loss"]))
    findings: list[_Finding] = []
    quantities: dict[str, Difference] = {}
    for kind in KINDS:
        names = [name for name in desired if kind_of(name) == kind]
        if not names or kind in hidden:
            continue
        limit = tolerance.REPLAY if replay else tolerance.tolerance(kind, dtype)
        found = [
            finding
            for name in names
            for finding in _compare(name, actual, desired, dtype, _scale(desired, name), limit)
            if finding.step <= min(last, shared)
        ]
        if found:  # float32: predictions at the end of a long run are not judged
            findings += found
            quantities[kind] = _difference(found, limit)
    findings += _unexpected(actual, desired, hidden)
    if len(actual.get("loss", ())) != len(desired["loss"]) and shared <= last:
        what = f"stops after {len(actual.get('loss', ()))} steps, expected {len(desired['loss'])}"
        findings.append(_Finding(shared, "loss", what=what))
    return Parity(
        reference=REFERENCE,
        quantities=quantities,
        not_observed=[f"{kind}: {why}" for kind, why in hidden.items()],
        first_divergence=_first(findings),
        steps_compared=int(min(last, shared)),
    )


def verdict(parity: Parity, limit: Limit | None, replayed: Parity | None = None) -> tuple[Status, str | None]:
    """The status that a comparison comes to, and its reason if it is not plain agreement.

    `replayed` compares the same trace with the reference's on the task as `limit.instead` has it: if
    that agrees, the declared cause explains the whole difference.
    """
    if parity.first_divergence is None:
        return "agreed", None
    if limit is None or limit.status != "known difference":
        return "diverged", describe(parity.first_divergence)
    size = worst(parity)
    if replayed is not None:
        if replayed.first_divergence is None:
            return "known difference", (
                f"{limit.reason} (differs by {size:.1e}; "
                f"computed so, the reference agrees to {worst(replayed):.1e})"
            )
        return "diverged", (
            f"{limit.reason}; but computed so, the reference differs {describe(replayed.first_divergence)}"
        )
    if size <= tolerance.KNOWN_FACTOR * limit.size:
        return "known difference", f"{limit.reason} (differs by {size:.1e}, declared {limit.size:.0e})"
    return "diverged", f"declared to differ by {limit.size:.0e}, but {describe(parity.first_divergence)}"


def worst(parity: Parity) -> float:
    """The largest relative difference of any quantity; inf where one cannot be compared."""
    found = [quantity.max_rel for quantity in parity.quantities.values()]
    return max((np.inf if rel is None else rel for rel in found), default=0.0)


def describe(divergence: Divergence) -> str:
    """One clause: where, what, by how much, and what else differs there."""
    where = f"{divergence.quantity}{list(divergence.element) if divergence.element else ''}"
    said = f"from step {divergence.step}, {where} {divergence.what}"
    if divergence.max_rel is not None and divergence.actual is not None:
        said += (
            f": {divergence.actual:.17g} instead of {divergence.desired:.17g}, "
            f"{divergence.max_rel:.1e} of the largest value, tolerance {divergence.tolerance:.1e}"
        )
    if divergence.agreeing:
        said += f"; still agreeing at that step: {', '.join(divergence.agreeing)}"
    return said


def _scale(desired: Arrays, name: str) -> float:
    """The largest finite value in the whole run of this array and its like; 1 where all are zero.

    Alike are all parameters, all gradients, all arrays of one slot.  A step count is counted in ones.
    """
    if name == "state/step":
        return 1.0
    group = name.rpartition("/")[0]
    names = [other for other in desired if other.rpartition("/")[0] == group] if group else [name]
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
        yield _Finding(int(steps[0]), name, what="is missing")
        return
    expected_dtype = dtype if name.startswith(("param/", "grad/")) else None
    if expected_dtype and actual[name].dtype != expected_dtype:
        what = f"has dtype {actual[name].dtype}, expected {expected_dtype}"
        yield _Finding(int(steps[0]), name, what=what)
        return
    actual_steps, actual_rows = _steps(name, actual), _rows(name, actual)
    if actual_rows.shape[1:] != rows.shape[1:]:
        what = f"has shape {actual_rows.shape[1:]}, expected {rows.shape[1:]}"
        yield _Finding(int(steps[0]), name, what=what)
        return
    position = {int(step): i for i, step in enumerate(actual_steps[: len(actual_rows)])}
    last = (
        actual_steps[-1] if len(actual_steps) else np.inf
    )  # that the run ends elsewhere is said once, of its loss
    ulp = float(np.spacing(np.array(scale, dtype)))
    for i, step in enumerate(int(step) for step in steps):
        if step in position:
            yield _worst(step, name, actual_rows[position[step]], rows[i], scale, ulp, limit)
        elif step <= last:
            yield _Finding(step, name, what="was not observed at this step")


def _rows(name: str, trace: Arrays) -> Array:
    """The array with a leading axis over steps."""
    return trace[name][None] if kind_of(name) == "predict" else trace[name]


def _worst(
    step: int, name: str, actual: Array, desired: Array, scale: float, ulp: float, limit: float
) -> _Finding:
    """The element of one observation that differs most."""
    actual, desired = np.asarray(actual, np.float64), np.asarray(desired, np.float64)
    with np.errstate(invalid="ignore"):
        distance = np.abs(actual - desired)
    # NaN and inf never agree, not even with themselves.
    distance = np.where(np.isfinite(distance), distance, np.inf)
    if not distance.size:
        return _Finding(step, name, 0.0, 0.0, 0.0, limit)
    element = np.unravel_index(int(np.argmax(distance)), distance.shape)
    worst = float(distance[element])
    return _Finding(
        step,
        name,
        worst,
        worst / scale,
        worst / ulp,
        limit,
        element=tuple(int(i) for i in element),
        actual=float(actual[element]),
        desired=float(desired[element]),
        what="differs" if np.isfinite(worst) else "is not finite",
    )


def _unexpected(actual: Arrays, desired: Arrays, hidden: Mapping[str, str]) -> list[_Finding]:
    """Arrays that the reference does not have: a comparison that skips them would be blind there."""
    return [
        _Finding(0, name, what="is not in the reference")
        for name in actual
        if name not in desired and kind_of(name) and kind_of(name) not in hidden
    ]


def _difference(findings: list[_Finding], limit: float) -> Difference:
    """The finding that differs most, for its size, of one kind of quantity."""
    most = max(findings, key=lambda finding: finding.rel)
    return Difference(_json(most.worst), _json(most.rel), _json(most.ulp), limit)


def _first(findings: list[_Finding]) -> Divergence | None:
    """The earliest step out of tolerance, and there the quantity that the others follow from."""
    out = [finding for finding in findings if not finding.agrees]
    if not out:
        return None
    first = min(out, key=lambda finding: (finding.step, CAUSES.index(_kind(finding)), -finding.rel))
    there = [finding for finding in findings if finding.step == first.step]
    differing = {_kind(finding) for finding in there if not finding.agrees}
    return Divergence(
        step=first.step,
        quantity=first.name,
        element=list(first.element),
        actual=_json(first.actual),
        desired=_json(first.desired),
        max_rel=_json(first.rel),
        tolerance=first.limit,
        what=first.what,
        differing=[kind for kind in CAUSES if kind in differing],
        agreeing=[kind for kind in CAUSES if kind not in differing and kind in map(_kind, there)],
    )


def _kind(finding: _Finding) -> str:
    kind = kind_of(finding.name)
    assert kind is not None
    return kind


def _json(value: float | None) -> float | None:
    """JSON has no NaN and no inf."""
    return value if value is not None and np.isfinite(value) else None
