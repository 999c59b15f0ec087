"""Code of the user's own runs only where they agreed; a workspace cannot agree for them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from in_process import Session
from torchlore.device import RunResult, consent
from torchlore.lsp import runs

FINISHED = RunResult(True, "finished", 0, "42\n", "", False, None, 0.1, "cpu", None)


@pytest.fixture
def ran(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[str]:
    """The code that was run; nothing is."""
    codes: list[str] = []

    async def run(code: str, **_: Any) -> RunResult:
        codes.append(code)
        return FINISHED

    monkeypatch.setattr(runs, "run_on_device", run)
    monkeypatch.setattr(consent, "default_notes", lambda: tmp_path / "state" / "consent.json")
    return codes


def asked_to_run(argument: dict[str, Any], folder: Path, options: Any = None) -> Session:
    session = Session()
    params = {"processId": None, "rootUri": folder.as_uri(), "capabilities": {}}
    session.send("initialize", {**params, "initializationOptions": options}, 0)
    command = {"command": "torchlore.run", "arguments": [{**argument, "wait": True}]}
    session.send("workspace/executeCommand", command, 1)
    return session


async def answered(session: Session, title: str | None) -> None:
    await session.eventually(lambda: bool(session.sent("window/showMessageRequest")))
    request = session.sent("window/showMessageRequest")[0]
    result = None if title is None else {"title": title}
    protocol = session.server.protocol
    protocol.handle_message(
        protocol.structure_message({"jsonrpc": "2.0", "id": request["id"], "result": result})
    )
    await session.until(1)


async def test_it_is_asked_each_time_until_the_user_says_always(ran: list[str], tmp_path: Path) -> None:
    for count, title in enumerate(["Run once", "Always in this folder"], 1):
        await answered(asked_to_run({"code": "print(42)"}, tmp_path), title)
        assert len(ran) == count
    session = asked_to_run({"code": "print(42)"}, tmp_path)
    await session.until(1)
    assert len(ran) == 3 and not session.sent("window/showMessageRequest")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    await answered(asked_to_run({"code": "print(42)"}, elsewhere), None)
    assert len(ran) == 3


@pytest.mark.parametrize("title", ["Do not run", None, "something else"])
async def test_nothing_runs_against_the_users_word(title: str | None, ran: list[str], tmp_path: Path) -> None:
    session = asked_to_run({"code": "print(42)"}, tmp_path)
    await answered(session, title)
    assert not ran
    [told] = session.sent("window/showMessage")
    assert "only when you agree" in told["params"]["message"]


async def test_a_client_that_cannot_ask_runs_nothing(ran: list[str], tmp_path: Path) -> None:
    session = asked_to_run({"code": "print(42)"}, tmp_path)
    await session.eventually(lambda: bool(session.sent("window/showMessageRequest")))
    request = session.sent("window/showMessageRequest")[0]
    error = {"jsonrpc": "2.0", "id": request["id"], "error": {"code": -32601, "message": "no"}}
    session.server.protocol.handle_message(session.server.protocol.structure_message(error))
    await session.until(1)
    assert not ran


async def test_the_users_setting_answers_for_them(ran: list[str], tmp_path: Path) -> None:
    await asked_to_run({"code": "1"}, tmp_path, {"runOwnCode": True}).until(1)
    assert ran == ["1"]
    await asked_to_run({"code": "2"}, tmp_path, {"runOwnCode": False}).until(1)
    assert ran == ["1"]


@pytest.mark.parametrize("said", ["true", 1, [True], {}])
async def test_a_malformed_setting_is_no_consent(said: object, ran: list[str], tmp_path: Path) -> None:
    session = asked_to_run({"code": "1"}, tmp_path, {"runOwnCode": said})
    await answered(session, None)
    assert not ran


async def test_a_shipped_snippet_needs_none(ran: list[str], tmp_path: Path) -> None:
    session = asked_to_run({"slug": "zero-grad"}, tmp_path)
    await session.until(1)
    assert len(ran) == 1 and not session.sent("window/showMessageRequest")


def test_a_link_to_a_folder_that_was_agreed_to_is_that_folder(tmp_path: Path) -> None:
    """And no longer so when it leads elsewhere."""
    notes, agreed, other = tmp_path / "notes", tmp_path / "agreed", tmp_path / "other"
    agreed.mkdir()
    other.mkdir()
    link = tmp_path / "link"
    link.symlink_to(agreed)
    consent.give_consent(link, notes)
    assert consent.has_consent(agreed, notes) and consent.has_consent(link, notes)
    link.unlink()
    link.symlink_to(other)
    assert not consent.has_consent(link, notes)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"workspaces": 3}', '{"workspaces": [3]}', "\x00"])
def test_notes_that_cannot_be_read_are_no_consent(text: str, tmp_path: Path) -> None:
    notes = tmp_path / "notes"
    notes.write_text(text)
    assert not consent.has_consent(tmp_path, notes)
    consent.give_consent(tmp_path, notes)
    assert consent.has_consent(tmp_path, notes)


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such rights")
def test_notes_that_others_may_write_are_no_consent(tmp_path: Path) -> None:
    notes = tmp_path / "notes"
    consent.give_consent(tmp_path, notes)
    notes.chmod(0o666)
    assert not consent.has_consent(tmp_path, notes)
