"""The loop that one would write in PyTorch by hand: `nn.Sequential`, `backward`, and Adam's fused kernel."""

import math
from itertools import pairwise
from typing import final

import torch
from torch import nn

from backends.base import NotObserved, Program, Unsupported, named, pick
from tasks import sweep


def setup(at):
    """Threads and dtype, before the first tensor."""
    torch.set_num_threads(at.threads)
    torch.set_default_dtype(torch.float64)
    return {"torch": torch.__version__}


@final
class Network(Program):
    """Batches are slices of one tensor."""

    def __init__(self, task, at):
        if not sweep.is_plain(task) or at.dtype != "float64" or at.device != "cpu":
            raise Unsupported(sweep.PLAIN)
        self.x = torch.tensor(task.data.x_train)  # (N, D)
        self.y = torch.tensor(task.data.y_train, dtype=torch.float64)[:, None]  # (N, 1)
        self.batch, self.adam, self.t = task.batches.size, task.optimizer, 0
        sizes = [task.data.features, *task.model.hidden, 1]
        layers = [layer for shape in pairwise(sizes) for layer in (nn.Linear(*shape), nn.ReLU())]
        self.model = nn.Sequential(*layers[:-1])
        self.parameters = dict(zip(task.shapes, self.model.parameters(), strict=True))
        betas = self.adam.beta_1, self.adam.beta_2
        self.optimizer = torch.optim.Adam(
            self.model.parameters(), self.adam.learning_rate, betas, self.adam.epsilon, fused=True
        )
        self.criterion = nn.BCEWithLogitsLoss()
        self.restore(named("param", dict(task.start)))

    def run(self, batches):
        losses = []
        for _ in batches:
            start = self.t * self.batch % len(self.x)
            rows = slice(start, start + self.batch)
            self.t += 1
            # Recipe: the ε̂ form; PyTorch divides √v by √(1-β2ᵗ) before it adds its ε.
            bias_2 = 1 - self.adam.beta_2**self.t
            self.optimizer.param_groups[0]["eps"] = self.adam.epsilon / math.sqrt(bias_2)
            self.optimizer.zero_grad()
            loss = self.criterion(self.model(self.x[rows]), self.y[rows])
            loss.backward()
            self.optimizer.step()
            losses.append(loss.detach())
        return torch.stack(losses).numpy()

    def gradient(self, rows):
        raise NotObserved("a bare loop shows no gradients")

    def observe(self):
        observed = named("param", {name: _numpy(p) for name, p in self.parameters.items()})
        for slot, key in SLOTS.items():
            moments = {name: _numpy(self.optimizer.state[p][key]) for name, p in self.parameters.items()}
            observed |= named(f"state/{slot}", moments)
        return observed | {"state/step": torch.tensor(self.t).numpy()}

    @torch.no_grad()
    def restore(self, observed):
        self.t = int(observed.get("state/step", 0))
        values = pick("param", observed)
        for name, p in self.parameters.items():
            p.copy_(_tensor(values[name]))
            state = {"step": torch.tensor(float(self.t), dtype=torch.float32)}
            for slot, key in SLOTS.items():
                found = pick(f"state/{slot}", observed)
                state[key] = _tensor(found[name]).contiguous() if name in found else torch.zeros_like(p)
            self.optimizer.state[p] = state

    @torch.no_grad()
    def predict(self, x):
        return torch.sigmoid(self.model(torch.tensor(x)))[:, 0].numpy()

    def wait(self):
        """On the CPU, PyTorch has finished when it returns."""


SLOTS = {"first_moment": "exp_avg", "second_moment": "exp_avg_sq"}


def _numpy(tensor):
    """PyTorch's kernels are (out, in)."""
    return tensor.detach().numpy().T.copy()


def _tensor(array):
    return torch.tensor(array.T)
