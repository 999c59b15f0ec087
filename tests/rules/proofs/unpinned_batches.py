"""TL507: nobody pins the batches that workers make; then a thread of the loader does."""

from types import ModuleType
from typing import Any
from unittest import mock

import torch
from torch.utils.data import DataLoader, TensorDataset

DEVICE = torch.device("cuda" if torch.cuda.is_available() else "meta")  # the latter is everywhere


def moved() -> int:
    """How many batches are moved."""
    count = 0
    for (x,) in DataLoader(TensorDataset(torch.randn(8, 4)), batch_size=2, num_workers=1):
        x = x.to(DEVICE)
        count += 1
    return count


def pinned_by(module: ModuleType) -> int:
    """How many batches are pinned when a program runs beside what its loader takes for a GPU."""
    pinned = []

    def pin(tensor: torch.Tensor, *args: Any) -> torch.Tensor:
        pinned.append(tensor)
        return tensor

    accelerator = {
        "is_available": mock.Mock(return_value=True),
        "current_accelerator": mock.Mock(return_value=torch.device("cuda")),
        "current_device_index": mock.Mock(return_value=0),
        "set_device_index": mock.Mock(),
    }
    with (
        mock.patch.multiple(torch.accelerator, **accelerator),
        mock.patch.object(torch.Tensor, "pin_memory", pin),
    ):
        assert module.moved() == 4
    return len(pinned)


def prove(bad: ModuleType, good: ModuleType) -> None:
    assert pinned_by(bad) == 0
    assert pinned_by(good) == 4
