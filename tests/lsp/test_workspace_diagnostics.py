"""Findings in files that are not open: in parts, and again only when something has changed."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from in_process import Session
from torchlore.lsp import dependents, workspace_diagnostics

CLIENT = {
    "textDocument": {"diagnostic": {}},
    "workspace": {
        "diagnostics": {"refreshSupport": True},
        "didChangeWatchedFiles": {"dynamicRegistration": True},
    },
}
LOOP = """\
import torch
from torch import nn, optim

model = nn.Linear(2, 3)
optimizer = optim.SGD(model.parameters(), lr=0.1)
for step in range(10):
    loss = model(torch.randn(4, 2)).sum()
    loss.backward()
    optimizer.step()
"""
MENDED = LOOP.replace("    loss.backward()", "    optimizer.zero_grad()\n    loss.backward()")


@pytest.fixture
def session(tmp_path: Path) -> Session:
    return _session(tmp_path, {"workspaceDiagnostics": True})


def _session(folder: Path, options: Any, client: Any = CLIENT) -> Session:
    made = Session()
    params = {"processId": None, "rootUri": None, "capabilities": client, "initializationOptions": options}
    folders = [{"uri": folder.as_uri(), "name": "w"}]
    made.send("initialize", {**params, "workspaceFolders": folders}, 0)
    return made


def _ask(
    session: Session, number: int, before: dict[str, str] | None = None, token: str | None = None
) -> None:
    previous = [{"uri": uri, "value": value} for uri, value in (before or {}).items()]
    params = {"previousResultIds": previous, "partialResultToken": token}
    session.send("workspace/diagnostic", params, number)


async def _items(session: Session, number: int, before: dict[str, str] | None = None) -> dict[str, Any]:
    """What is reported, by file name."""
    _ask(session, number, before)
    answer = await session.until(number)
    return {item["uri"].rpartition("/")[2]: item for item in answer["result"]["items"]}


async def test_files_that_are_not_open_are_looked_at(session: Session, tmp_path: Path) -> None:
    for name, text in {"bad.py": LOOP, "good.py": MENDED, "plain.py": "x = 1\n", "open.py": LOOP}.items():
        (tmp_path / name).write_text(text)
    (tmp_path / ".venv").mkdir()
    (tmp_path / ".venv" / "bad.py").write_text(LOOP)
    (tmp_path / "binary.py").write_bytes(b"\xff\xfe\x00")
    session.open(LOOP, (tmp_path / "open.py").as_uri())
    found = await _items(session, 1)
    assert list(found) == ["bad.py"]
    assert [item["code"] for item in found["bad.py"]["items"]] == ["TL101"]
    assert found["bad.py"]["version"] is None and found["bad.py"]["kind"] == "full"


@pytest.mark.parametrize(
    ("options", "client"),
    [({}, CLIENT), ({"workspaceDiagnostics": True}, {}), ({"workspaceDiagnostics": 1}, CLIENT)],
)
async def test_it_is_offered_where_it_was_switched_on_and_can_be_used(
    tmp_path: Path, options: Any, client: Any
) -> None:
    session = _session(tmp_path, options, client)
    answer = session.answer(0)
    assert answer is not None
    provider = answer["result"]["capabilities"].get("diagnosticProvider") or {}
    assert not provider.get("workspaceDiagnostics")
    _ask(session, 1)
    assert (await session.until(1))["error"]["code"] == -32601


async def test_what_has_not_changed_is_neither_looked_at_nor_sent_again(
    session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = tmp_path / "one.py", tmp_path / "two.py"
    one.write_text(LOOP)
    two.write_text(LOOP)
    before = {item["uri"]: item["resultId"] for item in (await _items(session, 1)).values()}
    looked: list[str] = []
    read = workspace_diagnostics._read
    monkeypatch.setattr(workspace_diagnostics, "_read", lambda path: looked.append(path) or read(path))
    two.write_text(MENDED)
    found = await _items(session, 2, before)
    assert {name: item["kind"] for name, item in found.items()} == {"one.py": "unchanged", "two.py": "full"}
    assert found["two.py"]["items"] == []
    assert looked == [str(two)]


async def test_a_change_of_what_is_imported_counts(session: Session, tmp_path: Path) -> None:
    (tmp_path / "steps.py").write_text("def clear(optimizer):\n    optimizer.zero_grad()\n")
    (tmp_path / "train.py").write_text(
        LOOP.replace("import torch\n", "import torch\nfrom steps import clear\n").replace(
            "    loss.backward()", "    clear(optimizer)\n    loss.backward()"
        )
    )
    (tmp_path / "bad.py").write_text(LOOP)
    before = {item["uri"]: item["resultId"] for item in (await _items(session, 1)).values()}
    assert len(before) == 1
    (tmp_path / "steps.py").write_text("def clear(optimizer):\n    print('nothing is cleared here')\n")
    found = await _items(session, 2, before)
    assert {name: item["kind"] for name, item in found.items()} == {"bad.py": "unchanged", "train.py": "full"}


async def test_what_is_gone_and_what_is_configured_away_is_taken_back(
    session: Session, tmp_path: Path
) -> None:
    for name in ("gone.py", "off.py"):
        (tmp_path / name).write_text(LOOP)
    before = {item["uri"]: item["resultId"] for item in (await _items(session, 1)).values()}
    (tmp_path / "gone.py").unlink()
    (tmp_path / "torchlore.toml").write_text('ignore = ["TL101"]\n')
    found = await _items(session, 2, before)
    assert {name: item["items"] for name, item in found.items()} == {"gone.py": [], "off.py": []}


async def test_a_broken_configuration_hides_nothing(session: Session, tmp_path: Path) -> None:
    (tmp_path / "bad.py").write_text(LOOP)
    (tmp_path / "torchlore.toml").write_text("select = 3\n")
    assert list(await _items(session, 1)) == ["bad.py"]
    assert not session.sent("window/logMessage")


async def test_the_answer_waits_for_news(
    session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A client asks again at once; that must not keep this machine busy."""
    monkeypatch.setattr(dependents, "PAUSE", 0)
    file = tmp_path / "bad.py"
    file.write_text(LOOP)
    before = {item["uri"]: item["resultId"] for item in (await _items(session, 1)).values()}
    _ask(session, 2, before)
    await asyncio.sleep(0.2)
    assert session.answer(2) is None
    file.write_text(MENDED)
    session.send("workspace/didChangeWatchedFiles", {"changes": [{"uri": file.as_uri(), "type": 2}]})
    (item,) = (await session.until(2))["result"]["items"]
    assert item["items"] == []
    _ask(session, 3, {item["uri"]: item["resultId"]})
    await asyncio.sleep(0.05)
    session.send("$/cancelRequest", {"id": 3})
    assert (await session.until(3))["error"]["code"] == -32800


async def test_a_client_that_takes_parts_gets_parts(
    session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workspace_diagnostics, "_BATCH", 2)
    names = [f"f{n}.py" for n in range(5)]
    for name in names:
        (tmp_path / name).write_text(LOOP)
    _ask(session, 1, token="parts")
    last = (await session.until(1))["result"]["items"]
    parts = session.sent("$/progress")
    assert {part["params"]["token"] for part in parts} == {"parts"}
    sent = [item for part in parts for item in part["params"]["value"]["items"]] + last
    assert sorted(item["uri"].rpartition("/")[2] for item in sent) == names
    assert [len(part["params"]["value"]["items"]) for part in parts] == [2, 2]
