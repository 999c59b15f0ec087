"""TL106: LBFGS cannot step without a closure."""

from types import ModuleType

import pytest
import torch


def fit() -> float:
    """The loss of a least-squares problem after ten steps."""
    torch.manual_seed(0)
    model = torch.nn.Linear(2, 1)
    x = torch.randn(64, 2)
    y = x @ torch.tensor([[2.0], [-3.0]]) + 1.0
    optimizer = torch.optim.LBFGS(model.parameters(), lr=0.5)
    for _ in range(10):
        optimizer.zero_grad()
        loss = torch.nn.functional.mse_loss(model(x), y)
        loss.backward()
        optimizer.step()
    return torch.nn.functional.mse_loss(model(x), y).item()


def prove(bad: ModuleType, good: ModuleType) -> None:
    with pytest.raises(TypeError, match="closure"):
        bad.fit()
    assert good.fit() < 1e-6
