"""TL502: a loader without workers cannot do what only workers can."""

from types import ModuleType
from typing import Any

import pytest
import torch
from torch.utils.data import DataLoader, TensorDataset

DATASET = TensorDataset(torch.arange(8.0))


def kept() -> Any:
    return DataLoader(DATASET, batch_size=4, persistent_workers=True)


def ahead() -> Any:
    return DataLoader(DATASET, batch_size=4, num_workers=0, prefetch_factor=4)


def started() -> Any:
    return DataLoader(DATASET, batch_size=4, multiprocessing_context="fork")


def prove(bad: ModuleType, good: ModuleType) -> None:
    for make, message in (
        ("kept", "persistent_workers option needs num_workers > 0"),
        ("ahead", "prefetch_factor option could only be specified in multiprocessing"),
        ("started", r"multiprocessing_context can only be used with multi-process loading"),
    ):
        with pytest.raises(ValueError, match=message):
            getattr(bad, make)()
        assert getattr(good, make)().num_workers == 2
    assert [batch.tolist() for (batch,) in good.ahead()] == [[0, 1, 2, 3], [4, 5, 6, 7]]
