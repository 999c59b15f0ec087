"""Hover, in every editor."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest
from harness import Editor, editor
from lsprotocol import types

pytestmark = pytest.mark.asyncio(loop_scope="session")

TEXT = """\
import torch
from torch import nn, optim

model = nn.Linear(2, 3)
optimizer = optim.SGD(model.parameters(), lr=0.1)
numbers = [1, 2]

for step in range(10):
    optimizer.zero_grad()
    loss = model(torch.randn(4, 2)).sum()
    loss.backward()
    optimizer.step()
    print(numbers)
"""


def text_of(hover: types.Hover | None) -> str:
    assert hover is not None
    assert isinstance(hover.contents, types.MarkupContent)
    return hover.contents.value


async def test_a_hover_answers_the_question(any_editor: Editor, new_file: Callable[[], str]) -> None:
    uri = any_editor.open(new_file(), TEXT)
    hover = await any_editor.hover(uri, "zero_grad()", 3)
    text = text_of(hover)
    assert "zero_grad" in text and "gradient" in text
    assert hover is not None and hover.range is not None
    assert any_editor.segment(uri, hover.range) == "zero_grad"
    any_editor.close(uri)


async def test_a_hover_has_the_form_that_was_declared(
    any_editor: Editor, new_file: Callable[[], str]
) -> None:
    uri = any_editor.open(new_file(), TEXT)
    hover = await any_editor.hover(uri, "zero_grad()")
    assert hover is not None and isinstance(hover.contents, types.MarkupContent)
    hovers = any_editor.capabilities.text_document
    assert hovers is not None and hovers.hover is not None and hovers.hover.content_format
    assert hover.contents.kind in hovers.hover.content_format
    if hover.contents.kind is types.MarkupKind.PlainText:
        assert "**" not in hover.contents.value and "```" not in hover.contents.value
        assert "torchlore explain zero-grad" in hover.contents.value
    else:
        assert hover.contents.value.startswith("```python\n(method) torch.optim.Optimizer.zero_grad(")
        assert "zero-grad" in hover.contents.value.rpartition("\n")[2], "it leads to the whole answer"
    any_editor.close(uri)


@pytest.mark.parametrize("marker", ["numbers =", "print", "range(", "for ", "step in", "10"])
async def test_what_is_not_torchs_has_no_hover(
    any_editor: Editor, new_file: Callable[[], str], marker: str
) -> None:
    uri = any_editor.open(new_file(), TEXT)
    assert await any_editor.hover(uri, marker) is None
    any_editor.close(uri)


@pytest.mark.parametrize(
    ("marker", "name"),
    [
        ("Linear", "torch.nn.Linear"),
        ("randn", "torch.randn"),
        ("SGD", "torch.optim.SGD"),
        ("backward", "torch.Tensor.backward"),
        ("step()", "torch.optim.Optimizer.step"),
    ],
)
async def test_a_hover_names_the_symbol(
    vscode: Editor, new_file: Callable[[], str], marker: str, name: str
) -> None:
    uri = vscode.open(new_file(), TEXT)
    text = text_of(await vscode.hover(uri, marker))
    assert name.rpartition(".")[2] in text
    assert "docs.pytorch.org" in text or "pytorch.org/docs" in text
    vscode.close(uri)


CODE = """\
import torch
from torch import nn

model = nn.Linear(784, 10)
optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, weight_decay=0.1)
criterion = nn.CrossEntropyLoss(reduction="sum")
for step in range(10):
    loss = criterion(model(torch.randn(4, 784)), torch.zeros(4, dtype=torch.long))
    loss.backward()
    optimizer.step()
# RuntimeError: Trying to backward through the graph a second time
"""


@pytest.mark.parametrize(
    ("marker", "shown", "about"),
    [
        ("Linear", ["in_features=784", "7,850 parameters (31.4 kB in float32)"], "Linear"),
        ("step()", ["over the 7,850 parameters of", "(line 9)", "Nothing in this loop clears"], "step"),
        ("weight_decay", ["weight_decay", "decoupled"], "weight_decay"),
        ('"sum"', ["gradients grow with the batch size"], '"sum"'),
        (
            "second time",
            ["Describe backpropagation"],
            "# RuntimeError: Trying to backward through the graph a second time",
        ),
    ],
)
async def test_a_hover_speaks_of_the_code(
    any_editor: Editor, new_file: Callable[[], str], marker: str, shown: list[str], about: str
) -> None:
    uri = any_editor.open(new_file(), CODE)
    hover = await any_editor.hover(uri, marker, 1)
    text = text_of(hover)
    assert all(part in text for part in shown), text
    assert text.count("\n") < 30
    assert hover is not None and hover.range is not None
    assert any_editor.segment(uri, hover.range) == about
    any_editor.close(uri)


async def test_a_file_in_another_language_has_no_hover(vscode: Editor, new_file: Callable[[], str]) -> None:
    uri = vscode.open(new_file().replace(".py", ".txt"), TEXT, language="plaintext")
    assert await vscode.hover(uri, "zero_grad") is None
    vscode.close(uri)


async def test_a_file_of_more_than_a_megabyte_has_no_hover(
    vscode: Editor, new_file: Callable[[], str]
) -> None:
    uri = vscode.open(new_file(), TEXT + "# filler\n" * 120_000)
    assert await vscode.hover(uri, "zero_grad") is None
    assert await vscode.diagnostics(uri) == []
    vscode.close(uri)


async def test_a_file_that_is_not_open_has_no_hover(vscode: Editor, new_file: Callable[[], str]) -> None:
    params = types.HoverParams(types.TextDocumentIdentifier(new_file()), types.Position(0, 0))
    assert await vscode.client.text_document_hover_async(params) is None


async def test_a_position_outside_the_text_is_no_error(vscode: Editor, new_file: Callable[[], str]) -> None:
    uri = vscode.open(new_file(), TEXT)
    for position in (types.Position(10_000, 0), types.Position(0, 10_000)):
        params = types.HoverParams(types.TextDocumentIdentifier(uri), position)
        await vscode.client.text_document_hover_async(params)
    assert not vscode.client.messages
    vscode.close(uri)


async def test_a_class_of_an_installed_package_is_known_at_the_next_hover(tmp_path: Path) -> None:
    package = tmp_path / ".venv" / "lib" / "python3.11" / "site-packages" / "zoo"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("import torch\n\n\nclass Net(torch.nn.Module): ...\n")
    python = tmp_path / ".venv" / "bin" / "python"
    python.parent.mkdir()
    python.write_text("#!/bin/sh\ntouch started\n")
    python.chmod(0o755)
    code = "import torch\nfrom zoo import Net\nNet().train()\n"
    async with editor(tmp_path, name="neovim_v0.11.4") as nvim:
        uri = nvim.open((tmp_path / "train.py").as_uri(), code)

        async def known() -> types.Hover:
            while (found := await nvim.hover(uri, "train()")) is None:  # noqa: ASYNC110  # jedi tells nobody
                await asyncio.sleep(0.05)
            return found

        assert "torch.nn.Module.train" in text_of(await asyncio.wait_for(known(), 60))
    assert not (tmp_path / "started").exists(), "no interpreter is started unasked"


VERSIONS = """\
import torch

optimizer = torch.optim.Muon([])
scaler = torch.cuda.amp.GradScaler()
layer = torch.nn.Linear(2, 3)
torch.onnx.dynamo_export(layer)
torch.ops.aten.mm(1, 2)
"""


async def test_a_hover_says_which_versions_have_the_name(tmp_path: Path) -> None:
    """The version is read off the environment's files; its interpreter is not started."""
    packages = tmp_path / ".venv" / "lib" / "python3.11" / "site-packages"
    (packages / "torch-2.6.0+cpu.dist-info").mkdir(parents=True)
    python = tmp_path / ".venv" / "bin" / "python"
    python.parent.mkdir()
    python.write_text(f"#!/bin/sh\ntouch '{tmp_path / 'started'}'\n")
    python.chmod(0o755)
    async with editor(tmp_path, name="neovim_v0.11.4") as nvim:
        uri = nvim.open((tmp_path / "train.py").as_uri(), VERSIONS)
        assert "New in torch 2.9: torch 2.6.0 does not have it." in text_of(await nvim.hover(uri, "Muon"))
        assert "**Deprecated since torch 2.4.**" in text_of(await nvim.hover(uri, "GradScaler"))
        said = text_of(await nvim.hover(uri, "dynamo_export"))
        assert "Removed in torch 2.9 (torch 2.6.0 has it); use `torch.onnx.export`." in said
        said = text_of(await nvim.hover(uri, "Linear"))
        assert "New in" not in said and "Removed" not in said
        assert "ATen" in text_of(await nvim.hover(uri, "mm"))
    assert not (tmp_path / "started").exists()
