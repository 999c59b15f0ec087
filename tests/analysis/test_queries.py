"""Small questions about values."""

from __future__ import annotations

import ast

import pytest
from torchlore.analysis import analyze
from torchlore.analysis.copies import alike
from torchlore.analysis.events import Kind
from torchlore.analysis.queries import came_from, reachable
from torchlore.analysis.submodules import some
from torchlore.analysis.values import Const, Container, Instance, Number, OneOf, Tensor, Unknown, Value
from torchlore.text import Source


def test_what_hangs_on_a_value_is_reached_by_the_shortest_way() -> None:
    deep = Tensor()
    inner = Instance("torch.nn.Linear", ast.Pass(), attributes={"weight": deep})
    middle = Container("list", [inner], inner)
    outer = Instance("torch.nn.Sequential", ast.Pass(), attributes={"far": middle, "near": inner})
    assert list(reachable(outer, depth=1)) == [outer, middle, inner]
    assert list(reachable(outer, depth=2)) == [outer, middle, inner, deep]


def test_what_stands_in_for_a_module_holds_what_was_set_on_it() -> None:
    model = Instance("torch.nn.Sequential", ast.Pass())
    part = some(model)
    set_on_it = Tensor()
    part.attributes["scale"] = set_on_it
    assert set_on_it in list(reachable(part))


def test_nothing_hangs_on_a_number() -> None:
    for value in (Const(1), Unknown(), Tensor()):
        assert list(reachable(value)) == [value]


def test_what_holds_itself_is_copied_to_an_end() -> None:
    """At every depth: what may be several things was looked into without counting."""
    for outer in range(8):
        ring = Container("list", [], Unknown())
        ring.items = [OneOf((ring, Number()))]
        ring.element = ring.items[0]
        value: Value = ring
        for _ in range(outer):
            value = Container("list", [value], value)
        assert alike(value, ast.Constant(None)) is not None


@pytest.mark.parametrize(
    ("made", "is_copy"),
    [
        ("torch.tensor([first, second])", True),
        ("torch.tensor([[first], [second]])", True),
        ("torch.as_tensor(losses)", True),
        ("torch.FloatTensor(losses)", True),
        ("torch.tensor(first, requires_grad=True)", True),
        ("torch.tensor([first.item(), 1.0], requires_grad=True)", False),
        ("torch.tensor([first.detach(), 1.0], requires_grad=True)", False),
        ("torch.stack([first, second])", False),
    ],
)
def test_what_leaves_graphs_behind_marks_what_is_made_of_it(made: str, is_copy: bool) -> None:
    text = (
        "import torch\nmodel = torch.nn.Linear(4, 1)\n"
        "first, second = model(torch.ones(4)).sum(), model(torch.ones(4)).sum()\n"
        "losses = []\nfor x in torch.ones(3, 4):\n    losses.append(model(x).sum())\n"
        f"(2 * ({made}).sum()).backward()\n"
    )
    analysis = analyze(Source(text))
    (event,) = (event for root in analysis.roots for event in root.of(Kind.BACKWARD))
    names = ("torch.tensor", "torch.as_tensor", "torch.FloatTensor", "torch.stack")
    (call,) = analysis.called(*names)
    assert came_from(event.value, call.node) is is_copy
