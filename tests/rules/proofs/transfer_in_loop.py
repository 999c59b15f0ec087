"""TL630: as many copies as iterations; one is enough."""

from types import ModuleType
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode


class Copies(TorchDispatchMode):
    """Counts the copies to another device."""

    def __init__(self) -> None:
        super().__init__()
        self.count = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        self.count += func is torch.ops.aten._to_copy.default
        return func(*args, **(kwargs or {}))


def copies(n: int) -> int:
    """How many copies n iterations make. The meta device is one that every machine has."""
    weights = torch.ones(1000)
    with Copies() as made:
        for _ in range(n):
            weights.to("meta").sum()
    return made.count


def prove(bad: ModuleType, good: ModuleType) -> None:
    assert bad.copies(50) == 50
    assert good.copies(50) == 1
