"""TL318: a batch norm subtracts the bias of the layer before it."""

from types import ModuleType

import torch
from torch import nn


def block() -> nn.Sequential:
    """A convolution and a batch norm."""
    return nn.Sequential(nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8))


def prove(bad: ModuleType, good: ModuleType) -> None:
    torch.manual_seed(0)
    x = torch.randn(4, 3, 6, 6)
    model = bad.block()
    before = model(x)
    before.pow(2).mean().backward()
    assert model[0].bias.grad.abs().max() < 1e-6, "it gets no gradient"
    with torch.no_grad():
        model[0].bias.add_(5.0)
    assert torch.allclose(model(x), before, atol=1e-4), "and has no effect"

    same = good.block()
    assert same[0].bias is None
    with torch.no_grad():
        same[0].weight.copy_(model[0].weight)
    assert torch.allclose(same(x), before, atol=1e-4)
