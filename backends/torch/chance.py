"""What PyTorch draws by itself."""

from typing import final

import torch
from torch import nn

from backends import base
from tasks.spec import Array, Rows

from . import arrays


@final
class Chance(base.Chance):
    """`nn.init`, `nn.functional.dropout` and `torch.randperm`."""

    def initial(self, kind: str, shape: tuple[int, int], seed: int) -> Array:
        """By name: `nn.Linear` starts from another, ±1/√in, and biases likewise."""
        kernel = torch.empty(shape[::-1], dtype=torch.float64)  # (out, in)
        generator = _generator(seed)
        match kind:
            case "zeros":
                nn.init.zeros_(kernel)
            case "uniform":
                nn.init.uniform_(kernel, -0.05, 0.05, generator)
            case "normal":
                nn.init.normal_(kernel, std=0.05, generator=generator)
            case "glorot":
                nn.init.xavier_uniform_(kernel, generator=generator)
            case "he":
                nn.init.kaiming_normal_(kernel, nonlinearity="relu", generator=generator)
            case _:
                nn.init.orthogonal_(kernel, generator=generator)
        return arrays.numpy(kernel)  # (in, out)

    def dropout(self, x: Array, rate: float, seed: int) -> Array:
        """It takes no generator: the common one is seeded, and put back as it was."""
        with torch.random.fork_rng(devices=[]):
            torch.default_generator.manual_seed(seed)
            return nn.functional.dropout(torch.tensor(x, dtype=torch.float64), rate).numpy()

    def shuffle(self, rows: int, seed: int) -> Rows:
        return torch.randperm(rows, generator=_generator(seed)).numpy()


def _generator(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)
