"""Putting statements under a `with`: what the repairs of several rules come to."""

from __future__ import annotations

import ast
from collections.abc import Sequence

from torchlore.analysis import Analysis
from torchlore.rules import support
from torchlore.text import Edit, Notebook, Source, Span
from torchlore.text.nodes import blocks


def following(analysis: Analysis, statement: ast.stmt) -> list[ast.stmt]:
    """The statements behind `statement` in its block; of a notebook, those of its cell."""
    block = _block_of(analysis, statement)
    behind = block[block.index(statement) + 1 :] if statement in block else []
    source = analysis.source
    if isinstance(source, Notebook):
        cell = source.cell_at(source.span(statement).start)
        return [s for s in behind if source.cell_at(source.span(s).start) is cell]
    return behind


def _block_of(analysis: Analysis, statement: ast.stmt) -> list[ast.stmt]:
    block = support.block_of(analysis, statement)
    return block if statement in block else analysis.source.tree.body


def put_under(analysis: Analysis, header: ast.stmt, statements: Sequence[ast.stmt]) -> list[Edit] | None:
    """Indents what follows `header`, comments included, by one level.

    Args:
        analysis: of the file.
        header: a statement on a line of its own, which becomes a `with`.
        statements: those behind it in its block, up to where the `with` ends.

    Returns:
        None where a string spans lines, and would change, or where statements share a line.
    """
    source = analysis.source
    ends = (header, statements[0], statements[-1])
    if any(support.own_lines(analysis, statement) is None for statement in ends):
        return None
    strings = (n for s in statements for n in ast.walk(s) if isinstance(n, ast.JoinedStr | ast.Constant))
    if any(n.lineno != n.end_lineno for n in strings):
        return None
    unit = indentation(source)
    last = statements[-1].end_lineno or statements[-1].lineno
    starts = [
        source.lines.start(line)
        for line in range(header.end_lineno or header.lineno, last)
        if source.lines.text(line).strip()
    ]
    return [Edit(Span(start, start), unit) for start in starts]


def indentation(source: Source) -> str:
    """What one level of blocks is indented by in a file."""
    for outer in source.tree.body:
        for block in blocks(outer):
            if block and block[0].lineno > outer.lineno:
                return source.indent(block[0].lineno - 1) or "    "
    return "    "
