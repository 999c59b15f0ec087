"""Bytes that are no messages, messages in pieces, and clients that die at any byte."""

from __future__ import annotations

import json
import subprocess
from typing import Any

import pytest
from harness import server_command, server_environment
from hypothesis import given
from hypothesis import strategies as st
from messages import REQUESTS, mangled
from wire import FUZZ, Connection, framed

INITIALIZE = {"processId": None, "rootUri": None, "capabilities": {}}
URI = "file:///project/train.py"
TEXT = "import torch\nx = torch.zeros(3)  # é 😀\n"


def _message(method: str, params: Any, number: int | None = None) -> bytes:
    message = {"jsonrpc": "2.0", "method": method, "params": params}
    return framed(message if number is None else {**message, "id": number})


def _talk() -> bytes:
    """What a short session sends, up to its last hover."""
    opened = {"uri": URI, "languageId": "python", "version": 1, "text": TEXT}
    here = {"textDocument": {"uri": URI}, "position": {"line": 1, "character": 12}}
    return b"".join(
        (
            _message("initialize", INITIALIZE, 0),
            _message("initialized", {}),
            _message("textDocument/didOpen", {"textDocument": opened}),
            _message("textDocument/hover", here, 1),
        )
    )


def _still_answers(connection: Connection) -> None:
    connection.send("torchlore/unknown", {}, "last")
    connection.until(lambda: connection.answered("last"))
    assert connection.answers("last")[0]["error"]["code"] in (-32601, -32002)


@FUZZ
@given(st.data())
def test_a_talk_in_any_pieces_is_the_same_talk(data: st.DataObject) -> None:
    connection, talk = Connection(), _talk()
    cuts = sorted(data.draw(st.lists(st.integers(0, len(talk)), max_size=12)))
    for start, end in zip([0, *cuts], [*cuts, len(talk)], strict=True):
        connection.feed(talk[start:end])
    connection.until(lambda: connection.answered(1))
    assert "torch.zeros" in str(connection.answers(1)[0]["result"])
    connection.end()
    connection.close()


@FUZZ
@given(st.integers(0, len(_talk())))
def test_a_client_may_die_at_any_byte(length: int) -> None:
    connection = Connection()
    connection.feed(_talk()[:length])
    connection.end()
    connection.rest()
    assert not connection.failures
    assert not any(m["method"] == "window/showMessage" for m in connection.wire.messages if "method" in m)
    connection.close()


BODIES = st.one_of(
    st.binary(max_size=40),
    st.sampled_from([b"[" * 200_000, b"9" * 10_000, b'"' + b"x" * 100_000, b"null", b"[]", b"{}", b"NaN"]),
    mangled({"jsonrpc": "2.0", "id": 3, "method": "textDocument/hover", "params": {}}).map(
        lambda value: json.dumps(value).encode()
    ),
)


@FUZZ
@given(st.lists(BODIES, max_size=6), st.booleans())
def test_it_answers_after_any_bodies(bodies: list[bytes], started: bool) -> None:
    connection = Connection()
    if started:
        connection.start()
    for body in bodies:
        if b'"exit"' not in body:
            connection.feed(framed(body))
    _still_answers(connection)
    assert not connection.failures
    connection.close()


@FUZZ
@given(
    st.lists(
        st.sampled_from(
            [
                b"\r\n",
                b"\n",
                b"what?\r\n",
                b"Content-Length: x\r\n\r\n",
                b"Content-Length: -5\r\n\r\n",
                b"Content-Length: 0\r\n\r\n",
                b"Content-Type: text/plain\r\n\r\n",
                b"X: " + b"y" * 100_000 + b"\r\n",
                b"\xff\x00\r\n",
            ]
        )
    )
)
def test_headers_that_mean_nothing_are_passed_over(headers: list[bytes]) -> None:
    connection = Connection()
    connection.start()
    for header in headers:
        connection.feed(header)
    _still_answers(connection)
    connection.close()


@FUZZ
@given(st.data(), st.sampled_from(sorted(REQUESTS)))
def test_every_request_is_answered_once(data: st.DataObject, method: str) -> None:
    connection = Connection()
    connection.start()
    connection.send(method, data.draw(mangled(data.draw(REQUESTS[method]))), 1)
    connection.until(lambda: connection.answered(1))
    assert len(connection.answers(1)) == 1
    assert "Traceback" not in str(connection.wire.messages)
    connection.close()


@pytest.mark.parametrize(
    "text", ["x" * 10_000_000, "x = [" + "1, " * 3_000_000, "(" * 1_000_000, "#" * 10_000_000]
)
def test_a_line_of_ten_megabytes_is_mirrored_and_left_alone(text: str) -> None:
    connection = Connection()
    connection.start({"general": {"positionEncodings": ["utf-16"]}})
    opened = {"uri": URI, "languageId": "python", "version": 1, "text": text}
    connection.send("textDocument/didOpen", {"textDocument": opened})
    here = {"line": 0, "character": len(text) - 1}
    changes = [{"range": {"start": here, "end": here}, "text": "é"}] * 3
    document = {"uri": URI, "version": 2}
    connection.send("textDocument/didChange", {"textDocument": document, "contentChanges": changes})
    connection.send("textDocument/hover", {"textDocument": {"uri": URI}, "position": here}, 1)
    connection.until(lambda: connection.answered(1))
    assert connection.answers(1)[0]["result"] is None
    mirror = connection.server.documents.document(URI)
    assert mirror is not None
    assert mirror.source == text[:-1] + "ééé" + text[-1]
    _still_answers(connection)
    connection.close()


@pytest.mark.parametrize("share", [0.0, 0.3, 0.5, 0.8, 1.0])
def test_a_real_server_ends_with_a_client_that_dies_at_that_byte(share: float) -> None:
    """It says nothing on stderr either: several editors show that to their user."""
    talk = _talk()
    done = subprocess.run(
        server_command(),
        input=talk[: int(share * len(talk))],
        capture_output=True,
        env=server_environment(),
        timeout=60,
    )
    assert done.returncode == 1
    assert b"Traceback" not in done.stderr


def test_a_length_that_no_memory_holds_ends_it_without_a_traceback() -> None:
    talk = _message("initialize", INITIALIZE, 0) + b"Content-Length: 99999999999999999\r\n\r\n{}"
    done = subprocess.run(
        server_command(), input=talk, capture_output=True, env=server_environment(), timeout=60
    )
    assert done.returncode == 1
    assert b"Traceback" not in done.stderr
    assert b"torchlore" in done.stdout
