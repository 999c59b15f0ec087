"""TL952: a path is no state."""

from pathlib import Path
from tempfile import TemporaryDirectory
from types import ModuleType

import pytest
import torch

FOLDER = TemporaryDirectory()
PATH = Path(FOLDER.name) / "weights.pt"


def loaded() -> torch.nn.Module:
    model = torch.nn.Linear(4, 2)
    model.load_state_dict(PATH)
    return model


def prove(bad: ModuleType, good: ModuleType) -> None:
    model = torch.nn.Linear(4, 2)
    for module in (bad, good):
        torch.save(model.state_dict(), module.PATH)
    with pytest.raises(TypeError, match="Expected state_dict to be dict-like"):
        bad.loaded()
    assert torch.equal(good.loaded().weight, model.weight)
