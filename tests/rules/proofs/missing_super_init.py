"""TL301: without `nn.Module.__init__` there is nowhere to register anything."""

from types import ModuleType

import pytest
import torch
from torch import nn


class WithModule(nn.Module):
    def __init__(self) -> None:
        self.fc = nn.Linear(4, 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.fc(x)


class WithParameter(nn.Module):
    def __init__(self) -> None:
        self.scale = nn.Parameter(torch.ones(4))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.scale * x


class WithBuffer(nn.Module):
    def __init__(self) -> None:
        self.register_buffer("mean", torch.zeros(4))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x - self.mean


class Late(nn.Module):
    def __init__(self) -> None:
        self.fc = nn.Linear(4, 2)
        super().__init__()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.fc(x)


class Plain(nn.Module):
    """Registers nothing: it can be made, but not called."""

    def __init__(self, beta: float = 2.0) -> None:
        self.beta = beta

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x * self.beta


MESSAGES = {
    "WithModule": r"^cannot assign module before Module\.__init__\(\) call$",
    "WithParameter": r"^cannot assign parameters before Module\.__init__\(\) call$",
    "WithBuffer": r"^cannot assign buffer before Module\.__init__\(\) call$",
    "Late": r"^cannot assign module before Module\.__init__\(\) call$",
}


def prove(bad: ModuleType, good: ModuleType) -> None:
    for name, message in MESSAGES.items():
        with pytest.raises(AttributeError, match=message):
            getattr(bad, name)()
        module = getattr(good, name)()
        assert module(torch.ones(3, 4)).shape[0] == 3
        assert len(list(module.state_dict())) > 0, "and what it holds is registered"
    with pytest.raises(AttributeError, match="'Plain' object has no attribute '_"):
        bad.Plain()(torch.ones(3))
    assert good.Plain()(torch.ones(3)).tolist() == [2.0, 2.0, 2.0]
