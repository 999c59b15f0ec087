"""What is told of a call while it is typed. `|` is the cursor."""

from __future__ import annotations

from typing import Any

import pytest
from in_process import URI, Session, at
from lsprotocol import types
from recorded import CLIENTS, capabilities
from torchlore.knowledge import all_symbols
from torchlore.knowledge.callables import arguments_of
from torchlore.lsp.analyses import Analysed
from torchlore.lsp.declared import Declared
from torchlore.lsp.signature_help import signature_at, signature_of
from torchlore.text import Source

EDITOR = Declared(
    signature_help=True,
    signature_documentation=("markdown",),
    no_active_parameter=True,
    label_offsets=True,
)
HEAD = """\
import torch
from torch import nn, optim
import torch.nn.functional as F

model = nn.Linear(2, 3)
sgd = optim.SGD(model.parameters())
loss = model(torch.ones(2)).sum()
"""


def told(line: str, declared: Declared = EDITOR) -> types.SignatureHelp | None:
    code, offset = at(HEAD + line)
    known = Analysed(URI, Source(code), {}, None)
    return signature_at(known, offset, declared)


def active(line: str) -> str:
    """The argument that is marked, as the signature writes it."""
    found = told(line)
    assert found is not None
    (signature,) = found.signatures
    assert signature.parameters is not None
    if signature.active_parameter is None:
        return ""
    place = signature.parameters[signature.active_parameter].label
    assert not isinstance(place, str)
    return signature.label[place[0] : place[1]]


@pytest.mark.parametrize(
    ("line", "argument"),
    [
        ("optim.SGD(|", "params"),
        ("optim.SGD(|)", "params"),
        ("optim.SGD(model.parameters(), |", "lr=0.001"),
        ("optim.SGD(model.parameters(), lr|", "lr=0.001"),
        ("optim.SGD(model.parameters(), momentum=|", "momentum=0"),
        ("optim.SGD(model.parameters(), momentum=0.9, lr=|0.1)", "lr=0.001"),
        ("optim.SGD(params=model.parameters(), fused=|", "fused=None"),
        ("opt = optim.SGD(\n    model.parameters(),\n    0.1,\n    |\n)", "momentum=0"),
        ("optim.SGD([torch.ones(2), |", "params"),
        ("optim.SGD(model.parameters(), lr=0.1, |", "momentum=0"),
        ("optim.Adam(model.parameters(), betas=(0.9, |", "betas=(0.9, 0.999)"),
        ("F.cross_entropy(model(x), |", "target: Tensor"),
        ("F.cross_entropy(torch.sum(|", "input"),
        ("F.cross_entropy(torch.sum(x), |", "target: Tensor"),
        ("nn.CrossEntropyLoss(reduction='|", "reduction: str = 'mean'"),
        ("sgd.zero_grad(|", "set_to_none: bool = True"),
        ("loss.backward(|", "gradient=None"),
        ("torch.randn(2, 3, |", "*size"),
        ("model.to(|", "device"),
        ("model.to('cuda', |", "*args"),
        ("torch.randn(2, 3, dtype=|", "dtype=None"),
        ("optim.SGD(*groups, |", ""),
        ("for x in torch.split(loss, |", "split_size_or_sections: int | list[int]"),
        ("nn.Sequential(nn.Linear(2, |", "out_features: int"),
    ],
)
def test_the_argument_that_is_typed_is_marked(line: str, argument: str) -> None:
    assert active(line) == argument


@pytest.mark.parametrize(
    "line",
    [
        "|",
        "print(|",
        "model.|",
        "optim.SGD(model.parameters())|",
        "optim.SGD(len(|",
        "# optim.SGD(|",
        "def f(|",
        "mine(|",
    ],
)
def test_nothing_is_told_of_what_is_not_torchs(line: str) -> None:
    assert told(line) is None


def test_an_argument_has_one_line_of_the_knowledge() -> None:
    found = told("optim.SGD(model.parameters(), |")
    assert found is not None and found.signatures[0].parameters is not None
    said = found.signatures[0].parameters[1].documentation
    assert isinstance(said, types.MarkupContent)
    assert said.value == "The learning rate: how far one step goes."


def test_every_signature_can_be_told() -> None:
    for symbol in list(all_symbols())[::7]:
        for declared in (EDITOR, Declared()):
            arguments = arguments_of(symbol)
            label = signature_of(symbol, arguments, declared).label if arguments else symbol.name
            assert label.startswith(symbol.name.removesuffix(".forward"))


@pytest.mark.parametrize("client", list(CLIENTS))
async def test_every_editor_gets_what_it_declared(client: str) -> None:
    declared: dict[str, Any] = capabilities(client)["textDocument"].get("signatureHelp") or {}
    session = Session()
    session.start(capabilities(client))
    started = session.answer(0)
    assert started is not None
    assert ("signatureHelpProvider" in started["result"]["capabilities"]) == bool(declared)
    if not declared:
        return
    session.open("import torch\n\ntorch.optim.SGD([], ")
    position = {"line": 2, "character": 20}
    session.send("textDocument/signatureHelp", {"textDocument": {"uri": URI}, "position": position}, 1)
    result = (await session.until(1))["result"]
    (signature,) = result["signatures"]
    # What stands in the signature goes before what stands beside it; a null means that none is typed.
    assert signature["activeParameter"] == result["activeParameter"]
    parameter = signature["parameters"][signature["activeParameter"]]
    information = declared["signatureInformation"]
    offsets = information.get("parameterInformation", {}).get("labelOffsetSupport", False)
    assert isinstance(parameter["label"], list) == offsets
    formats = information.get("documentationFormat")
    said = parameter["documentation"]
    assert (said["kind"] == formats[0]) if formats else said.startswith("The learning rate")


@pytest.mark.parametrize("client", list(CLIENTS))
async def test_who_knows_no_null_is_sent_none(client: str) -> None:
    declared: dict[str, Any] = capabilities(client)["textDocument"].get("signatureHelp") or {}
    session = Session()
    session.start(capabilities(client))
    session.open("import torch\n\ntorch.optim.SGD(*groups, ")
    position = {"line": 2, "character": 25}
    session.send("textDocument/signatureHelp", {"textDocument": {"uri": URI}, "position": position}, 1)
    if not declared:
        return
    result = (await session.until(1))["result"]
    knows = declared["signatureInformation"].get("noActiveParameterSupport", False)
    assert result["activeParameter"] == (None if knows else 0)
    assert result["signatures"][0]["activeParameter"] == result["activeParameter"]


async def test_it_can_be_switched_off() -> None:
    session = Session()
    session.start({"textDocument": {"signatureHelp": {}}}, {"signatureHelp": False})
    started = session.answer(0)
    assert started is not None and "signatureHelpProvider" not in started["result"]["capabilities"]
