"""Runs the server over stdio or TCP."""

from __future__ import annotations

import gc
import logging
import os
import signal
import sys
from threading import Event
from types import FrameType
from typing import TYPE_CHECKING

from torchlore.lsp import light_types
from torchlore.lsp.light_asyncio import asyncio

if TYPE_CHECKING:
    from torchlore.lsp.server import Server

log = logging.getLogger(__name__)


_SECONDS_BETWEEN_THREADS = 0.001
"""How long the thread that analyses may go on when the one that answers is ready: five times as often as
Python's default, which a hover would wait for twice."""


def serve_stdio() -> int:
    """Serves the client on stdin and stdout until it leaves.

    Returns:
        The exit status that the protocol asks for: 0 after `shutdown`, else 1.
    """
    set_up_logging()
    sys.setswitchinterval(_SECONDS_BETWEEN_THREADS)
    # Only the protocol may use the real stdout: a stray print would corrupt it.
    stdout, sys.stdout = sys.stdout.buffer, sys.stderr
    server = _server()
    _leave_on_signals(server)
    try:
        server.start_io(sys.stdin.buffer, stdout)
    except (MemoryError, OverflowError):
        log.error("the client announced a message that no memory holds; what follows cannot be read")
    finally:
        server.pages.remove()
    return 0 if server.protocol._shutdown else 1


def serve_tcp(host: str, port: int) -> int:
    """Serves the first client that connects to `host`:`port` until it leaves.

    Prints the address on stderr, so that port 0 (any free one) is of use.

    Returns:
        The exit status that the protocol asks for: 0 after `shutdown`, else 1.

    Raises:
        OSError: the address cannot be had.
    """
    set_up_logging()
    sys.setswitchinterval(_SECONDS_BETWEEN_THREADS)
    server = _server()
    try:
        asyncio.run(_serve_one(server, host, port))
    except SystemExit:
        pass  # pygls ends the loop with this on `exit`.
    finally:
        server.pages.remove()
    return 0 if server.protocol._shutdown else 1


def _server() -> Server:
    gc.disable()  # What is imported stays: looking through it again and again takes a tenth of the time.
    light_types.load()
    from torchlore.lsp.server import create_server  # It imports these types.

    server = create_server()
    gc.freeze()
    gc.enable()
    return server


def _leave_on_signals(server: Server) -> None:
    """Has signals end the server at once: after Ctrl-C asyncio would wait for the thread that reads stdin.

    What runs is ended by its agent, which notices that the server is gone.
    """

    def leave(number: int, _: FrameType | None) -> None:
        server.pages.remove()
        os._exit(128 + number)

    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), leave)


def set_up_logging() -> None:
    """Logs to stderr, which every client keeps; `TORCHLORE_LOG` sets the level."""
    level = os.environ.get("TORCHLORE_LOG", "WARNING").upper()
    known = level if isinstance(logging.getLevelName(level), int) else "WARNING"
    logging.basicConfig(
        level=known, stream=sys.stderr, format="%(asctime)s %(name)s %(levelname)s: %(message)s"
    )
    if known != "DEBUG":
        # pygls logs every cancelled request and each message in full; what matters we log ourselves.
        logging.getLogger("pygls").setLevel(logging.CRITICAL)


async def _serve_one(server: Server, host: str, port: int) -> None:
    from pygls.io_ import run_async  # It imports the types of the protocol, too.

    done = asyncio.get_running_loop().create_future()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        listener.close()
        server.protocol.set_writer(writer)
        try:
            await run_async(Event(), reader, server.protocol, log)
        except (ConnectionError, asyncio.IncompleteReadError):
            log.warning("the client is gone")
        finally:
            if not done.done():
                done.set_result(None)

    listener = await asyncio.start_server(serve, host, port)
    address = listener.sockets[0].getsockname()
    print(f"torchlore: listening on {address[0]}:{address[1]}", file=sys.stderr, flush=True)
    await done
