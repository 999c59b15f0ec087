"""`textDocument/documentLink`: from a rule's code in a comment to the rule's page.

The page is written when somebody follows the link, not before.
"""

from __future__ import annotations

import asyncio

from lsprotocol import types

from torchlore.lsp.analyses import Analysed
from torchlore.lsp.rule_pages import page_of
from torchlore.lsp.server import Server
from torchlore.rules.mentioned import mentioned_rules


async def document_links(server: Server, params: types.DocumentLinkParams) -> list[types.DocumentLink] | None:
    """Answers `textDocument/documentLink`; the targets are found out by `resolved`."""
    uri = params.text_document.uri
    if not server.settings_of(uri).document_links:
        return None

    def look(known: Analysed) -> list[types.DocumentLink]:
        places = known.places(server.encoding)
        found = []
        for span, rule in mentioned_rules(known.source):
            location = places.location(span)
            if location.uri == uri or known.uri == uri:
                tooltip = f"{rule.code} {rule.name}" if server.client.declared.link_tooltips else None
                data = {"code": rule.code}
                found.append(types.DocumentLink(range=location.range, tooltip=tooltip, data=data))
        return found

    return await server.analysed(uri, look)


async def resolved(server: Server, link: types.DocumentLink) -> types.DocumentLink:
    """Answers `documentLink/resolve`: writes the page of the rule and leads there."""
    code = link.data.get("code") if isinstance(link.data, dict) else None
    if isinstance(code, str):
        link.target = await asyncio.get_running_loop().run_in_executor(None, page_of, server, code)
    return link
