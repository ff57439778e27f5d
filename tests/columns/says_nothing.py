"""Does not say what it runs on."""

from backends.numpy import Function, Network, Optimizer, Perceptron  # noqa: F401


def setup(at):
    pass
