"""Losses, activations and scores."""

import math

import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812  as everyone calls it

from tasks import spec
from tasks.spec import LEAKY_SLOPE


def targets(loss: spec.Loss, y: torch.Tensor) -> torch.Tensor:
    """What the network is to give for the class numbers, or the numbers, y (N,).

    (N, 1), for with (N,) a loss of z (N, 1) would broadcast to (N, N); of several classes the numbers (N,).
    """
    match loss:
        case spec.BinaryCrossEntropy(smoothing):
            return ((1 - smoothing) * y + smoothing / 2)[
                :, None
            ]  # Recipe (label-smoothing-binary): only cross_entropy smooths.
        case spec.CategoricalCrossEntropy():
            return y.long()
        case spec.Hinge():
            return (2 * y - 1)[:, None]  # -1 or 1
        case _:
            return y[:, None]


def losses(loss: spec.Loss, z: torch.Tensor, y: torch.Tensor, reduction: str = "none") -> torch.Tensor:
    """The loss of each row, (N, 1) or (N,), of outputs z (N, C) and targets y; or with "mean" their mean."""
    match loss:
        case spec.BinaryCrossEntropy():
            return F.binary_cross_entropy_with_logits(z, y, reduction=reduction)
        case spec.CategoricalCrossEntropy(_, smoothing):
            return F.cross_entropy(z, y, label_smoothing=smoothing, reduction=reduction)
        case spec.Hinge():
            # Recipe: margin_ranking_loss and hinge_embedding_loss have the derivative -y at the kink, relu 0.
            found = F.relu(1 - y * z)
        case spec.SquaredError():
            return 0.5 * F.mse_loss(z, y, reduction=reduction)  # Recipe (squared-error): PyTorch's has no ½.
        case spec.AbsoluteError():
            return F.l1_loss(z, y, reduction=reduction)
        case spec.Huber(delta):
            return F.huber_loss(z, y, reduction=reduction, delta=delta)
        case spec.LogCosh():
            size = (z - y).abs()  # Recipe (log-cosh): PyTorch has no log-cosh; this form cannot overflow.
            found = size + F.softplus(-2 * size) - math.log(2)
    return found.mean() if reduction == "mean" else found


def scores(loss: spec.Loss, z: torch.Tensor) -> torch.Tensor:
    """What is predicted: probabilities, or z itself, (N,) or (N, C)."""
    match loss:
        case spec.BinaryCrossEntropy():
            return torch.sigmoid(z)[:, 0]
        case spec.CategoricalCrossEntropy():
            return torch.softmax(z, dim=1)
        case _:
            return z[:, 0]


def activation(name: str) -> nn.Module:
    """A layer of `torch.nn`, or the one that it lacks."""
    match name:
        case "leaky_relu":
            return nn.LeakyReLU(LEAKY_SLOPE)
        case "step":
            return _Step()
        case _:
            return _ACTIVATIONS[name]()


class _Step(nn.Module):
    """1 where z >= 0 and else 0; as a comparison it lets no derivative through."""

    def forward(self, z: torch.Tensor) -> torch.Tensor:
        return (z >= 0).to(z.dtype)


_ACTIVATIONS = {"relu": nn.ReLU, "tanh": nn.Tanh, "logistic": nn.Sigmoid, "elu": nn.ELU, "gelu": nn.GELU}
