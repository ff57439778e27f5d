"""The schedulers of `torch.optim.lr_scheduler`."""

from typing import Any, final

import torch
from torch.optim import lr_scheduler

from tasks import spec
from tasks.spec import Task


@final
class Schedule:
    """A scheduler, moving the rate of an optimizer of its own, which has nothing to train."""

    def __init__(self, task: Task) -> None:
        self.rule = task.schedule
        self.follows_steps = not isinstance(task.schedule, spec.Constant | spec.Plateau)
        self.learning_rate = task.optimizer.learning_rate
        self._start()

    def _start(self) -> None:
        self.optimizer = torch.optim.SGD([torch.zeros(0)], self.learning_rate)
        self.native = _scheduler(self.rule, self.learning_rate, self.optimizer)
        self.optimizer.step()  # a scheduler warns if it goes before its optimizer

    def rate(self, step: int) -> float:
        """The rate of the update that `step` others came before."""
        if self.follows_steps:
            self._go_to(step)
        return float(self.optimizer.param_groups[0]["lr"])

    def _go_to(self, step: int) -> None:
        if isinstance(self.rule, spec.CosineDecay):
            step = min(
                step, self.rule.steps
            )  # Recipe (cosine-end): from there on the scheduler would rise again.
        if step < self.native.last_epoch:  # it counts our steps, and only forward
            self._start()
        while self.native.last_epoch < step:
            self.native.step()

    def end_epoch(self, loss: float) -> None:
        """A plateau lowers the rate after more than `patience` epochs without a new lowest loss."""
        self.native.step(loss)

    def resume(self, learning_rate: float) -> None:
        """Go on from a plateau's rate."""
        self.optimizer.param_groups[0]["lr"] = learning_rate


def _scheduler(rule: spec.Schedule, rate: float, optimizer: torch.optim.Optimizer) -> Any:
    """PyTorch's scheduler; None for a constant rate."""
    match rule:
        case spec.StepDecay(every, by):
            return lr_scheduler.StepLR(optimizer, every, by)
        case spec.ExponentialDecay(by):
            return lr_scheduler.ExponentialLR(optimizer, by)
        case spec.CosineDecay(steps, floor):
            # Recipe (cosine-floor): PyTorch's floor is a rate, the task's a share of one.
            return lr_scheduler.CosineAnnealingLR(optimizer, steps, eta_min=floor * rate)
        case spec.WarmUp(steps):
            # Recipe (warm-up): from 1/steps before the first update to 1 before update number `steps`.
            return lr_scheduler.LinearLR(optimizer, 1 / steps, 1.0, steps - 1)
        case spec.Plateau(by, patience):
            # Recipe (plateau-threshold): any lower loss counts, and any lower rate is taken; by default both
            # have a threshold.
            return lr_scheduler.ReduceLROnPlateau(
                optimizer, factor=by, patience=patience, threshold=0, threshold_mode="abs", eps=0
            )
    return None
