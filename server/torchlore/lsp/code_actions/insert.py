"""Insert an idiomatic snippet with the user's own names in it."""

from __future__ import annotations

from collections.abc import Iterator

from lsprotocol import types

from torchlore import knowledge
from torchlore.knowledge import Insert
from torchlore.lsp.code_actions.model import Asked, wanted
from torchlore.lsp.convert import to_range, to_text_edits, workspace_edit
from torchlore.lsp.filling import fill, fill_snippet, import_edit, names_for
from torchlore.lsp.names import INSERT_KIND
from torchlore.text import Source, Span

KINDS = (INSERT_KIND,)


def actions(asked: Asked) -> Iterator[types.CodeAction]:
    """An action for each snippet, on a blank line of a file that has to do with torch."""
    source = asked.known.source
    line = source.lines.line_of(asked.span.start)
    place = source.line_span(line)
    if source.segment(place).strip() or asked.span.end > place.end:
        return
    requested = bool(asked.only) and wanted(INSERT_KIND, asked.only)
    if not requested and (asked.unasked or not _is_about_torch(source)):
        return
    in_scope = asked.known.analysis.names_at(asked.span.start)
    for insert in knowledge.inserts():
        names = names_for(insert, in_scope)
        yield types.CodeAction(
            title=f"Insert snippet: {insert.title}",
            kind=INSERT_KIND,
            edit=_edit(asked, insert, names, place, source.indent(line)),
        )


def _is_about_torch(source: Source) -> bool:
    """A file that names torch, or one that holds nothing yet."""
    return "torch" in source.text or not source.text.strip()


def _edit(
    asked: Asked, insert: Insert, names: dict[str, str], place: Span, indent: str
) -> types.WorkspaceEdit:
    source, client = asked.known.source, asked.server.client
    imports = import_edit(source, insert.imports, place)
    head = imports.text if imports is not None and imports.span == place else ""
    edits: list[types.TextEdit | types.SnippetTextEdit] = []
    if imports is not None and not head:
        edits += to_text_edits(source, [imports], client.encoding)
    where = to_range(source, place, client.encoding)
    open_holes = [hole for hole in insert.holes if hole.name not in names]
    if client.snippet_edits and open_holes:
        text = fill_snippet(insert, names, source, indent, head)
        edits.append(types.SnippetTextEdit(where, types.StringValue(text)))
    else:
        edits.append(types.TextEdit(where, head + fill(insert, names, source, indent)))
    return workspace_edit(asked.known.uri, source.version, edits, client)
