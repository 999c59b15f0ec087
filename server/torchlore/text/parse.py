"""Parsing that survives broken text: the smallest broken piece is left out, the rest is kept."""

from __future__ import annotations

import ast
import re
import threading
import warnings
from dataclasses import dataclass

from torchlore.text.reuse import Changed, Memory
from torchlore.text.tokens import split_lines


@dataclass(frozen=True, slots=True)
class Parsed:
    """A syntax tree, and the lines (0-based) that it does not show as they are because they do not parse.

    What the tree has on those lines is what was left of them, or stands for what is not there.
    """

    tree: ast.Module
    blanked: frozenset[int]


_one_at_a_time = threading.Lock()


def parse(text: str) -> ast.Module:
    """`ast.parse`, for any thread.

    CPython 3.11 and 3.12 count the depth of the tree that is being made for all threads together: two that
    parse at the same time fail each other with SystemError. `warnings.catch_warnings` is no better.

    Raises:
        SyntaxError, ValueError, RecursionError, MemoryError: as `ast.parse`.
    """
    with _one_at_a_time, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # invalid escapes in the user's strings are not ours to report
        try:
            return ast.parse(text)
        except SystemError:
            return ast.parse(text)  # Somebody else's code, jedi's for one, does not know of our lock.


def parse_expression(text: str) -> ast.expr:
    """As `parse`, of a text that is one expression; white space around it does not count."""
    match parse(text.strip()).body:
        case [ast.Expr(value=expression)]:
            return expression
    raise SyntaxError("not one expression")


def parse_tolerantly(text: str) -> Parsed:
    """Parses `text`; where it is broken, replaces the broken lines by what is left of them.

    Lines keep their numbers, so positions in the tree are positions in `text`. A text that nothing helps
    gives an empty tree with every line blanked.
    """
    text, unreadable = _readable(text)
    known = _memory.changed(text) if not unreadable else None
    return _parse_whole(text, unreadable) if known is None else _parse_changed(text, known)


_memory = Memory()


def _parse_changed(text: str, known: Changed) -> Parsed:
    """Parses what an edit touched; the rest is as it was."""
    result = _try_parse(known.text)
    if isinstance(result, ast.Module):
        part = Parsed(result, frozenset())
    else:
        part = _mended(known.text, result)
    tree = ast.Module(body=[*known.before, *part.tree.body, *known.after], type_ignores=[])
    if not part.blanked:
        _memory.keep(text, tree)
    return Parsed(tree, part.blanked)


def _parse_whole(text: str, unreadable: frozenset[int]) -> Parsed:
    result = _try_parse(text)
    if isinstance(result, ast.Module):
        if not unreadable:
            _memory.keep(text, result)
        return Parsed(result, unreadable)
    parsed = _mended(text, result)
    return Parsed(parsed.tree, unreadable | parsed.blanked)


def _mended(text: str, error: SyntaxError) -> Parsed:
    from torchlore.text.mended import put_back  # Most texts parse.
    from torchlore.text.repair import repair

    lines = split_lines(text)
    mended, tree = repair(lines, error, _try_parse)
    if tree is None:
        return Parsed(ast.Module(body=[], type_ignores=[]), frozenset(range(len(lines))))
    put_back(tree, mended)
    return Parsed(tree, frozenset(mended.blanked))


_UNREADABLE = re.compile("[\0\ud800-\udfff]")


def _readable(text: str) -> tuple[str, frozenset[int]]:
    """`text` without what Python's parser refuses to look at, and the lines that had it.

    What stands in is as long in UTF-8, breaks code and is nothing special in a string.
    """
    if text.startswith("\ufeff"):
        text = f"\f\f\f{text[1:]}"
    if (text.isascii() and "\0" not in text) or _UNREADABLE.search(text) is None:
        return text, frozenset()
    lines = frozenset(n for n, line in enumerate(split_lines(text)) if _UNREADABLE.search(line))
    return _UNREADABLE.sub(lambda match: "\x01" if match[0] == "\0" else "\ufffd", text), lines


def _try_parse(text: str) -> ast.Module | SyntaxError:
    """The tree of `text`, or why there is none. An error that has no line cannot be mended where it is."""
    try:
        return parse(text)
    except SyntaxError as error:
        return error
    except (ValueError, RecursionError, MemoryError, OverflowError, UnicodeError) as error:
        return SyntaxError(str(error))
