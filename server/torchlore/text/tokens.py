"""Brackets, strings and comments: as much of Python's tokens as a broken text needs."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

_LINE = re.compile(r"[^\r\n]*(?:\r\n|\n|\r)|[^\r\n]+\Z")
_INTERESTING = re.compile(r"['\"()\[\]{}\\#]")
TOKEN = re.compile(
    r"#[^\r\n]*|'''|\"\"\"|'[^'\\\r\n]*(?:\\.[^'\\\r\n]*)*'?|\"[^\"\\\r\n]*(?:\\.[^\"\\\r\n]*)*\"?"
    r"|[()\[\]{}]|\\(?=[\r\n]|\Z)",
    re.DOTALL,
)
TRIPLE = ("'''", '"""')
WHITE = " \t\f\r\n"
"""What Python takes for white space; `str.strip` takes more."""

_PAIRS = {"(": ")", "[": "]", "{": "}"}
_MAX_OPEN = 60
"""Brackets nested deeper than this were never closed; Python itself gives up at 200."""


@dataclass(slots=True)
class State:
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


def split_lines(text: str) -> list[str]:
    """The lines of `text` with their ends."""
    return _LINE.findall(text)


def width(indent: str) -> int:
    """How deep `indent` is, tabs counted as Python does."""
    return len(indent.rpartition("\f")[2].expandtabs(8))


def indent_of(line: str) -> str:
    """The white space that `line` begins with."""
    return line[: len(line) - len(line.lstrip(" \t\f"))]


def scan(line: str, state: State) -> bool:
    """Reads one line; False where a bracket does not match, or too many are open."""
    at = 0
    state.continued = False
    if state.quote or state.short:
        at = string_end(line, 0, state.quote or state.short)
        if at < 0:
            state.continued = not state.quote and line.rstrip("\r\n").endswith("\\")
            return not state.short or state.continued
        state.quote, state.short = "", ""
    end = len(line)
    if _INTERESTING.search(line, at) is not None:
        while (match := TOKEN.search(line, at)) is not None:
            token, at = match[0], match.end()
            if token[0] == "#":
                end = match.start()
                break
            if token in TRIPLE:
                at = string_end(line, at, token)
                if at < 0:
                    state.quote, state.code = token, token
                    return True
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
    code = line[:end].strip(WHITE)
    state.code = code or state.code
    return len(state.brackets) <= _MAX_OPEN


def closers(text: str) -> str | None:
    """The brackets that would close `text`; None where one does not match, or a string does not end."""
    state = State()
    for line in split_lines(text):
        if not scan(line, state):
            return None
    return None if state.quote else "".join(_PAIRS[bracket] for bracket in reversed(state.brackets))


def without_comment(text: str) -> str:
    """A logical line without the comment and white space at its end."""
    comment, at = (len(text), len(text)), 0
    while (match := TOKEN.search(text, at)) is not None:
        at = match.end()
        if match[0] in TRIPLE:
            at = string_end(text, at, match[0])
            if at < 0:
                break
        elif match[0][0] == "#":
            comment = match.span()
    return (text[: comment[0]] if not text[comment[1] :].strip(WHITE) else text).rstrip(WHITE)


def pieces(text: str, separator: str = ",") -> list[str]:
    """`text` parted at each `separator` that is in no bracket or string."""
    token = re.compile(f"{TOKEN.pattern}|{re.escape(separator)}", re.DOTALL)
    found: list[str] = []
    begin = at = depth = 0
    while at >= 0 and (match := token.search(text, at)) is not None:
        at = match.end()
        if match[0] in TRIPLE:
            at = string_end(text, at, match[0])
        elif match[0] in "([{":
            depth += 1
        elif match[0] in ")]}":
            depth -= 1
        elif match[0] == separator and depth == 0:
            found.append(text[begin : match.start()])
            begin = match.end()
    return [*found, text[begin:]]


def never_ends(text: str) -> bool:
    """Whether a triple-quoted string is open at the end of `text`."""
    at = 0
    while (match := TOKEN.search(text, at)) is not None:
        at = match.end()
        if match[0] in TRIPLE:
            at = string_end(text, at, match[0])
            if at < 0:
                return True
    return False


def string_end(text: str, at: int, quote: str) -> int:
    """Where a string that is open at `at` has ended; -1 where it does not end in `text`."""
    while (found := text.find(quote, at)) >= 0:
        backslashes = found
        while backslashes > at and text[backslashes - 1] == "\\":
            backslashes -= 1
        if (found - backslashes) % 2 == 0:
            return found + len(quote)
        at = found + 1
    return -1
