"""TL313: what `load_state_dict` returns is not what it loads into."""

from types import ModuleType

import pytest
import torch
from torch import nn


def load_model() -> nn.Linear:
    """A layer with the weights of another one."""
    torch.manual_seed(0)
    saved = nn.Linear(4, 2).state_dict()
    model = nn.Linear(4, 2)
    model = model.load_state_dict(saved)
    return model


def load_new() -> nn.Linear:
    torch.manual_seed(0)
    saved = nn.Linear(4, 2).state_dict()
    model = nn.Linear(4, 2).load_state_dict(saved)
    return model


def load_optimizer() -> torch.optim.SGD:
    model = nn.Linear(4, 2)
    saved = torch.optim.SGD(model.parameters(), lr=0.5).state_dict()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    optimizer = optimizer.load_state_dict(saved)
    return optimizer


def prove(bad: ModuleType, good: ModuleType) -> None:
    for load in (bad.load_model, bad.load_new):
        report = load()
        assert report.missing_keys == []
        with pytest.raises(TypeError, match="not callable"):
            report(torch.ones(4))
        with pytest.raises(AttributeError):
            report.eval()
    assert bad.load_optimizer() is None

    torch.manual_seed(0)
    weight = nn.Linear(4, 2).weight
    assert torch.equal(good.load_model().weight, weight)
    assert torch.equal(good.load_new().weight, weight)
    assert good.load_optimizer().param_groups[0]["lr"] == 0.5
