"""A client that does anything in any order, and what must hold of the server all the while."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from messages import (
    CELLS,
    FILES,
    FOLDER,
    NEVER_OPENED,
    NOTEBOOK,
    NOTIFICATIONS,
    REQUESTS,
    SPELLINGS,
    mangled,
    notebook,
    positions,
    texts,
)
from wire import FUZZ, Connection, framed

FAILURE = 1
"""The type of what is logged where something failed."""

ALLOWED_ERRORS = {
    -32600: "invalid request",
    -32601: "no such method",
    -32602: "invalid parameters",
    -32800: "cancelled",
    -32802: "the text has changed",
}
REPLIES: tuple[dict[str, Any], ...] = (
    {"result": None},
    {"result": [3]},
    {"error": {"code": -1, "message": "no"}},
    {"error": 3},
    {},
)
EVERYTHING = {"inlayHints": True, "codeLens": True}
"""What is off until somebody switches it on."""

CLIENTS: tuple[dict[str, Any], ...] = (
    {},
    {
        "general": {"positionEncodings": ["utf-8"]},
        "textDocument": {
            "diagnostic": {},
            "codeAction": {
                "codeActionLiteralSupport": {"codeActionKind": {"valueSet": []}},
                "dataSupport": True,
                "resolveSupport": {"properties": ["edit"]},
            },
            "completion": {"completionItem": {"resolveSupport": {"properties": ["documentation"]}}},
            "signatureHelp": {},
            "inlayHint": {},
            "codeLens": {},
            "documentLink": {"tooltipSupport": True},
        },
        "workspace": {
            "symbol": {},
            "inlayHint": {"refreshSupport": True},
            "codeLens": {"refreshSupport": True},
            "diagnostics": {"refreshSupport": True},
            "configuration": True,
            "workspaceFolders": True,
            "didChangeConfiguration": {"dynamicRegistration": True},
            "didChangeWatchedFiles": {"dynamicRegistration": True},
        },
        "window": {"workDoneProgress": True, "showDocument": {"support": True}},
    },
)


class AnyClient(RuleBasedStateMachine):
    """One session; what is sent wrongly may do what it likes to what it names, but to nothing else."""

    def __init__(self) -> None:
        super().__init__()
        self.connection = Connection()
        self.texts: dict[str, str] = {}
        self.spoiled: set[str] = set()
        self.version = 0
        self.number = 0
        self.asked: dict[int, Any] = {}
        self.replied: set[Any] = set()

    @initialize(capabilities=st.sampled_from(CLIENTS), options=st.sampled_from([None, EVERYTHING]))
    def start(self, capabilities: dict[str, Any], options: Any) -> None:
        self.connection.start(capabilities, [{"uri": FOLDER, "name": "project"}], options)

    @rule(uri=st.sampled_from(FILES), text=texts)
    def open(self, uri: str, text: str) -> None:
        self._close(uri)
        self.version += 1
        language = "markdown" if uri.endswith(".md") else "python"
        document = {"uri": uri, "languageId": language, "version": self.version, "text": text}
        self.connection.send("textDocument/didOpen", {"textDocument": document})
        self.texts[uri] = text

    @precondition(lambda self: self.texts)
    @rule(data=st.data(), new=texts)
    def type(self, data: st.DataObject, new: str) -> None:
        """Puts text at the end of a line."""
        uri = data.draw(st.sampled_from(sorted(self.texts)))
        before, *rest = self.texts[uri].split("\n") if "\r" not in self.texts[uri] else [self.texts[uri]]
        here = {"line": 0, "character": 2**31 - 1}
        change = {"range": {"start": here, "end": here}, "text": new}
        if "\r" in before:
            change, before, rest = {"text": new}, new, []
            self.texts[uri] = new
        else:
            self.texts[uri] = "\n".join((before + new, *rest))
        self._change(uri, [change])

    @precondition(lambda self: self.texts)
    @rule(data=st.data())
    def close(self, data: st.DataObject) -> None:
        self._close(data.draw(st.sampled_from(sorted(self.texts))))

    @rule(first=texts, second=texts)
    def open_notebook(self, first: str, second: str) -> None:
        self.connection.send("notebookDocument/didOpen", notebook(first, second))

    @rule()
    def close_notebook(self) -> None:
        closed = [{"uri": uri} for uri in CELLS]
        params = {"notebookDocument": {"uri": NOTEBOOK}, "cellTextDocuments": closed}
        self.connection.send("notebookDocument/didClose", params)

    @rule(data=st.data(), method=st.sampled_from(sorted(REQUESTS)))
    def ask(self, data: st.DataObject, method: str) -> None:
        self._request(method, data.draw(REQUESTS[method]))

    @rule(where=positions, uri=st.sampled_from([*FILES, *SPELLINGS.values(), *CELLS]))
    def hover(self, where: dict[str, int], uri: str) -> None:
        self._request("textDocument/hover", {"textDocument": {"uri": uri}, "position": where})

    @precondition(lambda self: self.asked)
    @rule(data=st.data())
    def cancel(self, data: st.DataObject) -> None:
        self.connection.send("$/cancelRequest", {"id": data.draw(st.sampled_from([*self.asked]))})

    @rule(data=st.data(), method=st.sampled_from(sorted(NOTIFICATIONS)))
    def tell(self, data: st.DataObject, method: str) -> None:
        """A notification that is well formed, and may name what is not there."""
        self._notify(method, data.draw(NOTIFICATIONS[method]))

    @rule(data=st.data(), method=st.sampled_from(sorted(NOTIFICATIONS)))
    def tell_nonsense(self, data: st.DataObject, method: str) -> None:
        self._notify(method, data.draw(mangled(data.draw(NOTIFICATIONS[method]))))

    @rule(data=st.data(), method=st.sampled_from(sorted(REQUESTS)))
    def ask_nonsense(self, data: st.DataObject, method: str) -> None:
        self._request(method, data.draw(mangled(data.draw(REQUESTS[method]))))

    @rule(place=st.integers(0, 5), answer=st.sampled_from(REPLIES))
    def reply(self, place: int, answer: dict[str, Any]) -> None:
        """Answers one of the server's own requests: with nothing, an error, or nonsense."""
        waiting = self._waiting()
        self._reply(waiting[place] if place < len(waiting) else "unknown", answer)
        self.connection.turn()

    @rule(
        body=st.sampled_from(
            [b"", b"{", b"[]", b"3", b"null", b"\xff\xfe", b"[" * 100_000, b'{"jsonrpc": "1.0"}']
        )
    )
    def garbage(self, body: bytes) -> None:
        self.connection.feed(framed(body))

    @rule()
    def rest(self) -> None:
        self._settle()

    @invariant()
    def mirrors_are_equal(self) -> None:
        for uri, text in self.texts.items():
            if uri not in self.spoiled:
                mirror = self.connection.server.documents.document(uri)
                assert mirror is not None, uri
                assert mirror.source == text

    @invariant()
    def it_reads_on(self) -> None:
        assert not self.connection.reading.done()

    @invariant()
    def nothing_pops_up(self) -> None:
        for message in self.connection.wire.messages:
            assert "Traceback" not in str(message), message
            if message.get("method") == "window/logMessage":
                assert message["params"]["type"] != FAILURE, message["params"]["message"]
            code = message.get("error", {}).get("code", -32600)
            assert code in ALLOWED_ERRORS, message
        shown = [m for m in self.connection.wire.messages if m.get("method") == "window/showMessage"]
        commands = [1 for method, _ in self.asked.values() if method == "workspace/executeCommand"]
        assert len(shown) <= len(commands), f"nobody asked for that: {shown}"

    def teardown(self) -> None:
        try:
            if self.connection.server.protocol._initialized:
                self._settle()
                for number in self.asked:
                    assert len(self.connection.answers(number)) == 1, number
                self.nothing_pops_up()
                assert not self.connection.failures
            self.connection.end()
        finally:
            self.connection.close()

    def _settle(self) -> None:
        """Waits for all answers, as a client that answers at last what it is asked."""

        def settled() -> bool:
            for number in self._waiting():
                self._reply(number, {"result": None})
            return all(map(self.connection.answered, self.asked))

        try:
            self.connection.until(settled)
        except asyncio.TimeoutError:
            left = {n: self.asked[n] for n in self.asked if not self.connection.answered(n)}
            raise AssertionError(f"never answered: {left}") from None

    def _waiting(self) -> list[Any]:
        """The numbers of the server's own requests that were not answered."""
        asked = [m["id"] for m in self.connection.wire.messages if "id" in m and "method" in m]
        return [number for number in asked if number not in self.replied]

    def _reply(self, number: Any, answer: dict[str, Any]) -> None:
        self.replied.add(number)
        self.connection.reader.feed_data(framed({"jsonrpc": "2.0", "id": number, **answer}))

    def _change(self, uri: str, changes: list[Any]) -> None:
        self.version += 1
        params = {"textDocument": {"uri": uri, "version": self.version}, "contentChanges": changes}
        self.connection.send("textDocument/didChange", params)

    def _close(self, uri: str) -> None:
        if self.texts.pop(uri, None) is not None:
            self.connection.send("textDocument/didClose", {"textDocument": {"uri": uri}})
            self.spoiled.discard(uri)

    def _request(self, method: str, params: Any) -> None:
        self.number += 1
        self.asked[self.number] = (method, params)
        self.connection.send(method, params, self.number)

    def _notify(self, method: str, params: Any) -> None:
        self.spoiled |= {uri for uri in FILES if uri in str(params) or SPELLINGS.get(uri, uri) in str(params)}
        assert not {*NEVER_OPENED} & {*self.texts}
        self.connection.send(method, params)


AnyClient.TestCase.settings = FUZZ
# What fails is made smaller for five minutes: pytest must not end that before it is told.
AnyClient.TestCase.pytestmark = [pytest.mark.timeout(900)]  # type: ignore[attr-defined]
test_any_order = AnyClient.TestCase
