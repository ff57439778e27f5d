"""Its framework is installed, but a part of it is not."""

import json.accelerated  # noqa: F401

from backends.numpy import Function, Network, Optimizer, Perceptron, setup  # noqa: F401
