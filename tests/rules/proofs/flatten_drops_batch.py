"""TL319: a batch that is flattened whole does not fit the linear layer; one sample fits, without a batch."""

from types import ModuleType

import pytest
import torch
from torch import nn


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(1, 2, 3)
        self.norm = nn.BatchNorm2d(2)
        self.fc = nn.Linear(2 * 4 * 4, 5)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.norm(self.conv(x)).relu()
        return self.fc(torch.flatten(x))


def prove(bad: ModuleType, good: ModuleType) -> None:
    batch, one = torch.ones(3, 1, 6, 6), torch.ones(1, 1, 6, 6)
    with pytest.raises(RuntimeError, match=r"mat1 and mat2 shapes cannot be multiplied|size mismatch"):
        bad.Net()(batch)
    assert bad.Net()(one).shape == (5,), "no batch any more"
    assert good.Net()(batch).shape == (3, 5)
    assert good.Net()(one).shape == (1, 5)
