"""TL217: an optimizer that has only frozen parameters changes nothing."""

from types import ModuleType

import torch

REPAIRS = (("SGD(encoder.parameters()", "SGD(head.parameters()"),)


def losses() -> tuple[float, float]:
    """The first loss and the last of a least-squares problem."""
    torch.manual_seed(0)
    encoder, head = torch.nn.Linear(4, 8), torch.nn.Linear(8, 1)
    x, y = torch.randn(32, 4), torch.randn(32, 1)
    for parameter in encoder.parameters():
        parameter.requires_grad = False
    optimizer = torch.optim.SGD(encoder.parameters(), lr=0.1)
    found = []
    for _ in range(20):
        optimizer.zero_grad()
        loss = torch.nn.functional.mse_loss(head(encoder(x)), y)
        loss.backward()
        optimizer.step()
        found.append(loss.item())
    return found[0], found[-1]


def prove(bad: ModuleType, good: ModuleType) -> None:
    first, last = bad.losses()
    assert first == last
    first, last = good.losses()
    assert last < 0.9 * first
