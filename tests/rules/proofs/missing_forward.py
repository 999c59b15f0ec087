"""TL308: a call of a module without `forward` raises."""

from types import ModuleType

import pytest
import torch
from torch import nn


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.fc = nn.Linear(4, 2)

    def foward(self, x: torch.Tensor) -> torch.Tensor:
        return self.fc(x)


def prove(bad: ModuleType, good: ModuleType) -> None:
    with pytest.raises(NotImplementedError, match='is missing the required "forward" function'):
        bad.Net()(torch.ones(4))
    assert good.Net()(torch.ones(4)).shape == (2,)
