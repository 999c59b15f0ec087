"""TL104: clipping before `backward` or after `step` leaves the update as it was."""

from types import ModuleType

import torch
from torch.nn.utils import clip_grad_norm_

INPUT = torch.full((1, 4), 5.0)
"""The gradient of the sum of the outputs has norm 10."""


def moved_when_clipped_late() -> list[float]:
    """How far each step of SGD (lr=1) moves the weights."""
    model = torch.nn.Linear(4, 1, bias=False)
    optimizer = torch.optim.SGD(model.parameters(), lr=1.0)
    moved = []
    for _ in range(3):
        before = model.weight.detach().clone()
        optimizer.zero_grad()
        loss = model(INPUT).sum()
        loss.backward()
        optimizer.step()
        clip_grad_norm_(model.parameters(), 1.0)
        moved.append((model.weight.detach() - before).norm().item())
    return moved


def moved_when_clipped_early() -> list[float]:
    model = torch.nn.Linear(4, 1, bias=False)
    optimizer = torch.optim.SGD(model.parameters(), lr=1.0)
    moved = []
    for _ in range(3):
        before = model.weight.detach().clone()
        optimizer.zero_grad()
        loss = model(INPUT).sum()
        clip_grad_norm_(model.parameters(), 1.0)
        loss.backward()
        optimizer.step()
        moved.append((model.weight.detach() - before).norm().item())
    return moved


def prove(bad: ModuleType, good: ModuleType) -> None:
    for program in ("moved_when_clipped_late", "moved_when_clipped_early"):
        assert all(abs(moved - 10.0) < 1e-4 for moved in getattr(bad, program)())
        assert all(abs(moved - 1.0) < 1e-4 for moved in getattr(good, program)())
