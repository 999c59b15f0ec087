"""What an edit inside the lines of a long text leaves as it was: its statements need not be parsed again."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import dataclass

from torchlore.text.nodes import first_line

LONG = 50_000
"""Characters from which on a text is worth remembering: shorter ones are parsed in some milliseconds."""

_TOO_LONG = 4_000_000
"""Characters from which on the tree would take too much memory to be kept."""

_QUOTES = ('"""', "'''")


@dataclass(frozen=True, slots=True)
class Whole:
    """A text that parses, and its statements."""

    text: str
    body: Sequence[ast.stmt]


@dataclass(frozen=True, slots=True)
class Changed:
    """What is left to parse of the next version of a text.

    Attributes:
        text: of the statements that an edit touched, behind as many empty lines as lines stand before them.
        before, after: the statements around them, which stand where they stood.
    """

    text: str
    before: Sequence[ast.stmt]
    after: Sequence[ast.stmt]


class Memory:
    """The last long texts that parsed: of the one that is edited, its next version needs little parsing."""

    def __init__(self) -> None:
        self._wholes: tuple[Whole, ...] = ()  # replaced, never changed: threads see one or the other

    def keep(self, text: str, tree: ast.Module) -> None:
        """Remembers a text, in the place of the version before it."""
        if _is_worth_keeping(text):
            others = [whole for whole in self._wholes if not _is_edit(whole.text, text)]
            self._wholes = (Whole(text, tree.body), *others)[:_KEPT]

    def changed(self, text: str) -> Changed | None:
        """What an edit of a text that is remembered touched; None where none is, or much was."""
        if not self._wholes or not _is_worth_keeping(text):
            return None
        found = (changed(whole, text) for whole in self._wholes if _is_edit(whole.text, text))
        return next(found, None)


_KEPT = 2
"""Texts that are remembered: somebody who goes to and fro between two files edits both."""


def _is_worth_keeping(text: str) -> bool:
    return LONG <= len(text) <= _TOO_LONG and "\r" not in text


def _is_edit(old: str, text: str) -> bool:
    """Whether a text looks like another version of `old`, before every character is compared."""
    return abs(len(old) - len(text)) < _A_LOT and (
        old[:_A_LOT] == text[:_A_LOT] or old[-_A_LOT:] == text[-_A_LOT:]
    )


_A_LOT = 2_000
"""Characters: of so many at one end of a text at least all are the same, or so many more are not typed."""


def changed(old: Whole, text: str) -> Changed | None:
    """What an edit touched; None where that cannot be told, or is much.

    One statement more is taken before and after: a clause belongs to the former, a decorator to the latter.
    Thus if the statements that are left to parse do not parse, neither does the text. What could reach
    further is not looked at: line ends that are escaped, and quotes that go on over lines.
    """
    if text.count("\n") != old.text.count("\n"):
        return None
    start = _alike(old.text, text)
    end = len(text) - _alike_at_end(old.text, text, start)
    first, last = text.count("\n", 0, start), text.count("\n", 0, end)
    if last - first > _MOST_LINES:
        return None
    begin = _index(old.body, first) - 1
    stop = _index(old.body, last) + 2
    while begin > 0 and _end(old.body[begin - 1]) > first_line(old.body[begin]):  # as in `a = 1; b = 2`
        begin -= 1
    while 0 < stop < len(old.body) and _end(old.body[stop - 1]) > first_line(old.body[stop]):
        stop += 1
    begin = max(0, begin)
    before, after = old.body[:begin], old.body[stop:]
    lines = text.split("\n")
    top = _end(before[-1]) if before else 0
    bottom = first_line(after[0]) if after else len(lines)
    edited = "\n".join(lines[first : last + 1]) + "\n".join(old.text.split("\n")[first : last + 1])
    if lines[bottom - 1].endswith("\\") or "\\\n" in f"{edited}\n" or any(q in edited for q in _QUOTES):
        return None
    return Changed("\n" * top + "\n".join(lines[top:bottom]) + "\n", before, after)


_MOST_LINES = 100


def _alike(a: str, b: str) -> int:
    """How many characters two texts have in common at their beginnings."""
    low, high = 0, min(len(a), len(b))
    while low < high:
        middle = (low + high + 1) // 2
        if a[low:middle] == b[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low


def _alike_at_end(a: str, b: str, but: int) -> int:
    """How many they have in common at their ends, beside the first `but` of each."""
    low, high = 0, min(len(a), len(b)) - but
    while low < high:
        middle = (low + high + 1) // 2
        if a[len(a) - middle : len(a) - low] == b[len(b) - middle : len(b) - low]:
            low = middle
        else:
            high = middle - 1
    return low


def _index(body: Sequence[ast.stmt], line: int) -> int:
    """The last statement that begins on a line or before it; -1 where there is none."""
    low, high = 0, len(body)
    while low < high:
        middle = (low + high) // 2
        if first_line(body[middle]) <= line:
            low = middle + 1
        else:
            high = middle
    return low - 1


def _end(statement: ast.stmt) -> int:
    """The line after a statement, 0-based."""
    return statement.end_lineno or statement.lineno
