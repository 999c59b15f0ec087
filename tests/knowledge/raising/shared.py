"""What the calls of several areas need."""

from __future__ import annotations

import torch
from torch import nn, optim

SCORES, LABELS = torch.randn(4, 3, generator=torch.Generator().manual_seed(0)), torch.tensor([0, 2, 1, 0])


def weight() -> nn.Parameter:
    return nn.Parameter(torch.ones(1))


def sgd() -> optim.SGD:
    p = weight()
    p.grad = torch.ones(1)
    return optim.SGD([p], lr=0.1)
