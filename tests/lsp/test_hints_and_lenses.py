"""Hints and lenses: for editors that declare them and users who switch them on."""

from __future__ import annotations

from typing import Any

import pytest
from in_process import URI, Session
from recorded import CLIENTS, capabilities

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
    assert not provides(begun(client), "inlayHintProvider"), "off by default"
    session = begun(client, {"inlayHints": True})
    assert provides(session, "inlayHintProvider") == declared
    if not declared:
        return
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
