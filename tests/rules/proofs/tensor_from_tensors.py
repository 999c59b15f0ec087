"""TL206: a tensor that is made of the numbers of others trains nothing that these came from."""

from types import ModuleType

import pytest
import torch
from torch import nn

X = torch.linspace(-1, 1, 32).reshape(8, 4)


def make() -> nn.Linear:
    torch.manual_seed(0)
    return nn.Linear(4, 1)


def gradient_of_two() -> torch.Tensor | None:
    model = make()
    first = model(X).pow(2).mean()
    second = model(X).abs().mean()
    loss = torch.tensor([first, second]).sum()
    loss.backward()
    return model.weight.grad


def gradient_of_many() -> torch.Tensor | None:
    model = make()
    losses = []
    for x in X:
        losses.append(model(x).pow(2).mean())
    loss = torch.as_tensor(losses).mean()
    loss.backward()
    return model.weight.grad


def gradient_of_one() -> torch.Tensor | None:
    """Somebody has read the error of the first program, and knows what to do."""
    model = make()
    out = model(X).pow(2).mean()
    loss = torch.tensor(out, requires_grad=True)
    loss.backward()
    return model.weight.grad


class Turn(nn.Module):
    """Turns points of the plane by an angle that is to be learned."""

    def __init__(self) -> None:
        super().__init__()
        self.angle = nn.Parameter(torch.tensor(0.3))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        cos, sin = torch.cos(self.angle), torch.sin(self.angle)
        turn = torch.tensor([[cos, -sin], [sin, cos]])
        return x @ turn


def prove(bad: ModuleType, good: ModuleType) -> None:
    for program in ("gradient_of_two", "gradient_of_many"):
        with pytest.raises(RuntimeError, match="does not require grad"):
            getattr(bad, program)()
        assert getattr(good, program)().abs().sum() > 0
    assert bad.gradient_of_one() is None, "no error, and nothing is trained"
    assert good.gradient_of_one().abs().sum() > 0

    points = torch.linspace(0, 1, 6).reshape(3, 2)
    wrong, right = bad.Turn(), good.Turn()
    assert torch.equal(wrong(points), right(points)), "the numbers are the same"
    assert not wrong(points).requires_grad
    right(points).sum().backward()
    assert right.angle.grad is not None
