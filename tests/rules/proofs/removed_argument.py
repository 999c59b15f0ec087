"""TL903: an argument that is gone raises, and nothing depended on it."""

from types import ModuleType

import pytest
import torch
from torch.optim.lr_scheduler import LRScheduler
from torch.utils.data import DataLoader, Sampler


class Backwards(Sampler):
    def __init__(self, source: list[int]) -> None:
        super().__init__(source)
        self.source = source

    def __iter__(self):
        return iter(reversed(range(len(self.source))))

    def __len__(self) -> int:
        return len(self.source)


class Halving(LRScheduler):
    def __init__(self, optimizer, last_epoch: int = -1, verbose: bool = False) -> None:
        super().__init__(optimizer, last_epoch, verbose)

    def get_lr(self) -> list[float]:
        return [rate / 2**self.last_epoch for rate in self.base_lrs]


def optimizer() -> torch.optim.Optimizer:
    return torch.optim.SGD([torch.ones(1, requires_grad=True)], lr=0.1)


def plateau() -> float:
    opt = optimizer()
    scheduler = torch.optim.lr_scheduler.ReduceLROnPlateau(opt, patience=0, factor=0.5, verbose=True)
    for loss in (1.0, 2.0):
        scheduler.step(loss)
    return opt.param_groups[0]["lr"]


def halved() -> float:
    opt = optimizer()
    scheduler = Halving(opt)
    opt.step()
    scheduler.step()
    return scheduler.get_last_lr()[0]


def order() -> list[int]:
    data = [1, 2, 3]
    return [batch.item() for batch in DataLoader(data, sampler=Backwards(data))]


def prove(bad: ModuleType, good: ModuleType) -> None:
    for function in (bad.plateau, bad.halved, bad.order):
        with pytest.raises(TypeError, match=r"verbose|positional arguments|exactly one argument"):
            function()
    assert good.plateau() == good.halved() == 0.05
    assert good.order() == [3, 2, 1]
