"""TL803: what is put together must have the same sizes but along one dimension."""

from types import ModuleType

import pytest
import torch


def both() -> torch.Tensor:
    text, image = torch.randn(8, 64), torch.randn(8, 128)
    return torch.cat([text, image])


def prove(bad: ModuleType, good: ModuleType) -> None:
    with pytest.raises(RuntimeError, match="Sizes of tensors must match except in dimension 0"):
        bad.both()
    assert good.both().shape == (8, 192)
