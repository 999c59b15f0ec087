"""TL310: a container without `forward` cannot be called."""

from types import ModuleType

import pytest
import torch
from torch import nn


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.ModuleList([nn.Linear(4, 4), nn.ReLU(), nn.Linear(4, 2)])

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.layers(x)


def prove(bad: ModuleType, good: ModuleType) -> None:
    with pytest.raises(NotImplementedError, match="ModuleList"):
        bad.Net()(torch.ones(4))
    for container in (nn.ModuleDict(), nn.ParameterList(), nn.ParameterDict()):
        with pytest.raises((NotImplementedError, RuntimeError)):
            container(torch.ones(4))

    assert good.Net()(torch.ones(4)).shape == (2,)
    assert sorted(good.Net().state_dict()) == sorted(bad.Net().state_dict()), "the names are the same"
