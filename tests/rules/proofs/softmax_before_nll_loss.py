"""TL402: minus a probability is no log-likelihood: it is negative, and a sure mistake is hardly corrected."""

import math
from types import ModuleType

import torch
import torch.nn.functional as F

CLASSES = 4


def loss(logits: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    return F.nll_loss(F.softmax(logits, dim=1), target)


def loss_of_ignorance() -> float:
    return loss(torch.zeros(CLASSES, CLASSES), torch.arange(CLASSES)).item()


def correction_of_a_sure_mistake() -> float:
    """The size of the gradient where the model is certain of the wrong class."""
    target = torch.arange(CLASSES)
    logits = (12.0 * F.one_hot((target + 1) % CLASSES, CLASSES)).requires_grad_()
    loss(logits, target).backward()
    assert logits.grad is not None
    return logits.grad.norm().item()


def prove(bad: ModuleType, good: ModuleType) -> None:
    assert math.isclose(bad.loss_of_ignorance(), -1 / CLASSES)
    assert math.isclose(good.loss_of_ignorance(), math.log(CLASSES), rel_tol=1e-5)
    assert good.correction_of_a_sure_mistake() > 10_000 * bad.correction_of_a_sure_mistake()
