"""Writes on the private pipe without end and without a line in one task."""

import json
import os
import sys

from backends import numpy
from backends.numpy import Network, Optimizer, Perceptron, setup  # noqa: F401


class Function(numpy.Function):
    def __init__(self, task, at):
        super().__init__(task, at)
        self.unlucky = task.name == "quadratic-momentum"

    def run(self, batches):
        while self.unlucky:
            os.write(json.loads(sys.argv[2])["replies"], b"x" * 65536)
        return super().run(batches)
