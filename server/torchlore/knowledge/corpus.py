"""What the search looks in: how much each term says for each card (BM25 over weighted fields)."""

from __future__ import annotations

import logging
import math
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from torchlore.knowledge.cards import cards
from torchlore.knowledge.data import ContentError, data_root, read_toml
from torchlore.knowledge.misspelling import Vocabulary, vocabulary
from torchlore.knowledge.model import Card
from torchlore.knowledge.symbols import symbol
from torchlore.knowledge.terms import WORD, Sentences, pairs, sentences, terms, terms_of_word

_WEIGHTS = {
    # How much a word counts by where it stands: a question says what a card is about, details mention much.
    "question": 5.0,
    "called": 5.0,
    "summary": 2.5,
    "documented": 2.0,
    "messages": 2.0,
    "text": 0.7,
}
_LENGTH = 0.5
"""How much of a field's length is held against it, from 0 to 1 (BM25's b)."""
_HALF_WORD = 3.0
_HALF_PAIR = 1.0
"""Weighted frequency at which a term says half of what it can (BM25's k1)."""

_CODE = re.compile(r"(?<!`)(`{1,2})(?!`)(.+?)(?<!`)\1(?!`)", re.DOTALL)
_WORDS_OF_A_MESSAGE = 3
_log = logging.getLogger(__name__)

Postings = dict[str, dict[str, float]]
"""By term: by slug, how much the term says for that card."""


@dataclass(frozen=True, slots=True)
class Corpus:
    """All cards, ready to be searched.

    Attributes:
        cards: by slug.
        words: postings of single terms.
        pairs: postings of two terms that follow each other.
        vocabulary: the words that the terms of `words` were made of, in lower case.
        titles: by slug, the terms of its question, and of its slug.
        called: by slug, the terms of each thing that the card is called.
    """

    cards: dict[str, Card]
    words: Postings
    pairs: Postings
    vocabulary: Vocabulary
    titles: dict[str, list[frozenset[str]]]
    called: dict[str, list[frozenset[str]]]


@lru_cache(maxsize=1)
def corpus() -> Corpus:
    """The cards, read and counted once, on the first question."""
    found = {card.slug: card for card in cards()}
    called = _called()
    fields = {slug: _fields(card, called.get(slug, [])) for slug, card in found.items()}
    read = {slug: {field: _read(texts) for field, texts in of.items()} for slug, of in fields.items()}
    words = _postings(read, terms, _HALF_WORD)
    return Corpus(
        cards=found,
        words=words,
        pairs=_postings(read, pairs, _HALF_PAIR),
        vocabulary=vocabulary(_spelled(fields)),
        titles={slug: _term_sets([card.question, slug]) for slug, card in found.items()},
        called={slug: _term_sets(called.get(slug, [])) for slug in found},
    )


def _fields(card: Card, called: list[str]) -> dict[str, list[str]]:
    """The texts of each field. No pair of words reaches from one text into the next."""
    text = "\n\n".join((card.answer, card.details, card.pitfalls, card.corrections, card.follow_ups))
    quoted = [" ".join(code.split()) for _, code in _CODE.findall(text)]
    return {
        "question": [card.question, card.slug],
        "called": called,
        "summary": [card.summary],
        "documented": [_documented(name) for name in card.symbols],
        "messages": [code for code in quoted if code.count(" ") + 1 >= _WORDS_OF_A_MESSAGE],
        "text": [text],
    }


def _documented(name: str) -> str:
    """A symbol with the line that PyTorch's own documentation has for it."""
    known = symbol(name)
    return f"{'.'.join(name.split('.')[-2:])}: {known.summary if known else ''}"


def _called() -> dict[str, list[str]]:
    """What `search.toml` says that cards are called; nothing where it cannot be used."""
    path = data_root() / "search.toml"
    try:
        table: dict[str, list[str]] = read_toml(path.read_text(encoding="utf-8"), path.name)["called"]
    except (OSError, ContentError, KeyError) as error:
        _log.error("%s left out: %s", path.name, error)
        return {}
    return table


def _read(texts: list[str]) -> Sentences:
    return [sentence for text in texts for sentence in sentences(text)]


def _postings(
    read: dict[str, dict[str, Sentences]], split: Callable[[Sentences], list[str]], half: float
) -> Postings:
    """Frequency, weighted by field and by the field's length, saturated, times rarity."""
    frequencies: dict[str, dict[str, float]] = {}
    for field, weight in _WEIGHTS.items():
        counts = {slug: Counter(split(fields[field])) for slug, fields in read.items()}
        average = sum(counted.total() for counted in counts.values()) / max(len(counts), 1) or 1
        for slug, counted in counts.items():
            share = weight / (1 - _LENGTH + _LENGTH * counted.total() / average)
            for term, count in counted.items():
                here = frequencies.setdefault(term, {})
                here[slug] = here.get(slug, 0.0) + share * count
    return {
        term: {slug: _rarity(len(here), len(read)) * f / (f + half) for slug, f in here.items()}
        for term, here in frequencies.items()
    }


def _spelled(fields: dict[str, dict[str, list[str]]]) -> set[str]:
    """Every word of the fields that says anything."""
    texts = (text for of_card in fields.values() for field in of_card.values() for text in field)
    words = set(WORD.findall("\n".join(texts)))
    return {word.lower() for word in words if terms_of_word(word)}


def _rarity(having: int, of: int) -> float:
    return math.log(1 + (of - having + 0.5) / (having + 0.5))


def _term_sets(texts: list[str]) -> list[frozenset[str]]:
    return [frozenset(terms(sentences(text))) for text in texts]
