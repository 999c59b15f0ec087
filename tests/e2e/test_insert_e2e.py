"""Inserting snippets, in every editor."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Callable
from pathlib import Path
from urllib.parse import unquote

import pytest
from harness import CLIENTS, Editor, editor, eventually
from lsprotocol import types

pytestmark = pytest.mark.asyncio(loop_scope="session")

KIND = "refactor.insert.torchlore"
TRAINER = """\
import torch
from torch import nn, optim
from torch.utils.data import DataLoader, TensorDataset

net = nn.Linear(2, 3)
opt = optim.SGD(net.parameters(), lr=0.1)
loss_function = nn.MSELoss()
batches = DataLoader(TensorDataset(torch.randn(8, 2), torch.randn(8, 3)), batch_size=4)
where = torch.device("cpu")


def main():
    \n"""


async def insert(shown: Editor, uri: str, at: int, title: str) -> tuple[str, types.CodeAction]:
    actions = await shown.actions(uri, at, only=["refactor"])
    (action,) = [a for a in actions if a.title == f"Insert snippet: {title}"]
    (text,) = shown.apply(action.edit).values()
    return text, action


async def test_the_names_in_scope_fill_the_holes(any_editor: Editor, new_file: Callable[[], str]) -> None:
    uri = any_editor.open(new_file(), TRAINER)
    text, _ = await insert(any_editor, uri, len(TRAINER) - 1, "Training loop")
    assert text.startswith(TRAINER.rstrip(" \n"))
    added = text[len(TRAINER.rstrip(" \n")) :]
    for name in ("net", "batches", "opt", "loss_function", "where"):
        assert re.search(rf"\b{name}\b", added)
    assert "${" not in added and not re.search(r"\b(loader|criterion)\b", added)
    assert all(line.startswith("    ") for line in added.strip("\n").split("\n") if line.strip())
    ast.parse(text)
    any_editor.close(uri)


async def test_what_is_not_in_scope_is_left_open(any_editor: Editor, new_file: Callable[[], str]) -> None:
    text = "import torch\n\n"
    uri = any_editor.open(new_file(), text)
    after, _ = await insert(any_editor, uri, len(text), "Training loop")
    stops = any_editor.declares("workspace", "workspace_edit", "snippet_edit_support")
    assert ("${1:model}" in after) == stops
    assert "model" in after and "criterion" in after
    if not stops:
        ast.parse(after)
    any_editor.close(uri)


async def test_every_snippet_is_valid_in_an_empty_file(
    any_editor: Editor, new_file: Callable[[], str]
) -> None:
    uri = any_editor.open(new_file(), "")
    actions = await any_editor.actions(uri, 0, only=[KIND])
    assert len(actions) >= 5
    for action in actions:
        (text,) = any_editor.apply(action.edit).values()
        bare = re.sub(r"\$\{\d+:([^}]*)\}|\$0", r"\1", text)
        ast.parse(re.sub(r"\\([\\$}])", r"\1", bare) if "$" in text else text)
    any_editor.close(uri)


async def test_snippets_are_offered_on_blank_lines_of_torch_files_alone(
    vscode: Editor, new_file: Callable[[], str]
) -> None:
    uri = vscode.open(new_file(), TRAINER)
    titles = [a.title for a in await vscode.actions(uri, TRAINER.index("net ="))]
    assert not [title for title in titles if title.startswith("Insert")]
    other = vscode.open(new_file(), "import os\n\n")
    assert await vscode.actions(other, len("import os\n\n")) == []
    vscode.close(uri)
    vscode.close(other)


async def test_a_missing_import_is_added_once(any_editor: Editor, new_file: Callable[[], str]) -> None:
    text = '"""Doc."""\n\nimport os\n\n\ndef main():\n    import torch\n    \n'
    uri = any_editor.open(new_file(), text)
    after, _ = await insert(any_editor, uri, len(text) - 1, "Seed everything")
    tree = ast.parse(re.sub(r"\$\{\d+:([^}]*)\}|\$0", r"\1", after))
    names = [alias.name for node in tree.body if isinstance(node, ast.Import) for alias in node.names]
    assert names.count("torch") == 1 and "os" in names
    assert after.startswith('"""Doc."""\n\nimport os\n')
    any_editor.close(uri)


async def test_a_menu_of_everything_shows_what_fits(any_editor: Editor, new_file: Callable[[], str]) -> None:
    uri = any_editor.open(new_file(), TRAINER)
    asked = await any_editor.actions(uri, len(TRAINER) - 1, only=["refactor.insert"])
    shown = await any_editor.actions(uri, len(TRAINER) - 1)
    every = [action.title for action in asked or () if action.title.startswith("Insert snippet")]
    fitting = [action.title for action in shown or () if action.title.startswith("Insert snippet")]
    assert len(every) > 30
    assert fitting == [] or (len(fitting) <= 12 and "Insert snippet: Training loop" in fitting)
    assert set(fitting) <= set(every)
    any_editor.close(uri)


async def test_a_snippet_is_inserted_from_a_hover(workspace: Path, new_file: Callable[[], str]) -> None:
    name = next(name for name in CLIENTS if name.startswith("visual_studio_code"))
    async with editor(workspace, name=name, options={"commandLinks": True}) as shown:
        asked: list[types.ApplyWorkspaceEditParams] = []

        @shown.client.feature(types.WORKSPACE_APPLY_EDIT)
        def apply(params: types.ApplyWorkspaceEditParams) -> types.ApplyWorkspaceEditResult:
            asked.append(params)
            return types.ApplyWorkspaceEditResult(applied=True)

        text = TRAINER.replace("    \n", "    opt.step()\n")
        uri = shown.open(new_file(), text)
        hover = await shown.hover(uri, "opt.step()", 5)
        assert hover is not None and isinstance(hover.contents, types.MarkupContent)
        link = re.search(r"\(command:torchlore\.insert\?([^)]*)\)", hover.contents.value)
        assert link is not None
        (argument,) = json.loads(unquote(link[1]))
        await shown.execute("torchlore.insert", argument)
        (params,) = asked
        assert params.label == "Insert snippet: Weight decay without norms and biases"
        (after,) = shown.apply(params.edit).values()
        assert after.startswith(text.rstrip("\n"))
        assert "\n    trained = [p for p in net.parameters()" in after
        ast.parse(after)


async def test_what_cannot_be_inserted_is_said(any_editor: Editor, new_file: Callable[[], str]) -> None:
    uri = any_editor.open(new_file(), TRAINER)
    for argument in (
        {},
        {"slug": "no-such"},
        {"slug": "predict", "uri": uri},
        {"slug": 3, "uri": uri, "line": 1},
    ):
        messages = len(any_editor.client.messages)
        await any_editor.execute("torchlore.insert", argument)
        await eventually(lambda before=messages: len(any_editor.client.messages) > before)
    any_editor.close(uri)
