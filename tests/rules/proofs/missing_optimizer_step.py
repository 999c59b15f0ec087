"""TL110: without `step` no parameter changes."""

from types import ModuleType

import torch


def train() -> tuple[float, float]:
    """The first loss and the last of a least-squares problem."""
    torch.manual_seed(0)
    model = torch.nn.Linear(4, 1)
    x, y = torch.randn(32, 4), torch.randn(32, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    losses = []
    for _ in range(20):
        optimizer.zero_grad()
        loss = torch.nn.functional.mse_loss(model(x), y)
        loss.backward()
        losses.append(loss.item())
    return losses[0], losses[-1]


def prove(bad: ModuleType, good: ModuleType) -> None:
    first, last = bad.train()
    assert first == last
    first, last = good.train()
    assert last < 0.8 * first
