"""TL902: what is deprecated warns, and what takes its place trains in the same way without a word."""

import warnings
from types import ModuleType

import torch
import torch.nn.functional as F
from torch import nn
from torch.cuda.amp import GradScaler, autocast


def train(steps: int) -> list[float]:
    """Losses of a small network, by the old names."""
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 1))
    for parameter in net.parameters():
        nn.init.constant(parameter, 0.1)
    scaler = GradScaler(enabled=False)
    optimizer = torch.optim.SGD(net.parameters(), lr=0.01)
    x, y = torch.ones(16, 4), torch.full((16, 1), 2.0)
    losses = []
    for _ in range(steps):
        optimizer.zero_grad()
        with autocast(False):
            loss = F.mse_loss(net(x), y)
        scaler.scale(loss).backward()
        nn.utils.clip_grad_norm(net.parameters(), 1.0)
        scaler.step(optimizer)
        scaler.update()
        losses.append(loss.item())
    return losses


def prove(bad: ModuleType, good: ModuleType) -> None:
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        before = bad.train(5)
    told = {str(warning.message) for warning in said if warning.category is FutureWarning}
    for name in (
        "torch.cuda.amp.autocast",
        "torch.cuda.amp.GradScaler",
        "nn.init.constant",
        "clip_grad_norm",
    ):
        assert any(name in text and "deprecated" in text for text in told), name
    with warnings.catch_warnings():
        warnings.simplefilter("error", FutureWarning)
        assert good.train(5) == before
