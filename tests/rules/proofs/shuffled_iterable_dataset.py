"""TL503: a stream has no indices to choose from."""

from collections.abc import Iterator
from types import ModuleType
from typing import Any

import pytest
from torch.utils.data import DataLoader, IterableDataset, SequentialSampler


class Numbers(IterableDataset[int]):
    def __iter__(self) -> Iterator[int]:
        return iter(range(6))


def shuffled() -> Any:
    return DataLoader(Numbers(), batch_size=2, shuffle=True)


def sampled() -> Any:
    return DataLoader(Numbers(), batch_size=2, sampler=SequentialSampler(range(6)))


def prove(bad: ModuleType, good: ModuleType) -> None:
    for make, option in (("shuffled", "shuffle"), ("sampled", "sampler")):
        with pytest.raises(ValueError, match=f"IterableDataset: expected unspecified {option} option"):
            getattr(bad, make)()
        assert [batch.tolist() for batch in getattr(good, make)()] == [[0, 1], [2, 3], [4, 5]]
