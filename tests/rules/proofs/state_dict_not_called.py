"""TL950: the file holds a method, and cannot be loaded as weights."""

import io
import pickle
from types import ModuleType

import pytest
import torch


def saved(model: torch.nn.Module) -> io.BytesIO:
    file = io.BytesIO()
    linear = torch.nn.Linear(4, 2)
    linear.load_state_dict(dict(model.named_parameters()))
    torch.save({"model": linear.state_dict}, file)
    file.seek(0)
    return file


def restored(model: torch.nn.Module) -> torch.nn.Module:
    """Another model with the weights of `model`."""
    other = torch.nn.Linear(4, 2)
    other.load_state_dict(torch.load(saved(model), weights_only=True)["model"])
    return other


def prove(bad: ModuleType, good: ModuleType) -> None:
    model = torch.nn.Linear(4, 2)
    bad.saved(model)  # says nothing
    with pytest.raises(pickle.UnpicklingError):
        bad.restored(model)
    assert torch.equal(good.restored(model).weight, model.weight)
