"""TL805: sizes that differ can only be broadcast where one of them is 1."""

from types import ModuleType

import pytest
import torch


def centred() -> torch.Tensor:
    features = torch.randn(4, 10)
    return features - features.mean(dim=1)


def scaled() -> torch.Tensor:
    return torch.ones(4, 10) * torch.arange(4)


def prove(bad: ModuleType, good: ModuleType) -> None:
    with pytest.raises(
        RuntimeError, match=r"The size of tensor a \(10\) must match the size of tensor b \(4\)"
    ):
        bad.centred()
    with pytest.raises(RuntimeError, match="must match the size"):
        bad.scaled()
    assert good.scaled().sum() == 60
    assert good.centred().mean(dim=1).abs().max() < 1e-6
