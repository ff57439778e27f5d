"""Lacks what every column must have."""

from backends.numpy import Network, Optimizer, Perceptron, Quadratic  # noqa: F401
