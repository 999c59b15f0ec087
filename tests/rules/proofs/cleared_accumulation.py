"""TL109: cleared in every iteration, the gradients of all batches but the last are lost."""

from types import ModuleType

import torch

ACCUMULATE = 4


def gradients() -> list[torch.Tensor]:
    """The gradient that each of three steps uses; the weights stand still (lr=0)."""
    torch.manual_seed(0)
    model = torch.nn.Linear(2, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.0)
    used = []
    for i, x in enumerate(batches()):
        optimizer.zero_grad()
        loss = model(x).pow(2).mean() / ACCUMULATE
        loss.backward()
        if (i + 1) % ACCUMULATE == 0:
            assert model.weight.grad is not None
            used.append(model.weight.grad.clone())
            optimizer.step()
    return used


def batches() -> torch.Tensor:
    return torch.randn(3 * ACCUMULATE, 8, 2, generator=torch.Generator().manual_seed(1))


def wanted() -> list[torch.Tensor]:
    """The gradients of batches that are as large as those of a step together."""
    torch.manual_seed(0)
    model = torch.nn.Linear(2, 1)
    found = []
    for x in batches().reshape(3, ACCUMULATE * 8, 2):
        (gradient,) = torch.autograd.grad(model(x).pow(2).mean(), [model.weight])
        found.append(gradient)
    return found


def prove(bad: ModuleType, good: ModuleType) -> None:
    for used, gradient in zip(good.gradients(), good.wanted(), strict=True):
        torch.testing.assert_close(used, gradient)
    for used, gradient in zip(bad.gradients(), bad.wanted(), strict=True):
        assert used.norm() < 0.6 * gradient.norm()
