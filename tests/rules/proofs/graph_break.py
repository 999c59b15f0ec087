"""TL621: one question to a tensor, and the compiler makes two graphs where there could be one."""

from types import ModuleType

import torch

graphs: list[torch.fx.GraphModule] = []


def counted(graph: torch.fx.GraphModule, inputs: list[torch.Tensor]) -> object:
    """A backend that runs a graph as it is."""
    graphs.append(graph)
    return graph.forward


@torch.compile(backend=counted)
def clipped(x: torch.Tensor) -> torch.Tensor:
    x = x + 1
    if x.norm() > 1:
        x = x / x.norm()
    return x * 2


REPAIRS = [
    (
        "    if x.norm() > 1:\n        x = x / x.norm()\n",
        "    x = torch.where(x.norm() > 1, x / x.norm(), x)\n",
    )
]


def prove(bad: ModuleType, good: ModuleType) -> None:
    torch._dynamo.reset()
    x = torch.ones(3)
    torch.testing.assert_close(bad.clipped(x), good.clipped(x))
    assert len(bad.graphs) == 2, "before the question and behind it"
    assert len(good.graphs) == 1
    torch._dynamo.reset()
