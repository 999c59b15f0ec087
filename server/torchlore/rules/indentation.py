"""Moving statements into a block, out of one, and past others: what the repairs of several rules come to."""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence

from torchlore.analysis import Analysis
from torchlore.rules import support
from torchlore.text import Edit, Notebook, Source, Span
from torchlore.text.nodes import blocks, nodes_in


def following(analysis: Analysis, statement: ast.stmt) -> list[ast.stmt]:
    """The statements behind `statement` in its block; of a notebook, those of its cell."""
    block = support.block_of(analysis, statement)
    behind = block[block.index(statement) + 1 :] if statement in block else []
    source = analysis.source
    if isinstance(source, Notebook):
        cell = source.cell_at(source.span(statement).start)
        return [s for s in behind if source.cell_at(source.span(s).start) is cell]
    return behind


def under_header(analysis: Analysis, statements: Sequence[ast.stmt], *header: str) -> list[Edit] | None:
    """Puts lines, of which the last opens a block, above statements that stand together, and indents these.

    Returns:
        None where a string spans lines, and would change, or where statements share a line.
    """
    above = support.insert_before(analysis, statements[0], *header)
    if above is None or not _can_move(analysis, *statements):
        return None
    first, *others = _indented(analysis, statements[0].lineno - 1, statements)
    return [Edit(above.span, above.text + first.text), *others]


def _can_move(analysis: Analysis, *statements: ast.stmt) -> bool:
    """Whether statements have their lines for themselves, and no string spans some, which would change."""
    strings = (n for s in statements for n in nodes_in(s) if isinstance(n, ast.JoinedStr | ast.Constant))
    if any(n.lineno != n.end_lineno for n in strings):
        return False
    return all(support.own_lines(analysis, end) is not None for end in (statements[0], statements[-1]))


def _indented(analysis: Analysis, first: int, statements: Sequence[ast.stmt]) -> list[Edit]:
    """Indents what stands from the line `first` (0-based) to the end of `statements`, comments included."""
    source = analysis.source
    unit = step(source)
    last = statements[-1].end_lineno or statements[-1].lineno
    starts = [source.lines.start(line) for line in range(first, last) if source.lines.text(line).strip()]
    return [Edit(Span(start, start), unit) for start in starts]


def entered(analysis: Analysis, statement: ast.stmt, rest: Sequence[ast.stmt]) -> tuple[Edit, ...] | None:
    """Makes a `with` of the call that a statement is, and indents what follows it, comments included.

    Args:
        analysis: of the file.
        statement: the call.
        rest: the statements behind it in its block, up to where the `with` ends.

    Returns:
        None where a string spans lines, and would change, or where statements share a line.
    """
    if not _can_move(analysis, statement, *rest):
        return None
    header = support.wrapped(analysis, statement, "with ", ":")
    return *header, *_indented(analysis, statement.end_lineno or statement.lineno, rest)


def moved(
    analysis: Analysis, first: int, statements: Sequence[ast.stmt], indent: str
) -> tuple[Span, str] | None:
    """The lines from `first` (0-based) to the end of statements that stand together, to be put elsewhere.

    Returns:
        where they are, without the last line end, and their text with the indentation `indent`; None where a
        string spans lines, and would change, or where statements share a line.
    """
    if not _can_move(analysis, *statements):
        return None
    source, last = analysis.source, (statements[-1].end_lineno or 0) - 1
    old = source.indent(statements[0].lineno - 1)
    lines = [source.lines.text(number) for number in range(first, last + 1)]
    text = [indent + line[len(old) :] if line.strip() and line.startswith(old) else line for line in lines]
    return Span(source.lines.start(first), source.lines.end(last)), source.newline.join(text)


def put_above(analysis: Analysis, statement: ast.stmt, other: ast.stmt) -> tuple[Edit, ...] | None:
    """Moves a statement, with the comment behind it, above another one; see `moved` for what cannot be moved.

    Returns:
        None as well where it would leave an empty block.
    """
    return _put(analysis, statement, other, support.insert_before)


def put_below(analysis: Analysis, statement: ast.stmt, other: ast.stmt) -> tuple[Edit, ...] | None:
    """Moves a statement below another one, as `put_above` does above."""
    return _put(analysis, statement, other, support.insert_after)


def _put(
    analysis: Analysis, statement: ast.stmt, other: ast.stmt, insert: Callable[..., Edit | None]
) -> tuple[Edit, ...] | None:
    lines = support.own_lines(analysis, statement)
    found = moved(analysis, statement.lineno - 1, [statement], "")
    if lines is None or found is None or len(support.block_of(analysis, statement)) < 2:
        return None
    there = insert(analysis, other, *found[1].split(analysis.source.newline))
    if there is None or there.span.start != lines.start:
        return None if there is None else (there, Edit(lines, ""))
    return (Edit(lines, there.text),)  # it stays where it is, in another block


def step(source: Source) -> str:
    """What one level of blocks is indented by in a file."""
    for outer in source.tree.body:
        for block in blocks(outer):
            if block and block[0].lineno > outer.lineno:
                return source.indent(block[0].lineno - 1) or "    "
    return "    "
