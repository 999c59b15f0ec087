"""TL603: the tensor is made twice, once in the host's memory; with `device=` once, where it is needed."""

from types import ModuleType
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode

NOWHERE = torch.device("meta")
"""A device that is not the host, and that every machine has."""


class Allocated(TorchDispatchMode):
    """Adds up, by device, the bytes of the tensors that are made meanwhile."""

    def __init__(self) -> None:
        super().__init__()
        self.bytes: dict[str, int] = {}

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        made = func(*args, **(kwargs or {}))
        kind = made.device.type
        self.bytes[kind] = self.bytes.get(kind, 0) + made.nelement() * made.element_size()
        return made


def bytes_by_device() -> dict[str, int]:
    with Allocated() as allocated:
        torch.zeros(1000, 1000).to(NOWHERE)
        torch.randn(1000, 1000).to(NOWHERE)
    return allocated.bytes


def prove(bad: ModuleType, good: ModuleType) -> None:
    assert bad.bytes_by_device() == {"cpu": 8_000_000, "meta": 8_000_000}
    assert good.bytes_by_device() == {"meta": 8_000_000}
