"""Which known words a misspelt one may be."""

from __future__ import annotations

from collections.abc import Iterable

_SHORTEST = 4
_LONG = 8

Vocabulary = dict[int, list[tuple[str, int]]]
"""Words by their length, each with the set of its characters as bits."""


def vocabulary(words: Iterable[str]) -> Vocabulary:
    """The words, ready for `nearest`."""
    found: Vocabulary = {}
    for word in words:
        found.setdefault(len(word), []).append((word, _characters(word)))
    return found


def nearest(word: str, known: Vocabulary) -> list[str]:
    """The known words that are fewest slips away from `word`, or [] where all are too far.

    A slip is a letter too many, missing, wrong, or swapped with its neighbour. Words of four letters may
    have one, from eight letters on two.
    """
    most = 0 if len(word) < _SHORTEST else 1 if len(word) < _LONG else 2
    characters = _characters(word)
    best: list[str] = []
    for length in range(len(word) - most, len(word) + most + 1) if most else ():
        for other, there in known.get(length, ()):
            if (characters ^ there).bit_count() > 2 * most:  # A slip changes at most two bits.
                continue
            distance = _slips(word, other, most)
            if distance < most:
                best, most = [other], distance
            elif distance == most:
                best.append(other)
    return best


def _slips(one: str, other: str, most: int) -> int:
    """How many slips lie between two words; some number above `most` where it is more than that."""
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, left in enumerate(one, 1):
        above, before, row = before, row, [i]
        for j, right in enumerate(other, 1):
            slips = min(before[j - 1] + (left != right), before[j] + 1, row[j - 1] + 1)
            if i > 1 and j > 1 and left == other[j - 2] and one[i - 2] == right:
                slips = min(slips, above[j - 2] + 1)
            row.append(slips)
        if min(row) > most:
            return most + 1
    return row[-1]


def _characters(word: str) -> int:
    found = 0
    for character in word:
        found |= 1 << (ord(character) & 63)
    return found
