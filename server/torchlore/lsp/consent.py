"""Asking the user before their own code is run."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path

from lsprotocol import types

from torchlore.device import NotAllowed, Trust
from torchlore.device.consent import give_consent, has_consent
from torchlore.lsp.server import Server

log = logging.getLogger(__name__)

ONCE = "Run once"
ALWAYS = "Always in this folder"
NEVER_MIND = "Do not run"

SECONDS_TO_ANSWER = 120.0


async def require_consent(server: Server, uri: str | None) -> None:
    """Returns where the user lets code of theirs run, asking them if need be.

    Raises:
        NotAllowed: they do not, or cannot be asked.
    """
    if server.settings.trust is not Trust.TRUSTED or server.settings.run_own_code:
        return  # Without trust the run itself refuses, and says why.
    if server.settings.run_own_code is False:
        raise NotAllowed("Your setting `runOwnCode` is false, so only torchlore's own snippets are run.")
    root = server.documents.folder_of(uri or "")
    folder = Path(root) if root else None
    if folder is not None and await asyncio.to_thread(has_consent, folder):
        return
    answer = await _ask(server, folder)
    if answer not in (ONCE, ALWAYS):
        raise NotAllowed(
            "Nothing was run: your own code runs only when you agree, or with the setting `runOwnCode`."
        )
    if answer == ALWAYS and folder is not None:
        await asyncio.to_thread(give_consent, folder)


async def _ask(server: Server, folder: Path | None) -> str | None:
    where = f" in {folder}" if folder else ""
    message = f"Run this code{where}? It may do whatever you may do on this machine."
    titles = [ONCE, ALWAYS, NEVER_MIND] if folder else [ONCE, NEVER_MIND]
    params = types.ShowMessageRequestParams(
        types.MessageType.Warning, message, [types.MessageActionItem(title) for title in titles]
    )
    try:
        asking = server.window_show_message_request_async(params)
        answer = await asyncio.wait_for(asking, SECONDS_TO_ANSWER)
    except asyncio.CancelledError:
        raise
    except Exception as error:
        log.info("the client did not ask whether code may be run: %s", error)
        return None
    return answer.title if answer is not None else None
