"""TL956: where there is no GPU, weights that were saved from one cannot be loaded, unless to the CPU."""

import io
from types import ModuleType
from unittest import mock

import pytest
import torch

device = torch.device("cuda" if torch.cuda.is_available() else "cpu")


def loaded(weights: io.BytesIO) -> torch.nn.Module:
    model = torch.nn.Linear(4, 1).to(device)
    model.load_state_dict(torch.load(weights))
    return model


def prove(bad: ModuleType, good: ModuleType) -> None:
    weights = torch.nn.Linear(4, 1).state_dict()
    file = io.BytesIO()
    # What a file says of the device is all that makes it one from a GPU: the numbers are stored alike.
    with mock.patch.object(torch.serialization, "location_tag", return_value="cuda:0"):
        torch.save(weights, file)
    file.seek(0)
    assert torch.equal(good.loaded(file).weight.cpu(), weights["weight"])
    file.seek(0)
    if device.type == "cpu":
        with pytest.raises(RuntimeError, match="deserialize object on a CUDA device"):
            bad.loaded(file)
