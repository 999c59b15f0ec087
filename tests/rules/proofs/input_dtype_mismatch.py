"""TL602: no layer with float32 weights takes float64 or whole numbers; `.float()` is all that it takes."""

from types import ModuleType

import numpy as np
import pytest
import torch
from torch import nn


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.fc = nn.Linear(4, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.fc(x)


def linear() -> torch.Tensor:
    model = nn.Linear(4, 1)
    x = torch.from_numpy(np.random.randn(2, 4))
    return model(x)


def convolution() -> torch.Tensor:
    model = nn.Sequential(nn.Conv2d(3, 4, 1), nn.ReLU())
    images = torch.as_tensor(np.zeros((2, 3, 5, 5)))
    return model(images)


def recurrent() -> torch.Tensor:
    model = nn.GRU(4, 8)
    output, _ = model(torch.zeros(3, 2, 4, dtype=torch.float64))
    return output


def own() -> torch.Tensor:
    net = Net()
    return net(torch.arange(4))


MESSAGES = {
    "linear": "mat1 and mat2 must have the same dtype, but got Double and Float",
    "convolution": r"Input type \(double\) and bias type \(float\) should be the same",
    "recurrent": r"RNN input dtype \(torch.float64\) does not match weight dtype \(torch.float32\)",
    "own": "must have the same dtype, but got Long and Float",
}


def prove(bad: ModuleType, good: ModuleType) -> None:
    for name, message in MESSAGES.items():
        with pytest.raises((RuntimeError, ValueError), match=message):
            getattr(bad, name)()
        assert getattr(good, name)().dtype is torch.float32
