"""A server process and a pipe, without a client library: for clients that misbehave or die."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from harness import SECONDS, server_command, server_environment


class Raw:
    """A server whose stdin and stdout we hold."""

    def __init__(self, command: list[str] | None = None) -> None:
        self.process = subprocess.Popen(
            command or server_command(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=server_environment(),
        )

    def send(self, method: str, params: Any = None, number: int | None = None) -> None:
        message = {"jsonrpc": "2.0", "method": method, "params": params}
        if number is not None:
            message["id"] = number
        body = json.dumps(message).encode()
        self.write(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))

    def write(self, data: bytes) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(data)
        self.process.stdin.flush()

    def answer(self, number: int) -> dict[str, Any]:
        """The answer to a request; what comes before it is skipped."""
        while True:
            message = self.read()
            if message.get("id") == number and "method" not in message:
                return message

    def read(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        length = 0
        while (header := self.process.stdout.readline()) not in (b"\r\n", b""):
            if header.lower().startswith(b"content-length:"):
                length = int(header.split(b":")[1])
        assert length, "the server closed its output"
        message: dict[str, Any] = json.loads(self.process.stdout.read(length))
        return message

    def start(self, parent: int | None = None, capabilities: dict[str, Any] | None = None) -> None:
        params = {"processId": parent, "rootUri": None, "capabilities": capabilities or {}}
        self.send("initialize", {**params, "initializationOptions": {"runOwnCode": True}}, 0)
        self.answer(0)
        self.send("initialized", {})

    def open(self, text: str, uri: str = "file:///project/train.py") -> str:
        document = {"uri": uri, "languageId": "python", "version": 1, "text": text}
        self.send("textDocument/didOpen", {"textDocument": document})
        return uri

    def leave(self) -> int:
        self.send("shutdown", None, 1000)
        self.answer(1000)
        self.send("exit")
        return self.ended()

    def ended(self) -> int:
        """The exit status; fails where the server does not end."""
        assert self.process.stdin is not None and self.process.stdout is not None
        status = self.process.wait(SECONDS)
        self.process.stdin.close()
        self.process.stdout.close()
        return status


def lives(process: int) -> bool:
    """Whether a process runs; one that ended and was not waited for does not."""
    status = Path(f"/proc/{process}/stat")
    if Path("/proc/self/stat").exists():
        try:
            return status.read_text().rpartition(")")[2].split()[0] != "Z"
        except (FileNotFoundError, ProcessLookupError):
            return False
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


def until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.02)
