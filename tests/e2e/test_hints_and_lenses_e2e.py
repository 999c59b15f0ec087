"""Hints, where the user switched them on."""

from __future__ import annotations

from pathlib import Path

import pytest
from harness import CLIENTS, editor
from lsprotocol import types

pytestmark = pytest.mark.asyncio(loop_scope="session")

VSCODE = next(name for name in CLIENTS if name.startswith("visual_studio_code"))
TEXT = """\
import torch
from torch import nn, optim

model = nn.Linear(3, 4)
optimizer = optim.SGD(model.parameters(), lr=0.1)
schedule = optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=50)
"""


async def test_hints_stand_behind_what_they_are_about(tmp_path: Path) -> None:
    async with editor(tmp_path, name=VSCODE, options={"inlayHints": True}) as shown:
        uri = shown.open((tmp_path / "train.py").as_uri(), TEXT)
        everything = types.Range(shown.position(uri, 0), shown.position(uri, len(TEXT)))
        params = types.InlayHintParams(shown.identifier(uri), everything)
        hints = await shown.client.text_document_inlay_hint_async(params) or []
        told = {TEXT.splitlines()[hint.position.line].partition(" ")[0]: hint.label for hint in hints}
        assert told == {"optimizer": "16 parameters", "schedule": "lr 0.1 → 0 in 50 steps"}
