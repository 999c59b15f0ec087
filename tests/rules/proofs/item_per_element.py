"""TL604: as many copies as there are elements, each of which waits for the device; `tolist` makes none of them."""

from types import ModuleType
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode


class Fetched(TorchDispatchMode):
    """Counts how often a number is fetched from where a tensor is."""

    def __init__(self) -> None:
        super().__init__()
        self.times = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        self.times += func is torch.ops.aten._local_scalar_dense.default
        return func(*args, **(kwargs or {}))


def numbers(n: int) -> tuple[list[float], int]:
    """The numbers of a tensor, and how often one was fetched."""
    torch.manual_seed(0)
    scores = torch.rand(n, 1)
    with Fetched() as fetched:
        values = [score.item() for score in scores]
    return values, fetched.times


def prove(bad: ModuleType, good: ModuleType) -> None:
    values, times = bad.numbers(500)
    assert times == 500
    same, times = good.numbers(500)
    assert same == values
    assert times == 0, "all of them come in one copy"
