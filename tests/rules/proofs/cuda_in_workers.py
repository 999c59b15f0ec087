"""TL511: what puts tensors on the GPU runs in processes that were forked, where CUDA cannot be used.

Without a GPU a stand-in for `Tensor.cuda` does what CUDA does: it works in the process that used it first,
and raises in those that were forked from that.
"""

import os
from types import ModuleType
from unittest import mock

import pytest
import torch
from torch.utils.data import DataLoader, Dataset


class Rows(Dataset[torch.Tensor]):
    def __len__(self) -> int:
        return 4

    def __getitem__(self, index: int) -> torch.Tensor:
        return torch.full((2,), float(index)).cuda()


def total() -> float:
    """The sum of all rows."""
    return sum(batch.sum().item() for batch in DataLoader(Rows(), batch_size=2, num_workers=1))


def prove(bad: ModuleType, good: ModuleType) -> None:
    if torch.cuda.is_available():
        torch.ones(1).cuda()
        check(bad, good)
        return
    first = os.getpid()

    def cuda(tensor: torch.Tensor) -> torch.Tensor:
        if os.getpid() != first:
            raise RuntimeError("Cannot re-initialize CUDA in forked subprocess")
        return tensor

    with mock.patch.object(torch.Tensor, "cuda", cuda):
        check(bad, good)


def check(bad: ModuleType, good: ModuleType) -> None:
    with pytest.raises(RuntimeError, match="Cannot re-initialize CUDA in forked subprocess"):
        bad.total()
    assert good.total() == 12.0
