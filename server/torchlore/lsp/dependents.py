"""Open files rest on those that they import: when one of these changes, what was said may be old."""

from __future__ import annotations

import asyncio
import logging
import os

from lsprotocol import types

from torchlore.lsp import diagnostics
from torchlore.lsp.server import Server
from torchlore.lsp.uris import path_of
from torchlore.lsp.worker import Priority

log = logging.getLogger(__name__)

PAUSE = 0.4
"""Seconds without an edit after which the files that import an edited one are looked at again."""

_WATCHED = ("**/*.{py,pyi}", "**/{pyproject,torchlore}.toml")
_CONFIGURATION = ("pyproject.toml", "torchlore.toml")


async def watch(server: Server) -> None:
    """Asks the client to tell of files that change on disk, where it offers to."""
    if not server.client.watches:
        return
    watchers = [types.FileSystemWatcher(glob_pattern=pattern) for pattern in _WATCHED]
    registration = types.Registration(
        id="torchlore-imports",
        method=types.WORKSPACE_DID_CHANGE_WATCHED_FILES,
        register_options=types.DidChangeWatchedFilesRegistrationOptions(watchers),
    )
    try:
        await server.client_register_capability_async(types.RegistrationParams([registration]))
    except Exception as error:  # the client thought better of it, or has gone
        log.info("the client does not tell of changes on disk: %s", error)


def register(server: Server) -> None:
    """Registers the notification about files that changed on disk."""

    @server.feature(types.WORKSPACE_DID_CHANGE_WATCHED_FILES)
    def did_change_watched_files(params: types.DidChangeWatchedFilesParams) -> None:
        changed(server, [path for change in params.changes if (path := path_of(change.uri))])


def text_changed(server: Server, uri: str) -> None:
    """An open file was edited, opened or closed: those that import it are looked at after a pause."""
    path = path_of(uri)
    if path is not None:
        changed(server, [path])


def changed(server: Server, paths: list[str]) -> None:
    """Files changed, came or went; what was going to be done about them waits for the next pause."""
    server.workspace_changed.set()
    server.changed_paths.update(map(os.path.normpath, paths))
    if server.refreshing is not None:
        server.refreshing.cancel()
    server.refreshing = server.start_task(_refresh(server), "looking at the files that import a changed one")


async def _refresh(server: Server) -> None:
    await asyncio.sleep(PAUSE)
    paths = frozenset(server.changed_paths)
    server.changed_paths.clear()
    if any(os.path.basename(path) in _CONFIGURATION for path in paths):  # noqa: PTH119
        diagnostics.look_again(server)
    stale = await server.worker.run(
        lambda: server.analyses.drop_dependents(paths), priority=Priority.BACKGROUND
    )
    for uri in stale:
        diagnostics.text_changed(server, uri)
    if stale and server.client.pulls:
        await server.workspace_diagnostic_refresh_async(None)
