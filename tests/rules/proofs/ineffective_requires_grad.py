"""TL204: what should be frozen is trained, and an input that should have gradients has none."""

from types import ModuleType

import pytest
import torch

X = torch.linspace(-1, 1, 32).reshape(8, 4)


def make() -> torch.nn.Sequential:
    torch.manual_seed(0)
    return torch.nn.Sequential(torch.nn.Linear(4, 3), torch.nn.ReLU(), torch.nn.Linear(3, 1))


def train_with_frozen_parameters() -> tuple[torch.Tensor, torch.Tensor]:
    """The weights of the first layer, which should stay, before and after a few steps."""
    model = make()
    for parameter in model[0].parameters():
        parameter.require_grad = False
    return train(model)


def train_with_a_frozen_layer() -> tuple[torch.Tensor, torch.Tensor]:
    model = make()
    model[0].requires_grad = False
    return train(model)


def train(model: torch.nn.Sequential) -> tuple[torch.Tensor, torch.Tensor]:
    first = model.get_parameter("0.weight")
    before = first.detach().clone()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for _ in range(5):
        optimizer.zero_grad()
        loss = (model(X) - 1).pow(2).mean()
        loss.backward()
        optimizer.step()
    return before, first.detach()


def gradient_of_an_input() -> torch.Tensor | None:
    x = torch.ones(3)
    x.require_grad = True
    y = x.pow(2).sum()
    y.backward()
    return x.grad


def prove(bad: ModuleType, good: ModuleType) -> None:
    for program in ("train_with_frozen_parameters", "train_with_a_frozen_layer"):
        before, after = getattr(bad, program)()
        assert not torch.equal(before, after), "trained all the same"
        before, after = getattr(good, program)()
        assert torch.equal(before, after)
    with pytest.raises(RuntimeError, match="does not require grad"):
        bad.gradient_of_an_input()
    assert good.gradient_of_an_input().tolist() == [2.0, 2.0, 2.0]
