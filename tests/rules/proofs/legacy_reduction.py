"""TL411: torch warns of both, and where one of them is given, it ignores the reduction."""

import warnings
from types import ModuleType

import pytest
import torch
from torch import nn


def total(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    return nn.MSELoss(size_average=False)(x, y)


def each(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    return nn.L1Loss(size_average=True, reduction="none")(x, y)


def prove(bad: ModuleType, good: ModuleType) -> None:
    x, y = torch.randn(8, 3), torch.randn(8, 3)
    with pytest.warns(UserWarning, match="size_average and reduce args will be deprecated"):
        assert torch.equal(bad.total(x, y), (x - y).square().sum())
    with pytest.warns(UserWarning, match="size_average and reduce args will be deprecated"):
        assert bad.each(x, y).dim() == 0, "though each loss by itself was asked for"
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert torch.equal(good.total(x, y), (x - y).square().sum())
        assert torch.equal(good.each(x, y), (x - y).abs())
