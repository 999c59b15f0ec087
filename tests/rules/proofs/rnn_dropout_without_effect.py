"""TL314: with one layer there is nothing between layers to drop."""

import warnings
from types import ModuleType

import pytest
import torch
from torch import nn


def encoder() -> nn.LSTM:
    """One layer."""
    return nn.LSTM(4, 8, batch_first=True, dropout=0.5)


def prove(bad: ModuleType, good: ModuleType) -> None:
    torch.manual_seed(0)
    x = torch.randn(2, 5, 4)
    with pytest.warns(UserWarning, match="dropout option adds dropout after all but last recurrent layer"):
        lstm = bad.encoder().train()
    assert torch.equal(lstm(x)[0], lstm(x)[0]), "in training nothing is dropped"
    deep = nn.LSTM(4, 8, num_layers=2, batch_first=True, dropout=0.5).train()
    assert not torch.equal(deep(x)[0], deep(x)[0]), "between two layers there is something to drop"

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        same = good.encoder().train()
    same.load_state_dict(lstm.state_dict())
    assert torch.equal(same(x)[0], lstm(x)[0])
