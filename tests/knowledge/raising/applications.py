"""Calls that raise, or warn, what the cards about applications and about practice quote."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from raising.shared import LABELS, SCORES, weight

BYTES = torch.zeros(2, 3, 8, 8, dtype=torch.uint8)
EDGES = torch.tensor([0, 0, 2, 2])
HIDDEN = torch.zeros(4)
CASTING = nn.Linear(256, 1024)


def generator_and_critic() -> tuple[nn.Module, nn.Module]:
    return nn.Linear(2, 1), nn.Sequential(nn.Linear(1, 4), nn.ReLU(), nn.Linear(4, 1))


def critic_stepped_between() -> None:
    generator, critic = generator_and_critic()
    fake = generator(torch.randn(4, 2))
    judged = critic(fake)
    F.softplus(critic(fake.detach())).mean().backward()
    torch.optim.SGD(critic.parameters(), lr=0.1).step()
    F.softplus(-judged).mean().backward()


def fake_used_twice() -> None:
    generator, critic = generator_and_critic()
    fake = generator(torch.randn(4, 2))
    F.softplus(critic(fake)).mean().backward()
    F.softplus(-critic(fake)).mean().backward()


def backward_twice() -> None:
    loss = weight().square().sum()
    loss.backward()
    loss.backward()


def state_keeps_its_graph() -> None:
    rnn, h = nn.GRU(1, 4, batch_first=True), None
    for chunk in torch.randn(1, 20, 1).split(10, 1):
        out, h = rnn(chunk, h)
        out.sum().backward()


def retained_graph_meets_a_step() -> None:
    rnn, h = nn.GRU(1, 4, batch_first=True), None
    optimizer = torch.optim.SGD(rnn.parameters(), lr=0.1)
    for chunk in torch.randn(1, 20, 1).split(10, 1):
        out, h = rnn(chunk, h)
        out.sum().backward(retain_graph=True)
        optimizer.step()


def unpack_edges() -> None:
    source, target = torch.zeros(382, 2)
    assert source is not target


RAISING: dict[str, list[Callable[[], Any]]] = {
    "image-transforms": [
        lambda: nn.Conv2d(3, 4, 3)(BYTES),
        lambda: nn.Conv2d(3, 4, 3)(torch.zeros(2, 8, 8, 3)),
        lambda: torch.from_numpy(np.zeros((4, 4, 3))[..., ::-1]),
        lambda: torch.stack([torch.zeros(3, 4, 4), torch.zeros(3, 4, 5)]),
    ],
    "data-augmentation": [
        lambda: F.cross_entropy(SCORES, F.one_hot(LABELS, 3)),
        lambda: F.cross_entropy(SCORES, 0.3 * LABELS + 0.7 * LABELS.flip(0)),
        lambda: F.grid_sample(torch.zeros(1, 1, 4, 4).long(), torch.zeros(1, 4, 4, 2), align_corners=False),
    ],
    "gnn-message-passing": [
        lambda: torch.zeros(4, 2).scatter_reduce(0, EDGES, torch.ones(4, 2), "amax"),
        unpack_edges,
        lambda: HIDDEN[EDGES.float()],
        lambda: torch.zeros(60)[torch.tensor([60])],
        lambda: HIDDEN.index_add(0, EDGES, torch.ones(4, dtype=torch.float64)),
    ],
    "gan-training": [
        critic_stepped_between,
        fake_used_twice,
        lambda: F.binary_cross_entropy_with_logits(torch.zeros(4, 1), torch.ones(4)),
        lambda: F.binary_cross_entropy(torch.full((4, 1), 2.0), torch.ones(4, 1)),
    ],
    "architecture-search": [
        lambda: torch.ones(2, 8) + torch.ones(2, 4),
        lambda: F.gumbel_softmax(torch.tensor([1, 2])),
    ],
    "time-series": [
        state_keeps_its_graph,
        retained_graph_meets_a_step,
        lambda: nn.GRU(1, 4, batch_first=True)(torch.zeros(3, 7)),
        lambda: nn.GRU(1, 4, batch_first=True)(torch.zeros(2, 10, 1), torch.zeros(1, 1, 4)),
        lambda: torch.zeros(10).unfold(0, 11, 1),
    ],
    "serving-rest": [
        lambda: torch.tensor([[1, 2], [3]]),
        lambda: torch.tensor("text"),
        lambda: torch.tensor(None),
        lambda: CASTING(torch.ones(1, 3)),
        lambda: CASTING(torch.ones(1, 256).long()),
    ],
    "lightning": [backward_twice],
    "working-with-the-community": [
        lambda: torch.testing.assert_close(torch.ones(1), torch.ones(1, dtype=torch.float64)),
    ],
    "reinforcement-learning": [
        lambda: (-torch.ones(2) * torch.tensor([0, 1])).sum().backward(),
        lambda: torch.ones(1).reinforce(1),
        backward_twice,
    ],
}

ELSEWHERE = {
    "TypeError: Input tensor should be a float tensor.": "torchvision",
    "RuntimeError: Training with multiple optimizers is only supported": "Lightning",
}
