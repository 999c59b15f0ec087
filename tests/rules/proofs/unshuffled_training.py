"""TL510: sorted data come class by class, in every epoch; what is learned last is all that is left."""

from types import ModuleType

import torch
from torch.utils.data import DataLoader, TensorDataset

EPOCHS = 4


def train() -> tuple[list[list[float]], list[float]]:
    """The classes in each batch of an epoch, summed up, and what the model takes a sample for."""
    torch.manual_seed(0)
    dataset = TensorDataset(torch.ones(64, 1), torch.tensor([0.0] * 32 + [1.0] * 32).unsqueeze(1))
    loader = DataLoader(dataset, batch_size=8)
    model = torch.nn.Linear(1, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.2)
    sums: list[list[float]] = []
    for epoch in range(EPOCHS):
        sums.append([])
        for x, y in loader:
            optimizer.zero_grad()
            torch.nn.functional.mse_loss(model(x), y).backward()
            optimizer.step()
            sums[epoch].append(y.sum().item())
    return sums, model(torch.ones(1, 1)).flatten().tolist()


def prove(bad: ModuleType, good: ModuleType) -> None:
    sums, learned = bad.train()
    assert sums == EPOCHS * [[0.0] * 4 + [8.0] * 4], "no batch holds both classes"
    assert learned[0] > 0.95, "the last class, although half of the targets are 0"
    sums, learned = good.train()
    assert len({tuple(epoch) for epoch in sums}) == EPOCHS
    assert 0.2 < learned[0] < 0.8
