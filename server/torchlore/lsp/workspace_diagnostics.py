"""Findings in the files of the workspace that are not open, for clients that ask for them.

Off by default: a setting switches it on, and only for a client that asks for diagnostics. Files are looked at
one by one in the background, and again only when they, what they import or their configuration have changed.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from lsprotocol import types
from pygls.uris import from_fs_path

from torchlore.config import Config
from torchlore.files import config_finder, python_files
from torchlore.lsp.analyses import Analysed, configuration
from torchlore.lsp.findings import to_diagnostic
from torchlore.lsp.server import Server
from torchlore.lsp.uris import path_of
from torchlore.lsp.worker import Priority
from torchlore.rules.model import Severity
from torchlore.text import Source, decode

MAX_BYTES = 1_000_000
"""Longer files are data or generated code."""

_BATCH = 20
"""Files reported at once to a client that takes results in parts."""

Signature = tuple[int, int]
_Report = types.WorkspaceFullDocumentDiagnosticReport | types.WorkspaceUnchangedDocumentDiagnosticReport


@dataclass(frozen=True, slots=True)
class Seen:
    """What was found in a file, by the name under which it was reported.

    Attributes:
        result: that name; no other result has it.
        config: under which the file was judged.
        rests_on: the file itself, what it imports and where it looked for more, as they were then.
        items: what was found.
    """

    result: str
    config: Config
    rests_on: tuple[tuple[str, Signature | None], ...]
    items: tuple[types.Diagnostic, ...]

    def holds(self, config: Config) -> bool:
        return self.config == config and all(_signature(path) == was for path, was in self.rests_on)


async def report(server: Server, params: types.WorkspaceDiagnosticParams) -> types.WorkspaceDiagnosticReport:
    """Answers `workspace/diagnostic`, in parts where the client has a token for these.

    Where nothing has changed the answer waits until something does, for a client that tells of changes: it
    asks again as soon as it is answered.
    """
    before = {previous.uri: previous.value for previous in params.previous_result_ids}
    while True:
        server.workspace_changed.clear()
        reports: list[_Report] = []
        is_news = False
        async for found in _reports(server, before):
            is_news = is_news or isinstance(found, types.WorkspaceFullDocumentDiagnosticReport)
            reports.append(found)
            if params.partial_result_token is not None and is_news and len(reports) >= _BATCH:
                _send(server, params.partial_result_token, reports)
                reports = []
        if is_news or not server.client.watches:
            return types.WorkspaceDiagnosticReport(items=reports)
        await server.workspace_changed.wait()


def _send(server: Server, token: types.ProgressToken, reports: list[_Report]) -> None:
    part = types.WorkspaceDiagnosticReportPartialResult(items=reports)
    server.progress(types.ProgressParams(token, part))


async def _reports(server: Server, before: Mapping[str, str]) -> AsyncIterator[_Report]:
    """One for each file that is not open, and an empty one for each that the client knows and is gone."""
    roots = [Path(path) for path in server.documents.folder_paths()]
    paths = await asyncio.to_thread(_listed, roots)
    for path in paths:
        uri = from_fs_path(path) or path
        if server.documents.document(uri) is not None:
            continue  # The client asks for what is open by itself.
        look = partial(_look, server, path, uri)
        seen = await server.worker.run(look, priority=Priority.BACKGROUND, about=uri)
        if seen is None:
            continue
        server.seen[path] = seen
        if before.get(uri) == seen.result:
            yield types.WorkspaceUnchangedDocumentDiagnosticReport(uri=uri, result_id=seen.result)
        elif seen.items or uri in before:
            yield _full(uri, seen.items, seen.result)
    there = set(paths)
    for uri in before:
        gone = path_of(uri)
        if gone is not None and gone not in there:
            server.seen.pop(gone, None)
            yield _full(uri, ())


def _full(uri: str, items: Iterable[types.Diagnostic], result: str | None = None) -> _Report:
    return types.WorkspaceFullDocumentDiagnosticReport(uri=uri, items=list(items), result_id=result)


def _listed(roots: Iterable[Path]) -> list[str]:
    """The files of the workspace. A configuration that is broken is one that says nothing."""
    config_of = config_finder(lambda config: config)

    def tolerant(folder: Path) -> Config:
        try:
            return config_of(folder)
        except (ValueError, OSError):
            return Config()

    return [os.path.abspath(path) for path in python_files(roots, tolerant) if path.suffix == ".py"]  # noqa: PTH100


def _look(server: Server, path: str, uri: str) -> Seen | None:
    """What is wrong in a file, as it is on disk; None where it cannot be read. What still holds is kept."""
    settings = server.settings_of(uri)
    config = configuration(path, settings)
    known = server.seen.get(path)
    if known is not None and known.holds(config):
        return known
    own = _signature(path)
    source = _read(path) if own is not None and own[1] <= MAX_BYTES else None
    if source is None:
        return None
    file = Analysed(uri, source, server.installed, server.analyses.workspace)
    file.settings = settings
    # What merely could be better is for the file that somebody works on.
    shown = [f for f in file.findings() if f.severity in (Severity.ERROR, Severity.WARNING)]
    items = tuple(to_diagnostic(finding, file, server) for finding in shown)
    others = file.analysis.dependencies
    rests_on = ((path, own), *((other, _signature(other)) for other in (*others.files, *others.missed)))
    file.analysis.forget()
    server.results += 1
    return Seen(str(server.results), config, rests_on, items)


def _read(path: str) -> Source | None:
    try:
        return Source(decode(Path(path).read_bytes()), path)
    except (OSError, UnicodeDecodeError, SyntaxError, LookupError):
        return None


def _signature(path: str) -> Signature | None:
    try:
        stat = os.stat(path)  # noqa: PTH116
    except (OSError, ValueError):
        return None
    return stat.st_mtime_ns, stat.st_size
