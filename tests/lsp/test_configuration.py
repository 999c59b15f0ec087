"""Settings, folders and configuration files that change while the server runs, each folder by itself."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from in_process import Session
from recorded import capabilities
from torchlore.device import Trust
from torchlore.lsp import dependents, installed
from torchlore.lsp.options import OPTIONS
from torchlore.lsp.settings import settings_with

ASKED = {"workspace": {"configuration": True, "didChangeConfiguration": {"dynamicRegistration": True}}}
DEPRECATED = "import torch\n\nwith torch.cuda.amp.autocast():\n    pass\n"
BROKEN = (
    "import torch\nfrom torch import nn\nnn.NLLLoss()(torch.softmax(torch.ones(2, 3), 1), torch.ones(2))\n"
)


class Folders(Session):
    """A session over two workspace folders, whose client says for each what is set there."""

    def __init__(self, root: Path) -> None:
        super().__init__()
        self.paths = [root / "one", root / "two"]
        for path in self.paths:
            path.mkdir()
        self.set: dict[str | None, Any] = {}
        self.replied: set[Any] = set()

    def begin(self, capabilities: dict[str, Any], options: Any = None) -> None:
        folders = [{"uri": path.as_uri(), "name": path.name} for path in self.paths]
        params = {"processId": None, "rootUri": None, "capabilities": capabilities}
        self.send("initialize", {**params, "workspaceFolders": folders, "initializationOptions": options}, 0)
        self.send("initialized", {})

    async def reply(self) -> None:
        """Answers what the server asks, until it asks nothing more."""
        for _ in range(5):
            await asyncio.sleep(0)
            for message in list(self.wire.messages):
                if "method" in message and message.get("id", None) not in (None, *self.replied):
                    self.replied.add(message["id"])
                    result = None
                    if message["method"] == "workspace/configuration":
                        items = message["params"]["items"]
                        result = [self.set.get(item.get("scopeUri")) for item in items]
                    data = {"jsonrpc": "2.0", "id": message["id"], "result": result}
                    self.server.protocol.handle_message(data)

    async def settle(self) -> None:
        """Answers until the server asks no more, and goes by what it was told."""
        while self.server.tasks:
            await self.reply()
            await asyncio.sleep(0.001)

    async def codes(self, uri: str, count: int) -> list[str]:
        """The codes of the `count`th publication for a file, from 1 on."""
        await self.eventually(lambda: len(self._published(uri)) >= count)
        return [item["code"] for item in self._published(uri)[count - 1]["params"]["diagnostics"]]

    def _published(self, uri: str) -> list[dict[str, Any]]:
        return [m for m in self.sent("textDocument/publishDiagnostics") if m["params"]["uri"] == uri]


async def test_each_folder_has_settings_of_its_own(tmp_path: Path) -> None:
    session = Folders(tmp_path)
    one, two = (path.as_uri() for path in session.paths)
    session.set = {one: {"typeCheckedDeprecations": False}, two: {"interpreter": "/two/python"}}
    session.begin(ASKED)
    await session.reply()
    session.open(DEPRECATED, f"{one}/a.py")
    session.open(DEPRECATED, f"{two}/a.py")
    assert await session.codes(f"{one}/a.py", 1) == []
    assert await session.codes(f"{two}/a.py", 1) != []
    assert session.server.settings_of(f"{two}/a.py").interpreter == "/two/python"
    assert session.server.settings_of(f"{one}/a.py").interpreter is None


REFRESHES = ("workspace/inlayHint/refresh", "workspace/codeLens/refresh")
AS_VS_CODE_TELLS = {
    option.name: next(iter(option.words)) if option.words else option.schema["default"] for option in OPTIONS
}
"""The settings of somebody who set nothing."""

EVERYTHING = ("completion", "signatureHelp", "inlayHints", "codeLens", "documentLinks")
TYPED = """\
import torch  # noqa: TL101

model = torch.nn.Linear(3, 4)
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
for x in [torch.ones(3)]:
    optimizer.zero_grad()
    model(x).sum().backward()
    optimizer.step()
torch.nn.Linear(1, """


def assisting(uri: str) -> dict[str, dict[str, Any]]:
    """The requests about what helps while `TYPED` is typed."""
    document, at = {"textDocument": {"uri": uri}}, {"line": 8, "character": 19}
    return {
        "textDocument/completion": {**document, "position": at},
        "textDocument/signatureHelp": {**document, "position": at},
        "textDocument/inlayHint": {**document, "range": {"start": {"line": 0, "character": 0}, "end": at}},
        "textDocument/codeLens": document,
        "textDocument/documentLink": document,
    }


@pytest.mark.parametrize("kind", ["file", "cell"])
async def test_what_helps_is_switched_for_each_folder(tmp_path: Path, kind: str) -> None:
    session = Folders(tmp_path)
    first, second = (path.as_uri() for path in session.paths)
    session.set = {
        first: dict.fromkeys(EVERYTHING, False),
        second: dict.fromkeys(EVERYTHING, True),
    }
    declared = capabilities("visual_studio_code_v1.139.1")
    session.begin(declared)
    await session.settle()
    given: dict[str, dict[str, Any]] = {}
    for folder in (first, second):
        uri = f"{folder}/a.py" if kind == "file" else f"vscode-notebook-cell:{folder[7:]}/a.ipynb#1"
        session.open(TYPED, uri) if kind == "file" else open_notebook(session, f"{folder}/a.ipynb", uri)
        for method, params in assisting(uri).items():
            number = f"{method} {folder}"
            session.send(method, params, number)
            given.setdefault(folder, {})[method] = (await session.until(number))["result"]
    assert not any(given[first].values())
    assert all(given[second].values()), given[second]


def open_notebook(session: Session, notebook: str, cell: str) -> None:
    shown = {"uri": notebook, "notebookType": "jupyter-notebook", "version": 1}
    document = {"uri": cell, "languageId": "python", "version": 1, "text": TYPED}
    params = {
        "notebookDocument": {**shown, "cells": [{"kind": 2, "document": cell}]},
        "cellTextDocuments": [document],
    }
    session.send("notebookDocument/didOpen", params)


async def test_a_run_is_offered_on_the_device_of_the_folder(tmp_path: Path) -> None:
    session = Folders(tmp_path)
    first, second = (path.as_uri() for path in session.paths)
    session.set = {second: {"device": "cuda:1"}}
    session.begin({**ASKED, "textDocument": capabilities("neovim_v0.11.4")["textDocument"]})
    await session.settle()
    session.server.gpus = ("cuda:0", "cuda:1")
    here = {"line": 1, "character": 0}
    usual = []
    for folder in (first, second):
        session.open("import torch\nx = torch.ones(3)\n", f"{folder}/a.py")
        asked = {"range": {"start": here, "end": here}, "context": {"diagnostics": []}}
        session.send("textDocument/codeAction", {"textDocument": {"uri": f"{folder}/a.py"}, **asked}, folder)
        titles = [action["title"] for action in (await session.until(folder))["result"]]
        usual.append(next(title for title in titles if title.startswith("Run line 2")))
    assert [title.rpartition(" on ")[2] for title in usual] == ["cuda:0", "cuda:1"]


async def test_hints_and_lenses_are_shown_again_when_they_are_switched_on(tmp_path: Path) -> None:
    session = Folders(tmp_path)
    session.begin(capabilities("visual_studio_code_v1.139.1"))
    await session.settle()
    before = [len(session.sent(method)) for method in REFRESHES]
    session.set = {uri: {"inlayHints": True} for uri in (None, *(path.as_uri() for path in session.paths))}
    session.send("workspace/didChangeConfiguration", {"settings": None})
    await session.settle()
    assert [len(session.sent(method)) for method in REFRESHES] == [count + 1 for count in before]


@pytest.mark.parametrize("asks", [True, False])
async def test_changed_settings_hold_for_what_is_open(tmp_path: Path, asks: bool) -> None:
    session = Folders(tmp_path)
    uri = f"{session.paths[0].as_uri()}/a.py"
    session.begin(ASKED if asks else {})
    await session.reply()
    session.open(DEPRECATED, uri)
    assert await session.codes(uri, 1)
    said = {"typeCheckedDeprecations": False}
    session.set = {None: said, session.paths[0].as_uri(): said}
    settings = None if asks else {"torchlore": said, "python": {}}
    session.send("workspace/didChangeConfiguration", {"settings": settings})
    await session.reply()
    assert await session.codes(uri, 2) == []


async def test_settings_that_stay_as_they_are_cost_nothing(tmp_path: Path) -> None:
    session = Folders(tmp_path)
    uri = f"{session.paths[0].as_uri()}/a.py"
    session.begin(ASKED)
    await session.reply()
    session.open(DEPRECATED, uri)
    await session.codes(uri, 1)
    session.send("workspace/didChangeConfiguration", {"settings": None})
    await session.reply()
    await session.eventually(lambda: not session.server.tasks)
    assert len(session._published(uri)) == 1


async def test_what_a_client_said_before_is_no_news(tmp_path: Path) -> None:
    """VS Code tells after the start what its extension said at the start: nothing is looked at twice."""
    session = Folders(tmp_path)
    session.set = dict.fromkeys((None, *(path.as_uri() for path in session.paths)), AS_VS_CODE_TELLS)
    session.begin(capabilities("visual_studio_code_v1.139.1"), {"typeCheckedDeprecations": False})
    await session.settle()
    assert len(session.server.folder_settings) == 2
    assert not [method for method in ("workspace/diagnostic/refresh", *REFRESHES) if session.sent(method)]


async def test_a_client_that_offers_nothing_is_asked_nothing(tmp_path: Path) -> None:
    session = Folders(tmp_path)
    session.begin({})
    await session.eventually(lambda: not session.server.tasks)
    assert not [message for message in session.wire.messages if "method" in message and "id" in message]


@pytest.mark.parametrize("answer", [None, [], [None], ["x", 3, []], {"interpreter": "/x"}, 7])
async def test_an_answer_that_says_nothing_changes_nothing(tmp_path: Path, answer: Any) -> None:
    session = Folders(tmp_path)
    session.begin(ASKED, {"interpreter": "/first", "untrustedWorkspace": False})
    await asyncio.sleep(0)
    await session.reply()
    session.send("workspace/didChangeConfiguration", {"settings": None})
    await session.eventually(lambda: len(session.sent("workspace/configuration")) == 2)
    number = session.sent("workspace/configuration")[-1]["id"]
    session.server.protocol.handle_message({"jsonrpc": "2.0", "id": number, "result": answer})
    await session.eventually(lambda: not session.server.tasks)
    assert session.server.settings_of(f"{session.paths[0].as_uri()}/a.py").interpreter == "/first"
    assert not session.sent("window/logMessage")


@pytest.mark.parametrize("name", ["pyproject.toml", "torchlore.toml"])
async def test_a_configuration_file_that_changes_is_read_again(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dependents, "PAUSE", 0)
    session = Folders(tmp_path)
    session.begin({})
    first, second = (f"{path.as_uri()}/a.py" for path in session.paths)
    session.open(BROKEN, first)
    session.open(BROKEN, second)
    (code, *_) = await session.codes(first, 1)
    assert code in await session.codes(second, 1)
    table = "" if name == "torchlore.toml" else "[tool.torchlore]\n"
    file = session.paths[0] / name
    file.write_text(f'{table}ignore = ["ALL"]\n')
    session.send("workspace/didChangeWatchedFiles", {"changes": [{"uri": file.as_uri(), "type": 1}]})
    assert await session.codes(first, 2) == []
    assert code in await session.codes(second, 2)


async def test_another_interpreter_has_another_torch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dependents, "PAUSE", 0)
    monkeypatch.setattr(installed, "torch_version", "2.{0}".format)
    monkeypatch.setattr("torchlore.analysis.installed.package_folders", lambda python: Path(python).name)
    session = Folders(tmp_path)
    session.begin({})
    uri, file = f"{session.paths[0].as_uri()}/a.py", session.paths[0] / "torchlore.toml"
    versions = []
    for name in ("5", "9"):
        file.write_text(f'interpreter = "/{name}"\n')
        session.send("workspace/didChangeWatchedFiles", {"changes": [{"uri": file.as_uri(), "type": 2}]})
        await session.eventually(lambda: not session.server.tasks)
        versions.append(installed.used_torch(session.server, uri))
    assert versions == ["2.5", "2.9"]


async def test_a_folder_that_is_added_is_imported_from(tmp_path: Path) -> None:
    session = Folders(tmp_path)
    (session.paths[1] / "nets.py").write_text("def loss():\n    return 1\n")
    later = session.paths.pop()
    session.begin({})
    uri = f"{session.paths[0].as_uri()}/a.py"
    session.open("import torch, nets\n", uri)
    await session.codes(uri, 1)
    assert str(later) not in session.server.analyses.workspace.roots
    added = {"added": [{"uri": later.as_uri(), "name": "two"}], "removed": []}
    session.send("workspace/didChangeWorkspaceFolders", {"event": added})
    await session.codes(uri, 2)
    assert str(later) in session.server.analyses.workspace.roots
    removed = {"added": [], "removed": added["added"]}
    session.send("workspace/didChangeWorkspaceFolders", {"event": removed})
    await session.codes(uri, 3)
    assert str(later) not in session.server.analyses.workspace.roots


@pytest.mark.parametrize(
    ("options", "configured", "interpreter", "deprecations"),
    [
        ({"interpreter": "/a"}, {"interpreter": "/b"}, "/b", True),
        ({"interpreter": "/a"}, {"interpreter": ""}, "/a", True),
        ({"interpreter": "/a"}, {"interpreter": 3}, "/a", True),
        ({"settings": {"interpreter": "/a"}}, {"interpreter": "/b"}, "/b", True),
        ({"typeCheckedDeprecations": False}, {"typeCheckedDeprecations": "auto"}, None, False),
        ({"typeCheckedDeprecations": False}, {"typeCheckedDeprecations": True}, None, True),
        ({"typeCheckedDeprecations": False}, {"typeCheckedDeprecations": "on"}, None, True),
        ({"typeCheckedDeprecations": True}, {"typeCheckedDeprecations": "off"}, None, False),
        ({"typeCheckedDeprecations": True}, {"typeCheckedDeprecations": "never"}, None, True),
        (None, {"typeCheckedDeprecations": False}, None, False),
        (None, "nonsense", None, True),
    ],
)
def test_what_is_configured_goes_before_what_was_said_at_first(
    options: Any, configured: Any, interpreter: str | None, deprecations: bool
) -> None:
    settings = settings_with(options, configured)
    assert (settings.interpreter, settings.type_checked_deprecations) == (interpreter, deprecations)


@pytest.mark.parametrize("options", [{"untrustedWorkspace": True}, {"runOwnCode": False}, [], {}])
def test_no_configuration_lets_anything_run(options: Any) -> None:
    """A workspace can bring its configuration along."""
    wanted = {"untrustedWorkspace": False, "runOwnCode": True, "warm": True, "settings": {"runOwnCode": True}}
    before, after = settings_with(options, None), settings_with(options, wanted)
    in_words = settings_with(options, {"runOwnCode": "always"})
    assert in_words.run_own_code == before.run_own_code
    assert (after.trust, after.run_own_code, after.warm) == (before.trust, before.run_own_code, False)
    assert after.trust is Trust.UNTRUSTED or options != {"untrustedWorkspace": True}


async def test_debug_information_names_what_matters(tmp_path: Path) -> None:
    session = Folders(tmp_path)
    session.set = {session.paths[1].as_uri(): {"device": "cpu"}}
    session.begin(ASKED)
    await session.reply()
    await session.eventually(lambda: len(session.server.folder_settings) == len(session.paths))
    (session.paths[0] / "torchlore.toml").write_text("")
    session.open("import torch\n", f"{session.paths[0].as_uri()}/a.py")
    session.send("workspace/executeCommand", {"command": "torchlore.debugInformation"}, 3)
    text = (await session.until(3))["result"]
    for part in (
        "torchlore ",
        "configuration=True",
        *map(str, session.paths),
        "device=cpu",
        "open: 1 documents",
    ):
        assert part in text
    assert session.sent("window/logMessage")[-1]["params"]["message"] == text
