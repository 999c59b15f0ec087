"""The top-level statements of a file, told apart without parsing it: what nobody asks for costs nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

_TOKEN = re.compile(
    r"#[^\r\n]*"
    r"|'''(?:[^\\]|\\.)*?'''"
    r'|"""(?:[^\\]|\\.)*?"""'
    r"|'(?:[^'\\\r\n]|\\.)*'"
    r'|"(?:[^"\\\r\n]|\\.)*"'
    r"|(?:\r\n|\r|\n)(?=[^\s#)\]}'\"])",
    re.DOTALL,
)
"""Comments, strings, and the ends of lines before one that begins at its first column."""

_CONTINUES = re.compile(r"(?:elif|else|except|finally)\b")
_HEAD = re.compile(r"(?:async\s+)?(\w+)")
_DEFINED = re.compile(r"^(?:async\s+)?(?:def|class)[ \t\f]+(\w+)", re.MULTILINE)
_NAMED = re.compile(r"(\w+)\s*(?::[^=\n]+)?=(?!=)")


@dataclass(frozen=True, slots=True)
class Segment:
    """One top-level statement, with its decorators.

    Attributes:
        start: its first character.
        end: where the next one begins.
        line: its first line, 0-based.
        word: what it begins with: "import", "class", "if"; "" where that is no word.
        name: what it defines, or the one name that it assigns to; "" where only its tree tells.
    """

    start: int
    end: int
    line: int
    word: str
    name: str


def segments(text: str) -> list[Segment]:
    """The top-level statements of `text` in order, as far as indentation tells: some may not parse alone."""
    starts = [*_starts(text), len(text)]
    found: list[Segment] = []
    line = at = 0
    for start, end in pairwise(starts):
        line += _count_lines(text, at, start)
        at = start
        found.append(_segment(text, start, end, line))
    return found


def _starts(text: str) -> Iterator[int]:
    decorated = False
    if text and not text[0].isspace():
        yield 0
        decorated = text[0] == "@"
    for match in _TOKEN.finditer(text):
        if text[match.start()] not in "\r\n":
            continue
        start = match.end()
        if not decorated and not _CONTINUES.match(text, start):
            yield start
        decorated = text[start] == "@"


def _segment(text: str, start: int, end: int, line: int) -> Segment:
    if text[start] == "@":
        defined = _DEFINED.search(text, start, end)
        return Segment(start, end, line, "def", defined[1] if defined is not None else "")
    head = _HEAD.match(text, start, end)
    word = head[1] if head is not None else ""
    name = ""
    if word in ("def", "class"):
        defined = _DEFINED.match(text, start, end)
        name = defined[1] if defined is not None else ""
    elif word:
        named = _NAMED.match(text, start, end)
        name = named[1] if named is not None else ""
    return Segment(start, end, line, word, name)


def _count_lines(text: str, start: int, end: int) -> int:
    """How many lines end between two places, as Python's parser counts them."""
    count = text.count("\n", start, end)
    if "\r" in text:
        count += text.count("\r", start, end) - text.count("\r\n", start, end)
    return count
