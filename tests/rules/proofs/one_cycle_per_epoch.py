"""TL112: stepped once per epoch, a cycle over batches never leaves the beginning of its warm-up."""

from types import ModuleType

import torch


def rates() -> list[float]:
    """The learning rate of every step of five epochs of twenty batches."""
    model = torch.nn.Linear(4, 1)
    batches = torch.randn(20, 8, 4)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    scheduler = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, max_lr=1.0, epochs=5, steps_per_epoch=len(batches)
    )
    used = []
    for _ in range(5):
        for x in batches:
            optimizer.zero_grad()
            model(x).pow(2).mean().backward()
            used.append(float(optimizer.param_groups[0]["lr"]))
            optimizer.step()
        scheduler.step()
    return used


def prove(bad: ModuleType, good: ModuleType) -> None:
    assert max(bad.rates()) < 0.1
    used = good.rates()
    assert max(used) > 0.99
    assert used[-1] < 1e-4
