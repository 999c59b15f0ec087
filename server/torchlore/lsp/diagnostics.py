"""Findings as diagnostics: on request where the client can also be told to ask again, else published.

A client that asks but cannot be told to ask again (Neovim 0.11) would show stale findings after a change
of configuration, so it is served like one that cannot ask. Cells of notebooks are published to every client.
"""

from __future__ import annotations

from collections.abc import Container
from typing import TYPE_CHECKING

from lsprotocol import types

from torchlore.lsp.protocol import Superseded
from torchlore.lsp.server import Server
from torchlore.lsp.worker import Priority, Stale
from torchlore.text import Notebook, Source

if TYPE_CHECKING:
    from torchlore.lsp.analyses import Analysed


def register(server: Server) -> None:
    """Registers the request where the client can make use of it. Called by `initialize`."""
    if server.client.pulls:
        options = types.DiagnosticOptions(
            identifier=server.name,
            inter_file_dependencies=True,
            workspace_diagnostics=server.settings.workspace_diagnostics,
        )
        empty: types.DocumentDiagnosticReport = types.RelatedFullDocumentDiagnosticReport(items=[])
        server.handle(types.TEXT_DOCUMENT_DIAGNOSTIC, _report, options, otherwise=empty)
        if server.settings.workspace_diagnostics:
            none: types.WorkspaceDiagnosticReport = types.WorkspaceDiagnosticReport(items=[])
            server.handle(types.WORKSPACE_DIAGNOSTIC, _report_workspace, otherwise=none)


async def _report_workspace(
    server: Server, params: types.WorkspaceDiagnosticParams
) -> types.WorkspaceDiagnosticReport:
    from torchlore.lsp.workspace_diagnostics import report  # Few clients ask for it.

    return await report(server, params)


def text_changed(server: Server, uri: str) -> None:
    """Starts to look at the new text at once; what was started for an older one is dropped.

    Args:
        server: whose client changed it.
        uri: of the file, or of the notebook: all its cells are looked at anew.
    """
    if not _is_published(server, uri):
        return
    _drop(server, uri)
    if server.documents.snapshot(uri) is not None:
        server.publishing[uri] = server.start_task(_publish(server, uri), f"diagnostics of {uri}")
    else:
        _take_back(server, uri)


def look_again(server: Server) -> None:
    """What is open is judged anew: the configuration has changed, or what the files rest on."""
    server.workspace_changed.set()
    server.torch.clear()  # Another interpreter may be named.
    for uri in server.documents.homes():
        text_changed(server, uri)
    if server.client.pulls:
        server.start_task(_refresh(server), "asking the client to ask again")


async def _refresh(server: Server) -> None:
    await server.workspace_diagnostic_refresh_async(None)


def closed(server: Server, uri: str) -> None:
    """Takes back what was published."""
    _drop(server, uri)
    _take_back(server, uri)
    server.published.pop(uri, None)


def _is_published(server: Server, uri: str) -> bool:
    """Whether the client is told of mistakes unasked.

    Of notebooks it always is: a change of one cell changes what is wrong in others, which no client asks for
    again.
    """
    return not server.client.pulls or server.documents.get_notebook_document(notebook_uri=uri) is not None


def _drop(server: Server, uri: str) -> None:
    task = server.publishing.pop(uri, None)
    if task is not None:
        task.cancel()


def _take_back(server: Server, uri: str, *, but: Container[str] = ()) -> None:
    """Clears what is shown of a file or notebook, but for the documents named."""
    for shown in sorted(server.published.get(uri, ())):
        if shown not in but:
            server.text_document_publish_diagnostics(types.PublishDiagnosticsParams(shown, [], None))


async def _publish(server: Server, uri: str) -> None:
    found = await server.analysed(uri, lambda known: _look(server, known), Priority.BACKGROUND)
    if found is None:
        return
    source, by_document = found
    if not server.documents.is_current(uri, source):
        return  # The next version's own task is on its way.
    _take_back(server, uri, but=by_document)  # Cells that are gone.
    # No findings are published too: a client learns from it that this version was looked at.
    for document, (version, items) in by_document.items():
        params = types.PublishDiagnosticsParams(document, items, version)
        server.text_document_publish_diagnostics(params)
    server.published[uri] = set(by_document)


_ByDocument = dict[str, tuple[int, list[types.Diagnostic]]]
"""By a document's URI its version and its diagnostics."""


def _look(server: Server, known: Analysed) -> tuple[Source, _ByDocument]:
    from torchlore.lsp.findings import to_diagnostic  # On the worker: see `create_server`.

    source, places = known.source, known.places(server.encoding)
    shown: _ByDocument = {known.uri: (source.version, [])}
    if isinstance(source, Notebook):
        shown = {cell.uri: (cell.version, []) for cell in source.cells}
    for finding in known.findings():
        shown[places.location(finding.span).uri][1].append(to_diagnostic(finding, known, server))
    return source, shown


async def _report(server: Server, params: types.DocumentDiagnosticParams) -> types.DocumentDiagnosticReport:
    uri = params.text_document.uri
    if _is_published(server, server.documents.home(uri)):
        return types.RelatedFullDocumentDiagnosticReport(items=[])  # A notebook, or a cell of one.
    try:
        found = await server.analysed(uri, lambda known: _look(server, known), Priority.BACKGROUND)
    except Stale:
        raise Superseded from None
    if found is None:
        return types.RelatedFullDocumentDiagnosticReport(items=[])
    source, by_document = found
    if not server.documents.is_current(uri, source):
        raise Superseded
    ((_, items),) = by_document.values()
    return types.RelatedFullDocumentDiagnosticReport(items=items)
