"""TL218: what is changed by way of `.data` makes gradients wrong; of a detached tensor torch says so."""

from types import ModuleType

import pytest
import torch


def gradient() -> torch.Tensor | None:
    x = torch.zeros(3, requires_grad=True)
    gate = torch.sigmoid(x)
    mask = gate.data
    mask.zero_()
    gate.sum().backward()
    return x.grad


def prove(bad: ModuleType, good: ModuleType) -> None:
    right = torch.full((3,), 0.25)  # the derivative of sigmoid at 0
    assert not torch.allclose(bad.gradient(), right)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        good.gradient()
