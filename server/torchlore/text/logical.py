"""Splits a text that may be broken into logical lines: what Python would read as one line of a statement.

Brackets and strings that never end would swallow the rest of the file. What cannot stand inside them (a
`def`, two operands with nothing between, code to the left of a docstring) ends them here.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from keyword import kwlist

from torchlore.text.tokens import (
    WHITE,
    State,
    indent_of,
    never_ends,
    scan,
    string_end,
    width,
    without_comment,
)

_NEVER_IN_BRACKETS = re.compile(
    r"(?:def|class|return|import|while|try|except|finally|raise|pass|break|continue|global|nonlocal|del|assert"
    r"|with|elif)\b(?!\s*[=,)\]}.])|@\s*\w+[\w.]*(?:\(.*)?$"
)
_HEADER_LIKE = re.compile(
    r"(?:async\s+)?(?:if|for|while|with|elif|else|try|except|finally|def|class|match|case)\b.*:\s*(?:#.*)?$"
)
_CODE_LIKE = re.compile(
    r"(?:async\s+)?def\s+\w+\s*\(|class\s+\w+\s*[(:]|import\s+\w[\w.]*(?:\s+as\s+\w+)?\s*(?:#.*|,.*)?$"
    r"|from\s+[\w.]+\s+import\b|@\w[\w.]*(?:\(.*)?$"
    r"|(?:if|for|while|with|elif|else|try|except|finally)\b.*:\s*(?:#.*)?$"
    r"|[A-Za-z_][\w.\[\]'\", ]*\s*(?:[-+*/|&^%@]|//|\*\*|<<|>>)?=(?!=)\s*\S"
    r"|[A-Za-z_][\w.]*\(.*[,(\[{)]\s*(?:#.*)?$|(?:pass|break|continue|return|raise)\s*(?:#.*)?$"
    r"|return\s+[\w.]+(?:\(.*|,.*|$)|assert\s+[\w.]+\s*(?:[(=<>!\[,]|in\b|is\b|$)|raise\s+\w+\("
)
_DEFINES = re.compile(r"(?:async\s+)?def\s+\w+\s*\(|class\s+\w+\s*[(:]|import\s+\w|from\s+[\w.]+\s+import\b")
_KEYWORD = re.compile(
    r"(?:async\s+)?(?:if|for|while|with|elif|else|try|except|finally|def|class|match|case)\b"
)
_ITEM = re.compile(r"\*{0,2}\w+(?:\s*:.*|=(?!=).*)?$|\*\*?\w+,?$|[*/],?$|[)\]}]|.*,$|.*[)\]}]\s*(?:->.*)?:$")
_STRING_START = re.compile(r"[A-Za-z]{0,3}['\"]")
_FIRST_WORD = re.compile(r"\w+")
_LAST_WORD = re.compile(r"\w+\Z")
_AFTER_STRING = re.compile(r"\s*(?!(?:if|in|is|not|and|or|for|else|as)\b)\w")
_JOINING = frozenset(
    ("and", "or", "not", "in", "is", "if", "else", "for", "lambda", "yield", "await", "async")
)


@dataclass(frozen=True, slots=True)
class Logical:
    """One logical line.

    Attributes:
        first, last: its lines (0-based), both included.
        indent: the white space that it begins with.
        text: from its first character that is not white space on, line ends and comments included.
        whole: whether its brackets and strings end.
    """

    first: int
    last: int
    indent: str
    text: str
    whole: bool


@dataclass(slots=True)
class _Text:
    """A text that is read.

    Attributes:
        patience: how many more lines may be read twice.
        odd: whether some triple-quoted string never ends.
        levels: the depths of the blocks that the lines so far lie in.
    """

    lines: Sequence[str]
    patience: int
    odd: bool
    levels: list[int] = field(default_factory=list)


def logical_lines(lines: Sequence[str]) -> list[Logical]:
    """The logical lines of a text; blank lines and comments belong to none unless they lie inside one."""
    found: list[Logical] = []
    at = 0
    text = _Text(lines, 20 * len(lines) + 1000, never_ends("".join(lines)))
    while at < len(lines):
        if _is_empty(lines[at]):
            at += 1
            continue
        last, whole = _extent(text, at)
        indent = indent_of(lines[at])
        while text.levels and text.levels[-1] > width(indent):
            text.levels.pop()
        if text.levels[-1:] != [width(indent)]:
            text.levels.append(width(indent))
        found.append(Logical(at, last, indent, "".join(lines[at : last + 1])[len(indent) :], whole))
        at = last + 1
    return found


def _is_empty(line: str) -> bool:
    stripped = line.lstrip(WHITE)
    return not stripped or stripped[0] == "#"


def _extent(text: _Text, first: int) -> tuple[int, bool]:
    """The last line of the logical line that begins at `first`, and whether it ends there as it should."""
    lines, state = text.lines, State()
    at = first
    while scan(lines[at], state):
        if state.quote:
            end = _end_of_string(text, at, first, state)
            if end is None:
                return _resumed(lines, at, first), False
            at = end
            continue  # from the quote that closes it
        if not state.brackets and not state.continued:
            return at, not state.cut
        if state.cut:
            break
        following = _next_line(lines, at, state)
        if following is None or text.patience < 0:
            break
        at = following
    text.patience -= at - first
    return _broken_end(text, first), False


def _next_line(lines: Sequence[str], at: int, state: State) -> int | None:
    """The line with which an open bracket or a backslash goes on; None where it cannot."""
    following = at + 1
    if state.continued:
        if following == len(lines) or (
            not state.short and _begins_anew(state.code, lines[following].strip(WHITE))
        ):
            return None
        return following
    while following < len(lines) and _is_empty(lines[following]):
        following += 1
    if following == len(lines):
        return None
    stripped = lines[following].strip(WHITE)
    if _NEVER_IN_BRACKETS.match(stripped) or _stand_apart(state.code, stripped):
        return None
    return following


def _begins_anew(before: str, after: str) -> bool:
    """Whether what follows a line with a backslash at its end is no part of it."""
    word = _LAST_WORD.search(before.rstrip("\\ "))
    first = _FIRST_WORD.match(after)
    if (word is not None and word[0] in kwlist) or (first is not None and first[0] in kwlist):
        return _NEVER_IN_BRACKETS.match(after) is not None and not after.startswith("import")
    return _stand_apart(before.rstrip("\\ "), after)


def _stand_apart(before: str, after: str) -> bool:
    """Whether one line ends with an operand and the next begins with one: no expression goes on so."""
    if before[-1:] in ("'", '"'):
        if _STRING_START.match(after):
            return False
    elif before[-1:] not in (")", "]", "}"):
        word = _LAST_WORD.search(before)
        if word is None or word[0] in _JOINING:
            return False
    first = _FIRST_WORD.match(after)
    if first is None:
        return after[:1] in ("'", '"')
    return first[0] not in _JOINING or first[0] in ("lambda", "yield", "await")


def _broken_end(text: _Text, first: int) -> int:
    """Where a logical line that is broken ends: what is indented deeper is taken for the rest of it."""
    opening = without_comment(text.lines[first].strip(WHITE))
    if opening.endswith(":") or _closes_too_much(opening):
        return first
    if _KEYWORD.match(opening) is not None:
        return _header_end(text, first)
    depth = width(indent_of(text.lines[first]))
    if text.levels and depth < text.levels[-1] and depth not in text.levels:
        depth = text.levels[-1]  # A character has slipped into the white space.
    last, at = first, first + 1
    while at < len(text.lines):
        stripped = text.lines[at].strip(WHITE)
        if not _is_empty(text.lines[at]):
            closes = stripped[0] in ")]}"
            if width(indent_of(text.lines[at])) <= depth:
                return at if closes else last
            if _HEADER_LIKE.match(stripped) is not None:
                return last
            last = at = _past_strings(text, at)
        at += 1
    return last


def _header_end(text: _Text, first: int) -> int:
    """Where the broken header of a block ends: the rest of it is deeper, but so is the block."""
    depth = width(indent_of(text.lines[first]))
    last = first
    for at in range(first + 1, len(text.lines)):
        if _is_empty(text.lines[at]):
            continue
        stripped = without_comment(text.lines[at].strip(WHITE))
        if _closes_too_much(stripped) and (stripped[0] in ")]}" or _ITEM.match(stripped) is not None):
            return at
        shallow = width(indent_of(text.lines[at])) <= depth
        if shallow or _NEVER_IN_BRACKETS.match(stripped) or _ITEM.match(stripped) is None:
            break
        if stripped.endswith(",") and last >= at - 1:
            last = at
    return last


def _closes_too_much(code: str) -> bool:
    """Whether a line closes a bracket that was not opened on it."""
    state = State()
    return not scan(code, state) and not state.brackets


def _past_strings(text: _Text, at: int) -> int:
    """`at`, or the line on which a string that begins there ends."""
    state = State()
    first = at
    while scan(text.lines[at], state) and state.quote:
        end = _end_of_string(text, at, first, state)
        if end is None:
            return at
        at = end
    return at


def _end_of_string(text: _Text, at: int, first: int, state: State) -> int | None:
    """The line on which the string that is open at the end of line `at` ends; None where it never does.

    A quote too few or too many turns code into strings and strings into code down to the end of the file:
    where that has happened, what lies between two quotes must not look like code.
    """
    lines = text.lines
    depth = width(indent_of(lines[first]))
    bare = lines[at].lstrip().startswith(state.quote)
    filled = code = defines = 0
    for number in range(at + 1, len(lines)):
        line = lines[number]
        end = string_end(line, 0, state.quote)
        if end >= 0:
            prose_follows = _AFTER_STRING.match(line, end) is not None
            is_code = bare and defines + code // 3 > 0 and (4 if defines > 2 else 2) * code >= filled
            return None if prose_follows or (text.odd and is_code) else number
        stripped = line.strip(WHITE)
        if not stripped or stripped[0] == "#":
            continue
        filled += 1
        if _CODE_LIKE.match(stripped):
            code += 1
            defines += _DEFINES.match(stripped) is not None
            if text.odd and width(indent_of(line)) < depth:
                return None
    return None


def _resumed(lines: Sequence[str], at: int, first: int) -> int:
    """The last line of a string that never ends: the one before code begins again."""
    header = _KEYWORD.match(lines[first].strip(WHITE)) is not None
    depth = width(indent_of(lines[first]))
    for number in range(at + 1, len(lines)):
        stripped = lines[number].strip(WHITE)
        near = header or width(indent_of(lines[number])) <= depth
        if stripped and near and _CODE_LIKE.match(stripped):
            return number - 1
    return len(lines) - 1
