"""Finds cards from words: what people ask, a symbol's name, an error message as it was printed."""

from __future__ import annotations

import re
from collections.abc import Iterable

from torchlore.knowledge.cards import card_for
from torchlore.knowledge.corpus import Postings, corpus
from torchlore.knowledge.misspelling import nearest
from torchlore.knowledge.model import Card
from torchlore.knowledge.names import Named, ends_a_name, guessed, named
from torchlore.knowledge.quoted import explained
from torchlore.knowledge.terms import WORD, pairs, sentences, terms, terms_of_word

_PAIR = 0.5
"""What a pair of words counts, beside the two words themselves."""
_TITLE = 6.0
"""What it counts that the question is the card's own."""
_CALLED = 4.0
"""What it counts that the question holds whole what the card is called; a single word counts nothing more."""
_SYMBOL = 8.0
"""What a symbol counts among other words; less, the more of them there are."""
_SYMBOL_ALONE = 30.0
"""What a symbol counts where nothing else was asked: no other card may come before its own."""
_QUOTED = 20.0
"""What it counts that a card quotes the error that was pasted: of several that do, the words decide."""
_DOCUMENTED = 0.3
"""What the words count by which PyTorch documents a symbol that no card explains."""

_MOST_CORRECTED = 12
"""Words that are corrected in one question."""
_GENERAL = frozenset(("torch", "torch.nn", "torch.nn.functional", "torch.Tensor", "torch.nn.Module"))
_FRAME = re.compile(r'\s*File ".*?", line \d+|\s*[~^]+\s*$|Traceback \(most recent call last\)')
_PATH = re.compile(r"\S*[\\/]\S*\.py\b(?::\d+)?")


def search(words: str, limit: int = 10) -> list[Card]:
    """The cards that answer best to these words, best first; [] where no card has any of them.

    A symbol's name in any usual spelling (`zero_grad`, `nn.Linear`, `F.cross_entropy`) puts its card first,
    and words that no card has count as the nearest that one has.
    """
    known = corpus()
    question = _corrected(_message(words))
    read = sentences(question)
    asked = frozenset(terms(read))
    scores: dict[str, float] = {}
    _add(scores, known.words, asked, 1.0)
    _add(scores, known.pairs, frozenset(pairs(read)), _PAIR)
    for slug in scores:
        scores[slug] += _TITLE * max(_likeness(asked, title) for title in known.titles[slug])
        whole = max((len(called) for called in known.called[slug] if called <= asked), default=0)
        scores[slug] += _CALLED * (whole - 1) / len(asked) if whole else 0.0
    mentions = mentioned(words)
    around = asked - {term for mention in mentions for term in terms(sentences(mention.spelled))}
    weight = _SYMBOL / (len(mentions) + len(around)) if around else _SYMBOL_ALONE
    for mention in mentions:
        _add_symbol(scores, mention, weight)
    for found in explained(words):
        scores[found.card.slug] = scores.get(found.card.slug, 0.0) + _QUOTED
    ranked = sorted(scores, key=lambda slug: (-scores[slug], slug))
    return [known.cards[slug] for slug in ranked[: max(limit, 0)] if slug in known.cards]


def mentioned(words: str) -> list[Named]:
    """The symbols that these words name; a single word that nothing knows may be a misspelt one."""
    message = _message(words)
    question = _corrected(message)
    found = named(message, _is_strange) or named(question, _is_strange)
    is_known = any(term in corpus().words for term in terms(sentences(question)))
    return found if found or is_known else guessed(message)


def _add(scores: dict[str, float], postings: Postings, asked: Iterable[str], weight: float) -> None:
    for term in asked:
        for slug, amount in postings.get(term, {}).items():
            scores[slug] = scores.get(slug, 0.0) + weight * amount


def _add_symbol(scores: dict[str, float], mention: Named, weight: float) -> None:
    """Lifts the card of a symbol, else that of the class or module that it belongs to."""
    card, owner = mention.card, mention.symbol.name.rpartition(".")[0]
    while card is None and owner and owner not in _GENERAL:
        card, owner = card_for(owner), owner.rpartition(".")[0]
    if card is not None:
        scores[card.slug] = scores.get(card.slug, 0.0) + weight
        return
    _add(scores, corpus().words, frozenset(terms(sentences(mention.symbol.summary))), _DOCUMENTED)


def _likeness(one: frozenset[str], other: frozenset[str]) -> float:
    """How nearly two sets of words are the same: 0 to 1."""
    return len(one & other) / (len(one | other) or 1)


def _message(words: str) -> str:
    """What was asked; of a traceback the message alone, without the frames, and without paths of files."""
    lines = words.splitlines() or [""]
    frames = [bool(_FRAME.match(line)) for line in lines]
    after = [False, *frames[:-1]]
    # The line after a frame is the code that stood there.
    kept = [
        line
        for line, is_frame, follows in zip(lines, frames, after, strict=True)
        if not is_frame and not (follows and line[:1].isspace())
    ]
    return _PATH.sub(" ", "\n".join(kept)) if any(line.strip() for line in kept) else words


def _corrected(words: str) -> str:
    """Words that neither a card nor a symbol has, replaced by the nearest that a card has.

    Of several that are equally near, the commonest.
    """
    known = corpus()
    left = _MOST_CORRECTED

    def correct(match: re.Match[str]) -> str:
        nonlocal left
        word = match[0]
        if not left or not _is_strange(word):
            return word
        left -= 1
        meant = max(nearest(word.lower(), known.vocabulary), key=_commonness, default=word)
        return meant.capitalize() if word[0].isupper() else meant

    return WORD.sub(correct, words)


def _is_strange(name: str) -> bool:
    """Whether neither a card nor a symbol has this word, or the last part of this dotted name."""
    word = name.rpartition(".")[2]
    found = terms_of_word(word)[:1]
    return bool(found) and found[0] not in corpus().words and not ends_a_name(word)


def _commonness(word: str) -> int:
    return len(corpus().words.get(terms_of_word(word)[0], ()))
