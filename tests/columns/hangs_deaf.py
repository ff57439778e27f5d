"""Hangs in one task, and has ignored SIGTERM."""

import signal
import time

from backends import numpy
from backends.numpy import Network, Optimizer, Perceptron, setup  # noqa: F401


class Function(numpy.Function):
    def __init__(self, task, at):
        super().__init__(task, at)
        self.unlucky = task.name == "quadratic-momentum"

    def run(self, batches):
        if self.unlucky:
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            time.sleep(1000)
        return super().run(batches)
