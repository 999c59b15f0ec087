"""TL508: every copy of a batch is asked for in the form that waits; the repaired ones are not."""

import warnings
from types import ModuleType
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.data import DataLoader, TensorDataset

DEVICE = torch.device("cuda" if torch.cuda.is_available() else "meta")  # the latter is everywhere


class Copies(TorchDispatchMode):
    """Notes for each copy to another device whether it waits for that."""

    def __init__(self) -> None:
        super().__init__()
        self.wait: list[bool] = []

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func is torch.ops.aten._to_copy.default:
            self.wait.append(not (kwargs or {}).get("non_blocking", False))
        return func(*args, **(kwargs or {}))


def copies() -> list[bool]:
    dataset = TensorDataset(torch.randn(8, 4), torch.randn(8, 1))
    loader = DataLoader(dataset, batch_size=4, pin_memory=True)
    with Copies() as made, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that without a GPU nothing is pinned
        for x, y in loader:
            x, y = x.to(DEVICE), y.to(DEVICE)
    return made.wait


def prove(bad: ModuleType, good: ModuleType) -> None:
    assert bad.copies() == 4 * [True]
    assert good.copies() == 4 * [False]
