"""How repairs move statements, and indent them as it fits."""

from __future__ import annotations

import ast

import pytest
from torchlore.analysis import Analysis, analyze
from torchlore.rules import indentation
from torchlore.text import Source, apply_edits


def statement(analysis: Analysis, word: str) -> ast.stmt:
    """The statement that begins with a word."""
    found = (node for node in ast.walk(analysis.source.tree) if isinstance(node, ast.stmt))
    return next(s for s in found if analysis.source.segment(analysis.source.span(s)).startswith(word))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("while a:\n    b\n    x  # why\n", "x  # why\nwhile a:\n    b\n"),
        ("while a:\r\n\tx(\r\n\t\t1,\r\n\t)\r\n\tb\r\n", "x(\r\n\t1,\r\n)\r\nwhile a:\r\n\tb\r\n"),
        ("while a:\n    x\n", None),
        ("while a:\n    b; x\n", None),
        ("while a:\n    x = '''\n1'''\n    b\n", None),
    ],
)
def test_a_statement_is_put_above_another(before: str, after: str | None) -> None:
    analysis = analyze(Source(before))
    edits = indentation.put_above(analysis, statement(analysis, "x"), statement(analysis, "while"))
    assert (edits and apply_edits(before, edits)) == after


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("x  # why\nif a:\n    b", "if a:\n    b\n    x  # why"),
        ("if a:\n    b\n    c\nd\nx\n", "if a:\n    b\n    x\n    c\nd\n"),
        ("if a:\n    if a:\n        b\n    x\n", "if a:\n    if a:\n        b\n        x\n"),
    ],
)
def test_a_statement_is_put_below_another(before: str, after: str) -> None:
    analysis = analyze(Source(before))
    edits = indentation.put_below(analysis, statement(analysis, "x"), statement(analysis, "b"))
    assert edits is not None and apply_edits(before, edits) == after


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("x\n\n# then\ny\n", "with a:\n    x\n\n    # then\n    y\n"),
        ("if b:\n\tx\n\ty", "if b:\n\twith a:\n\t\tx\n\t\ty"),
        ("x; b\ny\n", None),
        ("x\ny = f'''\n'''\n", None),
    ],
)
def test_statements_are_put_under_a_header(before: str, after: str | None) -> None:
    analysis = analyze(Source(before))
    statements = [statement(analysis, "x"), statement(analysis, "y")]
    edits = indentation.under_header(analysis, statements, "with a:")
    assert (edits and apply_edits(before, edits)) == after
