"""TL201: a running total, or a list, of losses keeps the graph of every iteration alive."""

import gc
import weakref
from types import ModuleType
from typing import Any

import torch

BATCHES = 20
ALIVE: "weakref.WeakSet[Mark]" = weakref.WeakSet()


class Mark:
    """Lives exactly as long as the piece of graph that holds it."""


class Marked(torch.autograd.Function):
    """The identity. Its node in the graph owns a `Mark`, so that living graphs can be counted."""

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor) -> torch.Tensor:
        ctx.mark = Mark()
        ALIVE.add(ctx.mark)
        return x.clone()

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> Any:
        return gradients[0]


def total_of(batches: int) -> torch.Tensor:
    """The total of the losses of so many steps."""
    torch.manual_seed(0)
    model = torch.nn.Linear(4, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    total = torch.zeros(())
    for batch in torch.randn(batches, 8, 4):
        loss = Marked.apply(model(batch)).pow(2).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total += loss
    return total


def list_of(batches: int) -> list[torch.Tensor]:
    """The losses of so many steps."""
    torch.manual_seed(0)
    model = torch.nn.Linear(4, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    losses = []
    for batch in torch.randn(batches, 8, 4):
        loss = Marked.apply(model(batch)).pow(2).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss)
    return losses


def graphs_alive() -> int:
    gc.collect()
    return len(ALIVE)


def nodes(result: torch.Tensor) -> int:
    """How many nodes of the graph `result` holds on to."""
    seen: set[Any] = set()
    stack = [result.grad_fn]
    while stack:
        node = stack.pop()
        if node is not None and node not in seen:
            seen.add(node)
            stack += [following for following, _ in node.next_functions]
    return len(seen)


def prove(bad: ModuleType, good: ModuleType) -> None:
    few, many = bad.total_of(BATCHES), bad.total_of(3 * BATCHES)
    assert bad.graphs_alive() == 4 * BATCHES, "the graph of every iteration is still there"
    per_batch = (nodes(many) - nodes(few)) / (2 * BATCHES)
    assert per_batch >= 4, "each iteration adds its nodes"
    value = few.item()
    del few, many
    assert bad.graphs_alive() == 0, "and only the total held them"

    total = good.total_of(BATCHES)
    assert good.graphs_alive() == 0
    assert total.grad_fn is None
    assert total.item() == value, "the number is the same"

    losses = bad.list_of(BATCHES)
    assert bad.graphs_alive() == BATCHES
    assert all(nodes(loss) > 0 for loss in losses)
    repaired = good.list_of(BATCHES)
    assert good.graphs_alive() == 0
    assert [loss.item() for loss in losses] == [loss.item() for loss in repaired]
