"""A server in this process, fed with messages as they come over the wire."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

from torchlore.lsp.server import Server, create_server

URI = "file:///project/train.py"


def at(code: str) -> tuple[str, int]:
    """The text of a program and where its cursor (`|`) is."""
    offset = code.index("|")
    return code[:offset] + code[offset + 1 :], offset


class Wire:
    """What the server writes, message by message."""

    def __init__(self) -> None:
        self.messages: list[dict[str, Any]] = []
        self.broken = False
        self.attempts = 0

    def write(self, data: bytes) -> None:
        self.attempts += 1
        if self.broken:
            raise ValueError("write to closed file")
        self.messages.append(json.loads(data.partition(b"\r\n\r\n")[2]))

    def close(self) -> None:
        self.broken = True


class Session:
    """A conversation with a server in this process."""

    def __init__(self) -> None:
        self.server: Server = create_server()
        self.wire = Wire()
        self.server.protocol.set_writer(self.wire)

    def send(self, method: str, params: Any = None, number: int | str | None = None) -> None:
        message = {"jsonrpc": "2.0", "method": method, "params": params}
        if number is not None:
            message["id"] = number
        protocol = self.server.protocol
        protocol.handle_message(json.loads(json.dumps(message), object_hook=protocol.structure_message))

    def start(self, capabilities: dict[str, Any] | None = None, options: Any = None) -> None:
        params = {"processId": None, "rootUri": None, "capabilities": capabilities or {}}
        self.send("initialize", {**params, "initializationOptions": options}, 0)

    def open(self, text: str, uri: str = URI, version: int = 1) -> None:
        document = {"uri": uri, "languageId": "python", "version": version, "text": text}
        self.send("textDocument/didOpen", {"textDocument": document})

    def replace(self, text: str, version: int, uri: str = URI) -> None:
        params = {"textDocument": {"uri": uri, "version": version}, "contentChanges": [{"text": text}]}
        self.send("textDocument/didChange", params)

    def hover(self, number: int, uri: str = URI, line: int = 0, character: int = 0) -> None:
        position = {"line": line, "character": character}
        self.send("textDocument/hover", {"textDocument": {"uri": uri}, "position": position}, number)

    def answer(self, number: int | str) -> dict[str, Any] | None:
        return next((m for m in self.wire.messages if m.get("id") == number and "method" not in m), None)

    def sent(self, method: str) -> list[dict[str, Any]]:
        return [message for message in self.wire.messages if message.get("method") == method]

    async def until(self, number: int | str) -> dict[str, Any]:
        """The answer to a request, once it is there."""
        await self.eventually(lambda: self.answer(number) is not None)
        found = self.answer(number)
        assert found is not None
        return found

    async def eventually(self, condition: Callable[[], bool]) -> None:
        for _ in range(3000):
            if condition():
                return
            await asyncio.sleep(0.01)
        raise AssertionError("it did not happen")
