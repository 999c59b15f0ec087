"""Explaining and running, in every editor."""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from harness import SECONDS, Editor, editor, eventually, page
from lsprotocol import types
from pygls.exceptions import JsonRpcException
from test_diagnostics_e2e import BROKEN

pytestmark = pytest.mark.asyncio(loop_scope="session")
needs_torch = pytest.mark.skipif(importlib.util.find_spec("torch") is None, reason="torch is not installed")
SLEEP = "import time\nfor _ in range(600):\n    time.sleep(0.1)\n"


def shows(shown: Editor) -> bool:
    return shown.declares("window", "show_document", "support")


async def page_or_message(shown: Editor, documents: int, messages: int) -> str:
    """The text of the next page that is shown, or the next message."""

    def came() -> bool:
        return len(shown.client.shown_documents) > documents or len(shown.client.messages) > messages

    await eventually(came)
    if len(shown.client.shown_documents) > documents:
        return text_of(shown.client.shown_documents[-1].uri)
    return shown.client.messages[-1].message


def text_of(uri: str) -> str:
    return page(uri).read_text(encoding="utf-8")


async def answer(shown: Editor, command: str, argument: dict[str, object]) -> str:
    documents, messages = len(shown.client.shown_documents), len(shown.client.messages)
    await shown.execute(command, argument)
    text = await page_or_message(shown, documents, messages)
    assert (len(shown.client.shown_documents) > documents) == shows(shown)
    return text


async def test_a_card_is_explained(any_editor: Editor) -> None:
    text = await answer(any_editor, "torchlore.explain", {"slug": "zero-grad"})
    assert "zero_grad" in text
    assert ("## Pitfalls" in text) == shows(any_editor)


async def test_a_card_is_explained_with_its_pictures(any_editor: Editor) -> None:
    documents = len(any_editor.client.shown_documents)
    text = await answer(any_editor, "torchlore.explain", {"slug": "conv-shapes"})
    targets = re.findall(r"!\[[^\]]*\]\(([^)]*)\)", text)
    assert len(targets) == (2 if shows(any_editor) else 0)
    for shown in any_editor.client.shown_documents[documents:]:
        assert all((page(shown.uri).parent / target).is_file() for target in targets)


async def test_a_rule_is_explained(any_editor: Editor) -> None:
    text = await answer(any_editor, "torchlore.explain", {"code": "TL101"})
    assert "missing-zero-grad" in text
    assert ("## Why is this bad?" in text) == shows(any_editor)


async def test_a_question_is_answered(any_editor: Editor) -> None:
    text = await answer(any_editor, "torchlore.ask", {"words": "gradients explode, clip_grad_nrom_"})
    assert "clipping" in text
    assert ("## Next best" in text) == shows(any_editor)


@pytest.mark.parametrize("argument", [{"words": "banana"}, {"words": 3}, {}])
async def test_what_no_card_answers_is_said(any_editor: Editor, argument: dict[str, object]) -> None:
    messages = len(any_editor.client.messages)
    await any_editor.execute("torchlore.ask", argument)
    assert len(any_editor.client.messages) == messages + 1


async def test_every_command_of_a_code_action_exists(vscode: Editor, new_file: Callable[[], str]) -> None:
    uri = vscode.open(new_file(), BROKEN)
    actions = await vscode.actions(uri, BROKEN.index("step()"))
    commands = {action.command.command for action in actions if action.command}
    provider = vscode.server.execute_command_provider
    assert provider is not None and commands <= set(provider.commands)
    assert commands == {"torchlore.explain", "torchlore.prove", "torchlore.run"}
    vscode.close(uri)


@pytest.mark.parametrize("argument", [{"slug": "no-such-card"}, {"code": "TL000"}, {}, {"slug": 3}])
async def test_what_cannot_be_explained_is_said(any_editor: Editor, argument: dict[str, object]) -> None:
    messages = len(any_editor.client.messages)
    await any_editor.execute("torchlore.explain", argument)
    assert len(any_editor.client.messages) == messages + 1


async def test_an_unknown_command_is_an_error_and_no_message(any_editor: Editor) -> None:
    messages = len(any_editor.client.messages)
    with pytest.raises(JsonRpcException):
        await any_editor.execute("torchlore.nothing")
    assert len(any_editor.client.messages) == messages


@needs_torch
async def test_a_cards_snippet_is_run(vscode: Editor) -> None:
    outcome = await vscode.execute("torchlore.run", {"slug": "zero-grad", "wait": True})
    assert outcome["ok"] and outcome["outcome"] == "finished" and outcome["stdout"]


async def test_a_selection_is_run(any_editor: Editor) -> None:
    documents, messages = len(any_editor.client.shown_documents), len(any_editor.client.messages)
    known = set(any_editor.client.progress_reports)
    outcome = await any_editor.execute("torchlore.run", {"code": "print(6 * 7)", "wait": True})
    assert outcome["ok"] and outcome["stdout"] == "42\n"
    begun = {token: r for token, r in any_editor.client.progress_reports.items() if token not in known}
    assert len(begun) == any_editor.declares("window", "work_done_progress")
    for reports in begun.values():
        assert (reports[0].kind, reports[-1].kind) == ("begin", "end")
    assert len(any_editor.client.shown_documents) == documents + shows(any_editor)
    assert len(any_editor.client.messages) == messages + (not shows(any_editor))


OWN = """\
import torch
from torch import nn
print("not asked for")
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(4, 2)
    def forward(self, x):
        return self.fc(x)
net = Net()
out = net(torch.zeros(3, 4))
"""


@needs_torch
async def test_lines_of_a_file_and_the_layers_of_its_model(
    vscode: Editor, new_file: Callable[[], str]
) -> None:
    uri = vscode.open(new_file(), OWN)
    line = OWN.count("\n") - 1
    place = {"start": {"line": line, "character": 0}, "end": {"line": line + 1, "character": 0}}
    outcome = await vscode.execute("torchlore.run", {"uri": uri, "range": place, "wait": True})
    assert outcome["ok"] and not outcome["stdout"], outcome["stderr"]
    assert await _hints(vscode, uri) == {line: outcome["lines"][0]["text"]}
    layers = await vscode.execute("torchlore.shapes", {"uri": uri, "class": "Net", "wait": True})
    assert layers["layers"]["output"] == [[3, 2]], layers["stderr"]
    assert await _hints(vscode, uri) == {6: "3 × 2, 10 parameters"}
    vscode.close(uri)


async def _hints(shown: Editor, uri: str) -> dict[int, str]:
    whole = types.Range(types.Position(0, 0), types.Position(99, 0))
    params = types.InlayHintParams(shown.identifier(uri), whole)
    found = await shown.client.text_document_inlay_hint_async(params) or ()
    return {hint.position.line: str(hint.label).removeprefix("⇒ ") for hint in found}


async def test_a_failing_snippet_shows_its_error(vscode: Editor) -> None:
    code = "print('before')\nraise ValueError('no such thing')\n"
    outcome = await vscode.execute("torchlore.run", {"code": code, "wait": True})
    assert not outcome["ok"]
    text = text_of(vscode.client.shown_documents[-1].uri)
    assert "ValueError: no such thing" in text and "before" in text
    assert not vscode.client.log_messages


async def test_a_run_is_cancelled_by_its_progress(any_editor: Editor) -> None:
    if not any_editor.declares("window", "work_done_progress"):
        return
    documents, messages = len(any_editor.client.shown_documents), len(any_editor.client.messages)
    known = set(any_editor.client.progress_reports)
    running = asyncio.ensure_future(any_editor.execute("torchlore.run", {"code": SLEEP, "wait": True}))
    token = await asyncio.wait_for(_begun(any_editor, known), SECONDS)
    any_editor.client.window_work_done_progress_cancel(types.WorkDoneProgressCancelParams(token))
    assert await asyncio.wait_for(running, SECONDS) is None
    assert any_editor.client.progress_reports[token][-1].kind == "end"
    assert len(any_editor.client.shown_documents) == documents
    assert len(any_editor.client.messages) == messages


async def test_a_run_is_cancelled_with_its_request(vscode: Editor) -> None:
    known = set(vscode.client.progress_reports)
    arguments = types.ExecuteCommandParams("torchlore.run", [{"code": SLEEP, "wait": True}])
    request = vscode.client.protocol.send_request("workspace/executeCommand", arguments, msg_id="run-1")
    token = await asyncio.wait_for(_begun(vscode, known), SECONDS)
    vscode.client.cancel_request(types.CancelParams("run-1"))
    with contextlib.suppress(JsonRpcException):
        await asyncio.wait_for(asyncio.wrap_future(request), SECONDS)

    await eventually(lambda: vscode.client.progress_reports[token][-1].kind == "end")


async def test_other_requests_are_answered_during_a_run(vscode: Editor, new_file: Callable[[], str]) -> None:
    known = set(vscode.client.progress_reports)
    assert await vscode.execute("torchlore.run", {"code": SLEEP}) is None
    token = await asyncio.wait_for(_begun(vscode, known), SECONDS)
    uri = vscode.open(new_file(), BROKEN)
    assert await vscode.hover(uri, "Linear") is not None
    assert vscode.client.progress_reports[token][-1].kind != "end"
    vscode.client.window_work_done_progress_cancel(types.WorkDoneProgressCancelParams(token))
    vscode.close(uri)


@pytest.mark.parametrize("untrusted", [True, "malformed"])
async def test_nothing_runs_in_an_untrusted_workspace(tmp_path: Path, untrusted: object) -> None:
    proof = tmp_path / "it-ran"
    async with editor(tmp_path, options={"untrustedWorkspace": untrusted}) as shown:
        code = f"open({str(proof)!r}, 'w')"
        assert await shown.execute("torchlore.run", {"code": code, "wait": True}) is None
        assert "not trusted" in shown.client.messages[-1].message
        uri = shown.open((tmp_path / "a.py").as_uri(), BROKEN)
        actions = await shown.client.text_document_code_action_async(
            types.CodeActionParams(
                types.TextDocumentIdentifier(uri),
                types.Range(shown.position(uri, BROKEN.index("step()")), types.Position(99, 0)),
                types.CodeActionContext([]),
            )
        )
        assert not [a for a in actions or [] if "Run" in a.title]
    assert not proof.exists()


async def test_the_pages_are_gone_with_the_server(tmp_path: Path) -> None:
    capabilities = types.ClientCapabilities(
        window=types.WindowClientCapabilities(show_document=types.ShowDocumentClientCapabilities(True))
    )
    async with editor(tmp_path, capabilities) as shown:
        await shown.execute("torchlore.explain", {"slug": "zero-grad"})
        uri = shown.client.shown_documents[-1].uri
        assert permissions(page(uri).parent) & 0o077 == 0
    assert not exists(page(uri).parent)


def permissions(path: Path) -> int:
    return path.stat().st_mode


def exists(path: Path) -> bool:
    return path.exists()


async def _begun(shown: Editor, known: set[types.ProgressToken]) -> types.ProgressToken:
    """The token of the next progress, once it was begun."""
    while True:
        for token, reports in shown.client.progress_reports.items():
            if token not in known and reports:
                return token
        await asyncio.sleep(0.01)
