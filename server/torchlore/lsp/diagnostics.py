"""Findings as diagnostics: on request where the client can also be told to ask again, else published.

A client that asks but cannot be told to ask again (Neovim 0.11) would show stale findings after a change
of configuration, so it is served like one that cannot ask.
"""

from __future__ import annotations

from lsprotocol import types

from torchlore.lsp.analyses import Analysed
from torchlore.lsp.convert import to_range
from torchlore.lsp.protocol import Superseded
from torchlore.lsp.server import Server
from torchlore.lsp.worker import Priority, Stale
from torchlore.rules.model import Finding, Severity

SOURCE = "torchlore"

_SEVERITIES = {
    Severity.ERROR: types.DiagnosticSeverity.Error,
    Severity.WARNING: types.DiagnosticSeverity.Warning,
    Severity.INFORMATION: types.DiagnosticSeverity.Information,
    Severity.HINT: types.DiagnosticSeverity.Hint,
}


def register(server: Server) -> None:
    """Registers the request where the client can make use of it. Called by `initialize`."""
    if server.client.pulls:
        options = types.DiagnosticOptions(
            identifier=SOURCE, inter_file_dependencies=False, workspace_diagnostics=False
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


def to_diagnostic(finding: Finding, known: Analysed, server: Server) -> types.Diagnostic:
    """A finding in the protocol's terms, with what the client declares and nothing else."""
    client, source = server.client, known.source
    related = [
        types.DiagnosticRelatedInformation(
            types.Location(known.uri, to_range(source, place.span, client.encoding)), place.message
        )
        for place in finding.related
    ]
    return types.Diagnostic(
        range=to_range(source, finding.span, client.encoding),
        message=finding.message,
        severity=_SEVERITIES[finding.severity],
        code=finding.code,
        source=SOURCE,
        code_description=types.CodeDescription(finding.url) if client.code_description else None,
        related_information=(related or None) if client.related else None,
        tags=(_tags(finding) or None) if client.diagnostic_tags else None,
    )


def _drop(server: Server, uri: str) -> None:
    task = server.publishing.pop(uri, None)
    if task is not None:
        task.cancel()


async def _publish(server: Server, uri: str) -> None:
    found = await server.analysed(uri, lambda known: (known, known.findings()), Priority.BACKGROUND)
    if found is None:
        return
    known, findings = found
    if not server.documents.is_current(uri, known.source):
        return  # The next version's own task is on its way.
    if findings or uri in server.published:
        _show(
            server, uri, [to_diagnostic(finding, known, server) for finding in findings], known.source.version
        )


def _show(server: Server, uri: str, items: list[types.Diagnostic], version: int | None) -> None:
    if items:
        server.published.add(uri)
    else:
        server.published.discard(uri)
    server.text_document_publish_diagnostics(types.PublishDiagnosticsParams(uri, items, version))


async def _report(server: Server, params: types.DocumentDiagnosticParams) -> types.DocumentDiagnosticReport:
    uri = params.text_document.uri
    try:
        found = await server.analysed(uri, lambda known: (known, known.findings()), Priority.BACKGROUND)
    except Stale:
        raise Superseded from None
    if found is None:
        return types.RelatedFullDocumentDiagnosticReport(items=[])
    known, findings = found
    if not server.documents.is_current(uri, known.source):
        raise Superseded
    items = [to_diagnostic(finding, known, server) for finding in findings]
    return types.RelatedFullDocumentDiagnosticReport(items=items)


def _tags(finding: Finding) -> list[types.DiagnosticTag]:
    """Names of rules read after "allow", so a rule about something deprecated says so in its name."""
    return [types.DiagnosticTag.Deprecated] if finding.name.startswith("deprecated-") else []
