"""`textDocument/codeLens`: *Explain* and *Run* above loops, modules and the snippets of cards.

Off until the user switches them on.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from lsprotocol import types

from torchlore import knowledge
from torchlore.device import Trust
from torchlore.knowledge import Card
from torchlore.lsp.analyses import Analysed
from torchlore.lsp.names import EXPLAIN, RUN
from torchlore.lsp.server import Server
from torchlore.text import Notebook, Source, Span

CARDS = {"loop": "zero-grad", "module": "build-a-model"}
"""By kind of landmark the card that has the answer."""


async def code_lenses(server: Server, params: types.CodeLensParams) -> list[types.CodeLens] | None:
    """Answers `textDocument/codeLens`."""
    uri = params.text_document.uri
    if not server.settings_of(uri).code_lens:
        return None
    trusted = server.settings.trust is Trust.TRUSTED

    def look(known: Analysed) -> list[types.CodeLens]:
        places = known.places(server.encoding)
        found: list[types.CodeLens] = []
        for span, command in lenses(known, uri, trusted=trusted):
            location = places.location(span)
            if location.uri == uri or not isinstance(known.source, Notebook):
                found.append(types.CodeLens(location.range, command))
        return found

    return await server.analysed(uri, look)


def lenses(known: Analysed, uri: str, *, trusted: bool) -> Iterator[tuple[Span, types.Command]]:
    """The commands that stand above lines of a file, and where.

    Args:
        known: the file.
        uri: of the document that they are asked for.
        trusted: whether anything may be run.
    """
    own = _card_of(known.source)
    if own is not None:
        place = Span(0, known.source.lines.end(0))
        yield place, _explain(own)
        if trusted:
            text = {"code": known.source.text, "uri": uri}
            yield place, types.Command("Run this snippet", RUN, arguments=[text])
        return  # what the loops in it are about, the card says
    for landmark in known.analysis.landmarks:
        card = knowledge.card(CARDS[landmark.kind])
        if card is not None:
            yield landmark.span, _explain(card)
            if trusted and card.snippet:
                proof = {"slug": card.slug, "uri": uri}
                yield landmark.span, types.Command("Run the proof", RUN, arguments=[proof])


def _explain(card: Card) -> types.Command:
    return types.Command(f"Explain: {card.question}", EXPLAIN, arguments=[{"slug": card.slug}])


def _card_of(source: Source) -> Card | None:
    """The card whose snippet the file is; None where it is none."""
    path = Path(source.path)
    is_snippet = path.suffix == ".py" and path.parent == knowledge.data_root() / "snippets"
    return knowledge.card(path.stem) if is_snippet else None
