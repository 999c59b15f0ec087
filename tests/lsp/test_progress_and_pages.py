"""A client that declares progress or pages and then refuses them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from in_process import Session
from torchlore.device import RunResult
from torchlore.lsp import progress, runs

PROGRESS = {"window": {"workDoneProgress": True, "showDocument": {"support": True}}}
FINISHED = RunResult(True, "finished", 0, "42\n", "", False, None, 0.1, "cpu", None)


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> asyncio.Event:
    """Opens the end of a run that starts no process."""
    opened = asyncio.Event()

    async def run(code: str, **_: Any) -> RunResult:
        await opened.wait()
        return FINISHED

    monkeypatch.setattr(runs, "run_on_device", run)
    return opened


def reply(session: Session, request: dict[str, Any], **outcome: Any) -> None:
    protocol = session.server.protocol
    protocol.handle_message(protocol.structure_message({"jsonrpc": "2.0", "id": request["id"], **outcome}))


async def started() -> tuple[Session, dict[str, Any]]:
    """A session with a run in progress, and the server's request to show that."""
    session = Session()
    session.start(PROGRESS, {"runOwnCode": True})
    params = {"command": "torchlore.run", "arguments": [{"code": "print(42)", "wait": True}]}
    session.send("workspace/executeCommand", params, 1)
    await session.eventually(lambda: bool(session.sent("window/workDoneProgress/create")))
    return session, session.sent("window/workDoneProgress/create")[0]


async def test_nothing_is_reported_before_the_client_agreed(gate: asyncio.Event) -> None:
    session, create = await started()
    await asyncio.sleep(0.05)
    assert not session.sent("$/progress")
    reply(session, create, result=None)
    await session.eventually(lambda: bool(session.sent("$/progress")))
    gate.set()
    await session.eventually(lambda: bool(session.sent("window/showDocument")))
    reply(session, session.sent("window/showDocument")[0], result={"success": True})
    assert (await session.until(1))["result"]["stdout"] == "42\n"
    kinds = [message["params"]["value"]["kind"] for message in session.sent("$/progress")]
    assert kinds == ["begin", "end"]
    assert not session.sent("window/showMessage")


async def test_a_run_that_waits_for_torch_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    imported, over = asyncio.Event(), asyncio.Event()

    async def run(code: str, *, on_start: Callable[[], None], **_: Any) -> RunResult:
        await imported.wait()
        on_start()
        await over.wait()
        return FINISHED

    monkeypatch.setattr(runs, "run_on_device", run)
    monkeypatch.setattr(progress, "SECONDS_UNTOLD", 0.01)
    session, create = await started()
    reply(session, create, result=None)

    def told() -> list[str]:
        return [message["params"]["value"].get("message") for message in session.sent("$/progress")[1:]]

    await session.eventually(lambda: told() == ["importing torch"])
    imported.set()
    await session.eventually(lambda: told() == ["importing torch", "running"])
    over.set()
    await session.eventually(lambda: told()[2:] == [FINISHED.summary()])


async def test_a_client_that_refuses_progress_gets_none_and_the_run_goes_on(gate: asyncio.Event) -> None:
    session, create = await started()
    reply(session, create, error={"code": -32601, "message": "no"})
    gate.set()
    await session.eventually(lambda: bool(session.sent("window/showDocument")))
    reply(session, session.sent("window/showDocument")[0], result={"success": True})
    assert (await session.until(1))["result"]["ok"]
    assert not session.sent("$/progress")


@pytest.mark.parametrize(
    "outcome", [{"result": {"success": False}}, {"error": {"code": -1, "message": "no"}}]
)
async def test_what_the_client_does_not_open_is_said_in_a_line(
    gate: asyncio.Event, outcome: dict[str, Any]
) -> None:
    session, create = await started()
    reply(session, create, result=None)
    gate.set()
    await session.eventually(lambda: bool(session.sent("window/showDocument")))
    reply(session, session.sent("window/showDocument")[0], **outcome)
    await session.until(1)
    (message,) = session.sent("window/showMessage")
    assert message["params"]["message"].startswith("Finished in 0.1 s on cpu.")


async def test_a_line_about_a_page_always_says_where_that_is() -> None:
    """However long the answer: who cannot be shown the page has nothing else to find it by."""
    session = Session()
    session.start()
    params = {"command": "torchlore.ask", "arguments": [{"words": "why do gradients accumulate"}]}
    session.send("workspace/executeCommand", params, 1)
    await session.until(1)
    (message,) = session.sent("window/showMessage")
    words, page = message["params"]["message"].split("\n")
    assert words.endswith("…")
    assert "explain-" in page and page.endswith(".md")


@pytest.mark.parametrize("arguments", [[], [{"words": "  "}], [{"words": 3}], ["words"]])
async def test_a_question_without_words_is_told_what_can_be_asked(arguments: list[Any]) -> None:
    session = Session()
    session.start()
    session.send("workspace/executeCommand", {"command": "torchlore.ask", "arguments": arguments}, 1)
    await session.until(1)
    (message,) = session.sent("window/showMessage")
    assert "a name of PyTorch" in message["params"]["message"]


async def test_shutdown_cancels_what_runs(gate: asyncio.Event) -> None:
    session, create = await started()
    reply(session, create, result=None)
    await session.eventually(lambda: bool(session.sent("$/progress")))
    session.send("shutdown", None, 2)
    await session.until(2)
    await session.eventually(lambda: not session.server.tasks)
    assert session.sent("$/progress")[-1]["params"]["value"]["kind"] == "end"
