"""TL407: the logarithm of a log-probability is NaN, and soon every parameter is."""

from types import ModuleType

import torch
import torch.nn.functional as F
from torch import nn


def distilled() -> nn.Linear:
    """A student after one step towards its teacher."""
    torch.manual_seed(0)
    student, teacher = nn.Linear(4, 3), nn.Linear(4, 3).requires_grad_(False)
    optimizer = torch.optim.SGD(student.parameters(), lr=0.1)
    x = torch.randn(8, 4)
    target = F.log_softmax(teacher(x), dim=1)
    loss = F.kl_div(F.log_softmax(student(x), dim=1), target, reduction="batchmean")
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    student.loss = loss.item()
    return student


def loss_of_the_same() -> float:
    """The divergence of a distribution from itself, where the target is said to be in log space."""
    logits = torch.tensor([[1.0, 2.0, 3.0]])
    p, q = F.log_softmax(logits, dim=1), F.softmax(logits, dim=1)
    return F.kl_div(p, q, reduction="batchmean", log_target=True).item()


def prove(bad: ModuleType, good: ModuleType) -> None:
    assert torch.tensor(bad.distilled().loss).isnan()
    assert good.distilled().loss > 0
    assert all(parameter.isfinite().all() for parameter in good.distilled().parameters())
    assert bad.loss_of_the_same() > 1
    assert abs(good.loss_of_the_same()) < 1e-6
