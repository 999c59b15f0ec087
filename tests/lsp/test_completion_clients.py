"""Completion over the wire: each editor gets what it declared."""

from __future__ import annotations

from typing import Any

import pytest
from in_process import URI, Session, at
from recorded import CLIENTS, capabilities

NEOVIM = next(name for name in CLIENTS if name.startswith("neovim_v0.11"))


async def conversation(client: str, text: str, options: Any = None) -> tuple[Session, dict[str, Any]]:
    """A session with a recorded editor, and its answer to a completion."""
    code, offset = at(text)
    session = Session()
    session.start(capabilities(client), options)
    session.send("initialized", {})
    session.open(code)
    line = code.count("\n", 0, offset)
    position = {"line": line, "character": offset - code.rfind("\n", 0, offset) - 1}
    session.send("textDocument/completion", {"textDocument": {"uri": URI}, "position": position}, 1)
    return session, await session.until(1)


@pytest.mark.parametrize("client", list(CLIENTS))
async def test_every_editor_gets_what_it_declared(client: str) -> None:
    session, answer = await conversation(client, "import torch\n\nx = torch.nn.MSELoss(reduction=|")
    item = capabilities(client)["textDocument"]["completion"]["completionItem"]
    first = answer["result"]["items"][0]
    assert first["label"] == first["textEdit"]["newText"] == '"mean"'
    formats = item.get("documentationFormat")
    if "documentation" in item.get("resolveSupport", {}).get("properties", ()):
        assert "documentation" not in first
        session.send("completionItem/resolve", first, 2)
        first = (await session.until(2))["result"]
    if formats:
        assert first["documentation"]["kind"] == formats[0]
        assert "mean over all elements" in first["documentation"]["value"]
    else:
        assert "mean over all elements" in first["documentation"]
    assert ("labelDetails" in first) == bool(item.get("labelDetailsSupport"))


@pytest.mark.parametrize("client", list(CLIENTS))
async def test_tab_stops_go_to_those_who_take_them(client: str) -> None:
    _, answer = await conversation(client, "import torch\n\ntraining|")
    items = {item["label"]: item for item in answer["result"]["items"]}
    takes = capabilities(client)["textDocument"]["completion"]["completionItem"].get("snippetSupport", False)
    text = items["training-loop"]["textEdit"]["newText"]
    assert ("${1:" in text) == takes
    assert (items["training-loop"].get("insertTextFormat") == 2) == takes


@pytest.mark.parametrize(
    ("typed", "is_part"),
    [
        ("loss.|", True),
        ("loss.b|", False),
        ("t|", True),
        ("tr|", False),
        ("torch.optim.SGD(|", False),
        ("x|", True),
    ],
)
async def test_an_editor_asks_again_where_there_may_be_more(typed: str, is_part: bool) -> None:
    """VS Code only filters what it has, unless it is told that this is not all."""
    _, answer = await conversation(NEOVIM, f"import torch\nloss = torch.ones(2).sum()\n{typed}")
    assert answer["result"]["isIncomplete"] is is_part


async def test_it_can_be_switched_off() -> None:
    for options in ({"completion": False}, {"settings": {"completion": False}}):
        _, answer = await conversation(NEOVIM, "import torch\n\nx = torch.nn.MSELoss(|", options)
        assert answer["result"] is None


async def test_who_never_tells_of_settings_is_not_asked_in_vain() -> None:
    session = Session()
    session.start({"textDocument": {"completion": {}}}, {"completion": False})
    told = session.answer(0)
    assert told is not None and "completionProvider" not in told["result"]["capabilities"]


async def test_who_does_not_declare_it_is_not_told_of_it() -> None:
    session = Session()
    session.start({"textDocument": {"hover": {}}})
    told = session.answer(0)
    assert told is not None and "completionProvider" not in told["result"]["capabilities"]
