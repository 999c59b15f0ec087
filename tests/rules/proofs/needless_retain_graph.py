"""TL115: a graph that is kept lives on beside that of the next iteration."""

import weakref
from types import ModuleType

import torch


def train() -> torch.Tensor:
    """The weights in the end."""
    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.Softplus(), torch.nn.Linear(8, 1))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for x in torch.randn(10, 8, 4):
        optimizer.zero_grad()
        loss = model(x).pow(2).mean()
        loss.backward(retain_graph=True)
        optimizer.step()
    return model[0].weight.detach()


class Saved:
    """What `backward` needs of a forward pass, and how many of these there are at most."""

    alive: "weakref.WeakSet[Saved]" = weakref.WeakSet()
    most = 0

    def __init__(self, tensor: torch.Tensor) -> None:
        self.tensor = tensor
        Saved.alive.add(self)
        Saved.most = max(Saved.most, len(Saved.alive))


def prove(bad: ModuleType, good: ModuleType) -> None:
    weights, most = [], []
    for program in (bad, good):
        Saved.most = 0
        with torch.autograd.graph.saved_tensors_hooks(Saved, lambda saved: saved.tensor):
            weights.append(program.train())
        most.append(Saved.most)
    torch.testing.assert_close(*weights)
    assert most[0] == 2 * most[1]
