"""Leaves a process behind that ignores SIGTERM, then aborts in one task."""

import os
import signal
import time

from backends import numpy
from backends.numpy import Network, Optimizer, Perceptron, setup  # noqa: F401


class Quadratic(numpy.Quadratic):
    def __init__(self, task, at):
        super().__init__(task, at)
        self.unlucky = task.name == "quadratic-momentum"

    def run(self, batches):
        if self.unlucky:
            if os.fork() == 0:
                signal.signal(signal.SIGTERM, signal.SIG_IGN)
                time.sleep(1000)
            time.sleep(0.1)  # until the child ignores it
            os.abort()
        return super().run(batches)
