"""Parsing that survives broken text: the smallest broken statement is blanked, the rest is kept."""

from __future__ import annotations

import ast
import threading
import warnings
from dataclasses import dataclass

from torchlore.text.repair import repair, split_lines, top_level_statements


@dataclass(frozen=True, slots=True)
class Parsed:
    """A syntax tree and the lines (0-based) that were left out of it because they do not parse."""

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
    """Parses `text`; where it is broken, blanks the broken lines and parses the rest.

    Lines keep their numbers, so positions in the tree are positions in `text`. A text that cannot be
    parsed at all (NUL bytes, nesting beyond the parser's limit) gives an empty tree with every line blanked.
    """
    tree, _ = _try_parse(text)
    if tree is not None:
        return Parsed(tree, frozenset())
    lines = split_lines(text)
    blanked = _repair_by_statement(text, lines)
    tree, _ = _try_parse("".join(lines))
    if tree is not None:
        return Parsed(tree, frozenset(blanked))
    # What looked like single statements was not: some string or bracket spans them. Treat the text as one.
    lines = split_lines(text)
    repaired = repair(lines, _error_of)
    tree, _ = _try_parse("".join(lines))
    if tree is None or repaired is None:
        return Parsed(ast.Module(body=[], type_ignores=[]), frozenset(range(len(lines))))
    return Parsed(tree, frozenset(repaired))


def _repair_by_statement(text: str, lines: list[str]) -> set[int]:
    """Repairs each broken top-level statement in `lines` by itself, so that none harms another.

    Returns:
        The lines that are blanked: of a statement that cannot be repaired, all.
    """
    blanked: set[int] = set()
    for start, end in top_level_statements(text, lines):
        part = lines[start:end]
        if _error_of("".join(part)) is None:
            continue
        repaired = repair(part, _error_of)
        if repaired is None:
            part = [line[len(line.rstrip("\r\n")) :] for line in part]
            repaired = set(range(len(part)))
        lines[start:end] = part
        blanked |= {start + line for line in repaired}
    return blanked


def _error_of(text: str) -> SyntaxError | None:
    """Why `text` does not parse, None where it does. One without a line cannot be mended."""
    tree, error = _try_parse(text)
    return None if tree is not None else error or SyntaxError("cannot be parsed")


def _try_parse(text: str) -> tuple[ast.Module | None, SyntaxError | None]:
    try:
        return parse(text), None
    except SyntaxError as error:
        return None, error
    except (ValueError, RecursionError, MemoryError, OverflowError, UnicodeError):
        return None, None
