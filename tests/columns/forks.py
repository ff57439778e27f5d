"""Leaves a process behind that only SIGKILL ends, then aborts in one task."""

import os
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
            if os.fork() == 0:
                for sign in (signal.SIGTERM, signal.SIGIO):
                    signal.signal(sign, signal.SIG_IGN)
                time.sleep(1000)
            time.sleep(0.1)  # until the child ignores them
            os.abort()
        return super().run(batches)
