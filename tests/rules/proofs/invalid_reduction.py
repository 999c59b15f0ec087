"""TL409: the loss is made without a word, and raises when it is called."""

from types import ModuleType

import pytest
import torch
import torch.nn.functional as F
from torch import nn

AVERAGE = nn.MSELoss(reduction="avg")
EACH = nn.CrossEntropyLoss(reduction=None)


def average(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    return AVERAGE(x, y)


def each(x: torch.Tensor) -> torch.Tensor:
    return EACH(x, torch.zeros(len(x), dtype=torch.long))


def total(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    return F.smooth_l1_loss(x, y, reduction="summ")


def prove(bad: ModuleType, good: ModuleType) -> None:
    x, y = torch.randn(8, 3), torch.randn(8, 3)
    for compute in (lambda m: m.average(x, y), lambda m: m.each(x), lambda m: m.total(x, y)):
        with pytest.raises(ValueError, match="is not a valid value for reduction"):
            compute(bad)
    assert torch.equal(good.average(x, y), (x - y).square().mean())
    assert good.each(x).shape == (8,)
    assert torch.equal(good.total(x, y), F.smooth_l1_loss(x, y, reduction="sum"))
