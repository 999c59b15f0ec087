"""TL214: torch does not change a leaf in place while it records gradients."""

from types import ModuleType

import pytest
import torch

torch.manual_seed(0)
X = torch.randn(64, 4)
Y = X @ torch.tensor([1.0, -2.0, 3.0, 0.5])


def descended() -> float:
    """What gradient descent by hand leaves of the loss."""
    w = torch.zeros(4, requires_grad=True)
    loss = (X @ w - Y).pow(2).mean()
    for _ in range(100):
        loss = (X @ w - Y).pow(2).mean()
        loss.backward()
        w -= 0.1 * w.grad
        w.grad = None
    return loss.item()


def filled() -> list[float]:
    layer = torch.nn.Linear(2, 1)
    layer.weight.fill_(0.5)
    layer.weight[0, 1] = 2.0
    return layer.weight[0].tolist()


def prove(bad: ModuleType, good: ModuleType) -> None:
    for program in ("descended", "filled"):
        with pytest.raises(RuntimeError, match="leaf Variable that requires grad"):
            getattr(bad, program)()
    assert good.descended() < 1e-6
    assert good.filled() == [0.5, 2.0]


if __name__ == "__main__":
    print(descended(), filled())
