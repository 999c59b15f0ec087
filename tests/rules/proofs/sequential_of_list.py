"""TL309: `nn.Sequential` does not take a list apart."""

from types import ModuleType

import pytest
import torch
from torch import nn


def of_list() -> nn.Sequential:
    return nn.Sequential([nn.Linear(4, 8), nn.ReLU()])


def of_generator() -> nn.Sequential:
    return nn.Sequential(nn.Linear(4, 4) for _ in range(3))


def of_dict() -> nn.Sequential:
    return nn.Sequential({"fc": nn.Linear(4, 8)})


def of_module_list() -> nn.Sequential:
    layers = nn.ModuleList([nn.Linear(4, 8), nn.ReLU()])
    return nn.Sequential(layers)


def prove(bad: ModuleType, good: ModuleType) -> None:
    for make in (bad.of_list, bad.of_generator, bad.of_dict):
        with pytest.raises(TypeError, match="is not a Module subclass"):
            make()
    with pytest.raises(NotImplementedError, match="ModuleList"):
        bad.of_module_list()(torch.ones(4))

    for make in (good.of_list, good.of_generator, good.of_dict, good.of_module_list):
        assert make()(torch.ones(4)).shape in ((4,), (8,))
