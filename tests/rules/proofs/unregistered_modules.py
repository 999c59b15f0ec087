"""TL302: what a module keeps in a plain list is not registered."""

from types import ModuleType

import torch
from torch import nn


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layers = [nn.Linear(4, 4) for _ in range(3)]
        self.heads = {"a": nn.Linear(4, 2), "b": nn.Linear(4, 2)}
        self.scales = [nn.Parameter(torch.ones(4)), nn.Parameter(torch.ones(4))]
        self.blocks = []
        for _ in range(2):
            self.blocks.append(nn.Sequential(nn.Linear(4, 4), nn.Dropout(0.5)))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        for layer in (*self.layers, *self.blocks):
            x = layer(x)
        return self.heads["a"](x * self.scales[0]) + self.heads["b"](x * self.scales[1])


def prove(bad: ModuleType, good: ModuleType) -> None:
    model = bad.Net()
    assert list(model.parameters()) == [] and not model.state_dict()
    model.eval()
    assert model.blocks[0][1].training, "`eval()` does not reach them"
    model.double()
    assert model.layers[0].weight.dtype is torch.float32, "nor does `to()`"

    model = good.Net()
    assert len(list(model.parameters())) == 2 * (3 + 2 + 2) + 2
    model.eval().double()
    assert not model.blocks[0][1].training and model.layers[0].weight.dtype is torch.float64
    assert model(torch.ones(4, dtype=torch.float64)).shape == (2,)
