"""PyTorch: its layers, losses, autograd and optimizers.

Four lines make it agree with the others, each marked "Recipe": kernels are transposed, Adam's ε
follows the step, the penalty is a weight decay that follows the batch, and the velocity of
momentum is its buffer times minus the learning rate.
"""

import math
from collections.abc import Sequence
from typing import final

import numpy as np
import torch
from torch import nn

from backends import base
from backends.base import Arrays, Placement, Program, named, pick
from tasks import spec
from tasks.spec import Array, Rows, Task


def setup(at: Placement) -> dict[str, str]:
    """Fix threads before the first tensor, and make float64 or float32 the dtype of everything."""
    if at.device == "cuda" and not torch.cuda.is_available():
        raise RuntimeError(f"this build of PyTorch, {torch.__version__}, sees no CUDA device")
    torch.set_num_threads(at.threads)
    torch.set_default_dtype(getattr(torch, at.dtype))
    return {
        "torch": str(torch.__version__),
        "cuda": str(torch.version.cuda),
        "threads": str(torch.get_num_threads()),
    }


@final
class Optimizer:
    """`torch.optim`, and the lines that make it agree."""

    def __init__(self, rule: spec.Optimizer, parameters: dict[str, torch.Tensor]) -> None:
        self.rule = rule
        self.parameters = parameters
        self.steps = 0
        kernels = [p for name, p in parameters.items() if name.startswith("w")]
        biases = [p for name, p in parameters.items() if name.startswith("b")]
        groups = [{"params": group} for group in (kernels, biases) if group]  # only kernels are ever decayed
        match rule:
            case spec.GradientDescent(rate):
                self.native: torch.optim.Optimizer = torch.optim.SGD(groups, rate, fused=True)
            case spec.Momentum(rate, momentum):
                self.native = torch.optim.SGD(groups, rate, momentum, fused=True)
            case spec.RMSprop(rate, rho, epsilon, _):
                # √s + ε; PyTorch has no form with ε inside the root, and no fused RMSprop.
                self.native = torch.optim.RMSprop(groups, rate, alpha=rho, eps=epsilon)
            case spec.Adam(rate, beta_1, beta_2, epsilon, _):
                self.native = torch.optim.Adam(groups, rate, (beta_1, beta_2), epsilon, fused=True)

    def step(self, gradients: Sequence[torch.Tensor]) -> None:
        """Update the parameters; `fused` does it in one kernel per group.

        Gradients of `torch.autograd.grad` are set where `loss.backward()` would have added them up.
        """
        self.steps += 1
        for parameter, gradient in zip(self.parameters.values(), gradients, strict=True):
            parameter.grad = gradient
        if isinstance(self.rule, spec.Adam) and self.rule.epsilon_hat:
            # Recipe: PyTorch adds ε to √v/√(1-β2ᵗ). Dividing ε by the same root gives the ε̂ form.
            for group in self.native.param_groups:
                group["eps"] = self.rule.epsilon / math.sqrt(1 - self.rule.beta_2**self.steps)
        self.native.step()

    def observe(self) -> Arrays:
        """The state under the task's names; before the first step PyTorch has none, which is zeros."""
        observed: Arrays = {}
        for slot in self.rule.slots:
            key, scale = self._native_slot(slot)
            for name, parameter in self.parameters.items():
                tensor = self.native.state[parameter].get(key, torch.zeros_like(parameter))
                observed[f"state/{slot}/{name}"] = _numpy(tensor) * scale
        if isinstance(self.rule, spec.Adam):
            observed["state/step"] = np.array(self.steps)
        return observed

    def restore(self, observed: Arrays) -> None:
        """The inverse of `observe`."""
        self.steps = int(observed.get("state/step", 0))
        for name, parameter in self.parameters.items():
            state = {}
            for slot in self.rule.slots:
                key, scale = self._native_slot(slot)
                state[key] = _tensor(observed[f"state/{slot}/{name}"] / scale, parameter)
            if isinstance(self.rule, (spec.Adam, spec.RMSprop)):
                state["step"] = torch.tensor(float(self.steps), dtype=torch.float32, device=parameter.device)
            self.native.state[parameter] = state

    def _native_slot(self, slot: str) -> tuple[str, float]:
        """PyTorch's name of a slot, and what to multiply it by."""
        if slot == "velocity":
            # Recipe: PyTorch keeps u = momentum·u + g and steps by -rate·u; the velocity is v = -rate·u.
            return "momentum_buffer", -self.rule.learning_rate
        return {"mean_square": "square_avg", "first_moment": "exp_avg", "second_moment": "exp_avg_sq"}[
            slot
        ], 1.0


@final
class Perceptron(Program):
    """`nn.Linear` and SGD on (ŷ - y)·z, whose gradient is the perceptron's update with ŷ a constant."""

    def __init__(self, task: Task, at: Placement) -> None:
        assert task.data is not None
        self.device = torch.device(at.device)
        self.x = _data(task.data.x_train, at)  # (N, D)
        self.y = _data(task.data.y_train, at)  # (N,)
        self.linear = nn.Linear(task.data.features, 1, device=self.device)
        self.parameters = {"w": self.linear.weight, "b": self.linear.bias}  # (1, D), (1,)
        self._fill(dict(task.start))
        self.optimizer = Optimizer(task.optimizer, self.parameters)

    def run(self, batches: Sequence[Rows]) -> Array:
        """One row at a time; the loss is 1 for a mistake."""
        losses = []
        for rows in batches:
            loss, gradients = self._loss_and_gradients(rows)
            self.optimizer.step(gradients)
            losses.append(loss)
        return torch.stack(losses).cpu().numpy()

    def gradient(self, rows: Rows) -> tuple[float, Arrays]:
        """Mean over the rows."""
        loss, (w, b) = self._loss_and_gradients(rows)
        return loss.item(), {"w": _numpy(w)[:, 0], "b": _numpy(b)}

    def _loss_and_gradients(self, rows: Rows) -> tuple[torch.Tensor, tuple[torch.Tensor, ...]]:
        z = self.linear(self.x[rows])[:, 0]  # (N,)
        error = (z.detach() >= 0).to(z.dtype) - self.y[rows]  # (N,) ŷ - y: -1, 0 or 1
        gradients = torch.autograd.grad((error * z).mean(), [*self.parameters.values()])
        return error.abs().mean(), gradients

    def observe(self) -> Arrays:
        return named("param", {"w": _numpy(self.linear.weight)[:, 0], "b": _numpy(self.linear.bias)})

    def restore(self, observed: Arrays) -> None:
        self._fill(pick("param", observed))

    @torch.no_grad()
    def _fill(self, arrays: Arrays) -> None:
        self.linear.weight.copy_(_tensor(arrays["w"][:, None], self.linear.weight))
        self.linear.bias.copy_(_tensor(arrays["b"], self.linear.bias))

    @torch.no_grad()
    def predict(self, x: Array) -> Array:
        """ŷ = 1 where z >= 0."""
        z = self.linear(torch.tensor(x, dtype=self.x.dtype, device=self.device))[:, 0]  # (N,)
        return (z >= 0).to(z.dtype).cpu().numpy()

    def wait(self) -> None:
        """CUDA computes behind the caller's back."""
        _wait(self.device)


@final
class Quadratic(Program):
    """f(w) = ½·(w - m)ᵀ H (w - m), differentiated by autograd."""

    def __init__(self, task: Task, at: Placement) -> None:
        assert isinstance(task.model, spec.Quadratic)
        self.device = torch.device(at.device)
        self.hessian = _data(task.model.hessian, at)  # (D, D)
        self.minimum = _data(task.model.minimum, at)  # (D,)
        self.w = nn.Parameter(_data(task.start["w"], at))  # (D,)
        self.optimizer = Optimizer(task.optimizer, {"w": self.w})

    def run(self, batches: Sequence[Rows]) -> Array:
        """One step per batch; there is no data, so the batches are empty."""
        losses = []
        for _ in batches:
            loss = self._loss(self.w)
            self.optimizer.step(torch.autograd.grad(loss, [self.w]))
            losses.append(loss.detach())
        return torch.stack(losses).cpu().numpy()

    def gradient(self, rows: Rows) -> tuple[float, Arrays]:
        """f(w) and its gradient."""
        loss = self._loss(self.w)
        (gradient,) = torch.autograd.grad(loss, [self.w])
        return loss.item(), {"w": _numpy(gradient)}

    def _loss(self, w: torch.Tensor) -> torch.Tensor:
        distance = w - self.minimum  # (D,)
        return 0.5 * distance @ self.hessian @ distance

    def observe(self) -> Arrays:
        return named("param", {"w": _numpy(self.w)}) | self.optimizer.observe()

    @torch.no_grad()
    def restore(self, observed: Arrays) -> None:
        self.w.copy_(_tensor(observed["param/w"], self.w))
        self.optimizer.restore(observed)

    @torch.no_grad()
    def predict(self, x: Array) -> Array:
        """Evaluate f at the points x (N, D)."""
        points = torch.tensor(x, dtype=self.w.dtype, device=self.device)
        return torch.stack([self._loss(point) for point in points]).cpu().numpy()

    def wait(self) -> None:
        """CUDA computes behind the caller's back."""
        _wait(self.device)


@final
class Network(Program):
    """`nn.Sequential` of `nn.Linear`, trained on `binary_cross_entropy_with_logits`."""

    def __init__(self, task: Task, at: Placement) -> None:
        assert isinstance(task.model, spec.Network) and task.data is not None
        self.device = torch.device(at.device)
        self.x = _data(task.data.x_train, at)  # (N, D)
        self.y = _data(task.data.y_train[:, None], at)  # (N, 1): with (N,) the loss would broadcast to (N, N)
        self.l2 = task.model.l2
        sizes = (task.data.features, *task.model.hidden)
        layers: list[nn.Module] = []
        for rows, units in zip(sizes, task.model.hidden, strict=False):
            layers += [nn.Linear(rows, units), _ACTIVATIONS[task.model.activation]()]
        self.model = nn.Sequential(*layers, nn.Linear(sizes[-1], 1)).to(self.device)  # logits (N, 1)
        self.parameters: dict[str, torch.Tensor] = dict(
            zip(task.shapes, self.model.parameters(), strict=True)
        )
        self._fill(dict(task.start))
        self.optimizer = Optimizer(task.optimizer, self.parameters)

    def run(self, batches: Sequence[Rows]) -> Array:
        losses = []
        for rows in batches:
            loss = self._loss(rows)
            gradients = torch.autograd.grad(loss, [*self.parameters.values()])
            losses.append(loss.detach())
            if self.l2:  # the step gets the penalty as weight decay, the reported loss as a term
                losses[-1] += self._penalty(rows).detach()
                # Recipe: scikit-learn divides alpha by the rows of this batch, and leaves biases alone.
                self.optimizer.native.param_groups[0]["weight_decay"] = self.l2 / len(rows)
            self.optimizer.step(gradients)
        return torch.stack(losses).cpu().numpy()

    def gradient(self, rows: Rows) -> tuple[float, Arrays]:
        """With the penalty in the loss, since weight decay shows only inside the optimizer."""
        loss = self._loss(rows) + self._penalty(rows)
        gradients = torch.autograd.grad(loss, [*self.parameters.values()])
        return loss.item(), {name: _numpy(g) for name, g in zip(self.parameters, gradients, strict=True)}

    def _loss(self, rows: Rows) -> torch.Tensor:
        return nn.functional.binary_cross_entropy_with_logits(self.model(self.x[rows]), self.y[rows])

    def _penalty(self, rows: Rows) -> torch.Tensor:
        squares = [p.square().sum() for name, p in self.parameters.items() if name.startswith("w")]
        return 0.5 * self.l2 / len(rows) * torch.stack(squares).sum()

    def observe(self) -> Arrays:
        return named("param", {n: _numpy(p) for n, p in self.parameters.items()}) | self.optimizer.observe()

    def restore(self, observed: Arrays) -> None:
        self._fill(pick("param", observed))
        self.optimizer.restore(observed)

    @torch.no_grad()
    def _fill(self, arrays: Arrays) -> None:
        for name, parameter in self.parameters.items():
            parameter.copy_(_tensor(arrays[name], parameter))

    @torch.no_grad()
    def predict(self, x: Array) -> Array:
        """Probability of class 1."""
        z = self.model(torch.tensor(x, dtype=self.x.dtype, device=self.device))  # (N, 1)
        return torch.sigmoid(z)[:, 0].cpu().numpy()

    def wait(self) -> None:
        """CUDA computes behind the caller's back."""
        _wait(self.device)


@final
class Chance(base.Chance):
    """`nn.init`, `nn.functional.dropout` and `torch.randperm`."""

    def initial(self, shape: tuple[int, int], seed: int) -> Array:
        """`xavier_uniform_`; `nn.Linear` starts from another: ±1/√in, and biases likewise."""
        kernel = torch.empty(shape[::-1], dtype=torch.float64)  # (out, in)
        return _numpy(nn.init.xavier_uniform_(kernel, generator=_generator(seed)))  # (in, out)

    def dropout(self, x: Array, rate: float, seed: int) -> Array:
        """It takes no generator: the common one is seeded, and put back as it was."""
        with torch.random.fork_rng(devices=[]):
            torch.default_generator.manual_seed(seed)
            return nn.functional.dropout(torch.tensor(x, dtype=torch.float64), rate).numpy()

    def shuffle(self, rows: int, seed: int) -> Rows:
        return torch.randperm(rows, generator=_generator(seed)).numpy()


_ACTIVATIONS = {"relu": nn.ReLU, "tanh": nn.Tanh, "logistic": nn.Sigmoid}


def _generator(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def _data(array: Array, at: Placement) -> torch.Tensor:
    return torch.tensor(array, dtype=getattr(torch, at.dtype), device=at.device)


def _numpy(tensor: torch.Tensor) -> Array:
    """Recipe: a kernel is (out, in) in PyTorch and (in, out) in the task; vectors stay as they are."""
    return tensor.detach().cpu().numpy().T.copy()


def _tensor(array: Array, like: torch.Tensor) -> torch.Tensor:
    """The inverse of `_numpy`.

    Contiguous: the fused optimizers read state in memory order, and would take a transposed view for
    something else without complaint.
    """
    return torch.tensor(np.ascontiguousarray(array.T), dtype=like.dtype, device=like.device)


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
