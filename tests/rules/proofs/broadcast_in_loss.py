"""TL450: a column and a row are compared each with each, and the model learns the mean of all targets."""

import warnings
from types import ModuleType

import torch
import torch.nn.functional as F
from torch import nn


def loss_of_a_perfect_prediction() -> float:
    target = torch.arange(8.0)
    prediction = torch.arange(8.0).view(8, 1)
    return F.mse_loss(prediction, target).item()


def spread(seed: int) -> float:
    """How far apart the predictions are that a model has learned for targets between -2 and 2."""
    torch.manual_seed(seed)
    x = torch.linspace(-1, 1, 32).view(32, 1)
    y = torch.linspace(-2, 2, 32)
    model = nn.Linear(1, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.2)
    for _ in range(200):
        loss = F.mse_loss(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    prediction = model(x).detach()
    return (prediction.max() - prediction.min()).item()


def prove(bad: ModuleType, good: ModuleType) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch warns of the target's size, and goes on
        assert bad.loss_of_a_perfect_prediction() > 10
        spreads = [bad.spread(seed) for seed in range(3)]
    assert max(spreads) < 0.1
    assert good.loss_of_a_perfect_prediction() == 0
    assert all(3.9 < good.spread(seed) < 4.1 for seed in range(3))
