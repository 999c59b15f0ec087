"""TL317: a tensor that is no buffer stays behind when the module is moved."""

from types import ModuleType

import pytest
import torch
from torch import nn


class Normalize(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.mean = torch.tensor([1.0, 2.0, 3.0])

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x - self.mean


def prove(bad: ModuleType, good: ModuleType) -> None:
    x = torch.ones(3, device="meta")  # a device that every machine has
    model = bad.Normalize().to("meta")
    assert model.mean.device.type == "cpu"
    with pytest.raises(RuntimeError, match="device"):
        model(x)
    assert bad.Normalize().double().mean.dtype is torch.float32

    model = good.Normalize().to("meta")
    assert model(x).device.type == "meta"
    assert good.Normalize().double().mean.dtype is torch.float64
    assert not good.Normalize().state_dict(), "checkpoints stay as they are"
    assert torch.equal(good.Normalize()(torch.ones(3)), bad.Normalize()(torch.ones(3)))
