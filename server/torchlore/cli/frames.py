"""One finding as a person reads it: the source lines with carets under the place, the reason, the way out."""

from __future__ import annotations

import unicodedata

from rich.cells import cell_len

from torchlore.cli.checking import FileReport
from torchlore.cli.formats import place, shown
from torchlore.cli.terminal import Styled
from torchlore.rules import rule_by_code_or_name
from torchlore.rules.model import Finding, Severity
from torchlore.text import Source, Span

_STYLES = {
    Severity.ERROR: "bold red",
    Severity.WARNING: "bold yellow",
    Severity.INFORMATION: "bold blue",
    Severity.HINT: "bold cyan",
}
_CONTEXT = 2
"""Lines shown above the place; one is shown below."""

_WHOLE = 5
"""Places of more lines than this show their first and last only."""

_TAB = 4


def frames(report: FileReport) -> list[Styled]:
    """Every finding of a file, an empty line after each."""
    source = Source(report.text)
    lines: list[Styled] = []
    for finding in report.findings:
        lines += [*_frame(source, shown(report.path), finding), []]
    return lines


def _frame(source: Source, name: str, finding: Finding) -> list[Styled]:
    style = _STYLES[finding.severity]
    row, column = place(source, finding.span.start)
    spans = [finding.span, *(related.span for related in finding.related)]
    width = len(str(max(place(source, span.end)[0] for span in spans) + 1))
    lines: list[Styled] = [
        [(finding.code, style), (f" {finding.name}", "bold"), (f": {finding.message}", "")],
        [(" " * width + "--> ", "blue"), (f"{name}:{row}:{column}", "")],
        *_excerpt(source, finding.span, width, "^", style),
    ]
    for related in finding.related:
        row, column = place(source, related.span.start)
        lines.append([(" " * width + "::: ", "blue"), (f"{name}:{row}:{column} ", ""), (related.message, "")])
        lines += _excerpt(source, related.span, width, "-", "blue", context=0)
    for fix in finding.fixes:
        option = "--fix" if fix.safe else "--fix --unsafe-fixes"
        lines.append([(" " * width + " = ", "blue"), ("fix", "bold"), (f": {fix.title} ({option})", "")])
    rule = rule_by_code_or_name(finding.code)
    if rule is not None and rule.card:
        lines.append(
            [(" " * width + " = ", "blue"), ("why", "bold"), (f": torchlore explain {rule.card}", "")]
        )
    return lines


def _excerpt(
    source: Source, span: Span, width: int, mark: str, style: str, context: int = _CONTEXT
) -> list[Styled]:
    first = source.lines.line_of(span.start)
    last = source.lines.line_of(max(span.start, span.end - 1))
    top = max(0, first - context)
    bottom = min(len(source.lines) - 1, last + (1 if context else 0))
    while bottom > last and not source.lines.text(bottom).strip():
        bottom -= 1
    while top < first and not source.lines.text(top).strip():
        top += 1
    lines: list[Styled] = [[(" " * width + " |", "blue")]]
    for number in range(top, bottom + 1):
        if last - first >= _WHOLE and first < number < last:
            if number == first + 1:
                lines.append([(" " * width + " ⋮", "blue")])
            continue
        text, cells = _expanded(source.lines.text(number))
        lines.append([(f"{number + 1:>{width}} | ", "blue"), (text, "")])
        if first <= number <= last:
            begin, end = _marked(source, span, number)
            lead, marked = cells[begin], max(1, cells[end] - cells[begin])
            lines.append([(" " * width + " | ", "blue"), (" " * lead, ""), (mark * marked, style)])
    return [*lines, [(" " * width + " |", "blue")]]


def _marked(source: Source, span: Span, line: int) -> tuple[int, int]:
    """The columns of `line` that `span` covers, its indentation not counted."""
    start, text = source.lines.start(line), source.lines.text(line)
    indent = len(text) - len(text.lstrip())
    begin = max(span.start - start, indent if start > span.start else 0)
    return min(begin, len(text)), max(begin, min(span.end - start, len(text)))


def _expanded(line: str) -> tuple[str, list[int]]:
    """A line as a terminal can show it, and the cell in which each of its characters (and its end) begins.

    Tabs become spaces; characters that would move the cursor or turn the reading direction become `�`.
    """
    pieces: list[str] = []
    cells = [0]
    for char in line:
        if char == "\t":
            piece = " " * (_TAB - cells[-1] % _TAB)
        elif (
            unicodedata.category(char) in ("Cc", "Cs")
            or char in "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
        ):
            piece = "�"
        else:
            piece = char
        pieces.append(piece)
        cells.append(cells[-1] + cell_len(piece))
    return "".join(pieces), cells
