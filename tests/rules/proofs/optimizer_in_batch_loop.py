"""TL111: made anew for every batch, Adam does nothing but first steps: of the size of the learning rate."""

from types import ModuleType

import torch


def steps() -> list[float]:
    """How far each step moves a weight whose gradient is small but for the first batch."""
    model = torch.nn.Linear(1, 1, bias=False)
    moved = []
    for x in torch.tensor([1.0, 1e-3, 1e-3, 1e-3, 1e-3]):
        optimizer = torch.optim.Adam(model.parameters(), lr=0.1, betas=(0.5, 0.999))
        before = model.weight.item()
        optimizer.zero_grad()
        model(x.reshape(1, 1)).sum().backward()
        optimizer.step()
        moved.append(abs(model.weight.item() - before))
    return moved


def prove(bad: ModuleType, good: ModuleType) -> None:
    assert all(abs(moved - 0.1) < 1e-3 for moved in bad.steps())
    first, *others = good.steps()
    assert abs(first - 0.1) < 1e-3
    assert others[-1] < 0.02
