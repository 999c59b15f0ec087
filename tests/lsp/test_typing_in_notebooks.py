"""Completion, signatures and hints in the cells of a notebook, which are documents of their own."""

from __future__ import annotations

from typing import Any

import pytest
from in_process import Session
from recorded import capabilities

URI = "file:///project/net.ipynb"
CELLS = [
    "%matplotlib inline\nimport torch\nfrom torch import nn, optim",
    "model = nn.Linear(2, 3)\noptimizer = optim.SGD(model.parameters(), lr=0.1)",
    "",
    "x = 1  # noqa: TL101",
]


def cell(number: int) -> str:
    return f"vscode-notebook-cell:/project/net.ipynb#W{number}"


def opened(*texts: str) -> Session:
    session = Session()
    session.start(capabilities("visual_studio_code_v1.139.1"), {"inlayHints": True, "codeLens": True})
    documents = [
        {"uri": cell(n), "languageId": "python", "version": 1, "text": text} for n, text in enumerate(texts)
    ]
    notebook = {
        "uri": URI,
        "notebookType": "jupyter-notebook",
        "version": 1,
        "cells": [{"kind": 2, "document": document["uri"]} for document in documents],
    }
    session.send("notebookDocument/didOpen", {"notebookDocument": notebook, "cellTextDocuments": documents})
    return session


async def asked(session: Session, method: str, number: int, line: int, character: int) -> Any:
    position = {"line": line, "character": character}
    session.send(method, {"textDocument": {"uri": cell(number)}, "position": position}, method)
    return (await session.until(method))["result"]


@pytest.mark.parametrize(
    ("typed", "label"),
    [
        ("optimizer.", "zero_grad"),
        ("optimizer.zero_grad(", "set_to_none="),
        ("%time loss = model(torch.ones(2))\ny = '𝄞', optimizer.st", "step"),
        ("train", "train-val-split"),
    ],
)
async def test_what_is_offered_belongs_into_the_cell(typed: str, label: str) -> None:
    session = opened(*CELLS[:2], typed, CELLS[3])
    lines = typed.split("\n")
    end = len(lines[-1].encode("utf-16-le")) // 2
    found = await asked(session, "textDocument/completion", 2, len(lines) - 1, end)
    item = next(item for item in found["items"] if item["label"] == label)
    assert item["textEdit"]["range"]["end"] == {"line": len(lines) - 1, "character": end}
    assert not item.get("additionalTextEdits"), "a cell brings its imports itself"


async def test_a_call_in_a_cell_has_its_signature() -> None:
    session = opened(*CELLS[:2], "nn.Conv2d(", CELLS[3])
    found = await asked(session, "textDocument/signatureHelp", 2, 0, 10)
    assert found["signatures"][0]["label"].startswith("torch.nn.Conv2d(")


async def test_hints_and_links_are_those_of_the_cell() -> None:
    session = opened(*CELLS)
    everything = {"start": {"line": 0, "character": 0}, "end": {"line": 9, "character": 0}}
    for number, hints, links in ((0, 0, 0), (1, 1, 0), (2, 0, 0), (3, 0, 1)):
        document = {"uri": cell(number)}
        session.send("textDocument/inlayHint", {"textDocument": document, "range": everything}, f"h{number}")
        assert len((await session.until(f"h{number}"))["result"]) == hints
        session.send("textDocument/documentLink", {"textDocument": document}, f"l{number}")
        assert len((await session.until(f"l{number}"))["result"]) == links


async def test_lenses_stand_in_the_cell_of_the_loop() -> None:
    loop = (
        "for x in range(3):\n    optimizer.zero_grad()\n    model(x).sum().backward()\n    optimizer.step()"
    )
    session = opened(*CELLS[:2], loop)
    for number, count in ((1, 0), (2, 2)):
        session.send("textDocument/codeLens", {"textDocument": {"uri": cell(number)}}, number + 1)
        assert len((await session.until(number + 1))["result"]) == count
