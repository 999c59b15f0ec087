"""TL307: a layer that is made in `forward` has other weights each time, and is never trained."""

from types import ModuleType

import torch
from torch import nn


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.hidden = nn.Linear(4, 8)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        head = nn.Linear(8, 2)
        return head(self.hidden(x).relu())


def prove(bad: ModuleType, good: ModuleType) -> None:
    torch.manual_seed(0)
    x = torch.randn(3, 4)
    model = bad.Net().eval()
    assert not torch.allclose(model(x), model(x)), "the same input gives something else each time"
    assert sorted(model.state_dict()) == ["hidden.bias", "hidden.weight"]

    model = good.Net().eval()
    assert torch.equal(model(x), model(x))
    assert sorted(model.state_dict()) == ["head.bias", "head.weight", "hidden.bias", "hidden.weight"]
    model(x).sum().backward()
    assert model.head.weight.grad is not None
