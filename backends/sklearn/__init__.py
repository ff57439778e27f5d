"""scikit-learn: `MLPClassifier`, `MLPRegressor`, `Perceptron` and `SGDClassifier`, driven step by step.

`partial_fit` wraps each step in validation, and `fit` keeps only an epoch's mean loss.  So a column here
calls what they call for every batch: the estimator's `_backprop` for loss and gradients, its optimizer's
`update_params`, and for a perceptron `fit_binary`.  `Network.fit` is `fit` itself.
"""

import sklearn

from backends.base import Placement, Unsupported

from .chance import Chance
from .function import Function
from .network import Network
from .optimizer import Optimizer
from .perceptron import Perceptron
from .schedule import Schedule

__all__ = ["Chance", "Function", "Network", "Optimizer", "Perceptron", "Schedule", "setup"]


def setup(at: Placement) -> dict[str, str]:
    """Check the device; the BLAS has read its number of threads from the environment."""
    if at.device != "cpu":
        raise Unsupported("scikit-learn's neural networks compute on the CPU only")
    # A task may ask for a rate or an ε of 0, which scikit-learn would not take.
    sklearn.set_config(skip_parameter_validation=True)
    return {"scikit-learn": sklearn.__version__}
