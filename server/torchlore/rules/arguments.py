"""The arguments that a call is written with, and how they are taken out, changed and added."""

from __future__ import annotations

import ast
from collections.abc import Sequence

from torchlore.analysis import Analysis
from torchlore.rules import support
from torchlore.text import Edit, Span


def keyword(call: ast.Call, name: str) -> ast.keyword | None:
    """The argument `name=…` of a call."""
    return next((given for given in call.keywords if given.arg == name), None)


def argument(call: ast.Call, index: int, name: str) -> ast.expr | None:
    """The argument at `index` or called `name`; None where arguments are spread, or it is absent."""
    named = next((keyword.value for keyword in call.keywords if keyword.arg == name), None)
    if named is not None or any(isinstance(arg, ast.Starred) for arg in call.args):
        return named
    return call.args[index] if index < len(call.args) else None


def removed(analysis: Analysis, call: ast.Call, name: str) -> Edit | None:
    """Takes `name=…` out of a call; None where it is not written so, or where a comment is in the way.

    An argument that has its lines for itself goes with them and with the comment behind it; brackets that are
    left empty close on the line on which they open.
    """
    given, argument = written(call), keyword(call, name)
    if argument is None:
        return None
    lines = _own_lines(analysis, argument) if len(given) > 1 else None
    if lines is not None:
        return Edit(lines, "")
    index, start = given.index(argument), analysis.source.span(argument).start
    if argument is given[-1]:
        return without_last(analysis, call, [argument])
    if index and not _begins_line(analysis, argument):
        cut = Span(*(end_of_argument(analysis, call, given[at]) for at in (index - 1, index)))
    else:
        cut = Span(start, analysis.source.span(given[index + 1]).start)
    return _cut(analysis, cut)


def without_last(analysis: Analysis, call: ast.Call, gone: Sequence[ast.expr | ast.keyword]) -> Edit | None:
    """Takes the last arguments out of a call; None where others or comments stand between."""
    given, start = written(call), opening(analysis, call)
    first = len(given) - len(gone)
    if start is None or given[first:] != list(gone):
        return None
    if not first:
        return _cut(analysis, Span(start + 1, analysis.source.span(call).end - 1))
    return _cut(analysis, Span(*(end_of_argument(analysis, call, given[at]) for at in (first - 1, -1))))


def _cut(analysis: Analysis, span: Span) -> Edit | None:
    """Takes out what holds no comment."""
    return None if "#" in analysis.source.segment(span) else Edit(span, "")


def opening(analysis: Analysis, call: ast.Call) -> int | None:
    """Where the bracket of a call opens; None where something else than spaces stands before it."""
    end = analysis.source.span(call.func).end
    behind = analysis.source.text[end:].lstrip()
    return len(analysis.source.text) - len(behind) if behind.startswith("(") else None


def _own_lines(analysis: Analysis, argument: ast.keyword) -> Span | None:
    """The whole lines of an argument, its comma and its comment; None where they hold other code."""
    source = analysis.source
    last = (argument.end_lineno or argument.lineno) - 1
    behind = source.text[source.span(argument).end : source.lines.end(last)].strip(" \t\f")
    has_comma = behind.startswith(",")
    rest = behind.removeprefix(",").strip()
    if not _begins_line(analysis, argument) or (rest and not rest.startswith("#")):
        return None
    if not has_comma and not source.text[source.lines.start(last + 1) :].lstrip().startswith(")"):
        return None
    return Span(source.lines.start(argument.lineno - 1), source.lines.start(last + 1))


def _begins_line(analysis: Analysis, argument: ast.expr | ast.keyword) -> bool:
    """Whether nothing stands before an argument on its line but a bracket around it."""
    source = analysis.source
    before = source.text[source.lines.start(argument.lineno - 1) : source.span(argument).start]
    return not before.strip(" \t\f(")


def put_first(analysis: Analysis, call: ast.Call, text: str) -> Edit | None:
    """Puts an argument without a name before the others; None where a comment or `*args` is in the way."""
    start, close = opening(analysis, call), analysis.source.span(call).end - 1
    if start is None or any(isinstance(given, ast.Starred) for given in call.args):
        return None
    if not call.args and not call.keywords:
        return added(analysis, call, text)
    inside = analysis.source.text[start + 1 : close]
    at = close - len(inside.lstrip())
    return None if inside.lstrip().startswith("#") else _put_at(analysis, at, text)


def put_before(analysis: Analysis, given: ast.keyword, text: str) -> Edit:
    """Puts an argument (`name=value`) before another one, on a line of its own where that has one."""
    return _put_at(analysis, analysis.source.span(given).start, text)


def _put_at(analysis: Analysis, start: int, text: str) -> Edit:
    source = analysis.source
    line = source.position(start)[0]
    begins_line = not source.text[source.lines.start(line) : start].strip()
    between = f"{source.newline}{source.indent(line)}" if begins_line else " "
    return Edit(Span(start, start), f"{text},{between}")


def shown(analysis: Analysis, call: ast.Call, name: str, node: ast.expr) -> str:
    """An argument as it is written: `shuffle=True`, or `True` where it is given by its place."""
    value = support.written(analysis, node)
    return f"{name}={value}" if keyword(call, name) is not None else value


def with_keyword(analysis: Analysis, call: ast.Call, name: str, text: str) -> Edit | None:
    """Gives `call` the keyword argument `name`, instead of another value of it; None where that is not sure.

    Args:
        analysis: of the file.
        call: may be of another file: then there is no edit.
        name: of the parameter; what is given for it by position is not looked at.
        text: the value, as it is to be written.
    """
    if not analysis.owns(call):
        return None
    known = keyword(call, name)
    if known is not None:
        return Edit(analysis.source.span(known.value), text)
    return added(analysis, call, f"{name}={text}")


def added(analysis: Analysis, call: ast.Call, *texts: str) -> Edit | None:
    """Puts arguments (`name=value`) behind those of `call`, which is of this file.

    Where the last one has a line for itself, so has each new one, with a comma behind it if that has one; a
    comment stays beside the argument that it stands beside. None where more arguments come out of `**`, and
    where comments leave no place.
    """
    source, given = analysis.source, written(call)
    start, close = opening(analysis, call), source.span(call).end - 1
    if start is None or any(keyword.arg is None for keyword in call.keywords):
        return None
    if not given:
        inside = Span(start + 1, close)
        return None if source.segment(inside).strip() else Edit(inside, ", ".join(texts))
    if isinstance(given[-1], ast.GeneratorExp) and source.span(given[-1]).end > close:
        return None
    end = end_of_argument(analysis, call, given[-1])
    stop = min(source.lines.end(source.position(end)[0]), close)
    behind = source.text[end:stop]
    has_line = _begins_line(analysis, given[-1]) and stop < close
    if not has_line and "#" not in behind:
        return Edit(Span(end, end), "".join(f", {text}" for text in texts))
    has_comma = "," in behind.partition("#")[0]
    if start > source.lines.start(given[-1].lineno - 1) or source.text[stop:close].lstrip().startswith(","):
        return None
    indent = source.indent(given[-1].lineno - 1)
    lines = ",".join(f"{source.newline}{indent}{text}" for text in texts)
    return Edit(Span(stop, stop), f"{lines},") if has_comma else Edit(Span(end, stop), f",{behind}{lines}")


def replaced(
    analysis: Analysis, call: ast.Call, old: Sequence[ast.expr | ast.keyword], text: str
) -> tuple[Edit, ...] | None:
    """Writes `text` for the first of the arguments `old` and takes the others out of `call`.

    None where an argument by position would stand in another place than before, or behind `text`, which is
    to be a keyword argument; and where a comment is in the way.
    """
    given = written(call)
    kept = [argument for argument in given if argument not in old]
    first = min(given.index(argument) for argument in old)
    if any(not isinstance(argument, ast.keyword) and given.index(argument) > first for argument in kept):
        return None
    spans = [analysis.source.span(argument) for argument in given]
    edits = [
        _cut(analysis, Span(end_of_argument(analysis, call, given[index - 1]), spans[index].end))
        for index in range(first + 1, len(given))
        if given[index] in old
    ]
    known = tuple(edit for edit in edits if edit is not None)
    return (Edit(spans[first], text), *known) if len(known) == len(edits) else None


def written(call: ast.Call) -> list[ast.expr | ast.keyword]:
    """The arguments of a call in the order of the text."""
    given: list[ast.expr | ast.keyword] = [*call.args, *call.keywords]
    return sorted(given, key=lambda argument: (argument.lineno, argument.col_offset))


def end_of_argument(analysis: Analysis, call: ast.Call, argument: ast.expr | ast.keyword) -> int:
    """Where an argument ends with the parentheses that are written around it."""
    given = written(call)
    after = given[given.index(argument) + 1 :]
    end = analysis.source.span(argument).end
    stop = analysis.source.span(after[0]).start if after else analysis.source.span(call).end - 1
    between = analysis.source.text[end:stop].partition("#")[0].partition(",")[0]
    return end + between.rfind(")") + 1


def is_written_out(call: ast.Call) -> bool:
    """Whether all arguments stand in the call: what `**options` gives may be more elsewhere than here."""
    is_spread = any(isinstance(given, ast.Starred) for given in call.args)
    return not is_spread and all(keyword.arg is not None for keyword in call.keywords)
