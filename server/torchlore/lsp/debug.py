"""What to put into a report of something that went wrong: `torchlore.debugInformation`."""

from __future__ import annotations

import platform
import threading
from collections.abc import Iterator
from dataclasses import fields
from functools import partial
from pathlib import Path
from typing import Any

from torchlore import __version__
from torchlore.lsp.analyses import configuration
from torchlore.lsp.installed import chosen_interpreter, used_torch
from torchlore.lsp.server import Server


async def debug_information(server: Server, _: list[Any]) -> str:
    """Writes versions, the client, its settings and folders, and what is open to the client's log.

    Returns:
        The same text, for clients that show what a command gives.
    """
    # On the worker: it looks at folders, and what is analysed is the worker's own.
    text = await server.worker.run(partial(_text, server))
    server.log_to_client(text)
    return text


def _text(server: Server) -> str:
    return "\n".join(_lines(server))


def _lines(server: Server) -> Iterator[str]:
    yield f"torchlore {__version__}, Python {platform.python_version()}, {platform.platform()}"
    yield f"client: {_told(server.client)}"
    yield f"settings: {_told(server.settings)}"
    documents = server.documents
    for folder in documents.folders.values():
        yield f"folder {folder.uri}"
        inside = f"{folder.uri.rstrip('/')}/"
        chosen, torch = chosen_interpreter(server, inside), used_torch(server, inside)
        yield f"  interpreter: {chosen.path} ({chosen.origin}), torch {torch or 'unknown'}"
        path = documents.folder_of(inside)
        root = configuration(path).root if path else None
        yield f"  configuration: {root or 'none'}"
        own = server.settings_of(inside)
        if own != server.settings:
            yield f"  settings: {_told(own)}"
    opened = list(documents.documents())
    yield f"open: {len(opened)} documents, {sum(len(d.source) for d in opened)} characters"
    yield f"analysed: {len(server.analyses)}; shown: {len(server.published)}; tasks: {len(server.tasks)}"
    yield f"threads: {threading.active_count()}{_memory()}"


def _told(data: Any) -> str:
    """The fields of a dataclass that say something."""
    said = ((field.name, getattr(data, field.name)) for field in fields(data))
    return ", ".join(
        f"{name}={getattr(value, 'value', value)}" for name, value in said if value not in (None, "")
    )


def _memory() -> str:
    status = Path("/proc/self/status")
    if not status.is_file():
        return ""
    line = next(line for line in status.read_text().splitlines() if line.startswith("VmRSS"))
    return f", memory: {int(line.split()[1]) / 1024:.0f} MB"
