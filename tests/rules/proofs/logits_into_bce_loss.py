"""TL404: the first number below 0 or above 1 stops the program."""

from types import ModuleType

import pytest
import torch
from torch import nn


def train() -> list[float]:
    """Numbers below zero from numbers above."""
    torch.manual_seed(0)
    x = torch.linspace(-2, 2, 64).unsqueeze(1)
    y = (x > 0).float()
    model = nn.Linear(1, 1)
    criterion = nn.BCELoss()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.1)
    losses = []
    for _ in range(100):
        optimizer.zero_grad()
        loss = criterion(model(x), y)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


def prove(bad: ModuleType, good: ModuleType) -> None:
    with pytest.raises(RuntimeError, match="all elements of input should be between 0 and 1"):
        bad.train()
    losses = good.train()
    assert losses[-1] < 0.2 < losses[0]
