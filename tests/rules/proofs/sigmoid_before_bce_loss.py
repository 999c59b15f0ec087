"""TL414: a sigmoid that has rounded to 1 passes no gradient back, however wrong it is."""

from types import ModuleType

import torch
import torch.nn.functional as F


def correction(logit: float) -> tuple[float, float]:
    """Loss and gradient of a logit whose right answer is 0."""
    logits = torch.tensor([logit], requires_grad=True)
    loss = F.binary_cross_entropy(torch.sigmoid(logits), torch.zeros(1))
    loss.backward()
    assert logits.grad is not None
    return loss.item(), logits.grad.item()


def prove(bad: ModuleType, good: ModuleType) -> None:
    assert bad.correction(200.0) == (100.0, 0.0)
    assert good.correction(200.0) == (200.0, 1.0)
    assert torch.allclose(torch.tensor(bad.correction(2.0)), torch.tensor(good.correction(2.0)))
