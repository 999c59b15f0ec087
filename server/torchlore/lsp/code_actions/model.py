"""What the actions are asked about."""

from __future__ import annotations

from dataclasses import dataclass

from lsprotocol import types

from torchlore.lsp.analyses import Analysed
from torchlore.lsp.server import Server
from torchlore.rules.model import Finding
from torchlore.text import Edit, Span


@dataclass(frozen=True, slots=True)
class Asked:
    """One request.

    Attributes:
        server: whose client asks.
        known: the file.
        uri: of the document that is asked about: the file's, or that of a cell.
        span: what is selected; empty where the cursor only stands.
        only: the kinds wanted, empty for all.
        unasked: the client looks by itself, to decide on a light bulb; the user pressed nothing.
    """

    server: Server
    known: Analysed
    uri: str
    span: Span
    only: tuple[str, ...]
    unasked: bool

    def findings(self) -> list[Finding]:
        """The findings that the selection touches, or whose line the cursor is on."""
        source = self.known.source
        first, last = source.lines.line_of(self.span.start), source.lines.line_of(self.span.end)
        lines = Span(source.line_span(first).start, source.line_span(last).end)
        area = lines if self.span.start == self.span.end else self.span
        return [finding for finding in self.known.findings() if finding.span.overlaps(area)]

    def edit(self, edits: tuple[Edit, ...], snippet: Edit | None = None) -> types.WorkspaceEdit | None:
        """Edits of this file for this client, of which `snippet` has tab stops; see `Places`."""
        client = self.server.client
        return self.known.places(client.encoding).workspace_edit(edits, client, snippet)


def wanted(kind: str, only: tuple[str, ...]) -> bool:
    """Whether a client that asked for `only` wants `kind`; a kind includes those below it (`source.x`)."""
    return not only or any(not asked or kind == asked or kind.startswith(f"{asked}.") for asked in only)
