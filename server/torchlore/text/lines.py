"""Lines as the Language Server Protocol and CPython's `ast` count them.

Both end a line at `\\n`, `\\r\\n` and `\\r` and at nothing else. `str.splitlines` also breaks at form
feeds, `\\x1c`, `\\x85`, U+2028 and others, which shifts every later position.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from enum import Enum
from itertools import accumulate

_LINE_END = re.compile(r"\r\n|\n|\r")
_NON_BMP = re.compile("[\U00010000-\U0010ffff]")


class Encoding(str, Enum):
    """The unit in which a client counts columns (LSP 3.17 `PositionEncodingKind`)."""

    UTF8 = "utf-8"
    UTF16 = "utf-16"
    UTF32 = "utf-32"


class LineTable:
    """Converts between offsets (code points from the start of the text) and line/column pairs.

    Lines are 0-based. Columns are counted in the unit that the caller names. A position outside the
    text is moved to the nearest one inside, as the protocol asks; nothing here raises on one.
    """

    __slots__ = ("_ascii", "_starts", "_text")

    def __init__(self, text: str) -> None:
        self._text = text
        self._ascii = text.isascii()
        self._starts = _starts(text)

    def __len__(self) -> int:
        return len(self._starts)

    @property
    def whole(self) -> str:
        """The text that this table is of."""
        return self._text

    def edited(self, start: int, end: int, text: str) -> LineTable:
        """The table of the text in which the offsets `start` to `end` are replaced by `text`.

        Looks for line ends only around the edit, so that a keystroke in a long file stays cheap.
        """
        # One character more on either side: an edit can join or part a carriage return and a line feed.
        first = self.line_of(max(0, start - 1))
        last = min(self.line_of(end + 1) + 1, len(self._starts))
        begin = self._starts[first]
        stop = self._starts[last] if last < len(self._starts) else len(self._text)
        middle = f"{self._text[begin:start]}{text}{self._text[end:stop]}"
        shift = len(text) - (end - start)
        table = LineTable.__new__(LineTable)
        table._text = f"{self._text[:begin]}{middle}{self._text[stop:]}"
        table._ascii = table._text.isascii()
        starts = self._starts[: first + 1]
        starts += [begin + m.end() for m in _LINE_END.finditer(middle)]
        starts += [s + shift for s in self._starts[last + 1 :]]
        table._starts = starts
        return table

    def start(self, line: int) -> int:
        """Offset of the first code point of `line`; past the last line, the end of the text."""
        if line < 0:
            return 0
        return self._starts[line] if line < len(self._starts) else len(self._text)

    def end(self, line: int) -> int:
        """Offset just past the last code point of `line`, its line end not counted."""
        end = self.start(line + 1)
        begin = self.start(line)
        if end > begin and self._text[end - 1] == "\n":
            end -= 1
        if end > begin and self._text[end - 1] == "\r":
            end -= 1
        return end

    def text(self, line: int) -> str:
        """The text of `line` without its line end."""
        return self._text[self.start(line) : self.end(line)]

    def line_of(self, offset: int) -> int:
        """The line that `offset` is on."""
        return max(0, bisect_right(self._starts, offset) - 1)

    def offset(self, line: int, column: int, encoding: Encoding = Encoding.UTF32) -> int:
        """The offset of (`line`, `column`); a column inside a character means that character's start."""
        if line >= len(self._starts):
            return len(self._text)
        if line < 0:
            return 0
        start, end = self.start(line), self.end(line)
        column = max(0, column)
        if self._ascii or encoding is Encoding.UTF32:
            return min(start + column, end)
        return start + _code_points(self._text[start:end], column, encoding)

    def position(self, offset: int, encoding: Encoding = Encoding.UTF32) -> tuple[int, int]:
        """The (line, column) of `offset`, the column counted in `encoding`."""
        offset = min(max(0, offset), len(self._text))
        line = self.line_of(offset)
        start = self._starts[line]
        if self._ascii or encoding is Encoding.UTF32:
            return line, offset - start
        return line, _units(self._text[start:offset], encoding)


def _units(text: str, encoding: Encoding) -> int:
    """How many units of `encoding` the text takes. A lone surrogate counts as what it would be encoded to."""
    if encoding is Encoding.UTF8:
        return len(text.encode("utf-8", "surrogatepass"))
    if encoding is Encoding.UTF16:
        return len(text) + len(_NON_BMP.findall(text))
    return len(text)


def _code_points(text: str, units: int, encoding: Encoding) -> int:
    """How many whole code points of `text` fit in `units`."""
    if text.isascii():
        return min(units, len(text))
    if encoding is Encoding.UTF8:
        head = text.encode("utf-8", "surrogatepass")[:units]
        while head and not _is_whole_utf8(head):
            head = head[:-1]
        return len(head.decode("utf-8", "surrogatepass"))
    if _NON_BMP.search(text) is None:
        return min(units, len(text))
    used = 0
    for index, char in enumerate(text):
        used += 2 if char >= "\U00010000" else 1
        if used > units:
            return index
    return len(text)


def _is_whole_utf8(data: bytes) -> bool:
    try:
        data.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        return False
    return True


def _starts(text: str) -> list[int]:
    """Where the lines of a text begin."""
    if "\r" in text:
        return [0, *(m.end() for m in _LINE_END.finditer(text))]
    # Thrice as quick as the pattern, where there are line feeds only.
    return list(accumulate([len(line) + 1 for line in text.split("\n")[:-1]], initial=0))
