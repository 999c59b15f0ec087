"""Comments that switch a finding off: `# torchlore: ignore[TL101]` and `# noqa: TL101`."""

from __future__ import annotations

import ast
import re
import tokenize
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from torchlore.rules.model import Finding
from torchlore.text import Edit, Source, Span
from torchlore.text.nodes import blocks, first_line

_IGNORE = re.compile(r"#\s*torchlore:\s*ignore(?![-\w])(?:\s*\[(?P<codes>[^\]]*)\])?", re.IGNORECASE)
_NOQA = re.compile(r"#\s*noqa(?![-\w])(?P<codes>:\s*[A-Z]+[0-9]+(?:[,\s]+[A-Z]+[0-9]+)*)?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Directive:
    """A comment that switches findings off.

    Attributes:
        line: 0-based.
        span: of the directive within the comment, from its `#`.
        codes: the codes and names of rules in it, as they are written; empty: all of them.
        is_noqa: whether it is a `# noqa`, which may be meant for other tools.
        listed: where the codes stand; None where there are none.
        removable: what goes with it when it is taken out: also the blanks before it, where nothing follows.
    """

    line: int
    span: Span
    codes: tuple[str, ...]
    is_noqa: bool
    listed: Span | None
    removable: Span

    def with_codes(self, codes: Iterable[str]) -> Edit:
        """The edit that leaves these codes in it."""
        assert self.listed is not None
        return Edit(self.listed, ", ".join(codes))


def suppressed(source: Source, findings: Iterable[Finding]) -> list[Finding]:
    """`findings` without those that a comment switches off.

    A comment counts on the first and the last line of the statement that the finding is in (of a
    compound statement, its header), and on the finding's own first and last line.
    """
    found = list(findings)
    known = list(directives(source)) if found else []
    if not known:
        return found
    return [finding for finding in found if not any(covered(source, one, finding) for one in known)]


def covered(source: Source, directive: Directive, finding: Finding) -> bool:
    """Whether `directive` switches `finding` off."""
    codes = {code.upper() for code in directive.codes}
    if codes and codes.isdisjoint((finding.code.upper(), finding.name.upper())):
        return False
    return directive.line in _lines(source, finding)


def directives(source: Source) -> Iterator[Directive]:
    """The comments of a file that switch findings off, in the order of the text."""
    if _mentions_no_directive(source.text):
        return
    for line, (offset, text) in sorted(source.comments.items()):
        for match in (*_IGNORE.finditer(text), *_NOQA.finditer(text)):
            directive = _directive(source, line, offset, match)
            if directive is not None:
                yield directive


def _directive(source: Source, line: int, offset: int, match: re.Match[str]) -> Directive | None:
    span = Span(offset + match.start(), offset + match.end())
    listed = match["codes"]
    codes = tuple(code for code in re.split(r"[,\s:]+", listed or "") if code)
    if listed is not None and not codes:
        return None  # `ignore[]` switches nothing off
    after = source.text[span.end : source.lines.end(line)]
    start = span.start
    while not after.strip() and source.text[start - 1 : start] in (" ", "\t"):
        start -= 1
    where = None if listed is None else _trimmed(source, Span(*(offset + at for at in match.span("codes"))))
    return Directive(line, span, codes, match.re is _NOQA, where, Span(start, span.end))


def _trimmed(source: Source, span: Span) -> Span:
    """The codes alone: of `: TL101` without the colon, of `[ TL101 ]` without the blanks."""
    text = source.segment(span)
    start = len(text) - len(text.lstrip(": \t"))
    return Span(span.start + start, span.start + len(text.rstrip()))


def ignore_edit(source: Source, finding: Finding) -> Edit:
    """The edit that switches `finding` off on its line, within a `torchlore: ignore[...]` that is there."""
    line = _line_for_comment(source, finding)
    comment = source.comments.get(line)
    if comment is not None:
        offset, text = comment
        match = _IGNORE.search(text)
        if match and match["codes"] is not None:
            at = offset + match.end("codes")
            separator = ", " if match["codes"].strip() else ""
            return Edit(Span(at, at), f"{separator}{finding.code}")
    at = source.lines.start(line) + len(source.lines.text(line).rstrip())
    return Edit(Span(at, source.lines.end(line)), f"  # torchlore: ignore[{finding.code}]")


def _mentions_no_directive(text: str) -> bool:
    lower = text.lower()
    return "noqa" not in lower and "torchlore:" not in lower


def _lines(source: Source, finding: Finding) -> set[int]:
    """The lines (0-based) on which a comment speaks about `finding`."""
    first = source.lines.line_of(finding.span.start)
    last = source.lines.line_of(max(finding.span.start, finding.span.end - 1))
    header = _header(source, finding.span.start)
    return {first, last} if header is None else {first, last, *header}


def _header(source: Source, offset: int) -> tuple[int, int] | None:
    """First and last line of the innermost statement around `offset`; of a compound one, up to its colon."""
    innermost: ast.stmt | None = None
    body = source.tree.body
    while around := next((s for s in body if _holds(source, s, offset)), None):
        innermost = around
        body = _children(around)
    if innermost is None:
        return None
    if not body:
        return first_line(innermost), (innermost.end_lineno or innermost.lineno) - 1
    line, end = source.lines.line_of(offset), first_line(body[0])
    if line > end:
        return None  # On an `else:` or `except …:` line, which is nobody's first or last.
    while end > line and (
        not (text := source.lines.text(end).strip()) or text.startswith("#") or end == first_line(body[0])
    ):
        end -= 1
    return first_line(innermost), end


def _holds(source: Source, statement: ast.stmt, offset: int) -> bool:
    return source.lines.start(first_line(statement)) <= offset < source.span(statement).end


def _children(statement: ast.stmt) -> list[ast.stmt]:
    """The statements nested directly in `statement`, in the order of their lines."""
    inner = (child for block in blocks(statement) for child in block)
    return sorted(inner, key=lambda s: (s.lineno, s.col_offset))


def _line_for_comment(source: Source, finding: Finding) -> int:
    """The first line of the finding's that takes a comment: not in a string, not before a backslash."""
    first = source.lines.line_of(finding.span.start)
    open_ends = _lines_that_take_comments(source)
    candidates = (first, *sorted(_lines(source, finding)))
    return next((line for line in candidates if line in open_ends), first)


def _lines_that_take_comments(source: Source) -> set[int]:
    # Of a broken text the lines before the break are known, and they are all that findings stand on.
    ends = (tokenize.NEWLINE, tokenize.NL, tokenize.COMMENT)
    return {token.start[0] - 1 for token in source.tokens() if token.type in ends}
