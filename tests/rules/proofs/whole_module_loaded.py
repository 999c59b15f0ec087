"""TL953: since torch 2.6 a file that holds a module is refused."""

import io
import pickle
from types import ModuleType

import pytest
import torch


def predicted(file: io.BytesIO, x: torch.Tensor) -> torch.Tensor:
    model = torch.load(file)
    model.eval()
    return model(x)


MODEL = torch.nn.Linear(4, 2)


def prove(bad: ModuleType, good: ModuleType) -> None:
    x = torch.randn(1, 4)
    file = io.BytesIO()
    torch.save(vars(bad)["MODEL"], file)
    with pytest.raises(pickle.UnpicklingError, match="Weights only load failed"):
        bad.predicted(io.BytesIO(file.getvalue()), x)
    assert torch.equal(good.predicted(io.BytesIO(file.getvalue()), x), bad.MODEL(x))
