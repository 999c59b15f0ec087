"""Files that import from one another: what is said of one follows the others, open or on disk."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from harness import CLIENTS, SECONDS, Editor, editor
from lsprotocol import types

pytestmark = pytest.mark.asyncio(loop_scope="session")

NET = """\
import torch


class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = torch.nn.Linear(4, 2)

    def forward(self, x):
        return self.fc(x).softmax(-1)
"""
LOGITS = NET.replace(".softmax(-1)", "")
TRAIN = """\
import torch
from net import Net

net = Net()
torch.nn.functional.cross_entropy(net(torch.randn(3, 4)), torch.tensor([0, 1, 0])).backward()
net.fc.weight
"""


async def _findings_become(shown: Editor, uri: str, codes: list[str]) -> None:
    """Waits until these are the findings of a file whose text does not change."""

    async def wait() -> None:
        while [d.code for d in await shown.diagnostics(uri)] != codes:  # noqa: ASYNC110  # no event tells
            await asyncio.sleep(0.05)

    await asyncio.wait_for(wait(), SECONDS)


@pytest.mark.parametrize(
    "name", [name for name in CLIENTS if name.startswith(("visual_studio_code", "neovim"))]
)
async def test_an_edit_of_an_imported_file_is_seen_where_it_is_imported(tmp_path: Path, name: str) -> None:
    (tmp_path / "net.py").write_text(LOGITS, encoding="utf-8")
    async with editor(tmp_path, name=name) as shown:
        train = shown.open((tmp_path / "train.py").as_uri(), TRAIN)
        assert await shown.diagnostics(train) == []
        net = shown.open((tmp_path / "net.py").as_uri(), LOGITS)
        shown.change(net, (0, len(LOGITS), NET))
        await _findings_become(shown, train, ["TL401"])
        shown.close(net)  # without being saved: the file on disk counts again
        await _findings_become(shown, train, [])


async def test_a_change_on_disk_is_seen(tmp_path: Path) -> None:
    watching = types.WorkspaceClientCapabilities(
        did_change_watched_files=types.DidChangeWatchedFilesClientCapabilities(dynamic_registration=True)
    )
    async with editor(tmp_path, types.ClientCapabilities(workspace=watching)) as shown:
        train = shown.open((tmp_path / "train.py").as_uri(), TRAIN)
        assert await shown.diagnostics(train) == []
        (tmp_path / "net.py").write_text(NET, encoding="utf-8")
        event = types.FileEvent((tmp_path / "net.py").as_uri(), types.FileChangeType.Created)
        shown.client.workspace_did_change_watched_files(types.DidChangeWatchedFilesParams([event]))
        await _findings_become(shown, train, ["TL401"])


async def test_a_hover_knows_what_another_file_defines(tmp_path: Path) -> None:
    (tmp_path / "net.py").write_text(NET, encoding="utf-8")
    async with editor(tmp_path) as shown:
        train = shown.open((tmp_path / "train.py").as_uri(), TRAIN)
        hover = await shown.hover(train, "backward", inside=1)
        assert hover is not None
        assert "torch.Tensor.backward" in str(hover.contents)
