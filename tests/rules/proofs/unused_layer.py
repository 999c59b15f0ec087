"""TL322: the layer is saved and given to the optimizer, but stays what it was at random."""

from types import ModuleType

import torch
from torch import nn


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.fc1 = nn.Linear(4, 4)
        self.fc2 = nn.Linear(4, 4)
        self.out = nn.Linear(4, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.out(self.fc1(self.fc1(x)))


def untrained(module: ModuleType) -> set[str]:
    """The parameters that have no gradient after a step of training."""
    model = module.Net()
    assert set(model.state_dict()) == {name for name, _ in model.named_parameters()}
    model(torch.randn(8, 4)).pow(2).mean().backward()
    return {name for name, parameter in model.named_parameters() if parameter.grad is None}


def prove(bad: ModuleType, good: ModuleType) -> None:
    left = untrained(bad)
    assert len(left) == 2 and not any(name.startswith(("fc1.", "out.")) for name in left)
    assert untrained(good) == set()
