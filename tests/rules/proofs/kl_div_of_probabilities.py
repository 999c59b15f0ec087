"""TL406: of two probabilities `kl_div` is no divergence: it draws the student away from the teacher."""

import math
from types import ModuleType

import torch
import torch.nn.functional as F

TEACHER = torch.tensor([[0.5, 0.3, 0.2]])


def divergence(logits: torch.Tensor) -> torch.Tensor:
    return F.kl_div(F.softmax(logits, dim=1), TEACHER, reduction="batchmean")


def student_after_training() -> torch.Tensor:
    logits = torch.zeros(1, 3, requires_grad=True)
    optimizer = torch.optim.Adam([logits], lr=0.1)
    for _ in range(1500):
        optimizer.zero_grad()
        divergence(logits).backward()
        optimizer.step()
    return logits.detach().softmax(1)


def prove(bad: ModuleType, good: ModuleType) -> None:
    equal = TEACHER.log()
    assert math.isclose(good.divergence(equal).item(), 0.0, abs_tol=1e-6)
    assert bad.divergence(equal).item() < -1
    assert all(bad.divergence(logits).item() < 0 for logits in torch.randn(20, 1, 3))
    assert torch.allclose(good.student_after_training(), TEACHER, atol=1e-3)
    assert bad.student_after_training()[0, 0] > 0.99, "it has become certain of the teacher's first choice"
