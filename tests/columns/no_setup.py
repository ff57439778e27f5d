"""Lacks what every column must have."""

from backends.numpy import Function, Network, Optimizer, Perceptron  # noqa: F401
