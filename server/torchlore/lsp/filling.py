"""Insertable snippets: the user's names in the holes, the indentation, the imports that are missing."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable
from functools import lru_cache

from torchlore.analysis import ScopeName
from torchlore.knowledge import Insert
from torchlore.text import Edit, Notebook, Source, Span, apply_edits
from torchlore.text.nodes import nodes_in


def names_for(insert: Insert, in_scope: Iterable[ScopeName]) -> dict[str, str]:
    """The name in scope for each hole that has one, no name for two holes.

    A name that is the hole's own comes first, then the innermost of the hole's kind.
    """
    free = [name for name in in_scope if name.kind != "Unknown"]
    found: dict[str, str] = {}
    for same_name_only in (True, False):
        for hole in insert.holes:
            fitting = (
                name
                for name in free
                if name.kind == hole.kind and (not same_name_only or name.name == hole.name)
            )
            if hole.name not in found and (match := next(fitting, None)) is not None:
                found[hole.name] = match.name
                free.remove(match)
    return found


def fill(insert: Insert, names: dict[str, str], source: Source, indent: str) -> str:
    """The snippet's text, without a line end after its last line.

    Args:
        insert: the snippet.
        names: what stands for each hole; a hole that it lacks keeps its default.
        source: the file, for its line ends and whether it indents with tabs.
        indent: the white space of the line where the snippet goes.
    """
    texts = {hole.name: names.get(hole.name, hole.default) for hole in insert.holes}
    return _laid_out(_with_holes(insert, texts), source, indent)


def fill_snippet(insert: Insert, names: dict[str, str], source: Source, indent: str, head: str = "") -> str:
    """Like `fill`, in snippet syntax, with a tab stop for each hole that `names` lacks.

    Args:
        insert, names, source, indent: as for `fill`.
        head: plain text to put first.
    """
    # Holes are replaced by marks that survive the escaping of what stands around them.
    texts = {h.name: names.get(h.name, f"\x00{n}\x00") for n, h in enumerate(insert.holes)}
    laid_out = head + _laid_out(_with_holes(insert, texts), source, indent)
    escaped = re.sub(r"([\\$}])", r"\\\1", laid_out)
    stops: dict[str, int] = {}

    def tab_stop(match: re.Match[str]) -> str:
        stop = stops.setdefault(match[1], len(stops) + 1)
        return f"${{{stop}:{insert.holes[int(match[1])].default}}}"

    return re.sub("\x00(\\d+)\x00", tab_stop, escaped) + "$0"


def import_edit(source: Source, imports: Iterable[str], place: Span) -> Edit | None:
    """The edit that adds the imports which `source` lacks. None where it lacks none.

    Args:
        source: the file.
        imports: statements, one import each.
        place: where the snippet goes. Where the imports belong on that very line the edit's span is `place`
            and its text comes before the snippet.
    """
    line = source.lines.line_of(place.start)
    # A cell is run by itself: what a later one imports is not there yet, and the others stay as they are.
    is_cell = isinstance(source, Notebook)
    above = (s for s in source.tree.body if not is_cell or s.lineno <= line)
    bound = {entry for statement in above for entry in _bindings(statement)}
    missing = [one for one in imports if not set(_bindings_of(one)) <= bound]
    if not missing:
        return None
    at = _import_line(source)
    text = "".join(one + source.newline for one in missing)
    start = source.lines.start(at)
    if is_cell or start >= place.start:
        # The snippet stands above the imports: its own come with it, as deep as it is.
        indent = source.indent(line)
        return Edit(place, "".join(indent + one + source.newline for one in missing) + source.newline)
    if at >= len(source.lines) or (start == len(source.text) and not source.text.endswith(("\n", "\r"))):
        return Edit(Span(len(source.text), len(source.text)), source.newline + text.rstrip("\r\n"))
    return Edit(Span(start, start), text)


def _with_holes(insert: Insert, texts: dict[str, str]) -> str:
    """The body with each name that is a hole replaced; a keyword, an attribute, a word in a string stays."""
    return apply_edits(insert.body, [Edit(span, texts[name]) for span, name in _uses_of_holes(insert)])


@lru_cache(maxsize=256)  # A cursor on a blank line is offered all of them: parse each once.
def _uses_of_holes(insert: Insert) -> tuple[tuple[Span, str], ...]:
    source = Source(insert.body)
    holes = {hole.name for hole in insert.holes}
    found: dict[Span, str] = {}
    for node in nodes_in(source.tree):
        if isinstance(node, ast.Name) and node.id in holes:
            span = source.span(node)
            # Before Python 3.12 names inside an f-string may claim a wrong place.
            if source.segment(span) == node.id:
                found[span] = node.id
        elif isinstance(node, ast.JoinedStr):
            found |= _uses_in_f_string(source, source.span(node), holes)
    return tuple(found.items())


def _uses_in_f_string(source: Source, whole: Span, holes: set[str]) -> dict[Span, str]:
    found = {}
    for braces in re.finditer(r"(?<!\{)(?:\{\{)*\{([^{}]*)\}", source.segment(whole)):
        for word in re.finditer(r"(?<![\w.])[A-Za-z_]\w*", braces[1]):
            if word[0] in holes:
                start = whole.start + braces.start(1) + word.start()
                found[Span(start, start + len(word[0]))] = word[0]
    return found


def _laid_out(body: str, source: Source, indent: str) -> str:
    lines = body.rstrip("\n").split("\n")
    if _uses_tabs(source, indent):
        lines = [re.sub(r"^(?: {4})+", lambda m: "\t" * (len(m[0]) // 4), line) for line in lines]
    return source.newline.join(f"{indent}{line}" if line.strip() else "" for line in lines)


def _uses_tabs(source: Source, indent: str) -> bool:
    if indent:
        return "\t" in indent
    first = re.search(r"^[ \t]+(?=\S)", source.text, re.MULTILINE)
    return first is not None and first[0].startswith("\t")


def _bindings_of(line: str) -> list[tuple[str, str]]:
    return [entry for statement in Source(line).tree.body for entry in _bindings(statement)]


def _bindings(statement: ast.stmt) -> list[tuple[str, str]]:
    """What an import binds to which dotted name: `from torch import nn` is `import torch.nn as nn`."""
    if isinstance(statement, ast.Import):
        return [(alias.asname or alias.name, alias.name) for alias in statement.names]
    if isinstance(statement, ast.ImportFrom) and statement.module and not statement.level:
        return [(alias.asname or alias.name, f"{statement.module}.{alias.name}") for alias in statement.names]
    return []


def _import_line(source: Source) -> int:
    """The line (0-based) before which another import belongs: after the last of the file's first imports."""
    last = 0
    for statement in source.tree.body:
        end = statement.end_lineno or statement.lineno
        if isinstance(statement, (ast.Import, ast.ImportFrom)):
            last = end
        elif isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant) and not last:
            last = end  # The docstring.
        elif statement.lineno - 1 not in source.parsed.blanked:
            break
    if last:
        return last
    while last < len(source.lines) and source.lines.text(last).startswith("#"):
        last += 1  # A shebang, an encoding declaration, a licence.
    return last
