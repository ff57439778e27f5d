"""Prints whatever it likes, at every step, and is right in all it computes."""

import os
import sys

from backends import numpy
from backends.numpy import Network, Optimizer, Perceptron, setup  # noqa: F401

print('{"type":"Ready","import_s":-1,"about":{"printed": "on standard output"}}')  # noqa: T201


class Function(numpy.Function):
    def run(self, batches):
        os.write(1, b"\xff\xfe \x1b[31m \x00 no newline")
        print("Epoch 1/10 [red]█████[/red]", file=sys.stderr)  # noqa: T201
        print('{"type":"Recorded","not_observed":{}}')  # noqa: T201
        return super().run(batches)
