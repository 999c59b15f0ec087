"""What we say of torch's classes is so."""

import itertools

import pytest
from torchlore.analysis import torch_facts

torch = pytest.importorskip("torch", reason="the facts are torch's")

_APART = sorted({*torch_facts.PLAIN_LAYERS, "Sequential", "ModuleList", "ModuleDict"})
_ARGUMENTS = ((), (4,), (4, 4), (2, 4), (4, 4, 1), (1, (2, 2)))


def test_classes_that_stand_apart() -> None:
    for name, other in itertools.permutations(_APART, 2):
        assert not issubclass(getattr(torch.nn, name), getattr(torch.nn, other))
        assert torch_facts.derives(f"torch.nn.{name}", f"torch.nn.{other}") is False


@pytest.mark.parametrize("name", sorted(torch_facts.PLAIN_LAYERS))
def test_plain_layers_hold_no_other_module(name: str) -> None:
    for arguments in _ARGUMENTS:
        try:
            layer = getattr(torch.nn, name)(*arguments)
        except (TypeError, ValueError):
            continue
        assert list(layer.children()) == []
        return
    pytest.fail(f"no arguments that make a {name}")


def test_what_is_no_plain_layer() -> None:
    assert torch_facts.derives("torch.nn.LazyLinear", "torch.nn.Linear") is None
    assert torch_facts.derives("torch.nn.Linear", "torch.nn.Module") is True
    assert torch_facts.derives("torch.nn.Module", "torch.nn.Linear") is False
