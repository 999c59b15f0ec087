"""Between offsets in code points and the client's lines and columns."""

from __future__ import annotations

from collections.abc import Iterable

from lsprotocol import types

from torchlore.lsp.client import Client
from torchlore.text import Edit, Encoding, Source, Span


def to_position(source: Source, offset: int, encoding: Encoding) -> types.Position:
    return types.Position(*source.position(offset, encoding))


def to_range(source: Source, span: Span, encoding: Encoding) -> types.Range:
    return types.Range(to_position(source, span.start, encoding), to_position(source, span.end, encoding))


def to_offset(source: Source, position: types.Position, encoding: Encoding) -> int:
    """The offset of a client's position; one outside the text is moved to the nearest inside."""
    return source.offset(position.line, position.character, encoding)


def to_span(source: Source, place: types.Range, encoding: Encoding) -> Span:
    start, end = to_offset(source, place.start, encoding), to_offset(source, place.end, encoding)
    return Span(min(start, end), max(start, end))


def to_text_edits(source: Source, edits: Iterable[Edit], encoding: Encoding) -> list[types.TextEdit]:
    """Edits in the order of the text, which is the order that insertions at one place keep."""
    ordered = sorted(edits, key=lambda edit: (edit.span.start, edit.span.end))
    return [types.TextEdit(to_range(source, edit.span, encoding), edit.text) for edit in ordered]


def workspace_edit(
    uri: str, version: int | None, edits: list[types.TextEdit | types.SnippetTextEdit], client: Client
) -> types.WorkspaceEdit:
    """An edit of one file, with its version where the client understands that.

    Args:
        uri: of the file.
        version: the version that the edits are positions in.
        edits: may hold a `SnippetTextEdit` only where the client declares them.
        client: decides the form.
    """
    if client.document_changes:
        document = types.OptionalVersionedTextDocumentIdentifier(uri, version)
        return types.WorkspaceEdit(document_changes=[types.TextDocumentEdit(document, list(edits))])
    plain = [edit for edit in edits if isinstance(edit, types.TextEdit)]
    return types.WorkspaceEdit(changes={uri: plain})
