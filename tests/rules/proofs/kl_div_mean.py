"""TL408: the mean of all elements is the divergence divided by the number of classes."""

import warnings
from types import ModuleType

import pytest
import torch
from torch import nn
from torch.distributions import Categorical, kl_divergence

CLASSES = 50


def divergence(logits: torch.Tensor, target: torch.Tensor) -> float:
    criterion = nn.KLDivLoss()
    return criterion(logits.log_softmax(1), target.softmax(1)).item()


def prove(bad: ModuleType, good: ModuleType) -> None:
    torch.manual_seed(0)
    logits, target = torch.randn(8, CLASSES), torch.randn(8, CLASSES)
    true = kl_divergence(Categorical(logits=target), Categorical(logits=logits)).mean().item()
    with pytest.warns(UserWarning, match="batchmean"):
        assert bad.divergence(logits, target) == pytest.approx(true / CLASSES, rel=1e-4)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert good.divergence(logits, target) == pytest.approx(true, rel=1e-4)
