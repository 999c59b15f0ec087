"""Hover on an error message in a comment or a string: the card that explains it."""

from __future__ import annotations

from torchlore.knowledge import Card, quoted
from torchlore.lsp.hover_links import Links
from torchlore.lsp.hover_page import Page, bullets, shortened

_LONGEST = 360


def error_page(text: str, links: Links) -> Page | None:
    """The page of the error that `text` names; None where no card quotes it."""
    found = quoted.explained(text)
    if not found:
        return None
    best = found[0]
    others = (links.whole(other.card, title=other.card.question) for other in found[1:])
    return Page(
        about=(f"`{best.quoted.text}`",),
        question=best.card.question,
        answer=_where_quoted(best.card, best.quoted.text),
        links=tuple(filter(None, (links.whole(best.card), links.proof(best.card), *others))),
    )


def _where_quoted(card: Card, quote: str) -> str:
    """What the card says beside the quote, where that is a bullet; else its first paragraph."""
    said = next((bullet for bullet in bullets(card.pitfalls) if quote in bullet), None)
    return shortened(said, max(_LONGEST, said.index(quote) + len(quote) + 120)) if said else card.summary
