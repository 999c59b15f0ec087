"""Calls that raise, or warn, what the cards about tensors quote."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import nn
from torch.nn import functional as F


def change_what_exp_saved() -> None:
    y = torch.ones(2, requires_grad=True).exp()
    y.add_(1)
    y.sum().backward()


def shift_within_one_tensor() -> None:
    x = torch.arange(5.0)
    x[1:] = x[:-1]


def unpack_four_chunks() -> None:
    _a, _b, _c, _d = torch.arange(5).chunk(4)


GRID = torch.arange(6.0).view(2, 3)
FLOATS, LONGS, MASK = torch.ones(2), torch.ones(2, dtype=torch.int64), torch.ones(2, dtype=torch.bool)
RAISING: dict[str, list[Callable[[], Any]]] = {
    "broadcasting": [
        lambda: F.mse_loss(torch.zeros(4, 1), torch.zeros(4)),
        lambda: F.binary_cross_entropy_with_logits(torch.zeros(4, 1), torch.zeros(4)),
        lambda: torch.ones(2, 3) + torch.ones(2),
        lambda: torch.ones(3).add_(torch.ones(2, 3)),
        lambda: torch.ones(3, 1).expand(3, 4).add_(1),
    ],
    "dtype-promotion": [
        lambda: nn.Linear(2, 1)(torch.ones(1, 2).double()),
        lambda: LONGS.clone().add_(1.5),
        lambda: LONGS.to(torch.uint8).mean(),
        lambda: F.cross_entropy(torch.ones(2, 2), LONGS.int()),
        lambda: torch.allclose(FLOATS, FLOATS.double()),
        lambda: MASK - MASK,
        lambda: FLOATS.to(torch.float8_e4m3fn) + FLOATS.to(torch.float8_e4m3fn),
    ],
    "inplace-ops": [
        change_what_exp_saved,
        lambda: torch.ones(2, requires_grad=True).add_(1),
        lambda: torch.ones(2, requires_grad=True).mul(2).split(1)[0].mul_(2),
        shift_within_one_tensor,
        lambda: LONGS.clone().normal_(),
    ],
    "indexing-gather-scatter": [
        lambda: GRID.gather(1, torch.tensor([2, 0])),
        lambda: GRID[5],
        lambda: GRID.gather(1, torch.tensor([[-1], [0]])),
        lambda: GRID.scatter(0, torch.tensor([[0]]), torch.tensor([[1]])),
        lambda: GRID[torch.tensor([0.0])],
        lambda: GRID[::-1],
    ],
    "cat-stack-split": [
        lambda: torch.stack([GRID, GRID[:1]]),
        lambda: torch.cat([GRID, torch.ones(2, 4)]),
        lambda: torch.cat([torch.tensor(1.0), torch.tensor(2.0)]),
        lambda: torch.cat(GRID, GRID),
        lambda: torch.cat([]),
        unpack_four_chunks,
        lambda: torch.arange(7).split([2, 3]),
        lambda: torch.ones(2, requires_grad=True).mul(2).split(1)[0].mul_(2),
        lambda: torch.meshgrid(torch.arange(3), torch.arange(2)),
    ],
    "matmul-einsum": [
        lambda: torch.mm(torch.ones(3, 4), torch.ones(3, 4)),
        lambda: torch.mm(torch.ones(5, 2, 3), torch.ones(3, 4)),
        lambda: torch.bmm(torch.ones(5, 2, 3), torch.ones(3, 4)),
        lambda: torch.ones(2, 2) @ torch.ones(2, 2, dtype=torch.int64),
        lambda: torch.einsum("ij,jk->ik", torch.ones(5, 2, 3), torch.ones(3, 4)),
    ],
}
