"""TL316: `squeeze()` removes the batch, where that is one."""

from types import ModuleType

import torch
from torch import nn


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.fc = nn.Linear(4, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.fc(x).squeeze()


def prove(bad: ModuleType, good: ModuleType) -> None:
    assert bad.Net()(torch.ones(3, 4)).shape == good.Net()(torch.ones(3, 4)).shape == (3,)
    assert bad.Net()(torch.ones(1, 4)).shape == (), "no batch any more"
    assert good.Net()(torch.ones(1, 4)).shape == (1,)
