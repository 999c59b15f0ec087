"""Insertable snippets as completions, where a statement begins with their name."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from torchlore import knowledge
from torchlore.analysis import ScopeName
from torchlore.analysis.names import mentions_torch
from torchlore.knowledge import Insert
from torchlore.knowledge.offers import Offer
from torchlore.lsp.analyses import Analysed
from torchlore.lsp.declared import Declared
from torchlore.lsp.filling import fill, fill_snippet, import_edit, names_for
from torchlore.text import Span
from torchlore.text.cursor import Cursor

FEWEST = 2
"""So many letters must be typed: one begins too many names."""


def snippet_offers(known: Analysed, cursor: Cursor, declared: Declared) -> Iterator[Offer]:
    """The snippets of whose name a word begins with what is typed, with the user's names in them.

    Those come first whose name itself begins with it.

    Args:
        known: the file.
        cursor: what is being typed.
        declared: whether the client takes tab stops, and what it does with indentation.
    """
    typed = known.source.segment(cursor.word).lower()
    if not cursor.begins or len(typed) < FEWEST or not mentions_torch(known.source.text):
        return
    fitting = [(word, insert) for insert in knowledge.inserts() if (word := _begun(insert, typed))]
    in_scope = known.analysis.names_at(cursor.offset) if fitting else ()
    for word, insert in sorted(fitting, key=lambda one: not one[1].slug.startswith(typed)):
        # Some editors only look whether the text to filter by begins with what is typed.
        yield replace(_offer(known, cursor, declared, insert, in_scope), typed=f"{word} {insert.slug}")


def _begun(insert: Insert, typed: str) -> str:
    """The first word of a snippet's name that begins with what is typed; empty where none does."""
    return next((word for word in insert.slug.split("-") if word.startswith(typed)), "")


def _offer(
    known: Analysed, cursor: Cursor, declared: Declared, insert: Insert, in_scope: tuple[ScopeName, ...]
) -> Offer:
    source = known.source
    indent = source.indent(source.lines.line_of(cursor.offset))
    place = Span(cursor.word.start - len(indent), cursor.offset)
    imports = import_edit(source, insert.imports, place)
    # An editor that takes snippets indents their lines by itself, unless it can be told not to.
    deep = indent if declared.as_is or not declared.snippets else ""
    is_above = imports is not None and imports.span == place
    head = _at_depth(imports.text, indent, deep) if imports is not None and is_above else ""
    names = names_for(insert, in_scope)
    if declared.snippets:
        text = fill_snippet(insert, names, source, deep, head)
    else:
        text = head + fill(insert, names, source, deep)
    return Offer(
        kind="snippet",
        label=insert.slug,
        span=cursor.word,
        text=text.removeprefix(deep),
        detail=insert.title,
        about={"insert": insert.slug},
        is_snippet=declared.snippets,
        elsewhere=(imports,) if imports is not None and not is_above else (),
    )


def _at_depth(text: str, before: str, after: str) -> str:
    """Lines that begin with `before`, beginning with `after` instead; blank ones as they are."""
    lines = text.splitlines(keepends=True)
    return "".join(after + line.removeprefix(before) if line.strip() else line for line in lines)
