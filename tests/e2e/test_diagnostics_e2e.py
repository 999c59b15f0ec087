"""Diagnostics, in every editor: asked for or published."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest
from harness import Editor, editor, page
from lsprotocol import types

pytestmark = pytest.mark.asyncio(loop_scope="session")

BROKEN = """\
import torch
from torch import nn, optim

model = nn.Linear(2, 3)
optimizer = optim.SGD(model.parameters(), lr=0.1)
criterion = nn.MSELoss()

for step in range(10):
    loss = criterion(model(torch.randn(4, 2)), torch.zeros(4, 3))
    loss.backward()
    optimizer.step()
"""
CALL = "    loss.backward()\n"
MENDED = BROKEN.replace(CALL, f"    optimizer.zero_grad()\n{CALL}")


async def test_a_mistake_is_reported_with_what_the_editor_declares(
    any_editor: Editor, new_file: Callable[[], str]
) -> None:
    uri = any_editor.open(new_file(), BROKEN)
    (found,) = await any_editor.diagnostics(uri)
    assert (found.code, found.source) == ("TL101", "torchlore")
    assert found.severity in (types.DiagnosticSeverity.Error, types.DiagnosticSeverity.Warning)
    assert "optimizer" in found.message
    how = ("diagnostic" if any_editor.pulls else "publish_diagnostics",)
    described = any_editor.declares("text_document", *how, "code_description_support")
    assert (found.code_description is not None) == described
    if found.code_description is not None:
        assert page(found.code_description.href).read_text(encoding="utf-8").startswith("# missing-zero-grad")
    related = any_editor.declares("text_document", *how, "related_information")
    assert bool(found.related_information) == related
    any_editor.close(uri)


async def test_pulling_needs_refreshing(any_editor: Editor) -> None:
    text_document, workspace = any_editor.capabilities.text_document, any_editor.capabilities.workspace
    pulls = text_document is not None and text_document.diagnostic is not None
    refreshes = workspace is not None and workspace.diagnostics is not None
    assert any_editor.pulls == (pulls and refreshes)


async def test_a_mended_file_is_clean(any_editor: Editor, new_file: Callable[[], str]) -> None:
    uri = any_editor.open(new_file(), BROKEN)
    assert await any_editor.diagnostics(uri)
    at = BROKEN.index(CALL)
    any_editor.change(uri, (at, at, "    optimizer.zero_grad()\n"))
    assert await any_editor.diagnostics(uri) == []
    any_editor.close(uri)


async def test_a_closed_file_has_no_diagnostics(any_editor: Editor, new_file: Callable[[], str]) -> None:
    uri = any_editor.open(new_file(), BROKEN)
    assert await any_editor.diagnostics(uri)
    any_editor.close(uri)
    if not any_editor.pulls:
        assert not (await any_editor.published(uri, None)).diagnostics


async def test_the_last_version_wins(any_editor: Editor, new_file: Callable[[], str]) -> None:
    """Twenty edits in a burst, the last of which makes the mistake."""
    uri = any_editor.open(new_file(), MENDED)
    for n in range(20):
        any_editor.change(uri, (0, 0, f"# {n}\n"))
    cleared = "    optimizer.zero_grad()\n"
    at = any_editor.texts[uri].index(cleared)
    any_editor.change(uri, (at, at + len(cleared), ""))
    (found,) = await any_editor.diagnostics(uri)
    assert any_editor.segment(uri, found.range).startswith("optimizer.step")
    await asyncio.sleep(0.1)
    if not any_editor.pulls:
        assert any_editor.client.published[uri].version == any_editor.versions[uri]
    any_editor.close(uri)


async def test_a_comment_and_the_configuration_switch_a_rule_off(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text('[tool.torchlore]\nignore = ["TL101"]\n')
    async with editor(tmp_path) as plain:
        ignored = plain.open((tmp_path / "a.py").as_uri(), BROKEN)
        assert await plain.diagnostics(ignored) == []
        (tmp_path / "pyproject.toml").write_text("[tool.torchlore]\n")
        plain.change(ignored, (0, 0, "\n"))
        assert len(await plain.diagnostics(ignored)) == 1
        commented = BROKEN.replace("optimizer.step()", "optimizer.step()  # torchlore: ignore[TL101]")
        assert await plain.diagnostics(plain.open((tmp_path / "b.py").as_uri(), commented)) == []


async def test_a_broken_configuration_is_logged_and_not_shown(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool.torchlore]\nselect = 3\n")
    async with editor(tmp_path) as plain:
        uri = plain.open((tmp_path / "a.py").as_uri(), BROKEN)
        assert len(await plain.diagnostics(uri)) == 1
        assert not plain.client.messages


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-32"])
async def test_columns_are_in_the_editors_unit(tmp_path: Path, encoding: str) -> None:
    """An astral character stands before the symbol on its line, and a form feed above."""
    text = "\x0c\n" + BROKEN.replace("    optimizer.step()", '    "😀é漢"; optimizer.step()')
    capabilities = types.ClientCapabilities(
        general=types.GeneralClientCapabilities(position_encodings=[types.PositionEncodingKind(encoding)])
    )
    async with editor(tmp_path, capabilities) as shown:
        assert shown.encoding == encoding
        uri = shown.open((tmp_path / "a.py").as_uri(), text)
        (found,) = await shown.diagnostics(uri)
        assert shown.segment(uri, found.range).startswith("optimizer.step")
        at = text.index("😀")
        shown.change(uri, (at, at + 1, "𝒳𝒴"), (at + 2, at + 2, "é"))
        (found,) = await shown.diagnostics(uri)
        assert shown.segment(uri, found.range).startswith("optimizer.step")
        hover = await shown.hover(uri, "optimizer.step()", len("optimizer."))
        assert hover is not None and hover.range is not None
        assert shown.segment(uri, hover.range) == "step"


DEPRECATED = "import torch\n\nwith torch.cuda.amp.autocast():\n    torch.qr(torch.eye(3))\n"


@pytest.mark.parametrize(
    ("reported", "names"), [(True, ["torch.cuda.amp.autocast", "torch.qr"]), (False, ["torch.qr"])]
)
async def test_what_a_type_checker_underlines_is_left_to_it_where_the_editor_has_one(
    workspace: Path, reported: bool, names: list[str]
) -> None:
    async with editor(workspace, options={"typeCheckedDeprecations": reported}) as shown:
        uri = shown.open((workspace / "deprecated.py").as_uri(), DEPRECATED)
        found = await shown.diagnostics(uri)
        assert [each.message.split("`")[1] for each in found] == names
