"""Hints and lenses, where the user switched them on; links and questions."""

from __future__ import annotations

from pathlib import Path

import pytest
from harness import CLIENTS, editor, page
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

LOOP = """\
for _ in range(3):
    optimizer.zero_grad()
    model(torch.ones(3)).sum().backward()
    optimizer.step()
"""


async def test_hints_stand_behind_what_they_are_about(tmp_path: Path) -> None:
    async with editor(tmp_path, name=VSCODE, options={"inlayHints": True}) as shown:
        uri = shown.open((tmp_path / "train.py").as_uri(), TEXT)
        everything = types.Range(shown.position(uri, 0), shown.position(uri, len(TEXT)))
        params = types.InlayHintParams(shown.identifier(uri), everything)
        hints = await shown.client.text_document_inlay_hint_async(params) or []
        told = {TEXT.splitlines()[hint.position.line].partition(" ")[0]: hint.label for hint in hints}
        assert told == {"optimizer": "16 parameters", "schedule": "lr 0.1 → 0 in 50 steps"}


async def test_a_lens_explains_the_loop(tmp_path: Path) -> None:
    async with editor(tmp_path, name=VSCODE, options={"codeLens": True, "untrustedWorkspace": True}) as shown:
        uri = shown.open((tmp_path / "train.py").as_uri(), TEXT + LOOP)
        params = types.CodeLensParams(shown.identifier(uri))
        (lens,) = await shown.client.text_document_code_lens_async(params) or []
        assert lens.range.start.line == TEXT.count("\n")
        assert lens.command is not None and lens.command.arguments
        await shown.execute(lens.command.command, *lens.command.arguments)
        assert shown.client.shown_documents[-1].uri.endswith("explain-zero-grad.md")


async def test_a_code_leads_to_its_rule_and_a_question_to_its_card(tmp_path: Path) -> None:
    async with editor(tmp_path, name=VSCODE) as shown:
        uri = shown.open((tmp_path / "train.py").as_uri(), "import torch\nx = 1  # noqa: TL101\n")
        params = types.DocumentLinkParams(shown.identifier(uri))
        (link,) = await shown.client.text_document_document_link_async(params) or []
        assert shown.segment(uri, link.range) == "TL101" and link.target is None
        whole = await shown.client.document_link_resolve_async(link)
        assert whole.target is not None
        assert page(whole.target).read_text(encoding="utf-8").startswith("# missing-zero-grad (TL101)")
        found = await shown.client.workspace_symbol_async(types.WorkspaceSymbolParams("zero_grad"))
        assert found and page(found[0].location.uri).is_file()
