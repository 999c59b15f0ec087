"""TL614: what was computed in float32 gets coarse gradients, where the backward pass is under autocast."""

from types import ModuleType

import torch
from torch import nn


def gradient() -> torch.Tensor:
    """Of a head that is kept in float32, as losses and norms often are."""
    torch.manual_seed(0)
    body, head = nn.Linear(64, 64), nn.Linear(64, 64)
    x = torch.randn(32, 64)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        hidden = body(x)
        with torch.autocast("cpu", enabled=False):
            loss = head(hidden.float()).pow(2).mean()
        loss.backward()
    gradient = head.weight.grad
    assert gradient is not None
    return gradient


def prove(bad: ModuleType, good: ModuleType) -> None:
    # A number of float32 has more digits than bfloat16 can hold; one that went through bfloat16 has not.
    exact, coarse = good.gradient(), bad.gradient()
    assert torch.equal(coarse, coarse.bfloat16().float()), "rounded to eight bits"
    assert not torch.equal(exact, exact.bfloat16().float())
    torch.testing.assert_close(exact, coarse, rtol=0.05, atol=1e-3)
