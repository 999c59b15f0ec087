"""A run as it happens, told to a client that shows it."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from in_process import Session
from torchlore.device import NotAllowed, RunResult
from torchlore.lsp import runs

FINISHED = RunResult(True, "finished", 0, "42\n", "", False, None, 0.1, "cpu", None)
SHOWS = {"runEvents": True, "runOwnCode": True}


def running(monkeypatch: pytest.MonkeyPatch, outcome: RunResult | Exception | None) -> None:
    """Runs print 42 and end so; with None they go on until they are stopped."""

    async def run(code: str, *, on_output: Any, **_: Any) -> RunResult:
        on_output("stdout", "42\n")
        if outcome is None:
            await asyncio.sleep(3600)
        if not isinstance(outcome, RunResult):
            raise outcome or AssertionError("it was not stopped")
        return outcome

    monkeypatch.setattr(runs, "run_on_device", run)


def told(session: Session) -> list[dict[str, Any]]:
    return [message["params"] for message in session.sent("$/torchlore/run")]


def ask(session: Session, argument: dict[str, Any], number: int = 1) -> None:
    session.send("workspace/executeCommand", {"command": "torchlore.run", "arguments": [argument]}, number)


async def over(session: Session) -> dict[str, Any]:
    await session.eventually(lambda: any(said["kind"] in ("finished", "stopped") for said in told(session)))
    return told(session)[-1]


async def test_start_output_and_result(monkeypatch: pytest.MonkeyPatch) -> None:
    running(monkeypatch, FINISHED)
    session = Session()
    session.start({"window": {"showDocument": {"support": True}}}, SHOWS)
    ask(session, {"slug": "zero-grad", "uri": "file:///x.py", "wait": True})
    await session.until(1)
    started, output, ended = told(session)
    assert started["title"].startswith("What does zero_grad") and "import torch" in started["code"]
    assert started["again"] == {"slug": "zero-grad", "uri": "file:///x.py"}
    assert (output["stream"], output["text"]) == ("stdout", "42\n")
    assert ended["result"]["summary"] == "Finished in 0.1 s on cpu."
    assert {started["run"], output["run"], ended["run"]} == {started["run"]}
    assert session.sent("window/showDocument") == [], "the client shows it already"
    assert session.server.stops == {}


async def test_a_client_that_does_not_show_runs_hears_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    running(monkeypatch, FINISHED)
    session = Session()
    session.start()
    ask(session, {"slug": "zero-grad", "wait": True})
    await session.until(1)
    assert told(session) == []
    session.server.pages.remove()


async def test_a_run_is_stopped_by_its_number(monkeypatch: pytest.MonkeyPatch) -> None:
    running(monkeypatch, None)
    session = Session()
    session.start(options=SHOWS)
    ask(session, {"slug": "zero-grad"})
    await session.eventually(lambda: len(told(session)) == 2)
    for wrong in (1, "1", None):
        session.send(
            "workspace/executeCommand", {"command": "torchlore.stop", "arguments": [{"run": wrong}]}, 2
        )
        await session.until(2)
    assert len(told(session)) == 2
    stop = {"command": "torchlore.stop", "arguments": [{"run": told(session)[0]["run"]}]}
    session.send("workspace/executeCommand", stop, 3)
    ended = await over(session)
    assert (ended["kind"], ended["reason"]) == ("stopped", "Stopped.")
    assert session.server.stops == {}


@pytest.mark.parametrize("failure", [NotAllowed("The interpreter has no torch."), RuntimeError("a bug")])
async def test_what_could_not_run_is_over_too(failure: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    running(monkeypatch, failure)
    session = Session()
    session.start(options=SHOWS)
    ask(session, {"code": "print(42)"})
    ended = await over(session)
    assert ended["kind"] == "stopped"
    assert ended["reason"] == str(failure) or "log" in ended["reason"]


async def test_what_the_user_forbids_never_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    running(monkeypatch, FINISHED)
    session = Session()
    session.start(options={**SHOWS, "runOwnCode": False})
    ask(session, {"code": "print(42)", "wait": True})
    await session.until(1)
    assert told(session) == []
    assert session.server.stops == {}
