"""Compare a trace with the reference's, every quantity by name at every observed step.

Twice: the whole run from the start, free-running, and single steps, each from the reference's own
state.  A difference is rounding, or growth of rounding that the task itself explains, or a fault; where
rounding alone may have grown so large that a fault would not show, it is undecided.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from backends import REFERENCE
from backends.base import Arrays
from backends.limits import Limit
from harness import tolerance
from harness.distance import distances, farthest, largest_so_far, scale
from harness.result import Cause, Difference, Divergence, Nature, Parity, Status
from tasks.spec import Array

KINDS = ("loss", "grad", "param", "state", "predict")
CAUSES = ("state", "param", "loss", "grad", "predict")  # of one step: each follows from those before
LOCAL = "local/"


@dataclass(frozen=True)
class Series:
    """The differences of one array, step by step; each field but the names is (K,)."""

    name: str
    steps: Array  # after how many steps
    distance: Array  # largest |actual - desired|; inf where something is not finite or not comparable
    scale: Array  # largest magnitude of the reference so far, of the whole run where that is still 0
    rounding: Array
    tolerance: Array
    what: str = "differs"

    @property
    def kind(self) -> str:
        kind = kind_of(self.name)
        assert kind is not None
        return kind

    def used(self) -> Array:
        """The share of the tolerance that is used, (K,); a fault above 1."""
        return np.where(self.distance == 0, 0.0, self.distance / self.tolerance)

    def rel(self) -> Array:
        """The difference relative to the scale, (K,)."""
        return self.distance / self.scale

    def is_fault(self) -> Array:
        return ~(self.distance <= self.tolerance)

    def is_undecided(self) -> Array:
        size = self.scale.max(initial=0.0)  # of the whole run: a loss may be near 0 for a while
        blind = self.tolerance > tolerance.BLIND * size
        return ~self.is_fault() & (self.distance > self.rounding) & blind


def kind_of(name: str) -> str | None:
    """The kind of a trace's array: "grad/w1" and "grad_loss" are grad; None for what is not compared."""
    bare = name.removeprefix(LOCAL)
    if bare == "loss":
        return "loss"
    kind = bare.partition("/")[0].partition("_")[0]
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
    # What diverged predicts nothing, which says no more than its end.
    left_out = {*hidden, "predict"} if _only_one_diverged(actual, desired) else {*hidden}
    names = [name for name in desired if (kind := kind_of(name)) and kind not in left_out]
    with np.errstate(all="ignore"):  # inf is a result, judged like any other
        series = [found for name in names for found in _series(name, actual, desired, dtype, replay=replay)]
        series += _unexpected(actual, desired, left_out)
        ends = _end(actual, desired)  # a number of steps: no difference of any quantity
        return Parity(
            reference=REFERENCE,
            quantities=_worst_of_each_kind(series, dtype, local=False),
            single_steps=_worst_of_each_kind(series, dtype, local=True),
            not_observed=[f"{kind}: {why}" for kind, why in hidden.items()],
            first_divergence=_first(series + ends, actual, desired),
            first_undecided=_first_undecided(series + ends),
            steps_compared=min(len(actual.get("loss", ())), len(desired["loss"])),
        )


def differences(actual: Arrays, desired: Arrays, dtype: str) -> list[Series]:
    """The differences of every quantity that both traces have and that can be compared, step by step."""
    names = [name for name in desired if kind_of(name) and name in actual]
    with np.errstate(all="ignore"):
        found = [series for name in names for series in _series(name, actual, desired, dtype, replay=False)]
    return [series for series in found if series.what == Series.what]


def verdict(
    parity: Parity, limit: Limit | None, causes: Sequence[Cause] = (), hint: str | None = None
) -> tuple[Status, str | None]:
    """The status that a comparison comes to, and its reason if it is not plain agreement.

    A declared difference is known as long as the reference, computed with the declared cause, agrees.
    `hint` says what a difference without a cause looks like.
    """
    if parity.first_divergence is None:
        if parity.first_undecided is None:
            return "agreed", None
        return "inconclusive", _undecided(parity)
    if limit is None:
        return "diverged", f"{describe(parity.first_divergence)}; {_because(causes, hint)}"
    declared = next((cause for cause in causes if cause.id == limit.cause), None)
    if declared is not None:
        return "known difference", (
            f"{limit.reason} (differs by {worst(parity):.1e}; "
            f"computed so, the reference agrees to {declared.agrees_to:.1e})"
        )
    return "diverged", (
        f"{describe(parity.first_divergence)}; {_because(causes, hint)}; "
        f"declared, but no explanation: {limit.reason}"
    )


def _because(causes: Sequence[Cause], hint: str | None) -> str:
    """The named cause, or that there is none."""
    if not causes:
        return f"cause not known, but {hint}" if hint else "cause not known"
    words = " or ".join(cause.words for cause in causes)
    agrees_to = max(cause.agrees_to for cause in causes)
    alike = ", which this task cannot tell apart" if len(causes) > 1 else ""
    return f"cause: {words}{alike} (computed so, the reference agrees to {agrees_to:.1e})"


def groups(traces: Mapping[str, Arrays], spreads: Arrays, dtype: str) -> list[list[str]]:
    """Which backends agree with each other, the largest group first; the others are the odd ones out.

    `spreads` are those of the reference's trace.
    """
    found: list[list[str]] = []
    for name, actual in traces.items():
        for group in found:
            first = traces[group[0]]
            shown = {kind_of(n) for n in actual} & {kind_of(n) for n in first}
            hidden = {kind: "" for kind in KINDS if kind not in shown}
            if compare(actual, first | spreads, dtype, not_observed=hidden).first_divergence is None:
                group.append(name)
                break
        else:
            found.append([name])
    return sorted(found, key=len, reverse=True)


def worst(parity: Parity) -> float:
    """The largest relative difference of any quantity; inf where one cannot be compared."""
    found = [*parity.quantities.values(), *parity.single_steps.values()]
    return max((np.inf if q.max_rel is None else q.max_rel for q in found), default=0.0)


def headroom(parity: Parity) -> float:
    """By what the tolerances could be divided and the run would still agree; inf if nothing differs."""
    found = [*parity.quantities.values(), *parity.single_steps.values()]
    return min((q.headroom for q in found if q.headroom is not None), default=np.inf)


def describe(divergence: Divergence) -> str:
    """One clause: where, what, by how much, and what else differs there."""
    where = f"{divergence.quantity}{list(divergence.element) if divergence.element else ''}"
    alone = ", in a single step from the reference's state," if divergence.single_step else ","
    said = f"from step {divergence.step}{alone} {where} {divergence.what}"
    if divergence.max_rel is not None and divergence.actual is not None:
        said += (
            f": {divergence.actual:.17g} instead of {divergence.desired:.17g}, "
            f"{divergence.max_rel:.1e} of the largest value, tolerance {divergence.tolerance:.1e}"
        )
    if divergence.agreeing:
        said += f"; still agreeing at that step: {', '.join(divergence.agreeing)}"
    return said


def _undecided(parity: Parity) -> str:
    return (
        f"agrees as far as can be told, but from step {parity.first_undecided} rounding alone may grow "
        f"beyond {tolerance.BLIND:g} of a quantity, so that a mistake would not show"
    )


# ---------------------------------------------------------------------------------------- series


def _series(name: str, actual: Arrays, desired: Arrays, dtype: str, *, replay: bool) -> Iterator[Series]:
    """The differences of one array, and one more for what of it cannot be compared."""
    steps, rows = steps_of(name, desired), rows_of(name, desired)
    if name not in actual:
        yield _problem(name, int(steps[0]), "is missing")
        return
    found = rows_of(name, actual)
    if problem := _form(name, actual, desired, dtype):
        yield _problem(name, int(steps[0]), problem)
        return
    spread = _spread(name, desired, len(rows))
    if not name.startswith(LOCAL):
        mine, theirs = shared(name, actual, desired)
        unseen = np.setdiff1d(_due(steps, actual, desired), steps[theirs])
        if len(unseen):
            yield _problem(name, int(unseen[0]), "was not observed at this step")
        found, rows, steps, spread = found[mine], rows[theirs], steps[theirs], spread[theirs]
    distance, size = distances(found, rows)
    so_far = largest_so_far(size)
    rounding = tolerance.rounding(so_far, dtype)
    allowed = tolerance.tolerance(so_far, spread, dtype)
    if replay:
        rounding = allowed = np.full(len(rows), tolerance.REPLAY)
    allowed = np.where(np.isfinite(distance), allowed, 0.0)  # NaN and inf agree with nothing
    yield Series(name, steps, distance, scale(so_far), rounding, allowed)


def _spread(name: str, desired: Arrays, rows: int) -> Array:
    """How far shadows are from the reference, (K,).

    None are known of a backend that serves as the desired one; a replay that goes on for longer than the
    reference is given the last one.
    """
    spread = desired.get(f"spread/{name}", np.zeros(1))
    return np.pad(spread[:rows], (0, max(0, rows - len(spread))), mode="edge")


def _form(name: str, actual: Arrays, desired: Arrays, dtype: str) -> str | None:
    """What makes two arrays incomparable, in words."""
    ours, theirs, kind = rows_of(name, actual), rows_of(name, desired), kind_of(name)
    if kind in ("param", "grad") and not name.endswith("grad_loss") and ours.dtype != dtype:
        return f"has dtype {ours.dtype}, expected {dtype}"
    if ours.shape[1:] != theirs.shape[1:]:
        return f"has shape {ours.shape[1:]}, expected {theirs.shape[1:]}"
    steps = len(theirs) if name.startswith(LOCAL) else len(steps_of(name, actual))
    if len(ours) != steps:
        return f"has {len(ours)} rows at {steps} observed steps"
    return None


def rows_of(name: str, trace: Arrays) -> Array:
    """The array with a leading axis over steps."""
    return trace[name][None] if kind_of(name) == "predict" else trace[name]


def steps_of(name: str, trace: Arrays) -> Array:
    """After how many steps each row of an array was taken; predictions belong to the end."""
    if name == "loss":
        return np.arange(len(trace["loss"]))
    home = LOCAL if name.startswith(LOCAL) else ""
    observed = trace.get(f"{home}observed_steps", np.zeros(0))
    if kind_of(name) == "predict":
        return observed[-1:]
    if name.startswith((f"{LOCAL}param", f"{LOCAL}state")):
        return observed + 1  # what a single step leads to
    return observed


def shared(name: str, actual: Arrays, desired: Arrays) -> tuple[Array | slice, Array | slice]:
    """Which rows of both sides belong to the same steps."""
    ours, theirs = steps_of(name, actual), steps_of(name, desired)
    if np.array_equal(ours, theirs):
        return slice(None), slice(None)  # views: no copy of the trace
    _, mine, other = np.intersect1d(ours, theirs, return_indices=True)
    return mine, other


def _due(steps: Array, actual: Arrays, desired: Arrays) -> Array:
    """The steps that both must show: where they do not end alike, those before the first end."""
    ours, theirs = len(actual.get("loss", ())), len(desired["loss"])
    if ours == theirs and not _only_one_diverged(actual, desired):
        return steps
    return steps[steps < min(ours, theirs)]


def _problem(name: str, step: int, what: str) -> Series:
    one = np.ones(1)
    return Series(name, np.array([step]), np.inf * one, one, 0 * one, 0 * one, what)


def _unexpected(actual: Arrays, desired: Arrays, left_out: Collection[str]) -> list[Series]:
    """Arrays that the reference does not have: a comparison that skips them would be blind there."""
    return [
        _problem(name, 0, "is not in the reference")
        for name in actual
        if name not in desired and kind_of(name) and kind_of(name) not in left_out
    ]


def _end(actual: Arrays, desired: Arrays) -> list[Series]:
    """Whether both runs have the same number of steps, and both or none of them diverge after it.

    Where the shadows of the reference do not all stop at the same step, rounding decides the end.
    """
    ours, theirs = len(actual.get("loss", ())), len(desired["loss"])
    if ours == theirs and not _only_one_diverged(actual, desired):
        return []
    fewest, most = desired.get("spread/steps", (theirs, theirs))
    allowed = np.inf if fewest < most and ours >= fewest else 0.0
    return [
        Series(
            "loss",
            np.array([min(ours, theirs)]),
            distance=np.array([float(max(1, abs(ours - theirs)))]),
            scale=np.array([float(max(1, theirs))]),
            rounding=np.zeros(1),
            tolerance=np.array([allowed]),
            what=_other_end(actual, desired),
        )
    ]


def _only_one_diverged(actual: Arrays, desired: Arrays) -> bool:
    return ("diverged" in actual) != ("diverged" in desired)


def _other_end(actual: Arrays, desired: Arrays) -> str:
    """How many steps a run had, and should have had, in words."""
    ours, theirs = len(actual.get("loss", ())), len(desired["loss"])
    ends = "is no longer finite" if "diverged" in actual else "stops"
    if not _only_one_diverged(actual, desired):
        return f"{ends} after {ours} steps, expected {theirs}"
    expected = "no longer to be finite" if "diverged" in desired else "to stop"
    return f"{ends} after {ours} steps, expected {expected} after {theirs}"


# -------------------------------------------------------------------------------------- findings


def _worst_of_each_kind(series: list[Series], dtype: str, *, local: bool) -> dict[str, Difference]:
    chosen = [one for one in series if one.name.startswith(LOCAL) == local and len(one.steps)]
    kinds = [kind for kind in KINDS if any(one.kind == kind for one in chosen)]
    return {kind: _difference([one for one in chosen if one.kind == kind], dtype) for kind in kinds}


def _difference(series: list[Series], dtype: str) -> Difference:
    """The worst of one kind of quantity: by size, and by the share of its tolerance that it uses."""
    largest = max(series, key=lambda one: one.rel().max())
    row = int(np.argmax(largest.rel()))
    tightest = max(series, key=lambda one: one.used().max())
    tight = int(np.argmax(tightest.used()))
    used = float(tightest.used()[tight])
    ulp = float(np.spacing(np.array(largest.scale[row], dtype)))
    return Difference(
        max_abs=_json(largest.distance[row]),
        max_rel=_json(largest.rel()[row]),
        max_ulp=_json(largest.distance[row] / ulp),
        tolerance=_json(tightest.tolerance[tight] / tightest.scale[tight]),
        headroom=_json(1 / used) if used else None,
        quantity=tightest.name.removeprefix(LOCAL),
        step=int(tightest.steps[tight]),
        nature=_nature(series),
    )


def _nature(series: list[Series]) -> Nature:
    if any(one.is_fault().any() for one in series):
        return "fault"
    if any(one.is_undecided().any() for one in series):
        return "undecided"
    grown = any((one.distance > one.rounding).any() for one in series)
    return "growth" if grown else "rounding"


def _first(series: list[Series], actual: Arrays, desired: Arrays) -> Divergence | None:
    """The earliest step out of tolerance, and there the quantity that the others follow from."""
    out = [(one, int(row)) for one in series for row in np.flatnonzero(one.is_fault())[:1]]
    if not out:
        return None
    step = min(one.steps[row] for one, row in out)
    there = [(one, row) for one, row in out if one.steps[row] == step]
    first, row = min(there, key=lambda found: (CAUSES.index(found[0].kind), -found[0].used()[found[1]]))
    differing = {one.kind for one, _ in there}
    seen = {one.kind for one in series if step in one.steps}
    element, ours, theirs = _element(first, row, actual, desired)
    return Divergence(
        step=int(step),
        quantity=first.name.removeprefix(LOCAL),
        single_step=first.name.startswith(LOCAL),
        element=list(element),
        actual=_json(ours),
        desired=_json(theirs),
        max_rel=_json(first.rel()[row]),
        tolerance=float(first.tolerance[row] / first.scale[row]),
        what=first.what if np.isfinite(first.distance[row]) or ours is None else "is not finite",
        differing=[kind for kind in CAUSES if kind in differing],
        agreeing=[kind for kind in CAUSES if kind in seen - differing],
    )


def _element(
    one: Series, row: int, actual: Arrays, desired: Arrays
) -> tuple[tuple[int, ...], float | None, float | None]:
    """Which element of a row differs most, with both values; nothing where the row is no such thing."""
    if one.what != "differs":
        return (), None, None
    if one.name.startswith(LOCAL):
        ours, theirs = actual[one.name][row], desired[one.name][row]
    else:
        mine, other = shared(one.name, actual, desired)
        ours, theirs = rows_of(one.name, actual)[mine][row], rows_of(one.name, desired)[other][row]
    element = farthest(ours, theirs)
    return element, float(ours[element]), float(theirs[element])


def _first_undecided(series: list[Series]) -> int | None:
    steps = [int(one.steps[row]) for one in series for row in np.flatnonzero(one.is_undecided())[:1]]
    return min(steps, default=None)


def _json(value: float | None) -> float | None:
    """JSON has no NaN and no inf."""
    return float(value) if value is not None and np.isfinite(value) else None
