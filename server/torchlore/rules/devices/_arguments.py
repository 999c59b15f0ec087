"""Adds arguments to calls, and takes them away."""

from __future__ import annotations

import ast

from torchlore.analysis import Analysis
from torchlore.text import Edit, Span


def added(analysis: Analysis, call: ast.Call, argument: str) -> Edit | None:
    """Puts `argument` behind the others; None where a comment stands between."""
    source = analysis.source
    close = source.span(call).end - 1
    first = source.span(call.func).end
    end = first + len(source.text[first:close].rstrip())
    lines = range(source.position(end)[0], source.position(close)[0] + 1)
    if any(line in source.comments and source.comments[line][0] < close for line in lines):
        return None
    before = source.text[end - 1]
    comma = "" if before == "(" and not (call.args or call.keywords) else " " if before == "," else ", "
    return Edit(Span(end, end), f"{comma}{argument}")


def removed(analysis: Analysis, call: ast.Call, keyword: ast.keyword) -> Edit | None:
    """Takes a keyword argument away with the comma that is no longer needed; None where a comment is near."""
    source = analysis.source
    span = source.span(keyword)
    others: list[ast.expr | ast.keyword] = [*call.args, *call.keywords]
    starts = sorted(source.span(other).start for other in others)
    index = starts.index(span.start)
    if index + 1 < len(starts):
        cut = Span(span.start, starts[index + 1])
    elif index:
        ends = [source.span(other).end for other in others]
        cut = Span(max(end for end in ends if end <= span.start), span.end)
    else:
        cut = Span(source.span(call.func).end + 1, source.span(call).end - 1)
    text = source.text[cut.start : cut.end]
    return None if "#" in text or ")" in text.replace(source.segment(span), "") else Edit(cut, "")
