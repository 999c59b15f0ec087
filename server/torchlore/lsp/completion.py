"""`textDocument/completion` and `completionItem/resolve`.

Other servers complete what is imported; here stands what they do not know: what an argument means and which
values it takes, what an object is that no import names, snippets with the user's own names in them.
"""

from __future__ import annotations

from functools import partial

from lsprotocol import types

from torchlore.device import devices_here
from torchlore.knowledge.offers import Offer, offers
from torchlore.lsp.analyses import Analysed
from torchlore.lsp.completion_pages import documentation_of
from torchlore.lsp.convert import Places
from torchlore.lsp.declared import Declared
from torchlore.lsp.installed import used_torch
from torchlore.lsp.markdown import documentation
from torchlore.lsp.server import Server
from torchlore.lsp.snippet_offers import snippet_offers
from torchlore.text.cursor import cursor_at

_MOST = 60
"""Longer lists nobody reads: the client asks again with the next letter."""

_KINDS = {
    "argument": types.CompletionItemKind.Variable,
    "value": types.CompletionItemKind.Value,
    "dtype": types.CompletionItemKind.Constant,
    "device": types.CompletionItemKind.EnumMember,
    "snippet": types.CompletionItemKind.Snippet,
    "method": types.CompletionItemKind.Method,
    "property": types.CompletionItemKind.Property,
    "class": types.CompletionItemKind.Class,
}


async def completion(server: Server, params: types.CompletionParams) -> types.CompletionList | None:
    """Answers `textDocument/completion`; null where there is nothing to offer that others do not."""
    if not server.settings.completion:
        return None
    uri = params.text_document.uri
    devices = devices_here(used_torch(server, uri))

    def look(known: Analysed) -> types.CompletionList | None:
        places = known.places(server.encoding)
        found = offered(known, places.offset(uri, params.position), server.client.declared, devices)
        items = [_item(offer, number, places, server) for number, offer in enumerate(found[:_MOST])]
        return types.CompletionList(is_incomplete=len(found) > _MOST, items=items) if items else None

    return await server.analysed(uri, look)


def offered(known: Analysed, offset: int, declared: Declared, devices: tuple[str, ...]) -> list[Offer]:
    """Everything that can be inserted at `offset`, the likeliest first.

    Args:
        known: the file.
        offset: in code points.
        declared: what the client takes.
        devices: the names of the devices that there are.
    """
    cursor = cursor_at(known.source, offset)
    if cursor is None:
        return []
    found = [*offers(known.analysis, cursor, devices), *snippet_offers(known, cursor, declared)]
    return [offer for offer in found if known.source.takes(offer.elsewhere)]


async def resolved(server: Server, item: types.CompletionItem) -> types.CompletionItem:
    """Answers `completionItem/resolve`: the item, with its documentation.

    All that it is found by came with the item, so that no other request can mix it up.
    """
    about = item.data
    if isinstance(about, dict):
        text = await server.worker.run(partial(documentation_of, about))
        item.documentation = documentation(text, server.client.declared.documentation) if text else None
    return item


def _item(offer: Offer, number: int, places: Places, server: Server) -> types.CompletionItem:
    declared = server.client.declared
    item = types.CompletionItem(
        label=offer.label,
        kind=_KINDS.get(offer.kind, types.CompletionItemKind.Property),
        sort_text=f"{number:03}",
        text_edit=types.TextEdit(places.range(offer.span), offer.text),
        filter_text=offer.typed or None,
        data=dict(offer.about) or None,
    )
    if offer.is_snippet:
        item.insert_text_format = types.InsertTextFormat.Snippet
    if offer.kind == "snippet" and declared.as_is:
        item.insert_text_mode = types.InsertTextMode.AsIs
    if offer.elsewhere:
        item.additional_text_edits = [
            types.TextEdit(places.range(edit.span), edit.text) for edit in offer.elsewhere
        ]
    if declared.label_details:
        item.label_details = types.CompletionItemLabelDetails(description=offer.detail or None)
    else:
        item.detail = offer.detail or None
    if offer.about and not declared.resolves_documentation:
        text = documentation_of(offer.about)
        item.documentation = documentation(text, declared.documentation) if text else None
    return item
