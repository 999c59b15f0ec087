"""A server in this process, behind the loop that reads a real connection: it is fed with bytes."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from hypothesis import HealthCheck, settings
from in_process import Wire
from pygls.io_ import run_async
from torchlore.lsp.server import Server, create_server

SECONDS = 30.0
"""Far more than anything takes: only a hang takes so long."""

_EXAMPLES = os.environ.get("TORCHLORE_FUZZ")

FUZZ = settings(
    deadline=None,
    derandomize=_EXAMPLES is None,
    max_examples=int(_EXAMPLES or 25),
    stateful_step_count=30,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
"""The same examples in each run, unless TORCHLORE_FUZZ says how many to try: then they are new ones."""

SILENT = logging.getLogger("fuzz")
SILENT.setLevel(logging.CRITICAL + 1)


def framed(message: Any) -> bytes:
    """A message as it comes over the wire; bytes are taken for a body that is no JSON."""
    body = message if isinstance(message, bytes) else json.dumps(message).encode()
    return b"Content-Length: %d\r\n\r\n%s" % (len(body), body)


class Connection:
    """A server and the loop that it runs in, which stands still between two calls."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self.server: Server = create_server()
        self.wire = Wire()
        self.server.protocol.set_writer(self.wire)
        self.reader = self.loop.run_until_complete(_reader())
        reading = run_async(
            threading.Event(), self.reader, self.server.protocol, SILENT, self.server.report_server_error
        )
        self.reading = self.loop.create_task(reading)
        self.failures: list[dict[str, Any]] = []
        self.loop.set_exception_handler(lambda _, context: self.failures.append(context))
        self.turn()

    def feed(self, data: bytes) -> None:
        """Sends bytes, and lets the server read them."""
        self.reader.feed_data(data)
        self.turn()

    def send(self, method: str, params: Any = None, number: Any = None) -> None:
        message = {"jsonrpc": "2.0", "method": method, "params": params}
        self.feed(framed(message if number is None else {**message, "id": number}))

    def start(
        self, capabilities: dict[str, Any] | None = None, folders: Any = None, options: Any = None
    ) -> None:
        params = {"processId": None, "rootUri": None, "capabilities": capabilities or {}}
        more = {"workspaceFolders": folders, "initializationOptions": options}
        self.send("initialize", {**params, **more}, "start")
        self.until(lambda: self.answered("start"))
        self.send("initialized", {})

    def turn(self) -> None:
        """Lets the loop do what it can do at once."""

        async def turns() -> None:
            for _ in range(4):
                await asyncio.sleep(0)

        self.loop.run_until_complete(turns())

    def until(self, condition: Callable[[], bool]) -> None:
        async def wait() -> None:
            while not condition():  # noqa: ASYNC110  # Nothing tells when it holds.
                await asyncio.sleep(0.001)

        self.loop.run_until_complete(asyncio.wait_for(wait(), SECONDS))

    def answers(self, number: Any) -> list[dict[str, Any]]:
        return [m for m in self.wire.messages if m.get("id") == number and "method" not in m]

    def answered(self, number: Any) -> bool:
        return bool(self.answers(number))

    def rest(self) -> None:
        """Waits until nothing is left to do."""
        self.until(lambda: not self.server.tasks)

    def end(self) -> None:
        """Ends the input, as a client that dies does; the server must stop reading."""
        self.reader.feed_eof()
        with suppress(asyncio.IncompleteReadError):  # As over TCP, where the client is gone then.
            self.loop.run_until_complete(asyncio.wait_for(self.reading, SECONDS))

    def close(self) -> None:
        tasks = asyncio.all_tasks(self.loop)
        for task in tasks:
            task.cancel()
        if tasks:
            self.loop.run_until_complete(asyncio.wait(tasks))
        self.loop.run_until_complete(self.loop.shutdown_default_executor())
        self.loop.close()


async def _reader() -> asyncio.StreamReader:
    return asyncio.StreamReader(limit=2**26)
