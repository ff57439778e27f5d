"""Every column against the reference on tasks that nobody has looked at, drawn by hypothesis.

They are judged as in a run.  A task that fails is shrunk to the smallest that still fails, and printed as
a file with the command that runs it.  The same tasks are drawn each time; to search longer, and elsewhere
each time:

    SAMESTEP_EXAMPLES=1000 python -m pytest tests/test_differential.py -k torch
"""

import os
import re
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain, islice

import numpy as np
import pytest
from hypothesis import Phase, given, note, settings
from hypothesis import strategies as st
from strategies import arbitrary_tasks

import backends.numpy as reference
import tasks
from backends import COLUMNS, REFERENCE
from backends.base import Placement, Unsupported
from harness import parity
from harness.explain import Explainer
from harness.faults import FAULTS
from harness.spread import spread
from harness.trace import record, states
from tasks.source import as_source
from tasks.spec import Batches, Network

DTYPE = "float64"
EPS = float(np.finfo(DTYPE).eps)
EXAMPLES = {"numpy": 5, "sklearn": 25, "torch": 25, "tensorflow": 5, "keras": 5}  # two compile graphs
LONGER = int(os.environ.get("SAMESTEP_EXAMPLES", "0"))


def searching(examples):
    """Settings; to explain what of a failing task matters takes longer than all the rest."""
    return settings(
        max_examples=LONGER or examples,
        derandomize=not LONGER,
        deadline=None,
        print_blob=False,  # the task file is what reproduces a failure
        phases=set(Phase) - {Phase.explain},
    )


def build(column, task):
    return getattr(column, task.model.program)(task, Placement())


def trace_of(program, task, start=None):
    with np.errstate(all="ignore"):  # as in a worker: overflow is a result
        return record(program, task, start)


def desired_of(task):
    """The reference's trace, with the spread of its shadows."""
    make = partial(build, reference)
    desired, _ = trace_of(make(task), task)
    with np.errstate(all="ignore"):
        return desired | spread(make, task, desired, DTYPE)


def judged(make, task, limit=None, *, replay=False):
    """How a program compares with the reference, and the status and reason that this comes to."""
    desired = desired_of(task)
    actual, hidden = trace_of(make(task), task, states(desired))
    found = parity.compare(actual, desired, DTYPE, not_observed=hidden, replay=replay)
    causes = []
    if limit and found.first_divergence:
        explainer = Explainer(partial(build, reference), task, desired, DTYPE)
        causes = explainer.causes(actual, hidden, first=limit.cause)
    return found, *parity.verdict(found, limit, causes)


def check(name, make, task):
    """The column agrees with the reference, or differs as it declares.

    Where no one can tell whether a whole run agrees, its single steps still do.
    """
    runs = f"python -m harness run --tasks-from FILE.py -t {task.name} -b {name} --no-timing"
    note(f"{as_source(task)}\n# {runs}")
    limit = COLUMNS[name].limit(task)
    if limit and limit.status == "unsupported":
        with pytest.raises(Unsupported, match=re.escape(limit.reason)):
            make(task)
        return
    found, status, reason = judged(make, task, limit, replay=name == REFERENCE)
    assert status in ("agreed", "known difference", "inconclusive"), reason
    if status == "inconclusive":
        assert "undecided" not in [one.nature for one in found.single_steps.values()], reason


def test_column_agrees_with_the_reference(column):
    name = column.__name__.removeprefix("backends.")

    @searching(EXAMPLES[name])
    @given(task=arbitrary_tasks())
    def agrees(task):
        check(name, partial(build, column), task)

    agrees()


# ------------------------------------------------------------------------- what a failure looks like

# Fault, the column that it is put into, and the rows and steps that at most are left of a failing task.
SHRUNK = {
    "penalty-on-biases": ("torch", 2, 1),
    "epsilon-hat": ("torch", 2, 1),
    "last-batch-dropped": ("torch", 4, 2),
}


def printed_failure(name, make, strategy):
    """What is printed about the smallest task on which something differs."""

    @searching(200)
    @given(task=strategy)
    def agrees(task):
        check(name, make, task)

    with pytest.raises(AssertionError, match="step") as raised:
        agrees()
    return "\n".join(raised.value.__notes__)


def differs_everywhere(name, task):
    limit = COLUMNS[name].limit(task)
    return limit is not None and limit.everywhere


@pytest.mark.parametrize("fault", SHRUNK)
def test_a_failing_task_is_shrunk_and_printed_as_a_file_that_fails_again(fault, tmp_path):
    name, rows, steps = SHRUNK[fault]
    column = COLUMNS[name].load()
    column.setup(Placement())
    make = partial(FAULTS[fault].inject, partial(build, column))
    possible = arbitrary_tasks().filter(
        lambda task: FAULTS[fault].applies(task) and not differs_everywhere(name, task)
    )
    printed = printed_failure(name, make, possible)
    assert f"\n# python -m harness run --tasks-from FILE.py -t arbitrary -b {name} " in printed

    file = tmp_path / "FILE.py"
    file.write_text(printed[printed.index("import numpy as np\n") :], encoding="utf-8")
    (task,) = tasks.load(file).values()
    assert judged(make, task)[1] == "diverged"
    assert judged(partial(build, column), task)[1] == "agreed"
    assert getattr(task.model, "hidden", (1,)) == (1,)
    assert task.rows <= rows
    assert len(list(chain.from_iterable(islice(task.epochs(), task.stopping.max_epochs)))) <= steps


# ------------------------------------------------------------------- what cannot matter, and what adds up

NETWORKS = arbitrary_tasks().filter(lambda task: isinstance(task.model, Network))


def in_order(arrays, order):
    """Arrays by layer: kernels (…, in, out), biases (…, out), with the units of layer i in order[i]."""
    found = dict(arrays)
    for name in arrays:
        if layer := re.fullmatch(r"(?:.+/)?([wb])(\d+)", name):
            i = int(layer[2])
            found[name] = found[name][..., order[i]]
            if layer[1] == "w":
                found[name] = found[name][..., order[i - 1], :]
    return found


@searching(20)
@given(task=NETWORKS, seed=st.integers(0, 999))
def test_hidden_units_in_another_order_are_the_same_network(task, seed):
    rng = np.random.default_rng(seed)
    hidden = [rng.permutation(units) for units in task.model.hidden]
    order = [np.arange(task.data.features), *hidden, np.arange(task.model.loss.outputs)]
    kept = task.data.kept
    if kept is not None:
        ends = np.cumsum(task.model.hidden)[:-1]
        kept = np.hstack([k[:, units] for k, units in zip(np.split(kept, ends, axis=1), hidden, strict=True)])
    other = replace(task, start=in_order(task.start, order), data=replace(task.data, kept=kept))
    desired = desired_of(task)
    found, _ = trace_of(build(reference, other), other, in_order(states(desired), order))
    actual = in_order(found, [np.argsort(units) for units in order])
    assert parity.compare(actual, desired, DTYPE).first_divergence is None


@dataclass(frozen=True)
class Mixed:
    """The same batches, each with its rows in another order."""

    batches: Batches
    seed: int

    def epochs(self, rows):
        rng = np.random.default_rng(self.seed)
        ends = range(self.batches.size, rows, self.batches.size)
        for order in self.batches.order.epochs(rows):
            yield np.concatenate([rng.permutation(batch) for batch in np.split(order, ends)])


@searching(20)
@given(task=NETWORKS, seed=st.integers(0, 999))
def test_rows_of_a_batch_in_another_order_are_the_same_batch(task, seed):
    other = replace(task, batches=replace(task.batches, order=Mixed(task.batches, seed)))
    desired = desired_of(task)
    actual, _ = trace_of(build(reference, other), other, states(desired))
    assert parity.compare(actual, desired, DTYPE).first_divergence is None


@searching(50)
@given(task=NETWORKS)
def test_gradients_of_an_epoch_s_batches_add_up_to_that_of_all_rows(task):
    """Weighted by their rows; but each batch has the whole penalty, (½·l2·Σw² + l1·Σ|w|)/N with its own N."""
    task = replace(task, data=replace(task.data, weights=None))  # with weights, by these
    program, batches = build(reference, task), next(task.epochs())
    _, whole = program.gradient(np.arange(task.rows))
    parts = [program.gradient(rows)[1] for rows in batches]
    for name, w in task.start.items():
        terms = [len(rows) * g[name] for rows, g in zip(batches, parts, strict=True)]
        penalty = task.model.l2 * w + task.model.l1 * np.sign(w)
        penalties = (len(batches) - 1) * penalty if name.startswith("w") else 0
        size = np.sum(np.abs(terms), axis=0).max() + np.abs(penalties).max()
        np.testing.assert_allclose(
            task.rows * whole[name], np.sum(terms, axis=0) - penalties, rtol=0, atol=16 * EPS * size
        )
