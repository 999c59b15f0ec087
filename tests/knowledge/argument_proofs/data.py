"""What arguments of data loading claim."""

from __future__ import annotations

import pytest
import torch
from torch.utils.data import DataLoader, Dataset, DistributedSampler, IterableDataset

from argument_proofs.shared import proves


class Stream(IterableDataset):
    def __iter__(self):
        return iter(range(4))


class Rows(Dataset):
    def __len__(self) -> int:
        return 5

    def __getitem__(self, index: int) -> int:
        return index


@proves("torch.utils.data.DataLoader", "batch_size")
def none_batches_nothing() -> None:
    assert [int(item) for item in DataLoader(Rows(), batch_size=None)] == [0, 1, 2, 3, 4]


@proves("torch.utils.data.DataLoader", "shuffle")
def streams_are_not_shuffled() -> None:
    with pytest.raises(ValueError, match="unspecified shuffle"):
        DataLoader(Stream(), shuffle=True)
    with pytest.raises(ValueError, match="mutually exclusive"):
        DataLoader(Rows(), shuffle=True, sampler=[0])


@proves("torch.utils.data.DataLoader", "batch_sampler")
def a_batch_sampler_excludes_the_others() -> None:
    for arguments in ({"batch_size": 2}, {"shuffle": True}, {"sampler": [0]}, {"drop_last": True}):
        with pytest.raises(ValueError, match="mutually exclusive"):
            DataLoader(Rows(), batch_sampler=[[0]], **arguments)


@proves("torch.utils.data.DataLoader", "drop_last")
def a_batch_that_is_not_full_is_left_out() -> None:
    assert len(DataLoader(Rows(), batch_size=2)) == 3
    assert len(DataLoader(Rows(), batch_size=2, drop_last=True)) == 2


@proves("torch.utils.data.DataLoader", "prefetch_factor")
def prefetching_needs_workers() -> None:
    with pytest.raises(ValueError, match="prefetch_factor"):
        DataLoader(Rows(), prefetch_factor=2)
    assert DataLoader(Rows(), num_workers=1).prefetch_factor == 2


@proves("torch.utils.data.DataLoader", "persistent_workers")
def persistence_needs_workers() -> None:
    with pytest.raises(ValueError, match="persistent_workers"):
        DataLoader(Rows(), persistent_workers=True)


@proves("torch.utils.data.DataLoader", "pin_memory")
def pinning_without_an_accelerator_warns() -> None:
    if not torch.accelerator.is_available():
        with pytest.warns(UserWarning, match="no accelerator is found"):
            next(iter(DataLoader(Rows(), pin_memory=True)))


@proves("torch.utils.data.DataLoader", "generator")
def a_seeded_generator_repeats_the_order() -> None:
    orders = [
        [
            batch.tolist()
            for batch in DataLoader(Rows(), shuffle=True, generator=torch.Generator().manual_seed(1))
        ]
        for _ in range(2)
    ]
    assert orders[0] == orders[1]


@proves("torch.utils.data.DistributedSampler", "shuffle")
def epochs_are_alike_without_set_epoch() -> None:
    sampler = DistributedSampler(Rows(), num_replicas=1, rank=0)
    first = list(sampler)
    assert list(sampler) == first
    orders = set()
    for epoch in range(5):
        sampler.set_epoch(epoch)
        orders.add(tuple(sampler))
    assert len(orders) > 1


@proves("torch.utils.data.DistributedSampler", "drop_last")
def items_come_twice_by_default() -> None:
    def drawn(drops: bool) -> list[int]:
        samplers = [
            DistributedSampler(Rows(), num_replicas=2, rank=r, shuffle=False, drop_last=drops) for r in (0, 1)
        ]
        return sorted(index for sampler in samplers for index in sampler)

    assert len(drawn(False)) == 6 and len(set(drawn(False))) == 5
    assert len(drawn(True)) == 4


@proves("torch.utils.data.random_split", "lengths")
def parts_are_numbers_or_fractions() -> None:
    for lengths in ([7, 3], [0.7, 0.3]):
        parts = torch.utils.data.random_split(range(10), lengths)  # type: ignore[arg-type]
        assert [len(part) for part in parts] == [7, 3]
    with pytest.raises(ValueError, match="Sum of input lengths"):
        torch.utils.data.random_split(range(10), [7, 2])  # type: ignore[arg-type]
