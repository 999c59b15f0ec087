"""TL209: without `use_reentrant` torch warns, and parameters may get no gradients."""

import warnings
from types import ModuleType

import torch
from torch import nn
from torch.utils.checkpoint import checkpoint, checkpoint_sequential

X = torch.linspace(-1, 1, 32).reshape(8, 4)


def make() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(4, 4), nn.ReLU(), nn.Linear(4, 1))


def output() -> tuple[nn.Sequential, torch.Tensor]:
    """What the first part of a network gives, whose input requires no gradient."""
    model = make()
    return model, checkpoint(model, X)


def output_in_parts() -> tuple[nn.Sequential, torch.Tensor]:
    model = make()
    return model, checkpoint_sequential(model, 2, X)


def messages(module: ModuleType, program: str) -> tuple[list[str], bool]:
    """What torch warned of, and whether the output carries a graph."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        _, out = getattr(module, program)()
    return [str(warning.message) for warning in caught], out.requires_grad


def prove(bad: ModuleType, good: ModuleType) -> None:
    warned, has_graph = messages(bad, "output")
    assert any("use_reentrant parameter should be passed explicitly" in message for message in warned)
    assert any("None of the inputs have requires_grad=True" in message for message in warned)
    assert not has_graph, "there is no way back to the parameters"
    assert any("should be passed explicitly" in message for message in messages(bad, "output_in_parts")[0])
    for program in ("output", "output_in_parts"):
        assert messages(good, program) == ([], True)
    model, out = good.output()
    out.sum().backward()
    assert all(parameter.grad is not None for parameter in model.parameters())
