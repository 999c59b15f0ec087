"""Hints and lenses: for editors that declare them and users who switch them on."""

from __future__ import annotations

from typing import Any

import pytest
from in_process import URI, Session
from recorded import CLIENTS, capabilities
from torchlore.knowledge import cards, data_root
from torchlore.lsp.analyses import Analysed
from torchlore.lsp.code_lenses import CARDS, lenses
from torchlore.text import Source

LOOPS = """\
import torch
from torch import nn


class Net(nn.Module):
    def forward(self, x):
        return x


class Plain:
    pass


def train(model, loader, optimizer: torch.optim.Optimizer):
    for epoch in range(3):
        for x in loader:
            optimizer.zero_grad()
            model(x).sum().backward()
            optimizer.step()
    for x in loader:
        print(x)
"""
CODE = """\
import torch

größe = "𝄞"; model = torch.nn.Linear(3, 4)
name = "é𝄞"; optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
"""


def whole(text: str) -> dict[str, Any]:
    return {"start": {"line": 0, "character": 0}, "end": {"line": text.count("\n") + 1, "character": 0}}


def begun(client: str, options: Any = None) -> Session:
    session = Session()
    session.start(capabilities(client), options)
    session.send("initialized", {})
    return session


def provides(session: Session, what: str) -> bool:
    started = session.answer(0)
    assert started is not None
    return started["result"]["capabilities"].get(what) not in (None, False)


@pytest.mark.parametrize("client", list(CLIENTS))
async def test_hints_are_for_those_who_want_them(client: str) -> None:
    declared = capabilities(client)["textDocument"].get("inlayHint") is not None
    session = begun(client)
    assert provides(session, "inlayHintProvider") == declared, "what a run gave is shown so, too"
    if not declared:
        return
    session.open(CODE)
    session.send("textDocument/inlayHint", {"textDocument": {"uri": URI}, "range": whole(CODE)}, 1)
    assert (await session.until(1))["result"] is None, "off by default"
    session = begun(client, {"inlayHints": True})
    session.open(CODE)
    session.send("textDocument/inlayHint", {"textDocument": {"uri": URI}, "range": whole(CODE)}, 1)
    (hint,) = (await session.until(1))["result"]
    assert hint["label"] == "16 parameters" and hint["paddingLeft"] is True
    started = session.answer(0)
    assert started is not None
    encoding = started["result"]["capabilities"]["positionEncoding"]
    units = {"utf-8": ("utf-8", 1), "utf-16": ("utf-16-le", 2)}[encoding]
    line = CODE.splitlines()[3]
    assert hint["position"] == {"line": 3, "character": len(line.encode(units[0])) // units[1]}


def shown(code: str, path: str = "/project/train.py", *, trusted: bool = True) -> list[tuple[str, str]]:
    """The lines that have lenses, and what those say."""
    known = Analysed(URI, Source(code, path), {}, None)
    found = lenses(known, URI, trusted=trusted)
    return [(known.source.segment(span), command.title.partition(":")[0]) for span, command in found]


def test_the_cards_of_lenses_exist_and_can_be_run() -> None:
    known = {card.slug: card for card in cards()}
    assert all(known[slug].snippet for slug in CARDS.values())


def test_lenses_stand_above_training_loops_and_modules() -> None:
    both = ("Explain", "Run the proof")
    lines = ("class Net(nn.Module):", "for x in loader:")
    assert shown(LOOPS) == [(line, title) for line in lines for title in both]


def test_nothing_can_be_run_where_nothing_may() -> None:
    assert {title for _, title in shown(LOOPS, trusted=False)} == {"Explain"}


def test_the_snippet_of_a_card_runs_as_it_stands() -> None:
    path = data_root() / "snippets" / "zero-grad.py"
    text = path.read_text(encoding="utf-8") + "print('edited')\n"
    known = Analysed(URI, Source(text, str(path)), {}, None)
    explain, run = (command for _, command in lenses(known, URI, trusted=True))
    assert explain.arguments == [{"slug": "zero-grad"}]
    assert run.arguments == [{"code": text, "uri": URI}]
    assert shown(text, "/project/zero-grad.py") != shown(text, str(path))


@pytest.mark.parametrize("client", list(CLIENTS))
async def test_lenses_are_for_those_who_want_them(client: str) -> None:
    declared = capabilities(client)["textDocument"].get("codeLens") is not None
    tells = capabilities(client).get("workspace", {}).get("configuration", False)
    session = begun(client)
    assert provides(session, "codeLensProvider") == (declared and tells), "who tells may switch them on yet"
    if declared and tells:
        session.open(LOOPS)
        session.send("textDocument/codeLens", {"textDocument": {"uri": URI}}, 1)
        assert (await session.until(1))["result"] is None, "off by default"
    session = begun(client, {"codeLens": True})
    assert provides(session, "codeLensProvider") == declared
    if not declared:
        return
    session.open(LOOPS)
    session.send("textDocument/codeLens", {"textDocument": {"uri": URI}}, 1)
    found = (await session.until(1))["result"]
    assert [lens["range"]["start"]["line"] for lens in found] == [4, 4, 15, 15]
    started = session.answer(0)
    assert started is not None
    known = started["result"]["capabilities"]["executeCommandProvider"]["commands"]
    assert all(lens["command"]["command"] in known for lens in found)
