"""TL303: what is computed from a parameter is not registered."""

from types import ModuleType

import torch
from torch import nn


class Scale(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(3)) * 0.1
        self.shift = nn.Parameter(torch.zeros(3)).double()
        self.row = nn.Parameter(torch.zeros(3)).view(1, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x * self.scale + self.shift + self.row


def prove(bad: ModuleType, good: ModuleType) -> None:
    model = bad.Scale()
    assert list(model.parameters()) == [] and not model.state_dict()
    model(torch.ones(3)).sum().backward()
    assert not any(part.is_leaf for part in (model.scale, model.shift, model.row)), "no `.grad` to be seen"

    model = good.Scale()
    assert sorted(model.state_dict()) == ["row", "scale", "shift"]
    assert model.shift.dtype is torch.float64 and model.row.shape == (1, 3)
    model(torch.ones(3)).sum().backward()
    assert model.scale.grad.tolist() == [1.0, 1.0, 1.0]
