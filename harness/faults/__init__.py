"""The catalogue of faults: what goes wrong when training code is ported, each as something that can be run.

A fault turns a column's way to make a program into one that makes a wrong program.  So one entry serves
three ends: injected into any column, it shows that the comparison finds it; injected into the reference,
it proves the cause of a divergence, or a difference that a column declares.

    numbers.py    the task as the column sees it: hyper-parameters, data, initial parameters
    rows.py       which rows a step sees
    update.py     the update rules, schedules and the constraint, written out
    by_hand.py    a column's gradients with that update, into which the next four put faults
    gradients.py  the loss, the gradient, the penalty
    rates.py      the learning rate over time
    rules.py      the update rules
    constraints.py  the constraint on the kernels' norms
    layers.py     a network written out: activations, losses of rows, dropout
    variants.py   what a perceptron's variants keep
    shown.py      what the column shows of itself: layout, names, units, losses
    damage.py     a trace on its way to the comparison
"""

from harness.faults import (
    constraints,
    damage,
    gradients,
    layers,
    numbers,
    rates,
    rows,
    rules,
    shown,
    variants,
)
from harness.faults.base import Fault
from harness.faults.damage import Damage

PARTS = (numbers, rows, gradients, layers, rates, rules, constraints, variants, shown)
FAULTS: dict[str, Fault] = {fault.id: fault for part in PARTS for fault in part.FAULTS}
DAMAGES: dict[str, Damage] = {one.id: one for one in damage.DAMAGES}


def find(name: str) -> Fault | None:
    """The fault of this name, or "changed:<hyper-parameter>:<relative change>"; None if there is none."""
    if name.startswith("changed:"):
        _, parameter, change = name.split(":")
        return numbers.changed(parameter, float(change))
    return FAULTS.get(name)


__all__ = ["DAMAGES", "FAULTS", "PARTS", "Damage", "Fault", "find"]
