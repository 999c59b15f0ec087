"""TL801: a layer that takes another width than it is given raises at the first batch."""

from types import ModuleType

import pytest
import torch
import torch.nn.functional as F
from torch import nn


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 16, 3)
        self.norm = nn.BatchNorm2d(32)
        self.fc = nn.Linear(16, 20)
        self.out = nn.Linear(24, 10)

    def features(self, x: torch.Tensor) -> torch.Tensor:
        return F.adaptive_avg_pool2d(self.norm(self.conv(x)), 1).flatten(1)

    def head(self, x: torch.Tensor) -> torch.Tensor:
        return self.out(F.relu(self.fc(x)))


def sequence() -> nn.Module:
    return nn.Sequential(nn.Linear(10, 5), nn.ReLU(), nn.Linear(6, 1))


def picture() -> torch.Tensor:
    return nn.Conv2d(3, 8, 3)(torch.randn(2, 4, 9, 9))


def prove(bad: ModuleType, good: ModuleType) -> None:
    net = bad.Net()
    with pytest.raises(RuntimeError, match="running_mean should contain 16 elements not 32"):
        net.features(torch.randn(2, 3, 8, 8))
    with pytest.raises(RuntimeError, match="mat1 and mat2 shapes cannot be multiplied"):
        net.head(torch.randn(2, 16))
    with pytest.raises(RuntimeError, match="mat1 and mat2 shapes cannot be multiplied"):
        bad.sequence()(torch.randn(2, 10))
    with pytest.raises(RuntimeError, match="expected input.* to have 3 channels, but got 4"):
        bad.picture()
    net = good.Net()
    assert net.head(net.features(torch.randn(2, 3, 8, 8))).shape == (2, 10)
    assert good.sequence()(torch.randn(2, 10)).shape == (2, 1)
    assert good.picture().shape == (2, 8, 7, 7)
