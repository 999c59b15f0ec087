"""What is said of something that can be inserted, while it is looked at in the list."""

from __future__ import annotations

from collections.abc import Mapping

from torchlore import knowledge
from torchlore.knowledge.callables import argument_at
from torchlore.lsp.hover_page import signature_block
from torchlore.pages import fenced, signature


def documentation_of(about: Mapping[str, object]) -> str:
    """In Markdown what `Offer.about` leads to; empty where there is nothing.

    It comes back from the client: whatever it holds, it leads to something or to nothing.
    """
    slug = about.get("insert")
    if isinstance(slug, str):
        return _snippet(slug)
    name, argument, value = about.get("symbol"), about.get("argument"), about.get("value")
    symbol = knowledge.resolve((name,)) if isinstance(name, str) else None
    if symbol is None:
        return ""
    if not isinstance(argument, str):
        return "\n\n".join(filter(None, (signature_block(signature(symbol)), symbol.summary)))
    found = argument_at(symbol, -1, argument)
    if found is None:
        return ""
    said = {choice.value: choice.text for choice in found.choices}
    if isinstance(value, str):
        return "\n\n".join(
            filter(None, (said.get(value, ""), f"{found.name}: {found.text}" if found.text else ""))
        )
    listed = "\n".join(f"- `{one}`{': ' if text else ''}{text}" for one, text in said.items())
    return "\n\n".join(filter(None, (signature_block(found.declared), found.text, listed)))


def _snippet(slug: str) -> str:
    insert = knowledge.insert(slug)
    return f"{insert.description}\n\n{fenced(insert.body.rstrip(), 'python')}" if insert is not None else ""
