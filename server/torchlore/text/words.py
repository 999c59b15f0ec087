"""The words of a text, for quick questions that need no tree."""

from __future__ import annotations

from collections.abc import Iterator

_BLANKED = bytes(b if b >= 128 or chr(b).isalnum() or chr(b) == "_" else ord(" ") for b in range(256))
"""Bytes that end a word are blank. Letters beyond ASCII are part of words; so is all else beyond it, which
in code stands only in strings and comments."""


def words_in(text: str) -> frozenset[bytes]:
    """The words of a text, encoded: on bytes this takes a third of the time of a regular expression."""
    return frozenset(encoded(text).translate(_BLANKED).split())


def encoded(word: str) -> bytes:
    """A word as `words_in` gives it."""
    return word.encode(errors="surrogatepass")


def ends_of(word: str, text: str) -> Iterator[int]:
    """Where `word` ends, wherever it stands as a whole word: many times quicker than a pattern."""
    end = 0
    while (start := text.find(word, end)) >= 0:
        end = start + len(word)
        if not any(c == "_" or c.isalnum() for c in text[start - 1 : start] + text[end : end + 1]):
            yield end
