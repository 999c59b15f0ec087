"""Finds the card that explains an error: by the message, as users paste it into comments.

Cards quote messages in backticks. The quotes are collected from the cards' texts with the first question.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice, takewhile

from torchlore.knowledge.cards import card, card_texts
from torchlore.knowledge.model import Card

_QUOTE = re.compile(r"`([A-Z][A-Za-z]*(?:Error|Warning|Exception): [^`]+)`")
_KIND = re.compile(r"(?:[A-Za-z_]\w*\.)*([A-Z]\w*(?:Error|Warning|Exception)):\s*")
_WORD = re.compile(r"…|\.\.\.|[A-Za-z_]+|\d[\d.]*|[^\w\s]")
_ANY = "…"
_NUMBER = "0"
_EVERYDAY = re.compile(r"'\w+' object is not (?:iterable|callable)|list index out of range|\S+\Z")
"""What Python itself says of everything: a card quotes it, but most who see it have another problem."""

_FORMERLY = {"RuntimeError": ("OutOfMemoryError", "AcceleratorError")}
"""Errors that older versions of torch, and whoever catches them, call by the class that they derive from."""

_MOST = 4
_FEWEST = 3
_ENOUGH = 6
"""So many words from the first one on are no coincidence; "has no attribute" must say which one."""


@dataclass(frozen=True, slots=True)
class Quoted:
    """A message that a card quotes.

    Attributes:
        slug: of the card.
        text: the quote, on one line.
        kind: the class of the error.
        words: of the message; numbers are all the same, "…" stands for anything.
        place: where in the card's text the quote begins: what a card is about it quotes early.
    """

    slug: str
    text: str
    kind: str
    words: tuple[str, ...]
    place: int


@dataclass(frozen=True, slots=True)
class Explained:
    """An error and the card that explains it."""

    card: Card
    quoted: Quoted


def explained(text: str) -> tuple[Explained, ...]:
    """The cards that quote the error which `text` names, the best first; most often none.

    Args:
        text: a comment or a string. It must name the error's class; the message may differ in its numbers
            and may be cut short, but not to a word or two.
    """
    scored: list[tuple[int, int, Quoted]] = []
    for named in _KIND.finditer(text):
        said = _words(text[named.end() :])
        for kind in (named[1], *_FORMERLY.get(named[1], ())):
            for quoted in _by_kind().get(kind, ()):
                score = _agreement(said, quoted.words)
                if score:
                    scored.append((-score, quoted.place, quoted))
    best: dict[str, Quoted] = {}
    for _, _, quoted in sorted(scored, key=lambda item: item[:2]):
        best.setdefault(quoted.slug, quoted)
    found = ((card(slug), quoted) for slug, quoted in islice(best.items(), _MOST))
    return tuple(Explained(known, quoted) for known, quoted in found if known is not None)


def quotes(slug: str, text: str) -> tuple[Quoted, ...]:
    """The messages that the text of a card quotes."""
    found = []
    for match in _QUOTE.finditer(" ".join(text.split())):
        kind, _, message = match[1].partition(": ")
        if not _EVERYDAY.match(message):
            found.append(Quoted(slug, match[1], kind, _words(message), match.start()))
    return tuple(found)


@lru_cache(maxsize=1)
def _by_kind() -> dict[str, tuple[Quoted, ...]]:
    found: dict[str, list[Quoted]] = {}
    for slug, text in card_texts():
        for quoted in quotes(slug, text):
            found.setdefault(quoted.kind, []).append(quoted)
    return {kind: tuple(them) for kind, them in found.items()}


def _words(message: str) -> tuple[str, ...]:
    words = (word if not word[0].isdigit() else _NUMBER for word in _WORD.findall(message))
    return tuple(_ANY if word == "..." else word for word in words)


def _agreement(said: tuple[str, ...], quoted: tuple[str, ...]) -> int:
    """How many words agree from the first one on; 0 where that may be a coincidence."""
    common = _common(said, quoted)
    whole = max(min(len(said), len(quoted)), _FEWEST)
    is_enough = common >= (whole if "attribute" in quoted else min(_ENOUGH, whole))
    return common if is_enough else 0


def _common(said: tuple[str, ...], quoted: tuple[str, ...]) -> int:
    """The length of the common beginning. Behind "…" it goes on where the quote's next word comes again."""
    same = len(list(takewhile(lambda pair: pair[0] == pair[1] != _ANY, zip(said, quoted, strict=False))))
    if same < len(quoted) and quoted[same] == _ANY:
        rest = quoted[same + 1 :]
        if not rest:
            return same + 1
        later = [at for at in range(same, len(said)) if said[at] == rest[0]]
        return same + max((_common(said[at:], rest) for at in later), default=0)
    return same
