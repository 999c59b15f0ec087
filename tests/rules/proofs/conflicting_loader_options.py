"""TL501: a loader that is told twice how to choose its samples cannot be made."""

from types import ModuleType
from typing import Any

import pytest
import torch
from torch.utils.data import BatchSampler, DataLoader, SequentialSampler, TensorDataset

DATASET = TensorDataset(torch.arange(8.0))


def with_sampler() -> Any:
    sampler = SequentialSampler(DATASET)
    return DataLoader(DATASET, batch_size=4, shuffle=True, sampler=sampler)


def with_batch_sampler() -> Any:
    batches = BatchSampler(SequentialSampler(DATASET), batch_size=4, drop_last=False)
    return DataLoader(DATASET, batch_size=2, batch_sampler=batches, drop_last=True)


def without_batches() -> Any:
    return DataLoader(DATASET, batch_size=None, drop_last=True)


def prove(bad: ModuleType, good: ModuleType) -> None:
    for make, message in (
        ("with_sampler", "sampler option is mutually exclusive with shuffle"),
        ("with_batch_sampler", "batch_sampler option is mutually exclusive with batch_size"),
        ("without_batches", "mutually exclusive with drop_last"),
    ):
        with pytest.raises(ValueError, match=message):
            getattr(bad, make)()
    assert [batch.tolist() for (batch,) in good.with_sampler()] == [[0, 1, 2, 3], [4, 5, 6, 7]]
    assert [len(batch) for (batch,) in good.with_batch_sampler()] == [4, 4], "the batch sampler decides"
    assert len(list(good.without_batches())) == 8
