"""`torchlore.insert`: puts a snippet below the statement that somebody read about in a hover."""

from __future__ import annotations

import ast
from typing import Any

from lsprotocol import types

from torchlore import knowledge
from torchlore.knowledge import Insert
from torchlore.lsp.analyses import Analysed
from torchlore.lsp.commands import first_of
from torchlore.lsp.filling import fill, import_edit, names_for
from torchlore.lsp.server import Server
from torchlore.lsp.show import tell
from torchlore.text import Edit, Span
from torchlore.text.nodes import nodes_in


async def insert(server: Server, arguments: list[Any]) -> None:
    """Inserts the snippet `{"slug": ..., "uri": ..., "line": ...}` below the statement on a line, 0-based."""
    asked = first_of(arguments)
    slug, uri, line = asked.get("slug"), asked.get("uri"), asked.get("line")
    wanted = knowledge.insert(slug) if isinstance(slug, str) else None
    if (
        wanted is None
        or not isinstance(uri, str)
        or not isinstance(line, int)
        or not server.client.apply_edit
    ):
        tell(server, f"torchlore cannot insert “{slug}” in this file", types.MessageType.Warning)
        return

    def look(known: Analysed) -> types.WorkspaceEdit | None:
        places = known.places(server.encoding)
        edits = edits_below(known, wanted, places.offset(uri, types.Position(line, 0)))
        return places.workspace_edit(edits, server.client) if known.source.takes(edits) else None

    edit = await server.analysed(uri, look)
    if edit is not None:
        label = f"Insert snippet: {wanted.title}"
        await server.workspace_apply_edit_async(types.ApplyWorkspaceEditParams(edit, label))


def edits_below(known: Analysed, wanted: Insert, offset: int) -> tuple[Edit, ...]:
    """What puts a snippet below the innermost statement at `offset`, as deep as that, with its imports."""
    source = known.source
    line = source.lines.line_of(offset)
    statement = _statement_on(source.tree, line + 1)
    first, last = (line, line) if statement is None else (statement.lineno - 1, _last_line(statement) - 1)
    place = source.lines.end(last)
    names = names_for(wanted, known.analysis.names_at(place))
    text = source.newline + fill(wanted, names, source, source.indent(first))
    imports = import_edit(source, wanted.imports, Span(place, place))
    below = Edit(Span(place, place), text)
    if imports is None:
        return (below,)
    if imports.span == below.span:  # they belong on the same line
        return (Edit(below.span, source.newline + imports.text.rstrip("\r\n") + text),)
    return (imports, below)


def _statement_on(tree: ast.Module, line: int) -> ast.stmt | None:
    """The innermost statement that stands on a line, 1-based."""
    found = None
    for node in nodes_in(tree):  # from the outside to the inside
        if isinstance(node, ast.stmt) and node.lineno <= line <= _last_line(node):
            found = node
    return found


def _last_line(node: ast.stmt) -> int:
    return node.end_lineno or node.lineno
