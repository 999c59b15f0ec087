"""TL451: losses that refuse a target of another shape."""

from types import ModuleType

import pytest
import torch
import torch.nn.functional as F
from torch import nn


def binary() -> torch.Tensor:
    model, criterion = nn.Linear(4, 1), nn.BCEWithLogitsLoss()
    x, y = torch.randn(8, 4), torch.ones(8)
    return criterion(model(x), y)


def probabilities() -> torch.Tensor:
    return F.binary_cross_entropy(torch.rand(8, 1), torch.ones(8))


def classes() -> torch.Tensor:
    return F.cross_entropy(torch.randn(8, 10), torch.randint(0, 10, (8, 1)))


def prove(bad: ModuleType, good: ModuleType) -> None:
    with pytest.raises(ValueError, match="must be the same"):
        bad.binary()
    with pytest.raises(ValueError, match="target size"):
        bad.probabilities()
    with pytest.raises(RuntimeError, match="multi-target not supported"):
        bad.classes()
    assert good.binary() > 0 and good.probabilities() > 0 and good.classes() > 0
