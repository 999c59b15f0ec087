"""TL312: all places of a multiplied list hold one layer."""

from types import ModuleType

import torch
from torch import nn


def stack() -> nn.ModuleList:
    """Three layers."""
    return nn.ModuleList([nn.Linear(4, 4)] * 3)


def deep() -> nn.Sequential:
    return nn.Sequential(*[nn.Linear(4, 4), nn.ReLU()] * 3)


def prove(bad: ModuleType, good: ModuleType) -> None:
    for make in (bad.stack, bad.deep):
        model = make()
        assert len(list(model.parameters())) == 2, "the weight and the bias of a single layer"
        assert model[0] is model[-1] or model[0] is model[-2]
    layers = bad.stack()
    with torch.no_grad():
        layers[0].weight.fill_(7.0)
    assert layers[2].weight.eq(7.0).all(), "who changes one changes all"

    for make in (good.stack, good.deep):
        assert len(list(make().parameters())) == 6
