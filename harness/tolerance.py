"""How much two runs may differ and still count as the same.  No other file has such numbers.

A difference is judged relative to the largest value that the reference's quantity takes in the whole
run, and in multiples of eps, the spacing of the dtype at 1.

Why 1024: over the whole table, the worst measured cell stays below 100 eps in float64, since rounding
errors of a step are a few eps and training contracts most of them.  The smallest mistake that the
table knows, an ε on the wrong side of a root, is 1e-9, or 4,000,000 eps.
"""

import numpy as np

AGREES_EPS = {"loss": 1024, "grad": 1024, "param": 1024, "state": 1024, "predict": 1024}
REPLAY = 0.0  # the reference, run twice, must not differ at all
KNOWN_FACTOR = 2.0  # how far a known difference may exceed its declared size

# In float32, rounding alone grows to the size of a real mistake within some hundred steps of Adam on
# relu networks (1e-5 after 100 steps, 6e-2 after 1000).  So only the first steps are judged.
FLOAT32_STEPS = 100


def tolerance(kind: str, dtype: str) -> float:
    """The largest relative difference of a kind (loss, grad, param, state, predict) that agrees."""
    return AGREES_EPS[kind] * float(np.finfo(dtype).eps)


def judged_steps(dtype: str) -> float:
    """Up to which step differences are judged; later ones are recorded only."""
    return FLOAT32_STEPS if dtype == "float32" else np.inf
