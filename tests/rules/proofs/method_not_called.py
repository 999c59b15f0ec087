"""TL105: a method that is only named does nothing: no step, no mode, no gradient."""

from types import ModuleType

import torch
from torch import nn


def train() -> tuple[torch.Tensor, torch.Tensor, bool]:
    """The weights before and after ten steps, and whether the model is in training mode at the end."""
    torch.manual_seed(0)
    model = nn.Linear(4, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    before = model.weight.detach().clone()
    for x in torch.randn(10, 8, 4):
        optimizer.zero_grad()
        model(x).pow(2).mean().backward()
        optimizer.step
    model.eval
    return before, model.weight.detach().clone(), model.training


def gradient() -> torch.Tensor | None:
    weight = torch.ones(2, requires_grad=True)
    loss = (3 * weight).sum()
    loss.backward
    return weight.grad


def prove(bad: ModuleType, good: ModuleType) -> None:
    before, after, is_training = bad.train()
    assert torch.equal(before, after)
    assert is_training
    assert bad.gradient() is None
    before, after, is_training = good.train()
    assert not torch.equal(before, after)
    assert not is_training
    assert torch.equal(good.gradient(), torch.tensor([3.0, 3.0]))
