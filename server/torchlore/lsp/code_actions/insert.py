"""Insert an idiomatic snippet with the user's own names in it."""

from __future__ import annotations

from collections.abc import Iterator

from lsprotocol import types

from torchlore import knowledge
from torchlore.knowledge import Insert
from torchlore.lsp.code_actions.model import Asked, wanted
from torchlore.lsp.filling import fill, fill_snippet, import_edit, names_for
from torchlore.lsp.names import INSERT_KIND
from torchlore.text import Edit, Source, Span

KINDS = (INSERT_KIND,)


def actions(asked: Asked) -> Iterator[types.CodeAction]:
    """Actions that insert a snippet, on a blank line of a file that has to do with torch.

    A client that asks for snippets gets all of them; in the menu of everything those come that fit best.
    """
    source = asked.known.source
    line = source.lines.line_of(asked.span.start)
    place = source.line_span(line)
    if source.segment(place).strip() or asked.span.end > place.end:
        return
    if not source.takes([Edit(place, "pass")]):
        return  # It only looks blank: it is a line of another language in a notebook.
    requested = bool(asked.only) and wanted(INSERT_KIND, asked.only)
    if not requested and (asked.unasked or not _is_about_torch(source)):
        return
    in_scope = asked.known.analysis.names_at(asked.span.start)
    fitted = [(insert, names_for(insert, in_scope)) for insert in knowledge.inserts()]
    for insert, names in fitted if requested else _fitting(fitted):
        yield types.CodeAction(
            title=f"Insert snippet: {insert.title}",
            kind=INSERT_KIND,
            edit=_edit(asked, insert, names, place, source.indent(line)),
        )


_MOST = 12
"""Snippets in a menu that has other things, too."""


def _fitting(fitted: list[tuple[Insert, dict[str, str]]]) -> list[tuple[Insert, dict[str, str]]]:
    """The snippets that use what is in scope, those that use most of it first; all where nothing is."""
    if not any(names for _, names in fitted):
        return fitted
    return sorted(fitted, key=lambda one: (len(one[0].holes) - len(one[1]), -len(one[1])))[:_MOST]


def _is_about_torch(source: Source) -> bool:
    """A file that names torch, or one that holds nothing yet."""
    return "torch" in source.text or not source.text.strip()


def _edit(
    asked: Asked, insert: Insert, names: dict[str, str], place: Span, indent: str
) -> types.WorkspaceEdit | None:
    source = asked.known.source
    imports = import_edit(source, insert.imports, place)
    head = imports.text if imports is not None and imports.span == place else ""
    elsewhere = (imports,) if imports is not None and not head else ()
    open_holes = [hole for hole in insert.holes if hole.name not in names]
    if asked.server.client.snippet_edits and open_holes:
        return asked.edit(elsewhere, Edit(place, fill_snippet(insert, names, source, indent, head)))
    return asked.edit((*elsewhere, Edit(place, head + fill(insert, names, source, indent))))
