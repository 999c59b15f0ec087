"""TL612: without `update` the second step raises."""

from types import ModuleType

import pytest
import torch


def train() -> float:
    """The scale after three steps, of which the last one overflows."""
    model = torch.nn.Linear(1, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    scaler = torch.amp.GradScaler("cpu", init_scale=8.0)
    for x in (1.0, 1.0, float("inf")):
        optimizer.zero_grad()
        loss = (model.weight * x).sum()
        scaler.scale(loss).backward()
        scaler.step(optimizer)
    return scaler.get_scale()


def prove(bad: ModuleType, good: ModuleType) -> None:
    with pytest.raises(RuntimeError, match="already been called since the last update"):
        bad.train()
    assert good.train() == 4.0, "after an overflow the scale is halved"
