"""Splits a text that may be broken into logical lines: what Python would read as one line of a statement.

Brackets and strings that never end would swallow the rest of the file. What cannot stand inside them (a
`def`, two operands with nothing between, code to the left of a docstring) ends them here.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

_LINE = re.compile(r"[^\r\n]*(?:\r\n|\n|\r)|[^\r\n]+\Z")
_INTERESTING = re.compile(r"['\"()\[\]{}\\#]")
_TOKEN = re.compile(
    r"#[^\r\n]*|'''|\"\"\"|'(?:\\.|[^'\\\r\n])*(?:'|(?=[\r\n])|\Z)|\"(?:\\.|[^\"\\\r\n])*(?:\"|(?=[\r\n])|\Z)"
    r"|[()\[\]{}]|\\(?=[\r\n]|\Z)",
    re.DOTALL,
)
_CLOSE = {quote: re.compile(rf"(?:\\.|[^\\])*?{quote}", re.DOTALL) for quote in ("'''", '"""')}
_CLOSE_SHORT = {quote: re.compile(rf"(?:\\.|[^\\\r\n])*?{quote}", re.DOTALL) for quote in ("'", '"')}
_PAIRS = {"(": ")", "[": "]", "{": "}"}
_MAX_OPEN = 60
"""Brackets nested deeper than this were never closed; Python itself gives up at 200."""

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
class _State:
    """Where a scan stands: what is open, and the code on the last line that had some.

    Attributes:
        quote: the triple quote that is open.
        short: the simple quote that is open, on a line that ends with a backslash.
        cut: whether a string was left open at the end of its line.
    """

    brackets: list[str] = field(default_factory=list)
    quote: str = ""
    short: str = ""
    cut: bool = False
    continued: bool = False
    code: str = ""


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


def split_lines(text: str) -> list[str]:
    """The lines of `text` with their ends."""
    return _LINE.findall(text)


def width(indent: str) -> int:
    """How deep `indent` is, tabs counted as Python does."""
    return len(indent.rpartition("\f")[2].expandtabs(8))


def indent_of(line: str) -> str:
    """The white space that `line` begins with."""
    return line[: len(line) - len(line.lstrip(" \t\f"))]


def logical_lines(lines: Sequence[str]) -> list[Logical]:
    """The logical lines of a text; blank lines and comments belong to none unless they lie inside one."""
    found: list[Logical] = []
    at = 0
    text = _Text(lines, 20 * len(lines) + 1000, _never_ends("".join(lines)))
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


def closers(text: str) -> str | None:
    """The brackets that would close `text`; None where one does not match, or a string does not end."""
    state = _State()
    for line in split_lines(text):
        if not _scan(line, state):
            return None
    return None if state.quote else "".join(_PAIRS[bracket] for bracket in reversed(state.brackets))


def without_comment(text: str) -> str:
    """A logical line without the comment and white space at its end."""
    end, at = len(text), 0
    while (match := _TOKEN.search(text, at)) is not None:
        at = match.end()
        if match[0] in _CLOSE:
            close = _CLOSE[match[0]].match(text, at)
            at = len(text) if close is None else close.end()
        elif match[0].startswith("#") and not text[at:].strip():
            end = match.start()
    return text[:end].rstrip()


def pieces(text: str, separator: str = ",") -> list[str]:
    """`text` parted at each `separator` that is in no bracket or string."""
    found: list[str] = []
    begin = at = depth = 0
    for match in re.finditer(_TOKEN.pattern + f"|{re.escape(separator)}", text, re.DOTALL):
        if match.start() < at:
            continue
        if match[0] in _CLOSE:
            close = _CLOSE[match[0]].match(text, match.end())
            at = len(text) if close is None else close.end()
        elif match[0] in "([{":
            depth += 1
        elif match[0] in ")]}":
            depth -= 1
        elif match[0] == separator and depth == 0:
            found.append(text[begin : match.start()])
            begin = match.end()
    return [*found, text[begin:]]


def _is_empty(line: str) -> bool:
    stripped = line.lstrip()
    return not stripped or stripped[0] == "#"


def _extent(text: _Text, first: int) -> tuple[int, bool]:
    """The last line of the logical line that begins at `first`, and whether it ends there as it should."""
    lines, state = text.lines, _State()
    at = first
    while _scan(lines[at], state):
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


def _scan(line: str, state: _State) -> bool:
    """Reads one line; False where a bracket does not match, or too many are open."""
    at = 0
    state.continued = False
    if state.quote or state.short:
        close = (_CLOSE[state.quote] if state.quote else _CLOSE_SHORT[state.short]).match(line)
        if close is None:
            state.continued = not state.quote and line.rstrip("\r\n").endswith("\\")
            return not state.short or state.continued
        state.quote, state.short, at = "", "", close.end()
    end = len(line)
    if _INTERESTING.search(line, at) is not None:
        while (match := _TOKEN.search(line, at)) is not None:
            token, at = match[0], match.end()
            if token[0] == "#":
                end = match.start()
                break
            if token in _CLOSE:
                close = _CLOSE[token].match(line, at)
                if close is None:
                    state.quote, state.code = token, token
                    return True
                at = close.end()
            elif token in _PAIRS:
                state.brackets.append(token)
            elif token in ")]}":
                if not state.brackets or _PAIRS[state.brackets.pop()] != token:
                    return False
            elif token == "\\":
                state.continued = True
            elif token[-1] in "\r\n":
                state.short, state.continued = token[0], True
            elif token[0] in "'\"" and (len(token) == 1 or token[-1] != token[0]):
                state.cut = True
    code = line[:end].strip()
    state.code = code or state.code
    return len(state.brackets) <= _MAX_OPEN


def _next_line(lines: Sequence[str], at: int, state: _State) -> int | None:
    """The line with which an open bracket or a backslash goes on; None where it cannot."""
    following = at + 1
    if state.continued:
        return following if following < len(lines) else None
    while following < len(lines) and _is_empty(lines[following]):
        following += 1
    if following == len(lines):
        return None
    stripped = lines[following].strip()
    if _NEVER_IN_BRACKETS.match(stripped) or _stand_apart(state.code, stripped):
        return None
    return following


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
    opening = without_comment(text.lines[first].strip())
    if opening.endswith(":") or _closes_too_much(opening):
        return first
    if _KEYWORD.match(opening) is not None:
        return _header_end(text, first)
    depth = width(indent_of(text.lines[first]))
    if text.levels and depth < text.levels[-1] and depth not in text.levels:
        depth = text.levels[-1]  # A character has slipped into the white space.
    last, at = first, first + 1
    while at < len(text.lines):
        stripped = text.lines[at].strip()
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
        stripped = without_comment(text.lines[at].strip())
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
    state = _State()
    return not _scan(code, state) and not state.brackets


def _past_strings(text: _Text, at: int) -> int:
    """`at`, or the line on which a string that begins there ends."""
    state = _State()
    first = at
    while _scan(text.lines[at], state) and state.quote:
        end = _end_of_string(text, at, first, state)
        if end is None:
            return at
        at = end
    return at


def _never_ends(text: str) -> bool:
    """Whether a triple-quoted string is open at the end of `text`."""
    at = 0
    while (match := _TOKEN.search(text, at)) is not None:
        at = match.end()
        if match[0] in _CLOSE:
            close = _CLOSE[match[0]].match(text, at)
            if close is None:
                return True
            at = close.end()
    return False


def _end_of_string(text: _Text, at: int, first: int, state: _State) -> int | None:
    """The line on which the string that is open at the end of line `at` ends; None where it never does.

    A quote too few or too many turns code into strings and strings into code down to the end of the file:
    where that has happened, what lies between two quotes must not look like code.
    """
    lines, close = text.lines, _CLOSE[state.quote]
    depth = width(indent_of(lines[first]))
    bare = lines[at].lstrip().startswith(state.quote)
    filled = code = defines = 0
    for number in range(at + 1, len(lines)):
        line = lines[number]
        if state.quote in line and (match := close.match(line)) is not None:
            prose_follows = _AFTER_STRING.match(line, match.end()) is not None
            is_code = bare and defines + code // 3 > 0 and (4 if defines > 2 else 2) * code >= filled
            return None if text.odd and (prose_follows or is_code) else number
        stripped = line.strip()
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
    header = _KEYWORD.match(lines[first].strip()) is not None
    depth = width(indent_of(lines[first]))
    for number in range(at + 1, len(lines)):
        stripped = lines[number].strip()
        near = header or width(indent_of(lines[number])) <= depth
        if stripped and near and _CODE_LIKE.match(stripped):
            return number - 1
    return len(lines) - 1
