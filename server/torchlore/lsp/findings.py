"""A finding in the protocol's terms."""

from __future__ import annotations

from lsprotocol import types

from torchlore.lsp.analyses import Analysed
from torchlore.lsp.rule_pages import page_of
from torchlore.lsp.server import Server
from torchlore.rules.model import Finding, Severity

SOURCE = "torchlore"

_SEVERITIES = {
    Severity.ERROR: types.DiagnosticSeverity.Error,
    Severity.WARNING: types.DiagnosticSeverity.Warning,
    Severity.INFORMATION: types.DiagnosticSeverity.Information,
    Severity.HINT: types.DiagnosticSeverity.Hint,
}


def to_diagnostic(finding: Finding, known: Analysed, server: Server) -> types.Diagnostic:
    """The diagnostic of `finding`, with what the client declares and nothing else."""
    client, places = server.client, known.places(server.encoding)
    page = page_of(server, finding.code) if client.code_description else None
    related = [
        types.DiagnosticRelatedInformation(
            places.location(other.span), known.source.told_at(finding.span.start, other.message)
        )
        for other in finding.related
    ]
    return types.Diagnostic(
        range=places.range(finding.span),
        message=known.source.told_at(finding.span.start, finding.message),
        severity=_SEVERITIES[finding.severity],
        code=finding.code,
        source=SOURCE,
        code_description=types.CodeDescription(page) if page else None,
        related_information=(related or None) if client.related else None,
        tags=(_tags(finding) or None) if client.diagnostic_tags else None,
    )


def _tags(finding: Finding) -> list[types.DiagnosticTag]:
    """Names of rules read after "allow", so a rule about something deprecated says so in its name."""
    return [types.DiagnosticTag.Deprecated] if finding.name.startswith("deprecated-") else []
