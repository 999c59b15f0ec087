"""TL108: stepped first, a scheduler skips the first learning rate."""

import warnings
from types import ModuleType

import torch


def rates() -> tuple[list[float], list[str]]:
    """The learning rate of each step, and what torch warned of."""
    model = torch.nn.Linear(4, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=1.0)
    scheduler = torch.optim.lr_scheduler.ExponentialLR(optimizer, gamma=0.5)
    used = []
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for x in torch.randn(4, 8, 4):
            scheduler.step()
            optimizer.zero_grad()
            model(x).pow(2).mean().backward()
            used.append(optimizer.param_groups[0]["lr"])
            optimizer.step()
    return used, [str(warning.message) for warning in caught]


def prove(bad: ModuleType, good: ModuleType) -> None:
    assert good.rates() == ([1.0, 0.5, 0.25, 0.125], [])
    used, (warning,) = bad.rates()
    assert used == [0.5, 0.25, 0.125, 0.0625]
    assert "before `optimizer.step()`" in warning
