"""What an editor sends while somebody types a file, and the bare client that sends it to any server."""

from __future__ import annotations

import asyncio
import io
import json
import os
import time
import tokenize
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

SECONDS_TO_START = 60.0


@dataclass(frozen=True, slots=True)
class Stroke:
    """One edit at the end of what is typed so far, and what the editor asks then.

    Attributes:
        text: what is typed: a token, with the white space before it.
        completes: the editor asks what may come next, as after a letter or a dot.
        ends_line: the person looks up: at the diagnostics, and at a name with the mouse.
        name: where that name is, as line and column; None where the text has none yet.
    """

    text: str
    completes: bool
    ends_line: bool
    name: tuple[int, int] | None


def typed(text: str, lines: int) -> Iterator[Stroke]:
    """The strokes that type the first `lines` lines of a file that can be parsed, always the same.

    Names to look at are attributes, on a line that is typed already, in turn from the first to the last.
    """
    names: list[tuple[int, int]] = []
    starts, looked, done = _starts(text), 0, 0
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        line, column = token.end
        if token.start[0] > lines:
            return
        end = starts[line - 1] + column
        if end <= done:
            continue
        written, done = text[done:end], end
        ends_line = token.type in (tokenize.NEWLINE, tokenize.NL)
        name = names[looked % len(names)] if ends_line and names else None
        looked += name is not None
        yield Stroke(written, token.type == tokenize.NAME or token.string == ".", ends_line, name)
        if token.type == tokenize.NAME and text[end - len(token.string) - 1 : end - len(token.string)] == ".":
            names.append((token.start[0] - 1, token.start[1] + 1))


def _starts(text: str) -> list[int]:
    starts = [0]
    for line in text.splitlines(keepends=True):
        starts.append(starts[-1] + len(line))
    return starts


@dataclass(slots=True)
class Client:
    """A connection to a server, one open document, and what came in."""

    process: asyncio.subprocess.Process
    uri: str
    began: float
    version: int = 0
    capabilities: dict[str, Any] = field(default_factory=dict)
    _numbers: int = 0
    _waiting: dict[int, asyncio.Future[Any]] = field(default_factory=dict)
    _published: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def pulls(self) -> bool:
        return bool(self.capabilities.get("diagnosticProvider"))

    def notify(self, method: str, params: Any) -> None:
        self._write({"jsonrpc": "2.0", "method": method, "params": params})

    async def ask(self, method: str, params: Any) -> Any:
        """The result; None where it is an error. Who cancels this has the server's request cancelled."""
        self._numbers += 1
        number = self._numbers
        answer = self._waiting[number] = asyncio.get_running_loop().create_future()
        self._write({"jsonrpc": "2.0", "id": number, "method": method, "params": params})
        try:
            return await answer
        except asyncio.CancelledError:
            self.notify("$/cancelRequest", {"id": number})
            raise
        finally:
            self._waiting.pop(number, None)

    def open(self, text: str) -> None:
        self.version = 1
        document = {"uri": self.uri, "languageId": "python", "version": 1, "text": text}
        self.notify("textDocument/didOpen", {"textDocument": document})

    def insert(self, line: int, column: int, text: str) -> None:
        self.version += 1
        self._published.clear()
        here = {"line": line, "character": column}
        change = {"range": {"start": here, "end": here}, "text": text}
        document = {"uri": self.uri, "version": self.version}
        self.notify("textDocument/didChange", {"textDocument": document, "contentChanges": [change]})

    async def at(self, method: str, line: int, column: int) -> Any:
        place = {"line": line, "character": column}
        return await self.ask(method, {"textDocument": {"uri": self.uri}, "position": place})

    async def diagnostics(self) -> Any:
        """Those of the current version, asked for or waited for, as the server offers it."""
        if self.pulls:
            return await self.ask("textDocument/diagnostic", {"textDocument": {"uri": self.uri}})
        return await self._published.wait()

    def memory(self) -> float:
        """Bytes that the server and its children hold."""
        return sum(_resident(process) for process in _family(self.process.pid))

    async def read(self) -> None:
        """Takes what the server sends until it ends, and answers what it asks with nothing."""
        assert self.process.stdout is not None
        while True:
            header = await self.process.stdout.readuntil(b"\r\n\r\n")
            length = next(int(line.split(b":")[1]) for line in header.split(b"\r\n") if b"ength" in line)
            message = json.loads(await self.process.stdout.readexactly(length))
            if "method" in message:
                self._take(message)
            elif (answer := self._waiting.get(message.get("id"))) is not None and not answer.done():
                answer.set_result(message.get("result"))

    def _take(self, message: dict[str, Any]) -> None:
        if "id" in message:
            result = (
                [{} for _ in message["params"]["items"]] if "items" in (message.get("params") or {}) else None
            )
            self._write({"jsonrpc": "2.0", "id": message["id"], "result": result})
        elif message["method"] == "textDocument/publishDiagnostics":
            params = message["params"]
            if params["uri"] == self.uri and params.get("version") in (None, self.version):
                self._published.set()

    def _write(self, message: dict[str, Any]) -> None:
        assert self.process.stdin is not None
        body = json.dumps(message).encode()
        self.process.stdin.write(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))


CAPABILITIES = {
    "general": {"positionEncodings": ["utf-16"]},
    "textDocument": {
        "hover": {"contentFormat": ["markdown"]},
        "completion": {"completionItem": {"snippetSupport": True}},
        "publishDiagnostics": {"versionSupport": True},
        "diagnostic": {},
    },
    "workspace": {"diagnostics": {"refreshSupport": True}, "configuration": True, "workspaceFolders": True},
}


@asynccontextmanager
async def connected(command: Sequence[str], file: Path, options: Any) -> AsyncIterator[Client]:
    """Starts a server and introduces an editor to it; ends it at the end.

    Raises:
        OSError: it cannot be started.
        TimeoutError: it does not answer.
    """
    began = time.perf_counter()
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        *command, stdin=pipe, stdout=pipe, stderr=asyncio.subprocess.DEVNULL, limit=2**26
    )
    client = Client(process, file.as_uri(), began)
    reading = asyncio.create_task(client.read())
    folder = {"uri": file.parent.as_uri(), "name": file.parent.name}
    params = {"processId": os.getpid(), "rootUri": folder["uri"], "workspaceFolders": [folder]}
    params |= {"capabilities": CAPABILITIES, "initializationOptions": options}
    try:
        answer = await asyncio.wait_for(client.ask("initialize", params), SECONDS_TO_START)
        client.capabilities = answer["capabilities"]
        client.notify("initialized", {})
        yield client
    finally:
        reading.cancel()
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()
        await asyncio.gather(reading, return_exceptions=True)


def _family(process: int) -> Iterator[int]:
    yield process
    with suppress(OSError):
        for task in Path(f"/proc/{process}/task").iterdir():
            for child in (task / "children").read_text().split():
                yield from _family(int(child))


def _resident(process: int) -> float:
    try:
        lines = Path(f"/proc/{process}/status").read_text().splitlines()
    except OSError:
        return 0.0
    return next((1024.0 * int(line.split()[1]) for line in lines if line.startswith("VmRSS")), 0.0)
