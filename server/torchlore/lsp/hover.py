"""The answer to the question behind the symbol under the cursor."""

from __future__ import annotations

import json
from collections.abc import Callable
from urllib.parse import quote

from lsprotocol import types
from pygls.uris import from_fs_path

from torchlore import knowledge
from torchlore.knowledge import Card, Symbol
from torchlore.lsp.analyses import Analysed
from torchlore.lsp.markdown import content
from torchlore.lsp.names import EXPLAIN
from torchlore.lsp.server import Server
from torchlore.pages import fenced, signature
from torchlore.text import Span


async def hover(server: Server, params: types.HoverParams) -> types.Hover | None:
    """Answers `textDocument/hover`; null where the cursor is on nothing of torch's."""

    def look(known: Analysed) -> tuple[types.Hover | None, bool]:
        places = known.places(server.encoding)
        offset = places.offset(params.text_document.uri, params.position)
        found = hover_text(known, offset, _reading_on(server))
        if found is None:
            return None, not known.analysis.foreign_classes <= server.asked
        span, markdown = found
        shown = content(markdown, shows_markdown=server.client.markdown)
        return types.Hover(shown, places.range(span)), False

    hover_here, is_worth_asking = await server.analysed(params.text_document.uri, look) or (None, False)
    if is_worth_asking:  # the file uses an installed class that it did not when it was opened
        server.learn(params.text_document.uri)
    return hover_here


def hover_text(known: Analysed, offset: int, read_on: Callable[[Card], str]) -> tuple[Span, str] | None:
    """What to show at `offset`, in Markdown, and what it is about. None where that is not torch's.

    Args:
        known: of the file.
        offset: in code points.
        read_on: says, in Markdown, where the whole of a card is.
    """
    at = known.analysis.symbol_at(offset)
    if at is None:
        return None
    symbol = knowledge.resolve(at.candidates)
    card = find_card(at.candidates, symbol)
    if symbol is None and card is None:
        return None
    notes = tuple(known.source.told_at(offset, note) for note in known.analysis.notes_at(offset))
    return at.span, _page(card, symbol, notes, read_on)


def find_card(candidates: tuple[str, ...], symbol: Symbol | None) -> Card | None:
    """The card of the first candidate that has one, else of the symbol that they turned out to be."""
    names = (*candidates, symbol.name) if symbol else candidates
    return next((card for name in names if (card := knowledge.card_for(name))), None)


def _page(
    card: Card | None, symbol: Symbol | None, notes: tuple[str, ...], read_on: Callable[[Card], str]
) -> str:
    parts: list[str] = []
    if card is not None:
        parts.append(f"**{card.question}**")
    if symbol is not None:
        parts.append(fenced(signature(symbol), "python"))
        if symbol.deprecated:
            parts.append(f"*Deprecated.* {symbol.deprecated}")
        if symbol.summary:
            parts.append(symbol.summary)
    if card is not None:
        parts.append(card.summary)
    if notes:
        parts.append("**In your code**\n\n" + "\n".join(f"- {note.removeprefix('- ')}" for note in notes))
    foot = _foot(card, symbol, read_on)
    return "\n\n".join([*parts, foot] if foot else parts)


def _foot(card: Card | None, symbol: Symbol | None, read_on: Callable[[Card], str]) -> str:
    """Where to read on."""
    links: list[str] = []
    if symbol is not None and symbol.url:
        links.append(f"[PyTorch documentation]({symbol.url})")
    if card is not None:
        links.append(read_on(card))
    return " · ".join(links)


def _reading_on(server: Server) -> Callable[[Card], str]:
    """Where the client finds the whole of a card: a command, the card's file, or the command line."""
    if server.client.markdown and server.settings.command_links:
        return lambda card: f"[Whole answer](command:{EXPLAIN}?{quote(json.dumps([{'slug': card.slug}]))})"
    if server.client.markdown:
        return lambda card: f"[Whole answer]({from_fs_path(str(knowledge.data_root() / card.path))})"
    return lambda card: f"Whole answer: torchlore explain {card.slug}"
