"""Code actions, in every editor: what they do to the text."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from harness import Editor
from lsprotocol import types
from test_diagnostics_e2e import BROKEN, MENDED

pytestmark = pytest.mark.asyncio(loop_scope="session")

EXAMPLE = Path(__file__).parents[2] / "examples" / "train_classifier.py"
STEP = "    optimizer.step()"


async def test_the_preferred_fix_mends_the_file(any_editor: Editor, new_file: Callable[[], str]) -> None:
    uri = any_editor.open(new_file(), BROKEN)
    at = BROKEN.index("optimizer.step()")
    actions = await any_editor.actions(uri, at, at + 9, only=["quickfix"])
    fixes = [a for a in actions if a.edit is not None and not a.title.startswith("Ignore")]
    prefers = any_editor.declares("text_document", "code_action", "is_preferred_support")
    assert [a.is_preferred for a in fixes] == [True if prefers else None]
    assert fixes[0].diagnostics and fixes[0].diagnostics[0].code == "TL101"
    assert any_editor.accept(uri, fixes[0].edit) == MENDED
    assert await any_editor.diagnostics(uri) == []
    any_editor.close(uri)


async def test_a_finding_can_be_ignored_on_its_line(any_editor: Editor, new_file: Callable[[], str]) -> None:
    uri = any_editor.open(new_file(), BROKEN)
    actions = await any_editor.actions(uri, BROKEN.index("optimizer.step()"))
    (ignore,) = [a for a in actions if a.title == "Ignore TL101 on this line"]
    text = any_editor.accept(uri, ignore.edit)
    assert text == BROKEN.replace(STEP, f"{STEP}  # torchlore: ignore[TL101]")
    assert await any_editor.diagnostics(uri) == []
    any_editor.close(uri)


async def test_fix_all_leaves_nothing_to_fix(any_editor: Editor, new_file: Callable[[], str]) -> None:
    uri = any_editor.open(new_file(), EXAMPLE.read_text(encoding="utf-8"))
    before = await any_editor.diagnostics(uri)
    (action,) = await any_editor.actions(uri, 0, only=["source.fixAll"])
    assert action.kind == "source.fixAll.torchlore"
    any_editor.accept(uri, action.edit)
    after = await any_editor.diagnostics(uri)
    assert len(after) < len(before)
    assert await any_editor.actions(uri, 0, only=["source.fixAll"]) == []
    any_editor.close(uri)


@pytest.mark.parametrize(
    ("only", "kinds"),
    [
        (["quickfix"], {"quickfix"}),
        (["source"], {"source.fixAll.torchlore"}),
        (["source.fixAll"], {"source.fixAll.torchlore"}),
        (["source.fixAll.torchlore"], {"source.fixAll.torchlore"}),
        (["source.fixAll.ruff"], set()),
        (["source.organizeImports"], set()),
        (["refactor"], set()),
    ],
)
async def test_only_what_was_asked_for_is_offered(
    vscode: Editor, new_file: Callable[[], str], only: list[str], kinds: set[str]
) -> None:
    uri = vscode.open(new_file(), BROKEN)
    actions = await vscode.actions(uri, BROKEN.index("optimizer.step()"), only=only)
    assert {str(getattr(a.kind, "value", a.kind)) for a in actions} == kinds
    vscode.close(uri)


async def test_a_line_without_torch_offers_nothing(any_editor: Editor, new_file: Callable[[], str]) -> None:
    uri = any_editor.open(new_file(), "numbers = [1, 2]\nprint(numbers)\n")
    assert await any_editor.actions(uri, 3) == []
    any_editor.close(uri)


async def test_the_light_bulb_burns_for_findings_alone(vscode: Editor, new_file: Callable[[], str]) -> None:
    """VS Code asks at every move of the cursor; a card or a snippet is no reason for a light bulb."""
    uri = vscode.open(new_file(), MENDED + "\n\n")
    unasked = types.CodeActionTriggerKind.Automatic
    assert await vscode.actions(uri, MENDED.index("zero_grad"), trigger=unasked) == []
    assert await vscode.actions(uri, len(MENDED) + 1, trigger=unasked) == []
    asked = types.CodeActionTriggerKind.Invoked
    assert await vscode.actions(uri, MENDED.index("zero_grad"), trigger=asked)
    vscode.close(uri)
