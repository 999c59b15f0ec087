"""TL607: of n parts the first is copied n times: the work grows with the square of n."""

from types import ModuleType
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode


class Copied(TorchDispatchMode):
    """Counts the numbers that `cat` writes."""

    def __init__(self) -> None:
        super().__init__()
        self.numbers = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        made = func(*args, **(kwargs or {}))
        self.numbers += made.numel() if func is torch.ops.aten.cat.default else 0
        return made


def collected(n: int) -> tuple[torch.Tensor, int]:
    """n rows of 8 numbers, and how many numbers were written on the way."""
    torch.manual_seed(0)
    rows = torch.empty(0, 8)
    with Copied() as copied:
        for _ in range(n):
            rows = torch.cat([rows, torch.randn(1, 8)])
    return rows, copied.numbers


def prove(bad: ModuleType, good: ModuleType) -> None:
    rows, written = bad.collected(100)
    assert written == 8 * 100 * 101 / 2
    _, more = bad.collected(200)
    assert more > 3.9 * written, "twice as many rows take four times the work"

    same, written = good.collected(100)
    assert torch.equal(same, rows)
    assert written == 8 * 100
