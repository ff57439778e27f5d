"""Shows wrong things: each task of `task_files/wrong.py` is named after the fault that it meets here."""

import numpy as np

from backends import numpy
from backends.numpy import Optimizer, Perceptron, setup  # noqa: F401

PARAMETERS = {
    "parameter-is-nan": lambda w: w * np.nan,
    "parameter-is-inf": lambda w: w + np.inf,
    "parameter-is-a-column": lambda w: w[:, None],
    "parameter-is-empty": lambda w: w[:0],
    "parameter-is-float32": lambda w: w.astype("float32"),
    "parameter-is-whole": lambda w: w.astype(int),
    "parameter-is-complex": lambda w: w + 0j,
    "parameter-is-text": lambda w: w.astype(str),
    "parameter-is-an-object": lambda w: np.array([list(w), None], dtype=object),
    "parameter-is-reversed": lambda w: w[::-1],
}
STATES = {
    "state-is-float32": lambda velocity: velocity.astype("float32"),
    "state-is-nan": lambda velocity: velocity * np.nan,
    "state-has-the-other-sign": lambda velocity: -velocity,
}
MISSING = {  # what, and after which numbers of steps
    "parameter-is-missing": ("param/w", range(21)),
    "parameter-is-missing-at-the-start": ("param/w", [0]),
    "parameter-is-missing-at-the-end": ("param/w", [20]),
    "state-is-missing": ("state/velocity/w", range(21)),
}


class Function(numpy.Function):
    def __init__(self, task, at):
        super().__init__(task, at)
        self.fault = task.name
        self.taken = 0

    def run(self, batches):
        losses = super().run(batches)
        self.taken += len(batches)
        match self.fault:
            case "loss-is-nan":
                losses[-1] = np.nan
            case "loss-too-short":
                return losses[1:]
            case "loss-too-long":
                return np.append(losses, 0.0)
            case "loss-has-two-axes":
                return losses[:, None]
            case "loss-is-float32":
                return losses.astype("float32")
            case "loss-is-none":
                return None
        return losses

    def gradient(self, rows):
        loss, gradients = super().gradient(rows)
        match self.fault:
            case "gradient-is-nan":
                gradients["w"][0] = np.nan
            case "gradient-is-missing":
                gradients = {}
            case "gradient-is-float32":
                gradients["w"] = gradients["w"].astype("float32")
            case "gradient-has-another-name":
                gradients = {"v": gradients["w"]}
        return loss, gradients

    def observe(self):
        observed = super().observe()
        name, steps = MISSING.get(self.fault, ("", []))
        if self.taken in steps:
            del observed[name]
        if self.fault in PARAMETERS:
            observed["param/w"] = PARAMETERS[self.fault](observed["param/w"])
        if self.fault in STATES:
            observed["state/velocity/w"] = STATES[self.fault](observed["state/velocity/w"])
        if self.fault == "parameter-is-nan-at-the-end" and self.taken == 20:
            observed["param/w"][0] = np.nan
        if self.fault == "parameter-is-one-too-many":
            observed["param/v"] = observed["param/w"]
        return observed


class Network(numpy.Network):
    def __init__(self, task, at):
        super().__init__(task, at)
        self.fault = task.name

    def predict(self, x):
        scores = super().predict(x)
        match self.fault:
            case "scores-are-a-column":
                return scores[:, None]
            case "scores-are-nan":
                return scores * np.nan
            case "scores-are-too-few":
                return scores[1:]
            case "scores-are-classes":
                return (scores > 0.5).astype(scores.dtype)
        return scores
