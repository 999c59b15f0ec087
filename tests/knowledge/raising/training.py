"""Calls that raise, or warn, what the cards about training quote."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import nn, optim
from torch.optim import lr_scheduler as schedules

from raising.shared import sgd, weight


def adam_on_sparse_gradient() -> None:
    table = nn.Embedding(4, 2, sparse=True)
    table(torch.tensor([1])).sum().backward()
    optim.Adam(table.parameters()).step()


def load_two_groups_into_one() -> None:
    a, b = weight(), weight()
    optim.SGD([a, b]).load_state_dict(optim.SGD([{"params": [a]}, {"params": [b]}]).state_dict())


def one_cycle_beyond_its_end() -> None:
    optimizer = sgd()
    scheduler = schedules.OneCycleLR(optimizer, max_lr=1.0, total_steps=10)
    for _ in range(11):
        optimizer.step()
        scheduler.step()


RAISING: dict[str, list[Callable[[], Any]]] = {
    "optimizers": [
        lambda: optim.SGD(iter(())),
        lambda: optim.SGD(torch.ones(1)),
        lambda: optim.SGD([weight() * 2]),
        lambda: optim.LBFGS([weight()]).step(),
        adam_on_sparse_gradient,
        lambda: optim.Muon([weight()]),
        load_two_groups_into_one,
    ],
    "zero-grad": [lambda: weight().grad.norm()],
    "lr-scheduling": [
        one_cycle_beyond_its_end,
        lambda: schedules.ReduceLROnPlateau(sgd()).step(),
        lambda: schedules.StepLR(sgd(), 5, last_epoch=3),
        lambda: schedules.StepLR(sgd(), 5, verbose=True),
    ],
}
