"""Cards, snippets and the symbol index: what torchlore knows. Importing this package reads no file."""

from typing import TYPE_CHECKING, Any

from torchlore.knowledge.cards import FoundCard, card, card_for, card_texts, cards, find_card
from torchlore.knowledge.data import ContentError, data_root
from torchlore.knowledge.inserts import insert, inserts, inserts_of
from torchlore.knowledge.model import Card, Hole, Insert, Symbol
from torchlore.knowledge.names import Named
from torchlore.knowledge.search import mentioned, search
from torchlore.knowledge.signatures import Parameter
from torchlore.knowledge.symbols import all_symbols, member_owners, resolve, symbol, use_index, within
from torchlore.knowledge.versions import deprecation_note, version_note

if TYPE_CHECKING:
    from torchlore.knowledge.build import BuildError, build_index

__all__ = [
    "BuildError",
    "Card",
    "ContentError",
    "FoundCard",
    "Hole",
    "Insert",
    "Named",
    "Parameter",
    "Symbol",
    "all_symbols",
    "build_index",
    "card",
    "card_for",
    "card_texts",
    "cards",
    "data_root",
    "deprecation_note",
    "find_card",
    "insert",
    "inserts",
    "inserts_of",
    "member_owners",
    "mentioned",
    "resolve",
    "search",
    "symbol",
    "use_index",
    "version_note",
    "within",
]


def __getattr__(name: str) -> Any:
    # Building starts processes; whoever only reads must not wait for what that imports.
    if name in ("BuildError", "build_index"):
        from torchlore.knowledge import build

        return getattr(build, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
