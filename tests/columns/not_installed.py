"""Its framework is not installed."""

import a_framework_that_nobody_has  # noqa: F401

from backends.numpy import Function, Network, Optimizer, Perceptron, setup  # noqa: F401
