"""From `initialize` to `exit`, and what happens when the client dies without a word."""

from __future__ import annotations

import asyncio
import logging
import os
import sys

from lsprotocol import types

from torchlore.device.trust import WHY_NOTHING_RUNS, Trust
from torchlore.lsp import assistance, configuration, dependents, diagnostics
from torchlore.lsp.client import client_of
from torchlore.lsp.documents import Documents
from torchlore.lsp.server import Server, register_code_actions
from torchlore.lsp.settings import settings_from
from torchlore.lsp.worker import Priority

log = logging.getLogger(__name__)

SECONDS_BETWEEN_LOOKS = 2.0
"""How often we look whether the client lives. pygls only notes its process id and never looks."""


def register(server: Server) -> None:
    """Registers what starts and ends a session."""

    # pygls calls this after it made its own workspace and before it states our capabilities.
    @server.feature(types.INITIALIZE)
    def initialize(params: types.InitializeParams) -> None:
        server.client = client_of(params)
        server.options = params.initialization_options
        server.settings = settings_from(server.options)
        workspace = server.protocol.workspace
        folders = list(workspace.folders.values())
        server.protocol._workspace = Documents(workspace.root_uri, folders, server.encoding)
        diagnostics.register(server)
        assistance.register(server)
        register_code_actions(server)
        if params.process_id is not None and _can_watch(params.process_id):
            server.watched = params.process_id

    @server.feature(types.INITIALIZED)
    def initialized(_: types.InitializedParams) -> None:
        server.start_task(server.worker.run(_load_for_hovers), "loading the knowledge")
        later = server.worker.run(_load_rules, priority=Priority.BACKGROUND, about="")
        server.start_task(later, "loading the rules")
        server.start_task(dependents.watch(server), "asking for changes on disk")
        server.start_task(configuration.watch(server), "asking for the settings")
        if server.settings.trust is not Trust.TRUSTED:
            server.log_to_client(WHY_NOTHING_RUNS)
        if server.settings.warm:
            server.start_task(_warm(server), "importing torch")
        if server.watched is not None:
            server.start_task(_watch(server, server.watched), "watching the client")

    @server.feature(types.SHUTDOWN)
    def shutdown(_: None) -> None:
        for task in list(server.tasks):
            task.cancel()
        server.stop_asking()
        server.dismiss_crew()
        server.pages.remove()


def _load_for_hovers() -> None:
    """Imports and reads what the first hover needs, after `initialize` was answered."""
    from torchlore import knowledge
    from torchlore.lsp import analyses, hover  # noqa: F401

    knowledge.resolve(("torch.Tensor.backward",))
    knowledge.card_for("torch.Tensor.backward")


def _load_rules() -> None:
    """Imports what diagnostics and actions need. A hover that comes meanwhile goes first."""
    from torchlore.lsp import code_actions, commands, completion, findings  # noqa: F401
    from torchlore.rules import all_rules

    all_rules()


async def _warm(server: Server) -> None:
    """The user's own settings asked for it; without trust nothing is started all the same."""
    from torchlore.device import NotAllowed
    from torchlore.lsp.installed import chosen_interpreter

    try:
        await server.crew.warm(chosen_interpreter(server, None), server.settings.trust)
    except NotAllowed as refusal:
        log.info("%s", refusal)


def _can_watch(process: int) -> bool:
    """Whether the id means a process here: over TCP or out of a container it may be another machine's."""
    return sys.platform != "win32" and _lives(process)


def _lives(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError, OSError):
        return True
    return True


async def _watch(server: Server, client: int) -> None:
    while _lives(client):  # noqa: ASYNC110  # No event tells of another process.
        await asyncio.sleep(SECONDS_BETWEEN_LOOKS)
    log.warning("the client's process %d is gone; leaving", client)
    await leave(server)


async def leave(server: Server) -> None:
    """Ends this process although stdin is still open: what runs is cancelled first, so that it is killed."""
    mine = asyncio.current_task()
    running = [task for task in server.tasks if task is not mine]
    for task in running:
        task.cancel()
    if running:
        await asyncio.wait(running, timeout=5)
    server.stop_asking()
    server.dismiss_crew()
    server.pages.remove()
    # A thread is blocked reading stdin and cannot be woken; a normal exit would wait for it.
    os._exit(1)
