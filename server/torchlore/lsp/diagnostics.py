"""Findings as diagnostics: on request where the client can also be told to ask again, else published.

A client that asks but cannot be told to ask again (Neovim 0.11) would show stale findings after a change
of configuration, so it is served like one that cannot ask.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lsprotocol import types

from torchlore.lsp.protocol import Superseded
from torchlore.lsp.server import Server
from torchlore.lsp.worker import Priority, Stale
from torchlore.text import Source

if TYPE_CHECKING:
    from torchlore.lsp.analyses import Analysed


def register(server: Server) -> None:
    """Registers the request where the client can make use of it. Called by `initialize`."""
    if server.client.pulls:
        options = types.DiagnosticOptions(
            identifier=server.name, inter_file_dependencies=False, workspace_diagnostics=False
        )
        empty: types.DocumentDiagnosticReport = types.RelatedFullDocumentDiagnosticReport(items=[])
        server.handle(types.TEXT_DOCUMENT_DIAGNOSTIC, _report, options, otherwise=empty)


def text_changed(server: Server, uri: str) -> None:
    """Starts to look at the new text at once; what was started for an older one is dropped."""
    if server.client.pulls:
        return
    _drop(server, uri)
    document = server.documents.document(uri)
    if document is not None and document.analysable:
        server.publishing[uri] = server.start_task(_publish(server, uri), f"diagnostics of {uri}")
    elif uri in server.published:
        _show(server, uri, [], None)


def closed(server: Server, uri: str) -> None:
    """Takes back what was published."""
    if server.client.pulls:
        return
    _drop(server, uri)
    if uri in server.published:
        _show(server, uri, [], None)
        server.published.discard(uri)


def _drop(server: Server, uri: str) -> None:
    task = server.publishing.pop(uri, None)
    if task is not None:
        task.cancel()


async def _publish(server: Server, uri: str) -> None:
    found = await server.analysed(uri, lambda known: _look(server, known), Priority.BACKGROUND)
    if found is None:
        return
    source, items = found
    if not server.documents.is_current(uri, source):
        return  # The next version's own task is on its way.
    _show(server, uri, items, source.version)


def _look(server: Server, known: Analysed) -> tuple[Source, list[types.Diagnostic]]:
    from torchlore.lsp.findings import to_diagnostic  # On the worker: see `create_server`.

    return known.source, [to_diagnostic(finding, known, server) for finding in known.findings()]


def _show(server: Server, uri: str, items: list[types.Diagnostic], version: int | None) -> None:
    # No findings are published too: a client learns from it that this version was looked at.
    server.published.add(uri)
    server.text_document_publish_diagnostics(types.PublishDiagnosticsParams(uri, items, version))


async def _report(server: Server, params: types.DocumentDiagnosticParams) -> types.DocumentDiagnosticReport:
    uri = params.text_document.uri
    try:
        found = await server.analysed(uri, lambda known: _look(server, known), Priority.BACKGROUND)
    except Stale:
        raise Superseded from None
    if found is None:
        return types.RelatedFullDocumentDiagnosticReport(items=[])
    source, items = found
    if not server.documents.is_current(uri, source):
        raise Superseded
    return types.RelatedFullDocumentDiagnosticReport(items=items)
