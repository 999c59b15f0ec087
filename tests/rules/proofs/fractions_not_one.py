"""TL504: fractions that do not sum up to 1 are taken for lengths, and no dataset has such a length."""

from types import ModuleType
from typing import Any

import pytest
import torch
from torch.utils.data import TensorDataset, random_split

DATASET = TensorDataset(torch.arange(100.0))


def too_little() -> Any:
    return random_split(DATASET, [0.8, 0.1])


def too_much() -> Any:
    return random_split(DATASET, [0.7, 0.2, 0.2])


def prove(bad: ModuleType, good: ModuleType) -> None:
    for make, lengths in (("too_little", [80, 20]), ("too_much", [70, 20, 10])):
        with pytest.raises(ValueError, match="Sum of input lengths does not equal the length"):
            getattr(bad, make)()
        assert [len(part) for part in getattr(good, make)()] == lengths
