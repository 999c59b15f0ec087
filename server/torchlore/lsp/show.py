"""Showing the user a page where the client can, and telling them in one line where it cannot."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable
from pathlib import Path

from lsprotocol import types
from pygls.uris import from_fs_path

from torchlore.device import Picture
from torchlore.lsp.server import Server

log = logging.getLogger(__name__)

SECONDS_TO_ANSWER = 10.0
"""How long a client may take to open a page before we say in one line where it is."""

MAX_MESSAGE = 400


async def show_page(
    server: Server,
    name: str,
    markdown: str,
    in_short: str,
    pictures: Iterable[Path] = (),
    drawn: Iterable[Picture] = (),
) -> None:
    """Writes a page and shows it.

    Args:
        server: whose client it is.
        name: of the page; one of the same name is replaced.
        markdown: the page.
        in_short: what a client that opens no page says in its place; plain text.
        pictures: files that the page shows, by their names alone.
        drawn: pictures of a run that it shows, likewise.
    """
    path = await asyncio.get_running_loop().run_in_executor(
        None, server.pages.write, name, markdown, pictures, drawn
    )
    uri = from_fs_path(str(path))
    if server.client.show_document and uri is not None and await _opened(server, uri):
        return
    # The path is what the message is for: it is the words that are cut.
    tell(server, f"{_shortened(in_short, MAX_MESSAGE - len(str(path)) - 1)}\n{path}")


def tell(server: Server, message: str, kind: types.MessageType = types.MessageType.Info) -> None:
    """Says something that the user asked for and nothing else: what they did not ask for goes to the log."""
    server.window_show_message(types.ShowMessageParams(kind, _shortened(message, MAX_MESSAGE)))


async def _opened(server: Server, uri: str) -> bool:
    params = types.ShowDocumentParams(uri=uri, external=False, take_focus=True)
    try:
        result = await asyncio.wait_for(server.window_show_document_async(params), SECONDS_TO_ANSWER)
    except asyncio.CancelledError:
        raise
    except Exception as error:
        log.info("the client did not show %s: %s", uri, error)
        return False
    return bool(result is not None and result.success)


def _shortened(text: str, length: int) -> str:
    return text if len(text) <= length else f"{text[: max(length, 1) - 1]}…"
