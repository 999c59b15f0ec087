"""What is being typed at a place: the word, the object before its dot, the string, the calls around it.

Half a statement is the normal case here, so nothing of this asks the syntax tree for more than where a
statement may begin: brackets and strings are read from there up to the place, and what follows is not looked
at.
"""

from __future__ import annotations

import ast
import re
from bisect import bisect_right
from dataclasses import dataclass
from keyword import iskeyword

from torchlore.text.edits import Span
from torchlore.text.logical import logical_lines
from torchlore.text.nodes import blocks
from torchlore.text.source import Source
from torchlore.text.tokens import TOKEN, TRIPLE, WHITE, split_lines, string_end

_SEPARATED = re.compile(f"{TOKEN.pattern}|,", re.DOTALL)
_KEYWORD = re.compile(r"\s*([^\W\d]\w*)\s*=(?!=)\s*")
_LAMBDA = re.compile(r"\blambda\b[^:]*\Z")
_DEFINES = re.compile(r"(?:\bdef|\bclass)\s+\Z")
_STATEMENTS = 8
"""A look begins so many statements above the place: what is half typed may be taken for several."""


@dataclass(frozen=True, slots=True)
class OpenCall:
    """A call whose bracket is open at the place.

    Attributes:
        callee: the text of what is called: `nn.Linear`, `self.model.to`.
        place: of the bracket.
        before: the texts of the arguments before the one that is being typed.
        keyword: the name that the argument is given by; empty where that is by its place.
        value: where the argument begins, or its value where it has a name.
    """

    callee: str
    place: int
    before: tuple[str, ...]
    keyword: str
    value: int

    @property
    def named(self) -> tuple[str, ...]:
        """The names of the arguments before this one that have one."""
        return tuple(match[1] for text in self.before if (match := _KEYWORD.match(text)) is not None)

    @property
    def position(self) -> int:
        """How many arguments before this one are given by their places; -1 where a star hides that."""
        plain = [text.strip() for text in self.before if _KEYWORD.match(text) is None]
        return -1 if any(text.startswith("*") for text in plain) else len(plain)


@dataclass(frozen=True, slots=True)
class Cursor:
    """What is being typed.

    Attributes:
        offset: the place.
        word: the part of an identifier that stands before it; empty where there is none.
        receiver: the text of the object whose attribute the word is; empty where it is none.
        string: of the string that is open, what it holds so far; None outside of strings.
        begins: whether the word is all that its line holds so far, and that line a statement.
        calls: the calls that are open, the innermost first.
        direct: whether the innermost open bracket is that of the first call.
    """

    offset: int
    word: Span
    receiver: str
    string: Span | None
    begins: bool
    calls: tuple[OpenCall, ...]
    direct: bool


def cursor_at(source: Source, offset: int) -> Cursor | None:
    """What is being typed at `offset`; None in comments, numbers, and strings of many lines or of bytes."""
    line = source.lines.line_of(offset)
    start = source.lines.start(_first_line(source.tree, line))
    # The letter keeps the line that is being typed, which may be empty so far, in the statement.
    lines = split_lines(source.text[start:offset] + "x")
    last = logical_lines(lines)[-1:]
    if not last or last[0].last < len(lines) - 1:
        return None  # a comment: it belongs to no statement
    return _read(last[0].text[:-1], offset)


def _first_line(tree: ast.Module, line: int) -> int:
    """The line from which brackets and strings are read for a place on `line`; both 0-based."""
    starts: list[int] = []
    body: list[ast.stmt] = tree.body
    while body:
        at = bisect_right(body, line + 1, key=lambda statement: statement.lineno)
        if not at:
            break
        starts += [statement.lineno - 1 for statement in body[max(0, at - _STATEMENTS) : at]]
        body = next((b for b in reversed(blocks(body[at - 1])) if b and b[0].lineno <= line + 1), [])
    return min(sorted(starts)[-_STATEMENTS:], default=0)


@dataclass(slots=True)
class _Bracket:
    """An open bracket, and where each of the parts begins that commas in it separate."""

    place: int
    parts: list[int]


def _read(text: str, offset: int) -> Cursor | None:
    """What is being typed at the end of `text`, the beginning of a statement that ends at `offset`."""
    stack: list[_Bracket] = []
    partners: dict[int, int] = {}
    at, string = 0, None
    while (match := _SEPARATED.search(text, at)) is not None:
        token, at = match[0], match.end()
        if token[0] == "#":
            if at == len(text):
                return None
        elif token[0] in "'\"":
            end = string_end(text, at, token) if token in TRIPLE else _end_of_short(token, at)
            if end < 0:
                if not _is_plain(text, match.start(), token):
                    return None
                string, at = match.start() + 1, len(text)
                break
            at = end
        elif token in "([{":
            stack.append(_Bracket(match.start(), [at]))
        elif token in ")]}" and stack:
            partners[match.start()] = stack.pop().place
        elif token == "," and stack:
            stack[-1].parts.append(at)
    shift = offset - len(text)
    word = Span(offset, offset)
    receiver = ""
    if string is None:
        start = _word_before(text, len(text))
        if start < len(text) and text[start].isdigit():
            return None
        word = Span(start + shift, offset)
        receiver = _operand(text, start - 1, partners) if text[start - 1 : start] == "." else ""
        if text[start - 1 : start] == "." and not receiver:
            return None
    calls = tuple(
        call for bracket in reversed(stack) if (call := _call(text, bracket, partners, shift)) is not None
    )
    inner = stack[-1].place + shift if stack else -1
    begins = string is None and not stack and not text[: word.start - shift].strip(WHITE)
    held = None if string is None else Span(string + shift, offset)
    return Cursor(offset, word, receiver, held, begins, calls, bool(calls) and calls[0].place == inner)


def _end_of_short(token: str, at: int) -> int:
    """Where a string with simple quotes has ended; -1 where it does not."""
    return at if len(token) > 1 and token[-1] == token[0] else -1


def _is_plain(text: str, start: int, token: str) -> bool:
    """Whether the string that is open at the end stands on one line and holds what it says."""
    prefix = text[_word_before(text, start) : start]
    return token not in TRIPLE and not set("fFtTbB") & set(prefix) and "\\" not in token


def _call(text: str, bracket: _Bracket, partners: dict[int, int], shift: int) -> OpenCall | None:
    """The call whose bracket this is; None where it is another one."""
    callee = _operand(text, bracket.place, partners) if text[bracket.place] == "(" else ""
    if not callee or _DEFINES.search(text[: bracket.place - len(callee)]):
        return None
    begins = _whole(text, bracket.parts)
    ends = [*(begin - 1 for begin in begins[1:]), len(text)]
    given = [text[begin:end] for begin, end in zip(begins, ends, strict=True)]
    keyword = _KEYWORD.match(given[-1])
    begin = begins[-1]
    begin += keyword.end() if keyword else len(given[-1]) - len(given[-1].lstrip(WHITE))
    return OpenCall(
        callee, bracket.place + shift, tuple(given[:-1]), keyword[1] if keyword else "", begin + shift
    )


def _whole(text: str, parts: list[int]) -> list[int]:
    """Where arguments begin: not behind the commas between the parameters of a lambda."""
    begins = parts[:1]
    for part in parts[1:]:
        if _LAMBDA.search(text[begins[-1] : part]) is None:
            begins.append(part)
    return begins


def _word_before(text: str, end: int) -> int:
    """Where the word begins that ends at `end`; `end` itself where none does."""
    while end > 0 and (text[end - 1].isalnum() or text[end - 1] == "_"):
        end -= 1
    return end


def _operand(text: str, end: int, partners: dict[int, int]) -> str:
    """The names, calls and subscripts that stand right before `end`, joined by dots; empty where none do."""
    at = end
    while at > 0:
        while at > 0 and text[at - 1] in ")]" and at - 1 in partners:
            at = partners[at - 1]
        start = _word_before(text, at)
        word = text[start:at]
        if not word or word[0].isdigit() or iskeyword(word):
            return ""
        if text[start - 1 : start] != ".":
            return text[start:end]
        at = start - 1
    return ""
