"""`torch.optim`, and the lines that make it agree."""

import inspect
import math
from typing import Any, final

import numpy as np
import torch
from torch import optim

from backends.base import Arrays, named, pick
from tasks import spec
from tasks.spec import Task

from . import arrays
from .arrays import Flat
from .schedule import Schedule

# PyTorch's names of what the task calls its slots.
_NAMES = {
    "velocity": "momentum_buffer",
    "mean_square": "square_avg",
    "sum_of_squares": "sum",
    "first_moment": "exp_avg",
    "second_moment": "exp_avg_sq",
    "largest_second_moment": "max_exp_avg_sq",
}


@final
class Optimizer:
    """An optimizer of `torch.optim`, whose rate is set before each step."""

    def __init__(self, task: Task, parameters: Flat) -> None:
        self.task = task
        self.schedule = Schedule(task)
        self.parameters = parameters
        self.steps = 0
        self.rate = task.optimizer.learning_rate
        self.decays = _decays(task)
        self.parts = self._split(parameters.vector)
        self.native = _native(task.optimizer, [{"params": [part]} for part in self.parts])
        # Fast: without what PyTorch puts around it, to look for hooks and a profiler, which takes as long.
        self.native_step = inspect.unwrap(type(self.native).step)

    def _split(self, vector: torch.Tensor) -> list[torch.Tensor]:
        """A vector (P,) as the groups have it: kernels apart from biases, where only kernels decay."""
        sizes = [self.parameters.kernels, len(vector) - self.parameters.kernels]
        return list(torch.split(vector, sizes)) if self.decays else [vector]

    @torch.no_grad()
    def step(self, gradients: torch.Tensor) -> None:
        """Update the parameters by their gradients (P,); `fused` does it in one kernel per group."""
        self._set_rate(self.schedule.rate(self.steps))
        self.steps += 1
        for part, gradient in zip(self.parts, self._split(gradients), strict=True):
            part.grad = gradient
        if isinstance(self.task.optimizer, spec.Adam) and self.task.optimizer.epsilon_hat:
            self._set_epsilon(self.task.optimizer)
        self.native_step(self.native)

    def _set_rate(self, rate: float) -> None:
        if rate == self.rate:
            return
        for state in self.native.state.values():
            if "momentum_buffer" in state:
                # Recipe (momentum-rate): PyTorch keeps u = momentum·u + g and steps by -rate·u; the velocity
                # is v = -rate·u, which a new rate must leave as it is.
                state["momentum_buffer"] *= self.rate / rate
        for group in self.native.param_groups:
            group["lr"] = rate
        self.rate = rate

    def _set_epsilon(self, rule: spec.Adam) -> None:
        """Recipe (adam-epsilon): PyTorch adds ε to √v/√(1-β2ᵗ); ε divided by that root gives the ε̂ form."""
        for group in self.native.param_groups:
            group["eps"] = rule.epsilon / math.sqrt(1 - rule.beta_2**self.steps)

    def observe(self) -> Arrays:
        """The state under the task's names; before the first step PyTorch has none, which is zeros."""
        observed: Arrays = {}
        for slot in self.task.optimizer.slots:
            found = [self.native.state[part].get(_NAMES[slot], torch.zeros_like(part)) for part in self.parts]
            views = self.parameters.views(torch.cat(found) * self._unit(slot))
            observed |= named(f"state/{slot}", {name: arrays.numpy(view) for name, view in views.items()})
        if self.task.counts_steps:
            observed["state/step"] = np.array(self.steps)
        if isinstance(self.task.schedule, spec.Plateau):
            observed["state/learning_rate"] = np.array(self.schedule.rate(self.steps))
        return observed

    def restore(self, observed: Arrays) -> None:
        """The inverse of `observe`."""
        self.steps = int(observed.get("state/step", 0))
        if isinstance(self.task.schedule, spec.Plateau):
            self.schedule.resume(float(observed["state/learning_rate"]))
        self._set_rate(self.schedule.rate(self.steps))
        states = [self._counts(part) for part in self.parts]
        for slot in self.task.optimizer.slots:
            unit = self._unit(slot) or 1.0  # at a rate of 0, any: the velocity stays 0
            vector = self.parameters.packed(pick(f"state/{slot}", observed)) / unit
            for state, part in zip(states, self._split(vector), strict=True):
                state[_NAMES[slot]] = part
        self.native.state.update(zip(self.parts, states, strict=True))

    def _unit(self, slot: str) -> float:
        """By what PyTorch's slot is multiplied to give the task's: v = -rate·u."""
        return -self.rate if slot == "velocity" else 1.0

    def _counts(self, part: torch.Tensor) -> dict[str, torch.Tensor]:
        """What PyTorch remembers of each tensor and the task does not: it follows from the step."""
        match self.task.optimizer:
            case spec.GradientDescent() | spec.Momentum():
                return {}
            case spec.Nadam(_, beta_1):
                mus = [beta_1 * (1 - 0.5 * 0.96**t) for t in range(1, self.steps + 1)]  # μ₁ … μₜ
                return {
                    "step": torch.tensor(float(self.steps)),
                    "mu_product": torch.tensor(math.prod(mus, start=1.0)),
                }
            case _:
                step = torch.tensor(float(self.steps), dtype=torch.float32, device=part.device)
                return {"step": step}


def _decays(task: Task) -> bool:
    """Whether L2 is PyTorch's weight decay: alone it is, except in AdamW, where that is something else."""
    is_adamw = isinstance(task.optimizer, spec.Adam) and task.optimizer.weight_decay > 0
    return isinstance(task.model, spec.Network) and task.model.l2 > 0 and not task.model.l1 and not is_adamw


def _native(rule: spec.Optimizer, groups: list[dict[str, Any]]) -> optim.Optimizer:
    """PyTorch's optimizer; RMSprop and NAdam have no fused form."""
    native: optim.Optimizer
    match rule:
        case spec.GradientDescent(rate):
            native = optim.SGD(groups, rate, fused=True)
        case spec.Momentum(rate, momentum, nesterov):
            native = optim.SGD(groups, rate, momentum, nesterov=nesterov, fused=True)
        case spec.RMSprop(rate, rho, epsilon, _):
            # √s + ε; PyTorch has no form with ε inside the root.
            native = optim.RMSprop(groups, rate, alpha=rho, eps=epsilon)
        case spec.Adagrad(rate, epsilon):
            native = optim.Adagrad(groups, rate, eps=epsilon, fused=True)
        case spec.Adam(rate, beta_1, beta_2, epsilon, _, 0.0, amsgrad):
            native = optim.Adam(groups, rate, (beta_1, beta_2), epsilon, amsgrad=amsgrad, fused=True)
        case spec.Adam(rate, beta_1, beta_2, epsilon, _, decay, amsgrad):
            native = optim.AdamW(groups, rate, (beta_1, beta_2), epsilon, decay, amsgrad=amsgrad, fused=True)
        case spec.Nadam(rate, beta_1, beta_2, epsilon):
            # Recipe (nadam-schedule): PyTorch's μ falls by 0.96^(0.004·t) unless told otherwise.
            native = optim.NAdam(groups, rate, (beta_1, beta_2), epsilon, momentum_decay=1.0)
    return native
