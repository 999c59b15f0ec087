"""TL620: what a compiled module saves cannot be loaded into the module that was compiled."""

import io
from types import ModuleType

import pytest
import torch
from torch import nn

X = torch.linspace(-1, 1, 32).reshape(8, 4)


def make(seed: int) -> nn.Linear:
    torch.manual_seed(seed)
    return nn.Linear(4, 1)


def restored() -> tuple[torch.Tensor, torch.Tensor]:
    """What the model gives before it is saved and after it is loaded."""
    model = make(0)
    compiled = torch.compile(model, backend="eager")
    before = compiled(X)
    fresh = make(1)
    fresh.load_state_dict(compiled.state_dict())
    return before, fresh(X)


def restored_from_file() -> tuple[torch.Tensor, torch.Tensor]:
    file = io.BytesIO()
    model = make(0)
    model = torch.compile(model, backend="eager")
    before = model(X)
    torch.save({"model": model.state_dict(), "epoch": 1}, file)
    file.seek(0)
    fresh = make(1)
    fresh.load_state_dict(torch.load(file)["model"])
    return before, fresh(X)


def restored_carelessly() -> tuple[torch.Tensor, torch.Tensor]:
    model = make(0)
    compiled = torch.compile(model, backend="eager")
    before = compiled(X)
    fresh = make(1)
    fresh.load_state_dict(compiled.state_dict(), strict=False)
    return before, fresh(X)


def prove(bad: ModuleType, good: ModuleType) -> None:
    for program in ("restored", "restored_from_file"):
        with pytest.raises(RuntimeError, match=r'Missing key\(s\) in state_dict: "weight", "bias"'):
            getattr(bad, program)()
        before, after = getattr(good, program)()
        torch.testing.assert_close(after, before)
    before, after = bad.restored_carelessly()
    assert not torch.allclose(after, before), "nothing was loaded"
    before, after = good.restored_carelessly()
    torch.testing.assert_close(after, before)
