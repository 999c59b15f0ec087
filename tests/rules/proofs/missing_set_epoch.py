"""TL701: a sampler that is not told the epoch draws the same order in every one."""

from types import ModuleType

import torch
from torch.utils.data import DataLoader, DistributedSampler, TensorDataset

EPOCHS = 3


def orders(rank: int) -> list[list[int]]:
    """In which order one of two ranks sees its samples, by epoch."""
    dataset = TensorDataset(torch.arange(16.0).unsqueeze(1))
    sampler = DistributedSampler(dataset, num_replicas=2, rank=rank)
    loader = DataLoader(dataset, batch_size=4, sampler=sampler)
    model = torch.nn.Linear(1, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-3)
    seen: list[list[int]] = []
    for epoch in range(EPOCHS):
        seen.append([])
        for (x,) in loader:
            optimizer.zero_grad()
            model(x).pow(2).mean().backward()
            optimizer.step()
            seen[epoch] += [int(value) for value in x.flatten().tolist()]
    return seen


def prove(bad: ModuleType, good: ModuleType) -> None:
    for rank in (0, 1):
        first, *others = bad.orders(rank)
        assert all(order == first for order in others), "always the same batches"
        different = {tuple(order) for order in good.orders(rank)}
        assert len(different) == EPOCHS, "another order, and other samples, in each epoch"
    for mine, theirs in zip(good.orders(0), good.orders(1), strict=True):
        assert sorted(mine + theirs) == list(range(16)), "and the ranks still share the data"
