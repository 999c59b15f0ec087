"""What pygls does wrong to us, each with the cure that this test would miss."""

from __future__ import annotations

import asyncio
import logging
import threading
from typing import Any

import pytest
from in_process import URI, Session
from torchlore.lsp.worker import Priority, Stale, Worker

TEXT = "import torch\nx = torch.zeros(3)\n"


async def test_queued_and_cancelled_hovers_never_run() -> None:
    """pygls runs cancelled requests all the same, in the pool that reads stdin."""
    session = Session()
    session.start()
    session.open(TEXT)
    gate, runs = threading.Event(), []
    real = session.server.analyses.of

    def slow(uri: str, source: Any) -> Any:
        runs.append(threading.current_thread().name)
        gate.wait(30)
        return real(uri, source)

    session.server.analyses.__dict__["of"] = slow
    for number in range(1, 31):
        session.hover(number, line=1, character=10)
    await asyncio.sleep(0.05)
    for number in range(2, 30):
        session.send("$/cancelRequest", {"id": number})
    await asyncio.sleep(0.05)
    assert all(session.answer(number)["error"]["code"] == -32800 for number in range(2, 30))  # type: ignore[index]
    gate.set()
    assert (await session.until(30))["result"] is not None
    # The hovers that were not cancelled, the diagnostics of the file, and the look at what it imports.
    assert len(runs) <= 4
    assert set(runs) == {"torchlore-analysis"}


async def test_the_loop_answers_while_the_worker_works() -> None:
    session = Session()
    session.start()
    session.open(TEXT)
    gate = threading.Event()
    session.server.analyses.__dict__["of"] = lambda uri, source: gate.wait(30)
    session.hover(1, line=1, character=10)
    await asyncio.sleep(0.05)
    session.send("torchlore/unknown", {}, 2)
    assert session.answer(2) is not None and session.answer(1) is None
    gate.set()
    await session.until(1)
    assert session.server._thread_pool is None, "pygls' own pool reads stdin and is not for work"


async def test_a_hover_on_a_text_that_is_gone_is_dropped_before_it_starts() -> None:
    session = Session()
    session.start()
    session.open(TEXT)
    gate, versions = threading.Event(), []
    real = session.server.analyses.of

    def slow(uri: str, source: Any) -> Any:
        versions.append(source.version)
        gate.wait(30)
        return real(uri, source)

    session.server.analyses.__dict__["of"] = slow
    session.hover(1, line=1, character=10)
    await asyncio.sleep(0.05)
    for version in range(2, 20):
        session.replace(f"{TEXT}# {version}\n", version)
        session.hover(version, line=1, character=10)
        await asyncio.sleep(0)  # Over a wire, too, the loop turns between two messages.
    gate.set()
    assert (await session.until(19))["result"] is not None
    assert (await session.until(5))["result"] is None
    assert set(versions) == {1, 19}


async def test_a_closed_connection_is_not_written_to_without_end() -> None:
    """pygls reports a failed write by a message, whose write fails, which it reports by a message…"""
    session = Session()
    session.start()
    session.wire.broken = True
    before = session.wire.attempts
    session.server.log_to_client("hello")
    assert session.wire.attempts == before + 1


async def test_no_future_is_kept_for_a_notification() -> None:
    """pygls keeps one for each notification for ever: an hour of typing is a hundred thousand."""
    session = Session()
    session.start()
    session.open(TEXT)
    for version in range(2, 50):
        session.replace(TEXT, version)
    session.hover(1, line=1, character=10)
    await session.until(1)
    await asyncio.sleep(0)
    assert not session.server.protocol._request_futures


async def test_a_change_of_an_unknown_file_is_silent(caplog: pytest.LogCaptureFixture) -> None:
    """pygls shows the user `KeyError: 'file:///...'`."""
    session = Session()
    session.start()
    with caplog.at_level(logging.WARNING, "torchlore"):
        session.replace("x", 2)
    assert not session.sent("window/showMessage")
    assert "not open" in caplog.text


async def test_a_failing_handler_is_logged_and_answers_null(caplog: pytest.LogCaptureFixture) -> None:
    session = Session()
    session.start()
    session.open(TEXT)

    def fail(uri: str, source: Any) -> Any:
        raise ZeroDivisionError("in the analysis")

    session.server.analyses.__dict__["of"] = fail
    session.hover(1, line=1, character=10)
    answer = await session.until(1)
    assert answer["result"] is None and "error" not in answer
    assert not session.sent("window/showMessage")
    assert session.sent("window/logMessage")
    assert "ZeroDivisionError" in caplog.text


async def test_a_failing_analysis_publishes_nothing_and_says_so_in_the_log() -> None:
    session = Session()
    session.start()
    session.server.analyses.__dict__["of"] = lambda uri, source: 1 / 0
    session.open(TEXT)
    await session.eventually(lambda: bool(session.sent("window/logMessage")))
    assert session.sent("window/logMessage") and not session.sent("window/showMessage")
    assert not session.sent("textDocument/publishDiagnostics")


def test_requests_before_initialize_are_refused() -> None:
    session = Session()
    session.hover(1)
    session.open(TEXT)
    assert session.answer(1)["error"]["code"] == -32002  # type: ignore[index]


def test_a_second_initialize_is_refused() -> None:
    session = Session()
    session.start()
    session.send("initialize", {"processId": None, "rootUri": None, "capabilities": {}}, 9)
    assert session.answer(9)["error"]["code"] == -32600  # type: ignore[index]


async def test_requests_after_shutdown_are_refused() -> None:
    session = Session()
    session.start()
    session.send("shutdown", None, 1)
    await session.until(1)
    session.hover(2)
    assert session.answer(2)["error"]["code"] == -32600  # type: ignore[index]


def test_a_request_that_cannot_be_read_is_answered() -> None:
    """pygls logs it and leaves the client waiting."""
    session = Session()
    session.start()
    session.send("textDocument/hover", {"textDocument": 3}, 4)
    assert session.answer(4)["error"]["code"] == -32602  # type: ignore[index]


async def test_what_looks_like_a_message_inside_a_message_is_none() -> None:
    """pygls reads every object that has a key `jsonrpc` as a message, and loses the request around it."""
    session = Session()
    session.start()
    arguments = [{"jsonrpc": "2.0", "method": "exit", "id": 8, "code": "TL101"}]
    session.send("workspace/executeCommand", {"command": "torchlore.explain", "arguments": arguments}, 4)
    assert (await session.until(4))["result"] is None
    assert "TL101" in session.sent("window/showMessage")[0]["params"]["message"]


def test_a_request_of_another_version_is_refused() -> None:
    """pygls leaves the client waiting."""
    session = Session()
    session.start()
    protocol = session.server.protocol
    protocol.handle_message({"jsonrpc": "1.0", "id": 3, "method": "textDocument/hover", "params": {}})
    assert session.answer(3)["error"]["code"] == -32600  # type: ignore[index]


def test_an_enum_value_from_the_future_does_not_fail_initialize() -> None:
    """pygls refuses the whole message (openlawlibrary/pygls#438)."""
    session = Session()
    item_kinds = {"completionItemKind": {"valueSet": [1, 2, 118115]}}
    tags = {"publishDiagnostics": {"tagSupport": {"valueSet": [1, 99]}}}
    session.start({"textDocument": {"completion": item_kinds, **tags}})
    assert "capabilities" in session.answer(0)["result"]  # type: ignore[index]


async def test_asked_work_goes_before_background_work() -> None:
    worker, gate, order = Worker(), threading.Event(), []
    first = asyncio.ensure_future(worker.run(lambda: gate.wait(30)))
    await asyncio.sleep(0.02)
    background = worker.run(lambda: order.append("background"), priority=Priority.BACKGROUND)
    asked = worker.run(lambda: order.append("asked"))
    waiting = asyncio.gather(background, asked)
    await asyncio.sleep(0.02)
    gate.set()
    await asyncio.gather(first, waiting)
    assert order == ["asked", "background"]


async def test_unwanted_work_is_stale() -> None:
    with pytest.raises(Stale):
        await Worker().run(lambda: 1, still_wanted=lambda: False)


async def test_a_workers_failure_reaches_the_caller_and_the_worker_lives_on() -> None:
    worker = Worker()
    with pytest.raises(ZeroDivisionError):
        await worker.run(lambda: 1 / 0)
    assert await worker.run(lambda: 2) == 2


async def test_malformed_command_arguments_are_no_failure() -> None:
    session = Session()
    session.start()
    for number, arguments in enumerate([None, [], [3], ["x", "y"], [[]], [{}, {}]], 10):
        params = {"command": "torchlore.explain", "arguments": arguments}
        session.send("workspace/executeCommand", params, number)
        assert (await session.until(number))["result"] is None
    assert not session.sent("window/logMessage")


async def test_closing_takes_back_what_was_published() -> None:
    session = Session()
    session.start()
    session.open(TEXT)
    await session.eventually(lambda: bool(session.sent("textDocument/publishDiagnostics")))
    session.send("textDocument/didClose", {"textDocument": {"uri": URI}})
    assert session.sent("textDocument/publishDiagnostics")[-1]["params"]["diagnostics"] == []
    assert not session.server.analyses._by_uri


@pytest.mark.parametrize("spelling", [URI, URI.replace("train", "tr%61in")])
async def test_nothing_is_kept_of_a_closed_file(spelling: str) -> None:
    """Not even where a request for it waited while it was closed, under another spelling of its URI."""
    session = Session()
    session.start()
    session.open(TEXT)
    session.hover(1, line=1, character=10)
    await session.until(1)
    gate = threading.Event()
    blocked = asyncio.ensure_future(session.server.worker.run(lambda: gate.wait(30)))
    await asyncio.sleep(0)
    session.hover(2, line=1, character=10)
    await asyncio.sleep(0.05)
    session.send("textDocument/didClose", {"textDocument": {"uri": spelling}})
    gate.set()
    await blocked
    assert (await session.until(2))["result"] is None
    assert not session.server.analyses._by_uri
