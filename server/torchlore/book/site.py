"""All files of the book."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from torchlore.book.layout import Neighbours, area_page, area_title, card_page, level_page
from torchlore.book.markup import Placed, relative
from torchlore.knowledge import Card, cards, data_root
from torchlore.knowledge.cards import AREAS
from torchlore.knowledge.corpus import corpus
from torchlore.knowledge.terms import STOP

_ASSETS = Path(__file__).with_name("assets")
_LEAST = 0.05
"""Weight below which a word says so little for a card that the search does without."""


def book_files() -> dict[str, bytes]:
    """The content of every file of the book by its path within the book's folder."""
    found = sorted(cards(), key=lambda card: (AREAS.index(card.area), card.slug))
    texts = {
        "index.html": area_page(found),
        "levels.html": level_page(found),
        "assets/found.js": _index(found),
    }
    files: dict[str, bytes] = {}
    for at, card in enumerate(found):
        related = [other for slug in card.see_also for other in found if other.slug == slug]
        placed = placing(card, files)
        texts[f"cards/{card.slug}.html"] = card_page(card, _neighbours(found, at), related, placed)
        if card.snippet:
            texts[f"snippets/{card.slug}.py"] = card.snippet
    files |= {
        f"assets/{path.name}": path.read_bytes() for path in sorted(_ASSETS.iterdir()) if path.is_file()
    }
    return files | {path: text.encode("utf-8") for path, text in texts.items()}


def _neighbours(found: Sequence[Card], at: int) -> Neighbours:
    before = found[at - 1] if at else None
    after = found[at + 1] if at + 1 < len(found) else None
    area = found[at].area
    return Neighbours(
        before if before and before.area == area else None, after if after and after.area == area else None
    )


def placing(card: Card, files: dict[str, bytes]) -> Placed:
    """Where a card's links and pictures lead, seen from its page; what is pictured is put into `files`."""
    folder = card.path.rpartition("/")[0]

    def placed(target: str) -> str | None:
        path = relative(target, folder)
        source = data_root() / path if path else None
        if path is None or source is None or not source.is_file():
            return None
        if source.suffix == ".md":
            return f"{source.stem}.html" if path.startswith("cards/") else None
        if not path.startswith("pictures/"):
            return None
        files[path] = source.read_bytes()
        return f"../{path}"

    return placed


def _index(found: Sequence[Card]) -> str:
    """What the search looks in, as a script: a page opened from disk may load scripts, but no data."""
    numbers = {card.slug: number for number, card in enumerate(found)}
    words = {
        term: [
            number
            for slug, weight in sorted(here.items(), key=lambda entry: -entry[1])
            if weight >= _LEAST
            for number in (numbers[slug], round(weight * 100))
        ]
        for term, here in sorted(corpus().words.items())
    }
    content = {
        "silent": sorted(STOP),
        "cards": [[card.slug, card.question, f"{area_title(card.area)}, {card.level}"] for card in found],
        "words": {term: weights for term, weights in words.items() if weights},
    }
    return f"window.torchloreFound = {json.dumps(content, separators=(',', ':'))};\n"
