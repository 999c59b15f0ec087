"""TL103: what `eval()` leaves on, later epochs train in: batch norm stands still and dropout drops nothing."""

from types import ModuleType

import torch
from torch import nn

EPOCHS = 4


def train() -> tuple[list[int], list[int]]:
    """After each epoch's training, how many batches batch norm has seen, and how many units dropout dropped."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 16), nn.BatchNorm1d(16), nn.Dropout(0.5), nn.Linear(16, 1))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    dropped: list[torch.Tensor] = []
    model[2].register_forward_hook(lambda module, given, out: dropped.append((out == 0).sum()))
    seen, zeroes = [], []
    for _ in range(EPOCHS):
        dropped.clear()
        for x in torch.randn(5, 32, 4):
            optimizer.zero_grad()
            model(x).pow(2).mean().backward()
            optimizer.step()
        tracked = model[1].num_batches_tracked
        assert isinstance(tracked, torch.Tensor)
        seen.append(int(tracked))
        zeroes.append(int(sum(dropped)))
        model.eval()
        with torch.no_grad():
            model(torch.randn(32, 4))
    return seen, zeroes


def prove(bad: ModuleType, good: ModuleType) -> None:
    seen, zeroes = bad.train()
    assert seen == [5] * EPOCHS, "its statistics are those of the first epoch"
    assert zeroes[0] > 0
    assert zeroes[1:] == [0] * (EPOCHS - 1)
    seen, zeroes = good.train()
    assert seen == [5 * (epoch + 1) for epoch in range(EPOCHS)]
    assert all(count > 500 for count in zeroes)
