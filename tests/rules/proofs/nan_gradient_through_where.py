"""TL415: the loss is the same and finite, but its gradient is NaN where the other branch was chosen."""

from types import ModuleType

import torch

VALUES = [0.0, 0.5, 2.0]


def entropy() -> tuple[float, list[float]]:
    """The entropy of some weights, and its gradient."""
    x = torch.tensor(VALUES, requires_grad=True)
    result = -torch.where(x > 0, x * x.log(), 0.0).sum()
    result.backward()
    assert x.grad is not None
    return result.item(), x.grad.tolist()


def sinc() -> tuple[float, list[float]]:
    x = torch.tensor(VALUES, requires_grad=True)
    is_zero = x == 0
    result = torch.where(is_zero, 1.0, torch.sin(x) / x).sum()
    result.backward()
    assert x.grad is not None
    return result.item(), x.grad.tolist()


def softplus() -> tuple[float, list[float]]:
    x = torch.tensor([100.0, 0.5, 2.0], requires_grad=True)
    result = torch.where(x > 20, x, torch.log1p(torch.exp(x))).sum()
    result.backward()
    assert x.grad is not None
    return result.item(), x.grad.tolist()


def prove(bad: ModuleType, good: ModuleType) -> None:
    for name, slope in (("entropy", 0.0), ("sinc", 0.0), ("softplus", 1.0)):
        result, grad = getattr(bad, name)()
        same, mended = getattr(good, name)()
        assert result == same, "what comes out does not tell"
        assert grad[0] != grad[0], "NaN"
        assert mended == [slope, *grad[1:]]
