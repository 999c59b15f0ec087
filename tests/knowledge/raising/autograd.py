"""Calls that raise, or warn, what the cards about autograd quote."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import nn, optim

from raising.shared import weight


def backward_twice() -> None:
    loss = (weight() ** 2).sum()
    loss.backward()
    loss.backward()


def change_a_saved_tensor() -> None:
    y = torch.ones(3, requires_grad=True).exp()
    y += 1
    y.sum().backward()


def inference_tensor() -> torch.Tensor:
    with torch.inference_mode():
        return torch.ones(1)


def step_a_model_built_in_inference_mode() -> None:
    with torch.inference_mode():
        model = nn.Linear(1, 1)
    model(torch.ones(1, 1)).sum().backward()
    optim.SGD(model.parameters(), lr=0.1).step()


def backward_inside_no_grad() -> None:
    with torch.no_grad():
        (weight() * 2).sum().backward()


def change_a_view_taken_under_no_grad() -> None:
    base = torch.ones(2, requires_grad=True) * 1
    with torch.no_grad():
        view = base[:1]
    view.add_(1)


RAISING: dict[str, list[Callable[[], Any]]] = {
    "backpropagation": [
        lambda: torch.ones(3, requires_grad=True).mul(2).backward(),
        backward_twice,
        lambda: torch.ones(1).backward(),
        lambda: weight().sum().item().backward(),
        change_a_saved_tensor,
        lambda: (weight() ** 3).sum().backward(create_graph=True),
    ],
    "no-grad-vs-inference-mode": [
        lambda: inference_tensor() * weight(),
        step_a_model_built_in_inference_mode,
        backward_inside_no_grad,
        change_a_view_taken_under_no_grad,
    ],
}
