"""Does not say what it runs on."""

from backends.numpy import Network, Optimizer, Perceptron, Quadratic  # noqa: F401


def setup(at):
    pass
