"""Calls that raise, or warn, what the cards about layers, losses and attention quote."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import torch
from torch import nn
from torch.nn import functional as F


class Encoder(nn.Module):
    def __init__(self, size: int) -> None:
        super().__init__()
        self.w = nn.Parameter(torch.ones(1))
        self.register_buffer("mean", torch.zeros(1))
        self.register_buffer("mask", torch.ones(size, size))


class Average(nn.Linear):
    """Keeps a running mean of its output, with the graph that led to it."""

    def __init__(self) -> None:
        super().__init__(1, 1)
        self.register_buffer("ema", torch.zeros(1))

    def forward(self, input: Any) -> Any:
        y = super().forward(input)
        self.ema = 0.9 * self.ema + 0.1 * y.mean()
        return y - self.ema


def use_a_buffer_with_history() -> None:
    layer = Average()
    for _ in range(2):
        layer(torch.ones(2, 1)).sum().backward()


def copy_a_buffer_with_history() -> None:
    layer = Average()
    layer(torch.ones(2, 1))
    copy.deepcopy(layer)


def assign_number_to_buffer() -> None:
    Encoder(4).mean = 3


RAISING: dict[str, list[Callable[[], Any]]] = {
    "parameters-and-buffers": [
        use_a_buffer_with_history,
        copy_a_buffer_with_history,
        lambda: Encoder(8).load_state_dict(Encoder(4).state_dict()),
        lambda: Encoder(4).register_buffer("w", torch.zeros(1)),
        lambda: Encoder(4).register_buffer("k", 3),
        assign_number_to_buffer,
        lambda: Encoder(4).register_buffer("a.b", torch.zeros(1)),
        lambda: nn.LazyLinear(3).weight.numel(),
    ],
    "batchnorm": [
        lambda: nn.BatchNorm1d(3)(torch.ones(1, 3)),
        lambda: nn.BatchNorm1d(8)(torch.ones(2, 5, 8)),
        lambda: nn.BatchNorm2d(3)(torch.ones(2, 3)),
        lambda: F.batch_norm(torch.ones(2, 3), None, None),
    ],
    "layer-group-rms-norm": [
        lambda: nn.LayerNorm(8)(torch.ones(2, 7)),
        lambda: nn.GroupNorm(4, 6),
        lambda: F.layer_norm(torch.ones(2, 8), 8),
        lambda: nn.InstanceNorm2d(6)(torch.ones(2, 6, 1, 1)),
        lambda: nn.InstanceNorm2d(6)(torch.ones(2, 5, 4, 4)),
        lambda: nn.RMSNorm(8)(torch.ones(2, 8, dtype=torch.bfloat16)),
        lambda: F.normalize(torch.ones(2)),
    ],
}
