"""`textDocument/completion` and `completionItem/resolve`.

Other servers complete what is imported; here stands what they do not know: what an argument means and which
values it takes, what an object is that no import names, snippets with the user's own names in them.
"""

from __future__ import annotations

from functools import partial

from lsprotocol import types

from torchlore.analysis.names import mentions_torch
from torchlore.device import devices_here
from torchlore.knowledge.offers import Offer, offers
from torchlore.lsp.analyses import Analysed
from torchlore.lsp.completion_pages import documentation_of
from torchlore.lsp.convert import Places
from torchlore.lsp.declared import Declared
from torchlore.lsp.installed import used_torch
from torchlore.lsp.markdown import documentation
from torchlore.lsp.server import Server
from torchlore.lsp.snippet_offers import FEWEST, snippet_offers
from torchlore.text.cursor import Cursor, cursor_at

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
    uri = params.text_document.uri
    if not server.settings_of(uri).completion:
        return None
    devices = devices_here(used_torch(server, uri))

    def look(known: Analysed) -> types.CompletionList | None:
        places = known.places(server.encoding)
        cursor = cursor_at(known.source, places.offset(uri, params.position))
        found = offered(known, cursor, server.client.declared, devices) if cursor is not None else []
        if cursor is None or not (found or _is_too_early(known, cursor)):
            return None
        items = [_item(offer, number, places, server) for number, offer in enumerate(found[:_MOST])]
        # An editor does not ask again with the next letter where it was told that this is all.
        is_bare = bool(cursor.receiver) and cursor.word.start == cursor.offset
        is_part = not found or len(found) > _MOST or is_bare
        return types.CompletionList(is_incomplete=is_part, items=items)

    return await server.analysed(uri, look)


def offered(known: Analysed, cursor: Cursor, declared: Declared, devices: tuple[str, ...]) -> list[Offer]:
    """Everything that can be inserted, the likeliest first.

    Args:
        known: the file.
        cursor: what is being typed in it.
        declared: what the client takes.
        devices: the names of the devices that there are.
    """
    found = [*offers(known.analysis, cursor, devices), *snippet_offers(known, cursor, declared)]
    return [offer for offer in found if not offer.elsewhere or known.source.takes(offer.elsewhere)]


def _is_too_early(known: Analysed, cursor: Cursor) -> bool:
    """Whether so little is typed of a statement that it may become the name of a snippet yet."""
    letters = cursor.word.end - cursor.word.start
    return cursor.begins and 0 < letters < FEWEST and mentions_torch(known.source.text)


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
