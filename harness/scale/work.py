"""What a step has to compute, counted by formula.

Of a network's layer, with a batch of B rows, in inputs and out outputs, a step takes three products:

    forward    z = h W             2·B·in·out FLOPs
    backward   ∂W = hᵀ δ           2·B·in·out
    and        δ' = δ Wᵀ           2·B·in·out, in every layer but the first, whose inputs are data

Of a quadratic it takes one, H (w - m), with 2·D² FLOPs.

A multiplication and an addition are two operations.  Not counted as FLOPs: biases, activations and their
derivatives, the loss, and the optimizer's update, which grow with B·out or in·out only.  What is done to
each hidden unit's output is counted by itself, as activations: at small widths it costs as much.
"""

from itertools import pairwise

from harness.scale.outcome import Work
from tasks.spec import Network, Quadratic, Task


def work(task: Task) -> Work:
    """Of one step on a whole batch."""
    if isinstance(task.model, Quadratic):
        return Work(layers=0, activations=0, flops=2 * task.model.dimensions**2)
    assert isinstance(task.model, Network) and task.data is not None and task.batches is not None
    batch, hidden = task.batches.size, task.model.hidden
    units = (task.data.features, *hidden, task.model.loss.outputs)
    products = [2 * batch * inputs * outputs for inputs, outputs in pairwise(units)]
    return Work(
        layers=len(products),
        activations=batch * sum(hidden),
        flops=3 * sum(products) - products[0],
    )
