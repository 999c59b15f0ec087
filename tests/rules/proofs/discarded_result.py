"""TL601: a tensor is where it was, and what it was, if nobody takes what its methods give."""

from types import ModuleType

import pytest
import torch


def moved() -> torch.Tensor:
    """On the meta device, which every machine has."""
    x = torch.randn(2, 4)
    x.to("meta")
    return x


def cast() -> torch.Tensor:
    """Rows by their numbers, which have to be whole."""
    rows = torch.tensor([0.0, 2.0])
    rows.long()
    return torch.arange(3)[rows]


def clamped() -> torch.Tensor:
    """Weights between -0.01 and 0.01, and so are the gradients."""
    torch.manual_seed(0)
    critic = torch.nn.Linear(4, 4)
    critic(torch.randn(2, 4)).sum().backward()
    for p in critic.parameters():
        p.grad.clamp(-0.01, 0.01)
        p.data.clamp(-0.01, 0.01)
    return torch.cat([critic.weight.data, critic.weight.grad]).abs().max()


def detached() -> torch.Tensor:
    """The gradient of a sum with regard to the first state, of which two steps later nothing is to be known."""
    state = first = torch.ones(2, requires_grad=True)
    for _ in range(2):
        state = state * 2
        state.detach()
    (state.sum() + first.sum()).backward()
    return first.grad


def prove(bad: ModuleType, good: ModuleType) -> None:
    assert bad.moved().device.type == "cpu"
    assert good.moved().device.type == "meta"

    with pytest.raises(IndexError, match="tensors used as indices must be long"):
        bad.cast()
    assert good.cast().tolist() == [0, 2]

    assert bad.clamped() > 0.01
    assert good.clamped() <= 0.01

    assert bad.detached().tolist() == [5.0, 5.0], "four of it through the states"
    assert good.detached().tolist() == [1.0, 1.0]
