"""TL311: the dimension that is guessed is that of the batch for sequences."""

import warnings
from types import ModuleType

import pytest
import torch
import torch.nn.functional as F
from torch import nn


def attention(scores: torch.Tensor) -> torch.Tensor:
    """Weights over the last dimension."""
    return F.softmax(scores)


def layer(scores: torch.Tensor) -> torch.Tensor:
    output: torch.Tensor = nn.LogSoftmax()(scores)
    return output


def prove(bad: ModuleType, good: ModuleType) -> None:
    scores = torch.randn(2, 5, 3)
    with pytest.warns(UserWarning, match="Implicit dimension choice for softmax has been deprecated"):
        weights = bad.attention(scores)
    assert not torch.allclose(weights.sum(-1), torch.ones(2, 5)), "the weights of a row do not sum to one"
    assert torch.allclose(weights.sum(0), torch.ones(5, 3)), "they sum to one over the batch"
    with pytest.warns(UserWarning, match="Implicit dimension choice for log_softmax"):
        assert torch.allclose(bad.layer(scores).exp().sum(0), torch.ones(5, 3))

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert torch.allclose(good.attention(scores).sum(-1), torch.ones(2, 5))
        assert torch.allclose(good.layer(scores).exp().sum(-1), torch.ones(2, 5))
