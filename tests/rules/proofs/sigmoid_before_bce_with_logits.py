"""TL403: under two sigmoids no example can be called negative, and the loss cannot go down."""

import math
from types import ModuleType

import torch
import torch.nn.functional as F
from torch import nn


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.fc = nn.Linear(1, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.sigmoid(self.fc(x))


def loss_of_certainty(target: float) -> float:
    """The loss of a prediction that is right and all but certain."""
    logits = torch.full((4,), 50.0 if target else -50.0)
    return F.binary_cross_entropy_with_logits(torch.sigmoid(logits), torch.full((4,), target)).item()


def loss_after_training() -> float:
    """Numbers below zero from numbers above: a task that one weight solves."""
    torch.manual_seed(0)
    x = torch.linspace(-2, 2, 64).unsqueeze(1)
    y = (x > 0).float()
    net, criterion = Net(), nn.BCEWithLogitsLoss()
    optimizer = torch.optim.Adam(net.parameters(), lr=0.1)
    for _ in range(200):
        optimizer.zero_grad()
        loss = criterion(net(x), y)
        loss.backward()
        optimizer.step()
    return loss.item()


def prove(bad: ModuleType, good: ModuleType) -> None:
    assert math.isclose(bad.loss_of_certainty(0.0), math.log(2), rel_tol=1e-5)
    assert math.isclose(bad.loss_of_certainty(1.0), math.log(1 + math.exp(-1)), rel_tol=1e-5)
    assert good.loss_of_certainty(0.0) < 1e-6
    assert good.loss_of_certainty(1.0) < 1e-6
    assert good.loss_after_training() < 0.1 < 0.5 < bad.loss_after_training()
