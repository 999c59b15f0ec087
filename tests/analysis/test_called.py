"""The calls of a file by what is called, as rules ask for them."""

from __future__ import annotations

from pathlib import Path

import pytest
from torchlore.analysis import Analysis, analyze
from torchlore.analysis.called import MISSING, Called
from torchlore.analysis.workspace import Workspace
from torchlore.text import Source

HEAD = """import torch
import torch.nn.functional as F
from torch import nn
from torch.nn import Conv2d as Conv
model = nn.Linear(4, 1)
"""


def analysis_of(text: str) -> Analysis:
    return analyze(Source(HEAD + text))


def only(text: str, name: str) -> Called:
    (found,) = analysis_of(text).called(name)
    return found


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("torch.load(path)", "torch.load"),
        ("Conv(1, 2, 3)", "torch.nn.Conv2d"),
        ("from torch import load as read\nread(path)", "torch.load"),
        ("torch.zeros(3).numpy()", "Tensor.numpy"),
        ("model.load_state_dict({})", "Module.load_state_dict"),
        ("optimizer = torch.optim.SGD(model.parameters())\noptimizer.step()", "Optimizer.step"),
        ("criterion = nn.MSELoss()\ncriterion(1, 2)", "torch.nn.MSELoss()"),
        ("class Net(nn.Module):\n    def forward(self, x):\n        return x\nNet()(1)", "Module()"),
        ("class Net(nn.Module):\n    def go(self):\n        self.eval()", "Module.eval"),
        ("f = torch.zeros if flag else torch.zeros\nf(3)", "torch.zeros"),
    ],
)
def test_what_is_called_has_its_public_name(text: str, name: str) -> None:
    assert only(text, name).name == name


@pytest.mark.parametrize(
    "text",
    [
        "f = torch.zeros if flag else torch.ones\nf(3)",
        "def f(torch):\n    torch.zeros(3)",
        "unknown.zeros(3)",
        "torch.zeros",
    ],
)
def test_what_may_be_something_else_is_not_there(text: str) -> None:
    assert list(analysis_of(text).called("torch.zeros")) == []


def test_several_names_come_in_the_order_of_the_text() -> None:
    found = analysis_of("torch.ones(1)\ntorch.zeros(2)\ntorch.ones(3)").called("torch.zeros", "torch.ones")
    assert [call.node.lineno for call in found] == [6, 7, 8]


def test_of_a_chain_the_inner_call_comes_first() -> None:
    found = analysis_of("torch.zeros(1).add(1).mul(2)").called("Tensor.mul", "Tensor.add")
    assert [call.name for call in found] == ["Tensor.add", "Tensor.mul"]


def test_a_call_is_known_by_its_place() -> None:
    analysis = analysis_of("torch.zeros(1).add(unknown(2))")
    (outer,) = analysis.called("Tensor.add")
    found = analysis.call_at(outer.node)
    assert found is not None and (found.name, found.node) == ("Tensor.add", outer.node)
    assert analysis.call_at(outer.node.args[0]) is None
    assert analysis.call_at(outer.node.func) is None


def test_arguments_by_position_and_by_name() -> None:
    call = only("torch.load(path, map_location='cpu')", "torch.load")
    assert call.literal(1, "map_location") == "cpu" and call.literal(0, "f") is MISSING
    assert call.value(2, "pickle_module") is None and call.argument(2, "pickle_module") is None
    assert call.argument(0, "f") is call.node.args[0]
    assert call.argument(1, "map_location") is call.node.keywords[0].value
    assert call.is_complete


def test_arguments_that_are_spread_are_not_written_anywhere() -> None:
    call = only("torch.load(*args, **kwargs)", "torch.load")
    assert call.argument(0, "f") is None and not call.is_complete


def test_an_argument_is_what_it_is_whoever_calls() -> None:
    text = "def make(size):\n    return torch.zeros(size)\nmake(3)\nmake({})"
    assert only(text.format(3), "torch.zeros").literal(0, "size") == 3
    assert only(text.format(4), "torch.zeros").literal(0, "size") is MISSING


def test_calls_in_imported_files_are_not_of_this_file(tmp_path: Path) -> None:
    folder = tmp_path.resolve()
    (folder / "other.py").write_text("import torch\ndef f():\n    return torch.zeros(3)\n")
    source = Source("import torch\nfrom other import f\nf()\ntorch.zeros(1)\n", str(folder / "main.py"))
    found = analyze(source, workspace=Workspace([folder])).called("torch.zeros")
    assert [call.node.lineno for call in found] == [4]


def test_nobody_knows_what_a_function_that_nothing_calls_is_given() -> None:
    assert not only("def f(*args):\n    torch.load(*args)", "torch.load").is_complete
    assert only("def f(*args):\n    torch.load(*args)\nf('x')", "torch.load").is_complete


def test_what_is_loaded_is_one_thing_wherever_it_goes() -> None:
    analysis = analysis_of("for epoch in range(3):\n    net = torch.load(path).to(device)\n    net.eval()\n")
    (load,) = analysis.called("torch.load")
    (receiver,) = {id(owner) for node, owner in analysis.run.owners.items() if node.attr == "eval"}
    assert receiver == id(analysis.value(load.node))
