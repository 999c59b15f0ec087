"""Work-done progress that the server starts, with a cancel button while something runs."""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections.abc import Callable

from lsprotocol import types

from torchlore.lsp.server import Server

log = logging.getLogger(__name__)

SECONDS_TO_ANSWER = 5.0
"""How long a client may take to make room for progress before we go on without."""

SECONDS_UNTOLD = 0.5


class Progress:
    """The progress of one piece of work. Does nothing where the client did not make room for it."""

    def __init__(self, server: Server, token: str | None) -> None:
        self._server = server
        self._token = token

    def report(self, message: str) -> None:
        if self._token is not None:
            self._server.work_done_progress.report(self._token, types.WorkDoneProgressReport(message=message))

    def end(self, message: str) -> None:
        """Ends it; every progress that was begun must be ended, whatever happened."""
        if self._token is not None:
            self._server.work_done_progress.end(self._token, types.WorkDoneProgressEnd(message=message))
            self._server.work_done_progress.tokens.pop(self._token, None)
            self._token = None


class ImportProgress:
    """Tells that torch is imported, where a run has to wait for that, and when it need not any more."""

    def __init__(self, report: Callable[[str], None]) -> None:
        self._report = report
        self._soon: asyncio.TimerHandle | None = None
        self._is_told = False

    def wait(self) -> None:
        """A run was asked for. Where torch is there already, nobody need be told."""
        self._soon = asyncio.get_running_loop().call_later(SECONDS_UNTOLD, self._tell)

    def end(self) -> None:
        """It has begun, or is over."""
        if self._soon is not None:
            self._soon.cancel()
        if self._is_told:
            self._report("running")
            self._is_told = False

    def repeat(self) -> None:
        """The client has made room for it only now."""
        if self._is_told:
            self._tell()

    def _tell(self) -> None:
        self._is_told = True
        self._report("importing torch")


async def begin(server: Server, title: str, cancel: Callable[[], object]) -> Progress:
    """Shows that something runs.

    Clients ignore tokens of their own making except on `initialize`, hence a token of ours; and nothing
    may be sent about a token before the client agreed to it.

    Args:
        server: whose client it is.
        title: what runs.
        cancel: called when the user wants it to stop.
    """
    if not server.client.progress:
        return Progress(server, None)
    token = str(uuid.uuid4())
    try:
        await asyncio.wait_for(server.work_done_progress.create_async(token), SECONDS_TO_ANSWER)
    except asyncio.CancelledError:
        raise
    except Exception as error:
        log.info("the client takes no progress: %s", error)
        return Progress(server, None)
    loop = asyncio.get_running_loop()
    cancelled = server.work_done_progress.tokens[token]

    def on_done(future: object) -> None:
        if cancelled.cancelled():
            loop.call_soon_threadsafe(cancel)

    cancelled.add_done_callback(on_done)
    begun = types.WorkDoneProgressBegin(title=title, cancellable=True)
    server.work_done_progress.begin(token, begun)
    return Progress(server, token)
