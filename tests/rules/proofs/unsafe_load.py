"""TL954: what a file says is run, before anybody looks at the weights."""

import io
import pickle
from types import ModuleType

import pytest
import torch


def load(model: torch.nn.Module, file: io.BytesIO) -> None:
    model.load_state_dict(torch.load(file, weights_only=False))


def file_of(content: object) -> io.BytesIO:
    file = io.BytesIO()
    torch.save(content, file)
    file.seek(0)
    return file


class Payload:
    """What somebody may put into a file: it names a function to call."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return exec, ("import sys; sys.modules['torch'].payload_ran = True",)


def prove(bad: ModuleType, good: ModuleType) -> None:
    model = torch.nn.Linear(4, 2)
    state = {**model.state_dict(), "extra": Payload()}
    with pytest.raises(RuntimeError, match="Unexpected key"):
        bad.load(model, file_of(state))
    assert torch.__dict__.pop("payload_ran", False), "though the weights were refused, the code has run"
    with pytest.raises(pickle.UnpicklingError):
        good.load(model, file_of(state))
    assert "payload_ran" not in torch.__dict__
    good.load(model, file_of(model.state_dict()))
