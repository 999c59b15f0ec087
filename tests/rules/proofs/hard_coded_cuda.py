"""TL609: without a GPU the program stops; asked first, it runs wherever it is."""

from types import ModuleType
from unittest import mock

import pytest
import torch


def placed() -> torch.Tensor:
    device = torch.device("cuda")
    return torch.zeros(3, device=device)


def prove(bad: ModuleType, good: ModuleType) -> None:
    if bad.placed is not good.placed and good.placed().device.type == "cuda":
        return  # this machine has one
    with pytest.raises((AssertionError, RuntimeError), match="CUDA enabled|NVIDIA driver|CUDA GPUs"):
        bad.placed()
    with mock.patch.object(torch, "zeros", wraps=torch.zeros) as zeros:
        assert good.placed().device.type == "cpu"
    zeros.assert_called_once_with(3, device=torch.device("cpu"))
