"""`workspace/symbol`: the questions that torchlore answers, found like the names of the workspace."""

from __future__ import annotations

import re

from lsprotocol import types
from pygls.uris import from_fs_path

from torchlore import knowledge
from torchlore.knowledge import Card
from torchlore.lsp.server import Server

_WORD = re.compile(r"[^\W_]+")
_FEWEST = 3
"""A query must have so many letters: shorter ones are the beginning of a search for something else."""

_MOST = 12


async def workspace_symbols(
    server: Server, params: types.WorkspaceSymbolParams
) -> list[types.SymbolInformation] | None:
    """Answers `workspace/symbol`; null where the query is none for a question."""
    query = params.query
    if not server.settings.workspace_symbols or len(query.strip()) < _FEWEST:
        return None
    found = await server.worker.run(lambda: questions_like(query))
    return [_symbol(card) for card in found] or None


def questions_like(query: str) -> list[Card]:
    """The cards with a word that begins like each word of the query, in their question or their slug."""
    wanted = _WORD.findall(query.lower())
    if not wanted:
        return []
    fitting = [card for card in knowledge.cards() if all(_has(card, word) for word in wanted)]
    # Many editors go on to filter by the name: what stands in the question comes first.
    return sorted(fitting, key=lambda card: query.lower() not in card.question.lower())[:_MOST]


def _has(card: Card, word: str) -> bool:
    words = _WORD.findall(f"{card.question} {card.slug}".lower())
    return any(one.startswith(word) for one in words)


def _symbol(card: Card) -> types.SymbolInformation:
    start = types.Position(0, 0)
    uri = from_fs_path(str(knowledge.data_root() / card.path)) or ""
    return types.SymbolInformation(
        name=card.question,
        kind=types.SymbolKind.String,
        location=types.Location(uri, types.Range(start, start)),
        container_name=f"torchlore: {card.area}",
    )
