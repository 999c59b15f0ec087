"""Text as search terms: words cut to their stems, identifiers whole and by their parts, pairs of words."""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import pairwise

WORD = re.compile(r"0[xX][0-9a-fA-F]+|[A-Za-z](?:[A-Za-z0-9]|_+(?=[A-Za-z0-9]))*_?")
_PART = re.compile(r"[A-Z]{2,}(?![a-z])\d*|[A-Z]?[a-z]+\d*|[A-Z]+\d*")
_SENTENCE_END = re.compile(r"[.!?;:]\s|\n\s*\n|\||`{3}")

STOP = frozenset(
    re.findall(
        r"\w+",
        """
        a about after again ain aint all also although always am an and any anybody anyone anything are aren
        arent as at be because been before being best both but by came can cannot cant come could couldn
        couldnt did didn didnt do does doesn doesnt doing don done dont each either else etc even ever every
        few find for from gave get gets getting give given go goes going good got had has hasn have haven he
        hello help her here hi his how however i idea if im in into is isn isnt it its itself ive just keep
        keeps kind know let lets like ll lot made make makes making many may me mean means might more most
        much must my need needed needs never no nor not nothing now of off often ok on once only or other
        our ought out own people please possible probably properly put question quite re really right said
        same say says see seem seems seen several shall she should shouldn shouldnt show shows since so some
        somebody somehow someone something still such sure take takes tell than thank thanks that thats the
        their them then there theres these they thing things think this those though to too trying try under
        up upon us use used using ve very want wants was wasn wasnt way ways we well were weren werent what
        whats when where wheres whether which while who whole whose why will with within without won wonder
        wont would wouldn wouldnt wrong yes yet you your youre
        """,
    )
)
"""Words that say nothing of what a question is about."""

_ENDINGS = (
    ("izations", "iz"),
    ("ization", "iz"),
    ("ations", "at"),
    ("ation", "at"),
    ("ies", "y"),
    ("ing", ""),
    ("ed", ""),
    ("es", ""),
    ("s", ""),
)
_BRITISH = re.compile(r"is(?=(?:e[ds]?|ing|ations?)$)")
_SHORTEST_STEM = 3


Sentences = list[list[tuple[str, ...]]]
"""The words of each sentence, each as its terms; words that say nothing are left out."""


def sentences(text: str) -> Sentences:
    """Lower-case stems in the order of the text.

    An identifier counts whole, without its last underscores, and by its parts: `zero_grad_`, `DataLoader`.
    Numbers and addresses are left out: in a message that was pasted they are another reader's.
    """
    return [
        [found for word in WORD.findall(sentence) if (found := terms_of_word(word))]
        for sentence in _SENTENCE_END.split(text)
    ]


def terms(read: Sentences) -> list[str]:
    """Every term."""
    return [term for sentence in read for word in sentence for term in word]


def pairs(read: Sentences) -> list[str]:
    """Every two words that follow each other in a sentence, each as its first term, joined by a space."""
    return [f"{left[0]} {right[0]}" for sentence in read for left, right in pairwise(sentence)]


@lru_cache(maxsize=16384)
def terms_of_word(word: str) -> tuple[str, ...]:
    """The terms of one word: the word itself, then the parts of an identifier; () where it says nothing."""
    if word[:2] in ("0x", "0X"):
        return ()
    plain = word.rstrip("_").lower()
    parts = [part.lower() for part in _PART.findall(word)]
    if len(parts) < 2:
        return () if plain in STOP or len(plain) < 2 else (_stem(plain),)
    return (plain, *(_stem(part) for part in parts if part not in STOP and len(part) > 1))


def _stem(word: str) -> str:
    """Cut plain English endings, so that "optimizers", "training" and "trained" meet "optimizer", "train"."""
    word = _BRITISH.sub("iz", word) if len(word) > 6 else word
    for ending, rest in _ENDINGS:
        if (
            word.endswith(ending)
            and len(word) - len(ending) >= _SHORTEST_STEM
            and not word.endswith(("ss", "us", "is"))
        ):
            word = word[: -len(ending)] + rest
            if len(word) > _SHORTEST_STEM and word[-1] == word[-2] and word[-1] not in "lsz":
                word = word[:-1]
            break
    return word.removesuffix("e") if len(word) > _SHORTEST_STEM + 1 else word
