"""Parsing that survives broken text: the smallest broken statement is blanked, the rest is kept."""

from __future__ import annotations

import ast
import re
import warnings
from dataclasses import dataclass

_MAX_REPAIRS = 24
"""Broken statements blanked before the parser gives up; each costs one more parse of the file."""

_BLOCK_OPENER = re.compile(
    r"[ \t\f]*(?:if|elif|else|for|while|with|try|except|finally|def|class|async|match|case)\b"
)


@dataclass(frozen=True, slots=True)
class Parsed:
    """A syntax tree and the lines (0-based) that were left out of it because they do not parse."""

    tree: ast.Module
    blanked: frozenset[int]


def parse_tolerantly(text: str) -> Parsed:
    """Parses `text`; where it is broken, blanks the broken lines and parses the rest.

    Lines keep their numbers, so positions in the tree are positions in `text`. A text that cannot be
    parsed at all (NUL bytes, nesting beyond the parser's limit) gives an empty tree with every line blanked.
    """
    tree, error = _try_parse(text)
    if tree is not None:
        return Parsed(tree, frozenset())
    lines = _split(text)
    blanked: set[int] = set()
    for _ in range(_MAX_REPAIRS):
        broken = _broken_lines(lines, error, blanked)
        if not broken:
            break
        for index in broken:
            lines[index] = _blank(lines, index, blanked)
            blanked.add(index)
        tree, error = _try_parse("".join(lines))
        if tree is not None:
            return Parsed(tree, frozenset(blanked))
    return Parsed(ast.Module(body=[], type_ignores=[]), frozenset(range(len(lines))))


def _try_parse(text: str) -> tuple[ast.Module | None, SyntaxError | None]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # invalid escapes in the user's strings are not ours to report
        try:
            return ast.parse(text), None
        except SyntaxError as error:
            return None, error
        except (ValueError, RecursionError, MemoryError, OverflowError, UnicodeError):
            return None, None


def _split(text: str) -> list[str]:
    return re.findall(r"[^\r\n]*(?:\r\n|\n|\r)|[^\r\n]+\Z", text)


def _broken_lines(lines: list[str], error: SyntaxError | None, blanked: set[int]) -> list[int]:
    """The lines to blank next for `error`: where it was reported, else the nearest one before it."""
    if error is None or error.lineno is None:
        return []
    at = min(max(error.lineno - 1, 0), len(lines) - 1)
    opened = _unclosed(error)
    if opened is not None and opened not in blanked and opened <= at:
        return [opened]
    if "expected an indented block" in (error.msg or ""):
        # The block's header has lost its body: the header is what makes no sense any more.
        match = re.search(r"on line (\d+)", error.msg or "")
        header = int(match[1]) - 1 if match else at
        if header not in blanked:
            return [header]
    if "'except' or 'finally'" in (error.msg or ""):
        opener = _opener_above(lines, at, blanked)
        if opener is not None:
            return [opener]
    while at >= 0 and (at in blanked or not lines[at].strip()):
        at -= 1
    return [at] if at >= 0 else []


def _unclosed(error: SyntaxError) -> int | None:
    """The line of the bracket or string that `error` says was never closed."""
    message = error.msg or ""
    if "was never closed" in message or "unterminated" in message:
        return error.lineno - 1 if error.lineno else None
    match = re.search(r"does not match opening parenthesis .* on line (\d+)", message)
    return int(match[1]) - 1 if match else None


def _opener_above(lines: list[str], at: int, blanked: set[int]) -> int | None:
    for index in range(at, -1, -1):
        if index not in blanked and re.match(r"[ \t\f]*try\s*:", lines[index]):
            return index
    return None


def _blank(lines: list[str], index: int, blanked: set[int]) -> str:
    """What stands in for a broken line: `if 1:` keeps a block in place, `pass` keeps a body non-empty."""
    line = lines[index]
    ending = line[len(line.rstrip("\r\n")) :]
    indent = line[: len(line) - len(line.lstrip(" \t\f"))]
    following = next((text for text in lines[index + 1 :] if text.strip()), "")
    deeper = len(following) - len(following.lstrip(" \t\f")) > len(indent)
    if deeper and following.strip() and (_BLOCK_OPENER.match(line) or line.rstrip().endswith(":")):
        return f"{indent}if 1:{ending}"
    if not line.strip():
        return ending
    return f"{indent}pass{ending}"
