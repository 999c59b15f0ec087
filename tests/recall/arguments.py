"""Edits of the arguments of calls."""

from __future__ import annotations

import ast

from torchlore.text import Edit, Source, Span


def keyword(call: ast.Call, name: str) -> ast.keyword | None:
    """The keyword argument of that name."""
    return next((given for given in call.keywords if given.arg == name), None)


def given(call: ast.Call, index: int, name: str) -> ast.expr | ast.keyword | None:
    """The argument as it stands among the others, its name included; an index below zero: by name only."""
    named = keyword(call, name)
    if named is not None or any(isinstance(argument, ast.Starred) for argument in call.args):
        return named
    return call.args[index] if 0 <= index < len(call.args) else None


def value(argument: ast.expr | ast.keyword | None) -> ast.expr | None:
    """What is given, without its name."""
    return argument.value if isinstance(argument, ast.keyword) else argument


def is_seen_whole(call: ast.Call) -> bool:
    """Whether no argument comes out of `*args` or `**kwargs`."""
    return all(argument.arg for argument in call.keywords) and not any(
        isinstance(argument, ast.Starred) for argument in call.args
    )


def without(source: Source, call: ast.Call, argument: ast.expr | ast.keyword) -> Edit:
    """Takes an argument out, with a comma that is its."""
    every: list[ast.expr | ast.keyword] = [*call.args, *call.keywords]
    spans = sorted((source.span(one) for one in every), key=lambda span: span.start)
    mine = source.span(argument)
    at = spans.index(mine)
    if at > 0:
        return Edit(Span(spans[at - 1].end, mine.end), "")
    return Edit(Span(mine.start, spans[1].start if len(spans) > 1 else mine.end), "")


def with_keyword(source: Source, call: ast.Call, text: str) -> Edit:
    """Puts `name=value` behind the other arguments."""
    every: list[ast.expr | ast.keyword] = [*call.args, *call.keywords]
    if every:
        end = max(source.span(one).end for one in every)
        return Edit(Span(end, end), f", {text}")
    at = source.span(call).end - 1
    return Edit(Span(at, at), text)


def text(source: Source, node: ast.expr | ast.stmt | ast.keyword) -> str:
    """A node as it stands in the file."""
    return source.segment(source.span(node))
