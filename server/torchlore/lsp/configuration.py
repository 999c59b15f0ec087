"""The client's settings, for each workspace folder its own; asked for where it offers that."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence

from lsprotocol import types

from torchlore.lsp import diagnostics
from torchlore.lsp.server import Server
from torchlore.lsp.settings import settings_with
from torchlore.lsp.uris import path_of

log = logging.getLogger(__name__)

SECTION = "torchlore"

SECONDS_TO_ANSWER = 10.0
"""How long a client may take to say what is set before we go on with what we know."""


def register(server: Server) -> None:
    """Registers the notifications that settings or folders have changed."""

    @server.feature(types.WORKSPACE_DID_CHANGE_CONFIGURATION)
    def did_change_configuration(params: types.DidChangeConfigurationParams) -> None:
        if server.client.configuration:
            server.start_task(ask(server), "asking for the settings")
            return
        sent = params.settings.get(SECTION) if isinstance(params.settings, Mapping) else None
        if isinstance(sent, Mapping):  # Some send null, or other programs' settings alone.
            _use(server, sent, {})

    @server.feature(types.WORKSPACE_DID_CHANGE_WORKSPACE_FOLDERS)
    def did_change_workspace_folders(_: types.DidChangeWorkspaceFoldersParams) -> None:
        server.forget_folders()
        diagnostics.look_again(server)
        server.start_task(ask(server), "asking for the settings")


async def watch(server: Server) -> None:
    """Asks for the settings, and to be told when they change, where the client offers to."""
    if server.client.tells_settings:
        change = types.Registration(id="torchlore-settings", method=types.WORKSPACE_DID_CHANGE_CONFIGURATION)
        change.register_options = types.DidChangeConfigurationRegistrationOptions(section=SECTION)
        try:
            await server.client_register_capability_async(types.RegistrationParams([change]))
        except Exception as error:  # the client thought better of it, or has gone
            log.info("the client does not tell of changed settings: %s", error)
    await ask(server)


async def ask(server: Server) -> None:
    """Asks for the settings, of the client's as a whole and of each folder, and goes by them from now on."""
    if not server.client.configuration:
        return
    folders = [folder.uri for folder in server.documents.folders.values()]
    items = [types.ConfigurationItem(scope_uri=uri, section=SECTION) for uri in (None, *folders)]
    asking = server.workspace_configuration_async(types.ConfigurationParams(items))
    try:
        answers = await asyncio.wait_for(asking, SECONDS_TO_ANSWER)
    except asyncio.CancelledError:
        raise
    except Exception as error:
        log.info("the client does not say what is set: %s", error)
        return
    if isinstance(answers, Sequence) and len(answers) == len(items):
        general, *own = answers
        _use(
            server,
            general,
            {path: said for uri, said in zip(folders, own, strict=True) if (path := path_of(uri))},
        )


def _use(server: Server, general: object, by_folder: Mapping[str, object]) -> None:
    before, before_by_folder = server.settings, server.folder_settings
    server.settings = settings_with(server.options, general)
    server.folder_settings = {path: settings_with(server.options, said) for path, said in by_folder.items()}
    folders = before_by_folder.keys() | server.folder_settings.keys()
    # A client that tells at first what it said of itself before changes nothing.
    if server.settings != before or any(
        server.folder_settings.get(path, server.settings) != before_by_folder.get(path, before)
        for path in folders
    ):
        diagnostics.look_again(server)
        _show_again(server)


def _show_again(server: Server) -> None:
    """Has the client ask again for what it shows in the code, where it lets us."""
    if server.client.inlay_refresh:
        server.workspace_inlay_hint_refresh(None)
    if server.client.lens_refresh:
        server.workspace_code_lens_refresh(None)
