"""TL611: `optimizer.step()` uses the gradients as many times too large as the scale says."""

from types import ModuleType

import torch

SCALE = 2.0**16


def updates() -> list[float]:
    """How far each of three steps of SGD (lr=1) moves a weight whose gradient is 1; the third one overflows."""
    model = torch.nn.Linear(1, 1, bias=False)
    torch.nn.init.zeros_(model.weight)
    optimizer = torch.optim.SGD(model.parameters(), lr=1.0)
    scaler = torch.amp.GradScaler("cpu", init_scale=SCALE)
    moved = []
    for x in (1.0, 1.0, float("inf")):
        before = model.weight.item()
        optimizer.zero_grad()
        loss = (model.weight * x).sum()
        scaler.scale(loss).backward()
        optimizer.step()
        moved.append(abs(model.weight.item() - before))
    return moved


def prove(bad: ModuleType, good: ModuleType) -> None:
    assert good.updates() == [1.0, 1.0, 0.0], "the step that overflows is skipped"
    first, second, third = bad.updates()
    assert first == second == SCALE
    assert third == float("inf")
