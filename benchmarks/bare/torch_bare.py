"""The loop that one would write in PyTorch by hand: `addmm`, `autograd.grad`, and Adam's fused kernel."""

import math
from typing import final

import torch
from torch.nn import functional

from backends.base import NotObserved, Program, Unsupported, named, pick
from tasks import sweep


def setup(at):
    """Threads, before the first tensor."""
    torch.set_num_threads(at.threads)
    return {"torch": str(torch.__version__)}


@final
class Network(Program):
    """Parameters are plain tensors, and batches are slices of one."""

    def __init__(self, task, at):
        if not sweep.is_plain(task) or at.dtype != "float64" or at.device != "cpu":
            raise Unsupported(sweep.PLAIN)
        self.x = torch.tensor(task.data.x_train)  # (N, D)
        self.y = torch.tensor(task.data.y_train, dtype=torch.float64)[:, None]  # (N, 1)
        self.batch, self.adam, self.t = task.batches.size, task.optimizer, 0
        self.parameters = {name: torch.tensor(a, requires_grad=True) for name, a in task.start.items()}
        self.moments = {slot: {n: torch.zeros_like(p) for n, p in self.parameters.items()} for slot in SLOTS}

    def run(self, batches):
        adam, losses = self.adam, []
        parameters = list(self.parameters.values())
        first, second = (list(self.moments[slot].values()) for slot in SLOTS)
        steps = [torch.tensor(float(self.t), dtype=torch.float32) for _ in parameters]
        for _ in batches:
            start = self.t * self.batch % len(self.x)
            rows = slice(start, start + self.batch)
            loss = functional.binary_cross_entropy_with_logits(self._forward(self.x[rows]), self.y[rows])
            gradients = torch.autograd.grad(loss, parameters)
            self.t += 1
            torch._foreach_add_(steps, 1)
            # Fast: what torch.optim.Adam(fused=True) comes to; its `step` takes as long again.
            torch._fused_adam_(
                parameters,
                gradients,
                first,
                second,
                [],
                steps,
                lr=adam.learning_rate,
                beta1=adam.beta_1,
                beta2=adam.beta_2,
                weight_decay=0.0,
                # Recipe: the ε̂ form; PyTorch divides √v by √(1-β2ᵗ) before it adds its ε.
                eps=adam.epsilon / math.sqrt(1 - adam.beta_2**self.t),
                amsgrad=False,
                maximize=False,
            )
            losses.append(loss.detach())
        return torch.stack(losses).numpy()

    def _forward(self, h):
        views = list(self.parameters.values())
        *layers, (w, b) = zip(views[0::2], views[1::2], strict=True)
        for kernel, bias in layers:
            h = torch.relu(torch.addmm(bias, h, kernel))
        return torch.addmm(b, h, w)

    def gradient(self, rows):
        raise NotObserved("a bare loop shows no gradients")

    def observe(self):
        observed = named("param", _numpy(self.parameters))
        for slot, moments in self.moments.items():
            observed |= named(f"state/{slot}", _numpy(moments))
        return observed | {"state/step": torch.tensor(self.t).numpy()}

    @torch.no_grad()
    def restore(self, observed):
        _fill(self.parameters, pick("param", observed))
        for slot, moments in self.moments.items():
            _fill(moments, pick(f"state/{slot}", observed))
        self.t = int(observed["state/step"])

    @torch.no_grad()
    def predict(self, x):
        return torch.sigmoid(self._forward(torch.tensor(x)))[:, 0].numpy()

    def wait(self):
        """On the CPU, PyTorch has finished when it returns."""


SLOTS = ("first_moment", "second_moment")


def _numpy(tensors):
    return {name: tensor.detach().numpy().copy() for name, tensor in tensors.items()}


def _fill(tensors, arrays):
    for name, tensor in tensors.items():
        tensor.copy_(torch.tensor(arrays[name]))
