"""TL610: gradients that are clipped while scaled become as many times too small as the scale is large."""

from types import ModuleType

import torch

SCALE = 2.0**16


def update() -> float:
    """How far one step of SGD (lr=1) moves the weights; the gradient has norm 8 and is clipped to 1."""
    model = torch.nn.Linear(4, 1, bias=False)
    torch.nn.init.zeros_(model.weight)
    optimizer = torch.optim.SGD(model.parameters(), lr=1.0)
    scaler = torch.amp.GradScaler("cpu", init_scale=SCALE)
    optimizer.zero_grad()
    loss = model(torch.full((1, 4), 4.0)).sum()
    scaler.scale(loss).backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), max_norm=1.0)
    scaler.step(optimizer)
    scaler.update()
    return model.weight.detach().norm().item()


def prove(bad: ModuleType, good: ModuleType) -> None:
    assert abs(good.update() - 1.0) < 1e-5
    assert abs(bad.update() - 1.0 / SCALE) < 1e-9
