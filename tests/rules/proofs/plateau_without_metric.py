"""TL107: ReduceLROnPlateau cannot step without the metric that it watches."""

from types import ModuleType

import pytest
import torch

REPAIRS = (("scheduler.step()", "scheduler.step(1.0)"),)


def rate() -> float:
    """The learning rate after four epochs without improvement."""
    optimizer = torch.optim.SGD(torch.nn.Linear(2, 1).parameters(), lr=0.1)
    scheduler = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, patience=1)
    for _ in range(4):
        optimizer.step()
        scheduler.step()
    return float(optimizer.param_groups[0]["lr"])


def prove(bad: ModuleType, good: ModuleType) -> None:
    with pytest.raises(TypeError, match="metrics"):
        bad.rate()
    assert abs(good.rate() - 0.01) < 1e-9
