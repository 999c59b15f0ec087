"""Between offsets in code points and the client's lines and columns."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import unquote

from lsprotocol import types

from torchlore.lsp.client import Client
from torchlore.text import Cell, Edit, Encoding, LineTable, Notebook, Source, Span


@dataclass(frozen=True, slots=True)
class Places:
    """Between the offsets of a source and positions in the documents that show it to the client.

    A file is one document; each cell of a notebook is a document of its own.

    Attributes:
        uri: of the file, or of the notebook.
        source: one version of it.
        encoding: the unit of the client's columns.
    """

    uri: str
    source: Source
    encoding: Encoding

    def offset(self, uri: str, position: types.Position) -> int:
        """The offset of a position in the document `uri`; one outside it is moved to the nearest inside."""
        cell = self._cell_of(uri)
        if cell is None or not isinstance(self.source, Notebook):
            return self.source.offset(position.line, position.character, self.encoding)
        inside = cell.lines.offset(position.line, position.character, self.encoding)
        return self.source.start(cell) + inside

    def span(self, uri: str, place: types.Range) -> Span:
        """The stretch that a range in the document `uri` covers, whichever of its ends comes first."""
        start, end = self.offset(uri, place.start), self.offset(uri, place.end)
        return Span(min(start, end), max(start, end))

    def location(self, span: Span) -> types.Location:
        """Where `span` is shown; of a notebook in the cell that it begins in."""
        cell = self.source.cell_at(span.start) if isinstance(self.source, Notebook) else None
        if cell is None or not isinstance(self.source, Notebook):
            return types.Location(self.uri, _range(self.source.lines, span, self.encoding))
        return types.Location(cell.uri, _range(cell.lines, self.source.in_cell(span), self.encoding))

    def range(self, span: Span) -> types.Range:
        """The range of `span` in the document that shows it."""
        return self.location(span).range

    def workspace_edit(
        self, edits: Iterable[Edit], client: Client, snippet: Edit | None = None
    ) -> types.WorkspaceEdit | None:
        """Edits of the source for `client`, with the version that they are of where it understands that.

        None where they cannot be made in one document: over several cells, or in a magic.

        Args:
            edits: of the source.
            client: decides the form.
            snippet: one more, whose text has tab stops; only where the client declares such edits.
        """
        found = [edit for edit in (*edits, snippet) if edit is not None]
        home = self._home(found)
        if home is None:
            return None
        uri, version, lines, found = home
        # In the order of the text, which is the order that insertions at one place keep.
        ordered = sorted(found, key=lambda edit: (edit.span.start, edit.span.end))
        changes: list[types.TextEdit | types.SnippetTextEdit] = []
        for edit in ordered:
            place = _range(lines, edit.span, self.encoding)
            if snippet is not None and edit.text == snippet.text:
                changes.append(types.SnippetTextEdit(place, types.StringValue(edit.text)))
            else:
                changes.append(types.TextEdit(place, edit.text))
        return _in_clients_form(uri, version, changes, client)

    def _home(self, edits: list[Edit]) -> tuple[str, int, LineTable, list[Edit]] | None:
        """The document that `edits` change, its version and lines, and the edits as those of its text."""
        if not isinstance(self.source, Notebook):
            return self.uri, self.source.version, self.source.lines, edits
        changed = self.source.edits_in_cell(edits)
        if changed is None:
            return None
        cell, in_cell = changed
        return cell.uri, cell.version, cell.lines, list(in_cell)

    def _cell_of(self, uri: str) -> Cell | None:
        """The cell that the document `uri` shows. As pygls does: clients may spell one URI in two ways."""
        if not isinstance(self.source, Notebook):
            return None
        key = unquote(uri)
        return next((cell for cell in self.source.cells if unquote(cell.uri) == key), None)


def _range(lines: LineTable, span: Span, encoding: Encoding) -> types.Range:
    start, end = lines.position(span.start, encoding), lines.position(span.end, encoding)
    return types.Range(types.Position(*start), types.Position(*end))


def _in_clients_form(
    uri: str, version: int, edits: list[types.TextEdit | types.SnippetTextEdit], client: Client
) -> types.WorkspaceEdit:
    if client.document_changes:
        document = types.OptionalVersionedTextDocumentIdentifier(uri, version)
        return types.WorkspaceEdit(document_changes=[types.TextDocumentEdit(document, list(edits))])
    plain = [edit for edit in edits if isinstance(edit, types.TextEdit)]
    return types.WorkspaceEdit(changes={uri: plain})
