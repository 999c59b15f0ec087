"""Hover on an argument: what it means, what it is when it is left out, what its value says."""

from __future__ import annotations

from torchlore import knowledge
from torchlore.analysis import Passed
from torchlore.knowledge import Parameter, Symbol, signatures
from torchlore.knowledge.arguments import Meaning, meaning
from torchlore.lsp.hover_links import Links
from torchlore.lsp.hover_page import Page

_MOST_CHOICES = 8


def argument_page(passed: Passed, links: Links) -> Page | None:
    """The page of an argument; None where nothing that is called has such a parameter."""
    for callee in passed.callees:
        symbol = knowledge.resolve((callee,))
        name = passed.keyword or _name_at(symbol, passed.place)
        if symbol is None or not name:
            continue
        found = signatures.parameter(symbol.signature, name)
        known = meaning(symbol.name, name)
        if found is not None or known is not None:
            return _page(symbol, name, found, known, passed, links)
    return None


def _name_at(symbol: Symbol | None, place: int) -> str:
    """The parameter at a place; empty where the signature does not tell."""
    bound = signatures.bound(symbol.signature, ("",) * (place + 1)) if symbol is not None else None
    return bound[place][0] if bound is not None and len(bound) > place else ""


def _page(
    symbol: Symbol,
    name: str,
    found: Parameter | None,
    known: Meaning | None,
    passed: Passed,
    links: Links,
) -> Page:
    choices = dict(known.choices) if known is not None else {}
    if passed.is_value:  # else all of them are of interest
        choices = {value: text for value, text in choices.items() if value == passed.literal}
    listed = "\n".join(f"- `{value}`: {text}" for value, text in list(choices.items())[:_MOST_CHOICES])
    card = knowledge.find_card((symbol.name,), symbol)
    more = links.whole(card.card, title=card.card.question) if card is not None and card.is_exact else ""
    return Page(
        signature=f"(parameter) {signatures.declared(found) if found is not None else name}",
        about=tuple(filter(None, (_place(symbol, name, found), known.text if known else "", listed))),
        links=tuple(filter(None, (more, links.documentation(symbol)))),
    )


def _place(symbol: Symbol, name: str, found: Parameter | None) -> str:
    """Where the parameter stands, and what it is when it is left out."""
    if found is None:
        return f"of `{symbol.name}`"
    if found.kind == "keyword":
        where = "given by name only"
    else:
        known = signatures.parameters(symbol.signature)
        where = f"number {[p.name for p in known].index(name) + 1} of {len(known)}"
    return f"of `{symbol.name}`, {where}{'' if found.default else ', required'}"
