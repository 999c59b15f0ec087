"""TL304: an optimizer goes on with the parameters that there were when it was built."""

from types import ModuleType

import torch
from torch import nn


def train() -> tuple[torch.Tensor, torch.Tensor]:
    """The weights of a new head, before and after training."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 100))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    model[2] = nn.Linear(8, 2)
    before = model[2].weight.detach().clone()
    for x in torch.randn(10, 3, 4):
        loss = model(x).pow(2).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return before, model[2].weight.detach()


def prove(bad: ModuleType, good: ModuleType) -> None:
    before, after = bad.train()
    assert torch.equal(before, after), "ten steps, and the new head is as it was"
    before, after = good.train()
    assert not torch.allclose(before, after)
