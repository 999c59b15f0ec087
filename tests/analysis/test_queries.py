"""Small questions about values."""

from __future__ import annotations

import ast

from torchlore.analysis.copies import alike
from torchlore.analysis.queries import reachable
from torchlore.analysis.submodules import some
from torchlore.analysis.values import Const, Container, Instance, Number, OneOf, Tensor, Unknown, Value


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
