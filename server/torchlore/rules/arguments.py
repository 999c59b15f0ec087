"""The arguments that a call is written with, and how they are taken out, changed and added."""

from __future__ import annotations

import ast

from torchlore.analysis import Analysis
from torchlore.rules import support
from torchlore.text import Edit, Span


def keyword(call: ast.Call, name: str) -> ast.keyword | None:
    """The argument `name=…` of a call."""
    return next((given for given in call.keywords if given.arg == name), None)


def removed(analysis: Analysis, call: ast.Call, name: str) -> Edit | None:
    """Takes `name=…` out of a call; None where it is not written so, or where that is not possible.

    An argument that has its lines for itself goes with them and with a comment behind it.
    """
    given = keyword(call, name)
    if given is None:
        return None
    source = analysis.source
    span = source.span(given)
    after = _after_comma(source.text, span.end)
    lines = _own_lines(analysis, given, after)
    if lines is not None:
        return Edit(lines, "")
    comma = source.text.rfind(",", source.span(call.func).end, span.start)
    if comma >= 0 and not source.text[comma + 1 : span.start].strip(" \t"):
        return Edit(Span(comma, span.end), "")
    end = after + len(source.text[after:]) - len(source.text[after:].lstrip(" \t"))
    return Edit(Span(span.start, end), "")


def _after_comma(text: str, end: int) -> int:
    """Where the comma behind an argument ends; `end` where none follows on its line."""
    following = text[end:].lstrip(" \t")
    return len(text) - len(following) + 1 if following.startswith(",") else end


def _own_lines(analysis: Analysis, given: ast.keyword, after: int) -> Span | None:
    """The whole lines of an argument and its comma; None where they hold other code."""
    source = analysis.source
    last = (given.end_lineno or given.lineno) - 1
    rest = source.text[after : source.lines.end(last)].strip()
    indent = source.indent(given.lineno - 1)
    first = source.lines.start(given.lineno - 1)
    if source.span(given).start != first + len(indent) or (rest and not rest.startswith("#")):
        return None
    if source.text[after - 1] != "," and source.text[after:].lstrip()[:1] != ")":
        return None
    return Span(first, source.lines.start(last + 1))


def put_before(analysis: Analysis, given: ast.keyword, code: str) -> Edit:
    """Adds the argument `code` (`name=value`) before another one, on a line of its own where that has one."""
    source = analysis.source
    start = source.span(given).start
    indent = source.indent(given.lineno - 1)
    stands_first = start == source.lines.start(given.lineno - 1) + len(indent)
    return Edit(Span(start, start), f"{code},{source.newline}{indent}" if stands_first else f"{code}, ")


def shown(analysis: Analysis, call: ast.Call, name: str, node: ast.expr) -> str:
    """An argument as it is written: `shuffle=True`, or `True` where it is given by its place."""
    value = support.written(analysis, node)
    return f"{name}={value}" if keyword(call, name) is not None else value
