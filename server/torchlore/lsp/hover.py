"""The answer to the question behind a symbol, an argument, or an error that stands in a comment."""

from __future__ import annotations

from functools import partial
from pathlib import PurePath

from lsprotocol import types

from torchlore import knowledge
from torchlore.analysis import Given
from torchlore.knowledge import FoundCard, Symbol, signatures
from torchlore.lsp.analyses import Analysed
from torchlore.lsp.hover_arguments import argument_page
from torchlore.lsp.hover_links import Links, links_for
from torchlore.lsp.hover_page import Page, first_pitfall, laid_out, shortened
from torchlore.lsp.installed import used_torch
from torchlore.lsp.markdown import content
from torchlore.lsp.server import Server
from torchlore.pages import signature
from torchlore.text import Span

_MOST_GIVEN = 8
_LONGEST_GIVEN = 30
_PLAIN_NAMES = ("input", "self", "tensor", "tensors", "iterable")
"""Names of parameters that tell nothing of what is given for them."""


async def hover(server: Server, params: types.HoverParams) -> types.Hover | None:
    """Answers `textDocument/hover`; null where the cursor is on nothing of torch's."""

    document = server.documents.document(params.text_document.uri)
    if document is not None and _may_be_configuration(document.path):
        from torchlore.lsp.hover_configuration import configuration_hover  # Most documents are code.

        return await server.worker.run(partial(configuration_hover, document, params.position, server.client))
    torch = used_torch(server, params.text_document.uri)

    def look(known: Analysed) -> tuple[types.Hover | None, bool]:
        places = known.places(server.encoding)
        offset = places.offset(params.text_document.uri, params.position)
        links = links_for(server, known.uri, (params.text_document.uri, params.position.line))
        found = hover_text(known, offset, links, torch)
        if found is None:
            return None, not known.analysis.foreign_classes <= server.asked
        span, markdown = found
        shown = content(markdown, shows_markdown=server.client.markdown)
        return types.Hover(shown, places.range(span)), False

    hover_here, is_worth_asking = await server.analysed(params.text_document.uri, look) or (None, False)
    if is_worth_asking:  # the file uses an installed class that it did not when it was opened
        server.learn(params.text_document.uri)
    return hover_here


def _may_be_configuration(path: str | None) -> bool:
    return path is not None and PurePath(path).name in ("torchlore.toml", "pyproject.toml")


def hover_text(
    known: Analysed, offset: int, links: Links, torch: str | None = None
) -> tuple[Span, str] | None:
    """What to show at `offset`, in Markdown, and what it is about. None where that is not torch's.

    Args:
        known: of the file.
        offset: in code points.
        links: where the client can be led.
        torch: the version that the file is for, None where that is not known.
    """
    for page_of in (partial(_symbol, torch=torch), _own_object, _argument, _rule, _error):
        found = page_of(known, offset, links)
        if found is not None:
            span, page = found
            return span, laid_out(page)
    return None


def _symbol(known: Analysed, offset: int, links: Links, torch: str | None) -> tuple[Span, Page] | None:
    at = known.analysis.symbol_at(offset)
    if at is None:
        return None
    symbol = knowledge.resolve(at.candidates) or knowledge.within(at.candidates)
    card = knowledge.find_card(at.candidates, symbol)
    if symbol is None and card is None:
        return None
    given, notes = known.analysis.given_at(offset), _notes(known, offset)
    return at.span, symbol_page(symbol, card, given, notes, links, torch)


def _own_object(known: Analysed, offset: int, links: Links) -> tuple[Span, Page] | None:
    span = known.analysis.object_at(offset)
    notes = _notes(known, offset) if span is not None else ()
    return (span, Page(notes=notes)) if span is not None and notes else None


def _argument(known: Analysed, offset: int, links: Links) -> tuple[Span, Page] | None:
    passed = known.analysis.argument_at(offset)
    page = argument_page(passed, links) if passed is not None else None
    return (passed.span, page) if passed is not None and page is not None else None


def _rule(known: Analysed, offset: int, links: Links) -> tuple[Span, Page] | None:
    from torchlore.lsp.hover_rules import rule_at  # Few hovers are on comments.

    return rule_at(known, offset, links)


def _error(known: Analysed, offset: int, links: Links) -> tuple[Span, Page] | None:
    quoted = known.analysis.quoted_at(offset)
    if quoted is None:
        return None
    from torchlore.lsp.hover_errors import error_page

    span, text = quoted
    page = error_page(text, links)
    return (span, page) if page is not None else None


def _notes(known: Analysed, offset: int) -> tuple[str, ...]:
    return tuple(known.source.told_at(offset, note) for note in known.analysis.notes_at(offset))


def symbol_page(
    symbol: Symbol | None,
    card: FoundCard | None,
    given: Given | None,
    notes: tuple[str, ...],
    links: Links,
    torch: str | None = None,
) -> Page:
    """The page of a symbol.

    Args:
        symbol: what stands at the cursor; None where the index does not have it.
        card: what explains it, or what it belongs to.
        given: what it is called with, where it is called.
        notes: what it does in the user's code.
        links: where the client can be led.
        torch: the version that the file is for, None where that is not known.
    """
    about = tuple(filter(None, (_called_with(symbol, given), *_told(symbol, torch)))) if symbol else ()
    head = _head(symbol) if symbol is not None else ""
    docs = links.documentation(symbol)
    if card is None:
        return Page(head, about, notes=notes, links=(docs,) if docs else ())
    if not card.is_near:
        more = links.whole(card.card, title=card.card.question)
        return Page(head, about, notes=notes, links=tuple(filter(None, (more, docs))))
    return Page(
        signature=head,
        about=about,
        question=card.card.question,
        answer=card.card.summary,
        notes=notes,
        pitfall=first_pitfall(card.card.pitfalls) if card.is_exact else "",
        picture=links.picture(card.card) if card.is_exact else "",
        links=tuple(filter(None, (*links.of(card.card), docs))),
    )


def _head(symbol: Symbol) -> str:
    """The kind of a symbol, its canonical name and what it is called with."""
    said = signature(symbol)
    return said if said.startswith(("class ", "module ")) else f"({symbol.kind}) {said}"


def _told(symbol: Symbol, torch: str | None) -> tuple[str, ...]:
    advice = knowledge.deprecation_note(symbol)
    if advice.endswith(("with", "with:", ":")):  # torch goes on with a listing of code
        advice = shortened(advice, len(advice))
    return knowledge.version_note(symbol, torch), advice, symbol.summary


def _called_with(symbol: Symbol, given: Given | None) -> str:
    """The user's own arguments, each with the name of its parameter; empty where that tells nothing new."""
    if given is None or not given.positional:
        return ""
    bound = signatures.bound(symbol.signature, given.positional)
    if not bound or all(name == text or name in _PLAIN_NAMES for name, text in bound):
        return ""
    named = [*bound, *given.keywords]
    shown = [f"`{name}={_short(text)}`" for name, text in named[:_MOST_GIVEN]]
    return f"Here: {', '.join(shown)}{', …' if len(named) > _MOST_GIVEN or given.has_stars else ''}"


def _short(text: str) -> str:
    text = text.replace("`", "'")
    return text if len(text) <= _LONGEST_GIVEN else f"{text[: _LONGEST_GIVEN - 1]}…"
