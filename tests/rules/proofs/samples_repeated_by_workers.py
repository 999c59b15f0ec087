"""TL505: every worker goes through the whole stream."""

from collections.abc import Iterator
from types import ModuleType
from typing import Any

from torch.utils.data import DataLoader, IterableDataset


class Numbers(IterableDataset[int]):
    def __init__(self, end: int) -> None:
        self.end = end

    def __iter__(self) -> Iterator[int]:
        for number in range(self.end):
            yield number * number


def loader() -> Any:
    return DataLoader(Numbers(6), batch_size=None, num_workers=2, multiprocessing_context="fork")


def prove(bad: ModuleType, good: ModuleType) -> None:
    squares = [0, 1, 4, 9, 16, 25]
    assert sorted(map(int, bad.loader())) == sorted(squares * 2), "each comes twice"
    assert sorted(map(int, good.loader())) == squares
    assert list(good.Numbers(6)) == squares, "and without workers it is whole"
