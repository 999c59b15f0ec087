"""TL215: `backward` leaves no gradient with a tensor that was computed."""

import warnings
from types import ModuleType

import pytest
import torch

X = torch.linspace(-1, 1, 32).reshape(8, 4)
Y = X @ torch.tensor([1.0, -2.0, 3.0, 0.5])


def scaled() -> torch.Tensor | None:
    x = torch.ones(4, requires_grad=True) * 0.1
    x.pow(2).sum().backward()
    return x.grad


def converted() -> torch.Tensor | None:
    x = torch.ones(4, dtype=torch.float32, requires_grad=True).double()
    x.pow(2).sum().backward()
    return x.grad


def descended() -> tuple[float, float]:
    """The first loss and the last."""
    w = torch.zeros(4, requires_grad=True)
    losses = []
    for _ in range(50):
        loss = (X @ w - Y).pow(2).mean()
        loss.backward()
        losses.append(loss.item())
        w = w - 0.1 * w.grad
        w.grad = None
    return losses[0], losses[-1]


def prove(bad: ModuleType, good: ModuleType) -> None:
    for program in ("scaled", "converted"):
        with pytest.warns(UserWarning, match="not a leaf Tensor"):
            assert getattr(bad, program)() is None
    torch.testing.assert_close(good.scaled(), torch.full((4,), 0.2))
    torch.testing.assert_close(good.converted(), torch.full((4,), 2.0, dtype=torch.float64))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with pytest.raises(TypeError, match="unsupported operand"):
            bad.descended()
    first, last = good.descended()
    assert last < 0.5 * first
