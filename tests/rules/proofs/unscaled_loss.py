"""TL613: what was not scaled is divided all the same; a scaler that has scaled nothing raises."""

from types import ModuleType

import pytest
import torch

SCALE = 2.0**16


def first() -> float:
    """How far a step of SGD (lr=1) moves a weight whose gradient is 1."""
    model = torch.nn.Linear(1, 1, bias=False)
    torch.nn.init.zeros_(model.weight)
    optimizer = torch.optim.SGD(model.parameters(), lr=1.0)
    scaler = torch.amp.GradScaler("cpu", init_scale=SCALE)
    optimizer.zero_grad()
    loss = model(torch.ones(1, 1)).sum()
    loss.backward()
    scaler.step(optimizer)
    scaler.update()
    return abs(model.weight.item())


def second() -> float:
    """The same, of the second of two models that share a scaler."""
    other, model = torch.nn.Linear(1, 1), torch.nn.Linear(1, 1, bias=False)
    torch.nn.init.zeros_(model.weight)
    other_optimizer = torch.optim.SGD(other.parameters(), lr=1.0)
    optimizer = torch.optim.SGD(model.parameters(), lr=1.0)
    scaler = torch.amp.GradScaler("cpu", init_scale=SCALE)
    scaler.scale(other(torch.ones(1, 1)).sum()).backward()
    scaler.step(other_optimizer)
    optimizer.zero_grad()
    loss = model(torch.ones(1, 1)).sum()
    loss.backward()
    scaler.step(optimizer)
    scaler.update()
    return abs(model.weight.item())


def prove(bad: ModuleType, good: ModuleType) -> None:
    assert good.first() == good.second() == 1.0
    with pytest.raises(AssertionError, match="_scale is None"):
        bad.first()
    assert bad.second() == 1.0 / SCALE
