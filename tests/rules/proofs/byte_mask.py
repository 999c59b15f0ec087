"""TL905: a mask of bytes warns, its opposite is no mask, and in other places it raises."""

import warnings
from types import ModuleType

import pytest
import torch


def large(x: torch.Tensor) -> torch.Tensor:
    mask = (x.new_ones(4) * torch.arange(4) > 1).byte()
    kept = torch.arange(4)
    return kept[mask]


def without_first_row() -> torch.Tensor:
    rows = torch.arange(6).reshape(3, 2)
    return rows[(torch.arange(3) > 0).byte(), :]


def prove(bad: ModuleType, good: ModuleType) -> None:
    torch.set_warn_always(True)
    try:
        for call in (lambda module: module.large(torch.ones(1)), lambda module: module.without_first_row()):
            with pytest.warns(UserWarning, match=r"indexing with dtype torch\.uint8 is now deprecated"):
                old = call(bad)
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                assert torch.equal(call(good), old)
    finally:
        torch.set_warn_always(False)
    mask = torch.tensor([1, 0], dtype=torch.uint8)
    with pytest.raises(RuntimeError, match="mask"):
        torch.ones(2).masked_fill(mask, 0.0)
    assert (~mask).tolist() == [254, 255]
    assert (~mask.bool()).tolist() == [False, True]
