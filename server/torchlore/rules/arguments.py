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
    return with_argument(analysis, call, f"{name}={text}")


def with_argument(analysis: Analysis, call: ast.Call, text: str) -> Edit | None:
    """Adds `text` to the arguments of `call`, which is of this file; None where others come out of `**`."""
    given = written(call)
    if any(keyword.arg is None for keyword in call.keywords):
        return None
    if len(given) == 1 and isinstance(given[0], ast.GeneratorExp):
        return None
    if not given:
        end = analysis.source.span(call).end - 1
        return Edit(Span(end, end), text)
    end = end_of_argument(analysis, call, given[-1])
    if not _stands_alone(analysis, call, given[-1]):
        return Edit(Span(end, end), f", {text}")
    source, line = analysis.source, (given[-1].end_lineno or 0) - 1
    begin = f"{source.newline}{source.indent(given[-1].lineno - 1)}"
    if source.text[end:].lstrip().startswith(","):  # what follows it on its line may be a comment on it
        stop = source.line_span(line).end
        return Edit(Span(stop, stop), f"{begin}{text},")
    return Edit(Span(end, end), f",{begin}{text}")


def _stands_alone(analysis: Analysis, call: ast.Call, last: ast.expr | ast.keyword) -> bool:
    """Whether the last argument is on a line of its own, so that another one is to be."""
    source = analysis.source
    before = source.text[source.lines.start(last.lineno - 1) : source.span(last).start]
    return not before.strip(" \t(") and (call.end_lineno or 0) > (last.end_lineno or 0)


def replaced(
    analysis: Analysis, call: ast.Call, old: Sequence[ast.expr | ast.keyword], text: str
) -> tuple[Edit, ...] | None:
    """Writes `text` for the first of the arguments `old` and takes the others out of `call`.

    None where an argument by position would stand in another place than before, or behind `text`, which is
    to be a keyword argument.
    """
    given = written(call)
    kept = [argument for argument in given if argument not in old]
    first = min(given.index(argument) for argument in old)
    if any(not isinstance(argument, ast.keyword) and given.index(argument) > first for argument in kept):
        return None
    spans = [analysis.source.span(argument) for argument in given]
    edits = []
    for index, argument in enumerate(given):
        if index == first:
            edits.append(Edit(spans[index], text))
        elif argument in old:
            edits.append(Edit(Span(end_of_argument(analysis, call, given[index - 1]), spans[index].end), ""))
    return tuple(edits)


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


def bracketed(analysis: Analysis, node: ast.expr) -> str:
    """`node` as it is written, in parentheses where something else would bind more closely than it."""
    text = analysis.source.segment(analysis.source.span(node))
    if isinstance(node, ast.Name | ast.Attribute | ast.Call | ast.Subscript | ast.Constant):
        return text
    return f"({text})"


def without_argument(analysis: Analysis, call: ast.Call, argument: ast.expr | ast.keyword) -> Edit | None:
    """Takes an argument out of a call, with the comma between; None where a comment is in the way."""
    source = analysis.source
    given = written(call)
    index = given.index(argument)
    if index > 0:
        span = Span(source.span(given[index - 1]).end, source.span(argument).end)
    elif len(given) > 1:
        span = Span(source.span(argument).start, source.span(given[1]).start)
    else:
        span = source.span(argument)
    between = source.segment(span).replace(source.segment(source.span(argument)), "")
    return None if between.strip(", \t\r\n") else Edit(span, "")


def is_written_out(call: ast.Call) -> bool:
    """Whether all arguments stand in the call: what `**options` gives may be more elsewhere than here."""
    is_spread = any(isinstance(given, ast.Starred) for given in call.args)
    return not is_spread and all(keyword.arg is not None for keyword in call.keywords)
