"""TL315: `forward` alone runs no hooks, and what rests on them does not happen."""

from types import ModuleType

import torch
from torch import nn
from torch.nn.utils import prune


def run(layer: nn.Linear, x: torch.Tensor) -> torch.Tensor:
    """What the layer makes of `x`."""
    return layer.forward(x)


def pruned() -> tuple[torch.Tensor, torch.Tensor]:
    """What a pruned layer gives after its weights have changed, and what it has to give."""
    layer = nn.Linear(2, 1, bias=False)
    prune.identity(layer, "weight")
    with torch.no_grad():
        layer.weight_orig.fill_(3.0)
    output = layer.forward(torch.ones(2))
    return output.detach(), torch.tensor([6.0])


def prove(bad: ModuleType, good: ModuleType) -> None:
    for module, hooks in ((bad, 0), (good, 1)):
        seen: list[int] = []
        layer = nn.Linear(2, 2)
        layer.register_forward_hook(lambda *_, seen=seen: seen.append(1))
        assert torch.equal(module.run(layer, torch.ones(2)), layer(torch.ones(2)))
        assert len(seen) == hooks + 1

    output, wanted = bad.pruned()
    assert not torch.equal(output, wanted), "the weights of before"
    output, wanted = good.pruned()
    assert torch.equal(output, wanted)
