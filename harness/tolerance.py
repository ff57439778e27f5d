"""How much two runs may differ and still count as the same.  No other file has such numbers.

Nothing here is measured on the backend that is judged.  Two things make a tolerance, at each step
and for each quantity:

    rounding    32·eps of the largest value that the quantity has had so far: what the roundings of a
                few operations on numbers of that size may come to
    spread      32 times the largest difference between the reference and its shadows at that step:
                the reference again, from a task whose numbers are moved by an ulp (harness/spread.py);
                so it grows where the task itself amplifies a perturbation, and only there

Why 32: a sum over N rows in another order differs by some √N·eps, a shadow by about one ulp per
number, and all shadows may fall short of the worst.  On a thousand random tasks on all columns the worst
uses a fifth of its tolerance, while a learning rate that is off by 1e-12 is found on every task.
"""

import numpy as np

from tasks.spec import Array

FACTOR = 32
SHADOWS = 4
SINGLE_STEP_SHADOWS = (
    16  # they are cheap, and more of them find a row that lies on a boundary but for rounding
)
REPLAY = 0.0  # the reference, run twice, must not differ at all
BLIND = 1e-3  # of a quantity's size: a tolerance above it would let real mistakes pass


def rounding(scale: Array, dtype: str) -> Array:
    """What rounding may do to values of magnitude up to `scale` (K,)."""
    about = np.finfo(dtype)
    return FACTOR * (float(about.eps) * scale + float(about.tiny))


def tolerance(scale: Array, spread: Array, dtype: str) -> Array:
    """The largest difference that agrees, for a quantity of magnitude `scale` and its `spread`, (K,) each."""
    return rounding(scale, dtype) + FACTOR * spread


def of_steps(scale: Array, steps: Array, dtype: str) -> Array:
    """What rounding may do to a card of the guide after so many steps, (K,) each.

    Their problems do not amplify a perturbation, so the roundings of steps add up like a random walk's.
    """
    return rounding(scale, dtype) * np.sqrt(steps)
