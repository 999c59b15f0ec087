"""TL114: in training mode a score depends on chance, and batch norm learns from what it is tested on."""

from types import ModuleType

import torch
from torch import nn


def scored() -> tuple[list[float], float]:
    """The loss of the same data, three times, and how far the running mean moved meanwhile."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 64), nn.BatchNorm1d(64), nn.Dropout(0.5), nn.Linear(64, 2))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    criterion = nn.CrossEntropyLoss()
    y = torch.zeros(8, dtype=torch.long)
    for x in torch.randn(10, 8, 4):
        optimizer.zero_grad()
        criterion(model(x), y).backward()
        optimizer.step()
    before = model[1].running_mean.clone()
    same = torch.randn(1, 8, 4) + 3
    losses = []
    with torch.no_grad():
        for x in torch.cat([same, same, same]):
            losses.append(criterion(model(x), y).item())
    return losses, (model[1].running_mean - before).abs().max().item()


def prove(bad: ModuleType, good: ModuleType) -> None:
    losses, moved = bad.scored()
    assert len(set(losses)) == 3
    assert moved > 0.1
    losses, moved = good.scored()
    assert len(set(losses)) == 1
    assert moved == 0
