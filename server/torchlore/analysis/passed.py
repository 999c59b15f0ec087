"""From a place in the text to the argument of a call that stands there, and to the call around a name."""

from __future__ import annotations

import ast
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass

from torchlore.analysis import lookup, members
from torchlore.analysis.queries import options
from torchlore.analysis.run import Run
from torchlore.analysis.values import Instance
from torchlore.text import Source, Span
from torchlore.text.nodes import nodes_in


@dataclass(frozen=True, slots=True)
class Passed:
    """An argument in a call.

    Attributes:
        span: what the cursor is on: the name of a keyword argument, or a literal.
        callees: dotted names of what is called, the likeliest first.
        keyword: the argument's name; empty where it is given by its place.
        place: that place, counted from 0; -1 where it is given by name.
        literal: the value as Python writes it; empty where it is no literal.
        is_value: whether the cursor is on the value.
    """

    span: Span
    callees: tuple[str, ...]
    keyword: str
    place: int
    literal: str
    is_value: bool


@dataclass(frozen=True, slots=True)
class Given:
    """What a call is given, as it is written, up to the first argument with a star."""

    positional: tuple[str, ...]
    keywords: tuple[tuple[str, str], ...]
    has_stars: bool


@dataclass(frozen=True, slots=True)
class _Part:
    start: int
    end: int
    call: ast.Call
    argument: ast.expr
    keyword: str
    place: int
    is_value: bool


class Arguments:
    """The arguments of a file's calls by place: names of keyword arguments, and literals; and its strings."""

    def __init__(self, source: Source) -> None:
        parts: list[_Part] = []
        strings: list[tuple[int, int, str]] = []
        for node in nodes_in(source.tree):
            if isinstance(node, ast.Call):
                parts += _parts(source, node)
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                span = source.span(node)
                strings.append((span.start, span.end, node.value))
        self._source = source
        self._parts = sorted(parts, key=lambda part: part.start)
        self._starts = [part.start for part in self._parts]
        self._strings = sorted(strings)

    def at(self, offset: int, run: Run, known: lookup.Evidence) -> Passed | None:
        """The argument that `offset` is in or just behind; None where there is none in a call of torch's.

        Args:
            offset: in code points.
            run: the interpretation of the file.
            known: about its unknown objects.
        """
        index = bisect_right(self._starts, offset) - 1
        if index < 0 or offset > self._parts[index].end:
            return None
        part = self._parts[index]
        names = callees(run, part.call, known)
        if not names:
            return None
        literal = _literal(part.argument)
        return Passed(Span(part.start, part.end), names, part.keyword, part.place, literal, part.is_value)

    def quoted(self, offset: int) -> tuple[Span, str] | None:
        """The comment or string at `offset` and its text; comments on lines below one another are one."""
        line = self._source.lines.line_of(offset)
        comment = self._source.comments.get(line)
        if comment is not None and offset >= comment[0]:
            return _comment(self._source, line)
        index = bisect_right(self._strings, offset, key=lambda string: string[0]) - 1
        if index < 0 or offset > self._strings[index][1]:
            return None
        start, end, text = self._strings[index]
        return Span(start, end), text


def callees(run: Run, call: ast.Call, known: lookup.Evidence) -> tuple[str, ...]:
    """Dotted names of what a call calls, the likeliest first; of an object that is called, its `forward`."""
    func = call.func
    if not isinstance(func, ast.Name | ast.Attribute):
        return ()
    value = run.values.get(func)
    names = lookup.candidates(run, func, known)
    if value is None or not any(isinstance(option, Instance) for option in options(value)):
        return names
    called = [option for option in options(value) if isinstance(option, Instance) and option.cls in names]
    return tuple(
        dict.fromkeys(f"{option.cls}.forward" for option in called if members.is_module_like(option))
    )


def given(source: Source, call: ast.Call) -> Given:
    """The arguments of a call, each on one line."""
    positional: list[str] = []
    for argument in call.args:
        if isinstance(argument, ast.Starred):
            break
        positional.append(_text(source, argument))
    keywords = tuple((k.arg, _text(source, k.value)) for k in call.keywords if k.arg is not None)
    has_stars = len(positional) < len(call.args) or len(keywords) < len(call.keywords)
    return Given(tuple(positional), keywords, has_stars)


def _comment(source: Source, line: int) -> tuple[Span, str]:
    """The comment on a line, with those on the lines above and below that hold nothing else."""
    comments = source.comments
    first = last = line
    if _is_alone(source, line):
        while first - 1 in comments and _is_alone(source, first - 1):
            first -= 1
        while last + 1 in comments and _is_alone(source, last + 1):
            last += 1
    text = " ".join(comments[number][1].lstrip("# ").rstrip() for number in range(first, last + 1))
    return Span(comments[first][0], source.line_span(last).end), text


def _is_alone(source: Source, line: int) -> bool:
    return source.lines.text(line).lstrip().startswith("#")


def _text(source: Source, node: ast.expr) -> str:
    return " ".join(source.segment(source.span(node)).split())


def _parts(source: Source, call: ast.Call) -> Iterator[_Part]:
    """What of a call's arguments can be asked about, outside of what they are computed from."""
    for place, argument in enumerate(call.args):
        if isinstance(argument, ast.Starred):
            break
        if _literal(argument):
            span = source.span(argument)
            yield _Part(span.start, span.end, call, argument, "", place, is_value=True)
    for keyword in call.keywords:
        if keyword.arg is None:
            continue
        start = source.span(keyword).start
        end = start + len(keyword.arg)
        yield _Part(start, end, call, keyword.value, keyword.arg, -1, is_value=False)
        if _literal(keyword.value):
            span = source.span(keyword.value)
            yield _Part(span.start, span.end, call, keyword.value, keyword.arg, -1, is_value=True)


def _literal(node: ast.expr) -> str:
    """A literal as Python writes it; empty where `node` is none."""
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        inner = _literal(node.operand)
        return f"-{inner}" if inner else ""
    if isinstance(node, ast.Constant) and isinstance(node.value, str | bool | int | float | type(None)):
        return repr(node.value)
    return ""
