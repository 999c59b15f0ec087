"""Completion in every editor, in text that is half typed."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from harness import Editor
from lsprotocol import types

pytestmark = pytest.mark.asyncio(loop_scope="session")

TEXT = """\
import torch

model = torch.nn.Linear(2, 3)
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
größe = "é𝄞"; loss = model(torch.randn(4, 2)).sum()
"""


async def completed(editor: Editor, uri: str, typed: str) -> list[types.CompletionItem]:
    """What is offered at the end of the text, once `typed` stands there."""
    end = len(editor.texts[uri])
    editor.change(uri, (end, end, typed))
    at = editor.position(uri, end + len(typed))
    found = await editor.client.text_document_completion_async(
        types.CompletionParams(editor.identifier(uri), at)
    )
    assert found is None or isinstance(found, types.CompletionList)
    return list(found.items) if found is not None else []


@pytest.mark.parametrize(
    ("typed", "label", "result"),
    [
        ("loss.ba", "backward", "loss.backward"),
        ("größe = 'é𝄞', loss.ba", "backward", "größe = 'é𝄞', loss.backward"),
        ("optimizer.zero_grad(", "set_to_none=", "optimizer.zero_grad(set_to_none="),
        ("x = torch.nn.MSELoss(reduction='s", "sum", "x = torch.nn.MSELoss(reduction='sum"),
        ("y = torch.ones('é𝄞', dtype=torch.b", "torch.bfloat16", "y = torch.ones('é𝄞', dtype=torch.bfloat16"),
    ],
)
async def test_what_is_offered_can_be_taken(
    any_editor: Editor, new_file: Callable[[], str], typed: str, label: str, result: str
) -> None:
    uri = any_editor.open(new_file(), TEXT)
    items = {item.label: item for item in await completed(any_editor, uri, typed)}
    edit = items[label].text_edit
    assert isinstance(edit, types.TextEdit)
    text = any_editor.texts[uri]
    start, end = (any_editor.offset(text, place) for place in (edit.range.start, edit.range.end))
    assert (text[:start] + edit.new_text + text[end:])[len(TEXT) :] == result
    any_editor.close(uri)


async def test_the_one_that_is_looked_at_is_explained(vscode: Editor, new_file: Callable[[], str]) -> None:
    uri = vscode.open(new_file(), TEXT)
    items = {item.label: item for item in await completed(vscode, uri, "loss.ba")}
    whole = await vscode.client.completion_item_resolve_async(items["backward"])
    assert isinstance(whole.documentation, types.MarkupContent)
    assert "backward(" in whole.documentation.value
    vscode.close(uri)


async def test_nothing_is_offered_where_there_is_nothing_to_say(
    any_editor: Editor, new_file: Callable[[], str]
) -> None:
    for typed in ("x = ", "print(", "import nu"):
        uri = any_editor.open(new_file(), TEXT)
        assert await completed(any_editor, uri, typed) == []
        any_editor.close(uri)
