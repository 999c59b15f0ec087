"""TL405: scores between 0 and 1 can say no more than 1 of difference: the loss stays high."""

import math
from types import ModuleType

import torch
import torch.nn.functional as F

CLASSES = 10


def loss_of_certainty() -> float:
    """The loss of a prediction that is right and all but certain."""
    target = torch.arange(CLASSES)
    logits = 200.0 * F.one_hot(target, CLASSES) - 100.0
    return F.cross_entropy(torch.sigmoid(logits), target).item()


def gradient_norm() -> float:
    """How hard a prediction that is certain and wrong is pushed."""
    target = torch.arange(CLASSES)
    logits = (16.0 * F.one_hot((target + 1) % CLASSES, CLASSES) - 8.0).requires_grad_()
    scores = logits.sigmoid()
    F.cross_entropy(scores, target).backward()
    assert logits.grad is not None
    return logits.grad.norm().item()


def prove(bad: ModuleType, good: ModuleType) -> None:
    assert math.isclose(bad.loss_of_certainty(), math.log(math.e + CLASSES - 1) - 1, rel_tol=1e-5)
    assert good.loss_of_certainty() < 1e-6
    assert good.gradient_norm() > 1000 * bad.gradient_norm()
