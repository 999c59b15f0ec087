"""TL802: matrices whose inner sizes differ cannot be multiplied."""

from types import ModuleType

import pytest
import torch


def scores() -> torch.Tensor:
    query, key = torch.randn(2, 7, 16), torch.randn(2, 9, 16)
    return query @ key


def projected() -> torch.Tensor:
    return torch.matmul(torch.randn(4, 10), torch.randn(5, 10))


def prove(bad: ModuleType, good: ModuleType) -> None:
    with pytest.raises(RuntimeError, match="Expected size for first two dimensions|must match"):
        bad.scores()
    with pytest.raises(RuntimeError, match="mat1 and mat2 shapes cannot be multiplied"):
        bad.projected()
    assert good.scores().shape == (2, 7, 9)
    assert good.projected().shape == (4, 5)
