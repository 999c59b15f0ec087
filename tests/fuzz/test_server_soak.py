"""Many hours' edits in little time: memory, descriptors, threads and tasks stay as they are.

TORCHLORE_SOAK=50000 makes fifty thousand edits; eight hours of steady typing are about that many.
"""

from __future__ import annotations

import gc
import os
import random
import threading
import tracemalloc
from pathlib import Path

import pytest
from in_process import URI, Session

EDITS = int(os.environ.get("TORCHLORE_SOAK", "600"))
OTHER = "file:///project/net.py"
NOTEBOOK = "file:///project/study.ipynb"
LINES = (
    "x = torch.zeros(3)",
    "optimizer.zero_grad()",
    "loss = criterion(model(torch.randn(4, 2)), torch.zeros(4, 3))",
    "loss.backward()",
    "optimizer.step()",
    "for batch in loader:",
    "    total += loss",
    "model.eval(",
    "'😀'; torch.relu(x",
    "",
)
START = """\
import torch
from torch import nn, optim
from net import Net
model = nn.Linear(2, 3)
optimizer = optim.SGD(model.parameters(), lr=0.1)
criterion = nn.MSELoss()
"""
_MOST_GROWTH = 5_000_000
"""Bytes, for what is read once (cards, rules). Every version and its analysis, kept, took nine million in the
shortest run."""


@pytest.mark.timeout(0 if EDITS > 5000 else 300)
async def test_nothing_grows_with_edits() -> None:
    session = Session()
    session.start(
        {"textDocument": {"codeAction": {"codeActionLiteralSupport": {"codeActionKind": {"valueSet": []}}}}}
    )
    session.open(START)
    rng = random.Random(0)
    text = await _type(session, START, rng, 2, EDITS // 3)
    tracemalloc.start()
    before, threads, descriptors = _held(session), threading.active_count(), _descriptors()
    await _type(session, text, rng, EDITS, 2 * EDITS // 3)
    after = _held(session)
    tracemalloc.stop()
    assert after - before < _MOST_GROWTH
    assert threading.active_count() <= threads
    assert _descriptors() <= descriptors
    assert not session.server.tasks
    assert not session.server.protocol._request_futures
    assert set(session.server.analyses._by_uri) <= {URI}


async def _type(session: Session, text: str, rng: random.Random, version: int, edits: int) -> str:
    """Types lines into the file, and deletes some, while other files and a notebook come and go."""
    for number in range(version, version + edits):
        lines = text.splitlines(keepends=True)
        if len(lines) > 60:
            del lines[rng.randrange(6, len(lines))]
        else:
            lines.insert(rng.randrange(6, len(lines) + 1), rng.choice(LINES) + "\n")
        text = "".join(lines)
        session.replace(text, number)
        line = rng.randrange(len(lines))
        session.hover(number, line=line, character=rng.randrange(30))
        if number % 3 == 0:
            session.send("$/cancelRequest", {"id": number})
        if number % 10 == 0:
            _come_and_go(session, number)
            await session.until(number)
        session.wire.messages = [m for m in session.wire.messages if m.get("id") == number]
    await session.eventually(lambda: not session.server.tasks)
    return text


def _come_and_go(session: Session, number: int) -> None:
    session.open("import torch\nclass Net(torch.nn.Module):\n    pass\n", OTHER, number)
    session.hover(-number, OTHER, 1, 20)
    session.send("textDocument/didClose", {"textDocument": {"uri": OTHER}})
    cell = {"uri": f"{NOTEBOOK}#{number}", "languageId": "python", "version": 1, "text": START}
    shown = {"uri": NOTEBOOK, "notebookType": "jupyter-notebook", "version": 1}
    shown["cells"] = [{"kind": 2, "document": cell["uri"]}]  # type: ignore[assignment]
    session.send("notebookDocument/didOpen", {"notebookDocument": shown, "cellTextDocuments": [cell]})
    closed = {"notebookDocument": {"uri": NOTEBOOK}, "cellTextDocuments": []}
    session.send("notebookDocument/didClose", closed)


def _held(session: Session) -> int:
    """Bytes that are in use by what cannot be collected."""
    gc.collect()
    assert session.server is not None
    return tracemalloc.get_traced_memory()[0]


def _descriptors() -> int:
    folder = Path("/proc/self/fd")
    return len(list(folder.iterdir())) if folder.is_dir() else 0
