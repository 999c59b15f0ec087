"""`textDocument/inlayHint`: what the last run gave, and what is known and the eye does not see.

The latter is off until the user switches it on.
"""

from __future__ import annotations

from lsprotocol import types

from torchlore.lsp import run_hints
from torchlore.lsp.analyses import Analysed
from torchlore.lsp.server import Server
from torchlore.text import Span


async def inlay_hints(server: Server, params: types.InlayHintParams) -> list[types.InlayHint] | None:
    """Answers `textDocument/inlayHint` for the lines that the client shows."""
    given = await run_hints.inlay_hints(server, params) or []
    if not server.settings_of(params.text_document.uri).inlay_hints:
        return given or None
    return given + (await _known(server, params) or [])


async def _known(server: Server, params: types.InlayHintParams) -> list[types.InlayHint] | None:
    uri = params.text_document.uri

    def look(known: Analysed) -> list[types.InlayHint]:
        places = known.places(server.encoding)
        shown = places.span(uri, params.range)
        return [
            types.InlayHint(
                position=places.range(Span(one.offset, one.offset)).end,
                label=one.text,
                tooltip=one.more,
                padding_left=not one.text.startswith(":"),
            )
            for one in known.analysis.remarks_in(shown)
            if shown.start <= one.offset <= shown.end
        ]

    return await server.analysed(uri, look)
