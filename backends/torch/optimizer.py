"""`torch.optim`, and the lines that make it agree."""

import math
from collections.abc import Sequence
from typing import Any, final

import numpy as np
import torch
from torch import optim

from backends.base import Arrays
from tasks import spec
from tasks.spec import Task

from . import arrays
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

    def __init__(self, task: Task, parameters: dict[str, torch.Tensor]) -> None:
        self.task = task
        self.schedule = Schedule(task)
        self.parameters = parameters
        self.steps = 0
        self.rate = task.optimizer.learning_rate
        kernels = [p for name, p in parameters.items() if name.startswith("w")]
        biases = [p for name, p in parameters.items() if name.startswith("b")]
        # Two groups, for L2 decays kernels only.
        self.native = _native(task.optimizer, [{"params": group} for group in (kernels, biases) if group])

    def step(self, gradients: Sequence[torch.Tensor]) -> None:
        """Update the parameters; `fused` does it in one kernel per group.

        Gradients of `torch.autograd.grad` are set where `loss.backward()` would have added them up.
        """
        self._set_rate(self.schedule.rate(self.steps))
        self.steps += 1
        for parameter, gradient in zip(self.parameters.values(), gradients, strict=True):
            parameter.grad = gradient
        if isinstance(self.task.optimizer, spec.Adam) and self.task.optimizer.epsilon_hat:
            self._set_epsilon(self.task.optimizer)
        self.native.step()

    def _set_rate(self, rate: float) -> None:
        if rate == self.rate:
            return
        for state in self.native.state.values():
            if "momentum_buffer" in state:
                # Recipe: PyTorch keeps u = momentum·u + g and steps by -rate·u; the velocity is v = -rate·u,
                # which a new rate must leave as it is.
                state["momentum_buffer"] *= self.rate / rate
        for group in self.native.param_groups:
            group["lr"] = rate
        self.rate = rate

    def _set_epsilon(self, rule: spec.Adam) -> None:
        """Recipe: PyTorch adds ε to √v/√(1-β2ᵗ). Dividing ε by the same root gives the ε̂ form."""
        for group in self.native.param_groups:
            group["eps"] = rule.epsilon / math.sqrt(1 - rule.beta_2**self.steps)

    def observe(self) -> Arrays:
        """The state under the task's names; before the first step PyTorch has none, which is zeros."""
        observed: Arrays = {}
        for slot in self.task.optimizer.slots:
            for name, parameter in self.parameters.items():
                tensor = self.native.state[parameter].get(_NAMES[slot], torch.zeros_like(parameter))
                observed[f"state/{slot}/{name}"] = arrays.numpy(tensor) * self._unit(slot)
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
        for name, parameter in self.parameters.items():
            state = self._counts(parameter)
            for slot in self.task.optimizer.slots:
                unit = self._unit(slot) or 1.0  # at a rate of 0, any: the velocity stays 0
                array = observed[f"state/{slot}/{name}"] / unit
                state[_NAMES[slot]] = arrays.tensor(array, parameter)
            self.native.state[parameter] = state

    def _unit(self, slot: str) -> float:
        """By what PyTorch's slot is multiplied to give the task's: v = -rate·u."""
        return -self.rate if slot == "velocity" else 1.0

    def _counts(self, parameter: torch.Tensor) -> dict[str, torch.Tensor]:
        """What PyTorch remembers of each parameter and the task does not: it follows from the step."""
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
                step = torch.tensor(float(self.steps), dtype=torch.float32, device=parameter.device)
                return {"step": step}


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
            # Recipe: PyTorch's μ falls by 0.96^(0.004·t) unless told otherwise.
            native = optim.NAdam(groups, rate, (beta_1, beta_2), epsilon, momentum_decay=1.0)
    return native
