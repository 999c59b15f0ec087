"""`torchlore.environment`: which Python and torch belong to a file, and which devices they see."""

from __future__ import annotations

from dataclasses import asdict
from functools import partial
from typing import Any

from torchlore.analysis.installed import package_folders
from torchlore.device import NotAllowed, describe, torch_version
from torchlore.device.trust import WHY_NOTHING_RUNS, Trust
from torchlore.lsp.commands import first_of
from torchlore.lsp.installed import chosen_interpreter
from torchlore.lsp.server import Server
from torchlore.lsp.worker import Priority


async def environment(server: Server, arguments: list[Any]) -> dict[str, Any]:
    """The interpreter of `{"uri": ...}`, or of the workspace, and the version of its torch.

    That is read off the names of files, and nothing is started. Only where the user asked to look, which
    `"look": true` says, that interpreter imports its torch and names its devices.

    Returns:
        `interpreter` with `path` and `origin`; `torch`, a version or null; `devices`, best first, or null
        where nobody looked; `problem`, null or a sentence for the user.
    """
    asked = first_of(arguments)
    uri = asked.get("uri")
    interpreter = chosen_interpreter(server, uri if isinstance(uri, str) else None)
    problem = None if server.settings.trust is Trust.TRUSTED else WHY_NOTHING_RUNS
    known: dict[str, Any] = {"interpreter": asdict(interpreter), "devices": None, "problem": problem}
    if asked.get("look") is not True:
        look = partial(_torch_of, interpreter.path)
        return {**known, "torch": await server.worker.run(look, priority=Priority.BACKGROUND)}
    try:
        seen = await describe(interpreter, server.settings.trust, server.crew)
    except NotAllowed as refusal:
        return {**known, "torch": None, "problem": str(refusal)}
    devices = [asdict(device) for device in seen.devices]
    return {**known, "torch": seen.torch, "devices": devices, "problem": seen.problem}


def _torch_of(interpreter: str) -> str | None:
    return torch_version(package_folders(interpreter))
