"""Calls that raise, or warn, what the cards about nn quote."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import nn, optim
from torch.nn import functional as F

from raising.shared import LABELS, SCORES


class Scale(nn.Module):
    def __init__(self) -> None:
        self.factor = 2.0

    def forward(self, x: Any) -> Any:
        return x * self.factor


class LateInit(nn.Module):
    def __init__(self) -> None:
        self.layer = nn.Linear(1, 1)


class Net(nn.Module):
    def foward(self, x: Any) -> Any:
        return x


class Silent(nn.Module):
    def forward(self, x: Any) -> None:
        x + 1


class Endless(nn.Linear):
    def forward(self, x: Any) -> Any:
        return self(x)


def assign_tensor_over_parameter() -> None:
    nn.Linear(3, 2).weight = torch.ones(2, 3)


def evaluate_an_exported_program() -> None:
    torch.export.export(nn.Linear(1, 1), (torch.ones(1, 1),)).module().eval()


CHAIN = nn.Sequential(nn.Linear(4, 3), nn.ReLU(), nn.Linear(3, 1))


RAISING: dict[str, list[Callable[[], Any]]] = {
    "sequential-vs-module": [
        lambda: nn.Sequential([nn.Linear(4, 3)]),
        lambda: nn.Sequential(nn.Linear(4, 3), F.relu),
        lambda: CHAIN(torch.ones(1, 4), torch.ones(1, 4)),
        lambda: nn.Sequential(nn.LSTM(4, 3), nn.Linear(3, 1))(torch.ones(2, 5, 4)),
    ],
    "custom-layers": [
        LateInit,
        lambda: Scale()(torch.ones(1)),
        lambda: optim.SGD(nn.Module().parameters()),
        lambda: nn.Parameter(torch.arange(3)),
        assign_tensor_over_parameter,
        lambda: F.linear(torch.ones(2, 4), torch.ones(2, 3)),
        lambda: eval("math.sqrt(5)", {}),  # noqa: S307
    ],
    "forward-method": [
        lambda: Endless(1, 1)(torch.ones(1)),
        lambda: nn.ModuleList()(torch.ones(1)),
        lambda: Net()(torch.ones(1)),
        lambda: F.mse_loss(Silent()(torch.ones(1)), torch.ones(1)),
        lambda: nn.Linear(2, 2)(torch.ones(1, 2), 3),
    ],
    "cross-entropy-logits": [
        lambda: F.cross_entropy(SCORES, LABELS.float()),
        lambda: F.cross_entropy(SCORES, F.one_hot(LABELS, 3)),
        lambda: F.cross_entropy(SCORES, LABELS[:, None]),
        lambda: F.cross_entropy(SCORES, LABELS + 1),
        lambda: F.cross_entropy(torch.randn(2, 5, 3), torch.zeros(2, 5, dtype=torch.int64)),
        lambda: nn.CrossEntropyLoss(SCORES, LABELS),
    ],
    "train-vs-eval": [
        lambda: nn.BatchNorm1d(3)(torch.ones(1, 3)),
        evaluate_an_exported_program,
        lambda: nn.Linear(1, 1).train(1),
    ],
}
