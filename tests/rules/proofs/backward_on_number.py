"""TL205: a Python number has no `backward`."""

from types import ModuleType

import pytest
import torch

X = torch.linspace(-1, 1, 32).reshape(8, 4)


def make() -> torch.nn.Linear:
    torch.manual_seed(0)
    return torch.nn.Linear(4, 1)


def kept() -> tuple[torch.Tensor | None, float]:
    model = make()
    loss = model(X).pow(2).mean().item()
    loss.backward()
    return model.weight.grad, loss


def directly() -> tuple[torch.Tensor | None, float]:
    model = make()
    loss = model(X).pow(2).mean()
    loss.item().backward()
    return model.weight.grad, loss.item()


def as_float() -> tuple[torch.Tensor | None, float]:
    model = make()
    loss = float(model(X).pow(2).mean())
    loss.backward()
    return model.weight.grad, loss


def prove(bad: ModuleType, good: ModuleType) -> None:
    for program in ("kept", "directly", "as_float"):
        with pytest.raises(AttributeError, match="'float' object has no attribute 'backward'"):
            getattr(bad, program)()
        gradient, loss = getattr(good, program)()
        assert gradient.abs().sum() > 0
        assert isinstance(loss, float)
