"""TL615: with bfloat16 a scaler changes no weight, but looks through all gradients in every step."""

from types import ModuleType
from unittest import mock

import torch

STEPS = 5


def train() -> torch.Tensor:
    torch.manual_seed(0)
    model = torch.nn.Linear(16, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    scaler = torch.amp.GradScaler("cpu")
    for _ in range(STEPS):
        optimizer.zero_grad()
        with torch.autocast("cpu", dtype=torch.bfloat16):
            loss = model(torch.randn(8, 16)).pow(2).mean() * 1e-20
        scaler.scale(loss).backward()
        assert model.weight.grad is not None and model.weight.grad.count_nonzero() == 16
        scaler.step(optimizer)
        scaler.update()
    return model.weight.detach()


def checks(module: ModuleType) -> int:
    """How often gradients are looked through for inf and nan."""
    name = "_amp_foreach_non_finite_check_and_unscale_"
    with mock.patch.object(torch, name, wraps=getattr(torch, name)) as check:
        module.train()
    return int(check.call_count)


def prove(bad: ModuleType, good: ModuleType) -> None:
    assert torch.equal(bad.train(), good.train()), "gradients of 1e-20 are there without a scale as well"
    assert checks(bad) >= STEPS
    assert checks(good) == 0
