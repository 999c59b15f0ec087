"""Finds cards from words: BM25 over weighted fields, with a lift for symbol names and common sayings."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from functools import lru_cache

from torchlore.knowledge.cards import card_for, cards
from torchlore.knowledge.data import data_root, read_toml
from torchlore.knowledge.model import Card

# How much a word counts by where it stands. A question says what a card is about; details mention much.
_WEIGHTS = {"question": 5.0, "slug": 5.0, "symbols": 3.0, "summary": 2.5, "text": 1.0}
_K1, _B = 1.2, 0.6
_SYMBOL_LIFT = 12.0
_QUESTION_LIFT = 8.0
_SAYING_WEIGHT = 1.5

_WORD = re.compile(r"[a-z][a-z0-9]*(?:_+[a-z0-9]+)*_?|\d+")
_NAME = re.compile(
    r"\b[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)+\b"  # nn.Linear
    r"|\b[A-Za-z]+_[A-Za-z_0-9]*\b"  # zero_grad
    r"|\b[A-Z]\w*[a-z]\w*[A-Z]\w*\b|\b[A-Z][a-z0-9]+[A-Z]\w*\b"  # DataLoader
)
_STOP = frozenset(
    re.findall(
        r"\w+",
        """a an and are as at be but by can could did do does doing for from had has have how i if in into is
        it its me my of on or our should so than that the their them then there these they this to was we were
        what when where which while who why will with would you your not no get gets got use used using""",
    )
)
_SHORT = {
    "nn": "torch.nn.",
    "F": "torch.nn.functional.",
    "optim": "torch.optim.",
    "dist": "torch.distributed.",
}
_HOMES = (
    "",
    "torch.",
    "torch.nn.functional.",
    "torch.nn.",
    "torch.Tensor.",
    "torch.optim.Optimizer.",
    "torch.nn.Module.",
    "torch.optim.",
    "torch.optim.lr_scheduler.",
    "torch.utils.data.",
)
_CLASSES = (
    "torch.Tensor.",
    "torch.nn.Module.",
    "torch.optim.Optimizer.",
    "torch.optim.lr_scheduler.LRScheduler.",
    "torch.amp.GradScaler.",
)


def search(words: str, limit: int = 10) -> list[Card]:
    """The cards that answer best to these words, best first; [] where no card has any of them.

    A symbol's name in any usual spelling (`zero_grad`, `nn.Linear`, `F.cross_entropy`) puts its card first.
    """
    corpus = _corpus()
    scores: dict[str, float] = {}
    for term, weight in _query(words).items():
        for slug, amount in corpus.postings.get(term, {}).items():
            scores[slug] = scores.get(slug, 0.0) + weight * corpus.rarity(term) * amount
    asked = set(_terms(words))
    for slug, titles in corpus.titles.items():
        if slug in scores:
            scores[slug] += _QUESTION_LIFT * max(_likeness(asked, title) for title in titles)
    for slug in _named(words):
        scores[slug] = scores.get(slug, 0.0) + _SYMBOL_LIFT
    ranked = sorted(scores, key=lambda slug: (-scores[slug], slug))
    return [corpus.cards[slug] for slug in ranked[: max(limit, 0)]]


@dataclass(frozen=True, slots=True)
class _Corpus:
    cards: dict[str, Card]
    postings: dict[str, dict[str, float]]
    titles: dict[str, tuple[set[str], set[str]]]

    def rarity(self, term: str) -> float:
        having = len(self.postings.get(term, ()))
        return math.log(1 + (len(self.cards) - having + 0.5) / (having + 0.5))


@lru_cache(maxsize=1)
def _corpus() -> _Corpus:
    """Saturated weighted frequency of every term in every card (BM25 with fields, before rarity)."""
    counts = {card.slug: _weighted_terms(card) for card in cards()}
    lengths = {slug: sum(terms.values()) for slug, terms in counts.items()}
    average = sum(lengths.values()) / max(len(lengths), 1)
    postings: dict[str, dict[str, float]] = {}
    for slug, terms in counts.items():
        norm = _K1 * (1 - _B + _B * lengths[slug] / average)
        for term, frequency in terms.items():
            postings.setdefault(term, {})[slug] = frequency * (_K1 + 1) / (frequency + norm)
    titles = {card.slug: (set(_terms(card.question)), set(_terms(card.slug))) for card in cards()}
    return _Corpus({card.slug: card for card in cards()}, postings, titles)


def _likeness(one: set[str], other: set[str]) -> float:
    """How nearly two sets of words are the same: 0 to 1."""
    return len(one & other) / (len(one | other) or 1)


def _weighted_terms(card: Card) -> dict[str, float]:
    fields = {
        "question": card.question,
        "slug": card.slug,
        "symbols": " ".join(card.symbols),
        "summary": card.summary,
        "text": "\n".join((card.answer, card.details, card.pitfalls, card.corrections, card.follow_ups)),
    }
    total: dict[str, float] = {}
    for field, text in fields.items():
        for term in _terms(text):
            total[term] = total.get(term, 0.0) + _WEIGHTS[field]
    return total


def _query(words: str) -> dict[str, float]:
    """Terms with their weights: the user's own words, and what a saying among them is really about."""
    query = dict.fromkeys(_terms(words), 1.0)
    plain = " ".join(re.findall(r"[a-z0-9_']+", words.lower()))
    for pattern, meaning in _sayings():
        if pattern.search(plain):
            for term in _terms(meaning):
                query[term] = max(query.get(term, 0.0), _SAYING_WEIGHT)
    return query


@lru_cache(maxsize=1)
def _sayings() -> tuple[tuple[re.Pattern[str], str], ...]:
    path = data_root() / "search.toml"
    if not path.is_file():
        return ()
    table = read_toml(path.read_text(encoding="utf-8"), path.name)
    return tuple((re.compile(entry["when"]), entry["about"]) for entry in table["saying"])


def _named(words: str) -> set[str]:
    """Slugs of the cards of the symbols that the words name outright."""
    slugs = set()
    for spelled in _NAME.findall(words):
        head, _, rest = spelled.partition(".")
        full = [home + spelled for home in _HOMES]
        if head in _SHORT and rest:
            full.insert(0, _SHORT[head] + rest)
        elif rest and head != "torch":  # a method of somebody's variable: `loss.backward`, `self.opt.step`
            full += [home + spelled.rpartition(".")[2] for home in _CLASSES]
        found = next((card for card in map(card_for, full) if card is not None), None)
        if found:
            slugs.add(found.slug)
    return slugs


def _terms(text: str) -> list[str]:
    """Lower-case stems; an identifier counts whole (`zero_grad`) and by its parts."""
    found = []
    for word in _WORD.findall(text.lower()):
        if "_" in word:
            found.append(word)
        found += [_stem(part) for part in word.split("_") if part and part not in _STOP]
    return found


def _stem(word: str) -> str:
    """Cut plain English endings, so that "optimizers", "training" and "trained" meet "optimizer", "train"."""
    for ending, rest in (("ies", "y"), ("ing", ""), ("ed", ""), ("es", ""), ("s", "")):
        if word.endswith(ending) and len(word) - len(ending) >= 4 and not word.endswith("ss"):
            stem = word[: -len(ending)] + rest
            return stem[:-1] if len(stem) > 4 and stem[-1] == stem[-2] and stem[-1] not in "ls" else stem
    return word.removesuffix("e") if len(word) > 5 else word
