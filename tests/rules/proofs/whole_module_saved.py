"""TL955: a module that was saved as a whole cannot be loaded where its class is not."""

import io
import pickle
import sys
from types import ModuleType

import pytest
import torch
from torch import nn


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.fc = nn.Linear(4, 2)


def saved() -> io.BytesIO:
    file = io.BytesIO()
    torch.save(Net(), file)
    file.seek(0)
    return file


def prove(bad: ModuleType, good: ModuleType) -> None:
    sys.modules[bad.__name__] = bad
    try:
        file = bad.saved()
    finally:
        del sys.modules[bad.__name__]
    with pytest.raises(ModuleNotFoundError):
        torch.load(file, pickle_module=pickle)  # the file of the class has been renamed, say
    assert torch.load(good.saved())["fc.weight"].shape == (2, 4)
