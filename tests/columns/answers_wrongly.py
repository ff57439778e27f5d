"""Sends a reply to another question in one task."""

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
        if self.unlucky:
            ready = b'{"type":"Ready","import_s":1,"cpu_s":1,"rss_mb":1,"about":{}}\n'
            os.write(json.loads(sys.argv[2])["replies"], ready)
        return super().run(batches)
